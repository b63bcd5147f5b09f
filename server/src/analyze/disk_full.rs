//! Whether an error means that the disk is full, whoever met it.

use std::io::{self, ErrorKind};

use auricle_search::IndexError;
use auricle_store::StoreError;

/// Looks through the whole chain: the store, the index and plain files each tell it in their own way.
pub(crate) fn is_disk_full(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return matches!(io.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        }
        let is_store_full = matches!(cause.downcast_ref(), Some(StoreError::DiskFull { .. }));
        is_store_full || matches!(cause.downcast_ref(), Some(IndexError::DiskFull { .. }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;
    use std::path::PathBuf;

    #[test]
    fn a_full_disk_is_known_by_whoever_met_it() {
        let io = || io::Error::from(ErrorKind::StorageFull);
        let json = Err::<(), _>(io()).context("cannot write `a.json`");
        assert!(is_disk_full(&json.unwrap_err()));
        let store = StoreError::DiskFull {
            path: PathBuf::new(),
        };
        assert!(is_disk_full(&anyhow::Error::from(store).context("save")));
        let index = IndexError::DiskFull {
            folder: PathBuf::new(),
        };
        assert!(is_disk_full(&index.into()));
        let other = io::Error::from(ErrorKind::PermissionDenied);
        assert!(!is_disk_full(&other.into()));
        assert!(!is_disk_full(&anyhow::anyhow!("no sound")));
    }
}

//! Whether an error means that the disk is full, whoever met it.

use std::io::{self, ErrorKind};

use anyhow::{Error, Result};
use auricle_contracts::CallId;
use auricle_search::IndexError;
use auricle_store::StoreError;

use crate::exit::message_of;

/// Looks through the whole chain: the store, the index and plain files each tell it in their own way.
pub(crate) fn is_disk_full(error: &Error) -> bool {
    error.chain().any(|cause| {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return matches!(io.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        }
        let is_store_full = matches!(cause.downcast_ref(), Some(StoreError::DiskFull { .. }));
        is_store_full || matches!(cause.downcast_ref(), Some(IndexError::DiskFull { .. }))
    })
}

/// Whether the same may be taken later: a disk that is full gets room, another process lets the store go.
pub(crate) fn may_pass(error: &Error) -> bool {
    let is_locked = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(StoreError::Locked { .. }))
    };
    is_disk_full(error) || error.chain().any(is_locked)
}

/// What becomes of a call that the search index could not take. It is safe in the store, which knows that the
/// index lacks it, so it keeps no other call out; on a full disk every other would fail in the same way.
pub(crate) fn not_in_index(call_id: &CallId, error: Error) -> Result<()> {
    if is_disk_full(&error) {
        return Err(error);
    }
    tracing::warn!(call.id = %call_id, "not in the search index: {}", message_of(&error));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};
    use std::path::PathBuf;

    #[test]
    fn a_full_disk_is_known_by_whoever_met_it() {
        let io = || io::Error::from(ErrorKind::StorageFull);
        let json = Err::<(), _>(io()).context("cannot write `a.json`");
        assert!(is_disk_full(&json.unwrap_err()));
        let store = StoreError::DiskFull {
            path: PathBuf::new(),
        };
        assert!(is_disk_full(&Error::from(store).context("save")));
        let index = IndexError::DiskFull {
            folder: PathBuf::new(),
        };
        assert!(is_disk_full(&index.into()));
        let other = io::Error::from(ErrorKind::PermissionDenied);
        assert!(!is_disk_full(&other.into()));
        assert!(!is_disk_full(&anyhow!("no sound")));
        let locked = StoreError::Locked {
            path: PathBuf::new(),
        };
        let locked = Error::from(locked).context("save");
        assert!(may_pass(&locked) && !is_disk_full(&locked));
        assert!(may_pass(&io().into()) && !may_pass(&anyhow!("no sound")));
    }

    #[test]
    fn a_call_that_is_not_indexed_keeps_others_out_only_where_the_disk_is_full() {
        let call_id = CallId("a".into());
        not_in_index(&call_id, anyhow!("its utterances are too long")).unwrap();
        let full = IndexError::DiskFull {
            folder: PathBuf::new(),
        };
        let stops = not_in_index(&call_id, Error::from(full)).unwrap_err();
        assert!(is_disk_full(&stops));
    }
}

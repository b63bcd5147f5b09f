//! Packs with what they include, read from the disk.

use std::io;
use std::path::Path;

use auricle_insight::rules::{Included, PackFile};

/// Reads the pack at `path`; what it includes stands beside it.
pub(crate) fn read_pack(path: &Path) -> io::Result<PackFile> {
    let bytes = std::fs::read(path)?;
    let name = path.display().to_string();
    let mut find = |from: &str, wanted: &str| {
        let path = Path::new(from).with_file_name(wanted);
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        let file = path.display().to_string();
        Ok(Included {
            id: file.clone(),
            file,
            bytes,
        })
    };
    Ok(PackFile::read_with(&name, &bytes, &mut find))
}

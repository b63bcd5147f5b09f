//! The little that a writer and a rotation ask of a file, so that tests can stand in for a disk that fails.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

/// Bytes of a file, by position.
pub(crate) trait Storage: Send {
    /// Writes all of it at a position; where it fails, part of it may be there.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts or extends it.
    fn set_len(&mut self, n_bytes: u64) -> io::Result<()>;
    /// Returns once all that was written is on the disk.
    fn sync(&self) -> io::Result<()>;
}

impl Storage for File {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.write_all(bytes)
    }

    fn set_len(&mut self, n_bytes: u64) -> io::Result<()> {
        File::set_len(self, n_bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Storage for Arc<File> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.as_ref();
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn set_len(&mut self, n_bytes: u64) -> io::Result<()> {
        File::set_len(self, n_bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Fills `out` from a position, as far as there are bytes.
pub(crate) fn read_at(
    source: &mut (impl Read + Seek),
    offset: u64,
    out: &mut [u8],
) -> io::Result<usize> {
    source.seek(SeekFrom::Start(offset))?;
    let mut n_bytes = 0;
    while n_bytes < out.len() {
        match source.read(&mut out[n_bytes..]) {
            Ok(0) => break,
            Ok(n_read) => n_bytes += n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n_bytes)
}

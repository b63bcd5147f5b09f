//! Tantivy's directory, watched for a full disk.
//!
//! Tantivy writes in threads of its own. What stops one of them reaches the caller as a text that does not
//! say why, or not at all, so it is noted here, where it happens.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, DirectoryLock, FileHandle, Lock, MmapDirectory, TerminatingWrite, WatchCallback,
    WatchHandle, WritePtr,
};

use crate::error::is_disk_full;

/// Whether writing failed for want of room. Clones share one answer.
#[derive(Clone, Debug, Default)]
pub(super) struct DiskFull(Arc<AtomicBool>);

impl DiskFull {
    /// The answer for what was written since it was asked last.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.note_error(error);
        }
        result
    }

    fn note_error(&self, error: &io::Error) {
        if is_disk_full(error) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// A folder whose files are mapped into memory.
#[derive(Clone, Debug)]
pub(super) struct WatchedDirectory {
    inner: MmapDirectory,
    disk_full: DiskFull,
}

impl WatchedDirectory {
    pub(super) fn open(folder: &Path, disk_full: DiskFull) -> tantivy::Result<Self> {
        Ok(Self {
            inner: MmapDirectory::open(folder)?,
            disk_full,
        })
    }
}

impl Directory for WatchedDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let opened = self.inner.open_write(path);
        if let Err(OpenWriteError::IoError { io_error, .. }) = &opened {
            self.disk_full.note_error(io_error);
        }
        let unwrapped = opened?.into_inner();
        let inner = unwrapped.map_err(|error| {
            OpenWriteError::wrap_io_error(error.into_error(), path.to_path_buf())
        })?;
        Ok(BufWriter::new(Box::new(WatchedFile {
            inner,
            disk_full: self.disk_full.clone(),
        })))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.inner.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.disk_full.note(self.inner.atomic_write(path, data))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.disk_full.note(self.inner.sync_directory())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.inner.acquire_lock(lock)
    }

    fn watch(&self, watch_callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(watch_callback)
    }
}

struct WatchedFile<W> {
    inner: W,
    disk_full: DiskFull,
}

impl<W: Write> Write for WatchedFile<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk_full.note(self.inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.disk_full.note(self.inner.flush())
    }
}

impl<W: TerminatingWrite> TerminatingWrite for WatchedFile<W> {
    fn terminate_ref(&mut self, token: AntiCallToken) -> io::Result<()> {
        self.disk_full.note(self.inner.terminate_ref(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_noted_once_and_other_failures_are_not() {
        for (kind, expected) in [
            (ErrorKind::StorageFull, true),
            (ErrorKind::QuotaExceeded, true),
            (ErrorKind::PermissionDenied, false),
        ] {
            let disk_full = DiskFull::default();
            let mut file = WatchedFile {
                inner: Failing(kind),
                disk_full: disk_full.clone(),
            };
            assert_eq!(file.write(b"x").unwrap_err().kind(), kind);
            assert_eq!((disk_full.take(), disk_full.take()), (expected, false));
        }
    }
}

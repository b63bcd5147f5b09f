//! The bytes a recording is read from.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

use crate::error::{AudioError, Container};

/// What a recording can be read from.
pub trait AudioSource: Read + Seek + Send + Sync {}

impl<T: Read + Seek + Send + Sync> AudioSource for T {}

/// A stretch of seekable bytes with a name for messages.
pub(super) struct Source {
    inner: Box<dyn AudioSource>,
    name: String,
    /// Bytes of `inner` before position 0 of this source.
    start: u64,
    n_bytes: u64,
    /// Length told to a demultiplexer, where more than there is.
    pretended_bytes: u64,
    position: u64,
}

impl Source {
    /// Opens a regular file.
    pub(super) fn open(path: &Path) -> Result<Self, AudioError> {
        let name = path.display().to_string();
        let failed = |source| AudioError::Open {
            name: name.clone(),
            source,
        };
        // Asked first: opening a pipe would wait for its writer.
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(AudioError::NotAFile { name });
        }
        let file = File::open(path).map_err(failed)?;
        Self::new(Box::new(file), name)
    }

    pub(super) fn new(mut inner: Box<dyn AudioSource>, name: String) -> Result<Self, AudioError> {
        let measured = inner
            .seek(SeekFrom::End(0))
            .and_then(|n_bytes| inner.rewind().map(|()| n_bytes));
        match measured {
            Ok(0) => Err(AudioError::Empty { name }),
            Ok(n_bytes) => Ok(Self {
                inner,
                name,
                start: 0,
                n_bytes,
                pretended_bytes: 0,
                position: 0,
            }),
            Err(source) => Err(AudioError::Read { name, source }),
        }
    }

    /// Narrows to `n_bytes` from `start` on, as far as they are there.
    pub(super) fn narrow(&mut self, start: u64, n_bytes: u64) -> io::Result<()> {
        let start = start.min(self.n_bytes);
        self.n_bytes = n_bytes.min(self.n_bytes - start);
        self.start += start;
        self.rewind()
    }

    /// Makes the source seem at least this long from now on; reading still ends where it ends.
    pub(super) fn pretend_bytes(&mut self, n_bytes: u64) {
        self.pretended_bytes = n_bytes;
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    pub(super) fn read_error(&self, source: io::Error) -> AudioError {
        AudioError::Read {
            name: self.name.clone(),
            source,
        }
    }

    /// Fills `bytes` as far as the source goes; returns how many.
    pub(super) fn read_full(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut n_read = 0;
        while n_read < bytes.len() {
            match self.read(&mut bytes[n_read..]) {
                Ok(0) => break,
                Ok(n) => n_read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(n_read)
    }
}

impl Read for Source {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let n_left = self.n_bytes.saturating_sub(self.position);
        let n_wanted = n_left.min(bytes.len() as u64) as usize;
        let n_read = self.inner.read(&mut bytes[..n_wanted])?;
        self.position += n_read as u64;
        Ok(n_read)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self
                .n_bytes
                .max(self.pretended_bytes)
                .checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let target = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        // Beyond the end there is nothing to read, whatever lies there in the wider source.
        let inner = self.start + target.min(self.n_bytes);
        self.inner.seek(SeekFrom::Start(inner))?;
        self.position = target;
        Ok(target)
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.n_bytes.max(self.pretended_bytes))
    }
}

pub(super) fn header_error(
    source: &Source,
    container: Container,
    key: &'static str,
    value: impl ToString,
    expected: &'static str,
) -> AudioError {
    AudioError::Header {
        name: source.name.clone(),
        container,
        key,
        value: value.to_string(),
        expected,
    }
}

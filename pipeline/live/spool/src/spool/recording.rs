//! A recording of a spool that is under way.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{RecordingName, Shared};
use crate::record::Record;
use crate::writer::RecordingWriter;
use crate::{RecordingInfo, SpoolError};

/// A file that a barrier may have to sync.
pub(super) struct Handle {
    pub(super) file: Arc<File>,
    /// Whether it is in the list of those that the next barrier syncs.
    pub(super) is_dirty: AtomicBool,
}

/// A [`RecordingWriter`] whose file a [`Spool`](super::Spool) looks after. Dropped unfinished, its file stays in `open`,
/// as after a crash.
pub struct SpoolRecording {
    shared: Arc<Shared>,
    name: RecordingName,
    handle: Arc<Handle>,
    writer: RecordingWriter,
    n_counted_bytes: u64,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    UnderWay,
    Finished,
}

impl SpoolRecording {
    pub(super) fn new(
        shared: Arc<Shared>,
        name: RecordingName,
        file: Arc<File>,
        writer: RecordingWriter,
    ) -> Self {
        let is_dirty = AtomicBool::new(false);
        let mut recording = Self {
            shared,
            name,
            handle: Arc::new(Handle { file, is_dirty }),
            writer,
            n_counted_bytes: 0,
            phase: Phase::UnderWay,
        };
        recording.note_written();
        recording
    }

    /// By which the spool finds it.
    pub fn name(&self) -> &RecordingName {
        &self.name
    }

    /// Its header.
    pub fn info(&self) -> &RecordingInfo {
        self.writer.info()
    }

    /// See [`RecordingWriter::append`].
    ///
    /// # Errors
    /// See there.
    pub fn append(&mut self, record: Record<'_>) -> Result<(), SpoolError> {
        self.writer.append(record)
    }

    /// See [`RecordingWriter::flush`].
    ///
    /// # Errors
    /// See there.
    pub fn flush(&mut self) -> Result<(), SpoolError> {
        let flushed = self.writer.flush();
        self.count(flushed)
    }

    /// Adds the `End` and writes all that waits; the next barrier makes it durable and moves the file to `done`. A
    /// program that ends before leaves it in `open`, where the next start finds it finished.
    ///
    /// # Errors
    /// See [`RecordingWriter::finish`]; to be called again.
    pub fn finish(&mut self, end: &[u8]) -> Result<(), SpoolError> {
        let finished = self.writer.finish(end);
        self.count(finished)?;
        if self.phase == Phase::UnderWay {
            self.phase = Phase::Finished;
            let mut state = self.shared.state();
            state.under_way.remove(&self.name);
            state.finished.push(self.name);
            let counters = &self.shared.counters;
            counters.n_finished.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// See [`RecordingWriter::sync`]: of this recording alone.
    ///
    /// # Errors
    /// See there.
    pub fn sync(&self) -> Result<(), SpoolError> {
        self.writer.sync()
    }

    /// See [`RecordingWriter::n_buffered_bytes`].
    pub fn n_buffered_bytes(&self) -> usize {
        self.writer.n_buffered_bytes()
    }

    fn count(&mut self, outcome: Result<(), SpoolError>) -> Result<(), SpoolError> {
        // Some chunks may have been written before one failed.
        self.note_written();
        if outcome.is_err() {
            let counters = &self.shared.counters;
            counters.n_failures.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    fn note_written(&mut self) {
        let n_bytes = self.writer.n_file_bytes() - self.n_counted_bytes;
        if n_bytes == 0 {
            return;
        }
        self.n_counted_bytes += n_bytes;
        let counters = &self.shared.counters;
        counters
            .n_written_bytes
            .fetch_add(n_bytes, Ordering::Relaxed);
        counters.n_flushes.fetch_add(1, Ordering::Relaxed);
        if !self.handle.is_dirty.swap(true, Ordering::AcqRel) {
            self.shared.state().dirty.push(Arc::clone(&self.handle));
        }
    }
}

impl Drop for SpoolRecording {
    fn drop(&mut self) {
        if self.phase == Phase::UnderWay {
            self.shared.state().under_way.remove(&self.name);
        }
    }
}

//! Reading within limits, for fuzzing and for looking into files nobody vouches for.

use std::io::Cursor;

use super::AudioReader;
use crate::block::AudioBlock;
use crate::error::AudioError;

/// What came of reading some bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadOutcome {
    /// Frames read before the end or the limit.
    pub n_frames: u64,
    /// Largest magnitude, within 0 to 1.
    pub peak: f32,
    /// Warnings at the end.
    pub n_warnings: usize,
}

/// Reads up to about `frames_limit` frames from bytes of any kind. It returns for every input, in
/// time and memory bounded by the limit and the number of bytes.
pub fn read_bytes(bytes: &[u8], frames_limit: u64) -> Result<ReadOutcome, AudioError> {
    let mut reader = AudioReader::from_source(Cursor::new(bytes.to_vec()), "bytes")?;
    let mut block = AudioBlock::new();
    let mut outcome = ReadOutcome::default();
    while outcome.n_frames < frames_limit {
        let n_frames = reader.next_block(&mut block)?;
        if n_frames == 0 {
            break;
        }
        outcome.n_frames += n_frames as u64;
        let samples = block.channels().flatten();
        outcome.peak = samples.fold(outcome.peak, |peak, sample| peak.max(sample.abs()));
    }
    outcome.n_warnings = reader.warnings().len();
    Ok(outcome)
}

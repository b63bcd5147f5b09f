//! Figures measured beside peers: see README.md.

use std::path::Path;

use anyhow::Result;
use auricle_audio::{AudioBlock, AudioReader, Resampler};

/// The first seconds of a recording's first channel, at a rate.
///
/// # Errors
/// When the recording cannot be read.
pub fn first_channel(path: &Path, rate_hz: u32, secs: usize) -> Result<Vec<f32>> {
    let mut reader = AudioReader::open(path)?;
    let mut resampler = Resampler::new(reader.info().sample_rate_hz, rate_hz)?;
    let (mut block, mut samples) = (AudioBlock::new(), Vec::new());
    let wanted = secs * rate_hz as usize;
    while samples.len() < wanted && reader.next_block(&mut block)? > 0 {
        resampler.process(block.channel(0), &mut samples)?;
    }
    samples.truncate(wanted);
    Ok(samples)
}

//! Figures measured beside peers: see README.md.

pub mod spent;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
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

/// Both legs of a call, 16-bit linear at 8 kHz, low byte first, of one length.
pub type Recording = [Vec<u8>; 2];

/// Both channels of every stereo recording of a folder, `*.wav` at 8 kHz.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn recordings(folder: &Path) -> Result<Vec<Recording>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "wav"))
        .collect();
    files.sort();
    let mut recordings = Vec::new();
    for file in files {
        let mut reader = AudioReader::open(&file)?;
        let mut channels = [Vec::new(), Vec::new()];
        let mut block = AudioBlock::new();
        while reader.next_block(&mut block)? > 0 {
            for (channel, samples) in channels.iter_mut().zip(block.channels()) {
                let samples = samples.iter().map(|sample| (sample * 32768.0) as i16);
                channel.extend(samples.flat_map(i16::to_le_bytes));
            }
        }
        recordings.push(channels);
    }
    if recordings.is_empty() {
        return Err(anyhow!("`{}` has no *.wav", folder.display()));
    }
    Ok(recordings)
}

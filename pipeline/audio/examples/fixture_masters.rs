//! Writes the sound that `fixtures/audio/make.sh` encodes: `fixture_masters FOLDER`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use auricle_audio::{AudioBlock, WavEncoding, WavWriter};

#[path = "../tests/common/program.rs"]
mod program;

/// Length of the program, seconds.
const PROGRAM_SECS: f64 = 1.25;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("usage: fixture_masters FOLDER")?;
    let folder = PathBuf::from(folder);
    for rate_hz in [8_000, 11_025, 16_000, 44_100, 48_000, 192_000] {
        for n_channels in [1, 2] {
            write_program(&folder, rate_hz, n_channels)?;
        }
    }
    write_program(&folder, 8_000, 8)?;
    let n_frames = frames(8_000);
    let left = program::samples(0, 8_000, n_frames);
    let map = |change: &dyn Fn(f32) -> f32| left.iter().map(|&sample| change(sample)).collect();
    let delayed: Vec<f32> = (0..n_frames)
        .map(|frame| frame.checked_sub(24).map_or(0.0, |frame| 0.5 * left[frame]))
        .collect();
    let silence = vec![0.0; n_frames];
    let same = |other: Vec<f32>| vec![left.clone(), other];
    write(&folder.join("fake-same.wav"), 8_000, same(left.clone()))?;
    write(
        &folder.join("fake-inverted.wav"),
        8_000,
        same(map(&|sample| -0.7 * sample)),
    )?;
    write(&folder.join("fake-delayed.wav"), 8_000, same(delayed))?;
    write(&folder.join("one-silent.wav"), 8_000, same(silence.clone()))?;
    write(&folder.join("all-silent.wav"), 8_000, vec![silence])?;
    write(
        &folder.join("clipped.wav"),
        8_000,
        vec![map(&|sample| 4.0 * sample)],
    )?;
    write(
        &folder.join("dc.wav"),
        8_000,
        vec![map(&|sample| 0.5 * sample + 0.2)],
    )?;
    write(
        &folder.join("quiet.wav"),
        8_000,
        vec![map(&|sample| 0.005 * sample)],
    )?;
    Ok(())
}

fn frames(rate_hz: u32) -> usize {
    (PROGRAM_SECS * f64::from(rate_hz)).round() as usize
}

fn write_program(folder: &Path, rate_hz: u32, n_channels: usize) -> Result<(), Failure> {
    let n_frames = frames(rate_hz);
    let planes = (0..n_channels)
        .map(|idx| program::samples(idx, rate_hz, n_frames))
        .collect();
    write(
        &folder.join(format!("program-{rate_hz}-{n_channels}.wav")),
        rate_hz,
        planes,
    )
}

fn write(path: &Path, rate_hz: u32, planes: Vec<Vec<f32>>) -> Result<(), Failure> {
    let block = AudioBlock::from_planes(planes);
    let sink = BufWriter::new(File::create(path)?);
    let mut writer = WavWriter::new(sink, WavEncoding::Pcm16, rate_hz, block.n_channels())?;
    writer.write_block(&block)?;
    writer.finish()?;
    Ok(())
}

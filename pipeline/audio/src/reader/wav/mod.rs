//! WAVE files: samples of any of the usual codings to frames.

mod adpcm;
mod format;
mod header;

use std::io::{Seek, SeekFrom};

use super::source::Source;
use super::{AudioInfo, Codec, FrameSource, More};
use crate::block::AudioBlock;
use crate::error::{AudioError, Container, ReadWarning};
use format::{Coding, WavFormat};
use header::WavHeader;

/// Frames decoded at a time; more for one block of ADPCM.
const STEP_FRAMES: usize = 4096;

/// A WAVE file in the course of being read.
pub(super) struct WavReader {
    source: Source,
    header: WavHeader,
    info: AudioInfo,
    /// Bytes of samples not yet read.
    n_bytes_left: u64,
    n_frames_read: u64,
    bytes: Vec<u8>,
    n_out_of_range: u64,
}

/// What is in a WAVE file.
pub(super) enum WavContent {
    /// Samples.
    Samples(Box<WavReader>),
    /// A stream of MPEG frames, and the source narrowed to it.
    Mp3(Source),
}

/// Reads the header.
pub(super) fn open(mut source: Source) -> Result<WavContent, AudioError> {
    let header = header::read_header(&mut source)?;
    let format = &header.format;
    if format.coding == Coding::Mp3 {
        let narrowed = source.narrow(header.data_start, header.data_bytes);
        return match narrowed {
            Ok(()) => Ok(WavContent::Mp3(source)),
            Err(error) => Err(source.read_error(error)),
        };
    }
    let start = SeekFrom::Start(header.data_start);
    source
        .seek(start)
        .map_err(|error| source.read_error(error))?;
    let info = AudioInfo {
        container: Container::Wav,
        codec: codec(format),
        sample_rate_hz: format.sample_rate_hz,
        n_channels: format.n_channels,
        n_frames: Some(n_frames(&header, header.data_bytes)),
    };
    Ok(WavContent::Samples(Box::new(WavReader {
        n_bytes_left: header.data_bytes,
        n_frames_read: 0,
        bytes: Vec::new(),
        n_out_of_range: 0,
        source,
        header,
        info,
    })))
}

fn codec(format: &WavFormat) -> Codec {
    match format.coding {
        Coding::Pcm { sample_bytes } => Codec::PcmInteger {
            n_bits: 8 * sample_bytes as u8,
        },
        Coding::Float { sample_bytes } => Codec::PcmFloat {
            n_bits: 8 * sample_bytes as u8,
        },
        Coding::Law(law) => Codec::G711(law),
        Coding::MsAdpcm => Codec::MsAdpcm,
        Coding::ImaAdpcm => Codec::ImaAdpcm,
        Coding::Mp3 => Codec::Mp3,
    }
}

/// Frames in `data_bytes` of samples; for ADPCM not more than the header's `fact` says, since the
/// last block is filled up. A `fact` that leaves out more than that was not kept up to date.
fn n_frames(header: &WavHeader, data_bytes: u64) -> u64 {
    let format = &header.format;
    let block_bytes = format.block_bytes as u64;
    let whole = data_bytes / block_bytes * format.block_frames as u64;
    let n_channels = format.n_channels as u64;
    let rest = data_bytes % block_bytes;
    let partial = match format.coding {
        Coding::MsAdpcm => rest
            .checked_sub(7 * n_channels)
            .map(|body| 2 + 2 * body / n_channels),
        Coding::ImaAdpcm => rest
            .checked_sub(4 * n_channels)
            .map(|body| 1 + 8 * (body / (4 * n_channels))),
        _ => return whole,
    };
    let n_frames = whole + partial.unwrap_or(0);
    let is_believed = |stated: &u64| {
        let n_filled_up = n_frames.checked_sub(*stated);
        n_filled_up.is_some_and(|n_frames| n_frames < format.block_frames as u64)
    };
    header
        .n_frames_stated
        .filter(is_believed)
        .unwrap_or(n_frames)
}

impl FrameSource for WavReader {
    fn info(&self) -> &AudioInfo {
        &self.info
    }

    fn decode_more(&mut self, out: &mut AudioBlock) -> Result<More, AudioError> {
        let format = &self.header.format;
        let n_blocks = (STEP_FRAMES / format.block_frames).max(1);
        let n_wanted = self
            .n_bytes_left
            .min((n_blocks * format.block_bytes) as u64) as usize;
        self.bytes.resize(n_wanted, 0);
        let n_read = match self.source.read_full(&mut self.bytes) {
            Ok(n_read) => n_read,
            Err(error) => return Err(self.source.read_error(error)),
        };
        self.n_bytes_left -= n_read as u64;
        let n_before = out.n_frames();
        self.n_out_of_range += decode(format, &self.bytes[..n_read], out.planes_mut());
        self.trim(out, n_before);
        self.n_frames_read += (out.n_frames() - n_before) as u64;
        if n_read < n_wanted || self.n_bytes_left == 0 {
            return Ok(More::End);
        }
        Ok(More::Frames)
    }

    fn warnings(&self, found: &mut Vec<ReadWarning>) {
        let header = &self.header;
        match header.data_bytes_stated {
            Some(stated) if stated > header.data_bytes => found.push(ReadWarning::Truncated {
                n_frames_stated: Some(n_frames(header, stated)),
                n_frames_read: self.n_frames_read,
            }),
            Some(_) => {}
            None => found.push(ReadWarning::LengthNotStated),
        }
        if self.n_out_of_range > 0 {
            found.push(ReadWarning::OutOfRange {
                n_samples: self.n_out_of_range,
            });
        }
    }
}

impl WavReader {
    /// Takes off what fills the last block of ADPCM.
    fn trim(&self, out: &mut AudioBlock, n_before: usize) {
        let n_total = self.info.n_frames.unwrap_or(u64::MAX);
        let n_left = n_total.saturating_sub(self.n_frames_read);
        let n_kept = ((out.n_frames() - n_before) as u64).min(n_left) as usize;
        for plane in out.planes_mut() {
            plane.truncate(n_before + n_kept);
        }
    }
}

/// Appends the whole frames of `bytes`; returns how many samples had to be brought to range.
fn decode(format: &WavFormat, bytes: &[u8], planes: &mut [Vec<f32>]) -> u64 {
    match format.coding {
        Coding::Pcm { sample_bytes: 1 } => {
            deinterleave(bytes, planes, |[byte]: [u8; 1]| {
                (f32::from(byte) - 128.0) / 128.0
            });
        }
        Coding::Pcm { sample_bytes: 2 } => {
            deinterleave(bytes, planes, |sample| {
                f32::from(i16::from_le_bytes(sample)) / 32_768.0
            });
        }
        Coding::Pcm { sample_bytes: 3 } => {
            deinterleave(bytes, planes, |[low, middle, high]: [u8; 3]| {
                i32::from_le_bytes([0, low, middle, high]) as f32 / 2_147_483_648.0
            });
        }
        Coding::Pcm { .. } => {
            deinterleave(bytes, planes, |sample| {
                i32::from_le_bytes(sample) as f32 / 2_147_483_648.0
            });
        }
        Coding::Float { sample_bytes: 4 } => {
            return deinterleave_floats(bytes, planes, f32::from_le_bytes);
        }
        Coding::Float { .. } => {
            return deinterleave_floats(bytes, planes, |sample| f64::from_le_bytes(sample) as f32);
        }
        Coding::Law(law) => deinterleave(bytes, planes, |[code]: [u8; 1]| law.decode_unit(code)),
        Coding::MsAdpcm => bytes
            .chunks(format.block_bytes)
            .for_each(|block| adpcm::decode_ms_block(format, block, planes)),
        Coding::ImaAdpcm => bytes
            .chunks(format.block_bytes)
            .for_each(|block| adpcm::decode_ima_block(block, planes)),
        Coding::Mp3 => {}
    }
    0
}

fn deinterleave_floats<const N: usize>(
    bytes: &[u8],
    planes: &mut [Vec<f32>],
    convert: impl Fn([u8; N]) -> f32,
) -> u64 {
    let mut n_out_of_range = 0;
    deinterleave(bytes, planes, |sample| {
        let sample = convert(sample);
        if sample.abs() <= 1.0 {
            return sample;
        }
        n_out_of_range += 1;
        super::in_range(sample)
    });
    n_out_of_range
}

/// Appends whole frames of interleaved samples of `N` bytes.
fn deinterleave<const N: usize>(
    bytes: &[u8],
    planes: &mut [Vec<f32>],
    mut convert: impl FnMut([u8; N]) -> f32,
) {
    let (samples, _) = bytes.as_chunks::<N>();
    let n_channels = planes.len();
    let n_frames = samples.len() / n_channels;
    for (channel_idx, plane) in planes.iter_mut().enumerate() {
        let channel = samples.iter().skip(channel_idx).step_by(n_channels);
        plane.extend(channel.take(n_frames).map(|&sample| convert(sample)));
    }
}

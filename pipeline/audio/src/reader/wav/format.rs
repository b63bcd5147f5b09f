//! The `fmt ` chunk: how the samples of a WAVE file are coded.
//!
//! Format tags and structures: Microsoft's mmreg.h and "Multiple Channel Audio Data and WAVE Files".

use crate::error::{AudioError, Container};
use crate::g711::Law;
use crate::reader::source::{Source, header_error};
use crate::reader::{CHANNELS_LIMIT, RATES_HZ};

/// Coefficient pairs taken at most; an index is one byte.
const COEFFICIENTS_LIMIT: u16 = 256;

/// How samples are coded, from `fmt `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Little-endian integers, unsigned when of one byte.
    Pcm {
        sample_bytes: usize,
    },
    Float {
        sample_bytes: usize,
    },
    Law(Law),
    MsAdpcm,
    ImaAdpcm,
    /// A stream of MPEG frames instead of samples.
    Mp3,
}

/// A checked `fmt ` chunk.
#[derive(Clone, Debug)]
pub(super) struct WavFormat {
    pub(super) coding: Coding,
    pub(super) sample_rate_hz: u32,
    /// 1 to 32.
    pub(super) n_channels: usize,
    /// Bytes of one frame, or of one block of ADPCM; at least 1.
    pub(super) block_bytes: usize,
    /// Frames in a block of ADPCM, 1 for the others.
    pub(super) block_frames: usize,
    /// Coefficient pairs of Microsoft ADPCM, 8-bit fixed point.
    pub(super) coefficients: Vec<[i32; 2]>,
}

impl WavFormat {
    /// From the bytes of the chunk, 16 at least.
    pub(super) fn parse(source: &Source, bytes: &[u8]) -> Result<Self, AudioError> {
        let u16_at = |at| u16_at(bytes, at);
        let bad = |key, value: u64, expected| {
            Err(header_error(source, Container::Wav, key, value, expected))
        };
        // In the extensible format the tag proper begins the sub-format's identifier.
        let tag = match u16_at(0) {
            0xfffe => u16_at(24),
            tag => tag,
        };
        let n_channels = u16_at(2);
        if !CHANNELS_LIMIT.contains(&usize::from(n_channels)) {
            return bad("channels", n_channels.into(), "1 to 32");
        }
        let sample_rate_hz = u32::from(u16_at(4)) | (u32::from(u16_at(6)) << 16);
        if !RATES_HZ.contains(&sample_rate_hz) {
            return bad("sample rate", sample_rate_hz.into(), "1000 to 768000 Hz");
        }
        let mut format = Self {
            coding: Coding::Mp3,
            sample_rate_hz,
            n_channels: usize::from(n_channels),
            block_bytes: usize::from(u16_at(12)),
            block_frames: 1,
            coefficients: Vec::new(),
        };
        let n_bits = u16_at(14);
        let Some(coding) = coding(tag, n_bits, format.block_bytes, format.n_channels) else {
            return match tag {
                1 => bad("bits per sample", n_bits.into(), "8, 16, 24 or 32"),
                3 => bad("bits per sample", n_bits.into(), "32 or 64 for floats"),
                2 | 0x11 => bad("bits per sample", n_bits.into(), "4 for ADPCM"),
                tag => Err(AudioError::Codec {
                    name: source.name().to_owned(),
                    container: Container::Wav,
                    codec: codec_name(tag),
                }),
            };
        };
        format.coding = coding;
        if format.set_block(bytes).is_none() {
            return bad(
                "block size",
                u16_at(12).into(),
                "room for the state of each channel",
            );
        }
        Ok(format)
    }

    /// Sizes of blocks as the coding defines them; `None` when a block cannot hold its state.
    fn set_block(&mut self, bytes: &[u8]) -> Option<()> {
        let n_channels = self.n_channels;
        match self.coding {
            Coding::Pcm { sample_bytes } | Coding::Float { sample_bytes } => {
                self.block_bytes = sample_bytes * n_channels;
            }
            Coding::Law(_) => self.block_bytes = n_channels,
            Coding::Mp3 => self.block_bytes = 1,
            Coding::MsAdpcm => {
                // 7 bytes of state, with two samples, then two samples a byte.
                let n_body = self.block_bytes.checked_sub(7 * n_channels)?;
                self.block_frames = 2 + 2 * n_body / n_channels;
                let n_pairs = u16_at(bytes, 20).min(COEFFICIENTS_LIMIT);
                self.coefficients = (0..usize::from(n_pairs))
                    .map(|idx| [22 + 4 * idx, 24 + 4 * idx])
                    .map(|pair| pair.map(|at| i32::from(u16_at(bytes, at) as i16)))
                    .collect();
            }
            Coding::ImaAdpcm => {
                // 4 bytes of state, with one sample, then 4 bytes a channel for 8 frames.
                let n_body = self.block_bytes.checked_sub(4 * n_channels)?;
                self.block_frames = 1 + 8 * (n_body / (4 * n_channels));
            }
        }
        Some(())
    }
}

/// The coding behind a tag, where it is read and its sample size makes sense.
fn coding(tag: u16, n_bits: u16, block_bytes: usize, n_channels: usize) -> Option<Coding> {
    // A sample takes what the frame gives it: some writers state 12 bits and use 2 bytes.
    let by_bits = usize::from(n_bits).div_ceil(8);
    let by_frame = block_bytes / n_channels;
    let is_whole = by_frame * n_channels == block_bytes;
    let sample_bytes = if is_whole && by_frame >= by_bits {
        by_frame
    } else {
        by_bits
    };
    Some(match (tag, sample_bytes) {
        (1, 1..=4) => Coding::Pcm { sample_bytes },
        (3, 4 | 8) => Coding::Float { sample_bytes },
        (6, _) => Coding::Law(Law::A),
        (7, _) => Coding::Law(Law::Mu),
        (0x02, _) if n_bits == 4 => Coding::MsAdpcm,
        (0x11, _) if n_bits == 4 => Coding::ImaAdpcm,
        (0x55, _) => Coding::Mp3,
        _ => return None,
    })
}

/// Little-endian; 0 beyond the end.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..) {
        Some([low, high, ..]) => u16::from_le_bytes([*low, *high]),
        _ => 0,
    }
}

/// Names of the format tags met in call recordings (Microsoft's mmreg.h).
fn codec_name(tag: u16) -> String {
    let name = match tag {
        0x0031 => "GSM 6.10",
        0x0040 | 0x0045 | 0x0064 => "G.726",
        0x0042 => "G.723.1",
        0x0065 | 0x028f => "G.722",
        0x0083 | 0x0133 => "G.729",
        0x0022 => "TrueSpeech",
        0x0050 => "MPEG layer 2",
        0x00ff | 0x1600 | 0x1610 => "AAC",
        0x0160..=0x0163 => "Windows Media Audio",
        _ => return format!("0x{tag:04x}"),
    };
    format!("{name} (0x{tag:04x})")
}

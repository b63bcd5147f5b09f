//! Recordings to frames: one reader for all containers and codecs.
//!
//! The container is found by the file's first bytes, never by its name. Nothing is held but the
//! packet at hand: memory does not grow with length. What can be read of a damaged file is read;
//! [`AudioReader::warnings`] then says what is missing, and silence stands in for it, so that what
//! follows keeps its time.

mod check;
mod damage;
mod mp4_edit;
mod opus;
mod packets;
mod sniff;
mod source;
mod wav;

use std::fmt;
use std::path::Path;

use crate::block::{AudioBlock, MAX_BLOCK_FRAMES};
use crate::error::{AudioError, Container, ReadWarning};
use crate::g711::Law;
use crate::resample::RATES_HZ;
pub use check::{ReadOutcome, read_bytes};
pub use source::AudioSource;
use source::Source;

/// Channels a recording may have. More means a damaged header.
pub const CHANNELS_LIMIT: std::ops::RangeInclusive<usize> = 1..=32;

/// What a recording is, known before the first block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioInfo {
    /// File format around the sound.
    pub container: Container,
    /// How the sound is coded.
    pub codec: Codec,
    /// Frames a second as decoded. Opus, which has no rate of its own, is decoded at the lowest of
    /// 8, 12, 16, 24 and 48 kHz that is not below the rate it was made from.
    pub sample_rate_hz: u32,
    /// Channels, 1 to 32.
    pub n_channels: usize,
    /// Frames in all, as far as the header (or the size, where there is no packet structure)
    /// tells. A hint: only reading to the end gives the truth.
    pub n_frames: Option<u64>,
}

/// How sound is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Linear integers.
    PcmInteger {
        /// Bits of a sample.
        n_bits: u8,
    },
    /// Linear floating point.
    PcmFloat {
        /// Bits of a sample.
        n_bits: u8,
    },
    /// A-law or µ-law.
    G711(Law),
    /// Microsoft ADPCM.
    MsAdpcm,
    /// IMA (DVI) ADPCM.
    ImaAdpcm,
    /// MPEG layer III.
    Mp3,
    /// FLAC.
    Flac,
    /// AAC, low complexity.
    Aac,
    /// Apple Lossless.
    Alac,
    /// Vorbis.
    Vorbis,
    /// Opus.
    Opus,
}

impl fmt::Display for Codec {
    /// Short names in the manner of ffmpeg: `pcm_s16`, `mulaw`, `adpcm_ima`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::PcmInteger { n_bits: 8 } => "pcm_u8",
            Self::PcmInteger { n_bits } => return write!(out, "pcm_s{n_bits}"),
            Self::PcmFloat { n_bits } => return write!(out, "pcm_f{n_bits}"),
            Self::G711(Law::A) => "alaw",
            Self::G711(Law::Mu) => "mulaw",
            Self::MsAdpcm => "adpcm_ms",
            Self::ImaAdpcm => "adpcm_ima",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Aac => "aac",
            Self::Alac => "alac",
            Self::Vorbis => "vorbis",
            Self::Opus => "opus",
        })
    }
}

/// Whether a source has more to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    Frames,
    End,
}

/// One container being read; the common part is in [`AudioReader`].
trait FrameSource: Send {
    fn info(&self) -> &AudioInfo;
    /// Appends what the next packet gives, which may be nothing. `out` has the right channels.
    fn decode_more(&mut self, out: &mut AudioBlock) -> Result<More, AudioError>;
    /// Appends what is to be said so far.
    fn warnings(&self, found: &mut Vec<ReadWarning>);
}

/// A recording in the course of being read.
///
/// ```no_run
/// # fn main() -> Result<(), auricle_audio::AudioError> {
/// let mut reader = auricle_audio::AudioReader::open("call.wav")?;
/// let mut block = auricle_audio::AudioBlock::new();
/// while reader.next_block(&mut block)? > 0 {
///     let left = block.channel(0);
/// }
/// for warning in reader.warnings() {
///     eprintln!("{}: {warning}", reader.name());
/// }
/// # Ok(())
/// # }
/// ```
pub struct AudioReader {
    source: Box<dyn FrameSource>,
    name: String,
    /// Decoded and not yet given out, from `n_given` on.
    pending: AudioBlock,
    n_given: usize,
    more: More,
    n_frames_read: u64,
}

impl AudioReader {
    /// Opens a file and decodes as far as its first frames, so that a file which opens has sound.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AudioError> {
        Self::from_bytes(Source::open(path.as_ref())?)
    }

    /// The same from any seekable bytes; `name` is for messages only.
    pub fn from_source(
        source: impl AudioSource + 'static,
        name: impl Into<String>,
    ) -> Result<Self, AudioError> {
        Self::from_bytes(Source::new(Box::new(source), name.into())?)
    }

    fn from_bytes(source: Source) -> Result<Self, AudioError> {
        let name = source.name().to_owned();
        let source = open_source(source)?;
        let mut reader = Self {
            source,
            name,
            pending: AudioBlock::new(),
            n_given: 0,
            more: More::Frames,
            n_frames_read: 0,
        };
        if reader.fill_pending()? == 0 {
            return Err(AudioError::NoFrames {
                name: reader.name,
                container: reader.source.info().container,
            });
        }
        Ok(reader)
    }

    /// Rate, channels, codec.
    pub fn info(&self) -> &AudioInfo {
        self.source.info()
    }

    /// The file as it was named.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Frames given out so far.
    pub const fn n_frames_read(&self) -> u64 {
        self.n_frames_read
    }

    /// Replaces `out` by the next frames: [`MAX_BLOCK_FRAMES`] of them, fewer at the end only, none
    /// after it. Returns how many. Samples lie in [-1, 1] and are numbers.
    pub fn next_block(&mut self, out: &mut AudioBlock) -> Result<usize, AudioError> {
        out.reset(self.info().n_channels);
        while out.n_frames() < MAX_BLOCK_FRAMES {
            let n_waiting = self.pending.n_frames() - self.n_given;
            if n_waiting == 0 {
                if self.fill_pending()? == 0 {
                    break;
                }
                continue;
            }
            let n_taken = n_waiting.min(MAX_BLOCK_FRAMES - out.n_frames());
            out.append_range(&self.pending, self.n_given, n_taken);
            self.n_given += n_taken;
        }
        self.n_frames_read += out.n_frames() as u64;
        Ok(out.n_frames())
    }

    /// What is to be said of the recording as far as it was read; complete after the last block.
    pub fn warnings(&self) -> Vec<ReadWarning> {
        let mut found = Vec::new();
        self.source.warnings(&mut found);
        found
    }

    /// Decodes until there is a frame or the end.
    fn fill_pending(&mut self) -> Result<usize, AudioError> {
        self.pending.reset(self.source.info().n_channels);
        self.n_given = 0;
        while self.pending.is_empty() && self.more == More::Frames {
            self.more = self.source.decode_more(&mut self.pending)?;
        }
        Ok(self.pending.n_frames())
    }
}

fn open_source(mut source: Source) -> Result<Box<dyn FrameSource>, AudioError> {
    let container = sniff::sniff(&mut source)?;
    if container != Container::Wav {
        return packets::open(source, container);
    }
    match wav::open(source)? {
        wav::WavContent::Samples(reader) => Ok(reader),
        wav::WavContent::Mp3(source) => packets::open(source, container),
    }
}

/// A sample as the readers promise it.
fn in_range(sample: f32) -> f32 {
    if sample.is_nan() {
        0.0
    } else {
        sample.clamp(-1.0, 1.0)
    }
}

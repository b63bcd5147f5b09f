//! Why a recording cannot be read, and what to know of one that could.

use std::fmt;
use std::io;

use thiserror::Error;

/// A recording cannot be opened, or reading had to stop.
#[derive(Debug, Error)]
pub enum AudioError {
    /// The file cannot be opened.
    #[error(
        "cannot open `{name}`: {source}\nhint: check the path and the permissions of file and folder"
    )]
    Open {
        /// File as given.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// A folder, a device, a pipe.
    #[error(
        "`{name}` is no regular file\nhint: give a recording, or a folder where folders are taken"
    )]
    NotAFile {
        /// File as given.
        name: String,
    },
    /// Not a single byte.
    #[error(
        "`{name}` is empty (0 bytes)\nhint: the recorder or the copy was interrupted, fetch it again"
    )]
    Empty {
        /// File as given.
        name: String,
    },
    /// No known sound format.
    #[error(
        "`{name}` is no audio this program knows: it looks like {looks_like}\nhint: WAV, FLAC, MP3, M4A, AAC, AIFF, Ogg Vorbis and Ogg Opus are read"
    )]
    NotAudio {
        /// File as given.
        name: String,
        /// What the first bytes say.
        looks_like: &'static str,
    },
    /// A known container with something in it that is not read.
    #[error(
        "`{name}`: {container} with codec {codec} is not read\nhint: convert it first, for example `ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav`"
    )]
    Codec {
        /// File as given.
        name: String,
        /// Container.
        container: Container,
        /// Codec as the container names it.
        codec: String,
    },
    /// The header contradicts itself or states what cannot be.
    #[error(
        "`{name}`: {container} header is damaged: `{key}` is `{value}`, expected {expected}\nhint: the file was cut or overwritten, fetch it again"
    )]
    Header {
        /// File as given.
        name: String,
        /// Container.
        container: Container,
        /// Field of the header.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The container cannot be read as far as its first frame.
    #[error(
        "`{name}`: {container} is damaged: {cause}\nhint: the file was cut or overwritten, fetch it again"
    )]
    Damaged {
        /// File as given.
        name: String,
        /// Container.
        container: Container,
        /// What the demultiplexer or decoder says.
        cause: String,
    },
    /// Header, but no sound.
    #[error(
        "`{name}` holds no audio: {container} header without a single frame\nhint: the call was not answered, or the recorder stopped before it wrote"
    )]
    NoFrames {
        /// File as given.
        name: String,
        /// Container.
        container: Container,
    },
    /// The medium failed while reading.
    #[error("reading `{name}` failed: {source}\nhint: check the disk or the network share")]
    Read {
        /// File as given.
        name: String,
        /// What the system says.
        source: io::Error,
    },
}

/// The file format around the coded sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// RIFF WAVE, RF64 and BW64 included.
    Wav,
    /// Apple's AIFF and AIFF-C.
    Aiff,
    /// Native FLAC.
    Flac,
    /// A bare stream of MPEG audio frames.
    Mp3,
    /// A bare stream of AAC frames with ADTS headers.
    Adts,
    /// ISO base media: M4A, MP4.
    Mp4,
    /// Ogg.
    Ogg,
}

impl Container {
    /// Short name, as used in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wav => "WAV",
            Self::Aiff => "AIFF",
            Self::Flac => "FLAC",
            Self::Mp3 => "MP3",
            Self::Adts => "AAC",
            Self::Mp4 => "M4A",
            Self::Ogg => "Ogg",
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Something a reader of the result must know, though there is a result.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadWarning {
    /// The file ends before its header says so.
    Truncated {
        /// Frames the header states, where it does.
        n_frames_stated: Option<u64>,
        /// Frames read.
        n_frames_read: u64,
    },
    /// The header does not state the length (size 0 or all ones, as streaming recorders leave it);
    /// everything to the end of the file was read.
    LengthNotStated,
    /// Packets that could not be decoded; silence stands in their place.
    DamagedPackets {
        /// How many.
        n_packets: u64,
        /// Time of the first, seconds from the start.
        first_secs: f64,
    },
    /// Time that is missing in the file; silence stands in its place.
    Gap {
        /// Seconds missing, all gaps together.
        missing_secs: f64,
        /// Time of the first, seconds from the start.
        first_secs: f64,
    },
    /// Reading stopped at a stretch of another rate or number of channels.
    FormatChange {
        /// Where, seconds from the start.
        at_secs: f64,
    },
    /// Samples that are no numbers or beyond full scale, in floating point files; brought to range.
    OutOfRange {
        /// How many.
        n_samples: u64,
    },
}

impl fmt::Display for ReadWarning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated {
                n_frames_stated: Some(stated),
                n_frames_read,
            } => write!(
                out,
                "file is truncated: `{n_frames_read}` of `{stated}` frames read"
            ),
            Self::Truncated { n_frames_read, .. } => {
                write!(
                    out,
                    "file is truncated: it ends after `{n_frames_read}` frames"
                )
            }
            Self::LengthNotStated => {
                out.write_str("header does not state the length: read to the end of the file")
            }
            Self::DamagedPackets {
                n_packets,
                first_secs,
            } => write!(
                out,
                "`{n_packets}` damaged packets replaced by silence, the first at `{first_secs:.3}` s"
            ),
            Self::Gap {
                missing_secs,
                first_secs,
            } => write!(
                out,
                "`{missing_secs:.3}` s are missing and were replaced by silence, first at \
                 `{first_secs:.3}` s"
            ),
            Self::FormatChange { at_secs } => write!(
                out,
                "rate or channels change at `{at_secs:.3}` s: what follows was not read"
            ),
            Self::OutOfRange { n_samples } => {
                write!(
                    out,
                    "`{n_samples}` samples beyond full scale were brought to range"
                )
            }
        }
    }
}

//! Call recordings in, frames of one rate out: containers, G.711, resampling, channel survey, filter banks, voices.

mod block;
mod error;
mod fbank;
pub mod g711;
mod reader;
mod redact;
pub mod resample;
pub mod survey;
mod voice;
mod write;

pub use block::{AudioBlock, MAX_BLOCK_FRAMES};
pub use error::{AudioError, Container, ReadWarning};
pub use fbank::{FRAMES_PER_SEC, Fbank, FbankPlan, FbankSettings, N_BINS};
pub use reader::{
    AudioInfo, AudioReader, AudioSource, CHANNELS_LIMIT, Codec, ReadOutcome, read_bytes,
};
pub use redact::{FADE_MS, RedactError, Redacted, RedactedSpan, Silencer, redact};
pub use resample::{ResampleError, Resampler};
pub use survey::{ChannelRole, ChannelSurvey, Layout, Survey, SurveyReport, SurveyWarning};
pub use voice::{N_CEPSTRA, VOICE_RATE_HZ, VoiceBench, VoiceMeasures, VoiceMeter};
pub use write::{WavEncoding, WavWriter, WriteError};

//! What the rooms of Auricle say to each other: identifiers and the transcript of a call.
//!
//! Everything here is data. The JSON shape of [`Transcript`] is a public interface: other programs
//! read the files that `auricle analyze --out` writes, so fields are added and never renamed.

mod transcript;

pub use transcript::{
    CallId, CallMetadata, ChannelLayout, Party, Syllable, SyllableAlternative, Transcript,
    Utterance, Word,
};

//! From the recogniser's tokens to words: a lattice of syllables, searched with a language model.
//!
//! ```text
//! n-best tokens ─ slots ─▶ readings ─ merge ─▶ one row of slots ─ search ─▶ words
//! ```
//! A slot is one syllable's stretch of sound with every syllable it may have been; the words are
//! those whose syllables and whose order are likeliest together.

mod merge;
mod search;
mod slots;

pub use merge::merge;
pub use search::{LatticeSettings, LatticeWord, SyllableChoice, search};
pub use slots::{Slot, SlotKind, Sound, slots_of};

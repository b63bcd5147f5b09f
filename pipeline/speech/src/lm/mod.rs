//! Words: which there are, how they sound, and how likely one follows another.
//!
//! ```text
//! jieba's dictionary ─▶ Vocabulary ─▶ Lexicon   (syllables → words)
//!                          │
//! texts ─ count ─ smooth ─▶ NgramModel ─┐
//! ARPA files ─────────────▶ NgramModel ─┴▶ MixedModel   (state, word) → (log probability, state)
//! ```
//! [`LanguageData`] holds the three together; [`LanguageData::default_model`] builds them from what the
//! program carries with it, and [`LanguageData::open`] keeps them in one file that loads in milliseconds.

pub mod arpa;
mod by_word;
pub mod cache;
pub mod classes;
pub mod count;
mod customer;
pub mod data;
pub mod dictionary;
pub mod eval;
mod histories;
mod kept;
pub mod lexicon;
pub mod mixed;
pub mod ngram;
pub mod smooth;
pub mod texts;
#[cfg(test)]
mod viterbi;
pub mod vocabulary;

pub use customer::{CustomerWord, Piece, cut};
pub use data::{LanguageData, LanguageOptions};
pub use eval::{Evaluation, evaluate};
pub(crate) use histories::Histories;
pub use kept::Keeping;
pub use lexicon::{Lexicon, LexiconEntry, Node};
pub use mixed::{MixedModel, MixedState};
pub use ngram::{NgramModel, State};
pub use vocabulary::{SENTENCE_END, SENTENCE_START, UNKNOWN, Vocabulary, WordId};

/// A model that scores words one after the other.
///
/// Scoring does not allocate and takes well under a microsecond; all logarithms are natural.
pub trait LanguageModel {
    /// What the model remembers of the words so far; equal states score alike from here on.
    type State: Copy + Eq + std::hash::Hash + std::fmt::Debug;

    /// The state before the first word of a sentence.
    fn start(&self) -> Self::State;

    /// Log probability of `word` in `state`, and the state after it. Never fails: a word the model does
    /// not know gets the probability of an unknown one.
    fn score(&self, state: Self::State, word: WordId) -> (f32, Self::State);

    /// Log probability that the sentence ends in `state`.
    fn end(&self, state: Self::State) -> f32;
}

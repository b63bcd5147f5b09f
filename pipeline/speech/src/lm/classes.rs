//! A model over kinds of words: what it learnt of one verb serves every verb.

use super::ngram::{NgramModel, State};
use super::vocabulary::{MARKS, WordId};

/// An n-gram model over classes, times the word's share of its class: `P(w|h) = P(c(w)|c(h)) · P(w|c(w))`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassModel {
    /// Class of each word of the vocabulary, as a "word" of `ngram`; 0 for a word without class.
    pub(super) class_of: Vec<u16>,
    /// Natural logarithm of the word's share of its class.
    pub(super) log_share: Vec<f32>,
    /// The model over classes. Its words are the three marks, then the classes.
    pub(super) ngram: NgramModel,
}

impl ClassModel {
    /// Puts words with their class (from 3, after the marks) and weight together with a model over the classes.
    pub fn new(
        n_words: usize,
        words: impl Iterator<Item = (WordId, u16, f64)>,
        ngram: NgramModel,
    ) -> Self {
        let mut model = Self {
            class_of: vec![0; n_words],
            log_share: vec![f32::NEG_INFINITY; n_words],
            ngram,
        };
        let mut totals: Vec<f64> = Vec::new();
        let mut weights = vec![0.0; n_words];
        for (word, class, weight) in words {
            let (row, class_row) = (word as usize, usize::from(class));
            if row >= n_words || class_row < MARKS.len() || weight <= 0.0 {
                continue;
            }
            model.class_of[row] = class;
            weights[row] = weight;
            totals.resize(totals.len().max(class_row + 1), 0.0);
            totals[class_row] += weight;
        }
        for (row, &class) in model
            .class_of
            .iter()
            .enumerate()
            .filter(|(_, class)| **class != 0)
        {
            model.log_share[row] = (weights[row] / totals[usize::from(class)]).ln() as f32;
        }
        for mark in 0..MARKS.len().min(n_words) {
            model.class_of[mark] = mark as u16;
            model.log_share[mark] = 0.0;
        }
        model
    }

    /// The class of a word, 0 where it has none.
    pub fn class(&self, word: WordId) -> u16 {
        self.class_of.get(word as usize).copied().unwrap_or(0)
    }

    pub(super) fn score_known(&self, state: State, word: WordId) -> Option<(f32, State)> {
        let class = self.class(word);
        if class == 0 {
            return None;
        }
        let (log_prob, next) = self.ngram.score_known(state, WordId::from(class))?;
        Some((log_prob + self.log_share[word as usize], next))
    }

    pub(super) fn unigram_log_prob(&self, word: WordId) -> Option<f32> {
        let class = self.class(word);
        let log_prob = self
            .ngram
            .unigram_log_prob(WordId::from(class))
            .filter(|_| class != 0)?;
        Some(log_prob + self.log_share[word as usize])
    }

    pub(super) fn memory_bytes(&self) -> usize {
        6 * self.class_of.len() + self.ngram.memory_bytes()
    }
}

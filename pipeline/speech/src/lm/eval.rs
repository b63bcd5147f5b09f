//! How well a model foresees a text.

use super::vocabulary::{SENTENCE_END, UNKNOWN, Vocabulary, WordId};
use super::{LanguageModel, MixedModel};

/// What [`evaluate`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Sentences of the text.
    pub n_sentences: usize,
    /// Words, ends of sentences not counted.
    pub n_words: usize,
    /// Words that are not in the vocabulary; they are left out of the perplexity.
    pub n_unknown_words: usize,
    /// Hanzi of the known words.
    pub n_hanzi: usize,
    /// Sum of natural log probabilities, ends of sentences included.
    pub log_prob: f64,
}

impl Evaluation {
    /// Perplexity a word, ends of sentences counted as words.
    pub fn perplexity(&self) -> f64 {
        let events = self.n_words - self.n_unknown_words + self.n_sentences;
        (-self.log_prob / events.max(1) as f64).exp()
    }

    /// Perplexity a hanzi: comparable between vocabularies.
    pub fn hanzi_perplexity(&self) -> f64 {
        (-self.log_prob / (self.n_hanzi + self.n_sentences).max(1) as f64).exp()
    }

    /// Share of words the vocabulary does not have.
    pub fn unknown_ratio(&self) -> f64 {
        self.n_unknown_words as f64 / self.n_words.max(1) as f64
    }
}

/// Scores the sentences (as [`super::count::sentences`] cuts them) with `model`.
pub fn evaluate<M: LanguageModel>(
    model: &M,
    vocabulary: &Vocabulary,
    sentences: &[Vec<WordId>],
) -> Evaluation {
    let mut found = Evaluation::default();
    for sentence in sentences {
        let mut state = model.start();
        for &word in sentence {
            found.n_words += 1;
            if word == UNKNOWN {
                found.n_unknown_words += 1;
                continue;
            }
            let (log_prob, next) = model.score(state, word);
            found.log_prob += f64::from(log_prob);
            found.n_hanzi += vocabulary.word(word).chars().count();
            state = next;
        }
        found.log_prob += f64::from(model.end(state));
        found.n_sentences += 1;
    }
    found
}

/// The weights under which the mixture foresees the sentences best, found by expectation maximisation.
pub fn best_weights(model: &MixedModel, sentences: &[Vec<WordId>], n_rounds: usize) -> Vec<f32> {
    let n_components = model.weights().len();
    let events = component_probs(model, sentences);
    let mut weights = vec![1.0 / n_components.max(1) as f64; n_components];
    for _ in 0..n_rounds {
        let mut shares = vec![0.0; n_components];
        for event in events.chunks_exact(n_components.max(1)) {
            let total: f64 = event
                .iter()
                .zip(&weights)
                .map(|(prob, weight)| prob * weight)
                .sum();
            for (share, (prob, weight)) in shares.iter_mut().zip(event.iter().zip(&weights)) {
                *share += if total > 0.0 {
                    prob * weight / total
                } else {
                    0.0
                };
            }
        }
        let total: f64 = shares.iter().sum();
        weights = shares
            .iter()
            .map(|share| share / total.max(f64::MIN_POSITIVE))
            .collect();
    }
    weights.iter().map(|&weight| weight as f32).collect()
}

/// What each model gives each word, model by model.
fn component_probs(model: &MixedModel, sentences: &[Vec<WordId>]) -> Vec<f64> {
    let mut events = Vec::new();
    for sentence in sentences {
        let mut state = model.start();
        for &word in sentence
            .iter()
            .chain([&SENTENCE_END])
            .filter(|word| **word != UNKNOWN)
        {
            for at in 0..model.weights().len() {
                let log_prob = model.component_score(at, state, word);
                events.push(log_prob.map_or(0.0, |log_prob| f64::from(log_prob).exp()));
            }
            state = model.score(state, word).1;
        }
    }
    events
}

#[cfg(test)]
#[path = "eval_tests.rs"]
mod tests;

//! Counts → a back-off model: interpolated modified Kneser-Ney.
//!
//! Source: Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", 1998.

use std::collections::HashMap;

use super::ngram::{NgramBuilder, NgramModel};
use super::vocabulary::{SENTENCE_END, SENTENCE_START, UNKNOWN, WordId};

/// Highest order counted.
pub const MAX_COUNTED_ORDER: usize = 3;

/// Counts of the words, pairs and triples of sentences.
#[derive(Debug, Default)]
pub struct Counter {
    triples: HashMap<[WordId; 3], u32>,
    n_sentences: u64,
    n_words: u64,
}

impl Counter {
    /// Counts one sentence, `times` times. An [`UNKNOWN`] word parts the sentence in two without an end between.
    pub fn add(&mut self, sentence: &[WordId], times: u32) {
        let mut before = [UNKNOWN, SENTENCE_START];
        for &word in sentence.iter().chain([&SENTENCE_END]) {
            if word == UNKNOWN {
                before = [UNKNOWN; 2];
                continue;
            }
            *self
                .triples
                .entry([before[0], before[1], word])
                .or_default() += times;
            before = [before[1], word];
            self.n_words += 1;
        }
        self.n_sentences += 1;
    }

    /// Sentences counted.
    pub fn n_sentences(&self) -> u64 {
        self.n_sentences
    }

    /// Words counted, ends of sentences included.
    pub fn n_words(&self) -> u64 {
        self.n_words
    }

    /// The model of these counts of `order` 1 to 3, over a vocabulary of `n_words`.
    ///
    /// Every word's probability has a share of `base`, the distribution to fall back on below the unigrams:
    /// with it the model knows all words of `base`; without it those that were counted.
    pub fn smooth(&self, order: usize, n_words: usize, base: &[(WordId, f64)]) -> NgramModel {
        let order = order.clamp(1, MAX_COUNTED_ORDER);
        let levels: Vec<Level> = self.levels(order).into_iter().map(Level::new).collect();
        let mut builder = NgramBuilder::new(n_words, super::arpa::UNKNOWN_LOG_PROB);
        let mut below = Probs::new();
        for (index, level) in levels.iter().enumerate() {
            below = match index {
                0 => level.unigrams(base),
                _ => level.interpolated(&below),
            };
            for (ngram, &prob) in &below {
                let backoff = levels
                    .get(index + 1)
                    .map_or(0.0, |next| next.backoff(ngram));
                let log_prob = if ngram == &[SENTENCE_START] {
                    ZERO
                } else {
                    prob.ln() as f32
                };
                // Contexts come from the level below and doubles cannot be: nothing is refused.
                let _ = builder.add(ngram, log_prob, backoff);
            }
            let _ = builder.end_level();
        }
        builder.finish()
    }

    /// Counts of each order: those of the highest as they stand, of lower ones the number of words seen before.
    fn levels(&self, order: usize) -> Vec<Counts> {
        let mut levels = vec![Counts::new(); order];
        for (&[first, second, last], &count) in &self.triples {
            let known = match (first, second) {
                (UNKNOWN, UNKNOWN) => 1,
                (UNKNOWN, _) => 2,
                _ => 3,
            };
            let key = &[first, second, last][MAX_COUNTED_ORDER - known.min(order)..];
            *levels[key.len() - 1].entry(key.to_vec()).or_default() += count;
        }
        // Lower orders count in how many contexts an n-gram was seen. One that begins a sentence has no word
        // before it: its own count stands, as put there above.
        for high in (1..order).rev() {
            let shorter: Vec<Vec<WordId>> =
                levels[high].keys().map(|key| key[1..].to_vec()).collect();
            for key in shorter {
                *levels[high - 1].entry(key).or_default() += 1;
            }
        }
        levels
    }
}

/// N-grams of one order with their counts.
type Counts = HashMap<Vec<WordId>, u32>;
/// N-grams of one order with their probabilities.
type Probs = HashMap<Vec<WordId>, f64>;

/// N-grams of one order, and what their contexts have seen.
#[derive(Debug)]
struct Level {
    counts: Counts,
    contexts: HashMap<Vec<WordId>, Seen>,
    /// What is taken off counts of one, two, and three or more.
    discounts: [f64; 3],
}

/// Of one context: the sum of its counts, and how many n-grams were seen once, twice, more often.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    sum: f64,
    n_ngrams: [f64; 3],
}

/// For texts too small or too regular to estimate them.
const FALLBACK_DISCOUNTS: [f64; 3] = [0.6, 1.0, 1.4];
/// Logarithm of what cannot be: a sentence does not begin again.
const ZERO: f32 = -228.0;

impl Level {
    fn new(counts: Counts) -> Self {
        let mut contexts: HashMap<Vec<WordId>, Seen> = HashMap::new();
        for (ngram, &count) in &counts {
            let seen = contexts
                .entry(ngram[..ngram.len() - 1].to_vec())
                .or_default();
            seen.sum += f64::from(count);
            seen.n_ngrams[bucket(count)] += 1.0;
        }
        let discounts = discounts(&counts);
        Self {
            counts,
            contexts,
            discounts,
        }
    }

    /// Unigrams: counts, and what the discounts leave by `base`.
    fn unigrams(&self, base: &[(WordId, f64)]) -> Probs {
        let all = self.contexts.get(&[][..]).copied().unwrap_or_default();
        let rest = self.left_over(&all);
        let base_total: f64 = base.iter().map(|(_, weight)| weight).sum();
        let scale = if base.is_empty() {
            1.0 / (1.0 - rest).max(1e-6)
        } else {
            1.0
        };
        let mut probs = Probs::with_capacity(base.len());
        for &(word, weight) in base {
            *probs.entry(vec![word]).or_default() += rest * weight / base_total;
        }
        for (ngram, &count) in &self.counts {
            let own = scale * self.discounted(count) / all.sum.max(1.0);
            *probs.entry(ngram.clone()).or_default() += own.max(1e-12);
        }
        probs.entry(vec![SENTENCE_START]).or_insert(0.0);
        probs
    }

    /// Longer n-grams: counts, and what the discounts leave by the n-gram without its first word.
    fn interpolated(&self, below: &Probs) -> Probs {
        let mut probs = Probs::with_capacity(self.counts.len());
        for (ngram, &count) in &self.counts {
            let Some(seen) = self.contexts.get(&ngram[..ngram.len() - 1]) else {
                continue;
            };
            let shorter = below.get(&ngram[1..]).copied().unwrap_or_default();
            let own = self.discounted(count) / seen.sum;
            probs.insert(ngram.clone(), own + self.left_over(seen) * shorter);
        }
        probs
    }

    /// Logarithm of what a context leaves for the level below; 0 where the context has nothing on this level.
    fn backoff(&self, context: &[WordId]) -> f32 {
        self.contexts
            .get(context)
            .map_or(0.0, |seen| self.left_over(seen).ln() as f32)
    }

    fn discounted(&self, count: u32) -> f64 {
        (f64::from(count) - self.discounts[bucket(count)]).max(0.0)
    }

    /// All of it, where nothing was seen.
    fn left_over(&self, seen: &Seen) -> f64 {
        if seen.sum == 0.0 {
            return 1.0;
        }
        let taken: f64 = seen
            .n_ngrams
            .iter()
            .zip(self.discounts)
            .map(|(n, taken)| n * taken)
            .sum();
        (taken / seen.sum).clamp(1e-6, 1.0)
    }
}

fn bucket(count: u32) -> usize {
    (count.clamp(1, 3) - 1) as usize
}

/// The discounts of modified Kneser-Ney, from how many n-grams were seen once, twice, three and four times.
fn discounts(counts: &Counts) -> [f64; 3] {
    let mut seen = [0.0_f64; 4];
    for &count in counts.values().filter(|count| (1..=4).contains(*count)) {
        seen[(count - 1) as usize] += 1.0;
    }
    let mut kept = FALLBACK_DISCOUNTS;
    if seen[..3].contains(&0.0) {
        return kept;
    }
    let shrink = seen[0] / (seen[0] + 2.0 * seen[1]);
    for (at, discount) in kept.iter_mut().enumerate() {
        let count = (at + 1) as f64;
        let estimated = count - (count + 1.0) * shrink * seen[at + 1] / seen[at];
        if estimated > 0.05 && estimated < count {
            *discount = estimated;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lm::LanguageModel;

    const WORDS: [WordId; 4] = [3, 4, 5, 6];

    fn model(order: usize) -> NgramModel {
        let mut counter = Counter::default();
        for sentence in [
            &[3, 4, 5][..],
            &[3, 4],
            &[4, 5],
            &[5, 3, 4, 5],
            &[3, UNKNOWN, 5],
        ] {
            counter.add(sentence, 1);
        }
        let base: Vec<_> = WORDS
            .iter()
            .chain([&SENTENCE_END])
            .map(|&word| (word, 1.0))
            .collect();
        counter.smooth(order, 7, &base)
    }

    #[test]
    fn probabilities_sum_to_one_after_any_context() {
        for order in 1..=3 {
            let model = model(order);
            let mut states = vec![model.start(), model.no_context()];
            for first in WORDS {
                let after = model.score(model.start(), first).1;
                states.push(after);
                states.extend(WORDS.map(|second| model.score(after, second).1));
            }
            for state in states {
                let total: f32 = WORDS
                    .iter()
                    .map(|&word| model.score(state, word).0.exp())
                    .sum();
                let total = total + model.end(state).exp();
                assert!(
                    (total - 1.0).abs() < 1e-4,
                    "order {order} {state:?}: {total}"
                );
            }
        }
    }

    #[test]
    fn what_was_seen_is_likelier_than_what_was_not() {
        let model = model(3);
        let after_3 = model.score(model.start(), 3).1;
        assert!(model.score(after_3, 4).0 > model.score(after_3, 5).0 + 0.5);
        assert!(model.score(after_3, 6).0 > -20.0);
        assert_eq!(model.counts()[0], 6);
    }
}

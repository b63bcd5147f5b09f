//! Several models as one: the weighted sum of their probabilities.

use std::sync::Arc;

use thiserror::Error;

use super::LanguageModel;
use super::by_word::ByWord;
use super::classes::ClassModel;
use super::ngram::{NgramModel, State};
use super::vocabulary::{SENTENCE_END, Vocabulary, WordId};

/// Most models mixed: a [`MixedState`] has room for the states of so many.
pub const MAX_COMPONENTS: usize = 8;

/// A mixture has no room for another model.
#[derive(Debug, Error)]
#[error("the language model `{name}` is one more than the `{MAX_COMPONENTS}` that can be mixed")]
pub struct TooManyModels {
    name: String,
}

/// Longest word, in hanzi, that one model's words are put together to.
const MAX_PIECE_HANZI: usize = 8;

/// Linear interpolation of models over one vocabulary: `P(w|h) = Σ weight · P_i(w|h)`.
///
/// A model that does not have a word of the vocabulary scores it as the pieces it does have (银行卡 as 银行 卡),
/// so that a model of few words still has its say, and the context stays known to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MixedModel {
    pub(super) components: Vec<Component>,
    /// Log probability added to a word, by word; for customers' words.
    pub(super) bonus: ByWord<f32>,
}

/// One model of a mixture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) model: Arc<Scorer>,
    /// As given; relative to the others'.
    pub(super) weight: f32,
    /// Natural logarithm of the weight's share of all.
    pub(super) ln_weight: f32,
    pub(super) pieces: Arc<Pieces>,
    /// Those of words that were added: models that differ in these alone share the rest.
    own_pieces: ByWord<Vec<WordId>>,
}

/// What a mixture is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Scorer {
    /// Words after words.
    Ngram(NgramModel),
    /// Kinds of words after kinds of words.
    Class(ClassModel),
}

/// What a [`MixedModel`] remembers: the states of its models.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct MixedState([State; MAX_COMPONENTS]);

impl MixedState {
    pub(super) fn states(&self) -> &[State; MAX_COMPONENTS] {
        &self.0
    }
}

/// The pieces of words a model does not have, by word.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pieces {
    /// Where the pieces of each word begin; empty where the model needs none.
    pub(super) starts: Vec<u32>,
    pub(super) pieces: Vec<WordId>,
}

/// Log probability of a word that no model has, not even in pieces.
const UNKNOWN_LOG_PROB: f32 = -25.0;

impl Scorer {
    fn start(&self) -> State {
        match self {
            Self::Ngram(model) => model.start(),
            Self::Class(model) => model.ngram.start(),
        }
    }

    fn score_known(&self, state: State, word: WordId) -> Option<(f32, State)> {
        match self {
            Self::Ngram(model) => model.score_known(state, word),
            Self::Class(model) => model.score_known(state, word),
        }
    }

    fn unigram_log_prob(&self, word: WordId) -> Option<f32> {
        match self {
            Self::Ngram(model) => model.unigram_log_prob(word),
            Self::Class(model) => model.unigram_log_prob(word),
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Self::Ngram(model) => model.memory_bytes(),
            Self::Class(model) => model.memory_bytes(),
        }
    }
}

impl MixedModel {
    /// A mixture of nothing; every word is unknown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a model with a weight above 0; weights are relative.
    ///
    /// # Errors
    /// When [`MAX_COMPONENTS`] are there already.
    pub fn add(
        &mut self,
        name: &str,
        weight: f32,
        model: Scorer,
        vocabulary: &Vocabulary,
    ) -> Result<(), TooManyModels> {
        let name = name.to_owned();
        if self.components.len() == MAX_COMPONENTS {
            return Err(TooManyModels { name });
        }
        let pieces = Pieces::of(&model, vocabulary);
        self.components
            .push(Component::new(name, weight, model, pieces));
        self.share_weights();
        Ok(())
    }

    /// Names of the models, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.components
            .iter()
            .map(|component| component.name.as_str())
    }

    /// Weights of the models; they sum to 1.
    pub fn weights(&self) -> Vec<f32> {
        self.components
            .iter()
            .map(|component| component.ln_weight.exp())
            .collect()
    }

    /// Gives the models other relative weights, in order; a missing one counts as 0.
    pub fn set_weights(&mut self, weights: &[f32]) {
        for (at, component) in self.components.iter_mut().enumerate() {
            component.weight = weights.get(at).copied().unwrap_or(0.0);
        }
        self.share_weights();
    }

    fn share_weights(&mut self) {
        let total: f32 = self
            .components
            .iter()
            .map(|component| component.weight.max(0.0))
            .sum();
        for component in &mut self.components {
            let share = component.weight.max(0.0) / total.max(f32::MIN_POSITIVE);
            component.ln_weight = share.max(f32::MIN_POSITIVE).ln();
        }
    }

    /// Makes a word of the vocabulary known (by its pieces, where no model has it) and likelier by
    /// `bonus` (natural logarithm; 0 leaves it as it is).
    pub fn add_word(&mut self, vocabulary: &Vocabulary, word: WordId, bonus: f32) {
        for component in &mut self.components {
            if component.model.unigram_log_prob(word).is_none() && !component.pieces.knows(word) {
                let pieces = best_pieces(&component.model, vocabulary, vocabulary.word(word));
                component.own_pieces.insert(word, pieces);
            }
        }
        self.bonus.insert(word, bonus);
    }

    /// Has clones that are made from now on share the words that were added.
    pub(super) fn settle(&mut self) {
        self.bonus.settle();
        for component in &mut self.components {
            component.own_pieces.settle();
        }
    }

    /// Log probability of a word without context.
    pub fn unigram_log_prob(&self, word: WordId) -> f32 {
        self.score(MixedState::default(), word).0
    }

    /// Log probabilities of one model for each of the others' words; `None` where it does not have the word.
    pub(super) fn component_score(
        &self,
        at: usize,
        state: MixedState,
        word: WordId,
    ) -> Option<f32> {
        self.components[at]
            .score(state.0[at], word)
            .map(|(log_prob, _)| log_prob)
    }

    /// How many models it is of.
    pub(super) fn n_models(&self) -> usize {
        self.components.len()
    }

    /// One model's share in a word's probability, and its state after it.
    pub(super) fn share(&self, model: usize, state: State, word: WordId) -> Option<(f32, State)> {
        self.components[model].share(state, word)
    }

    /// What the models' shares are together.
    pub(super) fn mixed(
        &self,
        shares: impl Iterator<Item = Option<(f32, State)>>,
        word: WordId,
    ) -> (f32, MixedState) {
        let mut next = MixedState::default();
        let mut prob = 0.0_f32;
        for (share, own) in shares.zip(&mut next.0) {
            if let Some((share, state)) = share {
                prob += share;
                *own = state;
            }
        }
        let mut log_prob = if prob > 0.0 {
            prob.ln()
        } else {
            UNKNOWN_LOG_PROB
        };
        if let Some(bonus) = self.bonus.get(word) {
            log_prob = (log_prob + bonus).min(0.0);
        }
        (log_prob, next)
    }

    /// Heap memory it takes, about.
    pub fn memory_bytes(&self) -> usize {
        let of = |component: &Component| {
            let pieces = 4 * (component.pieces.starts.len() + component.pieces.pieces.len());
            pieces + component.model.memory_bytes()
        };
        self.components.iter().map(of).sum()
    }
}

impl LanguageModel for MixedModel {
    type State = MixedState;

    fn start(&self) -> MixedState {
        let mut state = MixedState::default();
        for (component, own) in self.components.iter().zip(&mut state.0) {
            *own = component.model.start();
        }
        state
    }

    fn score(&self, state: MixedState, word: WordId) -> (f32, MixedState) {
        let of_each = self.components.iter().zip(state.0);
        self.mixed(
            of_each.map(|(component, state)| component.share(state, word)),
            word,
        )
    }

    fn end(&self, state: MixedState) -> f32 {
        self.score(state, SENTENCE_END).0
    }
}

impl Component {
    pub(super) fn new(name: String, weight: f32, model: Scorer, pieces: Pieces) -> Self {
        Self {
            name,
            model: Arc::new(model),
            weight,
            ln_weight: 0.0,
            pieces: Arc::new(pieces),
            own_pieces: ByWord::default(),
        }
    }

    /// Those of customers' words, too.
    pub(super) fn all_pieces(&self) -> Pieces {
        let mut all = Pieces::clone(&self.pieces);
        for (word, pieces) in self.own_pieces.iter() {
            all.put(*word, pieces);
        }
        all
    }

    /// Its share in a word's probability.
    fn share(&self, state: State, word: WordId) -> Option<(f32, State)> {
        let (log_prob, next) = self.score(state, word)?;
        Some(((log_prob + self.ln_weight).exp(), next))
    }

    fn score(&self, state: State, word: WordId) -> Option<(f32, State)> {
        if let Some(scored) = self.model.score_known(state, word) {
            return Some(scored);
        }
        let pieces = match self.pieces.get(word) {
            [] => self.own_pieces.get(word).map_or(&[][..], Vec::as_slice),
            pieces => pieces,
        };
        if pieces.is_empty() {
            return None;
        }
        let mut total = 0.0;
        let mut state = state;
        for &piece in pieces {
            let (log_prob, next) = self.model.score_known(state, piece)?;
            total += log_prob;
            state = next;
        }
        Some((total, state))
    }
}

impl Pieces {
    fn of(model: &Scorer, vocabulary: &Vocabulary) -> Self {
        let mut pieces = Self::default();
        for (word, _) in vocabulary.iter() {
            if model.unigram_log_prob(word).is_none() {
                pieces.add(model, vocabulary, word);
            }
        }
        pieces
    }

    fn knows(&self, word: WordId) -> bool {
        (word as usize) + 1 < self.starts.len()
    }

    fn get(&self, word: WordId) -> &[WordId] {
        match self.starts.get(word as usize..word as usize + 2) {
            Some(&[from, to]) => &self.pieces[from as usize..to as usize],
            _ => &[],
        }
    }

    /// Words come in rising order; one that lies below an earlier one is left without pieces.
    fn add(&mut self, model: &Scorer, vocabulary: &Vocabulary, word: WordId) {
        if self.knows(word) {
            return;
        }
        self.put(word, &best_pieces(model, vocabulary, vocabulary.word(word)));
    }

    fn put(&mut self, word: WordId, pieces: &[WordId]) {
        self.starts
            .resize(word as usize + 1, self.pieces.len() as u32);
        self.pieces.extend_from_slice(pieces);
        self.starts.push(self.pieces.len() as u32);
    }
}

/// The likeliest way to put `word` together from shorter words the model has; empty if there is none.
fn best_pieces(model: &Scorer, vocabulary: &Vocabulary, word: &str) -> Vec<WordId> {
    let bounds: Vec<usize> = word
        .char_indices()
        .map(|(at, _)| at)
        .chain([word.len()])
        .collect();
    let count = bounds.len() - 1;
    // Best log probability up to each letter, and the piece that ends there.
    let mut best: Vec<(f32, WordId, usize)> = vec![(f32::NEG_INFINITY, 0, 0); count + 1];
    best[0].0 = 0.0;
    for to in 1..=count {
        for from in to.saturating_sub(MAX_PIECE_HANZI)..to {
            let Some(piece) = vocabulary.id(&word[bounds[from]..bounds[to]]) else {
                continue;
            };
            let Some(log_prob) = model.unigram_log_prob(piece) else {
                continue;
            };
            let total = best[from].0 + log_prob;
            if total > best[to].0 {
                best[to] = (total, piece, from);
            }
        }
    }
    let mut pieces = Vec::new();
    let mut at = count;
    while at > 0 && best[at].0 > f32::NEG_INFINITY {
        pieces.push(best[at].1);
        at = best[at].2;
    }
    if at > 0 {
        return Vec::new();
    }
    pieces.reverse();
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lm::arpa;

    const MODEL: &str = "\\data\\\nngram 1=5\nngram 2=2\n\n\\1-grams:\n-1 <s> -0.5\n-1 </s>\n-0.5 银行 -0.3\n\
        -0.7 卡 -0.1\n-1 号\n\n\\2-grams:\n-0.1 银行 卡\n-0.2 <s> 银行\n\n\\end\\\n";
    const OTHER: &str = "\\data\\\nngram 1=2\n\n\\1-grams:\n-0.3 银行卡\n-0.4 </s>\n\n\\end\\\n";

    fn mixture() -> (MixedModel, Vocabulary) {
        let mut vocabulary = Vocabulary::from_words(["银行卡", "卡号", "钱"]);
        let first = arpa::read(
            MODEL.as_bytes(),
            &mut vocabulary,
            arpa::ArpaLimits::default(),
        )
        .unwrap();
        let second = arpa::read(
            OTHER.as_bytes(),
            &mut vocabulary,
            arpa::ArpaLimits::default(),
        )
        .unwrap();
        let mut mixed = MixedModel::new();
        mixed
            .add("first", 3.0, Scorer::Ngram(first), &vocabulary)
            .unwrap();
        mixed
            .add("second", 1.0, Scorer::Ngram(second), &vocabulary)
            .unwrap();
        (mixed, vocabulary)
    }

    fn check(words: &[&str], expected: f32) {
        let (mixed, vocabulary) = mixture();
        let mut state = mixed.start();
        let mut last = 0.0;
        for word in words {
            (last, state) = mixed.score(state, vocabulary.id(word).unwrap());
        }
        assert!(
            (last.exp() - expected).abs() < 1e-5,
            "{words:?}: {}",
            last.exp()
        );
    }

    fn ten_to(exponent: f32) -> f32 {
        10_f32.powf(exponent)
    }

    #[test]
    fn probabilities_are_mixed_and_unknown_words_scored_by_their_pieces() {
        check(&["银行"], 0.75 * ten_to(-0.2));
        check(&["银行卡"], 0.75 * ten_to(-0.3) + 0.25 * ten_to(-0.3));
        check(&["卡号"], 0.75 * ten_to(-0.5 - 0.7 - 0.1 - 1.0));
        check(&["银行", "卡号"], 0.75 * ten_to(-0.1 - 0.1 - 1.0));
        check(&["钱"], UNKNOWN_LOG_PROB.exp());
    }

    #[test]
    fn a_customers_word_gets_its_bonus() {
        let (mut mixed, mut vocabulary) = mixture();
        let word = vocabulary.add("银行号");
        assert_eq!(mixed.score(mixed.start(), word).0, UNKNOWN_LOG_PROB);
        mixed.add_word(&vocabulary, word, 0.0);
        let plain = mixed.score(mixed.start(), word).0;
        assert!(plain > UNKNOWN_LOG_PROB);
        mixed.add_word(&vocabulary, word, 1.5);
        assert!((mixed.score(mixed.start(), word).0 - plain - 1.5).abs() < 1e-5);
    }

    #[test]
    fn an_empty_mixture_knows_nothing() {
        let mixed = MixedModel::new();
        assert_eq!(mixed.end(mixed.start()), UNKNOWN_LOG_PROB);
    }
}

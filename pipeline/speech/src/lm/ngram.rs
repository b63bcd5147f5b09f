//! A back-off n-gram model as a trie of sorted arrays whose contexts are the states of an automaton.

use std::fmt;

use super::LanguageModel;
use super::vocabulary::{SENTENCE_END, SENTENCE_START, UNKNOWN, WordId};

/// Highest order read or built.
pub const MAX_ORDER: usize = 5;

/// A back-off n-gram model of order 1 to [`MAX_ORDER`]; probabilities are natural logarithms.
///
/// Every n-gram is a node. Nodes lie level by level, each level sorted by context and word, so that the
/// words that may follow a context are one slice. A context knows its longest proper suffix (the context to
/// back off to) and every node the context in which the next word is looked up: scoring follows links and
/// never spells a context out.
#[derive(Clone, Debug, PartialEq)]
pub struct NgramModel {
    pub(super) order: usize,
    /// Nodes of each level end here; level 0 is the root alone.
    pub(super) level_ends: Vec<u32>,
    /// Unigram node of each word of the vocabulary, 0 where the model has none.
    pub(super) unigram_of: Vec<u32>,
    /// Word of each node.
    pub(super) word: Vec<u32>,
    /// Natural logarithm of the word's probability after its context.
    pub(super) log_prob: Vec<f32>,
    /// Context in which the word after this node is looked up.
    pub(super) target: Vec<u32>,
    /// Cost of leaving each context, natural logarithm; for nodes below the highest level.
    pub(super) backoff: Vec<f32>,
    /// Longest proper suffix of each context that is a node.
    pub(super) suffix: Vec<u32>,
    /// First node after each context; the next entry ends it.
    pub(super) children: Vec<u32>,
    /// Natural logarithm of the probability of a word without a unigram.
    pub(super) unknown_log_prob: f32,
}

/// What a model remembers of the words so far.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct State(pub(super) u32);

impl fmt::Debug for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "state {}", self.0)
    }
}

/// The empty context.
pub(super) const ROOT: u32 = 0;

impl NgramModel {
    /// Words of the longest n-gram.
    pub fn order(&self) -> usize {
        self.order
    }

    /// How many n-grams of each order it holds, unigrams first.
    pub fn counts(&self) -> Vec<usize> {
        self.level_ends
            .windows(2)
            .map(|ends| (ends[1] - ends[0]) as usize)
            .collect()
    }

    /// Whether the model has a unigram of this word.
    pub fn knows(&self, word: WordId) -> bool {
        self.unigram(word).is_some()
    }

    /// Natural logarithm of the word's probability without context.
    pub fn unigram_log_prob(&self, word: WordId) -> Option<f32> {
        self.unigram(word).map(|node| self.log_prob[node as usize])
    }

    /// Scores a word the model knows; `None`, at no cost worth naming, for one it does not.
    pub fn score_known(&self, state: State, word: WordId) -> Option<(f32, State)> {
        let unigram = self.unigram(word)?;
        let mut penalty = 0.0;
        let mut context = state.0;
        while context != ROOT {
            if let Some(node) = self.find(context, word) {
                let node = node as usize;
                return Some((penalty + self.log_prob[node], State(self.target[node])));
            }
            penalty += self.backoff[context as usize];
            context = self.suffix[context as usize];
        }
        let node = unigram as usize;
        Some((penalty + self.log_prob[node], State(self.target[node])))
    }

    /// Heap memory it takes.
    pub fn memory_bytes(&self) -> usize {
        4 * (self.unigram_of.len() + 3 * self.word.len() + 3 * self.backoff.len())
    }

    /// The state that remembers nothing.
    pub const fn no_context(&self) -> State {
        State(ROOT)
    }

    fn unigram(&self, word: WordId) -> Option<u32> {
        self.unigram_of
            .get(word as usize)
            .copied()
            .filter(|&node| node != 0)
    }

    /// The node of `word` after `context`.
    fn find(&self, context: u32, word: WordId) -> Option<u32> {
        let first = *self.children.get(context as usize)? as usize;
        let end = *self.children.get(context as usize + 1)? as usize;
        let row = self.word.get(first..end)?.binary_search(&word).ok()?;
        Some((first + row) as u32)
    }
}

impl LanguageModel for NgramModel {
    type State = State;

    fn start(&self) -> State {
        self.unigram(SENTENCE_START)
            .map_or(State(ROOT), |node| State(self.target[node as usize]))
    }

    fn score(&self, state: State, word: WordId) -> (f32, State) {
        self.score_known(state, word)
            .or_else(|| {
                self.score_known(state, UNKNOWN)
                    .map(|(log_prob, _)| (log_prob, State(ROOT)))
            })
            .unwrap_or((self.unknown_log_prob, State(ROOT)))
    }

    fn end(&self, state: State) -> f32 {
        self.score(state, SENTENCE_END).0
    }
}

/// Puts a model together level by level, lowest order first.
pub struct NgramBuilder {
    model: NgramModel,
    /// Nodes of the level being filled: context, word, log probability, back-off.
    level: Vec<(u32, WordId, f32, f32)>,
}

/// Why an n-gram or a level cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddError {
    /// The words before the last are no n-gram of the level below.
    ContextMissing,
    /// An n-gram of this level stands there twice: its last word.
    Twice(WordId),
    /// More nodes than a number of 32 bits counts, or a level above [`MAX_ORDER`].
    TooLarge,
}

impl NgramBuilder {
    /// A builder over a vocabulary of `n_words`; words without a unigram get `unknown_log_prob`.
    pub fn new(n_words: usize, unknown_log_prob: f32) -> Self {
        let model = NgramModel {
            order: 0,
            level_ends: vec![1],
            unigram_of: vec![0; n_words],
            word: vec![UNKNOWN],
            log_prob: vec![0.0],
            target: vec![ROOT],
            backoff: vec![0.0],
            suffix: vec![ROOT],
            children: vec![1],
            unknown_log_prob,
        };
        Self {
            model,
            level: Vec::new(),
        }
    }

    /// Adds an n-gram to the level being filled; `words` has the level's length, natural logarithms.
    pub fn add(&mut self, words: &[WordId], log_prob: f32, backoff: f32) -> Result<(), AddError> {
        let Some((&last, context)) = words.split_last() else {
            return Err(AddError::ContextMissing);
        };
        let context = self.context(context).ok_or(AddError::ContextMissing)?;
        self.level.push((context, last, log_prob, backoff));
        Ok(())
    }

    /// Ends the level: its n-grams become the contexts of the next.
    pub fn end_level(&mut self) -> Result<(), AddError> {
        let model = &mut self.model;
        if model.word.len() + self.level.len() >= u32::MAX as usize || model.order == MAX_ORDER {
            return Err(AddError::TooLarge);
        }
        self.level
            .sort_unstable_by_key(|&(context, word, ..)| (context, word));
        if let Some(pair) = self
            .level
            .windows(2)
            .find(|pair| same_ngram(&pair[0], &pair[1]))
        {
            return Err(AddError::Twice(pair[0].1));
        }
        let parents = level_range(model, model.order);
        model.order += 1;
        let first = model.word.len() as u32;
        let mut rows = self.level.iter().peekable();
        let mut next = first;
        model.children.truncate(parents.start as usize);
        for parent in parents {
            model.children.push(next);
            while rows.next_if(|row| row.0 == parent).is_some() {
                next += 1;
            }
        }
        model.children.push(next);
        for &(context, word, log_prob, backoff) in &self.level {
            if context == ROOT {
                let node = model.word.len() as u32;
                if let Some(unigram) = model.unigram_of.get_mut(word as usize) {
                    *unigram = node;
                }
            }
            model.word.push(word);
            model.log_prob.push(log_prob);
            model.backoff.push(backoff);
            model.suffix.push(ROOT);
        }
        link_suffixes(model, first, &self.level);
        model.level_ends.push(model.word.len() as u32);
        self.level.clear();
        Ok(())
    }

    /// The model; levels not ended are left out.
    pub fn finish(self) -> NgramModel {
        let mut model = self.model;
        link_targets(&mut model);
        // The highest level has no contexts: what was kept of it as such goes.
        let inner = level_range(&model, model.order).start.max(1) as usize;
        model.backoff.truncate(inner);
        model.suffix.truncate(inner);
        model.children.truncate(inner + 1);
        if model.order == 0 {
            model.children = vec![1, 1];
        }
        model
    }

    fn context(&self, words: &[WordId]) -> Option<u32> {
        let mut node = ROOT;
        for &word in words {
            node = if node == ROOT {
                self.model.unigram(word)?
            } else {
                self.model.find(node, word)?
            };
        }
        (words.len() == self.model.order).then_some(node)
    }
}

fn same_ngram(a: &(u32, WordId, f32, f32), b: &(u32, WordId, f32, f32)) -> bool {
    (a.0, a.1) == (b.0, b.1)
}

/// Nodes of a level.
fn level_range(model: &NgramModel, level: usize) -> std::ops::Range<u32> {
    let end = model.level_ends.get(level).copied().unwrap_or(0);
    let start = level
        .checked_sub(1)
        .map_or(0, |below| model.level_ends[below]);
    start..end
}

/// Finds the longest proper suffix of each node of the level that begins at `first`.
fn link_suffixes(model: &mut NgramModel, first: u32, level: &[(u32, WordId, f32, f32)]) {
    for (node, &(context, word, ..)) in (first..).zip(level) {
        if context == ROOT {
            continue;
        }
        let mut shorter = model.suffix[context as usize];
        let suffix = loop {
            if shorter == ROOT {
                break model.unigram(word).unwrap_or(ROOT);
            }
            if let Some(found) = model.find(shorter, word) {
                break found;
            }
            shorter = model.suffix[shorter as usize];
        };
        model.suffix[node as usize] = suffix;
    }
}

/// A node is its own context if something follows it or leaving it costs; otherwise its suffix's context serves.
fn link_targets(model: &mut NgramModel) {
    let highest = level_range(model, model.order);
    model.target = vec![ROOT; model.word.len()];
    for node in 1..model.word.len() as u32 {
        let at = node as usize;
        let inner = !highest.contains(&node);
        let useful =
            inner && (model.children[at] < model.children[at + 1] || model.backoff[at] != 0.0);
        model.target[at] = if useful {
            node
        } else {
            model.target[model.suffix[at] as usize]
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: WordId = 3;
    const B: WordId = 4;
    const C: WordId = 5;

    /// P(a)=0.5 (back-off 0.4), P(b)=0.3 (0.6), P(c)=0.2, P(b|a)=0.7 (0.9), P(c|b)=0.5, P(c|a b)=0.8.
    fn model() -> NgramModel {
        let mut builder = NgramBuilder::new(6, -20.0);
        builder.add(&[C], 0.2_f32.ln(), 0.0).unwrap();
        builder.add(&[A], 0.5_f32.ln(), 0.4_f32.ln()).unwrap();
        builder.add(&[B], 0.3_f32.ln(), 0.6_f32.ln()).unwrap();
        builder.end_level().unwrap();
        builder.add(&[B, C], 0.5_f32.ln(), 0.0).unwrap();
        builder.add(&[A, B], 0.7_f32.ln(), 0.9_f32.ln()).unwrap();
        builder.end_level().unwrap();
        builder.add(&[A, B, C], 0.8_f32.ln(), 0.0).unwrap();
        builder.end_level().unwrap();
        builder.finish()
    }

    fn check(words: &[WordId], expected: f32) {
        let model = model();
        let mut state = model.no_context();
        let mut last = 0.0;
        for &word in words {
            (last, state) = model.score(state, word);
        }
        assert!(
            (last.exp() - expected).abs() < 1e-5,
            "{words:?}: {}",
            last.exp()
        );
    }

    #[test]
    fn backs_off_as_the_arpa_format_says() {
        check(&[A], 0.5);
        check(&[A, B], 0.7);
        check(&[A, B, C], 0.8);
        check(&[B, C], 0.5);
        check(&[A, C], 0.4 * 0.2);
        check(&[A, A], 0.4 * 0.5);
        check(&[A, B, B], 0.9 * 0.6 * 0.3);
        check(&[A, B, A], 0.9 * 0.6 * 0.5);
        check(&[B, C, A], 0.5);
        check(&[A, B, C, C], 0.2);
    }

    #[test]
    fn an_unknown_word_forgets_the_context() {
        let model = model();
        let (log_prob, state) = model.score(State(1), 77);
        assert_eq!(log_prob, -20.0);
        assert_eq!(state, model.no_context());
        assert!(!model.knows(UNKNOWN));
    }

    #[test]
    fn states_that_cannot_differ_are_one() {
        let model = model();
        let after = |words: &[WordId]| {
            words.iter().fold(model.no_context(), |state, &word| {
                model.score(state, word).1
            })
        };
        assert_eq!(after(&[C]), after(&[B, C]));
        assert_eq!(after(&[A, C]), model.no_context());
        assert_ne!(after(&[A, B]), after(&[B]));
        assert_eq!(model.counts(), [3, 2, 1]);
    }

    #[test]
    fn refuses_doubles_and_missing_contexts() {
        let mut builder = NgramBuilder::new(6, -20.0);
        builder.add(&[A], -1.0, 0.0).unwrap();
        assert_eq!(
            builder.add(&[A, B], -1.0, 0.0),
            Err(AddError::ContextMissing)
        );
        builder.add(&[A], -1.0, 0.0).unwrap();
        assert_eq!(builder.end_level(), Err(AddError::Twice(A)));
    }

    #[test]
    fn an_empty_model_scores_everything_unknown() {
        let model = NgramBuilder::new(0, -9.0).finish();
        assert_eq!(model.score(model.start(), A), (-9.0, model.no_context()));
        assert_eq!(model.end(model.start()), -9.0);
    }
}

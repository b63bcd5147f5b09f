//! One word after many histories: each model scores it once for all histories that look the same to it.

use super::mixed::{MixedModel, MixedState};
use super::ngram::State;
use super::vocabulary::WordId;

/// Histories that words are scored after.
pub(crate) struct Histories<'m> {
    model: &'m MixedModel,
    /// Which of `seen` each history is to each model, history by history.
    places: Vec<usize>,
    /// Each model's states among the histories.
    seen: Vec<Seen>,
    word: WordId,
}

struct Seen {
    /// Of the mixture.
    model: usize,
    state: State,
    /// What the model gives for the word, once that was asked for.
    share: Option<Option<(f32, State)>>,
}

impl<'m> Histories<'m> {
    /// After `histories`, for a word that [`Self::follow_by`] names.
    pub(crate) fn new(model: &'m MixedModel, histories: impl Iterator<Item = MixedState>) -> Self {
        let mut seen: Vec<Seen> = Vec::new();
        let mut places = Vec::new();
        for history in histories {
            for (at, state) in history.states().iter().take(model.n_models()).enumerate() {
                let is_it = |one: &Seen| (one.model, one.state) == (at, *state);
                let place = seen.iter().position(is_it).unwrap_or_else(|| {
                    seen.push(Seen {
                        model: at,
                        state: *state,
                        share: None,
                    });
                    seen.len() - 1
                });
                places.push(place);
            }
        }
        Self {
            model,
            places,
            seen,
            word: WordId::default(),
        }
    }

    /// Another word.
    pub(crate) fn follow_by(&mut self, word: WordId) {
        self.word = word;
        for one in &mut self.seen {
            one.share = None;
        }
    }

    /// Natural logarithm of the word's probability after a history, and the history with it: what
    /// [`score`](super::LanguageModel::score) gives.
    pub(crate) fn score(&mut self, history: usize) -> (f32, MixedState) {
        let Self {
            model,
            places,
            seen,
            word,
        } = self;
        let n = model.n_models();
        let shares = places[history * n..][..n].iter().map(|place| {
            let one = &mut seen[*place];
            *one.share
                .get_or_insert_with(|| model.share(one.model, one.state, *word))
        });
        model.mixed(shares, *word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lm::{LanguageData, LanguageModel};

    #[test]
    fn words_score_as_one_by_one() {
        let data = LanguageData::default_model().unwrap();
        let id = |word: &str| data.vocabulary.id(word).unwrap();
        let words = ["保证", "收益", "银行", "卡", "的", "我们"].map(id);
        let start = data.model.start();
        let after = |state, word| data.model.score(state, word).1;
        let mut histories = vec![start, MixedState::default()];
        for first in words {
            histories.push(after(start, first));
            histories.extend(words.map(|second| after(after(start, first), second)));
        }
        let mut together = Histories::new(&data.model, histories.iter().copied());
        for word in words {
            together.follow_by(word);
            for (place, history) in histories.iter().enumerate() {
                assert_eq!(together.score(place), data.model.score(*history, word));
            }
        }
    }
}

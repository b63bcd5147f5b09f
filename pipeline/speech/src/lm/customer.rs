//! Customers' own words, and the cut of text that an engine wrote itself.

use std::sync::LazyLock;

use auricle_pinyin::Syllable;
use jieba_rs::Jieba;

use super::{LanguageData, WordId};

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// A word of a customer's own: its text, how it is read, and how much likelier it is (natural log).
pub struct CustomerWord<'a> {
    /// As it is written.
    pub text: &'a str,
    /// As it is said.
    pub syllables: &'a [Syllable],
    /// Added to the word's log probability.
    pub bonus: f32,
}

impl LanguageData {
    /// Makes words known, and likelier by their bonus.
    pub fn add_words(&mut self, words: &[CustomerWord<'_>]) {
        let mut added: Vec<(WordId, &[Syllable])> = Vec::with_capacity(words.len());
        for word in words {
            let known = self.vocabulary.id(word.text).is_some();
            let id = self.vocabulary.add(word.text);
            self.model.add_word(&self.vocabulary, id, word.bonus);
            if !known || !self.reads(id, word.syllables) {
                added.push((id, word.syllables));
            }
        }
        if !added.is_empty() {
            self.own = self.own.extended(added);
        }
    }

    fn reads(&self, word: WordId, syllables: &[Syllable]) -> bool {
        self.lexica().into_iter().any(|lexicon| {
            let walk = |node, syllable: &Syllable| lexicon.step(node, *syllable);
            let node = syllables.iter().try_fold(lexicon.root(), walk);
            let words = node.map_or(&[][..], |node| lexicon.words(node));
            words.iter().any(|entry| entry.word == word)
        })
    }
}

/// A stretch of text that an engine wrote: a token of its own, or a word made of some.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// What is written.
    pub text: String,
    /// Milliseconds from the call's start.
    pub start_ms: u64,
    /// Milliseconds from the call's start.
    pub end_ms: u64,
    /// Probability that it was said, 0 to 1.
    pub confidence: f32,
}

/// Cuts what an engine wrote into words, its punctuation left out. Times come from the pieces that a word is made
/// of, its confidence is their mean.
pub fn cut(pieces: &[Piece]) -> Vec<Piece> {
    let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let piece_at: Vec<usize> = pieces
        .iter()
        .enumerate()
        .flat_map(|(at, piece)| std::iter::repeat_n(at, piece.text.len()))
        .collect();
    let mut from = 0;
    let mut words = Vec::new();
    for token in JIEBA.cut(&text, false) {
        let to = from + token.word.len();
        if let (true, Some(&first), Some(&last)) = (
            token.word.chars().any(char::is_alphanumeric),
            piece_at.get(from),
            piece_at.get(to.saturating_sub(1)),
        ) {
            let own = &pieces[first..=last];
            let sum: f32 = own.iter().map(|piece| piece.confidence).sum();
            words.push(Piece {
                text: token.word.to_string(),
                start_ms: pieces[first].start_ms,
                end_ms: pieces[last].end_ms,
                confidence: sum / own.len() as f32,
            });
        }
        from = to;
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lm::Vocabulary;
    use crate::lm::{Lexicon, MixedModel};

    #[test]
    fn written_text_is_cut_and_keeps_its_times() {
        let piece = |text: &str, at: u64| Piece {
            text: text.into(),
            start_ms: at * 100,
            end_ms: at * 100 + 90,
            confidence: 1.0 - at as f32 / 10.0,
        };
        let pieces = [
            piece("保", 0),
            piece("证", 1),
            piece("收", 2),
            piece("益", 3),
            piece(" VIP", 4),
        ];
        let cut = cut(&pieces);
        assert!(
            (cut[0].confidence - 0.95).abs() < 1e-6,
            "the mean of its characters"
        );
        let words: Vec<(String, u64, u64)> = cut
            .into_iter()
            .map(|word| (word.text, word.start_ms, word.end_ms))
            .collect();
        assert_eq!(
            words,
            [
                ("保证".into(), 0, 190),
                ("收益".into(), 200, 390),
                ("VIP".into(), 400, 490)
            ]
        );
    }

    fn small() -> LanguageData {
        let vocabulary = Vocabulary::from_words(["安心"]);
        let lexicon = Lexicon::of_vocabulary(&vocabulary);
        LanguageData {
            vocabulary,
            model: MixedModel::new(),
            lexicon: lexicon.into(),
            settled: Arc::default(),
            own: Lexicon::default(),
        }
    }

    fn syllables(text: &str) -> Vec<Syllable> {
        let syllables = text.split(' ').map(|syllable| syllable.parse().unwrap());
        syllables.collect()
    }

    fn add(language: &mut LanguageData, text: &str, said: &str) {
        language.add_words(&[CustomerWord {
            text,
            syllables: &syllables(said),
            bonus: 1.0,
        }]);
    }

    fn knows(language: &LanguageData, text: &str, said: &str) -> bool {
        let word = language.vocabulary.id(text);
        word.is_some_and(|word| language.reads(word, &syllables(said)))
    }

    #[test]
    fn a_customers_word_is_known_afterwards() {
        let mut language = small();
        add(&mut language, "安心贷", "an1 xin1 dai4");
        assert!(knows(&language, "安心贷", "an1 xin1 dai4"));
    }

    #[test]
    fn clones_share_settled_words_and_keep_their_own_to_themselves() {
        let mut language = small();
        add(&mut language, "安心贷", "an1 xin1 dai4");
        language.settle();
        let mut of_call = language.clone();
        add(&mut of_call, "宝正", "bao3 zheng4");
        // One that is there already is not put beside itself.
        add(&mut of_call, "安心贷", "an1 xin1 dai4");
        assert!(Arc::ptr_eq(&of_call.settled, &language.settled));
        assert_eq!((language.own.n_entries(), of_call.own.n_entries()), (0, 1));
        for (text, said) in [("安心贷", "an1 xin1 dai4"), ("宝正", "bao3 zheng4")] {
            assert!(knows(&of_call, text, said), "{text}");
        }
        assert!(knows(&language, "安心贷", "an1 xin1 dai4"));
        assert!(!knows(&language, "宝正", "bao3 zheng4"));
    }
}

//! A customer's texts → an ARPA file of their own.

use std::path::PathBuf;

use jieba_rs::Jieba;

use super::count::{read_lines, sentences};
use super::data::BuildError;
use super::dictionary::Dictionary;
use super::ngram::NgramModel;
use super::smooth::Counter;
use super::vocabulary::Vocabulary;

/// What [`model_of_texts`] counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextReport {
    /// Sentences found in them.
    pub n_sentences: u64,
    /// Words counted, ends of sentences included.
    pub n_words: u64,
    /// N-grams of the model, by order.
    pub n_ngrams: Vec<usize>,
}

impl TextReport {
    /// Words of the dictionary among them.
    pub fn n_known_words(&self) -> u64 {
        self.n_words - self.n_sentences
    }
}

/// Counts texts (plain or gzip, one sentence a line) and smooths the counts to a model of `order` 1 to 3,
/// which [`super::arpa::write`] writes out.
///
/// Words are those of jieba's dictionary. The model knows the words that were counted and no others; mixed
/// with the default model it knows all.
pub fn model_of_texts(
    paths: &[PathBuf],
    order: usize,
) -> Result<(NgramModel, Vocabulary, TextReport), BuildError> {
    let dictionary = Dictionary::load();
    let vocabulary = Vocabulary::from_words(dictionary.hanzi_words().map(|entry| entry.word));
    let jieba = Jieba::new();
    let mut counter = Counter::default();
    for path in paths {
        let count = |line: &str| {
            for sentence in sentences(line, &jieba, &vocabulary) {
                counter.add(&sentence, 1);
            }
        };
        read_lines(path, count).map_err(|source| BuildError::Text {
            path: path.clone(),
            source,
        })?;
    }
    let model = counter.smooth(order, vocabulary.len(), &[]);
    let report = TextReport {
        n_sentences: counter.n_sentences(),
        n_words: counter.n_words(),
        n_ngrams: model.counts(),
    };
    Ok((model, vocabulary, report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lm::{LanguageModel, arpa};

    #[test]
    fn texts_become_an_arpa_file_that_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts.txt");
        std::fs::write(
            &path,
            "您好，请问是王先生吗？\n您好，请问是李女士吗？\n我是客服。\n",
        )
        .unwrap();
        let (model, vocabulary, report) = model_of_texts(&[path], 3).unwrap();
        assert_eq!(report.n_sentences, 3);
        assert!(report.n_known_words() >= 9, "{report:?}");
        let mut text = Vec::new();
        arpa::write(&model, &vocabulary, &mut text).unwrap();
        let mut words = Vocabulary::default();
        let again = arpa::read(&text[..], &mut words, arpa::ArpaLimits::default()).unwrap();
        assert_eq!(again.counts(), report.n_ngrams);
        let total: f32 = words
            .iter()
            .map(|(id, _)| again.score(again.start(), id).0.exp())
            .sum();
        let total = total + again.end(again.start()).exp();
        assert!((total - 1.0).abs() < 0.01, "{total}");
    }
}

//! Vocabulary, lexicon and model together, and how they are made.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jieba_rs::Jieba;
use thiserror::Error;

use super::arpa::{self, ArpaError};
use super::classes::ClassModel;
use super::count::{read_lines, sentences};
use super::dictionary::{Dictionary, own_corpus};
use super::lexicon::Lexicon;
use super::mixed::{MAX_COMPONENTS, MixedModel, Scorer, TooManyModels};
use super::smooth::Counter;
use super::vocabulary::{MARKS, SENTENCE_END, Vocabulary, WordId};

/// Everything that turns syllables into words.
#[derive(Clone, Debug)]
pub struct LanguageData {
    /// Words and their numbers.
    pub vocabulary: Vocabulary,
    /// How likely a word follows others.
    pub model: MixedModel,
    /// Which words sound so.
    pub lexicon: Arc<Lexicon>,
    /// The same for words that were added, customers' own; clones share it.
    pub settled: Arc<Lexicon>,
    /// The same for words that were added after [`Self::settle`].
    pub own: Lexicon,
}

/// What a language model is built from.
#[derive(Clone, Debug, Default)]
pub struct LanguageOptions {
    /// ARPA files (plain or gzip) to mix in, each with its relative weight; see [`LanguageOptions::weights`].
    pub arpa: Vec<(PathBuf, Option<f32>)>,
    /// Texts of the customer's own (plain or gzip, one sentence a line), counted with the project's.
    pub texts: Vec<PathBuf>,
    /// Relative weights of the built-in parts; the defaults where it is `None`.
    pub weights: Option<Weights>,
}

/// Relative weights of the parts of the default model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// jieba's word frequencies.
    pub words: f32,
    /// Words after words, from texts.
    pub texts: f32,
    /// Kinds of words after kinds of words, from texts.
    pub classes: f32,
    /// Each ARPA file without a weight of its own.
    pub arpa: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            words: 0.5,
            texts: 0.25,
            classes: 0.2,
            arpa: 0.4,
        }
    }
}

/// A language model cannot be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// A text cannot be read.
    #[error("cannot read the text `{}`: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// An ARPA file cannot be read.
    #[error("cannot read the language model `{}`: {source}", path.display())]
    Arpa {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: ArpaError,
    },
    /// More ARPA files than can be mixed.
    #[error(
        "`{n_files}` language models are named, at most `{MAX_ARPA_FILES}` can be mixed\nhint: count their texts together with `auricle lm build`"
    )]
    TooManyFiles {
        /// How many are named.
        n_files: usize,
    },
    /// The mixture is full.
    #[error(transparent)]
    TooMany(#[from] TooManyModels),
}

/// Parts of the model that the program carries with it: words, texts, classes.
const OWN_COMPONENTS: usize = 3;
/// ARPA files that fit beside them.
const MAX_ARPA_FILES: usize = MAX_COMPONENTS - OWN_COMPONENTS;
/// A word seen so often in the texts is a class of its own.
const OWN_CLASS_COUNT: u32 = 25;
/// Words a sentence has, for the probability of its end without context.
const SENTENCE_WORDS: f64 = 12.0;

impl LanguageData {
    /// All lexica: words are looked for in each.
    pub fn lexica(&self) -> [&Lexicon; 3] {
        [&self.lexicon, &self.settled, &self.own]
    }

    /// Has clones that are made from now on share the words that were added: they copy only those that come after. Takes
    /// about as long as adding them.
    pub fn settle(&mut self) {
        self.vocabulary.settle();
        self.model.settle();
        let own = std::mem::take(&mut self.own);
        self.settled = Arc::new(self.settled.with(&own));
    }

    /// The model of what the program carries with it: jieba's frequencies and the project's own texts.
    pub fn default_model() -> Result<Self, BuildError> {
        Self::build(&LanguageOptions::default(), |_| ())
    }

    /// Builds a model; `progress` is told what is being done.
    pub fn build(
        options: &LanguageOptions,
        mut progress: impl FnMut(&str),
    ) -> Result<Self, BuildError> {
        let n_files = options.arpa.len();
        if n_files > MAX_ARPA_FILES {
            return Err(BuildError::TooManyFiles { n_files });
        }
        let weights = options.weights.unwrap_or_default();
        progress("words");
        let dictionary = Dictionary::load();
        let mut vocabulary =
            Vocabulary::from_words(dictionary.hanzi_words().map(|entry| entry.word));
        let mut from_files = Vec::new();
        for (path, weight) in &options.arpa {
            progress("language models");
            let model =
                arpa::read_file(path, &mut vocabulary).map_err(|source| BuildError::Arpa {
                    path: path.clone(),
                    source,
                })?;
            from_files.push((path, weight.unwrap_or(weights.arpa), model));
        }
        progress("texts");
        let texts = all_texts(&options.texts, &vocabulary)?;
        progress("models");
        let mut model = MixedModel::new();
        let base = frequencies(&dictionary, &vocabulary);
        let unigrams = Counter::default().smooth(1, vocabulary.len(), &base);
        model.add("words", weights.words, Scorer::Ngram(unigrams), &vocabulary)?;
        let mut counter = Counter::default();
        texts.iter().for_each(|sentence| counter.add(sentence, 1));
        let trigrams = counter.smooth(3, vocabulary.len(), &base);
        model.add("texts", weights.texts, Scorer::Ngram(trigrams), &vocabulary)?;
        let classes = class_model(&dictionary, &vocabulary, &texts, &base);
        model.add(
            "classes",
            weights.classes,
            Scorer::Class(classes),
            &vocabulary,
        )?;
        for (path, weight, from_file) in from_files {
            let name = path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            model.add(&name, weight, Scorer::Ngram(from_file), &vocabulary)?;
        }
        progress("lexicon");
        let lexicon = Lexicon::of_vocabulary(&vocabulary);
        // Those of language models.
        vocabulary.settle();
        Ok(Self {
            vocabulary,
            model,
            lexicon: Arc::new(lexicon),
            settled: Arc::default(),
            own: Lexicon::default(),
        })
    }
}

fn all_texts(paths: &[PathBuf], vocabulary: &Vocabulary) -> Result<Vec<Vec<WordId>>, BuildError> {
    let jieba = Jieba::new();
    let own = own_corpus();
    let mut texts: Vec<Vec<WordId>> = own
        .lines()
        .flat_map(|line| sentences(line, &jieba, vocabulary))
        .collect();
    for path in paths {
        read_lines(path, |line| {
            texts.extend(sentences(line, &jieba, vocabulary))
        })
        .map_err(|source| BuildError::Text {
            path: path.clone(),
            source,
        })?;
    }
    Ok(texts)
}

/// jieba's counts as the distribution to fall back on, with the end of the sentence.
fn frequencies(dictionary: &Dictionary, vocabulary: &Vocabulary) -> Vec<(WordId, f64)> {
    let mut base: Vec<(WordId, f64)> = dictionary
        .hanzi_words()
        .filter_map(|entry| Some((vocabulary.id(entry.word)?, entry.frequency as f64)))
        .collect();
    let total: f64 = base.iter().map(|(_, weight)| weight).sum();
    base.push((SENTENCE_END, total / SENTENCE_WORDS));
    base
}

/// Frequent words are classes of their own; the others go by part of speech and length.
fn class_model(
    dictionary: &Dictionary,
    vocabulary: &Vocabulary,
    texts: &[Vec<WordId>],
    base: &[(WordId, f64)],
) -> ClassModel {
    let mut counts = vec![0_u32; vocabulary.len()];
    texts
        .iter()
        .flatten()
        .for_each(|&word| counts[word as usize] += 1);
    let mut names: HashMap<String, u16> = HashMap::new();
    let mut class_of = vec![0_u16; vocabulary.len()];
    let mut tags = vec![""; vocabulary.len()];
    for entry in dictionary.hanzi_words() {
        if let Some(id) = vocabulary.id(entry.word) {
            tags[id as usize] = entry.tag;
        }
    }
    for (id, word) in vocabulary.iter() {
        let row = id as usize;
        let name = if counts[row] >= OWN_CLASS_COUNT {
            word.to_owned()
        } else {
            format!("{}{}", tags[row], word.chars().count().min(4))
        };
        let next = (MARKS.len() + names.len()) as u16;
        class_of[row] = *names.entry(name).or_insert(next);
    }
    let mut counter = Counter::default();
    for sentence in texts {
        let classes: Vec<WordId> = sentence
            .iter()
            .map(|&word| WordId::from(class_of[word as usize]))
            .collect();
        counter.add(&classes, 1);
    }
    let n_classes = MARKS.len() + names.len();
    let mut class_base = vec![0.0; n_classes];
    for &(word, weight) in base {
        class_base[usize::from(class_of[word as usize])] += weight;
    }
    class_base[SENTENCE_END as usize] = class_base.iter().sum::<f64>() / SENTENCE_WORDS;
    let class_base: Vec<(WordId, f64)> = class_base
        .into_iter()
        .enumerate()
        .filter(|&(row, weight)| row >= SENTENCE_END as usize && weight > 0.0)
        .map(|(row, weight)| (row as WordId, weight))
        .collect();
    let ngram = counter.smooth(3, n_classes, &class_base);
    let words = base
        .iter()
        .filter(|(word, _)| *word != SENTENCE_END)
        .map(|&(word, weight)| {
            (
                word,
                class_of[word as usize],
                weight + f64::from(counts[word as usize]),
            )
        });
    ClassModel::new(vocabulary.len(), words, ngram)
}

#[cfg(test)]
mod tests {
    use auricle_pinyin::Syllable;

    use super::*;
    use crate::lm::viterbi::words_of;

    fn check(data: &LanguageData, syllables: &str, expected: &str) {
        let syllables: Vec<Syllable> = syllables
            .split(' ')
            .map(|text| text.parse().unwrap())
            .collect();
        let words = words_of(data, &syllables, 1.0).unwrap();
        let text: Vec<&str> = words
            .iter()
            .map(|&word| data.vocabulary.word(word))
            .collect();
        assert_eq!(text.concat(), expected);
    }

    #[test]
    fn what_the_program_carries_reads_calls() {
        let data = LanguageData::default_model().unwrap();
        check(
            &data,
            "nin2 hao3 qing3 wen4 shi4 wang2 xian1 sheng1 ma5",
            "您好请问是王先生吗",
        );
        check(
            &data,
            "ni3 men5 de5 li4 lv4 shi4 duo1 shao3",
            "你们的利率是多少",
        );
        check(
            &data,
            "wo3 xian4 zai4 bu4 fang1 bian4 jie1 dian4 hua4",
            "我现在不方便接电话",
        );
        check(&data, "wo3 yao4 tou2 su4 ni3", "我要投诉你");
        assert!(data.lexicon.n_nodes() < 1_000_000);
        let bytes = data.vocabulary.memory_bytes()
            + data.model.memory_bytes()
            + data.lexicon.memory_bytes();
        assert!(bytes < 64 << 20, "{bytes}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let options = LanguageOptions {
            arpa: vec![("nowhere/model.arpa".into(), None)],
            ..LanguageOptions::default()
        };
        let error = LanguageData::build(&options, |_| ()).unwrap_err();
        assert!(error.to_string().contains("nowhere/model.arpa"), "{error}");
    }

    #[test]
    fn several_arpa_files_are_mixed_and_too_many_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let arpa = |n_files: usize| LanguageOptions {
            arpa: (0..n_files)
                .map(|at| (folder.path().join(format!("{at}.arpa")), None))
                .collect(),
            ..LanguageOptions::default()
        };
        let two = arpa(2);
        let text = "\\data\\\nngram 1=2\n\n\\1-grams:\n-0.3 银行卡\n-0.4 </s>\n\n\\end\\\n";
        for (path, _) in &two.arpa {
            std::fs::write(path, text).unwrap();
        }
        let data = LanguageData::build(&two, |_| ()).unwrap();
        let names: Vec<&str> = data.model.names().collect();
        assert_eq!(names, ["words", "texts", "classes", "0.arpa", "1.arpa"]);
        let error = LanguageData::build(&arpa(6), |_| ()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`6` language models are named"),
            "{error}"
        );
    }
}

//! How like a few examples an utterance is, with no exact words needed.

use auricle_contracts::Party;
use rustc_hash::FxHashMap;

use super::features::{Sink, extract_content};
use super::language::Language;
use super::rows::utterance_of;
use crate::Spoken;

/// Examples of what is meant and of what is not, as vectors of letters, sounds and word classes.
///
/// Rare features count more (inverse document frequency over the text of the language's default intent model).
/// Scoring takes some microseconds for a handful of examples.
#[derive(Clone, Debug)]
pub struct Similarity {
    language: Language,
    /// For each feature, the examples that have it and how much of it.
    index: FxHashMap<u64, Vec<(u32, f32)>>,
    /// The sum of squares of each example.
    squares: Vec<f32>,
    /// The first so many are meant, the others are not.
    n_meant: usize,
}

impl Similarity {
    /// Of texts that are meant, and of texts that look like them and are not.
    pub fn new(examples: &[String], counter_examples: &[String], language: Language) -> Self {
        let mut similarity = Self {
            language,
            index: FxHashMap::default(),
            squares: Vec::new(),
            n_meant: examples.len(),
        };
        for text in examples.iter().chain(counter_examples) {
            similarity.add(text);
        }
        similarity
    }

    fn add(&mut self, text: &str) {
        let example = self.squares.len() as u32;
        let utterance = utterance_of(Party::Unknown, text);
        let vector = vector(&Spoken::new(&utterance, 0), self.language);
        self.squares.push(sum_of_squares(&vector));
        for (bucket, amount) in vector {
            let row = self.index.entry(u64::from(bucket)).or_default();
            row.push((example, amount));
        }
    }

    /// 0 (nothing in common, or liker to what is not meant) to 1 (an example itself); from about 0.6 on the
    /// same is likely to be meant in other words.
    pub fn score(&self, spoken: &Spoken<'_>) -> f32 {
        let vector = vector(spoken, self.language);
        let own = sum_of_squares(&vector);
        let mut shared = vec![0.0f32; self.squares.len()];
        for (bucket, amount) in vector {
            for &(example, other) in self.index.get(&u64::from(bucket)).into_iter().flatten() {
                shared[example as usize] += amount * other;
            }
        }
        let alike = shared.iter().zip(&self.squares);
        let mut alike = alike.map(|(shared, squares)| likeness(*shared, own, *squares));
        let meant = alike.by_ref().take(self.n_meant).fold(0.0, f32::max);
        let other = alike.fold(0.0, f32::max);
        meant * preference(meant, other)
    }
}

/// Between the cosine and the share of the example that is there: a long utterance may hold an example.
fn likeness(shared: f32, own: f32, example: f32) -> f32 {
    if shared <= 0.0 || own <= 0.0 || example <= 0.0 {
        return 0.0;
    }
    let cosine = shared / (own * example).sqrt();
    let held = (shared / example).min(1.0);
    stretched((cosine * held).sqrt().min(1.0))
}

/// Other words for the same share about a fifth of their weight; this puts them at 0.6.
fn stretched(likeness: f32) -> f32 {
    likeness.cbrt()
}

/// 1 where what is meant is clearly liker, 0 where what is not is.
fn preference(meant: f32, other: f32) -> f32 {
    if meant <= 0.0 {
        return 0.0;
    }
    let margin = (meant - other) / meant.max(other);
    ((margin + 0.05) / 0.15).clamp(0.0, 1.0)
}

fn sum_of_squares(vector: &[(u32, f32)]) -> f32 {
    vector.iter().map(|(_, amount)| amount * amount).sum()
}

/// Features by rising bucket, each once, weighted by rarity.
fn vector(spoken: &Spoken<'_>, language: Language) -> Vec<(u32, f32)> {
    let model = language.model();
    let mut features = Features(Vec::new());
    extract_content(spoken, &model.classes, &mut features);
    let mut vector = features.0;
    vector.sort_by_key(|(bucket, _)| *bucket);
    vector.dedup_by(|(bucket, amount), (kept, kept_amount)| {
        let is_same = bucket == kept;
        if is_same {
            *kept_amount = kept_amount.max(*amount);
        }
        is_same
    });
    for (bucket, amount) in &mut vector {
        *amount *= model.rarity.of(*bucket);
    }
    vector
}

struct Features(Vec<(u32, f32)>);

impl Sink for Features {
    fn take(&mut self, bucket: u32, amount: f32) {
        self.0.push((bucket, amount));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    fn score(similarity: &Similarity, text: &str) -> f32 {
        let utterance = utterance_of(Party::Agent, text);
        similarity.score(&Spoken::new(&utterance, 0))
    }

    #[test]
    fn other_words_for_the_same_are_alike() {
        let examples = texts(&["本金和收益我都能保证", "肯定赚钱，亏了我赔"]);
        let counter_examples = texts(&["收益是不能保证的", "谁也不敢保证不亏"]);
        let similarity = Similarity::new(&examples, &counter_examples, Language::Mandarin);
        assert!((score(&similarity, &examples[0]) - 1.0).abs() < 1e-3);
        for (alike, other) in [
            ("本钱跟利息我都给您担保", "利息每个月十五号结一次"),
            ("绝对赚，赔了算我的", "您这笔款还没有到账"),
            ("本金合收义我都能饱证", "收益不能保证"),
            (
                "您听我说啊，这个肯定赚钱，亏了我赔您",
                "这个谁都不敢保证不亏",
            ),
        ] {
            let (alike, other) = (score(&similarity, alike), score(&similarity, other));
            assert!(alike > 0.5 && other < 0.45, "{alike} {other}");
        }
    }

    #[test]
    fn english_words_may_be_others_too() {
        let examples = texts(&["let me speak to your manager", "I want a supervisor"]);
        let counter_examples = texts(&["my manager told me to call", "I don't need a supervisor"]);
        let similarity = Similarity::new(&examples, &counter_examples, Language::English);
        assert!((score(&similarity, &examples[0]) - 1.0).abs() < 1e-3);
        for (alike, other) in [
            (
                "I'd like to talk to a supervisor please",
                "I'd like to talk about my bill",
            ),
            (
                "can I speak with your team leader",
                "my manager asked me to ring you",
            ),
        ] {
            let (alike, other) = (score(&similarity, alike), score(&similarity, other));
            assert!(alike > 0.5 && other < 0.45, "{alike} {other}");
        }
    }

    #[test]
    fn nothing_is_like_nothing() {
        let none = Similarity::new(&[], &texts(&["好的"]), Language::Mandarin);
        assert!(score(&none, "好的") < 1e-6);
        let one = Similarity::new(&texts(&["好的", ""]), &[], Language::Mandarin);
        assert!(score(&one, "……") < 1e-6);
        assert!(score(&one, "hello there") < 1e-6);
    }
}

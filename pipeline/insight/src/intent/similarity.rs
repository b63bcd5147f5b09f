//! How like an utterance is to examples, by its letters and by its sounds.

use std::collections::HashMap;

use auricle_contracts::{Party, Utterance};

use crate::Spoken;

/// Likeness to examples and away from counter-examples.
#[derive(Clone, Debug)]
pub struct Similarity {
    examples: Vec<Vector>,
    counter_examples: Vec<Vector>,
}

/// Pieces of a text with their weights; the squares of the weights sum to 1.
type Vector = HashMap<String, f32>;

impl Similarity {
    /// Takes the examples in. Texts without letters are like nothing.
    pub fn new(examples: &[String], counter_examples: &[String]) -> Self {
        let vectors = |texts: &[String]| texts.iter().map(|text| of_text(text)).collect();
        Self {
            examples: vectors(examples),
            counter_examples: vectors(counter_examples),
        }
    }

    /// 0 (nothing alike) to 1 (the same as an example): the cosine to the nearest example; half of it
    /// where a counter-example is nearer.
    pub fn score(&self, spoken: &Spoken<'_>) -> f32 {
        let heard = of_spoken(spoken);
        let nearest = |vectors: &[Vector]| {
            let each = vectors.iter().map(|vector| cosine(vector, &heard));
            each.fold(0.0, f32::max)
        };
        let (like, unlike) = (nearest(&self.examples), nearest(&self.counter_examples));
        if unlike > like { like / 2.0 } else { like }
    }
}

fn of_text(text: &str) -> Vector {
    let utterance = Utterance {
        party: Party::Unknown,
        channel: 0,
        start_ms: 0,
        end_ms: 0,
        text: text.to_owned(),
        spoken: text.to_owned(),
        confidence: 1.0,
        syllables: Vec::new(),
        words: Vec::new(),
        voice: None,
    };
    of_spoken(&Spoken::new(&utterance, 0))
}

/// Letters and pairs of letters; toneless syllables and pairs of those.
fn of_spoken(spoken: &Spoken<'_>) -> Vector {
    let letters = spoken
        .letters
        .iter()
        .map(|letter| letter.letter.to_string());
    let sounds = spoken
        .letters
        .iter()
        .map(|letter| match letter.sounds.first() {
            Some((syllable, _)) => format!("{} ", syllable.base()),
            None => format!("{} ", letter.letter),
        });
    let mut vector = Vector::new();
    for pieces in [letters.collect::<Vec<_>>(), sounds.collect()] {
        for pair in pieces.windows(2) {
            *vector.entry(pair.concat()).or_default() += 1.0;
        }
        for piece in pieces {
            *vector.entry(piece).or_default() += 0.5;
        }
    }
    let norm = vector
        .values()
        .map(|weight| weight * weight)
        .sum::<f32>()
        .sqrt();
    vector.values_mut().for_each(|weight| *weight /= norm);
    vector
}

fn cosine(one: &Vector, other: &Vector) -> f32 {
    let common = one
        .iter()
        .filter_map(|(piece, weight)| Some(weight * other.get(piece)?));
    common.sum::<f32>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::utterance;

    #[test]
    fn likeness_is_by_letters_and_sounds() {
        let examples = ["这个钱放我们这里一定不会亏".to_owned()];
        let similarity = Similarity::new(&examples, &["会不会亏我不能保证".to_owned()]);
        let score = |text: &str| {
            let said = utterance(Party::Agent, 0, text);
            similarity.score(&Spoken::new(&said, 0))
        };
        assert!(score("这个钱放我们这里一定不会亏") > 0.99);
        assert!(score("钱放在我们这里肯定不会亏") > 0.6);
        assert!(score("前放我们这里一定不会亏") > 0.6, "by sound");
        assert!(score("会不会亏我不能跟您保证") < 0.4);
        assert!(score("今天天气怎么样") < 0.1);
        assert_eq!(score(""), 0.0);
    }
}

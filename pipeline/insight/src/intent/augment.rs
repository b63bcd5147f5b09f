//! Text as a recogniser would have heard it.

use std::collections::HashMap;

use auricle_pinyin::{Syllable, distance, readings};

use super::language::Language;
use super::random::Chance;
use super::words::skeleton;

/// How a text is spoilt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spoiling {
    /// Share of hanzi that become others of the same sound, or of words that become others of the same consonants.
    pub(super) homophone_ratio: f32,
    /// Share of hanzi that become others of a sound nearby.
    pub(super) near_ratio: f32,
    /// Share of hanzi or words that are lost.
    pub(super) drop_ratio: f32,
}

/// Spoils texts of one language with what else stands in its corpus.
pub(super) enum Corpus {
    Hanzi(Hanzi),
    Words(Words),
}

impl Corpus {
    pub(super) fn of<'a>(language: Language, texts: impl Iterator<Item = &'a str>) -> Self {
        match language {
            Language::Mandarin => Self::Hanzi(Hanzi::of(texts)),
            Language::English => Self::Words(Words::of(texts)),
        }
    }

    /// `text` without punctuation and with `spoiling` done to it.
    pub(super) fn spoil(&self, text: &str, spoiling: Spoiling, chance: &mut Chance) -> String {
        match self {
            Self::Hanzi(hanzi) => hanzi.spoil(text, spoiling, chance),
            Self::Words(words) => words.spoil(text, spoiling, chance),
        }
    }
}

/// Farthest sounds that are heard for one another.
const FARTHEST: f32 = 0.45;

/// The hanzi of a corpus, by sound.
pub(super) struct Hanzi {
    by_sound: Vec<Vec<char>>,
    /// Sounds near each sound, itself left out.
    near: HashMap<usize, Vec<usize>>,
}

impl Hanzi {
    fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut by_sound = vec![Vec::new(); Syllable::COUNT];
        let mut letters: Vec<char> = texts.flat_map(str::chars).collect();
        letters.sort_unstable();
        letters.dedup();
        for letter in letters {
            if let Some(reading) = readings(letter).first() {
                by_sound[reading.syllable.toneless().index()].push(letter);
            }
        }
        let sounds: Vec<Syllable> = (0..Syllable::COUNT)
            .filter(|&sound| !by_sound[sound].is_empty())
            .filter_map(Syllable::from_index)
            .collect();
        let near = sounds.iter().map(|&sound| {
            let others = sounds
                .iter()
                .filter(|&&other| other != sound && distance(sound, other) <= FARTHEST);
            (sound.index(), others.map(|other| other.index()).collect())
        });
        let near = near.collect();
        Self { by_sound, near }
    }

    fn spoil(&self, text: &str, spoiling: Spoiling, chance: &mut Chance) -> String {
        let mut spoilt = String::with_capacity(text.len());
        for letter in text.chars() {
            let Some(reading) = readings(letter).first() else {
                let is_said = letter.is_alphanumeric();
                spoilt.push(if is_said { letter } else { ' ' });
                continue;
            };
            let sound = reading.syllable.toneless().index();
            let mut share = chance.share();
            if share < spoiling.drop_ratio {
                continue;
            }
            share -= spoiling.drop_ratio;
            let heard = if share < spoiling.homophone_ratio {
                self.one_of(sound, chance)
            } else if share < spoiling.homophone_ratio + spoiling.near_ratio {
                let near = self.near.get(&sound).map_or(&[][..], Vec::as_slice);
                let other = near.get(chance.below(near.len())).copied();
                other.and_then(|other| self.one_of(other, chance))
            } else {
                None
            };
            spoilt.push(heard.unwrap_or(letter));
        }
        spoilt
    }

    fn one_of(&self, sound: usize, chance: &mut Chance) -> Option<char> {
        let letters = &self.by_sound[sound];
        letters.get(chance.below(letters.len())).copied()
    }
}

/// The words of a corpus, by their consonants.
pub(super) struct Words(HashMap<String, Vec<String>>);

/// Shorter words are heard for too many others.
const LEAST_LETTERS: usize = 3;

impl Words {
    fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut words: Vec<String> = texts.flat_map(plain_words).collect();
        words.sort_unstable();
        words.dedup();
        let mut by_bones: HashMap<String, Vec<String>> = HashMap::new();
        for word in words {
            if word.len() >= LEAST_LETTERS && !denies(&word) {
                by_bones.entry(skeleton(&word)).or_default().push(word);
            }
        }
        Self(by_bones)
    }

    /// What denies stays: without it another thing is said.
    fn spoil(&self, text: &str, spoiling: Spoiling, chance: &mut Chance) -> String {
        let mut spoilt = Vec::new();
        for word in plain_words(text) {
            let share = chance.share();
            if denies(&word) {
                spoilt.push(word);
            } else if share >= spoiling.drop_ratio {
                let is_misheard = share - spoiling.drop_ratio < spoiling.homophone_ratio;
                let alike = self.0.get(&skeleton(&word)).filter(|_| is_misheard);
                let alike = alike.and_then(|alike| alike.get(chance.below(alike.len())));
                spoilt.push(alike.cloned().unwrap_or(word));
            }
        }
        spoilt.join(" ")
    }
}

/// Words in lower case, with the apostrophes inside them.
fn plain_words(text: &str) -> impl Iterator<Item = String> + '_ {
    let is_said = |letter: char| letter.is_alphanumeric() || matches!(letter, '\'' | '’');
    let words = text.split(move |letter| !is_said(letter));
    let words = words.map(|word| word.trim_matches(['\'', '’']).to_lowercase());
    words.filter(|word| !word.is_empty())
}

fn denies(word: &str) -> bool {
    matches!(
        word,
        "not" | "no" | "never" | "cannot" | "nobody" | "nothing" | "none"
    ) || word.ends_with("n't")
        || word.ends_with("n’t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misheard_words_come_out_of_the_corpus_and_denials_stay() {
        let corpus = Corpus::of(
            Language::English,
            ["they won't sell it on sale", "Never call, please"].into_iter(),
        );
        let spoiling = Spoiling {
            homophone_ratio: 0.5,
            near_ratio: 0.0,
            drop_ratio: 0.3,
        };
        let mut chance = Chance::new(3);
        let spoilt: Vec<String> = (0..20)
            .map(|_| corpus.spoil("We won't sell, never!", spoiling, &mut chance))
            .collect();
        assert!(
            spoilt
                .iter()
                .all(|text| text.contains("won't") && text.ends_with("never"))
        );
        let has = |word: &str| {
            spoilt
                .iter()
                .any(|text| text.split(' ').any(|one| one == word))
        };
        assert!(has("sale") && has("sell"), "{spoilt:?}");
        assert!(
            spoilt.iter().any(|text| text == "we won't never"),
            "{spoilt:?}"
        );
    }
}

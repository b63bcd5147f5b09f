//! Text as a recogniser would have heard it.

use std::collections::HashMap;

use auricle_pinyin::{Syllable, distance, readings};

use super::random::Chance;

/// How a text is spoilt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spoiling {
    /// Share of hanzi that become others of the same sound.
    pub(super) homophone_ratio: f32,
    /// Share of hanzi that become others of a sound nearby.
    pub(super) near_ratio: f32,
    /// Share of hanzi that are lost.
    pub(super) drop_ratio: f32,
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
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
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

    /// `text` without punctuation and with `spoiling` done to its hanzi.
    pub(super) fn spoil(&self, text: &str, spoiling: Spoiling, chance: &mut Chance) -> String {
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

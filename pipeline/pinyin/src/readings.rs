//! How a single hanzi may be read.

use std::sync::LazyLock;

use pinyin::ToPinyinMulti;

use crate::Syllable;

/// One reading of a hanzi.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The syllable, with its tone.
    pub syllable: Syllable,
    /// How often the hanzi is read so; the readings of one hanzi sum to 1.
    pub prob: f32,
}

/// All readings of `hanzi`, likeliest first; empty for anything that is no hanzi.
///
/// The readings come from Unihan (crate `pinyin`). That order is a dictionary's and holds archaic
/// readings, so `data/priors.txt` weighs the heteronyms of everyday text; of the others the first takes
/// almost everything.
pub fn readings(hanzi: char) -> &'static [Reading] {
    TABLE.get(hanzi)
}

/// A text of one or more hanzi and nothing else.
pub fn is_hanzi_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| !readings(letter).is_empty())
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

/// Weights of everyday readings; the file's head describes its format.
const PRIORS: &str = include_str!("../data/priors.txt");

/// What the first reading takes where nothing better is known.
const FIRST_READING_PROB: f32 = 0.96;
/// Further readings kept of a hanzi without a line in the priors.
const MAX_UNWEIGHTED: usize = 4;

/// The ideographic zero, then the blocks with readings: CJK, its extensions, compatibility forms.
const BLOCKS: [(u32, u32); 4] = [
    (0x3007, 0x3007),
    (0x3400, 0x9fff),
    (0xf900, 0xfaff),
    (0x20000, 0x323af),
];

/// Readings of all hanzi, one after the other, found by code point.
struct Table {
    /// Sorted code points.
    hanzi: Vec<char>,
    /// Where the readings of `hanzi[i]` begin; one more at the end.
    starts: Vec<u32>,
    readings: Vec<Reading>,
    /// Row of each code point of the main block, plus one; 0 where there is none.
    main_block: Vec<u32>,
}

const MAIN_BLOCK: u32 = 0x4e00;
const MAIN_BLOCK_END: u32 = 0xa000;

impl Table {
    fn build() -> Self {
        let priors = parse_priors(PRIORS);
        let mut table = Self {
            hanzi: Vec::new(),
            starts: vec![0],
            readings: Vec::new(),
            main_block: vec![0; (MAIN_BLOCK_END - MAIN_BLOCK) as usize],
        };
        for hanzi in BLOCKS
            .iter()
            .flat_map(|&(from, to)| from..=to)
            .filter_map(char::from_u32)
        {
            let own = match priors.binary_search_by_key(&hanzi, |(key, _)| *key) {
                Ok(row) => priors[row].1.clone(),
                Err(_) => unweighted(hanzi),
            };
            table.push(hanzi, &own);
        }
        table
    }

    fn push(&mut self, hanzi: char, own: &[Reading]) {
        if own.is_empty() {
            return;
        }
        self.hanzi.push(hanzi);
        self.readings.extend_from_slice(own);
        self.starts.push(self.readings.len() as u32);
        let code = u32::from(hanzi);
        if (MAIN_BLOCK..MAIN_BLOCK_END).contains(&code) {
            self.main_block[(code - MAIN_BLOCK) as usize] = self.hanzi.len() as u32;
        }
    }

    fn get(&self, hanzi: char) -> &[Reading] {
        let code = u32::from(hanzi);
        let row = if (MAIN_BLOCK..MAIN_BLOCK_END).contains(&code) {
            (self.main_block[(code - MAIN_BLOCK) as usize] as usize).checked_sub(1)
        } else {
            self.hanzi.binary_search(&hanzi).ok()
        };
        row.map_or(&[], |row| {
            &self.readings[self.starts[row] as usize..self.starts[row + 1] as usize]
        })
    }
}

/// Unihan's readings in their order, the first with almost all of the mass.
fn unweighted(hanzi: char) -> Vec<Reading> {
    let Some(multi) = hanzi.to_pinyin_multi() else {
        return Vec::new();
    };
    let mut own: Vec<Reading> = Vec::new();
    for spelled in multi.into_iter().map(pinyin::Pinyin::with_tone_num_end) {
        let Some(syllable) = parse_toned(spelled) else {
            continue;
        };
        if own.iter().all(|reading| reading.syllable != syllable) && own.len() < MAX_UNWEIGHTED {
            own.push(Reading {
                syllable,
                prob: 0.0,
            });
        }
    }
    let others = own.len().saturating_sub(1);
    for (rank, reading) in own.iter_mut().enumerate() {
        reading.prob = match (rank, others) {
            (0, 0) => 1.0,
            (0, _) => FIRST_READING_PROB,
            _ => (1.0 - FIRST_READING_PROB) / others as f32,
        };
    }
    own
}

/// A spelling without a number is the neutral tone in this crate's data.
fn parse_toned(spelled: &str) -> Option<Syllable> {
    let syllable: Syllable = spelled.parse().ok()?;
    Some(if syllable.tone() == 0 {
        syllable.with_tone(5)
    } else {
        syllable
    })
}

/// Lines of the priors, by hanzi, likeliest reading first, probabilities that sum to 1.
fn parse_priors(text: &str) -> Vec<(char, Vec<Reading>)> {
    let mut priors: Vec<(char, Vec<Reading>)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let hanzi = fields.next()?.chars().next()?;
            Some((hanzi, weighted(fields)))
        })
        .collect();
    priors.sort_by_key(|(hanzi, _)| *hanzi);
    priors
}

fn weighted<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<Reading> {
    let mut own: Vec<Reading> = fields
        .filter_map(|field| {
            let (spelled, weight) = field.split_once(':')?;
            Some(Reading {
                syllable: parse_toned(spelled)?,
                prob: weight.parse().ok()?,
            })
        })
        .collect();
    let total: f32 = own.iter().map(|reading| reading.prob).sum();
    own.iter_mut().for_each(|reading| reading.prob /= total);
    own.sort_by(|a, b| b.prob.total_cmp(&a.prob));
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hanzi: char, expected: &str) {
        let spelled: Vec<String> = readings(hanzi)
            .iter()
            .map(|reading| reading.syllable.to_string())
            .collect();
        assert_eq!(spelled.join(" "), expected, "{hanzi}");
    }

    #[test]
    fn everyday_readings_come_first_and_archaic_ones_are_dropped() {
        check('行', "xing2 hang2");
        check('长', "chang2 zhang3");
        check('保', "bao3");
        check('的', "de5 di4 di2");
        check('女', "nv3 nv4 ru3");
        check('〇', "ling2 yuan2 xing1");
        check('a', "");
        check('。', "");
        check('🙂', "");
    }

    #[test]
    fn probabilities_sum_to_one_and_fall() {
        for hanzi in ('\u{3400}'..'\u{a000}').chain('\u{20000}'..'\u{20100}') {
            let own = readings(hanzi);
            assert!(own.is_sorted_by(|a, b| a.prob >= b.prob), "{hanzi}");
            let total: f32 = own.iter().map(|reading| reading.prob).sum();
            assert!(
                own.is_empty() || (total - 1.0).abs() < 1e-4,
                "{hanzi} {total}"
            );
        }
    }

    #[test]
    fn every_line_of_the_priors_is_used_whole() {
        for line in PRIORS
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let mut fields = line.split_whitespace();
            let key = fields.next().unwrap();
            assert_eq!(key.chars().count(), 1, "{line}");
            let hanzi = key.chars().next().unwrap();
            assert_eq!(readings(hanzi).len(), fields.count(), "{line}");
        }
        let priors = parse_priors(PRIORS);
        assert!(
            priors.is_sorted_by(|a, b| a.0 < b.0),
            "a hanzi has two lines"
        );
    }
}

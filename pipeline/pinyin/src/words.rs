//! How a word is read: its hanzi's readings, settled by the words that stand in it.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{Reading, Syllable, readings};

/// Readings of one word, as syllables with their probability; see [`word_readings`].
pub type WordReadings = Vec<(Vec<Syllable>, f32)>;

/// The likeliest readings of a word, likeliest first; empty where a letter is no hanzi.
///
/// Heteronyms are settled by the words of `data/phrases.txt` found inside `word`, the longest first;
/// a syllable that may lose its tone shares its mass with the neutral one; 一 and 不 keep their own tone
/// first and the changed one (yi2 or yi4, bu2) beside it. At most [`MAX_WORD_READINGS`] come back, none
/// rarer than a twentieth of the first (a hundredth for a single hanzi); probabilities sum to 1. Third
/// tones in a row stay third tones.
pub fn word_readings(word: &str) -> WordReadings {
    let hanzi: Vec<char> = word.chars().take(MAX_WORD_HANZI + 1).collect();
    if hanzi.is_empty() || hanzi.len() > MAX_WORD_HANZI {
        return Vec::new();
    }
    let mut positions: Vec<Vec<Reading>> = hanzi
        .iter()
        .map(|&letter| readings(letter).to_vec())
        .collect();
    if positions.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    settle_by_phrases(word, &hanzi, &mut positions);
    change_tones(&hanzi, &mut positions);
    combine(positions)
}

/// Longest word read; longer texts give no readings.
pub const MAX_WORD_HANZI: usize = 32;
/// Most readings a word has.
pub const MAX_WORD_READINGS: usize = 8;
/// Readings of a word rarer than this share of the likeliest are dropped.
const MIN_RELATIVE_PROB: f32 = 0.05;
/// The same for a single hanzi, which no neighbour settles.
const MIN_RELATIVE_PROB_ALONE: f32 = 0.01;

/// Words that settle readings; the file's head describes its format.
const PHRASES: &str = include_str!("../data/phrases.txt");
const PHRASE_PROB: f32 = 0.97;
/// Longest word of the phrase file, in hanzi.
const MAX_PHRASE_HANZI: usize = 8;
/// Marks an entry that holds at the end of a longer word; see [`Phrases`].
const SUFFIX_MARK: char = '-';

/// One hanzi of a phrase and how it is read there.
#[derive(Clone, Copy)]
struct Settled {
    hanzi: char,
    syllable: Syllable,
    prob: f32,
}

/// Phrase → the hanzi it settles. Suffix entries keep their leading `-`, prefix entries their trailing one.
type Phrases = HashMap<&'static str, Vec<Settled>>;

static TABLE: LazyLock<Phrases> = LazyLock::new(|| parse_phrases(PHRASES));

fn parse_phrases(text: &'static str) -> Phrases {
    let mut phrases = Phrases::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((head, words)) = line.split_once(": ") else {
            continue;
        };
        let Some((hanzi, spelled)) = head.split_once(' ') else {
            continue;
        };
        let Some(hanzi) = hanzi.chars().next() else {
            continue;
        };
        let (spelled, line_prob) = split_prob(spelled);
        let Ok(syllable) = spelled.parse() else {
            continue;
        };
        for word in words.split_whitespace() {
            let (word, word_prob) = split_prob(word);
            let prob = word_prob.or(line_prob).unwrap_or(PHRASE_PROB);
            phrases.entry(word).or_default().push(Settled {
                hanzi,
                syllable,
                prob,
            });
        }
    }
    phrases
}

fn split_prob(field: &'static str) -> (&'static str, Option<f32>) {
    match field.split_once('@') {
        Some((text, prob)) => (text, prob.parse().ok()),
        None => (field, None),
    }
}

/// Looks every stretch of `word` up, short ones first, so that a longer phrase has the last word.
fn settle_by_phrases(word: &str, hanzi: &[char], positions: &mut [Vec<Reading>]) {
    let bounds: Vec<usize> = word
        .char_indices()
        .map(|(at, _)| at)
        .chain([word.len()])
        .collect();
    settle_by_affixes(word, hanzi, positions);
    for len in 2..=hanzi.len().min(MAX_PHRASE_HANZI) {
        for from in 0..=hanzi.len() - len {
            if let Some(settled) = TABLE.get(&word[bounds[from]..bounds[from + len]]) {
                apply(
                    settled,
                    &hanzi[from..from + len],
                    &mut positions[from..from + len],
                );
            }
        }
    }
}

/// Entries such as `-子` and `老-`, each of one hanzi.
fn settle_by_affixes(word: &str, hanzi: &[char], positions: &mut [Vec<Reading>]) {
    let count = hanzi.len();
    if count < 2 {
        return;
    }
    let mut key = String::with_capacity(8);
    for len in 1..count.min(4) {
        key.clear();
        key.push(SUFFIX_MARK);
        key.extend(&hanzi[count - len..]);
        if let Some(settled) = TABLE.get(key.as_str()) {
            apply(
                settled,
                &hanzi[count - len..],
                &mut positions[count - len..],
            );
        }
    }
    key.clear();
    key.extend(word.chars().next());
    key.push(SUFFIX_MARK);
    if let Some(settled) = TABLE.get(key.as_str()) {
        apply(settled, &hanzi[..1], &mut positions[..1]);
    }
}

/// Gives the settled hanzi their readings. Several readings of one hanzi share the mass as they say;
/// those without a probability of their own come after the others and take what is left.
fn apply(settled: &[Settled], hanzi: &[char], positions: &mut [Vec<Reading>]) {
    for (letter, position) in hanzi.iter().zip(positions) {
        let mut wanted: Vec<Settled> = settled
            .iter()
            .copied()
            .filter(|entry| entry.hanzi == *letter)
            .collect();
        if wanted.is_empty() {
            continue;
        }
        wanted.sort_by(|a, b| b.prob.total_cmp(&a.prob));
        *position = readings(*letter).to_vec();
        for entry in wanted {
            give(position, entry.syllable, entry.prob);
        }
    }
}

/// Sets one reading's probability and scales the others to the rest.
fn give(position: &mut Vec<Reading>, syllable: Syllable, prob: f32) {
    let others: f32 = position
        .iter()
        .filter(|other| other.syllable != syllable)
        .map(|other| other.prob)
        .sum();
    position.retain(|other| other.syllable != syllable);
    if others > 0.0 {
        position
            .iter_mut()
            .for_each(|other| other.prob *= (1.0 - prob) / others);
    }
    let prob = if others > 0.0 { prob } else { 1.0 };
    position.push(Reading { syllable, prob });
}

/// Share of the changed tone of 一 and 不 before another syllable, and of the neutral tone in 看看.
const CHANGED_TONE_PROB: f32 = 0.4;
const REDUPLICATED_NEUTRAL_PROB: f32 = 0.25;

fn change_tones(hanzi: &[char], positions: &mut [Vec<Reading>]) {
    for at in 0..hanzi.len().saturating_sub(1) {
        let next_tone = positions[at + 1]
            .iter()
            .max_by(|a, b| a.prob.total_cmp(&b.prob));
        let next_tone = next_tone.map_or(0, |reading| reading.syllable.tone());
        let Some(own) = positions[at]
            .iter()
            .max_by(|a, b| a.prob.total_cmp(&b.prob))
        else {
            continue;
        };
        let changed = match (hanzi[at], next_tone) {
            ('一', 4 | 5) | ('不', 4) => own.syllable.with_tone(2),
            ('一', 1..=3) => own.syllable.with_tone(4),
            _ => continue,
        };
        let (citation, tone) = if hanzi[at] == '一' {
            ("yi", 1)
        } else {
            ("bu", 4)
        };
        let Some(citation) = Syllable::new(citation, tone) else {
            continue;
        };
        positions[at] = vec![
            Reading {
                syllable: citation,
                prob: 1.0 - CHANGED_TONE_PROB,
            },
            Reading {
                syllable: changed,
                prob: CHANGED_TONE_PROB,
            },
        ];
    }
    if let ([first, second], [_, position]) = (hanzi, positions)
        && first == second
        && let Some(best) = position.iter().max_by(|a, b| a.prob.total_cmp(&b.prob))
        && best.syllable.tone() != 5
    {
        let neutral = best.syllable.with_tone(5);
        give(position, neutral, REDUPLICATED_NEUTRAL_PROB);
    }
}

/// The likeliest ways to pick one reading a hanzi.
fn combine(mut positions: Vec<Vec<Reading>>) -> WordReadings {
    let floor = if positions.len() == 1 {
        MIN_RELATIVE_PROB_ALONE
    } else {
        MIN_RELATIVE_PROB
    };
    let mut paths: WordReadings = vec![(Vec::with_capacity(positions.len()), 1.0)];
    for position in &mut positions {
        let best = position
            .iter()
            .fold(0.0_f32, |best, reading| best.max(reading.prob));
        position.retain(|reading| reading.prob > 0.0 && reading.prob >= best * floor);
        if let [only] = position[..] {
            paths.iter_mut().for_each(|(path, prob)| {
                path.push(only.syllable);
                *prob *= only.prob;
            });
            continue;
        }
        let mut longer = WordReadings::with_capacity(paths.len() * position.len());
        for (path, prob) in &paths {
            for reading in position.iter() {
                let mut syllables = path.clone();
                syllables.push(reading.syllable);
                longer.push((syllables, prob * reading.prob));
            }
        }
        prune(&mut longer, floor);
        paths = longer;
    }
    let total: f32 = paths.iter().map(|(_, prob)| prob).sum();
    paths.iter_mut().for_each(|(_, prob)| *prob /= total);
    paths
}

fn prune(paths: &mut WordReadings, floor: f32) {
    paths.sort_by(|a, b| b.1.total_cmp(&a.1));
    let least = paths.first().map_or(0.0, |(_, prob)| prob * floor);
    paths.retain(|(_, prob)| *prob >= least);
    paths.truncate(MAX_WORD_READINGS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelled(word: &str) -> Vec<String> {
        let join = |syllables: &[Syllable]| -> String {
            syllables
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        word_readings(word)
            .iter()
            .map(|(syllables, _)| join(syllables))
            .collect()
    }

    fn check(word: &str, expected: &str) {
        assert_eq!(
            spelled(word).first().map(String::as_str),
            Some(expected),
            "{word}"
        );
    }

    #[test]
    fn phrases_settle_heteronyms() {
        check("银行", "yin2 hang2");
        check("中国工商银行", "zhong1 guo2 gong1 shang1 yin2 hang2");
        check("进行", "jin4 xing2");
        check("了解", "liao3 jie3");
        check("长大", "zhang3 da4");
        check("重复", "chong2 fu4");
        check("音乐", "yin1 yue4");
        check("快乐", "kuai4 le4");
        check("睡觉", "shui4 jiao4");
        check("还款", "huan2 kuan3");
        check("还有", "hai2 you3");
        check("会计", "kuai4 ji4");
        check("利率", "li4 lv4");
        check("便宜", "pian2 yi5");
        check("知识分子", "zhi1 shi2 fen4 zi3");
        check("电子", "dian4 zi3");
        check("橘子", "ju2 zi5");
        check("学生们", "xue2 sheng1 men5");
    }

    #[test]
    fn spoken_tones_stand_beside_the_citation_form() {
        assert!(spelled("知道").contains(&"zhi1 dao5".to_owned()));
        assert!(spelled("一个").contains(&"yi2 ge4".to_owned()));
        assert!(spelled("一起").contains(&"yi4 qi3".to_owned()));
        assert!(spelled("不是").contains(&"bu2 shi4".to_owned()));
        assert!(spelled("看看").contains(&"kan4 kan5".to_owned()));
        check("不是", "bu4 shi4");
        check("第一", "di4 yi1");
    }

    #[test]
    fn no_reading_without_hanzi() {
        for word in ["", "4S店", "hello", "好。"] {
            assert!(word_readings(word).is_empty(), "{word}");
        }
        assert!(word_readings(&"好".repeat(MAX_WORD_HANZI + 1)).is_empty());
    }

    #[test]
    fn every_line_of_the_phrases_is_used() {
        for line in PHRASES
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (head, words) = line.split_once(": ").expect(line);
            let (hanzi, spelled) = head.split_once(' ').expect(line);
            assert!(split_prob(spelled).0.parse::<Syllable>().is_ok(), "{line}");
            for word in words.split_whitespace() {
                let (word, _) = split_prob(word);
                assert!(word.contains(hanzi), "{line}: {word}");
                let letters = word.trim_matches(SUFFIX_MARK).chars();
                assert!(letters.clone().count() <= MAX_PHRASE_HANZI, "{word}");
                assert!(
                    letters.clone().all(|letter| !readings(letter).is_empty()),
                    "{word}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_has_few_readings_that_sum_to_one(word in "[一不了子行长重还得a好]{0,10}") {
            let all = word_readings(&word);
            prop_assert!(all.len() <= MAX_WORD_READINGS);
            let total: f32 = all.iter().map(|(_, prob)| prob).sum();
            prop_assert!(all.is_empty() || (total - 1.0).abs() < 1e-3);
            prop_assert!(all.iter().all(|(path, _)| path.len() == word.chars().count()));
        }
    }
}

//! How long each pause is for this speaker, here.
//!
//! A gap between words means nothing by itself: a fast speaker breathes in 150 ms, a slow one leaves 250 ms
//! between all words. So every gap is measured against the gaps around it.

use super::SpokenWord;

/// Gaps on either side that tell the local rhythm.
const NEIGHBOURS: usize = 8;
/// A typical gap inside a phrase, milliseconds, assumed three times over so that two words with one pause
/// between them do not pass for an even rhythm.
const ASSUMED_GAP_MS: f32 = 40.0;
const N_ASSUMED: usize = 3;
/// No shorter gap is a clause pause for anyone, milliseconds.
const MIN_PAUSE_MS: f32 = 140.0;
/// A clause pause is this many times the typical gap, and this much more.
const PAUSE_RATIO: f32 = 2.2;
const PAUSE_MARGIN_MS: f32 = 60.0;
/// A word this much longer than its length in characters asks for was followed by silence.
const STRETCH_RATIO: f32 = 1.3;

/// For every word, the pause behind it relative to a clause pause of this speaker: 1 is a clause.
/// The last is infinite.
pub(super) fn relative_pauses(words: &[SpokenWord<'_>]) -> Vec<f32> {
    let gaps = gaps_ms(words);
    let mut pauses: Vec<f32> = (0..gaps.len())
        .map(|at| {
            gaps[at] / (PAUSE_RATIO * typical_gap_ms(&gaps, at) + PAUSE_MARGIN_MS).max(MIN_PAUSE_MS)
        })
        .collect();
    if !words.is_empty() {
        pauses.push(f32::INFINITY);
    }
    pauses
}

/// Silence after every word but the last, milliseconds.
fn gaps_ms(words: &[SpokenWord<'_>]) -> Vec<f32> {
    let gaps: Vec<f32> = words
        .windows(2)
        .map(|pair| pair[1].start_ms.saturating_sub(pair[0].end_ms) as f32)
        .collect();
    match gaps.iter().any(|&gap| gap > 0.0) {
        true => gaps,
        false => stretches_ms(words),
    }
}

/// Where times leave no gaps, a pause hides in the length of the word before it.
fn stretches_ms(words: &[SpokenWord<'_>]) -> Vec<f32> {
    let n_chars = |word: &SpokenWord<'_>| word.text.chars().count().max(1) as f32;
    let length_ms = |word: &SpokenWord<'_>| word.end_ms.saturating_sub(word.start_ms) as f32;
    let mut per_char: Vec<f32> = words
        .iter()
        .map(|word| length_ms(word) / n_chars(word))
        .collect();
    let expected = STRETCH_RATIO * median(&mut per_char);
    words
        .iter()
        .take(words.len().saturating_sub(1))
        .map(|word| (length_ms(word) - expected * n_chars(word)).max(0.0))
        .collect()
}

fn typical_gap_ms(gaps: &[f32], at: usize) -> f32 {
    let first = at.saturating_sub(NEIGHBOURS);
    let last = (at + NEIGHBOURS + 1).min(gaps.len());
    let mut around: Vec<f32> = gaps[first..at]
        .iter()
        .chain(&gaps[at + 1..last])
        .copied()
        .collect();
    around.extend([ASSUMED_GAP_MS; N_ASSUMED]);
    median(&mut around)
}

fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

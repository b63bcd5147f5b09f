//! Search by sound.
//!
//! A spoken form is a row of syllables, each with what else it may have been. A query is a row of
//! syllables too, each with every reading its hanzi has. Matching ignores tones and counts cost:
//!
//! | difference | cost |
//! | --- | --- |
//! | only the tone | 0 |
//! | a near-sounding syllable: zh/z ch/c sh/s n/l h/f, ang/an eng/en ing/in iang/ian uang/uan | [`auricle_pinyin::distance`], 0.15 to 0.6 |
//! | another syllable, a syllable too many, a syllable missing | 1 |
//!
//! Near-sounding syllables share a *class*, so an edit within a class never costs a whole one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use auricle_contracts::Utterance;
use auricle_pinyin::{Syllable, TONELESS};

use crate::lines::code_of;
use crate::readings::readings;

/// The cost of one full edit. Costs are whole twentieths, so that sums are exact.
pub(crate) const FULL_COST: u16 = 20;
/// Marks a code that is another hearing of the syllable before it.
const ALTERNATIVE: u16 = 0x8000;
/// The code of something that is no Mandarin syllable.
const BREAK: u16 = 0;
/// Hearings kept for one syllable beside the likeliest.
const MAX_ALTERNATIVES: usize = 2;
/// Hearings less likely than this are left out.
const LEAST_CONFIDENCE: f32 = 0.05;
/// Tones in a syllable's dense number, with 0 for unknown.
const TONES: usize = Syllable::COUNT / TONELESS.len();

/// Which class each of [`TONELESS`] belongs to.
fn classes() -> &'static [u16; TONELESS.len()] {
    static CLASSES: OnceLock<[u16; TONELESS.len()]> = OnceLock::new();
    CLASSES.get_or_init(|| {
        let mut numbers: HashMap<(&str, &str), u16> = HashMap::new();
        std::array::from_fn(|row| {
            let next = numbers.len() as u16;
            *numbers.entry(folded_parts(row)).or_insert(next)
        })
    })
}

/// Initial and rhyme with near-sounding ones made the same.
fn folded_parts(row: usize) -> (&'static str, &'static str) {
    let Some(syllable) = Syllable::from_index(row * TONES) else {
        return ("", "");
    };
    let initial = match syllable.initial() {
        "zh" => "z",
        "ch" => "c",
        "sh" => "s",
        "n" => "l",
        "h" => "f",
        other => other,
    };
    let rhyme = match syllable.rhyme() {
        "ang" => "an",
        "eng" => "en",
        "ing" => "in",
        "iang" => "ian",
        "uang" => "uan",
        other => other,
    };
    (initial, rhyme)
}

/// A number that changes when the syllables' numbers do: an index made with others must be rebuilt.
pub(crate) fn syllables_fingerprint() -> u32 {
    let letters = TONELESS
        .iter()
        .flat_map(|syllable| syllable.bytes().chain([0]));
    letters.fold(2_166_136_261u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    })
}

/// What hearing `heard` for `wanted` costs; tones do not count.
fn cost(wanted: usize, heard: usize) -> u8 {
    if wanted == heard {
        return 0;
    }
    if classes()[wanted] != classes()[heard] {
        return FULL_COST as u8;
    }
    let toneless = |row: usize| Syllable::from_index(row * TONES);
    match (toneless(wanted), toneless(heard)) {
        (Some(one), Some(other)) => {
            let twentieths = auricle_pinyin::distance(one, other) * f32::from(FULL_COST);
            (twentieths.round() as u8).clamp(1, FULL_COST as u8)
        }
        _ => FULL_COST as u8,
    }
}

/// The codes of an utterance's syllables: one for the likeliest hearing, then its alternatives.
/// An utterance without syllables is read from its hanzi.
pub(crate) fn encode(utterance: &Utterance, codes: &mut Vec<u16>) {
    codes.clear();
    if utterance.syllables.is_empty() {
        for letter in utterance.spoken.chars() {
            push_position(codes, readings(letter).into_iter());
        }
        return;
    }
    for syllable in &utterance.syllables {
        let Some(likeliest) = parse(&syllable.s) else {
            codes.push(BREAK);
            continue;
        };
        let others = syllable
            .alternatives
            .iter()
            .filter(|other| other.conf >= LEAST_CONFIDENCE)
            .filter_map(|other| parse(&other.s));
        push_position(codes, std::iter::once(likeliest).chain(others));
    }
}

/// Reads a syllable; those spelled the usual way by a table, since an index reads millions.
fn parse(text: &str) -> Option<Syllable> {
    static KNOWN: OnceLock<HashMap<u64, Syllable, BuildHasherDefault<Spread>>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let all = (0..Syllable::COUNT).filter_map(Syllable::from_index);
        all.filter_map(|syllable| Some((packed(&syllable.to_string())?, syllable)))
            .collect()
    });
    match packed(text).and_then(|packed| known.get(&packed)) {
        Some(syllable) => Some(*syllable),
        None => text.parse().ok(),
    }
}

/// A short text as one number.
fn packed(text: &str) -> Option<u64> {
    let fits = text.len() <= 8;
    fits.then(|| {
        text.bytes()
            .fold(0, |packed, byte| packed << 8 | u64::from(byte))
    })
}

/// Mixes one number; enough for a table of known syllables.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 29);
    }
}

fn push_position(codes: &mut Vec<u16>, hearings: impl Iterator<Item = Syllable>) {
    let first = codes.len();
    for syllable in hearings {
        let code = syllable.index() as u16 + 1;
        let known = codes[first..].iter().any(|&known| same_base(known, code));
        if codes.len() == first {
            codes.push(code);
        } else if !known && codes.len() - first <= MAX_ALTERNATIVES {
            codes.push(code | ALTERNATIVE);
        }
    }
}

fn same_base(one: u16, other: u16) -> bool {
    row_of(one) == row_of(other)
}

/// The row of [`TONELESS`] a code stands for; none for a break.
pub(crate) const fn row_of(code: u16) -> Option<usize> {
    match code & !ALTERNATIVE {
        BREAK => None,
        index => Some((index as usize - 1) / TONES),
    }
}

const fn tone_of(code: u16) -> u8 {
    ((code & !ALTERNATIVE) as usize)
        .saturating_sub(1)
        .rem_euclid(TONES) as u8
}

/// The positions of a row of codes: each a likeliest hearing and its alternatives.
pub(crate) fn positions(codes: &[u16]) -> impl Iterator<Item = &[u16]> {
    codes.chunk_by(|_, next| next & ALTERNATIVE != 0)
}

/// How many syllables a row of codes holds.
pub(crate) fn count(codes: &[u16]) -> usize {
    codes
        .iter()
        .filter(|&&code| code & ALTERNATIVE == 0)
        .count()
}

/// Where a sound was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SoundSpan {
    /// First syllable.
    pub(crate) start: usize,
    /// One past the last.
    pub(crate) end: usize,
    /// In twentieths of an edit.
    pub(crate) cost: u16,
    /// 0 to 1: how well tones and likelihoods agree.
    pub(crate) agreement: f32,
}

/// One syllable of a query: what each heard syllable costs against it.
#[derive(Debug)]
struct Wanted {
    /// By row of [`TONELESS`].
    costs: [u8; TONELESS.len()],
    /// By row, the tones wanted as a set of bits; none for a syllable that is not wanted.
    tones: [u8; TONELESS.len()],
}

impl Wanted {
    fn new(options: &[Syllable]) -> Self {
        let mut costs = [FULL_COST as u8; TONELESS.len()];
        let mut tones = [0; TONELESS.len()];
        for &option in options {
            let row = option.index() / TONES;
            for (heard, least) in costs.iter_mut().enumerate() {
                *least = (*least).min(cost(row, heard));
            }
            if let Some(of_row) = tones.get_mut(row) {
                *of_row |= match option.tone() {
                    0 => u8::MAX,
                    tone => 1 << tone,
                };
            }
        }
        Self { costs, tones }
    }

    /// The least cost over the hearings of a position.
    fn cost(&self, position: impl Iterator<Item = u16>) -> u16 {
        position
            .filter_map(row_of)
            .map(|row| u16::from(self.costs[row]))
            .min()
            .unwrap_or(FULL_COST)
    }

    fn agreement(&self, position: impl Iterator<Item = u16>) -> f32 {
        let mut best = 0.0f32;
        for (rank, code) in position.enumerate() {
            let Some(row) = row_of(code) else { continue };
            let likely = if rank == 0 { 1.0 } else { 0.85 };
            let toned = match self.tones.get(row).copied().unwrap_or(0) {
                0 => 0.5,
                tones if tone_of(code) == 0 || tones & (1 << tone_of(code)) != 0 => 1.0,
                _ => 0.7,
            };
            best = best.max(likely * toned);
        }
        best
    }
}

/// A row of syllables to look for, and how far off a match may be.
#[derive(Debug)]
pub(crate) struct SoundPattern {
    wanted: Vec<Wanted>,
    budget: u16,
    /// The costs of all wanted syllables side by side, by row of [`TONELESS`]; the last row is for
    /// what is no syllable.
    costs: Vec<u8>,
    /// By the same rows, a bit for each wanted syllable that the row can be heard for.
    masks: Vec<u32>,
}

/// The most syllables of a pattern.
const MOST_WANTED: usize = crate::query::MAX_SYLLABLES;
/// The most full edits of a pattern.
const MOST_EDITS: usize = crate::query::MAX_EDITS as usize;
/// More than any budget.
const TOO_MUCH: u16 = 10_000;

impl SoundPattern {
    /// Looks for `syllables`, each with its readings, within `budget` twentieths of an edit.
    pub(crate) fn new(syllables: &[Vec<Syllable>], budget: u16) -> Self {
        let wanted: Vec<Wanted> = syllables
            .iter()
            .take(MOST_WANTED)
            .map(|options| Wanted::new(options))
            .collect();
        let mut costs = Vec::with_capacity(wanted.len() * (TONELESS.len() + 1));
        for row in 0..=TONELESS.len() {
            let of_row = |wanted: &Wanted| wanted.costs.get(row).copied();
            costs.extend(
                wanted
                    .iter()
                    .map(|one| of_row(one).unwrap_or(FULL_COST as u8)),
            );
        }
        let within = |cost: u8| cost < FULL_COST as u8 && u16::from(cost) <= budget;
        let masks = costs
            .chunks(wanted.len().max(1))
            .map(|row| {
                let bits = row.iter().zip(0..);
                bits.fold(0, |mask, (&cost, bit)| {
                    mask | u32::from(within(cost)) << bit
                })
            })
            .collect();
        Self {
            wanted,
            budget,
            costs,
            masks,
        }
    }

    /// Number of syllables looked for.
    pub(crate) const fn len(&self) -> usize {
        self.wanted.len()
    }

    /// How many full edits the budget pays for.
    pub(crate) const fn full_edits(&self) -> usize {
        (self.budget / FULL_COST) as usize
    }

    /// What a match may cost, in twentieths of an edit.
    pub(crate) const fn budget(&self) -> u16 {
        self.budget
    }

    /// What hearing a row of [`TONELESS`] for a syllable costs.
    pub(crate) fn cost_of(&self, index: usize, row: u16) -> u16 {
        let wanted = self.wanted.get(index);
        let cost = wanted.and_then(|wanted| wanted.costs.get(usize::from(row)));
        cost.map_or(FULL_COST, |&cost| u16::from(cost))
    }

    /// Whether only the very syllables match.
    pub(crate) const fn is_exact(&self) -> bool {
        self.budget == 0
    }

    /// The rows of [`TONELESS`] that may be heard for a syllable at less than a full edit, as far as
    /// the budget allows.
    pub(crate) fn rows(&self, index: usize) -> Vec<u16> {
        let within = |cost: u8| cost < FULL_COST as u8 && u16::from(cost) <= self.budget;
        let costs = self.wanted[index].costs.iter().zip(0u16..);
        costs
            .filter(|(cost, _)| within(**cost))
            .map(|(_, row)| row)
            .collect()
    }

    /// Whether the row of codes that lies at `bytes` may match: every match is found, with near
    /// sounds taken as free.
    ///
    /// All wanted syllables are followed at once, one bit each, with one word of bits for each number
    /// of edits (Wu and Manber 1992, "Fast text searching allowing errors").
    pub(crate) fn may_match(&self, bytes: &[u8]) -> bool {
        let edits = self.full_edits().min(MOST_EDITS);
        let Some(last) = self.wanted.len().checked_sub(1) else {
            return false;
        };
        let mut states = [0u32; MOST_EDITS + 1];
        for (number, state) in states.iter_mut().enumerate() {
            *state = (1 << number) - 1;
        }
        let mut codes = bytes.chunks_exact(2).map(code_of).peekable();
        while let Some(code) = codes.next() {
            let mut mask = self.mask_of(code);
            while let Some(other) = codes.next_if(|next| next & ALTERNATIVE != 0) {
                mask |= self.mask_of(other);
            }
            let mut before = states[0];
            states[0] = (before << 1 | 1) & mask;
            for number in 1..=edits {
                let here = states[number];
                states[number] = (here << 1 | 1) & mask
                    | before
                    | before << 1
                    | states[number - 1] << 1
                    | ((1 << number) - 1);
                before = here;
            }
            if states[edits] >> last & 1 == 1 {
                return true;
            }
        }
        false
    }

    fn mask_of(&self, code: u16) -> u32 {
        let row = row_of(code).unwrap_or(TONELESS.len());
        self.masks.get(row).copied().unwrap_or(0)
    }

    /// How well the best match in the row of codes that lies at `bytes` agrees, 0 to 1; `None` where there
    /// is none. `codes` is memory to read them into.
    pub(crate) fn quality(&self, bytes: &[u8], codes: &mut Vec<u16>) -> Option<f32> {
        if self.full_edits() == 0 {
            return self.quality_same_length(bytes);
        }
        if !self.may_match(bytes) {
            return None;
        }
        codes.clear();
        codes.extend(bytes.chunks_exact(2).map(code_of));
        let cost = self.least_edited_cost(codes)?;
        Some(EDITED / (1.0 + f32::from(cost) / f32::from(FULL_COST)))
    }

    /// With less than one edit to spend, all wanted syllables are followed at once, one bit each; only
    /// where they end is summed up what they cost.
    fn quality_same_length(&self, bytes: &[u8]) -> Option<f32> {
        let last = self.wanted.len().checked_sub(1)?;
        let mut best: Option<(u16, &[u8])> = None;
        let mut at = 0;
        let mut state = 0u32;
        while let Some(code) = code_at(bytes, at) {
            let mut mask = self.mask_of(code);
            at += 1;
            while let Some(other) = code_at(bytes, at).filter(|next| next & ALTERNATIVE != 0) {
                mask |= self.mask_of(other);
                at += 1;
            }
            state = (state << 1 | 1) & mask;
            if state >> last & 1 == 0 {
                continue;
            }
            let heard = bytes.get(..at * 2).unwrap_or(bytes);
            if self.is_exact() {
                best = Some((0, heard));
                break;
            }
            let windows = self.windows_before(heard);
            let cost = windows.map(|(wanted, heard)| wanted.cost(heard)).sum();
            if cost <= self.budget && best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, heard));
            }
        }
        let (cost, heard) = best?;
        let windows = self.windows_before(heard);
        let sum: f32 = windows.map(|(wanted, heard)| wanted.agreement(heard)).sum();
        let agreement = sum / self.wanted.len() as f32;
        Some(agreement / (1.0 + f32::from(cost) / f32::from(FULL_COST)))
    }

    /// The last positions of a row of codes, from the last one on, with the syllable wanted at each.
    fn windows_before<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = (&'a Wanted, impl Iterator<Item = u16> + 'a)> {
        let mut end = bytes.len() / 2;
        self.wanted.iter().rev().map(move |wanted| {
            let mut start = end.saturating_sub(1);
            while start > 0 && code_at(bytes, start).is_some_and(|code| code & ALTERNATIVE != 0) {
                start -= 1;
            }
            let position = (start..end).map_while(move |at| code_at(bytes, at));
            end = start;
            (wanted, position)
        })
    }

    /// What the cheapest match costs, within the budget. Takes a few steps per syllable heard and syllable
    /// wanted, and allocates nothing.
    fn least_edited_cost(&self, codes: &[u16]) -> Option<u16> {
        let n = self.wanted.len();
        let mut least = [TOO_MUCH; MOST_WANTED + 1];
        for (edits, least) in least.iter_mut().enumerate() {
            *least = FULL_COST * edits as u16;
        }
        let least = &mut least[..=n];
        let mut best: Option<u16> = None;
        let mut merged = [0u8; MOST_WANTED];
        let mut at = 0;
        while let Some(&code) = codes.get(at) {
            at += 1;
            let mut heard = self.costs_of(code);
            if codes.get(at).is_some_and(|next| next & ALTERNATIVE != 0) {
                merged[..n].copy_from_slice(heard);
                while let Some(&other) = codes.get(at).filter(|next| *next & ALTERNATIVE != 0) {
                    at += 1;
                    for (least, &cost) in merged.iter_mut().zip(self.costs_of(other)) {
                        *least = (*least).min(cost);
                    }
                }
                heard = &merged[..n];
            }
            edit_step(least, heard);
            if least[n] <= self.budget && best.is_none_or(|cost| least[n] < cost) {
                best = Some(least[n]);
                if least[n] == 0 {
                    break;
                }
            }
        }
        best
    }

    fn costs_of(&self, code: u16) -> &[u8] {
        let n = self.wanted.len();
        let row = row_of(code).unwrap_or(TONELESS.len());
        self.costs.get(row * n..(row + 1) * n).unwrap_or(&[])
    }

    /// Every match in a row of codes that overlaps no better one, in order.
    pub(crate) fn find(&self, codes: &[u16]) -> Vec<SoundSpan> {
        let row: Vec<&[u16]> = positions(codes).collect();
        let mut found = if self.full_edits() == 0 {
            self.find_same_length(&row)
        } else {
            self.find_edited(&row)
        };
        if found.len() > 1 {
            found.sort_by_key(|span| (span.cost, span.start));
            let mut taken = vec![false; row.len()];
            found.retain(|span| {
                let is_free = taken
                    .get(span.start..span.end)
                    .is_some_and(|part| !part.contains(&true));
                if is_free {
                    taken[span.start..span.end].fill(true);
                }
                is_free
            });
            found.sort_by_key(|span| span.start);
        }
        found
    }

    /// With less than one edit to spend, a match has the query's length.
    fn find_same_length(&self, row: &[&[u16]]) -> Vec<SoundSpan> {
        let mut found = Vec::new();
        for (start, window) in row.windows(self.wanted.len()).enumerate() {
            let mut cost = 0;
            for (wanted, position) in self.wanted.iter().zip(window) {
                cost += wanted.cost(position.iter().copied());
                if cost > self.budget {
                    break;
                }
            }
            if cost <= self.budget {
                let agreement = self.window_agreement(window);
                let end = start + window.len();
                found.push(SoundSpan {
                    start,
                    end,
                    cost,
                    agreement,
                });
            }
        }
        found
    }

    fn window_agreement(&self, window: &[&[u16]]) -> f32 {
        let sum: f32 = self
            .wanted
            .iter()
            .zip(window)
            .map(|(wanted, position)| wanted.agreement(position.iter().copied()))
            .sum();
        sum / self.wanted.len() as f32
    }

    /// Approximate matching by dynamic programming over the query (Sellers 1980): the cheapest
    /// alignment that ends at each syllable, with where it starts.
    fn find_edited(&self, row: &[&[u16]]) -> Vec<SoundSpan> {
        let rows = self.wanted.len();
        let mut column: Vec<(u16, usize)> = (0..=rows).map(|i| (FULL_COST * i as u16, 0)).collect();
        let mut found = Vec::new();
        for (at, position) in row.iter().enumerate() {
            let mut diagonal = column[0];
            column[0] = (0, at + 1);
            for (i, wanted) in self.wanted.iter().enumerate() {
                let changed = (
                    diagonal.0 + wanted.cost(position.iter().copied()),
                    diagonal.1,
                );
                let extra = (column[i + 1].0 + FULL_COST, column[i + 1].1);
                let missing = (column[i].0 + FULL_COST, column[i].1);
                diagonal = column[i + 1];
                // Of equal costs the later start is the shorter match.
                column[i + 1] = [changed, extra, missing]
                    .into_iter()
                    .min_by_key(|&(cost, start)| (cost, usize::MAX - start))
                    .unwrap_or(changed);
            }
            let (cost, start) = column[rows];
            if cost <= self.budget && start <= at {
                let end = at + 1;
                found.push(SoundSpan {
                    start,
                    end,
                    cost,
                    agreement: EDITED,
                });
            }
        }
        found
    }
}

fn code_at(bytes: &[u8], index: usize) -> Option<u16> {
    bytes.get(index * 2..index * 2 + 2).map(code_of)
}

/// What edited matches agree: how tones lie on them is not looked at.
const EDITED: f32 = 0.9;

/// One step of the alignment: `least[i]` is the least cost of the first `i` syllables ending here.
fn edit_step(least: &mut [u16], heard: &[u8]) {
    let mut diagonal = 0;
    for (i, &cost) in heard.iter().enumerate() {
        let above = least[i + 1];
        let changed = diagonal + u16::from(cost);
        least[i + 1] = changed.min(above + FULL_COST).min(least[i] + FULL_COST);
        diagonal = above;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(text: &str) -> Vec<u16> {
        let mut codes = Vec::new();
        for position in text.split(' ') {
            let hearings = position.split('/').map(|s| s.parse::<Syllable>().unwrap());
            push_position(&mut codes, hearings);
        }
        codes
    }

    fn pattern(text: &str, budget: u16) -> SoundPattern {
        let rows: Vec<Vec<Syllable>> = text
            .split(' ')
            .map(|options| options.split('/').map(|s| s.parse().unwrap()).collect())
            .collect();
        SoundPattern::new(&rows, budget)
    }

    fn check(query: &str, budget: u16, said: &str, expected: &[(usize, usize, u16)]) {
        let spans: Vec<_> = pattern(query, budget)
            .find(&codes(said))
            .into_iter()
            .map(|span| (span.start, span.end, span.cost))
            .collect();
        assert_eq!(spans, expected, "{query} in {said}");
    }

    #[test]
    fn tones_are_tolerated_and_near_sounds_cost_less() {
        check("bao3 zheng4", 0, "wo3 bao1 zheng5 ni3", &[(1, 3, 0)]);
        check("bao zheng", 0, "bao3 zhen4", &[]);
        check("bao zheng", 6, "bao3 zhen4", &[(0, 2, 4)]);
        check("bao zheng", 6, "bao3 zen4", &[]);
        check("bao zheng", 12, "bao3 zen4", &[(0, 2, 7)]);
        check("nan", 6, "lan2", &[(0, 1, 4)]);
        check("hang2/xing2", 0, "yin2 hang2", &[(1, 2, 0)]);
    }

    #[test]
    fn alternatives_are_heard() {
        check("bao zheng", 0, "bao3 chen1/zheng4 ni3", &[(0, 2, 0)]);
        check("bao zheng", 0, "pao3/bao3 chen1/zheng4", &[(0, 2, 0)]);
    }

    #[test]
    fn one_edit_is_a_change_an_extra_or_a_missing_syllable() {
        check("bao zheng shou yi", 20, "bao3 ma3 shou1 yi4", &[(0, 4, 20)]);
        check(
            "bao zheng shou yi",
            20,
            "bao3 zheng4 de5 shou1 yi4",
            &[(0, 5, 20)],
        );
        check("bao zheng shou yi", 20, "bao3 shou1 yi4", &[(0, 3, 20)]);
        check("bao zheng shou yi", 20, "bao3 ma3 ma3 yi4", &[]);
        check(
            "bao zheng shou yi",
            20,
            "ni3 bao3 zheng4 shou1 yi4 a5",
            &[(1, 5, 0)],
        );
    }

    #[test]
    fn near_sounding_syllables_share_a_class_and_others_do_not() {
        let class = |text: &str| classes()[text.parse::<Syllable>().unwrap().index() / TONES];
        for (one, other) in [("zhang", "zan"), ("niu", "liu"), ("huang", "fuang")] {
            if let Ok(second) = other.parse::<Syllable>() {
                assert_eq!(
                    class(one),
                    classes()[second.index() / TONES],
                    "{one} {other}"
                );
            }
        }
        assert_ne!(class("ba"), class("pa"));
        assert_ne!(class("xin"), class("xian"));
    }

    proptest! {
        #[test]
        fn quality_and_find_agree(
            heard in prop::collection::vec((0usize..60, any::<bool>()), 0..24),
            wanted in prop::collection::vec(0usize..60, 1..7),
            budget in prop::sample::select(vec![0u16, 6, 10, 20, 26, 40, 60]),
        ) {
            let syllable = |index: usize| Syllable::from_index(index * 37 % Syllable::COUNT).unwrap();
            let mut codes = Vec::new();
            for (index, alternative) in heard {
                if index == 0 {
                    codes.push(BREAK);
                    continue;
                }
                let other = alternative.then(|| syllable(index + 1));
                push_position(&mut codes, [syllable(index)].into_iter().chain(other));
            }
            // The parser refuses patterns that could be edited away.
            prop_assume!(usize::from(budget) < 20 * wanted.len());
            let rows: Vec<_> = wanted.into_iter().map(|index| vec![syllable(index)]).collect();
            let pattern = SoundPattern::new(&rows, budget);
            let found = pattern.find(&codes);
            let least = found.iter().map(|span| span.cost).min();
            let bytes: Vec<u8> = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
            let quality = pattern.quality(&bytes, &mut Vec::new());
            prop_assert_eq!(least.is_some(), quality.is_some());
            prop_assert!(quality.is_none() || pattern.may_match(&bytes));
            if let (Some(least), Some(quality)) = (least, quality) {
                let bound = 1.0 / (1.0 + f32::from(least) / 20.0);
                prop_assert!(quality <= bound + 1e-6 && quality > bound * 0.3);
            }
        }
    }
}

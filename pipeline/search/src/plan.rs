//! Which documents can match a place: the pairs narrow them down, the lines decide.
//!
//! **No match is lost**, whatever jieba makes of a phrase in its context:
//!
//! - a phrase of n ≥ 2 units occurs only where each of its n − 1 pairs of neighbouring units
//!   occurs, and every pair of neighbours of every utterance is listed. A single unit begins some
//!   pair (the last pair of an utterance is the last unit and an end mark);
//! - a sound without a full edit occurs only where each of its pairs occurs with some of the
//!   syllables that the budget allows for;
//! - a full edit of a sound changes one syllable and with it the two pairs it is in, or comes between
//!   two syllables and changes one pair; all other syllables and pairs occur. A match with as many full edits as the
//!   budget pays for has only the rest of the budget for near sounds. Of three syllables one edit may
//!   change both pairs; there every case is listed: the first pair stands, or the last, or the middle
//!   syllable is missing or another.

use std::ops::RangeInclusive;

use tantivy::DocId;

use crate::keys::{
    ANY_SYLLABLES, END, WHOLE_WORD, WORD_START, is_exact, syllable_pair, syllable_range, unit_id,
    unit_pair, unit_range, units_of,
};
use crate::pairs::Pairs;
use crate::place::Edges;
use crate::queries::Snapshot;
use crate::sound::{FULL_COST, SoundPattern};
use crate::units;

use around::Around;
use edited::Edited;
use sets::{Bits, group_lists, intersect_groups, shared, size_of, union};

mod around;
mod edited;
mod sets;

/// Documents that can match.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// For each group at least one of its keys.
    Groups(Vec<Vec<u32>>),
    /// A key within one of the ranges.
    Ranges(Vec<RangeInclusive<u32>>),
    /// Two syllables with any one between them.
    Around(Around),
    /// Most of the pairs of a sound.
    Edited(Edited),
    /// Any of these.
    AnyOf(Vec<Plan>),
    /// All of these.
    AllOf(Vec<Plan>),
}

impl Plan {
    /// Documents that can hold the units of a normal form side by side.
    pub(crate) fn phrase(codes: &[u16]) -> Self {
        let ids: Vec<u16> = units_of(codes).map(unit_id).collect();
        match ids.as_slice() {
            [single] => Self::Ranges(vec![unit_range(*single)]),
            _ => Self::Groups(pair_groups(&ids)),
        }
    }

    /// Whether every document of [`Self::phrase`], [`Self::prefix`] or [`Self::words`] matches: no unit is
    /// a word of letters, and there is one unit or one pair; of words, one hanzi.
    pub(crate) fn decides_phrase(codes: &[u16], edges: Edges) -> bool {
        let all_exact = units_of(codes).all(is_exact);
        all_exact
            && match edges {
                Edges::Units => units_of(codes).count() <= 2,
                Edges::BeginsWord | Edges::WholeWords => {
                    matches!(codes, [hanzi] if units::is_hanzi(*hanzi))
                }
            }
    }

    /// Documents that can hold a word that begins with the units of a normal form.
    pub(crate) fn prefix(codes: &[u16]) -> Self {
        let all: Vec<&[u16]> = units_of(codes).collect();
        // The last unit may be the beginning of a word of letters: its pairs are not known.
        let (letters, whole) = match all.split_last() {
            Some((last, before)) if last.first().is_some_and(|&code| units::is_letter(code)) => {
                (Some(*last), before)
            }
            _ => (None, all.as_slice()),
        };
        let letters = letters.map(|letters| match letters {
            [first, second, ..] => Self::Groups(vec![vec![unit_pair(*first, *second)]]),
            _ => Self::Ranges(vec![unit_range(letters.first().copied().unwrap_or(END))]),
        });
        let ids: Vec<u16> = whole.iter().copied().map(unit_id).collect();
        let before = match (ids.as_slice(), whole) {
            ([], _) => None,
            ([_], [hanzi]) if letters.is_none() && is_hanzi(hanzi) => Some(Self::Groups(vec![
                [WHOLE_WORD, WORD_START]
                    .map(|how| unit_pair(unit_id(hanzi), how))
                    .to_vec(),
            ])),
            ([single], _) => Some(Self::Ranges(vec![unit_range(*single)])),
            _ => Some(Self::Groups(pair_groups(&ids))),
        };
        Self::all_of(before.into_iter().chain(letters).collect())
    }

    /// Documents that can hold the units of a normal form as whole words.
    pub(crate) fn words(codes: &[u16]) -> Self {
        let mut all = units_of(codes);
        match (all.next(), all.next()) {
            (Some(hanzi), None) if is_hanzi(hanzi) => {
                Self::Groups(vec![vec![unit_pair(unit_id(hanzi), WHOLE_WORD)]])
            }
            _ => Self::phrase(codes),
        }
    }

    /// Documents that can hold a sound.
    pub(crate) fn sound(pattern: &SoundPattern) -> Self {
        let (n, edits, budget) = (pattern.len(), pattern.full_edits(), pattern.budget());
        let pairs = |most| (1..n).map(move |second| sound_pairs(pattern, second - 1, most));
        if n == 1 && edits == 0 {
            let rows = pattern.rows(0, budget).into_iter();
            return Self::Ranges(rows.map(syllable_range).collect());
        }
        if edits == 0 {
            return Self::Groups(pairs(budget).collect());
        }
        match n {
            3 if edits == 1 => {
                // Beside a full edit only this is left for near sounds.
                let rest = budget % FULL_COST;
                let (firsts, lasts) = (pattern.rows(0, rest), pattern.rows(2, rest));
                let missing = syllable_pairs(&firsts, &lasts);
                let mut parts = vec![Self::Groups(pairs(budget).collect())];
                parts.extend(pairs(rest).map(|group| Self::Groups(vec![group])));
                parts.push(Self::Groups(vec![missing]));
                // In the middle the very syllable makes the first pair stand.
                let but = pattern.rows(1, 0);
                parts.push(Self::Around(Around { firsts, lasts, but }));
                Self::AnyOf(parts)
            }
            // All pairs may be changed; the parser refuses such short sounds.
            _ if n <= 2 * edits + 1 => Self::Ranges(vec![ANY_SYLLABLES]),
            _ => Self::Edited(Edited::new(pattern)),
        }
    }

    /// Documents that can hold all of several things.
    pub(crate) fn all_of(parts: Vec<Self>) -> Self {
        let (mut groups, mut others) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                // Intersected together, the rarest first.
                Self::Groups(more) => groups.extend(more),
                other => others.push(other),
            }
        }
        if !groups.is_empty() {
            others.push(Self::Groups(groups));
        }
        match others.len() {
            1 => others.pop().unwrap_or(Self::AllOf(Vec::new())),
            _ => Self::AllOf(others),
        }
    }

    /// About how many documents can match, for weights.
    pub(crate) fn doc_freq(&self, snapshot: &Snapshot) -> tantivy::Result<usize> {
        let mut sum = 0;
        for reader in snapshot.searcher.segment_readers() {
            sum += self.size_in(&snapshot.files(reader)?.pairs);
        }
        Ok(sum)
    }

    fn size_in(&self, pairs: &Pairs) -> usize {
        match self {
            Self::Groups(groups) => {
                let sizes = groups
                    .iter()
                    .map(|group| size_of(&group_lists(pairs, group)));
                sizes.min().unwrap_or(0)
            }
            Self::Ranges(ranges) => {
                let lists = ranges.iter().flat_map(|range| pairs.lists(range.clone()));
                lists.map(|(_, list)| list.size()).sum()
            }
            Self::Around(_) => 0,
            Self::Edited(edited) => edited.size_in(pairs),
            Self::AnyOf(parts) => parts.iter().map(|part| part.size_in(pairs)).sum(),
            Self::AllOf(parts) => parts
                .iter()
                .map(|part| part.size_in(pairs))
                .min()
                .unwrap_or(0),
        }
    }

    /// The documents of a segment of `n_docs` documents, in order.
    pub(crate) fn documents(&self, pairs: &Pairs, n_docs: u32) -> Vec<DocId> {
        match self {
            Self::Groups(groups) => intersect_groups(pairs, groups, n_docs),
            Self::Ranges(ranges) => {
                let lists = ranges.iter().flat_map(|range| pairs.lists(range.clone()));
                union(&lists.map(|(_, list)| list).collect::<Vec<_>>(), n_docs)
            }
            Self::Edited(edited) => edited.documents(pairs, n_docs).members(),
            Self::Around(_) | Self::AnyOf(_) => {
                let mut found = Bits::new(n_docs);
                self.insert_into(&mut found, pairs, n_docs);
                found.members()
            }
            Self::AllOf(parts) => {
                let all = parts.iter().map(|part| part.documents(pairs, n_docs));
                all.reduce(shared).unwrap_or_default()
            }
        }
    }

    /// Adds the documents of a segment to others.
    fn insert_into(&self, found: &mut Bits, pairs: &Pairs, n_docs: u32) {
        match self {
            Self::AnyOf(parts) => parts
                .iter()
                .for_each(|part| part.insert_into(found, pairs, n_docs)),
            Self::Around(around) => around.insert_into(found, pairs, n_docs),
            Self::Groups(groups) if groups.len() == 1 => {
                let group = groups.iter().flatten();
                found.insert_all(group.filter_map(|&key| pairs.list(key)));
            }
            other => {
                let docs = other.documents(pairs, n_docs).into_iter();
                docs.for_each(|doc| found.insert(doc));
            }
        }
    }
}

fn is_hanzi(unit: &[u16]) -> bool {
    unit.first().is_some_and(|&code| units::is_hanzi(code))
}

fn pair_groups(ids: &[u16]) -> Vec<Vec<u32>> {
    ids.windows(2)
        .map(|pair| vec![unit_pair(pair[0], pair[1])])
        .collect()
}

fn syllable_pairs(firsts: &[u16], seconds: &[u16]) -> Vec<u32> {
    let mut keys = Vec::with_capacity(firsts.len() * seconds.len());
    for &first in firsts {
        keys.extend(seconds.iter().map(|&second| syllable_pair(first, second)));
    }
    keys
}

/// The pairs that can be heard for two neighbouring syllables of a sound without a full edit and at no more
/// than `most`.
fn sound_pairs(pattern: &SoundPattern, index: usize, most: u16) -> Vec<u32> {
    let (firsts, seconds) = (pattern.rows(index, most), pattern.rows(index + 1, most));
    let mut keys = Vec::with_capacity(firsts.len() * seconds.len());
    for &first in &firsts {
        let within = |second: &&u16| {
            pattern.cost_of(index, first) + pattern.cost_of(index + 1, **second) <= most
        };
        let seconds = seconds.iter().filter(within);
        keys.extend(seconds.map(|&second| syllable_pair(first, second)));
    }
    keys
}

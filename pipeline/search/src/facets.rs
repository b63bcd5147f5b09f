//! How the hits of a search are spread over parties, calls' metadata and days.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::calls::{CALL_FACETS, Calls, NO_VALUE, Values};
use crate::lines::party_of;
use crate::results::{FacetCount, FacetMode, Facets, MAX_FACET_VALUES};

/// Hits and calls.
type Count = (u64, u64);

/// Counts by value over any number of segments.
#[derive(Default)]
pub(crate) struct FacetCounts<'a> {
    party: [Count; 4],
    /// In the order of [`CALL_FACETS`].
    values: [HashMap<&'a str, Count>; CALL_FACETS.len()],
}

/// Counts the hits of one segment.
pub(crate) struct SegmentCounter<'a> {
    values: [&'a Values; CALL_FACETS.len()],
    counts: [Vec<Count>; CALL_FACETS.len()],
    party: [Count; 4],
}

impl<'a> SegmentCounter<'a> {
    pub(crate) fn new(calls: &'a Calls, mode: FacetMode) -> Self {
        let values = CALL_FACETS.map(|facet| calls.values(facet));
        let counts = match mode {
            FacetMode::Count => values.map(|values| vec![(0, 0); values.names.len()]),
            FacetMode::Skip => Default::default(),
        };
        Self {
            values,
            counts,
            party: Default::default(),
        }
    }

    pub(crate) fn count(&mut self, call: usize, n_hits: u32, by_party: &[u32; 4]) {
        for (total, &party_hits) in self.party.iter_mut().zip(by_party) {
            total.0 += u64::from(party_hits);
            total.1 += u64::from(party_hits > 0);
        }
        for (values, counts) in self.values.iter().zip(&mut self.counts) {
            let value = values.by_call.get(call).copied().unwrap_or(NO_VALUE);
            if let Some(total) = counts.get_mut(value as usize) {
                total.0 += u64::from(n_hits);
                total.1 += 1;
            }
        }
    }

    pub(crate) fn finish(self) -> FacetCounts<'a> {
        let mut found = FacetCounts::default();
        for ((values, counts), total) in self
            .values
            .into_iter()
            .zip(self.counts)
            .zip(&mut found.values)
        {
            let named = values
                .names
                .iter()
                .zip(counts)
                .filter(|(_, count)| count.0 > 0);
            total.extend(named.map(|(name, count)| (name.as_str(), count)));
        }
        found.party = self.party;
        found
    }
}

impl FacetCounts<'_> {
    pub(crate) fn add(&mut self, other: Self) {
        let plus = |total: &mut Count, more: Count| *total = (total.0 + more.0, total.1 + more.1);
        for (total, more) in self.party.iter_mut().zip(other.party) {
            plus(total, more);
        }
        for (totals, counts) in self.values.iter_mut().zip(other.values) {
            for (value, more) in counts {
                plus(totals.entry(value).or_default(), more);
            }
        }
    }

    pub(crate) fn finish(self, mode: FacetMode) -> Facets {
        if mode == FacetMode::Skip {
            return Facets::default();
        }
        let party = self
            .party
            .iter()
            .enumerate()
            .filter(|(_, count)| count.0 > 0)
            .map(|(number, &count)| (party_of(number as u32).as_str(), count));
        let party = most_first(party);
        let [agent, campaign, region, days] = self.values;
        let mut months: HashMap<&str, Count> = HashMap::new();
        for (day, count) in &days {
            if let Some((month, _)) = day.rsplit_once('-') {
                let total = months.entry(month).or_default();
                *total = (total.0 + count.0, total.1 + count.1);
            }
        }
        Facets {
            party,
            agent: most_first(agent),
            campaign: most_first(campaign),
            region: most_first(region),
            month: by_value(months),
            day: by_value(days),
        }
    }
}

fn by_value<'a>(counts: impl IntoIterator<Item = (&'a str, Count)>) -> Vec<FacetCount> {
    let mut counts: Vec<(&str, Count)> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|&(value, _)| value);
    counts.into_iter().map(facet).collect()
}

fn most_first<'a>(counts: impl IntoIterator<Item = (&'a str, Count)>) -> Vec<FacetCount> {
    let mut counts: Vec<(&str, Count)> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|&(value, (hits, _))| (Reverse(hits), value));
    counts
        .into_iter()
        .take(MAX_FACET_VALUES)
        .map(facet)
        .collect()
}

fn facet((value, (hits, calls)): (&str, Count)) -> FacetCount {
    FacetCount {
        value: value.to_owned(),
        hits,
        calls,
    }
}

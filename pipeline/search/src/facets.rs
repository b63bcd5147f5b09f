//! How the hits of a search are spread over parties, calls' metadata, what was found in them, and days.

use std::cmp::Reverse;
use std::collections::HashMap;

use tantivy::DocId;

use crate::calls::{CALL_FACETS, Calls, NO_VALUE, Values};
use crate::lines::{Lines, emotion_of, party_of};
use crate::marks::{Named, NamesInOrder};
use crate::queries::SegmentFiles;
use crate::results::{FacetCount, FacetMode, Facets, MAX_FACET_VALUES};

/// Hits and calls.
type Count = (u64, u64);

/// Counts by value over any number of segments.
#[derive(Default)]
pub(crate) struct FacetCounts<'a> {
    party: [Count; 4],
    /// In the order of [`CALL_FACETS`].
    values: [HashMap<&'a str, Count>; CALL_FACETS.len()],
    rules: HashMap<&'a str, Count>,
    intents: HashMap<&'a str, Count>,
    emotions: [Count; 8],
    scores: [Count; SCORE_BANDS.len()],
}

/// Scores below a limit, by what is written after `score:` for those of a band.
const SCORE_BANDS: [(f64, &str); 5] = [
    (60.0, "<60"),
    (70.0, "[60 TO 70}"),
    (80.0, "[70 TO 80}"),
    (90.0, "[80 TO 90}"),
    (f64::INFINITY, ">=90"),
];

/// Hits of one call, by what the lines say of each: who spoke, and how.
#[derive(Default)]
pub(crate) struct ByVoice {
    party: [u32; 4],
    emotion: [u32; 8],
}

impl ByVoice {
    #[inline]
    pub(crate) fn add(&mut self, lines: &Lines, doc: DocId) {
        let (party, emotion) = lines.voice(doc);
        self.party[party as usize] += 1;
        self.emotion[emotion as usize] += 1;
    }
}

/// Counts the hits of one segment.
pub(crate) struct SegmentCounter<'a> {
    mode: FacetMode,
    calls: &'a Calls,
    values: [&'a Values; CALL_FACETS.len()],
    counts: [Vec<Count>; CALL_FACETS.len()],
    party: [Count; 4],
    rules: NameCounter<'a>,
    intents: NameCounter<'a>,
    emotions: [Count; 8],
    scores: [Count; SCORE_BANDS.len()],
}

impl<'a> SegmentCounter<'a> {
    pub(crate) fn new(files: &'a SegmentFiles, mode: FacetMode) -> Self {
        let (calls, marks) = (files.calls.as_ref(), files.marks.as_ref());
        let values = CALL_FACETS.map(|facet| calls.values(facet));
        let counts = match mode {
            FacetMode::Count => values.map(|values| vec![(0, 0); values.names.len()]),
            FacetMode::Skip => Default::default(),
        };
        Self {
            mode,
            calls,
            values,
            counts,
            party: Default::default(),
            rules: NameCounter::new(&marks.rules, Some(&marks.call_rules)),
            intents: NameCounter::new(&marks.intents, None),
            emotions: Default::default(),
            scores: Default::default(),
        }
    }

    /// Counts the hits of one call, by its place and its first document. Calls come in order, and so do their hits.
    pub(crate) fn count(
        &mut self,
        call: usize,
        start: DocId,
        hits: &[(DocId, f32)],
        by_voice: &ByVoice,
    ) {
        if self.mode == FacetMode::Skip {
            return;
        }
        let n_hits = hits.len() as u64;
        let totals = self.party.iter_mut().chain(&mut self.emotions);
        for (total, &n_hits) in totals.zip(by_voice.party.iter().chain(&by_voice.emotion)) {
            plus(total, (u64::from(n_hits), u64::from(n_hits > 0)));
        }
        for (values, counts) in self.values.iter().zip(&mut self.counts) {
            let value = values.by_call.get(call).copied().unwrap_or(NO_VALUE);
            if let Some(total) = counts.get_mut(value as usize) {
                plus(total, (n_hits, 1));
            }
        }
        let score = self.calls.score(call);
        // No score is not a number, and below no limit.
        let band = SCORE_BANDS.iter().position(|(limit, _)| score < *limit);
        if let Some(total) = band.and_then(|band| self.scores.get_mut(band)) {
            plus(total, (n_hits, 1));
        }
        self.rules.count(start, hits);
        self.intents.count(start, hits);
    }

    pub(crate) fn finish(self) -> FacetCounts<'a> {
        let mut found = FacetCounts {
            rules: self.rules.finish(),
            intents: self.intents.finish(),
            emotions: self.emotions,
            scores: self.scores,
            party: self.party,
            ..FacetCounts::default()
        };
        let values = self.values.into_iter().zip(self.counts);
        for ((values, counts), total) in values.zip(&mut found.values) {
            *total = named(&values.names, counts);
        }
        found
    }
}

/// The values that have hits.
fn named(names: &[String], counts: Vec<Count>) -> HashMap<&str, Count> {
    let counts = names.iter().map(String::as_str).zip(counts);
    counts.filter(|(_, count)| count.0 > 0).collect()
}

/// Counts the names of hits, and those of their calls.
struct NameCounter<'a> {
    names: Vec<&'a str>,
    of_hits: NamesInOrder<'a>,
    of_calls: Option<NamesInOrder<'a>>,
    /// For each name of a call its place in [`Self::names`].
    call_names: Vec<usize>,
    counts: Vec<Count>,
    /// For each name the call it was last counted in: once for the call, or for all hits of it.
    seen_in: Vec<Option<DocId>>,
    whole_in: Vec<Option<DocId>>,
}

impl<'a> NameCounter<'a> {
    fn new(hits: &'a Named, calls: Option<&'a Named>) -> Self {
        let mut names: Vec<&str> = hits.names.iter().map(String::as_str).collect();
        let of_calls = calls.map_or(&[][..], |calls| &calls.names);
        let call_names = of_calls.iter().map(|name| {
            hits.names.binary_search(name).unwrap_or_else(|_| {
                names.push(name);
                names.len() - 1
            })
        });
        let call_names = call_names.collect();
        let n_names = names.len();
        Self {
            names,
            of_hits: NamesInOrder::new(hits),
            of_calls: calls.map(NamesInOrder::new),
            call_names,
            counts: vec![(0, 0); n_names],
            seen_in: vec![None; n_names],
            whole_in: vec![None; n_names],
        }
    }

    fn count(&mut self, start: DocId, hits: &[(DocId, f32)]) {
        let of_call = self
            .of_calls
            .as_mut()
            .map_or(&[][..], |calls| calls.of(start, start));
        for &(_, name) in of_call {
            if let Some(&name) = self.call_names.get(name as usize) {
                plus(&mut self.counts[name], (hits.len() as u64, 1));
                self.whole_in[name] = Some(start);
            }
        }
        let (Some(first), Some(last)) = (hits.first(), hits.last()) else {
            return;
        };
        let mut rest = hits;
        for &(doc, name) in self.of_hits.of(first.0, last.0) {
            while let [(before, _), after @ ..] = rest
                && *before < doc
            {
                rest = after;
            }
            let name = name as usize;
            let is_hit = rest.first().is_some_and(|hit| hit.0 == doc);
            if is_hit && self.whole_in[name] != Some(start) {
                let is_first = self.seen_in[name] != Some(start);
                plus(&mut self.counts[name], (1, u64::from(is_first)));
                self.seen_in[name] = Some(start);
            }
        }
    }

    fn finish(self) -> HashMap<&'a str, Count> {
        let counts = self.names.into_iter().zip(self.counts);
        counts.filter(|(_, count)| count.0 > 0).collect()
    }
}

fn plus(total: &mut Count, more: Count) {
    *total = (total.0 + more.0, total.1 + more.1);
}

impl<'a> FacetCounts<'a> {
    pub(crate) fn add(&mut self, other: Self) {
        let add_all = |totals: &mut HashMap<&'a str, Count>, counts: HashMap<&'a str, Count>| {
            for (value, more) in counts {
                plus(totals.entry(value).or_default(), more);
            }
        };
        let totals = self.party.iter_mut().chain(&mut self.emotions);
        let totals = totals.chain(&mut self.scores);
        let others = other.party.into_iter().chain(other.emotions);
        for (total, more) in totals.zip(others.chain(other.scores)) {
            plus(total, more);
        }
        for (totals, counts) in self.values.iter_mut().zip(other.values) {
            add_all(totals, counts);
        }
        add_all(&mut self.rules, other.rules);
        add_all(&mut self.intents, other.intents);
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
        let emotions = (0..).zip(self.emotions).filter_map(|(number, count)| {
            let label = emotion_of(number).filter(|_| count.0 > 0)?;
            Some((label.as_str(), count))
        });
        let emotions = most_first(emotions);
        let scores = SCORE_BANDS.iter().zip(self.scores);
        let scores = scores.filter(|(_, count)| count.0 > 0);
        let [agent, campaign, region, days] = self.values;
        let mut months: HashMap<&str, Count> = HashMap::new();
        for (day, count) in &days {
            if let Some((month, _)) = day.rsplit_once('-') {
                plus(months.entry(month).or_default(), *count);
            }
        }
        Facets {
            party,
            agent: most_first(agent),
            campaign: most_first(campaign),
            region: most_first(region),
            rule: most_first(self.rules),
            emotion: emotions,
            intent: most_first(self.intents),
            score: scores
                .map(|((_, band), count)| facet((band, count)))
                .collect(),
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

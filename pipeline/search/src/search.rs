//! Running a query: find every hit, group by call, show one page.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use tantivy::query::{EnableScoring, Query, Weight};
use tantivy::{DocId, DocSet, Executor, SegmentReader, TERMINATED};

use crate::calls::{CALL_FACETS, Calls, NO_VALUE, Values};
use crate::compile::{Compiled, Compiler, Lead};
use crate::lines::party_of;
use crate::place::Place;
use crate::queries::{SegmentFiles, Snapshot};
use crate::query::Node;
use crate::results::{
    CallHits, ContextLine, FacetCount, FacetMode, Facets, Hit, MAX_CONTEXT, MAX_FACET_VALUES,
    MAX_HITS_PER_CALL, MAX_LIMIT, SearchRequest, SearchResults, Sort,
};
use crate::schema::Fields;
use crate::show::{Shower, joined};

/// What each doubling of a call's hits adds to its relevance.
const MORE_HITS: f32 = 0.1;

/// Runs a query that has been read.
pub(crate) fn search(
    fields: &Fields,
    snapshot: &Snapshot,
    executor: &Executor,
    node: &Node,
    request: &SearchRequest,
) -> tantivy::Result<SearchResults> {
    let compiled = Compiler { fields, snapshot }.compile(node)?;
    let searcher = &snapshot.searcher;
    let weight = compiled
        .query
        .weight(EnableScoring::enabled_from_searcher(searcher))?;
    let scan = |(segment, reader): (usize, &SegmentReader)| {
        let files = snapshot.files(reader)?;
        scan_segment(
            weight.as_ref(),
            segment as u32,
            reader,
            files,
            request.facets,
        )
    };
    let found = executor.map(scan, searcher.segment_readers().iter().enumerate())?;

    let mut facets = FacetCounts::default();
    let mut calls = Vec::new();
    let mut hits = Vec::with_capacity(found.len());
    for segment in found {
        facets.add(segment.facets);
        calls.extend(segment.calls);
        hits.push(segment.hits);
    }
    let total_hits = hits.iter().map(|hits| hits.len() as u64).sum();
    let total_calls = calls.len() as u64;
    let page = page_of(calls, request);
    let calls = show_page(fields, snapshot, &hits, &compiled, &page, request)?;
    Ok(SearchResults {
        total_hits,
        total_calls,
        calls,
        facets: facets.finish(request.facets),
    })
}

/// One call with hits.
#[derive(Clone, Copy, Debug)]
struct CallFound {
    segment: u32,
    start: DocId,
    /// The call's hits, as a range of the segment's.
    first_hit: u32,
    n_hits: u32,
    relevance: f32,
    started: Option<i64>,
}

struct SegmentFound {
    /// Every hit with its relevance, in order.
    hits: Vec<(DocId, f32)>,
    calls: Vec<CallFound>,
    facets: FacetCounts,
}

fn scan_segment(
    weight: &dyn Weight,
    segment: u32,
    reader: &SegmentReader,
    files: &SegmentFiles,
    mode: FacetMode,
) -> tantivy::Result<SegmentFound> {
    let mut scorer = weight.scorer(reader, 1.0)?;
    let (alive, lines) = (reader.alive_bitset(), files.lines.as_ref());
    let mut counter = SegmentCounter::new(&files.calls, mode);
    let mut hits = Vec::with_capacity(scorer.size_hint() as usize / 4);
    let mut calls: Vec<CallFound> = Vec::new();
    let mut place = 0;
    let mut doc = scorer.doc();
    while doc != TERMINATED {
        let start = lines.call_start(doc);
        // All utterances of a call are deleted together.
        if alive.is_some_and(|alive| !alive.is_alive(start)) {
            doc = scorer.advance();
            continue;
        }
        let first_hit = hits.len();
        let mut best = 0.0f32;
        let mut by_party = [0u32; 4];
        while doc != TERMINATED && lines.call_start(doc) == start {
            let score = scorer.score();
            best = best.max(score);
            by_party[lines.party(doc) as usize] += 1;
            hits.push((doc, score));
            doc = scorer.advance();
        }
        let n_hits = (hits.len() - first_hit) as u32;
        place = lines.call_place(start, place);
        counter.count(place, n_hits, &by_party);
        calls.push(CallFound {
            segment,
            start,
            first_hit: first_hit as u32,
            n_hits,
            relevance: best * (1.0 + MORE_HITS * (n_hits as f32).log2()),
            started: files.calls.started(place),
        });
    }
    let facets = counter.finish();
    Ok(SegmentFound {
        hits,
        calls,
        facets,
    })
}

/// The calls of the page that was asked for, in order.
fn page_of(mut calls: Vec<CallFound>, request: &SearchRequest) -> Vec<CallFound> {
    let end = request.offset.saturating_add(request.limit.min(MAX_LIMIT));
    let newer_first = |a: &CallFound, b: &CallFound| b.started.cmp(&a.started);
    let as_added = |a: &CallFound, b: &CallFound| (a.segment, a.start).cmp(&(b.segment, b.start));
    let order = |a: &CallFound, b: &CallFound| -> Ordering {
        let first = match request.sort {
            Sort::Relevance => b.relevance.total_cmp(&a.relevance),
            Sort::Newest => Ordering::Equal,
            Sort::Oldest => match (a.started, b.started) {
                (Some(a), Some(b)) => a.cmp(&b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            },
        };
        first
            .then_with(|| newer_first(a, b))
            .then_with(|| as_added(a, b))
    };
    if end < calls.len() {
        calls.select_nth_unstable_by(end, order);
        calls.truncate(end);
    }
    calls.sort_unstable_by(order);
    calls.drain(..request.offset.min(calls.len()));
    calls
}

fn show_page(
    fields: &Fields,
    snapshot: &Snapshot,
    hits: &[Vec<(DocId, f32)>],
    compiled: &Compiled,
    page: &[CallFound],
    request: &SearchRequest,
) -> tantivy::Result<Vec<CallHits>> {
    // Scorers only go forward: calls are read by segment and place, then put back in order.
    let mut order: Vec<usize> = (0..page.len()).collect();
    order.sort_by_key(|&index| (page[index].segment, page[index].start));
    let mut shown: Vec<(usize, CallHits)> = Vec::with_capacity(page.len());
    for group in order.chunk_by(|&a, &b| page[a].segment == page[b].segment) {
        let Some(segment) = group.first().map(|&index| page[index].segment) else {
            continue;
        };
        let reader = snapshot.searcher.segment_reader(segment);
        let lines = snapshot.lines(reader)?;
        let shower = Shower {
            fields,
            snapshot,
            segment,
            lines: Arc::clone(&lines),
        };
        let calls: Vec<(DocId, DocId)> = group
            .iter()
            .map(|&index| (page[index].start, lines.call_end(page[index].start)))
            .collect();
        let mut leads = Vec::with_capacity(compiled.leads.len());
        for lead in &compiled.leads {
            leads.push(LeadDocs::collect(lead, snapshot, reader, &calls)?);
        }
        for (&index, &(start, end)) in group.iter().zip(&calls) {
            let found = &page[index];
            let range = found.first_hit as usize..(found.first_hit + found.n_hits) as usize;
            let of_call = hits.get(segment as usize).and_then(|hits| hits.get(range));
            let call = ShownCall {
                shower: &shower,
                compiled,
                leads: &leads,
                start,
                end,
            };
            let of_call = of_call.unwrap_or(&[]).to_vec();
            shown.push((index, call.show(found, of_call, request)?));
        }
    }
    shown.sort_by_key(|(index, _)| *index);
    Ok(shown.into_iter().map(|(_, call)| call).collect())
}

struct ShownCall<'a> {
    shower: &'a Shower<'a>,
    compiled: &'a Compiled,
    leads: &'a [LeadDocs],
    start: DocId,
    end: DocId,
}

impl ShownCall<'_> {
    fn show(
        &self,
        found: &CallFound,
        mut hits: Vec<(DocId, f32)>,
        request: &SearchRequest,
    ) -> tantivy::Result<CallHits> {
        hits.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        hits.truncate(request.hits_per_call.clamp(1, MAX_HITS_PER_CALL));
        hits.sort_by_key(|(doc, _)| *doc);
        let mut shown = Vec::with_capacity(hits.len());
        for (doc, relevance) in hits {
            shown.push(self.hit(doc, relevance, request.context.min(MAX_CONTEXT))?);
        }
        let header = self.shower.header(self.start)?;
        Ok(CallHits {
            call_id: header.call_id,
            file: header.file,
            engine: header.engine,
            duration_ms: header.duration_ms,
            metadata: header.metadata,
            score: header.score,
            relevance: found.relevance,
            total_hits: found.n_hits,
            hits: shown,
        })
    }

    fn hit(&self, doc: DocId, relevance: f32, context: u32) -> tantivy::Result<Hit> {
        let mut hit = self.shower.hit(doc, &self.compiled.places, relevance)?;
        let first = doc.saturating_sub(context).max(self.start);
        let last = doc.saturating_add(context).min(self.end - 1);
        for near in first..doc {
            hit.before.push(self.shower.context(near, &[])?);
        }
        for near in doc + 1..=last {
            hit.after.push(self.shower.context(near, &[])?);
        }
        for lead in self.leads {
            lead.lead_to(doc, self.shower, &mut hit.led_by)?;
        }
        hit.led_by.sort_by_key(|line| line.utterance);
        hit.led_by.dedup_by(|again, first| {
            let is_same = again.utterance == first.utterance;
            if is_same {
                first.highlights.append(&mut again.highlights);
                joined(&mut first.highlights);
            }
            is_same
        });
        Ok(hit)
    }
}

/// What may have been said earlier in the calls of a page.
struct LeadDocs {
    within: u32,
    places: Vec<Arc<Place>>,
    docs: Vec<DocId>,
    /// What they may lead to.
    rights: Vec<DocId>,
    earlier: Vec<LeadDocs>,
}

/// The documents of some calls that answer a query.
fn docs_of(
    query: &dyn Query,
    snapshot: &Snapshot,
    reader: &SegmentReader,
    calls: &[(DocId, DocId)],
) -> tantivy::Result<Vec<DocId>> {
    let scoring = EnableScoring::enabled_from_searcher(&snapshot.searcher);
    let mut scorer = query.weight(scoring)?.scorer(reader, 1.0)?;
    let mut docs = Vec::new();
    for &(start, end) in calls {
        let mut doc = match scorer.doc() < start {
            true => scorer.seek(start),
            false => scorer.doc(),
        };
        while doc < end {
            docs.push(doc);
            doc = scorer.advance();
        }
    }
    Ok(docs)
}

impl LeadDocs {
    fn collect(
        lead: &Lead,
        snapshot: &Snapshot,
        reader: &SegmentReader,
        calls: &[(DocId, DocId)],
    ) -> tantivy::Result<Self> {
        let earlier = lead
            .compiled
            .leads
            .iter()
            .map(|lead| Self::collect(lead, snapshot, reader, calls))
            .collect::<tantivy::Result<_>>()?;
        Ok(Self {
            within: lead.within,
            places: lead.compiled.places.clone(),
            docs: docs_of(lead.compiled.query.as_ref(), snapshot, reader, calls)?,
            rights: docs_of(lead.right.as_ref(), snapshot, reader, calls)?,
            earlier,
        })
    }

    /// Adds the last utterance that leads to `doc`, and what led to that one.
    fn lead_to(
        &self,
        doc: DocId,
        shower: &Shower<'_>,
        out: &mut Vec<ContextLine>,
    ) -> tantivy::Result<()> {
        if self.rights.binary_search(&doc).is_err() {
            return Ok(());
        }
        let before = self.docs.partition_point(|&lead| lead < doc);
        let earliest = shower.lines.turns_before(doc, self.within);
        let last = before.checked_sub(1).and_then(|index| self.docs.get(index));
        if let Some(&lead) = last.filter(|&&lead| lead >= earliest) {
            for earlier in &self.earlier {
                earlier.lead_to(lead, shower, out)?;
            }
            out.push(shower.context(lead, &self.places)?);
        }
        Ok(())
    }
}

/// Hits and calls.
type Count = (u64, u64);

/// Counts by value over any number of segments.
#[derive(Default)]
struct FacetCounts {
    party: [Count; 4],
    /// In the order of [`CALL_FACETS`].
    values: [HashMap<String, Count>; CALL_FACETS.len()],
}

/// Counts the hits of one segment.
struct SegmentCounter<'a> {
    values: [&'a Values; CALL_FACETS.len()],
    counts: [Vec<Count>; CALL_FACETS.len()],
    party: [Count; 4],
}

impl<'a> SegmentCounter<'a> {
    fn new(calls: &'a Calls, mode: FacetMode) -> Self {
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

    fn count(&mut self, call: usize, n_hits: u32, by_party: &[u32; 4]) {
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

    fn finish(self) -> FacetCounts {
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
            total.extend(named.map(|(name, count)| (name.clone(), count)));
        }
        found.party = self.party;
        found
    }
}

impl FacetCounts {
    fn add(&mut self, other: Self) {
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

    fn finish(self, mode: FacetMode) -> Facets {
        if mode == FacetMode::Skip {
            return Facets::default();
        }
        let party = self
            .party
            .iter()
            .enumerate()
            .filter(|(_, count)| count.0 > 0)
            .map(|(number, &count)| facet(party_of(number as u32).as_str().to_owned(), count));
        let party = most_first(party);
        let [agent, campaign, region, days] = self.values;
        let mut months: HashMap<String, Count> = HashMap::new();
        for (day, count) in &days {
            if let Some((month, _)) = day.rsplit_once('-') {
                let total = months.entry(month.to_owned()).or_default();
                *total = (total.0 + count.0, total.1 + count.1);
            }
        }
        Facets {
            party,
            agent: most_first(facets(agent)),
            campaign: most_first(facets(campaign)),
            region: most_first(facets(region)),
            month: by_value(facets(months)),
            day: by_value(facets(days)),
        }
    }
}

fn facets(counts: HashMap<String, Count>) -> impl Iterator<Item = FacetCount> {
    counts.into_iter().map(|(value, count)| facet(value, count))
}

fn by_value(counts: impl Iterator<Item = FacetCount>) -> Vec<FacetCount> {
    let mut counts: Vec<FacetCount> = counts.collect();
    counts.sort_by(|a, b| a.value.cmp(&b.value));
    counts
}

const fn facet(value: String, (hits, calls): Count) -> FacetCount {
    FacetCount { value, hits, calls }
}

fn most_first(counts: impl Iterator<Item = FacetCount>) -> Vec<FacetCount> {
    let mut counts: Vec<FacetCount> = counts.collect();
    counts.sort_by(|a, b| (Reverse(a.hits), &a.value).cmp(&(Reverse(b.hits), &b.value)));
    counts.truncate(MAX_FACET_VALUES);
    counts
}

//! Running a query: find every hit, group by call, show one page.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use tantivy::query::{EnableScoring, Weight};
use tantivy::{DocId, DocSet, Executor, SegmentReader, TERMINATED};

use crate::compile::{Compiled, Compiler, Lead};
use crate::date::{day_name, day_of};
use crate::lines::{Lines, party_of};
use crate::place::Place;
use crate::queries::Snapshot;
use crate::query::Node;
use crate::results::{
    CallHits, ContextLine, FacetCount, FacetMode, Facets, Hit, MAX_FACET_VALUES, MAX_LIMIT,
    SearchRequest, SearchResults, Sort,
};
use crate::schema::Fields;
use crate::show::Shower;

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
        let lines = snapshot.lines(reader)?;
        scan_segment(weight.as_ref(), segment as u32, reader, &lines, request)
    };
    let found = executor.map(scan, searcher.segment_readers().iter().enumerate())?;

    let mut facets = FacetCounts::default();
    let mut calls = Vec::new();
    let mut total_hits = 0;
    for segment in found {
        total_hits += segment.hits;
        facets.add(segment.facets);
        calls.extend(segment.calls);
    }
    let total_calls = calls.len() as u64;
    let page = page_of(calls, request);
    let calls = show_page(fields, snapshot, weight.as_ref(), &compiled, &page, request)?;
    Ok(SearchResults {
        total_hits,
        total_calls,
        calls,
        facets: facets.finish(),
    })
}

/// One call with hits.
#[derive(Clone, Copy, Debug)]
struct CallFound {
    segment: u32,
    start: DocId,
    n_hits: u32,
    relevance: f32,
    started: Option<i64>,
}

struct SegmentFound {
    hits: u64,
    calls: Vec<CallFound>,
    facets: FacetCounts,
}

fn scan_segment(
    weight: &dyn Weight,
    segment: u32,
    reader: &SegmentReader,
    lines: &Lines,
    request: &SearchRequest,
) -> tantivy::Result<SegmentFound> {
    let mut scorer = weight.scorer(reader, 1.0)?;
    let alive = reader.alive_bitset();
    let mut counter = SegmentCounter::open(reader, request.facets)?;
    let mut found = SegmentFound {
        hits: 0,
        calls: Vec::new(),
        facets: FacetCounts::default(),
    };
    let mut doc = scorer.doc();
    while doc != TERMINATED {
        let start = lines.call_start(doc);
        // All utterances of a call are deleted together.
        if alive.is_some_and(|alive| !alive.is_alive(start)) {
            doc = scorer.advance();
            continue;
        }
        let mut call = CallFound {
            segment,
            start,
            n_hits: 0,
            relevance: 0.0,
            started: None,
        };
        let mut by_party = [0u32; 4];
        while doc != TERMINATED && lines.call_start(doc) == start {
            call.n_hits += 1;
            call.relevance = call.relevance.max(scorer.score());
            by_party[lines.party(doc) as usize] += 1;
            doc = scorer.advance();
        }
        call.relevance *= 1.0 + MORE_HITS * (call.n_hits as f32).log2();
        call.started = counter.started(start);
        counter.count(&call, &by_party);
        found.hits += u64::from(call.n_hits);
        found.calls.push(call);
    }
    found.facets = counter.finish()?;
    Ok(found)
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
    weight: &dyn Weight,
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
        let mut scorer = weight.scorer(reader, 1.0)?;
        for (&index, &(start, end)) in group.iter().zip(&calls) {
            let mut hits = Vec::new();
            let mut doc = if scorer.doc() < start {
                scorer.seek(start)
            } else {
                scorer.doc()
            };
            while doc < end {
                hits.push((doc, scorer.score()));
                doc = scorer.advance();
            }
            let page_call = &page[index];
            let call = ShownCall {
                shower: &shower,
                compiled,
                leads: &leads,
                start,
                end,
            };
            shown.push((index, call.show(page_call, hits, request)?));
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
        hits.truncate(request.hits_per_call.max(1));
        hits.sort_by_key(|(doc, _)| *doc);
        let mut shown = Vec::with_capacity(hits.len());
        for (doc, relevance) in hits {
            shown.push(self.hit(doc, relevance, request.context)?);
        }
        let header = self.shower.header(self.start)?;
        Ok(CallHits {
            call_id: header.call_id,
            file: header.file,
            engine: header.engine,
            duration_ms: header.duration_ms,
            agent: header.agent,
            campaign: header.campaign,
            region: header.region,
            started_at: header.started_at,
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
            lead.lead_to(doc, self.start, self.shower, &mut hit.led_by)?;
        }
        hit.led_by.sort_by_key(|line| line.turn);
        Ok(hit)
    }
}

/// What may have been said earlier in the calls of a page.
struct LeadDocs {
    within: u32,
    places: Vec<Arc<Place>>,
    docs: Vec<DocId>,
    earlier: Vec<LeadDocs>,
}

impl LeadDocs {
    fn collect(
        lead: &Lead,
        snapshot: &Snapshot,
        reader: &SegmentReader,
        calls: &[(DocId, DocId)],
    ) -> tantivy::Result<Self> {
        let scoring = EnableScoring::enabled_from_searcher(&snapshot.searcher);
        let mut scorer = lead.compiled.query.weight(scoring)?.scorer(reader, 1.0)?;
        let mut docs = Vec::new();
        for &(start, end) in calls {
            let mut doc = if scorer.doc() < start {
                scorer.seek(start)
            } else {
                scorer.doc()
            };
            while doc < end {
                docs.push(doc);
                doc = scorer.advance();
            }
        }
        let earlier = lead
            .compiled
            .leads
            .iter()
            .map(|lead| Self::collect(lead, snapshot, reader, calls))
            .collect::<tantivy::Result<_>>()?;
        Ok(Self {
            within: lead.within,
            places: lead.compiled.places.clone(),
            docs,
            earlier,
        })
    }

    /// Adds the last utterance that leads to `doc`, and what led to that one.
    fn lead_to(
        &self,
        doc: DocId,
        call_start: DocId,
        shower: &Shower<'_>,
        out: &mut Vec<ContextLine>,
    ) -> tantivy::Result<()> {
        let before = self.docs.partition_point(|&lead| lead < doc);
        let earliest = doc.saturating_sub(self.within).max(call_start);
        let last = before.checked_sub(1).and_then(|index| self.docs.get(index));
        if let Some(&lead) = last.filter(|&&lead| lead >= earliest) {
            for earlier in &self.earlier {
                earlier.lead_to(lead, call_start, shower, out)?;
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
    texts: [HashMap<String, Count>; 3],
    days: HashMap<i64, Count>,
}

/// The columns of a segment that facets are counted by.
struct SegmentCounter {
    started: Option<tantivy::columnar::Column<i64>>,
    mode: FacetMode,
    texts: Vec<Option<(tantivy::columnar::StrColumn, Vec<Count>)>>,
    counts: FacetCounts,
}

/// The fields that have facets, in the order of [`Facets`].
const TEXT_FACETS: [&str; 3] = ["agent", "campaign", "region"];

impl SegmentCounter {
    fn open(reader: &SegmentReader, mode: FacetMode) -> tantivy::Result<Self> {
        let fast = reader.fast_fields();
        let mut texts = Vec::new();
        for name in TEXT_FACETS {
            let column = match mode {
                FacetMode::Count => fast.str(name)?,
                FacetMode::Skip => None,
            };
            texts.push(column.map(|column| {
                let counts = vec![(0, 0); column.num_terms()];
                (column, counts)
            }));
        }
        let started = fast.column_opt::<i64>("started")?;
        Ok(Self {
            started,
            mode,
            texts,
            counts: FacetCounts::default(),
        })
    }

    fn started(&self, call_start: DocId) -> Option<i64> {
        self.started
            .as_ref()
            .and_then(|column| column.first(call_start))
    }

    fn count(&mut self, call: &CallFound, by_party: &[u32; 4]) {
        if self.mode == FacetMode::Skip {
            return;
        }
        let hits = u64::from(call.n_hits);
        for (total, &party_hits) in self.counts.party.iter_mut().zip(by_party) {
            total.0 += u64::from(party_hits);
            total.1 += u64::from(party_hits > 0);
        }
        for (column, counts) in self.texts.iter_mut().flatten() {
            let value = column.term_ords(call.start).next();
            if let Some(total) = value.and_then(|value| counts.get_mut(value as usize)) {
                total.0 += hits;
                total.1 += 1;
            }
        }
        if let Some(started) = call.started {
            let total = self.counts.days.entry(day_of(started)).or_default();
            total.0 += hits;
            total.1 += 1;
        }
    }

    fn finish(mut self) -> tantivy::Result<FacetCounts> {
        for (column, total) in self.texts.into_iter().zip(&mut self.counts.texts) {
            let Some((column, counts)) = column else {
                continue;
            };
            for (value, count) in counts
                .into_iter()
                .enumerate()
                .filter(|(_, count)| count.0 > 0)
            {
                let mut name = String::new();
                column.ord_to_str(value as u64, &mut name)?;
                total.insert(name, count);
            }
        }
        Ok(self.counts)
    }
}

impl FacetCounts {
    fn add(&mut self, other: Self) {
        let plus = |total: &mut Count, more: Count| *total = (total.0 + more.0, total.1 + more.1);
        for (total, more) in self.party.iter_mut().zip(other.party) {
            plus(total, more);
        }
        for (totals, counts) in self.texts.iter_mut().zip(other.texts) {
            for (value, more) in counts {
                plus(totals.entry(value).or_default(), more);
            }
        }
        for (day, more) in other.days {
            plus(self.days.entry(day).or_default(), more);
        }
    }

    fn finish(self) -> Facets {
        let party = self
            .party
            .iter()
            .enumerate()
            .filter(|(_, count)| count.0 > 0)
            .map(|(number, &count)| facet(party_of(number as u32).as_str().to_owned(), count));
        let mut months: HashMap<String, Count> = HashMap::new();
        let mut days: Vec<FacetCount> = Vec::with_capacity(self.days.len());
        for (day, count) in self.days {
            let name = day_name(day);
            if let Some((month, _)) = name.rsplit_once('-') {
                let total = months.entry(month.to_owned()).or_default();
                *total = (total.0 + count.0, total.1 + count.1);
            }
            days.push(facet(name, count));
        }
        days.sort_by(|a, b| a.value.cmp(&b.value));
        let mut months: Vec<_> = months
            .into_iter()
            .map(|(month, count)| facet(month, count))
            .collect();
        months.sort_by(|a, b| a.value.cmp(&b.value));
        let [agent, campaign, region] = self
            .texts
            .map(|counts| most_first(counts.into_iter().map(|(value, count)| facet(value, count))));
        Facets {
            party: most_first(party),
            agent,
            campaign,
            region,
            month: months,
            day: days,
        }
    }
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

//! Running a query: find every hit, group by call, show one page.

use std::cmp::Ordering;
use std::sync::Arc;

use tantivy::query::{EnableScoring, Query, Weight};
use tantivy::{DocId, DocSet, Executor, SegmentReader, TERMINATED};

use crate::compile::{Compiled, Compiler, Lead};
use crate::facets::{ByVoice, FacetCounts, SegmentCounter};
use crate::moments::moments;
use crate::place::Place;
use crate::queries::{SegmentFiles, Snapshot};
use crate::query::Node;
use crate::results::{
    CallHits, ContextLine, Hit, MAX_CONTEXT, MAX_HITS_PER_CALL, MAX_LIMIT, SearchRequest,
    SearchResults, Sort,
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
        scan_segment(weight.as_ref(), segment as u32, reader, files, request)
    };
    let found = executor.map(scan, searcher.segment_readers().iter().enumerate())?;

    let mut facets = FacetCounts::default();
    let mut calls = Vec::new();
    let mut hits = Vec::with_capacity(found.len());
    let mut total_calls = 0;
    for segment in found {
        facets.add(segment.facets);
        calls.extend(segment.best_calls);
        hits.push(segment.hits);
        total_calls += segment.n_calls;
    }
    let total_hits = hits.iter().map(|hits| hits.len() as u64).sum();
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

struct SegmentFound<'a> {
    /// Every hit with its relevance, in order.
    hits: Vec<(DocId, f32)>,
    n_calls: u64,
    /// As many as the pages up to the one asked for can show.
    best_calls: Vec<CallFound>,
    facets: FacetCounts<'a>,
}

fn scan_segment<'a>(
    weight: &dyn Weight,
    segment: u32,
    reader: &SegmentReader,
    files: &'a SegmentFiles,
    request: &SearchRequest,
) -> tantivy::Result<SegmentFound<'a>> {
    let mut scorer = weight.scorer(reader, 1.0)?;
    let (alive, lines) = (reader.alive_bitset(), files.lines.as_ref());
    let mut counter = SegmentCounter::new(files, request.facets);
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
        let mut by_voice = ByVoice::default();
        while doc != TERMINATED && lines.call_start(doc) == start {
            let score = scorer.score();
            best = best.max(score);
            by_voice.add(lines, doc);
            hits.push((doc, score));
            doc = scorer.advance();
        }
        let n_hits = (hits.len() - first_hit) as u32;
        place = lines.call_place(start, place);
        counter.count(place, start, &hits[first_hit..], &by_voice);
        calls.push(CallFound {
            segment,
            start,
            first_hit: first_hit as u32,
            n_hits,
            relevance: best * (1.0 + MORE_HITS * (n_hits as f32).log2()),
            started: files.calls.started(place),
        });
    }
    let n_calls = calls.len() as u64;
    keep_best(&mut calls, request);
    Ok(SegmentFound {
        hits,
        n_calls,
        best_calls: calls,
        facets: counter.finish(),
    })
}

/// Which of two calls comes first.
fn order_of(a: &CallFound, b: &CallFound, sort: Sort) -> Ordering {
    let newer_first = b.started.cmp(&a.started);
    let as_added = (a.segment, a.start).cmp(&(b.segment, b.start));
    let first = match sort {
        Sort::Relevance => b.relevance.total_cmp(&a.relevance),
        Sort::Newest => Ordering::Equal,
        Sort::Oldest => match (a.started, b.started) {
            (Some(a), Some(b)) => a.cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
    };
    first.then(newer_first).then(as_added)
}

/// Keeps the first calls, up to the end of the page that was asked for; in no order.
fn keep_best(calls: &mut Vec<CallFound>, request: &SearchRequest) {
    let end = request.offset.saturating_add(request.limit.min(MAX_LIMIT));
    if end < calls.len() {
        calls.select_nth_unstable_by(end, |a, b| order_of(a, b, request.sort));
        calls.truncate(end);
    }
}

/// The calls of the page that was asked for, in order.
fn page_of(mut calls: Vec<CallFound>, request: &SearchRequest) -> Vec<CallFound> {
    keep_best(&mut calls, request);
    calls.sort_unstable_by(|a, b| order_of(a, b, request.sort));
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
            marks: Arc::clone(&snapshot.files(reader)?.marks),
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
        let n_shown = request.hits_per_call.clamp(1, MAX_HITS_PER_CALL);
        hits.truncate(n_shown);
        hits.sort_by_key(|(doc, _)| *doc);
        let mut shown = Vec::with_capacity(hits.len());
        for (doc, relevance) in hits {
            shown.push(self.hit(doc, relevance, request.context.min(MAX_CONTEXT))?);
        }
        let header = self.shower.header(self.start)?;
        let mut moments = match self.compiled.moments.as_slice() {
            [] => Vec::new(),
            tests => moments(&self.shower.placed(self.start)?, tests),
        };
        let total_moments = moments.len() as u32;
        moments.truncate(n_shown);
        Ok(CallHits {
            call_id: header.call_id,
            file: header.file,
            engine: header.engine,
            duration_ms: header.duration_ms,
            metadata: header.metadata,
            score: header.score,
            passed: header.passed,
            disposition: header.disposition,
            relevance: found.relevance,
            total_hits: found.n_hits,
            hits: shown,
            moments,
            total_moments,
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

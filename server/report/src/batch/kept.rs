//! The hits that are shown in full: for each rule the worst and newest.

use auricle_contracts::{CallId, Evidence, Hit, Party, Severity, Transcript};

use super::Detail;
use crate::format::{clipped, minute};
use crate::playable::Playable;

/// Longest text of a kept hit, characters.
const TEXT_MAX: usize = 240;
/// Most pieces of evidence of a kept hit.
const EVIDENCE_MAX: usize = 4;

/// What decides which hits are kept; the greatest are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    auto_fail: bool,
    severity: Severity,
    /// As written; calls of one centre are written in one zone.
    started_at: String,
    order: u64,
}

/// One hit as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeptHit {
    rank: Rank,
    pub(crate) call_id: CallId,
    pub(crate) has_page: bool,
    pub(crate) agent: Option<String>,
    pub(crate) started: String,
    pub(crate) party: Party,
    pub(crate) severity: Severity,
    pub(crate) auto_fail: bool,
    pub(crate) why: String,
    pub(crate) evidence: Vec<KeptEvidence>,
}

/// One piece of evidence as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeptEvidence {
    pub(crate) party: Party,
    pub(crate) words: String,
    pub(crate) start_ms: u64,
    pub(crate) url: Option<String>,
}

/// Where a hit stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) transcript: &'a Transcript,
    pub(crate) playable: &'a Playable,
    pub(crate) hit_idx: usize,
    /// Whether it fails the call, by its rule or by the card.
    pub(crate) auto_fail: bool,
    pub(crate) detail: Detail,
    /// Calls and hits in the order they came.
    pub(crate) order: u64,
}

/// The best of one rule's hits, at most so many.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeptHits {
    hits: Vec<KeptHit>,
}

impl KeptHits {
    /// Keeps the hit if it is among the `n_max` worst and newest.
    pub(crate) fn offer(&mut self, hit: &Hit, place: Place<'_>, n_max: usize) {
        let started_at = place.transcript.metadata.started_at.as_deref();
        let rank = Rank {
            auto_fail: place.auto_fail,
            severity: hit.severity,
            started_at: started_at.map(|text| clipped(text, 40)).unwrap_or_default(),
            order: place.order,
        };
        if self.hits.len() >= n_max {
            let mildest = self
                .hits
                .iter()
                .enumerate()
                .min_by(|(_, one), (_, other)| one.rank.cmp(&other.rank));
            match mildest.map(|(idx, mildest)| (idx, mildest.rank < rank)) {
                Some((idx, true)) => drop(self.hits.swap_remove(idx)),
                _ => return,
            }
        }
        self.hits.push(kept(hit, place, rank));
    }

    /// The worst and newest first.
    pub(crate) fn sorted(&self) -> Vec<&KeptHit> {
        let mut hits: Vec<&KeptHit> = self.hits.iter().collect();
        hits.sort_by(|one, other| other.rank.cmp(&one.rank));
        hits
    }
}

fn kept(hit: &Hit, place: Place<'_>, rank: Rank) -> KeptHit {
    let metadata = &place.transcript.metadata;
    KeptHit {
        rank,
        call_id: place.transcript.call_id.clone(),
        has_page: place.detail == Detail::Page,
        agent: metadata
            .agent
            .as_deref()
            .map(|agent| clipped(agent, TEXT_MAX)),
        started: metadata
            .started_at
            .as_deref()
            .map(minute)
            .unwrap_or_default(),
        party: hit.party,
        severity: hit.severity,
        auto_fail: place.auto_fail,
        why: clipped(&hit.why, TEXT_MAX),
        evidence: pieces(hit)
            .map(|piece| KeptEvidence {
                party: piece.party,
                words: clipped(&piece.words, TEXT_MAX),
                start_ms: piece.start_ms,
                url: place.playable.fragment(
                    Some(place.hit_idx),
                    (piece.start_ms, piece.end_ms),
                    "",
                ),
            })
            .take(EVIDENCE_MAX)
            .collect(),
    }
}

/// A hit's evidence; where it has none, the whole of its time.
pub(crate) fn pieces(hit: &Hit) -> impl Iterator<Item = Evidence> {
    let whole = hit.evidence.is_empty().then(|| Evidence {
        utterance: None,
        party: hit.party,
        start_ms: hit.start_ms,
        end_ms: hit.end_ms,
        words: String::new(),
    });
    hit.evidence.iter().cloned().chain(whole)
}

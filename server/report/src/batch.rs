//! A batch of assessed calls, added up call by call.

mod kept;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use auricle_contracts::{Assessment, CallMetadata, Hit, Party, Severity, Transcript};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

pub(crate) use self::kept::{KeptHit, KeptHits, Place, pieces};
pub(crate) use self::tally::{
    Distribution, EmotionTotal, Group, Mentions, PiiTotals, Quality, QuestionTotal, RuleTotal,
    TalkTotals, party_place, severity_place,
};
use crate::change::name_of;
use crate::format::minute;
use crate::playable::Playable;
use crate::table::Names;

/// How much of a batch is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// What the batch is called; `None` for a plain report.
    pub title: Option<String>,
    /// Hits of one rule that are kept in full, the worst and newest.
    pub n_hits_per_rule: usize,
    /// Hits of all rules that the page shows in full.
    pub n_hits_shown: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            title: None,
            n_hits_per_rule: 20,
            n_hits_shown: 300,
        }
    }
}

/// Whether a call has a page of its own beside the batch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Written at [`call_page_path`](crate::call_page_path); the batch's page leads there.
    Page,
    /// None.
    Nothing,
}

/// Many calls, added up. Holds sums, a small row for each call and the hits that are shown in full: about
/// 0.2 kB a call. Transcripts and assessments must be masked; nothing here masks.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) options: BatchOptions,
    pub(crate) quality: Quality,
    pub(crate) duration_ms: u64,
    pub(crate) scores: Option<Distribution>,
    pub(crate) satisfaction: Option<Distribution>,
    pub(crate) trend: Option<Distribution>,
    /// By rule, named `PACK/ID`.
    pub(crate) rules: BTreeMap<String, (RuleTotal, KeptHits)>,
    pub(crate) rule_names: Names,
    pub(crate) agents: BTreeMap<String, Group>,
    pub(crate) campaigns: BTreeMap<String, Group>,
    pub(crate) days: BTreeMap<Date, Quality>,
    pub(crate) emotions: [EmotionTotal; 3],
    pub(crate) talk: TalkTotals,
    pub(crate) intents: BTreeMap<String, Mentions>,
    pub(crate) dispositions: BTreeMap<String, u64>,
    pub(crate) pii: PiiTotals,
    pub(crate) questions: BTreeMap<String, QuestionTotal>,
    pub(crate) names: Names,
    pub(crate) rows: Vec<CallRow>,
    n_hits_seen: u64,
}

/// One call in the list of calls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CallRow {
    pub(crate) id: String,
    pub(crate) has_page: bool,
    /// Places in [`Batch::names`].
    pub(crate) agent: Option<usize>,
    pub(crate) campaign: Option<usize>,
    pub(crate) started: String,
    pub(crate) duration_ms: u64,
    pub(crate) score: Option<f32>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) n_violations: u32,
    pub(crate) worst: Option<Severity>,
    pub(crate) satisfaction: Option<f32>,
}

/// What a score card says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    AutoFail,
    Fail,
    Pass,
}

impl Batch {
    /// An empty batch.
    pub fn new(options: BatchOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Calls added so far.
    pub fn n_calls(&self) -> u64 {
        self.quality.n_calls
    }

    /// Adds one call. Both must be masked already. A call without the right number of utterances' insights
    /// is counted as far as they go.
    pub fn add(
        &mut self,
        transcript: &Transcript,
        assessment: &Assessment,
        playable: &Playable,
        detail: Detail,
    ) {
        let quality = quality_of(assessment);
        self.quality.merge(&quality);
        self.duration_ms = self.duration_ms.saturating_add(transcript.duration_ms);
        self.add_groups(&transcript.metadata, assessment, &quality);
        self.add_hits(transcript, assessment, playable, detail);
        self.add_scores(assessment);
        self.add_emotions(transcript, assessment);
        self.add_talk(transcript, assessment);
        self.add_intents(assessment);
        self.add_pii(assessment);
        self.add_row(transcript, assessment, detail);
    }

    fn add_groups(&mut self, metadata: &CallMetadata, assessment: &Assessment, quality: &Quality) {
        if let Some(date) = metadata.started_at.as_deref().and_then(day) {
            self.days.entry(date).or_default().merge(quality);
        }
        let mut broken: BTreeMap<usize, u64> = BTreeMap::new();
        for hit in violations(assessment) {
            *broken
                .entry(self.rule_names.place(&name_of(hit)))
                .or_default() += 1;
        }
        let named = |name: &Option<String>| name.clone().unwrap_or_default();
        for group in [
            self.agents.entry(named(&metadata.agent)).or_default(),
            self.campaigns.entry(named(&metadata.campaign)).or_default(),
        ] {
            group.quality.merge(quality);
            for (rule, n) in &broken {
                *group.rules.entry(*rule).or_default() += n;
            }
        }
    }

    fn add_hits(
        &mut self,
        transcript: &Transcript,
        assessment: &Assessment,
        playable: &Playable,
        detail: Detail,
    ) {
        let mut seen = BTreeSet::new();
        for (hit_idx, hit) in assessment.hits.iter().enumerate() {
            self.n_hits_seen += 1;
            let name = name_of(hit);
            let (total, kept) = self.rules.entry(name.clone()).or_default();
            if total.n_hits == 0 {
                total.id.clone_from(&hit.rule);
                total.title.clone_from(&hit.title);
            }
            total.severity = total.severity.max(hit.severity);
            let auto_fail = fails_call(assessment, hit_idx);
            total.auto_fail |= auto_fail;
            total.n_hits += 1;
            total.n_calls += u64::from(seen.insert(name));
            let place = Place {
                transcript,
                playable,
                hit_idx,
                auto_fail,
                detail,
                order: self.n_hits_seen,
            };
            kept.offer(hit, place, self.options.n_hits_per_rule);
        }
    }

    fn add_scores(&mut self, assessment: &Assessment) {
        let Some(card) = &assessment.scorecard else {
            return;
        };
        let scores = self.scores.get_or_insert(Distribution::new(0.0, 10.0));
        scores.add(f64::from(card.total));
        for item in &card.items {
            let key = format!("{}\n{}", card.card, item.id);
            self.questions.entry(key).or_default().add(item);
        }
    }

    fn add_emotions(&mut self, transcript: &Transcript, assessment: &Assessment) {
        for (utterance, insight) in transcript.utterances.iter().zip(&assessment.utterances) {
            let label = insight.emotion.map(|emotion| emotion.label);
            self.emotions[party_place(utterance.party)].add(label);
        }
        if let Some(satisfaction) = assessment.mood.satisfaction {
            let distribution = self
                .satisfaction
                .get_or_insert(Distribution::new(0.0, 10.0));
            distribution.add(f64::from(satisfaction));
        }
        for mood in assessment
            .mood
            .parties
            .iter()
            .filter(|mood| mood.party == Party::Customer)
        {
            let distribution = self.trend.get_or_insert(Distribution::new(-1.0, 0.2));
            distribution.add(f64::from(mood.trend));
        }
    }

    fn add_talk(&mut self, transcript: &Transcript, assessment: &Assessment) {
        let metrics = &assessment.metrics;
        if transcript.duration_ms > 0 {
            let share = metrics.silence_ms as f64 / transcript.duration_ms as f64;
            self.talk.silence_share.add(100.0 * share);
            self.talk
                .longest_silence
                .add(metrics.longest_silence_ms as f64 / 1000.0);
        }
        for talk in &metrics.parties {
            let rate = f64::from(talk.rate_per_minute);
            match talk.party {
                Party::Agent => {
                    self.talk
                        .agent_share
                        .add(100.0 * f64::from(talk.talk_ratio));
                    self.talk.interruptions.add(f64::from(talk.n_interruptions));
                    self.talk.agent_rate.add(rate);
                    if let Some(response_ms) = talk.response_ms {
                        self.talk.response.add(response_ms as f64 / 1000.0);
                    }
                }
                Party::Customer => self.talk.customer_rate.add(rate),
                Party::Unknown => {}
            }
        }
    }

    fn add_intents(&mut self, assessment: &Assessment) {
        let mut seen = BTreeSet::new();
        for intent in assessment
            .utterances
            .iter()
            .flat_map(|insight| &insight.intents)
        {
            let mentions = self.intents.entry(intent.label.clone()).or_default();
            mentions.n += 1;
            mentions.n_calls += u64::from(seen.insert(intent.label.as_str()));
        }
        if let Some(disposition) = &assessment.summary.disposition {
            *self.dispositions.entry(disposition.clone()).or_default() += 1;
        }
    }

    fn add_pii(&mut self, assessment: &Assessment) {
        let mut seen = BTreeSet::new();
        for span in &assessment.pii {
            let mentions = self.pii.entry(span.kind).or_default();
            mentions.n += 1;
            mentions.n_calls += u64::from(seen.insert(span.kind));
        }
    }

    fn add_row(&mut self, transcript: &Transcript, assessment: &Assessment, detail: Detail) {
        let metadata = &transcript.metadata;
        let card = assessment.scorecard.as_ref();
        let agent = metadata
            .agent
            .as_deref()
            .map(|agent| self.names.place(agent));
        let campaign = metadata
            .campaign
            .as_deref()
            .map(|name| self.names.place(name));
        self.rows.push(CallRow {
            id: transcript.call_id.0.clone(),
            has_page: detail == Detail::Page,
            agent,
            campaign,
            started: metadata
                .started_at
                .as_deref()
                .map(minute)
                .unwrap_or_default(),
            duration_ms: transcript.duration_ms,
            score: card.map(|card| card.total),
            verdict: card.map(|card| match (card.auto_fail, card.passed) {
                (true, _) => Verdict::AutoFail,
                (_, true) => Verdict::Pass,
                _ => Verdict::Fail,
            }),
            n_violations: u32::try_from(violations(assessment).count()).unwrap_or(u32::MAX),
            worst: assessment.hits.iter().map(|hit| hit.severity).max(),
            satisfaction: assessment.mood.satisfaction,
        });
    }
}

/// Whether the hit at this place of [`Assessment::hits`] fails its call: by its rule, or by a question of the score card.
pub fn fails_call(assessment: &Assessment, hit_idx: usize) -> bool {
    let by_rule = assessment
        .hits
        .get(hit_idx)
        .is_some_and(|hit| hit.auto_fail);
    let cards = assessment.scorecard.iter();
    let mut items = cards.flat_map(|card| &card.items);
    by_rule || items.any(|item| item.auto_fail && item.hits.contains(&hit_idx))
}

/// Hits of at least minor severity that are not about the customer: what the customer does is held against nobody.
fn violations(assessment: &Assessment) -> impl Iterator<Item = &Hit> {
    let hits = assessment.hits.iter();
    hits.filter(|hit| hit.severity > Severity::Info && hit.party != Party::Customer)
}

fn quality_of(assessment: &Assessment) -> Quality {
    let mut quality = Quality {
        n_calls: 1,
        ..Quality::default()
    };
    if let Some(card) = assessment
        .scorecard
        .as_ref()
        .filter(|card| card.total.is_finite())
    {
        quality.n_scored = 1;
        quality.sum_scores = f64::from(card.total);
        quality.n_passed = u64::from(card.passed);
        quality.n_auto_failed = u64::from(card.auto_fail);
    }
    for hit in violations(assessment) {
        quality.n_hits[severity_place(hit.severity)] += 1;
    }
    quality.n_faulty = u64::from(violations(assessment).next().is_some());
    let angry =
        |mood: &&auricle_contracts::PartyMood| mood.party == Party::Customer && mood.n_angry > 0;
    quality.n_angry = u64::from(assessment.mood.parties.iter().any(|mood| angry(&mood)));
    quality
}

/// The day on which a call began, in the zone it is written in.
fn day(started_at: &str) -> Option<Date> {
    OffsetDateTime::parse(started_at, &Rfc3339)
        .ok()
        .map(OffsetDateTime::date)
}

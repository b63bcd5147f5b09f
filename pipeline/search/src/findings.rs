//! What an assessment says of a call, sorted into its utterances and the call itself.
//!
//! A hit belongs to the utterances that are its evidence, personal data to those in which it stands. Where
//! there is no such utterance (something was not said, nobody spoke) it belongs to the call as a whole, with its time.

use std::collections::BTreeSet;

use auricle_contracts::{Assessment, EmotionLabel, PiiKind, Severity};
use serde::{Deserialize, Serialize};

/// What was found in one utterance.
#[derive(Debug, Default)]
pub(crate) struct UtteranceFindings<'a> {
    pub(crate) rules: BTreeSet<&'a str>,
    /// The same as `PACK/ID`.
    pub(crate) rules_of_packs: BTreeSet<String>,
    pub(crate) severities: BTreeSet<Severity>,
    pub(crate) pii: BTreeSet<PiiKind>,
    pub(crate) intents: BTreeSet<&'a str>,
    pub(crate) emotion: Option<EmotionLabel>,
}

/// What was found in the call and in none of its utterances.
#[derive(Debug, Default)]
pub(crate) struct CallFindings {
    pub(crate) score: Option<f64>,
    pub(crate) passed: Option<bool>,
    pub(crate) disposition: Option<String>,
    pub(crate) placed: Placed,
    /// Length of the longest silence, where none of the others is as long: it has no place.
    pub(crate) longer_silence_ms: Option<u64>,
}

/// What of that has its place in the call: the bytes of the field `placed`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Placed {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hits: Vec<CallHit>,
    /// Kinds, starts and ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) pii: Vec<(PiiKind, u64, u64)>,
    /// Starts and ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) silences: Vec<(u64, u64)>,
}

/// A hit that belongs to the whole call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CallHit {
    pub(crate) rule: String,
    #[serde(default)]
    pub(crate) pack: String,
    pub(crate) severity: Severity,
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
    pub(crate) why: String,
}

/// Sorts an assessment of a call with so many utterances. What it says of utterances that are not there
/// belongs to the call.
pub(crate) fn findings(
    assessment: &Assessment,
    n_utterances: usize,
) -> (Vec<UtteranceFindings<'_>>, CallFindings) {
    let mut utterances = Vec::new();
    utterances.resize_with(n_utterances, UtteranceFindings::default);
    for (found, insight) in utterances.iter_mut().zip(&assessment.utterances) {
        found.emotion = insight.emotion.map(|emotion| emotion.label);
        let intents = insight.intents.iter().map(|intent| intent.label.as_str());
        found
            .intents
            .extend(intents.filter(|label| !label.is_empty()));
    }
    let mut call = call_findings(assessment);
    for hit in &assessment.hits {
        let evidence = hit.evidence.iter().filter_map(|part| part.utterance);
        let mut is_placed = false;
        for number in evidence {
            if let Some(found) = utterances.get_mut(number) {
                found.rules.insert(&hit.rule);
                found
                    .rules_of_packs
                    .insert(rule_of_pack(&hit.pack, &hit.rule));
                found.severities.insert(hit.severity);
                is_placed = true;
            }
        }
        if !is_placed {
            call.placed.hits.push(CallHit {
                rule: hit.rule.clone(),
                pack: hit.pack.clone(),
                severity: hit.severity,
                start_ms: hit.start_ms,
                end_ms: hit.end_ms,
                why: hit.why.clone(),
            });
        }
    }
    for span in &assessment.pii {
        let mut is_placed = false;
        for place in &span.places {
            if let Some(found) = utterances.get_mut(place.utterance) {
                found.pii.insert(span.kind);
                is_placed = true;
            }
        }
        if !is_placed {
            call.placed
                .pii
                .push((span.kind, span.start_ms, span.end_ms));
        }
    }
    (utterances, call)
}

fn call_findings(assessment: &Assessment) -> CallFindings {
    let metrics = &assessment.metrics;
    let silences: Vec<(u64, u64)> = metrics
        .silences
        .iter()
        .map(|silence| (silence.start_ms, silence.end_ms))
        .collect();
    let longest = silences.iter().copied().map(length_ms).max();
    let longer_silence_ms =
        Some(metrics.longest_silence_ms).filter(|&length| length > longest.unwrap_or(0));
    let card = assessment.scorecard.as_ref();
    let disposition = assessment.summary.disposition.clone();
    CallFindings {
        score: card
            .map(|card| hundredths(card.total))
            .filter(|score| score.is_finite()),
        passed: card.map(|card| card.passed),
        disposition: disposition.filter(|outcome| !outcome.is_empty()),
        placed: Placed {
            silences,
            ..Placed::default()
        },
        longer_silence_ms,
    }
}

/// How a rule is told from one of the same id in another pack. Neither has a `/` of its own.
pub(crate) fn rule_of_pack(pack: &str, rule: &str) -> String {
    format!("{pack}/{rule}")
}

/// Length of a silence, milliseconds.
pub(crate) const fn length_ms((start_ms, end_ms): (u64, u64)) -> u64 {
    end_ms.saturating_sub(start_ms)
}

/// A score as it is written: 59.9 in 32 bits is 59.900002 in 64.
fn hundredths(score: f32) -> f64 {
    (f64::from(score) * 100.0).round() / 100.0
}

/// The name of a call that passed, and of one that did not.
pub(crate) const fn passed_name(passed: bool) -> &'static str {
    if passed { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle_contracts::{Evidence, Hit, Party, PiiSpan, Scorecard, TextPlace};

    fn hit(rule: &str, utterances: &[Option<usize>]) -> Hit {
        let evidence = utterances.iter().map(|&utterance| Evidence {
            utterance,
            party: Party::Agent,
            start_ms: 0,
            end_ms: 0,
            words: String::new(),
        });
        Hit {
            rule: rule.into(),
            pack: String::new(),
            title: String::new(),
            severity: Severity::Major,
            party: Party::Agent,
            start_ms: 700,
            end_ms: 900,
            deduct: 0.0,
            auto_fail: false,
            evidence: evidence.collect(),
            why: "because".into(),
        }
    }

    #[test]
    fn hits_belong_to_their_utterances_or_to_the_call() {
        let check = |utterances: &[Option<usize>], placed: &[usize], n_of_call: usize| {
            let assessment = Assessment {
                hits: vec![hit("rule", utterances)],
                ..Assessment::default()
            };
            let (found, call) = findings(&assessment, 3);
            let with_hit = (0..3).filter(|&number| found[number].rules.contains("rule"));
            assert_eq!(with_hit.collect::<Vec<_>>(), placed, "{utterances:?}");
            assert_eq!(call.placed.hits.len(), n_of_call, "{utterances:?}");
        };
        check(&[Some(1)], &[1], 0);
        check(&[Some(2), Some(0), Some(2)], &[0, 2], 0);
        check(&[Some(1), None], &[1], 0);
        check(&[], &[], 1);
        check(&[None], &[], 1);
        // Nothing is lost where transcript and assessment do not fit together.
        check(&[Some(3)], &[], 1);
    }

    #[test]
    fn personal_data_without_a_place_belongs_to_the_call() {
        let span = |places: &[usize]| PiiSpan {
            kind: PiiKind::Phone,
            party: Party::Customer,
            start_ms: 1,
            end_ms: 2,
            places: places
                .iter()
                .map(|&utterance| TextPlace {
                    utterance,
                    from: 0,
                    to: 1,
                })
                .collect(),
        };
        let assessment = Assessment {
            pii: vec![span(&[0, 1]), span(&[]), span(&[9])],
            ..Assessment::default()
        };
        let (found, call) = findings(&assessment, 2);
        assert!(
            found
                .iter()
                .all(|found| found.pii.contains(&PiiKind::Phone))
        );
        assert_eq!(
            call.placed.pii,
            [(PiiKind::Phone, 1, 2), (PiiKind::Phone, 1, 2)]
        );
    }

    #[test]
    fn scores_are_the_numbers_that_are_written() {
        let check = |total: f32, expected: Option<f64>| {
            let card = Scorecard {
                total,
                ..Scorecard::default()
            };
            let assessment = Assessment {
                scorecard: Some(card),
                ..Assessment::default()
            };
            assert_eq!(call_findings(&assessment).score, expected, "{total}");
        };
        check(59.9, Some(59.9));
        check(0.0, Some(0.0));
        check(100.0, Some(100.0));
        check(f32::NAN, None);
        check(f32::INFINITY, None);
    }

    #[test]
    fn the_longest_silence_counts_where_it_is_not_listed() {
        let mut assessment = Assessment::default();
        assessment.metrics.longest_silence_ms = 1500;
        assert_eq!(call_findings(&assessment).longer_silence_ms, Some(1500));
        let silence = auricle_contracts::Stretch {
            start_ms: 1000,
            end_ms: 4000,
        };
        assessment.metrics.silences.push(silence);
        assert_eq!(call_findings(&assessment).longer_silence_ms, None);
    }
}

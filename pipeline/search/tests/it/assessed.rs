//! Assessments written down for tests.

use auricle_contracts::{
    Assessment, Emotion, EmotionLabel, Evidence, Hit, Intent, Party, PiiKind, PiiSpan, Scorecard,
    Severity, Stretch, TextPlace, UtteranceInsight,
};

/// What was found, as a list like `emotion angry, hit promise major, pii phone`, in each utterance of a call, and in the
/// call itself: `score 55 failed, disposition refused, silence 2s 5s`, and hits and personal data with the time, `hit promise
/// major 40s`. A rule is of the pack `pack`, unless it is written `PACK/ID`.
pub(crate) fn assessment(of_call: &str, of_utterances: &[&str]) -> Assessment {
    let mut assessment = Assessment::default();
    for item in items(of_call) {
        add(&mut assessment, &item, None);
    }
    for (number, found) in of_utterances.iter().enumerate() {
        assessment.utterances.push(UtteranceInsight::default());
        for item in items(found) {
            add(&mut assessment, &item, Some(number));
        }
    }
    assessment
}

fn items(list: &str) -> Vec<Vec<&str>> {
    let items = list
        .split(',')
        .map(|item| item.split_whitespace().collect());
    items.filter(|item: &Vec<&str>| !item.is_empty()).collect()
}

fn add(assessment: &mut Assessment, item: &[&str], utterance: Option<usize>) {
    match (item, utterance) {
        (["score", total, how], None) => {
            assessment.scorecard = Some(Scorecard {
                total: total.parse().unwrap(),
                passed: *how == "passed",
                ..Scorecard::default()
            });
        }
        (["disposition", outcome], None) => {
            assessment.summary.disposition = Some((*outcome).into());
        }
        (["silence", start, end], None) => {
            let (start_ms, end_ms) = (milliseconds(start), milliseconds(end));
            let metrics = &mut assessment.metrics;
            metrics.silences.push(Stretch { start_ms, end_ms });
            metrics.longest_silence_ms = metrics.longest_silence_ms.max(end_ms - start_ms);
        }
        (["emotion", label], Some(number)) => {
            let label = EmotionLabel::ALL
                .into_iter()
                .find(|known| known.as_str() == *label);
            assessment.utterances[number].emotion = Some(Emotion {
                label: label.unwrap(),
                ..Emotion::default()
            });
        }
        (["intent", label], Some(number)) => assessment.utterances[number].intents.push(Intent {
            label: (*label).into(),
            confidence: 0.9,
            at: None,
            until: None,
        }),
        (["hit", rule, severity, at @ ..], _) => {
            let start_ms = at.first().map_or(0, |at| milliseconds(at));
            let severity = severity.parse().unwrap();
            assessment
                .hits
                .push(hit(rule, severity, start_ms, utterance));
        }
        (["pii", kind, at @ ..], _) => {
            let start_ms = at.first().map_or(0, |at| milliseconds(at));
            let kind = PiiKind::ALL
                .into_iter()
                .find(|known| known.as_str() == *kind);
            assessment.pii.push(pii(kind.unwrap(), start_ms, utterance));
        }
        _ => panic!("`{}` is nothing that can be found", item.join(" ")),
    }
}

pub(crate) fn hit(rule: &str, severity: Severity, start_ms: u64, utterance: Option<usize>) -> Hit {
    let evidence = Evidence {
        utterance,
        party: Party::Unknown,
        start_ms,
        end_ms: start_ms,
        words: String::new(),
    };
    let (pack, rule) = rule.split_once('/').unwrap_or(("pack", rule));
    Hit {
        rule: rule.into(),
        pack: pack.into(),
        title: String::new(),
        severity,
        party: Party::Unknown,
        start_ms,
        end_ms: start_ms,
        deduct: 0.0,
        auto_fail: false,
        evidence: vec![evidence],
        why: format!("{rule} fired"),
    }
}

pub(crate) fn pii(kind: PiiKind, start_ms: u64, utterance: Option<usize>) -> PiiSpan {
    let places = utterance.map(|utterance| TextPlace {
        utterance,
        from: 0,
        to: 1,
    });
    PiiSpan {
        kind,
        party: Party::Unknown,
        start_ms,
        end_ms: start_ms + 100,
        places: places.into_iter().collect(),
    }
}

/// `40s`, `500ms`
pub(crate) fn milliseconds(time: &str) -> u64 {
    match time.strip_suffix("ms") {
        Some(number) => number.parse().unwrap(),
        None => time.strip_suffix('s').unwrap().parse::<u64>().unwrap() * 1000,
    }
}

//! The dialogue, with what was found at its place.

use std::collections::BTreeMap;

use auricle_contracts::{EmotionLabel, Hit, Severity, Utterance};
use maud::{Markup, html};

use super::{Call, hit_name};
use crate::format::percent;
use crate::page::severity_badge;

/// A hit on an utterance that it rests on.
struct HitHere<'a> {
    idx: usize,
    hit: &'a Hit,
    /// Of each piece of its evidence in the utterance.
    words: Vec<&'a str>,
}

/// Hits by the utterance they rest on, each once.
type HitsAt<'a> = BTreeMap<usize, Vec<HitHere<'a>>>;

/// All utterances in order.
pub(super) fn section(call: &Call<'_>) -> Markup {
    let hits = hits_by_utterance(call);
    html! {
        @if call.transcript.utterances.is_empty() { p { (call.language.nothing_said()) } }
        ol.talk {
            @for (idx, utterance) in call.transcript.utterances.iter().enumerate() {
                (line(call, idx, utterance, hits.get(&idx).map_or(&[], Vec::as_slice)))
            }
        }
    }
}

fn hits_by_utterance<'a>(call: &Call<'a>) -> HitsAt<'a> {
    let mut at = HitsAt::new();
    for (idx, hit) in call.assessment.hits.iter().enumerate() {
        for piece in &hit.evidence {
            let Some(utterance) = piece.utterance else {
                continue;
            };
            let here = at.entry(utterance).or_default();
            match here.last_mut().filter(|known| known.idx == idx) {
                Some(known) => known.words.push(&piece.words),
                None => here.push(HitHere {
                    idx,
                    hit,
                    words: vec![&piece.words],
                }),
            }
        }
    }
    at
}

fn line(call: &Call<'_>, idx: usize, utterance: &Utterance, hits: &[HitHere<'_>]) -> Markup {
    let language = call.language;
    let worst = hits.iter().map(|here| here.hit.severity).max();
    let insight = call.assessment.utterances.get(idx);
    let emotion = insight
        .and_then(|insight| insight.emotion)
        .filter(|emotion| emotion.label != EmotionLabel::Neutral);
    let intents = insight.map_or(&[][..], |insight| &insight.intents);
    let words = hits.iter().flat_map(|here| &here.words);
    let found: Vec<&str> = words.copied().collect();
    html! {
        li id=(format!("u{idx}")) class=(format!("{} {}", utterance.party, edge(worst))) {
            span.time { (call.play(hits.first().map(|here| here.idx), (utterance.start_ms, utterance.end_ms))) }
            span.who { (language.party_name(utterance.party)) }
            div {
                p { (marked(&utterance.text, &found)) }
                @if emotion.is_some() || !intents.is_empty() || !hits.is_empty() {
                    div.marks {
                        @for HitHere { idx, hit, .. } in hits {
                            a href=(format!("#hit-{idx}")) title=(hit.why) { (severity_badge(hit.severity, language)) " " (hit_name(hit)) }
                        }
                        @if let Some(emotion) = emotion {
                            span.mood.(emotion.label.as_str()) {
                                (language.emotion_name(emotion.label)) " "
                                (percent((f64::from(emotion.confidence).clamp(0.0, 1.0) * 100.0) as u64, 100))
                            }
                        }
                        @for intent in intents {
                            span { "◆ " (language.intent_name(&intent.label))
                                @if let Some(at) = &intent.at { " → " (at) @if let Some(until) = &intent.until { " – " (until) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

const fn edge(worst: Option<Severity>) -> &'static str {
    match worst {
        None => "",
        Some(Severity::Info) => "s-info",
        Some(Severity::Minor) => "s-minor",
        Some(Severity::Major) => "s-major",
        Some(Severity::Critical) => "s-critical",
    }
}

/// The text with the words of the evidence marked. Words are as they were heard and the text has
/// punctuation, so both are compared without it; what is not found is not marked.
fn marked(text: &str, found: &[&str]) -> Markup {
    let letters: Vec<char> = text.chars().collect();
    let mut is_marked = vec![false; letters.len()];
    let (bare, places) = without_punctuation(&letters);
    for words in found {
        let wanted: Vec<char> = without_punctuation(&words.chars().collect::<Vec<_>>()).0;
        let Some(at) = position(&bare, &wanted) else {
            continue;
        };
        for place in is_marked
            .iter_mut()
            .take(places[at + wanted.len() - 1] + 1)
            .skip(places[at])
        {
            *place = true;
        }
    }
    let mut runs: Vec<(bool, String)> = Vec::new();
    for (letter, is_marked) in letters.iter().zip(&is_marked) {
        match runs.last_mut() {
            Some((same, run)) if same == is_marked => run.push(*letter),
            _ => runs.push((*is_marked, letter.to_string())),
        }
    }
    html! {
        @for (is_marked, run) in runs {
            @if is_marked { mark { (run) } } @else { (run) }
        }
    }
}

/// Letters and digits in lower case, and where each stood.
fn without_punctuation(letters: &[char]) -> (Vec<char>, Vec<usize>) {
    let kept = letters
        .iter()
        .enumerate()
        .filter(|(_, letter)| letter.is_alphanumeric());
    kept.map(|(place, letter)| (letter.to_lowercase().next().unwrap_or(*letter), place))
        .unzip()
}

fn position(letters: &[char], wanted: &[char]) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    letters
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::marked;

    #[test]
    fn words_are_marked_across_punctuation_and_escaped() {
        let check = |text, found: &[&str], expected| {
            assert_eq!(marked(text, found).into_string(), expected)
        };
        check(
            "保证，收益百分之八。",
            &["保证收益"],
            "<mark>保证，收益</mark>百分之八。",
        );
        check(
            "I GUARANTEE it",
            &["guarantee"],
            "I <mark>GUARANTEE</mark> it",
        );
        check("没有", &["有没有的", "", "。"], "没有");
        check("<b>&", &["b"], "&lt;<mark>b</mark>&gt;&amp;");
        check("甲乙丙丁", &["甲乙", "乙丙"], "<mark>甲乙丙</mark>丁");
        check("", &["x"], "");
    }
}

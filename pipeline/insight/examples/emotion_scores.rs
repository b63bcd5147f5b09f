//! What the emotion room makes of measured utterances: `emotion_scores BASELINE < UTTERANCES > SCORES`.
//!
//! One line of JSON each: `{"id", "group", "party", "text", "start_ms", "end_ms", "voice"}` in, where a group is
//! a call or a speaker; probabilities, arousal, valence and all features out. BASELINE says beside what an
//! utterance is heard: `before` (the group's earlier ones, as in a call), `others` (all others of the group), or
//! `none`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::sync::Arc;

use auricle_contracts::{Party, Utterance, Voice};
use auricle_insight::Spoken;
use auricle_insight::emotion::{
    EmotionModel, EmotionTracker, Feature, Manner, N_LABELS, WeightedModel,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Line {
    id: String,
    group: String,
    party: Party,
    #[serde(default)]
    text: String,
    start_ms: u64,
    end_ms: u64,
    voice: Option<Voice>,
}

/// Wants all features, so that they are measured, and leaves the judgement to the built-in model.
#[derive(Debug)]
struct Everything(Vec<Feature>);

impl EmotionModel for Everything {
    fn name(&self) -> &str {
        "everything"
    }

    fn wants(&self) -> &[Feature] {
        &self.0
    }

    fn probabilities(&self, _values: &[f32]) -> Option<[f32; N_LABELS]> {
        None
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let baseline = std::env::args().nth(1).unwrap_or_default();
    let mut groups: BTreeMap<String, Vec<(String, Utterance)>> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let (group, id) = (line.group.clone(), line.id.clone());
        groups.entry(group).or_default().push((id, utterance(line)));
    }
    let mut out = std::io::stdout().lock();
    for utterances in groups.values() {
        for (at, (id, utterance)) in utterances.iter().enumerate() {
            let heard: Vec<&Utterance> = match baseline.as_str() {
                "none" => Vec::new(),
                "before" => utterances[..at].iter().map(|(_, one)| one).collect(),
                "others" => others(utterances, at),
                _ => return Err("usage: emotion_scores before|others|none".into()),
            };
            let everything = Everything(Feature::all().collect());
            let mut tracker = EmotionTracker::with_model(Some(Arc::new(everything)));
            for one in heard {
                tracker.utterance(&Spoken::new(one, 0), &[]);
            }
            let spoken = Spoken::new(utterance, 0);
            let features = tracker.features(&spoken, &[]);
            let manner = tracker.judge(&spoken, &[]);
            writeln!(out, "{}", scores(id, &features, manner))?;
        }
    }
    Ok(())
}

fn others(utterances: &[(String, Utterance)], at: usize) -> Vec<&Utterance> {
    let all = utterances.iter().enumerate();
    let others = all.filter(|(place, _)| *place != at);
    others.map(|(_, (_, utterance))| utterance).collect()
}

fn utterance(line: Line) -> Utterance {
    Utterance {
        party: line.party,
        channel: 0,
        start_ms: line.start_ms,
        end_ms: line.end_ms,
        spoken: line
            .text
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .collect(),
        text: line.text,
        confidence: 1.0,
        syllables: Vec::new(),
        words: Vec::new(),
        voice: line.voice,
    }
}

fn scores(id: &str, features: &[f32; Feature::COUNT], manner: Manner) -> serde_json::Value {
    let built_in = WeightedModel::built_in();
    let values: Vec<f32> = built_in
        .wants()
        .iter()
        .map(|one| features[one.place()])
        .collect();
    let by_name = Feature::all().map(|one| (one.name().to_owned(), json!(features[one.place()])));
    let by_name: serde_json::Map<_, _> = by_name.collect();
    let emotion = manner.emotion.unwrap_or_default();
    json!({ "id": id, "probabilities": built_in.judge(&values), "label": emotion.label,
        "arousal": emotion.arousal, "valence": emotion.valence,
        "loudness_rise_db": manner.loudness_rise_db, "features": by_name })
}

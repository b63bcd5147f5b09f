//! Text as a call: personal data is found at places that exist, and cannot be read in the masked copy.
#![no_main]

use auricle_contracts::{CallId, CallMetadata, ChannelLayout, Party, Transcript, Utterance};
use auricle_insight::Spoken;
use auricle_insight::pii::{MASK_CHARACTER, Mask, Masker, PiiFinder, settle};
use libfuzzer_sys::fuzz_target;

/// Lines in turn by agent, customer and an unknown party; behind a tab stands the written form.
fn call(text: &str) -> Transcript {
    let parties = [Party::Agent, Party::Customer, Party::Unknown];
    let lines = text.lines().zip(parties.into_iter().cycle()).zip(0u64..);
    let utterances = lines.map(|((line, party), place)| {
        let (spoken, text) = line.split_once('\t').unwrap_or((line, line));
        Utterance {
            party,
            channel: 0,
            start_ms: place * 1000,
            end_ms: place * 1000 + 900,
            text: text.to_owned(),
            spoken: spoken.to_owned(),
            confidence: 1.0,
            syllables: Vec::new(),
            words: Vec::new(),
            voice: None,
        }
    });
    Transcript {
        call_id: CallId(String::new()),
        file: String::new(),
        duration_ms: 0,
        engine: String::new(),
        layout: ChannelLayout::Mono,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances: utterances.collect(),
    }
}

fuzz_target!(|text: &str| {
    let open = call(text);
    let mut finder = PiiFinder::new();
    let mut spans = Vec::new();
    for (idx, utterance) in open.utterances.iter().enumerate() {
        spans.extend(finder.utterance(&Spoken::new(utterance, idx)));
    }
    spans.extend(finder.finish());
    let spans = settle(spans);
    let masker = Masker::new(&open, &spans, Mask::All);
    let masked = masker.transcript();
    for place in spans.iter().flat_map(|span| &span.places) {
        let (open, masked) = (
            &open.utterances[place.utterance],
            &masked.utterances[place.utterance],
        );
        let source = |said: &Utterance| match open.spoken.is_empty() {
            true => said.text.clone(),
            false => said.spoken.clone(),
        };
        assert_eq!(source(open).chars().count(), source(masked).chars().count());
        assert!(place.from < place.to && place.to <= source(open).chars().count());
        let hidden = source(masked);
        let mut hidden = hidden.chars().skip(place.from).take(place.to - place.from);
        assert!(hidden.all(|ch| ch == MASK_CHARACTER || !ch.is_alphanumeric()));
        let quoted = masker.quote(place.utterance, &open.text);
        let mut pairs = quoted.chars().zip(masked.text.chars());
        assert!(pairs.all(|(quoted, masked)| quoted == masked || quoted == MASK_CHARACTER));
    }
    masker.silences();
});

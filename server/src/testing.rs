//! What the tests of this room share: a small call, and a place to save it.

use std::path::Path;

use auricle_contracts::{CallId, CallMetadata, ChannelLayout, Party, Transcript, Utterance};
use auricle_store::{Fingerprints, Recording, Store};

use crate::config::{Config, Overrides};

pub(crate) const NOW: &str = "2026-11-20T08:00:00Z";

/// The configuration of a program that was just installed, its data in `folder`.
pub(crate) fn config(folder: &Path) -> Config {
    let config = Config::load(&Overrides {
        data_dir: Some(folder.to_owned()),
        ..Overrides::default()
    });
    config.unwrap()
}

/// Text alone, as other programs write it: 200 ms a letter.
pub(crate) fn utterance(party: Party, start_ms: u64, said: &str) -> Utterance {
    Utterance {
        party,
        channel: u16::from(party == Party::Customer),
        start_ms,
        end_ms: start_ms + 200 * said.chars().count() as u64,
        text: said.into(),
        spoken: said.into(),
        confidence: 0.9,
        syllables: Vec::new(),
        words: Vec::new(),
        voice: None,
    }
}

/// A call of one second, in which the agent says 保证收益.
pub(crate) fn transcript(name: &str) -> Transcript {
    transcript_of(name, 1000, vec![utterance(Party::Agent, 0, "保证收益")])
}

/// A call in which just this is said.
pub(crate) fn transcript_of(
    name: &str,
    duration_ms: u64,
    utterances: Vec<Utterance>,
) -> Transcript {
    Transcript {
        call_id: CallId(name.into()),
        file: format!("{name}.wav"),
        duration_ms,
        engine: "test/none".into(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances,
    }
}

/// Saves this call, and gives the version of its transcript.
pub(crate) async fn save(store: &Store, name: &str) -> i64 {
    let transcript = transcript(name);
    let recording = Recording {
        call_id: transcript.call_id.clone(),
        file: transcript.file.clone(),
        path: format!("/calls/{name}.wav"),
        size_bytes: 1,
        legs: Vec::new(),
        lines: Vec::new(),
        keys_pressed: Vec::new(),
        metadata: CallMetadata::default(),
    };
    let prints = Fingerprints::default();
    let saved = store.save_done(None, &recording, &prints, &transcript, NOW);
    saved.await.unwrap()
}

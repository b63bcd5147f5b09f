//! Calls written down for tests.

use auricle_contracts::{
    Assessment, CallId, CallMetadata, ChannelLayout, Party, Syllable, SyllableAlternative,
    Transcript, Utterance, Word,
};
use auricle_search::{IndexOptions, SearchRequest, SearchResults, TranscriptIndex};
use tempfile::TempDir;

/// An index in a folder that goes when the test ends.
pub(crate) struct TestIndex {
    pub(crate) folder: TempDir,
    pub(crate) index: TranscriptIndex,
}

pub(crate) const OPTIONS: IndexOptions = IndexOptions {
    writer_threads: 1,
    writer_memory_bytes: 20_000_000,
    search_threads: 1,
};

pub(crate) fn index_of(calls: &[Transcript]) -> TestIndex {
    let calls: Vec<_> = calls.iter().map(|call| (call.clone(), nothing())).collect();
    index_of_assessed(&calls)
}

pub(crate) fn index_of_assessed(calls: &[(Transcript, Assessment)]) -> TestIndex {
    let folder = TempDir::new().unwrap();
    let index = TranscriptIndex::create(folder.path(), OPTIONS).unwrap();
    for (call, assessment) in calls {
        let added = index.add(call, assessment).unwrap();
        assert_eq!(added.utterances, call.utterances.len());
    }
    index.commit().unwrap();
    TestIndex { folder, index }
}

/// An assessment of a call in which nothing was found.
pub(crate) fn nothing() -> Assessment {
    Assessment::default()
}

pub(crate) fn search(index: &TestIndex, query: &str) -> SearchResults {
    match index.index.reader().search(&SearchRequest {
        limit: 100,
        hits_per_call: 100,
        ..SearchRequest::new(query)
    }) {
        Ok(results) => results,
        Err(error) => panic!("{query}: {error}"),
    }
}

/// Hits as `call/turn`, sorted.
pub(crate) fn found(results: &SearchResults) -> String {
    let mut hits: Vec<String> = results
        .calls
        .iter()
        .flat_map(|call| {
            call.hits
                .iter()
                .map(move |hit| format!("{}/{}", call.call_id, hit.utterance))
        })
        .collect();
    hits.sort();
    hits.join(" ")
}

pub(crate) fn check_all(index: &TestIndex, cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        let results = search(index, query);
        assert_eq!(found(&results), *expected, "{query}");
        let n_hits = expected.split_whitespace().count() as u64;
        assert_eq!(results.total_hits, n_hits, "{query}");
        assert_eq!(results.total_calls, results.calls.len() as u64, "{query}");
    }
}

/// A call from lines like `a 您好请问`: party, spoken form, and after `=` the written form where it
/// differs. Every hanzi takes 200 ms; each line starts a second after the last one ended.
pub(crate) fn call(id: &str, lines: &[&str]) -> Transcript {
    let mut start_ms = 0;
    let utterances = lines
        .iter()
        .map(|line| {
            let (party, said) = line.split_once(' ').unwrap();
            let (spoken, text) = said.split_once('=').unwrap_or((said, said));
            let utterance = utterance(party, spoken, text, start_ms);
            start_ms = utterance.end_ms + 1000;
            utterance
        })
        .collect::<Vec<_>>();
    Transcript {
        call_id: CallId(id.into()),
        file: format!("recordings/{id}.wav"),
        duration_ms: start_ms,
        engine: "ort/test".into(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances,
    }
}

fn utterance(party: &str, spoken: &str, text: &str, start_ms: u64) -> Utterance {
    let (party, channel) = match party {
        "a" => (Party::Agent, 0),
        "c" => (Party::Customer, 1),
        _ => (Party::Unknown, 0),
    };
    let mut at = start_ms;
    let words: Vec<Word> = spoken
        .split(' ')
        .map(|w| {
            let start_ms = at;
            at += 200 * w.chars().count() as u64;
            Word {
                w: w.into(),
                start_ms,
                end_ms: at,
            }
        })
        .collect();
    Utterance {
        party,
        channel,
        start_ms,
        end_ms: at,
        text: text.into(),
        spoken: spoken.into(),
        confidence: 0.9,
        syllables: Vec::new(),
        words,
        voice: None,
    }
}

/// Puts syllables like `bao3/pao3 zheng4` under an utterance, 200 ms each.
pub(crate) fn with_syllables(mut utterance: Utterance, syllables: &str) -> Utterance {
    let start = utterance.start_ms;
    utterance.syllables = syllables
        .split(' ')
        .enumerate()
        .map(|(at, hearings)| {
            let mut hearings = hearings.split('/');
            let start_ms = start + 200 * at as u64;
            Syllable {
                s: hearings.next().unwrap().into(),
                start_ms,
                end_ms: start_ms + 200,
                conf: 0.8,
                alternatives: hearings
                    .map(|s| SyllableAlternative {
                        s: s.into(),
                        conf: 0.2,
                    })
                    .collect(),
            }
        })
        .collect();
    utterance
}

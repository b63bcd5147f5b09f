//! Plans against a look at every line.

use auricle_contracts::{
    CallMetadata, ChannelLayout, Party, Syllable, SyllableAlternative, Utterance,
};
use proptest::prelude::*;

use super::*;
use crate::compile::{Compiler, plan_decides};
use crate::lines::Line;
use crate::query::parse;

/// Hanzi that jieba joins in many ways, letters and digits; near-sounding syllables among them.
const LETTERS: &str = "会计算机场面包号码头等产品质量人民兰男年连身生深这则a b1";

fn text(most: usize) -> impl Strategy<Value = String> {
    let letters: Vec<char> = LETTERS.chars().collect();
    prop::collection::vec(prop::sample::select(letters), 1..most)
        .prop_map(|letters| letters.into_iter().collect())
}

/// Every third syllable may have been another.
fn syllables(text: &str) -> Vec<Syllable> {
    let numbered = |letter: char| {
        let first = auricle_pinyin::readings(letter).first();
        first.map_or_else(|| "?".to_owned(), |reading| reading.syllable.to_string())
    };
    let letters: Vec<char> = text.chars().filter(|letter| !letter.is_ascii()).collect();
    let heard = letters.iter().enumerate();
    let heard = heard.map(|(at, &letter)| Syllable {
        s: numbered(letter),
        start_ms: at as u64,
        end_ms: at as u64 + 1,
        conf: 0.8,
        alternatives: letters
            .get(at / 2)
            .filter(|_| at % 3 == 0)
            .map(|&other| SyllableAlternative {
                s: numbered(other),
                conf: 0.2,
            })
            .into_iter()
            .collect(),
    });
    heard.collect()
}

fn transcript(texts: &[String]) -> Transcript {
    let utterance = |text: &String| Utterance {
        party: Party::Agent,
        channel: 0,
        start_ms: 0,
        end_ms: 100,
        text: text.clone(),
        spoken: text.clone(),
        confidence: 0.9,
        syllables: syllables(text),
        words: Vec::new(),
        voice: None,
    };
    Transcript {
        call_id: CallId("all".into()),
        file: "all.wav".into(),
        duration_ms: 100,
        engine: "test/none".into(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances: texts.iter().map(utterance).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Where candidates are many, those of a plan that decides are not looked at again.
    #[test]
    fn plans_hold_every_match_and_decide_where_they_say_so(
        texts in prop::collection::vec(text(12), 30..80),
        pieces in prop::collection::vec(text(4), 12),
    ) {
        let folder = tempfile::TempDir::new().unwrap();
        let options = IndexOptions { writer_threads: 1, search_threads: 1, ..IndexOptions::default() };
        let index = TranscriptIndex::create(folder.path(), options).unwrap();
        index.add(&transcript(&texts), &Assessment::default()).unwrap();
        index.commit().unwrap();
        let snapshot = index.shared.snapshot().unwrap();
        let compiler = Compiler { fields: &index.shared.fields, snapshot: &snapshot };
        let mut n_decided = 0;
        for piece in &pieces {
            let queries = ["\"{}\"", "{}*", "word:\"{}\"", "sound:{}", "sound:{}~0.3", "sound:{}~0.6", "sound:{}~1"];
            for query in queries.map(|query| query.replace("{}", piece)) {
                let Ok(node) = parse(&query) else { continue };
                let (place, plan) = compiler.place_and_plan(&node);
                for reader in snapshot.searcher.segment_readers() {
                    let files = snapshot.files(reader).unwrap();
                    let mut line = Line::default();
                    let matching: Vec<u32> = (0..reader.max_doc())
                        .filter(|&doc| place.quality(&files.lines.parts(doc), &mut line).is_some())
                        .collect();
                    let candidates = plan.documents(&files.pairs, reader.max_doc());
                    prop_assert!(matching.iter().all(|doc| candidates.contains(doc)), "{}", query);
                    if plan_decides(&place) {
                        prop_assert_eq!(matching, candidates, "{}", query);
                        n_decided += 1;
                    }
                }
            }
        }
        prop_assert!(n_decided > 0);
    }
}

//! No match is lost: what the index finds is compared with a plain scan of the texts.

use crate::common::{TestIndex, call, index_of};
use auricle_contracts::Party;
use auricle_search::SearchRequest;
use proptest::prelude::*;

/// Hanzi that jieba joins in many ways, so that cuts differ with their context.
const HANZI: &str = "会计算机场面包括号码头等待遇到底层次数学生产品质量子女人民工作业务";

fn text(most: usize) -> impl Strategy<Value = String> {
    let letters: Vec<char> = HANZI.chars().collect();
    prop::collection::vec(prop::sample::select(letters), 1..most)
        .prop_map(|letters| letters.into_iter().collect())
}

fn hits(index: &TestIndex, query: String) -> Vec<u32> {
    let request = SearchRequest {
        hits_per_call: 1000,
        ..SearchRequest::new(query)
    };
    let results = index.index.reader().search(&request).unwrap();
    results
        .calls
        .iter()
        .flat_map(|call| call.hits.iter().map(|hit| hit.utterance))
        .collect()
}

fn scan(texts: &[String], wanted: impl Fn(&str) -> bool) -> Vec<u32> {
    (0..texts.len() as u32)
        .filter(|&turn| wanted(&texts[turn as usize]))
        .collect()
}

/// Who says each of the texts: parties that change now and then.
fn party_of(number: usize) -> char {
    ['a', 'a', 'c', 'a', 'c', 'c', 'c', 'u', 'u', 'c', 'a'][number % 11]
}

fn index_texts(texts: &[String]) -> TestIndex {
    let lines = texts.iter().enumerate();
    let lines: Vec<String> = lines
        .map(|(number, text)| format!("{} {text}", party_of(number)))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    index_of(&[call("all", &lines)])
}

/// Positions, in characters, at which `part` occurs.
fn places(text: &str, part: &str) -> Vec<usize> {
    let letters: Vec<char> = text.chars().collect();
    let part: Vec<char> = part.chars().collect();
    (0..letters.len())
        .filter(|&at| letters[at..].starts_with(&part))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn phrases_are_found_wherever_they_are_said(
        texts in prop::collection::vec(text(14), 20..120),
        phrases in prop::collection::vec(text(5), 10),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..14, 1usize..8), 10),
    ) {
        let index = index_texts(&texts);
        // Random phrases, and pieces of the texts themselves wherever a word may be cut.
        let pieces = cuts.iter().map(|(which, from, length)| {
            let letters: Vec<char> = which.get(&texts).chars().collect();
            let from = from % letters.len();
            letters[from..letters.len().min(from + length)].iter().collect::<String>()
        });
        for phrase in phrases.iter().cloned().chain(pieces) {
            let expected = scan(&texts, |text| text.contains(&phrase));
            prop_assert_eq!(hits(&index, phrase.clone()), expected.clone(), "{}", phrase);
            prop_assert_eq!(hits(&index, format!("\"{phrase}\"")), expected, "{}", phrase);
        }
    }

    #[test]
    fn near_then_and_not_agree_with_a_scan(
        texts in prop::collection::vec(text(14), 20..80),
        pairs in prop::collection::vec((text(3), text(3), 0usize..6), 8),
    ) {
        let index = index_texts(&texts);
        for (a, b, within) in pairs {
            let (a_len, b_len) = (a.chars().count(), b.chars().count());
            let before = |text: &str, first: &str, first_len: usize, second: &str| {
                places(text, first).iter().any(|&at| {
                    places(text, second)
                        .iter()
                        .any(|&next| next >= at + first_len && next - at - first_len <= within)
                })
            };
            let ordered = scan(&texts, |text| before(text, &a, a_len, &b));
            prop_assert_eq!(hits(&index, format!("{a} BEFORE/{within} {b}")), ordered);
            let near = scan(&texts, |text| {
                before(text, &a, a_len, &b) || before(text, &b, b_len, &a)
            });
            prop_assert_eq!(hits(&index, format!("{a} NEAR/{within} {b}")), near);
            let not = scan(&texts, |text| text.contains(&a) && !text.contains(&b));
            prop_assert_eq!(hits(&index, format!("{a} -{b}")), not);
            let either = scan(&texts, |text| text.contains(&a) || text.contains(&b));
            prop_assert_eq!(hits(&index, format!("{a} OR {b}")), either);
            let turns = within + 1;
            let changes = |from: usize, to: usize| {
                let is_new = |at: &usize| party_of(*at) == 'u' || party_of(*at) != party_of(at - 1);
                (from + 1..=to).filter(is_new).count()
            };
            let then: Vec<u32> = (0..texts.len())
                .filter(|&last| {
                    texts[last].contains(&b)
                        && (0..last).any(|at| texts[at].contains(&a) && changes(at, last) <= turns)
                })
                .map(|last| last as u32)
                .collect();
            prop_assert_eq!(hits(&index, format!("{a} THEN/{turns} {b}")), then);
        }
    }

    #[test]
    fn sounds_are_found_wherever_their_hanzi_are(
        texts in prop::collection::vec(text(12), 20..80),
        phrases in prop::collection::vec(text(7), 8),
    ) {
        let index = index_texts(&texts);
        for phrase in phrases {
            let same: Vec<u32> = scan(&texts, |text| text.contains(&phrase));
            let n = phrase.chars().count();
            let exact = hits(&index, format!("sound:{phrase}"));
            prop_assert!(same.iter().all(|turn| exact.contains(turn)), "{}", phrase);
            let near = hits(&index, format!("sound:{phrase}~0.6"));
            prop_assert!(exact.iter().all(|turn| near.contains(turn)), "{}", phrase);
            if n >= 3 {
                let edited = hits(&index, format!("sound:{phrase}~1"));
                prop_assert!(near.iter().all(|turn| edited.contains(turn)), "{}", phrase);
                // Any one hanzi missing, too many or another.
                let letters: Vec<char> = phrase.chars().collect();
                for at in 0..n {
                    let mut missing = letters.clone();
                    missing.remove(at);
                    let missing: String = missing.into_iter().collect();
                    let (head, tail) = (&letters[..at], &letters[at..]);
                    let head: String = head.iter().collect();
                    let other: String = tail[1..].iter().collect();
                    let extra: String = tail.iter().collect();
                    let expected = scan(&texts, |text| {
                        let one_between = |tail: &str| places(text, &head).iter().any(|&start| {
                            let next = start + at + 1;
                            at > 0 && !tail.is_empty() && places(text, tail).contains(&next)
                        });
                        text.contains(&missing) || one_between(&other) || one_between(&extra)
                    });
                    for turn in expected {
                        prop_assert!(edited.contains(&turn), "{} in {}", phrase, texts[turn as usize]);
                    }
                }
            }
        }
    }

    #[test]
    fn calls_never_mix(
        texts in prop::collection::vec(text(4), 30..60),
        sizes in prop::collection::vec(1usize..5, 30),
        a in text(2), b in text(2),
    ) {
        let mut calls = Vec::new();
        let mut rest = texts.as_slice();
        for (n, &size) in sizes.iter().enumerate() {
            let (of_call, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            if of_call.is_empty() { break }
            let lines: Vec<String> = of_call.iter().map(|text| format!("c {text}")).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            calls.push(call(&format!("call-{n:02}"), &lines));
        }
        let index = index_of(&calls);
        let request = SearchRequest { limit: 100, hits_per_call: 100, ..SearchRequest::new(format!("{a} THEN {b}")) };
        let results = index.index.reader().search(&request).unwrap();
        let mut found: Vec<(String, u32)> = results.calls.iter()
            .flat_map(|call| call.hits.iter().map(|hit| (call.call_id.clone(), hit.utterance)))
            .collect();
        found.sort();
        let mut expected = Vec::new();
        for call in &calls {
            for (turn, utterance) in call.utterances.iter().enumerate() {
                prop_assert_eq!(utterance.party, Party::Customer);
                let led = call.utterances[..turn].iter().any(|u| u.spoken.contains(&a));
                if led && utterance.spoken.contains(&b) {
                    expected.push((call.call_id.0.clone(), turn as u32));
                }
            }
        }
        prop_assert_eq!(found, expected);
    }
}

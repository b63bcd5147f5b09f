//! Whole calls, from transcripts to assessments.

use std::sync::Arc;

use auricle_contracts::{
    CallId, CallMetadata, ChannelLayout, Hit, Party, Syllable, Transcript, Utterance, Word,
};
use auricle_insight::intent::{IntentModel, Language};
use auricle_insight::rules::{PackFile, RuleSet, utterance_of_text};
use auricle_insight::{CallRun, Judge};
use proptest::prelude::*;

fn judge(yaml: &str) -> Judge {
    let files = [PackFile::read("p.yaml", yaml.as_bytes())];
    let compiled = RuleSet::compile(&files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    Judge {
        rules: Arc::new(compiled.rules),
        card: None,
        intents: Arc::new(IntentModel::default()),
        emotions: None,
    }
}

fn call(utterances: Vec<Utterance>, duration_ms: u64) -> Transcript {
    Transcript {
        call_id: CallId("c".into()),
        file: "c.wav".into(),
        duration_ms,
        engine: String::new(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances,
    }
}

fn said(party: Party, start_ms: u64, text: &str) -> Utterance {
    utterance_of_text(party, start_ms, text)
}

/// `rule party`, by time.
fn fired(hits: &[Hit]) -> Vec<String> {
    hits.iter()
        .map(|hit| format!("{} {}", hit.rule, hit.party))
        .collect()
}

#[test]
fn what_is_said_in_time_counts_however_late_its_utterance_ends() {
    let judge = judge(
        "pack: p\nrules:\n\
         - {id: no_notice, party: agent, when: {not_said: {what: {says: 本次通话录音}, by_secs: 30}}}\n",
    );
    let mut long = said(Party::Agent, 20_000, "本次通话录音");
    long.end_ms = 60_000;
    long.words = vec![Word {
        w: "本次通话录音".into(),
        start_ms: 20_000,
        end_ms: 22_000,
    }];
    let utterances = vec![
        said(Party::Agent, 0, "您好"),
        long,
        said(Party::Customer, 35_000, "嗯"),
    ];
    let kept = CallRun::assess(&judge, &call(utterances.clone(), 70_000));
    assert_eq!(fired(&kept.hits), [] as [&str; 0]);
    let missed = [utterances[0].clone(), utterances[2].clone()];
    let missed = CallRun::assess(&judge, &call(missed.to_vec(), 70_000));
    assert_eq!(fired(&missed.hits), ["no_notice agent"]);
}

#[test]
fn any_of_two_ends_of_the_call_will_do() {
    let soon = "{scoped: {last_secs: 10, what: {says: 再见}}}";
    let last = "{scoped: {last_utterances: 1, what: {says: 再见}}}";
    let both =
        "{scoped: {last_secs: 10, what: {scoped: {last_utterances: 1, what: {says: 再见}}}}}";
    let check = |when: &str, duration_ms: u64, n_after: usize, expected: usize| {
        let judge = judge(&format!(
            "pack: p\nrules: [{{id: r, party: agent, when: {when}}}]"
        ));
        let mut utterances = vec![said(Party::Agent, 1000, "再见")];
        utterances.extend((0..n_after).map(|n| said(Party::Agent, 2000 + n as u64, "嗯")));
        let hits = CallRun::assess(&judge, &call(utterances, duration_ms)).hits;
        assert_eq!(hits.len(), expected, "{when} {duration_ms} {n_after}");
    };
    for (one, other) in [(soon, last), (last, soon)] {
        let any = format!("{{any: [{one}, {other}]}}");
        let all = format!("{{all: [{one}, {other}]}}");
        let in_call = format!("{{in_call: {any}}}");
        for (when, expected) in [(&any, [1, 1, 1, 0]), (&all, [1, 0, 0, 0])] {
            check(when, 5_000, 0, expected[0]);
            check(when, 60_000, 0, expected[1]);
            check(when, 5_000, 1, expected[2]);
            check(when, 60_000, 1, expected[3]);
        }
        check(&in_call, 60_000, 0, 1);
        check(&in_call, 5_000, 1, 1);
        check(&in_call, 60_000, 1, 0);
    }
    check(both, 5_000, 0, 1);
    check(both, 60_000, 0, 0);
}

#[test]
fn what_is_repeated_at_the_end_of_the_call_is_there_each_time() {
    let judge = judge(
        "pack: p\nrules:\n\
         - {id: r, party: customer, scope: {last_secs: 30}, when: {repeated: {what: {says: 听不清}, times: 3}}}\n",
    );
    let check = |first_ms: u64, expected: usize| {
        let starts = [first_ms, 50_000, 60_000];
        let utterances = starts.map(|start_ms| said(Party::Customer, start_ms, "听不清"));
        let hits = CallRun::assess(&judge, &call(utterances.to_vec(), 70_000)).hits;
        assert_eq!(hits.len(), expected, "{first_ms}");
    };
    check(45_000, 1);
    check(10_000, 0);
}

/// Ten digits of a mobile number, the first of which was not heard.
fn heard_in_part(start_ms: u64) -> Utterance {
    let mut utterance = said(Party::Customer, start_ms, "三八零零零零五六七八");
    let names = "san1 ba1 ling2 ling2 ling2 ling2 wu3 liu4 qi1 ba1";
    utterance.syllables = names
        .split(' ')
        .zip(0u64..)
        .map(|(name, place)| Syllable {
            s: name.into(),
            start_ms: start_ms + place * 250,
            end_ms: start_ms + place * 250 + 250,
            conf: 0.9,
            alternatives: Vec::new(),
        })
        .collect();
    utterance
}

#[test]
fn personal_data_is_its_speakers_and_of_its_own_time() {
    let judge = judge(
        "pack: p\nrules:\n\
         - {id: by_agent, party: agent, unknown_party: skip, when: {entity: phone}}\n\
         - {id: by_customer, party: customer, when: {entity: phone}}\n\
         - {id: early, party: any, scope: {first_utterances: 2}, when: {entity: phone}}\n\
         - {id: after, party: customer, when: {after: {what: {entity: phone}, anchor: {says: {party: agent, any: [您的手机号]}}}}}\n",
    );
    let mut utterances = vec![
        said(Party::Agent, 0, "您的手机号是多少"),
        heard_in_part(10_000),
    ];
    let expected = ["by_customer customer", "early customer", "after customer"];
    let last = CallRun::assess(&judge, &call(utterances.clone(), 20_000));
    assert_eq!(last.pii.len(), 1);
    assert_eq!(fired(&last.hits), expected, "known at the end of the call");
    utterances.push(said(Party::Agent, 60_000, "我们的活动马上就要开始了"));
    let later = CallRun::assess(&judge, &call(utterances, 70_000));
    assert_eq!(later.pii, last.pii);
    assert_eq!(
        fired(&later.hits),
        expected,
        "known with an utterance of the other"
    );
    for hit in &later.hits {
        let [evidence, ..] = &hit.evidence[..] else {
            panic!("{hit:?}");
        };
        assert_eq!(evidence.utterance, Some(1), "{}", hit.rule);
        assert_eq!(hit.start_ms, later.pii[0].start_ms, "{}", hit.rule);
        assert_eq!(evidence.words, "[phone]");
    }
}

#[test]
fn reasons_have_no_signs_of_phrases() {
    let judge = judge(
        "pack: p\nwords: {g: [保证, 担保]}\nrules:\n\
         - {id: r, party: agent, when: {says: '(<g>|承诺)..[高](收益|利息)'}}\n",
    );
    let why = |text: &str| {
        let call = call(vec![said(Party::Agent, 0, text)], 5_000);
        CallRun::assess(&judge, &call).hits[0].why.clone()
    };
    assert_eq!(
        why("担保您有收益"),
        "客服说了“担保您有收益”（关键词“担保…收益”）。"
    );
    assert_eq!(why("承诺利息"), "客服说了“承诺利息”。");
    assert_eq!(
        why("饱正您有收益"),
        "客服说了“饱正您有收益”（读音与关键词“保证…收益”相同）。"
    );
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_000u64, u64::MAX - 1000..=u64::MAX, any::<u64>()]
}

prop_compose! {
    fn damaged()(
        (start_ms, end_ms) in (time(), time()),
        words in proptest::collection::vec((time(), time()), 0..4),
        sounds in proptest::collection::vec((time(), time()), 0..4),
        party in prop_oneof![Just(Party::Agent), Just(Party::Customer), Just(Party::Unknown)],
        text in prop_oneof![
            Just("我的手机三八零零零零一二三四"),
            Just("您好，我是客服"),
            Just("明天下午三点打给我"),
            Just("double oh seven"),
            Just(""),
        ],
    ) -> Utterance {
        let mut said = said(party, 0, text);
        (said.start_ms, said.end_ms) = (start_ms, end_ms);
        let letters: Vec<String> = said.spoken.chars().map(String::from).collect();
        said.words = letters.into_iter().zip(words.iter().cycle()).map(|(w, &(start_ms, end_ms))| {
            Word { w, start_ms, end_ms }
        }).collect();
        said.syllables = sounds.iter().map(|&(start_ms, end_ms)| Syllable {
            s: "ba1".into(),
            start_ms,
            end_ms,
            conf: 0.9,
            alternatives: Vec::new(),
        }).collect();
        said
    }
}

proptest! {
    #[test]
    fn no_times_are_too_odd(
        utterances in proptest::collection::vec(damaged(), 0..6),
        duration_ms in time(),
    ) {
        let mut judge = judge(
            "pack: p\nrules:\n\
             - {id: a, party: agent, when: {not_said: {what: {says: 录音}, by_secs: 30}}}\n\
             - {id: b, party: any, scope: {last_secs: 9}, when: {entity: phone}}\n\
             - {id: c, party: any, when: {after: {what: {says: 您好}, anchor: {silence: {at_least_ms: 900}}, within_secs: 3}}}\n",
        );
        judge.intents = Arc::new(Language::Mandarin.model().clone());
        let mut call = call(utterances, duration_ms);
        call.metadata.started_at = Some("2025-03-12T10:20:00+08:00".into());
        CallRun::assess(&judge, &call);
    }
}

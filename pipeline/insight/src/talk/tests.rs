//! What a tracker tells of calls made by hand, and of any call at all.

use auricle_contracts::{Interruption, Party, Stretch, TalkMetrics, Utterance, Voice, Word};
use proptest::prelude::*;

use super::{Edges, TalkTracker, Talking};
use crate::{Spoken, TalkEvent};

const AGENT: Party = Party::Agent;
const CUSTOMER: Party = Party::Customer;

/// An utterance whose letters fill `start_ms..end_ms` evenly, padded by 200 ms on either side.
fn said(party: Party, start_ms: u64, end_ms: u64, text: &str) -> Utterance {
    let mut said = crate::testing::utterance(party, start_ms.saturating_sub(200), text);
    said.end_ms = end_ms + 200;
    let word = Word {
        w: said.spoken.clone(),
        start_ms,
        end_ms,
    };
    said.words = vec![word];
    said
}

fn track(edges: Edges, utterances: &[Utterance]) -> (TalkMetrics, Vec<TalkEvent>) {
    let mut order: Vec<usize> = (0..utterances.len()).collect();
    order.sort_by_key(|&idx| utterances[idx].end_ms);
    let (mut tracker, mut events) = (TalkTracker::new(edges), Vec::new());
    for idx in order {
        tracker.utterance(&Spoken::new(&utterances[idx], idx), &mut events);
    }
    let metrics = tracker.finish(60_000, &mut events);
    (metrics, events)
}

/// One letter each: `a 500+800` an interruption by the agent, `2000-7000` a silence.
fn told(utterances: &[Utterance]) -> String {
    let (_, events) = track(Edges::BetweenTalk, utterances);
    let told = events.iter().map(|event| match event {
        TalkEvent::Silence(Stretch { start_ms, end_ms }) => format!("{start_ms}-{end_ms}"),
        TalkEvent::Interruption(Interruption {
            by,
            at_ms,
            overlap_ms,
        }) => {
            let by = &by.as_str()[..1];
            format!("{by} {at_ms}+{overlap_ms}")
        }
    });
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn interruptions_and_silences_are_told_once() {
    let check = |case: &str, utterances: &[Utterance], expected: &str| {
        assert_eq!(told(utterances), expected, "{case}");
    };
    let question = said(CUSTOMER, 1000, 5000, "我想问一下你们那个产品到底怎么样");
    check(
        "an answer",
        &[question.clone(), said(AGENT, 5400, 9000, "我们的产品很好")],
        "",
    );
    check(
        "an answer whose padding alone is early",
        &[question.clone(), said(AGENT, 4800, 9000, "我们的产品很好")],
        "",
    );
    check(
        "talked over to the end",
        &[question.clone(), said(AGENT, 4400, 9000, "我们的产品很好")],
        "a 4400+600",
    );
    check(
        "talked over in the middle",
        &[
            question.clone(),
            said(AGENT, 2000, 4000, "您先听我说完这个"),
        ],
        "a 2000+2000",
    );
    check(
        "listening",
        &[question.clone(), said(AGENT, 2000, 2500, "嗯")],
        "",
    );
    check(
        "listening at length",
        &[question.clone(), said(AGENT, 2000, 3200, "好的好的")],
        "",
    );
    check(
        "listening in English",
        &[question.clone(), said(AGENT, 2000, 2900, "uh huh")],
        "",
    );
    check(
        "a short word",
        &[question.clone(), said(AGENT, 2000, 2600, "九点")],
        "",
    );
    check(
        "a short word that stops the other",
        &[question.clone(), said(AGENT, 4600, 5200, "九点")],
        "a 4600+400",
    );
    check(
        "who was talked over goes on",
        &[
            question.clone(),
            said(AGENT, 4000, 8000, "那个产品我跟您说它是非常好的"),
            said(CUSTOMER, 5900, 7000, "我还没有说完呢"),
        ],
        "a 4000+1000",
    );
    check(
        "one turn in two utterances is no new start",
        &[
            question.clone(),
            said(AGENT, 5200, 7000, "我们的产品"),
            said(AGENT, 7100, 9000, "卖得非常好"),
            said(CUSTOMER, 6900, 7950, "你让我想一想"),
        ],
        "c 6900+1050",
    );
    check(
        "silence",
        &[question.clone(), said(AGENT, 10_000, 12_000, "查到了您好")],
        "5000-10000",
    );
    check(
        "no silence while the other talks",
        &[
            said(CUSTOMER, 0, 1000, "你好啊"),
            said(AGENT, 1500, 14_000, "我来给您介绍一下这个产品它有三个特点"),
            said(CUSTOMER, 7000, 7400, "嗯"),
        ],
        "",
    );
    check(
        "a single channel",
        &[
            said(Party::Unknown, 0, 3000, "你好我想问一下"),
            said(Party::Unknown, 2500, 4000, "您请说"),
            said(Party::Unknown, 9000, 9900, "人呢"),
        ],
        "4000-9000",
    );
    check("nothing", &[], "");
}

#[test]
fn figures_of_a_call() {
    let mut utterances = vec![
        said(AGENT, 1000, 3000, "您好我是小王请问"),
        said(CUSTOMER, 3500, 4500, "你说吧请"),
        said(AGENT, 4000, 7000, "我们有新的产品您要不要了解"),
        said(AGENT, 8000, 9000, "很便宜的"),
        said(CUSTOMER, 12_000, 13_000, "不用谢谢"),
    ];
    utterances[0].voice = Some(Voice {
        loudness_db: -20.0,
        ..Voice::default()
    });
    let (metrics, _) = track(Edges::BetweenTalk, &utterances);
    let agent = &metrics.parties[0];
    assert_eq!(
        (agent.party, agent.talk_ms, agent.n_utterances),
        (AGENT, 6000, 3)
    );
    assert_eq!(agent.rate_per_minute, 250.0);
    assert_eq!((agent.talk_ratio, agent.loudness_db), (0.75, Some(-20.0)));
    assert_eq!(
        agent.longest_monologue_ms, 5000,
        "the pause of 1 s is short"
    );
    assert_eq!(agent.response_ms, Some(-500), "it came in early");
    assert_eq!(metrics.parties[1].response_ms, Some(1750), "500 and 3,000");
    assert_eq!(
        (metrics.overlap_ms, metrics.silence_ms),
        (500, 500 + 1000 + 3000)
    );
    assert_eq!(metrics.longest_silence_ms, 3000);
    assert_eq!(
        metrics.silences,
        [Stretch {
            start_ms: 9000,
            end_ms: 12_000
        }]
    );
    assert_eq!(metrics.interruptions.len(), 1);
    let (whole, _) = track(Edges::WholeCall, &utterances);
    assert_eq!(whole.silence_ms, 4500 + 1000 + 47_000);
    assert_eq!(whole.longest_silence_ms, 47_000);
}

#[test]
fn pauses_inside_an_utterance_are_no_talk() {
    let mut pausing = said(AGENT, 1000, 9000, "您好");
    pausing.words = [("您", 1000, 1400), ("好", 1600, 2000)]
        .into_iter()
        .map(|(word, start_ms, end_ms)| Word {
            w: word.into(),
            start_ms,
            end_ms,
        })
        .collect();
    let (metrics, _) = track(Edges::BetweenTalk, std::slice::from_ref(&pausing));
    assert_eq!(
        metrics.parties[0].talk_ms, 1000,
        "200 ms are part of the talk"
    );
    pausing.words[1].start_ms = 1900;
    let (metrics, _) = track(Edges::BetweenTalk, &[pausing]);
    assert_eq!(metrics.parties[0].talk_ms, 500);
}

/// One letter every 500 ms.
fn spelled(party: Party, start_ms: u64, text: &str) -> Utterance {
    let mut spelled = crate::testing::utterance(party, start_ms, text);
    let letters = spelled.spoken.chars().zip(0u64..);
    let words = letters.map(|(letter, place)| Word {
        w: letter.into(),
        start_ms: start_ms + 500 * place,
        end_ms: start_ms + 500 * (place + 1),
    });
    spelled.words = words.collect();
    spelled.end_ms = spelled.words.last().map_or(start_ms, |word| word.end_ms);
    spelled
}

/// The same with all letters from this one on hidden.
fn masked(open: &Utterance, from: usize) -> Utterance {
    let mut masked = open.clone();
    let letters = masked.spoken.chars().enumerate();
    let hide = |(place, letter)| if place < from { letter } else { '*' };
    masked.spoken = letters.map(hide).collect();
    masked.text.clone_from(&masked.spoken);
    for word in &mut masked.words[from..] {
        word.w = "*".into();
    }
    masked
}

#[test]
fn what_is_masked_was_said_all_the_same() {
    let question = spelled(AGENT, 1000, "您的号码");
    let answer = spelled(CUSTOMER, 3500, "是一三八零零一三八零零零");
    let thanks = spelled(AGENT, 9600, "好谢谢");
    let call = |answer: &Utterance| [question.clone(), answer.clone(), thanks.clone()];
    let (expected, events) = track(Edges::BetweenTalk, &call(&answer));
    assert_eq!((expected.longest_silence_ms, events.len()), (500, 0));
    for from in [1, 0] {
        let (metrics, events) = track(Edges::BetweenTalk, &call(&masked(&answer, from)));
        assert_eq!((metrics, events), (expected.clone(), Vec::new()), "{from}");
    }
    // Where the times of what is hidden are gone, too, the utterance's own hold.
    let mut dropped = masked(&answer, 1);
    dropped.words.truncate(1);
    let mut zeros = masked(&answer, 1);
    for word in &mut zeros.words[1..] {
        (word.start_ms, word.end_ms) = (0, 0);
    }
    let mut wordless = masked(&answer, 0);
    wordless.words.clear();
    for answer in [dropped, zeros, wordless] {
        let (metrics, events) = track(Edges::BetweenTalk, &call(&answer));
        assert_eq!((metrics, events), (expected.clone(), Vec::new()));
    }
}

#[test]
fn what_is_masked_is_no_listening() {
    let question = said(CUSTOMER, 1000, 5000, "我想问一下你们那个产品到底怎么样");
    let mut name = said(AGENT, 4000, 5400, "好的");
    assert_eq!(told(&[question.clone(), name.clone()]), "");
    for text in [&mut name.text, &mut name.spoken, &mut name.words[0].w] {
        *text = "**".into();
    }
    assert_eq!(told(&[question, name]), "a 4000+1000");
}

#[test]
fn words_count_where_there_are_no_syllables() {
    let check = |text: &str, spoken: &str, rate: f32| {
        let mut said = said(AGENT, 0, 60_000, text);
        said.spoken = spoken.into();
        said.words[0].w = spoken.into();
        let (metrics, _) = track(Edges::BetweenTalk, &[said]);
        assert_eq!(metrics.parties[0].rate_per_minute, rate, "{text}");
    };
    check("hello, how are you", "hello how are you", 4.0);
    check("我用OK卡", "我用OK卡", 4.0);
    check("我用 iPhone 手机", "我用 iphone 手机", 5.0);
}

#[test]
fn on_a_live_call_the_clock_tells_silences() {
    let mut tracker = TalkTracker::default();
    let mut events = Vec::new();
    let hello = said(AGENT, 1000, 2000, "您好");
    tracker.utterance(&Spoken::new(&hello, 0), &mut events);
    let agent = Talking {
        party: AGENT,
        since_ms: 7000,
    };
    assert_eq!(
        tracker.open_silence(6000, &[]).map(|open| open.start_ms),
        Some(2000)
    );
    assert_eq!(
        tracker.open_silence(8000, &[agent]),
        None,
        "the agent talks"
    );
    tracker.time(8000, &[agent], &mut events);
    assert_eq!(events, [], "its end is not sure before the words are there");
    let more = said(AGENT, 7100, 9000, "您还在吗");
    tracker.utterance(&Spoken::new(&more, 1), &mut events);
    tracker.time(9500, &[], &mut events);
    let silence = Stretch {
        start_ms: 2000,
        end_ms: 7100,
    };
    assert_eq!(events, [TalkEvent::Silence(silence)]);
    tracker.finish(9500, &mut events);
    assert_eq!(events.len(), 1, "once");
}

#[test]
fn an_utterance_has_its_own_rate() {
    let said = said(AGENT, 0, 1000, "你好吗你");
    let rate = TalkTracker::default().utterance(&Spoken::new(&said, 0), &mut Vec::new());
    assert_eq!(rate, Some(240.0));
}

fn any_utterance() -> impl Strategy<Value = Utterance> {
    let party = prop_oneof![Just(AGENT), Just(CUSTOMER), Just(Party::Unknown)];
    let text = prop_oneof![
        Just(""),
        Just("嗯"),
        Just("好的"),
        Just("我想问一下"),
        Just("hello there")
    ];
    let time = 0..100_000u64;
    (
        party,
        text,
        time.clone(),
        time.clone(),
        time.clone(),
        time,
        any::<bool>(),
    )
        .prop_map(
            |(party, text, start_ms, end_ms, word_start_ms, word_end_ms, has_words)| {
                let mut said = crate::testing::utterance(party, start_ms, text);
                said.end_ms = end_ms;
                said.words = Vec::from_iter(has_words.then(|| Word {
                    w: said.spoken.clone(),
                    start_ms: word_start_ms,
                    end_ms: word_end_ms,
                }));
                said
            },
        )
}

proptest! {
    #[test]
    fn any_call_has_sensible_figures(
        utterances in prop::collection::vec(any_utterance(), 0..30),
        duration_ms in prop_oneof![Just(0), 0..200_000u64],
        whole in any::<bool>(),
    ) {
        let edges = if whole { Edges::WholeCall } else { Edges::BetweenTalk };
        let (mut tracker, mut events) = (TalkTracker::new(edges), Vec::new());
        for (idx, utterance) in utterances.iter().enumerate() {
            tracker.utterance(&Spoken::new(utterance, idx), &mut events);
            tracker.time(utterance.end_ms, &[], &mut events);
        }
        let metrics = tracker.finish(duration_ms, &mut events);
        let ratio: f32 = metrics.parties.iter().map(|party| party.talk_ratio).sum();
        prop_assert!(ratio < 1.001);
        prop_assert!(metrics.parties.iter().all(|party| party.rate_per_minute.is_finite()));
        prop_assert!(metrics.longest_silence_ms <= metrics.silence_ms);
        prop_assert!(metrics.silences.iter().all(|gap| gap.start_ms < gap.end_ms));
        prop_assert!(metrics.interruptions.iter().all(|over| over.overlap_ms >= 300));
    }

    /// Live finals with everybody's talk announced tell what the call's end tells.
    #[test]
    fn events_agree_with_the_figures(
        talk in prop::collection::vec((any::<bool>(), 0..6000u64, 100..9000u64), 1..20),
    ) {
        let mut ends = [0u64; 2];
        let mut utterances = Vec::new();
        for (is_agent, pause_ms, length_ms) in talk {
            let end = &mut ends[usize::from(is_agent)];
            let start_ms = *end + pause_ms;
            *end = start_ms + length_ms;
            let party = if is_agent { AGENT } else { CUSTOMER };
            utterances.push(said(party, start_ms, *end, "我想问一下"));
        }
        let (metrics, events) = track(Edges::BetweenTalk, &utterances);
        let mut silences: Vec<Stretch> = events.iter().filter_map(|event| match event {
            TalkEvent::Silence(silence) if silence.end_ms - silence.start_ms >= 2000 => Some(*silence),
            _ => None,
        }).collect();
        silences.sort_by_key(|silence| silence.start_ms);
        prop_assert_eq!(silences, metrics.silences);
        let overs = events.iter().filter(|event| matches!(event, TalkEvent::Interruption(_)));
        prop_assert_eq!(overs.count(), metrics.interruptions.len());
    }
}

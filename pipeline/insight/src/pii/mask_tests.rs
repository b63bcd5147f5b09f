//! Nothing of what is hidden can be read anywhere.

use auricle_contracts::{
    Answer, Assessment, CallId, CallMetadata, ChannelLayout, Evidence, Hit, Party, PiiKind,
    PiiSpan, Quote, ScoreItem, Scorecard, Severity, Syllable, SyllableAlternative, TextPlace,
    Transcript, Utterance, Word,
};
use proptest::prelude::*;

use super::tests::{call, find_in};
use super::{Mask, Masker, mask};
use crate::testing::utterance;

fn transcript(utterances: Vec<Utterance>) -> Transcript {
    Transcript {
        call_id: CallId("1".into()),
        file: "1.wav".into(),
        duration_ms: 0,
        engine: String::new(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances,
    }
}

/// One utterance with words and syllables of one letter each.
fn heard(text: &str, spoken: &str) -> Utterance {
    let mut said = utterance(Party::Customer, 0, spoken);
    said.text = text.to_owned();
    let times = |place: usize| (place as u64 * 250, place as u64 * 250 + 250);
    let letters = spoken.chars().enumerate();
    said.words = letters
        .clone()
        .map(|(place, letter)| Word {
            w: letter.into(),
            start_ms: times(place).0,
            end_ms: times(place).1,
        })
        .collect();
    said.syllables = letters
        .map(|(place, letter)| Syllable {
            s: auricle_pinyin::readings(letter)
                .first()
                .map_or("de5".into(), |reading| reading.syllable.to_string()),
            start_ms: times(place).0,
            end_ms: times(place).1,
            conf: 0.9,
            alternatives: vec![SyllableAlternative {
                s: "yi1".into(),
                conf: 0.1,
            }],
        })
        .collect();
    said
}

fn check(text: &str, spoken: &str, how: Mask, expected_text: &str, expected_spoken: &str) {
    let open = transcript(vec![heard(text, spoken)]);
    let spans = find_in(&open.utterances);
    assert!(!spans.is_empty(), "{spoken}");
    let masked = mask(&open, &spans, how);
    let said = &masked.utterances[0];
    assert_eq!(
        (said.text.as_str(), said.spoken.as_str()),
        (expected_text, expected_spoken)
    );
    let words: String = said.words.iter().map(|word| word.w.as_str()).collect();
    assert_eq!(words, said.spoken);
    for (syllable, letter) in said.syllables.iter().zip(said.spoken.chars()) {
        assert_eq!(syllable.s == "*", letter == '*');
        assert_eq!(syllable.alternatives.is_empty(), letter == '*');
    }
    assert_eq!(said.start_ms, open.utterances[0].start_ms);
}

#[test]
fn all_forms_of_an_utterance_are_masked() {
    let spoken = "好的幺五九零零零零幺二三四谢谢";
    check(
        "好的，15900001234，谢谢。",
        spoken,
        Mask::All,
        "好的，***********，谢谢。",
        "好的***********谢谢",
    );
    check(
        "好的，159-0000-1234，谢谢。",
        spoken,
        Mask::All,
        "好的，*************，谢谢。",
        "好的***********谢谢",
    );
    check(
        "好的，15900001234，谢谢。",
        spoken,
        Mask::KeepLast(4),
        "好的，*******1234，谢谢。",
        "好的*******幺二三四谢谢",
    );
    check(
        "好的，1590000123，谢谢。",
        spoken,
        Mask::KeepLast(4),
        "好的，**********，谢谢。",
        "好的*******幺二三四谢谢",
    );
    check("", spoken, Mask::All, "", "好的***********谢谢");
}

#[test]
fn quotes_are_masked_where_they_quote_what_is_hidden() {
    let open = transcript(vec![heard(
        "花了3500，电话15900001234，谢谢。",
        "花了三千五电话幺五九零零零零幺二三四谢谢",
    )]);
    let spans = find_in(&open.utterances);
    let masker = Masker::new(&open, &spans, Mask::All);
    for (quote, expected) in [
        ("花了3500", "花了3500"),
        ("电话15900001234", "电话***********"),
        ("5900", "****"),
        ("九零零零零幺", "******"),
        ("电话 159 0000 1234 谢谢", "电话 *** **** **** 谢谢"),
        ("", ""),
        ("三千五", "三千五"),
    ] {
        assert_eq!(masker.quote(0, quote), expected);
    }
    assert_eq!(
        masker.quote(7, "15900001234"),
        "15900001234",
        "no such utterance"
    );
    assert_eq!(
        masker.scrub("heard `电话15900001234`"),
        "heard `电话***********`"
    );
}

#[test]
fn reasons_keep_their_own_numbers() {
    let open = transcript(vec![heard("电话13800000012", "电话幺三八零零零零零零幺二")]);
    let spans = find_in(&open.utterances);
    let masker = Masker::new(&open, &spans, Mask::All);
    for (why, expected) in [
        (
            "`x_ms` 为 180000，要求 ≤ 120000",
            "`x_ms` 为 180000，要求 ≤ 120000",
        ),
        (
            "客户说了“电话1380000”；`x_ms` 为 180000，要求 ≤ 120000",
            "客户说了“电话*******”；`x_ms` 为 180000，要求 ≤ 120000",
        ),
        (
            "The customer said \"他说”3800” 0000",
            "The customer said \"他说”****” 0000",
        ),
        ("他说“3800…”，0000", "他说“****…”，0000"),
        ("他说“3800", "他说“****"),
        ("他说”一”，他说“3800", "他说”一”，他说“****"),
        ("他说“一”，0000，他说“3800", "他说“一”，****，他说“****"),
        ("said \"one\" and \"3800", "said \"one\" and \"****"),
        ("0000, said \"3800\" 0000", "0000, said \"****\" 0000"),
        (
            "人工评定：13800000012，不是 0000",
            "人工评定：***********，不是 0000",
        ),
    ] {
        assert_eq!(masker.scrub_reason(why), expected);
    }
}

#[test]
fn notes_of_people_are_masked_as_quotations() {
    let open = transcript(vec![heard("电话13800000012", "电话幺三八零零零零零零幺二")]);
    let spans = find_in(&open.utterances);
    let masker = Masker::new(&open, &spans, Mask::All);
    for (why, expected) in [
        (
            "人工评定：尾号3800（自动评定：`x_ms` 为 180000）",
            "人工评定：尾号****（自动评定：`x_ms` 为 180000）",
        ),
        (
            "answered by a person: 3800, not 0000",
            "answered by a person: ****, not ****",
        ),
        (
            "answered by a person: 3800 (the card itself: said \"3800\", 0000)",
            "answered by a person: **** (the card itself: said \"****\", 0000)",
        ),
        ("`x_ms` 为 180000", "`x_ms` 为 180000"),
    ] {
        let item = ScoreItem {
            section: String::new(),
            id: "x".into(),
            question: String::new(),
            answer: Answer::No,
            points: 0.0,
            out_of: 0.0,
            auto_fail: false,
            hits: Vec::new(),
            why: why.into(),
        };
        let assessment = Assessment {
            scorecard: Some(Scorecard {
                card: "c".into(),
                total: 0.0,
                passed: false,
                auto_fail: false,
                items: vec![item],
            }),
            ..Assessment::default()
        };
        let masked = masker.assessment(&assessment).scorecard.expect("a card");
        assert_eq!(masked.items[0].why, expected);
    }
}

#[test]
fn numbers_in_words_leave_other_words_readable() {
    let open = transcript(call(
        "c: my number is four one five five five five oh one three two",
    ));
    let spans = find_in(&open.utterances);
    assert!(!spans.is_empty());
    let masker = Masker::new(&open, &spans, Mask::All);
    for (text, expected) in [
        ("someone", "someone"),
        ("four pm", "four pm"),
        ("the fifteenth", "the fifteenth"),
        ("has ever lost money", "has ever lost money"),
        ("at five five five oh", "at **** **** **** **"),
        (
            "four one five  five five five oh one threetwo",
            "**** *** ****  **** **** **** ** *** ********",
        ),
    ] {
        assert_eq!(masker.scrub(text), expected);
        assert_eq!(
            masker.scrub_reason(&format!("\"{text}\"")),
            format!("\"{expected}\"")
        );
    }
}

#[test]
fn assessments_are_masked() {
    let open = transcript(vec![heard(
        "电话15900001234。",
        "电话幺五九零零零零幺二三四",
    )]);
    let spans = find_in(&open.utterances);
    let mut assessment = Assessment::default();
    assessment.hits.push(Hit {
        rule: "r".into(),
        pack: String::new(),
        title: String::new(),
        severity: Severity::Info,
        party: Party::Customer,
        start_ms: 0,
        end_ms: 1,
        deduct: 0.0,
        auto_fail: false,
        evidence: vec![Evidence {
            utterance: Some(0),
            party: Party::Customer,
            start_ms: 0,
            end_ms: 1,
            words: "幺五九零零".into(),
        }],
        why: "said 电话幺五九零零零零幺二三四".into(),
    });
    assessment.summary.numbers.push(Quote {
        utterance: 0,
        party: Party::Customer,
        start_ms: 0,
        text: "15900001234".into(),
    });
    let masked = Masker::new(&open, &spans, Mask::All).assessment(&assessment);
    let json = serde_json::to_string(&masked).unwrap();
    assert!(!json.contains("159") && !json.contains("幺五九"), "{json}");
}

#[test]
fn silences_lie_over_each_place_on_its_channel() {
    let mut open = transcript(call("a: 手机号|c: 一三八零零|a: 嗯|c: 零零一二三四"));
    let spans = find_in(&open.utterances);
    let silences = Masker::new(&open, &spans, Mask::KeepLast(4)).silences();
    assert_eq!(silences.len(), 2);
    for (silence, idx) in silences.iter().zip([1, 3]) {
        let said = &open.utterances[idx];
        assert_eq!(silence.channel, Some(1));
        assert!(silence.time.start_ms <= said.start_ms && silence.time.end_ms >= said.end_ms);
    }
    open.layout = ChannelLayout::FakeStereo;
    let silences = Masker::new(&open, &spans, Mask::All).silences();
    assert!(silences.iter().all(|silence| silence.channel.is_none()));
}

const HANZI: [char; 12] = [
    '零', '幺', '二', '三', '四', '五', '六', '七', '八', '九', '一', '两',
];
const DIGITS: [char; 12] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '1', '2'];

proptest! {
    /// Before and behind stand words without digits: what is left of digits is left of the span.
    #[test]
    fn no_digit_of_a_span_is_left(
        digits in prop::collection::vec(0usize..12, 1..24),
        before in "[好的我是电话卡号]{0,6}",
        after in "[谢谢再见吧]{0,6}",
        lost in prop::collection::vec(any::<bool>(), 24),
        n_words in 1usize..5,
        n_lost in 0usize..3,
    ) {
        let spoken: String = digits.iter().map(|&digit| HANZI[digit]).collect();
        let written: String = digits.iter().zip(&lost)
            .map(|(&digit, &lost)| if lost { HANZI[digit] } else { DIGITS[digit] })
            .collect();
        let mut said = heard(&format!("{before}，{written}。{after}"), &format!("{before}{spoken}{after}"));
        // Words and syllables that do not go with the letters are hidden by their times.
        let chunks: Vec<Word> = said.words.chunks(n_words).map(|words| Word {
            w: words.iter().map(|word| word.w.as_str()).collect(),
            start_ms: words[0].start_ms,
            end_ms: words[words.len() - 1].end_ms,
        }).collect();
        said.words = chunks;
        let n_syllables = said.syllables.len().saturating_sub(n_lost);
        said.syllables.truncate(n_syllables);
        let from = before.chars().count();
        let place = TextPlace { utterance: 0, from, to: from + digits.len() };
        let span = PiiSpan { kind: PiiKind::Phone, party: Party::Customer, start_ms: 0, end_ms: 1, places: vec![place] };
        let open = transcript(vec![said]);
        let masked = mask(&open, std::slice::from_ref(&span), Mask::All);
        let said = &masked.utterances[0];
        let json = serde_json::to_string(&(&said.text, &said.spoken, &said.words.iter().map(|word| &word.w).collect::<Vec<_>>())).unwrap();
        prop_assert!(!json.contains(HANZI) && !json.contains(DIGITS), "{json}");
        for syllable in said.syllables.iter().skip(from).take(digits.len()) {
            prop_assert_eq!(&syllable.s, "*");
        }
        prop_assert_eq!(said.spoken.chars().count(), open.utterances[0].spoken.chars().count());
        prop_assert_eq!(said.text.chars().count(), open.utterances[0].text.chars().count());
        for (masked, open) in said.words.iter().zip(&open.utterances[0].words) {
            prop_assert_eq!(masked.w.chars().count(), open.w.chars().count());
            prop_assert_eq!((masked.start_ms, masked.end_ms), (open.start_ms, open.end_ms));
        }
    }

    /// Neither wild text nor wild places break anything.
    #[test]
    fn anything_is_found_and_masked_without_fault(
        lines in prop::collection::vec("([零一二三四五六七八九幺两个十不对嗯是的卡号手机邮箱艾特点com粤BXx0-9 @.,，。:a-e-]|[\\PC]){0,40}", 0..6),
        places in prop::collection::vec((0usize..8, 0usize..50, 0usize..50), 0..4),
        n_kept in 0usize..9,
    ) {
        let utterances: Vec<Utterance> = lines.iter().enumerate().map(|(place, line)| {
            let party = [Party::Agent, Party::Customer, Party::Unknown][place % 3];
            let mut said = utterance(party, place as u64 * 1000, line);
            if place % 2 == 0 { said.spoken.clone_from(line); }
            said
        }).collect();
        let open = transcript(utterances);
        let mut spans = find_in(&open.utterances);
        for span in &spans {
            for place in &span.places {
                prop_assert!(place.from < place.to);
                let said = &open.utterances[place.utterance];
                let source = if said.spoken.is_empty() { &said.text } else { &said.spoken };
                prop_assert!(place.to <= source.chars().count());
            }
            prop_assert!(span.start_ms <= span.end_ms);
        }
        spans.extend(places.into_iter().map(|(utterance, from, to)| PiiSpan {
            kind: PiiKind::Email, party: Party::Agent, start_ms: 0, end_ms: 0,
            places: vec![TextPlace { utterance, from, to }],
        }));
        let masker = Masker::new(&open, &spans, Mask::KeepLast(n_kept));
        let masked = masker.transcript();
        for (idx, (masked, open)) in masked.utterances.iter().zip(&open.utterances).enumerate() {
            prop_assert_eq!(masked.text.chars().count(), open.text.chars().count());
            let quoted = masker.quote(idx, &open.text);
            prop_assert!(quoted.chars().zip(masked.text.chars()).all(|(quoted, masked)| quoted == masked || quoted == '*'));
        }
        let _ = masker.silences();
    }
}

//! Pages as a reader gets them: complete, escaped, of a sane size.

use auricle_contracts::{
    Answer, Assessment, CallId, CallMetadata, Emotion, EmotionLabel, Evidence, Hit, Intent, Mood,
    Party, PartyMood, PartyTalk, PiiKind, PiiSpan, Quote, ScoreItem, Scorecard, Severity, Summary,
    TalkMetrics, Transcript, Utterance, UtteranceInsight,
};
use auricle_report::{
    Batch, BatchOptions, Change, Changes, Clip, Detail, Language, MediaUrl, Outline,
    PAGE_HEAD_BYTES, Playable, batch_page, call_page, call_page_path, is_own_page, rescore_page,
};
use proptest::prelude::*;

/// A call in which every text is `text`, every quantity `number` and every time `ms`.
fn call_of(text: &str, number: f32, ms: u64, severity: Severity) -> (Transcript, Assessment) {
    let own = || text.to_owned();
    let transcript = Transcript {
        call_id: CallId(own()),
        file: own(),
        duration_ms: ms,
        engine: own(),
        layout: Default::default(),
        metadata: CallMetadata {
            agent: Some(own()),
            campaign: Some(own()),
            region: Some(own()),
            started_at: Some(own()),
        },
        warnings: vec![own()],
        utterances: vec![Utterance {
            party: Party::Customer,
            channel: 1,
            start_ms: ms,
            end_ms: ms / 2,
            text: own(),
            spoken: own(),
            confidence: number,
            syllables: Vec::new(),
            words: Vec::new(),
            voice: None,
        }],
    };
    (transcript, assessment_of(text, number, ms, severity))
}

fn assessment_of(text: &str, number: f32, ms: u64, severity: Severity) -> Assessment {
    let own = || text.to_owned();
    let quotes = || {
        vec![Quote {
            utterance: ms as usize,
            party: Party::Agent,
            start_ms: ms,
            text: own(),
        }]
    };
    Assessment {
        utterances: vec![UtteranceInsight {
            emotion: Some(Emotion {
                label: EmotionLabel::Angry,
                confidence: number,
                arousal: number,
                valence: number,
            }),
            intents: vec![Intent {
                label: own(),
                confidence: number,
                at: Some(own()),
                until: Some(own()),
            }],
        }],
        hits: vec![Hit {
            rule: own(),
            pack: own(),
            title: own(),
            severity,
            party: Party::Agent,
            start_ms: ms,
            end_ms: ms.saturating_add(1500),
            deduct: number,
            auto_fail: true,
            evidence: vec![Evidence {
                utterance: Some(0),
                party: Party::Customer,
                start_ms: ms,
                end_ms: ms.saturating_add(1500),
                words: own(),
            }],
            why: own(),
        }],
        pii: vec![PiiSpan {
            kind: PiiKind::BankCard,
            party: Party::Customer,
            start_ms: ms,
            end_ms: 0,
            places: Vec::new(),
        }],
        metrics: TalkMetrics {
            parties: vec![PartyTalk {
                party: Party::Agent,
                talk_ms: ms,
                talk_ratio: number,
                n_utterances: 1,
                rate_per_minute: number,
                loudness_db: Some(number),
                n_interruptions: u32::MAX,
                longest_monologue_ms: ms,
                response_ms: Some(i64::MIN),
            }],
            silence_ms: ms,
            longest_silence_ms: ms,
            ..TalkMetrics::default()
        },
        mood: Mood {
            parties: vec![PartyMood {
                party: Party::Customer,
                valence: number,
                arousal: number,
                trend: number,
                n_angry: 1,
            }],
            satisfaction: Some(number),
        },
        summary: Summary {
            reason: quotes(),
            outcome: quotes(),
            promises: quotes(),
            numbers: quotes(),
            disposition: Some(own()),
        },
        scorecard: Some(Scorecard {
            card: own(),
            total: number,
            passed: false,
            auto_fail: false,
            items: vec![ScoreItem {
                section: own(),
                id: own(),
                question: own(),
                answer: Answer::No,
                points: number,
                out_of: number,
                auto_fail: true,
                hits: vec![0, 7],
                why: own(),
            }],
        }),
    }
}

fn batch_of(calls: &[(Transcript, Assessment)], playable: &Playable) -> Batch {
    let mut batch = Batch::new(BatchOptions::default());
    for (transcript, assessment) in calls {
        batch.add(transcript, assessment, playable, Detail::Page);
    }
    batch
}

fn changes_of(calls: &[(Transcript, Assessment)]) -> Changes {
    let mut changes = Changes::default();
    for (transcript, assessment) in calls {
        changes.add(Change {
            call_id: transcript.call_id.clone(),
            metadata: transcript.metadata.clone(),
            before: Some(Outline::default()),
            after: Outline::of(assessment),
        });
    }
    changes
}

fn pages(text: &str, number: f32, ms: u64, language: Language) -> [String; 3] {
    let call = call_of(text, number, ms, Severity::Major);
    let playable = Playable::Recording(MediaUrl::from_path(text));
    let calls = [call];
    [
        batch_page(&batch_of(&calls, &playable), language),
        rescore_page(&changes_of(&calls), language),
        call_page(&calls[0].0, &calls[0].1, &playable, language),
    ]
}

/// Opening tags with their attributes' names, all else left out. Fails where elements do not nest.
fn structure(page: &str) -> Result<Vec<String>, String> {
    let (mut open, mut tags) = (Vec::<String>::new(), Vec::new());
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = tag_end(rest).ok_or("a tag does not end")?;
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("`</{name}>` closes another element"));
            }
            continue;
        }
        let name = tag.split(' ').next().unwrap_or_default().to_owned();
        if matches!(name.as_str(), "script" | "style") {
            let close = rest
                .find(&format!("</{name}"))
                .ok_or("no end of a script")?;
            rest = &rest[close..];
        }
        if !matches!(name.as_str(), "meta" | "input" | "br") {
            open.push(name);
        }
        tags.push(outside_quotes(tag));
    }
    if open.is_empty() {
        Ok(tags)
    } else {
        Err(format!("{open:?} never close"))
    }
}

fn tag_end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, letter)| {
        quoted ^= letter == '"';
        (letter == '>' && !quoted).then_some(at)
    })
}

fn outside_quotes(tag: &str) -> String {
    tag.split('"').step_by(2).collect()
}

const HOSTILE: [&str; 8] = [
    "\"><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "\" onload=\"alert(1)",
    "<!-- ",
    "]]></style></title><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "&lt;b&gt;\u{2028}\u{0}\\u003c/script\\u003e",
];

#[test]
fn hostile_texts_stay_texts() {
    // The words of a hit are marked in what was said, which a letter alone shares with these texts.
    let benign = pages("x", 70.0, 5000, Language::English).map(|page| structure(&page).unwrap());
    for text in HOSTILE {
        let found = pages(text, 70.0, 5000, Language::English);
        for (page, benign) in found.iter().zip(&benign) {
            let tags = structure(page).unwrap_or_else(|cause| panic!("{text}: {cause}"));
            let known: std::collections::BTreeSet<&String> = benign.iter().collect();
            let strange: Vec<&String> = tags.iter().filter(|tag| !known.contains(tag)).collect();
            assert!(strange.is_empty(), "{text}: {strange:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_call_gives_whole_pages(
        text in "(?s).{0,40}",
        number in any::<f32>(),
        ms in prop_oneof![0..100_000u64, any::<u64>()],
        chinese in any::<bool>(),
    ) {
        let language = if chinese { Language::Chinese } else { Language::English };
        for page in pages(&text, number, ms, language) {
            let tags = structure(&page).map_err(TestCaseError::fail)?;
            prop_assert!(!tags.iter().any(|tag| tag.contains(" on")), "{tags:?}");
            prop_assert!(page.ends_with("</html>"));
            prop_assert!(!page.contains("NaN") || text.contains("NaN"));
        }
    }
}

#[test]
fn nothing_at_all_makes_a_page() {
    for language in [Language::English, Language::Chinese] {
        let empty = Batch::new(BatchOptions::default());
        let (mut transcript, _) = call_of("a", 1.0, 0, Severity::Info);
        transcript.utterances.clear();
        let assessment = Assessment::default();
        for page in [
            batch_page(&empty, language),
            rescore_page(&Changes::default(), language),
            call_page(&transcript, &assessment, &Playable::Nothing, language),
        ] {
            structure(&page).unwrap();
            assert!(!page.contains("a.play href") && !page.contains("class=\"play\""));
        }
    }
}

#[test]
fn evidence_plays_from_its_media_fragment() {
    let call = call_of("x", 70.0, 12_300, Severity::Major);
    let recording = Playable::Recording(MediaUrl::from_path("录音/a b.wav"));
    let calls = [call];
    let batch = batch_page(&batch_of(&calls, &recording), Language::English);
    let url = "%E5%BD%95%E9%9F%B3/a%20b.wav#t=12.3,13.8";
    assert!(batch.contains(&format!(
        "<a class=\"play\" href=\"{url}\" aria-label=\"Play 0:12\">0:12</a>"
    )));
    let page = call_page(&calls[0].0, &calls[0].1, &recording, Language::English);
    assert!(page.contains(&format!("href=\"../{url}\"")));
    let clips = Playable::Clips(vec![Some(Clip {
        url: MediaUrl::from_path("clips/0.wav"),
        start_ms: 12_000,
    })]);
    let page = call_page(&calls[0].0, &calls[0].1, &clips, Language::English);
    assert!(page.contains("href=\"../clips/0.wav#t=0.3,1.8\""));
    let silent = batch_page(&batch_of(&calls, &Playable::Nothing), Language::English);
    assert!(!silent.contains("class=\"play\""));
    let withheld = call_page(
        &calls[0].0,
        &calls[0].1,
        &Playable::Withheld,
        Language::English,
    );
    assert!(!withheld.contains("class=\"play\""));
    assert!(
        withheld.contains("--redact-audio"),
        "it says how to get sound"
    );
}

#[test]
fn rules_of_several_packs_stand_apart() {
    let recording = Playable::Nothing;
    let mut calls = Vec::new();
    for (pack, title) in [
        ("zh-calls", "开场未报公司"),
        ("en-calls", "No company named"),
    ] {
        let (transcript, mut assessment) = call_of("x", 70.0, 1000, Severity::Minor);
        let hit = &mut assessment.hits[0];
        (hit.pack, hit.title) = (pack.into(), title.into());
        hit.rule = "no_identity".into();
        calls.push((transcript, assessment));
    }
    let page = batch_page(&batch_of(&calls, &recording), Language::English);
    for words in [
        "开场未报公司",
        "No company named",
        "<code>zh-calls/no_identity</code>",
        "<code>en-calls/no_identity</code>",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let alone = batch_page(&batch_of(&calls[..1], &recording), Language::English);
    assert!(alone.contains("<code>no_identity</code>"));
}

#[test]
fn the_worst_and_newest_hits_of_a_rule_are_kept() {
    let mut batch = Batch::new(BatchOptions {
        n_hits_per_rule: 2,
        ..BatchOptions::default()
    });
    let days = [
        "2026-11-03",
        "2026-11-01",
        "2026-11-09",
        "2026-11-02",
        "2026-11-05",
    ];
    for (idx, day) in days.iter().enumerate() {
        let severity = if idx == 1 {
            Severity::Critical
        } else {
            Severity::Minor
        };
        let (mut transcript, mut assessment) = call_of("x", 70.0, 1000, severity);
        transcript.call_id = CallId(format!("call-{idx}"));
        transcript.metadata.started_at = Some(format!("{day}T10:00:00+08:00"));
        assessment.hits[0].why = format!("because {day}");
        batch.add(
            &transcript,
            &assessment,
            &Playable::Nothing,
            Detail::Nothing,
        );
    }
    assert_eq!(batch.n_calls(), 5);
    let page = batch_page(&batch, Language::English);
    let kept: Vec<bool> = days
        .iter()
        .map(|day| page.contains(&format!("because {day}")))
        .collect();
    assert_eq!(kept, [false, true, true, false, false]);
    assert!(page.find("because 2026-11-01") < page.find("because 2026-11-09"));
    assert!(page.contains("2 of 5 hits"));
}

#[test]
fn what_changed_is_said_in_the_head_line_and_call_by_call() {
    let mut changes = Changes::default();
    for (id, before, after) in [
        ("up", 60.0, 90.0),
        ("down", 90.0, 70.0),
        ("same", 80.0, 80.0),
    ] {
        let outline = |total: f32, rule: &str| Outline {
            total: Some(total),
            passed: Some(total >= 80.0),
            hits: [(rule.to_owned(), 1)].into(),
        };
        let rules = if id == "same" {
            ["r", "r"]
        } else {
            ["old_rule", "new_rule"]
        };
        changes.add(Change {
            call_id: CallId(id.into()),
            metadata: CallMetadata::default(),
            before: Some(outline(before, rules[0])),
            after: outline(after, rules[1]),
        });
    }
    let page = rescore_page(&changes, Language::English);
    assert!(
        page.contains(
            "3 calls looked at, 2 changed: 1 score higher, 1 lower; 0 had no score before."
        )
    );
    assert!(page.contains("[\"up\",null,null,\"\",60,90,30,1,[\"new_rule\"],[\"old_rule\"]]"));
    assert!(page.contains("<th scope=\"row\" class=\"\">down</th>"));
    assert!(!page.contains(">same<"));
    let page = rescore_page(&changes, Language::Chinese);
    assert!(
        page.contains("共检查 3 通通话，2 通有变化：1 通得分上升，1 通下降；0 通此前没有评分。")
    );
    assert!(!page.contains("尚未完成"));
    changes.n_left = 892;
    assert!(rescore_page(&changes, Language::Chinese).contains("尚未完成：还有 892 通未检查。"));
    assert!(
        rescore_page(&changes, Language::English)
            .contains("Not complete: 892 calls were not looked at.")
    );
}

#[test]
fn what_the_customer_does_is_no_violation() {
    let (transcript, mut assessment) = call_of("a", 70.0, 1000, Severity::Major);
    let page = |assessment: &Assessment| {
        let call = (transcript.clone(), assessment.clone());
        batch_page(&batch_of(&[call], &Playable::Nothing), Language::English)
    };
    let sentence = "have at least one violation";
    let of_agent = page(&assessment);
    assert!(of_agent.contains(&format!("1 calls (100%) {sentence}")));
    for hit in &mut assessment.hits {
        hit.party = Party::Customer;
    }
    let of_customer = page(&assessment);
    assert!(of_customer.contains(&format!("0 calls (0%) {sentence}")));
}

#[test]
fn a_page_of_ten_thousand_calls_stays_under_two_megabytes() {
    let mut batch = Batch::new(BatchOptions::default());
    let mut changes = Changes::default();
    for number in 0..10_000 {
        let (mut transcript, mut assessment) = call_of("x", 70.0, 61_000, Severity::Major);
        transcript.call_id = CallId(format!("2026-11-21-{number:06}"));
        transcript.metadata.agent = Some(format!("agent {}", number % 200));
        assessment.hits[0].rule = format!("rule_{}", number % 40);
        batch.add(&transcript, &assessment, &Playable::Nothing, Detail::Page);
        changes.add(Change {
            call_id: transcript.call_id.clone(),
            metadata: transcript.metadata.clone(),
            before: Some(Outline::default()),
            after: Outline::of(&assessment),
        });
    }
    let sizes = [
        batch_page(&batch, Language::English).len(),
        rescore_page(&changes, Language::English).len(),
    ];
    assert!(
        sizes.iter().all(|size_bytes| *size_bytes < 2_000_000),
        "{sizes:?}"
    );
}

#[test]
fn calls_lead_to_their_pages() {
    let calls = [call_of("a/b", 70.0, 1000, Severity::Minor)];
    let page = batch_page(&batch_of(&calls, &Playable::Nothing), Language::English);
    let path = call_page_path(&calls[0].0.call_id);
    assert_eq!(path, "calls/a~2f~b.html");
    assert!(page.contains(&format!("<a href=\"{path}\">a/b</a>")));
}

#[test]
fn a_finding_has_the_points_that_the_card_took_off() {
    let (transcript, mut assessment) = call_of("x", 7.0, 1000, Severity::Major);
    let hit = assessment.hits[0].clone();
    assessment.hits = vec![hit.clone(), hit.clone(), hit];
    let item = assessment
        .scorecard
        .as_ref()
        .map(|card| card.items[0].clone());
    let item = |answer, points, hits: &[usize]| ScoreItem {
        answer,
        points,
        out_of: 12.5,
        hits: hits.to_vec(),
        ..item.clone().expect("an item")
    };
    let card = assessment.scorecard.as_mut().expect("a card");
    card.items = vec![
        item(Answer::No, 0.0, &[0]),
        item(Answer::No, 2.5, &[1, 2]),
        item(Answer::Yes, 12.5, &[0, 1]),
        item(Answer::No, 12.5, &[2]),
    ];
    let page = call_page(
        &transcript,
        &assessment,
        &Playable::Nothing,
        Language::English,
    );
    let points_of = |place: usize| {
        let from = page
            .find(&format!("id=\"hit-{place}\""))
            .expect("the finding");
        let head = &page[from..from + page[from..].find("</div>").expect("its head")];
        head.matches('−').count()
    };
    assert_eq!([0, 1, 2].map(points_of), [1, 1, 1]);
    assert!(page.contains("<span>−12.5</span>"));
    assert!(page.contains("<span>−10.0 <small>for 2 hits together</small></span>"));
    assert!(!page.contains("−7.0"), "what the pack would take off");
}

#[test]
fn a_finding_is_named_once_in_a_line_that_has_two_pieces_of_its_evidence() {
    let (mut transcript, mut assessment) = call_of("x", 70.0, 1000, Severity::Major);
    transcript.utterances[0].text = "保证收益，绝对没有风险。".to_owned();
    let piece = assessment.hits[0].evidence[0].clone();
    assessment.hits[0].evidence = ["保证收益", "没有风险"]
        .map(|words| Evidence {
            words: words.to_owned(),
            ..piece.clone()
        })
        .to_vec();
    let page = call_page(
        &transcript,
        &assessment,
        &Playable::Nothing,
        Language::English,
    );
    let line = &page[page.find("id=\"u0\"").expect("the line")..];
    let line = &line[..line.find("</li>").expect("its end")];
    assert_eq!(line.matches("href=\"#hit-0\"").count(), 1, "{line}");
    for words in ["保证收益", "没有风险"] {
        assert!(line.contains(&format!("<mark>{words}</mark>")), "{line}");
    }
}

#[test]
fn what_fails_a_call_is_marked_whether_the_rule_or_the_card_says_so() {
    let marks = |by_rule: bool, by_card: bool| {
        let (transcript, mut assessment) = call_of("x", 59.96, 1000, Severity::Major);
        assessment.hits[0].auto_fail = by_rule;
        let card = assessment.scorecard.as_mut().expect("a card");
        card.items[0].auto_fail = by_card;
        let calls = [(transcript, assessment)];
        let page = call_page(
            &calls[0].0,
            &calls[0].1,
            &Playable::Nothing,
            Language::English,
        );
        let finding = &page[page.find("id=\"hit-0\"").expect("the finding")..];
        let head = &finding[..finding.find("</div>").expect("its head")];
        let batch = batch_page(&batch_of(&calls, &Playable::Nothing), Language::English);
        assert!(
            page.contains("<strong>59.9</strong> / 100"),
            "cut, not rounded"
        );
        let mark = "<span class=\"critical\">auto-fail</span>";
        (head.contains(mark), batch.contains(mark))
    };
    assert_eq!(marks(false, false), (false, false));
    assert_eq!(marks(true, false), (true, true));
    assert_eq!(marks(false, true), (true, true));
}

#[test]
fn pages_are_known_again() {
    let (transcript, assessment) = call_of("x", 1.0, 1000, Severity::Info);
    let page = call_page(
        &transcript,
        &assessment,
        &Playable::Nothing,
        Language::Chinese,
    );
    assert!(is_own_page(page.as_bytes()));
    assert!(is_own_page(&page.as_bytes()[..PAGE_HEAD_BYTES]));
    assert!(!is_own_page(b"<html><head><title>Auricle</title>"));
    assert!(!is_own_page(b""));
}

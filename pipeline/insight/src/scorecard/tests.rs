//! What cards make of calls, and what is wrong with cards.

use std::path::Path;

use auricle_contracts::{
    Answer, CallMetadata, Hit, Intent, Mood, Party, PartyTalk, Scorecard, Severity, TalkMetrics,
    UtteranceInsight,
};
use proptest::prelude::*;

use super::{CallView, Card, Metric, PersonAnswer, PersonAnswers};
use crate::rules::{PackFile, RuleSet};

const CARD: &str = "
card: test
pass_mark: 70
sections:
  - title: Opening
    weight: 40
    questions:
      - {id: identity, question: Name?, weight: 3, unless_rules: [no_identity]}
      - {id: recording, question: Recorded?, weight: 1, needs_rules: [told_recording]}
  - title: Talk
    weight: 60
    questions:
      - {id: finish, question: May finish?, weight: 2, unless_rules: [interruption], deduct_per_hit: 1}
      - {id: pace, question: Pace?, weight: 1, metric: {name: agent_rate_per_minute, min: 100, max: 300}}
      - {id: abuse, question: Polite?, weight: 1, unless_rules: [abuse], auto_fail: true}
      - {id: solved, question: Solved?, weight: 2, answer: manual}
      - {id: refusal, question: Refusal?, weight: 2, unless_rules: [goes_on], applies_when: {intents: [refuses]}}
";

fn hit(rule: &str) -> Hit {
    Hit {
        rule: rule.into(),
        pack: String::new(),
        title: format!("Title of {rule}"),
        severity: Severity::Major,
        party: Party::Agent,
        start_ms: 0,
        end_ms: 1000,
        deduct: 5.0,
        auto_fail: false,
        evidence: Vec::new(),
        why: format!("said {rule}"),
    }
}

/// A call with these hits, in which the agent spoke at 400 syllables a minute if he `hurries`.
#[derive(Clone, Default)]
struct Call {
    hits: Vec<Hit>,
    utterances: Vec<UtteranceInsight>,
    metrics: TalkMetrics,
    mood: Mood,
    metadata: CallMetadata,
}

impl Call {
    fn new(rules: &[&str], rate_per_minute: f32) -> Self {
        let agent = PartyTalk {
            party: Party::Agent,
            talk_ms: 30_000,
            talk_ratio: 1.0,
            n_utterances: 5,
            rate_per_minute,
            loudness_db: None,
            n_interruptions: 0,
            longest_monologue_ms: 9000,
            response_ms: None,
        };
        Self {
            hits: rules.iter().map(|rule| hit(rule)).collect(),
            metrics: TalkMetrics {
                parties: vec![agent],
                ..TalkMetrics::default()
            },
            ..Self::default()
        }
    }

    fn refuses(mut self, confidence: f32) -> Self {
        self.utterances.push(UtteranceInsight {
            emotion: None,
            intents: vec![Intent {
                label: "refuses".into(),
                confidence,
                at: None,
                until: None,
            }],
        });
        self
    }

    const fn view(&self) -> CallView<'_> {
        CallView {
            hits: self.hits.as_slice(),
            utterances: self.utterances.as_slice(),
            metrics: &self.metrics,
            mood: &self.mood,
            metadata: &self.metadata,
            rules: None,
        }
    }
}

fn card(text: &str) -> Card {
    Card::read(text.as_bytes(), "test.yaml").expect("a good card")
}

/// `id answer points/out_of`, one for each question, and the sum.
fn told(score: &Scorecard) -> String {
    let items = score.items.iter().map(|item| {
        let answer = match item.answer {
            Answer::Yes => "yes",
            Answer::No if item.auto_fail => "FAIL",
            Answer::No => "no",
            Answer::NotApplicable => "n/a",
        };
        format!("{} {answer} {}/{}", item.id, item.points, item.out_of)
    });
    let passed = if score.passed { "passed" } else { "failed" };
    let items = items.collect::<Vec<_>>().join(", ");
    format!("{items} = {} {passed}", score.total)
}

#[test]
fn points_follow_from_hits_and_measures() {
    let check = |call: Call, expected: &str| {
        let score = card(CARD).score(&call.view()).expect("something applies");
        assert_eq!(told(&score), expected);
    };
    check(
        Call::new(&["told_recording"], 200.0),
        "identity yes 30/30, recording yes 10/10, finish yes 30/30, pace yes 15/15, abuse yes 15/15, \
         solved n/a 0/0, refusal n/a 0/0 = 100 passed",
    );
    check(
        Call::new(&["interruption", "no_identity"], 400.0),
        "identity no 0/30, recording no 0/10, finish no 15/30, pace no 0/15, abuse yes 15/15, \
         solved n/a 0/0, refusal n/a 0/0 = 30 failed",
    );
    check(
        Call::new(
            &[
                "told_recording",
                "interruption",
                "interruption",
                "interruption",
            ],
            200.0,
        ),
        "identity yes 30/30, recording yes 10/10, finish no 0/30, pace yes 15/15, abuse yes 15/15, \
         solved n/a 0/0, refusal n/a 0/0 = 70 passed",
    );
    check(
        Call::new(&["told_recording", "abuse"], 200.0),
        "identity yes 30/30, recording yes 10/10, finish yes 30/30, pace yes 15/15, abuse FAIL 0/15, \
         solved n/a 0/0, refusal n/a 0/0 = 85 failed",
    );
    check(
        Call::new(&["told_recording", "goes_on"], 200.0).refuses(0.9),
        "identity yes 30/30, recording yes 10/10, finish yes 20/20, pace yes 10/10, abuse yes 10/10, \
         solved n/a 0/0, refusal no 0/20 = 80 passed",
    );
    check(
        Call::new(&["told_recording", "goes_on"], 200.0).refuses(0.3),
        "identity yes 30/30, recording yes 10/10, finish yes 30/30, pace yes 15/15, abuse yes 15/15, \
         solved n/a 0/0, refusal n/a 0/0 = 100 passed",
    );
}

#[test]
fn every_point_has_its_evidence() {
    let mut call = Call::new(&["abuse", "interruption", "abuse"], 400.0);
    call.hits[2].why = "said it again".into();
    let score = card(CARD).score(&call.view()).expect("a score");
    let item = |id: &str| {
        score
            .items
            .iter()
            .find(|item| item.id == id)
            .expect("an item")
    };
    assert_eq!(item("abuse").hits, [0, 2]);
    assert_eq!(
        item("abuse").why,
        "Title of abuse (`abuse`) × 2: said abuse"
    );
    assert_eq!(item("recording").why, "no `told_recording`");
    assert_eq!(
        item("pace").why,
        "agent's syllables a minute (`agent_rate_per_minute`) is 400, asked for 100–300"
    );
    assert_eq!(item("solved").why, "left to a person");
    assert_eq!(
        item("refusal").why,
        "does not apply: the call has not `intents: [refuses]`"
    );
    let chinese = card(&CARD.replace("card: test", "card: test\nlanguage: zh"));
    let score = chinese.score(&call.view()).expect("a score");
    assert_eq!(score.items[1].why, "未出现 `told_recording`");
}

#[test]
fn reasons_in_mandarin_are_joined_as_mandarin_is() {
    let text = "card: t\nlanguage: zh\nsections:\n- title: s\n  questions:\n\
        \x20   - {id: q, question: Q?, unless_rules: [abuse, rude], needs_rules: [name, told], metric: {name: agent_rate_per_minute, max: 300}}\n";
    let call = Call::new(&["abuse", "rude"], 400.0);
    let score = card(text).score(&call.view()).expect("a score");
    assert_eq!(
        score.items[0].why,
        "Title of abuse（`abuse`）、Title of rude（`rude`）：said abuse；未出现 `name`、`told`；客服语速（字/分）（`agent_rate_per_minute`）为 400，要求 ≤ 300"
    );
}

#[test]
fn people_answer_on_the_same_card() {
    let answers = |said: &[(&str, Answer, &str)]| -> PersonAnswers {
        let answers = said.iter().map(|(id, answer, note)| {
            let note = (*note).to_owned();
            (
                (*id).to_owned(),
                PersonAnswer {
                    answer: *answer,
                    note,
                },
            )
        });
        answers.collect()
    };
    let call = Call::new(&["told_recording", "abuse"], 200.0);
    let card = card(CARD);
    let answers = answers(&[
        ("abuse", Answer::Yes, "a quotation"),
        ("solved", Answer::No, ""),
        ("pace", Answer::NotApplicable, ""),
        ("nothing", Answer::No, ""),
    ]);
    assert_eq!(card.strays(&answers), ["nothing"]);
    let score = card.score_with(&call.view(), &answers).expect("a score");
    assert_eq!(
        told(&score),
        "identity yes 30/30, recording yes 10/10, finish yes 24/24, pace n/a 0/0, abuse yes 12/12, \
         solved no 0/24, refusal n/a 0/0 = 76 passed"
    );
    assert_eq!(
        score.items[4].why,
        "answered by a person: a quotation (the card itself: Title of abuse (`abuse`): said abuse)"
    );
    assert_eq!(score.items[4].hits, [1], "the evidence stays");
}

#[test]
fn rules_that_no_question_names_count_where_the_card_says_so() {
    let mut call = Call::new(
        &["told_recording", "other", "other", "fatal", "harmless"],
        200.0,
    );
    call.hits[3].auto_fail = true;
    call.hits[4].deduct = 0.0;
    let check = |other_rules: &str, rule_items: &[(&str, f32)], total: f32, auto_fail: bool| {
        let text = CARD.replace(
            "card: test",
            &format!("card: test\nother_rules: {other_rules}"),
        );
        let score = card(&text).score(&call.view()).expect("a score");
        let others = score
            .items
            .iter()
            .filter(|item| item.id.starts_with("rule:"));
        let others: Vec<_> = others.map(|item| (item.id.as_str(), item.points)).collect();
        assert_eq!(others, rule_items, "{other_rules}");
        assert_eq!(
            (score.total, score.auto_fail),
            (total, auto_fail),
            "{other_rules}"
        );
    };
    check("ignore", &[], 100.0, false);
    check("auto_fail", &[("rule:fatal", 0.0)], 100.0, true);
    check(
        "deduct",
        &[("rule:other", -10.0), ("rule:fatal", -5.0)],
        85.0,
        true,
    );
}

#[test]
fn a_card_that_does_not_apply_scores_nothing() {
    let check = |text: &str, call: &Call, applies: bool| {
        assert_eq!(card(text).score(&call.view()).is_some(), applies, "{text}");
    };
    let only = "sections: [{title: A, questions: [{id: a, question: A?, answer: manual}]}]";
    check(&format!("card: a\n{only}"), &Call::default(), false);
    let campaign = CARD.replace(
        "card: test",
        "card: test\napplies_when: {metadata: {campaign: [loans]}}",
    );
    let mut call = Call::new(&[], 200.0);
    check(&campaign, &call, false);
    call.metadata.campaign = Some("loans".into());
    check(&campaign, &call, true);
    let agent = CARD.replace("card: test", "card: test\napplies_when: {party: agent}");
    check(&agent, &Call::default(), false);
    check(&agent, &call, true);
}

#[test]
fn mistakes_are_told_in_words_of_our_own() {
    let card = "card: a\nsections:\n- title: A\n  questions:\n  - {id: q, question: Q?, unless_rules: [x], MORE}\n";
    let foreign = [
        "sequence", "mapping", "scalar", "floating", "field", "variant", "Policy",
    ];
    let check = |text: &str, words: &[&str]| {
        let told = Card::read(text.as_bytes(), "bad.yaml")
            .expect_err(text)
            .to_string();
        for word in words {
            assert!(told.contains(word), "{told}");
        }
        for word in foreign {
            assert!(!told.contains(word), "{told}");
        }
    };
    let with = |more: &str| card.replace("MORE", more);
    check(
        "card: a\nsections: 3\n",
        &["2:11: expected a list", "hint: write a list"],
    );
    check("- a\n", &["expected keys with values"]);
    check("card: [a]\nsections: []\n", &["1:7: expected text"]);
    check(
        "card: a\npass_mark: high\nsections: []\n",
        &["2:12: expected a number"],
    );
    check(
        "card: a\ncard: b\nsections: []\n",
        &["`card` is there twice"],
    );
    check("card: a\n", &["`sections` is missing"]);
    check(&with("auto_fail: yes"), &["expected `true` or `false`"]);
    check(&with("needs_rules: x"), &["expected a list"]);
    check(
        &with("wieght: 2"),
        &["unknown key `wieght`; did you mean `weight`?"],
    );
    check(
        &with("metric: {name: agent_talk_rate, min: 1}"),
        &["unknown value `agent_talk_rate`; did you mean `agent_talk_ratio`?"],
    );
}

#[test]
fn cards_are_told_from_packs_and_tell_what_they_name() {
    assert!(Card::is_meant(b"card: a\nsections: []\n"));
    assert!(Card::is_meant(b"title: a\nsections:\n"));
    assert!(!Card::is_meant(b"pack: a\ncard: b\nrules: []\n"));
    assert!(!Card::is_meant(b""));
    let card = card(
        "card: a\napplies_when: {rules: [whole], party: agent}\nsections:\n- title: A\n  questions:\n  \
         - {id: q, question: Q?, unless_rules: [one], needs_rules: [two], applies_when: {no_rules: [three], intents: [refuses]}}\n",
    );
    let names = card.names();
    let names: Vec<_> = names
        .iter()
        .map(|named| (named.question.map(|q| q.place().0), named.name))
        .collect();
    assert_eq!(
        names,
        [
            (None, "whole"),
            (Some(6), "one"),
            (Some(6), "two"),
            (Some(6), "three"),
            (Some(6), "refuses")
        ]
    );
    let rules: Vec<&str> = card.rules().into_iter().collect();
    assert_eq!(rules, ["one", "three", "two", "whole"]);
}

#[test]
fn mistakes_are_told_with_their_line() {
    let check = |text: &str, line: Option<u64>, cause: &str| {
        let error = Card::read(text.as_bytes(), "bad.yaml").expect_err(text);
        assert_eq!(error.place.map(|(line, _)| line), line, "{error}");
        assert!(error.cause.contains(cause), "{error}");
        assert!(error.to_string().starts_with("bad.yaml:"), "{error}");
    };
    let with = |question: &str| {
        format!("card: a\nsections:\n  - title: A\n    questions:\n      - {question}\n")
    };
    check("", None, "the card is empty");
    check("card: a\nsections: []", None, "no sections");
    check(
        "card: a\nsections:\n - title: A\n   questions: []",
        Some(3),
        "section `A` has no questions",
    );
    check(
        "card: a\npass_mark: 200\nsections: []",
        None,
        "`pass_mark` must be 0 to 100, got `200`",
    );
    check(
        &with("{id: a, question: A?}"),
        Some(5),
        "nothing answers question `a`",
    );
    check(
        &with("{id: a, question: A?, unles_rules: [x]}"),
        Some(5),
        "unles_rules",
    );
    check(
        &with("{id: a, question: A?, answer: manual, unless_rules: [x]}"),
        Some(5),
        "left to a person",
    );
    check(
        &with("{id: a, question: A?, needs_rules: [x], deduct_per_hit: 1}"),
        Some(5),
        "`deduct_per_hit`",
    );
    check(
        &with("{id: a, question: A?, metric: {name: agent_response_ms}}"),
        Some(5),
        "no range",
    );
    check(
        &with("{id: a, question: A?, metric: {name: speed, max: 1}}"),
        Some(5),
        "speed",
    );
    check(
        &with("{id: a, question: A?, metric: {name: silence_ms, min: 2, max: 1}}"),
        Some(5),
        "`min` at most `max`",
    );
    check(
        &with("{id: a, question: A?, weight: -1, unless_rules: [x]}"),
        Some(5),
        "`weight` of `a`",
    );
    check(
        &with("{id: a, question: A?, weight: .nan, unless_rules: [x]}"),
        Some(5),
        "`weight` of `a`",
    );
    check(
        &with("{id: a, question: A?, weight: 0, unless_rules: [x]}"),
        None,
        "all weights are zero",
    );
    check(
        &with("{id: a, question: A?, unless_rules: [x], applies_when: {}}"),
        Some(5),
        "says nothing",
    );
    check(
        &with(
            "{id: a, question: A?, unless_rules: [x]}\n      - {id: a, question: B?, answer: manual}",
        ),
        Some(6),
        "got `a` twice",
    );
    check("card: [", Some(1), "");
    check("card: a\ncard: b", Some(2), "card");
    let error = Card::read(b"card: \xc4\xe3", "bad.yaml").expect_err("not UTF-8");
    assert_eq!(error.cause, "line 1 is not UTF-8");
}

fn shipped(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).expect("a file of the repository")
}

#[test]
fn shipped_cards_are_good_and_pass_a_good_call() {
    for path in [
        "packs/cards/zh-telemarketing.yaml",
        "packs/cards/en-service.yaml",
    ] {
        let card = Card::read(shipped(path).as_bytes(), path).expect("a good card");
        assert!(path.contains(&card.card), "a card is named as its file");
        let good = Call::new(&[], 180.0);
        let score = card.score(&good.view()).expect("a score");
        assert!(
            (score.total - 100.0).abs() < 0.01 && score.passed,
            "{}",
            told(&score)
        );
        for rule in card.judged_rules() {
            let score = card
                .score(&Call::new(&[rule], 180.0).view())
                .expect("a score");
            let asked = card.questions().any(|q| {
                q.applies_when.is_none() && q.unless_rules.iter().any(|named| named == rule)
            });
            assert_eq!(score.total < 100.0, asked, "{rule}: {}", told(&score));
        }
    }
}

#[test]
fn the_schema_is_the_published_one() {
    let path = "docs/scorecard.schema.json";
    let schema = Card::schema();
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).expect("JSON"));
    if std::env::var_os("AURICLE_BLESS").is_some() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        std::fs::write(root.join(path), &text).expect("the schema written");
    }
    assert_eq!(
        shipped(path),
        text,
        "run the tests with AURICLE_BLESS=1 to write {path} anew"
    );
}

#[test]
fn the_documented_measures_are_all_there_are() {
    let documented = shipped("docs/scorecards.md");
    let schema = Card::schema();
    let names = schema["$defs"]["Metric"]["oneOf"]
        .as_array()
        .expect("all measures");
    assert!(!names.is_empty());
    for name in names
        .iter()
        .map(|name| name["const"].as_str().expect("a name"))
    {
        assert!(
            documented.contains(&format!("`{name}`")),
            "{name} is not in docs/scorecards.md"
        );
        let metric: Metric = serde_json::from_value(name.into()).expect("a measure");
        assert_eq!(metric.as_str(), name);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_card_or_a_mistake(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        let _ = Card::read(&bytes, "any.yaml");
        let _ = Card::read(text.as_bytes(), "any.yaml");
        let _ = Card::read(format!("{CARD}{text}").as_bytes(), "any.yaml");
    }

    /// Points are what they are out of at most, add up to the total, and are out of 100.
    #[test]
    fn points_add_up(
        weights in prop::collection::vec(0.0..10.0f32, 7),
        rules in prop::collection::vec(prop::sample::select(vec!["no_identity", "told_recording", "interruption", "abuse", "goes_on"]), 0..8),
        rate in prop_oneof![Just(f32::NAN), 0.0..500.0f32],
        refuses in 0.0..1.0f32,
    ) {
        let mut card = card(CARD);
        let questions = card.sections.iter_mut().flat_map(|section| &mut section.questions);
        for (question, weight) in questions.zip(weights) {
            question.weight = weight;
        }
        let call = Call::new(&rules, rate).refuses(refuses);
        let score = card.score(&call.view()).expect("a score");
        let points: f32 = score.items.iter().map(|item| item.points).sum();
        let out_of: f32 = score.items.iter().map(|item| item.out_of).sum();
        prop_assert!((points - score.total).abs() < 0.1, "{}", told(&score));
        prop_assert!((out_of - 100.0).abs() < 0.1 || out_of == 0.0, "{}", told(&score));
        prop_assert!(score.items.iter().all(|item| item.points <= item.out_of));
        prop_assert!(score.items.iter().flat_map(|item| &item.hits).all(|&place| place < call.hits.len()));
    }
}

#[test]
fn rules_of_one_id_in_two_packs_are_told_apart() {
    let of = |pack: &str, rule: &str| Hit {
        pack: pack.into(),
        ..hit(rule)
    };
    let call = Call {
        hits: vec![of("a", "abuse"), of("b", "abuse"), of("b", "other")],
        ..Call::new(&[], 200.0)
    };
    let check = |question: &str, expected: &[(&str, usize)]| {
        let text = format!(
            "card: t\nother_rules: deduct\nsections:\n- title: s\n  questions:\n\
             \x20   - {{id: q, question: Q?, {question}}}\n"
        );
        let score = card(&text).score(&call.view()).expect("a score");
        let items = score
            .items
            .iter()
            .map(|item| (item.id.as_str(), item.hits.len()));
        assert_eq!(items.collect::<Vec<_>>(), expected, "{question}");
    };
    let other = ("rule:b/other", 1);
    check("unless_rules: [abuse]", &[("q", 2), other]);
    check(
        "unless_rules: [a/abuse]",
        &[("q", 1), ("rule:b/abuse", 1), other],
    );
    check(
        "unless_rules: [c/abuse]",
        &[("q", 0), ("rule:a/abuse", 1), ("rule:b/abuse", 1), other],
    );
    check(
        "needs_rules: [b/abuse, b/other]",
        &[("q", 2), ("rule:a/abuse", 1)],
    );
    // What is there is no reason for what is lacking.
    check(
        "needs_rules: [b/abuse, c/abuse]",
        &[("q", 0), ("rule:a/abuse", 1), other],
    );
}

#[test]
fn what_no_pack_looks_for_does_not_apply() {
    let yaml =
        "pack: p\nrules: [{id: abuse, when: {says: 滚}}, {id: told_recording, when: {says: 录音}}]";
    let files = [PackFile::read("p.yaml", yaml.as_bytes())];
    let rules = RuleSet::compile(&files).expect("a good pack").rules;
    let check = |question: &str, hits: &[&str], expected: Answer, why: &str| {
        let text = format!(
            "card: t\nsections:\n- title: s\n  questions:\n\
             \x20   - {{id: q, question: Q?, {question}}}\n\
             \x20   - {{id: other, question: O?, unless_rules: [abuse]}}\n"
        );
        let call = Call::new(hits, 200.0);
        let score = card(&text).score(&call.view().with_rules(&rules));
        let item = &score.expect("a score").items[0];
        assert_eq!(
            (item.answer, item.why.as_str()),
            (expected, why),
            "{question}"
        );
    };
    let not_loaded = "no pack is loaded with the rule `dead_air`";
    let both = format!("no `abuse`; {not_loaded}");
    check(
        "unless_rules: [dead_air]",
        &[],
        Answer::NotApplicable,
        not_loaded,
    );
    check(
        "needs_rules: [dead_air]",
        &[],
        Answer::NotApplicable,
        not_loaded,
    );
    check("unless_rules: [abuse]", &[], Answer::Yes, "no `abuse`");
    check("unless_rules: [p/abuse]", &[], Answer::Yes, "no `p/abuse`");
    check(
        "unless_rules: [other/abuse]",
        &[],
        Answer::NotApplicable,
        "no pack is loaded with the rule `other/abuse`",
    );
    check("unless_rules: [abuse, dead_air]", &[], Answer::Yes, &both);
    check("needs_rules: [abuse, dead_air]", &[], Answer::No, &both);
    check(
        "needs_rules: [told_recording, dead_air]",
        &["told_recording"],
        Answer::NotApplicable,
        not_loaded,
    );
}

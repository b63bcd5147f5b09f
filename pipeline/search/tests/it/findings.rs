//! What was found in calls is found again: each field, and all of them against a plain scan.

use auricle_contracts::{
    Assessment, Emotion, EmotionLabel, Intent, Party, PiiKind, Scorecard, Severity, Stretch,
    Transcript, UtteranceInsight,
};
use auricle_search::{FacetCount, MomentKind, SearchRequest, SearchResults};
use proptest::prelude::*;

use crate::assessed::{assessment, hit, pii};
use crate::common::{TestIndex, call, check_all, found, index_of_assessed, search};

fn calls() -> Vec<(Transcript, Assessment)> {
    let loan = call(
        "loan",
        &["a 您好", "c 你们 骗人", "a 保证 收益", "c 别 再 打 了"],
    );
    let card = call("card", &["a 您好", "c 好的 谢谢"]);
    let plain = call("plain", &["a 您好"]);
    vec![
        (
            loan,
            assessment(
                "score 55.5 failed, disposition Refused, silence 1s 4s, silence 8s 20s, hit no_farewell minor 40s, pii plate 9s",
                &[
                    "emotion neutral",
                    "emotion angry, intent complaint",
                    "hit promise_return critical, hit 保证收益 major",
                    "emotion angry, intent opt_out, intent complaint, pii phone, pii id_card, hit Promise_Late major",
                ],
            ),
        ),
        (
            card,
            assessment(
                "score 80 passed, silence 2s 4500ms",
                &["emotion happy", "emotion happy, hit promise_return minor"],
            ),
        ),
        (plain, assessment("", &[])),
    ]
}

const LOAN: &str = "loan/0 loan/1 loan/2 loan/3";
const CARD: &str = "card/0 card/1";

#[test]
fn fields_of_utterances() {
    check_all(
        &index_of_assessed(&calls()),
        &[
            ("hit:promise_return", "card/1 loan/2"),
            ("rule:promise_return", "card/1 loan/2"),
            ("HIT:Promise_Return", "card/1 loan/2"),
            ("hit:promise_late", "loan/3"),
            ("hit:\"promise_late\"", ""),
            ("hit:promise", ""),
            ("hit:promise*", "card/1 loan/2 loan/3"),
            ("hit:保证收益", "loan/2"),
            ("hit:nobody_knows_it", ""),
            ("hit:promise_return hit:保证收益", "loan/2"),
            ("severity:critical", "loan/2"),
            ("severity:major", "loan/2 loan/3"),
            ("severity:严重 party:customer", "loan/3"),
            ("severity:>=major", "loan/2 loan/3"),
            ("severity:>critical", ""),
            ("severity:info", ""),
            ("emotion:angry", "loan/1 loan/3"),
            ("emotion:愤怒 骗人", "loan/1"),
            ("emotion:* -emotion:angry", "card/0 card/1 loan/0"),
            ("intent:complaint", "loan/1 loan/3"),
            ("intent:opt*", "loan/3"),
            ("pii:phone", "loan/3"),
            ("pii:身份证", "loan/3"),
            ("pii:email", ""),
            ("emotion:angry THEN intent:opt_out", "loan/3"),
            ("hit:promise_return THEN/1 emotion:angry", "loan/3"),
            (
                "(hit:promise_return OR intent:opt_out) -pii:phone",
                "card/1 loan/2",
            ),
        ],
    );
}

#[test]
fn fields_of_calls() {
    check_all(
        &index_of_assessed(&calls()),
        &[
            ("hit:no_farewell", LOAN),
            ("hit:no_farewell 您好", "loan/0"),
            ("hit:no_* party:agent", "loan/0 loan/2"),
            ("severity:minor", "card/1 loan/0 loan/1 loan/2 loan/3"),
            ("severity:minor party:customer", "card/1 loan/1 loan/3"),
            ("hit:* -hit:no_farewell", "card/1"),
            ("pii:plate 骗人", "loan/1"),
            ("score:<60", LOAN),
            ("score:55.5", LOAN),
            ("score:<55.5", ""),
            ("score:>=80", CARD),
            ("score:80..", CARD),
            ("score:..80 您好", "card/0 loan/0"),
            ("score:55.5..79.99", LOAN),
            ("score:{55.5 TO 80}", ""),
            ("score:* 您好", "card/0 loan/0"),
            ("-score:*", "plain/0"),
            ("-score:<60 您好", "card/0 plain/0"),
            ("passed:yes", CARD),
            ("passed:不合格", LOAN),
            ("passed:* 您好", "card/0 loan/0"),
            ("disposition:refused", LOAN),
            ("disposition:\"refused\"", ""),
            ("disposition:re*", LOAN),
            ("silence:>5s", LOAN),
            ("silence:>2500ms", LOAN),
            ("silence:>=2500ms 您好", "card/0 loan/0"),
            ("silence:>0.1min", LOAN),
            ("silence:>12s", ""),
            ("silence:5s..10s", ""),
            ("silence:2s..3s 您好", "card/0 loan/0"),
            ("-silence:* ", "plain/0"),
        ],
    );
}

#[test]
fn names_in_use_are_known() {
    let index = index_of_assessed(&calls());
    let names = index.index.reader().known_names().unwrap();
    assert_eq!(
        names.rules,
        ["Promise_Late", "no_farewell", "promise_return", "保证收益"]
    );
    assert_eq!(names.intents, ["complaint", "opt_out"]);
    assert_eq!(names.dispositions, ["Refused"]);
}

#[test]
fn silences_too_short_for_the_list_are_found_by_the_longest() {
    let mut short = assessment("", &[]);
    short.metrics.longest_silence_ms = 1500;
    let index = index_of_assessed(&[(call("short", &["a 您好"]), short)]);
    check_all(&index, &[("silence:>1s", "short/0"), ("silence:>1.5s", "")]);
    assert!(search(&index, "silence:>1s").calls[0].moments.is_empty());
}

/// Moments of the best call, as `kind name start-end`.
fn moments(index: &TestIndex, query: &str) -> Vec<String> {
    let results = search(index, query);
    let loan = results.calls.iter().find(|call| call.call_id == "loan");
    let moments = loan.unwrap().moments.iter().map(|moment| {
        assert_eq!(moment.play_from_ms, moment.start_ms.saturating_sub(500));
        let kind = match moment.kind {
            MomentKind::Hit => "hit",
            MomentKind::Pii => "pii",
            MomentKind::Silence => "silence",
        };
        let name = &moment.name;
        format!("{kind} {name} {}-{}", moment.start_ms, moment.end_ms)
    });
    moments.collect()
}

#[test]
fn what_belongs_to_the_call_is_shown_with_its_time() {
    let index = index_of_assessed(&calls());
    let check = |query: &str, expected: &[&str]| {
        assert_eq!(moments(&index, query), expected, "{query}");
    };
    check("silence:>5s", &["silence  8000-20000"]);
    check("silence:*", &["silence  1000-4000", "silence  8000-20000"]);
    check("hit:no_farewell", &["hit no_farewell 40000-40000"]);
    check("hit:*", &["hit no_farewell 40000-40000"]);
    check("severity:<=minor 您好", &["hit no_farewell 40000-40000"]);
    check("pii:plate OR 您好", &["pii plate 9000-9100"]);
    check("silence:>5s THEN intent:opt_out", &["silence  8000-20000"]);
    check(
        "silence:>5s hit:no_farewell",
        &["silence  8000-20000", "hit no_farewell 40000-40000"],
    );
    // What has its place in an utterance is no moment, and neither is what must not be.
    check("hit:promise_return", &[]);
    check("severity:critical", &[]);
    check("您好 -silence:>1min", &[]);

    let results = search(&index, "hit:no_farewell");
    let moment = &results.calls[0].moments[0];
    assert_eq!(moment.severity, Some(Severity::Minor));
    assert_eq!(moment.why, "no_farewell fired");
    let few = index.index.reader().search(&SearchRequest {
        hits_per_call: 1,
        ..SearchRequest::new("call:loan silence:*")
    });
    let call = &few.unwrap().calls[0];
    assert_eq!((call.moments.len(), call.total_moments), (1, 2));
}

#[test]
fn results_say_what_was_found() {
    let index = index_of_assessed(&calls());
    let results = search(&index, "call:loan");
    let loan = &results.calls[0];
    assert_eq!(loan.score, Some(55.5));
    assert_eq!(loan.passed, Some(false));
    assert_eq!(loan.disposition.as_deref(), Some("Refused"));
    let hit = &loan.hits[3];
    assert_eq!(hit.emotion.as_deref(), Some("angry"));
    assert_eq!(hit.intents, ["complaint", "opt_out"]);
    assert_eq!(hit.rules, ["Promise_Late"]);
    assert!(loan.hits[0].rules.is_empty());
    let text = serde_json::to_string(&results).unwrap();
    let read: SearchResults = serde_json::from_str(&text).unwrap();
    assert_eq!(read, results);
    let plain = &search(&index, "call:plain").calls[0];
    assert_eq!((plain.score, plain.passed), (None, None));
}

#[test]
fn facets_count_what_was_found() {
    let index = index_of_assessed(&calls());
    let facets = search(&index, "您好 OR 保证 OR 谢谢").facets;
    let check = |counts: &[FacetCount], expected: &str| {
        let counts = counts.iter();
        let counts: Vec<String> = counts
            .map(|count| format!("{}={}/{}", count.value, count.hits, count.calls))
            .collect();
        assert_eq!(counts.join(" "), expected);
    };
    check(
        &facets.rule,
        "no_farewell=2/1 promise_return=2/2 保证收益=1/1",
    );
    check(&facets.emotion, "happy=2/1 neutral=1/1");
    check(&facets.intent, "");
    check(&facets.score, "<60=2/1 [80 TO 90}=2/1");
}

#[test]
fn an_assessment_that_does_not_fit_its_call_loses_nothing() {
    let mut other = assessment("", &["emotion sad", "intent opt_out", "hit late major"]);
    other.pii.push(pii(PiiKind::Email, 0, Some(7)));
    let index = index_of_assessed(&[(call("one", &["a 您好"]), other)]);
    check_all(
        &index,
        &[
            ("emotion:sad", "one/0"),
            ("intent:opt_out", ""),
            ("hit:late", "one/0"),
            ("pii:email", "one/0"),
        ],
    );
}

#[test]
fn adding_again_replaces_what_was_found() {
    let index = index_of_assessed(&calls());
    let (loan, _) = &calls()[0];
    let found = assessment("score 90 passed", &["emotion happy"]);
    index.index.add(loan, &found).unwrap();
    index.index.commit().unwrap();
    check_all(
        &index,
        &[
            ("hit:promise_return", "card/1"),
            ("emotion:angry", ""),
            ("score:>80", LOAN),
            ("silence:>5s", ""),
        ],
    );
    index.index.finish_merging().unwrap();
    check_all(&index, &[("emotion:happy", "card/0 card/1 loan/0")]);
    let facets = search(&index, "您好").facets;
    assert_eq!(facets.emotion.len(), 1);
}

/// A question of the scan.
#[derive(Clone, Debug)]
enum Asked {
    Word(&'static str),
    Customer,
    Hit(&'static str),
    AnyHit,
    Severity(&'static str, Severity),
    Emotion(EmotionLabel),
    Intent(&'static str),
    Pii(PiiKind),
    Score(&'static str, u32),
    ScoreSpan(u32, u32),
    Passed(bool),
    Disposition(&'static str),
    Silence(&'static str, u64),
    Not(Box<Asked>),
    And(Box<Asked>, Box<Asked>),
    Or(Box<Asked>, Box<Asked>),
    Then(Box<Asked>, Box<Asked>),
}

const RULES: [&str; 4] = ["promise", "promise_return", "threat", "no_greeting"];
const INTENTS: [&str; 2] = ["opt_out", "complaint"];
const OUTCOMES: [&str; 2] = ["refused", "callback"];

fn compared<T: PartialOrd>(left: T, how: &str, right: T) -> bool {
    match how {
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        ">=" => left >= right,
        _ => left == right,
    }
}

impl Asked {
    fn text(&self) -> String {
        match self {
            Self::Word(word) => (*word).into(),
            Self::Customer => "party:customer".into(),
            Self::Hit(rule) => format!("hit:{rule}"),
            Self::AnyHit => "hit:*".into(),
            Self::Severity(how, severity) => format!("severity:{how}{severity}"),
            Self::Emotion(label) => format!("emotion:{}", label.as_str()),
            Self::Intent(label) => format!("intent:{label}"),
            Self::Pii(kind) => format!("pii:{}", kind.as_str()),
            Self::Score(how, score) => format!("score:{how}{score}"),
            Self::ScoreSpan(low, high) => format!("score:{low}..{high}"),
            Self::Passed(passed) => format!("passed:{}", if *passed { "yes" } else { "no" }),
            Self::Disposition(outcome) => format!("disposition:{outcome}"),
            Self::Silence(how, ms) => format!("silence:{how}{ms}ms"),
            Self::Not(inner) => format!("-({})", inner.text()),
            Self::And(left, right) => format!("({}) ({})", left.text(), right.text()),
            Self::Or(left, right) => format!("({}) OR ({})", left.text(), right.text()),
            Self::Then(left, right) => format!("({}) THEN ({})", left.text(), right.text()),
        }
    }

    fn holds(&self, call: &(Transcript, Assessment), number: usize) -> bool {
        let (transcript, found) = call;
        let utterance = &transcript.utterances[number];
        // Evidence in this utterance, or in none at all.
        let is_of = |hit: &auricle_contracts::Hit| {
            let mut placed = hit.evidence.iter().filter_map(|part| part.utterance);
            let here = hit
                .evidence
                .iter()
                .any(|part| part.utterance == Some(number));
            here || placed.next().is_none()
        };
        let any_hit = |wanted: &dyn Fn(&auricle_contracts::Hit) -> bool| {
            found.hits.iter().any(|hit| is_of(hit) && wanted(hit))
        };
        let card = found.scorecard.as_ref();
        let score = |wanted: &dyn Fn(f32) -> bool| card.is_some_and(|card| wanted(card.total));
        let insight = &found.utterances[number];
        match self {
            Self::Word(word) => utterance.spoken.contains(word),
            Self::Customer => utterance.party == Party::Customer,
            Self::Hit(rule) => any_hit(&|hit| hit.rule == *rule),
            Self::AnyHit => any_hit(&|_| true),
            Self::Severity(how, severity) => any_hit(&|hit| compared(hit.severity, how, *severity)),
            Self::Emotion(label) => insight.emotion.is_some_and(|found| found.label == *label),
            Self::Intent(label) => insight.intents.iter().any(|found| found.label == *label),
            Self::Pii(kind) => found.pii.iter().any(|span| {
                let here = span.places.iter().any(|place| place.utterance == number);
                span.kind == *kind && (here || span.places.is_empty())
            }),
            Self::Score(how, limit) => score(&|total| compared(total, how, *limit as f32)),
            Self::ScoreSpan(low, high) => {
                score(&|total| (*low as f32..=*high as f32).contains(&total))
            }
            Self::Passed(passed) => card.is_some_and(|card| card.passed == *passed),
            Self::Disposition(outcome) => found.summary.disposition.as_deref() == Some(outcome),
            Self::Silence(how, limit) => found
                .metrics
                .silences
                .iter()
                .any(|silence| compared(silence.end_ms - silence.start_ms, how, *limit)),
            Self::Not(inner) => !inner.holds(call, number),
            Self::And(left, right) => left.holds(call, number) && right.holds(call, number),
            Self::Or(left, right) => left.holds(call, number) || right.holds(call, number),
            Self::Then(left, right) => {
                right.holds(call, number) && (0..number).any(|before| left.holds(call, before))
            }
        }
    }
}

fn comparison() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "<", "<=", ">", ">="])
}

fn question() -> impl Strategy<Value = Asked> {
    use prop::sample::select;
    let leaf = prop_oneof![
        select(vec!["您好", "保证", "谢谢"]).prop_map(Asked::Word),
        Just(Asked::Customer),
        select(RULES.to_vec()).prop_map(Asked::Hit),
        Just(Asked::AnyHit),
        (comparison(), select(Severity::ALL.to_vec()))
            .prop_map(|(how, severity)| Asked::Severity(how, severity)),
        select(EmotionLabel::ALL.to_vec()).prop_map(Asked::Emotion),
        select(INTENTS.to_vec()).prop_map(Asked::Intent),
        select(PiiKind::ALL[..3].to_vec()).prop_map(Asked::Pii),
        (comparison(), 5u32..10).prop_map(|(how, score)| Asked::Score(how, score * 10)),
        (4u32..7, 7u32..11).prop_map(|(low, high)| Asked::ScoreSpan(low * 10, high * 10)),
        any::<bool>().prop_map(Asked::Passed),
        select(OUTCOMES.to_vec()).prop_map(Asked::Disposition),
        (comparison(), 2u64..6).prop_map(|(how, secs)| Asked::Silence(how, secs * 1000)),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            inner.prop_map(|inner| Asked::Not(Box::new(inner))),
            two.clone()
                .prop_map(|(a, b)| Asked::And(Box::new(a), Box::new(b))),
            two.clone()
                .prop_map(|(a, b)| Asked::Or(Box::new(a), Box::new(b))),
            two.prop_map(|(a, b)| Asked::Then(Box::new(a), Box::new(b))),
        ]
    })
}

/// A call's utterances, each with its party, words, emotion and intent.
type Lines = Vec<(
    bool,
    &'static str,
    Option<EmotionLabel>,
    Option<&'static str>,
)>;

fn assessed() -> impl Strategy<Value = (Lines, Assessment)> {
    use prop::sample::select;
    let line = (
        any::<bool>(),
        select(vec!["您好 请问", "保证 收益", "谢谢", "保证 谢谢"]),
        prop::option::of(select(EmotionLabel::ALL.to_vec())),
        prop::option::of(select(INTENTS.to_vec())),
    );
    let place = prop::option::of(0usize..4);
    let hits = (
        select(RULES.to_vec()),
        select(Severity::ALL.to_vec()),
        place.clone(),
    )
        .prop_map(|(rule, severity, place)| hit(rule, severity, 100, place));
    let spans =
        (select(PiiKind::ALL[..3].to_vec()), place).prop_map(|(kind, place)| pii(kind, 100, place));
    let silence = (0u64..9000, 2u64..6).prop_map(|(start_ms, secs)| Stretch {
        start_ms,
        end_ms: start_ms + secs * 1000,
    });
    let card = (8u32..21, any::<bool>()).prop_map(|(total, passed)| Scorecard {
        total: total as f32 * 5.0,
        passed,
        ..Scorecard::default()
    });
    (
        prop::collection::vec(line, 4..7),
        prop::collection::vec(hits, 0..4),
        prop::collection::vec(spans, 0..3),
        prop::collection::vec(silence, 0..3),
        prop::option::of(card),
        prop::option::of(select(OUTCOMES.to_vec())),
    )
        .prop_map(|(lines, hits, pii, silences, scorecard, outcome)| {
            let mut found = Assessment {
                hits,
                pii,
                scorecard,
                ..Assessment::default()
            };
            let lengths = silences
                .iter()
                .map(|silence| silence.end_ms - silence.start_ms);
            found.metrics.longest_silence_ms = lengths.max().unwrap_or(0);
            found.metrics.silences = silences;
            found.summary.disposition = outcome.map(str::to_owned);
            let utterances = lines
                .iter()
                .map(|(_, _, emotion, intent)| UtteranceInsight {
                    emotion: emotion.map(|label| Emotion {
                        label,
                        ..Emotion::default()
                    }),
                    intents: intent
                        .iter()
                        .map(|label| Intent {
                            label: (*label).into(),
                            confidence: 0.5,
                            at: None,
                            until: None,
                        })
                        .collect(),
                });
            found.utterances = utterances.collect();
            (lines, found)
        })
}

fn transcript(number: usize, lines: &Lines) -> Transcript {
    let lines = lines
        .iter()
        .map(|(is_agent, words, _, _)| format!("{} {words}", if *is_agent { 'a' } else { 'c' }));
    let lines: Vec<String> = lines.collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    call(&format!("call-{number:02}"), &lines)
}

/// Utterances and calls that a query finds.
fn totals(index: &TestIndex, query: &str) -> (u64, u64) {
    let results = search(index, query);
    (results.total_hits, results.total_calls)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn fields_agree_with_a_scan_and_facets_with_fields(
        found_in in prop::collection::vec(assessed(), 3..10),
        questions in prop::collection::vec(question(), 24),
    ) {
        let calls = found_in.into_iter().enumerate();
        let calls: Vec<_> = calls
            .map(|(number, (lines, found))| (transcript(number, &lines), found))
            .collect();
        // Several segments.
        let index = index_of_assessed(&calls[..2]);
        for (transcript, assessment) in &calls[2..] {
            index.index.add(transcript, assessment).unwrap();
            index.index.commit().unwrap();
        }
        for question in &questions {
            let query = question.text();
            let mut expected = Vec::new();
            for call in &calls {
                let numbers = 0..call.0.utterances.len();
                let matching = numbers.filter(|&number| question.holds(call, number));
                expected.extend(matching.map(|number| format!("{}/{number}", call.0.call_id)));
            }
            let results = search(&index, &query);
            prop_assert_eq!(found(&results), expected.join(" "), "{}", &query);
            let facets = results.facets;
            for (name, counts) in [
                ("rule", &facets.rule), ("emotion", &facets.emotion),
                ("intent", &facets.intent), ("score", &facets.score),
            ] {
                for count in counts {
                    let narrowed = format!("({query}) {name}:{}", count.value);
                    prop_assert_eq!(totals(&index, &narrowed), (count.hits, count.calls), "{}", &narrowed);
                }
            }
        }
    }
}

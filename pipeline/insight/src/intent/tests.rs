//! The whole way: from labelled text to a model, its file, and what it says.

use auricle_contracts::{Intent, Party};
use proptest::prelude::*;

use super::rows::{Collections, utterance_of};
use super::*;
use crate::Spoken;

fn said(party: Party, text: &str) -> Vec<Intent> {
    let utterance = utterance_of(party, text);
    given(Language::of_texts([text]), &Spoken::new(&utterance, 0))
}

fn given(language: Language, spoken: &Spoken<'_>) -> Vec<Intent> {
    let scores = language.model().scores(spoken, None);
    let given = scores.iter().filter(|score| score.is_given());
    given
        .map(|score| Intent {
            label: score.label.to_owned(),
            confidence: score.probability,
            at: None,
            until: None,
        })
        .collect()
}

fn check(party: Party, text: &str, given: &[&str], not_given: &[&str]) {
    let intents = said(party, text);
    let has = |label: &&&str| intents.iter().any(|intent| intent.label == **label);
    assert!(given.iter().all(|label| has(&label)), "{text}: {intents:?}");
    assert!(
        !not_given.iter().any(|label| has(&label)),
        "{text}: {intents:?}"
    );
}

#[test]
fn customers_are_understood() {
    let customer =
        |text, given: &[&str], not_given: &[&str]| check(Party::Customer, text, given, not_given);
    customer("你们以后不要再给我打电话了", &["opt_out"], &["interested"]);
    customer("我要投诉你们，叫你们主管来", &["complaint"], &["satisfied"]);
    customer("我没有要投诉的意思", &[], &["complaint"]);
    customer(
        "明天下午三点再打给我吧",
        &["callback_request"],
        &["opt_out"],
    );
    customer(
        "太贵了，能不能便宜一点",
        &["price_objection"],
        &["complaint"],
    );
    customer(
        "你打错了，我不认识这个人",
        &["wrong_number"],
        &["interested"],
    );
    customer("今天天气不错", &[], &["complaint", "opt_out", "refuses"]);
}

#[test]
fn agents_are_understood() {
    let agent =
        |text, given: &[&str], not_given: &[&str]| check(Party::Agent, text, given, not_given);
    agent(
        "这个产品没有任何风险，绝对不会亏的",
        &["no_risk_claim"],
        &["risk_disclosure"],
    );
    agent(
        "投资有风险，收益是不能保证的",
        &["risk_disclosure"],
        &["promise_return", "no_risk_claim"],
    );
    agent("您把短信里的验证码念给我", &["secret_request"], &[]);
    agent("验证码不要告诉任何人", &[], &["secret_request"]);
    agent("我是公安局的，你涉嫌洗钱", &["impersonation"], &[]);
}

#[test]
fn homophones_hide_nothing() {
    check(Party::Customer, "我要头诉你们", &["complaint"], &[]);
    check(Party::Customer, "以后布要在打电化了", &["opt_out"], &[]);
}

#[test]
fn english_customers_are_understood() {
    let customer =
        |text, given: &[&str], not_given: &[&str]| check(Party::Customer, text, given, not_given);
    customer(
        "Please don't ever call me again.",
        &["opt_out"],
        &["interested"],
    );
    customer(
        "please dont ever ring me again",
        &["opt_out"],
        &["callback_request"],
    );
    customer(
        "Let me speak to your supervisor",
        &["escalation"],
        &["satisfied"],
    );
    customer("My supervisor asked me to ring you", &[], &["escalation"]);
    customer(
        "I'd like to make a complaint about my bill",
        &["complaint"],
        &[],
    );
    customer("I've no complaints", &[], &["complaint"]);
    customer(
        "could you ring me back tomorrow after lunch",
        &["callback_request"],
        &["opt_out"],
    );
    customer(
        "that's way too expensive for me",
        &["price_objection"],
        &["complaint"],
    );
    customer(
        "The weather is nice today.",
        &[],
        &["complaint", "opt_out", "refuses"],
    );
}

#[test]
fn english_agents_are_understood() {
    let agent =
        |text, given: &[&str], not_given: &[&str]| check(Party::Agent, text, given, not_given);
    agent(
        "I guarantee you'll double your money",
        &["promise_return"],
        &["risk_disclosure"],
    );
    agent(
        "returns aren't guaranteed and you could lose money",
        &["risk_disclosure"],
        &["promise_return"],
    );
    agent(
        "read me the code we just texted you",
        &["secret_request"],
        &[],
    );
    agent("never share your pin with anyone", &[], &["secret_request"]);
    agent(
        "this is the police about your bank account",
        &["impersonation"],
        &[],
    );
    agent("you're an absolute idiot", &["abuse"], &[]);
}

#[test]
fn an_unknown_party_may_say_anything() {
    let labels = |text| -> Vec<String> {
        let intents = said(Party::Unknown, text);
        intents.into_iter().map(|intent| intent.label).collect()
    };
    assert!(labels("我要投诉你们").contains(&"complaint".to_owned()));
    assert!(labels("您把短信里的验证码念给我").contains(&"secret_request".to_owned()));
    assert!(labels("……").is_empty());
}

#[test]
fn callback_requests_carry_their_time() {
    let utterance = utterance_of(Party::Customer, "我在开会，明天下午三点再打给我吧");
    let spoken = Spoken::new(&utterance, 0);
    let mut intents = given(Language::Mandarin, &spoken);
    add_callback_times(&mut intents, &spoken, None);
    assert!(intents.iter().all(|intent| intent.at.is_none()));
    add_callback_times(
        &mut intents,
        &spoken,
        local_time("2025-03-12T10:20:00+08:00", 0),
    );
    let times: Vec<_> = intents
        .iter()
        .filter_map(|intent| intent.at.as_deref())
        .collect();
    assert_eq!(times, ["2025-03-13T15:00"], "{intents:?}");
}

/// Two customers' intents, told apart by a word, and rows without any.
fn small_rows() -> Vec<LabelledText> {
    let things = [
        "手机", "保险", "房子", "车", "课程", "基金", "会员", "套餐", "机票", "家具",
    ];
    let mut text = String::new();
    for thing in things {
        text += &format!("customer\tinterested\t我想买{thing}\n");
        text += &format!("customer\trefuses\t我不要{thing}\n");
        text += &format!("customer\t-\t{thing}在哪儿\n");
    }
    parse_rows(&text, "").unwrap()
}

fn classes() -> &'static WordClasses {
    Language::Mandarin.word_classes()
}

fn small_options() -> TrainOptions {
    TrainOptions {
        n_spoilt_copies: 1,
        n_folds: 3,
        ..TrainOptions::default()
    }
}

#[test]
fn training_learns_and_repeats_itself() {
    let (rows, mut told) = (small_rows(), Vec::new());
    let model = train(&rows, classes(), &small_options(), |progress| {
        told.push(progress)
    })
    .unwrap();
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|progress| progress.n_in_all == 4));
    assert_eq!(
        model.labels(Party::Customer).collect::<Vec<_>>(),
        ["interested", "refuses"]
    );
    let fresh = parse_rows("customer\tinterested\t我想买电脑\ncustomer\trefuses\t我不要电脑\ncustomer\t-\t电脑在哪儿\n", "").unwrap();
    let all = evaluate(&model, &fresh).in_all();
    assert_eq!((all.n_rows, all.n_given, all.n_right), (2, 2, 2));
    let again = train(&rows, classes(), &small_options(), |_| {}).unwrap();
    assert_eq!(model.write(), again.write());
}

#[test]
fn a_collection_says_nothing_of_labels_it_does_not_know() {
    let rows = |n: usize, collection: &str, line: &str| {
        parse_rows(&line.repeat(n), collection).unwrap().into_iter()
    };
    // Whoever wrote the second collection was not asked about complaints.
    let all = rows(12, "one", "customer\tcomplaint\t我要投诉你们\n").chain(rows(
        12,
        "two",
        "customer\trefuses\t我要投诉你们我不要\n",
    ));
    let all: Vec<LabelledText> = all.collect();
    let n_complaints = |all: &[LabelledText]| {
        let model = train(all, classes(), &small_options(), |_| {}).unwrap();
        let report = evaluate(&model, all);
        let complaint = report.labels.iter().find(|line| line.label == "complaint");
        complaint.unwrap().n_rows
    };
    assert_eq!(n_complaints(&all), 12);
    let collections = Collections::of(&all);
    assert_eq!(collections.holds(&all[0], "complaint"), Some(true));
    assert_eq!(collections.holds(&all[12], "complaint"), None);
    let plain = |collection| parse_rows("customer\t-\t好的\n", collection).unwrap();
    assert_eq!(collections.holds(&plain("two")[0], "refuses"), Some(false));
    assert_eq!(collections.holds(&plain("two")[0], "complaint"), None);
    assert_eq!(collections.holds(&plain("")[0], "complaint"), Some(false));
}

#[test]
fn cross_validation_tells_every_label() {
    let report = cross_validate(&small_rows(), classes(), &small_options(), |_| {}).unwrap();
    let labels: Vec<&str> = report
        .labels
        .iter()
        .map(|line| line.label.as_str())
        .collect();
    assert_eq!(labels, ["interested", "refuses"]);
    assert!(report.in_all().f1() > 0.9, "{report}");
    assert!(report.to_string().contains("refuses"));
}

#[test]
fn too_few_rows_teach_nothing() {
    for text in ["", "agent\t-\t好\n", "agent\ta\t好\nagent\ta\t行\n"] {
        let rows = parse_rows(text, "").unwrap();
        let error = train(&rows, classes(), &TrainOptions::default(), |_| {}).unwrap_err();
        assert!(matches!(error, TrainError::TooFewRows { .. }), "{error}");
    }
}

#[test]
fn files_bring_the_same_model_back() {
    let model = train(&small_rows(), classes(), &small_options(), |_| {}).unwrap();
    assert_eq!(IntentModel::read(&model.write()).unwrap(), model);
    let default = Language::Mandarin.model();
    assert!(
        default.labels(Party::Customer).count() > 10,
        "the default model cannot be read"
    );
    assert!(
        default.write().len() < 3_400_000,
        "the default model has grown"
    );
    let english = Language::English.model().write();
    assert!(english.len() < 1_000_000, "the English model has grown");
}

#[test]
fn a_model_keeps_its_language() {
    let things = [
        "a phone", "cover", "a car", "a loan", "a plan", "a course", "flowers", "a ticket",
    ];
    let rows = things.map(|thing| {
        format!("customer\tinterested\ti want to buy {thing}\ncustomer\trefuses\ti don't need {thing}\ncustomer\t-\twhere is {thing}\n")
    });
    let rows = parse_rows(&rows.concat(), "").unwrap();
    let classes = WordClasses::parse("", Language::English);
    let model = train(&rows, &classes, &small_options(), |_| {}).unwrap();
    let model = IntentModel::read(&model.write()).unwrap();
    assert_eq!(model.language(), Language::English);
    let fresh = "customer\tinterested\twanted to buy a boat\ncustomer\trefuses\tdont need a boat\n";
    let all = evaluate(&model, &parse_rows(fresh, "").unwrap()).in_all();
    assert_eq!((all.n_rows, all.n_given, all.n_right), (2, 2, 2));
}

#[test]
fn labels_are_given_from_their_least_threshold_on() {
    let least = parse_thresholds("# head\n\nrefuses 0.99\n").unwrap();
    let options = TrainOptions {
        least_thresholds: least,
        ..small_options()
    };
    let model = train(&small_rows(), classes(), &options, |_| {}).unwrap();
    let utterance = utterance_of(Party::Customer, "我不要手机");
    let spoken = Spoken::new(&utterance, 0);
    let thresholds = model.scores(&spoken, None);
    let thresholds: Vec<bool> = thresholds
        .iter()
        .map(|score| score.threshold >= 0.99)
        .collect();
    assert_eq!(thresholds, [false, true], "interested, refuses");
    for wrong in ["refuses", "refuses much", "refuses 1.5", "refuses 0.5 more"] {
        let error = parse_thresholds(wrong).unwrap_err().to_string();
        assert!(error.starts_with("line 1: `refuses"), "{error}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let bytes = train(&small_rows(), classes(), &small_options(), |_| {})
        .unwrap()
        .write();
    assert_eq!(IntentModel::read(b"").unwrap_err(), ReadModelError::Magic);
    let mut newer = bytes.clone();
    newer[8] = 99;
    let error = IntentModel::read(&newer).unwrap_err();
    assert!(
        matches!(error, ReadModelError::Version { file: 99, .. }),
        "{error}"
    );
    for (place, n) in [(20, bytes.len()), (bytes.len() - 1, bytes.len()), (0, 100)] {
        let mut damaged = bytes[..n].to_vec();
        damaged[place] ^= u8::from(n == bytes.len());
        let error = IntentModel::read(&damaged).unwrap_err();
        assert!(matches!(error, ReadModelError::Digest { .. }), "{error}");
    }
}

/// Ends `body` with its digest, so that what is inside is looked at.
fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let digest = super::random::digest(&body);
    body.extend(digest.to_le_bytes());
    body
}

#[test]
fn numbers_and_heads_beyond_reason_are_refused() {
    let head = &IntentModel::default().write()[..12];
    let with = |inside: &[u8]| IntentModel::read(&sealed([head, inside].concat()));
    let label = |bias: f32| {
        // No classes, one head for agents with a label `a` and no features, no rarities.
        let mut inside = vec![0, 1, 0, 1, 1, b'a'];
        for number in [bias, 1.0, 0.0, 0.5, 0.1] {
            inside.extend(number.to_le_bytes());
        }
        inside.extend([0, 0]);
        with(&inside)
    };
    assert!(label(-2.0).is_ok());
    for (read, what) in [
        (label(1e30), "bias"),
        (label(f32::NAN), "bias"),
        (with(&[0, 200]), "number of heads"),
    ] {
        let error = read.unwrap_err().to_string();
        assert!(error.contains(&format!("`{what}`")), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_model_or_an_error(inside in proptest::collection::vec(any::<u8>(), 0..200)) {
        let head = IntentModel::default().write();
        let _ = IntentModel::read(&sealed([&head[..12], &inside].concat()));
        let _ = IntentModel::read(&inside);
    }

    #[test]
    fn changed_bytes_are_a_model_or_an_error(changes in proptest::collection::vec((0usize..4000, any::<u8>()), 1..4)) {
        static BYTES: std::sync::LazyLock<Vec<u8>> =
            std::sync::LazyLock::new(|| train(&small_rows(), classes(), &small_options(), |_| {}).unwrap().write());
        // Past the word classes, where numbers are.
        let from = BYTES.len().saturating_sub(4008).max(12);
        let mut body = BYTES[..BYTES.len() - 8].to_vec();
        for (place, value) in changes {
            let place = (from + place).min(body.len() - 1);
            body[place] = value;
        }
        if let Ok(model) = IntentModel::read(&sealed(body)) {
            let utterance = utterance_of(Party::Customer, "我想买车");
            for score in model.scores(&Spoken::new(&utterance, 0), None) {
                prop_assert!((0.0..=1.0).contains(&score.probability), "{score:?}");
            }
        }
    }

    #[test]
    fn any_text_is_classified(text in "[不要别投诉打电话abc，？!0-9 ]{0,30}|.{0,30}") {
        for party in [Party::Agent, Party::Customer, Party::Unknown] {
            for intent in said(party, &text) {
                prop_assert!((0.0..=1.0).contains(&intent.confidence));
            }
        }
    }
}

#[test]
fn each_word_stands_in_one_class() {
    for language in Language::ALL {
        let mut known = std::collections::HashSet::new();
        let lines = language.word_classes().text().lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let (_, words) = line.split_once(':').unwrap();
            for word in words.split_whitespace() {
                assert!(known.insert(word), "`{word}` stands twice");
            }
        }
    }
}

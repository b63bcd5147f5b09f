//! Rule packs from their bytes to hits.

#[path = "common/pack.rs"]
mod pack;
#[path = "common/rules.rs"]
mod rules_of;

use std::path::Path;
use std::sync::Arc;

use auricle_contracts::{
    CallId, CallMetadata, ChannelLayout, Hit, Interruption, Party, Stretch, Syllable,
    SyllableAlternative, Transcript, Utterance,
};
use auricle_insight::intent::IntentModel;
use auricle_insight::rules::{
    NoFacts, PackFile, PastCall, RuleSet, check_test_file, judge, read_tests, run_tests, schema,
    utterance_of_text,
};
use auricle_insight::{CallRun, Judge, TalkEvent, TrialObserver};
use proptest::prelude::*;

use pack::read_pack;
use rules_of::rules;

fn hits(set: &Arc<RuleSet>, turns: &[(Party, u64, &str)]) -> Vec<Hit> {
    let utterances: Vec<Utterance> = turns
        .iter()
        .map(|&(party, start_ms, text)| utterance_of_text(party, start_ms, text))
        .collect();
    let call = PastCall {
        utterances: &utterances,
        talk: &[],
        metadata: &CallMetadata::default(),
        duration_ms: utterances.last().map_or(0, |last| last.end_ms),
    };
    judge(set, &call, &mut NoFacts)
}

#[test]
fn every_operator_fires_where_it_should_and_nowhere_else() {
    let bytes = include_bytes!("packs/operators.yaml");
    let file = PackFile::read("operators.yaml", bytes);
    let files = [file];
    let compiled = RuleSet::compile(&files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(compiled.warnings, []);
    let tests = &files[0].pack.as_ref().unwrap().tests;
    let report = run_tests(&Arc::new(compiled.rules), 0, tests, &mut NoFacts);
    assert!(report.passed(), "{report}");
    assert_eq!(report.untested, [] as [&str; 0], "each rule has a test");
}

/// As `auricle rules test` runs them: with the built-in text classifier and all that finds facts.
#[test]
fn shipped_packs_pass_their_own_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: there is no folder of packs");
        return;
    };
    let mut failures = String::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".yaml") || name.ends_with(".tests.yaml") {
            continue;
        }
        let files = [read_pack(&path).unwrap()];
        let set = match RuleSet::compile(&files) {
            Ok(compiled) => Arc::new(compiled.rules),
            Err(mistakes) => panic!("{mistakes}"),
        };
        let mut tests = files[0].pack.as_ref().unwrap().tests.clone();
        if let Ok(bytes) = std::fs::read(path.with_extension("tests.yaml")) {
            let (more, mut mistakes) = read_tests(&name, &bytes);
            mistakes.extend(check_test_file(&set, 0, &name, &more));
            assert_eq!(mistakes, []);
            tests.extend(more);
        }
        let intents = files[0].language().model().clone();
        let mut observer = TrialObserver::new(Arc::new(intents));
        let report = run_tests(&set, 0, &tests, &mut observer);
        if !report.passed() {
            failures.push_str(&format!("{name}\n{report}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_example_of_the_handbook_works() {
    let handbook = include_str!("../../../docs/rules.md");
    let from = handbook.find("```yaml\npack:").unwrap() + "```yaml\n".len();
    let length = handbook[from..].find("```").unwrap();
    let yaml = &handbook[from..from + length];
    let files = [PackFile::read("docs/rules.md", yaml.as_bytes())];
    let compiled = RuleSet::compile(&files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(compiled.warnings, []);
    let tests = &files[0].pack.as_ref().unwrap().tests;
    let report = run_tests(&Arc::new(compiled.rules), 0, tests, &mut NoFacts);
    assert!(report.passed() && !tests.is_empty(), "{report}");
}

#[test]
fn the_published_schema_is_the_types() {
    let published = include_str!("../../../docs/rules.schema.json");
    let published: serde_json::Value = serde_json::from_str(published).unwrap();
    assert_eq!(
        published,
        schema(),
        "cargo run -p auricle-insight --example rules_schema > docs/rules.schema.json"
    );
}

/// Recognised speech has numbers in words, texts of other programs have them in digits.
#[test]
fn keywords_with_digits_are_found_in_words_and_in_digits() {
    let set = rules(
        "pack: p\nlanguage: zh\nwords: {wait: [24小时, 3天]}\nrules:\n\
         - {id: share, when: {says: '10%'}}\n\
         - {id: wait, when: {says: '等<wait>'}}\n\
         - {id: number, when: {says: {any: ['拨打(12315|110)']}}}\n",
    );
    let check = |text: &str, spoken: &str, fires: &[&str]| {
        let utterance = Utterance {
            text: text.into(),
            spoken: spoken.into(),
            ..utterance_of_text(Party::Agent, 0, text)
        };
        let call = PastCall {
            utterances: &[utterance],
            talk: &[],
            metadata: &CallMetadata::default(),
            duration_ms: 9_000,
        };
        let hits = judge(&set, &call, &mut NoFacts);
        let fired: Vec<&str> = hits.iter().map(|hit| hit.rule.as_str()).collect();
        assert_eq!(fired, fires, "{text} {spoken}");
    };
    check("年化10%。", "年化百分之十", &["share"]);
    check("年化10%。", "", &["share"]);
    check("年化10%。", "年化10", &["share"]);
    check("年化百分之十。", "", &["share"]);
    check("年化4%。", "年化百分之四", &[]);
    check("等24小时", "等二十四小时", &["wait"]);
    check("等3天", "等三天", &["wait"]);
    check("拨打12315", "拨打幺二三幺五", &["number"]);
    check("拨打110", "拨打一一零", &["number"]);
    check("拨打110", "", &["number"]);
}

/// What a test says is heard as calls are: a rule that finds digits alone would pass its tests and never fire.
#[test]
fn tests_of_packs_hear_numbers_in_words() {
    let yaml = "pack: p\nlanguage: LANGUAGE\nrules:\n\
        - {id: words, when: {says: 百分之十}}\n\
        - {id: digits, when: {says: '10%'}}\n\
        - {id: either, when: {says: '(10|ten) percent'}}\n\
        - {id: expression, when: {regex: {pattern: '10'}}}\n\
        - {id: written, when: {regex: {pattern: '10%', on: written}}}\n\
        tests:\n- {text: 年化10%, fires: [FIRES]}\n";
    for (language, fires) in [
        ("zh", "words, digits, written"),
        ("en", "digits, expression, written"),
    ] {
        let yaml = yaml.replace("LANGUAGE", language).replace("FIRES", fires);
        let files = [PackFile::read("p.yaml", yaml.as_bytes())];
        let compiled = RuleSet::compile(&files).unwrap();
        let told: Vec<&str> = compiled.warnings.iter().map(|one| &*one.cause).collect();
        let of_expression = match language {
            "zh" => "regular expression `10`: in recognised speech numbers are words",
            _ => "regular expression `10`: numbers are heard in words",
        };
        assert!(
            told.iter().any(|one| one.starts_with(of_expression)),
            "{told:?}"
        );
        let of_phrase = "phrase `10%`: numbers are heard in words";
        let has_phrase = told.iter().any(|one| one.starts_with(of_phrase));
        assert_eq!(has_phrase, language == "en", "{told:?}");
        assert!(!told.iter().any(|one| one.contains("ten")), "{told:?}");
        let tests = &files[0].pack.as_ref().unwrap().tests;
        let report = run_tests(&Arc::new(compiled.rules), 0, tests, &mut NoFacts);
        assert!(report.passed(), "{report}");
    }
}

/// 二个月 in 十二个月 is another number, and so is 百分之十 in 百分之十五.
#[test]
fn numbers_in_words_are_found_whole() {
    let set = rules(
        "pack: p\nlanguage: zh\nrules:\n\
         - {id: months, when: {says: 2个月}}\n\
         - {id: days, when: {says: 3天内}}\n\
         - {id: five, when: {says: '5'}}\n\
         - {id: police, when: {says: '110'}}\n\
         - {id: share, when: {says: '10%'}}\n\
         - {id: all, when: {says: '100%'}}\n\
         - {id: line, when: {says: 400-800-8888}}\n",
    );
    let check = |text: &str, fires: &[&str]| {
        let hits = hits(&set, &[(Party::Agent, 0, text)]);
        let fired: Vec<&str> = hits.iter().map(|hit| hit.rule.as_str()).collect();
        assert_eq!(fired, fires, "{text}");
    };
    check("等两个月", &["months"]);
    check("等二个月", &["months"]);
    check("三天内到账", &["days"]);
    check("请按五", &["five"]);
    check("拨打一一零一下", &["police"]);
    check("年化百分之十", &["share"]);
    check("年化百分之十一定有", &["share"]);
    check("统一百分之十", &["share"]);
    check("百分之百一定有", &["all"]);
    check("拨四零零八零零八八八八", &["line"]);
    let others = "等十二个月 等12个月 十三天内到账 五十块 十五块 \
        三点五折 下午好 拨打一百一十九 年化百分之十五 年化百分之十点五 年化百分之十一";
    others.split(' ').for_each(|text| check(text, &[]));
}

#[test]
fn tests_hear_numbers_of_lines_digit_by_digit() {
    let yaml = "pack: p\nlanguage: zh\nrules:\n\
        - {id: ent, party: customer, when: {entity: phone}}\n\
        tests:\n\
        - {text: 我手机号13800138000, party: customer, fires: [ent]}\n\
        - {text: 我手机号138 0013 8000, party: customer, fires: [ent]}\n\
        - {text: 我手机号138-0013-8000, party: customer, fires: [ent]}\n\
        - {text: 我要10000000元, party: customer, fires: []}\n";
    let files = [PackFile::read("p.yaml", yaml.as_bytes())];
    let set = Arc::new(RuleSet::compile(&files).unwrap().rules);
    let mut observer = TrialObserver::new(Arc::new(files[0].language().model().clone()));
    let tests = &files[0].pack.as_ref().unwrap().tests;
    let report = run_tests(&set, 0, tests, &mut observer);
    assert!(report.passed(), "{report}");
}

/// Calls in any language get it: each test says by its letters which it is in.
#[test]
fn a_pack_that_says_no_language_hears_tests_in_theirs() {
    let yaml = "pack: p\nrules:\n\
        - {id: dollars, when: {says: 500 dollars}}\n\
        - {id: yuan, when: {says: 500元}}\n\
        tests:\n\
        - {text: you owe 500 dollars, fires: [dollars]}\n\
        - {text: 您欠500元, fires: [yuan]}\n";
    let files = [PackFile::read("p.yaml", yaml.as_bytes())];
    let compiled = RuleSet::compile(&files).unwrap();
    let told: Vec<&str> = compiled.warnings.iter().map(|one| &*one.cause).collect();
    let [of_dollars] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(of_dollars.starts_with("phrase `500 dollars`: numbers are heard in words"));
    let tests = &files[0].pack.as_ref().unwrap().tests;
    let report = run_tests(&Arc::new(compiled.rules), 0, tests, &mut NoFacts);
    assert!(report.passed(), "{report}");
}

/// An utterance whose syllables were heard, each `best/other:prob`.
fn heard(text: &str, syllables: &[&str]) -> Utterance {
    let mut utterance = utterance_of_text(Party::Agent, 0, text);
    utterance.syllables = (0u64..)
        .zip(syllables)
        .map(|(place, spelled)| {
            let (best, others) = spelled.split_once('/').unwrap_or((spelled, ""));
            let alternatives = others.split('/').filter_map(|other| {
                let (s, conf) = other.split_once(':')?;
                Some(SyllableAlternative {
                    s: s.into(),
                    conf: conf.parse().unwrap_or_default(),
                })
            });
            Syllable {
                s: best.into(),
                start_ms: place * 200,
                end_ms: place * 200 + 180,
                conf: 0.6,
                alternatives: alternatives.collect(),
            }
        })
        .collect();
    utterance
}

#[test]
fn keywords_are_heard_by_their_sound_as_far_as_their_length_allows() {
    let check = |keyword: &str, sound: &str, text: &str, syllables: &[&str], fires: bool| {
        let set = rules(&format!(
            "pack: p\nrules: [{{id: r, when: {{says: {{any: [{keyword}], sound: {sound}}}}}}}]"
        ));
        let said = heard(text, syllables);
        let call = PastCall {
            utterances: &[said],
            talk: &[],
            metadata: &CallMetadata::default(),
            duration_ms: 1000,
        };
        let fired = !judge(&set, &call, &mut NoFacts).is_empty();
        assert_eq!(fired, fires, "{keyword} ({sound}) in {text} {syllables:?}");
    };
    check("包", "auto", "报", &["bao1"], false);
    check("包", "toned", "胞", &["bao1"], true);
    check("保证", "auto", "报证", &["bao4", "zheng4"], false);
    check("保证", "auto", "饱正", &["bao3", "zheng4"], true);
    check("保证", "exact", "饱正", &["bao3", "zheng4"], false);
    check("保证", "toneless", "报证", &["bao4", "zheng4"], true);
    check("保证", "near", "报镇", &["bao4", "zhen4"], true);
    check("保证", "auto", "跑正", &["pao3/bao3:0.3", "zheng4"], true);
    check("保证", "auto", "跑正", &["pao3/bao3:0.05", "zheng4"], false);
    check("法院", "auto", "罚院", &["fa3", "yuan4"], true);
    check("你好", "auto", "泥好", &["ni2", "hao3"], true);
    check(
        "身份证",
        "auto",
        "深分正",
        &["shen4", "fen1", "zheng1"],
        true,
    );
    check(
        "身份证",
        "auto",
        "深分镇",
        &["shen1", "fen4", "zhen4"],
        false,
    );
    check(
        "稳赚不赔",
        "auto",
        "稳转不赔",
        &["wen3", "zhuang4", "bu4", "pei2"],
        true,
    );
    check(
        "稳赚不赔",
        "auto",
        "问装布费",
        &["wen4", "zhuang1", "bu4", "fei4"],
        false,
    );
}

#[test]
fn a_syllable_lost_or_one_too_many_hides_no_long_keyword() {
    let check = |keyword: &str, sound: &str, text: &str, fires: bool| {
        let set = rules(&format!(
            "pack: p\nrules: [{{id: r, when: {{says: {{any: [{keyword}], sound: {sound}}}}}}}]"
        ));
        let fired = !hits(&set, &[(Party::Agent, 0, text)]).is_empty();
        assert_eq!(fired, fires, "{keyword} ({sound}) in {text}");
    };
    // One lost, one too many, another hanzi beside it.
    check("今天必须还款", "auto", "您今天必还款啊", true);
    check("今天必须还款", "auto", "今天你必须还款", true);
    check("今天必须还款", "auto", "金天必须得还款", true);
    check("今天必须还款", "near", "今天必还款", false);
    check("天天上门", "auto", "天上门", false);
    check("天天上门", "loose", "天上门", true);
    check("天天上门", "loose", "天天来上门", true);
    check("天上门", "loose", "天来上门", false);
    // Two slips, a near syllable beside a slip, a slip at either end.
    check("今天必须还款", "auto", "今必还款", false);
    check("今天必须还款", "auto", "今天你必须得还款", false);
    check("今天必须还款", "auto", "今天必还狂", false);
    check("今天必须还款", "auto", "天必须还款", false);
    check("今天必须还款", "auto", "今天必须还", false);
    // What denies is never passed over.
    check("今天必须还款", "auto", "今天不必须还款", false);
    check("投资是没有风险", "auto", "投资是有风险", false);
    check("投资是有风险的", "auto", "投资是没有风险的", false);
    let set = rules("pack: p\nrules: [{id: r, when: {says: {any: [天天上门], sound: loose}}}]");
    let found = hits(&set, &[(Party::Agent, 0, "我天天来上门看")]);
    assert_eq!(
        found[0].why,
        "客服说了“天天来上门”（读音与关键词“天天上门”相近）。"
    );
}

#[test]
fn reasons_say_what_was_found_and_how() {
    let set = rules(
        "pack: p\nlanguage: zh\nwords: {g: [保证], p: [收益]}\nrules:\n\
         - {id: r, title: 承诺, severity: critical, deduct: 20, auto_fail: true, party: agent,\n   when: {says: \"<g>..<p>\"}}\n\
         - {id: n, party: agent, when: {not_said: {what: {says: 您好}, by_secs: 30}}}\n",
    );
    let found = hits(&set, &[(Party::Agent, 1000, "我饱正您有收益的")]);
    let promise = found.iter().find(|hit| hit.rule == "r").unwrap();
    assert_eq!(
        promise.why,
        "客服说了“饱正您有收益”（读音与关键词“保证…收益”相同）。"
    );
    assert_eq!((promise.start_ms, promise.end_ms), (1250, 2750));
    assert_eq!(promise.evidence[0].words, "饱正您有收益");
    assert_eq!(promise.evidence[0].utterance, Some(0));
    assert_eq!(
        (promise.deduct, promise.auto_fail, promise.party),
        (20.0, true, Party::Agent)
    );
    let missing = found.iter().find(|hit| hit.rule == "n").unwrap();
    assert_eq!(missing.why, "通话前30秒内客服没有说“您好”之类的话。");
    assert!(missing.evidence.is_empty());

    let set =
        rules("pack: p\nlanguage: en\nrules: [{id: r, party: agent, when: {says: risk free}}]");
    let found = hits(&set, &[(Party::Agent, 0, "It is risk-free, sir.")]);
    assert_eq!(found[0].why, "The agent said \"risk free\".");
}

#[test]
fn reasons_name_what_was_not_said() {
    let check = |language: &str, what: &str, why: &str| {
        let set = rules(&format!(
            "pack: p\nlanguage: {language}\nwords: {{firm: [金叶金融, 星河]}}\nconditions:\n  quiet: {{emotion: {{label: happy}}}}\n\
             rules: [{{id: r, party: agent, when: {{not_said: {{what: {what}}}}}}}]"
        ));
        let found = hits(&set, &[(Party::Agent, 0, "喂")]);
        assert_eq!(found[0].why, why);
    };
    check(
        "zh",
        "{says: [\"(我是|这里是)..6<firm>[的]\", 工号, 名字]}",
        "整通电话中客服没有说“我是…金叶金融”、“工号”之类的话。",
    );
    check(
        "zh",
        "{any: [{says: [^您好, 早上好]}, {says: 录音}]}",
        "整通电话中客服没有说“您好”、“录音”之类的话。",
    );
    check(
        "en",
        "{says: [\"(my name is|this is) [really](Ann|Bob)\", \"calling..10from\"]}",
        "In the whole call the agent did not say \"my name is ann\", \"calling…from\" or the like.",
    );
    check(
        "en",
        "{is: quiet}",
        "In the whole call the agent did not say what the rule asks for (quiet).",
    );
}

#[test]
fn reasons_are_what_was_found_rather_than_what_was_not() {
    let check = |when: &str, why: &str, evidence: &[&str]| {
        let set = rules(&format!("pack: p\nrules: [{{id: r, when: {when}}}]"));
        let turns = [
            (Party::Customer, 0, "我不同意"),
            (Party::Agent, 9000, "保证有收益"),
        ];
        let found = hits(&set, &turns);
        let hit = found.iter().find(|hit| hit.start_ms >= 9000);
        let hit = hit.unwrap_or_else(|| panic!("{when}: {found:?}"));
        let words: Vec<&str> = hit
            .evidence
            .iter()
            .map(|found| found.words.as_str())
            .collect();
        assert_eq!(
            (hit.why.as_str(), words.as_slice()),
            (why, evidence),
            "{when}"
        );
    };
    let said = "客服说了“收益”。";
    check(
        "{all: [{not: {says: 风险}}, {says: 收益}]}",
        said,
        &["收益"],
    );
    check(
        "{any: [{not: {says: 风险}}, {says: 收益}]}",
        said,
        &["收益"],
    );
    check(
        "{any: [{says: 风险}, {in_call: {says: 不同意}}, {says: 收益}]}",
        said,
        &["收益"],
    );
    check(
        "{at_least: {n: 2, of: [{not: {says: 风险}}, {says: 保证}, {says: 收益}]}}",
        "客服说了“保证”；客服说了“收益”。",
        &["保证", "收益"],
    );
    check(
        "{scoped: {party: agent, what: {not: {says: 您好}}}}",
        "客服说了“保证有收益”，其中没有规则要求的内容。",
        &["保证有收益"],
    );
    check(
        "{after: {what: {scoped: {party: agent, what: {not: {says: 风险}}}}, anchor: {says: 不同意}}}",
        "客服说了“保证有收益”，其中没有规则要求的内容；客户说了“不同意”。",
        &["保证有收益", "不同意"],
    );
}

#[test]
fn calls_of_all_kinds_are_judged() {
    let bytes = include_bytes!("packs/operators.yaml");
    let files = [PackFile::read("operators.yaml", bytes)];
    let set = Arc::new(RuleSet::compile(&files).unwrap().rules);
    assert_eq!(hits(&set, &[]), [], "no speech");
    let odd = [
        (Party::Unknown, 0, ""),
        (Party::Customer, 0, "嗯"),
        (Party::Agent, u64::MAX / 2, "保证收益"),
        (Party::Agent, 5, "a"),
    ];
    assert!(!hits(&set, &odd).is_empty());
    let utterances = [utterance_of_text(Party::Agent, 0, "您好我是小王再见")];
    let events = [
        TalkEvent::Silence(Stretch {
            start_ms: 9,
            end_ms: 3,
        }),
        TalkEvent::Interruption(Interruption {
            by: Party::Unknown,
            at_ms: u64::MAX,
            overlap_ms: u64::MAX,
        }),
    ];
    let call = PastCall {
        utterances: &utterances,
        talk: &events,
        metadata: &CallMetadata::default(),
        duration_ms: 0,
    };
    assert!(!judge(&set, &call, &mut NoFacts).is_empty());
}

#[test]
fn unknown_parties_are_looked_at_unless_a_rule_says_otherwise() {
    let set = rules(
        "pack: p\nrules:\n\
         - {id: look, party: agent, when: {says: 保证收益}}\n\
         - {id: skip, party: agent, unknown_party: skip, when: {says: 保证收益}}\n",
    );
    let found = hits(&set, &[(Party::Unknown, 0, "保证收益")]);
    let told: Vec<_> = found
        .iter()
        .map(|hit| (hit.rule.as_str(), hit.party))
        .collect();
    assert_eq!(told, [("look", Party::Unknown)]);
}

#[test]
fn ten_thousand_keywords_are_found() {
    let hanzi: Vec<char> = ('\u{4E00}'..'\u{4E64}').collect();
    let mut words = Vec::new();
    for one in &hanzi {
        for other in &hanzi {
            words.push(format!("{one}{other}保"));
        }
    }
    let set = rules(&format!(
        "pack: p\nwords: {{w: [{}]}}\nrules: [{{id: r, when: {{says: <w>}}}}]",
        words.join(", ")
    ));
    assert_eq!(set.n_keywords(), words.len());
    for word in words.iter().step_by(997) {
        assert_eq!(hits(&set, &[(Party::Agent, 0, word)]).len(), 1, "{word}");
    }
}

#[test]
fn explanations_show_what_held_and_what_nearly_did() {
    let set = rules(
        "pack: p\nnegation: {words: [不], within: 3}\nrules:\n\
         - {id: r, party: agent, when: {all: [{says: 保证收益}, {in_call: {says: {party: customer, any: [投资]}}}]}}\n",
    );
    let utterances = [
        utterance_of_text(Party::Agent, 0, "我不保证收益"),
        utterance_of_text(Party::Customer, 3000, "我想投资保证收益"),
        utterance_of_text(Party::Agent, 61_000, "我保证收益"),
    ];
    let call = Transcript {
        call_id: CallId("c".into()),
        file: "c.wav".into(),
        duration_ms: 70_000,
        engine: String::new(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances: utterances.to_vec(),
    };
    let judge = Judge {
        rules: Arc::clone(&set),
        card: None,
        intents: Arc::new(IntentModel::default()),
        emotions: None,
    };
    let explanation = CallRun::explain(&judge, set.find("p/r")[0], &call).unwrap();
    insta::assert_snapshot!(explanation.to_string());
    assert_eq!(explanation.hits, CallRun::assess(&judge, &call).hits);
    assert_eq!(CallRun::explain(&judge, 1, &call), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_give_a_pack_or_mistakes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let files = [PackFile::read("p.yaml", &bytes)];
        prop_assert!(RuleSet::compile(&files).is_err());
    }

    #[test]
    fn a_phrase_of_two_keywords_matches_as_its_regular_expression(
        text in "[保证收益的]{0,24}",
        gap in 0u32..5,
    ) {
        let set = rules(&format!(
            "pack: p\nrules: [{{id: r, when: {{says: {{any: ['保证..{gap}收益'], sound: exact}}}}}}]"
        ));
        let found = hits(&set, &[(Party::Agent, 0, text.as_str())]).len();
        let regex = regex::Regex::new(&format!("保证.{{0,{gap}}}收益")).unwrap();
        prop_assert_eq!(found, usize::from(regex.is_match(&text)), "{}", text);
    }
}

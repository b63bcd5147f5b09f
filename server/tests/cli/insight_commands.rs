//! Rules, scores, reports and masks, from the command line.

use std::fs;

use auricle_contracts::{CallId, ChannelLayout, Party, Transcript, Utterance};

use crate::desk::{Desk, utterance};

const PHONE: &str = "一三八零零一三八零零零";

/// A customer who gives his number.
fn phone_call() -> Transcript {
    Transcript {
        call_id: CallId("phone".into()),
        file: "recordings/phone.wav".into(),
        duration_ms: 20_000,
        engine: "test/none".into(),
        layout: ChannelLayout::PerParty,
        metadata: Default::default(),
        warnings: Vec::new(),
        utterances: vec![
            utterance(Party::Agent, 1_000, "请 留 一下 您的 手机号", ""),
            utterance(Party::Customer, 5_000, &format!("我的 号码 是 {PHONE}"), ""),
        ],
    }
}

fn desk_with_phone() -> Desk {
    let desk = Desk::new();
    desk.put("phone.json", serde_json::to_string(&phone_call()).unwrap());
    desk.ok(&["import", "phone.json"]);
    desk
}

const OWN_PACK: &str = "\
pack: own
title: Own rules
language: zh
version: 1
rules:
  - id: says_refund
    title: 客户要求退款
    severity: major
    party: customer
    when: {says: 退款}
tests:
  - {text: 我要退款, party: customer, fires: [says_refund]}
  - {text: 我要付款, party: customer, fires: []}
";

#[test]
fn personal_data_is_masked_on_every_way_out_unless_asked_for() {
    let desk = desk_with_phone();
    for args in [
        &["show", "phone"][..],
        &["show", "phone", "--json"],
        &["export"],
        &["export", "--format", "csv"],
        &["export", "--format", "txt"],
    ] {
        let out = desk.ok(args);
        assert!(!out.contains("零零一三八"), "{args:?}: {out}");
        assert!(out.contains("****"), "{args:?}: {out}");
    }
    assert!(desk.ok(&["search", "零零一三八"]).contains("0 hits"));
    assert!(
        desk.ok(&["search", "pii:phone"])
            .contains("1 hit in 1 call")
    );
    assert!(desk.ok(&["show", "phone", "--unmasked"]).contains(PHONE));
    assert!(desk.ok(&["export", "--unmasked"]).contains(PHONE));
}

const NUMBER_PACK: &str = "\
pack: numbers
title: Numbers
language: zh
version: 1
rules:
  - id: says_number
    title: 说出号码
    severity: minor
    party: customer
    when: {regex: {pattern: '一三八[零一三八]+'}}
  - id: alike
    title: 近似
    severity: minor
    when: {similar: {to: ['我的号码是一三八零零一三八零零一'], at_least: 0.99}}
";

#[test]
fn explanations_are_masked_unless_asked_for() {
    let desk = desk_with_phone();
    desk.put("numbers.yaml", NUMBER_PACK);
    for rule in ["says_number", "alike"] {
        let explain = ["rules", "explain", rule, "phone", "--rules", "numbers.yaml"];
        let masked = desk.ok(&explain);
        assert!(!masked.contains("零零一三八零"), "{masked}");
        assert!(masked.contains("***********"), "{masked}");
        let open = desk.ok(&[&explain[..], &["--unmasked"]].concat());
        assert!(open.contains(PHONE), "{open}");
    }
}

#[test]
fn past_calls_are_assessed_anew_by_other_rules_and_keep_their_scores() {
    let desk = Desk::new();
    desk.import_samples();
    let run = desk.run(&["rescore"]);
    assert!(run.err.contains("2 up to date"), "{}", run.err);
    desk.put("own.yaml", OWN_PACK);
    let tried = desk.run(&["rescore", "--rules", "own.yaml", "--dry-run"]);
    assert!(tried.out.contains("says_refund"), "{}", tried.out);
    assert!(desk.ok(&["search", "hit:says_refund"]).contains("0 hits"));
    desk.ok(&["rescore", "--rules", "own.yaml", "--out", "changes"]);
    assert!(desk.ok(&["search", "hit:says_refund"]).contains("退款"));
    assert!(desk.ok(&["search", "hit:own/says_refund"]).contains("退款"));
    assert!(
        desk.ok(&["search", "hit:other/says_refund"])
            .contains("0 hits")
    );
    let shown = desk.ok(&["show", "贷款 回访 01"]);
    assert!(shown.contains("客户说了“退款”"), "the reason: {shown}");
    let page = fs::read_to_string(desk.path("changes/rescore.html")).unwrap();
    assert!(page.contains("says_refund"));
    let rows = fs::read_to_string(desk.path("changes/rescore.csv")).unwrap();
    assert!(rows.contains("says_refund"), "{rows}");
    let versions = desk.ok(&["show", "贷款 回访 01", "--scores"]);
    assert_eq!(
        versions.matches("transcript 1, rules").count(),
        2,
        "{versions}"
    );
}

#[test]
fn packs_include_files_beside_them_and_those_of_the_program() {
    let desk = Desk::new();
    desk.import_samples();
    let pack = |include: &str| OWN_PACK.replace("rules:", &format!("include: [{include}]\nrules:"));
    let asks = "conditions: {asks: {says: {party: customer, any: [退款]}}}\n";
    desk.put("shared/own.yaml", asks);
    let including = pack("shared/own.yaml, shared/zh.yaml").replace("{says: 退款}", "{is: asks}");
    desk.put("own.yaml", &including);
    assert!(desk.ok(&["rules", "check", "own.yaml"]).contains("1 rule"));
    desk.put("auricle.toml", "[insight]\npacks = [\"own.yaml\"]\n");
    desk.ok(&["rescore"]);
    assert!(desk.run(&["rescore"]).err.contains("2 up to date"));
    desk.put("shared/own.yaml", asks.replace("退款", "退钱"));
    let run = desk.run(&["rescore"]);
    assert!(run.err.contains("2 calls by their text"), "{}", run.err);
    desk.put("shared/own.yaml", format!("include: [../own.yaml]\n{asks}"));
    let told = [
        "shared/../own.yaml:1:1: error: unknown key `pack`",
        "files include each other",
    ];
    desk.fails(&["rules", "check", "own.yaml"], 1, &told);
    desk.put("own.yaml", pack("none.yaml"));
    let told = [
        "own.yaml:5:11: error: cannot include `none.yaml`",
        "the program carries `shared/zh.yaml`",
    ];
    desk.fails(&["rules", "check", "own.yaml"], 1, &told);
    assert!(
        desk.ok(&["rules", "show", "shared/zh.yaml"])
            .contains("keeps_the_rules")
    );
}

#[test]
fn packs_are_checked_tested_and_explained() {
    let desk = Desk::new();
    desk.import_samples();
    desk.put("own.yaml", OWN_PACK);
    assert!(desk.ok(&["rules", "check", "own.yaml"]).contains("1 rule"));
    assert!(
        desk.ok(&["rules", "test", "own.yaml"])
            .contains("2 of 2 tests passed")
    );
    desk.put("bad.yaml", OWN_PACK.replace("says:", "sais:"));
    let words = ["bad.yaml:", "sais", "hint:", "says"];
    desk.fails(&["rules", "check", "bad.yaml"], 1, &words);
    let wrong = OWN_PACK.replace("我要付款", "我要退款了");
    desk.put("wrong.yaml", wrong);
    let run = desk.fails(&["rules", "test", "wrong.yaml"], 1, &[]);
    assert!(run.out.contains("1 of 2 tests passed"), "{}", run.out);
    let why = desk.ok(&["rules", "explain", "promise_return", "贷款 回访 01"]);
    assert!(why.contains("fired once"), "{why}");
    desk.fails(
        &["rules", "explain", "nothing", "贷款 回访 01"],
        2,
        &["promise_return"],
    );
    assert!(desk.ok(&["rules", "list"]).contains("zh-telemarketing"));
    let own = desk.ok(&["rules", "show", "zh-finance"]);
    desk.put("copy.yaml", own);
    desk.ok(&["rules", "check", "copy.yaml"]);
}

#[test]
fn score_cards_are_checked_beside_packs() {
    let desk = Desk::new();
    desk.put("own.yaml", OWN_PACK);
    let card = "card: own\nsections:\n- title: A\n  questions:\n  \
        - {id: refund, question: No refund?, unless_rules: [says_refund]}\n";
    desk.put("card.yaml", card);
    let check = |rest: &[&str]| {
        let run = desk.run(&[&["rules", "check"], rest].concat());
        assert_eq!(run.code, Some(0), "{}", run.err);
        run
    };
    let beside = check(&["own.yaml", "card.yaml"]);
    assert_eq!(beside.err, "");
    let told = "card.yaml: 1 question in 1 section, 1 rule of the packs own";
    assert!(beside.out.contains(told), "{}", beside.out);
    assert_eq!(check(&["card.yaml", "--rules", "own.yaml"]).err, "");
    let alone = check(&["card.yaml"]).err;
    assert!(
        alone.contains("card.yaml:5:10: warning: question `refund` names the rule `says_refund`"),
        "{alone}"
    );
    desk.put("auricle.toml", "[insight]\npacks = [\"own.yaml\"]\n");
    assert_eq!(check(&["card.yaml"]).err, "", "those that are configured");
    desk.put("card.yaml", card.replace("[says_refund]", "[say_refund]"));
    let near = check(&["card.yaml"]).err;
    assert!(near.contains("hint: did you mean `says_refund`?"), "{near}");
    desk.put("card.yaml", card.replace("questions:", "question:"));
    desk.fails(
        &["rules", "check", "card.yaml"],
        1,
        &["card.yaml:4:", "unknown key `question`"],
    );
}

#[test]
fn english_calls_are_not_judged_by_a_pack_for_mandarin() {
    let desk = Desk::new();
    desk.put("own.yaml", OWN_PACK);
    desk.put("auricle.toml", "[insight]\npacks = [\"own.yaml\"]\n");
    let said = "we can double your money in six months guaranteed";
    let call = Transcript {
        call_id: CallId("english".into()),
        file: "recordings/english.wav".into(),
        utterances: vec![Utterance {
            text: said.into(),
            spoken: said.into(),
            words: Vec::new(),
            ..utterance(Party::Agent, 0, said, "")
        }],
        ..phone_call()
    };
    desk.put("in/english.json", serde_json::to_string(&call).unwrap());
    desk.import_samples();
    let found = desk.ok(&["search", "hit:en-service/guaranteed_returns"]);
    assert!(found.contains("1 hit in 1 call"), "{found}");
    assert!(desk.ok(&["search", "hit:own/says_refund"]).contains("退款"));
}

#[test]
fn a_call_that_was_hardly_understood_has_no_score_and_says_so() {
    let desk = Desk::new();
    let words = ["保证"; 30].join(" ");
    let syllables = ["bao3 zheng4"; 30].join(" ");
    let mut call = Transcript {
        engine: "native/zh-zipformer-3.3m".into(),
        utterances: vec![utterance(Party::Agent, 0, &words, &syllables)],
        ..phone_call()
    };
    for (name, conf) in [("clear", 0.9), ("dim", 0.6)] {
        call.call_id = CallId(name.into());
        let heard = &mut call.utterances[0].syllables;
        heard.iter_mut().for_each(|syllable| syllable.conf = conf);
        desk.put(
            &format!("in/{name}.json"),
            serde_json::to_string(&call).unwrap(),
        );
    }
    desk.ok(&["import", "in"]);
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&desk.ok(&["show", name, "--json"])).unwrap()
    };
    assert!(read("clear")["scorecard"].is_object());
    let dim = read("dim");
    assert!(dim["scorecard"].is_null(), "{}", dim["scorecard"]);
    let warning = "hardly understood: mean confidence 0.60 of 60 syllables";
    assert!(dim["warnings"].to_string().contains(warning), "{dim}");
    assert!(desk.ok(&["show", "dim"]).contains(warning));
    assert!(desk.ok(&["search", "score:<=100"]).contains("clear"));
    assert!(!desk.ok(&["search", "score:<=100"]).contains("dim"));
    desk.ok(&["report", "--out", "report"]);
    let pages = fs::read_dir(desk.path("report/calls")).unwrap();
    let pages = pages.map(|page| fs::read_to_string(page.unwrap().path()).unwrap());
    assert_eq!(pages.filter(|page| page.contains(warning)).count(), 1);
}

#[test]
fn packs_that_come_with_the_program_pass_their_tests() {
    let desk = Desk::new();
    let names = [
        "zh-telemarketing",
        "zh-finance",
        "zh-collection",
        "en-service",
    ];
    for name in names {
        desk.ok(&["rules", "test", name]);
    }
}

#[test]
fn the_configuration_chooses_packs_by_campaign() {
    let desk = Desk::new();
    desk.put("own.yaml", OWN_PACK);
    let config = "[[insight.campaigns]]\ncampaign = \"lo*\"\npacks = [\"own.yaml\"]\n";
    desk.put("auricle.toml", config);
    desk.import_samples();
    assert!(
        desk.ok(&["search", "hit:says_refund"])
            .contains("1 hit in 1 call")
    );
    desk.put("auricle.toml", "[insight]\npacks = [\"none.yaml\"]\n");
    desk.fails(&["rescore"], 1, &["none.yaml", "zh-telemarketing"]);
    let doctor = desk.run(&["doctor"]).out;
    assert!(doctor.contains("none.yaml"), "{doctor}");
}

#[test]
fn packs_and_cards_that_do_not_go_together_are_told_before_work() {
    let desk = Desk::new();
    desk.put("own.yaml", OWN_PACK);
    desk.import_samples();
    let rescore = |rest: &[&str]| {
        let run = desk.run(&[&["rescore", "--dry-run"], rest].concat());
        assert_eq!(run.code, Some(0), "{}", run.err);
        run.err
    };
    assert!(!rescore(&[]).contains("warning"));
    let told = rescore(&["--rules", "own.yaml"]);
    assert!(told.contains("in none of the packs own"), "{told}");
    assert!(told.contains("Mandarin calls get no score"), "{told}");
    assert!(!told.contains("English"), "no pack is for them: {told}");
    let misspelt = OWN_PACK.replace("rules:", "rules:\n  - {id: urges, title: Urges, severity: minor, party: agent, when: {intent: {label: presure}}}");
    desk.put("own.yaml", &misspelt);
    let told = rescore(&["--rules", "own.yaml"]);
    assert!(told.contains("does not tell: presure"), "{told}");
    assert!(rescore(&["--campaign", "nobody"]).contains("no call is of what"));
}

#[test]
fn a_report_has_a_page_for_the_batch_and_one_for_each_call() {
    let desk = Desk::new();
    desk.import_samples();
    desk.ok(&["report", "--out", "report", "--language", "zh"]);
    let page = fs::read_to_string(desk.path("report/index.html")).unwrap();
    assert!(page.contains("贷款 回访 01") && page.contains("promise_return"));
    let n_pages = || fs::read_dir(desk.path("report/calls")).unwrap().count();
    assert_eq!(n_pages(), 2);
    // Again over fewer calls: what others put there stays.
    desk.put("report/calls/own.html", "<html>");
    let run = desk.run(&["report", "--out", "report", "--campaign", "cards"]);
    assert!(
        run.err.contains("1 page of an earlier report removed"),
        "{}",
        run.err
    );
    assert!(desk.path("report/calls/own.html").exists());
    assert_eq!(n_pages(), 2);
    let run = desk.run(&["report", "--out", "report", "--no-calls"]);
    assert!(run.err.contains("1 page of an earlier"), "{}", run.err);
    assert_eq!(n_pages(), 1);
    desk.fails(
        &["report", "--out", "none", "--agent", "nobody"],
        1,
        &["no call"],
    );
}

#[test]
fn reports_play_no_personal_data_unless_asked_for() {
    let desk = desk_with_phone();
    desk.put("recordings/phone.wav", b"RIFF");
    let page = |out: &str| {
        let pages = fs::read_dir(desk.path(out).join("calls")).unwrap();
        let page = pages.map(|page| page.unwrap().path()).next().unwrap();
        fs::read_to_string(page).unwrap()
    };
    let run = desk.run(&["report", "--out", "masked"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("1 call without sound"), "{}", run.err);
    assert!(!page("masked").contains("phone.wav#t="));
    assert!(page("masked").contains("--redact-audio"));
    // A file that nothing says the origin of is no silenced copy.
    desk.put("copies/phone.wav", b"RIFF");
    desk.ok(&["report", "--out", "copied", "--audio", "copies"]);
    assert!(!page("copied").contains("phone.wav#t="));
    desk.ok(&["report", "--out", "open", "--unmasked"]);
    assert!(page("open").contains("recordings/phone.wav#t="));
    assert!(!page("open").contains(PHONE), "texts stay masked");
}

#[test]
fn a_card_of_the_command_line_leaves_the_packs_of_campaigns() {
    let desk = Desk::new();
    desk.put("own.yaml", OWN_PACK);
    let config = "[[insight.campaigns]]\ncampaign = \"lo*\"\npacks = [\"own.yaml\"]\n";
    desk.put("auricle.toml", config);
    desk.import_samples();
    desk.ok(&["rescore", "--card", "en-service"]);
    let found = desk.ok(&["search", "hit:says_refund"]);
    assert!(found.contains("1 hit in 1 call"), "{found}");
}

#[test]
fn tables_are_no_formulas_and_begin_as_spreadsheets_ask() {
    let desk = Desk::new();
    let mut call = phone_call();
    call.metadata.agent = Some("=1+1".into());
    desk.put("phone.json", serde_json::to_string(&call).unwrap());
    desk.ok(&["import", "phone.json"]);
    let rows = desk.ok(&["export", "--format", "csv"]);
    assert!(
        rows.starts_with("call_id,") && rows.contains(",'=1+1,"),
        "{rows}"
    );
    let marked = desk.ok(&["export", "--format", "csv", "--bom"]);
    assert_eq!(marked, format!("\u{feff}{rows}"));
    desk.fails(&["export", "--bom"], 2, &["--format csv"]);
    desk.put("numbers.yaml", NUMBER_PACK);
    let tried = [
        "rescore",
        "--rules",
        "numbers.yaml",
        "--dry-run",
        "--out",
        "tried",
        "--bom",
    ];
    desk.ok(&tried);
    let rows = fs::read_to_string(desk.path("tried/rescore.csv")).unwrap();
    assert!(
        rows.starts_with('\u{feff}') && rows.contains(",'=1+1,"),
        "{rows}"
    );
}

#[test]
fn a_classifier_is_learnt_measured_and_put_to_use() {
    let desk = Desk::new();
    desk.import_samples();
    let refunds = (0..12).map(|n| format!("customer\twants_money\t我要退款{}\n", "啊".repeat(n)));
    let others = (0..12).map(|n| format!("customer\t-\t你好{}\n", "吗".repeat(n)));
    desk.put("texts/a.tsv", refunds.chain(others).collect::<String>());
    desk.put(
        "texts/b.tsv",
        "customer\twants_mony\t退钱\nagent\thaste\t快点\n",
    );
    let run = desk.run(&["intent", "train", "texts", "--out", "own.intents"]);
    let rare = "not learnt, for too few rows have them: agent `haste` (1 row), customer `wants_mony` (1 row)\nhint: a label takes 8 rows";
    assert!(run.err.contains(rare), "{}", run.err);
    let run = desk.run(&["intent", "eval", "texts", "--model", "own.intents"]);
    assert!(run.out.contains("wants_money"), "{}", run.out);
    let unknown = "the model does not tell them: agent `haste`, customer `wants_mony`";
    assert!(run.err.contains(unknown), "{}", run.err);
    desk.put("auricle.toml", "[insight]\nintents = \"own.intents\"\n");
    desk.ok(&["rescore"]);
    assert!(desk.ok(&["search", "intent:wants_money"]).contains("退款"));
    desk.put("bad.tsv", "customer\trefuses\n");
    desk.fails(&["intent", "eval", "bad.tsv"], 2, &["line 1", "hint:"]);
}

/// Weights that take everything for sadness.
const GLOOMY: &str = r#"{"name": "gloomy", "units": {"secs": 1.0}, "most_units": 3.0, "arousal": {}, "labels": {"sad": {"bias": 9.0}}}"#;

const GLOOMY_CARD: &str = r#"
name = "gloomy"
kind = "emotion"
engine = "ort"
languages = []
description = "Takes everything for sadness."
licence = "CC0-1.0"
source = "https://example.org/gloomy"

[[file]]
path = "weights.json"
"#;

#[test]
fn another_emotion_model_takes_the_place_of_the_built_in_one() {
    let desk = Desk::new();
    desk.import_samples();
    assert!(desk.ok(&["search", "emotion:sad"]).contains("0 hits"));
    desk.put("gloomy.json", GLOOMY);
    desk.put("auricle.toml", "[insight]\nemotion = \"gloomy.json\"\n");
    desk.ok(&["rescore"]);
    assert!(!desk.ok(&["search", "emotion:sad"]).contains("0 hits"));

    desk.put("models/cards/gloomy.toml", GLOOMY_CARD);
    desk.put("models/gloomy/weights.json", GLOOMY);
    let named = "[models]\ndir = \"models\"\n[insight]\nemotion = ";
    desk.put("auricle.toml", format!("{named}\"gloomy\"\n"));
    assert!(desk.ok(&["models", "list"]).contains("gloomy"));
    let run = desk.run(&["rescore"]);
    assert!(
        run.err.contains("2 up to date"),
        "the same file: {}",
        run.err
    );

    desk.put("bad.json", r#"{"name": "x"}"#);
    for (setting, code, words) in [
        ("silero-vad", 2, ["kind vad", "kind emotion"]),
        ("nobody", 1, ["no model has this name", "nobody"]),
        ("bad.json", 2, ["bad.json", "missing field"]),
    ] {
        desk.put("auricle.toml", format!("{named}\"{setting}\"\n"));
        desk.fails(&["rescore"], code, &words);
    }
}

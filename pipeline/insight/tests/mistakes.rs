//! What is wrong with packs, and what they share.

use auricle_insight::intent::Language;
use auricle_insight::rules::{Included, PackFile, RuleSet, check_labels};

fn mistakes(yaml: &str) -> Vec<String> {
    let files = [PackFile::read("p.yaml", yaml.as_bytes())];
    match RuleSet::compile(&files) {
        Ok(compiled) => compiled.warnings.iter().map(ToString::to_string).collect(),
        Err(mistakes) => mistakes.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn mistakes_are_told_all_at_once_with_places_and_hints() {
    let told = mistakes(
        "pack: p\n\
         words:\n  a: [\"<b>\"]\n  b: [\"<a>\"]\n  c: []\n\
         conditions:\n  x: {is: y}\n  y: {not: {is: x}}\n\
         rules:\n\
         - {id: r1, when: {say: 保证}}\n\
         - {id: r1, severty: high, when: {says: {any: [保证], soud: exact}}}\n\
         - {id: r3, severity: hgh, when: {is: sels}}\n\
         - {id: r4, when: {says: \"<gaurantee>\"}}\n\
         - {id: r5, when: {regex: {pattern: \"a(b\"}}}\n\
         - {id: r6, when: {regex: {pattern: '(\\p{L}{1,500}){1,500}'}}}\n\
         - {id: r7, when: {says: \"[保证]\"}}\n\
         - {id: r8, when: {says: 保证, regex: {pattern: a}}}\n\
         - {id: r9}\n\
         - {id: r10, deduct: lots, when: {says: 保证}}\n\
         - {id: r11, when: {all: [{silence: {at_least_ms: 1}}, {says: 保证}]}}\n\
         - {id: r12, when: {repeated: {what: {says: 保证}, times: 1}}}\n\
         - {id: r13, when: {says: {at_least: {n: 3, of: [保证]}}}}\n",
    );
    let starts = [
        "p.yaml:3:6: error: `words.a` leads back to itself: `a` → `b` → `a`",
        "p.yaml:5:6: error: `words.c` is empty",
        "p.yaml:7:6: error: `conditions.x` leads back to itself: `x` → `y` → `x`",
        "p.yaml:10:19: error: unknown operator `say`\nhint: did you mean `says`?",
        "p.yaml:11:12: error: unknown key `severty`\nhint: did you mean `severity`?",
        "p.yaml:11:52: error: unknown key `soud`\nhint: did you mean `sound`?",
        "p.yaml:12:22: error: unknown value `hgh`",
        "p.yaml:12:38: error: unknown condition `sels`",
        "p.yaml:13:25: error: unknown list `<gaurantee>`",
        "p.yaml:14:36: error: regular expression `a(b`: unclosed group",
        "p.yaml:15:36: error: regular expression `(\\p{L}{1,500}){1,500}`: it takes more than",
        "p.yaml:16:25: error: phrase `[保证]`: the phrase matches where nothing is said",
        "p.yaml:17:18: error: a condition has one operator, got `says`, `regex`",
        "p.yaml:18:3: error: `when` is missing",
        "p.yaml:19:21: error: `deduct`: expected a number, got text",
        "p.yaml:20:19: error: these conditions never hold at the same moment",
        "p.yaml:21:56: error: `times` must be 2 to 100, got `1`",
        "p.yaml:22:41: error: `n` must be 1 to `1`",
        "p.yaml:11:8: error: there is a rule `r1`",
    ];
    for start in starts {
        let found = told.iter().any(|mistake| mistake.starts_with(start));
        assert!(
            found,
            "no mistake begins with `{start}`:\n{}",
            told.join("\n")
        );
    }
}

#[test]
fn odd_packs_are_told_of() {
    let check = |yaml: &str, start: &str| {
        let told = mistakes(yaml);
        let found = told.iter().any(|mistake| mistake.starts_with(start));
        assert!(found, "{yaml}: no `{start}`:\n{}", told.join("\n"));
    };
    check(
        "pack: p\nrules: []\n",
        "p.yaml:2:8: error: the pack has no rules",
    );
    check("pack: p\n", "p.yaml:1:1: error: `rules` is missing");
    check("- a\n", "p.yaml:1:1: error: expected a map, got a list");
    let rule = "rules:\n- {id: r, when: {says: 保证}}\n";
    check(
        "pack: p\nwords:\n  a:\nrules: [{id: r, when: {says: 保证}}]\n",
        "p.yaml:3:4: error: `a`: expected a list, got nothing\nhint: write a value there",
    );
    for (when, told) in [
        (
            "null",
            "1: error: `when`: expected a name, or a map with one operator, got nothing\nhint: write a value",
        ),
        (
            "{says: null}",
            "8: error: `says`: expected a phrase, a list of phrases or a map, got nothing\nhint: ",
        ),
        (
            "{says: [~, 保证]}",
            "9: error: expected text, got nothing\nhint: ",
        ),
        (
            "{intent: refuses}",
            "10: error: `intent`: expected a map, got text\nhint: write `{KEY: VALUE}`; keys are `label`, ",
        ),
        (
            "{silence: {at_least_ms: -5}}",
            "25: error: `at_least_ms`: expected a whole number, 0 or more, got `-5`",
        ),
        (
            "{repeated: {what: {says: 保证}, times: -2}}",
            "38: error: `times`: expected a whole number, 0 or more, got `-2`",
        ),
        (
            "{near: {what: {says: 保证}, anchor: {says: 收益}, within_secs: -1}}",
            "1: error: `within_secs` must be 0 to 1000000, got `-1`",
        ),
        (
            "{speech_rate: {above: -3}}",
            "15: error: `above` must be above 0, got `-3`",
        ),
        (
            "{loudness_rise: {db: 0}}",
            "17: error: `db` must be above 0, got `0`",
        ),
    ] {
        let yaml = format!("pack: p\nrules:\n- id: r\n  when:\n    {when}\n");
        let (column, rest) = told.split_once(':').unwrap();
        let column = column.parse::<usize>().unwrap() + 4;
        check(&yaml, &format!("p.yaml:5:{column}:{rest}"));
    }
    check(
        &format!("pack: p\n{rule}tests: [{{call: [{{agent: 喂, at_secs: -4}}]}}]\n"),
        "p.yaml:4:17: error: `at_secs` must be 0 or more, got `-4`",
    );
    check(
        &format!("pack: a b\n{rule}"),
        "p.yaml:1:7: error: `a b` is no id",
    );
    check(
        &format!("pack: p\nwords: {{a: [保证]}}\n{rule}"),
        "p.yaml:2:12: warning: `words.a` is not used",
    );
    check(
        &format!("pack: p\n{rule}tests: [{{text: a, fires: [s]}}]\n"),
        "p.yaml:4:27: error: unknown rule `s`",
    );
    check(
        &format!("pack: p\n{rule}tests: [{{fires: []}}]\n"),
        "p.yaml:4:9: error: the test has neither",
    );
    check(
        "pack: p\nrules: [{id: r, when: {silence: {at_least_ms: 700}}}]\n",
        "p.yaml:2:33: warning: silences under 1000 ms are pauses and told to no rule: \
         `at_least_ms: 700` holds from 1000 ms on\nhint: write `at_least_ms: 1000`",
    );
    let two = [
        PackFile::read("a.yaml", format!("pack: p\n{rule}").as_bytes()),
        PackFile::read("b.yaml", format!("pack: p\n{rule}").as_bytes()),
    ];
    let told = RuleSet::compile(&two).unwrap_err().to_string();
    assert!(
        told.starts_with("b.yaml:1:7: error: `a.yaml` is a pack called `p`, too"),
        "{told}"
    );
}

/// The mistakes of `p.yaml` where these other files are.
fn with_files(pack: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut find = |_: &str, wanted: &str| {
        let found = files.iter().find(|(name, _)| *name == wanted);
        let (name, text) = found.ok_or("there is none")?;
        Ok(Included {
            id: (*name).to_owned(),
            file: (*name).to_owned(),
            bytes: text.as_bytes().to_vec(),
        })
    };
    let pack = PackFile::read_with("p.yaml", pack.as_bytes(), &mut find);
    match RuleSet::compile(&[pack]) {
        Ok(compiled) => compiled.warnings.iter().map(ToString::to_string).collect(),
        Err(mistakes) => mistakes.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn packs_share_words_and_conditions() {
    let rule = "rules: [{id: r, when: {is: sells}}]\n";
    let check = |pack: &str, files: &[(&str, &str)], expected: &[&str]| {
        let told = with_files(&format!("pack: p\n{pack}{rule}"), files);
        let is_as_expected = told
            .iter()
            .zip(expected)
            .all(|(told, start)| told.starts_with(start));
        assert!(
            is_as_expected && told.len() == expected.len(),
            "{pack}: {told:#?}"
        );
    };
    let sells = "conditions:\n  sells: {says: \"<buy>..基金\"}\n  idle: {says: 喂}\n";
    let words = "words:\n  buy: [买, 投]\n";
    // Through another file, twice, beside words of the pack's own; what a pack does not use is no matter.
    let both = [
        ("a.yaml", &*format!("include: [b.yaml]\n{sells}")),
        ("b.yaml", words),
    ];
    check("include: [a.yaml]\n", &both, &[]);
    check("include: [b.yaml, a.yaml, a.yaml]\n", &both, &[]);
    check(
        &format!("include: [a.yaml]\n{words}"),
        &[("a.yaml", sells)],
        &[],
    );
    check(
        "include: [c.yaml]\n",
        &[],
        &[
            "p.yaml:2:11: error: cannot include `c.yaml`: there is none\nhint: ",
            "p.yaml:3:28: error: unknown condition `sells`",
        ],
    );
    check(
        "include: [a.yaml]\n",
        &[("a.yaml", sells)],
        &["a.yaml:2:17: error: unknown list `<buy>`\nhint: the pack has no `words`"],
    );
    check(
        "include: [a.yaml]\n",
        &[
            ("a.yaml", &format!("include: [b.yaml]\n{sells}")),
            ("b.yaml", "include: [a.yaml]\nwords: {buy: [买]}"),
        ],
        &["b.yaml:1:11: error: files include each other: `a.yaml` → `b.yaml` → `a.yaml`\nhint: "],
    );
    check(
        &format!("include: [a.yaml]\n{words}"),
        &[("a.yaml", &format!("{sells}{words}"))],
        &["a.yaml:5:8: error: `words.buy` is there twice: also in `p.yaml:4:8`\nhint: "],
    );
    check(
        "include: [a.yaml]\n",
        &[("a.yaml", "pack: a\nconditions: {sells: {sais: 买}}\n")],
        &[
            "a.yaml:1:1: error: unknown key `pack`",
            "a.yaml:2:22: error: unknown operator `sais`\nhint: did you mean `says`?",
        ],
    );
    let alone = mistakes(&format!("pack: p\ninclude: [a.yaml]\n{rule}"));
    assert!(
        alone[0].contains("there are no other files here"),
        "{alone:?}"
    );
}

#[test]
fn labels_that_the_classifier_does_not_tell_are_told_of() {
    let yaml = "pack: p\nrules:\n\
         - {id: a, party: agent, when: {intent: {label: presure}}}\n\
         - {id: b, party: customer, when: {intent: {label: pressure}}}\n\
         - {id: c, party: customer, when: {intent: {label: pressure, party: agent}}}\n\
         - {id: d, when: {intent: {label: refuses}}}\n\
         - {id: e, when: {intent: {label: quite_another}}}\n";
    let files = [PackFile::read("p.yaml", yaml.as_bytes())];
    let compiled = RuleSet::compile(&files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let told = check_labels(&compiled.rules, Language::Mandarin.model());
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "p.yaml:3:48: warning: the text classifier does not tell the label `presure`: this never holds\n\
             hint: did you mean `pressure`?",
            "p.yaml:4:51: warning: the text classifier does not tell `pressure` of the customer: this never holds\n\
             hint: say with `party` whose utterances are meant",
            "p.yaml:7:34: warning: the text classifier does not tell the label `quite_another`: this never holds\n\
             hint: `auricle intent train` teaches it, on text that has it",
        ]
    );
}

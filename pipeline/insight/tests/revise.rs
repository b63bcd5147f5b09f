//! Assessments made anew where only rules or cards changed equal those that are made from nothing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "common/pack.rs"]
mod pack_file;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use auricle_contracts::{
    Assessment, CallId, CallMetadata, ChannelLayout, Party, Transcript, Utterance,
};
use auricle_insight::intent::{IntentModel, Language};
use auricle_insight::rules::{PackFile, RuleSet, read_tests, utterance_of_text};
use auricle_insight::scorecard::Card;
use auricle_insight::{CallRun, Judge, Recipe, Revised, Revision};
use proptest::prelude::*;
use proptest::sample::Index;

use pack_file::read_pack;

const NAMES: [&str; 2] = ["zh-telemarketing", "zh-collection"];

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

fn file(name: &str) -> Vec<u8> {
    fs::read(packs().join(name)).unwrap()
}

fn pack(name: &str) -> PackFile {
    read_pack(&packs().join(format!("{name}.yaml"))).unwrap()
}

/// What the packs' own tests say: every rule fires on some of it.
static TEXTS: LazyLock<Vec<(Party, String)>> = LazyLock::new(|| {
    let mut texts = Vec::new();
    for name in NAMES {
        let name = format!("{name}.tests.yaml");
        for test in read_tests(&name, &file(&name)).0 {
            let Some(test) = test.value else { continue };
            let party = test
                .party
                .and_then(|at| at.value)
                .map_or(Party::Agent, Into::into);
            texts.extend(test.text.map(|text| (party, text)));
            for turn in test.call.into_iter().filter_map(|at| at.value) {
                texts.extend(turn.agent.map(|text| (Party::Agent, text)));
                texts.extend(turn.customer.map(|text| (Party::Customer, text)));
            }
        }
    }
    texts
});

static CARD: LazyLock<Arc<Card>> = LazyLock::new(|| {
    let name = "cards/zh-telemarketing.yaml";
    Arc::new(Card::read(&file(name), name).unwrap())
});

static INTENTS: LazyLock<Arc<IntentModel>> =
    LazyLock::new(|| Arc::new(Language::Mandarin.model().clone()));

fn judge(packs: &[PackFile], has_card: bool) -> (Judge, Recipe) {
    let compiled = RuleSet::compile(packs).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let card = if has_card { "card" } else { "" };
    let recipe = Recipe::new("models", card, &compiled.rules);
    let judge = Judge {
        rules: Arc::new(compiled.rules),
        card: has_card.then(|| Arc::clone(&CARD)),
        intents: Arc::clone(&INTENTS),
        emotions: None,
    };
    (judge, recipe)
}

/// One line after the other, some of which overlap, some with a silence before them.
fn call(lines: &[(Index, u16)]) -> Transcript {
    let mut at_ms = 0;
    let mut utterances: Vec<Utterance> = Vec::new();
    for (line, gap) in lines {
        let (party, text) = line.get(TEXTS.as_slice());
        let said = utterance_of_text(*party, at_ms, text);
        at_ms = said.end_ms.saturating_sub(300) + u64::from(*gap);
        utterances.push(said);
    }
    Transcript {
        call_id: CallId("c".into()),
        file: "c.wav".into(),
        duration_ms: at_ms + 1000,
        engine: String::new(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances,
    }
}

/// What may happen to a pack from one version to the next.
#[derive(Clone, Debug)]
enum Edit {
    Drop(usize),
    Deduct(usize),
    Once(usize),
    Move(usize),
    /// A phrase that is said all the time stands for a rule's own.
    Hear(usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (0..5_u8, 0..1000_usize).prop_map(|(kind, rule)| match kind {
        0 => Edit::Drop(rule),
        1 => Edit::Deduct(rule),
        2 => Edit::Once(rule),
        3 => Edit::Move(rule),
        _ => Edit::Hear(rule),
    });
    proptest::collection::vec(edit, 0..4)
}

fn edited(name: &str, edits: &[Edit]) -> PackFile {
    let mut file = pack(name);
    let rules = file
        .pack
        .as_mut()
        .and_then(|pack| pack.rules.value.as_mut())
        .unwrap();
    let heard = PackFile::read(
        "heard.yaml",
        b"pack: h\nrules: [{id: x, when: {says: [\xe7\x9a\x84, \xe6\x82\xa8]}}]\n",
    );
    let heard = heard.pack.unwrap().rules.value.unwrap()[0]
        .value
        .clone()
        .unwrap();
    for edit in edits {
        let n = rules.len();
        match edit {
            Edit::Drop(rule) => {
                rules.remove(rule % n);
            }
            Edit::Move(rule) => {
                let moved = rules.remove(rule % n);
                rules.insert(0, moved);
            }
            Edit::Deduct(rule) => {
                rules[rule % n].value.as_mut().unwrap().deduct.value = Some(17.0);
            }
            Edit::Once(rule) => {
                let rule = rules[rule % n].value.as_mut().unwrap();
                rule.once = !rule.once;
            }
            Edit::Hear(rule) => {
                rules[rule % n].value.as_mut().unwrap().when = heard.when.clone();
            }
        }
    }
    file
}

fn revised(
    (old, new): (&(Judge, Recipe), &(Judge, Recipe)),
    packs: &[PackFile],
    transcript: &Transcript,
) -> (Revision, Revised, Assessment) {
    let revision = Revision::new(&old.1, &new.1, packs).unwrap().unwrap();
    let before = CallRun::assess(&old.0, transcript);
    let revised = revision.revise(&new.0, transcript, &before);
    (revision, revised, before)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_revised_is_what_would_be_made_from_nothing(
        lines in proptest::collection::vec((any::<Index>(), 0..6000_u16), 1..60),
        (was, is) in (edits(), edits()),
        (had_card, has_card, which) in (any::<bool>(), any::<bool>(), 0..3_usize),
    ) {
        let names = match which {
            2 => &NAMES[..],
            one => &NAMES[one..=one],
        };
        let packs = |edits: &[Edit]| -> Vec<PackFile> {
            names.iter().map(|name| edited(name, edits)).collect()
        };
        let transcript = call(&lines);
        let (old, new) = (judge(&packs(&was), had_card), judge(&packs(&is), has_card));
        let (_, revised, before) = revised((&old, &new), &packs(&is), &transcript);
        let expected = CallRun::assess(&new.0, &transcript);
        match revised {
            Revised::Same => prop_assert_eq!(before, expected),
            Revised::New(revised) => {
                prop_assert_ne!(&*revised, &before);
                prop_assert_eq!(*revised, expected);
            }
        }
    }
}

/// What a call is worth by `new`, revised from what `old` made of it; held against what is made from nothing.
fn told(old: (&str, &str), new: (&str, &str), transcript: &Transcript) -> Assessment {
    let judge_of = |(pack, card): (&str, &str)| {
        let packs = [PackFile::read("p.yaml", pack.as_bytes())];
        let (judge, _) = judge(&packs, false);
        let recipe = Recipe::new("models", card, &judge.rules);
        let card = (!card.is_empty()).then(|| Card::read(card.as_bytes(), "c.yaml").unwrap());
        let judge = Judge {
            card: card.map(Arc::new),
            ..judge
        };
        ((judge, recipe), packs)
    };
    let ((old, _), (new, packs)) = (judge_of(old), judge_of(new));
    let (_, revised, before) = revised((&old, &new), &packs, transcript);
    let revised = match revised {
        Revised::Same => before,
        Revised::New(revised) => *revised,
    };
    assert_eq!(revised, CallRun::assess(&new.0, transcript));
    revised
}

fn said(lines: impl IntoIterator<Item = &'static str>) -> Transcript {
    let mut transcript = call(&[]);
    for line in lines {
        let at_ms = transcript.duration_ms;
        let said = utterance_of_text(Party::Agent, at_ms, line);
        transcript.duration_ms = said.end_ms + 500;
        transcript.utterances.push(said);
    }
    transcript
}

#[test]
fn a_card_that_asks_about_a_pack_knows_when_it_has_another_name() {
    let card = "card: c\ntitle: c\npass_mark: 50\nsections:\n  - title: s\n    weight: 1\n    questions:\n      \
        - {id: greets, question: q, weight: 1, unless_rules: [one/greet]}\n";
    let pack = |id: &str| format!("pack: {id}\nrules: [{{id: greet, when: {{says: 您好}}}}]\n");
    let silent = said(["再见"]);
    let card_of = |id: &str| told((&pack("one"), card), (&pack(id), card), &silent).scorecard;
    assert!(card_of("one").is_some());
    assert_eq!(card_of("two"), None);
}

/// One rule's hits that wait for the end of the call take no room from another's.
#[test]
fn rules_that_wait_for_the_end_do_not_count_for_one_another() {
    let rule = |id: &str, deduct: u32| {
        let scope = "scope: {last_secs: 900000}";
        format!("  - {{id: {id}, deduct: {deduct}, {scope}, when: {{says: 您好}}}}\n")
    };
    let pack = |deduct| format!("pack: p\nrules:\n{}{}", rule("a", 1), rule("b", deduct));
    let long = said(std::iter::repeat_n("您好", 1300));
    let hits = told((&pack(1), ""), (&pack(2), ""), &long).hits;
    assert_eq!(hits.len(), 2000);
}

#[test]
fn which_homophone_is_named_does_not_follow_from_other_rules() {
    let pack = |deduct: u32| {
        format!(
            "pack: p\nrules:\n  - {{id: a, when: {{says: {{any: ['(宝先|饱鲜)'], sound: toneless}}}}}}\n  \
             - {{id: c, deduct: {deduct}, when: {{says: {{any: ['(饱鲜|宝先)'], sound: toneless}}}}}}\n"
        )
    };
    let hits = told((&pack(1), ""), (&pack(2), ""), &said(["我们报现了"])).hits;
    assert_eq!(hits.len(), 2);
}

#[test]
fn only_rules_that_are_others_run() {
    let transcript = call(&[]);
    let plain = judge(&[pack("zh-telemarketing")], true);
    let n_run = |edits: &[Edit]| {
        let packs = [edited("zh-telemarketing", edits)];
        let new = judge(&packs, true);
        revised((&plain, &new), &packs, &transcript).0.n_rules()
    };
    let first = 0;
    assert_eq!(n_run(&[]), 0);
    assert_eq!(n_run(&[Edit::Drop(first)]), 0);
    assert_eq!(n_run(&[Edit::Move(first)]), 0);
    assert_eq!(n_run(&[Edit::Deduct(first)]), 1);
    assert_eq!(n_run(&[Edit::Hear(first)]), 1);
}

#[test]
fn other_models_look_at_everything_again() {
    let packs = [pack("zh-telemarketing")];
    let new = judge(&packs, true).1;
    let old = Recipe {
        models: "others".into(),
        ..new.clone()
    };
    assert_ne!(old.print(), new.print());
    assert!(Revision::new(&old, &new, &packs).unwrap().is_none());
}

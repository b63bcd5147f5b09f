//! Rules while a call is under way: partials, deadlines, and what turns out late.

#[path = "common/rules.rs"]
mod rules_of;

use std::sync::Arc;

use auricle_contracts::{CallMetadata, Party, PiiKind, PiiSpan, TextPlace};
use auricle_insight::rules::{Change, RuleEvent, RuleRun, utterance_of_text};
use auricle_insight::{Facts, Spoken};

use rules_of::rules;

#[test]
fn partials_raise_hits_that_the_whole_utterance_confirms_or_withdraws() {
    let set = rules(
        "pack: p\nrules:\n\
         - {id: fast, partials: true, when: {says: {any: [保证收益], unless: [不敢]}}}\n\
         - {id: slow, when: {says: 保证收益}}\n",
    );
    let mut run = RuleRun::new(set, &CallMetadata::default());
    let mut events: Vec<RuleEvent> = Vec::new();
    let mut say = |run: &mut RuleRun, idx, text: &str, whole: bool| {
        events.clear();
        let utterance = utterance_of_text(Party::Agent, 1000, text);
        let spoken = Spoken::new(&utterance, idx);
        match whole {
            false => run.partial(&spoken, &Facts::default(), &mut events),
            true => run.utterance(&spoken, &Facts::default(), &mut events),
        }
        let told = events
            .iter()
            .map(|event| (event.hit.rule.clone(), event.change));
        told.collect::<Vec<_>>()
    };
    let fast = |change| ("fast".to_owned(), change);
    let slow = || ("slow".to_owned(), Change::Raised);
    assert_eq!(say(&mut run, 0, "我", false), []);
    assert_eq!(
        say(&mut run, 0, "我保证收益", false),
        [fast(Change::Provisional)]
    );
    assert_eq!(say(&mut run, 0, "我保证收益的", false), [], "told once");
    assert_eq!(
        say(&mut run, 0, "我保证收益的", true),
        [fast(Change::Confirmed), slow()]
    );
    assert_eq!(
        say(&mut run, 1, "保证收益", false),
        [fast(Change::Provisional)]
    );
    assert_eq!(
        say(&mut run, 1, "保证收益我可不敢", true),
        [slow(), fast(Change::Withdrawn)]
    );
}

/// Who heard a call in part and who hears it again point at the same hits.
#[test]
fn the_place_of_a_hit_does_not_depend_on_partials() {
    let set = rules(
        "pack: p\nrules:\n\
         - {id: fast, partials: true, when: {says: {any: [保证收益], unless: [不敢]}}}\n\
         - {id: late, party: agent, when: {not_said: {what: {says: 您好}, by_secs: 10}}}\n\
         - {id: digits, when: {entity: phone}}\n",
    );
    let turns = [
        (0, "保证收益我可不敢"),
        (4_000, "我保证收益的"),
        (12_000, "喂"),
    ];
    let spans = [PiiKind::Phone, PiiKind::Phone].map(|kind| PiiSpan {
        kind,
        party: Party::Agent,
        start_ms: 4_000,
        end_ms: 5_000,
        places: Vec::new(),
    });
    let heard = |partials: bool| {
        let mut run = RuleRun::new(Arc::clone(&set), &CallMetadata::default());
        let mut events = Vec::new();
        for (idx, (start_ms, text)) in turns.into_iter().enumerate() {
            let said = utterance_of_text(Party::Agent, start_ms, text);
            if partials {
                let so_far = utterance_of_text(Party::Agent, start_ms, &text[..15.min(text.len())]);
                let spoken = Spoken::new(&so_far, idx);
                run.partial(&spoken, &Facts::default(), &mut events);
            }
            run.time(start_ms, &mut events);
            run.utterance(&Spoken::new(&said, idx), &Facts::default(), &mut events);
        }
        for span in &spans {
            run.late(span, &mut events);
        }
        run.finish(20_000, &mut events);
        let n_withdrawn = events
            .iter()
            .filter(|event| event.change == Change::Withdrawn)
            .count();
        assert_eq!(n_withdrawn, usize::from(partials));
        let stays = |event: &&RuleEvent| matches!(event.change, Change::Raised | Change::Confirmed);
        let stay = events.iter().filter(stays);
        stay.map(|event| format!("{}-{}", event.hit.rule, event.place))
            .collect::<Vec<_>>()
    };
    let expected = ["fast-4000-0", "late-10000", "digits-4000", "digits-4000x2"];
    assert_eq!(heard(false), expected);
    assert_eq!(heard(true), expected);
}

#[test]
fn what_was_no_utterance_after_all_leaves_nothing_behind() {
    let set = rules(
        "pack: p\nrules:\n\
         - {id: fast, partials: true, when: {says: 保证收益}}\n\
         - {id: late, party: agent, when: {not_said: {what: {says: 您好}, by_secs: 10}}}\n",
    );
    let mut run = RuleRun::new(set, &CallMetadata::default());
    let mut events = Vec::new();
    let first = utterance_of_text(Party::Agent, 0, "喂");
    run.utterance(&Spoken::new(&first, 0), &Facts::default(), &mut events);
    let said = utterance_of_text(Party::Agent, 9_000, "保证收益");
    let spoken = Spoken::new(&said, 1);
    run.partial(&spoken, &Facts::default(), &mut events);
    run.time(11_000, &mut events);
    let channel = said.channel;
    run.dismiss(channel + 1, &mut events);
    let told = |events: &[RuleEvent]| {
        let told = events
            .iter()
            .map(|event| (event.hit.rule.clone(), event.change));
        told.collect::<Vec<_>>()
    };
    let fast = |change| ("fast".to_owned(), change);
    assert_eq!(told(&events), [fast(Change::Provisional)]);
    events.clear();
    run.dismiss(channel, &mut events);
    assert_eq!(told(&events), [fast(Change::Withdrawn)]);
    events.clear();
    run.time(11_000, &mut events);
    assert_eq!(told(&events), [("late".to_owned(), Change::Raised)]);
}

#[test]
fn a_deadline_waits_for_what_is_being_said() {
    let yaml = "pack: p\nrules: [{id: r, party: agent, when: {not_said: {what: {says: 您好}, by_secs: 10}}}]";
    let fired = |partial: bool, text: &str| {
        let mut run = RuleRun::new(rules(yaml), &CallMetadata::default());
        let mut events = Vec::new();
        let first = utterance_of_text(Party::Agent, 0, "喂");
        run.utterance(&Spoken::new(&first, 0), &Facts::default(), &mut events);
        let said = utterance_of_text(Party::Agent, 9_000, text);
        let spoken = Spoken::new(&said, 1);
        if partial {
            run.partial(&spoken, &Facts::default(), &mut events);
        }
        run.time(11_000, &mut events);
        run.utterance(&spoken, &Facts::default(), &mut events);
        run.finish(20_000, &mut events);
        events.len()
    };
    assert_eq!(fired(true, "您好"), 0);
    assert_eq!(fired(true, "啊啊啊啊啊您好"), 1, "said after second 10");
    assert_eq!(fired(true, "再见"), 1);
    assert_eq!(fired(false, "您好"), 1);
}

/// Evidence of the hits of a rule: in the call, when the telephone number of its second utterance turns out at the
/// end, and in an utterance after that.
fn fired_late(rule: &str) -> [Vec<String>; 3] {
    let set = rules(&format!("pack: p\nrules: [{{id: r, when: {rule}}}]"));
    let mut run = RuleRun::new(set, &CallMetadata::default());
    let mut events = Vec::new();
    let turns = [
        (Party::Agent, 0, "您的手机号是多少"),
        (Party::Customer, 10_000, "一三八零零"),
        (Party::Agent, 20_000, "好的谢谢"),
        (Party::Agent, 30_000, "您的手机号我记下了"),
        (Party::Customer, 40_000, "再见"),
    ];
    for (idx, (party, start_ms, text)) in turns.into_iter().enumerate() {
        let said = utterance_of_text(party, start_ms, text);
        run.utterance(&Spoken::new(&said, idx), &Facts::default(), &mut events);
    }
    let during = std::mem::take(&mut events);
    let span = PiiSpan {
        kind: PiiKind::Phone,
        party: Party::Customer,
        start_ms: 10_000,
        end_ms: 11_250,
        places: vec![TextPlace {
            utterance: 1,
            from: 0,
            to: 5,
        }],
    };
    run.late(&span, &mut events);
    let late = std::mem::take(&mut events);
    let said = utterance_of_text(Party::Agent, 50_000, "嗯");
    run.utterance(&Spoken::new(&said, 5), &Facts::default(), &mut events);
    [during, late, events].map(|events| {
        let told = events.iter().map(|event| {
            let words = event.hit.evidence.iter().map(|found| found.words.as_str());
            words.collect::<Vec<_>>().join(" ")
        });
        told.collect()
    })
}

#[test]
fn what_goes_on_holding_is_told_once_whatever_turns_out_late() {
    for rule in [
        "{in_call: {says: 谢谢}}",
        "{all: [{in_call: {says: 谢谢}}, {not: {in_call: {says: 投诉}}}]}",
    ] {
        let n_hits = fired_late(rule).map(|hits| hits.len());
        assert_eq!(n_hits, [1, 0, 0], "{rule}");
    }
}

#[test]
fn what_turns_out_late_is_judged_as_of_its_own_time() {
    let check = |rule: &str, expected: &[&str]| {
        let [_, late, _] = fired_late(rule);
        assert_eq!(late, expected, "{rule}");
    };
    let order = |key: &str, what: &str, anchor: &str, more: &str| {
        format!("{{{key}: {{what: {what}, anchor: {anchor}{more}}}}}")
    };
    let (phone, asks, thanks) = ("{entity: phone}", "{says: 您的手机号}", "{says: 谢谢}");
    check(phone, &["[phone]"]);
    check(&order("after", phone, asks, ""), &["[phone] 您的手机号"]);
    check(&order("after", phone, thanks, ""), &[]);
    check(&order("before", asks, phone, ""), &["您的手机号 [phone]"]);
    check(&order("before", thanks, phone, ""), &[]);
    check(
        &order("after", phone, asks, ", within_utterances: 1"),
        &["[phone] 您的手机号"],
    );
    check(&order("after", phone, asks, ", within_secs: 2"), &[]);
    check(
        &order("near", phone, thanks, ", within_utterances: 1"),
        &["[phone] 谢谢"],
    );
    check(
        &order("near", thanks, phone, ", within_secs: 10"),
        &["谢谢 [phone]"],
    );
    check(
        &order("near", phone, "{says: 再见}", ", within_secs: 10"),
        &[],
    );
    let all = |other: &str| format!("{{all: [{phone}, {other}]}}");
    check(&all("{in_call: {says: 多少}}"), &["[phone] 多少"]);
    check(&all("{in_call: {says: 谢谢}}"), &[]);
    check(&all("{not: {says: 谢谢}}"), &["[phone]"]);
    check(&all("{not: {says: 一三八}}"), &[]);
    check(&all("{not: {in_call: {says: 谢谢}}}"), &["[phone]"]);
    check(&all("{not: {in_call: {says: 多少}}}"), &[]);
    check(&all("{not: {entity: phone}}"), &[]);
    check(
        &all("{any: [{says: 再见}, {not: {says: 谢谢}}]}"),
        &["[phone]"],
    );
    check(
        "{repeated: {what: {any: [{entity: phone}, {says: 您的手机号}]}, times: 3}}",
        &["[phone] 您的手机号 您的手机号"],
    );
    check(
        "{repeated: {what: {any: [{entity: phone}, {says: 您的手机号}]}, times: 2, within_secs: 9}}",
        &["[phone] 您的手机号"],
    );
}

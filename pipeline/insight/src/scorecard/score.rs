//! Points of a whole card.

use auricle_contracts::{Answer, Hit, ScoreItem, Scorecard};

use super::format::{Card, OtherRules, Section};
use super::judge::{Judged, judge, missing};
use super::reason::Reasons;
use super::{CallView, PersonAnswers};

/// Items of rules that no question names have ids that begin so.
pub(super) const RULE_ITEM: &str = "rule:";

/// Fills `card` in; `None` where nothing of it applies.
pub(super) fn score(
    card: &Card,
    call: &CallView<'_>,
    answers: &PersonAnswers,
) -> Option<Scorecard> {
    if card
        .applies_when
        .as_ref()
        .is_some_and(|when| missing(when, call).is_some())
    {
        return None;
    }
    let reasons = Reasons::of(card);
    let judged: Vec<Vec<Judged>> = card
        .sections
        .iter()
        .map(|section| judge_all(section, call, answers, reasons))
        .collect();
    let mut items = points(card, judged);
    let applies = |item: &ScoreItem| item.answer != Answer::NotApplicable;
    if !items.iter().any(|(item, _)| applies(item)) {
        return None;
    }
    items.extend(other_rules(card, call, answers, reasons));
    let total: f64 = items.iter().map(|(_, points)| points).sum();
    let total = rounded(total.clamp(0.0, 100.0));
    let items: Vec<ScoreItem> = items.into_iter().map(|(item, _)| item).collect();
    let auto_fail = items.iter().any(|item| item.auto_fail);
    Some(Scorecard {
        card: card.card.clone(),
        total,
        passed: !auto_fail && total >= card.pass_mark,
        auto_fail,
        items,
    })
}

fn judge_all(
    section: &Section,
    call: &CallView<'_>,
    answers: &PersonAnswers,
    reasons: Reasons,
) -> Vec<Judged> {
    let questions = section.questions.iter();
    questions
        .map(|question| {
            let judged = judge(question, call, reasons);
            override_with(judged, question.id(), question.auto_fail, answers, reasons)
        })
        .collect()
}

/// A person's answer, where there is one, goes before the card's. "No" keeps what the card would have kept, where
/// it said no as well.
fn override_with(
    judged: Judged,
    id: &str,
    is_fatal: bool,
    answers: &PersonAnswers,
    reasons: Reasons,
) -> Judged {
    let Some(person) = answers.get(id) else {
        return judged;
    };
    let agrees = person.answer == judged.answer;
    Judged {
        answer: person.answer,
        kept: match person.answer {
            Answer::Yes => 1.0,
            Answer::No if agrees => judged.kept,
            Answer::No | Answer::NotApplicable => 0.0,
        },
        auto_fail: person.answer == Answer::No && (is_fatal || judged.auto_fail),
        why: reasons.person(person, judged.answer, &judged.why),
        hits: judged.hits,
    }
}

/// Shares 100 points among the sections that have something that applies, and each section's among its
/// questions that apply. Points stand beside the items unrounded, for the sum.
fn points(card: &Card, judged: Vec<Vec<Judged>>) -> Vec<(ScoreItem, f64)> {
    let applies = |judged: &Judged| judged.answer != Answer::NotApplicable;
    let weights_of = |section: &Section, judged: &[Judged]| -> f64 {
        let pairs = section.questions.iter().zip(judged);
        let applying = pairs.filter(|(_, judged)| applies(judged));
        applying
            .map(|(question, _)| f64::from(question.weight))
            .sum()
    };
    let sections = card.sections.iter().zip(&judged);
    let all: f64 = sections
        .filter(|(section, judged)| weights_of(section, judged) > 0.0)
        .map(|(section, _)| f64::from(section.weight))
        .sum();
    let mut items = Vec::new();
    for (section, judged) in card.sections.iter().zip(judged) {
        let in_section = weights_of(section, &judged);
        let share = 100.0 * ratio(section.weight.into(), all);
        for (question, judged) in section.questions.iter().zip(judged) {
            let out_of = match applies(&judged) {
                true => share * ratio(question.weight.into(), in_section),
                false => 0.0,
            };
            let points = out_of * judged.kept;
            let item = ScoreItem {
                section: section.title.value.clone(),
                id: question.id().to_owned(),
                question: question.question.clone(),
                answer: judged.answer,
                points: rounded(points),
                out_of: rounded(out_of),
                auto_fail: judged.auto_fail,
                hits: judged.hits,
                why: judged.why,
            };
            items.push((item, points));
        }
    }
    items
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// One item for each rule that hit, that no question names, and that the card lets count.
fn other_rules(
    card: &Card,
    call: &CallView<'_>,
    answers: &PersonAnswers,
    reasons: Reasons,
) -> Vec<(ScoreItem, f64)> {
    if card.other_rules == OtherRules::Ignore {
        return Vec::new();
    }
    let named = card.judged_rules();
    let mut rules: Vec<(&Hit, Vec<usize>)> = Vec::new();
    for (place, hit) in call.hits.iter().enumerate() {
        let counts = hit.auto_fail || (card.other_rules == OtherRules::Deduct && hit.deduct > 0.0);
        if !counts || named.iter().any(|name| hit.is_of(name)) {
            continue;
        }
        let is_same = |first: &Hit| (&first.pack, &first.rule) == (&hit.pack, &hit.rule);
        match rules.iter_mut().find(|(first, _)| is_same(first)) {
            Some((_, hits)) => hits.push(place),
            None => rules.push((hit, vec![place])),
        }
    }
    let items = rules.into_iter().map(|(first, hits)| {
        let judged = Judged {
            answer: Answer::No,
            kept: 0.0,
            auto_fail: hits.iter().any(|&place| call.hits[place].auto_fail),
            why: reasons.found(call, &hits),
            hits,
        };
        let id = match (first.pack.as_str(), &first.rule) {
            ("", rule) => format!("{RULE_ITEM}{rule}"),
            (pack, rule) => format!("{RULE_ITEM}{pack}/{rule}"),
        };
        let judged = override_with(judged, &id, false, answers, reasons);
        rule_item(id, judged, card, call, reasons)
    });
    items.collect()
}

/// Its points are below zero: what the rule's hits take off.
fn rule_item(
    id: String,
    judged: Judged,
    card: &Card,
    call: &CallView<'_>,
    reasons: Reasons,
) -> (ScoreItem, f64) {
    let deducts = card.other_rules == OtherRules::Deduct && judged.answer == Answer::No;
    let hits = judged.hits.iter().map(|&place| &call.hits[place]);
    let deducted: f64 = match deducts {
        true => hits.clone().map(|hit| f64::from(hit.deduct.max(0.0))).sum(),
        false => 0.0,
    };
    let mut titles = hits.map(|hit| hit.title.trim());
    let title = titles.find(|title| !title.is_empty());
    let item = ScoreItem {
        section: reasons.other_rules().to_owned(),
        question: title.unwrap_or(&id).to_owned(),
        id,
        answer: judged.answer,
        points: rounded(-deducted) + 0.0,
        out_of: 0.0,
        auto_fail: judged.auto_fail,
        hits: judged.hits,
        why: judged.why,
    };
    (item, -deducted)
}

/// Hundredths, so that three thirds make a whole.
fn rounded(points: f64) -> f32 {
    ((points * 100.0).round() / 100.0) as f32
}

//! The outcome proposed for a call, from what was wanted in it.

use auricle_contracts::{Hit, Intent, Party};

/// Outcomes that stand whatever else was said, the first first; what is wanted on the left, the outcome on
/// the right.
const FIRM: [(&str, &str); 3] = [
    ("wrong_number", "wrong_number"),
    ("opt_out", "opt_out"),
    ("complaint", "complaint"),
];

/// Of these the one that was said last decides; within one utterance the first of them.
const LAST_DECIDES: [(&str, &str); 5] = [
    ("promise_to_pay", "promise_to_pay"),
    ("callback_request", "callback"),
    ("cancel_request", "cancelled"),
    ("refuses", "refused"),
    ("interested", "interested"),
];

/// Where nothing of the above was said, the first of these that was.
const WEAK: [(&str, &str); 10] = [
    ("denies", "disputed"),
    ("hardship", "hardship"),
    ("hesitates", "undecided"),
    ("price_objection", "undecided"),
    ("agrees", "agreed"),
    ("busy", "busy"),
    ("asks_price", "undecided"),
    ("asks_details", "undecided"),
    ("satisfied", "resolved"),
    ("thanks", "resolved"),
];

/// Proposes an outcome from the intents of each utterance, in the order of the call, and the rules that
/// fired; only what the customer (or somebody unknown) said counts.
///
/// 1. `wrong_number`, `opt_out`, `complaint`, in this order, by an intent or by a rule of that name on the
///    customer's side; a complaint after which the customer is `satisfied` is `resolved`.
/// 2. `promise_to_pay`, `callback`, `cancelled`, `refused`, `interested`: the last one said.
/// 3. `disputed`, `hardship`, `undecided`, `agreed`, `busy`, `resolved`: the first of this list.
///
/// `None` where nothing tells.
pub fn disposition(utterances: &[(Party, &[Intent])], hits: &[Hit]) -> Option<String> {
    let last_said = |label: &str| {
        utterances.iter().rposition(|(party, intents)| {
            *party != Party::Agent && intents.iter().any(|intent| intent.label == label)
        })
    };
    let fired = |label: &str| {
        let mut hits = hits.iter().filter(|hit| hit.party != Party::Agent);
        hits.any(|hit| hit.rule == label)
    };
    let firm = FIRM
        .iter()
        .find(|(label, _)| last_said(label).is_some() || fired(label));
    if let Some((label, outcome)) = firm {
        let is_settled = *label == "complaint"
            && last_said("satisfied").is_some_and(|end| last_said(label) < Some(end));
        return Some(if is_settled { "resolved" } else { outcome }.to_owned());
    }
    let said = LAST_DECIDES.iter().rev();
    let said = said.filter_map(|(label, outcome)| Some((last_said(label)?, outcome)));
    let last = said.max_by_key(|(place, _)| *place);
    let outcome = last.map(|(_, outcome)| *outcome).or_else(|| {
        let mut weak = WEAK.iter();
        let found = weak.find(|(label, _)| last_said(label).is_some());
        found.map(|(_, outcome)| *outcome)
    });
    outcome.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle_contracts::Severity;

    fn intents(labels: &str) -> Vec<Intent> {
        let labels = labels.split(',').filter(|label| !label.is_empty());
        labels
            .map(|label| Intent {
                label: label.to_owned(),
                confidence: 0.9,
                at: None,
                until: None,
            })
            .collect()
    }

    fn check(customer: &[&str], expected: Option<&str>) {
        let said: Vec<Vec<Intent>> = customer.iter().map(|labels| intents(labels)).collect();
        let said: Vec<(Party, &[Intent])> = said
            .iter()
            .map(|intents| (Party::Customer, intents.as_slice()))
            .collect();
        assert_eq!(disposition(&said, &[]).as_deref(), expected, "{customer:?}");
    }

    #[test]
    fn outcomes_follow_the_order() {
        check(&[], None);
        check(&["", ""], None);
        check(&["interested", "opt_out", "interested"], Some("opt_out"));
        check(&["opt_out", "wrong_number"], Some("wrong_number"));
        check(&["complaint,angry", "thanks"], Some("complaint"));
        check(&["complaint", "satisfied,thanks"], Some("resolved"));
        check(&["satisfied", "complaint"], Some("complaint"));
        check(
            &["refuses", "asks_details", "interested"],
            Some("interested"),
        );
        check(
            &["interested", "price_objection", "refuses"],
            Some("refused"),
        );
        check(&["refuses,callback_request,busy"], Some("callback"));
        check(&["hardship", "promise_to_pay"], Some("promise_to_pay"));
        check(&["busy", "thanks"], Some("busy"));
        check(&["price_objection"], Some("undecided"));
    }

    #[test]
    fn agents_words_do_not_count_and_rules_do() {
        let said = intents("opt_out");
        assert_eq!(disposition(&[(Party::Agent, &said)], &[]), None);
        let hit = Hit {
            rule: "opt_out".to_owned(),
            pack: String::new(),
            title: String::new(),
            severity: Severity::Major,
            party: Party::Customer,
            start_ms: 0,
            end_ms: 0,
            deduct: 0.0,
            auto_fail: false,
            evidence: Vec::new(),
            why: String::new(),
        };
        assert_eq!(disposition(&[], &[hit]).as_deref(), Some("opt_out"));
    }
}

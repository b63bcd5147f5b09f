//! What belongs to a whole call and was asked for: it is shown with its time, beside the call's hits.

use crate::findings::{Placed, length_ms, rule_of_pack};
use crate::queries::TextWanted;
use crate::results::{Moment, MomentKind};
use crate::show::play_from;

/// A question that moments of a call answer.
#[derive(Clone, Debug)]
pub(crate) enum MomentTest {
    /// Hits of rules with such a name.
    Rule(TextWanted),
    /// Hits of rules with such a name, written `PACK/ID`.
    RuleOfPack(TextWanted),
    /// Hits with such a severity.
    Severity(TextWanted),
    /// Personal data of such a kind.
    Pii(TextWanted),
    /// Silences with a length between two limits.
    Silence(f64, f64),
}

/// The moments of a call that answer any of the questions, in the order of the call.
pub(crate) fn moments(found: &Placed, tests: &[MomentTest]) -> Vec<Moment> {
    let hits = found.hits.iter().filter(|hit| {
        tests.iter().any(|test| match test {
            MomentTest::Rule(wanted) => wanted.agrees(&hit.rule),
            MomentTest::RuleOfPack(wanted) => wanted.agrees(&rule_of_pack(&hit.pack, &hit.rule)),
            MomentTest::Severity(wanted) => wanted.agrees(hit.severity.as_str()),
            MomentTest::Pii(_) | MomentTest::Silence(..) => false,
        })
    });
    let hits = hits.map(|hit| Moment {
        severity: Some(hit.severity),
        why: hit.why.clone(),
        ..moment(MomentKind::Hit, &hit.rule, hit.start_ms, hit.end_ms)
    });
    let pii = found.pii.iter().filter(|(kind, _, _)| {
        let agrees = |test: &MomentTest| match test {
            MomentTest::Pii(wanted) => wanted.agrees(kind.as_str()),
            _ => false,
        };
        tests.iter().any(agrees)
    });
    let pii = pii.map(|(kind, start, end)| moment(MomentKind::Pii, kind.as_str(), *start, *end));
    let silences = found.silences.iter().filter(|&&silence| {
        let length = length_ms(silence) as f64;
        let holds = |test: &MomentTest| match test {
            MomentTest::Silence(low, high) => (*low..=*high).contains(&length),
            _ => false,
        };
        tests.iter().any(holds)
    });
    let silences = silences.map(|&(start, end)| moment(MomentKind::Silence, "", start, end));
    let mut all: Vec<Moment> = hits.chain(pii).chain(silences).collect();
    all.sort_by_key(|moment| (moment.start_ms, moment.end_ms));
    all
}

fn moment(kind: MomentKind, name: &str, start_ms: u64, end_ms: u64) -> Moment {
    Moment {
        kind,
        name: name.to_owned(),
        severity: None,
        start_ms,
        end_ms,
        play_from_ms: play_from(start_ms),
        why: String::new(),
    }
}

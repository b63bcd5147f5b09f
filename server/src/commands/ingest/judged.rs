//! What is wrong with a call that was looked at, and what to look at next. Pure.

use auricle_contracts::{CallId, LineProblem, LineQuality, Party};
use serde::Serialize;

use super::looks::Looked;
use crate::commands::lines::told;
use crate::lines::{since, tell_one_way};

/// Lines are noted every five seconds: of a call that is younger than that, and a little, nothing need be known.
const TOO_EARLY_MS: u64 = 8_000;
/// What came between two notes is looked at where they are so far apart: nearer ones are the same.
const LEAST_BETWEEN_MS: u64 = 3_000;

/// How a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Nothing is wrong.
    Good,
    /// Something is.
    Wrong,
    /// It began just now.
    TooEarly,
    /// Its audio does not come in packets: there is nothing to judge by.
    NotMeasured,
}

/// A call, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct JudgedCall {
    pub(super) call_id: CallId,
    pub(super) source: String,
    pub(super) parties: Vec<Party>,
    pub(super) age_ms: u64,
    /// While it was watched.
    pub(super) has_ended: bool,
    pub(super) state: State,
    /// Figures are of this time; of the whole call where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) watched_ms: Option<u64>,
    pub(super) lines: Vec<LineQuality>,
    /// Beside what its lines say.
    pub(super) wrong: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) hints: Vec<&'static str>,
}

impl JudgedCall {
    /// By what came between the first look and the last, where that is long enough; else by all that came.
    pub(super) fn of(looked: &Looked) -> Self {
        let (first, last) = (&looked.first, &looked.last);
        let noted = last.noted_ms.zip(first.noted_ms);
        let watched_ms = noted
            .map(|(last_ms, first_ms)| last_ms.saturating_sub(first_ms))
            .filter(|ms| *ms >= LEAST_BETWEEN_MS);
        let mut lines = match watched_ms {
            Some(_) => between(&first.lines, &last.lines),
            None => last.lines.clone(),
        };
        let is_early = last.age_ms < TOO_EARLY_MS;
        if is_early {
            for line in &mut lines {
                line.problems
                    .retain(|problem| *problem != LineProblem::NoAudio);
            }
        }
        tell_one_way(&mut lines);
        let mut notes = last.warnings.clone();
        notes.extend(note_of(&last.source, &last.parties).map(str::to_owned));
        let mut call = Self {
            call_id: last.call_id.clone(),
            source: last.source.clone(),
            parties: last.parties.clone(),
            age_ms: last.age_ms,
            has_ended: looked.has_ended,
            state: State::Good,
            watched_ms,
            wrong: missing(&last.parties, &lines, is_early),
            hints: hints(&lines),
            notes,
            lines,
        };
        call.state = call.judge(is_early);
        call
    }

    fn judge(&self, is_early: bool) -> State {
        let is_wrong = |line: &LineQuality| !line.problems.is_empty();
        let is_there = |line: &LineQuality| line.received > 0;
        if self.lines.iter().any(is_wrong) || !self.wrong.is_empty() {
            return State::Wrong;
        }
        match self.lines.is_empty() {
            true if !is_of_packets(&self.source) => State::NotMeasured,
            true => State::TooEarly,
            false if is_early && !self.lines.iter().all(is_there) => State::TooEarly,
            false => State::Good,
        }
    }
}

/// Whether audio comes in packets that may be lost, by how it comes.
fn is_of_packets(source: &str) -> bool {
    source.starts_with("sip")
}

/// What came of each line between two looks at a call.
fn between(first: &[LineQuality], last: &[LineQuality]) -> Vec<LineQuality> {
    let mut known: Vec<&LineQuality> = first.iter().collect();
    let lines = last.iter().map(|line| {
        let place = known.iter().position(|known| known.party == line.party);
        match place.map(|place| known.remove(place)) {
            Some(known) => since(known, line),
            None => line.clone(),
        }
    });
    lines.collect()
}

/// Parties that should be there, and of which there is no leg.
fn missing(parties: &[Party], lines: &[LineQuality], is_early: bool) -> Vec<String> {
    let is_there = |party: &Party| lines.iter().any(|line| line.party == *party);
    let is_looked_at = !lines.is_empty() && !is_early;
    let missing = parties
        .iter()
        .filter(|party| is_looked_at && !is_there(party));
    missing
        .map(|party| format!("no leg of the {party} is there"))
        .collect()
}

/// What to know of all calls that come so.
fn note_of(source: &str, parties: &[Party]) -> Option<&'static str> {
    match source {
        _ if is_of_packets(source) => None,
        "audiosocket" if parties.len() > 1 => Some(
            "its audio comes over connections, which lose nothing. Who is who follows from their order alone: where the agent is heard as the customer, connect the agent first",
        ),
        _ => Some("its audio comes over a connection or from a file: no packets to judge by"),
    }
}

/// What to look at, once each.
fn hints(lines: &[LineQuality]) -> Vec<&'static str> {
    let is_nothing = |line: &LineQuality| {
        let problems: Vec<LineProblem> = told(line).collect();
        problems == [LineProblem::NoAudio]
    };
    if !lines.is_empty() && lines.iter().all(is_nothing) {
        return vec![
            "nothing arrives at all: look whether the other side can reach the address it is told (`live.sip.advertised_address`), and whether the firewall lets UDP through to `live.sip.rtp_ports`",
        ];
    }
    let mut hints: Vec<&'static str> = Vec::new();
    for hint in lines.iter().flat_map(told).filter_map(hint_of) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
}

const fn hint_of(problem: LineProblem) -> Option<&'static str> {
    Some(match problem {
        LineProblem::NoAudio => {
            "no audio: is this leg on hold, or does the other side send it elsewhere?"
        }
        LineProblem::OneWay => {
            "one-way: does the other side send both legs here? A firewall may let some of `live.sip.rtp_ports` through and not others"
        }
        LineProblem::WrongCodec => {
            "wrong codec: have the other side send what the answer names, or add its codec to `live.sip.codecs`"
        }
        LineProblem::WrongSource => {
            "wrong source: `live.sip.rtp_source` says from where audio is taken; senders behind NAT need `first`"
        }
        LineProblem::Unreadable => {
            "unreadable: something else than RTP is sent to this port, as STUN or DTLS are"
        }
        LineProblem::Unauthentic => {
            "SRTP: the other side encrypts with other keys than it told; look whether something between changes its offer"
        }
        LineProblem::Silent => {
            "silence: is this party muted, or does the other side copy the wrong direction?"
        }
        LineProblem::HighLoss | LineProblem::HighJitter => {
            "loss and jitter: the way from the sender is congested, or this machine's network is; audio needs priority on it"
        }
        LineProblem::ClockDrift => {
            "drift: the sender's clock is off, or its rate is not what the session description says"
        }
        LineProblem::LeftOut => {
            "no room: this machine hears more than it can; fewer calls, or more processors"
        }
        LineProblem::CodecChanged | LineProblem::NoGoodbye => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::looks::tests::call;
    use super::*;
    use crate::lines::tests::{dead, good};
    use crate::serve::CallLines;

    fn once(call: CallLines) -> JudgedCall {
        JudgedCall::of(&Looked {
            first: call.clone(),
            last: call,
            has_ended: false,
        })
    }

    fn with_lines(age_ms: u64, lines: Vec<LineQuality>) -> CallLines {
        CallLines {
            noted_ms: Some(age_ms - 1_000),
            lines,
            ..call("a", age_ms)
        }
    }

    fn both() -> Vec<LineQuality> {
        vec![good(Party::Agent), good(Party::Customer)]
    }

    #[test]
    fn a_good_call_is_good() {
        let judged = once(with_lines(61_000, both()));
        assert_eq!(judged.state, State::Good);
        assert!(judged.wrong.is_empty() && judged.notes.is_empty() && judged.hints.is_empty());
        assert_eq!(judged.watched_ms, None);
    }

    #[test]
    fn nothing_at_all_is_another_matter_than_one_way() {
        let nobody = once(with_lines(
            61_000,
            vec![dead(Party::Agent), dead(Party::Customer)],
        ));
        assert_eq!(nobody.state, State::Wrong);
        assert_eq!(nobody.hints.len(), 1);
        assert!(nobody.hints[0].contains("advertised_address"));
        let one_way = once(with_lines(
            61_000,
            vec![good(Party::Agent), dead(Party::Customer)],
        ));
        assert_eq!(one_way.state, State::Wrong);
        assert_eq!(
            one_way.lines[1].problems,
            [LineProblem::NoAudio, LineProblem::OneWay]
        );
        assert_eq!(one_way.hints, [hint_of(LineProblem::OneWay).unwrap()]);
        let alone = once(with_lines(61_000, vec![good(Party::Agent)]));
        assert_eq!(alone.state, State::Wrong);
        assert_eq!(alone.wrong, ["no leg of the customer is there"]);
    }

    #[test]
    fn a_call_that_began_just_now_is_given_time() {
        for lines in [vec![], vec![dead(Party::Agent), dead(Party::Customer)]] {
            let judged = once(with_lines(2_000, lines));
            assert_eq!(judged.state, State::TooEarly);
            assert!(judged.hints.is_empty(), "{judged:?}");
        }
        let begun = once(with_lines(2_000, both()));
        assert_eq!(begun.state, State::Good);
    }

    #[test]
    fn what_comes_over_a_connection_has_no_lines() {
        for (source, words) in [("audiosocket", "order"), ("replay", "no packets")] {
            let judged = once(CallLines {
                source: source.into(),
                ..call("a", 60_000)
            });
            assert_eq!(judged.state, State::NotMeasured);
            assert!(judged.notes[0].contains(words), "{:?}", judged.notes);
        }
    }

    #[test]
    fn a_watched_call_is_judged_by_what_came_meanwhile() {
        let lossy = |party| LineQuality {
            received: 2_000,
            lost: 1_000,
            loss_percent: 33.3,
            problems: vec![LineProblem::HighLoss],
            ..good(party)
        };
        let later = |line: LineQuality| LineQuality {
            expected: line.expected + 500,
            received: line.received + 500,
            ..line
        };
        let first = with_lines(61_000, vec![lossy(Party::Agent), lossy(Party::Customer)]);
        let last = with_lines(
            71_000,
            vec![later(lossy(Party::Agent)), lossy(Party::Customer)],
        );
        let judged = JudgedCall::of(&Looked {
            first: first.clone(),
            last: last.clone(),
            has_ended: true,
        });
        assert_eq!((judged.watched_ms, judged.has_ended), (Some(10_000), true));
        // One line is well again, of the other nothing came.
        assert!(judged.lines[0].problems.is_empty(), "{judged:?}");
        assert_eq!(
            judged.lines[1].problems,
            [LineProblem::NoAudio, LineProblem::OneWay]
        );
        // Two looks at one note.
        let judged = JudgedCall::of(&Looked {
            first: last.clone(),
            last,
            has_ended: false,
        });
        assert_eq!(judged.watched_ms, None);
        assert_eq!(judged.lines[0].problems, [LineProblem::HighLoss]);
        assert_eq!(judged.hints, [hint_of(LineProblem::HighLoss).unwrap()]);
    }
}

//! When the line of a call's leg is good, and what is wrong with it where it is not. Pure: figures in, problems out.

use auricle_contracts::{LineProblem, LineQuality};

/// Packets of a second, where each has 20 ms: of fewer nothing is concluded.
const A_SECOND_OF_PACKETS: u64 = 50;
/// A syllable takes about ten packets: where one of twenty is lost two of five syllables have a hole. A listener is down to 3.9
/// of 4.4 then where losses come in rows of two, however well they are concealed (ITU-T G.107).
pub(crate) const HIGH_LOSS_PERCENT: f64 = 5.0;
/// Five packets: telephones that play what comes keep about as much in store, and so does whoever puts packets in order here.
const HIGH_JITTER_MS: f64 = 100.0;
/// Clocks of telephones keep within 100 millionths of each other: what is farther off has another rate than was said.
pub(crate) const DRIFT_PPM: f64 = 200.0;
/// Whoever speaks into a telephone is louder than −40 dBFS in every sentence; a line without a speaker is below −60.
const SILENT_DBFS: f64 = -55.0;
/// Callers who wait in silence speak within this time. One second in five is looked at.
const SILENT_AFTER_MS: u64 = 30_000;
/// A line that brings nothing while the other was heard for so long is dead: ringing and announcements are over by then.
pub(crate) const ONE_WAY_AFTER_MS: u64 = 10_000;
/// Lines of a call that are kept. Calls have one or two.
const MOST_LINES: usize = 8;
/// What figures do not tell: it stays where it was said.
const SAID: [LineProblem; 2] = [LineProblem::CodecChanged, LineProblem::NoGoodbye];

/// What is wrong by the figures of one line alone, the worst first.
pub(crate) fn problems_of(line: &LineQuality) -> Vec<LineProblem> {
    let is_most = |n: u64| n >= A_SECOND_OF_PACKETS && n.saturating_mul(2) > line.received;
    let is_some = |n: u64| is_notable(n, line.received);
    let is_off = |ppm: f64| ppm.abs() > DRIFT_PPM;
    let is_heard = line.received > 0 && line.codec.is_some();
    let judged = [
        (LineProblem::NoAudio, !is_heard),
        (LineProblem::WrongCodec, is_most(line.not_agreed)),
        (LineProblem::WrongSource, is_most(line.other_sources)),
        (LineProblem::Unreadable, is_most(line.unreadable)),
        (LineProblem::Unauthentic, is_some(line.unauthentic)),
        (LineProblem::Silent, is_heard && is_silent(line)),
        (LineProblem::HighLoss, is_lossy(line)),
        (LineProblem::HighJitter, line.max_jitter_ms > HIGH_JITTER_MS),
        (LineProblem::ClockDrift, line.drift_ppm.is_some_and(is_off)),
        (LineProblem::LeftOut, line.left_out > 0),
    ];
    let is_so = judged.into_iter().filter(|(_, is_so)| *is_so);
    is_so.map(|(problem, _)| problem).collect()
}

/// Whether so many packets are worth telling beside those that were received: senders may have a few of another kind.
pub(crate) const fn is_notable(n: u64, received: u64) -> bool {
    n >= A_SECOND_OF_PACKETS && n.saturating_mul(100) > received
}

/// Lost or late packets of those that were sent, percent, to two places.
pub(crate) fn loss_percent(expected: u64, lost: u64, late: u64) -> f64 {
    match expected {
        0 => 0.0,
        _ => {
            let unusable = lost.saturating_add(late).min(expected);
            rounded(100.0 * unusable as f64 / expected as f64, 100.0)
        }
    }
}

/// To the nearest of so many parts of one; what is no number is 0, for JSON has none.
pub(crate) fn rounded(value: f64, parts: f64) -> f64 {
    match value.is_finite() {
        true => (value * parts).round() / parts,
        false => 0.0,
    }
}

/// The lines of a call after some of them were noted anew: those of the same party take the place of the ones before, in their
/// order, and keep what was found of them that figures do not tell. By party.
pub(crate) fn merged(before: &[LineQuality], noted: Vec<LineQuality>) -> Vec<LineQuality> {
    let is_noted = |line: &&LineQuality| noted.iter().any(|new| new.party == line.party);
    let kept = before.iter().filter(|line| !is_noted(line)).cloned();
    let mut lines: Vec<LineQuality> = kept.collect();
    let mut known: Vec<&LineQuality> = before.iter().collect();
    for line in noted {
        let place = known.iter().position(|known| known.party == line.party);
        let known = place.map(|place| known.remove(place));
        lines.push(going_on(known, line));
    }
    lines.truncate(MOST_LINES);
    lines.sort_by_key(|line| line.party);
    tell_one_way(&mut lines);
    lines
}

/// A line as it is now, with what was found of it before.
fn going_on(known: Option<&LineQuality>, mut line: LineQuality) -> LineQuality {
    let mut said = std::mem::take(&mut line.problems);
    said.retain(|problem| SAID.contains(problem));
    if let Some(known) = known {
        let is_other = matches!((&known.codec, &line.codec), (Some(was), Some(is)) if was != is);
        if is_other || known.problems.contains(&LineProblem::CodecChanged) {
            said.push(LineProblem::CodecChanged);
        }
        line.loudest_dbfs = match (known.loudest_dbfs, line.loudest_dbfs) {
            (Some(was), Some(is)) => Some(was.max(is)),
            (was, is) => was.or(is),
        };
    }
    line.problems = problems_of(&line);
    line.problems.extend(said);
    in_order(&mut line.problems);
    line
}

/// What came of a line between two looks at it; what is no count is as it was last. Where the counts began anew it is all that
/// came since then.
pub(crate) fn since(before: &LineQuality, now: &LineQuality) -> LineQuality {
    if now.expected < before.expected || now.received < before.received {
        return now.clone();
    }
    let mut line = LineQuality {
        expected: now.expected.saturating_sub(before.expected),
        received: now.received.saturating_sub(before.received),
        lost: now.lost.saturating_sub(before.lost),
        late: now.late.saturating_sub(before.late),
        duplicates: now.duplicates.saturating_sub(before.duplicates),
        not_agreed: now.not_agreed.saturating_sub(before.not_agreed),
        other_sources: now.other_sources.saturating_sub(before.other_sources),
        refused: now.refused.saturating_sub(before.refused),
        unreadable: now.unreadable.saturating_sub(before.unreadable),
        unauthentic: now.unauthentic.saturating_sub(before.unauthentic),
        left_out: now.left_out.saturating_sub(before.left_out),
        concealed_ms: now.concealed_ms.saturating_sub(before.concealed_ms),
        max_jitter_ms: now.jitter_ms.max(before.jitter_ms),
        ..now.clone()
    };
    line.loss_percent = loss_percent(line.expected, line.lost, line.late);
    line.problems = problems_of(&line);
    let said = now.problems.iter().filter(|problem| SAID.contains(problem));
    line.problems.extend(said);
    in_order(&mut line.problems);
    line
}

/// Says of each line of a call that brings nothing whether the others do.
pub(crate) fn tell_one_way(lines: &mut [LineQuality]) {
    let is_nothing = |line: &LineQuality| line.problems.contains(&LineProblem::NoAudio);
    let is_any_heard = lines
        .iter()
        .any(|line| !is_nothing(line) && lasted_ms(line) >= ONE_WAY_AFTER_MS);
    for line in lines {
        line.problems
            .retain(|problem| *problem != LineProblem::OneWay);
        if is_any_heard && is_nothing(line) {
            line.problems.push(LineProblem::OneWay);
        }
        in_order(&mut line.problems);
    }
}

/// From the first packet to the last, milliseconds.
fn lasted_ms(line: &LineQuality) -> u64 {
    let (first_ms, last_ms) = (line.first_packet_ms, line.last_packet_ms);
    let span = first_ms.zip(last_ms);
    span.map_or(0, |(first_ms, last_ms)| last_ms.saturating_sub(first_ms))
}

fn is_silent(line: &LineQuality) -> bool {
    let is_quiet = |dbfs: f64| dbfs < SILENT_DBFS;
    lasted_ms(line) >= SILENT_AFTER_MS && line.loudest_dbfs.is_none_or(is_quiet)
}

fn is_lossy(line: &LineQuality) -> bool {
    line.expected >= A_SECOND_OF_PACKETS && line.loss_percent > HIGH_LOSS_PERCENT
}

/// The worst first, each once.
fn in_order(problems: &mut Vec<LineProblem>) {
    problems.sort_unstable();
    problems.dedup();
}

#[cfg(test)]
pub(crate) mod tests {
    use auricle_contracts::LineProblem::{
        ClockDrift, CodecChanged, HighJitter, HighLoss, LeftOut, NoAudio, NoGoodbye, OneWay,
        Silent, Unauthentic, Unreadable, WrongCodec, WrongSource,
    };
    use auricle_contracts::Party;

    use super::*;

    /// A minute of a good line.
    pub(crate) fn good(party: Party) -> LineQuality {
        LineQuality {
            party,
            codec: Some("pcma".into()),
            expected: 3_000,
            received: 3_000,
            lost: 0,
            late: 0,
            duplicates: 0,
            not_agreed: 0,
            other_sources: 0,
            refused: 1,
            unreadable: 0,
            unauthentic: 0,
            left_out: 0,
            loss_percent: 0.0,
            jitter_ms: 2.5,
            max_jitter_ms: 8.0,
            burst_ratio: 1.0,
            mos: Some(4.41),
            drift_ppm: Some(12.0),
            concealed_ms: 0,
            first_packet_ms: Some(120),
            last_packet_ms: Some(60_100),
            loudest_dbfs: Some(-14.5),
            problems: Vec::new(),
        }
    }

    /// A line of which nothing came.
    pub(crate) fn dead(party: Party) -> LineQuality {
        LineQuality {
            codec: None,
            expected: 0,
            received: 0,
            refused: 0,
            jitter_ms: 0.0,
            max_jitter_ms: 0.0,
            mos: None,
            drift_ppm: None,
            first_packet_ms: None,
            last_packet_ms: None,
            loudest_dbfs: None,
            problems: vec![NoAudio],
            ..good(party)
        }
    }

    #[test]
    fn figures_tell_what_is_wrong() {
        let check = |change: &dyn Fn(&mut LineQuality), expected: &[LineProblem]| {
            let mut line = good(Party::Agent);
            change(&mut line);
            assert_eq!(problems_of(&line), expected, "{line:?}");
        };
        check(&|_| {}, &[]);
        check(&|line| *line = dead(Party::Agent), &[NoAudio]);
        check(&|line| line.not_agreed = 1_500, &[]);
        check(&|line| line.not_agreed = 1_501, &[WrongCodec]);
        check(&|line| line.other_sources = 6_000, &[WrongSource]);
        check(&|line| line.unreadable = 3_000, &[Unreadable]);
        // A few packets of another key are no attack and no mistake.
        check(&|line| line.unauthentic = 49, &[]);
        check(&|line| line.unauthentic = 50, &[Unauthentic]);
        check(&|line| line.loss_percent = 5.0, &[]);
        check(&|line| line.loss_percent = 5.01, &[HighLoss]);
        check(&|line| line.max_jitter_ms = 100.1, &[HighJitter]);
        check(&|line| line.drift_ppm = Some(-200.1), &[ClockDrift]);
        check(&|line| line.loudest_dbfs = Some(-55.1), &[Silent]);
        check(&|line| line.loudest_dbfs = None, &[Silent]);
        check(&|line| line.left_out = 1, &[LeftOut]);
        let is_short = |line: &mut LineQuality| {
            line.last_packet_ms = Some(30_119);
            line.loudest_dbfs = None;
        };
        check(&is_short, &[]);
        let is_begun = |line: &mut LineQuality| {
            (line.expected, line.received) = (49, 10);
            line.loss_percent = 79.6;
        };
        check(&is_begun, &[]);
        let is_all_wrong = |line: &mut LineQuality| {
            *line = dead(Party::Agent);
            line.not_agreed = 50;
        };
        check(&is_all_wrong, &[NoAudio, WrongCodec]);
    }

    #[test]
    fn loss_is_what_cannot_be_used() {
        for (expected, lost, late, percent) in [
            (0, 0, 0, 0.0),
            (3_000, 1, 0, 0.03),
            (100, 3, 2, 5.0),
            (4, 4, 4, 100.0),
        ] {
            assert_eq!(loss_percent(expected, lost, late), percent);
        }
        assert_eq!(rounded(f64::NAN, 10.0), 0.0);
        assert_eq!(rounded(4.326, 100.0), 4.33);
    }

    #[test]
    fn lines_of_two_connections_are_kept_beside_each_other() {
        let customer = merged(&[], vec![good(Party::Customer)]);
        let both = merged(&customer, vec![good(Party::Agent)]);
        assert_eq!(both, [good(Party::Agent), good(Party::Customer)]);
        let later = LineQuality {
            expected: 3_250,
            received: 3_250,
            ..good(Party::Customer)
        };
        let both = merged(&both, vec![later.clone()]);
        assert_eq!(both, [good(Party::Agent), later]);
        let many = vec![good(Party::Unknown); MOST_LINES + 1];
        assert_eq!(merged(&both, many).len(), MOST_LINES);
    }

    #[test]
    fn what_was_found_stays_and_what_passed_goes() {
        let codec = |codec: &str, dbfs| LineQuality {
            codec: Some(codec.into()),
            loudest_dbfs: dbfs,
            ..good(Party::Agent)
        };
        let first = merged(&[], vec![codec("pcma", None)]);
        assert_eq!(first[0].problems, [Silent]);
        let louder = merged(&first, vec![codec("g722", Some(-20.0))]);
        assert_eq!(louder[0].problems, [CodecChanged]);
        let quiet = merged(&louder, vec![codec("g722", Some(-70.0))]);
        assert_eq!(quiet[0].problems, [CodecChanged]);
        assert_eq!(quiet[0].loudest_dbfs, Some(-20.0));
        // What whoever notes it knows.
        let mut ended = codec("g722", None);
        ended.problems.push(NoGoodbye);
        let ended = merged(&quiet, vec![ended]);
        assert_eq!(ended[0].problems, [CodecChanged, NoGoodbye]);
        // Two that nobody knows are told apart by their order.
        let unknown = |codec: &str| LineQuality {
            codec: Some(codec.into()),
            ..good(Party::Unknown)
        };
        let two = || vec![unknown("pcma"), unknown("pcmu")];
        let lines = merged(&merged(&[], two()), two());
        assert_eq!(lines, two());
    }

    #[test]
    fn one_way_is_a_line_beside_one_that_is_heard() {
        let problems = |lines: Vec<LineQuality>| {
            let lines = merged(&[], lines).into_iter();
            lines.map(|line| line.problems).collect::<Vec<_>>()
        };
        let (agent, customer) = (good(Party::Agent), dead(Party::Customer));
        let told = problems(vec![agent.clone(), customer.clone()]);
        assert_eq!(told, [vec![], vec![NoAudio, OneWay]]);
        let just_begun = LineQuality {
            last_packet_ms: Some(10_119),
            ..agent
        };
        let told = problems(vec![just_begun, customer.clone()]);
        assert_eq!(told, [vec![], vec![NoAudio]]);
        let told = problems(vec![dead(Party::Agent), customer.clone()]);
        assert_eq!(told, [vec![NoAudio], vec![NoAudio]]);
        // It came after all.
        let before = merged(&[], vec![good(Party::Agent), customer]);
        let lines = merged(&before, vec![good(Party::Customer)]);
        assert!(lines[1].problems.is_empty());
    }

    #[test]
    fn between_two_looks_only_what_came_since_counts() {
        let before = LineQuality {
            lost: 300,
            received: 2_700,
            loss_percent: 10.0,
            max_jitter_ms: 180.0,
            problems: vec![HighLoss, HighJitter],
            ..good(Party::Agent)
        };
        let now = LineQuality {
            expected: 3_500,
            received: 3_200,
            loss_percent: 8.57,
            ..before.clone()
        };
        let line = since(&before, &now);
        assert_eq!((line.expected, line.received, line.lost), (500, 500, 0));
        assert_eq!((line.loss_percent, line.max_jitter_ms), (0.0, 2.5));
        assert!(line.problems.is_empty());
        // Nothing came.
        assert_eq!(since(&now, &now).problems, [NoAudio]);
        // Another leg took its place: its counts began anew.
        assert_eq!(since(&now, &good(Party::Agent)), good(Party::Agent));
    }
}

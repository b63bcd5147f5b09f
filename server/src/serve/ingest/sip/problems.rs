//! What goes wrong on the lines of a call, in words that are kept with it. Each thing is said once.

use std::time::Duration;

use auricle_contracts::Party;
use auricle_media::{AudioFormat, Line};

use crate::lines::{DRIFT_PPM, HIGH_LOSS_PERCENT, ONE_WAY_AFTER_MS, is_notable};

/// One line, as it is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) party: Party,
    pub(super) line: Line,
    /// The other side said that it sends nothing.
    pub(super) is_held: bool,
}

/// What was said of the lines of one call already.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// For each line.
    lines: Vec<Told>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Told {
    is_one_way: bool,
    is_change_told: bool,
    /// What was heard last.
    codec: Option<AudioFormat>,
}

impl Problems {
    /// What is new while the call goes on, so long after it began.
    pub(super) fn look(&mut self, age: Duration, lines: &[Seen]) -> Vec<String> {
        self.lines.resize(lines.len(), Told::default());
        let age_ms = millis(age);
        let is_heard_long = |seen: &Seen| {
            let first_ms = seen.line.first_packet_ms;
            first_ms.is_some_and(|first_ms| age_ms.saturating_sub(first_ms) >= ONE_WAY_AFTER_MS)
        };
        let is_any_heard = lines.iter().any(is_heard_long);
        let mut said = Vec::new();
        for (told, seen) in self.lines.iter_mut().zip(lines) {
            let is_dead = is_any_heard && seen.line.first_packet_ms.is_none() && !seen.is_held;
            if is_dead && !std::mem::replace(&mut told.is_one_way, true) {
                let secs = ONE_WAY_AFTER_MS / 1_000;
                said.push(format!(
                    "one-way audio: {} brought nothing while the other did for {secs} s",
                    line_of(seen.party)
                ));
            }
            said.extend(told.codec_changed(seen));
        }
        said
    }

    /// What is known of the lines at the end of the call.
    pub(super) fn at_end(lines: &[Seen]) -> Vec<String> {
        lines.iter().flat_map(of_line).collect()
    }
}

impl Told {
    fn codec_changed(&mut self, seen: &Seen) -> Option<String> {
        let now = seen.line.codec?;
        let before = self.codec.replace(now)?;
        if before == now || std::mem::replace(&mut self.is_change_told, true) {
            return None;
        }
        Some(format!(
            "codec of {} changed from {} to {}",
            line_of(seen.party),
            name_of(before),
            name_of(now)
        ))
    }
}

/// How long no line brought anything, so long after the call began.
pub(super) fn quiet_for<'s>(age: Duration, lines: impl IntoIterator<Item = &'s Seen>) -> Duration {
    let last = lines
        .into_iter()
        .filter_map(|seen| seen.line.last_packet_ms);
    age.saturating_sub(Duration::from_millis(last.max().unwrap_or(0)))
}

fn of_line(seen: &Seen) -> Vec<String> {
    let Seen { party, line, .. } = seen;
    let stats = &line.stats;
    let whose = line_of(*party);
    let mut said = Vec::new();
    if is_notable(line.unauthentic, stats.received) {
        said.push(format!(
            "{whose} had {} SRTP packets that did not authenticate and were not heard",
            line.unauthentic
        ));
    }
    let percent = 100.0 * stats.loss_ratio();
    if percent > HIGH_LOSS_PERCENT {
        said.push(format!("{whose} lost {percent:.1} % of its packets"));
    }
    if let Some(skew_ppm) = stats.skew_ppm
        && skew_ppm.abs() > DRIFT_PPM
    {
        let direction = if skew_ppm > 0.0 { "fast" } else { "slow" };
        said.push(format!(
            "{whose} has a clock that is {:.0} ppm too {direction}",
            skew_ppm.abs()
        ));
    }
    said
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

pub(super) const fn line_of(party: Party) -> &'static str {
    match party {
        Party::Agent => "the agent's line",
        Party::Customer => "the customer's line",
        Party::Unknown => "a line of no known party",
    }
}

fn name_of(codec: AudioFormat) -> String {
    match codec {
        AudioFormat::Pcmu => "PCMU".to_owned(),
        AudioFormat::Pcma => "PCMA".to_owned(),
        AudioFormat::G722 => "G.722".to_owned(),
        AudioFormat::L16 { rate_hz, .. } => format!("L16 at {rate_hz} Hz"),
        AudioFormat::Opus => "Opus".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use auricle_rtp::Stats;

    use super::*;

    fn seen(party: Party, line: Line) -> Seen {
        Seen {
            party,
            line,
            is_held: false,
        }
    }

    fn heard(first_ms: u64, last_ms: u64, codec: AudioFormat) -> Line {
        Line {
            first_packet_ms: Some(first_ms),
            last_packet_ms: Some(last_ms),
            codec: Some(codec),
            ..Line::default()
        }
    }

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn one_way_audio_is_told_once_and_not_of_a_line_on_hold() {
        let agent = seen(Party::Agent, heard(2_000, 9_000, AudioFormat::Pcma));
        let customer = seen(Party::Customer, Line::default());
        let mut problems = Problems::default();
        assert_eq!(problems.look(SECS(11), &[agent, customer]), [""; 0]);
        let told = problems.look(SECS(12), &[agent, customer]);
        assert_eq!(
            told,
            ["one-way audio: the customer's line brought nothing while the other did for 10 s"]
        );
        assert_eq!(problems.look(SECS(13), &[agent, customer]), [""; 0]);

        let held = Seen {
            is_held: true,
            ..customer
        };
        let mut problems = Problems::default();
        assert_eq!(problems.look(SECS(12), &[agent, held]), [""; 0]);
        // Nobody is heard: that is not one way.
        let nobody = seen(Party::Agent, Line::default());
        assert_eq!(problems.look(SECS(60), &[nobody, customer]), [""; 0]);
    }

    #[test]
    fn a_change_of_codec_is_told_once() {
        let mut problems = Problems::default();
        let mut look = |codec| {
            let line = seen(Party::Agent, heard(0, 1, codec));
            problems.look(SECS(1), &[line])
        };
        assert_eq!(look(AudioFormat::Pcmu), [""; 0]);
        assert_eq!(look(AudioFormat::Pcmu), [""; 0]);
        assert_eq!(
            look(AudioFormat::G722),
            ["codec of the agent's line changed from PCMU to G.722"]
        );
        assert_eq!(look(AudioFormat::Pcmu), [""; 0]);
    }

    #[test]
    fn bad_lines_are_told_at_the_end() {
        let check = |unauthentic, lost, skew_ppm, expected: &[&str]| {
            let stats = Stats {
                expected: 1_000,
                lost,
                skew_ppm,
                ..Stats::default()
            };
            let line = Line {
                stats,
                unauthentic,
                ..Line::default()
            };
            let told = Problems::at_end(&[seen(Party::Customer, line)]);
            assert_eq!(told, expected);
        };
        check(0, 50, Some(200.0), &[]);
        check(49, 0, None, &[]);
        check(
            50,
            51,
            Some(-250.4),
            &[
                "the customer's line had 50 SRTP packets that did not authenticate and were not heard",
                "the customer's line lost 5.1 % of its packets",
                "the customer's line has a clock that is 250 ppm too slow",
            ],
        );
        check(
            0,
            0,
            Some(1_000.0),
            &["the customer's line has a clock that is 1000 ppm too fast"],
        );
    }

    #[test]
    fn a_call_is_as_quiet_as_its_loudest_line() {
        let at = |last_ms| seen(Party::Agent, heard(0, last_ms, AudioFormat::Pcmu));
        let silent = seen(Party::Customer, Line::default());
        assert_eq!(quiet_for(SECS(70), &[at(10_000), at(30_000)]), SECS(40));
        assert_eq!(quiet_for(SECS(70), &[at(10_000), silent]), SECS(60));
        assert_eq!(quiet_for(SECS(70), &[silent]), SECS(70));
        // Packets may come between two looks.
        assert_eq!(quiet_for(SECS(1), &[at(2_000)]), SECS(0));
    }
}

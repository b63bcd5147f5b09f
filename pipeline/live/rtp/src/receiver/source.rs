//! Who is heard: one source, from one address.
//!
//! | SSRC | address | it is heard |
//! | --- | --- | --- |
//! | the leg's | the leg's | always |
//! | the leg's | another | after [`Rules::rebind_packets`] that go on with the sequence, and none from the leg's address between |
//! | another | the leg's | at once where the leg's source is silent or said goodbye; else after two in a row, once nothing of the leg's source came for two and a half packets |
//! | another | another | after two in a row, where the leg's source is silent |
//! | any | the one that was agreed, and the leg's is not | at once |
//!
//! So a source that somebody else puts in while the leg's goes on is never heard.

use std::net::{IpAddr, SocketAddr};

use super::sequence::MOST_AHEAD;
use super::{Refusal, Source};

/// Packets in a row of a source that is not known (`MIN_SEQUENTIAL` of RFC 3550, section A.1).
const PROBATION_PACKETS: u32 = 2;

/// When who is heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) source: Source,
    pub(super) silent_us: u64,
    pub(super) rebind_packets: u32,
}

/// What is looked at of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) from: SocketAddr,
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    /// How far it is ahead of the highest number of the leg's source.
    pub(super) ahead: i16,
    pub(super) now_us: u64,
}

/// Whose packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The leg's source goes on.
    Known,
    /// The leg's source goes on from another address.
    Moved,
    /// The leg's source is this one from now on.
    New,
}

/// The sources of one leg.
#[derive(Debug)]
pub(super) struct Sources {
    rules: Rules,
    state: State,
}

/// How far the leg is.
#[derive(Debug)]
enum State {
    /// Nothing came that may be heard. => (Probation or Locked)
    Waiting,
    /// A source came that is not known. => (Probation of another or Locked)
    Probation(Candidate),
    /// A source is heard. => Locked to another, or from another address
    Locked(Locked),
}

/// Who may be heard next.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    ssrc: u32,
    from: SocketAddr,
    next_sequence: u16,
    n_in_row: u32,
}

/// Who is heard.
#[derive(Clone, Copy, Debug)]
struct Locked {
    ssrc: u32,
    from: SocketAddr,
    last_us: u64,
    /// How long its last packet of audio was.
    packet_us: u64,
    has_said_goodbye: bool,
    /// Another source from the same address.
    near: Option<Candidate>,
    /// One from another address. What comes from elsewhere does not hide what is near.
    far: Option<Candidate>,
}

impl Sources {
    pub(super) const fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::Waiting,
        }
    }

    /// Whether it is the source that is heard, from where it is heard.
    pub(super) fn is_heard(&self, seen: &Seen) -> bool {
        match &self.state {
            State::Locked(locked) => {
                locked.ssrc == seen.ssrc && locked.is_near(seen, self.rules.source)
            }
            State::Waiting | State::Probation(_) => false,
        }
    }

    /// Says whose packet it is.
    pub(super) fn judge(&mut self, seen: &Seen) -> Result<Verdict, Refusal> {
        if let Source::Given(ip) = self.rules.source
            && !is_same(ip, seen.from.ip())
        {
            return Err(Refusal::Address);
        }
        match &mut self.state {
            State::Waiting => self.begin(Candidate::new(seen), seen.now_us),
            State::Probation(candidate) => {
                let candidate = candidate.followed_by(seen);
                self.begin(candidate, seen.now_us)
            }
            State::Locked(locked) => {
                let verdict = locked.judge(seen, &self.rules)?;
                if verdict != Verdict::Known {
                    *locked = Locked::new(seen, locked.packet_us);
                }
                Ok(verdict)
            }
        }
    }

    /// This source ends: another may take its place at once.
    pub(super) fn say_goodbye(&mut self, ssrc: u32) {
        if let State::Locked(locked) = &mut self.state
            && locked.ssrc == ssrc
        {
            locked.has_said_goodbye = true;
        }
    }

    /// Notes how long the packets of the leg's source are.
    pub(super) const fn note_length(&mut self, packet_us: u64) {
        if let State::Locked(locked) = &mut self.state {
            locked.packet_us = packet_us;
        }
    }

    /// Who is heard, if anybody is.
    pub(super) const fn ssrc(&self) -> Option<u32> {
        match &self.state {
            State::Locked(locked) => Some(locked.ssrc),
            State::Waiting | State::Probation(_) => None,
        }
    }

    fn begin(&mut self, candidate: Candidate, now_us: u64) -> Result<Verdict, Refusal> {
        let needed = match self.rules.source {
            Source::Given(ip) | Source::Likely(ip) if is_same(ip, candidate.from.ip()) => 1,
            _ => PROBATION_PACKETS,
        };
        if candidate.n_in_row < needed {
            self.state = State::Probation(candidate);
            return Err(Refusal::Probation);
        }
        self.state = State::Locked(Locked::begin(candidate, now_us));
        Ok(Verdict::New)
    }
}

impl Candidate {
    const fn new(seen: &Seen) -> Self {
        Self {
            ssrc: seen.ssrc,
            from: seen.from,
            next_sequence: seen.sequence.wrapping_add(1),
            n_in_row: 1,
        }
    }

    /// The same one packet later, or another.
    fn followed_by(self, seen: &Seen) -> Self {
        let follows =
            self.ssrc == seen.ssrc && self.from == seen.from && self.next_sequence == seen.sequence;
        let n_before = if follows { self.n_in_row } else { 0 };
        Self {
            n_in_row: n_before.saturating_add(1),
            ..Self::new(seen)
        }
    }
}

impl Locked {
    /// Before the first packet of audio is measured, it is taken for the usual 20 ms.
    const USUAL_US: u64 = 20_000;

    const fn begin(candidate: Candidate, now_us: u64) -> Self {
        Self {
            ssrc: candidate.ssrc,
            from: candidate.from,
            last_us: now_us,
            packet_us: Self::USUAL_US,
            has_said_goodbye: false,
            near: None,
            far: None,
        }
    }

    const fn new(seen: &Seen, packet_us: u64) -> Self {
        Self {
            packet_us,
            ..Self::begin(Candidate::new(seen), seen.now_us)
        }
    }

    fn is_near(&self, seen: &Seen, source: Source) -> bool {
        source == Source::Any || self.from == seen.from
    }

    /// Whether this packet comes from the address that was agreed, and what is heard does not.
    fn is_in_place_of(&self, seen: &Seen, source: Source) -> bool {
        let Source::Likely(ip) = source else {
            return false;
        };
        is_same(ip, seen.from.ip()) && !is_same(ip, self.from.ip())
    }

    fn judge(&mut self, seen: &Seen, rules: &Rules) -> Result<Verdict, Refusal> {
        let quiet_us = seen.now_us.saturating_sub(self.last_us);
        let is_silent = self.has_said_goodbye || quiet_us > rules.silent_us;
        let is_near = self.is_near(seen, rules.source);
        let candidate = match is_near {
            true => &mut self.near,
            false => &mut self.far,
        };
        let n_in_row = match seen.ssrc == self.ssrc && is_near {
            true => 0,
            false => follow(candidate, seen),
        };
        match (seen.ssrc == self.ssrc, is_near) {
            (true, true) => {
                *self = Self::new(seen, self.packet_us);
                Ok(Verdict::Known)
            }
            (true, false) if self.is_in_place_of(seen, rules.source) => Ok(Verdict::Moved),
            (false, false) if self.is_in_place_of(seen, rules.source) => Ok(Verdict::New),
            (true, false) => {
                let goes_on = seen.ahead > 0 && seen.ahead < MOST_AHEAD;
                match goes_on && n_in_row >= rules.rebind_packets {
                    true => Ok(Verdict::Moved),
                    false => Err(Refusal::Address),
                }
            }
            (false, true) => {
                let has_stopped = quiet_us.saturating_mul(2) > self.packet_us.saturating_mul(5);
                match is_silent || (has_stopped && n_in_row >= PROBATION_PACKETS) {
                    true => Ok(Verdict::New),
                    false => Err(Refusal::Source),
                }
            }
            (false, false) => match is_silent && n_in_row >= PROBATION_PACKETS {
                true => Ok(Verdict::New),
                false => Err(Refusal::Address),
            },
        }
    }
}

/// Whether both are one address, however it is written.
fn is_same(ip: IpAddr, other: IpAddr) -> bool {
    ip.to_canonical() == other.to_canonical()
}

/// Packets in a row of a candidate, with this one.
fn follow(candidate: &mut Option<Candidate>, seen: &Seen) -> u32 {
    let next = match candidate {
        Some(before) => before.followed_by(seen),
        None => Candidate::new(seen),
    };
    *candidate = Some(next);
    next.n_in_row
}

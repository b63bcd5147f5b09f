//! Where packets lie on the leg's clock.
//!
//! The clock begins with the call; its ticks are those of timestamps. The first packet of a source lies where it came, on a
//! frame of 10 ms. From then on timestamps decide, so that loss and order change no place. Arrival decides again where the two disagree
//! by more than the tolerance, after a gap: clocks stand still while a call is on hold, and jump when it is transferred.
//!
//! A sender's clock drifts from ours. Where the leg is ahead or behind by more than [`Patience::skew_ticks`], its packets
//! are moved by whole packets: in a pause as far as it allows, else one for each [`Patience::correct_within_us`].

use super::Refusal;
use super::drift::Drift;
use super::places::Places;
use super::sequence::Order;

/// Frames of those who listen: 10 ms each.
const FRAMES_PER_SEC: u32 = 100;
/// Calls do not last as long, in ticks of any clock; places beyond are refused.
const MOST_TICKS: i64 = 1 << 52;

/// When the clock is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) tolerance_ticks: i64,
    pub(super) skew_ticks: i64,
    pub(super) correct_within_us: u64,
    pub(super) silent_us: u64,
}

/// What is looked at of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    pub(super) order: Order,
    pub(super) timestamp: u32,
    /// Ticks; none for comfort noise.
    pub(super) length: i64,
    pub(super) now_us: u64,
}

/// What became of the clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClockCounts {
    pub(super) silence_gaps: u64,
    pub(super) jumps: u64,
    pub(super) corrections: u64,
}

/// A leg's clock.
#[derive(Debug)]
pub(super) struct Clock {
    clock_hz: u32,
    opened_us: u64,
    patience: Patience,
    state: State,
    places: Places,
    drift: Drift,
    jitter: Jitter,
    pub(super) counts: ClockCounts,
}

/// How far the clock is.
#[derive(Clone, Copy, Debug)]
enum State {
    /// No packet of this source was placed. => Running
    Unset,
    /// Timestamps have places. => (Running otherwise or Unset)
    Running(Running),
}

#[derive(Clone, Copy, Debug)]
struct Running {
    /// In force.
    anchor: Anchor,
    /// In force for packets from before that, which were overtaken.
    before: Option<Anchor>,
    newest: Newest,
    due: Option<Due>,
}

/// Places of packets from this one on: timestamp and offset.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    from_sequence: u64,
    offset: i64,
}

/// The last packet that was in order.
#[derive(Clone, Copy, Debug)]
struct Newest {
    sequence: u64,
    ticks: i64,
    length: i64,
    now_us: u64,
}

/// A correction that waits for a pause.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// How far the leg is behind; less than 0: ahead.
    behind: i64,
    since_us: u64,
}

/// What lies between a packet and the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing but what was lost.
    None,
    /// Time in which nothing was sent.
    Pause,
    /// Timestamps that do not fit, or time that they do not tell.
    Break,
}

/// What is done about a correction with one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Correction {
    None,
    By(i64),
    Skip,
}

impl Newest {
    /// The nearest time with this timestamp: timestamps begin again after 2³².
    const fn nearest(&self, timestamp: u32) -> i64 {
        let step = timestamp.wrapping_sub(self.ticks as u32).cast_signed();
        self.ticks.saturating_add(step as i64)
    }

    fn step_to(&self, sequence: u64, ticks: i64, now_us: u64, silent_us: u64) -> Step {
        let n_packets = i64::try_from(sequence.saturating_sub(self.sequence)).unwrap_or(i64::MAX);
        let expected = self
            .ticks
            .saturating_add(self.length.saturating_mul(n_packets));
        let is_late = now_us.saturating_sub(self.now_us) > silent_us;
        match ticks == expected {
            true if self.length > 0 && !is_late => Step::None,
            false if ticks > expected => Step::Pause,
            _ => Step::Break,
        }
    }
}

impl Clock {
    pub(super) const fn new(clock_hz: u32, opened_us: u64, patience: Patience) -> Self {
        Self {
            clock_hz,
            opened_us,
            patience,
            state: State::Unset,
            places: Places::new(),
            drift: Drift::new(),
            jitter: Jitter::new(),
            counts: ClockCounts {
                silence_gaps: 0,
                jumps: 0,
                corrections: 0,
            },
        }
    }

    /// Another source: its timestamps say nothing about those before.
    pub(super) fn restart(&mut self) {
        self.state = State::Unset;
        self.drift = Drift::new();
        self.jitter.restart();
    }

    /// The place of a packet, ticks.
    pub(super) fn place(&mut self, timed: &Timed) -> Result<i64, Refusal> {
        let place = match (self.state, timed.order) {
            (State::Unset, Order::Next(sequence) | Order::Overtaken { sequence, .. }) => {
                self.place_first(sequence, timed)
            }
            (State::Running(running), Order::Next(sequence)) => {
                self.place_next(running, sequence, timed)?
            }
            (State::Running(running), Order::Overtaken { sequence, .. }) => {
                self.place_overtaken(&running, sequence, timed)?
            }
        };
        if !(0..MOST_TICKS).contains(&place) {
            return Err(Refusal::Misplaced);
        }
        match timed.length == 0 || self.places.take(place, timed.length) {
            true => Ok(place),
            false => Err(Refusal::Misplaced),
        }
    }

    /// Where an event began, as far as can be told. Its packets neither set the clock nor measure it.
    pub(super) fn place_of_event(&self, timestamp: u32, now_us: u64) -> i64 {
        let place = match &self.state {
            State::Unset => self.wall(now_us),
            State::Running(running) => {
                let ticks = running.newest.nearest(timestamp);
                ticks.saturating_add(running.anchor.offset)
            }
        };
        place.clamp(0, MOST_TICKS)
    }

    /// How much arrival varies: now, and at its worst, ticks.
    pub(super) const fn jitter(&self) -> (f64, f64) {
        (self.jitter.ticks, self.jitter.most_ticks)
    }

    /// How much faster the sender's clock is, millionths.
    pub(super) fn skew_ppm(&self) -> Option<f64> {
        self.drift.skew_ppm(self.clock_hz)
    }

    /// Ticks since the call was opened.
    fn wall(&self, now_us: u64) -> i64 {
        let passed_us = u128::from(now_us.saturating_sub(self.opened_us));
        let ticks = passed_us * u128::from(self.clock_hz) / 1_000_000;
        i64::try_from(ticks).map_or(MOST_TICKS, |ticks| ticks.min(MOST_TICKS))
    }

    /// A source begins on a whole frame, so that its audio lies in frames as it would in a file.
    fn place_first(&mut self, sequence: u64, timed: &Timed) -> i64 {
        let wall = self.wall(timed.now_us);
        let frame = i64::from(self.clock_hz / FRAMES_PER_SEC).max(1);
        let place = (wall - wall % frame).max(self.places.end());
        let ticks = i64::from(timed.timestamp);
        self.state = State::Running(Running {
            anchor: Anchor {
                // Others of this source may have been overtaken by it.
                from_sequence: 0,
                offset: place.saturating_sub(ticks),
            },
            before: None,
            newest: Newest {
                sequence,
                ticks,
                length: timed.length,
                now_us: timed.now_us,
            },
            due: None,
        });
        self.measure(wall, ticks, timed.now_us);
        place
    }

    fn place_next(
        &mut self,
        mut running: Running,
        sequence: u64,
        timed: &Timed,
    ) -> Result<i64, Refusal> {
        let ticks = running.newest.nearest(timed.timestamp);
        let silent_us = self.patience.silent_us;
        let step = running
            .newest
            .step_to(sequence, ticks, timed.now_us, silent_us);
        let is_next = sequence.saturating_sub(running.newest.sequence) == 1;
        if is_next && step != Step::None && self.passed_silence(&running, timed, ticks) {
            self.counts.silence_gaps = self.counts.silence_gaps.saturating_add(1);
        }
        let wall = self.wall(timed.now_us);
        let told = ticks.saturating_add(running.anchor.offset);
        let is_off = wall.saturating_sub(told).saturating_abs() > self.patience.tolerance_ticks;
        let mut place = told;
        let mut is_skipped = false;
        if step != Step::None && is_off {
            place = wall;
            self.set_anew(&mut running);
        } else {
            match self.correction(&mut running, step, timed, told) {
                Correction::None => {}
                Correction::By(by) => place = told.saturating_add(by),
                Correction::Skip => is_skipped = true,
            }
        }
        // Nothing is moved before what was heard.
        place = place.max(self.places.end());
        running.newest = Newest {
            sequence,
            ticks,
            length: timed.length,
            now_us: timed.now_us,
        };
        let (from_sequence, offset) = match is_skipped {
            true => (
                sequence.saturating_add(1),
                running.anchor.offset.saturating_sub(timed.length),
            ),
            false => (sequence, place.saturating_sub(ticks)),
        };
        if offset != running.anchor.offset {
            running.before = Some(running.anchor);
            running.anchor = Anchor {
                from_sequence,
                offset,
            };
        }
        self.state = State::Running(running);
        self.measure(wall, ticks, timed.now_us);
        match is_skipped {
            true => Err(Refusal::Skipped),
            false => Ok(place),
        }
    }

    /// With the anchor that was in force when it was sent, as far as that is known.
    fn place_overtaken(
        &mut self,
        running: &Running,
        sequence: u64,
        timed: &Timed,
    ) -> Result<i64, Refusal> {
        let ticks = running.newest.nearest(timed.timestamp);
        let anchors = [Some(running.anchor), running.before];
        let in_force = anchors.into_iter().flatten();
        let anchor = in_force
            .filter(|anchor| anchor.from_sequence <= sequence)
            .max_by_key(|anchor| anchor.from_sequence)
            .ok_or(Refusal::Misplaced)?;
        let wall = self.wall(timed.now_us);
        self.jitter.note(wall.saturating_sub(ticks));
        Ok(ticks.saturating_add(anchor.offset))
    }

    /// Whether there was silence before a packet that follows in sequence.
    fn passed_silence(&self, running: &Running, timed: &Timed, ticks: i64) -> bool {
        let newest = &running.newest;
        let waited_us = timed.now_us.saturating_sub(newest.now_us);
        ticks > newest.ticks.saturating_add(newest.length) || waited_us > self.patience.silent_us
    }

    /// Timestamps are not what they were: what was measured with them is of no use.
    fn set_anew(&mut self, running: &mut Running) {
        self.counts.jumps = self.counts.jumps.saturating_add(1);
        running.due = None;
        self.drift = Drift::new();
        self.jitter.restart();
    }

    /// Notes arrival and timestamp of a packet in order; at the end of a window, whether a correction is due.
    fn measure(&mut self, wall: i64, ticks: i64, now_us: u64) {
        let transit = wall.saturating_sub(ticks);
        self.jitter.note(transit);
        let Some(least) = self.drift.note(now_us, transit) else {
            return;
        };
        let State::Running(running) = &mut self.state else {
            return;
        };
        let behind = least.saturating_sub(running.anchor.offset);
        let is_due = behind.saturating_abs() > self.patience.skew_ticks;
        let before = running
            .due
            .filter(|due| due.behind.signum() == behind.signum());
        running.due = is_due.then(|| Due {
            behind,
            since_us: before.map_or(now_us, |due| due.since_us),
        });
    }

    /// What is done with this packet about a correction that is due; `told` is its place without it.
    fn correction(
        &mut self,
        running: &mut Running,
        step: Step,
        timed: &Timed,
        told: i64,
    ) -> Correction {
        let Some(due) = &mut running.due else {
            return Correction::None;
        };
        if timed.length == 0 {
            return Correction::None;
        }
        let whole = |ticks: i64| ticks / timed.length * timed.length;
        let waited_us = timed.now_us.saturating_sub(due.since_us);
        let room = told.saturating_sub(self.places.end()).max(0);
        let correction = match step {
            Step::Pause | Step::Break => match whole(due.behind).max(-whole(room)) {
                0 => Correction::None,
                by => Correction::By(by),
            },
            Step::None if waited_us < self.patience.correct_within_us => Correction::None,
            Step::None => match whole(due.behind).signum() {
                0 => Correction::None,
                1 => Correction::By(timed.length),
                _ => Correction::Skip,
            },
        };
        let by = match correction {
            Correction::None => return correction,
            Correction::By(by) => by,
            Correction::Skip => -timed.length,
        };
        due.behind = due.behind.saturating_sub(by);
        due.since_us = timed.now_us;
        if due.behind.saturating_abs() <= self.patience.skew_ticks {
            running.due = None;
        }
        self.counts.corrections = self.counts.corrections.saturating_add(1);
        correction
    }
}

/// How much arrival varies (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, Debug)]
struct Jitter {
    /// Arrival less timestamp of the packet before.
    transit: Option<i64>,
    ticks: f64,
    most_ticks: f64,
}

impl Jitter {
    const fn new() -> Self {
        Self {
            transit: None,
            ticks: 0.0,
            most_ticks: 0.0,
        }
    }

    /// The next packet cannot be compared with the one before.
    const fn restart(&mut self) {
        self.transit = None;
    }

    fn note(&mut self, transit: i64) {
        if let Some(before) = self.transit.replace(transit) {
            let change = transit.saturating_sub(before).saturating_abs() as f64;
            self.ticks += (change - self.ticks) / 16.0;
            self.most_ticks = self.most_ticks.max(self.ticks);
        }
    }
}

//! The media lines of a call as they are heard, a task each, and what is kept of them.
//!
//! ```text
//! begin => heard => end (closed: what came is heard to its end) => every task is over
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use auricle_contracts::{CallId, LineProblem, Party, PhoneKey};
use auricle_live::Encoding;
use auricle_media::{Coding, Heard, LegAgreed, LegControl, MediaLeg, MediaPort};
use auricle_rtp::Digit;
use smallvec::smallvec;
use tokio::task::JoinSet;

use super::capture::Tap;
use super::problems::{Problems, Seen, quiet_for};
use crate::exit::message_of;
use crate::serve::calls::Calls;
use crate::serve::ingest::leg_time::WallTime;
use crate::serve::ingest::line::line_quality;
use crate::serve::ingest::{CallLeg, Ingest, Patience, Piece, Press, carry};

/// Looks, one a second, between two notes of how good the lines are.
const LOOKS_PER_NOTE: u32 = 5;
/// How long what came may take to be heard at the end: there is less than a second of it.
const HEARD_WITHIN: Duration = Duration::from_secs(2);

/// A leg that is to be heard.
pub(super) struct NewLine {
    pub(super) leg: CallLeg,
    pub(super) party: Party,
    pub(super) port: MediaPort,
    pub(super) agreed: LegAgreed,
}

/// The legs of one session, heard. Dropped, they are closed.
pub(super) struct Hearing {
    lines: Arc<Lines>,
    tasks: JoinSet<LegEnd>,
    opened: Instant,
    problems: Problems,
    n_looks: u32,
    is_ended: bool,
}

/// Why a leg ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LegEnd {
    /// It was closed.
    Closed,
    /// No call may last longer.
    TooLong,
    /// It cannot be heard any more, and why.
    Failed(String),
}

/// How a session ended, for what is kept of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// As it should, or told elsewhere.
    Said,
    /// The other side did not say so; these words tell how it was found out.
    Missing(&'static str),
}

impl Hearing {
    /// Begins to hear the legs of a call that was opened at this moment, on clocks of `leg_hz`. `tap` is of their dialog.
    pub(super) fn begin(
        tap: &Tap,
        calls: &Arc<Calls>,
        call: CallId,
        new: Vec<NewLine>,
        leg_hz: u32,
        opened: Instant,
        wall: WallTime,
    ) -> Self {
        let mut legs = Vec::new();
        let mut controls = Vec::new();
        for line in new {
            let (media, control) = line.port.hear(line.agreed, opened, leg_hz);
            legs.push((line.leg, media));
            controls.push((line.party, control));
        }
        let known = controls.iter().map(|(_, control)| control.clone());
        tap.hears(&call, known.collect());
        let lines = Arc::new(Lines {
            calls: Arc::clone(calls),
            call,
            leg_hz,
            legs: controls,
            is_goodbye_missing: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        for (leg, media) in legs {
            let leg = RtpLeg::new(leg, media, Arc::clone(&lines));
            tasks.spawn(leg.hear(wall));
        }
        Self {
            lines,
            tasks,
            opened,
            problems: Problems::default(),
            n_looks: 0,
            is_ended: false,
        }
    }

    /// The call, which may have another name than was asked for.
    pub(super) fn call(&self) -> &CallId {
        &self.lines.call
    }

    /// A leg, by its place, goes on as was agreed anew.
    pub(super) fn agree(&self, place: usize, agreed: LegAgreed) {
        if let Some((_, control)) = self.lines.legs.get(place) {
            control.agree(agreed);
        }
    }

    /// Waits until a leg is over; tells why, and whether it was the last. Without any left it waits for ever.
    pub(super) async fn leg_over(&mut self) -> (LegEnd, IsLast) {
        let Some(over) = self.tasks.join_next().await else {
            return std::future::pending().await;
        };
        let is_last = match self.tasks.is_empty() {
            true => IsLast::Yes,
            false => IsLast::No,
        };
        let end = over.unwrap_or_else(|_| LegEnd::Failed("a leg broke off".to_owned()));
        (end, is_last)
    }

    /// Looks at the lines, to be done once a second; tells how long none of them brought anything. `is_held` is of each leg.
    pub(super) fn look(&mut self, is_held: &[bool]) -> Duration {
        let age = self.opened.elapsed();
        let seen = self.lines.seen(is_held);
        for warning in self.problems.look(age, &seen) {
            self.lines.warn(warning);
        }
        self.n_looks = self.n_looks.wrapping_add(1);
        if self.n_looks.is_multiple_of(LOOKS_PER_NOTE) {
            self.lines.note();
        }
        quiet_for(age, &seen)
    }

    /// Has the call keep what is wrong.
    pub(super) fn warn(&self, warning: String) {
        self.lines.warn(warning);
    }

    /// Has the call keep how its lines were, and closes them; once.
    pub(super) fn end(&mut self, farewell: Farewell) {
        if std::mem::replace(&mut self.is_ended, true) {
            return;
        }
        if let Farewell::Missing(how) = farewell {
            self.lines.is_goodbye_missing.store(true, Ordering::Relaxed);
            self.lines.warn(format!("ended without BYE: {how}"));
        }
        for warning in Problems::at_end(&self.lines.seen(&[])) {
            self.lines.warn(warning);
        }
        self.lines.note();
        self.lines.close();
    }

    /// Ends, and waits until what came is heard.
    pub(super) async fn finish(mut self, farewell: Farewell) {
        self.end(farewell);
        let all_over = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(HEARD_WITHIN, all_over).await;
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.end(Farewell::Said);
        self.tasks.detach_all();
    }
}

/// Whether others go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsLast {
    Yes,
    No,
}

/// The lines of one session.
struct Lines {
    calls: Arc<Calls>,
    call: CallId,
    leg_hz: u32,
    /// In the order of the legs.
    legs: Vec<(Party, LegControl)>,
    is_goodbye_missing: AtomicBool,
}

impl Lines {
    fn seen(&self, is_held: &[bool]) -> Vec<Seen> {
        let held = is_held.iter().copied().chain(std::iter::repeat(false));
        let legs = self.legs.iter().zip(held);
        legs.map(|((party, control), is_held)| Seen {
            party: *party,
            line: control.line(),
            is_held,
        })
        .collect()
    }

    /// Has the call keep how good its lines are by now.
    fn note(&self) {
        let is_goodbye_missing = self.is_goodbye_missing.load(Ordering::Relaxed);
        let lines = self.legs.iter().map(|(party, control)| {
            let mut quality = line_quality(*party, self.leg_hz, &control.line());
            let problem = is_goodbye_missing.then_some(LineProblem::NoGoodbye);
            quality.problems.extend(problem);
            quality
        });
        self.calls.note_lines(&self.call, lines.collect());
    }

    fn warn(&self, warning: String) {
        tracing::warn!(call.id = %self.call, "sip: {warning}");
        self.calls.warn(&self.call, warning);
    }

    fn close(&self) {
        for (_, control) in &self.legs {
            control.close();
        }
    }
}

/// The audio of one media line.
struct RtpLeg {
    /// Until it is told.
    to_open: Option<CallLeg>,
    media: MediaLeg,
    lines: Arc<Lines>,
    is_closed: bool,
}

impl RtpLeg {
    fn new(leg: CallLeg, media: MediaLeg, lines: Arc<Lines>) -> Self {
        Self {
            to_open: Some(leg),
            media,
            lines,
            is_closed: false,
        }
    }

    /// Hears it to its end. A line may be silent for as long as its call lasts: whether the call is, all of its lines tell.
    async fn hear(mut self, wall: WallTime) -> LegEnd {
        let patience = Patience {
            open_within: wall.longest_call,
            quiet_within: wall.longest_call,
            wall: Some(wall),
        };
        match carry(&mut self, patience).await {
            Ok(()) if self.is_closed => LegEnd::Closed,
            Ok(()) => LegEnd::TooLong,
            Err(error) => LegEnd::Failed(message_of(&error)),
        }
    }
}

impl Ingest for RtpLeg {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if let Some(leg) = self.to_open.take() {
            return Ok(Some(Piece::Opened(vec![leg])));
        }
        let Some(heard) = self.media.next().await else {
            self.is_closed = true;
            // The call may be saved as soon as its last leg is gone.
            self.lines.note();
            return Ok(None);
        };
        Ok(Some(match heard {
            Heard::Audio { at, coding, bytes } => Piece::Audio {
                encoding: encoding_of(coding),
                at: Some(at),
                channels: smallvec![bytes],
            },
            Heard::Digit(digit) => pressed(digit),
        }))
    }
}

fn pressed<'p>(digit: Digit) -> Piece<'p> {
    let Some(key) = PhoneKey::new(digit.digit) else {
        return Piece::Alive;
    };
    let press = Press {
        key,
        at: Some(digit.at),
        duration_ms: Some(digit.duration_ms),
    };
    Piece::Pressed { leg_idx: 0, press }
}

const fn encoding_of(coding: Coding) -> Encoding {
    match coding {
        Coding::Ulaw => Encoding::Ulaw,
        Coding::Alaw => Encoding::Alaw,
        Coding::L16 => Encoding::L16,
    }
}

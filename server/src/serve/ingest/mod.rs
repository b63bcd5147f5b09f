//! Ways in for calls under way: what a protocol tells, and what is done about it, which is the same for all of them.

pub(crate) mod asterisk;
pub(crate) mod audiohook;
pub(crate) mod audiosocket;
pub(crate) mod joining;
pub(crate) mod leg;
pub(crate) mod leg_time;
pub(crate) mod line;
pub(crate) mod listen;
mod not_taken;
mod pace;
pub(crate) mod replay;
mod seats;
pub(crate) mod sip;
pub(crate) mod stream;
pub(crate) mod twilio;
pub(crate) mod websocket;

use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::Result;
use auricle_contracts::PhoneKey;
use auricle_live::Encoding;
use smallvec::SmallVec;
use thiserror::Error;

pub(crate) use self::leg::CallLeg;
use self::leg::FULL_WAIT;
use self::leg_time::{Turn, WallTime};
pub(crate) use self::not_taken::NotTaken;

/// What one connection tells next.
pub(crate) enum Piece<'p> {
    /// Its call is open. These legs are fed by this connection, in the order of the channels of its audio.
    Opened(Vec<CallLeg>),
    /// Audio of its legs.
    Audio {
        encoding: Encoding,
        /// Where the first sample lies on the legs' clocks; without it, behind the audio before. Where the wall's time is the
        /// legs', too, time before it in which nothing came is silence.
        at: Option<u64>,
        /// A piece for each leg; empty where a leg has none.
        channels: SmallVec<[&'p [u8]; 2]>,
    },
    /// Silence of this length on all its legs.
    Silence(Duration),
    /// A key was pressed on the telephone of one of its legs.
    Pressed {
        /// Which leg, from the first.
        leg_idx: usize,
        press: Press,
    },
    /// The other side is there, and there is nothing to hear.
    Alive,
}

/// A key that was pressed. `Debug` does not show which.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Press {
    pub(crate) key: PhoneKey,
    /// Where it began on the leg's clock; without it, behind the audio before.
    pub(crate) at: Option<u64>,
    /// How long it was held, where that is told.
    pub(crate) duration_ms: Option<u32>,
}

impl Press {
    /// Of which it is told when it comes, and nothing more.
    pub(crate) const fn now(key: PhoneKey) -> Self {
        Self {
            key,
            at: None,
            duration_ms: None,
        }
    }
}

/// One connection, or one file, that brings audio of a call. All that a protocol has to do is to implement this.
pub(crate) trait Ingest: Send {
    /// Waits for the next piece; `None` when the other side is done. A call that is dropped while it waits loses nothing.
    ///
    /// # Errors
    /// Whatever ends the connection: what was heard stays.
    fn next(&mut self) -> impl Future<Output = Result<Option<Piece<'_>>>> + Send;
}

/// A leg that is silent goes on in steps of this length: the other leg's words wait for no more.
const FILL_EVERY: Duration = Duration::from_millis(100);
/// How long a connection may go on without a call's audio.
const AUDIO_WITHIN: Duration = Duration::from_secs(60);

/// How long a connection may be silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Until the first piece.
    pub(crate) open_within: Duration,
    /// Between pieces.
    pub(crate) quiet_within: Duration,
    /// `None` where the audio's own length is its time.
    pub(crate) wall: Option<WallTime>,
}

/// Nothing came for too long.
#[derive(Clone, Copy, Debug, Error)]
pub(crate) enum TooQuiet {
    /// Not even a first piece.
    #[error("nothing was said within {secs} s")]
    NeverOpened {
        /// What it was given.
        secs: u64,
    },
    /// Between pieces.
    #[error("no audio came for {secs} s")]
    Silent {
        /// What it was given.
        secs: u64,
    },
}

/// Hears one connection to its end, or until its call has lasted as long as one may.
///
/// # Errors
/// The connection's, the call's, or that nothing came for too long. The legs are over then, too.
pub(crate) async fn carry(ingest: &mut impl Ingest, patience: Patience) -> Result<()> {
    let mut legs: Vec<CallLeg> = Vec::new();
    let began = Instant::now();
    let (mut last, mut is_first) = (began, true);
    let mut opened_at = last;
    let slack = patience
        .wall
        .map_or(Duration::ZERO, |wall| wall.silent_after);
    loop {
        match turn(&mut legs, patience.wall, opened_at.elapsed()) {
            Turn::Read => {}
            Turn::Hold(wait) => {
                let most = if catch_up(&mut legs)? {
                    FILL_EVERY
                } else {
                    FULL_WAIT
                };
                tokio::time::sleep(wait.min(most)).await;
                // The other side is not silent: it is not read.
                last = Instant::now();
                continue;
            }
            Turn::End => return Ok(()),
        }
        let within = match (is_first, legs.is_empty()) {
            (true, _) => patience.open_within,
            (false, true) => patience.quiet_within.min(AUDIO_WITHIN),
            (false, false) => patience.quiet_within,
        };
        // Signs of life are no audio.
        let since = if legs.is_empty() { began } else { last };
        let left = within.saturating_sub(since.elapsed());
        let until_silent = match patience.wall {
            Some(_) if !legs.is_empty() => {
                let until_silent = slack.saturating_sub(last.elapsed());
                left.min(until_silent.max(FILL_EVERY))
            }
            _ => left,
        };
        let mut next = pin!(tokio::time::timeout(until_silent, ingest.next()));
        let next = loop {
            if catch_up(&mut legs)? {
                break next.await;
            }
            tokio::select! {
                next = &mut next => break next,
                () = tokio::time::sleep(FULL_WAIT) => {}
            }
        };
        // Where that is the legs' time.
        let passed = patience.wall.map(|_| opened_at.elapsed());
        let Ok(next) = next else {
            if since.elapsed() >= within {
                let secs = within.as_secs();
                return Err(match legs.is_empty() {
                    true => TooQuiet::NeverOpened { secs }.into(),
                    false => TooQuiet::Silent { secs }.into(),
                });
            }
            if let Some(passed) = passed.filter(|_| last.elapsed() >= slack) {
                for leg in &mut legs {
                    leg.fill(passed).await?;
                }
            }
            continue;
        };
        match next? {
            None => return Ok(()),
            Some(Piece::Opened(opened)) => (legs, opened_at) = (opened, Instant::now()),
            Some(piece) => take(&mut legs, piece, passed.zip(patience.wall)).await?,
        }
        (last, is_first) = (Instant::now(), false);
    }
}

/// What is done next with the connection of these legs, `passed` after they came. Legs that are too far ahead know it then, and
/// a call that is to end.
fn turn(legs: &mut [CallLeg], wall: Option<WallTime>, passed: Duration) -> Turn {
    let Some(wall) = wall else { return Turn::Read };
    let mut next = Turn::Read;
    for leg in legs {
        match wall.turn(leg.age(passed), leg.ahead(passed)) {
            Turn::Read => {}
            Turn::Hold(wait) => {
                leg.hold_back(passed);
                next = Turn::Hold(match next {
                    Turn::Hold(longer) => longer.max(wait),
                    _ => wait,
                });
            }
            Turn::End => {
                leg.cut_off(wall.longest_call);
                return Turn::End;
            }
        }
    }
    next
}

/// Has the legs take a piece, so long after they came where the wall's time is theirs.
///
/// # Errors
/// When nobody hears a leg any more.
async fn take(
    legs: &mut [CallLeg],
    piece: Piece<'_>,
    timed: Option<(Duration, WallTime)>,
) -> Result<()> {
    match piece {
        // They are the caller's.
        Piece::Opened(_) => {}
        Piece::Audio {
            encoding,
            at,
            channels,
        } => {
            for (leg, bytes) in legs.iter_mut().zip(channels) {
                let Some((passed, wall)) = timed else {
                    leg.push(encoding, at, bytes, None).await?;
                    continue;
                };
                if let Some(place) = at {
                    let believed = wall.believed(passed);
                    match bytes.is_empty() {
                        true => leg.stay_beside(place, believed).await?,
                        false => leg.come_to(place, believed).await?,
                    }
                }
                let n_samples = (bytes.len() / encoding.sample_bytes()) as u64;
                leg.keep_up(passed, wall.silent_after, n_samples).await?;
                leg.push(encoding, None, bytes, Some(passed)).await?;
            }
        }
        Piece::Silence(length) => {
            for leg in legs {
                leg.push_silence(length).await?;
            }
        }
        Piece::Pressed { leg_idx, press } => {
            go_on(legs, timed).await?;
            if let Some(leg) = legs.get(leg_idx) {
                leg.pressed(press);
            }
        }
        Piece::Alive => go_on(legs, timed).await?,
    }
    Ok(())
}

/// The legs' time goes on, though there is nothing to hear.
///
/// # Errors
/// When nobody hears a leg any more.
async fn go_on(legs: &mut [CallLeg], timed: Option<(Duration, WallTime)>) -> Result<()> {
    if let Some((passed, wall)) = timed {
        for leg in legs {
            leg.keep_up(passed, wall.silent_after, 0).await?;
        }
    }
    Ok(())
}

/// Has what the legs keep heard, as far as there is room; tells whether that is all.
fn catch_up(legs: &mut [CallLeg]) -> Result<bool> {
    let mut is_all = true;
    for leg in legs {
        is_all &= leg.catch_up()?;
    }
    Ok(is_all)
}

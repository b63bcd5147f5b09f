//! One leg of a call under way, as an ingest feeds it: to be heard, and to be recorded.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use auricle_contracts::{CallId, Party, PressedKey};
use auricle_live::{Encoding, Full, LegFeed, LegReach, PACKET_BYTES};
use auricle_record::Tape;
use thiserror::Error;

use super::Press;
use super::leg_time::{LegTime, QUIET};
use super::pace::Pace;
use crate::serve::digits::NotedKeys;

/// How long a leg waits for room, where the pipeline or the disk is behind.
pub(super) const FULL_WAIT: Duration = Duration::from_millis(5);

/// Why a call was ended, where nobody hung up; its legs share it.
pub(crate) type CutOff = Arc<OnceLock<String>>;

/// The pipeline has given a leg up.
#[derive(Clone, Copy, Debug, Error)]
#[error("the leg cannot be heard any more")]
struct Unheard;

/// A leg. Dropped, it is over.
pub(crate) struct CallLeg {
    call: CallId,
    party: Party,
    feed: LegFeed,
    /// `None` where the call is not recorded, as its audio lies in a file already.
    tape: Option<Tape>,
    rate_hz: u32,
    /// Time before it came, which is silence.
    behind: Duration,
    /// Behind the last sample.
    end: u64,
    time: LegTime,
    pace: Pace,
    cut_off: CutOff,
    /// Of the call.
    keys: Arc<NotedKeys>,
}

impl Drop for CallLeg {
    fn drop(&mut self) {
        let Some(times) = self.pace.off() else { return };
        tracing::warn!(
            call.id = %self.call,
            "audio of a leg came {times:.1} times as fast as it lasts: its rate may not be the {} Hz that were said",
            self.rate_hz
        );
        self.feed.off_pace((100.0 * times) as u32);
    }
}

impl CallLeg {
    pub(crate) fn new(
        call: CallId,
        party: Party,
        feed: LegFeed,
        tape: Option<Tape>,
        cut_off: CutOff,
        keys: Arc<NotedKeys>,
    ) -> Self {
        let rate_hz = feed.rate_hz();
        Self {
            call,
            party,
            rate_hz,
            feed,
            tape,
            behind: Duration::ZERO,
            end: 0,
            time: LegTime::new(rate_hz),
            pace: Pace::default(),
            cut_off,
            keys,
        }
    }

    /// The call's name, which may be another than was asked for.
    pub(crate) fn call(&self) -> &CallId {
        &self.call
    }

    /// How far it is heard.
    pub(crate) fn reach(&self) -> LegReach {
        self.feed.reach()
    }

    /// The leg came so long after its call began.
    pub(crate) fn late_by(mut self, behind: Duration) -> Self {
        self.behind = behind;
        self.time.come_behind(behind);
        self
    }

    /// Audio of this length came before the leg did, and is to be told first.
    pub(crate) fn early_by(mut self, early: Duration) -> Self {
        self.behind = self.behind.saturating_sub(early);
        self.time.early_by(early);
        self
    }

    /// How old its call is, `passed` after the leg came.
    pub(crate) fn age(&self, passed: Duration) -> Duration {
        self.time.age(passed)
    }

    /// How far it is ahead of the wall's clock, `passed` after it came.
    pub(crate) fn ahead(&self, passed: Duration) -> Duration {
        self.time.ahead(self.end, passed)
    }

    /// Its sender is held back, `passed` after the leg came.
    pub(crate) fn hold_back(&mut self, passed: Duration) {
        self.pace.held_back(passed);
    }

    /// Its call is ended, as it has lasted so long: the transcript says so.
    pub(crate) fn cut_off(&self, longest_call: Duration) {
        let secs = longest_call.as_secs();
        let why =
            format!("ended after {secs} s: no call may last longer (`live.longest_call_secs`)");
        if self.cut_off.set(why).is_ok() {
            tracing::warn!(call.id = %self.call, "a call is ended after {secs} s: `live.longest_call_secs`");
        }
    }

    /// A key was pressed on its party's telephone: its call keeps it.
    pub(crate) fn pressed(&self, press: Press) {
        let at = press.at.unwrap_or(self.end);
        self.keys.note(PressedKey {
            party: self.party,
            at_ms: at.saturating_mul(1_000) / u64::from(self.rate_hz.max(1)),
            duration_ms: press.duration_ms,
            key: Some(press.key),
        });
    }

    /// Takes audio, at a place of the leg's clock or behind what came before; `passed` is the time since the leg came, where
    /// that is the leg's time. Where there is no room it waits, and the sender is held back.
    ///
    /// # Errors
    /// When nobody hears the leg any more.
    pub(crate) async fn push(
        &mut self,
        encoding: Encoding,
        at: Option<u64>,
        bytes: &[u8],
        passed: Option<Duration>,
    ) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        if let Some(passed) = passed {
            let n_samples = bytes.len() / encoding.sample_bytes();
            let secs = n_samples as f64 / f64::from(self.rate_hz);
            self.pace.came(passed, Duration::from_secs_f64(secs));
        }
        self.end = at.unwrap_or(self.end);
        for packet in bytes.chunks(PACKET_BYTES) {
            let n_samples = (packet.len() / encoding.sample_bytes()) as u64;
            if let Some(passed) = passed
                && encoding.peak(packet) < QUIET
                && self.time.take_back(self.end, passed, n_samples)
            {
                self.feed.took_back(n_samples);
                if let Some(tape) = &self.tape {
                    tape.took_back(n_samples);
                }
                continue;
            }
            while !self.push_packet(encoding, packet)? {
                self.time.held_back();
                tokio::time::sleep(FULL_WAIT).await;
            }
        }
        Ok(())
    }

    /// Nothing came for a while: takes silence up to now, `passed` after the leg came.
    pub(crate) async fn fill(&mut self, passed: Duration) -> Result<()> {
        self.begin().await?;
        let missing = self.time.fill(self.end, passed);
        self.push_silent_samples(missing).await
    }

    /// The same where more than `slack` has been missing for long; audio of `to_come` samples follows.
    pub(crate) async fn keep_up(
        &mut self,
        passed: Duration,
        slack: Duration,
        to_come: u64,
    ) -> Result<()> {
        self.begin().await?;
        let end = self.end + to_come;
        let missing = self.time.fill_lasting(end, passed, slack);
        self.push_silent_samples(missing).await
    }

    /// Audio that follows lies at a place of the leg's clock: takes silence for what is missing before, up to what is believed.
    /// What lies before the leg's end comes behind it.
    pub(crate) async fn come_to(&mut self, place: u64, believed: Duration) -> Result<()> {
        self.begin().await?;
        let missing = self.time.fill_to(self.end, place, believed);
        self.push_silent_samples(missing).await
    }

    /// Nothing came for it, and another leg of its connection has come to this place.
    pub(crate) async fn stay_beside(&mut self, place: u64, believed: Duration) -> Result<()> {
        self.begin().await?;
        let missing = self.time.fill_beside(self.end, place, believed);
        self.push_silent_samples(missing).await
    }

    async fn begin(&mut self) -> Result<()> {
        let behind = std::mem::take(&mut self.behind);
        self.push_silence(behind).await
    }

    /// Takes silence of this length, for time in which nothing came.
    pub(crate) async fn push_silence(&mut self, length: Duration) -> Result<()> {
        self.push_silent_samples(self.time.samples(length)).await
    }

    async fn push_silent_samples(&mut self, mut n_samples: u64) -> Result<()> {
        let silence = [0; PACKET_BYTES];
        while n_samples > 0 {
            let n = n_samples.min(PACKET_BYTES as u64 / 2);
            while !self.push_packet(Encoding::L16, &silence[..2 * n as usize])? {
                tokio::time::sleep(FULL_WAIT).await;
            }
            self.feed.filled(n);
            if let Some(tape) = &self.tape {
                tape.filled(n);
            }
            n_samples -= n;
        }
        Ok(())
    }

    /// Has what is kept heard, as far as there is room; tells whether that is all.
    ///
    /// # Errors
    /// When nobody hears the leg any more.
    pub(crate) fn catch_up(&mut self) -> Result<bool> {
        Ok(self.feed.catch_up().map_err(|_| Unheard)?)
    }

    /// Both or none: what is heard is recorded. What is recorded may be heard later. `false`: there is no room just then.
    fn push_packet(&mut self, encoding: Encoding, packet: &[u8]) -> Result<bool> {
        if self.tape.as_ref().is_some_and(|tape| !tape.has_room()) {
            return Ok(false);
        }
        let heard = self.feed.packet(self.end, encoding, packet);
        let pushed = match self.tape.is_some() {
            true => self.feed.push_or_keep(&heard),
            false => self.feed.push(&heard),
        };
        match pushed {
            Ok(()) => {}
            Err(Full::ForNow) => return Ok(false),
            Err(Full::ForEver) => return Err(Unheard.into()),
        }
        if let Some(tape) = &mut self.tape {
            match encoding {
                Encoding::Ulaw => tape.push(self.end, auricle_spool::Encoding::Ulaw, packet),
                Encoding::Alaw => tape.push(self.end, auricle_spool::Encoding::Alaw, packet),
                Encoding::L16 => {
                    let mut bytes = [0; PACKET_BYTES];
                    bytes[..packet.len()].copy_from_slice(packet);
                    swap_bytes(&mut bytes);
                    let bytes = &bytes[..packet.len()];
                    tape.push(self.end, auricle_spool::Encoding::L16, bytes);
                }
            }
        }
        self.end += (packet.len() / encoding.sample_bytes()) as u64;
        Ok(true)
    }
}

/// What the pipeline calls an encoding of recordings, whose 16-bit samples begin with the high byte.
pub(crate) const fn live_encoding(encoding: auricle_spool::Encoding) -> Encoding {
    match encoding {
        auricle_spool::Encoding::Ulaw => Encoding::Ulaw,
        auricle_spool::Encoding::Alaw => Encoding::Alaw,
        auricle_spool::Encoding::L16 => Encoding::L16,
    }
}

/// Exchanges the bytes of 16-bit samples.
pub(crate) fn swap_bytes(samples: &mut [u8]) {
    let (samples, _) = samples.as_chunks_mut::<2>();
    samples.iter_mut().for_each(|sample| sample.reverse());
}

//! A leg as its call has it: one who reads, and those who steer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auricle_rtp::Digit;
use tokio::time::{Instant, timeout_at};

use crate::agreed::LegAgreed;
use crate::capture::Capture;
use crate::format::Coding;
use crate::line::{Line, ToldLine};
use crate::link::Shared;
use crate::play_out::PlayOut;
use crate::record::{Record, RecordReader};

/// A packet that did not come by then does not come: what waits behind it is told.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often the line is told.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// What a leg brings next. `Debug` shows neither audio nor digits.
pub enum Heard<'l> {
    /// Audio without a hole. Places never run back; a hole between two pieces is time in which nothing came.
    Audio {
        /// Where its first sample lies, samples on the leg's clock, which began when the call was opened.
        at: u64,
        /// How it is coded.
        coding: Coding,
        /// The audio.
        bytes: &'l [u8],
    },
    /// A key that was pressed.
    Digit(Digit),
}

impl fmt::Debug for Heard<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audio { at, coding, bytes } => {
                let n_bytes = bytes.len();
                write!(out, "Audio({n_bytes} bytes of {coding:?} at {at})")
            }
            Self::Digit(digit) => write!(out, "{digit:?}"),
        }
    }
}

/// What comes next, with its bytes in the leg's buffer.
enum Next {
    Audio { at: u64, coding: Coding },
    Digit(Digit),
}

/// A leg that is read. Dropped, the leg is over.
pub struct MediaLeg {
    shared: Arc<Shared>,
    records: RecordReader,
    play_out: PlayOut,
    /// The piece that is told.
    bytes: Vec<u8>,
    /// When the last packet of audio came, or when nothing was waited for any longer.
    last_came: Instant,
    line_told: Instant,
}

impl MediaLeg {
    pub(crate) fn new(
        shared: Arc<Shared>,
        records: RecordReader,
        agreed: &LegAgreed,
        leg_hz: u32,
    ) -> Self {
        let mut play_out = PlayOut::new(leg_hz);
        play_out.agree(&agreed.formats, agreed.clock_hz);
        let now = Instant::now();
        Self {
            shared,
            records,
            play_out,
            bytes: Vec::new(),
            last_came: now,
            line_told: now,
        }
    }

    /// The next piece, in order. `None`: the leg was closed, and all that came was told. To be called on a runtime of tokio
    /// with time; may be dropped while it waits, without loss. Allocates until its buffer is as long as the longest piece.
    pub async fn next(&mut self) -> Option<Heard<'_>> {
        let mut is_flushed = false;
        loop {
            // Asked first: what was put into the ring before it was over is there after.
            let is_over = self.records.is_over();
            match self.take() {
                Some(Next::Digit(digit)) => return Some(Heard::Digit(digit)),
                Some(Next::Audio { at, coding }) => {
                    return Some(Heard::Audio {
                        at,
                        coding,
                        bytes: &self.bytes,
                    });
                }
                None if is_over && is_flushed => {
                    self.tell_line();
                    return None;
                }
                None if is_over => {
                    self.play_out.flush();
                    is_flushed = true;
                }
                None => self.wait().await,
            }
        }
    }

    /// What can be told by now.
    fn take(&mut self) -> Option<Next> {
        loop {
            if let Some(ready) = self.play_out.next() {
                self.bytes.clear();
                self.bytes.extend_from_slice(ready.bytes);
                return Some(Next::Audio {
                    at: ready.at,
                    coding: ready.coding,
                });
            }
            match self.records.next()? {
                Record::Audio {
                    at,
                    payload_type,
                    payload,
                } => {
                    self.last_came = Instant::now();
                    self.play_out.take(at, payload_type, payload);
                }
                Record::Silence { at } => self.play_out.take_silence(at),
                Record::Digit(digit) => return Some(Next::Digit(digit)),
                Record::Agreed { clock_hz, formats } => self.play_out.agree(&formats, clock_hz),
            }
        }
    }

    /// Waits until something comes, or until nothing is waited for any longer.
    async fn wait(&mut self) {
        self.tell_line_each_second();
        let came = self.shared.came.notified();
        if !self.play_out.is_waiting() {
            came.await;
        } else if timeout_at(self.last_came + PATIENCE, came).await.is_err() {
            self.play_out.flush();
            self.last_came = Instant::now();
        }
    }

    fn tell_line_each_second(&mut self) {
        if self.line_told.elapsed() >= LINE_EVERY {
            self.tell_line();
        }
    }

    fn tell_line(&mut self) {
        self.line_told = Instant::now();
        self.shared.told.store(ToldLine {
            concealed_samples: self.play_out.concealed_samples(),
            codec: self.play_out.codec(),
            level_dbfs: self.play_out.level_dbfs(),
        });
    }
}

impl Drop for MediaLeg {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for MediaLeg {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MediaLeg").finish_non_exhaustive()
    }
}

/// Steers a leg, beside the one who reads it.
#[derive(Clone)]
pub struct LegControl(Arc<Shared>);

impl LegControl {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Takes what a re-INVITE agreed; the leg's clock goes on. Of several, the last counts.
    pub fn agree(&self, agreed: LegAgreed) {
        self.0.agree(agreed);
    }

    /// How good the line is, as of the last second; final when [`MediaLeg::next`] gave `None`.
    pub fn line(&self) -> Line {
        self.0.line()
    }

    /// Captures the leg's packets from now on, for so long or until it ends. `None`: somebody does already. Allocates 1 MiB.
    pub fn capture(&self, length: Duration) -> Option<Capture> {
        Capture::begin(&self.0, length)
    }

    /// Ends the leg: it hears for 100 ms more what is on its way, then its ports are free.
    pub fn close(&self) {
        self.0.close();
    }
}

impl fmt::Debug for LegControl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LegControl").finish_non_exhaustive()
    }
}

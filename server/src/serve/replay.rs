//! Recordings played as calls under way, at the pace of speech or faster.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use auricle_audio::{AudioBlock, AudioReader};
use auricle_contracts::{CallId, CallMetadata};
use auricle_live::{Encoding, Full, LegFeed, NewLeg};

use super::calls::Calls;
use crate::analyze::channels::{ChannelMap, plan};
use crate::analyze::survey::survey;
use crate::exit::message_of;
use crate::terminal::say;

/// Audio of one packet, milliseconds.
const PACKET_MS: u64 = 20;
/// How long a leg waits for room, where the pipeline is behind.
const FULL_WAIT: Duration = Duration::from_millis(5);

/// Recordings to play.
pub(crate) struct Replay {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) channels: ChannelMap,
    /// Seconds of sound a second.
    pub(crate) speed: f64,
    /// Calls at a time.
    pub(crate) n_calls: usize,
}

impl Replay {
    /// Plays all recordings, `n_calls` at a time; gives how many failed. Ends early when `stop` is set.
    pub(crate) fn play(&self, calls: &Arc<Calls>, stop: &AtomicBool) -> usize {
        let next = std::sync::atomic::AtomicUsize::new(0);
        let failed = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.n_calls.min(self.files.len()) {
                scope.spawn(|| {
                    while let Some(file) = self.files.get(next.fetch_add(1, Ordering::SeqCst)) {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        if let Err(error) = self.play_one(file, calls, stop) {
                            failed.fetch_add(1, Ordering::SeqCst);
                            say!("failed: {}: {}", file.display(), message_of(&error));
                        }
                    }
                });
            }
        });
        failed.into_inner()
    }

    fn play_one(&self, path: &Path, calls: &Calls, stop: &AtomicBool) -> Result<()> {
        let surveyed = survey(path)?;
        let channels = plan(self.channels, &surveyed.channels).map_err(|cause| anyhow!(cause))?;
        let mut reader = AudioReader::open(path)?;
        let rate_hz = reader.info().sample_rate_hz;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let legs = channels.iter().map(|&(_, party)| NewLeg { party, rate_hz });
        // Not the name that `analyze` gives the recording: what it knows of it stays.
        let id = CallId(format!("live-{name}"));
        let mut feeds = calls.open(id, CallMetadata::default(), "replay", legs.collect())?;
        let mut pacer = Pacer::new(self.speed);
        let n_packet = (u64::from(rate_hz) * PACKET_MS / 1000).max(1) as usize;
        let mut waiting: Vec<Vec<u8>> = vec![Vec::new(); channels.len()];
        let mut block = AudioBlock::new();
        let is_to_end = || stop.load(Ordering::Relaxed) || calls.live().has_failed();
        loop {
            let n_frames = reader.next_block(&mut block)?;
            for (bytes, (channel, _)) in waiting.iter_mut().zip(&channels) {
                let samples = block.channel(usize::from(*channel));
                let samples = samples.iter().map(|sample| (sample * 32768.0) as i16);
                bytes.extend(samples.flat_map(i16::to_le_bytes));
            }
            let is_over = n_frames == 0;
            while waiting
                .first()
                .is_some_and(|bytes| bytes.len() >= 2 * n_packet || (is_over && !bytes.is_empty()))
            {
                if is_to_end() {
                    return Ok(());
                }
                pacer.wait(PACKET_MS);
                for (feed, bytes) in feeds.iter_mut().zip(&mut waiting) {
                    let n_bytes = bytes.len().min(2 * n_packet);
                    push(feed, &bytes[..n_bytes], &is_to_end);
                    bytes.drain(..n_bytes);
                }
            }
            if is_over {
                return Ok(());
            }
        }
    }
}

/// Gives a leg its bytes, waiting for room where there is none.
fn push(feed: &mut LegFeed, mut bytes: &[u8], is_to_end: &dyn Fn() -> bool) {
    while let Err(Full::ForNow { n_taken }) = feed.push(Encoding::L16, bytes) {
        if is_to_end() {
            return;
        }
        bytes = &bytes[n_taken..];
        std::thread::sleep(FULL_WAIT);
    }
}

/// Keeps sound at a pace.
struct Pacer {
    speed: f64,
    began: Instant,
    played_ms: u64,
}

impl Pacer {
    fn new(speed: f64) -> Self {
        Self {
            speed,
            began: Instant::now(),
            played_ms: 0,
        }
    }

    /// Waits until the sound before the next `ms` has been played.
    fn wait(&mut self, ms: u64) {
        self.played_ms += ms;
        let due = Duration::from_secs_f64(self.played_ms as f64 / 1000.0 / self.speed);
        let left = due.saturating_sub(self.began.elapsed());
        if !left.is_zero() {
            std::thread::sleep(left);
        }
    }
}

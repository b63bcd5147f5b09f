//! Recordings played as calls under way, at the pace of speech or faster.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use auricle_audio::{AudioBlock, AudioReader};
use auricle_contracts::{CallId, CallMetadata};
use auricle_live::{Encoding, NewLeg};
use auricle_record::CallSettings;
use futures_util::{StreamExt, stream};

use super::{CallLeg, Ingest, Patience, Piece, carry};
use crate::analyze::channels::{ChannelMap, plan};
use crate::analyze::survey::survey;
use crate::exit::message_of;
use crate::serve::calls::{CallToOpen, Calls, WhereAudioLies};
use crate::terminal::say;

/// Audio of one packet, milliseconds.
const PACKET_MS: u64 = 20;
/// A file is never silent; at the slowest pace a packet takes a fifth of a second.
const PATIENCE: Patience = Patience {
    open_within: Duration::from_secs(60),
    quiet_within: Duration::from_secs(60),
    wall: None,
};

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
    pub(crate) async fn play(&self, calls: &Calls, stop: &AtomicBool) -> usize {
        let playing = self.files.iter().map(|file| async move {
            if stop.load(Ordering::Relaxed) {
                return 0;
            }
            match self.play_one(file, calls, stop).await {
                Ok(()) => 0,
                Err(error) => {
                    say!("failed: {}: {}", file.display(), message_of(&error));
                    1
                }
            }
        });
        stream::iter(playing)
            .buffer_unordered(self.n_calls)
            .fold(0, |n_failed, failed| async move { n_failed + failed })
            .await
    }

    async fn play_one(&self, path: &Path, calls: &Calls, stop: &AtomicBool) -> Result<()> {
        let mut playing = Playing::open(self, path, calls, stop)?;
        carry(&mut playing, PATIENCE).await
    }
}

/// A recording that is being played.
struct Playing<'r> {
    reader: AudioReader,
    /// Of the recording.
    channels: Vec<u16>,
    opened: Option<Vec<CallLeg>>,
    pacer: Pacer,
    packet_bytes: usize,
    block: AudioBlock,
    /// What was read of each channel and not played.
    waiting: Vec<Vec<u8>>,
    /// Bytes at its front that were played.
    n_played: usize,
    is_read: bool,
    is_to_end: Box<dyn Fn() -> bool + Send + 'r>,
}

impl<'r> Playing<'r> {
    fn open(replay: &Replay, path: &Path, calls: &'r Calls, stop: &'r AtomicBool) -> Result<Self> {
        let surveyed = survey(path)?;
        let channels = plan(replay.channels, &surveyed.channels).map_err(|cause| anyhow!(cause))?;
        let reader = AudioReader::open(path)?;
        let rate_hz = reader.info().sample_rate_hz;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let legs = channels.iter().map(|&(_, party)| NewLeg { party, rate_hz });
        let opened = calls.open(CallToOpen {
            // Not the name that `analyze` gives the recording: what it knows of it stays.
            id: CallId(format!("live-{name}")),
            metadata: CallMetadata::default(),
            source: "replay",
            legs: legs.collect(),
            settings: CallSettings::default(),
            audio: WhereAudioLies::File,
        })?;
        let packet_samples = (u64::from(rate_hz) * PACKET_MS / 1000).max(1) as usize;
        Ok(Self {
            reader,
            waiting: vec![Vec::new(); channels.len()],
            channels: channels.into_iter().map(|(channel, _)| channel).collect(),
            opened: Some(opened.legs),
            pacer: Pacer::new(replay.speed),
            packet_bytes: 2 * packet_samples,
            block: AudioBlock::new(),
            n_played: 0,
            is_read: false,
            is_to_end: Box::new(|| stop.load(Ordering::Relaxed) || calls.live().has_failed()),
        })
    }

    fn n_waiting(&self) -> usize {
        self.waiting.first().map_or(0, Vec::len) - self.n_played
    }

    fn read(&mut self) -> Result<()> {
        self.is_read = self.reader.next_block(&mut self.block)? == 0;
        for (bytes, channel) in self.waiting.iter_mut().zip(&self.channels) {
            bytes.drain(..self.n_played);
            let samples = self.block.channel(usize::from(*channel));
            let samples = samples.iter().map(|sample| (sample * 32768.0) as i16);
            bytes.extend(samples.flat_map(i16::to_le_bytes));
        }
        self.n_played = 0;
        Ok(())
    }
}

impl Ingest for Playing<'_> {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if let Some(legs) = self.opened.take() {
            return Ok(Some(Piece::Opened(legs)));
        }
        while self.n_waiting() < self.packet_bytes && !self.is_read {
            // A file: the thread may wait for the disk.
            tokio::task::block_in_place(|| self.read())?;
        }
        let n_bytes = self.n_waiting().min(self.packet_bytes);
        if n_bytes == 0 || (self.is_to_end)() {
            return Ok(None);
        }
        self.pacer.wait(PACKET_MS).await;
        let played = self.n_played..self.n_played + n_bytes;
        self.n_played = played.end;
        let channels = self.waiting.iter().map(|bytes| &bytes[played.clone()]);
        Ok(Some(Piece::Audio {
            encoding: Encoding::L16,
            at: None,
            channels: channels.collect(),
        }))
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
    async fn wait(&mut self, ms: u64) {
        self.played_ms += ms;
        let due = Duration::from_secs_f64(self.played_ms as f64 / 1000.0 / self.speed);
        let left = due.saturating_sub(self.began.elapsed());
        if !left.is_zero() {
            tokio::time::sleep(left).await;
        }
    }
}

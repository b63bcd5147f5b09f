//! The audio of a session, and its places.

use std::fmt;

use super::AudioHookWarning;
use super::media::{Media, RATE_HZ};
use super::span::Span;
use crate::channels::{ChannelSplitter, Frames};
use crate::encoding::Encoding;

/// Frames of a millisecond.
const FRAMES_PER_MS: u64 = RATE_HZ as u64 / 1000;

/// Audio to be heard, which borrows the session's buffers. `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct AudioHookAudio<'a> {
    /// Where it begins, frames since the stream began.
    pub at_frames: u64,
    /// µ-law samples, 8 kHz, channel by channel; may be none.
    pub frames: Frames<'a>,
}

impl fmt::Debug for AudioHookAudio<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at_frames, n_frames) = (self.at_frames, self.frames.n_frames());
        write!(out, "AudioHookAudio({n_frames} frames at {at_frames})")
    }
}

/// A part of the stream that does not come: silence belongs there, so that what follows is where it was spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioHookGap {
    /// Where it begins, frames since the stream began; 8,000 are a second.
    pub at_frames: u64,
    /// How long it is, frames; 0 where nothing is missing.
    pub n_frames: u64,
}

impl AudioHookGap {
    /// How long it is, milliseconds, cut to whole ones.
    pub const fn ms(self) -> u64 {
        self.n_frames / FRAMES_PER_MS
    }
}

/// How far a stream is.
pub(super) struct Stream {
    pub(super) media: &'static Media,
    splitter: ChannelSplitter,
    /// When the session began.
    begun_ms: u64,
    /// The other side's place when the session began, frames: where a stream is continued it is not 0.
    origin_frames: u64,
    n_frames: u64,
}

impl Stream {
    pub(super) fn new(media: &'static Media, position: Span, now_ms: u64) -> Self {
        Self {
            media,
            splitter: ChannelSplitter::new(Encoding::Ulaw, media.layout.n_channels()),
            begun_ms: now_ms,
            origin_frames: position.frames(),
            n_frames: 0,
        }
    }

    pub(super) fn n_frames(&self) -> u64 {
        self.n_frames
    }

    pub(super) fn audio(&mut self, message: &[u8]) -> AudioHookAudio<'_> {
        let at_frames = self.n_frames;
        let frames = self.splitter.split(message);
        self.n_frames = self.n_frames.saturating_add(frames.n_frames() as u64);
        AudioHookAudio { at_frames, frames }
    }

    /// Goes on to the end of a part that does not come. Where that lies behind already, nothing is missing: places never
    /// run back.
    pub(super) fn skip(
        &mut self,
        start: Span,
        discarded: Span,
        now_ms: u64,
        limit_ms: u64,
    ) -> Result<AudioHookGap, AudioHookWarning> {
        let end_frames = start.and(discarded).frames();
        let end_frames = end_frames.saturating_sub(self.origin_frames);
        let gap = AudioHookGap {
            at_frames: self.n_frames,
            n_frames: end_frames.saturating_sub(self.n_frames),
        };
        let session_ms = now_ms.saturating_sub(self.begun_ms);
        let n_ms = (end_frames / FRAMES_PER_MS).saturating_sub(session_ms);
        if gap.n_frames > 0 && n_ms > limit_ms {
            return Err(AudioHookWarning::Ahead { n_ms, limit_ms });
        }
        self.n_frames = self.n_frames.saturating_add(gap.n_frames);
        Ok(gap)
    }
}

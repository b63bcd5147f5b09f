//! Interleaved bytes, taken apart by channel.

use std::fmt;

use crate::encoding::Encoding;

/// Takes interleaved audio apart, message by message. A frame (one sample of every channel) that a message cuts is
/// kept and completed by the next one, so what comes out does not depend on how the audio was cut.
///
/// Buffers are reused: once the longest message was seen, nothing is allocated.
#[derive(Clone)]
pub struct ChannelSplitter {
    sample_bytes: usize,
    /// Bytes of one frame, at least 1.
    frame_bytes: usize,
    /// The beginning of a frame, shorter than one.
    kept: Vec<u8>,
    /// One buffer for each channel, all of the same length.
    channels: Vec<Vec<u8>>,
}

impl fmt::Debug for ChannelSplitter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ChannelSplitter")
            .field("n_channels", &self.channels.len())
            .field("n_kept_bytes", &self.kept.len())
            .finish_non_exhaustive()
    }
}

impl ChannelSplitter {
    /// For `n_channels` channels; 0 is taken for 1.
    pub fn new(encoding: Encoding, n_channels: u16) -> Self {
        let sample_bytes = encoding.bytes_per_sample();
        let n_channels = usize::from(n_channels.max(1));
        let frame_bytes = sample_bytes * n_channels;
        Self {
            sample_bytes,
            frame_bytes,
            kept: Vec::with_capacity(frame_bytes),
            channels: vec![Vec::new(); n_channels],
        }
    }

    /// The whole frames that are there with this message, channel by channel.
    pub fn split(&mut self, message: &[u8]) -> Frames<'_> {
        self.channels.iter_mut().for_each(Vec::clear);
        let message = self.complete_kept(message);
        let n_whole_bytes = message.len() / self.frame_bytes * self.frame_bytes;
        let (whole, cut) = message.split_at(n_whole_bytes);
        self.kept.extend_from_slice(cut);
        deal(&mut self.channels, whole, self.sample_bytes);
        Frames {
            sample_bytes: self.sample_bytes,
            channels: &self.channels,
        }
    }

    /// Bytes of a frame that never came to its end, so far.
    pub fn n_kept_bytes(&self) -> usize {
        self.kept.len()
    }

    /// Completes the frame that was cut, if the message is long enough for that; returns what is left of it.
    fn complete_kept<'m>(&mut self, message: &'m [u8]) -> &'m [u8] {
        if self.kept.is_empty() {
            return message;
        }
        let n_missing = self.frame_bytes - self.kept.len();
        let (missing, rest) = message.split_at(n_missing.min(message.len()));
        self.kept.extend_from_slice(missing);
        if self.kept.len() == self.frame_bytes {
            deal(&mut self.channels, &self.kept, self.sample_bytes);
            self.kept.clear();
        }
        rest
    }
}

/// Appends the samples of whole frames to their channels.
fn deal(channels: &mut [Vec<u8>], frames: &[u8], sample_bytes: usize) {
    match sample_bytes {
        1 => deal_samples::<1>(channels, frames),
        _ => deal_samples::<2>(channels, frames),
    }
}

/// The same for a length of sample that the compiler knows, for copies of unknown length are calls.
fn deal_samples<const SAMPLE_BYTES: usize>(channels: &mut [Vec<u8>], frames: &[u8]) {
    let n_channels = channels.len();
    let (samples, _) = frames.as_chunks::<SAMPLE_BYTES>();
    for (channel_idx, channel) in channels.iter_mut().enumerate() {
        let n_bytes = channel.len();
        channel.resize(n_bytes + frames.len() / n_channels, 0);
        let (places, _) = channel[n_bytes..].as_chunks_mut::<SAMPLE_BYTES>();
        let samples = samples.iter().skip(channel_idx).step_by(n_channels);
        for (place, sample) in places.iter_mut().zip(samples) {
            *place = *sample;
        }
    }
}

/// Whole frames, channel by channel: the same number of samples for each, in the encoding they came in.
#[derive(Clone, Copy)]
pub struct Frames<'a> {
    sample_bytes: usize,
    channels: &'a [Vec<u8>],
}

impl fmt::Debug for Frames<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Frames")
            .field("n_channels", &self.channels.len())
            .field("n_frames", &self.n_frames())
            .finish_non_exhaustive()
    }
}

impl<'a> Frames<'a> {
    /// Samples of each channel.
    pub fn n_frames(&self) -> usize {
        let bytes = self.channels.first().map_or(0, Vec::len);
        bytes / self.sample_bytes
    }

    /// The bytes of each channel.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        self.channels.iter().map(Vec::as_slice)
    }
}

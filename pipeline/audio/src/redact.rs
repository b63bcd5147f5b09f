//! A copy of a recording with stretches of it silenced.

use std::io::{Seek, Write};

use thiserror::Error;

use crate::block::AudioBlock;
use crate::error::{AudioError, ReadWarning};
use crate::reader::AudioReader;
use crate::write::{WavEncoding, WavWriter, WriteError};

/// Time in which sound fades out before a silenced stretch, and in again behind it: nothing clicks.
pub const FADE_MS: u64 = 10;

/// A stretch to silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RedactedSpan {
    /// Channel, from 0; `None` for all channels.
    pub channel: Option<usize>,
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End; nothing is silenced where it is not after the start.
    pub end_ms: u64,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Redacted {
    /// Frames of the copy, as many as could be read of the recording.
    pub n_frames: u64,
    /// Samples, all channels together, that were set to zero.
    pub n_silenced_samples: u64,
    /// What is to be said of the recording.
    pub warnings: Vec<ReadWarning>,
}

/// A redacted copy cannot be made.
#[derive(Debug, Error)]
pub enum RedactError {
    /// The recording cannot be read to its end: what is written so far is no whole copy.
    #[error(transparent)]
    Read(#[from] AudioError),
    /// The copy cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A span lies on a channel that the recording does not have, so that something would stay audible.
    #[error(
        "`channel` must be below {n_channels}, got `{channel}`\nhint: redact the recording that the transcript was made from"
    )]
    NoSuchChannel {
        /// As asked for.
        channel: usize,
        /// Channels of the recording.
        n_channels: usize,
    },
}

/// Copies what `reader` still has to give to `sink` as 16-bit WAVE of the same rate and channels, with
/// `spans` set to digital silence on their channels and [`FADE_MS`] of fading on either side. Samples
/// outside are those that were read, bit for bit where these had 16 bits or were G.711.
///
/// Takes any container that [`AudioReader`] opens. Holds one block and the spans: memory does not grow
/// with length. Spans may come in any order, overlap, and lie beyond the end. `reader` must stand at its
/// start: spans count from the first frame that it gives. Gives back the sink, flushed; wrap files in a
/// `BufWriter`, and put the copy in its place only when this has returned.
pub fn redact<W: Write + Seek>(
    reader: &mut AudioReader,
    spans: &[RedactedSpan],
    sink: W,
) -> Result<(W, Redacted), RedactError> {
    let (rate_hz, n_channels) = (reader.info().sample_rate_hz, reader.info().n_channels);
    let mut silencer = Silencer::new(spans, rate_hz, n_channels)?;
    let mut writer = WavWriter::new(sink, WavEncoding::Pcm16, rate_hz, n_channels)?;
    let mut block = AudioBlock::new();
    while reader.next_block(&mut block)? > 0 {
        silencer.silence(&mut block);
        writer.write_block(&block)?;
    }
    let redacted = Redacted {
        n_frames: silencer.next_frame,
        n_silenced_samples: silencer.n_silenced_samples,
        warnings: reader.warnings(),
    };
    Ok((writer.finish()?, redacted))
}

/// Sets stretches of a recording to digital silence, with [`FADE_MS`] of fading on either side, block by block.
pub struct Silencer {
    gates: Vec<Gate>,
    next_frame: u64,
    n_silenced_samples: u64,
}

impl Silencer {
    /// Spans may come in any order, overlap, and lie beyond the end; they count from the first frame of the first block.
    ///
    /// # Errors
    /// A span lies on a channel that is not there.
    pub fn new(
        spans: &[RedactedSpan],
        rate_hz: u32,
        n_channels: usize,
    ) -> Result<Self, RedactError> {
        Ok(Self {
            gates: gates(spans, rate_hz, n_channels)?,
            next_frame: 0,
            n_silenced_samples: 0,
        })
    }

    /// Silences what of the next block is to be silent.
    pub fn silence(&mut self, block: &mut AudioBlock) {
        let n_frames = block.n_frames() as u64;
        for (gate, samples) in self.gates.iter_mut().zip(block.planes_mut()) {
            self.n_silenced_samples += gate.apply(samples, self.next_frame);
        }
        self.next_frame += n_frames;
    }
}

/// Silences one channel.
struct Gate {
    /// Silenced frames, rising, with more than nothing between them.
    silences: Vec<std::ops::Range<u64>>,
    /// Silences that lie behind with their fades.
    n_done: usize,
    n_fade_frames: u64,
}

fn gates(
    spans: &[RedactedSpan],
    rate_hz: u32,
    n_channels: usize,
) -> Result<Vec<Gate>, RedactError> {
    let wrong = spans
        .iter()
        .filter_map(|span| span.channel)
        .find(|&channel| channel >= n_channels);
    if let Some(channel) = wrong {
        return Err(RedactError::NoSuchChannel {
            channel,
            n_channels,
        });
    }
    let of_channel = |channel_idx: usize| {
        let silences = spans
            .iter()
            .filter(|span| span.channel.is_none_or(|channel| channel == channel_idx))
            .filter(|span| span.start_ms < span.end_ms)
            .map(|span| frames(span, rate_hz))
            .collect();
        Gate {
            silences: merged(silences),
            n_done: 0,
            n_fade_frames: u64::from(rate_hz) * FADE_MS / 1000,
        }
    };
    Ok((0..n_channels).map(of_channel).collect())
}

/// Every frame that a span touches.
fn frames(span: &RedactedSpan, rate_hz: u32) -> std::ops::Range<u64> {
    let frames = |ms: u64| u128::from(ms) * u128::from(rate_hz);
    let start = u64::try_from(frames(span.start_ms) / 1000).unwrap_or(u64::MAX);
    let end = u64::try_from(frames(span.end_ms).div_ceil(1000)).unwrap_or(u64::MAX);
    start..end
}

fn merged(mut silences: Vec<std::ops::Range<u64>>) -> Vec<std::ops::Range<u64>> {
    silences.sort_by_key(|silence| silence.start);
    let mut found: Vec<std::ops::Range<u64>> = Vec::new();
    for silence in silences {
        match found.last_mut() {
            Some(last) if silence.start <= last.end => last.end = last.end.max(silence.end),
            _ => found.push(silence),
        }
    }
    found
}

impl Gate {
    /// Silences what of `samples`, the first of which is frame `first_frame`, is to be silent; returns
    /// how many samples that were.
    fn apply(&mut self, samples: &mut [f32], first_frame: u64) -> u64 {
        let end_frame = first_frame + samples.len() as u64;
        let fade = self.n_fade_frames;
        let mut n_silenced = 0;
        while self
            .silences
            .get(self.n_done)
            .is_some_and(|silence| silence.end.saturating_add(fade) <= first_frame)
        {
            self.n_done += 1;
        }
        for silence in &self.silences[self.n_done..] {
            let from = silence.start.saturating_sub(fade).max(first_frame);
            let to = silence.end.saturating_add(fade).min(end_frame);
            if from >= end_frame {
                break;
            }
            for frame in from..to {
                let gain = gain(silence, frame, fade);
                samples[(frame - first_frame) as usize] *= gain;
                n_silenced += u64::from(gain == 0.0);
            }
        }
        n_silenced
    }
}

/// 0 inside; beside it, rising with the distance to just below 1.
fn gain(silence: &std::ops::Range<u64>, frame: u64, n_fade_frames: u64) -> f32 {
    let distance = match frame {
        _ if frame < silence.start => silence.start - frame,
        _ if frame >= silence.end => frame - silence.end + 1,
        _ => 0,
    };
    distance as f32 / (n_fade_frames + 1) as f32
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::g711::Law;

    const RATE_HZ: u32 = 8_000;

    fn recording(encoding: WavEncoding, n_channels: usize, n_frames: usize) -> Vec<u8> {
        let plane = |channel: usize| {
            (0..n_frames)
                .map(|frame| ((frame * (channel + 3)) as f32 / 5.0).sin() * 0.5 + 0.1)
                .collect()
        };
        let block = AudioBlock::from_planes((0..n_channels).map(plane).collect());
        let mut writer =
            WavWriter::new(Cursor::new(Vec::new()), encoding, RATE_HZ, n_channels).unwrap();
        writer.write_block(&block).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: Vec<u8>) -> (u32, Vec<Vec<f32>>) {
        let mut reader = AudioReader::from_source(Cursor::new(bytes), "x").unwrap();
        let mut planes = vec![Vec::new(); reader.info().n_channels];
        let mut block = AudioBlock::new();
        while reader.next_block(&mut block).unwrap() > 0 {
            for (plane, samples) in planes.iter_mut().zip(block.channels()) {
                plane.extend_from_slice(samples);
            }
        }
        (reader.info().sample_rate_hz, planes)
    }

    fn redacted(
        bytes: Vec<u8>,
        spans: &[RedactedSpan],
    ) -> Result<(Vec<u8>, Redacted), RedactError> {
        let mut reader = AudioReader::from_source(Cursor::new(bytes), "x").unwrap();
        let (sink, redacted) = redact(&mut reader, spans, Cursor::new(Vec::new()))?;
        Ok((sink.into_inner(), redacted))
    }

    const fn span(channel: Option<usize>, start_ms: u64, end_ms: u64) -> RedactedSpan {
        RedactedSpan {
            channel,
            start_ms,
            end_ms,
        }
    }

    /// Zero inside, untouched outside, quieter between.
    fn check(bytes: Vec<u8>, spans: &[RedactedSpan]) {
        let (_, open) = read(bytes.clone());
        let (copy, told) = redacted(bytes, spans).unwrap();
        let (rate_hz, copy) = read(copy);
        assert_eq!(rate_hz, RATE_HZ);
        assert_eq!(open.len(), copy.len());
        assert_eq!(told.n_frames, open[0].len() as u64);
        let mut n_silenced = 0;
        for (channel, (open, copy)) in open.iter().zip(&copy).enumerate() {
            assert_eq!(open.len(), copy.len());
            for (frame, (before, after)) in open.iter().zip(copy).enumerate() {
                let at = frame as u64 * 1000;
                let rate = u64::from(RATE_HZ);
                let mine = spans.iter().filter(|span| {
                    span.start_ms < span.end_ms && span.channel.is_none_or(|mine| mine == channel)
                });
                let inside = |margin_ms: u64| {
                    mine.clone().any(|span| {
                        at >= span.start_ms.saturating_sub(margin_ms).saturating_mul(rate)
                            && at < span.end_ms.saturating_add(margin_ms).saturating_mul(rate)
                    })
                };
                if inside(0) {
                    assert_eq!(*after, 0.0, "channel {channel} frame {frame}");
                    n_silenced += 1;
                } else if inside(FADE_MS) {
                    assert!(after.abs() <= before.abs() + 1e-4);
                } else {
                    assert_eq!(after, before, "channel {channel} frame {frame}");
                }
            }
        }
        assert_eq!(told.n_silenced_samples, n_silenced);
    }

    #[test]
    fn spans_are_silent_and_the_rest_is_as_it_was() {
        for encoding in [
            WavEncoding::Pcm16,
            WavEncoding::G711(Law::A),
            WavEncoding::G711(Law::Mu),
        ] {
            let bytes = recording(encoding, 2, 30_000);
            check(bytes.clone(), &[]);
            check(bytes.clone(), &[span(Some(1), 500, 1500)]);
            check(
                bytes.clone(),
                &[span(None, 0, 1), span(Some(0), 3000, 9_000_000)],
            );
            check(
                bytes.clone(),
                &[
                    span(Some(0), 2000, 2500),
                    span(Some(0), 1000, 2100),
                    span(Some(0), 2505, 2600),
                ],
            );
            check(
                bytes,
                &[
                    span(Some(0), u64::MAX - 1, u64::MAX),
                    span(None, 7, 7),
                    span(None, 9, 8),
                ],
            );
        }
    }

    #[test]
    fn sound_fades_and_does_not_click() {
        let block = AudioBlock::from_planes(vec![vec![0.5; 8_000]]);
        let mut writer =
            WavWriter::new(Cursor::new(Vec::new()), WavEncoding::Pcm16, RATE_HZ, 1).unwrap();
        writer.write_block(&block).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let (copy, _) = redacted(bytes, &[span(Some(0), 300, 600)]).unwrap();
        let (_, copy) = read(copy);
        let steps = copy[0].windows(2).map(|pair| (pair[0] - pair[1]).abs());
        assert!(steps.fold(0.0, f32::max) < 0.5 / 75.0);
    }

    #[test]
    fn a_channel_that_is_not_there_is_a_mistake() {
        let bytes = recording(WavEncoding::Pcm16, 1, 100);
        let told = redacted(bytes, &[span(Some(1), 0, 10)])
            .unwrap_err()
            .to_string();
        assert!(
            told.starts_with("`channel` must be below 1, got `1`"),
            "{told}"
        );
    }

    #[test]
    fn damaged_recordings_are_copied_as_far_as_they_go() {
        let mut bytes = recording(WavEncoding::Pcm16, 2, 10_000);
        bytes.truncate(20_000);
        let (copy, told) = redacted(bytes, &[span(None, 100, 200)]).unwrap();
        assert!(matches!(told.warnings[..], [ReadWarning::Truncated { .. }]));
        assert_eq!(read(copy).1[0].len() as u64, told.n_frames);
    }

    proptest! {
        #[test]
        fn any_spans(spans in prop::collection::vec(
            (prop::option::of(0usize..2), 0u64..2_500, 0u64..2_500), 0..8,
        )) {
            let spans: Vec<RedactedSpan> = spans.into_iter()
                .map(|(channel, start_ms, end_ms)| span(channel, start_ms, end_ms))
                .collect();
            check(recording(WavEncoding::Pcm16, 2, 17_000), &spans);
        }
    }
}

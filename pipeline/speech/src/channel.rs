//! One channel of a call: resampling, voice activity, endpointing, and what the recogniser hears.
//!
//! Audio is kept at the channel's own rate where that is below the engine's: it takes less room, and only what is speech is
//! brought to the engine's rate ([`Feeder`](crate::Feeder)).

use auricle_audio::{ResampleError, Resampler};
use auricle_models::{VAD_FRAME_SAMPLES, VAD_RATE_HZ, VadState};

use crate::segment::{EndpointEvent, EndpointSettings, Endpointer, FRAME_MS, level_db};

/// Audio that is let go at a time: moving the tail down costs a copy.
const LET_GO_MS: u64 = 250;

/// A stretch of a channel that the recogniser must hear, or stop hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelEvent {
    /// An utterance opened; it starts at this time, its audio at `audio_from_ms`.
    Open { start_ms: u64, audio_from_ms: u64 },
    /// The utterance closed; it ended at this time, cut where it had grown too long.
    Close { end_ms: u64, is_cut: bool },
}

/// Audio of one channel on its way to the recogniser.
pub(crate) struct Channel {
    to_speech: Resampler,
    to_vad: Resampler,
    settings: EndpointSettings,
    endpointer: Endpointer,
    vad: VadState,
    vad_audio: Vec<f32>,
    /// Audio at `speech_rate_hz`; the first sample is sample `kept_from` of the channel.
    speech_audio: Vec<f32>,
    kept_from: u64,
    speech_rate_hz: u32,
    /// Next sample the recogniser has not heard, while an utterance is open.
    heard_to: Option<u64>,
    /// End of the last utterance: what lies before is its speech, and no pad of the next one.
    last_end: u64,
    frames_judged: u64,
    rate_hz: u32,
    /// Samples that came in.
    n_samples: u64,
}

impl Channel {
    pub(crate) fn new(
        rate_hz: u32,
        engine_rate_hz: u32,
        settings: EndpointSettings,
    ) -> Result<Self, ResampleError> {
        let speech_rate_hz = rate_hz.min(engine_rate_hz);
        let mut channel = Self {
            to_speech: Resampler::new(rate_hz, speech_rate_hz)?,
            to_vad: Resampler::new(rate_hz, VAD_RATE_HZ)?,
            settings,
            endpointer: Endpointer::new(settings),
            vad: VadState::default(),
            vad_audio: Vec::new(),
            speech_audio: Vec::new(),
            kept_from: 0,
            speech_rate_hz,
            heard_to: None,
            last_end: 0,
            frames_judged: 0,
            rate_hz,
            n_samples: 0,
        };
        // What an onset may ask for, and as much again as is let go, and comes, at a time.
        let kept_ms = channel.onset_ms() + FRAME_MS + 2 * LET_GO_MS;
        let n_kept = channel.sample_at(kept_ms) as usize;
        channel.speech_audio.reserve_exact(n_kept);
        Ok(channel)
    }

    pub(crate) fn accept(&mut self, samples: &[f32]) -> Result<(), ResampleError> {
        self.n_samples += samples.len() as u64;
        self.to_vad.process(samples, &mut self.vad_audio)?;
        self.to_speech.process(samples, &mut self.speech_audio)
    }

    /// The channel is over: brings out what the resamplers still hold, and fills the last frame up.
    pub(crate) fn end(&mut self) -> Result<(), ResampleError> {
        self.to_vad.finish(&mut self.vad_audio)?;
        self.to_speech.finish(&mut self.speech_audio)?;
        let missing =
            self.vad_audio.len().next_multiple_of(VAD_FRAME_SAMPLES) - self.vad_audio.len();
        self.vad_audio.resize(self.vad_audio.len() + missing, 0.0);
        Ok(())
    }

    /// The next frame for voice activity, once it is whole.
    pub(crate) fn next_vad_frame(&self) -> Option<&[f32]> {
        self.vad_audio.get(..VAD_FRAME_SAMPLES)
    }

    /// The same, and what voice activity remembers of the channel.
    pub(crate) fn waiting_frame(&mut self) -> Option<(&[f32], &mut VadState)> {
        let frame = self.vad_audio.get(..VAD_FRAME_SAMPLES)?;
        Some((frame, &mut self.vad))
    }

    /// Samples a second of the speech that is taken.
    pub(crate) fn speech_rate_hz(&self) -> u32 {
        self.speech_rate_hz
    }

    /// Up to where frames are judged, milliseconds; no more than there was audio.
    pub(crate) fn judged_ms(&self) -> u64 {
        (self.frames_judged * FRAME_MS).min(self.n_samples * 1000 / u64::from(self.rate_hz))
    }

    /// No utterance that is still to close ends before this.
    pub(crate) fn settled_ms(&self) -> u64 {
        match self.endpointer.silent_from() {
            Some(frame) => (frame * FRAME_MS).min(self.judged_ms()),
            None => self.judged_ms(),
        }
    }

    /// No utterance that is still to open starts before this.
    pub(crate) fn begun_ms(&self) -> u64 {
        let onset_ms = self.endpointer.longest_onset_frames() * FRAME_MS;
        self.judged_ms().saturating_sub(onset_ms)
    }

    /// Takes the judgement on the frame that [`Self::next_vad_frame`] gave.
    pub(crate) fn judged(&mut self, speech_prob: f32) -> Option<ChannelEvent> {
        let level_db = level_db(&self.vad_audio[..VAD_FRAME_SAMPLES]);
        self.vad_audio.drain(..VAD_FRAME_SAMPLES);
        self.frames_judged += 1;
        let event = self.endpointer.push(speech_prob, level_db);
        self.follow(event)
    }

    /// Closes an utterance that the end of the channel cut off.
    pub(crate) fn close(&mut self) -> Option<ChannelEvent> {
        let event = self.endpointer.finish();
        self.follow(event)
    }

    fn follow(&mut self, event: Option<EndpointEvent>) -> Option<ChannelEvent> {
        match event? {
            EndpointEvent::Start(frame) => {
                let start_ms = frame * FRAME_MS;
                let audio_from_ms = start_ms.saturating_sub(self.settings.pad_before_ms);
                let from = self.sample_at(audio_from_ms).max(self.last_end);
                let from = from.max(self.kept_from);
                self.heard_to = Some(from);
                Some(ChannelEvent::Open {
                    start_ms,
                    audio_from_ms: from * 1000 / u64::from(self.speech_rate_hz),
                })
            }
            event @ (EndpointEvent::End(frame) | EndpointEvent::Cut(frame)) => {
                Some(ChannelEvent::Close {
                    // The last frame was filled up with silence.
                    end_ms: (frame * FRAME_MS).min(self.n_samples * 1000 / u64::from(self.rate_hz)),
                    is_cut: matches!(event, EndpointEvent::Cut(_)),
                })
            }
        }
    }

    /// Audio for the recogniser that is surely speech by now, or a pause within it.
    pub(crate) fn take_speech(&mut self) -> &[f32] {
        let judged_to = self.frames_judged * FRAME_MS;
        let to_ms = match self.endpointer.silent_from() {
            Some(frame) => (frame * FRAME_MS + self.settings.pad_after_ms).min(judged_to),
            None => judged_to,
        };
        self.take_to(to_ms)
    }

    /// The rest of an utterance that closed: up to the pad after its end, as far as that is known for silence.
    pub(crate) fn take_rest(&mut self, end_ms: u64) -> &[f32] {
        self.last_end = self.sample_at(end_ms);
        let judged_ms = self.frames_judged * FRAME_MS;
        let end = self.sample_at((end_ms + self.settings.pad_after_ms).min(judged_ms));
        let from = self.heard_to.take().unwrap_or(end);
        self.slice(from, end)
    }

    fn take_to(&mut self, to_ms: u64) -> &[f32] {
        let Some(from) = self.heard_to else {
            return &[];
        };
        let to = self
            .sample_at(to_ms)
            .min(self.kept_from + self.speech_audio.len() as u64);
        self.heard_to = Some(from.max(to));
        self.slice(from, to)
    }

    fn slice(&self, from: u64, to: u64) -> &[f32] {
        let n_kept = self.speech_audio.len() as u64;
        let to = to.saturating_sub(self.kept_from).min(n_kept);
        let from = from.saturating_sub(self.kept_from).min(to);
        &self.speech_audio[from as usize..to as usize]
    }

    fn sample_at(&self, at_ms: u64) -> u64 {
        at_ms * u64::from(self.speech_rate_hz) / 1000
    }

    /// The most samples that are given at once: from before an onset, or a pause after which speech went on, with the pad
    /// after an end.
    pub(crate) fn most_speech_samples(&self) -> usize {
        let longest_ms = self.onset_ms().max(self.settings.trailing_silence_ms);
        self.sample_at(longest_ms + self.settings.pad_after_ms + FRAME_MS) as usize
    }

    /// How long before the frame that tells it an utterance's audio may begin.
    fn onset_ms(&self) -> u64 {
        self.endpointer.longest_onset_frames() * FRAME_MS + self.settings.pad_before_ms
    }

    /// Forgets audio that nobody will ask for: all but the pad before what may become speech.
    pub(crate) fn drop_heard(&mut self) {
        let onset_ms = self.onset_ms() + FRAME_MS;
        let idle_from = self.sample_at((self.frames_judged * FRAME_MS).saturating_sub(onset_ms));
        let needed_from = self.heard_to.unwrap_or(idle_from);
        let unused = needed_from
            .saturating_sub(self.kept_from)
            .min(self.speech_audio.len() as u64);
        if unused >= self.sample_at(LET_GO_MS) {
            self.speech_audio.drain(..unused as usize);
            self.kept_from += unused;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whoever takes speech makes room for so much.
        #[test]
        fn no_more_is_given_at_once_than_was_said(
            trailing_silence_ms in 32_u64..10_000,
            lookback_ms in 0_u64..3_000,
            pad_after_ms in 0_u64..1_000,
            stretches in proptest::collection::vec((any::<bool>(), 1_usize..400), 1..12),
        ) {
            let settings = EndpointSettings {
                trailing_silence_ms,
                hold_ms: trailing_silence_ms.min(640),
                lookback_ms,
                pad_after_ms,
                ..EndpointSettings::default()
            };
            let mut channel = Channel::new(VAD_RATE_HZ, VAD_RATE_HZ, settings).unwrap();
            let frame = [0.1; VAD_FRAME_SAMPLES];
            for (is_speech, n_frames) in stretches {
                for _ in 0..n_frames {
                    channel.accept(&frame).unwrap();
                    let event = channel.judged(f32::from(u8::from(is_speech)));
                    let most = channel.most_speech_samples();
                    let given = match event {
                        Some(ChannelEvent::Close { end_ms, .. }) => channel.take_rest(end_ms),
                        _ => channel.take_speech(),
                    };
                    prop_assert!(given.len() <= most, "{} {most}", given.len());
                    channel.drop_heard();
                }
            }
        }
    }

    /// What the recogniser hears of each utterance of a channel that counts its samples, 100,000 to full scale.
    /// `is_speech` says so for each frame; audio comes in pieces of `piece` samples.
    fn heard(piece: usize, is_speech: fn(u64) -> bool) -> Vec<(usize, usize)> {
        let settings = EndpointSettings {
            max_utterance_ms: 1_000,
            ..EndpointSettings::default()
        };
        let mut channel = Channel::new(VAD_RATE_HZ, VAD_RATE_HZ, settings).unwrap();
        let audio: Vec<f32> = (0..40_000).map(|at| at as f32 / 100_000.0).collect();
        let mut utterances: Vec<Vec<f32>> = Vec::new();
        let mut frame = 0;
        for piece in audio.chunks(piece) {
            channel.accept(piece).unwrap();
            while channel.next_vad_frame().is_some() {
                let event = channel.judged(f32::from(u8::from(is_speech(frame))));
                frame += 1;
                let more = match event {
                    Some(ChannelEvent::Close { end_ms, .. }) => channel.take_rest(end_ms),
                    _ => channel.take_speech(),
                };
                match event {
                    Some(ChannelEvent::Open { .. }) => utterances.push(more.to_vec()),
                    _ if more.is_empty() => {}
                    _ => utterances.last_mut().unwrap().extend(more),
                }
            }
            channel.drop_heard();
        }
        let at = |sample: f32| (sample * 100_000.0).round() as usize;
        let span = |audio: &Vec<f32>| {
            let (first, last) = (at(audio[0]), at(audio[audio.len() - 1]));
            assert_eq!(
                last + 1 - first,
                audio.len(),
                "without gaps and repetitions"
            );
            (first, last + 1)
        };
        utterances.iter().map(span).collect()
    }

    #[test]
    fn no_speech_is_heard_twice_where_a_long_utterance_was_parted() {
        // 1,500 ms are 47 frames of 256 samples.
        let endless = [
            (0, 12_032),
            (12_032, 24_064),
            (24_064, 36_096),
            (36_096, 39_936),
        ];
        assert_eq!(heard(100, |_| true), endless);
        assert_eq!(heard(40_000, |_| true), endless);
    }

    #[test]
    fn a_short_pause_in_a_long_utterance_is_heard_on_both_sides() {
        let pause = |frame: u64| !(40..46).contains(&frame);
        let parted = heard(100, pause);
        // The pad before the second is the pause alone; that after the first ends where silence is known.
        assert_eq!(parted[0], (0, 45 * 256));
        assert_eq!(parted[1].0, 40 * 256);
        assert_eq!(heard(40_000, pause), parted);
    }
}

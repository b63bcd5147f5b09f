//! One channel of a call: resampling, voice activity, endpointing, and what the recogniser hears.

use auricle_audio::{ResampleError, Resampler};
use auricle_models::{VAD_FRAME_SAMPLES, VAD_RATE_HZ, VadState};

use crate::segment::{EndpointEvent, EndpointSettings, Endpointer, FRAME_MS, level_db};

/// A stretch of a channel that the recogniser must hear, or stop hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelEvent {
    /// An utterance opened; it starts at this time, its audio at `audio_from_ms`.
    Open { start_ms: u64, audio_from_ms: u64 },
    /// The utterance closed; it ended at this time.
    Close { end_ms: u64 },
}

/// Audio of one channel on its way to the recogniser.
pub(crate) struct Channel {
    to_engine: Resampler,
    to_vad: Resampler,
    settings: EndpointSettings,
    endpointer: Endpointer,
    pub(crate) vad: VadState,
    vad_audio: Vec<f32>,
    /// Audio at the engine's rate; the first sample is sample `kept_from` of the channel.
    engine_audio: Vec<f32>,
    kept_from: u64,
    engine_rate_hz: u32,
    /// Next sample the recogniser has not heard, while an utterance is open.
    heard_to: Option<u64>,
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
        Ok(Self {
            to_engine: Resampler::new(rate_hz, engine_rate_hz)?,
            to_vad: Resampler::new(rate_hz, VAD_RATE_HZ)?,
            settings,
            endpointer: Endpointer::new(settings),
            vad: VadState::default(),
            vad_audio: Vec::new(),
            engine_audio: Vec::new(),
            kept_from: 0,
            engine_rate_hz,
            heard_to: None,
            frames_judged: 0,
            rate_hz,
            n_samples: 0,
        })
    }

    pub(crate) fn accept(&mut self, samples: &[f32]) -> Result<(), ResampleError> {
        self.n_samples += samples.len() as u64;
        self.to_vad.process(samples, &mut self.vad_audio)?;
        self.to_engine.process(samples, &mut self.engine_audio)
    }

    /// The channel is over: brings out what the resamplers still hold, and fills the last frame up.
    pub(crate) fn end(&mut self) -> Result<(), ResampleError> {
        self.to_vad.finish(&mut self.vad_audio)?;
        self.to_engine.finish(&mut self.engine_audio)?;
        let missing =
            self.vad_audio.len().next_multiple_of(VAD_FRAME_SAMPLES) - self.vad_audio.len();
        self.vad_audio.resize(self.vad_audio.len() + missing, 0.0);
        Ok(())
    }

    /// The next frame for voice activity, once it is whole.
    pub(crate) fn next_vad_frame(&self) -> Option<&[f32]> {
        self.vad_audio.get(..VAD_FRAME_SAMPLES)
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
                let from = self.sample_at(audio_from_ms).max(self.kept_from);
                self.heard_to = Some(from);
                Some(ChannelEvent::Open {
                    start_ms,
                    audio_from_ms: from * 1000 / u64::from(self.engine_rate_hz),
                })
            }
            EndpointEvent::End(frame) => Some(ChannelEvent::Close {
                // The last frame was filled up with silence.
                end_ms: (frame * FRAME_MS).min(self.n_samples * 1000 / u64::from(self.rate_hz)),
            }),
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

    /// The rest of an utterance that closed: up to the pad after its end.
    pub(crate) fn take_rest(&mut self, end_ms: u64) -> &[f32] {
        let end = self.sample_at(end_ms + self.settings.pad_after_ms);
        let from = self.heard_to.take().unwrap_or(end);
        self.slice(from, end)
    }

    fn take_to(&mut self, to_ms: u64) -> &[f32] {
        let Some(from) = self.heard_to else {
            return &[];
        };
        let to = self
            .sample_at(to_ms)
            .min(self.kept_from + self.engine_audio.len() as u64);
        self.heard_to = Some(from.max(to));
        self.slice(from, to)
    }

    fn slice(&self, from: u64, to: u64) -> &[f32] {
        let n_kept = self.engine_audio.len() as u64;
        let to = to.saturating_sub(self.kept_from).min(n_kept);
        let from = from.saturating_sub(self.kept_from).min(to);
        &self.engine_audio[from as usize..to as usize]
    }

    fn sample_at(&self, at_ms: u64) -> u64 {
        at_ms * u64::from(self.engine_rate_hz) / 1000
    }

    /// Forgets audio that nobody will ask for: all but the pad before what may become speech.
    pub(crate) fn drop_heard(&mut self) {
        let onset_ms = self.settings.min_speech_ms
            + self.settings.lookback_ms
            + 2 * FRAME_MS
            + self.settings.pad_before_ms;
        let idle_from = self.sample_at((self.frames_judged * FRAME_MS).saturating_sub(onset_ms));
        let needed_from = self.heard_to.unwrap_or(idle_from);
        let unused = needed_from
            .saturating_sub(self.kept_from)
            .min(self.engine_audio.len() as u64);
        // Moving the tail down costs a copy, so it is done once a second's worth is gone.
        if unused >= u64::from(self.engine_rate_hz) {
            self.engine_audio.drain(..unused as usize);
            self.kept_from += unused;
        }
    }
}

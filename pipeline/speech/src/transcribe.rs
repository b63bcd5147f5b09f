//! One call from audio to utterances: all its channels, decoded together.

use std::sync::Arc;

use auricle_audio::Resampler;
use auricle_contracts::{Party, Utterance};
use auricle_models::{
    Hypothesis, StreamKey, StreamOptions, StreamingEngine, VAD_FRAME_SAMPLES, VoiceActivity,
};

use crate::channel::{Channel, ChannelEvent};
use crate::model::{SpeechError, SpeechModel};
use crate::utterance::{Place, Writer};

/// A channel of a recording and who speaks on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelPlan {
    /// Channel of the recording, from 0.
    pub channel: u16,
    /// Who speaks there.
    pub party: Party,
}

/// Hears one call. Audio goes in channel by channel as it comes; utterances come out as they close.
///
/// Memory does not grow with the length of the call, but for the utterances themselves.
pub struct CallTranscriber {
    model: Arc<SpeechModel>,
    engine: Box<dyn StreamingEngine>,
    vad: Box<dyn VoiceActivity>,
    legs: Vec<Leg>,
    finished: Vec<Utterance>,
    probs: Vec<f32>,
}

struct Leg {
    plan: ChannelPlan,
    channel: Channel,
    open: Option<Open>,
}

/// An utterance in the making.
struct Open {
    stream: StreamKey,
    start_ms: u64,
    audio_from_ms: u64,
    /// What the recogniser heard, kept only for a second pass.
    heard: Vec<f32>,
}

impl CallTranscriber {
    /// Opens a call whose channels come at `sample_rate_hz`.
    ///
    /// # Errors
    /// When the rate is absurd or an engine cannot be made.
    pub fn new(
        model: Arc<SpeechModel>,
        channels: &[ChannelPlan],
        sample_rate_hz: u32,
    ) -> Result<Self, SpeechError> {
        let leg = |plan: &ChannelPlan| -> Result<Leg, SpeechError> {
            let channel = Channel::new(sample_rate_hz, model.rate_hz(), model.settings().endpoint)?;
            Ok(Leg {
                plan: *plan,
                channel,
                open: None,
            })
        };
        let legs = channels.iter().map(leg).collect::<Result<_, _>>()?;
        let (engine, vad) = (model.borrow_engine()?, model.borrow_vad()?);
        Ok(Self {
            model,
            engine,
            vad,
            legs,
            finished: Vec::new(),
            probs: Vec::new(),
        })
    }

    /// Takes samples (−1 to 1) of the channel at `channel_idx` of the plan. Channels may come in any
    /// order and in any pieces; they are judged together once each has a frame.
    ///
    /// # Errors
    /// When the plan has no such channel, or an engine fails.
    pub fn push(&mut self, channel_idx: usize, samples: &[f32]) -> Result<(), SpeechError> {
        let n_channels = self.legs.len();
        let leg = self
            .legs
            .get_mut(channel_idx)
            .ok_or(SpeechError::NoSuchChannel {
                channel_idx,
                n_channels,
            })?;
        leg.channel.accept(samples)?;
        self.run()
    }

    /// Utterances that closed since the last call, in the order they closed.
    pub fn take_finished(&mut self) -> Vec<Utterance> {
        std::mem::take(&mut self.finished)
    }

    /// What a channel's open utterance reads like so far; `None` while nobody speaks.
    ///
    /// # Errors
    /// When the plan has no such channel.
    pub fn partial(&self, channel_idx: usize) -> Result<Option<Hypothesis>, SpeechError> {
        let n_channels = self.legs.len();
        let leg = self
            .legs
            .get(channel_idx)
            .ok_or(SpeechError::NoSuchChannel {
                channel_idx,
                n_channels,
            })?;
        Ok(leg
            .open
            .as_ref()
            .map(|open| self.engine.partial(open.stream))
            .transpose()?)
    }

    /// The call is over: closes what is open and gives all utterances not yet taken, by start time.
    ///
    /// # Errors
    /// When an engine fails.
    pub fn finish(mut self) -> Result<Vec<Utterance>, SpeechError> {
        self.legs.iter_mut().try_for_each(|leg| leg.channel.end())?;
        self.run()?;
        for leg in 0..self.legs.len() {
            let event = self.legs[leg].channel.close();
            self.follow(leg, event)?;
        }
        let mut utterances = self.take_finished();
        utterances.sort_by_key(|utterance| (utterance.start_ms, utterance.channel));
        self.model.give_back(self.engine, self.vad);
        Ok(utterances)
    }

    /// Judges and hears all that is there.
    fn run(&mut self) -> Result<(), SpeechError> {
        while let Some(frames) = self.next_frames() {
            self.judge(&frames)?;
            for leg in 0..self.legs.len() {
                let event = self.legs[leg].channel.judged(self.probs[leg]);
                self.follow(leg, event)?;
                self.hear(leg)?;
            }
            while self.engine.step()?.n_advanced > 0 {}
        }
        self.legs
            .iter_mut()
            .for_each(|leg| leg.channel.drop_heard());
        Ok(())
    }

    /// One frame of every channel; `None` until all have one.
    fn next_frames(&self) -> Option<Vec<[f32; VAD_FRAME_SAMPLES]>> {
        let frame = |leg: &Leg| {
            leg.channel
                .next_vad_frame()
                .and_then(|frame| frame.try_into().ok())
        };
        (!self.legs.is_empty()).then(|| self.legs.iter().map(frame).collect())?
    }

    fn judge(&mut self, frames: &[[f32; VAD_FRAME_SAMPLES]]) -> Result<(), SpeechError> {
        let frames: Vec<&[f32]> = frames
            .iter()
            .map(<[f32; VAD_FRAME_SAMPLES]>::as_slice)
            .collect();
        let mut states: Vec<_> = self
            .legs
            .iter_mut()
            .map(|leg| &mut leg.channel.vad)
            .collect();
        self.probs.clear();
        Ok(self.vad.judge(&frames, &mut states, &mut self.probs)?)
    }

    fn hear(&mut self, leg: usize) -> Result<(), SpeechError> {
        let leg = &mut self.legs[leg];
        let Some(open) = leg.open.as_mut() else {
            return Ok(());
        };
        let speech = leg.channel.take_speech();
        if self.model.second_pass().is_some() {
            open.heard.extend_from_slice(speech);
        }
        if speech.is_empty() {
            Ok(())
        } else {
            Ok(self.engine.accept(open.stream, speech)?)
        }
    }

    fn follow(&mut self, leg: usize, event: Option<ChannelEvent>) -> Result<(), SpeechError> {
        match event {
            None => Ok(()),
            Some(ChannelEvent::Open {
                start_ms,
                audio_from_ms,
            }) => {
                let options = StreamOptions {
                    hotwords: self.model.hotwords().biases(),
                };
                let stream = self.engine.open_stream(&options)?;
                self.legs[leg].open = Some(Open {
                    stream,
                    start_ms,
                    audio_from_ms,
                    heard: Vec::new(),
                });
                Ok(())
            }
            Some(ChannelEvent::Close { end_ms }) => self.close(leg, end_ms),
        }
    }

    fn close(&mut self, leg: usize, end_ms: u64) -> Result<(), SpeechError> {
        let leg = &mut self.legs[leg];
        let rest = leg.channel.take_rest(end_ms);
        let Some(mut open) = leg.open.take() else {
            return Ok(());
        };
        self.engine.accept(open.stream, rest)?;
        let hypotheses = self.engine.finish(open.stream)?;
        let place = Place {
            party: leg.plan.party,
            channel: leg.plan.channel,
            start_ms: open.start_ms,
            end_ms,
            audio_from_ms: open.audio_from_ms,
        };
        let settings = self.model.settings();
        let writer = Writer {
            language: self.model.language(),
            lattice: &settings.lattice,
            kind: self.model.token_kind(),
        };
        let mut utterance = writer.write(&hypotheses, place);
        if let (Some(first), Some(second)) = (&mut utterance, self.model.second_pass()) {
            open.heard.extend_from_slice(rest);
            let heard = at_rate(&open.heard, self.model.rate_hz(), second.sample_rate_hz())?;
            writer.write_again(
                first,
                &second.transcribe(&heard, &settings.language)?,
                place,
            );
        }
        self.finished.extend(utterance);
        Ok(())
    }
}

fn at_rate(samples: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>, SpeechError> {
    let mut resampler = Resampler::new(from_hz, to_hz)?;
    let mut out = Vec::with_capacity(samples.len());
    resampler.process(samples, &mut out)?;
    resampler.finish(&mut out)?;
    Ok(out)
}

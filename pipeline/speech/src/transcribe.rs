//! One call from audio to utterances: all its channels, decoded together.

use std::sync::Arc;

use auricle_audio::Resampler;
use auricle_contracts::{Party, Utterance, Voice};
use auricle_models::{
    Hypothesis, StreamKey, StreamOptions, StreamingEngine, VAD_FRAME_SAMPLES, VoiceActivity,
};

use crate::channel::{Channel, ChannelEvent};
use crate::model::{SpeechError, SpeechModel};
use crate::utterance::{Place, Writer};
use crate::voice::ChannelVoice;

/// A channel of a recording and who speaks on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelPlan {
    /// Channel of the recording, from 0.
    pub channel: u16,
    /// Who speaks there.
    pub party: Party,
}

/// How soon a call's audio must be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Each chunk as soon as it is there: partials follow the speaker.
    Live,
    /// When several utterances wait: they are decoded side by side, which costs less than one after the
    /// other. What is heard is the same.
    Recorded,
}

/// Utterances that are decoded side by side at [`Pace::Recorded`].
const UTTERANCES_TOGETHER: usize = 12;
/// Audio that may wait for them, seconds: 2 MB of features.
const WAITING_SECS: usize = 60;

/// Hears one call. Audio goes in channel by channel as it comes; utterances come out as they close.
///
/// Memory does not grow with the length of the call, but for the utterances themselves.
pub struct CallTranscriber {
    model: Arc<SpeechModel>,
    engine: Box<dyn StreamingEngine>,
    vad: Box<dyn VoiceActivity>,
    pace: Pace,
    streams: Vec<ChannelStream>,
    /// Utterances that are over and not yet decoded to their end.
    closed: Vec<Closed>,
    /// Samples given to the engine and not yet stepped through, of all streams.
    n_waiting: usize,
    finished: Vec<Utterance>,
    probs: Vec<f32>,
}

struct ChannelStream {
    plan: ChannelPlan,
    channel: Channel,
    voice: ChannelVoice,
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

/// An utterance that is over.
struct Closed {
    stream: StreamKey,
    place: Place,
    heard: Vec<f32>,
    voice: Option<Voice>,
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
        pace: Pace,
    ) -> Result<Self, SpeechError> {
        let open = |plan: &ChannelPlan| -> Result<ChannelStream, SpeechError> {
            let channel = Channel::new(sample_rate_hz, model.rate_hz(), model.settings().endpoint)?;
            Ok(ChannelStream {
                plan: *plan,
                channel,
                voice: ChannelVoice::new(model.rate_hz())?,
                open: None,
            })
        };
        let streams = channels.iter().map(open).collect::<Result<_, _>>()?;
        let (engine, vad) = (model.borrow_engine()?, model.borrow_vad()?);
        Ok(Self {
            model,
            engine,
            vad,
            pace,
            streams,
            closed: Vec::new(),
            n_waiting: 0,
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
        let n_channels = self.streams.len();
        let stream = self
            .streams
            .get_mut(channel_idx)
            .ok_or(SpeechError::NoSuchChannel {
                channel_idx,
                n_channels,
            })?;
        stream.channel.accept(samples)?;
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
        let n_channels = self.streams.len();
        let stream = self
            .streams
            .get(channel_idx)
            .ok_or(SpeechError::NoSuchChannel {
                channel_idx,
                n_channels,
            })?;
        Ok(stream
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
        self.streams
            .iter_mut()
            .try_for_each(|stream| stream.channel.end())?;
        self.run()?;
        for index in 0..self.streams.len() {
            let event = self.streams[index].channel.close();
            self.follow(index, event)?;
        }
        self.decode()?;
        let mut utterances = self.take_finished();
        utterances.sort_by_key(|utterance| (utterance.start_ms, utterance.channel));
        self.model.give_back(self.engine, self.vad);
        Ok(utterances)
    }

    /// Judges and hears all that is there.
    fn run(&mut self) -> Result<(), SpeechError> {
        while let Some(frames) = self.next_frames() {
            self.judge(&frames)?;
            for index in 0..self.streams.len() {
                let event = self.streams[index].channel.judged(self.probs[index]);
                self.follow(index, event)?;
                self.hear(index)?;
            }
            let waiting_limit = WAITING_SECS * self.model.rate_hz() as usize;
            let is_due =
                self.closed.len() >= UTTERANCES_TOGETHER || self.n_waiting >= waiting_limit;
            if self.pace == Pace::Live || is_due {
                self.decode()?;
            }
        }
        self.streams
            .iter_mut()
            .for_each(|stream| stream.channel.drop_heard());
        Ok(())
    }

    /// Steps through all that waits, and writes the utterances that are over.
    fn decode(&mut self) -> Result<(), SpeechError> {
        while self.engine.step()?.n_advanced > 0 {}
        self.n_waiting = 0;
        for closed in std::mem::take(&mut self.closed) {
            let hypotheses = self.engine.finish(closed.stream)?;
            let utterance = self.write(&hypotheses, &closed)?;
            self.finished.extend(utterance);
        }
        Ok(())
    }

    /// One frame of every channel; `None` until all have one.
    fn next_frames(&self) -> Option<Vec<[f32; VAD_FRAME_SAMPLES]>> {
        let frame = |stream: &ChannelStream| {
            stream
                .channel
                .next_vad_frame()
                .and_then(|frame| frame.try_into().ok())
        };
        (!self.streams.is_empty()).then(|| self.streams.iter().map(frame).collect())?
    }

    fn judge(&mut self, frames: &[[f32; VAD_FRAME_SAMPLES]]) -> Result<(), SpeechError> {
        let frames: Vec<&[f32]> = frames
            .iter()
            .map(<[f32; VAD_FRAME_SAMPLES]>::as_slice)
            .collect();
        let mut states: Vec<_> = self
            .streams
            .iter_mut()
            .map(|stream| &mut stream.channel.vad)
            .collect();
        self.probs.clear();
        Ok(self.vad.judge(&frames, &mut states, &mut self.probs)?)
    }

    fn hear(&mut self, index: usize) -> Result<(), SpeechError> {
        let stream = &mut self.streams[index];
        let Some(open) = stream.open.as_mut() else {
            return Ok(());
        };
        let speech = stream.channel.take_speech();
        if self.model.second_pass().is_some() {
            open.heard.extend_from_slice(speech);
        }
        if speech.is_empty() {
            return Ok(());
        }
        self.n_waiting += speech.len();
        stream.voice.accept(speech)?;
        Ok(self.engine.accept(open.stream, speech)?)
    }

    fn follow(&mut self, index: usize, event: Option<ChannelEvent>) -> Result<(), SpeechError> {
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
                self.streams[index].open = Some(Open {
                    stream,
                    start_ms,
                    audio_from_ms,
                    heard: Vec::new(),
                });
                Ok(())
            }
            Some(ChannelEvent::Close { end_ms }) => self.close(index, end_ms),
        }
    }

    fn close(&mut self, index: usize, end_ms: u64) -> Result<(), SpeechError> {
        let stream = &mut self.streams[index];
        let rest = stream.channel.take_rest(end_ms);
        let Some(mut open) = stream.open.take() else {
            return Ok(());
        };
        self.n_waiting += rest.len();
        stream.voice.accept(rest)?;
        let voice = stream.voice.finish()?;
        self.engine.accept(open.stream, rest)?;
        self.engine.end(open.stream)?;
        if self.model.second_pass().is_some() {
            open.heard.extend_from_slice(rest);
        }
        self.closed.push(Closed {
            stream: open.stream,
            place: Place {
                party: stream.plan.party,
                channel: stream.plan.channel,
                start_ms: open.start_ms,
                end_ms,
                audio_from_ms: open.audio_from_ms,
            },
            heard: open.heard,
            voice,
        });
        Ok(())
    }

    fn write(
        &self,
        hypotheses: &[Hypothesis],
        closed: &Closed,
    ) -> Result<Option<Utterance>, SpeechError> {
        let settings = self.model.settings();
        let writer = Writer {
            language: self.model.language(),
            lattice: &settings.lattice,
            kind: self.model.token_kind(),
            emission_ms: self.model.emission_ms(),
        };
        let mut utterance = writer.write(hypotheses, closed.place);
        if let (Some(first), Some(second)) = (&mut utterance, self.model.second_pass()) {
            let heard = at_rate(&closed.heard, self.model.rate_hz(), second.sample_rate_hz())?;
            let again = second.transcribe(&heard, &settings.language)?;
            writer.write_again(first, &again, closed.place);
        }
        if let Some(utterance) = &mut utterance {
            utterance.voice = closed.voice;
        }
        Ok(utterance)
    }
}

fn at_rate(samples: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>, SpeechError> {
    let mut resampler = Resampler::new(from_hz, to_hz)?;
    let mut out = Vec::with_capacity(samples.len());
    resampler.process(samples, &mut out)?;
    resampler.finish(&mut out)?;
    Ok(out)
}

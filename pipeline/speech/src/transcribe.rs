//! One call from audio to utterances: all its channels, decoded together.

use std::sync::Arc;

use auricle_contracts::{Party, Utterance, Voice};
use auricle_models::{Hypothesis, StreamKey, StreamingEngine, VadState, VoiceActivity};

use crate::ear::{Ear, Heard};
use crate::feeder::Feeder;
use crate::model::{SpeechError, SpeechModel};
use crate::utterance::Place;
use crate::voice::Voices;

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
const WAITING_SECS: f64 = 60.0;

/// Hears one call. Audio goes in channel by channel as it comes; utterances come out as they close.
///
/// Memory does not grow with the length of the call, but for the utterances themselves.
pub struct CallTranscriber {
    model: Arc<SpeechModel>,
    engine: Box<dyn StreamingEngine>,
    vad: Box<dyn VoiceActivity>,
    voices: Voices,
    pace: Pace,
    streams: Vec<ChannelStream>,
    /// Utterances that are over and not yet decoded to their end.
    closed: Vec<Closed>,
    /// Speech given to the engine and not yet stepped through, of all streams.
    waiting_secs: f64,
    finished: Vec<Utterance>,
    probs: Vec<f32>,
}

struct ChannelStream {
    ear: Ear,
    speaker: Speaker,
}

/// Who speaks on a channel, and what of it is on its way to the engine.
struct Speaker {
    plan: ChannelPlan,
    feeder: Feeder,
    speech_rate_hz: u32,
    open: Option<Open>,
}

/// An utterance in the making.
struct Open {
    stream: StreamKey,
    start_ms: u64,
    audio_from_ms: u64,
    /// What was said, kept only for a second pass.
    heard: Vec<f32>,
}

/// An utterance that is over.
struct Closed {
    stream: StreamKey,
    place: Place,
    heard: Vec<f32>,
    /// Of what was heard.
    rate_hz: u32,
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
            let ear = Ear::new(sample_rate_hz, &model)?;
            let speech_rate_hz = ear.speech_rate_hz();
            let speaker = Speaker {
                plan: *plan,
                feeder: Feeder::new(speech_rate_hz, model.rate_hz())?,
                speech_rate_hz,
                open: None,
            };
            Ok(ChannelStream { ear, speaker })
        };
        let streams = channels.iter().map(open).collect::<Result<_, _>>()?;
        let (engine, vad) = (model.borrow_engine()?, model.borrow_vad()?);
        Ok(Self {
            model,
            engine,
            vad,
            voices: Voices::new(),
            pace,
            streams,
            closed: Vec::new(),
            waiting_secs: 0.0,
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
        stream.ear.accept(samples)?;
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
            .speaker
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
            .try_for_each(|stream| stream.ear.end())?;
        self.run()?;
        for stream in &mut self.streams {
            let mut desk = Desk {
                model: &self.model,
                engine: &mut *self.engine,
                waiting_secs: &mut self.waiting_secs,
                closed: &mut self.closed,
            };
            let speaker = &mut stream.speaker;
            let listener = |heard: Heard<'_>| desk.take(speaker, heard);
            stream.ear.close(&mut self.voices, listener)?;
        }
        self.decode()?;
        let mut utterances = self.take_finished();
        utterances.sort_by_key(|utterance| (utterance.start_ms, utterance.channel));
        self.model.give_back(self.engine, self.vad);
        Ok(utterances)
    }

    /// Judges and hears all that is there.
    fn run(&mut self) -> Result<(), SpeechError> {
        while !self.streams.is_empty() && self.streams.iter().all(|one| one.ear.has_frame()) {
            self.judge()?;
            for (stream, speech_prob) in self.streams.iter_mut().zip(&self.probs) {
                let mut desk = Desk {
                    model: &self.model,
                    engine: &mut *self.engine,
                    waiting_secs: &mut self.waiting_secs,
                    closed: &mut self.closed,
                };
                let speaker = &mut stream.speaker;
                let listener = |heard: Heard<'_>| desk.take(speaker, heard);
                stream
                    .ear
                    .judged(*speech_prob, &mut self.voices, listener)?;
            }
            let is_due =
                self.closed.len() >= UTTERANCES_TOGETHER || self.waiting_secs >= WAITING_SECS;
            if self.pace == Pace::Live || is_due {
                self.decode()?;
            }
        }
        self.streams.iter_mut().for_each(|stream| stream.ear.tidy());
        Ok(())
    }

    /// Steps through all that waits, and writes the utterances that are over.
    fn decode(&mut self) -> Result<(), SpeechError> {
        while self.engine.step()?.n_advanced > 0 {}
        self.waiting_secs = 0.0;
        for closed in std::mem::take(&mut self.closed) {
            let hypotheses = self.engine.finish(closed.stream)?;
            let mut utterance = self.model.write(&hypotheses, closed.place, closed.voice);
            if let Some(utterance) = &mut utterance {
                self.model
                    .hear_again(utterance, &closed.heard, closed.rate_hz, closed.place)?;
            }
            self.finished.extend(utterance);
        }
        Ok(())
    }

    /// One frame of every channel, in one batch.
    fn judge(&mut self) -> Result<(), SpeechError> {
        let waiting = self.streams.iter_mut();
        let (frames, mut states): (Vec<&[f32]>, Vec<&mut VadState>) = waiting
            .filter_map(|stream| stream.ear.waiting_frame())
            .unzip();
        self.probs.clear();
        Ok(self.vad.judge(&frames, &mut states, &mut self.probs)?)
    }
}

/// Where what the ears hear goes: into the engine's streams.
struct Desk<'a> {
    model: &'a SpeechModel,
    engine: &'a mut dyn StreamingEngine,
    waiting_secs: &'a mut f64,
    closed: &'a mut Vec<Closed>,
}

impl Desk<'_> {
    fn take(&mut self, speaker: &mut Speaker, heard: Heard<'_>) -> Result<(), SpeechError> {
        match heard {
            Heard::Open {
                start_ms,
                audio_from_ms,
            } => {
                speaker.open = Some(Open {
                    stream: self.model.open_stream(self.engine)?,
                    start_ms,
                    audio_from_ms,
                    heard: Vec::new(),
                });
            }
            Heard::Speech(speech) => {
                let Some(open) = &mut speaker.open else {
                    return Ok(());
                };
                *self.waiting_secs += speech.len() as f64 / f64::from(speaker.speech_rate_hz);
                if self.model.second_pass().is_some() {
                    open.heard.extend_from_slice(speech);
                }
                speaker.feeder.accept(self.engine, open.stream, speech)?;
            }
            Heard::Close {
                end_ms,
                is_cut,
                voice,
            } => {
                let Some(open) = speaker.open.take() else {
                    return Ok(());
                };
                speaker.feeder.end(self.engine, open.stream)?;
                self.closed.push(Closed {
                    stream: open.stream,
                    place: Place {
                        party: speaker.plan.party,
                        channel: speaker.plan.channel,
                        start_ms: open.start_ms,
                        end_ms,
                        audio_from_ms: open.audio_from_ms,
                        is_cut,
                    },
                    heard: open.heard,
                    rate_hz: speaker.speech_rate_hz,
                    voice: voice.copied(),
                });
            }
        }
        Ok(())
    }
}

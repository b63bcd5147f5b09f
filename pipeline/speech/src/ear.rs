//! One party's channel on its way to the recogniser: what is speech, and where utterances begin and end.
//!
//! ```text
//! samples ─▶ accept ─▶ frame (32 ms) ─ voice activity ─▶ judged ─▶ Open, Speech…, Close
//! ```
//! An ear has no engine and no network, so that frames of many calls can be judged in one batch, and their speech
//! recognised in another, by another thread.

use auricle_contracts::Voice;
use auricle_models::VadState;

use crate::channel::{Channel, ChannelEvent};
use crate::model::{SpeechError, SpeechModel};
use crate::segment::EndpointSettings;
use crate::voice::{ChannelVoice, Voices};

/// What a channel has for the recogniser, in this order: `Open`, any number of `Speech`, `Close`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard<'a> {
    /// An utterance opened: it starts at `start_ms` of the channel, and its first sample of speech lies at
    /// `audio_from_ms`.
    Open {
        /// First speech.
        start_ms: u64,
        /// Time of the first sample the recogniser gets, a pad before.
        audio_from_ms: u64,
    },
    /// More of it, −1 to 1 at [`Ear::speech_rate_hz`].
    Speech(&'a [f32]),
    /// It is over.
    Close {
        /// End of speech.
        end_ms: u64,
        /// It was cut there, for it had grown too long: its speaker may go on.
        is_cut: bool,
        /// How the voice sounded in it.
        voice: Option<&'a Voice>,
    },
}

/// The front end of one channel. Samples go in as they come; frames come out to be judged.
pub struct Ear {
    channel: Channel,
    voice: ChannelVoice,
    is_open: bool,
    measures_voices: bool,
    /// The open utterance's.
    measures_voice: bool,
}

impl Ear {
    /// For a channel that comes at `sample_rate_hz` and is heard by `model`.
    ///
    /// # Errors
    /// When the rate is absurd.
    pub fn new(sample_rate_hz: u32, model: &SpeechModel) -> Result<Self, SpeechError> {
        Self::with_endpoint(sample_rate_hz, model, model.settings().endpoint)
    }

    /// The same with ends of utterances of its own.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_endpoint(
        sample_rate_hz: u32,
        model: &SpeechModel,
        endpoint: EndpointSettings,
    ) -> Result<Self, SpeechError> {
        let channel = Channel::new(sample_rate_hz, model.rate_hz(), endpoint)?;
        Ok(Self {
            voice: ChannelVoice::new(channel.speech_rate_hz())?,
            channel,
            is_open: false,
            measures_voices: true,
            measures_voice: true,
        })
    }

    /// Samples a second of the speech that it tells: the channel's, at most the recogniser's.
    pub fn speech_rate_hz(&self) -> u32 {
        self.channel.speech_rate_hz()
    }

    /// Takes the next samples, −1 to 1, any number of them.
    ///
    /// # Errors
    /// When they cannot be resampled.
    pub fn accept(&mut self, samples: &[f32]) -> Result<(), SpeechError> {
        Ok(self.channel.accept(samples)?)
    }

    /// Whether the voices of utterances that open from now on are measured; they are until it is said.
    pub fn measure_voices(&mut self, measures: bool) {
        self.measures_voices = measures;
    }

    /// The channel is over: what resamplers still hold comes out, and the last frame is filled up with silence.
    ///
    /// # Errors
    /// When it cannot be resampled.
    pub fn end(&mut self) -> Result<(), SpeechError> {
        Ok(self.channel.end()?)
    }

    /// Whether a whole frame waits to be judged.
    pub fn has_frame(&self) -> bool {
        self.channel.next_vad_frame().is_some()
    }

    /// The next frame, once it is whole (256 samples at 8 kHz), and what voice activity remembers.
    pub fn waiting_frame(&mut self) -> Option<(&[f32], &mut VadState)> {
        self.channel.waiting_frame()
    }

    /// Takes the judgement on the frame that [`Self::waiting_frame`] gave, and tells `listener` what follows from it. Voices are
    /// measured with `voices`.
    ///
    /// # Errors
    /// As `listener` gives them, or when the voice cannot be measured.
    pub fn judged<E: From<SpeechError>>(
        &mut self,
        speech_prob: f32,
        voices: &mut Voices,
        mut listener: impl FnMut(Heard<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let event = self.channel.judged(speech_prob);
        self.follow(event, voices, &mut listener)?;
        if self.is_open {
            let speech = self.channel.take_speech();
            if !speech.is_empty() {
                if self.measures_voice {
                    self.voice
                        .accept(speech, voices)
                        .map_err(SpeechError::from)?;
                }
                listener(Heard::Speech(speech))?;
            }
        }
        Ok(())
    }

    /// Closes an utterance that the end of the channel cut off. After [`Self::end`], when all frames are judged.
    ///
    /// # Errors
    /// As [`Self::judged`].
    pub fn close<E: From<SpeechError>>(
        &mut self,
        voices: &mut Voices,
        mut listener: impl FnMut(Heard<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let event = self.channel.close();
        self.follow(event, voices, &mut listener)
    }

    /// Forgets audio that nobody will ask for. To be called when no frame waits.
    pub fn tidy(&mut self) {
        self.channel.drop_heard();
    }

    /// Up to where the channel is judged, milliseconds of its time.
    pub fn judged_ms(&self) -> u64 {
        self.channel.judged_ms()
    }

    /// No utterance that is still to close, the open one included, ends before this.
    pub fn settled_ms(&self) -> u64 {
        self.channel.settled_ms()
    }

    /// No utterance that is still to open starts before this.
    pub fn begun_ms(&self) -> u64 {
        self.channel.begun_ms()
    }

    /// The most samples of speech that one judgement tells at once: all that lay before an utterance that opens.
    pub fn most_speech_samples(&self) -> usize {
        self.channel.most_speech_samples()
    }

    fn follow<E: From<SpeechError>>(
        &mut self,
        event: Option<ChannelEvent>,
        voices: &mut Voices,
        listener: &mut impl FnMut(Heard<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match event {
            None => Ok(()),
            Some(ChannelEvent::Open {
                start_ms,
                audio_from_ms,
            }) => {
                self.is_open = true;
                self.measures_voice = self.measures_voices;
                listener(Heard::Open {
                    start_ms,
                    audio_from_ms,
                })
            }
            Some(ChannelEvent::Close { end_ms, is_cut }) => {
                self.is_open = false;
                let rest = self.channel.take_rest(end_ms);
                let mut voice = None;
                if self.measures_voice {
                    self.voice.accept(rest, voices).map_err(SpeechError::from)?;
                    voice = self.voice.finish(voices).map_err(SpeechError::from)?;
                }
                listener(Heard::Speech(rest))?;
                listener(Heard::Close {
                    end_ms,
                    is_cut,
                    voice: voice.as_ref(),
                })
            }
        }
    }
}

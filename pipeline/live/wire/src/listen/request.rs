//! The query of `/v1/listen`.

use std::borrow::Cow;

use super::keyterms::{Hotword, Hotwords};
use super::parameters::{asks_for_nothing, is_deepgram_model, why_ignored};
use crate::encoding::Encoding;
use crate::facts::{Agreement, CallFacts, Fact};
use crate::layout::{Layout, PARTIES};
use crate::limits::Limits;
use crate::query::{self, Ignored, Once, QueryError};

/// What Deepgram allows.
const UTTERANCE_END_MS: std::ops::RangeInclusive<u32> = 1000..=5000;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenRequest {
    /// A model's name; `None` where the configured one shall hear. Names of Deepgram's models stand for that.
    pub model: Option<String>,
    /// Language tag (BCP 47), where it is said.
    pub language: Option<String>,
    /// How samples lie in the binary messages.
    pub encoding: Encoding,
    /// Samples per second and channel.
    pub sample_rate_hz: u32,
    /// Who is on which channel, and whether channels are heard one by one.
    pub layout: Layout,
    /// Whether results are sent that may still change.
    pub interim_results: bool,
    /// When an utterance is over.
    pub endpointing: Endpointing,
    /// Silence after which `UtteranceEnd` is sent, milliseconds; `None`: it is not.
    pub utterance_end_ms: Option<u32>,
    /// Whether `SpeechStarted` is sent.
    pub vad_events: bool,
    /// How transcripts are written.
    pub wording: Wording,
    /// Whether personal data is to be hidden in what is sent.
    pub redact: bool,
    /// Words to lean towards.
    pub hotwords: Vec<Hotword>,
    /// What is known of the call, from `extra`.
    pub facts: CallFacts,
    /// Parameters that change nothing.
    pub ignored: Vec<Ignored>,
}

/// When an utterance is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Endpointing {
    /// When the configuration says so.
    #[default]
    Configured,
    /// Only where it must be cut.
    Off,
    /// After this much silence, milliseconds.
    After(u32),
}

/// How transcripts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wording {
    /// As it is spoken, without punctuation.
    #[default]
    Spoken,
    /// With digits and punctuation.
    Written,
}

impl ListenRequest {
    /// Reads a query, with or without its `?`.
    ///
    /// # Errors
    /// What cannot be, by its name; [`Refusal`](crate::listen::Refusal) makes an answer of it.
    pub fn parse(query: &str, limits: &Limits) -> Result<Self, QueryError> {
        let mut said = Said::default();
        for (name, value) in query::pairs(query, limits)? {
            said.note(&name, value, limits)?;
        }
        said.request(limits)
    }
}

/// Values as they stand in the query.
#[derive(Default)]
struct Said {
    model: Once,
    language: Once,
    encoding: Once,
    sample_rate: Once,
    channels: Once,
    multichannel: Once,
    interim_results: Once,
    endpointing: Once,
    utterance_end_ms: Once,
    vad_events: Once,
    punctuate: Once,
    smart_format: Once,
    numerals: Once,
    redact: bool,
    party: Once,
    agent_channel: Once,
    hotwords: Hotwords,
    facts: CallFacts,
    ignored: Vec<Ignored>,
}

impl Said {
    fn note(&mut self, name: &str, value: String, limits: &Limits) -> Result<(), QueryError> {
        match name {
            "model" => self.model.set("model", value),
            "language" => self.language.set("language", value),
            "encoding" => self.encoding.set("encoding", value),
            "sample_rate" => self.sample_rate.set("sample_rate", value),
            "channels" => self.channels.set("channels", value),
            "multichannel" => self.multichannel.set("multichannel", value),
            "interim_results" => self.interim_results.set("interim_results", value),
            "endpointing" => self.endpointing.set("endpointing", value),
            "utterance_end_ms" => self.utterance_end_ms.set("utterance_end_ms", value),
            "vad_events" => self.vad_events.set("vad_events", value),
            "punctuate" => self.punctuate.set("punctuate", value),
            "smart_format" => self.smart_format.set("smart_format", value),
            "numerals" => self.numerals.set("numerals", value),
            "keyterm" => self.hotwords.keyterm(&value, limits),
            "keywords" => self.hotwords.keyword(&value, limits),
            "extra" => self.note_extra(&value, limits),
            "redact" => {
                self.redact |= !asks_for_nothing(&value);
                Ok(())
            }
            "callback" if !value.is_empty() => Err(QueryError::NotTaken {
                name: "callback",
                why: "results are sent over this connection only",
            }),
            _ => {
                if let Some(ignored) = ignored(name, &value) {
                    self.ignored.push(ignored);
                }
                Ok(())
            }
        }
    }

    /// `extra=KEY:VALUE`: for Deepgram a label, for Auricle what is known of the call.
    fn note_extra(&mut self, value: &str, limits: &Limits) -> Result<(), QueryError> {
        let (key, value) = value.split_once(':').unwrap_or((value, ""));
        match key.trim() {
            "party" => return self.party.set("extra=party", value.trim().to_owned()),
            "agent_channel" => {
                let value = value.trim().to_owned();
                return self.agent_channel.set("extra=agent_channel", value);
            }
            _ => {}
        }
        let Some(fact) = Fact::of_key(key) else {
            let why = "keys that Auricle knows are call_id, agent, campaign, region, customer, party and agent_channel";
            self.ignored.push(Ignored::known("extra", why));
            return Ok(());
        };
        let mut told = CallFacts::default();
        told.note(fact, value, limits)?;
        match self.facts.complete(told) {
            Agreement::Agrees => Ok(()),
            Agreement::Contradicts => Err(QueryError::Twice { name: fact.name() }),
        }
    }

    fn request(self, limits: &Limits) -> Result<ListenRequest, QueryError> {
        let mut ignored = self.ignored;
        let encoding = encoding(self.encoding)?;
        let rates_hz = limits.sample_rates_hz.clone();
        let sample_rate = self.sample_rate.number("sample_rate", rates_hz)?;
        let layout = Channels {
            channels: self.channels,
            multichannel: self.multichannel,
            party: self.party,
            agent_channel: self.agent_channel,
        };
        let written = [
            self.punctuate.truth("punctuate")?,
            self.smart_format.truth("smart_format")?,
            self.numerals.truth("numerals")?,
        ];
        let utterance_end_ms = self.utterance_end_ms;
        Ok(ListenRequest {
            model: model(self.model, limits, &mut ignored)?,
            language: language(self.language, &mut ignored)?,
            encoding,
            sample_rate_hz: sample_rate.ok_or(QueryError::Missing {
                name: "sample_rate",
                hint: "add the rate of the audio, such as `sample_rate=8000`",
            })?,
            layout: layout.layout(limits, &mut ignored)?,
            interim_results: self.interim_results.truth("interim_results")?,
            endpointing: endpointing(self.endpointing, limits)?,
            utterance_end_ms: utterance_end_ms.number("utterance_end_ms", UTTERANCE_END_MS)?,
            vad_events: self.vad_events.truth("vad_events")?,
            wording: match written.contains(&true) {
                true => Wording::Written,
                false => Wording::Spoken,
            },
            redact: self.redact,
            hotwords: self.hotwords.into_words(),
            facts: self.facts,
            ignored,
        })
    }
}

/// What is said about channels.
struct Channels {
    channels: Once,
    multichannel: Once,
    party: Once,
    agent_channel: Once,
}

impl Channels {
    fn layout(self, limits: &Limits, ignored: &mut Vec<Ignored>) -> Result<Layout, QueryError> {
        let range = 1..=u32::from(limits.channels);
        let channels = self.channels.number("channels", range)?;
        let n_channels = channels.and_then(|channels| u16::try_from(channels).ok());
        let n_channels = n_channels.unwrap_or(1);
        let multichannel = self.multichannel.truth("multichannel")?;
        let party = self.party.choice("extra=party", &PARTIES)?;
        let agent_channel = self.agent_channel.number("extra=agent_channel", 0..=1)?;
        let layout = match n_channels {
            1 => Layout::Single(party),
            2 if multichannel => Layout::Split {
                agent_channel: u16::from(agent_channel == Some(1)),
            },
            _ if multichannel => {
                return Err(QueryError::NotTaken {
                    name: "multichannel",
                    why: "a call has two parties; send two channels",
                });
            }
            _ => Layout::Downmix { n_channels },
        };
        if party.is_some() && n_channels != 1 {
            let why = "`party` is for audio of one channel";
            ignored.push(Ignored::known("extra", why));
        }
        if agent_channel.is_some() && !matches!(layout, Layout::Split { .. }) {
            let why = "`agent_channel` is for `channels=2&multichannel=true`";
            ignored.push(Ignored::known("extra", why));
        }
        Ok(layout)
    }
}

/// What is to be told of a parameter that is not read.
fn ignored(name: &str, value: &str) -> Option<Ignored> {
    if asks_for_nothing(value) {
        return None;
    }
    let Some(why) = why_ignored(name) else {
        return Some(Ignored::unknown(name));
    };
    let name = name.to_owned();
    Some(Ignored { name, why })
}

fn encoding(said: Once) -> Result<Encoding, QueryError> {
    let Some(name) = said.text() else {
        return Err(QueryError::Missing {
            name: "encoding",
            hint: "only raw audio is heard: add `encoding=linear16`, `mulaw` or `alaw` and `sample_rate`",
        });
    };
    let expected = "linear16, mulaw or alaw";
    let found = Encoding::from_listen_name(&name);
    found.ok_or_else(|| query::invalid("encoding", Cow::Borrowed(expected), &name))
}

fn model(
    said: Once,
    limits: &Limits,
    ignored: &mut Vec<Ignored>,
) -> Result<Option<String>, QueryError> {
    let Some(model) = said.text() else {
        return Ok(None);
    };
    if model.len() > limits.id_bytes {
        return Err(QueryError::TooMuch {
            name: "model",
            n: model.len(),
            unit: "bytes",
            limit: limits.id_bytes,
        });
    }
    if is_deepgram_model(&model) {
        let why = "models of Deepgram stand for the one that is configured";
        ignored.push(Ignored::known("model", why));
        return Ok(None);
    }
    Ok(Some(model))
}

fn language(said: Once, ignored: &mut Vec<Ignored>) -> Result<Option<String>, QueryError> {
    let tag = said.language_tag("language")?;
    if tag.as_deref() == Some("multi") {
        let why = "a stream has one language; `multi` stands for the one that is configured";
        ignored.push(Ignored::known("language", why));
        return Ok(None);
    }
    Ok(tag)
}

fn endpointing(said: Once, limits: &Limits) -> Result<Endpointing, QueryError> {
    let Some(value) = said.text() else {
        return Ok(Endpointing::Configured);
    };
    if let Ok(ms) = value.parse::<u32>() {
        if ms <= limits.endpointing_ms {
            return Ok(Endpointing::After(ms));
        }
    } else if value.eq_ignore_ascii_case("false") {
        return Ok(Endpointing::Off);
    } else if value.eq_ignore_ascii_case("true") {
        return Ok(Endpointing::Configured);
    }
    let expected = format!("false or 0 to {} milliseconds", limits.endpointing_ms);
    Err(query::invalid("endpointing", Cow::Owned(expected), &value))
}

//! `/v1/listen`: audio in and results out over one WebSocket, as clients of Deepgram's streaming API have it.
//!
//! ```text
//! client ─▶ Speaking ─▶ legs ─▶ … ─▶ hub ─▶ Teller ─▶ client
//!               └────── notes (answers, Finalize, the end) ──▶┘
//! ```

mod finalize;
mod parted;
mod results;
mod teller;
mod timeline;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use auricle_audio::g711::Law;
use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_live::{Encoding, NewLeg};
use auricle_record::{CallSettings, Keyterm};
use auricle_speech::{Hotwords, SpeechModel};
use auricle_wire::listen::{
    Configure, ConfigureFailure, ConfigureFailureCode, ConfigureSuccess, Endpointing, FinalizeWhat,
    ListenEvent, ListenRequest, ListenSession, Refusal, ServerMessage,
};
use auricle_wire::{Close, Frames, Ignored, Layout};
use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use self::finalize::PutIn;
use self::results::ResultsWriter;
use self::teller::{Note, Summary, Teller};
use self::timeline::Timeline;
use super::not_taken::NotTaken;
use super::websocket::{Closed, WebSockets, call_id, receive, see_closed};
use super::{CallLeg, Ingest, Patience, Piece, carry};
use crate::clock;
use crate::exit::message_of;
use crate::serve::calls::{CallToOpen, WhereAudioLies};

/// Answers that wait for the client to take them: then its messages wait, too.
const NOTES_WAITING: usize = 64;
/// Shorter silence than this lies between the words of a sentence, too.
const LEAST_SILENCE_MS: u64 = 200;
/// The longest that can be configured: who asks for none at all gets it.
const MOST_SILENCE_MS: u64 = 10_000;
/// Silence that ends an utterance takes this long beyond what endpointing asks for: voice activity is late.
const SURE_SILENCE_MS: u64 = 500;

/// A stream whose call is open.
pub(crate) struct Listening {
    sockets: Arc<WebSockets>,
    request: ListenRequest,
    request_id: String,
    call: CallId,
    legs: Vec<CallLeg>,
    /// What hears it.
    model: Arc<SpeechModel>,
    /// The newest event before the call.
    after: u64,
    created: String,
}

impl Listening {
    /// Opens the call of a stream.
    ///
    /// # Errors
    /// What to answer.
    pub(crate) fn open(
        sockets: &Arc<WebSockets>,
        request: ListenRequest,
        request_id: Uuid,
    ) -> Result<Self, Refusal> {
        let after = sockets.hub.newest();
        let created = clock::now_text();
        let n_legs = match request.layout {
            Layout::Split { .. } => 2,
            Layout::Single(_) | Layout::Downmix { .. } => 1,
        };
        let legs = (0..n_legs).map(|channel| NewLeg {
            party: request.layout.party(channel).unwrap_or(Party::Unknown),
            rate_hz: request.sample_rate_hz,
        });
        let call = call_id(request.facts.call_id.clone(), "listen", request_id);
        let opened = sockets.calls.open(CallToOpen {
            id: call,
            metadata: CallMetadata {
                started_at: Some(created.clone()),
                ..request.facts.metadata.clone()
            },
            source: "listen",
            legs: legs.collect(),
            settings: settings(&request),
            audio: WhereAudioLies::Nowhere,
        });
        let opened = opened.map_err(|error| refusal_of(&error))?;
        Ok(Self {
            sockets: Arc::clone(sockets),
            request_id: request_id.to_string(),
            call: opened.id,
            legs: opened.legs,
            model: opened.model,
            after,
            created,
            request,
        })
    }

    /// Hears the stream to its end, and tells what is said in it.
    pub(crate) async fn hear(self, socket: WebSocket) {
        let (sink, stream) = socket.split();
        let (notes, noted) = mpsc::channel(NOTES_WAITING);
        let call_over = Arc::new(Notify::new());
        let teller = self.teller(sink, Arc::clone(&call_over));
        let (created, n_channels) = (self.created.clone(), self.request.layout.n_channels());
        let (sockets, call) = (Arc::clone(&self.sockets), self.call.clone());
        let quiet_within = Duration::from_millis(sockets.limits.quiet_ms);
        let patience = Patience {
            open_within: quiet_within,
            quiet_within,
            wall: None,
        };
        let mut speaking = self.speaking(stream, notes.clone());
        let mut telling = tokio::spawn(teller.run(noted));
        let heard = tokio::select! {
            heard = carry(&mut speaking, patience) => heard,
            () = call_over.notified() => match sockets.calls.live().is_hung_up() {
                true => Err(Closed(Close::Stopping).into()),
                false => Err(Closed(Close::Internal).into()),
            },
            // The client takes nothing any more.
            _ = &mut telling => return,
        };
        let close = match heard {
            Ok(()) => Close::Normal,
            Err(error) => sockets.note_end("listen", &call, &error),
        };
        let summary = Summary {
            close,
            created,
            sha256: speaking.digest(),
            duration_secs: speaking.duration_secs(),
            n_channels,
        };
        // Held until all is told: without it nobody would hear of the end.
        let _ = notes.send(Note::Over(summary)).await;
        loop {
            tokio::select! {
                _ = &mut telling => break,
                message = speaking.stream.next() => if !matches!(message, Some(Ok(_))) {
                    let _ = telling.await;
                    return;
                },
            }
        }
        see_closed(&mut speaking.stream).await;
    }

    /// Silence that ends an utterance.
    fn trailing_silence_ms(&self) -> u64 {
        let configured = self.model.settings().endpoint.trailing_silence_ms;
        trailing_silence_ms(self.request.endpointing).unwrap_or(configured)
    }

    fn teller(
        &self,
        sink: futures_util::stream::SplitSink<WebSocket, Message>,
        call_over: Arc<Notify>,
    ) -> Teller {
        let model = &self.model;
        let reach = self.legs.iter().map(CallLeg::reach);
        Teller::new(
            sink,
            self.sockets.hub.follow(&self.call, self.after),
            ResultsWriter {
                metadata: results::metadata(
                    &self.request_id,
                    model.name(),
                    model.model_name(),
                    model.fingerprint(),
                ),
                n_channels: self.legs.len() as u16,
                wording: self.request.wording,
                timeline: Timeline::default(),
            },
            &self.request,
            reach.collect(),
            self.trailing_silence_ms(),
            call_over,
        )
    }

    fn speaking(self, stream: SplitStream<WebSocket>, notes: mpsc::Sender<Note>) -> Speaking {
        let endpoint = self.model.settings().endpoint;
        let silence_ms = self.trailing_silence_ms() + endpoint.pad_after_ms + SURE_SILENCE_MS;
        Speaking {
            session: ListenSession::new(&self.request, &self.request_id, &self.sockets.limits, 0),
            put_in: PutIn::new(self.request.sample_rate_hz, silence_ms),
            request: self.request,
            request_id: self.request_id,
            stream,
            notes,
            opened: Some(self.legs),
            channels: Vec::new(),
            n_frames: 0,
            digest: Sha256::new(),
            began: Instant::now(),
        }
    }
}

/// Silence that ends an utterance, within what hearing can work with; `None`: as it is configured.
fn trailing_silence_ms(endpointing: Endpointing) -> Option<u64> {
    match endpointing {
        Endpointing::Configured => None,
        Endpointing::Off => Some(MOST_SILENCE_MS),
        Endpointing::After(ms) => Some(u64::from(ms).clamp(LEAST_SILENCE_MS, MOST_SILENCE_MS)),
    }
}

/// What is asked for, for this call alone.
fn settings(request: &ListenRequest) -> CallSettings {
    let keyterms = request.hotwords.iter().map(|word| Keyterm {
        text: word.text.clone(),
        boost: word.boost,
    });
    CallSettings {
        keyterms: keyterms.collect(),
        trailing_silence_ms: trailing_silence_ms(request.endpointing),
    }
}

/// Parameters that change nothing, beside those that [`ListenRequest`] knows of: what calls under way cannot have each by
/// itself.
pub(crate) fn ignored(request: &ListenRequest) -> Vec<Ignored> {
    let ignored = |name: &str, why| Ignored {
        name: name.to_owned(),
        why,
    };
    let mut all = request.ignored.clone();
    let is_held = |ms: u32| u64::from(ms) >= LEAST_SILENCE_MS && u64::from(ms) <= MOST_SILENCE_MS;
    let other = match request.endpointing {
        Endpointing::Configured => None,
        Endpointing::Off => Some("utterances end after 10 s of silence, or when they are too long"),
        Endpointing::After(ms) if is_held(ms) => None,
        Endpointing::After(_) => Some(
            "less than 200 ms lies between words, too: taken for that, and more than 10 s for 10 s",
        ),
    };
    all.extend(other.map(|why| ignored("endpointing", why)));
    let terms = request.hotwords.iter();
    let terms = terms.map(|word| (word.text.as_str(), word.boost));
    if Hotwords::of_terms(terms).1 > 0 {
        let why = "some cannot be leant towards: nobody knows how they are read, or they are to be heard less";
        all.push(ignored("keyterm", why));
    }
    all
}

/// Whether the model that is asked for hears.
///
/// # Errors
/// What to say.
pub(crate) fn check_model(request: &ListenRequest, sockets: &WebSockets) -> Result<(), String> {
    let model = sockets.calls.model();
    match &request.model {
        Some(wanted) if wanted != model.model_name() && wanted != model.name() => Err(format!(
            "`model` must be {}, which hears all live calls\nhint: leave it out, or start `auricle serve --model NAME`",
            model.model_name()
        )),
        _ => Ok(()),
    }
}

fn refusal_of(error: &anyhow::Error) -> Refusal {
    match NotTaken::of(error) {
        Some(NotTaken::Overloaded) => Refusal::too_many_requests(),
        Some(NotTaken::Unacceptable) => Refusal::invalid_parameter(message_of(error)),
        Some(NotTaken::Busy | NotTaken::Stopping) | None => Refusal::unavailable(message_of(error)),
    }
}

/// What the client says.
struct Speaking {
    session: ListenSession,
    request: ListenRequest,
    request_id: String,
    stream: SplitStream<WebSocket>,
    notes: mpsc::Sender<Note>,
    opened: Option<Vec<CallLeg>>,
    /// The audio of the last message, leg by leg.
    channels: Vec<Vec<u8>>,
    /// Samples of each channel that came.
    n_frames: u64,
    /// Silence that was put into the call.
    put_in: PutIn,
    /// Of the audio.
    digest: Sha256,
    began: Instant,
}

impl Speaking {
    fn digest(&self) -> String {
        let digest = self.digest.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn duration_secs(&self) -> f64 {
        self.n_frames as f64 / f64::from(self.request.sample_rate_hz)
    }

    /// What was heard is to be told as final. Gives the silence that is to be put in, which may be none.
    async fn finalize(&mut self, what: FinalizeWhat) -> Result<Duration> {
        let silence = self.put_in.finalize(self.n_frames);
        self.tell(Note::Finalize { what, silence }).await?;
        Ok(Duration::from_millis(silence.length_ms))
    }

    fn configured(&self, configure: &Configure) -> ServerMessage {
        let request_id = self.request_id.clone();
        match configure.hotwords {
            None => ServerMessage::ConfigureSuccess(ConfigureSuccess {
                request_id,
                keyterms: None,
            }),
            Some(_) => ServerMessage::ConfigureFailure(ConfigureFailure {
                request_id,
                code: ConfigureFailureCode::NotSupported,
                description:
                    "words to lean towards are given when a call begins: open it with `keyterm`"
                        .to_owned(),
            }),
        }
    }

    async fn tell(&mut self, note: Note) -> Result<()> {
        let told = self.notes.send(note).await;
        told.map_err(|_| anyhow::anyhow!("the client takes no answers"))
    }
}

impl Ingest for Speaking {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if let Some(legs) = self.opened.take() {
            return Ok(Some(Piece::Opened(legs)));
        }
        let Some(message) = receive(&mut self.stream).await? else {
            return Ok(None);
        };
        let now_ms = self.began.elapsed().as_millis() as u64;
        let event = match &message {
            Message::Text(text) => self.session.text(text, now_ms),
            Message::Binary(audio) => self.session.binary(audio, now_ms),
            _ => Ok(ListenEvent::Nothing),
        };
        match event.map_err(Closed)? {
            ListenEvent::Audio(frames) => {
                self.n_frames += frames.n_frames() as u64;
                deal(&mut self.channels, frames, &self.request);
                if let Message::Binary(audio) = &message {
                    self.digest.update(audio);
                }
                let encoding = match self.request.layout {
                    Layout::Downmix { .. } => Encoding::L16,
                    _ => live_encoding(self.request.encoding),
                };
                Ok(Some(Piece::Audio {
                    encoding,
                    at: None,
                    channels: self.channels.iter().map(Vec::as_slice).collect(),
                }))
            }
            ListenEvent::CloseStream => Ok(None),
            ListenEvent::Finalize(what) => {
                let silence = self.finalize(what).await?;
                Ok(Some(Piece::Silence(silence)))
            }
            ListenEvent::Configure(configure) => {
                let answer = self.configured(&configure);
                self.tell(Note::Answer(answer)).await?;
                Ok(Some(Piece::Alive))
            }
            ListenEvent::Reply(answer) => {
                self.tell(Note::Answer(answer)).await?;
                Ok(Some(Piece::Alive))
            }
            ListenEvent::KeepAlive | ListenEvent::Nothing => Ok(Some(Piece::Alive)),
        }
    }
}

/// The audio of each leg: that of its channel, or the mean of all channels.
fn deal(legs: &mut Vec<Vec<u8>>, frames: Frames<'_>, request: &ListenRequest) {
    let n_legs = match request.layout {
        Layout::Downmix { .. } => 1,
        _ => frames.channels().len(),
    };
    legs.resize_with(n_legs, Vec::new);
    legs.iter_mut().for_each(Vec::clear);
    match (request.layout, legs.first_mut()) {
        (Layout::Downmix { .. }, Some(leg)) => mix(leg, frames, request.encoding),
        _ => {
            for (leg, channel) in legs.iter_mut().zip(frames.channels()) {
                leg.extend_from_slice(channel);
            }
        }
    }
}

/// The mean of all channels, 16-bit linear.
fn mix(leg: &mut Vec<u8>, frames: Frames<'_>, encoding: auricle_wire::Encoding) {
    let n_channels = frames.channels().len().max(1) as i32;
    let width = encoding.bytes_per_sample();
    for frame in 0..frames.n_frames() {
        let samples = frames
            .channels()
            .map(|channel| &channel[frame * width..(frame + 1) * width]);
        let sum: i32 = samples
            .map(|sample| i32::from(linear(encoding, sample)))
            .sum();
        leg.extend(((sum / n_channels) as i16).to_le_bytes());
    }
}

/// One sample.
fn linear(encoding: auricle_wire::Encoding, sample: &[u8]) -> i16 {
    use auricle_wire::Encoding;
    match (encoding, sample) {
        (Encoding::Ulaw, &[code]) => Law::Mu.decode(code),
        (Encoding::Alaw, &[code]) => Law::A.decode(code),
        (Encoding::L16Le, &[low, high]) => i16::from_le_bytes([low, high]),
        (Encoding::L16Be, &[high, low]) => i16::from_be_bytes([high, low]),
        _ => 0,
    }
}

/// What the pipeline calls an encoding of a WebSocket's audio, of which none is in network order.
pub(super) const fn live_encoding(encoding: auricle_wire::Encoding) -> Encoding {
    match encoding {
        auricle_wire::Encoding::Ulaw => Encoding::Ulaw,
        auricle_wire::Encoding::Alaw => Encoding::Alaw,
        auricle_wire::Encoding::L16Le | auricle_wire::Encoding::L16Be => Encoding::L16,
    }
}

#[cfg(test)]
mod tests {
    use auricle_live::OpenError;
    use auricle_wire::{ChannelSplitter, Limits};

    use super::*;

    fn dealt(query: &str, message: &[u8]) -> Vec<Vec<u8>> {
        let request = ListenRequest::parse(query, &Limits::default()).unwrap();
        let mut splitter = ChannelSplitter::new(request.encoding, request.layout.n_channels());
        let mut legs = vec![vec![9]; 3];
        deal(&mut legs, splitter.split(message), &request);
        legs
    }

    #[test]
    fn calls_are_refused_for_good_or_for_now() {
        let check = |error: OpenError, status: u16, code: &str| {
            let refusal = refusal_of(&error.into());
            assert_eq!((refusal.status, refusal.code), (status, code));
        };
        check(OpenError::TooMany { n_calls: 1 }, 429, "TOO_MANY_REQUESTS");
        check(OpenError::Busy, 503, "SERVICE_UNAVAILABLE");
        check(OpenError::Draining, 503, "SERVICE_UNAVAILABLE");
        check(
            OpenError::Legs { n_legs: 3 },
            400,
            "INVALID_QUERY_PARAMETER",
        );
    }

    #[test]
    fn channels_are_mixed_or_heard_one_by_one() {
        let pairs = [100_i16, 300, -7, 8].map(i16::to_le_bytes).concat();
        let mono = [200_i16, 0].map(i16::to_le_bytes).concat();
        let two = "encoding=linear16&sample_rate=8000&channels=2";
        assert_eq!(dealt(two, &pairs), [mono]);
        let each = format!("{two}&multichannel=true");
        assert_eq!(
            dealt(&each, &pairs),
            [
                [100_i16, -7].map(i16::to_le_bytes).concat(),
                [300_i16, 8].map(i16::to_le_bytes).concat()
            ]
        );
        let law = "encoding=mulaw&sample_rate=8000";
        assert_eq!(dealt(law, &[1, 2]), [[1, 2]]);
        // The loudest of both signs: nothing is left.
        assert_eq!(dealt(&format!("{law}&channels=2"), &[0x00, 0x80]), [[0, 0]]);
    }
}

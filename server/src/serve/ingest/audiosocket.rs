//! AudioSocket: a TCP connection for each leg; two with the same UUID are the legs of one call.
//!
//! ```text
//! Greeting => Named => Speaking => Over
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use auricle_contracts::{CallMetadata, Party, PhoneKey};
use auricle_live::{Encoding, NewLeg};
use auricle_record::CallSettings;
use auricle_wire::Limits;
use auricle_wire::audiosocket::{
    AudioSocketMessage, AudioSocketReader, Complaint, write_complaint,
};
use schemars::JsonSchema;
use serde::Deserialize;
use smallvec::smallvec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::field::display;
use uuid::Uuid;

use super::joining::{Joining, LegToJoin, Speaker};
use super::leg_time::WallTime;
use super::not_taken::{NotTaken, cause_and_hint};
use super::seats::{Seat, Seats};
use super::{CallLeg, Ingest, Patience, Piece, Press, carry};
use crate::clock;
use crate::exit::message_of;
use crate::serve::calls::{CallToOpen, Calls, WhereAudioLies};
use crate::serve::tcp::watch_over;

/// How a call's audio comes.
const SOURCE: &str = "audiosocket";
/// How long a connection may take to say which call it is.
const NAME_WITHIN: Duration = Duration::from_secs(5);
/// Connections that are told at a time why they are refused, until they have taken it; more are told, and closed at once.
const REFUSALS: usize = 64;
/// How long that may take, and how much is read meanwhile that nobody wants: a minute of audio at 8 kHz.
const REFUSE_WITHIN: Duration = Duration::from_secs(2);
const REFUSED_BYTES: u64 = 1 << 20;
/// After an error that concerns all connections: too many open files, of which some will be closed.
const PAUSE: Duration = Duration::from_secs(1);

/// `[live.audiosocket]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AudioSocketConfig {
    /// Address and port; without it AudioSocket is off. It has neither keys nor encryption.
    #[schemars(example = &"0.0.0.0:9092")]
    pub(crate) listen: Option<SocketAddr>,
    /// Connections at a time; more are refused.
    #[schemars(range(min = 1, max = 200_000))]
    pub(crate) most_connections: usize,
    /// Connections of a call: 2, a party each, or 1, on which everybody speaks.
    #[schemars(range(min = 1, max = 2))]
    pub(crate) connections: usize,
    /// A leg that sends no audio for so long is over.
    #[schemars(range(min = 5, max = 86_400))]
    pub(crate) quiet_secs: u64,
}

impl Default for AudioSocketConfig {
    fn default() -> Self {
        Self {
            listen: None,
            most_connections: 2_000,
            connections: 2,
            quiet_secs: 300,
        }
    }
}

/// Takes connections.
pub(crate) struct AudioSocket {
    calls: Arc<Calls>,
    config: AudioSocketConfig,
    wall: WallTime,
    connections: Arc<Semaphore>,
    refusals: Semaphore,
    joining: Arc<Joining>,
    seats: Arc<Seats>,
}

impl AudioSocket {
    pub(crate) fn new(calls: Arc<Calls>, config: AudioSocketConfig, wall: WallTime) -> Arc<Self> {
        Arc::new(Self {
            joining: Joining::new(Arc::clone(&calls), SOURCE),
            calls,
            connections: Arc::new(Semaphore::new(config.most_connections)),
            refusals: Semaphore::new(REFUSALS),
            wall,
            seats: Arc::default(),
            config,
        })
    }

    /// Takes connections until the program ends.
    pub(crate) async fn listen(self: Arc<Self>, listener: TcpListener) {
        loop {
            let (mut stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(cause) => {
                    tracing::warn!("AudioSocket takes no connection: {cause}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let this = Arc::clone(&self);
            let Ok(place) = Arc::clone(&self.connections).try_acquire_owned() else {
                self.calls.live().metrics().connection_refused();
                tokio::spawn(async move { this.refuse(stream, Complaint::Overloaded).await });
                continue;
            };
            watch_over(&stream);
            tokio::spawn(async move {
                let complaint = this.hear(&mut stream, peer).await;
                // Before the other side can know of the end: then there is place for another.
                drop(place);
                if let Some(complaint) = complaint {
                    this.refuse(stream, complaint).await;
                }
            });
        }
    }

    /// Hears a connection to its end; gives what is to be said where it is not the other side that ended it.
    async fn hear(self: &Arc<Self>, stream: &mut TcpStream, peer: SocketAddr) -> Option<Complaint> {
        let mut connection = Connection {
            ingest: self,
            stream,
            reader: AudioSocketReader::new(&Limits::default()),
            call: None,
            seat: None,
            rate_hz: None,
            audio: Vec::new(),
            state: State::Reading,
        };
        let patience = Patience {
            open_within: NAME_WITHIN,
            quiet_within: Duration::from_secs(self.config.quiet_secs),
            wall: Some(self.wall),
        };
        let error = carry(&mut connection, patience).await.err()?;
        self.calls.live().metrics().connection_refused();
        let call = connection.call.map(|uuid| display(uuid.hyphenated()));
        let message = message_of(&error);
        let (cause, hint) = cause_and_hint(&message);
        tracing::warn!(call.id = call, %peer, hint, "AudioSocket: {cause}");
        Some(match self.calls.live().is_hung_up() {
            true => Complaint::Stopping,
            false => complaint_of(&error),
        })
    }

    /// Says why, and takes what the other side still sends: a socket that is closed before loses what was said.
    async fn refuse(&self, mut stream: TcpStream, complaint: Complaint) {
        let told = write_complaint(complaint);
        let Ok(_refusal) = self.refusals.try_acquire() else {
            let _ = stream.try_write(&told);
            return;
        };
        let telling = async {
            stream.write_all(&told).await?;
            stream.shutdown().await?;
            let mut rest = AsyncReadExt::take(&mut stream, REFUSED_BYTES);
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
        };
        let _ = tokio::time::timeout(REFUSE_WITHIN, telling).await;
    }

    /// The first connection that brings audio opens its call.
    async fn open(&self, seat: Option<&Seat>, rate_hz: u32) -> Result<CallLeg> {
        let seat = seat.context("audio came before the call's id")?;
        let id = seat.call_id();
        let metadata = CallMetadata {
            started_at: Some(clock::now_text()),
            ..CallMetadata::default()
        };
        if self.config.connections > 1 {
            let joiner = LegToJoin {
                id,
                metadata,
                speaker: Speaker::Seated {
                    party: seat.party,
                    is_other_there: seat.is_other_there(),
                },
                rate_hz,
            };
            return self.joining.join(joiner).await;
        }
        let party = Party::Unknown;
        let to_open = CallToOpen {
            id,
            metadata,
            source: SOURCE,
            legs: vec![NewLeg { party, rate_hz }],
            settings: CallSettings::default(),
            audio: WhereAudioLies::Nowhere,
        };
        let opened = tokio::task::block_in_place(|| self.calls.open(to_open))?;
        opened
            .legs
            .into_iter()
            .next()
            .context("the call has no leg")
    }
}

fn complaint_of(error: &anyhow::Error) -> Complaint {
    match NotTaken::of(error) {
        Some(NotTaken::Overloaded | NotTaken::Busy) => Complaint::Overloaded,
        Some(NotTaken::Unacceptable) => Complaint::NotAccepted,
        Some(NotTaken::Stopping) => Complaint::Stopping,
        None => Complaint::Protocol,
    }
}

/// One connection.
struct Connection<'c> {
    ingest: &'c Arc<AudioSocket>,
    stream: &'c mut TcpStream,
    reader: AudioSocketReader,
    /// Once it said which call it is.
    call: Option<Uuid>,
    /// Where it has one in that call.
    seat: Option<Seat>,
    /// Of the leg, once audio came.
    rate_hz: Option<u32>,
    /// The audio of the last message.
    audio: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// The call is open; the audio that opened it is to be told.
    JustOpened,
    /// The other side said that its leg has ended.
    Over,
}

impl Connection<'_> {
    /// What the next message says, where a whole one is there; audio is left in `self.audio`.
    fn message(&mut self) -> Result<Option<Said>> {
        while let Some(message) = self.reader.message()? {
            match message {
                AudioSocketMessage::Id(uuid) => {
                    self.call = Some(uuid);
                    self.seat = Some(self.ingest.seats.sit(uuid)?);
                    return Ok(Some(Said::Id));
                }
                AudioSocketMessage::Audio { rate_hz, samples } => {
                    self.audio.clear();
                    self.audio.extend_from_slice(samples);
                    return Ok(Some(Said::Audio { rate_hz }));
                }
                AudioSocketMessage::Terminate => return Ok(Some(Said::Over)),
                AudioSocketMessage::Digit(key) => return Ok(Some(Said::Pressed(key))),
                AudioSocketMessage::Error(_) => {}
            }
        }
        Ok(None)
    }

    fn piece(&self) -> Piece<'_> {
        Piece::Audio {
            encoding: Encoding::L16,
            at: None,
            channels: smallvec![&*self.audio],
        }
    }
}

/// A message without what it borrows.
enum Said {
    Id,
    Audio { rate_hz: u32 },
    Pressed(PhoneKey),
    Over,
}

impl Ingest for Connection<'_> {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if self.state == State::JustOpened {
            self.state = State::Reading;
            return Ok(Some(self.piece()));
        }
        loop {
            if self.state == State::Over {
                if let (Some(seat), Some(_)) = (&self.seat, self.rate_hz) {
                    self.ingest.joining.over(&seat.call_id()).await;
                }
                return Ok(None);
            }
            match self.message()? {
                None => {}
                Some(Said::Id) => return Ok(Some(Piece::Alive)),
                // Before there is audio there is no call to keep it.
                Some(Said::Pressed(key)) => {
                    let press = Press::now(key);
                    return Ok(Some(Piece::Pressed { leg_idx: 0, press }));
                }
                Some(Said::Over) => {
                    self.state = State::Over;
                    continue;
                }
                Some(Said::Audio { rate_hz }) => match self.rate_hz.replace(rate_hz) {
                    None => {
                        let leg = self.ingest.open(self.seat.as_ref(), rate_hz).await?;
                        self.state = State::JustOpened;
                        return Ok(Some(Piece::Opened(vec![leg])));
                    }
                    Some(before) if before != rate_hz => {
                        bail!("the rate changed from `{before}` to `{rate_hz}` Hz")
                    }
                    Some(_) => return Ok(Some(self.piece())),
                },
            }
            let read = self.stream.read(self.reader.space()).await;
            match read.context("the connection broke off")? {
                0 => {
                    self.reader.finish()?;
                    return Ok(None);
                }
                n_bytes => self.reader.advance(n_bytes),
            }
        }
    }
}

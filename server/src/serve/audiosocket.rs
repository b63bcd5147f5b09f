//! AudioSocket: a TCP connection for each leg; two with the same UUID are the legs of one call.
//!
//! ```text
//! Greeting => Named => Speaking => Over
//! ```

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_live::{Encoding, Full, LegFeed, NewLeg};
use auricle_wire::Limits;
use auricle_wire::audiosocket::{
    AudioSocketMessage, AudioSocketReader, Complaint, write_complaint,
};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::calls::Calls;
use crate::clock;
use crate::exit::message_of;

/// How long a connection may take to say which call it is.
const NAME_WITHIN: Duration = Duration::from_secs(5);
/// How long the second leg may stay away: Asterisk connects one after the other within two.
const JOIN_WITHIN: Duration = Duration::from_secs(10);
/// A leg that sends nothing for so long is silent: its time goes on.
const SILENT_AFTER: Duration = Duration::from_secs(1);
/// Legs that begin within so short a time begin together.
const TOGETHER: Duration = Duration::from_millis(100);
/// How long a leg waits for room, where the pipeline is behind.
const FULL_WAIT: Duration = Duration::from_millis(5);

/// `[live.audiosocket]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AudioSocketConfig {
    /// Address and port, for example `"0.0.0.0:9092"`; without it AudioSocket is off. It has neither keys nor encryption.
    pub(crate) listen: Option<SocketAddr>,
    /// Connections at a time, 1 to 200,000; more are refused.
    pub(crate) most_connections: usize,
    /// A leg that sends no audio for so long is over, seconds, 5 to 86,400.
    pub(crate) quiet_secs: u64,
}

impl Default for AudioSocketConfig {
    fn default() -> Self {
        Self {
            listen: None,
            most_connections: 2_000,
            quiet_secs: 300,
        }
    }
}

/// Takes connections.
pub(crate) struct AudioSocket {
    calls: Arc<Calls>,
    config: AudioSocketConfig,
    connections: Arc<Semaphore>,
    /// Calls whose second leg is not there yet.
    waiting: Mutex<HashMap<Uuid, SecondLeg>>,
}

struct SecondLeg {
    feed: LegFeed,
    since: Instant,
    rate_hz: u32,
}

impl AudioSocket {
    pub(crate) fn new(calls: Arc<Calls>, config: AudioSocketConfig) -> Arc<Self> {
        Arc::new(Self {
            calls,
            connections: Arc::new(Semaphore::new(config.most_connections)),
            config,
            waiting: Mutex::new(HashMap::new()),
        })
    }

    /// Takes connections until the program ends.
    pub(crate) async fn listen(self: Arc<Self>, listener: TcpListener) {
        loop {
            let (mut stream, _) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(cause) => {
                    // Too many open files: some will be closed.
                    tracing::warn!("AudioSocket takes no connection: {cause}");
                    tokio::time::sleep(SILENT_AFTER).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&self.connections).try_acquire_owned() else {
                self.calls.live().metrics().connection_refused();
                let _ = stream.try_write(&write_complaint(Complaint::Overloaded));
                continue;
            };
            let this = Arc::clone(&self);
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = this.serve(&mut stream).await {
                    this.calls.live().metrics().connection_refused();
                    tracing::warn!("AudioSocket: {}", message_of(&error));
                    let complaint = write_complaint(complaint_of(&error));
                    let told = stream.write_all(&complaint);
                    let _ = tokio::time::timeout(NAME_WITHIN, told).await;
                }
            });
        }
    }

    async fn serve(self: &Arc<Self>, stream: &mut TcpStream) -> Result<()> {
        let mut reader = AudioSocketReader::new(&Limits::default());
        let named_by = Instant::now() + NAME_WITHIN;
        let mut leg: Option<Leg> = None;
        let mut id = None;
        let mut heard_at = Instant::now();
        loop {
            while let Some(message) = reader.message()? {
                match message {
                    AudioSocketMessage::Id(uuid) => id = Some(uuid),
                    AudioSocketMessage::Audio { rate_hz, samples } => {
                        let leg = match &mut leg {
                            Some(leg) => leg,
                            None => leg.insert(self.open(id, rate_hz)?),
                        };
                        if leg.rate_hz != rate_hz {
                            bail!("the rate changed from `{}` to `{rate_hz}` Hz", leg.rate_hz);
                        }
                        leg.push(samples).await?;
                        heard_at = Instant::now();
                    }
                    AudioSocketMessage::Terminate => return Ok(()),
                    AudioSocketMessage::Digit(_) | AudioSocketMessage::Error(_) => {}
                }
            }
            let patience = match id {
                None => named_by.saturating_duration_since(Instant::now()),
                Some(_) => SILENT_AFTER,
            };
            match tokio::time::timeout(patience, stream.read(reader.space())).await {
                Ok(Ok(0)) => return Ok(reader.finish()?),
                Ok(read) => {
                    reader.advance(read.context("the connection broke off")?);
                }
                Err(_) if id.is_none() => {
                    bail!("no id came within {} s", NAME_WITHIN.as_secs())
                }
                Err(_) => {
                    if let Some(leg) = &mut leg {
                        leg.push_silence(SILENT_AFTER).await?;
                    }
                }
            }
            if heard_at.elapsed().as_secs() >= self.config.quiet_secs {
                bail!("no audio came for {} s", self.config.quiet_secs);
            }
        }
    }

    /// The first connection of a call opens it and is the agent; the second is the customer.
    fn open(self: &Arc<Self>, id: Option<Uuid>, rate_hz: u32) -> Result<Leg> {
        let id = id.context("audio came before the call's id")?;
        let mut waiting = self.waiting();
        if let Some(second) = waiting.remove(&id) {
            if second.rate_hz != rate_hz {
                bail!(
                    "the legs of a call must have one rate, got `{}` and `{rate_hz}` Hz",
                    second.rate_hz
                );
            }
            let behind = second.since.elapsed();
            let behind = if behind < TOGETHER {
                Duration::ZERO
            } else {
                behind
            };
            return Ok(Leg::late(second.feed, behind));
        }
        let legs = [Party::Agent, Party::Customer].map(|party| NewLeg { party, rate_hz });
        let metadata = CallMetadata {
            started_at: Some(clock::now_text()),
            ..CallMetadata::default()
        };
        let call_id = CallId(id.to_string());
        let feeds = self
            .calls
            .open(call_id, metadata, "audiosocket", legs.to_vec())?;
        let mut feeds = feeds.into_iter();
        let (Some(agent), Some(customer)) = (feeds.next(), feeds.next()) else {
            bail!("the call has not two legs");
        };
        waiting.insert(
            id,
            SecondLeg {
                feed: customer,
                since: Instant::now(),
                rate_hz,
            },
        );
        self.let_go_later(id);
        Ok(Leg::late(agent, Duration::ZERO))
    }

    /// A second leg that stays away does not keep its call open.
    fn let_go_later(self: &Arc<Self>, id: Uuid) {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(JOIN_WITHIN).await;
            this.waiting().remove(&id);
        });
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Uuid, SecondLeg>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn complaint_of(error: &anyhow::Error) -> Complaint {
    use auricle_live::OpenError;
    match error.downcast_ref::<OpenError>() {
        Some(OpenError::Draining) => Complaint::Stopping,
        Some(OpenError::TooMany { .. } | OpenError::Busy) => Complaint::Overloaded,
        Some(_) => Complaint::NotAccepted,
        None => Complaint::Protocol,
    }
}

struct Leg {
    feed: LegFeed,
    rate_hz: u32,
    /// Time before it came, which is silence.
    behind: Duration,
}

impl Leg {
    fn late(feed: LegFeed, behind: Duration) -> Self {
        Self {
            rate_hz: feed.rate_hz(),
            feed,
            behind,
        }
    }

    async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let behind = std::mem::take(&mut self.behind);
        self.push_silence(behind).await?;
        self.push_all(bytes).await
    }

    /// Waits for room where there is none: the sender is held back.
    async fn push_all(&mut self, mut bytes: &[u8]) -> Result<()> {
        loop {
            match self.feed.push(Encoding::L16, bytes) {
                Ok(()) => return Ok(()),
                Err(Full::ForEver) => bail!("the leg cannot be heard any more"),
                Err(Full::ForNow { n_taken }) => bytes = &bytes[n_taken..],
            }
            tokio::time::sleep(FULL_WAIT).await;
        }
    }

    async fn push_silence(&mut self, length: Duration) -> Result<()> {
        let mut n_samples = (length.as_millis() as u64 * u64::from(self.rate_hz) / 1000) as usize;
        let silence = [0; 2 * 160];
        while n_samples > 0 {
            let n = n_samples.min(160);
            self.push_all(&silence[..2 * n]).await?;
            n_samples -= n;
        }
        Ok(())
    }
}

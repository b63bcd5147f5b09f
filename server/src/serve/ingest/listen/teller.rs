//! Tells a client what is said in its call.
//!
//! ```text
//! Telling => (call over and stream over) => Metadata, close
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use auricle_contracts::{EventKind, Happening, LiveEvent, Utterance};
use auricle_live::LegReach;
use auricle_wire::Close;
use auricle_wire::listen::{
    FinalizeWhat, ListenMetadata, ListenRequest, ServerMessage, SpeechStarted, UtteranceEnd,
};
use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::{Notify, mpsc};

use super::results::{ResultsWriter, Said};
use crate::serve::followers::{Follower, Unfollowed};
use crate::serve::hub::KeptEvent;
use crate::serve::ingest::websocket::close_message;

/// How long one message may take: whoever takes none for so long is gone.
const SEND_WITHIN: Duration = Duration::from_secs(30);
/// How long a call that is over may take to be heard to its end and saved.
const END_WITHIN: Duration = Duration::from_secs(120);
/// How often it is looked how far the call is heard.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// From the end of recognition to the event: judgement and the queue to the hub.
const TOLD_WITHIN: Duration = Duration::from_millis(500);
/// Silence that was put in and is heard but for its last frame and what resampling holds back has ended what it could.
const UNHEARD_MS: u64 = 150;
/// Silence that was put in and ended nothing.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// What the stream tells its teller.
#[derive(Debug)]
pub(super) enum Note {
    /// To be sent as it is.
    Answer(ServerMessage),
    /// What was said before `at_ms` of the call is to be told as final; behind it there is silence.
    Finalize {
        what: FinalizeWhat,
        at_ms: u64,
        silence_ms: u64,
    },
    /// No audio comes any more.
    Over(Summary),
}

/// What a stream was.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) close: Close,
    /// RFC 3339.
    pub(super) created: String,
    pub(super) sha256: String,
    pub(super) duration_secs: f64,
    /// Of the audio.
    pub(super) n_channels: u16,
}

/// Tells one client.
pub(super) struct Teller {
    socket: SplitSink<WebSocket, Message>,
    follower: Follower,
    writer: ResultsWriter,
    wants_interim: bool,
    wants_starts: bool,
    utterance_end_ms: Option<u64>,
    /// Silence that ends utterances, of the configuration.
    trailing_ms: u64,
    channels: Vec<ChannelTold>,
    /// Told when the call is over.
    call_over: Arc<Notify>,
    is_call_over: bool,
    stream_over: Option<(Summary, Instant)>,
}

/// How far a channel is told. Times are milliseconds of the call.
struct ChannelTold {
    reach: LegReach,
    /// Start of the last utterance that was told of.
    started_ms: Option<u64>,
    /// End of the last words, until the silence behind them is told.
    ended_ms: Option<u64>,
    owed: Option<Owed>,
}

/// An answer to `Finalize` that is not given yet.
struct Owed {
    at_ms: u64,
    silence_ms: u64,
    /// Since when all before it is heard.
    heard: Option<Instant>,
    /// Since when the silence behind it is heard.
    silent: Option<Instant>,
}

/// The client takes nothing any more.
struct Unsent;

impl Teller {
    pub(super) fn new(
        socket: SplitSink<WebSocket, Message>,
        follower: Follower,
        writer: ResultsWriter,
        request: &ListenRequest,
        reach: Vec<LegReach>,
        trailing_ms: u64,
        call_over: Arc<Notify>,
    ) -> Self {
        let channel = |reach| ChannelTold {
            reach,
            started_ms: None,
            ended_ms: None,
            owed: None,
        };
        Self {
            socket,
            follower,
            writer,
            wants_interim: request.interim_results,
            wants_starts: request.vad_events,
            utterance_end_ms: request.utterance_end_ms.map(u64::from),
            trailing_ms,
            channels: reach.into_iter().map(channel).collect(),
            call_over,
            is_call_over: false,
            stream_over: None,
        }
    }

    /// Tells all that there is to tell, and closes.
    pub(super) async fn run(mut self, mut notes: mpsc::Receiver<Note>) {
        if let Ok(close) = self.tell(&mut notes).await {
            let sent = self.socket.send(close_message(close));
            let _ = tokio::time::timeout(SEND_WITHIN, sent).await;
        }
    }

    async fn tell(&mut self, notes: &mut mpsc::Receiver<Note>) -> Result<Close, Unsent> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // Notes first: silence is known of before what is said behind it.
                biased;
                note = notes.recv() => match note.ok_or(Unsent)? {
                    Note::Answer(message) => self.send(&message).await?,
                    Note::Finalize { what, at_ms, silence_ms } => self.owe(what, at_ms, silence_ms),
                    Note::Over(summary) => match summary.close {
                        Close::Normal | Close::Stopping => {
                            self.stream_over = Some((summary, Instant::now()));
                        }
                        close => return Ok(close),
                    },
                },
                event = self.follower.next() => match event {
                    Ok(event) => self.event(&event).await?,
                    Err(Unfollowed::Ending) => return Ok(Close::Stopping),
                    Err(Unfollowed::Late) => return Ok(Close::NoAnswer),
                },
                _ = looks.tick() => self.look().await?,
            }
            match &self.stream_over {
                Some((summary, _)) if self.is_call_over => {
                    let (close, message) = (summary.close, self.metadata(summary));
                    self.answer_all().await?;
                    self.send(&message).await?;
                    return Ok(close);
                }
                Some((_, since)) if since.elapsed() >= END_WITHIN => return Ok(Close::NoAnswer),
                _ => {}
            }
        }
    }

    fn metadata(&self, summary: &Summary) -> ServerMessage {
        ServerMessage::Metadata(ListenMetadata {
            transaction_key: "deprecated".to_owned(),
            request_id: self.writer.metadata.request_id.clone(),
            sha256: summary.sha256.clone(),
            created: summary.created.clone(),
            duration: summary.duration_secs,
            channels: summary.n_channels,
        })
    }

    async fn event(&mut self, event: &KeptEvent) -> Result<(), Unsent> {
        let is_told = [EventKind::Partial, EventKind::Final, EventKind::CallEnded];
        if !is_told.contains(&event.kind) {
            return Ok(());
        }
        let Ok(event) = serde_json::from_str::<LiveEvent>(&event.json) else {
            return Ok(());
        };
        match event.happening {
            Happening::Partial {
                channel,
                start_ms,
                end_ms,
                text,
                ..
            } => {
                self.begins(channel, start_ms).await?;
                match self.wants_interim {
                    true => {
                        let message = self.writer.interim(channel, [start_ms, end_ms], text);
                        self.send(&message).await
                    }
                    false => Ok(()),
                }
            }
            Happening::Final { utterance, .. } => self.utterance(&utterance).await,
            Happening::CallEnded(_) => {
                self.is_call_over = true;
                self.call_over.notify_one();
                Ok(())
            }
            Happening::CallStarted { .. }
            | Happening::CallDescribed { .. }
            | Happening::Alert(_)
            | Happening::Acknowledged(_) => Ok(()),
        }
    }

    async fn utterance(&mut self, utterance: &Utterance) -> Result<(), Unsent> {
        let index = utterance.channel;
        self.begins(index, utterance.start_ms).await?;
        let Some(channel) = self.channels.get_mut(usize::from(index)) else {
            return Ok(());
        };
        let trailing_ms = self.trailing_ms;
        let ends_there = |owed: &mut Owed| {
            utterance.start_ms < owed.at_ms && utterance.end_ms + trailing_ms > owed.at_ms
        };
        let said = match channel.owed.take_if(ends_there) {
            Some(_) => Said::FromFinalize,
            None => Said::Final,
        };
        // It may have waited for the other channel while the next one began.
        let next_ms = channel
            .started_ms
            .filter(|start_ms| *start_ms > utterance.start_ms);
        channel.ended_ms = next_ms.is_none().then_some(utterance.end_ms);
        let message = self.writer.utterance(index, utterance, said);
        self.send(&message).await?;
        match next_ms {
            Some(next_ms) if self.is_long_silence(utterance.end_ms, next_ms) => {
                self.tell_silence(index, utterance.end_ms).await
            }
            _ => Ok(()),
        }
    }

    /// An utterance that begins here is told of: it may be the first time.
    async fn begins(&mut self, index: u16, start_ms: u64) -> Result<(), Unsent> {
        let Some(channel) = self.channels.get_mut(usize::from(index)) else {
            return Ok(());
        };
        if channel
            .started_ms
            .is_some_and(|started_ms| start_ms <= started_ms)
        {
            return Ok(());
        }
        channel.started_ms = Some(start_ms);
        let ended_ms = channel.ended_ms.take();
        if let Some(ended_ms) = ended_ms
            && self.is_long_silence(ended_ms, start_ms)
        {
            self.tell_silence(index, ended_ms).await?;
        }
        if self.wants_starts {
            let message = ServerMessage::SpeechStarted(SpeechStarted {
                channel: [index, self.writer.n_channels],
                timestamp: self.writer.timeline.seconds(start_ms),
            });
            self.send(&message).await?;
        }
        Ok(())
    }

    /// Whether the client wants to know of silence between these two.
    fn is_long_silence(&self, ended_ms: u64, until_ms: u64) -> bool {
        let timeline = &self.writer.timeline;
        self.utterance_end_ms.is_some_and(|least_ms| {
            timeline.client_ms(until_ms) >= timeline.client_ms(ended_ms) + least_ms
        })
    }

    async fn tell_silence(&mut self, index: u16, ended_ms: u64) -> Result<(), Unsent> {
        let message = ServerMessage::UtteranceEnd(UtteranceEnd {
            channel: [index, self.writer.n_channels],
            last_word_end: self.writer.timeline.seconds(ended_ms),
        });
        self.send(&message).await
    }

    fn owe(&mut self, what: FinalizeWhat, at_ms: u64, silence_ms: u64) {
        self.writer.timeline.put_in(at_ms, silence_ms);
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let is_asked = match what {
                FinalizeWhat::All => true,
                FinalizeWhat::Channel(asked) => usize::from(asked) == index,
            };
            if is_asked {
                channel.owed = Some(Owed {
                    at_ms,
                    silence_ms,
                    heard: None,
                    silent: None,
                });
            }
        }
    }

    /// Tells what follows from silence.
    async fn look(&mut self) -> Result<(), Unsent> {
        for index in 0..self.channels.len() {
            let channel = &mut self.channels[index];
            let (settled_ms, begun_ms) = (channel.reach.settled_ms(), channel.reach.begun_ms());
            let nothing_came = channel.owed.take_if(|owed| owed.is_in_vain(settled_ms));
            let ended_ms = channel.ended_ms;
            if let Some(owed) = nothing_came {
                let message = self.writer.nothing(index as u16, owed.at_ms);
                self.send(&message).await?;
            }
            if let Some(ended_ms) = ended_ms
                && self.is_long_silence(ended_ms, begun_ms)
            {
                self.channels[index].ended_ms = None;
                self.tell_silence(index as u16, ended_ms).await?;
            }
        }
        Ok(())
    }

    /// The call is over: nothing else is said.
    async fn answer_all(&mut self) -> Result<(), Unsent> {
        for index in 0..self.channels.len() {
            if let Some(owed) = self.channels[index].owed.take() {
                let message = self.writer.nothing(index as u16, owed.at_ms);
                self.send(&message).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: &ServerMessage) -> Result<(), Unsent> {
        let sent = self.socket.send(Message::Text(message.to_json().into()));
        match tokio::time::timeout(SEND_WITHIN, sent).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Unsent),
        }
    }
}

impl Owed {
    /// Whether all is heard, and no utterance came of it.
    fn is_in_vain(&mut self, settled_ms: u64) -> bool {
        let note = |since: &mut Option<Instant>, is_so: bool| {
            if is_so && since.is_none() {
                *since = Some(Instant::now());
            }
            since.map_or(Duration::ZERO, |since| since.elapsed())
        };
        let heard = note(&mut self.heard, settled_ms >= self.at_ms);
        let until_ms = self.at_ms + self.silence_ms.saturating_sub(UNHEARD_MS);
        let silent = note(&mut self.silent, settled_ms >= until_ms);
        silent >= TOLD_WITHIN || heard >= ENDS_WITHIN
    }
}

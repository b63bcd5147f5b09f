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

use super::finalize::{Nothing, Owed, Silence};
use super::parted::Parted;
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
pub(super) const TOLD_WITHIN: Duration = Duration::from_millis(500);

/// What the stream tells its teller.
#[derive(Debug)]
pub(super) enum Note {
    /// To be sent as it is.
    Answer(ServerMessage),
    /// What was said before this silence is to be told as final.
    Finalize {
        what: FinalizeWhat,
        silence: Silence,
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
    owed: Owed,
    parted: Parted,
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
            owed: Owed::default(),
            parted: Parted::new(trailing_ms),
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
                    Note::Finalize { what, silence } => self.finalize(what, silence).await?,
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
            Happening::Final {
                utterance, is_cut, ..
            } => {
                let said = if is_cut { Said::Part } else { Said::Final };
                self.utterance(&utterance, said).await
            }
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

    async fn utterance(&mut self, utterance: &Utterance, said: Said) -> Result<(), Unsent> {
        let (index, end_ms) = (utterance.channel, utterance.end_ms);
        let Some(channel) = self.channels.get_mut(usize::from(index)) else {
            return Ok(());
        };
        let place = [utterance.start_ms, end_ms];
        let answers = channel.owed.told(place, self.trailing_ms);
        for nothing in answers.before {
            self.answer(index, nothing).await?;
        }
        let timeline = &self.writer.timeline;
        let channel = &mut self.channels[usize::from(index)];
        let paused_ms = channel.parted.next_began(utterance.start_ms, timeline);
        self.tell_pause(index, paused_ms).await?;
        self.begins(index, utterance.start_ms).await?;
        let channel = &mut self.channels[usize::from(index)];
        // It may have waited for the other channel while the next one began.
        let next_ms = channel
            .started_ms
            .filter(|start_ms| *start_ms > utterance.start_ms);
        channel.ended_ms = next_ms.is_none().then_some(end_ms);
        let said = answers.here.map_or(said, |_| Said::FromFinalize);
        if matches!(said, Said::Part) {
            channel.parted.cut(end_ms, next_ms, &self.writer.timeline);
        }
        let message = self.writer.utterance(index, utterance, said);
        self.send(&message).await?;
        if let Some(here) = answers.here {
            let n_answers = here.n_answers - 1;
            self.answer(index, Nothing { n_answers, ..here }).await?;
        }
        match next_ms {
            Some(next_ms) if self.is_long_silence(end_ms, next_ms) => {
                self.tell_silence(index, end_ms).await
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
        let timeline = &self.writer.timeline;
        channel.parted.goes_on(start_ms, timeline);
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

    /// The speech that an utterance was cut out of ended here, if it did.
    async fn tell_pause(&mut self, index: u16, paused_ms: Option<u64>) -> Result<(), Unsent> {
        let Some(paused_ms) = paused_ms else {
            return Ok(());
        };
        let message = self.writer.nothing(index, paused_ms, Said::Final);
        self.send(&message).await
    }

    async fn finalize(&mut self, what: FinalizeWhat, silence: Silence) -> Result<(), Unsent> {
        let timeline = &mut self.writer.timeline;
        timeline.put_in(silence.at_ms, silence.length_ms);
        for index in 0..self.channels.len() {
            let is_asked = match what {
                FinalizeWhat::All => true,
                FinalizeWhat::Channel(asked) => usize::from(asked) == index,
            };
            let owed = &mut self.channels[index].owed;
            if let Some(nothing) = owed.finalize(silence, u32::from(is_asked)) {
                self.answer(index as u16, nothing).await?;
            }
        }
        Ok(())
    }

    /// Answers to `Finalize`.
    async fn answer(&mut self, index: u16, nothing: Nothing) -> Result<(), Unsent> {
        let message = self
            .writer
            .nothing(index, nothing.at_ms, Said::FromFinalize);
        for _ in 0..nothing.n_answers {
            // It says that the speech is over, too.
            self.channels[usize::from(index)].parted.end();
            self.send(&message).await?;
        }
        Ok(())
    }

    /// Tells what follows from silence.
    async fn look(&mut self) -> Result<(), Unsent> {
        let now = Instant::now();
        for index in 0..self.channels.len() {
            let channel = &mut self.channels[index];
            let (settled_ms, begun_ms) = (channel.reach.settled_ms(), channel.reach.begun_ms());
            for nothing in channel.owed.in_vain(settled_ms, now) {
                self.answer(index as u16, nothing).await?;
            }
            let (channel, timeline) = (&mut self.channels[index], &self.writer.timeline);
            let paused_ms = channel.parted.look(begun_ms, timeline, now);
            let ended_ms = channel.ended_ms;
            self.tell_pause(index as u16, paused_ms).await?;
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
            for nothing in self.channels[index].owed.rest() {
                self.answer(index as u16, nothing).await?;
            }
            let paused_ms = self.channels[index].parted.end();
            self.tell_pause(index as u16, paused_ms).await?;
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

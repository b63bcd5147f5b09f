//! Calls as they begin: from an offer to legs that are heard.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_media::Media;
use auricle_record::CallSettings;
use auricle_wire::Limits;
use auricle_wire::sdp::SessionDescription;
use auricle_wire::siprec::{PartyRules, Recording, RecordingError};
use tokio::time::MissedTickBehavior;

use super::body::{Body, description, is_siprec};
use super::lines::{OwnLine, TakenLine, Wanted, apart, labels_of, legs_of, nothing_heard, wanted};
use super::terms::{NotAnswered, Offer, Refused, Reply};
use super::{Session, StandBy, State};
use crate::clock;
use crate::exit::message_of;
use crate::serve::calls::{CallToOpen, Calls, WhereAudioLies};
use crate::serve::ingest::joining::{JoinError, Joining, LegToJoin, Speaker};
use crate::serve::ingest::leg_time::WallTime;
use crate::serve::ingest::sip::capture::Tap;
use crate::serve::ingest::sip::config::SipConfig;
use crate::serve::ingest::sip::duplicates::{Duplicates, Held};
use crate::serve::ingest::sip::leg::{Hearing, NewLine};
use crate::serve::ingest::sip::naming::{PlainCall, RecordedCall, Voices};
use crate::serve::ingest::sip::negotiate::{Answers, Own, Wishes, audio_lines, leg_hz};
use crate::serve::ingest::{CallLeg, NotTaken};

/// How a call's audio comes: recorded, or in a call of its own.
const RECORDED: &str = "siprec";
const PLAIN: &str = "sip";
/// How often lines are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// All sessions.
pub(crate) struct Sessions {
    calls: Arc<Calls>,
    media: Media,
    wall: WallTime,
    pub(super) wishes: Wishes,
    pub(super) rules: PartyRules,
    pub(super) limits: Limits,
    joining: Arc<Joining>,
    pub(super) duplicates: Arc<Duplicates>,
    n_under_way: Arc<AtomicUsize>,
}

/// One session is under way as long as this is there.
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Sessions {
    /// # Errors
    /// When the system gives no random bytes.
    pub(crate) fn new(
        config: &SipConfig,
        calls: Arc<Calls>,
        media: Media,
        wall: WallTime,
    ) -> anyhow::Result<Arc<Self>> {
        // Every answer needs some.
        session_id().map_err(|refused| anyhow::anyhow!(refused.why))?;
        Ok(Arc::new(Self {
            joining: Joining::new(Arc::clone(&calls), PLAIN),
            calls,
            media,
            wall,
            wishes: Wishes {
                codecs: config.codecs(),
                srtp: config.srtp,
                source: config.rtp_source,
            },
            rules: config.party_rules(),
            limits: Limits::default(),
            duplicates: Arc::default(),
            n_under_way: Arc::default(),
        }))
    }

    /// Sessions that are not over.
    pub(crate) fn n_under_way(&self) -> usize {
        self.n_under_way.load(Ordering::Relaxed)
    }

    /// Takes in the call of an INVITE; its legs are heard from now on. `tap` is of its dialog.
    ///
    /// # Errors
    /// Why it is refused: then nothing is left of it.
    pub(crate) async fn open(
        self: &Arc<Self>,
        offer: &Offer<'_>,
        tap: &Arc<Tap>,
    ) -> Result<(Session, Reply), NotAnswered> {
        let body = Body::read(offer, &self.limits)?;
        let sdp = body.sdp.ok_or_else(|| {
            let why = "INVITE has no session description: calls are not offered, only answered";
            NotAnswered::new(488, Refused::NoOffer, why)
        })?;
        let description = description(sdp, &self.limits)?;
        let (session, reply) = match is_siprec(offer, &body) {
            true => self.open_recording(offer, body.metadata, &description, tap)?,
            false => self.open_plain(offer, &description, tap).await?,
        };
        if let State::Heard { hearing, .. } = &session.state {
            let (call, n_lines) = (hearing.call(), session.lines.len());
            tracing::info!(call.id = %call, peer = %offer.peer, n_lines, "sip: a call is heard");
        }
        Ok((session, reply))
    }

    fn open_recording(
        self: &Arc<Self>,
        offer: &Offer<'_>,
        metadata: Option<Result<Recording, RecordingError>>,
        description: &SessionDescription,
        tap: &Arc<Tap>,
    ) -> Result<(Session, Reply), NotAnswered> {
        let audio = audio_lines(description, &self.wishes);
        let labels = labels_of(&audio);
        let (recording, unread) = match metadata {
            Some(Ok(recording)) => (Some(recording), None),
            Some(Err(error)) => (None, Some(not_read(&error))),
            None => (None, Some("the recording came without metadata".to_owned())),
        };
        let known: Vec<Option<&str>> = audio.iter().map(|line| line.label).collect();
        let named = RecordedCall::of(offer, recording.as_ref(), &known, &self.rules, &self.limits);
        let (wanted, unheard) = wanted(&audio, &named.parties)?;
        let mut warnings: Vec<String> = unread.into_iter().chain(named.warnings).collect();
        warnings.extend(unheard);
        if wanted.len() == 1 && !named.is_mixed {
            warnings.push("the recording has one stream: only one party is heard".to_owned());
        }
        let leg_hz = leg_hz(wanted.iter().map(|wanted| &wanted.hearable));
        let mut answers = Answers::new(session_id()?);
        let (taken, sdp) = self.take(wanted, description, offer.local, &mut answers)?;
        let to_open = CallToOpen {
            id: named.id,
            metadata: beginning_now(named.metadata),
            source: RECORDED,
            legs: legs_of(taken.iter().map(|taken| taken.line.party), leg_hz),
            settings: CallSettings::default(),
            audio: WhereAudioLies::Nowhere,
        };
        let identities = recording.as_ref().map(Recording::identities);
        let (lines, ports) = apart(taken);
        let waiting = StandBy {
            to_open,
            ports,
            leg_hz,
            identities: identities.unwrap_or_default(),
            warnings,
            tap: Arc::clone(tap),
            free_since: None,
        };
        let claimed = self
            .duplicates
            .claim(&waiting.identities, &waiting.to_open.id);
        let state = match claimed {
            Ok(held) => self.hear(waiting, held)?,
            Err(first) => {
                tracing::warn!(call.id = %first, "sip: another recording of the call came: it stands by");
                State::StandsBy(Box::new(waiting))
            }
        };
        let session = Session {
            recording,
            labels,
            ..self.session(state, answers, lines, true)
        };
        Ok((
            session,
            Reply {
                sdp,
                is_siprec: true,
            },
        ))
    }

    async fn open_plain(
        self: &Arc<Self>,
        offer: &Offer<'_>,
        description: &SessionDescription,
        tap: &Tap,
    ) -> Result<(Session, Reply), NotAnswered> {
        let audio = audio_lines(description, &self.wishes);
        let named = PlainCall::of(offer, &self.rules, &self.limits);
        let first = audio.iter().enumerate().find_map(|(audio_idx, line)| {
            let hearable = line.heard.as_ref().ok()?.clone();
            Some((audio_idx, hearable))
        });
        let (audio_idx, hearable) = first.ok_or_else(|| nothing_heard(&audio))?;
        let party = match named.voices {
            Voices::All(party) | Voices::One(Speaker::Said(party)) => party,
            // As its place in the call will be.
            Voices::One(_) if self.calls.is_under_way(&named.id) => Party::Customer,
            Voices::One(_) => Party::Agent,
        };
        let leg_hz = leg_hz(std::iter::once(&hearable));
        let wanted = vec![Wanted {
            audio_idx,
            party,
            hearable,
        }];
        let mut answers = Answers::new(session_id()?);
        let (taken, sdp) = self.take(wanted, description, offer.local, &mut answers)?;
        let legs = legs_of(std::iter::once(party), leg_hz);
        let to_open = CallToOpen {
            id: named.id,
            metadata: beginning_now(named.metadata),
            source: PLAIN,
            legs,
            settings: CallSettings::default(),
            audio: WhereAudioLies::Nowhere,
        };
        let (leg, leg_hz) = self.plain_leg(to_open, named.voices, leg_hz).await?;
        let call = leg.call().clone();
        // Of the call, which the other line may have opened.
        let now = Instant::now();
        let opened = now.checked_sub(leg.age(Duration::ZERO)).unwrap_or(now);
        let (lines, mut ports) = apart(taken);
        let new = ports.pop().map(|(port, agreed)| NewLine {
            leg,
            party,
            port,
            agreed,
        });
        let new = new.into_iter().collect();
        let hearing = Hearing::begin(tap, &self.calls, call, new, leg_hz, opened, self.wall);
        for warning in named.warnings {
            hearing.warn(warning);
        }
        let held = None;
        let session = Session {
            labels: labels_of(&audio),
            ..self.session(State::Heard { hearing, held }, answers, lines, false)
        };
        Ok((
            session,
            Reply {
                sdp,
                is_siprec: false,
            },
        ))
    }

    /// The leg of a call of one line, or of one of its lines, and its rate.
    async fn plain_leg(
        &self,
        to_open: CallToOpen,
        voices: Voices,
        rate_hz: u32,
    ) -> Result<(CallLeg, u32), NotAnswered> {
        let Voices::One(speaker) = voices else {
            let (_, mut legs) = self.open_call(to_open)?;
            let leg = legs.pop();
            let leg = leg.ok_or_else(|| NotAnswered::internal("the call has no leg"))?;
            return Ok((leg, rate_hz));
        };
        let joiner = LegToJoin {
            id: to_open.id,
            metadata: to_open.metadata,
            speaker,
            rate_hz,
        };
        let joined = self.join(joiner).await;
        joined.map_err(|error| not_taken(&error))
    }

    fn session(
        self: &Arc<Self>,
        state: State,
        answers: Answers,
        lines: Vec<OwnLine>,
        is_siprec: bool,
    ) -> Session {
        let mut clock = tokio::time::interval(LOOK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Session {
            sessions: Arc::clone(self),
            state,
            answers,
            is_siprec,
            lines,
            labels: Vec::new(),
            recording: None,
            clock,
            _under_way: UnderWay::new(&self.n_under_way),
        }
    }

    /// Takes ports for these lines, and writes the answer that takes them.
    fn take(
        &self,
        wanted: Vec<Wanted<'_>>,
        description: &SessionDescription,
        local: IpAddr,
        answers: &mut Answers,
    ) -> Result<(Vec<TakenLine>, String), NotAnswered> {
        let mut accepted = Vec::new();
        let mut taken = Vec::new();
        for Wanted {
            audio_idx,
            party,
            hearable,
        } in wanted
        {
            let port = self
                .media
                .take_port()
                .map_err(|error| NotAnswered::new(503, Refused::NoPort, error.to_string()))?;
            let mut own = Own::new(port.rtp_port(), port.rtcp_port());
            let agreed = hearable.agree(&self.wishes, &mut own, random);
            let (answer, agreed) = agreed.ok_or_else(no_random)?;
            accepted.push((hearable.media_idx, answer));
            let line = OwnLine {
                media_idx: hearable.media_idx,
                audio_idx,
                party,
                own,
                is_held: hearable.is_held(),
            };
            taken.push(TakenLine { line, port, agreed });
        }
        let answer = answers.answer(description, local, &accepted);
        let sdp = answer.map_err(|error| NotAnswered::internal(&error.to_string()))?;
        Ok((taken, sdp))
    }

    /// Opens the call of a recording, and hears it.
    pub(super) fn hear(&self, waiting: StandBy, held: Held) -> Result<State, NotAnswered> {
        let StandBy {
            to_open,
            ports,
            leg_hz,
            warnings,
            tap,
            ..
        } = waiting;
        let parties: Vec<Party> = to_open.legs.iter().map(|leg| leg.party).collect();
        let (call, legs) = self.open_call(to_open)?;
        let opened = Instant::now();
        let lines = legs.into_iter().zip(parties).zip(ports);
        let new = lines.map(|((leg, party), (port, agreed))| NewLine {
            leg,
            party,
            port,
            agreed,
        });
        let new = new.collect();
        let hearing = Hearing::begin(&tap, &self.calls, call, new, leg_hz, opened, self.wall);
        for warning in warnings {
            hearing.warn(warning);
        }
        let held = Some(held);
        Ok(State::Heard { hearing, held })
    }

    /// It writes the beginning of a recording.
    fn open_call(&self, to_open: CallToOpen) -> Result<(CallId, Vec<CallLeg>), NotAnswered> {
        let opened = tokio::task::block_in_place(|| self.calls.open(to_open));
        let opened = opened.map_err(|error| not_taken(&error))?;
        Ok((opened.id, opened.legs))
    }

    /// One of two lines of a call. The legs of a call have one rate, which is the first line's.
    async fn join(&self, joiner: LegToJoin) -> anyhow::Result<(CallLeg, u32)> {
        let rate_hz = joiner.rate_hz;
        let error = match self.joining.join(joiner.clone()).await {
            Ok(leg) => return Ok((leg, rate_hz)),
            Err(error) => error,
        };
        let Some(&JoinError::Rates { first_hz, .. }) = error.downcast_ref() else {
            return Err(error);
        };
        let joiner = LegToJoin {
            rate_hz: first_hz,
            ..joiner
        };
        Ok((self.joining.join(joiner).await?, first_hz))
    }

    /// Has a call know what became known of it.
    pub(super) fn describe(&self, call: &CallId, metadata: CallMetadata) {
        if metadata == CallMetadata::default() || !self.calls.is_under_way(call) {
            return;
        }
        let announced = tokio::task::block_in_place(|| self.calls.announce(call, metadata));
        if let Err(error) = announced {
            let cause = message_of(&error);
            tracing::warn!(call.id = %call, "sip: what became known of a call is lost: {cause}");
        }
    }
}

pub(super) fn not_read(error: &RecordingError) -> String {
    format!("metadata of the recording are not read: {error}")
}

fn beginning_now(metadata: CallMetadata) -> CallMetadata {
    CallMetadata {
        started_at: Some(clock::now_text()),
        ..metadata
    }
}

pub(super) fn random(bytes: &mut [u8]) -> bool {
    getrandom::fill(bytes).is_ok()
}

pub(super) fn no_random() -> NotAnswered {
    NotAnswered::internal("the system gives no random bytes")
}

/// Of the answers of one dialog: a number that others can keep in 63 bits (RFC 8866, section 5.2, leaves its length open).
fn session_id() -> Result<u64, NotAnswered> {
    let mut bytes = [0; 8];
    match random(&mut bytes) {
        true => Ok(u64::from_le_bytes(bytes) >> 2),
        false => Err(no_random()),
    }
}

/// Why a call is not taken in, in codes of SIP. What says nothing of the call is told to the log alone.
fn not_taken(error: &anyhow::Error) -> NotAnswered {
    let message = message_of(error);
    match NotTaken::of(error) {
        Some(NotTaken::Overloaded | NotTaken::Busy) => {
            NotAnswered::new(503, Refused::Overloaded, message)
        }
        Some(NotTaken::Unacceptable) => NotAnswered::new(488, Refused::NotAccepted, message),
        Some(NotTaken::Stopping) => NotAnswered::new(503, Refused::Stopping, message),
        None => {
            tracing::error!("sip: a call cannot be opened: {message}");
            NotAnswered::internal("the call cannot be opened")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_are_not_taken_are_refused_in_codes_of_sip() {
        use auricle_live::OpenError;
        let status = |error: OpenError| {
            let refused = not_taken(&error.into());
            (refused.status, refused.reason)
        };
        let full = OpenError::TooMany { n_calls: 5 };
        assert_eq!(status(full), (503, Refused::Overloaded));
        assert_eq!(status(OpenError::Busy), (503, Refused::Overloaded));
        assert_eq!(status(OpenError::Draining), (503, Refused::Stopping));
        let legs = OpenError::Legs { n_legs: 9 };
        assert_eq!(status(legs), (488, Refused::NotAccepted));
        let other = not_taken(&anyhow::anyhow!("/secret/path"));
        assert_eq!(other.status, 500);
        assert!(!other.why.contains("secret"));
    }
}

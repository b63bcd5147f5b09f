//! Calls that SIP brings: what is answered to an offer, and the legs that are heard by it.
//!
//! ```text
//! offer ─▶ body ─▶ naming ─▶ negotiate ─▶ ports ─┬▶ duplicates ─▶ call ─▶ legs    (recording session)
//!                                                └▶ call, or its other line ─▶ leg (plain call)
//! ```
//!
//! ```text
//! Heard => Over
//! StandsBy (another recording of the call is heard) => (that is over) => Heard => Over
//! ```

mod body;
mod lines;
mod opening;
pub(super) mod terms;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auricle_contracts::Party;
use auricle_media::{LegAgreed, MediaPort};
use auricle_wire::sdp::SessionDescription;
use auricle_wire::siprec::{Identity, Recording, RecordingError};
use tokio::time::Interval;

use self::body::{Body, description};
use self::lines::{OwnLine, labels_of, n_more, nothing_heard};
pub(super) use self::opening::Sessions;
use self::opening::{UnderWay, no_random, not_read, random};
pub(super) use self::terms::{HungUp, NotAnswered, Offer, Over, Reply};
use super::capture::Tap;
use super::duplicates::Held;
use super::leg::{Farewell, Hearing, IsLast, LegEnd};
use super::naming::RecordedCall;
use super::negotiate::{Answers, AudioLine, Own, Unheard, audio_lines};
use crate::serve::calls::CallToOpen;

/// A call whose lines bring nothing for so long is over, and its BYE was lost.
const QUIET: Duration = Duration::from_secs(60);
const QUIET_TOLD: &str = "no audio came for 60 s";
/// The same while the other side said that it sends nothing: nobody is on hold for longer.
const HELD: Duration = Duration::from_secs(3_600);
const HELD_TOLD: &str = "no audio came for an hour on hold";
/// When the first recording of a call is over its second one ends, too, unless something broke: it is heard after this time.
const TAKE_OVER_AFTER: Duration = Duration::from_secs(5);

/// The call of one dialog. Dropped, its legs are closed.
pub(crate) struct Session {
    sessions: Arc<Sessions>,
    state: State,
    answers: Answers,
    is_siprec: bool,
    /// In the order of the legs.
    lines: Vec<OwnLine>,
    /// Of the audio lines, as they were offered last.
    labels: Vec<Option<String>>,
    /// All that the metadata told so far.
    recording: Option<Recording>,
    clock: Interval,
    _under_way: UnderWay,
}

enum State {
    /// `held` of a recording.
    Heard {
        hearing: Hearing,
        held: Option<Held>,
    },
    StandsBy(Box<StandBy>),
    Over,
}

/// A recording of a call that another recording brings already.
struct StandBy {
    to_open: CallToOpen,
    ports: Vec<(MediaPort, LegAgreed)>,
    leg_hz: u32,
    identities: Vec<Identity>,
    warnings: Vec<String>,
    /// Of its dialog.
    tap: Arc<Tap>,
    /// Since when the other is over.
    free_since: Option<Instant>,
}

impl Session {
    /// Takes in what a later INVITE or an UPDATE brings. `None`: no session description, so there is nothing to answer.
    ///
    /// # Errors
    /// Why it is refused: then the session goes on as before.
    pub(super) async fn offered(
        &mut self,
        offer: &Offer<'_>,
    ) -> Result<Option<Reply>, NotAnswered> {
        let body = Body::read(offer, &self.sessions.limits)?;
        let reply = match body.sdp {
            Some(sdp) => {
                let description = description(sdp, &self.sessions.limits)?;
                Some(self.answer(&description, offer.local)?)
            }
            None => None,
        };
        self.learn(offer, body.metadata);
        Ok(reply)
    }

    fn answer(
        &mut self,
        description: &SessionDescription,
        local: IpAddr,
    ) -> Result<Reply, NotAnswered> {
        let is_siprec = self.is_siprec;
        if let Some(sdp) = self.answers.to_same(description) {
            return Ok(Reply { sdp, is_siprec });
        }
        let wishes = &self.sessions.wishes;
        let audio = audio_lines(description, wishes);
        let (mut accepted, mut changed) = (Vec::new(), Vec::new());
        for (place, line) in self.lines.iter().enumerate() {
            let mut offered = audio.iter();
            let offered = offered.find(|offered| offered.media_idx == line.media_idx);
            let Some(Ok(hearable)) = offered.map(|offered| &offered.heard) else {
                continue;
            };
            let mut own = line.own.clone();
            let agreed = hearable.agree(wishes, &mut own, random);
            let (answer, agreed) = agreed.ok_or_else(no_random)?;
            accepted.push((line.media_idx, answer));
            changed.push((place, own, hearable.is_held(), agreed));
        }
        let is_open = |line: &AudioLine<'_>| !matches!(line.heard, Err(Unheard::Closed));
        if accepted.is_empty() && audio.iter().any(is_open) {
            return Err(nothing_heard(&audio));
        }
        let answer = self.answers.answer(description, local, &accepted);
        let sdp = answer.map_err(|error| NotAnswered::internal(&error.to_string()))?;
        let n_more = n_more(&audio, &self.lines);
        self.labels = labels_of(&audio);
        // A line that is refused or over may come back: its time goes on.
        for line in &mut self.lines {
            line.is_held = true;
        }
        for (place, own, is_held, agreed) in changed {
            self.agree(place, own, is_held, agreed);
        }
        if n_more > 0 {
            self.warn("a stream came after the call began, and is not heard".to_owned());
        }
        Ok(Reply { sdp, is_siprec })
    }

    /// A line goes on as was agreed; one on hold stays as it is, for it may be told without an address.
    fn agree(&mut self, place: usize, own: Own, is_held: bool, agreed: LegAgreed) {
        let Some(line) = self.lines.get_mut(place) else {
            return;
        };
        line.own = own;
        line.is_held = is_held;
        match &mut self.state {
            State::Heard { hearing, .. } if !is_held => hearing.agree(place, agreed),
            State::StandsBy(waiting) => {
                if let Some((_, known)) = waiting.ports.get_mut(place) {
                    *known = agreed;
                }
            }
            State::Heard { .. } | State::Over => {}
        }
    }

    /// Takes in later metadata.
    fn learn(&mut self, offer: &Offer<'_>, metadata: Option<Result<Recording, RecordingError>>) {
        let newer = match metadata {
            None => return,
            Some(Err(error)) => return self.warn(not_read(&error)),
            Some(Ok(newer)) => newer,
        };
        let recording = match self.recording.take() {
            Some(mut known) => {
                known.update(newer);
                known
            }
            None => newer,
        };
        let sessions = Arc::clone(&self.sessions);
        let labels: Vec<Option<&str>> = self.labels.iter().map(Option::as_deref).collect();
        let named = RecordedCall::of(
            offer,
            Some(&recording),
            &labels,
            &sessions.rules,
            &sessions.limits,
        );
        let identities = recording.identities();
        self.recording = Some(recording);
        match &mut self.state {
            State::Heard { hearing, held } => {
                if let Some(held) = held {
                    held.add(&identities);
                }
                sessions.describe(hearing.call(), named.metadata);
            }
            State::StandsBy(waiting) => {
                waiting.identities = identities;
                waiting.to_open.metadata.update(named.metadata);
            }
            State::Over => {}
        }
        if self.are_others(&named.parties) {
            let why = "who is on which stream is told otherwise than at first, and stays as it was";
            self.warn(why.to_owned());
        }
    }

    /// Whether somebody else is on a line than when the call began.
    fn are_others(&self, parties: &[Party]) -> bool {
        self.lines.iter().any(|line| {
            let party = parties.get(line.audio_idx);
            party.is_some_and(|party| *party != Party::Unknown && *party != line.party)
        })
    }

    fn warn(&mut self, warning: String) {
        match &mut self.state {
            State::Heard { hearing, .. } => hearing.warn(warning),
            State::StandsBy(waiting) if !waiting.warnings.contains(&warning) => {
                waiting.warnings.push(warning);
            }
            State::StandsBy(_) | State::Over => {}
        }
    }

    /// Waits until the session is over by itself. A call that is dropped while it waits loses nothing.
    pub(super) async fn over(&mut self) -> Over {
        loop {
            let over = match &mut self.state {
                State::Heard { hearing, .. } => tokio::select! {
                    (end, is_last) = hearing.leg_over() => ended(end, is_last),
                    _ = self.clock.tick() => self.look(),
                },
                State::StandsBy(_) => {
                    self.clock.tick().await;
                    self.take_over()
                }
                State::Over => std::future::pending().await,
            };
            if let Some(over) = over {
                self.end(&over);
                return over;
            }
        }
    }

    /// The call keeps how it ended, and its legs are closed.
    fn end(&mut self, over: &Over) {
        if let Over::Failed(why) = over {
            self.warn(format!("broke off: {why}"));
        }
        if let State::Heard { hearing, .. } = &mut self.state {
            hearing.end(Farewell::Said);
        }
    }

    /// Looks at the lines of a call that is heard.
    fn look(&mut self) -> Option<Over> {
        let is_held: Vec<bool> = self.lines.iter().map(|line| line.is_held).collect();
        let State::Heard { hearing, .. } = &mut self.state else {
            return None;
        };
        let quiet = hearing.look(&is_held);
        let (most, told) = match is_held.contains(&false) {
            true => (QUIET, QUIET_TOLD),
            false => (HELD, HELD_TOLD),
        };
        if quiet < most {
            return None;
        }
        hearing.end(Farewell::Missing(told));
        Some(Over::Silent)
    }

    /// Hears a recording that stood by, when the other one of its call is over.
    fn take_over(&mut self) -> Option<Over> {
        let State::StandsBy(waiting) = &mut self.state else {
            return None;
        };
        let duplicates = &self.sessions.duplicates;
        let Ok(held) = duplicates.claim(&waiting.identities, &waiting.to_open.id) else {
            waiting.free_since = None;
            return None;
        };
        let since = *waiting.free_since.get_or_insert_with(Instant::now);
        if since.elapsed() < TAKE_OVER_AFTER {
            return None;
        }
        let State::StandsBy(mut waiting) = std::mem::replace(&mut self.state, State::Over) else {
            return None;
        };
        let warning = "begins late: another recording of the call was heard until it ended";
        waiting.warnings.push(warning.to_owned());
        match self.sessions.hear(*waiting, held) {
            Ok(state) => {
                self.state = state;
                None
            }
            Err(refused) => Some(Over::Failed(refused.why)),
        }
    }

    /// Ends it, and waits until what came is heard.
    pub(super) async fn hang_up(mut self, why: HungUp) {
        if let State::Heard { hearing, held } = std::mem::replace(&mut self.state, State::Over) {
            if why == HungUp::Draining {
                hearing.warn("ended as the program ends".to_owned());
            }
            hearing.finish(why.farewell()).await;
            drop(held);
        }
    }
}

/// What it means that a leg is over.
fn ended(end: LegEnd, is_last: IsLast) -> Option<Over> {
    match (end, is_last) {
        (LegEnd::TooLong, _) => Some(Over::TooLong),
        (LegEnd::Failed(why), _) => Some(Over::Failed(why)),
        (LegEnd::Closed, IsLast::Yes) => Some(Over::LegsEnded),
        (LegEnd::Closed, IsLast::No) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_over_with_its_last_leg_or_when_one_cannot_go_on() {
        let failed = || LegEnd::Failed("x".to_owned());
        assert_eq!(ended(LegEnd::Closed, IsLast::No), None);
        assert_eq!(ended(LegEnd::Closed, IsLast::Yes), Some(Over::LegsEnded));
        assert_eq!(ended(LegEnd::TooLong, IsLast::No), Some(Over::TooLong));
        assert_eq!(
            ended(failed(), IsLast::No),
            Some(Over::Failed("x".to_owned()))
        );
    }
}

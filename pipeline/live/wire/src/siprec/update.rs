//! How later documents change what is known (RFC 7866, section 9).
//!
//! Who puts somebody on hold is told by leaving out that they send, in complete documents and in partial ones. That ends
//! no stream for good: who sent last is kept, as somebody who has stopped.

use super::recording::{
    CommunicationSession, Direction, Group, Link, MediaStream, Participant, ParticipantSession,
    SessionRecording, Span,
};
use super::{DataMode, MetadataWarning, Private, Recording};

/// Names in SIP, and reasons, that updates add to one session.
const MOST_NAMES: usize = 16;

/// Something that a later document may tell again, with changes.
pub(super) trait Entry: Sized {
    /// Whether both are about the same thing.
    fn is_same(&self, other: &Self) -> bool;

    /// Takes over what is told of it later.
    fn change(&mut self, newer: Self);
}

impl Recording {
    /// Takes over a later document of the same recording session. A complete one replaces what is known; a partial one
    /// adds entries and changes those that are there, by their ids. What is over is kept, and says so.
    ///
    /// An association of a participant with streams that goes on tells all of them, which is how hold is told (RFC 8068):
    /// what they sent and received beside those is over. Of a stream that a partial document gives new senders, the former
    /// ones are over and [replaced](Link::is_replaced). Of a stream that no one sends in a complete document, who sent it
    /// before is kept, as over.
    pub fn update(&mut self, mut newer: Self) {
        if newer.mode == DataMode::Complete {
            newer.keep_senders(self);
            *self = newer;
            return;
        }
        self.supersede(&newer);
        let limit = self.limits.metadata_elements;
        let all_fit = [
            put_all(&mut self.groups, newer.groups, limit),
            put_all(&mut self.sessions, newer.sessions, limit),
            put_all(&mut self.participants, newer.participants, limit),
            put_all(&mut self.streams, newer.streams, limit),
            put_all(
                &mut self.session_recordings,
                newer.session_recordings,
                limit,
            ),
            put_all(&mut self.links, newer.links, limit),
            add_all(&mut self.call_keys, newer.call_keys, limit),
            add_all(&mut self.agent_hints, newer.agent_hints, limit),
            add_all(&mut self.caller_hints, newer.caller_hints, limit),
        ];
        for session in newer.participant_sessions {
            self.put_participant_session(session);
        }
        for warning in newer.warnings {
            self.warn(warning);
        }
        self.look_over();
        if all_fit.contains(&false) {
            self.warn(MetadataWarning::Full { limit });
        }
    }

    /// Notes when somebody took part. Where no session is said, it is so for all that they take part in.
    pub(super) fn put_participant_session(&mut self, newer: ParticipantSession) {
        let limit = self.limits.metadata_elements;
        if newer.session.is_none() {
            let all = self.participant_sessions.iter_mut();
            for known in all.filter(|known| known.participant == newer.participant) {
                known.span.associate(newer.span.clone());
            }
        }
        if !put(&mut self.participant_sessions, newer, limit) {
            self.warn(MetadataWarning::Full { limit });
        }
    }

    /// Keeps who sent what nobody sends now, where stream and participant are still there.
    fn keep_senders(&mut self, older: &Self) {
        let sends = |link: &&Link| link.direction == Direction::Sends;
        let is_silent = |stream: &Private| {
            let mut sent = self.links.iter().filter(sends);
            let is_there = self.streams.iter().any(|known| known.id == *stream);
            is_there && !sent.any(|link| link.stream == *stream)
        };
        let is_there = |participant: &Private| {
            let mut known = self.participants.iter();
            known.any(|known| known.id == *participant)
        };
        let links = older.links.iter().filter(sends);
        let kept: Vec<Link> = links
            .filter(|link| !link.is_replaced && is_there(&link.participant))
            .filter(|link| is_silent(&link.stream))
            .cloned()
            .collect();
        let limit = self.limits.metadata_elements;
        for mut link in kept {
            link.span.is_over = true;
            if !put(&mut self.links, link, limit) {
                self.warn(MetadataWarning::Full { limit });
            }
        }
    }

    /// Ends what a partial document tells no more, and what others now send.
    fn supersede(&mut self, newer: &Self) {
        for known in &mut self.links {
            if newer.links.iter().any(|link| link.is_same(known)) {
                continue;
            }
            let mut others = newer
                .links
                .iter()
                .filter(|link| link.direction == Direction::Sends && link.stream == known.stream);
            let has_others =
                known.direction == Direction::Sends && others.any(|link| !link.span.is_over);
            let is_left_out = newer.associated.contains(&known.participant);
            known.is_replaced |= has_others;
            known.span.is_over |= has_others || is_left_out;
        }
    }
}

impl Span {
    /// What began anew is as it is told; else what is known stays, and may have ended.
    fn change(&mut self, newer: Self) {
        if newer.since.is_some() && newer.since != self.since {
            *self = newer;
            return;
        }
        self.until = newer.until.or(self.until.take());
        self.is_over |= newer.is_over;
    }

    /// Likewise for an association, which goes on, or does again, when it is told without an end.
    fn associate(&mut self, newer: Self) {
        if newer.is_over {
            self.change(newer);
            return;
        }
        self.since = newer.since.or(self.since.take());
        self.until = None;
        self.is_over = false;
    }
}

/// Changes an entry that is there, or adds one; says whether there was room.
pub(super) fn put<Each: Entry>(list: &mut Vec<Each>, entry: Each, limit: usize) -> bool {
    if let Some(known) = list.iter_mut().find(|known| known.is_same(&entry)) {
        known.change(entry);
        return true;
    }
    let has_room = list.len() < limit;
    if has_room {
        list.push(entry);
    }
    has_room
}

fn put_all<Each: Entry>(list: &mut Vec<Each>, entries: Vec<Each>, limit: usize) -> bool {
    let mut all_fit = true;
    for entry in entries {
        all_fit &= put(list, entry, limit);
    }
    all_fit
}

/// Adds what is not there yet; says whether there was room.
pub(super) fn add_all<Each: PartialEq>(
    list: &mut Vec<Each>,
    entries: impl IntoIterator<Item = Each>,
    limit: usize,
) -> bool {
    for entry in entries {
        match list.contains(&entry) {
            true => {}
            false if list.len() < limit => list.push(entry),
            false => return false,
        }
    }
    true
}

/// Takes over what is told, where something is.
fn replace<Value>(known: &mut Option<Value>, newer: Option<Value>) {
    if newer.is_some() {
        *known = newer;
    }
}

impl Entry for Group {
    fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
    }

    fn change(&mut self, newer: Self) {
        self.span.change(newer.span);
    }
}

impl Entry for CommunicationSession {
    fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
    }

    fn change(&mut self, newer: Self) {
        add_all(&mut self.sip_sessions, newer.sip_sessions, MOST_NAMES);
        add_all(&mut self.reasons, newer.reasons, MOST_NAMES);
        replace(&mut self.group, newer.group);
        self.span.change(newer.span);
    }
}

impl Entry for SessionRecording {
    fn is_same(&self, other: &Self) -> bool {
        self.session == other.session
    }

    fn change(&mut self, newer: Self) {
        self.span.change(newer.span);
    }
}

impl Entry for Participant {
    fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
    }

    fn change(&mut self, newer: Self) {
        if !newer.names.is_empty() {
            self.names = newer.names;
        }
        self.is_agent |= newer.is_agent;
        self.is_caller |= newer.is_caller;
        self.span.change(newer.span);
    }
}

impl Entry for ParticipantSession {
    fn is_same(&self, other: &Self) -> bool {
        self.participant == other.participant && self.session == other.session
    }

    fn change(&mut self, newer: Self) {
        if !newer.parameters.is_empty() {
            self.parameters = newer.parameters;
        }
        self.span.associate(newer.span);
    }
}

impl Entry for MediaStream {
    fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
    }

    fn change(&mut self, newer: Self) {
        replace(&mut self.session, newer.session);
        replace(&mut self.label, newer.label);
        replace(&mut self.content, newer.content);
        self.is_mixed |= newer.is_mixed;
        self.span.change(newer.span);
    }
}

impl Entry for Link {
    fn is_same(&self, other: &Self) -> bool {
        self.participant == other.participant
            && self.stream == other.stream
            && self.direction == other.direction
    }

    fn change(&mut self, newer: Self) {
        self.is_replaced &= newer.span.is_over;
        self.span.associate(newer.span);
    }
}

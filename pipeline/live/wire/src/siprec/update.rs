//! How later documents change what is known (RFC 7866, section 9).

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
    /// adds entries and changes those that are there, by their ids. What is over is kept, and says so. Of a stream that a
    /// partial document gives new senders, the former ones are over.
    pub fn update(&mut self, newer: Self) {
        if newer.mode == DataMode::Complete {
            *self = newer;
            return;
        }
        self.supersede(&newer.links);
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
        ];
        for session in newer.participant_sessions {
            self.put_participant_session(session);
        }
        for warning in newer.warnings {
            self.warn(warning);
        }
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

    /// Ends what others sent on streams that now have other senders.
    fn supersede(&mut self, newer: &[Link]) {
        let sends = |link: &&Link| link.direction == Direction::Sends && !link.span.is_over;
        let streams: Vec<&Private> = newer
            .iter()
            .filter(sends)
            .map(|link| &link.stream)
            .collect();
        for known in &mut self.links {
            let is_told = newer.iter().any(|link| link.is_same(known));
            let has_others = streams.contains(&&known.stream);
            if known.direction == Direction::Sends && has_others && !is_told {
                known.span.is_over = true;
            }
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

    /// Likewise for an association, which is there again when it is told without any time.
    fn associate(&mut self, newer: Self) {
        if newer == Self::default() {
            self.until = None;
            self.is_over = false;
            return;
        }
        self.change(newer);
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
        self.span.associate(newer.span);
    }
}

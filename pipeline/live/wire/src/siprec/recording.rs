//! What recording metadata say of a call (RFC 7865, section 6).

use super::{CallKey, MetadataWarning, Private};
use crate::limits::Limits;

/// Warnings that are kept of one call.
const MOST_WARNINGS: usize = 64;

/// The metadata of a recording session. Entries refer to each other by ids, which are compared as
/// [`Recording::identities`] does; a reference may lead nowhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Whether the document was all there is to say, or what has changed.
    pub mode: DataMode,
    /// Groups of communication sessions.
    pub groups: Vec<Group>,
    /// Communication sessions: the calls that are recorded.
    pub sessions: Vec<CommunicationSession>,
    /// Who takes part, in the order they were told.
    pub participants: Vec<Participant>,
    /// Media streams of the recording session, in the order they were told.
    pub streams: Vec<MediaStream>,
    /// When communication sessions were recorded.
    pub session_recordings: Vec<SessionRecording>,
    /// When participants took part.
    pub participant_sessions: Vec<ParticipantSession>,
    /// Who sends and receives which stream.
    pub links: Vec<Link>,
    /// Names of the call in other systems, from extensions.
    pub call_keys: Vec<CallKey>,
    /// Addresses and names of agents, from extensions.
    pub agent_hints: Vec<Private>,
    /// Addresses of who called, from extensions.
    pub caller_hints: Vec<Private>,
    /// What is unusual, each once, at most 64.
    pub warnings: Vec<MetadataWarning>,
    /// Participants of whom this document says which streams they send and receive.
    pub(super) associated: Vec<Private>,
    pub(super) limits: Limits,
}

/// What a document is (RFC 7865, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataMode {
    /// All that is known. What no document says is this.
    Complete,
    /// What has changed.
    Partial,
}

/// From when until when something was so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// When it began, RFC 3339; some equipment leaves the zone out.
    pub since: Option<String>,
    /// When it ended, likewise.
    pub until: Option<String>,
    /// Whether it has ended, known when or not.
    pub is_over: bool,
}

/// Communication sessions that belong together (RFC 7865, section 6.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: Private,
    /// From when until when it was one.
    pub span: Span,
}

/// A call between participants (RFC 7865, section 6.3).
#[derive(Clone, Debug, PartialEq)]
pub struct CommunicationSession {
    /// Its id.
    pub id: Private,
    /// Its names in SIP: session ids (RFC 7989), or `Call-ID`s.
    pub sip_sessions: Vec<Private>,
    /// Its group.
    pub group: Option<Private>,
    /// From when until when it lasted.
    pub span: Span,
    /// Why it was begun or ended.
    pub reasons: Vec<Private>,
}

/// When a communication session was recorded (RFC 7865, section 6.4).
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRecording {
    /// Which communication session.
    pub session: Private,
    /// From when until when.
    pub span: Span,
}

/// Somebody who takes part (RFC 7865, section 6.5).
#[derive(Clone, Debug, PartialEq)]
pub struct Participant {
    /// Their id.
    pub id: Private,
    /// Their addresses and names.
    pub names: Vec<NameId>,
    /// Whether an extension says that this is an agent.
    pub is_agent: bool,
    /// Whether an extension says that this is who called.
    pub is_caller: bool,
    /// From when until when they took part, where their own element says it.
    pub span: Span,
}

/// One address of a participant.
#[derive(Clone, Debug, PartialEq)]
pub struct NameId {
    /// Address of record: `sip:`, `sips:` or `tel:`.
    pub address: Option<Private>,
    /// Name to be shown.
    pub name: Option<Private>,
}

/// When a participant took part in a communication session (RFC 7865, section 6.6).
#[derive(Clone, Debug, PartialEq)]
pub struct ParticipantSession {
    /// Who.
    pub participant: Private,
    /// In which; `None`: in any.
    pub session: Option<Private>,
    /// From when until when.
    pub span: Span,
    /// What their end can do.
    pub parameters: Vec<Parameter>,
}

/// A capability of an end, as `Contact` has it (RFC 3840).
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its tag.
    pub name: Private,
    /// Its value.
    pub value: Option<Private>,
}

/// A media stream (RFC 7865, section 6.7).
#[derive(Clone, Debug, PartialEq)]
pub struct MediaStream {
    /// Its id.
    pub id: Private,
    /// The communication session whose media it carries.
    pub session: Option<Private>,
    /// `a=label` of its media line (RFC 4574).
    pub label: Option<Private>,
    /// What it shows (RFC 4796).
    pub content: Option<Private>,
    /// Whether it says that several voices are mixed in it.
    pub is_mixed: bool,
    /// From when until when it was there, where its own element says it.
    pub span: Span,
}

/// Who sends or receives a stream (RFC 7865, section 6.8).
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Who.
    pub participant: Private,
    /// Which stream.
    pub stream: Private,
    /// What they do with it.
    pub direction: Direction,
    /// From when until when.
    pub span: Span,
    /// Whether somebody else was said to send the stream since, instead of them.
    pub is_replaced: bool,
}

/// What a participant does with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Their voice is in it.
    Sends,
    /// They hear it.
    Receives,
}

impl Recording {
    /// A recording of which nothing is told: what there is where no metadata come, or they cannot be read.
    pub fn empty(limits: &Limits) -> Self {
        Self {
            mode: DataMode::Complete,
            groups: Vec::new(),
            sessions: Vec::new(),
            participants: Vec::new(),
            streams: Vec::new(),
            session_recordings: Vec::new(),
            participant_sessions: Vec::new(),
            links: Vec::new(),
            call_keys: Vec::new(),
            agent_hints: Vec::new(),
            caller_hints: Vec::new(),
            warnings: Vec::new(),
            associated: Vec::new(),
            limits: limits.clone(),
        }
    }

    /// Whether a participant takes part no more: they are said to have left, in whatever way.
    pub fn has_left(&self, participant: &Private) -> bool {
        let mut own = self.participants.iter();
        if own.any(|own| own.id == *participant && own.span.is_over) {
            return true;
        }
        let sessions = self.participant_sessions.iter();
        let sessions: Vec<_> = sessions
            .filter(|session| session.participant == *participant)
            .collect();
        !sessions.is_empty() && sessions.iter().all(|session| session.span.is_over)
    }

    /// Whether a stream carries nothing: it or its communication session is over, or all who sent it have stopped or
    /// left. Hold looks the same (RFC 8068), and the stream may go on.
    pub fn has_ended(&self, stream: &MediaStream) -> bool {
        let mut sessions = self.sessions.iter();
        let is_session_over = sessions
            .any(|session| stream.session.as_ref() == Some(&session.id) && session.span.is_over);
        if stream.span.is_over || is_session_over {
            return true;
        }
        let links = self.links.iter();
        let senders: Vec<_> = links
            .filter(|link| link.stream == stream.id && link.direction == Direction::Sends)
            .collect();
        let is_silent = |link: &&Link| link.span.is_over || self.has_left(&link.participant);
        !senders.is_empty() && senders.iter().all(is_silent)
    }

    /// Whether others send all that a participant sent.
    pub(super) fn is_replaced(&self, participant: &Private) -> bool {
        let links = self.links.iter();
        let mut sent = links
            .filter(|link| link.participant == *participant && link.direction == Direction::Sends)
            .peekable();
        sent.peek().is_some() && sent.all(|link| link.is_replaced)
    }

    pub(super) fn warn(&mut self, warning: MetadataWarning) {
        let is_new = !self.warnings.contains(&warning);
        if is_new && self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(warning);
        }
    }
}

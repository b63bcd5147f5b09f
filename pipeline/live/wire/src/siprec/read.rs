//! From XML to what it says, with what drafts and vendors write instead.

use super::extensions::{is_agent, is_caller};
use super::identity::normal_id;
use super::recording::{
    CommunicationSession, Direction, Group, Link, MediaStream, NameId, Parameter, Participant,
    ParticipantSession, SessionRecording, Span,
};
use super::update::{Entry, put};
use super::xml::Element;
use super::{DataMode, MetadataWarning, Private, Recording, RecordingError};
use crate::limits::Limits;
use crate::query::Shown;

/// Shortest and longest a time is, `2026-01-02` and one with nanoseconds and a zone.
const TIME_BYTES: std::ops::RangeInclusive<usize> = 10..=40;

impl Recording {
    /// Reads a document. What is not known in it, and values that are too long, are skipped and told in
    /// [`warnings`](Self::warnings); prefixes and namespaces are not looked at.
    ///
    /// # Errors
    /// Where it is no XML, is not UTF-8, has a document type, is about something else, or is over a limit.
    pub fn parse(xml: &[u8], limits: &Limits) -> Result<Self, RecordingError> {
        let document = Element::parse(xml, limits)?;
        let root = document.root;
        let mut recording = Self::empty(limits);
        match root.name.as_str() {
            "recording" => {}
            "recording_metadata" => recording.warn(MetadataWarning::OldRoot),
            other => {
                let got = Shown::new(other);
                return Err(RecordingError::NotARecording { got });
            }
        }
        let limit_bytes = limits.metadata_value_bytes;
        for name in document.too_long {
            recording.warn(MetadataWarning::ValueTooLong { name, limit_bytes });
        }
        for element in &root.children {
            recording.read(element);
        }
        recording.read_extensions(&root);
        // What changes need not be told again as a whole.
        if recording.mode == DataMode::Complete {
            recording.look_over();
        }
        Ok(recording)
    }

    fn read(&mut self, element: &Element) {
        match element.name.as_str() {
            "datamode" => self.read_mode(element),
            "group" => self.read_group(element),
            "session" => self.read_session(element),
            "participant" => self.read_participant(element),
            "stream" => self.read_stream(element),
            "sessionrecordingassoc" => self.read_session_recording(element),
            "participantsessionassoc" => self.read_participant_session(element),
            "participantstreamassoc" => self.read_participant_streams(element),
            _ => {}
        }
    }

    fn read_mode(&mut self, element: &Element) {
        let mode = element.text().unwrap_or_default();
        let is = |known: &str| mode.eq_ignore_ascii_case(known);
        if is("partial") {
            self.mode = DataMode::Partial;
        } else if !is("complete") {
            let got = Shown::new(mode);
            self.warn(MetadataWarning::DataMode { got });
        }
    }

    fn read_group(&mut self, element: &Element) {
        let span = self.span(element);
        if let Some(id) = self.id(element, "group") {
            self.groups.put(Group { id, span });
        }
    }

    fn read_session(&mut self, element: &Element) {
        let span = self.span(element);
        let texts = |name| -> Vec<Private> {
            let named = element.named(name).filter_map(Element::text);
            named.filter_map(Private::new).collect()
        };
        if let Some(id) = self.id(element, "session") {
            self.sessions.put(CommunicationSession {
                id,
                sip_sessions: texts("sipsessionid"),
                group: reference(element, "group"),
                span,
                reasons: texts("reason"),
            });
        }
        let nested = ["participant", "stream"];
        let children = element.children.iter();
        for child in children.filter(|child| nested.contains(&child.name.as_str())) {
            self.warn(MetadataWarning::Nested);
            self.read(child);
        }
    }

    fn read_participant(&mut self, element: &Element) {
        let span = self.span(element);
        let Some(id) = self.id(element, "participant") else {
            return;
        };
        self.read_sends(element, &id);
        let mut names: Vec<NameId> = element.named("nameid").filter_map(name_id).collect();
        if names.is_empty() {
            names.extend(name_id(element));
            if !names.is_empty() {
                self.warn(MetadataWarning::OldAddress);
            }
        }
        self.participants.put(Participant {
            id,
            names,
            is_agent: is_agent(element),
            is_caller: is_caller(element),
            span,
        });
    }

    /// `send` and `recv` within `participant`, as drafts have them.
    fn read_sends(&mut self, element: &Element, participant: &Private) {
        let links = links(element, participant, &Span::default());
        if !links.is_empty() {
            self.warn(MetadataWarning::OldSend);
            self.associated.push(participant.clone());
        }
        for link in links {
            self.links.put(link);
        }
    }

    fn read_stream(&mut self, element: &Element) {
        let span = self.span(element);
        let label = element
            .text_of("label")
            .or_else(|| element.attribute("label"));
        let mode = element.text_of("mode").unwrap_or_default();
        if let Some(id) = self.id(element, "stream") {
            self.streams.put(MediaStream {
                id,
                session: reference(element, "session"),
                label: label.and_then(Private::new),
                content: element.text_of("content-type").and_then(Private::new),
                is_mixed: mode.eq_ignore_ascii_case("mixed"),
                span,
            });
        }
    }

    fn read_session_recording(&mut self, element: &Element) {
        let span = self.span(element);
        match reference(element, "session") {
            Some(session) => self
                .session_recordings
                .put(SessionRecording { session, span }),
            None => self.warn(MetadataWarning::NoId {
                element: "sessionrecordingassoc",
            }),
        }
    }

    fn read_participant_session(&mut self, element: &Element) {
        let span = self.span(element);
        match reference(element, "participant") {
            Some(participant) => self.put_participant_session(ParticipantSession {
                participant,
                session: reference(element, "session"),
                span,
                parameters: element.named("param").filter_map(parameter).collect(),
            }),
            None => self.warn(MetadataWarning::NoId {
                element: "participantsessionassoc",
            }),
        }
    }

    /// An association that goes on tells all streams of the participant. One that is over and names no stream is about all
    /// of them: the participant has left.
    fn read_participant_streams(&mut self, element: &Element) {
        let span = self.span(element);
        let Some(participant) = reference(element, "participant") else {
            self.warn(MetadataWarning::NoId {
                element: "participantstreamassoc",
            });
            return;
        };
        let links = links(element, &participant, &span);
        if !span.is_over {
            self.associated.push(participant);
        } else if links.is_empty() {
            self.put_participant_session(ParticipantSession {
                participant,
                session: None,
                span,
                parameters: Vec::new(),
            });
        }
        for link in links {
            self.links.put(link);
        }
    }

    /// The id of a group, session, participant or stream.
    fn id(&mut self, element: &Element, kind: &'static str) -> Option<Private> {
        if let Some(id) = element.attribute(&format!("{kind}_id")) {
            return normal_id(id);
        }
        let id = element.attribute("id").and_then(normal_id);
        self.warn(match id {
            Some(_) => MetadataWarning::OldId { element: kind },
            None => MetadataWarning::NoId { element: kind },
        });
        id
    }

    fn span(&mut self, element: &Element) -> Span {
        let text_of = |names: &[&'static str]| {
            let mut names = names.iter().copied();
            names.find_map(|name| element.text_of(name))
        };
        let since = text_of(&["associate-time", "start-time"]);
        let until = text_of(&["disassociate-time", "stop-time", "end-time"]);
        Span {
            since: self.time(since),
            until: self.time(until),
            is_over: until.is_some(),
        }
    }

    fn time(&mut self, text: Option<&str>) -> Option<String> {
        let text = text?;
        if !is_time(text) {
            self.warn(MetadataWarning::NotATime);
            return None;
        }
        Some(text.to_owned())
    }

    /// What can be told once all was read.
    pub(super) fn look_over(&mut self) {
        let has_address = |participant: &Participant| {
            let mut names = participant.names.iter();
            names.any(|name| name.address.is_some())
        };
        if !self.participants.iter().all(has_address) {
            self.warn(MetadataWarning::NoAddress);
        }
        if self.streams.iter().any(|stream| stream.label.is_none()) {
            self.warn(MetadataWarning::NoLabel);
        }
        if self.streams.is_empty() {
            self.warn(MetadataWarning::NoStreams);
        }
    }
}

/// Entries of one document, of which there are no more than it has elements.
trait Entries<Each> {
    fn put(&mut self, entry: Each);
}

impl<Each: Entry> Entries<Each> for Vec<Each> {
    fn put(&mut self, entry: Each) {
        put(self, entry, usize::MAX);
    }
}

/// What an element refers to: an attribute, or an element in it, with or without `_id` and `-ref`.
fn reference(element: &Element, kind: &'static str) -> Option<Private> {
    let attribute = element
        .attribute(&format!("{kind}_id"))
        .or_else(|| element.attribute(kind));
    let element_name = format!("{kind}-ref");
    let mut children = element.children.iter();
    let child = children.find(|child| child.name == element_name || child.name == kind);
    let text = attribute.or_else(|| child.and_then(Element::text));
    text.and_then(normal_id)
}

/// An address with its name, where there is one or the other.
fn name_id(element: &Element) -> Option<NameId> {
    let address = element.attribute("aor").or_else(|| element.text_of("aor"));
    let name = element
        .text_of("name")
        .or_else(|| element.attribute("name"));
    let found = NameId {
        address: address.and_then(Private::new),
        name: name.and_then(Private::new),
    };
    (found.address.is_some() || found.name.is_some()).then_some(found)
}

/// The streams that an element says somebody sends and receives. Drafts have the id in an element of its own.
fn links(element: &Element, participant: &Private, span: &Span) -> Vec<Link> {
    let mut found = Vec::new();
    for (name, direction) in [("send", Direction::Sends), ("recv", Direction::Receives)] {
        let streams = element
            .named(name)
            .filter_map(|stream| stream.text().or_else(|| stream.text_of("id")));
        found.extend(streams.filter_map(normal_id).map(|stream| Link {
            participant: participant.clone(),
            stream,
            direction,
            span: span.clone(),
            is_replaced: false,
        }));
    }
    found
}

fn parameter(element: &Element) -> Option<Parameter> {
    let name = element
        .attribute("pname")
        .or_else(|| element.attribute("name"));
    let value = element
        .attribute("pval")
        .or_else(|| element.attribute("value"));
    Some(Parameter {
        name: name.or_else(|| element.text()).and_then(Private::new)?,
        value: value.and_then(Private::new),
    })
}

/// Whether it looks like a time of RFC 3339, with or without a zone.
fn is_time(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"-:.+TZtz ".contains(&byte);
    TIME_BYTES.contains(&text.len())
        && text.as_bytes().get(4) == Some(&b'-')
        && text.bytes().all(is_part)
}

//! What vendors add to the metadata: names of the call in other systems, who the agent is, and who called.
//!
//! | whose | what is taken |
//! | --- | --- |
//! | Oracle | `ucid`, `callingParty`, headers of the call (`header` with its name in `label`) |
//! | AudioCodes | `AvayaUCID`, `GenesysUUID` |
//! | Ribbon | `callid`, `gcid` and `fromhdr` of `callData` |
//! | BroadWorks | `extTrackingID`, `callID`, `userID` |
//!
//! Of headers, only those are taken that name the call, and `From` for who called. Others may name somebody else: whom a
//! call was diverted from, or the trunk that it came over.

use super::identity::plain_name;
use super::update::add_all;
use super::xml::Element;
use super::{CallKey, MetadataWarning, Private, Recording};
use crate::query::Shown;

/// Names of elements that say by whom the call was taken, without `-` and `_`. BroadWorks has `userID` for the one whose
/// calls are recorded.
const AGENT_HINTS: [&str; 4] = ["agent", "agentid", "agentextension", "userid"];
/// Names of elements that say of a participant that this is an agent.
const AGENT_MARKS: [&str; 3] = ["agent", "agentid", "isagent"];
/// Names of elements and headers that hold the address of who called.
const CALLER_HINTS: [&str; 2] = ["from", "fromhdr"];
/// Names of elements that say of a participant that this is who called.
const CALLER_MARKS: [&str; 1] = ["callingparty"];
/// What says that a mark is not meant.
const DENIALS: [&str; 3] = ["false", "no", "0"];
/// Elements that are no extensions: those of RFC 7865, of its drafts, and the `end-time` of Cisco.
const KNOWN: [&str; 34] = [
    "aor",
    "associate-time",
    "content-type",
    "datamode",
    "disassociate-time",
    "end-time",
    "extensiondata",
    "group",
    "group-ref",
    "id",
    "initiator",
    "label",
    "mode",
    "name",
    "nameid",
    "param",
    "participant",
    "participantsessionassoc",
    "participantstreamassoc",
    "reason",
    "recording",
    "recv",
    "requestor",
    "send",
    "session",
    "session-ref",
    "sessionrecordingassoc",
    "sipsessionid",
    "start-time",
    "stop-time",
    "stream",
    "stream-ref",
    "streams",
    "type",
];

impl Recording {
    /// Reads all extensions of a document.
    pub(super) fn read_extensions(&mut self, root: &Element) {
        self.tell_extensions(root);
        self.collect_names(root);
        self.collect_agents(root);
    }

    /// Tells extensions, the outermost alone.
    fn tell_extensions(&mut self, element: &Element) {
        for child in &element.children {
            match KNOWN.contains(&child.name.as_str()) {
                true => self.tell_extensions(child),
                false => self.warn(MetadataWarning::Unknown {
                    name: Shown::new(&child.name),
                }),
            }
        }
    }

    /// Names of the call, and who called.
    fn collect_names(&mut self, element: &Element) {
        let limit = self.limits.metadata_elements;
        for (name, text) in said(element) {
            add_all(&mut self.call_keys, CallKey::of(&name, text), limit);
            let is_caller = CALLER_HINTS.contains(&name.as_str());
            let hint = Some(text).filter(|_| is_caller).and_then(Private::new);
            add_all(&mut self.caller_hints, hint, limit);
        }
        for child in &element.children {
            self.collect_names(child);
        }
    }

    /// Who the agent is, where that is said beside the participants.
    fn collect_agents(&mut self, element: &Element) {
        if element.name == "participant" {
            return;
        }
        let is_hint = AGENT_HINTS.contains(&plain_name(&element.name).as_str());
        let hint = element.text().filter(|_| is_hint).and_then(Private::new);
        let limit = self.limits.metadata_elements;
        add_all(&mut self.agent_hints, hint, limit);
        for child in &element.children {
            self.collect_agents(child);
        }
    }
}

/// Whether an extension of a participant says that this is an agent.
pub(super) fn is_agent(participant: &Element) -> bool {
    let mut children = participant.children.iter();
    children.any(|child| has_mark(child, &AGENT_MARKS))
}

/// Whether an extension of a participant says that this is who called.
pub(super) fn is_caller(participant: &Element) -> bool {
    let mut children = participant.children.iter();
    children.any(|child| has_mark(child, &CALLER_MARKS))
}

/// What an element says, with its name in small letters: its own text, or the values of the header that it holds.
fn said(element: &Element) -> Vec<(String, &str)> {
    match element.attribute("label") {
        Some(label) if element.name == "header" => {
            let values = element.named("value").filter_map(Element::text);
            let label = label.to_ascii_lowercase();
            values.map(|value| (label.clone(), value)).collect()
        }
        _ => {
            let text = element.text().into_iter();
            text.map(|text| (element.name.clone(), text)).collect()
        }
    }
}

/// Whether an element, or one in it, is one of these marks.
fn has_mark(element: &Element, marks: &[&str]) -> bool {
    let is_mark = marks.contains(&plain_name(&element.name).as_str());
    let text = element.text().unwrap_or("true");
    let is_denied = DENIALS
        .iter()
        .any(|denial| text.eq_ignore_ascii_case(denial));
    let mut children = element.children.iter();
    (is_mark && !is_denied) || children.any(|child| has_mark(child, marks))
}

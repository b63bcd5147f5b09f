//! By what two recordings are known to be of the same call.

use std::fmt;

use auricle_contracts::CallId;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::{Private, Recording};
use crate::facts::CallFacts;

/// Characters of sixteen bytes of base64. A UUID as text is never that long.
const BASE64_UUID_CHARS: usize = 24;
/// Names of elements and headers that hold a call's name in another system, in small letters and without `-` and `_`, with
/// the kind that they are: Avaya's UCID as Oracle and AudioCodes pass it on, `Call-ID`s, the GUID of Cisco, global call
/// ids, Avaya's global session id, Genesys' UUID, the tracking id of BroadWorks.
const CALL_KEYS: [(&str, &str); 13] = [
    ("ucid", UCID),
    ("avayaucid", UCID),
    ("callid", "call-id"),
    ("guid", "guid"),
    ("ciscoguid", "guid"),
    ("globalcallid", "global-call-id"),
    ("gcid", "global-call-id"),
    ("avglobalsessionid", "global-session-id"),
    ("genesysuuid", "genesys-uuid"),
    ("genesyscalluuid", "genesys-uuid"),
    ("xgenesyscalluuid", "genesys-uuid"),
    ("exttrackingid", "tracking-id"),
    (USER_TO_USER, UCID),
];
const UCID: &str = "ucid";
/// A header that may hold a UCID, and anything else (RFC 7433).
const USER_TO_USER: &str = "usertouser";
/// What stands before a UCID in `User-to-User`: the protocol, which may be missing, and the kind and length of what follows.
const UCID_BEGINNINGS: [&str; 2] = ["00fa08", "fa08"];
/// Hexadecimal digits of a UCID.
const UCID_DIGITS: usize = 16;

/// Something that the recordings of one call have in common: a kind and a value, such as `session:` and an id. It is
/// not shown: `Debug` shows the kind, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(String);

/// A call's name in another system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallKey {
    /// What kind of name: `ucid`, `call-id`, `guid`, `global-call-id`, `global-session-id`, `genesys-uuid` or
    /// `tracking-id`.
    pub kind: &'static str,
    /// The name, as [`Recording::identities`] compares it.
    pub value: Private,
}

impl Identity {
    fn new(kind: &str, value: &str) -> Option<Self> {
        let is_nil = Uuid::try_parse(value).is_ok_and(|uuid| uuid.is_nil());
        (!is_nil).then(|| Self(format!("{kind}:{value}")))
    }

    /// What kind it is: `sip-session`, `session`, `group` or the kind of a [`CallKey`].
    pub fn kind(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// Kind and value, for those who must keep or look it up.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identity({}:…)", self.kind())
    }
}

impl Recording {
    /// What recordings of the same call have in common, as where two servers record it (RFC 7245): names of
    /// the communication session in SIP, ids of sessions and groups, and call keys. In order, each once. Groups are told
    /// apart by [`Identity::kind`], for a group may hold several calls.
    ///
    /// UUIDs are compared whether they are written in base64 (RFC 7865), with `urn:uuid:` or without
    /// hyphens. Of a session id with two halves (RFC 7989) each is one; halves of zeros are none.
    pub fn identities(&self) -> Vec<Identity> {
        let mut found = Vec::new();
        for session in &self.sessions {
            found.extend(Identity::new("session", session.id.reveal()));
            let group = session.group.as_ref();
            found.extend(group.and_then(|group| Identity::new("group", group.reveal())));
            for name in &session.sip_sessions {
                let halves = halves(name.reveal());
                found.extend(halves.filter_map(|half| Identity::new("sip-session", &half)));
            }
        }
        let groups = self.groups.iter();
        found.extend(groups.filter_map(|group| Identity::new("group", group.id.reveal())));
        let keys = self.call_keys.iter();
        found.extend(keys.filter_map(|key| Identity::new(key.kind, key.value.reveal())));
        found.sort();
        found.dedup();
        found
    }

    /// The call's name: the id of its first communication session that can be one. It is told apart from all others,
    /// which a UCID is not where a call is put through.
    pub(super) fn call_id(&self) -> Option<CallId> {
        let ids = self.sessions.iter().map(|session| session.id.reveal());
        let mut ids = ids.filter(|id| Identity::new("session", id).is_some());
        ids.find_map(|id| CallFacts::read_id(id, &self.limits).ok())
    }
}

impl CallKey {
    /// The key that an element or header holds, where its name, in small letters, is that of one.
    pub(super) fn of(name: &str, text: &str) -> Option<Self> {
        let name = plain_name(name);
        let &(_, kind) = CALL_KEYS.iter().find(|(known, _)| *known == name)?;
        // `;encoding=hex` may follow, as in `User-to-User` (RFC 7433).
        let value = text.split(';').next().unwrap_or_default().trim();
        let value = match kind {
            UCID if name == USER_TO_USER => Private::new(&ucid_behind_its_kind(value)?),
            UCID => Private::new(&normal_ucid(value)),
            _ => normal_id(value),
        };
        Some(Self {
            kind,
            value: value?,
        })
    }
}

/// The name of an element without `-` and `_`.
pub(super) fn plain_name(element: &str) -> String {
    element.chars().filter(|ch| !"-_".contains(*ch)).collect()
}

/// An id as it is compared: UUIDs in small letters and with hyphens, others as they are.
pub(super) fn normal_id(text: &str) -> Option<Private> {
    let text = text.trim();
    match as_uuid(text) {
        Some(uuid) => Private::new(&uuid.to_string()),
        None => Private::new(text),
    }
}

fn as_uuid(text: &str) -> Option<Uuid> {
    if let Ok(uuid) = Uuid::try_parse(text) {
        return Some(uuid);
    }
    if text.len() != BASE64_UUID_CHARS {
        return None;
    }
    let bytes = STANDARD.decode(text).ok()?;
    Uuid::from_slice(&bytes).ok()
}

/// A UCID without what stands before it in `User-to-User`.
fn normal_ucid(text: &str) -> String {
    ucid_behind_its_kind(text).unwrap_or_else(|| text.to_ascii_lowercase())
}

/// The UCID of a `User-to-User` that has one.
fn ucid_behind_its_kind(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let mut bare = UCID_BEGINNINGS
        .iter()
        .filter_map(|begins| text.strip_prefix(begins));
    let bare = bare.find(|bare| bare.len() == UCID_DIGITS)?;
    let is_hex = bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| bare.to_owned())
}

/// The value of a session id and that of its `remote`; a `Call-ID` is one value.
fn halves(name: &str) -> impl Iterator<Item = String> {
    let (own, parameters) = name.split_once(';').unwrap_or((name, ""));
    let parameters = parameters.split(';').map(str::trim);
    let remote = parameters.filter_map(|parameter| parameter.strip_prefix("remote="));
    let ids = std::iter::once(own).chain(remote).filter_map(normal_id);
    ids.map(|id| id.reveal().to_owned())
}

//! The request that opens the WebSocket.

use std::fmt;

use uuid::Uuid;

use super::AudioHookRefusal;

/// Longest header, bytes. Those of Genesys Cloud have at most 400.
const HEADER_BYTES: usize = 4096;
/// The port that is left out (RFC 9421, section 2.2.3); the other side connects with TLS alone.
const DEFAULT_PORT: &str = ":443";

/// The header that brings a key.
pub(super) const KEY: &str = "X-API-KEY";

/// A handshake, as it came.
#[derive(Clone, Copy)]
pub struct AudioHookHandshake<'a> {
    /// Names and values of all headers, in the order they came. Names are compared without case.
    pub headers: &'a [(&'a str, &'a str)],
    /// Path and query, as they stand in the first line of the request (RFC 9421, section 2.2.5).
    pub request_target: &'a str,
    /// The host that the other side connected to, with its port where it has one: the header `Host`, as it was before any
    /// proxy.
    pub authority: &'a str,
}

/// Who connects, and for which session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioHookRequest {
    /// The organisation in Genesys Cloud.
    pub organization_id: Uuid,
    /// The session, which every message names.
    pub session_id: Uuid,
    /// What the other side's log calls the request.
    pub correlation_id: Uuid,
    /// The key.
    pub key: AudioHookKey,
}

/// A key, as it was sent. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AudioHookKey(String);

impl AudioHookKey {
    /// The key, to compare it in constant time.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AudioHookKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AudioHookKey(…)")
    }
}

impl AudioHookHandshake<'_> {
    /// Reads the headers; whether they are true is for [`AudioHookHandshake::verify`] to say.
    ///
    /// # Errors
    /// A header that is missing, too long or no UUID.
    pub fn request(&self) -> Result<AudioHookRequest, AudioHookRefusal> {
        Ok(AudioHookRequest {
            organization_id: self.id("Audiohook-Organization-Id")?,
            session_id: self.id("Audiohook-Session-Id")?,
            correlation_id: self.id("Audiohook-Correlation-Id")?,
            key: AudioHookKey(self.header(KEY)?),
        })
    }

    fn id(&self, header: &'static str) -> Result<Uuid, AudioHookRefusal> {
        let id = self.header(header)?;
        Uuid::try_parse(&id).map_err(|_| AudioHookRefusal::NotAUuid { header })
    }

    /// The value of a header that must be there.
    pub(super) fn header(&self, header: &'static str) -> Result<String, AudioHookRefusal> {
        let value = self.field(header).unwrap_or_default();
        match value.len() {
            0 => Err(AudioHookRefusal::Missing { header }),
            n_bytes if n_bytes > HEADER_BYTES => Err(AudioHookRefusal::TooLong {
                header,
                n_bytes,
                limit_bytes: HEADER_BYTES,
            }),
            _ => Ok(value),
        }
    }

    /// The value of a part of the request (RFC 9421, section 2).
    pub(super) fn component(&self, name: &str) -> Option<String> {
        match name {
            "@request-target" => Some(self.request_target.to_owned()),
            "@authority" => {
                let authority = self.authority.to_ascii_lowercase();
                let host = authority.strip_suffix(DEFAULT_PORT);
                Some(host.unwrap_or(&authority).to_owned())
            }
            _ => self.field(name),
        }
    }

    /// The values of a header, put together (RFC 9421, section 2.1).
    fn field(&self, name: &str) -> Option<String> {
        let all = self.headers.iter();
        let of_name = all.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<&str> = of_name.map(|(_, value)| value.trim()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

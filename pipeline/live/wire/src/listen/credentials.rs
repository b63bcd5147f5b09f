//! Who asks.

use std::fmt;

/// Longest key.
const KEY_BYTES: usize = 512;

/// The key of a client, as it was sent. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Finds the key in the headers of a request: `Authorization: Token KEY` or `Bearer KEY`, else
    /// `Sec-WebSocket-Protocol: token, KEY` (or `bearer`), which is what browsers can send. Where it came that way, the
    /// answer must select the protocol that stands first.
    pub fn from_headers(authorization: Option<&str>, protocols: Option<&str>) -> Option<Self> {
        let in_authorization = authorization.and_then(|value| value.trim().split_once(' '));
        let in_protocols = || protocols.and_then(|value| value.trim().split_once(','));
        let (scheme, key) = in_authorization.or_else(in_protocols)?;
        let key = key.trim();
        let is_scheme = ["token", "bearer"]
            .iter()
            .any(|known| scheme.trim().eq_ignore_ascii_case(known));
        let is_key = !key.is_empty()
            && key.len() <= KEY_BYTES
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        (is_scheme && is_key).then(|| Self(key.to_owned()))
    }

    /// The key, to compare it in constant time.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ApiKey(…)")
    }
}

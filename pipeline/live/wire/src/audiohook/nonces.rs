//! Handshakes that were seen.

use std::collections::HashMap;

use super::AudioHookRefusal;

/// Nonces of handshakes whose signatures were right, each for as long as its signature could be sent again. `Debug` does not
/// show them.
pub struct AudioHookNonces {
    limit: usize,
    /// Key and nonce, and the last second in which the signature is taken.
    seen: HashMap<(String, String), u64>,
}

impl std::fmt::Debug for AudioHookNonces {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AudioHookNonces")
            .field("limit", &self.limit)
            .field("n_seen", &self.seen.len())
            .finish_non_exhaustive()
    }
}

impl AudioHookNonces {
    /// Keeps at most `limit` nonces. Each is kept for less than a minute, so that this is the number of calls that may begin
    /// in that time.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            seen: HashMap::new(),
        }
    }

    /// Notes a nonce.
    ///
    /// # Errors
    /// Where it is known, or nothing more can be kept: what cannot be noted could be sent again.
    pub(super) fn note(
        &mut self,
        key_and_nonce: (String, String),
        until_secs: u64,
        now_secs: u64,
    ) -> Result<(), AudioHookRefusal> {
        let known = self.seen.get(&key_and_nonce);
        if known.is_some_and(|known_until_secs| *known_until_secs >= now_secs) {
            return Err(AudioHookRefusal::Replayed);
        }
        if self.seen.len() >= self.limit {
            self.seen.retain(|_, until_secs| *until_secs >= now_secs);
        }
        if self.seen.len() >= self.limit {
            return Err(AudioHookRefusal::TooMany { limit: self.limit });
        }
        self.seen.insert(key_and_nonce, until_secs);
        Ok(())
    }
}

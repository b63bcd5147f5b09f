//! Master keys of SRTP, as they are agreed (RFC 3711, RFC 4568, RFC 7714).

use std::fmt;

use zeroize::Zeroizing;

/// The longest key and salt of any suite.
const MOST_BYTES: usize = 32 + 14;

/// How packets are encrypted and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrtpSuite {
    /// AES-128 in counter mode, tags of 80 bits (RFC 4568, section 6.2.1).
    AesCm128HmacSha1_80,
    /// The same with tags of 32 bits for RTP (RFC 4568, section 6.2.2).
    AesCm128HmacSha1_32,
    /// AES-256 in counter mode, tags of 80 bits (RFC 6188).
    AesCm256HmacSha1_80,
    /// The same with tags of 32 bits for RTP (RFC 6188).
    AesCm256HmacSha1_32,
    /// AES-128-GCM (RFC 7714).
    AeadAes128Gcm,
    /// AES-256-GCM (RFC 7714).
    AeadAes256Gcm,
}

impl SrtpSuite {
    /// Bytes of the master key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AesCm256HmacSha1_80 | Self::AesCm256HmacSha1_32 | Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of the master salt.
    pub const fn salt_bytes(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            _ => 14,
        }
    }
}

/// A master key and its salt, overwritten when dropped. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKey {
    suite: SrtpSuite,
    /// Key, salt, zeros.
    secret: Zeroizing<[u8; MOST_BYTES]>,
}

impl SrtpKey {
    /// A key with its salt behind it. `None` where they have not the suite's lengths together.
    pub fn new(suite: SrtpSuite, key_and_salt: &[u8]) -> Option<Self> {
        if key_and_salt.len() != suite.key_bytes() + suite.salt_bytes() {
            return None;
        }
        let mut secret = Zeroizing::new([0; MOST_BYTES]);
        secret
            .get_mut(..key_and_salt.len())?
            .copy_from_slice(key_and_salt);
        Some(Self { suite, secret })
    }

    /// What it is for.
    pub const fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// The key alone.
    pub(crate) fn key(&self) -> &[u8] {
        self.secret.get(..self.suite.key_bytes()).unwrap_or(&[])
    }

    /// The salt alone.
    pub(crate) fn salt(&self) -> &[u8] {
        let from = self.suite.key_bytes();
        let to = from + self.suite.salt_bytes();
        self.secret.get(from..to).unwrap_or(&[])
    }
}

impl fmt::Debug for SrtpKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SrtpKey({:?}, …)", self.suite)
    }
}

/// Keys of a leg: each end has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrtpKeys {
    /// Of what comes.
    pub theirs: SrtpKey,
    /// Of what is sent: reports.
    pub ours: SrtpKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_length_of_their_suite() {
        for (suite, n_bytes) in [
            (SrtpSuite::AesCm128HmacSha1_80, 30),
            (SrtpSuite::AesCm128HmacSha1_32, 30),
            (SrtpSuite::AesCm256HmacSha1_80, 46),
            (SrtpSuite::AesCm256HmacSha1_32, 46),
            (SrtpSuite::AeadAes128Gcm, 28),
            (SrtpSuite::AeadAes256Gcm, 44),
        ] {
            let bytes: Vec<u8> = (0..50).collect();
            for n in 0..50 {
                let key = SrtpKey::new(suite, &bytes[..n]);
                assert_eq!(key.is_some(), n == n_bytes, "{suite:?}, {n} bytes");
                if let Some(key) = key {
                    assert_eq!([key.key(), key.salt()].concat(), &bytes[..n]);
                    let shown = format!("{key:?}");
                    assert_eq!(shown, format!("SrtpKey({suite:?}, …)"));
                }
            }
        }
    }
}

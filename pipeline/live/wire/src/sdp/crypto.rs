//! Keys of SRTP in session descriptions (RFC 4568).

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::error::{CryptoRefusal, Oddity};
use crate::query::Shown;

/// Keys come with and without `=` at their end, for RFC 4568, section 6.1, can be read in both ways, and FreeSWITCH
/// sets bits that are left over. Ours have it, as RFC 4648, section 3.2, wants where nothing else is said.
static BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the key stands behind; other methods are not defined (RFC 4568, section 4.3).
const INLINE: &str = "inline:";
/// How many packets a receiver looks back: a hint, which changes none of them (RFC 4568, section 6.3.6).
const WINDOW: &str = "WSH=";
/// A parameter that may be skipped begins with it (RFC 4568, section 6.3.7).
const OPTIONAL: char = '-';
/// Longest number of a line, in digits (RFC 4568, section 9.1).
const TAG_DIGITS: usize = 9;

/// How packets are encrypted and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CryptoSuite {
    /// AES-128 in counter mode, tags of 80 bits (RFC 4568, section 6.2.1).
    AesCm128HmacSha1_80,
    /// The same with tags of 32 bits for RTP (RFC 4568, section 6.2.2).
    AesCm128HmacSha1_32,
    /// AES-256 in counter mode, tags of 80 bits (RFC 6188).
    Aes256CmHmacSha1_80,
    /// The same with tags of 32 bits for RTP (RFC 6188).
    Aes256CmHmacSha1_32,
    /// AES-128-GCM (RFC 7714).
    AeadAes128Gcm,
    /// AES-256-GCM (RFC 7714).
    AeadAes256Gcm,
}

/// Names of suites. `AES_CM_256` is how a draft of RFC 6188 spelt it; pjsip and FreeSWITCH still do.
const NAMES: [(&str, CryptoSuite); 8] = [
    ("AES_CM_128_HMAC_SHA1_80", CryptoSuite::AesCm128HmacSha1_80),
    ("AES_CM_128_HMAC_SHA1_32", CryptoSuite::AesCm128HmacSha1_32),
    ("AES_256_CM_HMAC_SHA1_80", CryptoSuite::Aes256CmHmacSha1_80),
    ("AES_256_CM_HMAC_SHA1_32", CryptoSuite::Aes256CmHmacSha1_32),
    ("AES_CM_256_HMAC_SHA1_80", CryptoSuite::Aes256CmHmacSha1_80),
    ("AES_CM_256_HMAC_SHA1_32", CryptoSuite::Aes256CmHmacSha1_32),
    ("AEAD_AES_128_GCM", CryptoSuite::AeadAes128Gcm),
    ("AEAD_AES_256_GCM", CryptoSuite::AeadAes256Gcm),
];

impl CryptoSuite {
    /// Bytes of the master key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::Aes256CmHmacSha1_80 | Self::Aes256CmHmacSha1_32 | Self::AeadAes256Gcm => 32,
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

/// Bytes that are overwritten when they are given up, as far as the compiler lets them be.
#[derive(Clone, PartialEq, Eq)]
struct Secret(Vec<u8>);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(self.0.as_slice());
    }
}

/// A master key with its salt. `Debug` shows neither; what is given up is overwritten.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: CryptoSuite,
    /// The key, then the salt.
    bytes: Secret,
}

impl MasterKey {
    /// Takes over a key and the salt behind it. `None` where they have not the suite's length.
    pub fn new(suite: CryptoSuite, key_and_salt: Vec<u8>) -> Option<Self> {
        let bytes = Secret(key_and_salt);
        let fits = bytes.0.len() == suite.key_bytes() + suite.salt_bytes();
        fits.then_some(Self { suite, bytes })
    }

    /// The suite whose key it is.
    pub const fn suite(&self) -> CryptoSuite {
        self.suite
    }

    /// The key, of [`CryptoSuite::key_bytes`].
    pub fn key(&self) -> &[u8] {
        self.halves().0
    }

    /// The salt, of [`CryptoSuite::salt_bytes`].
    pub fn salt(&self) -> &[u8] {
        self.halves().1
    }

    fn halves(&self) -> (&[u8], &[u8]) {
        let halves = self.bytes.0.split_at_checked(self.suite.key_bytes());
        halves.unwrap_or_default()
    }

    /// The value behind the suite in a line of our own.
    pub(super) fn to_inline(&self) -> String {
        format!("{INLINE}{}", BASE64.encode(&self.bytes.0))
    }

    /// Reads `inline:`, the key, perhaps `|` and its lifetime in packets, perhaps `|` and an identifier with its
    /// length. Several keys, with `;` between them, need identifiers (RFC 4568, section 6.1). A lifetime ends no call
    /// here.
    fn parse(suite: CryptoSuite, value: &str) -> Result<Self, CryptoRefusal> {
        let method = value.get(..INLINE.len()).unwrap_or_default();
        let after_method = value.get(INLINE.len()..).unwrap_or_default();
        if !method.eq_ignore_ascii_case(INLINE) {
            return Err(CryptoRefusal::Key);
        }
        let mut parts = after_method.split('|');
        let key = parts.next().unwrap_or_default();
        if value.contains(';') || parts.any(|part| part.contains(':')) {
            return Err(CryptoRefusal::Mki);
        }
        let bytes = BASE64.decode(key).map_err(|_| CryptoRefusal::Key)?;
        Self::new(suite, bytes).ok_or(CryptoRefusal::Key)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MasterKey({:?}, …)", self.suite)
    }
}

/// A line `a=crypto` that can be taken: the key of what the other side sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// The number that an answer takes it by.
    pub tag: u32,
    /// The suite's key and salt.
    pub key: MasterKey,
    /// The suite as the other side spells it.
    pub(super) suite_name: &'static str,
}

impl Crypto {
    /// Reads the value: a number, a suite, a key and perhaps parameters.
    pub(super) fn parse(value: &str) -> Result<Self, Oddity> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().and_then(read_tag).ok_or(Oddity::CryptoLine)?;
        let refuse = |why| Oddity::Crypto { tag, why };
        let name = words.next().ok_or(Oddity::CryptoLine)?;
        let found = NAMES.iter().find(|(known, _)| *known == name);
        let &(suite_name, suite) = found.ok_or_else(|| refuse(unknown_suite(name)))?;
        let key = words.next().ok_or(Oddity::CryptoLine)?;
        let key = MasterKey::parse(suite, key).map_err(refuse)?;
        match words.all(|word| word.starts_with(WINDOW) || word.starts_with(OPTIONAL)) {
            true => Ok(Self {
                tag,
                key,
                suite_name,
            }),
            false => Err(refuse(CryptoRefusal::Parameter)),
        }
    }
}

fn read_tag(word: &str) -> Option<u32> {
    let fits = word.len() <= TAG_DIGITS;
    fits.then(|| word.parse().ok()).flatten()
}

/// A suite is shown if nobody could take it for a key: in base64 there is no `_`.
fn unknown_suite(name: &str) -> CryptoRefusal {
    let is_name = name.contains('_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    CryptoRefusal::Suite(Shown::new(if is_name { name } else { "?" }))
}

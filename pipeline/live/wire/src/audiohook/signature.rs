//! Whether a handshake is signed by who has the secret (RFC 9421, section 3.2).

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::fields::{Input, quoted, read_signature};
use super::handshake::KEY;
use super::{AudioHookHandshake, AudioHookNonces, AudioHookRefusal};
use crate::query::Shown;

/// What must be signed, as the page "Security" lists it.
const SIGNED: [&str; 6] = [
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
];
/// The only algorithm (RFC 9421, section 3.3.3).
const ALGORITHM: &str = "hmac-sha256";
/// Shortest nonce: 128 bits in base64 without padding.
const NONCE_BYTES: usize = 22;
/// Seconds that a signature is taken for after it was made. It is made when the connection is opened; the reference
/// implementation has 10.
const AGE_SECS: u64 = 30;
/// Seconds that two clocks may differ; the reference implementation has 3.
const SKEW_SECS: u64 = 5;

const INPUT: &str = "Signature-Input";
const SIGNATURE: &str = "Signature";

/// The secret that belongs to a key. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AudioHookSecret(Vec<u8>);

impl fmt::Debug for AudioHookSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AudioHookSecret(…)")
    }
}

impl AudioHookSecret {
    /// Reads a secret as Genesys Cloud has it, in base64 (RFC 4648, section 4). `None` where it is not, or is empty.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// Whether this signature was made with the secret, in constant time.
    fn signed(&self, base: &str, signature: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return false;
        };
        mac.update(base.as_bytes());
        mac.verify_slice(signature).is_ok()
    }
}

/// What the parameters of a signature say.
struct Claims {
    key: String,
    nonce: String,
    /// The last second in which the signature is taken.
    until_secs: u64,
}

impl AudioHookHandshake<'_> {
    /// Whether the handshake is signed by who has the secret, and was not seen before. `secret_of` looks a key up;
    /// `now_secs` are seconds since 1970. For a key that is not known the signature is looked at all the same, so that the
    /// time it takes does not tell.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify<'s>(
        &self,
        secret_of: impl FnOnce(&str) -> Option<&'s AudioHookSecret>,
        now_secs: u64,
        nonces: &mut AudioHookNonces,
    ) -> Result<(), AudioHookRefusal> {
        let (input, signature) = self.signature()?;
        let claims = self.claims(&input, now_secs)?;
        let base = self.base(&input)?;
        let secret = secret_of(&claims.key);
        let nobodys = AudioHookSecret(vec![0; 32]);
        let is_signed = secret.unwrap_or(&nobodys).signed(&base, &signature);
        match (secret, is_signed) {
            (None, _) => Err(AudioHookRefusal::UnknownKey),
            (Some(_), false) => Err(AudioHookRefusal::WrongSignature),
            (Some(_), true) => nonces.note((claims.key, claims.nonce), claims.until_secs, now_secs),
        }
    }

    /// The signature, and what it is said to be made of.
    fn signature(&self) -> Result<(Input, Vec<u8>), AudioHookRefusal> {
        let malformed = |header, expected| AudioHookRefusal::Malformed { header, expected };
        let signature = self.header(SIGNATURE)?;
        let input = self.header(INPUT)?;
        let (label, signature) = read_signature(&signature)
            .ok_or_else(|| malformed(SIGNATURE, "one signature in base64"))?;
        let input = Input::read(&input)
            .filter(|input| input.label == label)
            .ok_or_else(|| malformed(INPUT, "the description of that one signature"))?;
        Ok((input, signature))
    }

    fn claims(&self, input: &Input, now_secs: u64) -> Result<Claims, AudioHookRefusal> {
        let missing = |key| AudioHookRefusal::NoParameter { key };
        if let Some(got) = input.text("alg").filter(|got| *got != ALGORITHM) {
            let got = Shown::new(got);
            return Err(AudioHookRefusal::Algorithm { got });
        }
        let key = input.text("keyid").ok_or_else(|| missing("keyid"))?;
        if key != self.header(KEY)? {
            return Err(AudioHookRefusal::OtherKey);
        }
        let nonce = input.text("nonce").ok_or_else(|| missing("nonce"))?;
        if nonce.len() < NONCE_BYTES {
            return Err(AudioHookRefusal::ShortNonce {
                n_bytes: nonce.len(),
                least_bytes: NONCE_BYTES,
            });
        }
        let created = input.number("created").ok_or_else(|| missing("created"))?;
        let until_secs = check_time(created, input.number("expires"), now_secs)?;
        Ok(Claims {
            key: key.to_owned(),
            nonce: nonce.to_owned(),
            until_secs,
        })
    }

    /// What was signed (RFC 9421, section 2.5).
    fn base(&self, input: &Input) -> Result<String, AudioHookRefusal> {
        let is_signed = |name: &&str| input.components.iter().any(|signed| signed == name);
        if let Some(component) = SIGNED.into_iter().find(|name| !is_signed(name)) {
            return Err(AudioHookRefusal::NotSigned { component });
        }
        let mut lines = Vec::with_capacity(input.components.len() + 1);
        for name in &input.components {
            let value = self.component(name).ok_or_else(|| {
                let got = Shown::new(name);
                AudioHookRefusal::UnknownComponent { got }
            })?;
            lines.push(format!("{}: {value}", quoted(name)));
        }
        lines.push(format!("\"@signature-params\": {}", input.signed()));
        Ok(lines.join("\n"))
    }
}

/// The last second in which a signature is taken.
///
/// # Errors
/// Where that second is over, or the signature was made later than now.
fn check_time(
    created_secs: u64,
    expires_secs: Option<u64>,
    now_secs: u64,
) -> Result<u64, AudioHookRefusal> {
    let latest_secs = now_secs.saturating_add(SKEW_SECS);
    if created_secs > latest_secs {
        let n_secs = created_secs - latest_secs;
        return Err(AudioHookRefusal::NotYetValid { n_secs });
    }
    let old_secs = created_secs.saturating_add(AGE_SECS);
    let until_secs = expires_secs.map_or(old_secs, |expires_secs| expires_secs.min(old_secs));
    let until_secs = until_secs.saturating_add(SKEW_SECS);
    match now_secs > until_secs {
        true => Err(AudioHookRefusal::Expired {
            n_secs: now_secs - until_secs,
        }),
        false => Ok(until_secs),
    }
}

//! Signatures: who has the secret can tell that an event comes from here, is as it was sent, and is not an old one sent again.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// `v1=` and HMAC-SHA256 (RFC 2104, FIPS 180-4) of `TIMESTAMP.BODY` in hexadecimal digits. `None` never: every key fits.
pub(super) fn signature(secret: &str, timestamp_secs: u64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{timestamp_secs}.").as_bytes());
    mac.update(body.as_bytes());
    let digest = mac.finalize().into_bytes();
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    Some(format!("v1={}", digits.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '%s' '1795373719.{"id":1}' | openssl dgst -sha256 -hmac 0123456789abcdef`
    #[test]
    fn signatures_are_what_others_make_of_it() {
        assert_eq!(
            signature("0123456789abcdef", 1_795_373_719, "{\"id\":1}").unwrap(),
            "v1=12e09feb5392b58d8661e6eaa42b0036fea830c78b0ceb95e2a1eac9f7cd0b15"
        );
    }
}

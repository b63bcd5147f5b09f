//! Messages of SIP without what opens anything: credentials, and keys of encrypted audio. Each byte of theirs becomes an `x`, so
//! that lengths stay true. Pure.

use rsipstack::sip::{HasHeaders, Header, SipMessage};

const CROSSED: u8 = b'x';
/// Lines of a session description that hold keys. RFC 4568, section 4; RFC 4567, section 3; RFC 4566, section 5.12.
const CRYPTO: &str = "a=crypto:";
const KEY_LINES: [&str; 3] = [CRYPTO, "a=key-mgmt:", "k="];
/// Words of `a=crypto` in front of the keys: tag and suite (RFC 4568, section 9.1).
const WORDS_BEFORE_KEYS: usize = 2;

/// Bytes of a message as it is sent, without its secrets.
pub(super) fn without_secrets(message: &SipMessage) -> Vec<u8> {
    let mut message = message.clone();
    for header in message.headers_mut().iter_mut() {
        match header {
            Header::Authorization(value) => value.replace(without_credentials(value.value())),
            Header::ProxyAuthorization(value) => value.replace(without_credentials(value.value())),
            _ => {}
        }
    }
    let body = match &mut message {
        SipMessage::Request(request) => &mut request.body,
        SipMessage::Response(response) => &mut response.body,
    };
    for line in body.split_mut(|byte| matches!(byte, b'\r' | b'\n')) {
        cross_out_keys(line);
    }
    message.to_bytes()
}

/// The scheme of credentials stays (RFC 3261, section 20.7).
fn without_credentials(value: &str) -> String {
    let (scheme, secret) = match value.split_once(' ') {
        Some((scheme, secret)) => (format!("{scheme} "), secret),
        None => (String::new(), value),
    };
    scheme + &"x".repeat(secret.len())
}

fn cross_out_keys(line: &mut [u8]) {
    let Some(secret) = keys_begin(line).and_then(|place| line.get_mut(place..)) else {
        return;
    };
    for byte in secret {
        *byte = CROSSED;
    }
}

/// Where the keys of a line begin, if it is one with keys.
fn keys_begin(line: &[u8]) -> Option<usize> {
    let text = line.trim_ascii_start();
    let begins_with = |prefix: &&&str| {
        let start = text.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    let prefix = KEY_LINES.iter().find(begins_with)?;
    let behind = text.get(prefix.len()..)?;
    let n_kept = match *prefix == CRYPTO {
        true => before_keys(behind),
        false => 0,
    };
    Some(line.len() - behind.len() + n_kept)
}

/// Bytes of tag and suite; a word with a colon is a key.
fn before_keys(words: &[u8]) -> usize {
    let words = words.split_inclusive(|byte| *byte == b' ');
    let kept = words.take(WORDS_BEFORE_KEYS);
    let kept = kept.take_while(|word| !word.contains(&b':'));
    kept.map(<[u8]>::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &str, body: &str, expected: &str) {
        let length = body.len();
        let text = format!(
            "INVITE sip:a@192.0.2.1 SIP/2.0\r\nCall-ID: c1\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        let message = SipMessage::try_from(text.as_str()).unwrap();
        let told = without_secrets(&message);
        assert_eq!(told.len(), message.to_bytes().len());
        let told = String::from_utf8(told).unwrap();
        assert!(told.contains(expected), "{told}");
        assert!(!told.to_lowercase().contains("secret"), "{told}");
    }

    #[test]
    fn credentials_are_crossed_out() {
        for (headers, expected) in [
            (
                "Authorization: Digest username=\"secret\"\r\n",
                "Authorization: Digest xxxxxxxxxxxxxxxxx\r\n",
            ),
            (
                "proxy-authorization: Basic c2VjcmV0SECRET\r\n",
                "Proxy-Authorization: Basic xxxxxxxxxxxxxx\r\n",
            ),
            ("Authorization: secret\r\n", "Authorization: xxxxxx\r\n"),
            // Over several lines (RFC 3261, section 7.3.1).
            (
                "Authorization: Digest a=\"1\",\r\n response=\"secret\"\r\n",
                "Authorization: Digest xxxxxxxxxxxxxx",
            ),
        ] {
            check(headers, "", expected);
        }
    }

    #[test]
    fn keys_are_crossed_out_wherever_they_stand() {
        for (line, expected) in [
            (
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET|2^20|1:4",
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 xxxxxxxxxxxxxxxxxxxxxx\r\n",
            ),
            (
                " A=Crypto:12 AEAD_AES_256_GCM inline:SECRET;inline:SECRET KDR=1",
                " A=Crypto:12 AEAD_AES_256_GCM xxxx",
            ),
            ("a=crypto:1 inline:SECRET", "a=crypto:1 xxxxxxxxxxxxx\r\n"),
            ("a=crypto:inline:SECRET", "a=crypto:xxxxxxxxxxxxx\r\n"),
            ("a=key-mgmt:mikey SECRET", "a=key-mgmt:xxxxxxxxxxxx\r\n"),
            ("k=clear:SECRET", "k=xxxxxxxxxxxx\r\n"),
        ] {
            let body = format!("v=0\r\nm=audio 4 RTP/SAVP 0\r\n{line}\r\na=sendonly\r\n");
            check("", &body, expected);
            check(
                "",
                &body.replace("\r\n", "\n"),
                &expected.replace("\r\n", "\n"),
            );
            let part = format!("--b\r\nContent-Type: application/sdp\r\n\r\n{body}--b--\r\n");
            check("", &part, expected);
            check("", &body, "a=sendonly\r\n");
        }
    }

    #[test]
    fn everything_else_stays() {
        let body = "v=0\r\na=rtpmap:0 PCMU/8000\r\na=cryptography\r\nak=1\r\n";
        check("X-Auricle-Call-Id: c7\r\n", body, body);
        check("X-Auricle-Call-Id: c7\r\n", "", "X-Auricle-Call-Id: c7\r\n");
    }
}

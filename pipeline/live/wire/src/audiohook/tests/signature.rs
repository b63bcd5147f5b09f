//! Handshakes and their signatures.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;

const SECRET: &str = "QXVyaWNsZVRlc3RTZWNyZXRPZjMyQnl0ZXNMb25nISE=";
const TARGET: &str = "/ingest/audiohook?region=north";
const NOW_SECS: u64 = 1_795_000_000;
const COMPONENTS: &str = r#"("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" "audiohook-correlation-id" "x-api-key")"#;
const PARAMETERS: &str = r#";keyid="auricle-test-key";nonce="bm9uY2Utb25lLW9mLW1hbnk";alg="hmac-sha256";created=1795000000;expires=1795000010"#;

/// What is signed, one component a line, the last being what was said of the signature.
fn base(target: &str, description: &str) -> String {
    format!(
        "\"@request-target\": {target}\n\"@authority\": voice.example.org\n\
         \"audiohook-organization-id\": {ORGANIZATION}\n\"audiohook-session-id\": {SESSION}\n\
         \"audiohook-correlation-id\": {CORRELATION}\n\"x-api-key\": {KEY}\n\
         \"@signature-params\": {description}"
    )
}

fn sign(base: &str) -> String {
    let secret = BASE64_STANDARD.decode(SECRET).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(base.as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    format!("sig1=:{signature}:")
}

/// Headers with a signature that has these parameters.
fn signed(parameters: &str) -> Vec<(&'static str, String)> {
    let description = format!("{COMPONENTS}{parameters}");
    let mut headers = headers();
    headers.push(("Signature", sign(&base(TARGET, &description))));
    headers.push(("Signature-Input", format!("sig1={description}")));
    headers
}

fn verify_at(
    headers: &[(&str, String)],
    now_secs: u64,
    nonces: &mut AudioHookNonces,
) -> Result<(), String> {
    let headers = borrowed(headers);
    let handshake = AudioHookHandshake {
        headers: &headers,
        request_target: TARGET,
        authority: "Voice.Example.org:443",
    };
    let secret = AudioHookSecret::from_base64(SECRET).unwrap();
    let secret_of = |key: &str| (key == KEY).then_some(&secret);
    let verified = handshake.verify(secret_of, now_secs, nonces);
    verified.map_err(|refusal| refusal.to_string())
}

fn verify(headers: &[(&str, String)]) -> Result<(), String> {
    verify_at(headers, NOW_SECS, &mut AudioHookNonces::new(10))
}

/// Replaces the value of a header; an empty one leaves it out.
fn with(
    mut headers: Vec<(&'static str, String)>,
    name: &str,
    value: &str,
) -> Vec<(&'static str, String)> {
    for header in headers.iter_mut().filter(|(known, _)| *known == name) {
        header.1 = value.to_owned();
    }
    headers.retain(|(_, value)| !value.is_empty());
    headers
}

#[test]
fn requests() {
    let read = request(&headers()).unwrap();
    assert_eq!(read.organization_id, ORGANIZATION);
    assert_eq!(read.session_id, SESSION);
    assert_eq!(read.correlation_id, CORRELATION);
    assert_eq!(read.key.reveal(), KEY);
    assert!(!format!("{read:?}").contains(KEY));
    let check = |name: &str, value: &str, expected: &str| {
        let refusal = request(&with(headers(), name, value)).unwrap_err();
        assert_eq!(refusal.to_string(), expected);
    };
    check("X-API-KEY", "", "`X-API-KEY` is missing");
    check(
        "Audiohook-Session-Id",
        "8f0b",
        "`Audiohook-Session-Id` must be a UUID",
    );
    check(
        "Audiohook-Organization-Id",
        &"a".repeat(5000),
        "`Audiohook-Organization-Id` has 5000 bytes, more than 4096",
    );
}

/// The signature was made by another program: Python's `hmac`, of the lines that `base` writes.
#[test]
fn signatures_are_what_others_make_of_it() {
    let headers = signed(PARAMETERS);
    let signature = headers.iter().find(|(name, _)| *name == "Signature");
    assert_eq!(
        signature.unwrap().1,
        "sig1=:/GSDhAxdBW9H2Los572fdARrSv+5uI4qnW5+Ab3jJ0o=:"
    );
    assert_eq!(verify(&headers), Ok(()));
    // Names of headers have no case, and spaces are not signed.
    let spaced = format!("sig1={COMPONENTS}{PARAMETERS}")
        .replace(' ', "  ")
        .replace(';', "; ");
    assert_eq!(verify(&with(headers, "Signature-Input", &spaced)), Ok(()));
}

#[test]
fn what_was_changed_is_refused() {
    let check = |name: &str, value: &str, expected: &str| {
        let changed = with(signed(PARAMETERS), name, value);
        assert_eq!(verify(&changed), Err(expected.to_owned()), "{name} {value}");
    };
    let wrong = "signature is wrong";
    check("Audiohook-Session-Id", &NULL.to_string(), wrong);
    check("Audiohook-Organization-Id", &NULL.to_string(), wrong);
    check("Audiohook-Correlation-Id", &NULL.to_string(), wrong);
    check("Signature", "sig1=:AAAA:", wrong);
    check("Signature", "sig1=::", wrong);
    check(
        "Audiohook-Session-Id",
        "",
        "`audiohook-session-id` is signed, and is not in the request",
    );
    check(
        "X-API-KEY",
        "other",
        "`keyid` is not the key of `X-API-KEY`",
    );
    check("Signature", "", "`Signature` is missing");
    check("Signature-Input", "", "`Signature-Input` is missing");
    for signature in [
        "sig1=AAAA",
        "sig1=:A:",
        "=:AAAA:",
        "sig1=:AAAA:, sig2=:AAAA:",
    ] {
        check(
            "Signature",
            signature,
            "`Signature` is not one signature in base64",
        );
    }
    let malformed = "`Signature-Input` is not the description of that one signature";
    for input in [
        "sig2=()",
        "sig1",
        "sig1=(\"a\" \"a\")",
        "sig1=(\"a\"\"b\")",
        "sig1=(\"a\";sf)",
        "sig1=(a)",
        "sig1=();created=1;created=1",
        "sig1=();created=-1",
        "sig1=();created=1234567890123456",
        "sig1=();tag",
        "sig1=(), sig1=()",
        "sig1=(\"é\")",
    ] {
        check("Signature-Input", input, malformed);
    }
}

#[test]
fn parameters_that_are_refused() {
    let check = |from: &str, to: &str, expected: &str| {
        let parameters = PARAMETERS.replace(from, to);
        assert_ne!(parameters, PARAMETERS);
        assert_eq!(verify(&signed(&parameters)), Err(expected.to_owned()));
    };
    check(
        r#";keyid="auricle-test-key""#,
        "",
        "`keyid` is missing in `Signature-Input`",
    );
    check(
        r#";nonce="bm9uY2Utb25lLW9mLW1hbnk""#,
        "",
        "`nonce` is missing in `Signature-Input`",
    );
    check(
        "bm9uY2Utb25lLW9mLW1hbnk",
        "bm9u",
        "`nonce` has 4 bytes, fewer than 22",
    );
    check(
        ";created=1795000000",
        "",
        "`created` is missing in `Signature-Input`",
    );
    check(
        "hmac-sha256",
        "hmac-sha1",
        "`alg` must be hmac-sha256, got `hmac-sha1`",
    );
    // Neither must be said.
    for left_out in [r#";alg="hmac-sha256""#, ";expires=1795000010"] {
        let parameters = PARAMETERS.replace(left_out, "");
        assert_eq!(verify(&signed(&parameters)), Ok(()));
    }
}

#[test]
fn all_of_the_request_must_be_signed() {
    let check = |components: &str, expected: &str| {
        let input = format!("sig1={components}{PARAMETERS}");
        let headers = with(signed(PARAMETERS), "Signature-Input", &input);
        assert_eq!(verify(&headers), Err(expected.to_owned()));
    };
    check("()", "`@request-target` is not signed");
    check(
        &COMPONENTS.replace(r#" "x-api-key""#, ""),
        "`x-api-key` is not signed",
    );
    check(
        &COMPONENTS.replace(')', r#" "@status")"#),
        "`@status` is signed, and is not in the request",
    );
}

#[test]
fn signatures_hold_for_seconds() {
    let check = |now_secs: u64, expires: &str, expected: Result<(), &str>| {
        let parameters = PARAMETERS.replace(";expires=1795000010", expires);
        let verified = verify_at(
            &signed(&parameters),
            now_secs,
            &mut AudioHookNonces::new(10),
        );
        let verified = verified.map_err(|refusal| refusal.lines().next().unwrap().to_owned());
        assert_eq!(verified, expected.map_err(str::to_owned), "{now_secs}");
    };
    let short = ";expires=1795000010";
    let early = Err("signature is not valid yet, by 1 seconds");
    check(NOW_SECS - 6, short, early);
    check(NOW_SECS - 5, short, Ok(()));
    check(NOW_SECS + 15, short, Ok(()));
    let late = Err("signature expired 1 seconds ago");
    check(NOW_SECS + 16, short, late);
    // However long it is said to hold.
    let long = ";expires=3282026430";
    check(NOW_SECS + 35, long, Ok(()));
    check(NOW_SECS + 36, long, late);
    check(NOW_SECS + 35, "", Ok(()));
    check(NOW_SECS + 36, "", late);
}

#[test]
fn keys_that_are_not_known() {
    let headers = signed(PARAMETERS);
    let headers = borrowed(&headers);
    let handshake = AudioHookHandshake {
        headers: &headers,
        request_target: TARGET,
        authority: "voice.example.org",
    };
    let refused = handshake.verify(|_| None, NOW_SECS, &mut AudioHookNonces::new(10));
    assert_eq!(refused, Err(AudioHookRefusal::UnknownKey));
}

#[test]
fn secrets() {
    assert_eq!(AudioHookSecret::from_base64(""), None);
    assert_eq!(AudioHookSecret::from_base64("not base64!"), None);
    let secret = AudioHookSecret::from_base64(SECRET).unwrap();
    assert_eq!(format!("{secret:?}"), "AudioHookSecret(…)");
}

#[test]
fn a_handshake_is_taken_once() {
    let mut nonces = AudioHookNonces::new(1);
    let first = signed(PARAMETERS);
    assert_eq!(verify_at(&first, NOW_SECS, &mut nonces), Ok(()));
    let again = verify_at(&first, NOW_SECS + 15, &mut nonces);
    assert_eq!(again, Err("`nonce` was used before".to_owned()));
    // A wrong signature is not noted, so nobody can fill the list without the secret.
    let wrong = with(first, "Signature", "sig1=:AAAA:");
    let refused = verify_at(&wrong, NOW_SECS, &mut AudioHookNonces::new(0));
    assert_eq!(refused, Err("signature is wrong".to_owned()));
    let other = signed(&PARAMETERS.replace("bm9u", "b3Ro"));
    let full = verify_at(&other, NOW_SECS, &mut nonces);
    assert_eq!(full, Err("more than 1 handshakes at a time".to_owned()));
    // Later there is space again.
    let later = PARAMETERS.replace("17950000", "17950001");
    assert_eq!(
        verify_at(&signed(&later), NOW_SECS + 100, &mut nonces),
        Ok(())
    );
    assert!(!format!("{nonces:?}").contains("bm9u"));
}

proptest! {
    #[test]
    fn any_header_is_read(input in any::<String>(), signature in any::<String>(), now in any::<u64>()) {
        let headers = with(signed(PARAMETERS), "Signature-Input", &input);
        let _ = verify_at(&with(headers, "Signature", &signature), now, &mut AudioHookNonces::new(1));
    }

    #[test]
    fn any_time_is_taken(created in 0_u64..1_000_000_000_000_000, now in any::<u64>()) {
        let parameters = PARAMETERS.replace("created=1795000000", &format!("created={created}"));
        let _ = verify_at(&signed(&parameters), now, &mut AudioHookNonces::new(1));
    }

    #[test]
    fn another_request_is_refused(target in "/[a-z]{0,20}") {
        let description = format!("{COMPONENTS}{PARAMETERS}");
        let headers = with(signed(PARAMETERS), "Signature", &sign(&base(&target, &description)));
        prop_assert_eq!(verify(&headers), Err("signature is wrong".to_owned()));
    }
}

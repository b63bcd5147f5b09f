//! Digest access authentication: who may call with a password (RFC 3261, section 22; RFC 2617, section 3.2).
//!
//! A challenge's nonce says when it was made and that it was made here; nothing is kept of it. What is kept for as long as a
//! nonce counts is which answers were taken, so that none is taken twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};
use hmac::{Hmac, KeyInit, Mac};
use rsipstack::dialog::authenticate::compute_digest;
use rsipstack::sip::Method;
use rsipstack::sip::headers::auth::Algorithm;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::config::{Config, beside};
use crate::exit::usage;
use crate::text_file::read_text;

/// A challenge may be answered for so long; later ones get a new one at once.
const FRESH_SECS: u64 = 300;
/// A clock may have been set back so far.
const AHEAD_SECS: u64 = 5;
/// Answers that are remembered while they could be sent again: more calls than one machine hears begin in that time. Some
/// 50 bytes each.
const MOST_TAKEN: usize = 20_000;
/// Hexadecimal digits of a nonce's time, and of what proves it.
const TIME_DIGITS: usize = 16;
const PROOF_DIGITS: usize = 32;
/// Bytes of the longest `Authorization` that is read.
const LONGEST_BYTES: usize = 2_048;

/// Names and passwords.
#[derive(Default)]
pub(crate) struct SipUsers {
    passwords: HashMap<String, Zeroizing<String>>,
}

impl SipUsers {
    /// Reads the passwords.
    ///
    /// # Errors
    /// Names the user and what is wrong.
    pub(crate) fn read(config: &Config) -> Result<Self> {
        let mut passwords = HashMap::new();
        for user in &config.live.sip.users {
            let name = &user.name;
            let wrong = |what: &str| usage(format!("`live.sip.users`, `{name}`: {what}"));
            let is_good = |letter: char| letter.is_ascii_graphic() && !"\"\\:".contains(letter);
            if name.is_empty() || !name.chars().all(is_good) {
                return Err(wrong(
                    "`name` must be visible ASCII without quotes and colons",
                ));
            }
            let path = beside(config, &user.password_file);
            let text = read_text(&path).map(Zeroizing::new).map_err(|cause| {
                wrong(&format!("`password_file`, `{}`: {cause}", path.display()))
            })?;
            let password = Zeroizing::new(text.trim().to_owned());
            if password.is_empty() {
                return Err(wrong("`password_file` is empty"));
            }
            if passwords.insert(name.clone(), password).is_some() {
                return Err(wrong("another one has this name"));
            }
        }
        Ok(Self { passwords })
    }
}

/// Asks for passwords, and knows them.
pub(super) struct Guard {
    users: SipUsers,
    realm: String,
    key: Zeroizing<[u8; 32]>,
    /// Until when each could be sent again, seconds since 1970.
    taken: Mutex<HashMap<[u8; 32], u64>>,
}

/// What is wrong with the answer to a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unproven {
    /// There is none, or for something else.
    Missing,
    /// It was right, and came too late, or a second time.
    Stale,
    /// User or password are wrong.
    Wrong,
}

impl Unproven {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "no_password",
            Self::Stale => "stale_password",
            Self::Wrong => "wrong_password",
        }
    }
}

impl Guard {
    /// # Errors
    /// The system gives no random bytes.
    pub(super) fn new(users: SipUsers, realm: &str) -> Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(|_| anyhow!("the system gives no random bytes"))?;
        Ok(Self {
            users,
            realm: realm.to_owned(),
            key,
            taken: Mutex::default(),
        })
    }

    /// The value of `WWW-Authenticate`.
    pub(super) fn challenge(&self, why: Unproven, now_secs: u64) -> String {
        let stale = match why {
            Unproven::Stale => ", stale=true",
            Unproven::Missing | Unproven::Wrong => "",
        };
        let (realm, nonce) = (&self.realm, self.nonce(now_secs));
        format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"{stale}")
    }

    /// Whether the value of `Authorization` is the answer to a challenge of ours.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn verify(
        &self,
        authorization: Option<&str>,
        method: Method,
        now_secs: u64,
    ) -> Result<(), Unproven> {
        let answer = authorization.and_then(Answer::read);
        let answer = answer.ok_or(Unproven::Missing)?;
        let made_secs = self.made_secs(answer.nonce).ok_or(Unproven::Missing)?;
        if answer.realm != self.realm {
            return Err(Unproven::Missing);
        }
        let none = Zeroizing::new(String::new());
        let known = self.users.passwords.get(answer.username);
        // It takes as long where there is no such user.
        let expected = answer.expected(known.unwrap_or(&none), method);
        let is_right = is_same(&expected, answer.response) && known.is_some();
        if !is_right {
            return Err(Unproven::Wrong);
        }
        let over_secs = made_secs.saturating_add(FRESH_SECS);
        let is_fresh = now_secs < over_secs && made_secs <= now_secs.saturating_add(AHEAD_SECS);
        match is_fresh && self.is_first(&expected, over_secs, now_secs) {
            true => Ok(()),
            false => Err(Unproven::Stale),
        }
    }

    /// Whether an answer was not taken before; it is now.
    fn is_first(&self, answer: &str, over_secs: u64, now_secs: u64) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= MOST_TAKEN {
            taken.retain(|_, over_secs| *over_secs > now_secs);
        }
        let digest: [u8; 32] = Sha256::digest(answer.as_bytes()).into();
        taken.len() < MOST_TAKEN && taken.insert(digest, over_secs).is_none()
    }

    fn nonce(&self, now_secs: u64) -> String {
        let time = format!("{now_secs:0TIME_DIGITS$x}");
        let proof = self.proof(&time);
        time + &proof
    }

    /// When a nonce was made; `None` where it was not made here.
    fn made_secs(&self, nonce: &str) -> Option<u64> {
        let (time, proof) = nonce.split_at_checked(TIME_DIGITS)?;
        let is_ours = is_same(&self.proof(time), proof);
        is_ours
            .then(|| u64::from_str_radix(time, 16).ok())
            .flatten()
    }

    /// HMAC-SHA256, its first half.
    fn proof(&self, time: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_ref()) else {
            // Every key fits.
            return String::new();
        };
        mac.update(time.as_bytes());
        let digits = mac.finalize().into_bytes();
        let digits = digits.iter().map(|byte| format!("{byte:02x}"));
        let mut proof = digits.collect::<String>();
        proof.truncate(PROOF_DIGITS);
        proof
    }
}

/// What the other side says to a challenge, as far as it is asked for.
struct Answer<'a> {
    username: &'a str,
    realm: &'a str,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    /// `nc` and `cnonce` where `qop=auth` is said.
    counted: Option<(&'a str, &'a str)>,
}

impl<'a> Answer<'a> {
    fn read(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST_BYTES {
            return None;
        }
        let (scheme, parameters) = text.trim().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let parameters = parameters_of(parameters)?;
        let find = |name: &str| {
            let mut all = parameters.iter();
            let found = all.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| *value)
        };
        let algorithm = find("algorithm");
        if algorithm.is_some_and(|algorithm| !algorithm.eq_ignore_ascii_case("md5")) {
            return None;
        }
        let counted = match find("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some((find("nc")?, find("cnonce")?)),
            Some(_) => return None,
        };
        Some(Self {
            username: find("username")?,
            realm: find("realm")?,
            nonce: find("nonce")?,
            uri: find("uri")?,
            response: find("response")?,
            counted,
        })
    }

    /// The response that somebody with this password gives (RFC 2617, section 3.2.2.1). With `qop` there stand count, client's
    /// nonce and `auth` behind the nonce: they are hashed as if they were part of it, as they came.
    fn expected(&self, password: &str, method: Method) -> String {
        let nonce = match self.counted {
            Some((count, cnonce)) => format!("{}:{count}:{cnonce}:auth", self.nonce),
            None => self.nonce.to_owned(),
        };
        compute_digest(
            self.username,
            password,
            self.realm,
            &nonce,
            &method,
            self.uri,
            Algorithm::Md5,
            None,
        )
    }
}

/// Names and values, without quotes. Backslashes within quotes are not undone: no name, realm or nonce here has any. `None`
/// where it is no such list.
fn parameters_of(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let end = behind.find(',').unwrap_or(behind.len());
                behind.split_at_checked(end)?
            }
        };
        all.push((name.trim(), value.trim()));
        rest = behind.trim_start();
        if !rest.is_empty() {
            rest = rest.strip_prefix(',')?.trim_start();
        }
    }
    Some(all)
}

/// How long it takes says nothing of where they differ. Digits may be large letters.
fn is_same(expected: &str, got: &str) -> bool {
    let pairs = expected.bytes().zip(got.bytes());
    let differing = pairs.fold(0, |differing, (one, other)| {
        differing | (one ^ other.to_ascii_lowercase())
    });
    expected.len() == got.len() && differing == 0 && !expected.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_SECS: u64 = 1_795_373_719;

    fn guard() -> Guard {
        let password = Zeroizing::new("open sesame".to_owned());
        let users = SipUsers {
            passwords: HashMap::from([("recorder".to_owned(), password)]),
        };
        Guard::new(users, "auricle").unwrap()
    }

    /// What somebody with this name and password sends who got a challenge then.
    fn answer(guard: &Guard, name: &str, password: &str, count: &str, then_secs: u64) -> String {
        let nonce = guard.nonce(then_secs);
        let answer = Answer {
            username: name,
            realm: "auricle",
            nonce: &nonce,
            uri: "sip:auricle@192.0.2.1;transport=tcp",
            response: "",
            counted: Some((count, "0a4f")),
        };
        let response = answer.expected(password, Method::Invite);
        format!(
            "Digest username=\"{name}\", realm=\"auricle\",nonce=\"{nonce}\", uri=\"{}\", response=\"{response}\", algorithm=MD5, cnonce=\"0a4f\", qop=auth, nc={count}",
            answer.uri
        )
    }

    #[test]
    fn whoever_knows_the_password_is_let_in_once_with_each_answer() {
        let guard = guard();
        let verify = |text: &str, now_secs| guard.verify(Some(text), Method::Invite, now_secs);
        let first = answer(&guard, "recorder", "open sesame", "00000001", NOW_SECS);
        assert_eq!(verify(&first, NOW_SECS), Ok(()));
        assert_eq!(verify(&first, NOW_SECS + 1), Err(Unproven::Stale));
        // The same challenge serves for more calls.
        let second = answer(&guard, "recorder", "open sesame", "0000000a", NOW_SECS);
        assert_eq!(verify(&second, NOW_SECS + 299), Ok(()));
        let late = answer(&guard, "recorder", "open sesame", "0000000b", NOW_SECS);
        assert_eq!(verify(&late, NOW_SECS + 300), Err(Unproven::Stale));
        let bye = guard.verify(Some(&late), Method::Bye, NOW_SECS);
        assert_eq!(bye, Err(Unproven::Wrong));
    }

    #[test]
    fn others_are_not() {
        let guard = guard();
        let verify = |text: &str| guard.verify(Some(text), Method::Invite, NOW_SECS);
        for (name, password) in [
            ("recorder", "open"),
            ("recorder", ""),
            ("somebody", "open sesame"),
            ("somebody", ""),
        ] {
            let told = verify(&answer(&guard, name, password, "00000001", NOW_SECS));
            assert_eq!(told, Err(Unproven::Wrong), "{name} {password}");
        }
        let good = answer(&guard, "recorder", "open sesame", "00000001", NOW_SECS);
        let others = self::guard();
        let elsewhere = others.verify(Some(&good), Method::Invite, NOW_SECS);
        assert_eq!(elsewhere, Err(Unproven::Missing));
        assert_eq!(
            guard.verify(None, Method::Invite, NOW_SECS),
            Err(Unproven::Missing)
        );
        for text in [
            String::new(),
            "Digest".to_owned(),
            "Digest ,,,".to_owned(),
            good.replace("Digest", "Basic"),
            good.replace("MD5", "SHA-512-256"),
            good.replace("qop=auth", "qop=auth-int"),
            good.replace("nonce=\"", "nonce=\"ä"),
            good.replace("uri=\"", "url=\""),
            format!("{good}, x=\"{}\"", "x".repeat(LONGEST_BYTES)),
        ] {
            assert_eq!(verify(&text), Err(Unproven::Missing), "{text}");
        }
    }

    /// `md5sum` of `md5(recorder:auricle:open sesame):abc:00000001:0a4f:auth:md5(INVITE:sip:a@b)`.
    #[test]
    fn responses_are_what_others_make_of_it() {
        let text = "Digest username=\"recorder\", realm=\"auricle\", nonce=\"abc\", uri=\"sip:a@b\", \
            qop=auth, nc=00000001, cnonce=\"0a4f\", response=\"\", opaque=\"x, y\"";
        let answer = Answer::read(text).unwrap();
        assert_eq!(answer.counted, Some(("00000001", "0a4f")));
        assert_eq!(
            answer.expected("open sesame", Method::Invite),
            "fc49a91d497f845cf1f2f563e0bde839"
        );
    }

    #[test]
    fn challenges_say_what_is_asked_for() {
        let guard = guard();
        let told = guard.challenge(Unproven::Stale, NOW_SECS);
        assert!(
            told.starts_with("Digest realm=\"auricle\", nonce=\""),
            "{told}"
        );
        assert!(
            told.ends_with("algorithm=MD5, qop=\"auth\", stale=true"),
            "{told}"
        );
        let told = guard.challenge(Unproven::Missing, NOW_SECS);
        assert!(!told.contains("stale"), "{told}");
    }

    #[test]
    fn answers_are_forgotten_when_they_count_no_more() {
        let guard = guard();
        for number in 0..MOST_TAKEN {
            assert!(guard.is_first(&number.to_string(), NOW_SECS + 300, NOW_SECS));
        }
        assert!(!guard.is_first("one more", NOW_SECS + 300, NOW_SECS));
        assert!(guard.is_first("one more", NOW_SECS + 600, NOW_SECS + 300));
    }
}

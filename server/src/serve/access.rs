//! Who may do what: keys with roles, of which only digests are kept.

use std::net::IpAddr;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::exit::usage;

/// What a key is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Watches live calls; reads calls.
    Supervisor,
    /// Searches and reads calls.
    Inspector,
    /// Programs: everything that supervisors and inspectors may, audio in, figures.
    Integrator,
    /// Captures packets of calls, in which nothing is masked; everything that supervisors and inspectors may.
    Support,
}

impl Role {
    /// Whether a key of this role may do what `needed` may.
    const fn covers(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Integrator, Self::Integrator)
            | (Self::Support, Self::Support)
            | (_, Self::Inspector)
            | (Self::Integrator | Self::Support | Self::Supervisor, Self::Supervisor) => true,
            (_, Self::Integrator | Self::Support) | (Self::Inspector, Self::Supervisor) => false,
        }
    }

    /// The name used in the configuration.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Supervisor => "supervisor",
            Self::Inspector => "inspector",
            Self::Integrator => "integrator",
            Self::Support => "support",
        }
    }
}

/// `[[live.keys]]`: a key that is let in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyConfig {
    /// Whose it is.
    #[schemars(example = &"wallboard")]
    pub(crate) name: String,
    /// What it may do.
    #[schemars(example = &"supervisor")]
    pub(crate) role: Role,
    /// SHA-256 of the key, hexadecimal, as `auricle api-key` prints it.
    #[schemars(example = &"0000000000000000000000000000000000000000000000000000000000000000")]
    pub(crate) sha256: String,
}

/// A request was not let in.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It came without a key.
    #[error(
        "a key is needed\nhint: send `Authorization: Bearer KEY`; `auricle api-key` makes keys"
    )]
    NoKey,
    /// Nobody has this key.
    #[error("the key is not known")]
    WrongKey,
    /// The key may do other things.
    #[error("the key is for `{has}`; this needs `{needed}`")]
    WrongRole {
        /// Its role.
        has: &'static str,
        /// What was needed.
        needed: &'static str,
    },
    /// A page of another site asks in somebody's browser.
    #[error(
        "this address is open to this machine only, under its own name\nhint: ask for http://127.0.0.1, or configure `live.keys`"
    )]
    WrongHost,
}

/// What a request says of who asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asker<'r> {
    /// Headers of these names.
    pub(crate) host: Option<&'r str>,
    pub(crate) origin: Option<&'r str>,
    pub(crate) authorization: Option<&'r str>,
    /// Of the address.
    pub(crate) query: &'r str,
}

/// Who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Name of the key.
    pub(crate) name: String,
}

/// The name of whoever needs no key.
const THIS_MACHINE: &str = "local";

/// The keys that are known; without any, this machine alone is let in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    keys: Vec<Key>,
}

#[derive(Clone, Debug)]
struct Key {
    name: String,
    role: Role,
    digest: [u8; 32],
}

impl Access {
    /// What the configuration says, for an address that is listened on.
    ///
    /// # Errors
    /// When a digest is none, or others could get in without a key.
    pub(crate) fn new(keys: &[KeyConfig], address: IpAddr) -> Result<Self> {
        if keys.is_empty() && !address.is_loopback() {
            return Err(usage(format!(
                "`live.listen` is `{address}`, which others can reach, and there are no keys\nhint: `auricle api-key --role supervisor NAME` makes one for `[[live.keys]]`, or listen on 127.0.0.1"
            )));
        }
        let keys = keys.iter().map(|key| {
            let digest = digest_of(&key.sha256).ok_or_else(|| {
                let name = &key.name;
                usage(format!(
                    "`live.keys`, `{name}`: `sha256` must be 64 hexadecimal digits"
                ))
            })?;
            Ok(Key {
                name: key.name.clone(),
                role: key.role,
                digest,
            })
        });
        Ok(Self {
            keys: keys.collect::<Result<_>>()?,
        })
    }

    /// Lets a request in, or says why not. The key is the bearer of `authorization`, or `key=` of the query, for
    /// browsers can send no headers with a WebSocket.
    pub(crate) fn admit(&self, needed: Role, from: Asker<'_>) -> Result<Caller, Refusal> {
        if self.keys.is_empty() {
            // Any page in a browser of this machine may ask: under a name that somebody pointed to this machine, or, with a
            // WebSocket, under its own.
            let is_own_page = |origin: &str| {
                let host = origin.split_once("://").map(|(_, host)| host);
                host.is_some_and(is_this_machine)
            };
            return match from.host.is_none_or(is_this_machine)
                && from.origin.is_none_or(is_own_page)
            {
                true => Ok(Caller {
                    name: THIS_MACHINE.to_owned(),
                }),
                false => Err(Refusal::WrongHost),
            };
        }
        let in_query = || {
            from.query
                .split('&')
                .find_map(|pair| pair.strip_prefix("key="))
        };
        let bearer = from.authorization.and_then(|text| {
            let (scheme, key) = text.split_once(' ')?;
            let is_known = ["bearer", "token"].contains(&scheme.to_ascii_lowercase().as_str());
            is_known.then_some(key.trim())
        });
        let key = bearer.or_else(in_query).ok_or(Refusal::NoKey)?;
        // Digests are compared: how long that takes says nothing of the keys.
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let known = self.keys.iter().find(|known| known.digest == digest);
        let known = known.ok_or(Refusal::WrongKey)?;
        match known.role.covers(needed) {
            true => Ok(Caller {
                name: known.name.clone(),
            }),
            false => Err(Refusal::WrongRole {
                has: known.role.as_str(),
                needed: needed.as_str(),
            }),
        }
    }
}

/// Whether a `Host` header names this machine as such.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is_loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_loopback || name.eq_ignore_ascii_case("localhost")
}

fn digest_of(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut digest = [0; 32];
    for (place, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn sha256(key: &str) -> String {
        let digest = Sha256::digest(key.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn access(role: Role) -> Access {
        let key = KeyConfig {
            name: "wang".into(),
            role,
            sha256: sha256("secret"),
        };
        Access::new(&[key], "0.0.0.0".parse().unwrap()).unwrap()
    }

    #[test]
    fn keys_open_what_their_role_may() {
        use Role::{Inspector, Integrator, Supervisor, Support};
        let asker = Asker {
            authorization: Some("Bearer secret"),
            ..Asker::default()
        };
        let check = |has: Role, needed: Role, is_let_in: bool| {
            let admitted = access(has).admit(needed, asker);
            assert_eq!(admitted.is_ok(), is_let_in, "{has:?} {needed:?}");
        };
        for needed in [Supervisor, Inspector, Integrator] {
            check(Integrator, needed, true);
        }
        check(Supervisor, Supervisor, true);
        check(Supervisor, Inspector, true);
        check(Supervisor, Integrator, false);
        check(Inspector, Inspector, true);
        check(Inspector, Supervisor, false);
        check(Inspector, Integrator, false);
        for needed in [Supervisor, Inspector, Support] {
            check(Support, needed, true);
        }
        check(Support, Integrator, false);
        for has in [Integrator, Supervisor, Inspector] {
            check(has, Support, false);
        }
    }

    #[test]
    fn keys_come_in_a_header_or_a_query() {
        let access = access(Role::Integrator);
        let admit = |authorization: Option<&str>, query: &str| {
            let asker = Asker {
                host: Some("elsewhere"),
                origin: Some("http://elsewhere"),
                authorization,
                query,
            };
            access.admit(Role::Inspector, asker)
        };
        let wang = || {
            Ok(Caller {
                name: "wang".into(),
            })
        };
        assert_eq!(admit(Some("Bearer secret"), ""), wang());
        assert_eq!(admit(Some("Token secret"), ""), wang());
        assert_eq!(admit(None, "after=3&key=secret"), wang());
        assert_eq!(admit(None, ""), Err(Refusal::NoKey));
        assert_eq!(admit(Some("Basic secret"), ""), Err(Refusal::NoKey));
        assert_eq!(admit(Some("Bearer other"), ""), Err(Refusal::WrongKey));
    }

    #[test]
    fn without_keys_this_machine_alone_is_let_in() {
        let open = Access::new(&[], LOOPBACK).unwrap();
        let check = |host: Option<&str>, origin: Option<&str>, expected: Result<(), Refusal>| {
            let asker = Asker {
                host,
                origin,
                ..Asker::default()
            };
            let admitted = open.admit(Role::Integrator, asker);
            assert_eq!(admitted.map(drop), expected, "{host:?} {origin:?}");
        };
        let own = [
            "127.0.0.1:8020",
            "localhost:8020",
            "[::1]:8020",
            "LOCALHOST",
        ];
        for host in own {
            check(Some(host), None, Ok(()));
            check(Some(host), Some(&format!("http://{host}")), Ok(()));
        }
        check(None, None, Ok(()));
        check(Some("evil.example:8020"), None, Err(Refusal::WrongHost));
        check(
            Some("127.0.0.1.evil.example"),
            None,
            Err(Refusal::WrongHost),
        );
        for origin in [
            "http://evil.example",
            "https://localhost.evil.example",
            "null",
            "",
        ] {
            check(Some(own[0]), Some(origin), Err(Refusal::WrongHost));
        }
        let error = Access::new(&[], "0.0.0.0".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("no keys"), "{error}");
    }

    #[test]
    fn digests_are_checked() {
        let key = |sha256: &str| KeyConfig {
            name: "wang".into(),
            role: Role::Inspector,
            sha256: sha256.into(),
        };
        for wrong in ["", "abc", &"g".repeat(64), &"é".repeat(32)] {
            let error = Access::new(&[key(wrong)], LOOPBACK)
                .unwrap_err()
                .to_string();
            assert!(error.contains("64 hexadecimal digits"), "{error}");
        }
    }
}

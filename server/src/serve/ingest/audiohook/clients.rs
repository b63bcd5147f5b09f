//! `[live.audiohook]`: who may bring audio of Genesys Cloud, told by signatures.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use auricle_wire::audiohook::{
    AudioHookHandshake, AudioHookNonces, AudioHookRefusal, AudioHookRequest, AudioHookSecret,
};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock;
use crate::config::{Config, beside};
use crate::exit::usage;
use crate::serve::ingest::not_taken::cause_and_hint;
use crate::text_file::read_text;

/// Letters of the shortest secret, 16 bytes in base64: shorter ones can be guessed.
const SHORTEST_SECRET: usize = 24;
/// Handshakes that are kept for less than a minute each, so that none is taken twice: more calls than one machine hears begin
/// in that time. Some 200 bytes each.
const MOST_NONCES: usize = 20_000;

/// `[live.audiohook]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AudioHookConfig {
    /// Integrations that may connect; without any, nobody may.
    pub(crate) clients: Vec<ClientConfig>,
}

/// `[[live.audiohook.clients]]`: an integration that may connect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientConfig {
    /// API key of the integration in Genesys Cloud.
    #[schemars(example = &"auricle")]
    key: String,
    /// File with its client secret in base64; relative to the folder of this file.
    #[schemars(example = &"audiohook-secret")]
    secret_file: PathBuf,
}

impl ClientConfig {
    fn secret(&self, config: &Config) -> Result<AudioHookSecret> {
        if self.key.is_empty() {
            return Err(self.wrong("`key` is empty"));
        }
        let path = beside(config, &self.secret_file);
        let text = read_text(&path).map(Zeroizing::new).map_err(|cause| {
            self.wrong(&format!("`secret_file`, `{}`: {cause}", path.display()))
        })?;
        let is_long = text.trim().len() >= SHORTEST_SECRET;
        let secret = AudioHookSecret::from_base64(&text).filter(|_| is_long);
        secret.ok_or_else(|| {
            self.wrong(
                "`secret_file` must hold 16 bytes and more in base64\nhint: `openssl rand -base64 32` makes some",
            )
        })
    }

    fn wrong(&self, what: &str) -> anyhow::Error {
        usage(format!("`live.audiohook.clients`, `{}`: {what}", self.key))
    }
}

/// Who may connect.
pub(crate) struct Clients {
    /// By digests of keys: how long it takes to find one says nothing of the keys.
    secrets: HashMap<[u8; 32], AudioHookSecret>,
    nonces: Mutex<AudioHookNonces>,
    /// The second in which a refusal was told last.
    told_secs: AtomicU64,
}

impl Clients {
    /// Reads the secrets.
    ///
    /// # Errors
    /// Names the client and what is wrong with it.
    pub(crate) fn read(config: &Config) -> Result<Self> {
        let mut secrets = HashMap::new();
        for client in &config.live.audiohook.clients {
            let secret = client.secret(config)?;
            if secrets.insert(digest(&client.key), secret).is_some() {
                return Err(client.wrong("another one has this key"));
            }
        }
        Ok(Self {
            secrets,
            nonces: Mutex::new(AudioHookNonces::new(MOST_NONCES)),
            told_secs: AtomicU64::new(0),
        })
    }

    /// Lets a handshake in that is signed by a client, and was not seen before.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) fn admit(
        &self,
        handshake: &AudioHookHandshake<'_>,
    ) -> Result<AudioHookRequest, AudioHookRefusal> {
        let request = handshake.request()?;
        let secret_of = |key: &str| self.secrets.get(&digest(key));
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        handshake.verify(secret_of, now_secs(), &mut nonces)?;
        Ok(request)
    }

    /// Logs why a handshake is refused, one a second: anybody can send them.
    pub(crate) fn tell(&self, refusal: &AudioHookRefusal) {
        let now_secs = now_secs();
        if self.told_secs.swap(now_secs, Ordering::Relaxed) == now_secs {
            return;
        }
        let message = refusal.to_string();
        let (cause, hint) = cause_and_hint(&message);
        tracing::warn!(hint, "audiohook: a handshake is refused: {cause}");
    }
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Since 1970.
fn now_secs() -> u64 {
    clock::unix_ms() / 1_000
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Overrides;

    const CLIENT: &str = "[[live.audiohook.clients]]\nkey = 'auricle'\nsecret_file = 'secret'\n";

    /// What is wrong with a configuration, and a file `secret` beside it.
    fn mistake(text: &str, secret: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auricle.toml");
        fs::write(&path, text).unwrap();
        fs::write(folder.path().join("secret"), secret).unwrap();
        let config = Config::load(&Overrides {
            config: Some(path),
            ..Overrides::default()
        });
        let read = Clients::read(&config.unwrap());
        read.err().map(|error| error.to_string())
    }

    #[test]
    fn mistakes_are_named() {
        let good = "QXVyaWNsZVRlc3RTZWNyZXRPZjMyQnl0ZXNMb25nISE=\n";
        assert_eq!(mistake("", good), None);
        assert_eq!(mistake(CLIENT, good), None);
        let check = |text: &str, secret: &str, expected: &str| {
            let told = mistake(text, secret).unwrap();
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("abcdef"), "{told}");
        };
        check(
            &format!("{CLIENT}{CLIENT}"),
            good,
            "another one has this key",
        );
        check(CLIENT, "abcdef==", "must hold 16 bytes");
        check(
            CLIENT,
            "abcdef! abcdef! abcdef! abcdef!",
            "must hold 16 bytes",
        );
        check(
            &CLIENT.replace("'secret'", "'nothing'"),
            good,
            "cannot be read",
        );
        check(&CLIENT.replace("'auricle'", "''"), good, "`key` is empty");
    }
}

//! What SIP has before anything else is loaded: a mistake in it is told at once.

use std::path::Path;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use auricle_media::{Media, MediaSettings};
use tokio::runtime::Handle;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::config::SipConfig;
use super::digest::SipUsers;
use super::listen::{Bound, tls_acceptor};
use crate::config::{Config, beside};
use crate::exit::usage;
use crate::text_file::read_at_most;

/// What the system keeps for each stream until it is read: some seconds.
const RECEIVE_BUFFER_BYTES: usize = 256 << 10;
/// The longest certificate chain or key that is read.
const LONGEST_PEM: usize = 1 << 20;

/// What SIP has before anything else is loaded: passwords, certificates, sockets, ports.
pub(crate) struct SipDoors {
    pub(super) config: SipConfig,
    pub(super) secrets: SipSecrets,
    pub(super) sockets: Vec<Bound>,
    pub(super) media: Media,
}

/// What lies in files of its own.
pub(crate) struct SipSecrets {
    pub(super) users: SipUsers,
    pub(super) tls: Option<TlsAcceptor>,
}

impl SipSecrets {
    /// Reads passwords and certificates.
    ///
    /// # Errors
    /// Names what is wrong, and nothing of what is secret.
    pub(crate) fn read(config: &Config) -> Result<Self> {
        let sip = &config.live.sip;
        let users = SipUsers::read(config)?;
        let read = |key: &str, path: Option<&Path>| {
            let Some(path) = path else {
                return Ok(None);
            };
            let path = beside(config, path);
            let bytes = read_at_most(&path, LONGEST_PEM)
                .map_err(|cause| usage(format!("`live.sip.{key}`, `{}`: {cause}", path.display())));
            bytes.map(Zeroizing::new).map(Some)
        };
        let certificates = read("certificate_file", sip.certificate_file.as_deref())?;
        let key = read("key_file", sip.key_file.as_deref())?;
        let both = certificates.zip(key);
        let tls = both.map(|(certificates, key)| tls_acceptor(&certificates, &key));
        Ok(Self {
            users,
            tls: tls.transpose()?,
        })
    }
}

impl SipDoors {
    /// Opens what is configured; `None` where SIP is off.
    ///
    /// # Errors
    /// Names what is wrong with the configuration or its files, or the socket that cannot be opened.
    pub(crate) fn open(config: &Config, runtime: &Handle) -> Result<Option<Self>> {
        let secrets = SipSecrets::read(config)?;
        let config = config.live.sip.clone();
        if !config.is_on() {
            return Ok(None);
        }
        let mut sockets = Vec::new();
        for door in config.doors()? {
            sockets.push(runtime.block_on(Bound::open(door))?);
        }
        let n_processors = available_parallelism().map_or(1, usize::from);
        let media = Media::start(&MediaSettings {
            address: config.rtp_address,
            ports: config.ports(),
            n_workers: config.n_workers(n_processors),
            receive_buffer_bytes: RECEIVE_BUFFER_BYTES,
        });
        Ok(Some(Self {
            media: media.context("audio over RTP cannot be received")?,
            config,
            secrets,
            sockets,
        }))
    }
}

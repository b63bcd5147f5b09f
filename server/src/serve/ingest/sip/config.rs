//! `[live.sip]`: where SIP is served, who may call, and what is taken of what is offered.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::Result;
use auricle_wire::sdp::CodecKind;
use auricle_wire::siprec::{self, AddressPattern, PartyRules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::{Door, Network, Protocol};
use crate::exit::usage;

/// Ports for audio where nothing else is said: what most equipment takes, too.
const RTP_PORTS: RangeInclusive<u16> = 16_384..=32_767;

/// `[live.sip]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SipConfig {
    /// Protocols, addresses and ports; without any, SIP is off. Port 0 takes a free one.
    #[schemars(example = [&"udp:0.0.0.0:5060", &"tcp:0.0.0.0:5060", &"tls:0.0.0.0:5061"])]
    pub(crate) listen: Vec<String>,
    /// IP address that the other side is told, for signalling and audio, where it is another than this machine's own.
    #[schemars(example = &"203.0.113.5")]
    pub(crate) advertised_address: Option<IpAddr>,
    /// File with the certificate chain for TLS, PEM; relative to the folder of this file.
    #[schemars(example = &"sip-certificate.pem")]
    pub(crate) certificate_file: Option<PathBuf>,
    /// File with its private key, PEM; relative to the folder of this file.
    #[schemars(example = &"sip-key.pem")]
    pub(crate) key_file: Option<PathBuf>,
    /// Addresses and networks that may call without a password; what others send is dropped without an answer. Without any,
    /// this machine alone, unless there are `users`.
    #[schemars(example = [&"10.0.0.0/8", &"192.0.2.7"])]
    pub(crate) allow: Vec<String>,
    /// Who may call with a password from elsewhere.
    pub(crate) users: Vec<SipUserConfig>,
    /// What passwords are for, as the other side is told.
    pub(crate) realm: String,
    /// IP address that audio comes to.
    pub(crate) rtp_address: IpAddr,
    /// Ports that audio comes to: two for each stream.
    #[schemars(example = &"16384-32767")]
    pub(crate) rtp_ports: String,
    /// Threads that receive audio; 0 for one on each two processors.
    #[schemars(range(min = 0, max = 64))]
    pub(crate) rtp_workers: usize,
    /// Where a stream's audio may come from.
    pub(crate) rtp_source: RtpSource,
    /// Codecs that are taken, the best first.
    pub(crate) codecs: Vec<SipCodec>,
    /// Encrypted audio, with keys in the session description.
    pub(crate) srtp: SrtpWanted,
    /// Addresses of agents: `8001`, `8*`, `@agents.example.com`, `8*@example.com`.
    #[schemars(example = [&"8*", &"@agents.example.com"])]
    pub(crate) agents: Vec<String>,
    /// Who is on the first stream where neither addresses nor metadata tell.
    pub(crate) first_stream: FirstParty,
    /// Both sides say so often that a call goes on, where the other side can.
    #[schemars(range(min = 90, max = 86_400))]
    pub(crate) session_secs: u64,
    /// Calls that may begin in a second; more are refused for a while.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) most_set_ups_per_sec: u32,
}

/// `[[live.sip.users]]`: who may call with a password.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SipUserConfig {
    /// The name that comes with the password.
    #[schemars(example = &"recorder")]
    pub(crate) name: String,
    /// File with the password; relative to the folder of this file.
    #[schemars(example = &"sip-password")]
    pub(crate) password_file: PathBuf,
}

/// Where a stream's audio may come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RtpSource {
    /// The address of the session description, any port.
    Signalled,
    /// The address of the session description; while nothing comes from there, the first that two packets in a row come from.
    #[default]
    First,
    /// Everywhere.
    Any,
}

/// Encrypted audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SrtpWanted {
    /// Never: streams that are only offered encrypted are refused.
    Off,
    /// Where it is offered.
    #[default]
    Offered,
    /// Always: streams that are offered in the clear are refused.
    Required,
}

/// A codec of speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SipCodec {
    /// G.711, A-law.
    Pcma,
    /// G.711, µ-law.
    Pcmu,
    /// G.722, 16 kHz.
    G722,
    /// Samples as they are.
    L16,
    /// Opus (RFC 6716).
    Opus,
}

/// Whose stream comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FirstParty {
    /// The customer's.
    #[default]
    Customer,
    /// The agent's.
    Agent,
}

impl Default for SipConfig {
    fn default() -> Self {
        let ports = RTP_PORTS;
        Self {
            listen: Vec::new(),
            advertised_address: None,
            certificate_file: None,
            key_file: None,
            allow: Vec::new(),
            users: Vec::new(),
            realm: "auricle".to_owned(),
            rtp_address: IpAddr::from([0, 0, 0, 0]),
            rtp_ports: format!("{}-{}", ports.start(), ports.end()),
            rtp_workers: 0,
            rtp_source: RtpSource::default(),
            codecs: vec![
                SipCodec::Pcma,
                SipCodec::Pcmu,
                SipCodec::G722,
                SipCodec::L16,
            ],
            srtp: SrtpWanted::default(),
            agents: Vec::new(),
            first_stream: FirstParty::default(),
            session_secs: 1_800,
            most_set_ups_per_sec: 50,
        }
    }
}

impl SipConfig {
    /// Whether SIP is served.
    pub(crate) fn is_on(&self) -> bool {
        !self.listen.is_empty()
    }

    /// What can be told without reading other files, beside the ranges of numbers.
    ///
    /// # Errors
    /// Names the key, what is wrong with it, and what it is.
    pub(crate) fn check(&self) -> Result<()> {
        let doors = self.doors()?;
        self.networks()?;
        self.read_ports()?;
        for text in &self.agents {
            AddressPattern::parse(text)
                .map_err(|cause| usage(format!("`live.sip.agents`: {cause}")))?;
        }
        if self.codecs.is_empty() {
            return Err(usage("`live.sip.codecs` must name one or more"));
        }
        if self.realm.is_empty() || self.realm.contains(is_unquotable) {
            let realm = &self.realm;
            return Err(usage(format!(
                "`live.sip.realm` must be visible ASCII without quotes, got `{realm}`"
            )));
        }
        let has_tls = doors.iter().any(|door| door.protocol == Protocol::Tls);
        let has_files = self.certificate_file.is_some() && self.key_file.is_some();
        match has_tls && !has_files {
            true => Err(usage(
                "`live.sip.listen` has `tls`, which needs `certificate_file` and `key_file`",
            )),
            false => Ok(()),
        }
    }

    /// Where to listen.
    pub(super) fn doors(&self) -> Result<Vec<Door>> {
        let doors = self.listen.iter().map(|text| {
            Door::parse(text).map_err(|cause| usage(format!("`live.sip.listen` {cause}")))
        });
        doors.collect()
    }

    /// Who may call without a password.
    pub(super) fn networks(&self) -> Result<Vec<Network>> {
        let networks = self.allow.iter().map(|text| {
            Network::parse(text).map_err(|cause| usage(format!("`live.sip.allow` {cause}")))
        });
        networks.collect()
    }

    /// How agents are known. Patterns that cannot be read were told by [`Self::check`].
    pub(super) fn party_rules(&self) -> PartyRules {
        let agents = self.agents.iter();
        PartyRules {
            agents: agents
                .filter_map(|text| AddressPattern::parse(text).ok())
                .collect(),
            first_stream: match self.first_stream {
                FirstParty::Customer => siprec::FirstStream::Customer,
                FirstParty::Agent => siprec::FirstStream::Agent,
            },
        }
    }

    /// Codecs that are taken, the best first.
    pub(super) fn codecs(&self) -> Vec<CodecKind> {
        let codecs = self.codecs.iter().map(|codec| match codec {
            SipCodec::Pcma => CodecKind::Pcma,
            SipCodec::Pcmu => CodecKind::Pcmu,
            SipCodec::G722 => CodecKind::G722,
            SipCodec::L16 => CodecKind::L16,
            SipCodec::Opus => CodecKind::Opus,
        });
        codecs.collect()
    }

    /// Ports that audio comes to. What cannot be read was told by [`Self::check`].
    pub(super) fn ports(&self) -> RangeInclusive<u16> {
        self.read_ports().unwrap_or(RTP_PORTS)
    }

    /// Threads that receive audio: one on each two of so many processors where the number is not said.
    pub(super) fn n_workers(&self, n_processors: usize) -> NonZeroUsize {
        let usual = NonZeroUsize::new(n_processors / 2).unwrap_or(NonZeroUsize::MIN);
        NonZeroUsize::new(self.rtp_workers).unwrap_or(usual)
    }

    fn read_ports(&self) -> Result<RangeInclusive<u16>> {
        let text = &self.rtp_ports;
        let range = text.split_once('-').and_then(|(first, last)| {
            let first: u16 = first.trim().parse().ok()?;
            let last: u16 = last.trim().parse().ok()?;
            // An even port and the next one (RFC 3550, section 11).
            let even = first.checked_next_multiple_of(2)?;
            (first >= 1_024 && last > even).then_some(first..=last)
        });
        range.ok_or_else(|| {
            usage(format!(
                "`live.sip.rtp_ports` must be a range of two ports and more above 1023, got `{text}`\nhint: write \"16384-32767\""
            ))
        })
    }
}

/// Whether a quoted string of a header cannot hold it as it is.
fn is_unquotable(letter: char) -> bool {
    matches!(letter, '"' | '\\') || !(letter == ' ' || letter.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SipConfig> {
        let config: SipConfig = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    #[test]
    fn nothing_said_is_off_and_good() {
        let config = read("").unwrap();
        assert_eq!(config, SipConfig::default());
        assert!(!config.is_on());
        assert_eq!(config.ports(), 16_384..=32_767);
        let codecs = [
            CodecKind::Pcma,
            CodecKind::Pcmu,
            CodecKind::G722,
            CodecKind::L16,
        ];
        assert_eq!(config.codecs(), codecs);
        assert_eq!(config.party_rules(), PartyRules::default());
        assert_eq!(config.n_workers(1).get(), 1);
        assert_eq!(config.n_workers(8).get(), 4);
    }

    #[test]
    fn all_that_can_be_said_is_read() {
        let config = read(
            "listen = ['udp:0.0.0.0:0', 'tls:[::]:5061']\ncertificate_file = 'c'\nkey_file = 'k'\n\
             allow = ['10.0.0.0/8']\nusers = [{ name = 'a', password_file = 'p' }]\n\
             rtp_ports = '20000 - 20001'\nrtp_source = 'signalled'\ncodecs = ['opus']\n\
             srtp = 'required'\nagents = ['8*']\nfirst_stream = 'agent'\nrtp_workers = 3\n",
        )
        .unwrap();
        assert!(config.is_on());
        assert_eq!(config.doors().unwrap().len(), 2);
        assert_eq!(config.ports(), 20_000..=20_001);
        assert_eq!(config.codecs(), [CodecKind::Opus]);
        assert_eq!(config.srtp, SrtpWanted::Required);
        assert_eq!(config.rtp_source, RtpSource::Signalled);
        let rules = config.party_rules();
        assert_eq!(rules.agents.len(), 1);
        assert_eq!(rules.first_stream, siprec::FirstStream::Agent);
        assert_eq!(config.n_workers(8).get(), 3);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("listen = ['udp:5060']", "`live.sip.listen` must be"),
            ("listen = ['tls:0.0.0.0:5061']", "needs `certificate_file`"),
            ("allow = ['10.0.0.0/33']", "`live.sip.allow` must be"),
            ("rtp_ports = '5'", "got `5`"),
            ("rtp_ports = '2001-2002'", "got `2001-2002`"),
            ("rtp_ports = '80-90'", "got `80-90`"),
            ("rtp_ports = '3000-2000'", "got `3000-2000`"),
            ("agents = ['*']", "`live.sip.agents`"),
            ("codecs = []", "`live.sip.codecs`"),
            ("codecs = ['mp3']", "mp3"),
            ("realm = 'a\"b'", "`live.sip.realm`"),
            ("realm = ''", "`live.sip.realm`"),
            ("ports = '1-2'", "ports"),
        ] {
            let told = read(text).unwrap_err().to_string();
            assert!(told.contains(expected), "{text}: {told}");
        }
    }
}

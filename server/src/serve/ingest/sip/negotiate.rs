//! What is taken of an offer, and what is answered (RFC 3264). Nothing here has sockets or random bytes of its own.

use std::net::{IpAddr, SocketAddr};

use auricle_media::{AudioFormat, LegAgreed, SrtpKey, SrtpKeys, SrtpSuite};
use auricle_rtp::Source;
use auricle_wire::sdp::{
    Accepted, Answer, AnswerError, Chosen, Codec, CodecKind, Crypto, CryptoSuite, Format,
    MasterKey, Media, MediaKind, Origin, OwnKey, Profile, RtcpPort, SessionDescription, Text,
};
use smallvec::SmallVec;
use thiserror::Error;
use zeroize::Zeroizing;

use super::config::{RtpSource, SrtpWanted};

/// Suites that are taken; which of them is for the other side's order to say.
const SUITES: [CryptoSuite; 6] = [
    CryptoSuite::AeadAes256Gcm,
    CryptoSuite::AeadAes128Gcm,
    CryptoSuite::Aes256CmHmacSha1_80,
    CryptoSuite::Aes256CmHmacSha1_32,
    CryptoSuite::AesCm128HmacSha1_80,
    CryptoSuite::AesCm128HmacSha1_32,
];
/// Payload types of one line that are heard: a sender may change to another of its offer without saying so.
const MOST_FORMATS: usize = 8;
/// Samples a second of a leg of G.711, and of one whose codec carries more.
const NARROW_HZ: u32 = 8_000;
const WIDE_HZ: u32 = 16_000;

/// Fills bytes that nobody can guess; `false` where there are none.
pub(super) type Random = fn(&mut [u8]) -> bool;

/// What is taken of offers.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    pub(super) codecs: Vec<CodecKind>,
    pub(super) srtp: SrtpWanted,
    pub(super) source: RtpSource,
}

/// An audio line of an offer.
#[derive(Clone, Debug)]
pub(super) struct AudioLine<'o> {
    /// Its place among all media of the offer, from 0.
    pub(super) media_idx: usize,
    /// Its name in the metadata of a recording.
    pub(super) label: Option<&'o str>,
    /// Whether it can be heard, or why not.
    pub(super) heard: Result<Hearable<'o>, Unheard>,
}

/// An audio line of an offer that can be heard.
#[derive(Clone, Debug)]
pub(super) struct Hearable<'o> {
    /// Its place among all media of the offer, from 0.
    pub(super) media_idx: usize,
    media: &'o Media,
    chosen: Chosen,
    crypto: Option<&'o Crypto>,
}

/// Why an audio line is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Unheard {
    #[error("its port is 0")]
    Closed,
    #[error("it is neither RTP/AVP nor RTP/SAVP")]
    Profile,
    #[error("it offers none of `live.sip.codecs`")]
    Codecs,
    #[error("it is encrypted, and `live.sip.srtp` is off")]
    SrtpOff,
    #[error("it is not encrypted, and `live.sip.srtp` is required")]
    SrtpRequired,
    #[error("it has no `a=crypto` of a suite that is known here")]
    Suites,
}

/// What one line has of ours: it stays as long as its call.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) rtp_port: u16,
    pub(super) rtcp_port: u16,
    /// The other side's key, and ours that was made for it.
    keys: Option<(MasterKey, MasterKey)>,
}

/// Answers of one dialog.
pub(super) struct Answers {
    session_id: u64,
    version: u64,
    last: Option<Answered>,
}

struct Answered {
    offer: Option<Origin>,
    /// It may hold our keys.
    text: Zeroizing<String>,
}

/// The audio lines of an offer.
pub(super) fn audio_lines<'o>(
    offer: &'o SessionDescription,
    wishes: &Wishes,
) -> Vec<AudioLine<'o>> {
    let media = offer.media.iter().enumerate();
    let audio = media.filter(|(_, media)| media.kind == MediaKind::Audio);
    audio
        .map(|(media_idx, media)| AudioLine {
            media_idx,
            label: media.label.as_ref().map(Text::as_str),
            heard: Hearable::of(media_idx, media, wishes),
        })
        .collect()
}

/// Samples a second of the legs of a call with these lines: all have one rate.
pub(super) fn leg_hz<'l, 'o: 'l>(mut lines: impl Iterator<Item = &'l Hearable<'o>>) -> u32 {
    let is_wide = |line: &Hearable<'_>| match line.chosen.format.codec {
        Codec::G722 | Codec::Opus => true,
        Codec::L16 { rate_hz, .. } => rate_hz > NARROW_HZ,
        _ => false,
    };
    match lines.any(is_wide) {
        true => WIDE_HZ,
        false => NARROW_HZ,
    }
}

impl<'o> Hearable<'o> {
    fn of(media_idx: usize, media: &'o Media, wishes: &Wishes) -> Result<Self, Unheard> {
        if media.port == 0 {
            return Err(Unheard::Closed);
        }
        if media.profile == Profile::Other {
            return Err(Unheard::Profile);
        }
        let is_secure = media.profile.is_secure();
        let crypto = match (wishes.srtp, is_secure) {
            (SrtpWanted::Off, true) => return Err(Unheard::SrtpOff),
            (SrtpWanted::Required, false) => return Err(Unheard::SrtpRequired),
            (_, true) => Some(media.choose_crypto(&SUITES).ok_or(Unheard::Suites)?),
            (_, false) => None,
        };
        let chosen = media.choose(&wishes.codecs).ok_or(Unheard::Codecs)?;
        Ok(Self {
            media_idx,
            media,
            chosen,
            crypto,
        })
    }

    /// Whether the other side sends nothing for now.
    pub(super) fn is_held(&self) -> bool {
        self.media.is_on_hold()
    }

    /// What is agreed on for this line: for the answer, and for whoever hears it. `None` where there are no random bytes for a
    /// key.
    pub(super) fn agree(
        &self,
        wishes: &Wishes,
        own: &mut Own,
        random: Random,
    ) -> Option<(Accepted, LegAgreed)> {
        let keys = match self.crypto {
            Some(theirs) => Some((theirs, own.key_for(&theirs.key, random)?)),
            None => None,
        };
        let (rtcp, is_muxed) = match self.media.rtcp_mux {
            true => (RtcpPort::Muxed, true),
            false => (RtcpPort::At(own.rtcp_port), false),
        };
        let srtp = match &keys {
            Some((theirs, ours)) => Some(SrtpKeys {
                theirs: srtp_key(&theirs.key)?,
                ours: srtp_key(ours)?,
            }),
            None => None,
        };
        let accepted = Accepted {
            chosen: self.chosen.clone(),
            port: own.rtp_port,
            rtcp,
            crypto: keys.map(|(theirs, key)| OwnKey {
                tag: theirs.tag,
                key,
            }),
        };
        let payload_type = |format: &Format| format.payload_type;
        let agreed = LegAgreed {
            source: self.source(wishes.source),
            formats: self.formats(wishes),
            comfort_noise: self.chosen.comfort_noise.as_ref().map(payload_type),
            events: self.chosen.telephone_event.as_ref().map(payload_type),
            clock_hz: self.chosen.format.clock_rate_hz,
            srtp,
            rtcp_to: self.rtcp_to(),
            rtcp_muxed: is_muxed,
        };
        Some((accepted, agreed))
    }

    fn source(&self, source: RtpSource) -> Source {
        match (source, self.address()) {
            (RtpSource::Signalled, Some(address)) => Source::Given(address),
            (RtpSource::First, Some(address)) => Source::Likely(address),
            (RtpSource::Signalled | RtpSource::First, None) => Source::AnyThenLock,
            (RtpSource::Any, _) => Source::Any,
        }
    }

    /// The address that is told, which on hold may be none.
    fn address(&self) -> Option<IpAddr> {
        let address = self.media.address;
        address.filter(|address| !address.is_unspecified())
    }

    fn rtcp_to(&self) -> Option<SocketAddr> {
        let (address, port) = match self.media.rtcp_mux {
            true => (self.media.address, Some(self.media.port)),
            false => (self.media.rtcp_address, self.media.rtcp_port),
        };
        let address = address.filter(|address| !address.is_unspecified());
        address
            .zip(port)
            .map(|(address, port)| SocketAddr::new(address, port))
    }

    /// The format that was chosen, and the others of the offer that are wanted and on its clock.
    fn formats(&self, wishes: &Wishes) -> SmallVec<[(u8, AudioFormat); 4]> {
        let chosen = &self.chosen.format;
        let others = self.media.formats.iter().filter(|other| {
            let kind = other.codec.kind();
            let is_wanted = kind.is_some_and(|kind| wishes.codecs.contains(&kind));
            is_wanted
                && other.clock_rate_hz == chosen.clock_rate_hz
                && other.payload_type != chosen.payload_type
        });
        let formats = std::iter::once(chosen).chain(others);
        formats
            .filter_map(|format| Some((format.payload_type, audio_format(format.codec)?)))
            .take(MOST_FORMATS)
            .collect()
    }
}

impl Own {
    pub(super) const fn new(rtp_port: u16, rtcp_port: u16) -> Self {
        Self {
            rtp_port,
            rtcp_port,
            keys: None,
        }
    }

    /// Our key for theirs; the same as before unless theirs is another.
    fn key_for(&mut self, theirs: &MasterKey, random: Random) -> Option<MasterKey> {
        if let Some((known, ours)) = &self.keys
            && known == theirs
        {
            return Some(ours.clone());
        }
        let suite = theirs.suite();
        let mut bytes = vec![0; suite.key_bytes() + suite.salt_bytes()];
        if !random(&mut bytes) {
            return None;
        }
        let ours = MasterKey::new(suite, bytes)?;
        self.keys = Some((theirs.clone(), ours.clone()));
        Some(ours)
    }
}

impl Answers {
    /// `session_id`: of this dialog, by which the other side knows our answers.
    pub(super) const fn new(session_id: u64) -> Self {
        Self {
            session_id,
            version: 1,
            last: None,
        }
    }

    /// What was answered to this offer, where it is the last one again (RFC 3264, section 8).
    pub(super) fn to_same(&self, offer: &SessionDescription) -> Option<String> {
        let last = self.last.as_ref()?;
        let is_same = offer.origin.is_some() && offer.origin == last.offer;
        is_same.then(|| last.text.to_string())
    }

    /// The text of an answer that takes these media; others are refused. Its version is one higher where it is another text
    /// than before.
    ///
    /// # Errors
    /// What the offer does not allow.
    pub(super) fn answer(
        &mut self,
        offer: &SessionDescription,
        address: IpAddr,
        accepted: &[(usize, Accepted)],
    ) -> Result<String, AnswerError> {
        let mut text = self.text(offer, address, accepted)?;
        let is_changed = self.last.as_ref().is_some_and(|last| *last.text != text);
        if is_changed {
            self.version = self.version.saturating_add(1);
            text = self.text(offer, address, accepted)?;
        }
        self.last = Some(Answered {
            offer: offer.origin,
            text: Zeroizing::new(text.clone()),
        });
        Ok(text)
    }

    fn text(
        &self,
        offer: &SessionDescription,
        address: IpAddr,
        accepted: &[(usize, Accepted)],
    ) -> Result<String, AnswerError> {
        let origin = Origin {
            session_id: self.session_id,
            version: self.version,
        };
        let mut answer = Answer::new(offer, origin, address);
        for (media_idx, accepted) in accepted {
            answer.accept(*media_idx, accepted.clone())?;
        }
        Ok(answer.to_string())
    }
}

/// What is heard of a codec; `None` for what is no speech.
fn audio_format(codec: Codec) -> Option<AudioFormat> {
    Some(match codec {
        Codec::Pcmu => AudioFormat::Pcmu,
        Codec::Pcma => AudioFormat::Pcma,
        Codec::G722 => AudioFormat::G722,
        Codec::L16 { rate_hz, channels } => AudioFormat::L16 {
            rate_hz,
            n_channels: u8::try_from(channels).ok()?,
        },
        Codec::Opus => AudioFormat::Opus,
        Codec::TelephoneEvent | Codec::ComfortNoise | Codec::Other => return None,
    })
}

fn srtp_key(key: &MasterKey) -> Option<SrtpKey> {
    let suite = match key.suite() {
        CryptoSuite::AesCm128HmacSha1_80 => SrtpSuite::AesCm128HmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32 => SrtpSuite::AesCm128HmacSha1_32,
        CryptoSuite::AeadAes128Gcm => SrtpSuite::AeadAes128Gcm,
        CryptoSuite::AeadAes256Gcm => SrtpSuite::AeadAes256Gcm,
        CryptoSuite::Aes256CmHmacSha1_80 => SrtpSuite::AesCm256HmacSha1_80,
        CryptoSuite::Aes256CmHmacSha1_32 => SrtpSuite::AesCm256HmacSha1_32,
    };
    let bytes = Zeroizing::new([key.key(), key.salt()].concat());
    SrtpKey::new(suite, &bytes)
}

#[cfg(test)]
pub(super) mod tests;

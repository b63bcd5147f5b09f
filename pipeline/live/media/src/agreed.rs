//! What the two ends of a leg have agreed.

use std::net::SocketAddr;

use auricle_rtp::{Payload, ReceiverConfig, Source};
use smallvec::SmallVec;

use crate::format::AudioFormat;
use crate::keys::SrtpKeys;

/// What a leg hears. Where a call changes it, [`LegControl::agree`](crate::LegControl::agree) takes another.
#[derive(Clone, Debug, PartialEq)]
pub struct LegAgreed {
    /// Who may send.
    pub source: Source,
    /// Payload types of audio with what they are; several may come in one call.
    pub formats: SmallVec<[(u8, AudioFormat); 4]>,
    /// Payload type of comfort noise (RFC 3389).
    pub comfort_noise: Option<u8>,
    /// Payload type of digits (RFC 4733).
    pub events: Option<u8>,
    /// Ticks of timestamps in a second, the same for all payload types.
    pub clock_hz: u32,
    /// Keys, where packets are encrypted.
    pub srtp: Option<SrtpKeys>,
    /// Where receiver reports go. `None`: to where the sender's reports come from.
    pub rtcp_to: Option<SocketAddr>,
    /// RTP and RTCP share the port of RTP (RFC 5761).
    pub rtcp_muxed: bool,
}

impl LegAgreed {
    /// What a receiver is to be told.
    pub(crate) fn receiver_config(&self, leg_hz: u32) -> ReceiverConfig {
        let audio = self.formats.iter();
        let audio = audio.map(|(number, format)| (*number, Payload::Audio(format.length())));
        let noise = self.comfort_noise.map(|it| (it, Payload::ComfortNoise));
        let events = self.events.map(|it| (it, Payload::Event));
        ReceiverConfig {
            source: self.source,
            payloads: audio.chain(noise).chain(events).collect(),
            clock_hz: self.clock_hz,
            leg_hz,
            ..ReceiverConfig::default()
        }
    }

    /// Whether one receiver can go on with the other's packets.
    pub(crate) fn is_heard_as(&self, other: &Self) -> bool {
        self.source == other.source
            && self.formats == other.formats
            && self.comfort_noise == other.comfort_noise
            && self.events == other.events
            && self.clock_hz == other.clock_hz
    }
}

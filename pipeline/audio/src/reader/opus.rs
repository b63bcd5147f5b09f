//! Opus packets to frames, by libopus.
//!
//! Source: RFC 7845, "Ogg Encapsulation for the Opus Audio Codec". Pre-skip and end trimming are
//! done by the caller, who counts frames; the output gain is libopus' own.

use opus::MSDecoder;

/// Rate of Opus' own clock: granule positions, pre-skip and packet durations count in it.
pub(super) const CLOCK_HZ: u32 = 48_000;
/// Rates libopus decodes to.
const RATES_HZ: [u32; 5] = [8_000, 12_000, 16_000, 24_000, CLOCK_HZ];
/// The longest packet holds 120 ms (RFC 6716, 3.2.5).
const PACKET_MS: usize = 120;
/// Bytes of the header up to the channel mapping family.
const HEAD_BYTES: usize = 19;

/// The identification header (RFC 7845, 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpusHead {
    pub(super) n_channels: usize,
    /// Frames at 48 kHz to drop from the start.
    pub(super) pre_skip: u16,
    /// Rate of what was encoded, 0 where not stated.
    input_rate_hz: u32,
    /// Gain to apply, dB in 8-bit fixed point.
    gain: i16,
    n_streams: u8,
    n_coupled: u8,
    mapping: Vec<u8>,
}

impl OpusHead {
    /// `None` where the header is cut or contradicts itself.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<HEAD_BYTES>()?;
        if &head[..8] != b"OpusHead" || head[8] >= 16 || head[9] == 0 {
            return None;
        }
        let n_channels = usize::from(head[9]);
        let (n_streams, n_coupled, mapping) = match (head[18], bytes.get(HEAD_BYTES..)?) {
            (0, _) if n_channels <= 2 => (1, head[9] - 1, (0..head[9]).collect()),
            (0, _) => return None,
            (_, [n_streams, n_coupled, mapping @ ..]) => {
                (*n_streams, *n_coupled, mapping.get(..n_channels)?.to_vec())
            }
            _ => return None,
        };
        Some(Self {
            n_channels,
            pre_skip: u16::from_le_bytes([head[10], head[11]]),
            input_rate_hz: u32::from_le_bytes([head[12], head[13], head[14], head[15]]),
            gain: i16::from_le_bytes([head[16], head[17]]),
            n_streams,
            n_coupled,
            mapping,
        })
    }

    /// The rate to decode at: telephone calls stored as Opus come out as the 8 kHz they were, with
    /// nothing lost and no work on an empty upper band.
    pub(super) fn decode_rate_hz(&self) -> u32 {
        let enough = |rate_hz: &u32| self.input_rate_hz > 0 && *rate_hz >= self.input_rate_hz;
        RATES_HZ.into_iter().find(enough).unwrap_or(CLOCK_HZ)
    }
}

/// One Opus stream being decoded.
pub(super) struct OpusDecoder {
    inner: MSDecoder,
    pub(super) n_channels: usize,
    pub(super) rate_hz: u32,
    interleaved: Vec<f32>,
}

impl OpusDecoder {
    pub(super) fn new(head: &OpusHead) -> Result<Self, opus::Error> {
        let rate_hz = head.decode_rate_hz();
        let mut inner = MSDecoder::new(rate_hz, head.n_streams, head.n_coupled, &head.mapping)?;
        inner.set_gain(head.gain.into())?;
        let n_frames = rate_hz as usize * PACKET_MS / 1000;
        Ok(Self {
            inner,
            n_channels: head.n_channels,
            rate_hz,
            interleaved: vec![0.0; n_frames * head.n_channels],
        })
    }

    /// Replaces `planes` by the frames of one packet.
    pub(super) fn decode(
        &mut self,
        packet: &[u8],
        planes: &mut Vec<Vec<f32>>,
    ) -> Result<(), opus::Error> {
        // An empty packet is a lost one by the rules of libopus, but in a file it is damage; as
        // such it must not ask for the longest concealment.
        let n_frames = match packet {
            [] => 0,
            _ => self
                .inner
                .decode_float(packet, &mut self.interleaved, false)?,
        };
        planes.resize_with(self.n_channels, Vec::new);
        let decoded = &self.interleaved[..n_frames * self.n_channels];
        for (channel_idx, plane) in planes.iter_mut().enumerate() {
            plane.clear();
            plane.extend(decoded.iter().skip(channel_idx).step_by(self.n_channels));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(n_channels: u8, rate_hz: u32, family: &[u8]) -> Vec<u8> {
        let mut bytes = b"OpusHead\x01".to_vec();
        bytes.push(n_channels);
        bytes.extend(312_u16.to_le_bytes());
        bytes.extend(rate_hz.to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(family);
        bytes
    }

    #[test]
    fn rates_follow_what_was_encoded() {
        for (input_hz, decoded_hz) in [
            (0, 48_000),
            (8_000, 8_000),
            (11_025, 12_000),
            (16_000, 16_000),
            (44_100, 48_000),
            (96_000, 48_000),
        ] {
            let head = OpusHead::parse(&head(2, input_hz, &[0])).unwrap();
            assert_eq!((head.decode_rate_hz(), head.pre_skip), (decoded_hz, 312));
        }
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(OpusHead::parse(&head(2, 8_000, &[0])[..18]).is_none());
        assert!(OpusHead::parse(&head(0, 8_000, &[0])).is_none());
        assert!(OpusHead::parse(&head(3, 8_000, &[0])).is_none());
        assert!(OpusHead::parse(&head(3, 8_000, &[1, 2, 1, 0, 2])).is_none());
        assert!(OpusHead::parse(&head(3, 8_000, &[1, 2, 1, 0, 2, 1])).is_some());
        let unmapped = OpusHead::parse(&head(3, 8_000, &[1, 2, 1, 0, 2, 9])).unwrap();
        assert!(OpusDecoder::new(&unmapped).is_err());
    }
}

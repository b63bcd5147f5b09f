//! Audio as it comes in, in pieces small enough for a ring.

use std::fmt;

use auricle_audio::g711::Law;

/// The most bytes of one packet: 20 ms of 16-bit samples at 8 kHz. Longer ones are cut.
pub const PACKET_BYTES: usize = 320;

/// How a leg's samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// G.711 µ-law, a byte a sample.
    Ulaw,
    /// G.711 A-law, a byte a sample.
    Alaw,
    /// 16-bit linear, low byte first.
    L16,
}

impl Encoding {
    /// Bytes of one sample.
    pub const fn sample_bytes(self) -> usize {
        match self {
            Self::Ulaw | Self::Alaw => 1,
            Self::L16 => 2,
        }
    }

    /// The loudest of these samples, 0 to 1.
    pub fn peak(self, bytes: &[u8]) -> f32 {
        let codes = bytes.iter();
        let loudest = |peak: f32, sample: f32| peak.max(sample.abs());
        match self {
            Self::Ulaw => codes
                .map(|code| Law::Mu.decode_unit(*code))
                .fold(0.0, loudest),
            Self::Alaw => codes
                .map(|code| Law::A.decode_unit(*code))
                .fold(0.0, loudest),
            Self::L16 => linear(bytes).fold(0.0, loudest),
        }
    }

    /// Appends samples, −1 to 1; half a sample at the end is left out.
    pub(crate) fn decode(self, bytes: &[u8], out: &mut Vec<f32>) {
        let law = |law: Law| move |code: &u8| law.decode_unit(*code);
        match self {
            Self::Ulaw => out.extend(bytes.iter().map(law(Law::Mu))),
            Self::Alaw => out.extend(bytes.iter().map(law(Law::A))),
            Self::L16 => out.extend(linear(bytes)),
        }
    }
}

fn linear(bytes: &[u8]) -> impl Iterator<Item = f32> {
    let (samples, _) = bytes.as_chunks::<2>();
    samples
        .iter()
        .map(|sample| f32::from(i16::from_le_bytes(*sample)) / 32768.0)
}

/// A piece of a leg's audio, and when it came.
#[derive(Clone, Copy)]
pub struct Packet {
    /// Where its first sample lies on the leg's clock, samples.
    pub(crate) at: u64,
    /// When it came in, by the pipeline's clock, microseconds.
    pub(crate) came_us: u64,
    pub(crate) encoding: Encoding,
    n_bytes: u16,
    bytes: [u8; PACKET_BYTES],
}

/// Without what is said in it.
impl fmt::Debug for Packet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Packet({} samples at {})", self.n_samples(), self.at)
    }
}

impl Packet {
    /// `bytes` are at most [`PACKET_BYTES`]; more are cut off.
    pub(crate) fn new(at: u64, came_us: u64, encoding: Encoding, bytes: &[u8]) -> Self {
        let n_bytes = bytes.len().min(PACKET_BYTES);
        let mut packet = Self {
            at,
            came_us,
            encoding,
            n_bytes: n_bytes as u16,
            bytes: [0; PACKET_BYTES],
        };
        packet.bytes[..n_bytes].copy_from_slice(&bytes[..n_bytes]);
        packet
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.n_bytes)]
    }

    /// Samples in it.
    pub fn n_samples(&self) -> u64 {
        (self.bytes().len() / self.encoding.sample_bytes()) as u64
    }
}

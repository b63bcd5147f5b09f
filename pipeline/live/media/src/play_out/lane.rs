//! Audio of one format on its way to the leg's rate and coding.
//!
//! ```text
//! payload -> decode or conceal -> the codec's samples -> rates -> L16
//!    └────────────── where the leg has the same rate ───────────> G.711
//! ```

use auricle_audio::g711::Law;

use super::rates::Rates;
use crate::conceal::Concealer;
use crate::decode::{Decoder, Undecodable};
use crate::{AudioFormat, Coding};

/// Rate of G.711, at which it is told as it came.
const G711_HZ: u32 = 8_000;

/// What is needed for one format. Allocates when it is made, and for the longest packet.
pub(super) struct Lane {
    format: AudioFormat,
    leg_hz: u32,
    coding: Coding,
    decoder: Decoder,
    concealer: Concealer,
    rates: Rates,
    /// The last packet or hole, at the codec's rate.
    samples: Vec<f32>,
    /// What of it goes out, at the leg's rate.
    converted: Vec<f32>,
}

impl Lane {
    /// `None` where the format cannot be decoded to this rate.
    pub(super) fn new(format: AudioFormat, leg_hz: u32) -> Option<Self> {
        let decoder = Decoder::new(format, leg_hz)?;
        let rate_hz = decoder.rate_hz();
        Some(Self {
            format,
            leg_hz,
            coding: match (format, leg_hz) {
                (AudioFormat::Pcmu, G711_HZ) => Coding::Ulaw,
                (AudioFormat::Pcma, G711_HZ) => Coding::Alaw,
                _ => Coding::L16,
            },
            decoder,
            concealer: Concealer::new(rate_hz),
            rates: Rates::new(rate_hz, leg_hz)?,
            samples: Vec::new(),
            converted: Vec::new(),
        })
    }

    pub(super) const fn format(&self) -> AudioFormat {
        self.format
    }

    /// Of what it tells.
    pub(super) const fn coding(&self) -> Coding {
        self.coding
    }

    /// Of the codec.
    pub(super) const fn rate_hz(&self) -> u32 {
        self.decoder.rate_hz()
    }

    /// The samples of the last packet or hole, at the codec's rate.
    pub(super) fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Samples of the leg that wait for those after them.
    pub(super) fn n_waiting(&self) -> u64 {
        self.rates.n_waiting()
    }

    /// Appends what can be told of a packet, without its first `n_told` samples of the leg.
    ///
    /// # Errors
    /// Where it is damaged; nothing is appended then.
    pub(super) fn hear(
        &mut self,
        payload: &[u8],
        n_told: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Undecodable> {
        self.samples.clear();
        self.decoder.decode(payload, &mut self.samples)?;
        let n_told = self.in_codec(n_told).min(self.samples.len());
        self.samples.drain(..n_told);
        match self.law() {
            Some(_) => out.extend_from_slice(payload.get(n_told..).unwrap_or_default()),
            None => {
                self.concealer.join(&mut self.samples);
                self.tell(out);
            }
        }
        self.concealer.hear(&self.samples);
        Ok(())
    }

    /// Appends what can be told of a hole of `n` samples of the leg, before the packet `next` of the same format (empty:
    /// before none).
    pub(super) fn conceal(&mut self, n: u64, next: &[u8], out: &mut Vec<u8>) {
        let n = self.in_codec(n);
        self.samples.clear();
        if !self.decoder.conceal(n, next, &mut self.samples) {
            self.concealer.conceal(n, &mut self.samples);
        }
        self.tell(out);
    }

    /// Appends what waits, as if silence followed.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.converted.clear();
        self.rates.finish(&mut self.converted);
        append_linear(&self.converted, out);
    }

    /// What was heard is long ago.
    pub(super) fn forget(&mut self) {
        self.concealer.forget();
    }

    const fn law(&self) -> Option<Law> {
        match self.coding {
            Coding::Ulaw => Some(Law::Mu),
            Coding::Alaw => Some(Law::A),
            Coding::L16 => None,
        }
    }

    /// Samples of the codec for samples of the leg.
    fn in_codec(&self, n: u64) -> usize {
        let samples = n.saturating_mul(u64::from(self.rate_hz()));
        let samples = samples.checked_div(u64::from(self.leg_hz)).unwrap_or(0);
        usize::try_from(samples).unwrap_or(usize::MAX)
    }

    fn tell(&mut self, out: &mut Vec<u8>) {
        match self.law() {
            Some(law) => out.extend(self.samples.iter().map(|it| law.encode(linear(*it)))),
            None => {
                self.converted.clear();
                self.rates.convert(&self.samples, &mut self.converted);
                append_linear(&self.converted, out);
            }
        }
    }
}

fn append_linear(samples: &[f32], out: &mut Vec<u8>) {
    out.extend(samples.iter().flat_map(|it| linear(*it).to_le_bytes()));
}

fn linear(sample: f32) -> i16 {
    // The cast saturates, and makes 0 of what is no number.
    (sample * 32_768.0).round() as i16
}

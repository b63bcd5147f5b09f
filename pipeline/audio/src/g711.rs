//! A-law and µ-law, the two codes of ITU-T Recommendation G.711 (11/88), in 16-bit linear units.
//!
//! The standard's 13-bit (A-law) and 14-bit (µ-law) values are shifted up to 16 bits, as sound
//! files and RTP payload types 8 and 0 carry them. Decoding is a table look-up, encoding is
//! arithmetic; neither allocates.

/// Added to a µ-law magnitude before its segment is found: 33 of table 2/G.711, in 16-bit units.
const ULAW_BIAS: i32 = 33 << 2;
/// The largest magnitude µ-law can tell apart (8159 of table 2/G.711, in 16-bit units).
const ULAW_CLIP: i32 = 8159 << 2;
/// Even bits are inverted on the line (note 2 of table 1/G.711).
const ALAW_EVEN_BITS: u8 = 0x55;

static ALAW_TO_LINEAR: [i16; 256] = table(Law::A);
static ULAW_TO_LINEAR: [i16; 256] = table(Law::Mu);
static ALAW_TO_UNIT: [f32; 256] = unit_table(&ALAW_TO_LINEAR);
static ULAW_TO_UNIT: [f32; 256] = unit_table(&ULAW_TO_LINEAR);

/// Which of the two codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// A-law: Europe, China, international links.
    A,
    /// µ-law: North America, Japan.
    Mu,
}

impl Law {
    /// One code word to 16-bit linear.
    #[inline]
    pub fn decode(self, code: u8) -> i16 {
        self.linear_table()[usize::from(code)]
    }

    /// One code word to a sample in [-1, 1] (full scale 32768).
    #[inline]
    pub fn decode_unit(self, code: u8) -> f32 {
        self.unit_table()[usize::from(code)]
    }

    /// 16-bit linear to the code word whose decision interval holds it; what lies beyond the code's
    /// range is clipped.
    #[inline]
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::A => alaw_from_linear(sample),
            Self::Mu => ulaw_from_linear(sample),
        }
    }

    fn linear_table(self) -> &'static [i16; 256] {
        match self {
            Self::A => &ALAW_TO_LINEAR,
            Self::Mu => &ULAW_TO_LINEAR,
        }
    }

    fn unit_table(self) -> &'static [f32; 256] {
        match self {
            Self::A => &ALAW_TO_UNIT,
            Self::Mu => &ULAW_TO_UNIT,
        }
    }
}

const fn table(law: Law) -> [i16; 256] {
    let mut values = [0; 256];
    let mut code = 0;
    while code < 256 {
        values[code] = match law {
            Law::A => linear_from_alaw(code as u8),
            Law::Mu => linear_from_ulaw(code as u8),
        };
        code += 1;
    }
    values
}

const fn unit_table(linear: &[i16; 256]) -> [f32; 256] {
    let mut values = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        values[code] = linear[code] as f32 / 32768.0;
        code += 1;
    }
    values
}

/// Table 1/G.711: sign, three bits of segment, four bits of step within the segment.
const fn linear_from_alaw(code: u8) -> i16 {
    let code = code ^ ALAW_EVEN_BITS;
    let segment = (code >> 4) & 7;
    let middle_of_step = (((code & 0x0f) as i16) << 4) + 8;
    let magnitude = match segment {
        0 => middle_of_step,
        // From the second segment on the leading one is not sent.
        _ => (middle_of_step + 0x100) << (segment - 1),
    };
    if code & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// Table 2/G.711; all bits are inverted on the line.
const fn linear_from_ulaw(code: u8) -> i16 {
    let code = !code;
    let segment = (code >> 4) & 7;
    let step = ((code & 0x0f) as i32) << 3;
    let magnitude = (((step + ULAW_BIAS) << segment) - ULAW_BIAS) as i16;
    if code & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    }
}

fn alaw_from_linear(sample: i16) -> u8 {
    // The first negative step is -1 to -16, so magnitudes are counted by one's complement.
    let (sign, magnitude) = match sample {
        0.. => (0x80, sample as u16),
        _ => (0, !sample as u16),
    };
    let code = match 16 - magnitude.leading_zeros() {
        0..=8 => (magnitude >> 4) as u8,
        n_bits => {
            let segment = n_bits - 8;
            ((segment as u8) << 4) | ((magnitude >> (segment + 3)) & 0x0f) as u8
        }
    };
    (code | sign) ^ ALAW_EVEN_BITS
}

fn ulaw_from_linear(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    // One less than the limit, so that the sum stays within the last segment.
    let magnitude = i32::from(sample).abs().min(ULAW_CLIP - 1) + ULAW_BIAS;
    let segment = (32 - magnitude.leading_zeros()) - 8;
    let step = ((magnitude >> (segment + 3)) & 0x0f) as u8;
    !(sign | ((segment as u8) << 4) | step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every sixteenth level of the decoder output column of tables 1 and 2, times the shift.
    #[test]
    fn known_values_of_the_tables() {
        for (law, code, value) in [
            (Law::A, 0xd5, 8),
            (Law::A, 0x55, -8),
            (Law::A, 0xaa, 4032 * 8),
            (Law::A, 0x2a, -4032 * 8),
            (Law::Mu, 0xff, 0),
            (Law::Mu, 0x7f, 0),
            (Law::Mu, 0x80, 8031 * 4),
            (Law::Mu, 0x00, -8031 * 4),
            (Law::Mu, 0xf0, 30 * 4),
            (Law::Mu, 0xef, 33 * 4),
        ] {
            assert_eq!(law.decode(code), value, "{law:?} {code:#x}");
        }
    }

    #[test]
    fn code_words_survive_a_round_trip() {
        for code in 0..=255_u8 {
            assert_eq!(Law::A.encode(Law::A.decode(code)), code);
            // µ-law has two zeros; the negative one is not produced by the encoder.
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(Law::Mu.encode(Law::Mu.decode(code)), expected);
        }
    }

    /// Within a segment the steps are even and each level lies in the middle of its step.
    #[test]
    fn encoding_errs_by_half_a_step_at_most_and_keeps_order() {
        for (law, first_step, limit) in [(Law::A, 16, 32_767), (Law::Mu, 8, 32_635)] {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let code = law.encode(sample);
                let level = law.decode(code);
                assert!(level >= before, "{law:?} {sample}");
                before = level;
                let segment = match law {
                    Law::A => (((code ^ ALAW_EVEN_BITS) >> 4) & 7).saturating_sub(1),
                    Law::Mu => (!code >> 4) & 7,
                };
                let clipped = i32::from(sample).clamp(-limit, limit);
                let error = (i32::from(level) - clipped).abs();
                assert!(
                    error <= (first_step << segment) / 2,
                    "{law:?} {sample}: {error}"
                );
            }
        }
    }
}

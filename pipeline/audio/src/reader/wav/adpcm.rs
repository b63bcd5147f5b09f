//! Blocks of ADPCM in WAVE files: Microsoft's and IMA's.
//!
//! Sources: Microsoft, "Multimedia Data Standards Update" (1994), Microsoft ADPCM; IMA Digital
//! Audio Focus and Technical Working Groups, "Recommended Practices for Enhancing Digital Audio
//! Compatibility" 3.00 (1992), DVI ADPCM.

use super::format::WavFormat;

/// Factors of the step by nibble, 8-bit fixed point (Microsoft ADPCM, `AdaptationTable`).
const ADAPTATION: [i32; 16] = [
    230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230,
];
/// The seven coefficient pairs every Microsoft ADPCM file must allow.
const STANDARD_COEFFICIENTS: [[i32; 2]; 7] = [
    [256, 0],
    [512, -256],
    [0, 0],
    [192, 64],
    [240, 0],
    [460, -208],
    [392, -232],
];
/// The smallest step of Microsoft ADPCM, and a bound that no valid stream reaches.
const MS_STEPS: std::ops::RangeInclusive<i32> = 16..=1 << 20;

/// Steps of IMA ADPCM (table 2 of the recommendation).
#[rustfmt::skip]
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73,
    80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494,
    544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499,
    2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487,
    12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
/// Change of the step's index by nibble (table 1 of the recommendation).
const INDEX_CHANGES: [i32; 16] = [-1, -1, -1, -1, 2, 4, 6, 8, -1, -1, -1, -1, 2, 4, 6, 8];

struct MsChannel {
    coefficients: [i32; 2],
    step: i32,
    /// The last sample and the one before it.
    history: [i32; 2],
}

impl MsChannel {
    fn next(&mut self, nibble: u8) -> i32 {
        let [last, before] = self.history;
        // Coefficients and history of a hostile file reach one past what 32 bits hold.
        let product = |at: usize, value: i32| i64::from(value) * i64::from(self.coefficients[at]);
        let predicted = (product(0, last) + product(1, before)) / 256;
        let signed = (i32::from(nibble) ^ 8) - 8;
        let sample = predicted + i64::from(signed * self.step);
        let sample = sample.clamp(-32_768, 32_767) as i32;
        let step = ADAPTATION[usize::from(nibble)] * self.step / 256;
        self.step = step.clamp(*MS_STEPS.start(), *MS_STEPS.end());
        self.history = [sample, last];
        sample
    }
}

/// Appends the frames of one block of Microsoft ADPCM, which may be cut short.
pub(super) fn decode_ms_block(format: &WavFormat, block: &[u8], planes: &mut [Vec<f32>]) {
    let n_channels = planes.len();
    let Some((state, body)) = block.split_at_checked(7 * n_channels) else {
        return;
    };
    let word = |at: usize| i32::from(i16::from_le_bytes([state[at], state[at + 1]]));
    let mut channels = Vec::with_capacity(n_channels);
    for (idx, plane) in planes.iter_mut().enumerate() {
        let words = n_channels + 2 * idx;
        let history = [word(words + 2 * n_channels), word(words + 4 * n_channels)];
        // The older sample is played first.
        plane.extend([unit(history[1]), unit(history[0])]);
        channels.push(MsChannel {
            coefficients: coefficients(format, state[idx]),
            step: word(words).max(*MS_STEPS.start()),
            history,
        });
    }
    let n_frames = 2 * body.len() / n_channels;
    let mut nibbles = body.iter().flat_map(|&byte| [byte >> 4, byte & 15]);
    for _ in 0..n_frames {
        for ((channel, plane), nibble) in channels.iter_mut().zip(&mut *planes).zip(&mut nibbles) {
            plane.push(unit(channel.next(nibble)));
        }
    }
}

fn coefficients(format: &WavFormat, idx: u8) -> [i32; 2] {
    let pair = format.coefficients.get(usize::from(idx));
    let standard = STANDARD_COEFFICIENTS.get(usize::from(idx));
    pair.or(standard).copied().unwrap_or([256, 0])
}

struct ImaChannel {
    sample: i32,
    step_idx: i32,
}

impl ImaChannel {
    fn next(&mut self, nibble: u8) -> i32 {
        let step = STEPS[self.step_idx as usize];
        let mut change = step >> 3;
        for (bit, share) in [(4, step), (2, step >> 1), (1, step >> 2)] {
            if nibble & bit != 0 {
                change += share;
            }
        }
        let change = if nibble & 8 != 0 { -change } else { change };
        self.sample = (self.sample + change).clamp(-32_768, 32_767);
        self.step_idx = (self.step_idx + INDEX_CHANGES[usize::from(nibble)]).clamp(0, 88);
        self.sample
    }
}

/// Appends the frames of one block of IMA ADPCM, which may be cut short.
pub(super) fn decode_ima_block(block: &[u8], planes: &mut [Vec<f32>]) {
    let n_channels = planes.len();
    let Some((state, body)) = block.split_at_checked(4 * n_channels) else {
        return;
    };
    let mut channels = Vec::with_capacity(n_channels);
    for (state, plane) in state.chunks_exact(4).zip(&mut *planes) {
        let sample = i32::from(i16::from_le_bytes([state[0], state[1]]));
        plane.push(unit(sample));
        let step_idx = i32::from(state[2]).min(88);
        channels.push(ImaChannel { sample, step_idx });
    }
    // Eight samples of one channel, then eight of the next; the low nibble is the earlier one.
    for group in body.chunks_exact(4 * n_channels) {
        let parts = group.chunks_exact(4).zip(&mut channels).zip(&mut *planes);
        for ((bytes, channel), plane) in parts {
            for nibble in bytes.iter().flat_map(|&byte| [byte & 15, byte >> 4]) {
                plane.push(unit(channel.next(nibble)));
            }
        }
    }
}

fn unit(sample: i32) -> f32 {
    sample as f32 / 32_768.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_coefficients_and_samples_do_not_overflow() {
        let mut channel = MsChannel {
            coefficients: [-32_768, -32_768],
            step: *MS_STEPS.end(),
            history: [-32_768, -32_768],
        };
        assert_eq!(channel.next(7), 32_767);
        assert_eq!(channel.next(8), -32_768);
    }
}

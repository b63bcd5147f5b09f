//! Filter design: a half-band low-pass by the Kaiser window.
//!
//! J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974.

use std::f64::consts::PI;

use super::halfband::{HALF, PHASE_TAPS};

/// Stop band and pass band error the window is chosen for, dB.
const ATTENUATION_DB: f64 = 80.0;

/// First half of the computed phase of the half-band filter: an interpolator of the value in the
/// middle between two frames. The second half mirrors it; all taps sum to one.
pub(super) fn half_band_phase() -> [f32; HALF] {
    let beta = 0.1102 * (ATTENUATION_DB - 8.7);
    let reach = PHASE_TAPS as f64 / 2.0;
    let mut taps = [0.0_f64; HALF];
    for (tap_idx, tap) in taps.iter_mut().enumerate() {
        // From the middle, in frames of the lower rate: always half an odd number.
        let distance = reach - 0.5 - tap_idx as f64;
        let sinc = (PI * distance).sin() / (PI * distance);
        let window = bessel_i0(beta * (1.0 - (distance / reach).powi(2)).sqrt()) / bessel_i0(beta);
        *tap = sinc * window;
    }
    let sum: f64 = 2.0 * taps.iter().sum::<f64>();
    taps.map(|tap| (tap / sum) as f32)
}

/// Modified Bessel function of the first kind, order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let mut sum = 1.0;
    let mut term = 1.0;
    let mut order = 1.0;
    while term > sum * 1e-16 {
        term *= (x / (2.0 * order)).powi(2);
        sum += term;
        order += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bessel_values_of_the_tables() {
        // Abramowitz and Stegun, table 9.8.
        assert!((bessel_i0(1.0) - 1.266_065_878).abs() < 1e-9);
        assert!((bessel_i0(5.0) - 27.239_871_82).abs() < 1e-8);
    }

    #[test]
    fn phase_passes_steady_values() {
        let sum: f32 = half_band_phase().iter().sum();
        assert!((2.0 * sum - 1.0).abs() < 1e-6);
    }
}

//! What a listener would think of a line: the E-model, with its default values for everything that packets do not tell.
//!
//! | what | from |
//! | --- | --- |
//! | `R = R₀ − Idd − Ie-eff` | ITU-T G.107, equation 7-1; 93.2 is the rating without impairment, section 7.7 |
//! | delay, `Idd` | ITU-T G.107, section 7.4; 100 ms are not noticed, sensitivity 1 |
//! | loss, `Ie-eff`, `BurstR` | ITU-T G.107, section 7.5 |
//! | opinion of a rating | ITU-T G.107, annex B |
//! | `Ie`, `Bpl` of G.711 | ITU-T G.113, appendix I |
//! | 129 and the opinion for wideband | ITU-T G.107.1: the rating divided by 1.29 |
//! | `Ie` of G.722 at 64 kbit/s | ITU-T G.113, appendix IV |
//!
//! Echo and loudness are not in the packets: a line is taken for one that has good ones.

use crate::stats::Stats;

/// How audio is coded, as far as loss is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711; what is lost is silence.
    G711,
    /// G.711; what is lost is concealed (G.711, appendix I).
    G711Concealed,
    /// G.722 at 64 kbit/s. How well it stands loss is an approximation.
    G722,
    /// Opus, wideband, concealed. Both its values are approximations.
    Opus,
}

/// What the E-model wants to know of a codec.
struct Impairment {
    /// Rating without any impairment, `R₀`.
    best: f64,
    /// What the rating is divided by before the opinion.
    scale: f64,
    /// Equipment impairment, `Ie`.
    equipment: f64,
    /// Robustness against loss, `Bpl`, percent.
    robustness: f64,
}

/// Worst equipment impairment (ITU-T G.107, equation 7-29).
const MOST_EQUIPMENT: f64 = 95.0;
/// Delay that nobody notices, `mT`.
const UNNOTICED_MS: f64 = 100.0;

impl Codec {
    const fn impairment(self) -> Impairment {
        let (best, scale, equipment, robustness) = match self {
            Self::G711 => (93.2, 1.0, 0.0, 4.3),
            Self::G711Concealed => (93.2, 1.0, 0.0, 25.1),
            // Robustness as that of G.711 without concealment: its frames are as short, and it fares no worse.
            Self::G722 => (129.0, 1.29, 13.0, 4.3),
            // Between the wideband codecs of 23.85 and 12.65 kbit/s in G.113; robust about as concealed G.711 is.
            Self::Opus => (129.0, 1.29, 10.0, 20.0),
        };
        Impairment {
            best,
            scale,
            equipment,
            robustness,
        }
    }
}

/// Mean opinion of a conversation, estimated (MOS-CQE): 1, bad, to 4.5. `delay_ms` is the way from mouth to ear, as far as it
/// is known, waiting for packets included; 0 tells how the line would be listened to.
pub fn mos(codec: Codec, stats: &Stats, delay_ms: f64) -> f64 {
    let scaled = rating(codec, stats, delay_ms) / codec.impairment().scale;
    let rating = scaled.clamp(0.0, 100.0);
    let opinion = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
    // Below a rating of 6.5 the curve dips under its own end.
    opinion.clamp(1.0, 4.5)
}

/// Transmission rating `R`: up to 93.2, for wideband up to 129.
pub fn rating(codec: Codec, stats: &Stats, delay_ms: f64) -> f64 {
    let impairment = codec.impairment();
    let loss_percent = 100.0 * stats.loss_ratio();
    let burst_ratio = stats.burst_ratio.max(1.0);
    let robust = loss_percent / burst_ratio + impairment.robustness;
    let by_loss = (MOST_EQUIPMENT - impairment.equipment) * loss_percent / robust;
    impairment.best - by_delay(delay_ms) - impairment.equipment - by_loss
}

/// `Idd`.
fn by_delay(delay_ms: f64) -> f64 {
    // The greater of the two, also where the delay is no number.
    let doublings = (delay_ms.max(UNNOTICED_MS) / UNNOTICED_MS).log2();
    let sixth = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (sixth(doublings) - 3.0 * sixth(doublings / 3.0) + 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stats(loss_percent: u64, burst_ratio: f64) -> Stats {
        Stats {
            expected: 100,
            lost: loss_percent,
            burst_ratio,
            ..Stats::default()
        }
    }

    /// Worked out with the equations apart from this program.
    #[test]
    fn opinions_of_lines() {
        for (codec, loss_percent, burst_ratio, delay_ms, rating_expected, mos_expected) in [
            (Codec::G711, 0, 1.0, 0.0, 93.2, 4.409),
            (Codec::G711, 1, 1.0, 0.0, 75.275, 3.834),
            (Codec::G711, 5, 1.0, 0.0, 42.125, 2.169),
            (Codec::G711, 5, 2.0, 0.0, 23.347, 1.358),
            (Codec::G711, 0, 1.0, 200.0, 90.156, 4.343),
            (Codec::G711, 0, 1.0, 400.0, 69.130, 3.556),
            (Codec::G711, 100, 1.0, 0.0, 2.117, 1.0),
            (Codec::G711Concealed, 1, 1.0, 0.0, 89.560, 4.328),
            (Codec::G711Concealed, 5, 2.0, 0.0, 75.990, 3.864),
            (Codec::G722, 0, 1.0, 0.0, 116.0, 4.337),
            (Codec::G722, 1, 1.0, 200.0, 97.484, 3.846),
            (Codec::Opus, 5, 1.0, 0.0, 102.0, 3.988),
        ] {
            let stats = stats(loss_percent, burst_ratio);
            let told = rating(codec, &stats, delay_ms);
            let case = (codec, loss_percent, burst_ratio, delay_ms);
            assert!((told - rating_expected).abs() < 0.001, "{case:?}: {told}");
            let told = mos(codec, &stats, delay_ms);
            assert!((told - mos_expected).abs() < 0.001, "{case:?}: {told}");
        }
    }

    proptest! {
        #[test]
        fn opinions_are_within_bounds_and_worse_with_loss(
            loss_percent in 0_u64..100,
            burst_ratio in 0.0..20.0_f64,
            delay_ms in prop_oneof![Just(f64::NAN), Just(-1.0), 0.0..5_000.0_f64],
        ) {
            for codec in [Codec::G711, Codec::G711Concealed, Codec::G722, Codec::Opus] {
                let better = mos(codec, &stats(loss_percent, burst_ratio), delay_ms);
                let worse = mos(codec, &stats(loss_percent + 1, burst_ratio), delay_ms);
                prop_assert!((1.0..=4.5).contains(&better), "{better}");
                prop_assert!(worse <= better + 1e-9, "{worse} {better}");
            }
        }
    }
}

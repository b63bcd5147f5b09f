//! From scores of text that was not trained on to probabilities and thresholds.

use super::model::Calibration;

/// One score and whether the label stands there.
pub(super) type Scored = (f32, bool);

/// Fits a logistic curve to scores by Newton's method, with targets drawn in from 0 and 1 as Platt did, so
/// that few examples do not make it steep (Lin, Lin, Weng, "A note on Platt's probabilistic outputs", 2007).
pub(super) fn calibrate(scored: &[Scored]) -> Calibration {
    let n_yes = scored.iter().filter(|(_, holds)| *holds).count() as f64;
    let n_no = scored.len() as f64 - n_yes;
    if n_yes == 0.0 || n_no == 0.0 {
        return Calibration::NONE;
    }
    let (yes, no) = ((n_yes + 1.0) / (n_yes + 2.0), 1.0 / (n_no + 2.0));
    let (mut slope, mut offset) = (1.0f64, 0.0f64);
    for _ in 0..50 {
        let (mut by_slope, mut by_offset) = (0.0, 0.0);
        // A little of the identity keeps the matrix invertible.
        let (mut slope_slope, mut slope_offset, mut offset_offset) = (1e-6, 0.0, 1e-6);
        for &(score, holds) in scored {
            let score = f64::from(score);
            let probability = 1.0 / (1.0 + (-(slope * score + offset)).exp());
            let error = probability - if holds { yes } else { no };
            let curve = probability * (1.0 - probability);
            by_slope += error * score;
            by_offset += error;
            slope_slope += curve * score * score;
            slope_offset += curve * score;
            offset_offset += curve;
        }
        let determinant = slope_slope * offset_offset - slope_offset * slope_offset;
        let slope_change = (offset_offset * by_slope - slope_offset * by_offset) / determinant;
        let offset_change = (slope_slope * by_offset - slope_offset * by_slope) / determinant;
        slope -= slope_change.clamp(-1.0, 1.0);
        offset -= offset_change.clamp(-1.0, 1.0);
        if slope_change.abs() + offset_change.abs() < 1e-7 {
            break;
        }
    }
    // A label that scores upside down tells nothing; its probabilities stay low.
    match slope > 0.05 && slope.is_finite() && offset.is_finite() {
        true => Calibration {
            slope: slope as f32,
            offset: offset as f32,
        },
        false => Calibration {
            slope: 0.05,
            offset: -4.0,
        },
    }
}

/// The probability from which on to give a label: where F1 is best among the places that keep
/// `least_precision`. Where that costs more than a quarter of the best F1 there is, the precision asked for is
/// lowered step by step: a label that is hardly ever given helps nobody.
pub(super) fn threshold(scored: &[Scored], least_precision: f32) -> f32 {
    const LEAST_KEPT_RATIO: f32 = 0.75;
    const STEP: f32 = 0.05;
    let cuts = cuts(scored);
    let best = |least: f32| {
        let precise = cuts.iter().filter(|cut| cut.precision >= least);
        precise.max_by(|a, b| a.f1.total_cmp(&b.f1))
    };
    let most = best(0.0).map_or(0.0, |cut| cut.f1);
    let steps = (0u8..20).map(|step| least_precision - STEP * f32::from(step));
    let mut kept = steps.filter_map(best);
    let kept = kept.find(|cut| cut.f1 >= LEAST_KEPT_RATIO * most && cut.f1 > 0.0);
    kept.map_or(0.5, |cut| cut.probability)
}

/// What comes of one threshold.
struct Cut {
    probability: f32,
    precision: f32,
    f1: f32,
}

/// Every threshold that makes a difference.
fn cuts(scored: &[Scored]) -> Vec<Cut> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n_yes = sorted.iter().filter(|(_, holds)| *holds).count() as f32;
    let (mut n_right, mut cuts) = (0.0, Vec::new());
    for (place, &(probability, holds)) in sorted.iter().enumerate() {
        n_right += if holds { 1.0 } else { 0.0 };
        let next = sorted.get(place + 1).map_or(0.0, |next| next.0);
        if next < probability {
            let n_given = (place + 1) as f32;
            cuts.push(Cut {
                probability: 0.5 * (probability + next),
                precision: n_right / n_given,
                f1: 2.0 * n_right / (n_given + n_yes),
            });
        }
    }
    cuts
}

/// Mean error of probabilities in ten bins (expected calibration error).
pub(super) fn calibration_error(scored: &[Scored]) -> f32 {
    let mut bins = [(0.0f32, 0.0f32, 0.0f32); 10];
    for &(probability, holds) in scored {
        let bin = &mut bins[((probability * 10.0) as usize).min(9)];
        bin.0 += probability;
        bin.1 += if holds { 1.0 } else { 0.0 };
        bin.2 += 1.0;
    }
    let wrong: f32 = bins.iter().map(|bin| (bin.0 - bin.1).abs()).sum();
    wrong / (scored.len().max(1) as f32)
}

/// Turns raw scores into probabilities.
pub(super) fn with_probabilities(scored: &[Scored], calibration: Calibration) -> Vec<Scored> {
    let scored = scored.iter();
    scored
        .map(|&(score, holds)| (calibration.probability(score), holds))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::model::logistic;

    #[test]
    fn probabilities_become_true() {
        // Scores that claim twice as much as they should.
        let mut chance = crate::intent::random::Chance::new(7);
        let scored: Vec<Scored> = (0..4000)
            .map(|_| {
                let score = chance.share() * 12.0 - 8.0;
                (score, chance.share() < logistic(0.5 * score - 0.5))
            })
            .collect();
        let fitted = calibrate(&scored);
        assert!((fitted.slope - 0.5).abs() < 0.05, "{fitted:?}");
        assert!((fitted.offset + 0.5).abs() < 0.15, "{fitted:?}");
        assert!(calibration_error(&with_probabilities(&scored, fitted)) < 0.02);
    }

    #[test]
    fn one_sided_examples_leave_scores_alone() {
        for scored in [vec![], vec![(1.0, true)], vec![(1.0, false), (2.0, false)]] {
            assert_eq!(calibrate(&scored), Calibration::NONE);
        }
    }

    #[test]
    fn thresholds_keep_precision_where_they_can() {
        let scored = [
            (0.9, true),
            (0.8, true),
            (0.7, true),
            (0.6, false),
            (0.5, true),
            (0.1, false),
        ];
        assert!((threshold(&scored, 0.9) - 0.65).abs() < 1e-6);
        assert!((threshold(&scored, 0.5) - 0.3).abs() < 1e-6);
        let hopeless = [(0.9, false), (0.8, true), (0.7, true)];
        assert!(threshold(&hopeless, 0.9) < 0.7, "recall beats nothing");
        assert!((threshold(&[], 0.9) - 0.5).abs() < 1e-6);
    }
}

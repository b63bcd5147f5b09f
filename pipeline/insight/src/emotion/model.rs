//! From features to emotions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use auricle_contracts::EmotionLabel;
use serde::Deserialize;
use thiserror::Error;

use super::features::Feature;

/// Labels, in the order of [`EmotionLabel::ALL`].
pub const N_LABELS: usize = EmotionLabel::ALL.len();

/// A model that tells emotions from features, in the place of the built-in one. All calls share it.
pub trait EmotionModel: fmt::Debug + Send + Sync {
    /// Its name, for reports.
    fn name(&self) -> &str;

    /// What it wants to know, in the order of its input.
    fn wants(&self) -> &[Feature];

    /// Probabilities of the labels in the order of [`EmotionLabel::ALL`], from the values of
    /// [`EmotionModel::wants`]. `None` where it cannot tell: the built-in model then decides.
    fn probabilities(&self, values: &[f32]) -> Option<[f32; N_LABELS]>;
}

/// Why weights are not to be used.
#[derive(Debug, Error)]
pub enum WeightsError {
    /// No JSON, or a field is missing or not known.
    #[error(
        "emotion weights cannot be read: {0}\n  hint: models/emotion/README.md describes the file"
    )]
    Format(#[from] serde_json::Error),
    /// A name that is no feature.
    #[error(
        "`{place}` names the feature `{name}`, which is not measured\n  hint: models/emotion/README.md lists the features"
    )]
    UnknownFeature {
        /// Where it stands.
        place: &'static str,
        /// What it says.
        name: String,
    },
    /// A unit that nothing can be divided by, or a weight that is no number.
    #[error("`{place}` of `{name}` must be a number other than 0, got `{value}`")]
    BadNumber {
        /// Where it stands.
        place: &'static str,
        /// The feature.
        name: String,
        /// What it says.
        value: f32,
    },
    /// Features could not count at all, or without end.
    #[error(
        "`most_units` must be above 0, got `{0}`\n  hint: it is how many units a feature counts at most; the built-in weights have 4"
    )]
    MostUnits(f32),
    /// A bias that is no number.
    #[error("`bias` of `{label}` must be a number, got `{value}`")]
    BadBias {
        /// The label.
        label: String,
        /// What it says.
        value: f32,
    },
    /// A name that is no label.
    #[error(
        "`labels` names `{0}`, which is no emotion\n  hint: they are neutral, happy, angry, sad"
    )]
    UnknownLabel(String),
}

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    name: String,
    #[serde(default)]
    priors: BTreeMap<String, f32>,
    units: BTreeMap<String, f32>,
    most_units: f32,
    arousal: BTreeMap<String, f32>,
    labels: BTreeMap<String, LabelWeights>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelWeights {
    bias: f32,
    #[serde(default)]
    weights: BTreeMap<String, f32>,
}

/// Weighted sums of features, each in its unit, and a softmax over the labels.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedModel {
    name: String,
    features: Vec<Feature>,
    terms: Vec<Term>,
    biases: [f32; N_LABELS],
    most_units: f32,
}

/// One feature's part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Term {
    unit: f32,
    prior: Option<f32>,
    weights: [f32; N_LABELS],
    arousal: f32,
}

static BUILT_IN: LazyLock<WeightedModel> = LazyLock::new(|| {
    let text = include_str!("../../../../models/emotion/hand-set.json");
    // A test holds that the file is good; without it nothing would be told apart.
    WeightedModel::from_json(text).unwrap_or_else(|_| WeightedModel::indifferent())
});

impl WeightedModel {
    /// The weights Auricle comes with; `models/emotion/README.md` is their card.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads weights of one's own, written as `models/emotion/README.md` says.
    ///
    /// # Errors
    /// When the file is no JSON of that form, names a feature that is not measured or a label that is none, or has
    /// a number that nothing can be reckoned with.
    pub fn from_json(text: &str) -> Result<Self, WeightsError> {
        let weights: Weights = serde_json::from_str(text)?;
        if !(weights.most_units > 0.0 && weights.most_units.is_finite()) {
            return Err(WeightsError::MostUnits(weights.most_units));
        }
        let is_label = |name: &&String| {
            EmotionLabel::ALL
                .iter()
                .any(|label| label.as_str() == *name)
        };
        if let Some(name) = weights.labels.keys().find(|name| !is_label(name)) {
            return Err(WeightsError::UnknownLabel(name.clone()));
        }
        let mut terms: BTreeMap<Feature, Term> = BTreeMap::new();
        for (name, &unit) in &weights.units {
            let feature = known("units", name)?;
            if unit == 0.0 || !unit.is_finite() {
                return Err(bad_number("units", name, unit));
            }
            terms.entry(feature).or_default().unit = unit;
        }
        for (name, &prior) in &weights.priors {
            term(&mut terms, "priors", name, prior)?.prior = Some(prior);
        }
        for (name, &weight) in &weights.arousal {
            term(&mut terms, "arousal", name, weight)?.arousal = weight;
        }
        let mut biases = [0.0; N_LABELS];
        for (at, label) in EmotionLabel::ALL.iter().enumerate() {
            let Some(of_label) = weights.labels.get(label.as_str()) else {
                continue;
            };
            if !of_label.bias.is_finite() {
                return Err(WeightsError::BadBias {
                    label: label.as_str().to_owned(),
                    value: of_label.bias,
                });
            }
            biases[at] = of_label.bias;
            for (name, &weight) in &of_label.weights {
                term(&mut terms, "labels", name, weight)?.weights[at] = weight;
            }
        }
        Ok(Self {
            name: weights.name,
            features: terms.keys().copied().collect(),
            terms: terms.into_values().collect(),
            biases,
            most_units: weights.most_units,
        })
    }

    fn indifferent() -> Self {
        Self {
            name: "none".to_owned(),
            features: Vec::new(),
            terms: Vec::new(),
            biases: [0.0; N_LABELS],
            most_units: 0.0,
        }
    }

    /// Everybody's usual value of a feature.
    pub(super) fn prior(&self, feature: Feature) -> Option<f32> {
        let at = self.features.binary_search(&feature).ok()?;
        self.terms[at].prior
    }

    /// Calm −1 to excited 1, from the values of [`EmotionModel::wants`].
    pub fn arousal(&self, values: &[f32]) -> f32 {
        let parts = self.terms.iter().zip(values);
        let sum: f32 = parts
            .map(|(term, &value)| term.arousal * self.units(term, value))
            .sum();
        sum.tanh()
    }

    /// See [`EmotionModel::probabilities`]; this model can always tell.
    pub fn judge(&self, values: &[f32]) -> [f32; N_LABELS] {
        let mut sums = self.biases;
        for (term, &value) in self.terms.iter().zip(values) {
            let value = self.units(term, value);
            for (sum, weight) in sums.iter_mut().zip(&term.weights) {
                *sum += weight * value;
            }
        }
        softmax(sums)
    }

    fn units(&self, term: &Term, value: f32) -> f32 {
        let units = value / term.unit;
        match units.is_finite() {
            true => units.clamp(-self.most_units, self.most_units),
            false => 0.0,
        }
    }
}

impl EmotionModel for WeightedModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self) -> &[Feature] {
        &self.features
    }

    fn probabilities(&self, values: &[f32]) -> Option<[f32; N_LABELS]> {
        Some(self.judge(values))
    }
}

fn known(place: &'static str, name: &str) -> Result<Feature, WeightsError> {
    Feature::named(name).ok_or_else(|| WeightsError::UnknownFeature {
        place,
        name: name.to_owned(),
    })
}

fn bad_number(place: &'static str, name: &str, value: f32) -> WeightsError {
    WeightsError::BadNumber {
        place,
        name: name.to_owned(),
        value,
    }
}

/// The term of a feature that has a unit.
fn term<'a>(
    terms: &'a mut BTreeMap<Feature, Term>,
    place: &'static str,
    name: &str,
    value: f32,
) -> Result<&'a mut Term, WeightsError> {
    let feature = known(place, name)?;
    match terms.get_mut(&feature) {
        Some(term) if value.is_finite() => Ok(term),
        Some(_) => Err(bad_number(place, name, value)),
        None => Err(bad_number("units", name, 0.0)),
    }
}

fn softmax(sums: [f32; N_LABELS]) -> [f32; N_LABELS] {
    let most = sums.iter().copied().fold(f32::MIN, f32::max);
    let powers = sums.map(|sum| (sum - most).exp());
    let total: f32 = powers.iter().sum();
    powers.map(|power| power / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_weights_are_read() {
        let model = WeightedModel::built_in();
        assert_ne!(model.name, "none");
        let calm = model.judge(&vec![0.0; model.features.len()]);
        assert!(calm[0] > 0.7, "{calm:?}");
    }

    #[test]
    fn bad_weights_are_named() {
        let good = r#"{"name":"x","units":{"flux":0.1},"most_units":3,"arousal":{},"labels":{}}"#;
        assert!(WeightedModel::from_json(good).is_ok());
        for (from, to, expected) in [
            ("flux", "fluks", "`units` names the feature `fluks`"),
            (
                "0.1",
                "0",
                "`units` of `flux` must be a number other than 0, got `0`",
            ),
            (
                "\"arousal\":{}",
                "\"arousal\":{\"secs\":1}",
                "`units` of `secs`",
            ),
            (
                "\"arousal\":{}",
                "\"arousal\":{\"x\":1}",
                "`arousal` names the feature `x`",
            ),
            ("{\"name\"", "{\"name", "cannot be read"),
            ("\"labels\"", "\"label\"", "unknown field `label`"),
            (
                "units\":3",
                "units\":0",
                "`most_units` must be above 0, got `0`\n  hint: ",
            ),
            ("units\":3", "units\":-2", "`most_units` must be above 0"),
            ("units\":3", "units\":1e39", "`most_units` must be above 0"),
            (
                "\"labels\":{}",
                "\"labels\":{\"sad\":{\"bias\":1e39}}",
                "`bias` of `sad` must be a number",
            ),
            (
                "\"labels\":{}",
                "\"labels\":{\"gloomy\":{\"bias\":1}}",
                "`labels` names `gloomy`, which is no emotion",
            ),
        ] {
            let cause = WeightedModel::from_json(&good.replace(from, to)).unwrap_err();
            assert!(cause.to_string().contains(expected), "{cause}");
        }
    }
}

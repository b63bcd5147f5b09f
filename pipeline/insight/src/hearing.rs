//! How well a call was understood: in another language, or where nothing can be heard, what was recognised is nonsense.

use auricle_contracts::Utterance;

/// Fewer syllables tell too little: single sentences in Mandarin come out at 0.5 and in English at 0.8.
const LEAST_SYLLABLES: usize = 50;
/// Mean confidence below which hardly anything was understood, by the recogniser: what others call confidence is another
/// measure. `zh-zipformer-3.3m` gives 0.82 and more to telephone calls in Mandarin, 0.67 and more to 50 syllables of read
/// sentences of any voices, and 0.58 to 0.60 to calls in English.
const LEAST_CONFIDENCE: [(&str, f32); 1] = [("zh-zipformer-3.3m", 0.65)];

/// Syllables of a call, and how sure the recogniser was of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hearing {
    /// How many; none where the recogniser has no syllables.
    pub n_syllables: usize,
    /// Their mean probability, 0 to 1; 0 where there are none.
    pub confidence: f32,
    /// Below this hardly anything was understood; `None` where nobody measured it for the recogniser.
    pub least_confidence: Option<f32>,
}

impl Hearing {
    /// Of all utterances of a call. `engine` is what heard it, as the transcript names it: `native/MODEL`.
    pub fn of<'a>(engine: &str, utterances: impl IntoIterator<Item = &'a Utterance>) -> Self {
        let syllables = utterances.into_iter().flat_map(|said| &said.syllables);
        let (n_syllables, sum) = syllables.fold((0, 0.0), |(n, sum), syllable| {
            (n + 1, sum + f64::from(syllable.conf))
        });
        Self {
            n_syllables,
            confidence: (sum / n_syllables.max(1) as f64) as f32,
            least_confidence: least_confidence(engine),
        }
    }

    /// Whether hardly anything was understood: nobody should be judged by it. Never where too little was said to tell,
    /// or nobody knows what the recogniser's confidences mean.
    pub fn is_poor(self) -> bool {
        let is_poor = |least| self.confidence < least;
        self.n_syllables >= LEAST_SYLLABLES && self.least_confidence.is_some_and(is_poor)
    }
}

fn least_confidence(engine: &str) -> Option<f32> {
    let model = engine.rsplit('/').next()?;
    let mut known = LEAST_CONFIDENCE.iter();
    known
        .find(|(name, _)| *name == model)
        .map(|(_, least)| *least)
}

#[cfg(test)]
mod tests {
    use auricle_contracts::{Party, Syllable};

    use super::*;
    use crate::testing::utterance;

    #[test]
    fn nonsense_is_told_by_its_confidence() {
        let is_poor = |engine: &str, n: usize, conf: f32| {
            let mut said = utterance(Party::Agent, 0, "嗯");
            said.syllables = vec![
                Syllable {
                    s: "en5".into(),
                    start_ms: 0,
                    end_ms: 100,
                    conf,
                    alternatives: Vec::new(),
                };
                n
            ];
            Hearing::of(engine, &[said.clone(), said]).is_poor()
        };
        const OURS: &str = "native/zh-zipformer-3.3m";
        assert!(is_poor(OURS, 300, 0.6));
        assert!(!is_poor(OURS, 300, 0.82), "a call in Mandarin");
        assert!(!is_poor(OURS, 20, 0.5), "too short to tell");
        assert!(!is_poor("vosk/small-cn", 300, 0.6), "another measure");
        assert!(!Hearing::of(OURS, &[]).is_poor());
    }
}

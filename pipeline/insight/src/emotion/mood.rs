//! How moods went over a call.

use auricle_contracts::{Emotion, EmotionLabel, Mood, Party, PartyMood};

/// Share of the mean, of the end, and of the strongest moment in what a customer takes with him: what people
/// remember of an experience is its peak and its end (Kahneman et al. 1993).
const MEAN_SHARE: f32 = 0.3;
const END_SHARE: f32 = 0.45;
const PEAK_SHARE: f32 = 0.25;
/// A valence of this is as bad or as good as calls get.
const WHOLE_VALENCE: f32 = 0.7;

/// Emotions of one party, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Moods {
    parties: Vec<(Party, Vec<Emotion>)>,
}

impl Moods {
    pub(super) fn push(&mut self, party: Party, emotion: Emotion) {
        match self.parties.iter_mut().find(|(known, _)| *known == party) {
            Some((_, emotions)) => emotions.push(emotion),
            None => self.parties.push((party, vec![emotion])),
        }
    }

    pub(super) fn mood(&self) -> Mood {
        let moods = self.parties.iter();
        let mut parties: Vec<PartyMood> = moods.map(|(party, all)| of_party(*party, all)).collect();
        parties.sort_by_key(|mood| mood.party.as_str());
        let customer = self
            .parties
            .iter()
            .find(|(party, _)| *party == Party::Customer);
        Mood {
            parties,
            satisfaction: customer.map(|(_, emotions)| satisfaction(emotions)),
        }
    }
}

fn of_party(party: Party, emotions: &[Emotion]) -> PartyMood {
    let n_third = emotions.len() / 3;
    let trend = match n_third {
        0 => 0.0,
        _ => valence(last(emotions, n_third)) - valence(&emotions[..n_third]),
    };
    let is_angry = |emotion: &&Emotion| emotion.label == EmotionLabel::Angry;
    PartyMood {
        party,
        valence: valence(emotions),
        arousal: mean(emotions.iter().map(|emotion| emotion.arousal)),
        trend,
        n_angry: emotions.iter().filter(is_angry).count() as u32,
    }
}

/// 50 + 50 · (0.3 · mean + 0.45 · end + 0.25 · peak) / 0.7, within 0 to 100; each a valence: of all
/// utterances, of the last third (at least one), and of the one farthest from indifference.
fn satisfaction(emotions: &[Emotion]) -> f32 {
    let end = valence(last(emotions, (emotions.len() / 3).max(1)));
    let all = emotions.iter().map(|emotion| emotion.valence);
    let peak = all.max_by(|one, other| one.abs().total_cmp(&other.abs()));
    let remembered =
        MEAN_SHARE * valence(emotions) + END_SHARE * end + PEAK_SHARE * peak.unwrap_or_default();
    (50.0 + 50.0 * remembered / WHOLE_VALENCE).clamp(0.0, 100.0)
}

fn last(emotions: &[Emotion], n: usize) -> &[Emotion] {
    &emotions[emotions.len().saturating_sub(n)..]
}

fn valence(emotions: &[Emotion]) -> f32 {
    mean(emotions.iter().map(|emotion| emotion.valence))
}

fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let n = values.len().max(1) as f32;
    values.sum::<f32>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mood_of(valences: &[f32]) -> Mood {
        let mut moods = Moods::default();
        for &valence in valences {
            let label = match valence < -0.4 {
                true => EmotionLabel::Angry,
                false => EmotionLabel::Neutral,
            };
            let emotion = Emotion {
                label,
                valence,
                ..Emotion::default()
            };
            moods.push(Party::Customer, emotion);
        }
        moods.mood()
    }

    #[test]
    fn satisfaction_follows_peak_and_end() {
        let at = |valences: &[f32]| mood_of(valences).satisfaction.unwrap();
        assert_eq!(at(&[0.0, 0.0, 0.0]), 50.0);
        assert_eq!(at(&[0.7]), 100.0);
        assert_eq!(at(&[-1.0, -1.0]), 0.0);
        assert!(
            at(&[-0.6, 0.0, 0.6]) > at(&[0.6, 0.0, -0.6]) + 20.0,
            "the end counts"
        );
        assert!(
            at(&[0.0, 0.0, -0.9, 0.0, 0.0, 0.0]) < at(&[-0.15; 6]),
            "the peak counts"
        );
        assert_eq!(Moods::default().mood(), Mood::default());
    }

    #[test]
    fn trends_compare_thirds() {
        let mood = mood_of(&[0.3, 0.1, -0.1, 0.0, -0.5, -0.7]);
        let [party] = mood.parties[..] else {
            panic!("{mood:?}");
        };
        assert!((party.trend + 0.8).abs() < 1e-6);
        assert!((party.valence + 0.15).abs() < 1e-6);
        assert_eq!(party.n_angry, 2);
        assert_eq!(
            mood_of(&[0.3, -0.3]).parties[0].trend,
            0.0,
            "too few to compare"
        );
    }
}

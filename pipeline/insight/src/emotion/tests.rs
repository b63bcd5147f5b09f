use std::sync::Arc;

use auricle_contracts::{Utterance, Voice};
use proptest::prelude::*;

use super::*;
use crate::testing::utterance;

/// A voice as it usually is.
fn calm() -> Voice {
    Voice {
        loudness_db: -24.0,
        pitch_hz: 180.0,
        pitch_low_hz: 150.0,
        pitch_high_hz: 220.0,
        voiced_ratio: 0.84,
        effort_ratio_db: -10.0,
        alpha_ratio_db: -13.5,
        alpha_ratio_deviation_db: 8.0,
        hammarberg_db: 22.0,
        flux: 0.175,
        harmonicity_db: 10.5,
        ..Voice::default()
    }
}

/// The same voice shouting.
fn shouting() -> Voice {
    Voice {
        loudness_db: -14.0,
        pitch_hz: 230.0,
        effort_ratio_db: -4.0,
        alpha_ratio_db: -10.0,
        alpha_ratio_deviation_db: 9.0,
        hammarberg_db: 19.0,
        flux: 0.2,
        harmonicity_db: 9.0,
        ..calm()
    }
}

/// The same voice sinking.
fn sinking() -> Voice {
    Voice {
        loudness_db: -36.0,
        pitch_hz: 160.0,
        effort_ratio_db: -18.0,
        alpha_ratio_db: -19.0,
        hammarberg_db: 28.0,
        flux: 0.16,
        ..calm()
    }
}

/// The same voice at another recorder's gain.
fn with_gain(voice: Voice, gain_db: f32) -> Voice {
    Voice {
        loudness_db: voice.loudness_db + gain_db,
        loudness_peak_db: voice.loudness_peak_db + gain_db,
        ..voice
    }
}

fn said(party: Party, text: &str, voice: Option<Voice>) -> Utterance {
    Utterance {
        voice,
        ..utterance(party, 0, text)
    }
}

fn hear(tracker: &mut EmotionTracker, said: &Utterance) -> Manner {
    tracker.utterance(&Spoken::new(said, 0), &[])
}

/// A tracker that heard the customer speak `n` times as usual.
fn after_calm(n: usize, gain_db: f32) -> EmotionTracker {
    let mut tracker = EmotionTracker::new();
    for _ in 0..n {
        let usual = said(
            Party::Customer,
            "我想问一下",
            Some(with_gain(calm(), gain_db)),
        );
        hear(&mut tracker, &usual);
    }
    tracker
}

fn label_of(tracker: &mut EmotionTracker, voice: Option<Voice>, text: &str) -> EmotionLabel {
    let manner = hear(tracker, &said(Party::Customer, text, voice));
    manner.emotion.unwrap().label
}

#[test]
fn voices_are_judged_beside_themselves() {
    for gain_db in [-20.0, 0.0, 10.0] {
        for (voice, expected) in [
            (calm(), EmotionLabel::Neutral),
            (shouting(), EmotionLabel::Angry),
            (sinking(), EmotionLabel::Sad),
        ] {
            let mut tracker = after_calm(8, gain_db);
            let voice = Some(with_gain(voice, gain_db));
            assert_eq!(
                label_of(&mut tracker, voice, "那是昨天的事情"),
                expected,
                "{gain_db}"
            );
        }
    }
}

#[test]
fn words_alone_decide_without_a_voice() {
    for (text, expected) in [
        ("你们这些骗子，太过分了", EmotionLabel::Angry),
        ("太好了，非常感谢你", EmotionLabel::Happy),
        ("我走投无路了，求求你", EmotionLabel::Sad),
        ("请问几点开门", EmotionLabel::Neutral),
    ] {
        assert_eq!(
            label_of(&mut EmotionTracker::new(), None, text),
            expected,
            "{text}"
        );
    }
    let nothing = hear(
        &mut EmotionTracker::new(),
        &said(Party::Customer, "，", None),
    );
    assert_eq!(nothing, Manner::default());
}

#[test]
fn voice_and_words_add_up() {
    let angry = |voice: Voice, text: &str| {
        let mut tracker = after_calm(8, 0.0);
        let said = said(Party::Customer, text, Some(voice));
        let manner = hear(&mut tracker, &said);
        let emotion = manner.emotion.unwrap();
        (emotion.valence, emotion.arousal)
    };
    let (calm_valence, calm_arousal) = angry(calm(), "你们怎么回事");
    let (loud_valence, loud_arousal) = angry(shouting(), "你们怎么回事");
    assert!(loud_valence < calm_valence - 0.3 && loud_arousal > calm_arousal + 0.3);
    assert!(angry(sinking(), "好吧那就这样").1 < 0.0);
}

#[test]
fn loudness_rises_over_the_partys_own_median() {
    let mut tracker = after_calm(0, 0.0);
    let usual = said(Party::Customer, "我想问一下", Some(calm()));
    assert_eq!(hear(&mut tracker, &usual).loudness_rise_db, None);
    let louder = said(Party::Customer, "我想问一下", Some(with_gain(calm(), 6.0)));
    assert_eq!(hear(&mut tracker, &louder).loudness_rise_db, Some(6.0));
    assert_eq!(
        hear(&mut tracker, &usual).loudness_rise_db,
        Some(-3.0),
        "the median is now between"
    );
    let other = said(Party::Agent, "我想问一下", Some(calm()));
    assert_eq!(
        hear(&mut tracker, &other).loudness_rise_db,
        None,
        "parties do not mix"
    );
}

#[test]
fn judging_changes_nothing() {
    let mut tracker = after_calm(3, 0.0);
    let shout = said(Party::Customer, "我想问一下", Some(shouting()));
    let first = tracker.judge(&Spoken::new(&shout, 0), &[]);
    let mood = tracker.mood();
    for _ in 0..5 {
        assert_eq!(tracker.judge(&Spoken::new(&shout, 0), &[]), first);
    }
    assert_eq!(tracker.mood(), mood);
    assert_eq!(hear(&mut tracker, &shout), first);
}

#[test]
fn a_call_that_gets_worse_says_so() {
    let mut tracker = after_calm(6, 0.0);
    for text in ["你们太过分了", "我要投诉你们这些骗子", "气死我了"] {
        hear(&mut tracker, &said(Party::Customer, text, Some(shouting())));
    }
    let mood = tracker.mood();
    assert!(mood.satisfaction.unwrap() < 25.0, "{mood:?}");
    assert!(
        mood.parties[0].trend < -0.4 && mood.parties[0].n_angry == 3,
        "{mood:?}"
    );
    let mut polite = EmotionTracker::new();
    hear(
        &mut polite,
        &said(Party::Customer, "太好了，非常感谢你", None),
    );
    assert!(polite.mood().satisfaction.unwrap() > 75.0);
}

/// A model that takes everything for sadness once utterances are long, and else cannot tell.
#[derive(Debug)]
struct Gloomy(Vec<Feature>);

impl EmotionModel for Gloomy {
    fn name(&self) -> &str {
        "gloomy"
    }

    fn wants(&self) -> &[Feature] {
        &self.0
    }

    fn probabilities(&self, values: &[f32]) -> Option<[f32; N_LABELS]> {
        match values {
            // A cepstrum is measured although only this model wants it.
            [secs, cepstrum] if *secs > 1.0 && *cepstrum > 0.0 => Some([0.1, 0.0, 0.0, 0.9]),
            [_, _] => Some([0.5, f32::NAN, 0.0, 0.5]),
            _ => None,
        }
    }
}

#[test]
fn another_model_can_take_the_place() {
    let wants = ["secs", "cepstrum_2"].map(|name| Feature::named(name).unwrap());
    let mut tracker = EmotionTracker::with_model(Some(Arc::new(Gloomy(wants.to_vec()))));
    let mut voice = calm();
    hear(&mut tracker, &said(Party::Agent, "我想问一下", Some(voice)));
    voice.cepstra[1] = 2.0;
    let long = said(Party::Agent, "我想问一下您", Some(voice));
    assert_eq!(
        hear(&mut tracker, &long).emotion.unwrap().label,
        EmotionLabel::Sad
    );
    let short = said(Party::Agent, "骗子", Some(voice));
    let manner = hear(&mut tracker, &short);
    assert_eq!(
        manner.emotion.unwrap().label,
        EmotionLabel::Angry,
        "nonsense is not believed"
    );
}

fn any_voice() -> impl Strategy<Value = Voice> {
    prop::array::uniform6(prop::num::f32::ANY).prop_map(|[a, b, c, d, e, f]| Voice {
        loudness_db: a,
        pitch_hz: b,
        flux: c,
        effort_ratio_db: d,
        harmonicity_db: e,
        voiced_ratio: f,
        ..Voice::default()
    })
}

proptest! {
    #[test]
    fn any_call_gives_probabilities(
        turns in prop::collection::vec((prop::option::of(any_voice()), ".{0,12}", 0_u64..9_000), 0..20),
    ) {
        let mut tracker = EmotionTracker::new();
        for (voice, text, end_ms) in turns {
            let mut said = said(Party::Unknown, &text, voice);
            (said.start_ms, said.end_ms) = (4_000, end_ms);
            if let Some(emotion) = hear(&mut tracker, &said).emotion {
                prop_assert!((0.25..=1.0).contains(&emotion.confidence), "{:?}", emotion);
                prop_assert!((-1.0..=1.0).contains(&emotion.arousal), "{:?}", emotion);
                prop_assert!((-1.0..=1.0).contains(&emotion.valence), "{:?}", emotion);
            }
        }
        prop_assert_eq!(tracker.mood().satisfaction, None, "nobody was the customer");
    }

    #[test]
    fn gain_does_not_matter(gain_db in -20.0_f32..20.0, loud in -40.0_f32..-5.0, n in 0_usize..9) {
        let valence = |gain_db: f32| {
            let mut tracker = after_calm(n, gain_db);
            let voice = with_gain(Voice { loudness_db: loud, ..shouting() }, gain_db);
            let manner = hear(&mut tracker, &said(Party::Customer, "我想问一下", Some(voice)));
            manner.emotion.unwrap().valence
        };
        prop_assert!((valence(0.0) - valence(gain_db)).abs() < 1e-3);
    }
}

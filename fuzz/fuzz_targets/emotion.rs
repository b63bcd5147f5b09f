//! Any text as weights of an emotion model: one that was read tells of every utterance.
#![no_main]

use std::sync::Arc;

use auricle_contracts::Party;
use auricle_insight::Spoken;
use auricle_insight::emotion::{EmotionModel, EmotionTracker, WeightedModel};
use auricle_insight::rules::utterance_of_text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(model) = WeightedModel::from_json(text) else {
        return;
    };
    for value in [0.0, -3.5, f32::MAX, f32::NEG_INFINITY, f32::NAN] {
        let values = vec![value; model.wants().len()];
        model.judge(&values);
        model.arousal(&values);
    }
    let mut tracker = EmotionTracker::with_model(Some(Arc::new(model)));
    for (idx, said) in ["您好", "你们太过分了，我要投诉", ""].into_iter().enumerate() {
        let said = utterance_of_text(Party::Customer, 9000 * idx as u64, said);
        let manner = tracker.utterance(&Spoken::new(&said, idx), &[]);
        if let Some(emotion) = manner.emotion {
            assert!((0.0..=1.0).contains(&emotion.confidence), "{emotion:?}");
            assert!((-1.0..=1.0).contains(&emotion.arousal), "{emotion:?}");
            assert!((-1.0..=1.0).contains(&emotion.valence), "{emotion:?}");
        }
    }
    tracker.mood();
});

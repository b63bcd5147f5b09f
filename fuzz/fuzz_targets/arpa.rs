//! Bytes as a language model in the ARPA format, plain or gzip.
#![no_main]

use auricle_speech::lm::arpa::{ArpaLimits, read};
use auricle_speech::lm::{LanguageModel, Vocabulary};
use libfuzzer_sys::fuzz_target;

const LIMITS: ArpaLimits = ArpaLimits {
    ngrams: 100_000,
    line_bytes: 4096,
};

fuzz_target!(|bytes: &[u8]| {
    let mut vocabulary = Vocabulary::default();
    let Ok(model) = read(bytes, &mut vocabulary, LIMITS) else {
        return;
    };
    // A model that was read must score, every word after every other.
    let mut state = model.start();
    for (word, _) in vocabulary.iter().take(64) {
        let (log_prob, next) = model.score(state, word);
        assert!(!log_prob.is_nan());
        state = next;
    }
    assert!(!model.end(state).is_nan());
});

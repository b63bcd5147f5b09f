//! Text as a list of words to lean towards.
#![no_main]

use auricle_speech::Hotwords;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(mistake) = Hotwords::parse(text) {
        assert!(mistake.to_string().contains("line"), "{mistake}");
    }
});

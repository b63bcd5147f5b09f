//! Text as a search query: a meaning, or a mistake with its place.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    if let Err(mistake) = auricle_search::parse(query) {
        let place = mistake.query.get(mistake.span.clone());
        assert!(place.is_some(), "the place lies in the query: {mistake}");
    }
});

//! Bytes as a recording: every container and codec, whatever the file's name says.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// A minute at 8 kHz; more finds nothing new and takes long.
const FRAMES_LIMIT: u64 = 500_000;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(outcome) = auricle_audio::read_bytes(bytes, FRAMES_LIMIT) {
        assert!((0.0..=1.0).contains(&outcome.peak), "samples within −1 to 1");
    }
});

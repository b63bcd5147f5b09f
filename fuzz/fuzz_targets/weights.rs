//! Any bytes as the ONNX files of a transducer.
#![no_main]

use auricle_networks::{Decoder, Joiner, Zipformer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(encoder) = Zipformer::read(bytes) {
        let _ = encoder.fresh_state();
    }
    if let Ok(decoder) = Decoder::read(bytes) {
        let context = vec![-1; decoder.context_size()];
        decoder.decode(&context, &mut Vec::new());
    }
    let _ = Joiner::read(bytes);
});

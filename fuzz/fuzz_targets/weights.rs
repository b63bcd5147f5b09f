//! Any bytes as the ONNX files of a transducer and of voice activity.
#![no_main]

use auricle_networks::{Decoder, Joiner, Scratch, Silero, SileroScratch, Zipformer};
use libfuzzer_sys::fuzz_target;

/// Features of a frame.
const N_BINS: usize = 80;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(encoder) = Zipformer::read(bytes) {
        let features = vec![0.5; encoder.shape().window * N_BINS];
        let (mut state, mut out) = (encoder.fresh_state(), Vec::new());
        encoder.step(
            &[&features],
            &mut [&mut state],
            &mut Scratch::default(),
            &mut out,
        );
        let shape = encoder.shape();
        assert_eq!(out.len(), shape.n_outputs * shape.dim);
    }
    if let Ok(decoder) = Decoder::read(bytes) {
        let context = vec![-1; decoder.context_size()];
        decoder.decode(&context, &mut Vec::new());
    }
    if let Ok(joiner) = Joiner::read(bytes) {
        let vector = vec![0.5; joiner.dim()];
        let mut log_probs = Vec::new();
        joiner.join(&vector, &vector, &mut Vec::new(), &mut log_probs);
        assert_eq!(log_probs.len(), joiner.n_tokens());
    }
    if let Ok(silero) = Silero::read(bytes) {
        let mut hidden = vec![0.0; Silero::STATE_VALUES];
        let mut cell = hidden.clone();
        let mut probs = Vec::new();
        silero.step(
            &vec![0.5; Silero::INPUT_SAMPLES],
            &mut hidden,
            &mut cell,
            &mut SileroScratch::default(),
            &mut probs,
        );
        assert_eq!(probs.len(), 1);
    }
});

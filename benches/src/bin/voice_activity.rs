//! What voice activity costs: Auricle's forward pass beside ONNX Runtime, same network, same audio.
//!
//! One thread; the best of some rounds, the two alternating.

#![expect(clippy::print_stdout, reason = "a report")]

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use auricle_benches::first_channel;
use auricle_models::native::{self, SearchPath};
use auricle_models::{
    OnnxRuntime, OrtSilero, PlainSileroSource, VAD_FRAME_SAMPLES, VAD_RATE_HZ, VadSource, VadState,
    VoiceActivity,
};
use clap::Parser;

/// Auricle's forward pass of Silero VAD beside ONNX Runtime, by the number of channels judged together.
#[derive(Parser)]
struct Args {
    /// Silero's file.
    #[arg(long, default_value = "../shared/models/silero-vad/silero_vad.onnx")]
    model: PathBuf,
    /// A recording with speech on its first channel.
    #[arg(long, default_value = "../shared/audio/zh-calls-dev/dev-01.wav")]
    audio: PathBuf,
    /// Seconds of it that every channel hears.
    #[arg(long, default_value_t = 20)]
    secs: usize,
    /// Times each is measured.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = OnnxRuntime::load(&native::onnxruntime(&SearchPath::detect(None))?)?;
    let mut peer = OrtSilero::open(runtime, &args.model)?;
    let mut own = PlainSileroSource::open(&args.model)?.vad()?;
    let samples = first_channel(&args.audio, VAD_RATE_HZ, args.secs)?;
    println!("channels  ONNX Runtime  Auricle   ratio   (microseconds a channel for 32 ms)");
    for n_channels in [1, 2, 4, 16, 64] {
        let (mut best_peer, mut best_own) = (f64::MAX, f64::MAX);
        for _ in 0..args.rounds {
            best_peer = best_peer.min(us_a_frame(&mut peer, &samples, n_channels)?);
            best_own = best_own.min(us_a_frame(own.as_mut(), &samples, n_channels)?);
        }
        let ratio = best_peer / best_own;
        println!("{n_channels:8}  {best_peer:12.1}  {best_own:7.1}  {ratio:5.2}×");
    }
    Ok(())
}

fn us_a_frame(vad: &mut dyn VoiceActivity, samples: &[f32], n_channels: usize) -> Result<f64> {
    let mut states = vec![VadState::default(); n_channels];
    let mut probs = Vec::new();
    let from = Instant::now();
    for frame in samples.chunks_exact(VAD_FRAME_SAMPLES) {
        let mut states: Vec<&mut VadState> = states.iter_mut().collect();
        vad.judge(&vec![frame; n_channels], &mut states, &mut probs)?;
    }
    Ok(from.elapsed().as_secs_f64() * 1e6 / probs.len().max(1) as f64)
}

//! What a chunk of a stream costs a recogniser: Auricle's forward pass beside ONNX Runtime, same model, same audio.
//!
//! One thread; features, networks and greedy search included; the best of some rounds, the two alternating.

#![expect(clippy::print_stdout, reason = "a report")]

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use auricle_benches::first_channel;
use auricle_models::native::{self, SearchPath};
use auricle_models::{
    DecodeSettings, OnnxRuntime, RunBy, StreamOptions, StreamingEngine, TransducerEngine,
    TransducerModel,
};
use clap::Parser;

/// Auricle's forward pass beside ONNX Runtime, by the number of streams stepped together.
#[derive(Parser)]
struct Args {
    /// Folder of a transducer.
    #[arg(long, default_value = "../shared/models/zh-zipformer-3.3m")]
    model: PathBuf,
    /// A recording with speech on its first channel.
    #[arg(long, default_value = "../shared/audio/zh-calls-dev/dev-01.wav")]
    audio: PathBuf,
    /// Seconds of it that every stream hears.
    #[arg(long, default_value_t = 20)]
    secs: usize,
    /// Times each is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = OnnxRuntime::load(&native::onnxruntime(&SearchPath::detect(None))?)?;
    let greedy = DecodeSettings { n_paths: 1 };
    let open = |run_by| TransducerModel::open(&args.model, run_by, greedy)?.engine();
    let mut own = open(RunBy::Auricle)?;
    let mut peer = open(RunBy::OnnxRuntime(runtime))?;
    let samples = first_channel(&args.audio, own.info().sample_rate_hz, args.secs)?;
    println!(
        "streams  ONNX Runtime  Auricle   ratio   (milliseconds a chunk of {} ms)",
        own.info().chunk_ms
    );
    for n_streams in [1, 2, 4, 8, 16] {
        let (mut best_peer, mut best_own) = (f64::MAX, f64::MAX);
        for _ in 0..args.rounds {
            best_peer = best_peer.min(ms_a_chunk(&mut peer, &samples, n_streams)?);
            best_own = best_own.min(ms_a_chunk(&mut own, &samples, n_streams)?);
        }
        let ratio = best_peer / best_own;
        println!("{n_streams:7}  {best_peer:12.2}  {best_own:7.2}  {ratio:5.2}×");
    }
    Ok(())
}

fn ms_a_chunk(engine: &mut TransducerEngine, samples: &[f32], n_streams: usize) -> Result<f64> {
    let from = Instant::now();
    let streams = (0..n_streams)
        .map(|_| engine.open_stream(&StreamOptions::default()))
        .collect::<Result<Vec<_>, _>>()?;
    for stream in &streams {
        engine.accept(*stream, samples)?;
    }
    let mut n_chunks = 0;
    loop {
        let advanced = engine.step()?.n_advanced;
        n_chunks += advanced;
        if advanced == 0 {
            break;
        }
    }
    let spent = from.elapsed();
    for stream in streams {
        engine.finish(stream)?;
    }
    Ok(spent.as_secs_f64() * 1000.0 / n_chunks.max(1) as f64)
}

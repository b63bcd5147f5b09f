//! Streams in real time on one core, by recogniser: the one that the program carries beside the zipformer, on the same audio.
//!
//! One thread; features, networks and beam search included; the best of some rounds, all alternating.

#![expect(clippy::print_stdout, reason = "a report")]

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use auricle_benches::first_channel;
use auricle_models::native::{self, SearchPath};
use auricle_models::{
    CtcFiles, CtcModel, CtcRunBy, DecodeSettings, OnnxRuntime, RunBy, StreamOptions,
    StreamingEngine, TransducerModel,
};
use clap::Parser;

/// Streams a core of each recogniser, and what loading it takes.
#[derive(Parser)]
struct Args {
    /// Folder of a transducer.
    #[arg(long, default_value = "../shared/models/zh-zipformer-3.3m")]
    transducer: PathBuf,
    /// Folder of a CTC recogniser.
    #[arg(long, default_value = "models/telephony-8k")]
    ctc: PathBuf,
    /// A recording with speech on its first channel.
    #[arg(long, default_value = "../shared/audio/zh-calls-dev/dev-01.wav")]
    audio: PathBuf,
    /// Seconds of it that every stream hears.
    #[arg(long, default_value_t = 20)]
    secs: usize,
    /// Streams that are stepped together.
    #[arg(long, default_values_t = [1, 16, 64, 256], value_delimiter = ',')]
    streams: Vec<usize>,
    /// Readings that the beam search keeps.
    #[arg(long, default_value_t = 4)]
    paths: usize,
    /// Times each is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// A recogniser that is measured.
struct Runner {
    label: &'static str,
    load_ms: f64,
    engine: Box<dyn StreamingEngine>,
    samples: Vec<f32>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut runners = runners(&args)?;
    for runner in &runners {
        println!("{:22} loaded in {:4.0} ms", runner.label, runner.load_ms);
    }
    println!("\nstreams a core{}", " ".repeat(9) + "stepped together:");
    let header: Vec<String> = args.streams.iter().map(|n| format!("{n:8}")).collect();
    println!("{:22} {}", "", header.concat());
    let mut best = vec![vec![0.0_f64; args.streams.len()]; runners.len()];
    for _ in 0..args.rounds {
        for (runner, best) in runners.iter_mut().zip(&mut best) {
            for (n_streams, best) in args.streams.iter().zip(best) {
                *best = best.max(streams_a_core(runner, *n_streams, args.secs)?);
            }
        }
    }
    for (runner, best) in runners.iter().zip(&best) {
        let row: Vec<String> = best.iter().map(|figure| format!("{figure:8.0}")).collect();
        println!("{:22} {}", runner.label, row.concat());
    }
    let most = |place: usize| best[place].iter().copied().fold(0.0, f64::max);
    let peer = most(0).max(most(1));
    println!("\nmost, beside the zipformer's most:");
    for (place, runner) in runners.iter().enumerate().skip(2) {
        println!("{:22} {:8.1}×", runner.label, most(place) / peer);
    }
    Ok(())
}

/// The transducer first: what the others are measured against.
fn runners(args: &Args) -> Result<Vec<Runner>> {
    let runtime = OnnxRuntime::load(&native::onnxruntime(&SearchPath::detect(None))?)?;
    let settings = DecodeSettings {
        n_paths: args.paths,
    };
    let transducer = |run_by| -> Result<Box<dyn StreamingEngine>> {
        let model = TransducerModel::open(&args.transducer, run_by, settings)?;
        Ok(Box::new(model.engine()?))
    };
    let ctc = |run_by| -> Result<Box<dyn StreamingEngine>> {
        let model = CtcModel::open(CtcFiles::read(&args.ctc)?, run_by, settings)?;
        Ok(Box::new(model.engine()?))
    };
    let timed = |label, open: &dyn Fn() -> Result<Box<dyn StreamingEngine>>| -> Result<Runner> {
        let from = Instant::now();
        let engine = open()?;
        let load_ms = from.elapsed().as_secs_f64() * 1000.0;
        let samples = first_channel(&args.audio, engine.info().sample_rate_hz, args.secs)?;
        Ok(Runner {
            label,
            load_ms,
            engine,
            samples,
        })
    };
    Ok(vec![
        timed("zipformer, ort", &|| {
            transducer(RunBy::OnnxRuntime(runtime))
        })?,
        timed("zipformer, auricle", &|| transducer(RunBy::Auricle))?,
        timed("ctc, ort", &|| ctc(CtcRunBy::OnnxRuntime(runtime)))?,
        timed("ctc, tract", &|| ctc(CtcRunBy::Tract))?,
    ])
}

fn streams_a_core(runner: &mut Runner, n_streams: usize, secs: usize) -> Result<f64> {
    let engine = &mut runner.engine;
    let streams = (0..n_streams)
        .map(|_| engine.open_stream(&StreamOptions::default()))
        .collect::<Result<Vec<_>, _>>()?;
    let from = Instant::now();
    for stream in &streams {
        engine.accept(*stream, &runner.samples)?;
    }
    while engine.step()?.n_advanced > 0 {}
    let spent = from.elapsed();
    for stream in streams {
        engine.finish(stream)?;
    }
    Ok((n_streams * secs) as f64 / spent.as_secs_f64())
}

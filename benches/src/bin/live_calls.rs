//! How many two-leg calls the live pipeline holds in real time: N calls of real recordings, 20 ms packets, everything on.
//!
//! Recordings are played round and round, each call from another place. Told are the pipeline's own histograms, without the first seconds, and how
//! much of a core a call took. `../shared/tools/peer_live.py` does the same with sherpa-onnx's OnlineRecognizer.

#![expect(clippy::print_stdout, reason = "a report")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use auricle_audio::{AudioBlock, AudioReader};
use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_insight::Judge;
use auricle_insight::intent::Language;
use auricle_insight::rules::{Included, PackFile, RuleSet};
use auricle_live::{
    Encoding, Full, LegFeed, Live, LiveOutput, LiveSettings, MachineClock, Measured, NewCall,
    NewLeg, Told,
};
use auricle_models::{
    CtcFiles, CtcModel, CtcRunBy, EngineSource, PlainSileroSource, RunBy, TransducerModel,
};
use auricle_speech::lm::LanguageData;
use auricle_speech::{Hotwords, SpeechModel, SpeechParts, SpeechSettings};
use clap::Parser;

/// Calls under way at a time, and how they fare.
#[derive(Parser)]
struct Args {
    /// Calls at a time.
    #[arg(long, default_values_t = [10, 20, 40], value_delimiter = ',')]
    calls: Vec<usize>,
    /// How long they go on, seconds.
    #[arg(long, default_value_t = 30)]
    secs: u64,
    /// Paths of the beam search.
    #[arg(long, default_value_t = 4)]
    beam: usize,
    /// Folder of stereo recordings at 8 kHz.
    #[arg(long, default_value = "../shared/audio/zh-calls-dev")]
    recordings: PathBuf,
    /// Folder of a transducer, or of a CTC recogniser (which has a model.onnx).
    #[arg(long, default_value = "../shared/models/zh-zipformer-3.3m")]
    model: PathBuf,
    /// Voice activity.
    #[arg(long, default_value = "../shared/models/silero-vad/silero_vad.onnx")]
    vad: PathBuf,
    /// Rules.
    #[arg(long, default_value = "packs/zh-telemarketing.yaml")]
    pack: PathBuf,
    /// Threads of recognition; 0: one on each processor.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Until the pipeline has what a call needs, and the figures are those of work that goes on.
const WARM_UP: Duration = Duration::from_secs(3);
const PACKET: Duration = Duration::from_millis(20);
/// Bytes of a packet: 16-bit samples at 8 kHz.
const PACKET_BYTES: usize = 320;

fn main() -> Result<()> {
    let args = Args::parse();
    let model = Arc::new(load(&args)?);
    let judge = Arc::new(judge(&args.pack)?);
    let legs = legs(&args.recordings)?;
    println!("{}, beam {}, {} s", model.name(), args.beam, args.secs);
    println!(
        "{:>6} {:>24} {:>22} {:>22} {:>10} {:>8} {:>9}",
        "calls",
        "packet→partial p50/95/99",
        "silence→final p50/95/99",
        "word→alert p50/95/99",
        "cores",
        "shed",
        "late by"
    );
    for n_calls in &args.calls {
        let figures = run(&args, *n_calls, &model, &judge, &legs)?;
        println!("{figures}");
    }
    Ok(())
}

/// Plays `n_calls` for a while; gives a row of figures.
fn run(
    args: &Args,
    n_calls: usize,
    model: &Arc<SpeechModel>,
    judge: &Arc<Judge>,
    legs: &[Vec<u8>],
) -> Result<String> {
    let usual = LiveSettings::default();
    let settings = LiveSettings {
        n_recognise: std::num::NonZeroUsize::new(args.threads).unwrap_or(usual.n_recognise),
        most_calls: n_calls,
        ..usual
    };
    let (live, output) = Live::start(settings, model, Arc::new(MachineClock::new()))?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let is_over = &is_over;
        scope.spawn(move || read(&output, is_over));
        let played = play(args, n_calls, &live, model, judge, legs);
        is_over.store(true, Ordering::Relaxed);
        played
    })
}

fn play(
    args: &Args,
    n_calls: usize,
    live: &Live,
    model: &Arc<SpeechModel>,
    judge: &Arc<Judge>,
    legs: &[Vec<u8>],
) -> Result<String> {
    let mut calls = Vec::with_capacity(n_calls);
    for number in 0..n_calls {
        let parties = [Party::Agent, Party::Customer];
        let feeds = live.open(NewCall {
            id: CallId(format!("call-{number}")),
            metadata: CallMetadata::default(),
            source: "bench",
            legs: parties
                .map(|party| NewLeg {
                    party,
                    rate_hz: 8_000,
                })
                .to_vec(),
            model: Arc::clone(model),
            judge: Arc::clone(judge),
        })?;
        let pair = number % (legs.len() / 2);
        let offset = (number * 7_919) % 1_000 * PACKET_BYTES;
        calls.push((feeds, &legs[2 * pair..2 * pair + 2], offset));
    }
    let began = Instant::now();
    let (mut before, mut spent_before, mut late) = (None, 0.0, Duration::ZERO);
    for tick in 0.. {
        let due = PACKET * tick;
        if due >= Duration::from_secs(args.secs) + WARM_UP {
            break;
        }
        if before.is_none() && due >= WARM_UP {
            before = Some(measured(live));
            spent_before = cpu_secs()?;
        }
        let left = due.saturating_sub(began.elapsed());
        std::thread::sleep(left);
        for (feeds, audio, offset) in &mut calls {
            for (feed, audio) in feeds.iter_mut().zip(audio.iter()) {
                let from = (*offset + tick as usize * PACKET_BYTES) % (audio.len() - PACKET_BYTES);
                let from = from / 2 * 2;
                let at = tick as u64 * (PACKET_BYTES / 2) as u64;
                late += push(feed, at, &audio[from..from + PACKET_BYTES]);
            }
        }
    }
    let spent = cpu_secs()? - spent_before;
    let before = before.context("the time is too short")?;
    let after = measured(live);
    let rows = before
        .iter()
        .zip(&after)
        .map(|(before, after)| shares(before, after));
    let rows: Vec<String> = rows.collect();
    let cores = spent / args.secs as f64;
    Ok(format!(
        "{n_calls:>6} {:>24} {:>22} {:>22} {cores:>10.2} {:>8} {:>6} ms",
        rows[0],
        rows[1],
        rows[2],
        live.metrics().counts().partials_shed,
        late.as_millis(),
    ))
}

/// How long the sender was held back.
fn push(feed: &mut LegFeed, at: u64, packet: &[u8]) -> Duration {
    if feed.push(at, Encoding::L16, packet) != Err(Full::ForNow) {
        return Duration::ZERO;
    }
    let began = Instant::now();
    while feed.push(at, Encoding::L16, packet) == Err(Full::ForNow) {
        std::thread::sleep(Duration::from_millis(1));
    }
    began.elapsed()
}

fn read(output: &LiveOutput, is_over: &AtomicBool) -> usize {
    let mut n_told = 0;
    while !is_over.load(Ordering::Relaxed) {
        if let Some(Told::Happened { .. }) = output.next(Duration::from_millis(20)) {
            n_told += 1;
        }
    }
    n_told
}

fn measured(live: &Live) -> [Measured; 3] {
    let metrics = live.metrics();
    [
        metrics.packet_to_partial.read(),
        metrics.end_to_final.read(),
        metrics.word_to_alert.read(),
    ]
}

fn shares(before: &Measured, after: &Measured) -> String {
    let since = after.since(before);
    let share = |share: f64| match since.within_ms(share) {
        Some(ms) => ms.to_string(),
        None => "–".to_owned(),
    };
    format!("{}/{}/{} ms", share(0.5), share(0.95), share(0.99))
}

/// Processor time of this process so far, seconds.
fn cpu_secs() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |place: usize| -> Result<f64> {
        let field = fields.get(place).context("/proc/self/stat is another")?;
        Ok(field.parse()?)
    };
    // utime and stime are the fields 14 and 15 (proc(5)), in hundredths of a second.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

fn load(args: &Args) -> Result<SpeechModel> {
    let settings = SpeechSettings {
        beam: args.beam,
        ..SpeechSettings::default()
    };
    let recogniser: Box<dyn EngineSource> = match args.model.join("model.onnx").is_file() {
        true => Box::new(CtcModel::open(
            CtcFiles::read(&args.model)?,
            CtcRunBy::Tract,
            settings.decode(),
        )?),
        false => Box::new(TransducerModel::open(
            &args.model,
            RunBy::Auricle,
            settings.decode(),
        )?),
    };
    let parts = SpeechParts {
        recogniser,
        vad: Arc::new(PlainSileroSource::open(&args.vad)?),
        second_pass: None,
        language: Arc::new(LanguageData::default_model()?),
        hotwords: Hotwords::default(),
        stands_in: false,
    };
    Ok(SpeechModel::new(parts, settings)?)
}

fn judge(pack: &Path) -> Result<Judge> {
    let mut find = |from: &str, wanted: &str| {
        let path = Path::new(from).with_file_name(wanted);
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        let file = path.display().to_string();
        Ok(Included {
            id: file.clone(),
            file,
            bytes,
        })
    };
    let bytes = std::fs::read(pack).with_context(|| pack.display().to_string())?;
    let file = PackFile::read_with(&pack.display().to_string(), &bytes, &mut find);
    let compiled = RuleSet::compile(&[file]).map_err(|mistakes| anyhow!(mistakes.to_string()))?;
    Ok(Judge {
        rules: Arc::new(compiled.rules),
        card: None,
        intents: Arc::new(Language::Mandarin.model().clone()),
        emotions: None,
    })
}

/// Both channels of every recording, 16-bit linear, low byte first.
fn legs(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "wav"))
        .collect();
    files.sort();
    let mut legs = Vec::new();
    for file in files {
        let mut reader = AudioReader::open(&file)?;
        let mut channels = [Vec::new(), Vec::new()];
        let mut block = AudioBlock::new();
        while reader.next_block(&mut block)? > 0 {
            for (channel, samples) in channels.iter_mut().zip(block.channels()) {
                let samples = samples.iter().map(|sample| (sample * 32768.0) as i16);
                channel.extend(samples.flat_map(i16::to_le_bytes));
            }
        }
        legs.extend(channels);
    }
    Ok(legs)
}

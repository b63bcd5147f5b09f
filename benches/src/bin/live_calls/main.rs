//! How many two-leg calls the live pipeline holds in real time: real recordings spoken as calls that come and go, 20 ms packets,
//! everything on; in this process, or over AudioSocket into a program that serves.
//!
//! Told are the pipeline's own histograms without the first seconds, processor time by stage, memory, and how long after its
//! last word an alert was there. `../shared/tools/peer_live.py` does the same with sherpa-onnx's OnlineRecognizer.

#![expect(clippy::print_stdout, reason = "a report")]

mod alerts;
mod in_process;
mod parts;
mod served;
mod slots;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use auricle_benches::spent::Spent;
use auricle_benches::{Recording, recordings};
use auricle_insight::Judge;
use auricle_live::{Live, LiveOutput, LiveSettings, MachineClock, Measured};
use auricle_speech::SpeechModel;
use clap::Parser;
use mimalloc::MiMalloc;

use self::alerts::{AlertTimes, Began};
use self::in_process::InProcess;
use self::served::{OverAudioSocket, Served};
use self::slots::{Slots, Way};

/// Calls under way at a time, and how they fare.
#[derive(Parser)]
struct Args {
    /// Calls at a time.
    #[arg(long, num_args = 1.., default_values_t = [10, 20, 40], value_delimiter = ',')]
    calls: Vec<usize>,
    /// How long they go on, seconds.
    #[arg(long, default_value_t = 30)]
    secs: u64,
    /// A row of figures so often, seconds; 0: one at the end.
    #[arg(long, default_value_t = 0)]
    every: u64,
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
    /// The program to start, and to call over AudioSocket; it finds its models by AURICLE_MODELS. Without it, in this process.
    #[arg(long)]
    serve: Option<PathBuf>,
}

/// The allocator that the program has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Until the figures are those of work that goes on.
const WARM_UP: Duration = Duration::from_secs(3);
/// Calls before those that are measured, so that what all calls share is there.
const FIRST_CALLS: usize = 4;
/// How long those go on, and how long they may take to be saved.
const FIRST_CALLS_LAST: Duration = Duration::from_secs(8);
const SAVED_WITHIN: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    let args = Args::parse();
    let recordings = recordings(&args.recordings)?;
    match &args.serve {
        Some(binary) => {
            println!("{}, over AudioSocket", binary.display());
            print_head();
            for n_calls in &args.calls {
                let served = Served::start(binary, *n_calls)?;
                let mut way = OverAudioSocket { served: &served };
                let run = Run {
                    process: Some(served.process()),
                    read: &|| served.figures(),
                };
                run.speak(&args, *n_calls, &recordings, &mut way)?;
            }
        }
        None => {
            let model = Arc::new(parts::model(&args)?);
            let judge = Arc::new(parts::judge(&args.pack)?);
            println!("{}, beam {}, in process", model.name(), args.beam);
            print_head();
            for n_calls in &args.calls {
                in_process(&args, *n_calls, &model, &judge, &recordings)?;
            }
        }
    }
    Ok(())
}

fn in_process(
    args: &Args,
    n_calls: usize,
    model: &Arc<SpeechModel>,
    judge: &Arc<Judge>,
    recordings: &[Recording],
) -> Result<()> {
    let usual = LiveSettings::default();
    let settings = LiveSettings {
        n_recognise: std::num::NonZeroUsize::new(args.threads).unwrap_or(usual.n_recognise),
        // Those that are over and not yet judged count.
        most_calls: 2 * n_calls + FIRST_CALLS,
        ..usual
    };
    let (live, output) = Live::start(settings, model, Arc::new(MachineClock::new()))?;
    let (is_over, began) = (AtomicBool::new(false), Began::default());
    let mut way = InProcess {
        live: &live,
        model: Arc::clone(model),
        judge: Arc::clone(judge),
        began: &began,
    };
    let run = Run {
        process: None,
        read: &|| Ok((measured(&live), live.metrics().counts().partials_shed)),
    };
    let times = std::thread::scope(|scope| {
        let (is_over, began) = (&is_over, &began);
        let reader = scope.spawn(move || read(&output, is_over, began));
        let spoken = run.speak(args, n_calls, recordings, &mut way);
        is_over.store(true, Ordering::Relaxed);
        let times = reader.join();
        spoken.map(|()| times)
    })?;
    if let Ok(times) = times {
        println!("{}", times.table());
    }
    Ok(())
}

/// A pipeline at work.
struct Run<'r> {
    /// Its process; `None`: this one.
    process: Option<u32>,
    /// Its histograms, and the partials that it left out.
    read: &'r dyn Fn() -> Result<([Measured; 3], u64)>,
}

impl Run<'_> {
    /// Speaks calls and prints rows.
    fn speak(
        &self,
        args: &Args,
        n_calls: usize,
        recordings: &[Recording],
        way: &mut dyn Way,
    ) -> Result<()> {
        let mut slots = Slots::new(recordings);
        slots.fill(1..1 + FIRST_CALLS, way)?;
        slots.speak(FIRST_CALLS_LAST, way)?;
        slots.hang_up();
        std::thread::sleep(SAVED_WITHIN);
        let resident_kib = Spent::so_far(self.process)?.resident_kib;
        slots.fill(0..n_calls, way)?;
        slots.speak(WARM_UP, way)?;
        let every = match args.every {
            0 => args.secs,
            every => every.min(args.secs),
        };
        let mut left = args.secs;
        while left > 0 {
            let secs = every.min(left);
            left -= secs;
            let (before, spent) = ((self.read)()?, Spent::so_far(self.process)?);
            slots.speak(Duration::from_secs(secs), way)?;
            let now = Spent::so_far(self.process)?;
            let cores = now.since(&spent, secs as f64);
            let after = (self.read)()?;
            let figures = before.0.iter().zip(&after.0);
            let rows: Vec<String> = figures
                .map(|(before, after)| shares(before, after))
                .collect();
            let (busiest, share) = cores.busiest();
            println!(
                "{n_calls:>6} {:>21} {:>21} {:>21} {:>6.2} {:>6.3} {:>6.2} {:>6.2} {:>6} {:>6} {:>6} {:>8} {:>7.0} {busiest} {share:.2}",
                rows[0],
                rows[1],
                rows[2],
                cores.all,
                cores.of("front"),
                cores.of("recognise"),
                cores.of("judge"),
                after.1 - before.1,
                slots.held_back.as_millis(),
                slots.behind.as_millis(),
                now.resident_kib.saturating_sub(resident_kib) / n_calls as u64,
                n_calls as f64 / cores.all,
            );
        }
        Ok(())
    }
}

fn print_head() {
    println!(
        "ms at p50/95/99; cores busy; partials shed; ms held back and this tool behind; KiB a call beyond what was held before them; calls a core"
    );
    println!(
        "{:>6} {:>21} {:>21} {:>21} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>8} {:>7} busiest thread",
        "calls",
        "packet→partial",
        "silence→final",
        "word→alert",
        "cores",
        "front",
        "recog.",
        "judge",
        "shed",
        "held",
        "behind",
        "KiB",
        "a core",
    );
}

fn read(output: &LiveOutput, is_over: &AtomicBool, began: &Began) -> AlertTimes {
    let mut times = AlertTimes::default();
    while !is_over.load(Ordering::Relaxed) {
        if let Some(told) = output.next(Duration::from_millis(20)) {
            times.take(&told, began);
        }
    }
    times
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
    format!("{}/{}/{}", share(0.5), share(0.95), share(0.99))
}

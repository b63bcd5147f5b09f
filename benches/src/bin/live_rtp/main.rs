//! How many recording sessions `auricle serve` takes over SIP and RTP: calls of two streams set up one after the other, 50 packets
//! a second each, sent by threads of this tool; packets that the program counted beside those that were sent.
//!
//! On one machine this tool takes processor time from the program: `behind` says when it could not keep its own pace.

#![expect(clippy::print_stdout, reason = "a report")]

mod sender;
mod served;
mod session;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use auricle_audio::g711::Law;
use auricle_benches::recordings;
use auricle_benches::spent::Spent;
use clap::Parser;
use mimalloc::MiMalloc;

use self::sender::{Leg, Senders};
use self::served::{Figures, Served};
use self::session::Sessions;

/// Calls over SIP, and how they fare.
#[derive(Parser)]
struct Args {
    /// The program to start; it finds its models by AURICLE_MODELS.
    #[arg(long)]
    serve: PathBuf,
    /// Calls at a time.
    #[arg(long, num_args = 1.., default_values_t = [50, 100, 200], value_delimiter = ',')]
    calls: Vec<usize>,
    /// Calls that are set up in a second.
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// How long they go on, seconds.
    #[arg(long, default_value_t = 30)]
    secs: u64,
    /// Threads that send.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Folder of stereo recordings at 8 kHz.
    #[arg(long, default_value = "../shared/audio/zh-calls-dev")]
    recordings: PathBuf,
    /// Nobody speaks: what SIP and RTP cost without recognition.
    #[arg(long)]
    silent: bool,
}

/// The allocator that the program has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Until the figures are those of work that goes on.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long packets are under way.
const ON_THE_WAY: Duration = Duration::from_secs(1);
/// µ-law of nothing.
const SILENCE: u8 = 0xff;

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.rate > 0, "`--rate` must be at least 1");
    ensure!(args.threads > 0, "`--threads` must be at least 1");
    let audio = audio(&args)?;
    println!(
        "set-ups in ms, p50 and most; packets sent, that the program counted, and that it counted as not heard; cores busy, \
         those of the threads that receive, KiB a call beyond what was held before them; ms this tool was behind"
    );
    println!(
        "{:>6} {:>11} {:>10} {:>10} {:>8} {:>6} {:>6} {:>7} {:>7} busiest thread",
        "calls", "set-up", "sent", "counted", "unheard", "cores", "rtp", "KiB", "behind"
    );
    for n_calls in &args.calls {
        measure(&args, *n_calls, &audio)?;
    }
    Ok(())
}

/// The legs of all recordings, µ-law.
fn audio(args: &Args) -> Result<Vec<[Vec<u8>; 2]>> {
    let of_recording = |legs: [Vec<u8>; 2]| {
        legs.map(|linear| {
            let (samples, _) = linear.as_chunks::<2>();
            let samples = samples.iter().map(|sample| i16::from_le_bytes(*sample));
            let codes = samples.map(|sample| Law::Mu.encode(sample));
            match args.silent {
                true => vec![SILENCE; codes.len()],
                false => codes.collect(),
            }
        })
    };
    let recordings = recordings(&args.recordings)?;
    Ok(recordings.into_iter().map(of_recording).collect())
}

/// Has so many calls go on, and prints a row.
fn measure(args: &Args, n_calls: usize, audio: &[[Vec<u8>; 2]]) -> Result<()> {
    let served = Served::start(&args.serve, n_calls, args.rate)?;
    let process = Some(served.process());
    let resident_kib = Spent::so_far(process)?.resident_kib;
    std::thread::scope(|scope| {
        let senders = Senders::start(scope, args.threads)?;
        let mut sessions = Sessions::new(served.sip())?;
        set_up(args, n_calls, audio, &mut sessions, &senders)?;
        std::thread::sleep(WARM_UP);
        let before = Spent::so_far(process)?;
        std::thread::sleep(Duration::from_secs(args.secs));
        let now = Spent::so_far(process)?;
        let sent = senders.stop();
        std::thread::sleep(ON_THE_WAY);
        let Figures { datagrams, unheard } = served.figures()?;
        let cores = now.since(&before, args.secs as f64);
        let (busiest, share) = cores.busiest();
        let (median_ms, most_ms) = sessions.set_up_ms();
        println!(
            "{n_calls:>6} {:>11} {:>10} {datagrams:>10} {unheard:>8} {:>6.2} {:>6.3} {:>7} {:>7} {busiest} {share:.2}",
            format!("{median_ms}/{most_ms}"),
            sent.n_packets,
            cores.all,
            cores.of("rtp"),
            now.resident_kib.saturating_sub(resident_kib) / n_calls.max(1) as u64,
            sent.behind.as_millis(),
        );
        sessions.hang_up()
    })
}

/// Opens calls one by one at the rate, each on another recording.
fn set_up(
    args: &Args,
    n_calls: usize,
    audio: &[[Vec<u8>; 2]],
    sessions: &mut Sessions,
    senders: &Senders,
) -> Result<()> {
    let began = Instant::now();
    for number in 0..n_calls {
        let due = Duration::from_secs(1) * number as u32 / args.rate;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let ports = sessions.open()?;
        let recording = &audio[number * 7 % audio.len()];
        for (place, (port, codes)) in ports.into_iter().zip(recording).enumerate() {
            let source = (2 * number + place) as u32;
            senders.take(Leg::new(port, source, codes.clone()));
        }
    }
    Ok(())
}

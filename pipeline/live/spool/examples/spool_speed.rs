//! What recordings cost: `spool_speed [FOLDER]`.
//!
//! Two legs of µ-law in packets of 20 ms, flushed once a second of call time, into the FOLDER (a new one in the
//! system's temporary folder): time of this thread for a packet, bytes beside the audio, time of a barrier, reading.

#![expect(clippy::print_stdout, reason = "a report")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use auricle_spool::{
    Audio, Encoding, Ending, KeyRing, Record, RecordingReader, Spool, SpoolOptions, SpoolRecording,
    rotate,
};

const N_CALLS: u64 = 2_000;
const CALL_SECS: u64 = 20;
const PACKETS_PER_SEC: u64 = 50;
const LEGS: u8 = 2;
const PACKET_BYTES: u64 = 160;
/// See `FORMAT.md`.
const HEADER_BYTES: u64 = 8192;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let named = std::env::args_os().nth(1).map(PathBuf::from);
    let temporary = std::env::temp_dir().join(format!("spool_speed-{}", std::process::id()));
    let folder = named.unwrap_or_else(|| temporary.clone());
    let outcome = measure(&folder);
    if folder == temporary {
        fs::remove_dir_all(&folder)?;
    }
    outcome
}

fn measure(folder: &Path) -> Fallible<()> {
    let mut keys = KeyRing::generate("speed".parse()?)?;
    let spool = Spool::open(folder, keys.clone(), SpoolOptions::default())?;
    println!("{N_CALLS} calls at once, {LEGS} legs each, {CALL_SECS} s of telephone audio");
    let mut recordings = begin(&spool)?;
    let mut run = Run::default();
    for second in 0..CALL_SECS {
        run.second(&mut recordings, second)?;
        run.barrier(&spool)?;
    }
    let mut names = Vec::new();
    let started = Instant::now();
    for recording in &mut recordings {
        recording.finish(b"{}")?;
        names.push(*recording.name());
    }
    println!("finish: {:.1} us a call", us(started) / N_CALLS as f64);
    drop(recordings);
    let started = Instant::now();
    spool.barrier()?;
    println!(
        "last barrier, with all moved to done: {:.0} ms",
        us(started) / 1e3
    );

    run.report(spool.stats().n_written_bytes);
    let started = Instant::now();
    for name in &names {
        if RecordingReader::open(&spool.done_path(name), &keys)?.verify()? != Ending::Finished {
            return Err("a recording did not come back".into());
        }
    }
    let secs = us(started) / 1e6;
    println!(
        "read and proved: {:.0} MB/s",
        run.audio_bytes() as f64 / 1e6 / secs
    );

    keys.add("next".parse()?)?;
    let started = Instant::now();
    let rotation = rotate(folder, &keys, &mut |_, _, _| {})?;
    println!(
        "rotated: {:.0} us a call ({} calls)",
        us(started) / N_CALLS as f64,
        rotation.n_done
    );
    Ok(())
}

fn begin(spool: &Spool) -> Fallible<Vec<SpoolRecording>> {
    let started = Instant::now();
    let begin = br#"{"call":"00000000","legs":[{"encoding":"ulaw","rate_hz":8000},{"encoding":"ulaw","rate_hz":8000}]}"#;
    let recordings = (0..N_CALLS).map(|_| spool.create(1_795_166_000_000, begin));
    let recordings = recordings.collect::<Result<Vec<_>, _>>()?;
    println!("begin: {:.1} us a call", us(started) / N_CALLS as f64);
    Ok(recordings)
}

#[derive(Default)]
struct Run {
    n_packets: u64,
    append_secs: f64,
    flush_secs: f64,
    barriers_ms: Vec<f64>,
}

impl Run {
    /// A second of every call: the packets of all, then a flush of each.
    fn second(&mut self, recordings: &mut [SpoolRecording], second: u64) -> Fallible<()> {
        let from = processor_secs();
        for n in second * PACKETS_PER_SEC..(second + 1) * PACKETS_PER_SEC {
            let payload = [n as u8; PACKET_BYTES as usize];
            for recording in recordings.iter_mut() {
                for leg in 0..LEGS {
                    let audio = Audio {
                        leg,
                        at: n * PACKET_BYTES,
                        encoding: Encoding::Ulaw,
                        rate_hz: 8000,
                        payload: &payload,
                    };
                    recording.append(Record::Audio(audio))?;
                    self.n_packets += 1;
                }
            }
        }
        let appended = processor_secs();
        for recording in recordings.iter_mut() {
            recording.flush()?;
        }
        self.append_secs += appended - from;
        self.flush_secs += processor_secs() - appended;
        Ok(())
    }

    fn barrier(&mut self, spool: &Spool) -> Fallible<()> {
        let started = Instant::now();
        spool.barrier()?;
        self.barriers_ms.push(us(started) / 1e3);
        Ok(())
    }

    fn audio_bytes(&self) -> u64 {
        self.n_packets * PACKET_BYTES
    }

    fn report(&mut self, n_written_bytes: u64) {
        let n_packets = self.n_packets as f64;
        let secs = self.append_secs + self.flush_secs;
        println!(
            "append: {:.0} ns a packet; seal and write: {:.0} ns",
            self.append_secs / n_packets * 1e9,
            self.flush_secs / n_packets * 1e9
        );
        println!(
            "together: {:.2} million packets/s a core",
            n_packets / secs / 1e6
        );
        let core_percent = secs / CALL_SECS as f64 * 100.0;
        println!("{N_CALLS} calls take {core_percent:.1} % of a core");
        let beside = n_written_bytes - self.audio_bytes();
        let headers = N_CALLS * HEADER_BYTES;
        println!(
            "beside the audio: {:.2} bytes a packet, {HEADER_BYTES} a call, {:.2} % of calls of {CALL_SECS} s",
            (beside - headers) as f64 / n_packets,
            beside as f64 / self.audio_bytes() as f64 * 100.0
        );
        self.barriers_ms.sort_by(f64::total_cmp);
        let middle = self.barriers_ms[self.barriers_ms.len() / 2];
        let most = self.barriers_ms[self.barriers_ms.len() - 1];
        println!("barrier: {middle:.0} ms, at most {most:.0} ms");
    }
}

fn us(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6
}

/// The time this thread had the processor for, where the system tells it: other work does not count.
fn processor_secs() -> f64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let busy_ns = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    busy_ns.map_or_else(
        || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.map_or(0.0, |elapsed| elapsed.as_secs_f64())
        },
        |ns| ns / 1e9,
    )
}

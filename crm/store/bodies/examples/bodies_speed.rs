//! What a body costs: `bodies_speed FOLDER…`.
//!
//! A FOLDER has calls as `analyze --out` writes them. Their transcripts and assessments are written and read in the
//! store's encoding and in the one before it, JSON in zlib, side by side: one thread, its best of some rounds.

#![expect(clippy::print_stdout, reason = "a report")]

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use auricle_bodies::{Content, Packed, decode, encode};
use auricle_contracts::{Assessment, Transcript};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

const N_ROUNDS: usize = 15;
/// The clock may be some milliseconds behind.
const ROUND_SECS: f64 = 0.1;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let folders: Vec<_> = std::env::args_os().skip(1).collect();
    if folders.is_empty() {
        return Err("usage: bodies_speed FOLDER…".into());
    }
    let mut transcripts: Vec<Transcript> = Vec::new();
    let mut assessments: Vec<Assessment> = Vec::new();
    for folder in &folders {
        transcripts.extend(read(Path::new(folder))?);
        assessments.extend(read(Path::new(folder))?);
    }
    let counts = transcripts.iter().map(|call| call.utterances.len());
    let bench = Bench {
        n_utterances: counts.sum::<usize>().max(1),
        started: Instant::now(),
    };
    println!(
        "{} calls, {} utterances; each figure for one",
        transcripts.len(),
        bench.n_utterances
    );
    println!("{:24}{:>10}{:>11}{:>11}", "", "bytes", "write", "read");
    bench.compare("transcripts", &transcripts, Compression::default())?;
    bench.compare("assessments", &assessments, Compression::fast())
}

struct Bench {
    n_utterances: usize,
    started: Instant,
}

impl Bench {
    /// `level` is what the store took for JSON of this kind.
    fn compare<Value>(&self, what: &str, values: &[Value], level: Compression) -> Fallible<()>
    where
        Value: Content + Serialize,
    {
        let old = values.iter().map(|value| zlib(value, level));
        let old = old.collect::<Fallible<Vec<_>>>()?;
        self.line(
            &format!("{what}, JSON+zlib"),
            old.iter().map(Vec::len).sum(),
            || {
                values
                    .iter()
                    .for_each(|value| drop(black_box(zlib(value, level))))
            },
            || {
                old.iter()
                    .for_each(|body| drop(black_box(decode::<Value>("json+zlib", body))))
            },
        );
        let new = values.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        self.line(
            &format!("{what}, packed"),
            new.iter().map(|body| body.bytes.len()).sum(),
            || {
                values
                    .iter()
                    .for_each(|value| drop(black_box(encode(value))))
            },
            || {
                for body in &new {
                    drop(black_box(decode::<Value>(body.encoding, &body.bytes)));
                }
            },
        );
        let compared_us = self.us(|| {
            for (value, body) in values.iter().zip(&new) {
                let packed = Packed::new(value);
                black_box(packed.is_ok_and(|packed| packed.is_in(body.encoding, &body.bytes)));
            }
        });
        println!("{what} laid out and compared: {compared_us:.2} us");
        Ok(())
    }

    fn line(&self, name: &str, n_bytes: usize, write: impl FnMut(), read: impl FnMut()) {
        let n_bytes = n_bytes as f64 / self.n_utterances as f64;
        let (write_us, read_us) = (self.us(write), self.us(read));
        println!("{name:24}{n_bytes:10.1}{write_us:8.2} us{read_us:8.2} us");
    }

    /// The time this thread had the processor for, where the system tells it: other work does not count.
    fn now_secs(&self) -> f64 {
        let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let busy_ns = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        busy_ns.map_or_else(|| self.started.elapsed().as_secs_f64(), |ns| ns / 1.0e9)
    }

    /// Microseconds an utterance of the best round.
    fn us(&self, mut work: impl FnMut()) -> f64 {
        let mut best = f64::MAX;
        for _ in 0..N_ROUNDS {
            let from = self.now_secs();
            let (mut n_passes, mut secs) = (0, 0.0);
            while secs < ROUND_SECS {
                work();
                n_passes += 1;
                secs = self.now_secs() - from;
            }
            best = best.min(secs / f64::from(n_passes));
        }
        best * 1.0e6 / self.n_utterances as f64
    }
}

fn zlib(value: &impl Serialize, level: Compression) -> Fallible<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), level);
    packer.write_all(&serde_json::to_vec(value)?)?;
    Ok(packer.finish()?)
}

fn read<Value: DeserializeOwned>(folder: &Path) -> Fallible<Vec<Value>> {
    let mut values = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let value = serde_json::from_slice(&fs::read(&path)?);
            values.push(value.map_err(|error| format!("{}: {error}", path.display()))?);
        }
    }
    Ok(values)
}

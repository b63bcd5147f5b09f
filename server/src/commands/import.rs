//! `auricle import`: transcripts that another installation wrote.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use auricle_contracts::Transcript;
use auricle_store::{Fingerprints, Recording, RunCounts, Store};
use clap::Args;
use walkdir::WalkDir;

use crate::app::App;
use crate::clock;
use crate::exit::{Exit, message_of};
use crate::index::CallIndex;
use crate::terminal::{count, printable, say};

const EXAMPLES: &str = "\
Reads the JSON files that `analyze --out` writes, and the JSON lines of `export --format jsonl`:
  auricle export --out calls.jsonl        on one machine
  auricle import calls.jsonl              on the other
  auricle import out/                     every .json and .jsonl of a folder

A call that is there with the same transcript is skipped; one that differs is refused unless
--replace is given. Imported calls are heard again when `analyze` meets their recordings.";

/// A longer line is no transcript: a day of speech is about 100 MB.
const MAX_LINE_BYTES: u64 = 1 << 30;

/// Options of `auricle import`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// JSON files, JSON lines files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Replace calls that are there with another transcript.
    #[arg(long)]
    replace: bool,
}

/// What to do with a call that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Existing {
    Refuse,
    Replace,
}

/// What became of one transcript.
enum Imported {
    Saved,
    Same,
}

pub(crate) fn run(app: &mut App, args: &ImportArgs) -> Result<Exit> {
    let _lock = app.config.data.lock()?;
    let store = app.store()?;
    let mut index = CallIndex::open_to_write(&app.config.data.index())?;
    let existing = if args.replace {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let mut counts = RunCounts::default();
    let run = app
        .runtime
        .block_on(store.begin_run(&clock::now_text(), args.paths.len() as u64))?;
    for path in files(&args.paths) {
        let outcome = path.and_then(|path| {
            let reader = open_transcripts(&path)?;
            for transcript in reader {
                let place = || format!("`{}`", path.display());
                let saved =
                    transcript.and_then(|transcript| save(app, &store, &transcript, existing));
                match saved.with_context(place) {
                    Ok(Imported::Saved) => counts.n_done += 1,
                    Ok(Imported::Same) => counts.n_skipped += 1,
                    Err(error) => report(&mut counts, &error),
                }
            }
            Ok(())
        });
        if let Err(error) = outcome {
            report(&mut counts, &error);
        }
    }
    app.runtime.block_on(index.catch_up(&store))?;
    app.runtime
        .block_on(store.finish_run(run, counts, &clock::now_text()))?;
    say!(
        "imported {}, {} were there already, {} failed",
        count(counts.n_done, "call"),
        counts.n_skipped,
        counts.n_failed
    );
    Ok(if counts.n_failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn report(counts: &mut RunCounts, error: &anyhow::Error) {
    counts.n_failed += 1;
    say!("failed: {}", message_of(error));
}

/// The files named, and those in the folders named, by name.
fn files(paths: &[PathBuf]) -> impl Iterator<Item = Result<PathBuf>> {
    let is_wanted = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        matches!(ending, Some("json" | "jsonl"))
    };
    paths.iter().flat_map(move |path| {
        WalkDir::new(path)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter()
            .filter_map(move |entry| match entry {
                Ok(entry) if entry.file_type().is_dir() => None,
                Ok(entry) if entry.depth() == 0 || is_wanted(entry.path()) => {
                    Some(Ok(entry.into_path()))
                }
                Ok(_) => None,
                Err(error) => Some(Err(error.into())),
            })
    })
}

type Transcripts = Box<dyn Iterator<Item = Result<Transcript>>>;

fn open_transcripts(path: &Path) -> Result<Transcripts> {
    let shown = printable(&path.display().to_string());
    if path.extension().is_some_and(|ending| ending == "jsonl") {
        let file = File::open(path).with_context(|| format!("cannot read `{shown}`"))?;
        return Ok(Box::new(json_lines(BufReader::new(file))));
    }
    let text = fs::read(path).with_context(|| format!("cannot read `{shown}`"))?;
    let parsed = serde_json::from_slice(&text).context("this is no transcript");
    Ok(Box::new(std::iter::once(parsed)))
}

/// One transcript a line, read as they are needed; empty lines count as nothing.
fn json_lines(mut reader: impl BufRead + 'static) -> impl Iterator<Item = Result<Transcript>> {
    let mut n_lines = 0;
    let mut line = Vec::new();
    std::iter::from_fn(move || {
        loop {
            n_lines += 1;
            line.clear();
            let read =
                std::io::Read::take(&mut reader, MAX_LINE_BYTES).read_until(b'\n', &mut line);
            match read.with_context(|| format!("line {n_lines}")) {
                Ok(0) => return None,
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    let parsed = serde_json::from_slice(&line);
                    return Some(
                        parsed.with_context(|| format!("line {n_lines} is no transcript")),
                    );
                }
                Err(error) => return Some(Err(error)),
            }
        }
    })
}

fn save(app: &App, store: &Store, transcript: &Transcript, existing: Existing) -> Result<Imported> {
    check(transcript)?;
    let call_id = &transcript.call_id;
    let known = app.runtime.block_on(store.transcript(call_id))?;
    match (known, existing) {
        (Some(known), _) if known == *transcript => return Ok(Imported::Same),
        (Some(_), Existing::Refuse) => bail!(
            "call `{call_id}` is there with another transcript\nhint: --replace takes this one instead"
        ),
        _ => {}
    }
    let recording = Recording {
        call_id: call_id.clone(),
        file: transcript.file.clone(),
        path: transcript.file.clone(),
        size_bytes: 0,
        metadata: transcript.metadata.clone(),
    };
    // No fingerprints: what heard this call is not here to compare with.
    let prints = Fingerprints::default();
    let now = clock::now_text();
    app.runtime
        .block_on(store.save_done(None, &recording, &prints, transcript, &now))?;
    Ok(Imported::Saved)
}

/// What files of others may not bring in.
fn check(transcript: &Transcript) -> Result<()> {
    let name = transcript.call_id.0.as_str();
    if name.trim().is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        bail!(
            "`call_id` must be 1 to 255 bytes without control characters, got `{}`",
            printable(name)
        );
    }
    for utterance in &transcript.utterances {
        if utterance.start_ms > utterance.end_ms {
            bail!(
                "call `{name}`: an utterance ends before it starts: `start_ms` is {}, `end_ms` is {}",
                utterance.start_ms,
                utterance.end_ms
            );
        }
    }
    Ok(())
}

//! `auricle import`: transcripts that another installation wrote.

mod check;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use auricle_contracts::{Transcript, Utterance};
use auricle_store::{AssessmentRecord, Fingerprints, Recording, RunCounts, Store};
use clap::Args;
use walkdir::WalkDir;

use self::check::{check, unreadable_utterance};
use crate::app::App;
use crate::clock;
use crate::exit::{Exit, message_of};
use crate::index::{CallIndex, NEVER_STOP};
use crate::judge::Judges;
use crate::plainly::json_plainly;
use crate::terminal::{count, printable, say};

const EXAMPLES: &str = "\
Reads the JSON files that `analyze --out` writes, and the JSON lines of `export --format jsonl`:
  auricle export --out calls.jsonl        on one machine
  auricle import calls.jsonl              on the other
  auricle import out/                     every .json and .jsonl of a folder

Utterances are put in the order of their start. A call that is there with the same transcript is skipped; one that differs is refused unless
--replace is given. Other programs may write such files too: `layout`, `metadata`, `confidence`,
`warnings` and `alternatives` may be left out.

An imported call keeps its id. A recording of the same name that `analyze` meets is another call;
the one at the very path that the transcript has as `file` is this call, and is left as imported
unless `analyze --force` is given.";

const WANTED: &str =
    "hint: wanted are the .json files that `analyze --out` writes, or the .jsonl file of `export`";

/// A longer text is no transcript: a day of speech is about 100 MB.
const MAX_TRANSCRIPT_BYTES: u64 = 1 << 30;

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
    let folder = app.config.data.index();
    let index = CallIndex::open_to_write(&folder, &store);
    let mut index = app.runtime.block_on(index)?;
    let existing = if args.replace {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let judges = Judges::load(&app.config)?;
    judges.check_models()?;
    app.runtime.block_on(judges.save_recipes(&store))?;
    let mut counts = RunCounts::default();
    let mut n_sorted = 0;
    let run = app
        .runtime
        .block_on(store.begin_run(&clock::now_text(), args.paths.len() as u64))?;
    for path in files(&args.paths) {
        let outcome = path.and_then(|path| {
            let reader = open_transcripts(&path)?;
            for transcript in reader {
                let place = || format!("`{}`", path.display());
                let mut is_sorted = false;
                let saved = transcript.and_then(|mut transcript| {
                    is_sorted = put_in_order(&mut transcript.utterances);
                    save(app, &store, &judges, &transcript, existing)
                });
                match saved.with_context(place) {
                    Ok(Imported::Saved) => {
                        counts.n_done += 1;
                        n_sorted += u64::from(is_sorted);
                    }
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
    app.runtime
        .block_on(index.catch_up(&store, &judges, &NEVER_STOP))?;
    app.runtime
        .block_on(store.finish_run(run, counts, &clock::now_text()))?;
    if n_sorted > 0 {
        let calls = count(n_sorted, "call");
        say!(
            "note: utterances of {calls} were not in the order of their start; they were put into it"
        );
    }
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

/// By start, then channel, as every transcript has them: what was said is read, searched and judged in this order. Gives
/// whether they came in another.
fn put_in_order(utterances: &mut [Utterance]) -> bool {
    let place = |said: &Utterance| (said.start_ms, said.channel);
    let was_in_order = utterances.is_sorted_by_key(place);
    utterances.sort_by_key(place);
    !was_in_order
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
                Err(error) => Some(Err(unreadable(&error, path))),
            })
    })
}

/// Without the words that the walk puts around the cause.
fn unreadable(error: &walkdir::Error, given: &Path) -> anyhow::Error {
    let path = error.path().unwrap_or(given).display().to_string();
    let path = printable(&path);
    match error.io_error() {
        Some(cause) => anyhow!("cannot read `{path}`: {cause}"),
        None => anyhow!("cannot read `{path}`: a link leads back to a folder above it"),
    }
}

type Transcripts = Box<dyn Iterator<Item = Result<Transcript>>>;

fn open_transcripts(path: &Path) -> Result<Transcripts> {
    let shown = printable(&path.display().to_string());
    if path.extension().is_some_and(|ending| ending == "jsonl") {
        let file = File::open(path).with_context(|| format!("cannot read `{shown}`"))?;
        let reader = BufReader::new(file);
        return Ok(Box::new(json_lines(reader, MAX_TRANSCRIPT_BYTES)));
    }
    let file = File::open(path).with_context(|| format!("cannot read `{shown}`"))?;
    let parsed = whole_json(file, MAX_TRANSCRIPT_BYTES);
    Ok(Box::new(std::iter::once(parsed)))
}

fn whole_json(file: impl Read, max_bytes: u64) -> Result<Transcript> {
    let mut text = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut text)?;
    if text.len() as u64 > max_bytes {
        bail!("this is no transcript: it is longer than {max_bytes} bytes");
    }
    let transcript = serde_json::from_slice(without_mark(&text))
        .map_err(|cause| no_transcript("this", &text, &cause, WANTED))?;
    check(&transcript)?;
    Ok(transcript)
}

/// Editors on Windows put a byte order mark before UTF-8.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

/// One transcript a line, read as they are needed; empty lines count as nothing. A line that is too
/// long is the last: where the next one begins is not looked for.
fn json_lines(
    mut reader: impl BufRead + 'static,
    max_bytes: u64,
) -> impl Iterator<Item = Result<Transcript>> {
    let (mut n_lines, mut is_over) = (0_u64, false);
    let mut line = Vec::new();
    std::iter::from_fn(move || {
        while !is_over {
            n_lines += 1;
            line.clear();
            let read = (&mut reader)
                .take(max_bytes + 1)
                .read_until(b'\n', &mut line);
            match read.with_context(|| format!("line {n_lines}")) {
                Ok(0) => is_over = true,
                Ok(n_bytes) if n_bytes as u64 > max_bytes => {
                    is_over = true;
                    return Some(Err(anyhow!(
                        "line {n_lines} is no transcript: it is longer than {max_bytes} bytes"
                    )));
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    return Some(one_line(&line, n_lines));
                }
                Err(error) => {
                    is_over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    })
}

fn one_line(line: &[u8], number: u64) -> Result<Transcript> {
    let transcript = serde_json::from_slice(without_mark(line)).map_err(|cause| {
        // Said once of a file that is something else altogether.
        let hint = if number == 1 { WANTED } else { "" };
        no_transcript(&format!("line {number}"), line, &cause, hint)
    })?;
    check(&transcript).with_context(|| format!("line {number}"))?;
    Ok(transcript)
}

/// What is wrong with a text; `hint` where it is not even near to a transcript.
fn no_transcript(name: &str, text: &[u8], cause: &serde_json::Error, hint: &str) -> anyhow::Error {
    match unreadable_utterance(without_mark(text)) {
        Some(cause) => anyhow!("{name} is no transcript: {cause}"),
        None if hint.is_empty() => anyhow!("{name} is no transcript: {}", json_plainly(cause)),
        None => anyhow!("{name} is no transcript: {}\n{hint}", json_plainly(cause)),
    }
}

fn save(
    app: &App,
    store: &Store,
    judges: &Judges,
    transcript: &Transcript,
    existing: Existing,
) -> Result<Imported> {
    let call_id = &transcript.call_id;
    let known = app.runtime.block_on(store.transcript(call_id))?;
    match (known, existing) {
        (Some(known), _) if known == *transcript => return Ok(Imported::Same),
        (Some(_), Existing::Refuse) => bail!(
            "call `{call_id}` is there with another transcript\nhint: --replace takes this one instead"
        ),
        _ => {}
    }
    let recording = recording_of(app, store, transcript)?;
    // No fingerprints: what heard this call is not here to compare with.
    let prints = Fingerprints::default();
    let now = clock::now_text();
    let save = store.save_done(None, &recording, &prints, transcript, &now);
    let transcript_version = app.runtime.block_on(save)?;
    let record = AssessmentRecord {
        call_id: call_id.clone(),
        transcript_version,
        rules_fingerprint: judges.of(transcript).print.clone(),
        made_at: now,
        assessment: judges.assess(transcript),
    };
    app.runtime.block_on(store.save_assessments(&[record]))?;
    Ok(Imported::Saved)
}

/// The recording of a transcript. A call that was heard here and comes back, corrected by hand, stays
/// the call of the recording it was heard from.
fn recording_of(app: &App, store: &Store, transcript: &Transcript) -> Result<Recording> {
    let known = app.runtime.block_on(store.call(&transcript.call_id))?;
    let here = known
        .map(|known| known.recording)
        .filter(|recording| recording.file == transcript.file);
    let (path, size_bytes) = here.map_or_else(
        || (transcript.file.clone(), 0),
        |recording| (recording.path, recording.size_bytes),
    );
    Ok(Recording {
        call_id: transcript.call_id.clone(),
        file: transcript.file.clone(),
        path,
        size_bytes,
        legs: Vec::new(),
        lines: Vec::new(),
        keys_pressed: Vec::new(),
        metadata: transcript.metadata.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What other programs are promised that they may write.
    const PROMISED: &str = r#"{"call_id": "x", "file": "x.wav", "duration_ms": 900, "engine": "other",
        "utterances": [{"party": "agent", "channel": 0, "start_ms": 0, "end_ms": 800,
        "text": "您好。", "spoken": "您好",
        "syllables": [{"s": "nin2", "start_ms": 0, "end_ms": 400, "conf": 0.9}],
        "words": [{"w": "您好", "start_ms": 0, "end_ms": 800}]}]}"#;

    #[test]
    fn what_other_programs_write_is_read() {
        let read = whole_json(PROMISED.as_bytes(), 10_000).unwrap();
        assert_eq!(read.utterances[0].syllables[0].s, "nin2");
        assert_eq!(read.layout, auricle_contracts::ChannelLayout::PerParty);
        let marked = format!("\u{feff}{PROMISED}");
        assert_eq!(whole_json(marked.as_bytes(), 10_000).unwrap(), read);
    }

    #[test]
    fn utterances_are_put_in_the_order_of_their_start() {
        let mut said = whole_json(PROMISED.as_bytes(), 10_000).unwrap().utterances;
        assert!(!put_in_order(&mut said));
        let of = |channel: u16, start_ms: u64| Utterance {
            channel,
            start_ms,
            ..said[0].clone()
        };
        let mut said = [of(0, 500), of(1, 500), of(1, 200), of(0, 200)];
        assert!(put_in_order(&mut said));
        let places = said.map(|said| (said.start_ms, said.channel));
        assert_eq!(places, [(200, 0), (200, 1), (500, 0), (500, 1)]);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let line = PROMISED.replace('\n', " ");
        let damaged = line.replace(r#""call_id": "x""#, r#""call_id": "x\n""#);
        let text = format!("{line}\n\n{damaged}\nRIFF\n");
        let lines = json_lines(std::io::Cursor::new(text), 10_000);
        let told = lines.skip(1).map(|read| message_of(&read.unwrap_err()));
        let told = told.collect::<Vec<_>>();
        assert!(told[0].starts_with("line 3: `call_id` must be"), "{told:?}");
        assert!(told[1].starts_with("line 4 is no transcript"), "{told:?}");
        let error = whole_json(&b"RIFF"[..], 10_000).unwrap_err().to_string();
        assert!(error.ends_with(WANTED), "{error}");
    }

    #[test]
    fn what_cannot_be_is_told_with_its_utterance() {
        let second = r#"{"party": "customer", "channel": 1, "start_ms": 800, "end_ms": 900, "text": "嗯",
            "spoken": "嗯", "confidence": 0.5, "syllables": [{"s": "en5", "start_ms": 800, "end_ms": 900,
            "conf": 0.9, "alternatives": [{"s": "n5", "conf": 0.1}]}], "words": []}"#;
        let check = |from: &str, to: &str, expected: &str| {
            let changed = second.replacen(from, to, 1);
            assert_ne!(changed, second, "{from}");
            let text = PROMISED.replace("]}]}", &format!("]}}, {changed}]}}"));
            let told = message_of(&whole_json(text.as_bytes(), 10_000).unwrap_err());
            assert!(told.starts_with(expected), "{told}");
        };
        let call = "call `x`, utterance 2: ";
        let starts = |rest: &str| format!("{call}{rest}");
        check(
            "\"start_ms\": 800",
            "\"start_ms\": 901",
            &starts("it ends before it starts: `start_ms` is 901"),
        );
        check(
            "\"end_ms\": 900",
            "\"end_ms\": 1901",
            &starts("it ends after the recording: `end_ms` is 1901"),
        );
        check("0.5", "50", &starts("`confidence` must be 0 to 1, got 50"));
        check(
            "0.5",
            "-0.5",
            &starts("`confidence` must be 0 to 1, got -0.5"),
        );
        check(
            "0.9",
            "1.1",
            &starts("the syllable `en5`: `conf` must be 0 to 1"),
        );
        check(
            "0.1",
            "2",
            &starts("the syllable `en5`: `conf` of an alternative must be"),
        );
        check(
            "\"words\": []",
            "\"words\": [{\"w\": \"嗯\", \"start_ms\": 9, \"end_ms\": 8}]",
            &starts("the word `嗯`: it ends before it starts"),
        );
        check(
            "800",
            "-800",
            "this is no transcript: utterance 2: expected a whole number, 0 or more, got `-800`",
        );
        let day = PROMISED.replace("\"duration_ms\": 900", "\"duration_ms\": 90000000");
        let told = message_of(&whole_json(day.as_bytes(), 10_000).unwrap_err());
        assert!(
            told.starts_with("call `x`: `duration_ms` is 90000000, more than a day"),
            "{told}"
        );
    }

    #[test]
    fn what_is_too_long_is_not_read_whole() {
        let max_bytes = PROMISED.len() as u64;
        whole_json(PROMISED.as_bytes(), max_bytes).unwrap();
        // An endless file ends the test only if the limit holds.
        let error = whole_json(std::io::repeat(b' '), max_bytes).unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error}");

        let line = PROMISED.replace('\n', " ");
        let lines = format!("{line}\n{line}{}\n{line}\n", " ".repeat(100));
        let reader = BufReader::new(std::io::Cursor::new(lines));
        let read = json_lines(reader, max_bytes + 1).collect::<Vec<_>>();
        assert_eq!(read.len(), 2);
        assert!(read[0].is_ok());
        let error = read[1].as_ref().unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}

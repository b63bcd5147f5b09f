//! How fast stored transcripts are assessed: `assess_speed FOLDER… [--dump FILE]`, run in the workspace's root.
//!
//! A FOLDER has transcripts as `analyze --out` writes them. All packs of `packs` judge them, with the card for
//! telemarketing; one thread, its best of some rounds. Then the stages one by one, each over all utterances, as
//! shares of the whole. `--dump` writes the assessments, a line of JSON each, to compare two builds by.

#![expect(clippy::print_stdout, reason = "a report")]

#[path = "../tests/common/pack.rs"]
mod pack;

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use auricle_contracts::{Assessment, Transcript};
use auricle_insight::emotion::EmotionTracker;
use auricle_insight::intent::Language;
use auricle_insight::pii::PiiFinder;
use auricle_insight::rules::{RuleRun, RuleSet};
use auricle_insight::scorecard::{CallView, Card};
use auricle_insight::summary::{CallText, summarize};
use auricle_insight::talk::{Edges, TalkTracker};
use auricle_insight::{CallRun, Facts, Judge, Spoken};

use pack::read_pack;

const PACKS: &str = "packs";
const CARD: &str = "packs/cards/zh-telemarketing.yaml";
const N_ROUNDS: usize = 9;
/// The clock may be some milliseconds behind.
const ROUND_SECS: f64 = 0.15;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let mut folders = Vec::new();
    let mut dump = None;
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument == OsStr::new("--dump") {
            true => dump = arguments.next().map(PathBuf::from),
            false => folders.push(PathBuf::from(argument)),
        }
    }
    if folders.is_empty() {
        return Err("usage: assess_speed FOLDER… [--dump FILE]".into());
    }
    let mut calls = Vec::new();
    for folder in &folders {
        calls.extend(read_calls(folder)?);
    }
    let judge = read_judge()?;
    let assessments: Vec<Assessment> = calls
        .iter()
        .map(|call| CallRun::assess(&judge, call))
        .collect();
    if let Some(path) = dump {
        fs::write(path, written(&assessments)?)?;
    }
    let n_utterances: usize = calls.iter().map(|call| call.utterances.len()).sum();
    let letters = calls.iter().flat_map(|call| &call.utterances);
    let n_letters: usize = letters.map(|said| said.spoken.chars().count()).sum();
    println!(
        "{} calls, {n_utterances} utterances of {:.1} letters, {} rules",
        calls.len(),
        n_letters as f64 / n_utterances.max(1) as f64,
        judge.rules.rules().len()
    );
    let timed = Timed {
        clock: Clock {
            started: Instant::now(),
        },
        n_utterances,
    };
    let whole_us = timed.us(|| {
        for call in &calls {
            black_box(CallRun::assess(&judge, black_box(call)));
        }
    });
    println!(
        "whole      {whole_us:8.2} us an utterance, {:9.0} utterances a second",
        1.0e6 / whole_us
    );
    for (name, us) in stages(&timed, &judge, &calls, &assessments) {
        println!("{name:10} {us:8.2} us, {:5.1} %", 100.0 * us / whole_us);
    }
    Ok(())
}

struct Timed {
    clock: Clock,
    n_utterances: usize,
}

/// The time this thread had the processor for, where the system tells it: other work does not count.
struct Clock {
    started: Instant,
}

impl Clock {
    fn now_secs(&self) -> f64 {
        let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let busy_ns = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        busy_ns.map_or_else(|| self.started.elapsed().as_secs_f64(), |ns| ns / 1.0e9)
    }
}

impl Timed {
    /// Microseconds an utterance of the best round.
    fn us(&self, mut work: impl FnMut()) -> f64 {
        let mut best = f64::MAX;
        for _ in 0..N_ROUNDS {
            let from = self.clock.now_secs();
            let mut n_passes = 0;
            let mut secs = 0.0;
            while secs < ROUND_SECS {
                work();
                n_passes += 1;
                secs = self.clock.now_secs() - from;
            }
            best = best.min(secs / f64::from(n_passes));
        }
        best * 1.0e6 / self.n_utterances.max(1) as f64
    }
}

fn stages(
    timed: &Timed,
    judge: &Judge,
    calls: &[Transcript],
    assessments: &[Assessment],
) -> Vec<(&'static str, f64)> {
    let spoken: Vec<Vec<Spoken<'_>>> = calls.iter().map(spoken_of).collect();
    let all = || spoken.iter().flatten();
    vec![
        (
            "letters",
            timed.us(|| {
                calls
                    .iter()
                    .for_each(|call| drop(black_box(spoken_of(call))))
            }),
        ),
        (
            "rules",
            timed.us(|| {
                for (call, spoken) in calls.iter().zip(&spoken) {
                    let mut run = RuleRun::new(Arc::clone(&judge.rules), &call.metadata);
                    let mut events = Vec::new();
                    for said in spoken {
                        run.utterance(said, &Facts::default(), &mut events);
                    }
                    run.finish(call.duration_ms, &mut events);
                    black_box(events);
                }
            }),
        ),
        (
            "intents",
            timed.us(|| {
                for call in &spoken {
                    let mut previous = None;
                    for said in call {
                        black_box(judge.intents.scores(said, previous));
                        previous = Some(said);
                    }
                }
            }),
        ),
        (
            "emotion",
            timed.us(|| {
                for call in &spoken {
                    let mut tracker = EmotionTracker::new();
                    for said in call {
                        black_box(tracker.utterance(said, &[]));
                    }
                }
            }),
        ),
        (
            "pii",
            timed.us(|| {
                let mut finder = PiiFinder::new();
                all().for_each(|said| drop(black_box(finder.utterance(said))));
            }),
        ),
        (
            "talk",
            timed.us(|| {
                for (call, spoken) in calls.iter().zip(&spoken) {
                    let mut tracker = TalkTracker::new(Edges::BetweenTalk);
                    let mut events = Vec::new();
                    for said in spoken {
                        tracker.utterance(said, &mut events);
                    }
                    black_box(tracker.finish(call.duration_ms, &mut events));
                }
            }),
        ),
        (
            "summary",
            timed.us(|| {
                for (spoken, assessment) in spoken.iter().zip(assessments) {
                    black_box(summarize(&CallText {
                        spoken,
                        utterances: &assessment.utterances,
                        hits: &assessment.hits,
                        pii: &assessment.pii,
                    }));
                }
            }),
        ),
        (
            "card",
            timed.us(|| {
                for (call, assessment) in calls.iter().zip(assessments) {
                    let view = CallView::new(assessment, &call.metadata);
                    black_box(judge.card.as_ref().map(|card| card.score(&view)));
                }
            }),
        ),
    ]
}

fn spoken_of(call: &Transcript) -> Vec<Spoken<'_>> {
    let utterances = call.utterances.iter().enumerate();
    utterances
        .map(|(idx, utterance)| Spoken::new(utterance, idx))
        .collect()
}

fn written(assessments: &[Assessment]) -> Fallible<String> {
    let mut text = String::new();
    for assessment in assessments {
        text += &serde_json::to_string(assessment)?;
        text.push('\n');
    }
    Ok(text)
}

/// Files of `folder` with the extension, by name.
fn files(folder: &Path, ending: &str) -> Fallible<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_calls(folder: &Path) -> Fallible<Vec<Transcript>> {
    let mut calls = Vec::new();
    for path in files(folder, ".json")? {
        let bytes = fs::read(&path)?;
        let call = serde_json::from_slice(&bytes)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        calls.push(call);
    }
    Ok(calls)
}

fn read_judge() -> Fallible<Judge> {
    let mut packs = Vec::new();
    for path in files(Path::new(PACKS), ".yaml")? {
        if !path.to_string_lossy().ends_with(".tests.yaml") {
            packs.push(read_pack(&path)?);
        }
    }
    let compiled = RuleSet::compile(&packs).map_err(|mistakes| mistakes.to_string())?;
    Ok(Judge {
        rules: Arc::new(compiled.rules),
        card: Some(Arc::new(Card::read(&fs::read(CARD)?, CARD)?)),
        intents: Arc::new(Language::Mandarin.model().clone()),
        emotions: None,
    })
}

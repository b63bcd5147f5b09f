//! Marks and figures on labelled calls, when they are there: marks against the reference punctuation.
//!
//! `cargo test -p auricle-speech --lib written::tests::calls -- --nocapture` prints the figures;
//! with `AURICLE_PRINT=1` also every line.

use std::path::{Path, PathBuf};

use crate::written::cells::is_hanzi;
use crate::written::{Ending, SpokenWord, write_utterance};

/// Where the labelled data lie: `AURICLE_SHARED`, or beside the workspace.
fn manifest() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("AURICLE_SHARED").map_or(beside, PathBuf::from);
    let path = shared.join("audio/zh-calls-dev/manifest.jsonl");
    path.is_file().then_some(path)
}

#[derive(serde::Deserialize)]
struct Call {
    turns: Vec<Turn>,
}

#[derive(serde::Deserialize)]
struct Turn {
    text: String,
    words: Vec<(String, f64, f64)>,
}

/// Marks of a text, each with the number of hanzi before it; ！ counts as 。 since it is not heard.
fn marks(text: &str) -> Vec<(usize, char)> {
    let mut n_hanzi = 0;
    let mut found = Vec::new();
    for ch in text.chars() {
        match ch {
            '，' | '。' | '？' => found.push((n_hanzi, ch)),
            '！' => found.push((n_hanzi, '。')),
            _ => n_hanzi += usize::from(is_hanzi(ch)),
        }
    }
    found
}

/// The spoken words with the marks of the written form between them.
fn spoken_with_marks(words: &[SpokenWord<'_>]) -> String {
    let form = write_utterance(words, Ending::Final);
    let mut text = String::new();
    for (index, span) in form.spans.iter().enumerate() {
        text.extend(words[span.word_range.clone()].iter().map(|word| word.text));
        let end = form
            .spans
            .get(index + 1)
            .map_or(form.text.len(), |next| next.text_range.start);
        text.push_str(form.text.get(span.text_range.end..end).unwrap_or_default());
    }
    text
}

#[derive(Default)]
struct Counts {
    hits: usize,
    found: usize,
    wanted: usize,
}

impl Counts {
    fn add(&mut self, found: &[(usize, char)], wanted: &[(usize, char)]) {
        self.hits += found.iter().filter(|mark| wanted.contains(mark)).count();
        self.found += found.len();
        self.wanted += wanted.len();
    }

    fn precision(&self) -> f64 {
        self.hits as f64 / self.found.max(1) as f64
    }

    fn recall(&self) -> f64 {
        self.hits as f64 / self.wanted.max(1) as f64
    }
}

fn in_steps(time_ms: u64, step_ms: u64) -> u64 {
    (time_ms + step_ms / 2) / step_ms * step_ms
}

#[test]
fn marks_agree_with_labelled_calls() {
    let Some(path) = manifest() else {
        println!("skipped: no labelled calls; set AURICLE_SHARED to the folder of shared data");
        return;
    };
    compare(&path, 1);
    // A recogniser tells times in frames of 40 ms.
    compare(&path, 40);
}

fn compare(path: &Path, step_ms: u64) {
    let (mut inner, mut last_right, mut n_turns) = (Counts::default(), 0, 0);
    let (mut questions, mut places) = (Counts::default(), Counts::default());
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let call: Call = serde_json::from_str(line).unwrap();
        for turn in &call.turns {
            let to_ms = |secs: f64| in_steps((secs * 1000.0) as u64, step_ms);
            let words: Vec<SpokenWord<'_>> = turn
                .words
                .iter()
                .map(|(text, start, end)| SpokenWord {
                    text,
                    start_ms: to_ms(*start),
                    end_ms: to_ms(*end),
                })
                .collect();
            let (got, wanted) = (marks(&spoken_with_marks(&words)), marks(&turn.text));
            let (Some((last, got)), Some((last_wanted, wanted))) =
                (got.split_last(), wanted.split_last())
            else {
                panic!("no final mark for `{}`", turn.text);
            };
            n_turns += 1;
            last_right += usize::from(last == last_wanted);
            inner.add(got, wanted);
            let anywhere = |marks: &[(usize, char)]| -> Vec<(usize, char)> {
                marks.iter().map(|mark| (mark.0, '，')).collect()
            };
            places.add(&anywhere(got), &anywhere(wanted));
            let only = |mark: &(usize, char)| -> Vec<(usize, char)> {
                Some(*mark)
                    .filter(|mark| mark.1 == '？')
                    .into_iter()
                    .collect()
            };
            questions.add(&only(last), &only(last_wanted));
            if std::env::var_os("AURICLE_PRINT").is_some() {
                let written = write_utterance(&words, Ending::Final).text;
                let sign = if last == last_wanted && got == wanted {
                    ' '
                } else {
                    '*'
                };
                println!("{sign} {} → {written}", turn.text);
            }
        }
    }
    println!(
        "times in {step_ms} ms: {n_turns} turns; inner marks: place precision {:.3} recall {:.3}, place and kind precision {:.3} \
         recall {:.3} of {}; final mark right {:.3}; final ？ precision {:.3} recall {:.3} of {}",
        places.precision(),
        places.recall(),
        inner.precision(),
        inner.recall(),
        inner.wanted,
        f64::from(last_right as u32) / f64::from(n_turns as u32),
        questions.precision(),
        questions.recall(),
        questions.wanted,
    );
    assert!(places.precision() > 0.95 && places.recall() > 0.95);
    assert!(last_right * 10 > n_turns * 9);
}

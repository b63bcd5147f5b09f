//! What a run says at its end.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use auricle_contracts::CallId;
use auricle_store::RunCounts;
use serde::Serialize;

use super::progress::Speed;
use super::work::{Kept, Outcome};
use crate::exit::Exit;
use crate::terminal::{Terminal, count, duration_text, printable};

/// A recording that was not heard, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    pub(crate) file: String,
    pub(crate) cause: String,
}

/// Everything there is to say of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunReport {
    pub(crate) counts: RunCounts,
    /// Those that were heard, or are unchanged.
    pub(crate) finished: Vec<CallId>,
    /// Of those that are unchanged: heard by a better model than the one that is here today.
    pub(crate) n_kept: u64,
    /// Not begun: the run was stopped before.
    pub(crate) n_left: u64,
    /// Unchanged, and assessed before by other rules than those of today.
    pub(crate) n_by_other_rules: u64,
    pub(crate) failures: Vec<Failure>,
    pub(crate) heard_ms: u64,
    pub(crate) elapsed: Duration,
    /// That ended the run.
    pub(crate) is_disk_full: bool,
}

/// Said once, at the end, whatever was met on the way.
const DISK_FULL: &str = "the disk is full: nothing more can be saved\nhint: free some space and run the same command again, it goes on where it stopped";

/// `--json`: the same for programs. Fields are added, never renamed.
#[derive(Serialize)]
struct Summary<'a> {
    done: u64,
    skipped: u64,
    kept: u64,
    failed: u64,
    left: u64,
    audio_secs: f64,
    elapsed_secs: f64,
    failures: &'a [Failure],
}

impl RunReport {
    /// Counts a recording that did not fail: once, whatever was done with it.
    pub(crate) fn count(&mut self, call_id: &CallId, outcome: &Outcome) {
        match outcome {
            Outcome::Heard { .. } => self.counts.n_done += 1,
            Outcome::Same(_, Kept::HeardBetter) => {
                self.counts.n_skipped += 1;
                self.n_kept += 1;
            }
            _ => self.counts.n_skipped += 1,
        }
        self.finished.push(call_id.clone());
    }

    pub(crate) fn fail(&mut self, file: impl Into<String>, cause: impl Into<String>) {
        self.counts.n_failed += 1;
        self.failures.push(Failure {
            file: file.into(),
            cause: cause.into(),
        });
    }

    /// The failures as a table, then one line of counts, to standard error.
    pub(crate) fn say(&self) {
        for line in self.failure_lines() {
            crate::terminal::say!("{line}");
        }
        crate::terminal::say!("{}", self.last_line());
        if let Some(line) = self.other_rules() {
            crate::terminal::say!("{line}");
        }
        if self.is_disk_full {
            crate::terminal::say!("{DISK_FULL}");
        }
    }

    fn other_rules(&self) -> Option<String> {
        let n_calls = self.n_by_other_rules;
        (n_calls > 0).then(|| {
            let calls = count(n_calls, "unchanged call");
            format!("{calls} judged by other rules than today's\nhint: `auricle rescore` judges past calls anew")
        })
    }

    /// How the process ends.
    pub(crate) const fn exit(&self) -> Exit {
        match (self.counts.n_failed, self.n_left) {
            _ if self.is_disk_full => Exit::Failed,
            (0, 0) => Exit::Done,
            (0, _) => Exit::Stopped,
            _ => Exit::Failed,
        }
    }

    pub(crate) fn write_json(&self, out: &mut Terminal) -> Result<()> {
        let summary = Summary {
            done: self.counts.n_done,
            skipped: self.counts.n_skipped,
            kept: self.n_kept,
            failed: self.counts.n_failed,
            left: self.n_left,
            audio_secs: self.heard_ms as f64 / 1000.0,
            elapsed_secs: self.elapsed.as_secs_f64(),
            failures: &self.failures,
        };
        serde_json::to_writer_pretty(&mut *out, &summary)?;
        Ok(writeln!(out)?)
    }

    fn failure_lines(&self) -> Vec<String> {
        if self.failures.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![format!("failed ({}):", self.failures.len())];
        for failure in &self.failures {
            lines.push(format!("  {}", printable(&failure.file)));
            lines.extend(
                failure
                    .cause
                    .lines()
                    .map(|line| format!("      {}", printable(line))),
            );
        }
        lines
    }

    fn last_line(&self) -> String {
        let counts = &self.counts;
        let mut line = format!("{} heard", counts.n_done);
        let n_unchanged = counts.n_skipped - self.n_kept;
        if n_unchanged > 0 {
            line += &format!(", {n_unchanged} unchanged");
        }
        if self.n_kept > 0 {
            let n_kept = self.n_kept;
            line += &format!(
                ", {n_kept} kept as a better model heard them (`--force` hears them again)"
            );
        }
        if counts.n_failed > 0 {
            line += &format!(", {} failed", counts.n_failed);
        }
        if self.n_left > 0 {
            line += &format!(", {} left", self.n_left);
        }
        if self.heard_ms > 0 {
            let elapsed_ms = self.elapsed.as_millis() as u64;
            line += &format!(
                "; {} of audio in {}, {:.0} times as fast as it was spoken",
                duration_text(self.heard_ms),
                duration_text(elapsed_ms),
                Speed::of(self.heard_ms, self.elapsed).0
            );
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_follows_what_became_of_the_recordings() {
        let exit = |n_failed, n_left, is_disk_full| {
            let mut report = RunReport {
                n_left,
                is_disk_full,
                ..RunReport::default()
            };
            report.counts.n_failed = n_failed;
            report.exit()
        };
        assert_eq!(exit(0, 0, false), Exit::Done);
        assert_eq!(exit(0, 3, false), Exit::Stopped);
        assert_eq!(exit(1, 3, false), Exit::Failed);
        assert_eq!(exit(0, 3, true), Exit::Failed);
    }

    #[test]
    fn failures_are_listed_with_every_line_of_their_cause() {
        let mut report = RunReport {
            n_left: 1,
            heard_ms: 60_000,
            ..RunReport::default()
        };
        report.counts.n_done = 2;
        report.elapsed = Duration::from_secs(2);
        report.fail("a\u{1b}.wav", "file is empty\nhint: fetch it again");
        insta::assert_snapshot!(report.failure_lines().join("\n"), @r"
        failed (1):
          a�.wav
              file is empty
              hint: fetch it again
        ");
        assert_eq!(
            report.last_line(),
            "2 heard, 1 failed, 1 left; 1 min 00 s of audio in 2 s, 30 times as fast as it was spoken"
        );
    }
}

//! How far a run is: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use auricle_contracts::{CallId, Hit, Severity};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::hear::HearProgress;
use crate::terminal::{PlayTime, duration_text, printable};

/// The bar is drawn this often at most.
const REDRAWS_A_SEC: u8 = 4;

/// Shared by the workers, who say how much they heard, and the writer, who says what was finished.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    n_files: u64,
    heard_ms: AtomicU64,
    n_finished: AtomicU64,
    began: Instant,
}

impl Progress {
    /// Shows a bar over `total_ms` of sound when standard error is a terminal.
    pub(crate) fn new(n_files: u64, total_ms: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_A_SEC);
            let bar = ProgressBar::with_draw_target(Some(total_ms), target);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self {
            bar,
            n_files,
            heard_ms: AtomicU64::new(0),
            n_finished: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    /// A recording is finished: `what` became of `name`. Sound of it that counts as done without
    /// having been heard, because it was skipped or failed half way: `left_ms`.
    pub(crate) fn finished(&self, name: &str, what: &str, left_ms: u64) {
        let n_finished = self.n_finished.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => {
                bar.inc(left_ms);
                self.show(bar);
            }
            None => crate::terminal::say!(
                "[{n_finished}/{}] {}: {what}",
                self.n_files,
                printable(name)
            ),
        }
    }

    /// Whether a bar is shown in place of a line for each recording.
    pub(crate) const fn is_bar(&self) -> bool {
        self.bar.is_some()
    }

    /// What was found in a call, a line for each hit. What was said stays out of it where nobody looks: a
    /// log of a night's run must not hold what people said.
    pub(crate) fn hits(&self, call_id: &CallId, hits: &[Hit]) {
        for hit in hits.iter().filter(|hit| hit.severity > Severity::Info) {
            let words = hit.evidence.iter().map(|evidence| evidence.words.as_str());
            let words = words.collect::<Vec<_>>().join(" … ");
            let quoted = match (std::io::stderr().is_terminal(), words.is_empty()) {
                (true, false) => format!("  “{words}”"),
                _ => String::new(),
            };
            self.note(&format!(
                "  {} {}  {}  {}  {}{}",
                printable(&call_id.0),
                PlayTime(hit.start_ms),
                hit.severity,
                printable(&hit.rule),
                hit.party,
                printable(&quoted)
            ));
        }
    }

    /// A line above the bar.
    pub(crate) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| crate::terminal::say!("{line}")),
            None => crate::terminal::say!("{line}"),
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Sound heard, milliseconds.
    pub(crate) fn heard_ms(&self) -> u64 {
        self.heard_ms.load(Ordering::Relaxed)
    }

    /// Since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn show(&self, bar: &ProgressBar) {
        let left_ms = bar.length().unwrap_or(0).saturating_sub(bar.position());
        let speed = Speed::of(self.heard_ms(), self.elapsed());
        let n_finished = self.n_finished.load(Ordering::Relaxed);
        bar.set_message(format!(
            "{n_finished}/{} calls  {}",
            self.n_files,
            speed.text(left_ms)
        ));
    }
}

impl HearProgress for Progress {
    fn heard(&self, ms: u64) {
        self.heard_ms.fetch_add(ms, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(ms);
            self.show(bar);
        }
    }
}

/// Tells a run's progress what is heard of one recording, and remembers how much that was.
pub(crate) struct Told<'a> {
    progress: &'a Progress,
    ms: AtomicU64,
}

impl<'a> Told<'a> {
    pub(crate) const fn new(progress: &'a Progress) -> Self {
        Self {
            progress,
            ms: AtomicU64::new(0),
        }
    }

    /// Sound heard of this recording, milliseconds.
    pub(crate) fn ms(&self) -> u64 {
        self.ms.load(Ordering::Relaxed)
    }
}

impl HearProgress for Told<'_> {
    fn heard(&self, ms: u64) {
        self.ms.fetch_add(ms, Ordering::Relaxed);
        self.progress.heard(ms);
    }
}

/// Seconds of sound heard in a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed(pub(crate) f64);

impl Speed {
    pub(crate) fn of(heard_ms: u64, elapsed: Duration) -> Self {
        let secs = elapsed.as_secs_f64();
        Self(if secs > 0.0 {
            heard_ms as f64 / 1000.0 / secs
        } else {
            0.0
        })
    }

    /// The speed, and how long the rest will take at it.
    fn text(self, left_ms: u64) -> String {
        if self.0 <= 0.0 {
            return "…".to_owned();
        }
        let left_ms = (left_ms as f64 / self.0) as u64;
        format!(
            "{:.0} s of audio a second, {} left",
            self.0,
            duration_text(left_ms)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_and_time_left_follow_the_sound_not_the_files() {
        let speed = Speed::of(600_000, Duration::from_secs(10));
        assert_eq!(speed, Speed(60.0));
        assert_eq!(
            speed.text(3_600_000),
            "60 s of audio a second, 1 min 00 s left"
        );
        assert_eq!(Speed::of(0, Duration::ZERO).text(1), "…");
    }

    #[test]
    fn what_is_heard_adds_up() {
        let progress = Progress::new(2, 1000);
        let (one, other) = (Told::new(&progress), Told::new(&progress));
        one.heard(300);
        other.heard(200);
        one.heard(100);
        assert_eq!((one.ms(), other.ms()), (400, 200));
        assert_eq!(progress.heard_ms(), 600);
    }
}

//! How long after its last word an alert was there, by rule.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Instant;

use auricle_contracts::{Alert, AlertState, CallId, Happening};
use auricle_live::Told;

/// When each call began, where it was spoken from its beginning: others lack what was said before.
#[derive(Default)]
pub(crate) struct Began(Mutex<HashMap<CallId, Instant>>);

impl Began {
    pub(crate) fn tell(&self, call: CallId) {
        if let Ok(mut began) = self.0.lock() {
            began.insert(call, Instant::now());
        }
    }

    fn of(&self, call: &CallId) -> Option<Instant> {
        self.0.lock().ok()?.get(call).copied()
    }
}

/// When alerts were told first.
#[derive(Default)]
pub(crate) struct AlertTimes {
    /// By rule and by whether the utterance still went on: milliseconds behind the last word.
    times: BTreeMap<(String, bool), Vec<u64>>,
    n_withdrawn: u64,
    n_confirmed: u64,
}

impl AlertTimes {
    pub(crate) fn take(&mut self, told: &Told, began: &Began) {
        let Told::Happened {
            call_id, happening, ..
        } = told
        else {
            return;
        };
        if let (Happening::Alert(alert), Some(began)) = (&**happening, began.of(call_id)) {
            self.alert(alert, began);
        }
    }

    fn alert(&mut self, alert: &Alert, began: Instant) {
        let is_early = match alert.state {
            AlertState::Provisional => true,
            AlertState::Raised => false,
            AlertState::Confirmed => return self.n_confirmed += 1,
            AlertState::Withdrawn => return self.n_withdrawn += 1,
        };
        // What was not said has no last word.
        let Some(said) = alert.hit.last_evidence() else {
            return;
        };
        let since_ms = (began.elapsed().as_millis() as u64).saturating_sub(said.end_ms);
        let key = (alert.hit.rule.clone(), is_early);
        self.times.entry(key).or_default().push(since_ms);
    }

    /// A row for each rule, those told while the utterance went on first, and one for those together.
    pub(crate) fn table(&self) -> String {
        let mut table = format!(
            "{:<28} {:>8} {:>6} {:>6} {:>6} {:>6}\n",
            "last word → alert, ms", "told", "n", "p50", "p95", "max"
        );
        let mut row = |rule: &str, told: &str, mut times: Vec<u64>| {
            times.sort_unstable();
            let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
            let _ = writeln!(
                table,
                "{rule:<28} {told:>8} {:>6} {:>6} {:>6} {:>6}",
                times.len(),
                at(0.5),
                at(0.95),
                at(1.0)
            );
        };
        for (told, is_early) in [("partial", true), ("final", false)] {
            let of = self
                .times
                .iter()
                .filter(|((_, early), _)| *early == is_early);
            let all: Vec<u64> = of.clone().flat_map(|(_, times)| times.clone()).collect();
            if all.is_empty() {
                continue;
            }
            for ((rule, _), times) in of {
                row(rule, told, times.clone());
            }
            row("all of these", told, all);
        }
        let (n_confirmed, n_withdrawn) = (self.n_confirmed, self.n_withdrawn);
        let _ = write!(
            table,
            "told on partials: {n_confirmed} confirmed, {n_withdrawn} withdrawn"
        );
        table
    }
}

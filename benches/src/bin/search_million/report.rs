//! Times searches and says what was measured.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use auricle_search::{SearchRequest, TranscriptReader};

use crate::cost::{Cost, threads_time};
use crate::queries::Kind;

/// Times each query is asked.
const REPEATS: usize = 3;

#[expect(
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// One line about an index that was made.
pub(crate) fn say_index(name: &str, n_utterances: usize, cost: Cost, folder: &Path) -> Result<()> {
    let (wall, processor) = (cost.wall.as_secs_f64(), cost.processor.as_secs_f64());
    let rate = n_utterances as f64 / wall;
    let mut total = 0;
    let mut store = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let bytes = entry.metadata()?.len();
        total += bytes;
        if entry.path().extension().is_some_and(|kind| kind == "store") {
            store += bytes;
        }
    }
    let (total, store) = (total / 1_000_000, store / 1_000_000);
    say(&format!(
        "{name:8} {wall:7.2} s ({rate:.0} utterances/s), processor {processor:7.2} s, \
         {total} MB on disk, {store} MB of it stored texts"
    ));
    Ok(())
}

/// Times of all queries of one kind, in order.
struct Times(Vec<Duration>);

impl Times {
    fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    fn ms(&self, share: f64) -> f64 {
        let at = ((self.0.len() as f64 * share) as usize).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or(0.0, Duration::as_secs_f64) * 1000.0
    }

    fn mean_ms(&self) -> f64 {
        let sum: Duration = self.0.iter().sum();
        sum.as_secs_f64() * 1000.0 / self.0.len().max(1) as f64
    }
}

/// Asks the queries of every kind and says how long they took.
pub(crate) fn search_all(reader: &TranscriptReader, kinds: &[Kind]) -> Result<()> {
    say(&format!(
        "{:14} {:>7} {:>9} | {:>7} {:>7} {:>7} | {:>11} | processor ms {:>7} {:>7}",
        "kind", "queries", "mean hits", "p50 ms", "p99 ms", "max ms", "p99 of best", "mean", "p99"
    ));
    for kind in kinds {
        let (mut firsts, mut bests, mut processors) = (Vec::new(), Vec::new(), Vec::new());
        let mut hits = 0;
        let mut slowest = (Duration::ZERO, "");
        for query in &kind.queries {
            let request = SearchRequest::new(query.as_str());
            let mut times = [Duration::MAX; REPEATS];
            let mut processor = Duration::MAX;
            for time in &mut times {
                let before = threads_time();
                let start = Instant::now();
                let results = reader.search(&request).with_context(|| query.clone())?;
                *time = start.elapsed();
                processor = processor.min(threads_time().saturating_sub(before));
                hits += results.total_hits;
            }
            let best = times.iter().min().copied().unwrap_or_default();
            if best > slowest.0 {
                slowest = (best, query);
            }
            firsts.push(times[0]);
            bests.push(best);
            processors.push(processor);
        }
        let n_searches = (REPEATS * kind.queries.len()) as f64;
        let (firsts, bests) = (Times::new(firsts), Times::new(bests));
        let processors = Times::new(processors);
        say(&format!(
            "{:14} {:7} {:9.0} | {:7.2} {:7.2} {:7.2} | {:11.2} | {:20.2} {:7.2}   slowest: {}",
            kind.name,
            kind.queries.len(),
            hits as f64 / n_searches,
            firsts.ms(0.5),
            firsts.ms(0.99),
            firsts.ms(1.0),
            bests.ms(0.99),
            processors.mean_ms(),
            processors.ms(0.99),
            slowest.1,
        ));
    }
    Ok(())
}

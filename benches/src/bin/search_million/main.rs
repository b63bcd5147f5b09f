//! The transcript index over a million utterances, beside plain tantivy in the same run.
//!
//! Calls of twenty utterances are made from the vocabulary and the sentences of [`words`], the same
//! ones every time. The peer is tantivy with one text field over the spoken form (tantivy-jieba,
//! exact cut, ordinal positions, no HMM) and the same stored bytes; both write with the same
//! threads and memory, and merges are waited for. Then queries of every kind are timed, parsing,
//! facets and the first page included: the first time each is asked, and the best of three. The index
//! is in memory by then; a process that has just started waits for the disk at its first queries.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use auricle_contracts::{Assessment, Transcript};
use auricle_search::{IndexOptions, TranscriptIndex};
use clap::Parser;

use corpus::{Corpus, UTTERANCES_A_CALL};
use cost::Cost;
use report::say;

mod corpus;
mod cost;
mod plain;
mod queries;
mod report;
mod words;

/// Measures indexing, size and search over many utterances.
#[derive(Parser)]
struct Arguments {
    /// Utterances to index.
    #[arg(default_value_t = 1_000_000)]
    utterances: usize,
    /// Threads of each writer.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Threads of each search.
    #[arg(long, default_value_t = 2)]
    search_threads: usize,
    /// Queries of each kind.
    #[arg(long, default_value_t = 300)]
    queries: usize,
    /// Times each index is built, in turn; the fastest counts.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Where the indexes are written; a folder of the system's own otherwise.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Asks only the kinds of queries whose name holds this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Searches the index an earlier run left in `--folder`, and builds none.
    #[arg(long, requires = "folder")]
    search_only: bool,
}

const MEMORY_BYTES_A_THREAD: usize = 128_000_000;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let own = std::env::temp_dir().join(format!("auricle-search-{}", std::process::id()));
    let folder = arguments.folder.clone().unwrap_or(own);
    let mut corpus = Corpus::new();
    let n_calls = arguments.utterances.div_ceil(UTTERANCES_A_CALL);
    let calls: Vec<Transcript> = (0..n_calls).map(|number| corpus.call(number)).collect();
    let utterances = calls.iter().flat_map(|call| &call.utterances);
    let hanzi: usize = utterances.map(|utterance| utterance.syllables.len()).sum();
    let n_utterances = n_calls * UTTERANCES_A_CALL;
    let mean = hanzi as f64 / n_utterances as f64;
    say(&format!(
        "{n_utterances} utterances of {n_calls} calls, {mean:.1} hanzi each"
    ));
    if !arguments.search_only {
        index(&folder, &calls, &arguments)?;
    }
    let index = TranscriptIndex::open(&folder.join("auricle"), options(&arguments))?;
    let reader = index.reader();
    say(&format!("{:?}", reader.size()?));
    // Reads every file once, as a process that has served a while has done.
    reader.verify()?;
    let mut kinds = queries::kinds(&calls, corpus.surnames(), arguments.queries);
    kinds.retain(|kind| kind.name.contains(&arguments.only));
    report::search_all(&reader, &kinds)?;
    drop((reader, index));
    if arguments.folder.is_none() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

/// Builds both indexes and says what they cost.
fn index(folder: &Path, calls: &[Transcript], arguments: &Arguments) -> Result<()> {
    let (peer_folder, own_folder) = (folder.join("peer"), folder.join("auricle"));
    let (mut peer, mut own) = (Cost::MAX, Cost::MAX);
    for _ in 0..arguments.rounds.max(1) {
        for old in [&peer_folder, &own_folder] {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
        }
        peer = peer.min(plain::index(&peer_folder, calls, arguments.threads)?);
        own = own.min(index_own(&own_folder, calls, arguments)?);
    }
    let n_utterances = calls.len() * UTTERANCES_A_CALL;
    report::say_index("tantivy", n_utterances, peer, &peer_folder)?;
    report::say_index("auricle", n_utterances, own, &own_folder)?;
    say(&format!(
        "indexing ratio {:.2} by the clock, {:.2} by processor time (target 1.3)",
        own.wall.as_secs_f64() / peer.wall.as_secs_f64(),
        own.processor.as_secs_f64() / peer.processor.as_secs_f64(),
    ));
    Ok(())
}

fn index_own(folder: &Path, calls: &[Transcript], arguments: &Arguments) -> Result<Cost> {
    let index = TranscriptIndex::create(folder, options(arguments))?;
    Cost::of(|| {
        for call in calls {
            index.add(call, &Assessment::default())?;
        }
        index.commit()?;
        Ok(index.finish_merging()?)
    })
}

const fn options(arguments: &Arguments) -> IndexOptions {
    IndexOptions {
        writer_threads: arguments.threads,
        writer_memory_bytes: arguments.threads * MEMORY_BYTES_A_THREAD,
        search_threads: arguments.search_threads,
    }
}

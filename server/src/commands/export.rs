//! `auricle export`: transcripts out of the store.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use auricle_contracts::{CallId, Transcript};
use auricle_store::{CallFilter, CallRecord, CallState, Store, parse_time_ms};
use clap::Args;

use crate::app::App;
use crate::atomic::write_atomically;
use crate::clock;
use crate::exit::{Exit, usage};
use crate::export::{ExportFormat, file_stem};
use crate::index::CallSearch;

const EXAMPLES: &str = "\
Examples:
  auricle export --out calls.jsonl                           everything, for `auricle import`
  auricle export --format csv --campaign loans --out a.csv   one campaign, a row for each utterance
  auricle export --format srt --out subtitles/ dev-01        subtitles of one call
  auricle export --format txt --query '保证收益'             calls that a search finds
  auricle export --format csv --since 2026-11-01 --until 2026-12-01

Without --out it goes to standard output; srt and vtt make a file for each call, so they need a
folder, unless one call is asked for.";

/// Calls read from the store at a time.
const PAGE_CALLS: u64 = 200;

/// Options of `auricle export`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// Ids or file names; without any, all calls.
    #[arg(value_name = "CALL")]
    calls: Vec<String>,
    /// What to write.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    format: ExportFormat,
    /// File to write, or folder for srt and vtt.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Only calls that this search finds.
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Only calls begun at this time or later.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only calls begun before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only of this agent.
    #[arg(long)]
    agent: Option<String>,
    /// Only of this campaign.
    #[arg(long)]
    campaign: Option<String>,
    /// Only of this region.
    #[arg(long)]
    region: Option<String>,
}

pub(crate) fn run(app: &mut App, args: &ExportArgs) -> Result<Exit> {
    let filter = filter(app, args)?;
    let store = app.existing_store()?;
    let wanted = wanted_calls(app, &store, args)?;
    let n_written = match (&args.out, args.format.is_per_call()) {
        (Some(folder), true) => {
            to_folder(app, &store, &filter, wanted.as_ref(), args.format, folder)?
        }
        (Some(path), false) => to_file(app, &store, &filter, wanted.as_ref(), args.format, path)?,
        (None, is_per_call) => {
            if is_per_call && wanted.as_ref().is_none_or(|wanted| wanted.len() != 1) {
                return Err(usage(format!(
                    "`--format {}` makes a file for each call\nhint: name a folder with --out, or one call",
                    args.format.ending()
                )));
            }
            to_stdout(app, &store, &filter, wanted.as_ref(), args.format)?
        }
    };
    if args.out.is_some() {
        crate::terminal::say!("exported {}", crate::terminal::count(n_written, "call"));
    }
    Ok(Exit::Done)
}

fn filter(app: &App, args: &ExportArgs) -> Result<CallFilter> {
    let moment = |name: &str, text: &Option<String>| -> Result<Option<i64>> {
        let Some(text) = text else { return Ok(None) };
        let moment = clock::parse_moment(text, app.config.utc_offset);
        let moment = moment.map_err(|cause| usage(format!("--{name}: {cause}")))?;
        Ok(parse_time_ms(&moment))
    };
    Ok(CallFilter {
        state: Some(CallState::Done),
        agent: args.agent.clone(),
        campaign: args.campaign.clone(),
        region: args.region.clone(),
        since_ms: moment("since", &args.since)?,
        until_ms: moment("until", &args.until)?,
    })
}

/// The calls that were named and found; `None` for all.
fn wanted_calls(app: &App, store: &Store, args: &ExportArgs) -> Result<Option<BTreeSet<CallId>>> {
    let mut wanted = None;
    if !args.calls.is_empty() {
        let ids = args
            .calls
            .iter()
            .map(|text| Ok(app.one_call(store, text)?.recording.call_id));
        wanted = Some(ids.collect::<Result<BTreeSet<_>>>()?);
    }
    if let Some(query) = &args.query {
        let found = CallSearch::open(&app.config.data.index())?.calls_with(query)?;
        wanted = Some(match wanted {
            Some(named) => named.intersection(&found).cloned().collect(),
            None => found,
        });
    }
    Ok(wanted)
}

/// Calls `each` with every transcript asked for, in the order of ids; gives their number.
fn for_each(
    app: &App,
    store: &Store,
    filter: &CallFilter,
    wanted: Option<&BTreeSet<CallId>>,
    mut each: impl FnMut(&Transcript) -> Result<()>,
) -> Result<u64> {
    let (mut after, mut n_written) = (None::<CallId>, 0);
    loop {
        let page = app
            .runtime
            .block_on(store.calls(filter, after.as_ref(), PAGE_CALLS))?;
        let Some(last) = page.last() else {
            return Ok(n_written);
        };
        after = Some(last.recording.call_id.clone());
        let is_wanted = |call: &&CallRecord| {
            wanted.is_none_or(|wanted| wanted.contains(&call.recording.call_id))
        };
        for call in page.iter().filter(is_wanted) {
            each(&app.transcript(store, call)?)?;
            n_written += 1;
        }
    }
}

fn to_stdout(
    app: &mut App,
    store: &Store,
    filter: &CallFilter,
    wanted: Option<&BTreeSet<CallId>>,
    format: ExportFormat,
) -> Result<u64> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    out.write_all(format.head()?.as_bytes())?;
    let n_written = for_each(app, store, filter, wanted, |transcript| {
        Ok(out.write_all(format.write(transcript)?.as_bytes())?)
    })?;
    out.flush()?;
    Ok(n_written)
}

/// Writes beside the file and puts it in its place at the end: no reader sees half of it.
fn to_file(
    app: &App,
    store: &Store,
    filter: &CallFilter,
    wanted: Option<&BTreeSet<CallId>>,
    format: ExportFormat,
    path: &Path,
) -> Result<u64> {
    if path.is_dir() {
        bail!(
            "`{}` is a folder\nhint: `--format {}` writes one file",
            path.display(),
            format.ending()
        );
    }
    let unfinished = path.with_added_extension("part");
    let place = || format!("cannot write `{}`", path.display());
    let mut out = BufWriter::new(File::create(&unfinished).with_context(place)?);
    out.write_all(format.head()?.as_bytes())
        .with_context(place)?;
    let n_written = for_each(app, store, filter, wanted, |transcript| {
        out.write_all(format.write(transcript)?.as_bytes())
            .with_context(place)
    })?;
    out.into_inner()
        .map_err(|error| error.into_error())
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(place)?;
    Ok(n_written)
}

fn to_folder(
    app: &App,
    store: &Store,
    filter: &CallFilter,
    wanted: Option<&BTreeSet<CallId>>,
    format: ExportFormat,
    folder: &Path,
) -> Result<u64> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    for_each(app, store, filter, wanted, |transcript| {
        let name = format!("{}.{}", file_stem(&transcript.call_id), format.ending());
        write_atomically(&folder.join(name), format.write(transcript)?.as_bytes())
    })
}

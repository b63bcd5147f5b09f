//! `auricle export`: transcripts out of the store.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use auricle_contracts::{CallId, Transcript};
use auricle_store::{CallFilter, CallKind, CallRecord, Store, StoreError, parse_time_ms};
use clap::Args;

use crate::app::App;
use crate::atomic::{AtomicFile, write_atomically};
use crate::clock;
use crate::exit::{Exit, message_of, usage};
use crate::export::ExportFormat;
use crate::file_name::file_stem;
use crate::index::CallSearch;
use crate::terminal::{count, say};

const EXAMPLES: &str = "\
Examples:
  auricle export --out calls.jsonl                           everything, for `auricle import`
  auricle export --format csv --campaign loans --out a.csv   one campaign, a row for each utterance
  auricle export --format srt --out subtitles/ dev-01        subtitles of one call
  auricle export --format txt --query '保证收益'             calls that a search finds
  auricle export --format csv --since 2026-11-01 --until 2026-12-01

Without --out it goes to standard output; srt and vtt make a file for each call, so they need a
folder, unless one call is asked for: then `--out call.srt` names its file.";

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

/// Which transcripts are written, and how.
struct Selection<'a> {
    app: &'a App,
    store: Store,
    filter: CallFilter,
    /// `None` for all.
    wanted: Option<BTreeSet<CallId>>,
    format: ExportFormat,
}

pub(crate) fn run(app: &mut App, args: &ExportArgs) -> Result<Exit> {
    let selection = Selection::read(app, args)?;
    let tally = match (&args.out, args.format.is_per_call()) {
        (Some(folder), true) if !selection.is_subtitle(folder) => selection.to_folder(folder)?,
        (Some(path), _) => selection.to_file(path)?,
        (None, is_per_call) => {
            let wanted = selection.wanted.as_ref();
            if is_per_call && wanted.is_none_or(|wanted| wanted.len() != 1) {
                return Err(usage(format!(
                    "`--format {}` makes a file for each call\nhint: name a folder with --out, or one call",
                    args.format.ending()
                )));
            }
            selection.to_stdout()?
        }
    };
    if args.out.is_some() {
        say!("exported {}", count(tally.n_written, "call"));
    }
    Ok(if tally.n_failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// What became of the calls asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    n_written: u64,
    /// Their transcripts cannot be read; each was named.
    n_failed: u64,
}

fn filter(app: &App, args: &ExportArgs) -> Result<CallFilter> {
    let moment = |name: &str, text: &Option<String>| -> Result<Option<i64>> {
        let Some(text) = text else { return Ok(None) };
        let moment = clock::parse_moment(text, app.config.utc_offset);
        let moment = moment.map_err(|cause| usage(format!("--{name}: {cause}")))?;
        Ok(parse_time_ms(&moment))
    };
    Ok(CallFilter {
        kind: CallKind::WithTranscript,
        agent: args.agent.clone(),
        campaign: args.campaign.clone(),
        region: args.region.clone(),
        since_ms: moment("since", &args.since)?,
        until_ms: moment("until", &args.until)?,
    })
}

/// The calls that were named. Each must have a transcript to give.
fn named_calls(app: &App, store: &Store, names: &[String]) -> Result<BTreeSet<CallId>> {
    let mut named = BTreeSet::new();
    for name in names {
        let call = app.one_call(store, name)?;
        if !call.has_transcript() {
            return Err(app.no_transcript(&call));
        }
        named.insert(call.recording.call_id);
    }
    Ok(named)
}

/// Whether the other calls can be read all the same: what the database itself says ends everything.
fn is_of_one_call(cause: &anyhow::Error) -> bool {
    let store = cause.downcast_ref::<StoreError>();
    store.is_none_or(|error| matches!(error, StoreError::Transcript { .. }))
}

impl<'a> Selection<'a> {
    fn read(app: &'a App, args: &ExportArgs) -> Result<Self> {
        let filter = filter(app, args)?;
        let store = app.existing_store()?;
        let mut wanted = match args.calls.as_slice() {
            [] => None,
            names => Some(named_calls(app, &store, names)?),
        };
        if let Some(query) = &args.query {
            let found = CallSearch::open(&app.config.data.index())?.calls_with(query)?;
            wanted = Some(match wanted {
                Some(named) => named.intersection(&found).cloned().collect(),
                None => found,
            });
        }
        let selection = Self {
            app,
            store,
            filter,
            wanted,
            format: args.format,
        };
        if !args.calls.is_empty() {
            selection.check_not_empty()?;
        }
        Ok(selection)
    }

    /// Whoever names calls must not get nothing without a word.
    fn check_not_empty(&self) -> Result<()> {
        let mut n_selected = 0_u64;
        self.each_call(|_| {
            n_selected += 1;
            Ok(())
        })?;
        if n_selected == 0 {
            bail!("none of the calls that were named is of what the other options ask for");
        }
        Ok(())
    }

    /// Calls `each` with every call asked for, in the order of ids.
    fn each_call(&self, mut each: impl FnMut(&CallRecord) -> Result<()>) -> Result<()> {
        let mut after = None::<CallId>;
        loop {
            let page = self.store.calls(&self.filter, after.as_ref(), PAGE_CALLS);
            let page = self.app.runtime.block_on(page)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.recording.call_id.clone());
            let is_wanted = |call: &&CallRecord| {
                let wanted = self.wanted.as_ref();
                wanted.is_none_or(|wanted| wanted.contains(&call.recording.call_id))
            };
            page.iter().filter(is_wanted).try_for_each(&mut each)?;
        }
    }

    /// Calls `each` with every transcript asked for. One that cannot be read is named, the others go on.
    fn each_transcript(&self, mut each: impl FnMut(&Transcript) -> Result<()>) -> Result<Tally> {
        let mut tally = Tally::default();
        self.each_call(|call| match self.app.transcript(&self.store, call) {
            Ok(transcript) => {
                tally.n_written += 1;
                each(&transcript)
            }
            Err(cause) if is_of_one_call(&cause) => {
                tally.n_failed += 1;
                say!("failed: {}", message_of(&cause));
                Ok(())
            }
            Err(cause) => Err(cause),
        })?;
        Ok(tally)
    }

    /// Whether a path names the one file of the one call that was asked for.
    fn is_subtitle(&self, path: &Path) -> bool {
        let is_one = self.wanted.as_ref().is_some_and(|wanted| wanted.len() == 1);
        let ending = path.extension().and_then(|ending| ending.to_str());
        is_one && ending == Some(self.format.ending()) && !path.is_dir()
    }

    fn to_stdout(&self) -> Result<Tally> {
        let mut out = std::io::BufWriter::new(std::io::stdout());
        out.write_all(self.format.head()?.as_bytes())?;
        let tally = self.each_transcript(|transcript| {
            Ok(out.write_all(self.format.write(transcript)?.as_bytes())?)
        })?;
        out.flush()?;
        Ok(tally)
    }

    fn to_file(&self, path: &Path) -> Result<Tally> {
        if path.is_dir() {
            bail!(
                "`{}` is a folder\nhint: `--format {}` writes one file",
                path.display(),
                self.format.ending()
            );
        }
        let mut out = AtomicFile::create(path)?;
        out.write(self.format.head()?.as_bytes())?;
        let tally = self
            .each_transcript(|transcript| out.write(self.format.write(transcript)?.as_bytes()))?;
        out.commit()?;
        Ok(tally)
    }

    fn to_folder(&self, folder: &Path) -> Result<Tally> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
        self.each_transcript(|transcript| {
            let stem = file_stem(&transcript.call_id);
            let path = folder.join(format!("{stem}.{}", self.format.ending()));
            write_atomically(&path, self.format.write(transcript)?.as_bytes())
        })
    }
}

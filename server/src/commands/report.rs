//! `auricle report`: pages over a batch of calls.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use auricle_report::{
    BATCH_PAGE_FILE, Batch, BatchOptions, Detail, Language, MediaUrl, Playable, batch_page,
    call_page, call_page_path,
};
use auricle_store::CallRecord;
use clap::Args;

use crate::app::App;
use crate::atomic::write_atomically;
use crate::exit::{Exit, message_of};
use crate::index::CallSearch;
use crate::known::{CallReader, PersonalData};
use crate::selection::{Selection, SelectionArgs};
use crate::terminal::{count, say};

const EXAMPLES: &str = "\
Examples:
  auricle report --out report/                              all calls
  auricle report --campaign loans --since 2026-11-01 --out november/
  auricle report --query 'severity:critical' --out worst/   calls that a search finds
  auricle report --language zh --out report/                in Chinese

Writes DIR/index.html and a page for each call in DIR/calls; they need nothing but themselves, and open
without a network. Personal data is masked; the sound is that of the recordings, where they are still there,
or of the silenced copies in the folder that --audio names (`analyze --redact-audio` writes them).";

/// Options of `auricle report`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// Folder for the pages.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only calls that this search finds.
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// What the report is called.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Language of the pages: en or zh.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    language: Language,
    /// Folder of silenced copies to play instead of the recordings.
    #[arg(long, value_name = "DIR")]
    audio: Option<PathBuf>,
    /// Only the page of the batch, none for each call.
    #[arg(long)]
    no_calls: bool,
}

pub(crate) fn run(app: &mut App, args: &ReportArgs) -> Result<Exit> {
    let mut selection = Selection::read(app, &args.selection)?;
    if let Some(query) = &args.query {
        selection.narrow(CallSearch::open(&app.config.data.index())?.calls_with(query)?);
    }
    let reader = CallReader::open(app, PersonalData::Masked)?;
    let detail = match args.no_calls {
        true => Detail::Nothing,
        false => Detail::Page,
    };
    let calls = args.out.join("calls");
    fs::create_dir_all(&calls).with_context(|| format!("cannot make `{}`", calls.display()))?;
    let mut batch = Batch::new(BatchOptions {
        title: args.title.clone(),
        ..BatchOptions::default()
    });
    let mut n_failed = 0_u64;
    selection.each_call(app, |call| {
        let known = match reader.read(app, &selection.store, call) {
            Ok(known) => known,
            Err(cause) => {
                n_failed += 1;
                say!("failed: {}", message_of(&cause));
                return Ok(());
            }
        };
        let playable = playable(call, args.audio.as_deref());
        let (transcript, assessment) = (&known.transcript, &known.assessment);
        batch.add(transcript, assessment, &playable, detail);
        if detail == Detail::Page {
            let page = call_page(transcript, assessment, &playable, args.language);
            let path = args.out.join(call_page_path(&transcript.call_id));
            write_atomically(&path, page.as_bytes())?;
        }
        Ok(())
    })?;
    if batch.n_calls() == 0 {
        bail!("there is no call to report\nhint: analyze some first, or ask for others");
    }
    let path = args.out.join(BATCH_PAGE_FILE);
    write_atomically(&path, batch_page(&batch, args.language).as_bytes())?;
    say!("{}: {}", path.display(), count(batch.n_calls(), "call"));
    Ok(match n_failed {
        0 => Exit::Done,
        _ => Exit::Failed,
    })
}

/// The recording, or its silenced copy, where it is there.
fn playable(call: &CallRecord, copies: Option<&Path>) -> Playable {
    let path = match copies {
        Some(folder) => crate::redact::copy_path(folder, &call.recording.call_id),
        None => PathBuf::from(&call.recording.path),
    };
    let absolute = std::path::absolute(&path).ok();
    match absolute.filter(|path| path.is_file()) {
        Some(path) => Playable::Recording(MediaUrl::from_path(&path.to_string_lossy())),
        None => Playable::Nothing,
    }
}

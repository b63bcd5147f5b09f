//! `auricle report`: pages over a batch of calls.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use auricle_report::{
    BATCH_PAGE_FILE, Batch, BatchOptions, Detail, Language, MediaUrl, PAGE_HEAD_BYTES, Playable,
    batch_page, call_page, call_page_path, is_own_page,
};
use auricle_store::CallRecord;
use clap::Args;

use crate::app::App;
use crate::atomic::write_atomically;
use crate::exit::{Exit, message_of};
use crate::index::CallSearch;
use crate::known::{CallReader, KnownCall, PersonalData};
use crate::redact::{current_copy, is_personal};
use crate::selection::{Selection, SelectionArgs};
use crate::terminal::{count, say};

const EXAMPLES: &str = "\
Examples:
  auricle report --out report/                              all calls
  auricle report --campaign loans --since 2026-11-01 --out november/
  auricle report --query 'severity:critical' --out worst/   calls that a search finds
  auricle report --language zh --out report/                in Chinese

Writes DIR/index.html and a page for each call in DIR/calls; they need nothing but themselves, and open
without a network. Pages of calls that an earlier report wrote there and this one does not are removed. Personal data is masked, and never played: calls that have any play the silenced copy in
the folder that --audio names (`analyze --redact-audio DIR` writes and renews them), or nothing; the others
play their recordings, where these are still there.";

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
    /// Folder of silenced copies, as `analyze --redact-audio` wrote it.
    #[arg(long, value_name = "DIR")]
    audio: Option<PathBuf>,
    /// Play recordings as they are, also where personal data is heard; texts stay masked.
    #[arg(long, conflicts_with = "audio")]
    unmasked: bool,
    /// Only the page of the batch, none for each call.
    #[arg(long)]
    no_calls: bool,
}

pub(crate) fn run(app: &mut App, args: &ReportArgs) -> Result<Exit> {
    let mut selection = Selection::read(app, &args.selection)?;
    if let Some(query) = &args.query {
        selection.narrow(CallSearch::open(&app.config.data.index())?.calls_with(query)?);
    }
    let sound = match args.unmasked {
        true => PersonalData::AsSaid,
        false => PersonalData::Masked,
    };
    let reader = CallReader::open(app, PersonalData::Masked)?;
    let detail = match args.no_calls {
        true => Detail::Nothing,
        false => Detail::Page,
    };
    let calls = args.out.join("calls");
    let mut written = HashSet::new();
    fs::create_dir_all(&calls).with_context(|| format!("cannot make `{}`", calls.display()))?;
    let mut batch = Batch::new(BatchOptions {
        title: args.title.clone(),
        ..BatchOptions::default()
    });
    let (mut n_failed, mut n_silent) = (0_u64, 0_u64);
    selection.each_call(app, |call| {
        let known = match reader.read_as_said(app, &selection.store, call) {
            Ok(known) => known,
            Err(cause) => {
                n_failed += 1;
                say!("failed: {}", message_of(&cause));
                return Ok(());
            }
        };
        let playable = playable(call, &known, args.audio.as_deref(), sound);
        n_silent += u64::from(playable == Playable::Withheld);
        let known = reader.shown(known);
        let (transcript, assessment) = (&known.transcript, &known.assessment);
        batch.add(transcript, assessment, &playable, detail);
        if detail == Detail::Page {
            let page = call_page(transcript, assessment, &playable, args.language);
            let path = args.out.join(call_page_path(&transcript.call_id));
            write_atomically(&path, page.as_bytes())?;
            written.insert(path);
        }
        Ok(())
    })?;
    if batch.n_calls() == 0 {
        bail!("there is no call to report\nhint: analyze some first, or ask for others");
    }
    let path = args.out.join(BATCH_PAGE_FILE);
    write_atomically(&path, batch_page(&batch, args.language).as_bytes())?;
    say!("{}: {}", path.display(), count(batch.n_calls(), "call"));
    let n_stale = remove_stale(&calls, &written)?;
    if n_stale > 0 {
        say!(
            "{} of an earlier report removed: this one has other calls",
            count(n_stale, "page")
        );
    }
    if n_silent > 0 {
        say!(
            "{} without sound: they have personal data and no silenced copy\nhint: `auricle analyze RECORDINGS --redact-audio DIR` makes copies, `--audio DIR` plays them; `--unmasked` plays the recordings as they are",
            count(n_silent, "call")
        );
    }
    Ok(match n_failed {
        0 => Exit::Done,
        _ => Exit::Failed,
    })
}

/// Takes away pages of calls that an earlier report wrote and this one did not; how many. Whatever else lies there stays.
fn remove_stale(calls: &Path, written: &HashSet<PathBuf>) -> Result<u64> {
    let mut n_stale = 0;
    let cannot_read = || format!("cannot read `{}`", calls.display());
    for entry in fs::read_dir(calls).with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        let is_page = path.extension().is_some_and(|ending| ending == "html");
        if !is_page || written.contains(&path) || !is_own(&path) {
            continue;
        }
        fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
        n_stale += 1;
    }
    Ok(n_stale)
}

/// What cannot be read is nobody's.
fn is_own(path: &Path) -> bool {
    let mut head = Vec::new();
    let file = File::open(path).map(|file| file.take(PAGE_HEAD_BYTES as u64));
    let read = file.and_then(|mut file| file.read_to_end(&mut head));
    read.is_ok() && is_own_page(&head)
}

/// The silenced copy, where there is one of just this; else the recording, unless somebody could hear
/// personal data in it.
fn playable(
    call: &CallRecord,
    known: &KnownCall,
    copies: Option<&Path>,
    sound: PersonalData,
) -> Playable {
    let KnownCall {
        transcript,
        assessment,
        ..
    } = known;
    let audio_sha256 = &call.fingerprints.audio_sha256;
    let copy = copies
        .and_then(|folder| current_copy(folder, transcript, assessment, audio_sha256))
        .and_then(|path| std::path::absolute(path).ok());
    let recording = std::path::absolute(&call.recording.path);
    let recording = recording.ok().filter(|path| path.is_file());
    let is_open = !is_personal(transcript, assessment) || sound == PersonalData::AsSaid;
    match (copy, recording) {
        (Some(path), _) => played(&path),
        (None, Some(path)) if is_open => played(&path),
        (None, Some(_)) => Playable::Withheld,
        (None, None) => Playable::Nothing,
    }
}

fn played(path: &Path) -> Playable {
    Playable::Recording(MediaUrl::from_path(&path.to_string_lossy()))
}

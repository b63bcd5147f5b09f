//! `auricle export`: transcripts out of the store.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use auricle_store::StoreError;
use clap::Args;

use crate::app::App;
use crate::atomic::{AtomicFile, write_atomically};
use crate::exit::{Exit, message_of, usage};
use crate::export::ExportFormat;
use crate::file_name::file_stem;
use crate::index::CallSearch;
use crate::known::{CallReader, KnownCall, PersonalData};
use crate::selection::{Selection, SelectionArgs};
use crate::spreadsheet::BYTE_ORDER_MARK;
use crate::terminal::{count, say};

const EXAMPLES: &str = "\
Examples:
  auricle export --out calls.jsonl                           everything, for `auricle import`
  auricle export --format csv --campaign loans --out a.csv   one campaign, a row for each utterance
  auricle export --format srt --out subtitles/ dev-01        subtitles of one call
  auricle export --format txt --query '保证收益'             calls that a search finds
  auricle export --format csv --since 2026-11-01 --until 2026-12-01
  auricle export --format csv --bom --out a.csv              for Excel

Without --out it goes to standard output; srt and vtt make a file for each call, so they need a
folder, unless one call is asked for: then `--out call.srt` names its file.";

/// Options of `auricle export`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// What to write.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    format: ExportFormat,
    /// File to write, or folder for srt and vtt.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Only calls that this search finds.
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Begin CSV with a byte order mark: Excel misreads Chinese without it.
    #[arg(long)]
    bom: bool,
    /// Personal data as it was said, not masked.
    #[arg(long)]
    unmasked: bool,
}

/// Which calls are written, and how.
struct Exporter<'a> {
    app: &'a App,
    selection: Selection,
    reader: CallReader,
    format: ExportFormat,
    /// What stands before the first call.
    head: String,
}

pub(crate) fn run(app: &mut App, args: &ExportArgs) -> Result<Exit> {
    let exporter = Exporter::read(app, args)?;
    let tally = match (&args.out, args.format.is_per_call()) {
        (Some(folder), true) if !exporter.is_subtitle(folder) => exporter.to_folder(folder)?,
        (Some(path), _) => exporter.to_file(path)?,
        (None, is_per_call) => {
            let wanted = exporter.selection.wanted.as_ref();
            if is_per_call && wanted.is_none_or(|wanted| wanted.len() != 1) {
                return Err(usage(format!(
                    "`--format {}` makes a file for each call\nhint: name a folder with --out, or one call",
                    args.format.ending()
                )));
            }
            exporter.to_stdout()?
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

/// Whether the other calls can be read all the same: what the database itself says ends everything.
fn is_of_one_call(cause: &anyhow::Error) -> bool {
    let store = cause.downcast_ref::<StoreError>();
    store.is_none_or(|error| {
        matches!(
            error,
            StoreError::Transcript { .. } | StoreError::Assessment { .. }
        )
    })
}

impl<'a> Exporter<'a> {
    fn read(app: &'a App, args: &ExportArgs) -> Result<Self> {
        let mark = match (args.bom, args.format) {
            (false, _) => "",
            (true, ExportFormat::Csv) => BYTE_ORDER_MARK,
            (true, _) => return Err(usage("`--bom` is for `--format csv`")),
        };
        let mut selection = Selection::read(app, &args.selection)?;
        if let Some(query) = &args.query {
            selection.narrow(CallSearch::open(&app.config.data.index())?.calls_with(query)?);
        }
        if args.selection.has_names() {
            selection.check_not_empty(app)?;
        }
        let personal_data = match args.unmasked {
            true => PersonalData::AsSaid,
            false => PersonalData::Masked,
        };
        Ok(Self {
            app,
            selection,
            reader: CallReader::open(app, personal_data)?,
            format: args.format,
            head: format!("{mark}{}", args.format.head()?),
        })
    }

    /// Calls `each` with every call asked for. One that cannot be read is named, the others go on.
    fn each_known(&self, mut each: impl FnMut(&KnownCall) -> Result<()>) -> Result<Tally> {
        let mut tally = Tally::default();
        let store = &self.selection.store;
        self.selection.each_call(self.app, |call| {
            match self.reader.read(self.app, store, call) {
                Ok(known) => {
                    tally.n_written += 1;
                    each(&known)
                }
                Err(cause) if is_of_one_call(&cause) => {
                    tally.n_failed += 1;
                    say!("failed: {}", message_of(&cause));
                    Ok(())
                }
                Err(cause) => Err(cause),
            }
        })?;
        Ok(tally)
    }

    /// Whether a path names the one file of the one call that was asked for.
    fn is_subtitle(&self, path: &Path) -> bool {
        let wanted = self.selection.wanted.as_ref();
        let is_one = wanted.is_some_and(|wanted| wanted.len() == 1);
        let ending = path.extension().and_then(|ending| ending.to_str());
        is_one && ending == Some(self.format.ending()) && !path.is_dir()
    }

    fn to_stdout(&self) -> Result<Tally> {
        let mut out = std::io::BufWriter::new(std::io::stdout());
        out.write_all(self.head.as_bytes())?;
        let tally =
            self.each_known(|known| Ok(out.write_all(self.format.write(known)?.as_bytes())?))?;
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
        out.write(self.head.as_bytes())?;
        let tally = self.each_known(|known| out.write(self.format.write(known)?.as_bytes()))?;
        out.commit()?;
        Ok(tally)
    }

    fn to_folder(&self, folder: &Path) -> Result<Tally> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
        self.each_known(|known| {
            let stem = file_stem(&known.transcript.call_id);
            let path = folder.join(format!("{stem}.{}", self.format.ending()));
            write_atomically(&path, self.format.write(known)?.as_bytes())
        })
    }
}

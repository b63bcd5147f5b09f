//! `--dry-run`: what a run would do. Writes nothing, not even the data folder.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use auricle_audio::AudioReader;
use auricle_store::{CallRecord, Store, StoreError};

use super::plan::Plan;
use super::work::{Again, Job, Kept, fingerprints};
use crate::app::App;
use crate::exit::{Exit, message_of};
use crate::terminal::{duration_text, printable, printable_lines, say};

/// The store as it is, if there is one.
pub(crate) fn store_to_read(app: &App) -> Result<Option<Store>> {
    let database = app.config.data.database();
    match app.runtime.block_on(Store::open_to_read(&database)) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a run has to compare with.
pub(crate) struct Known<'a> {
    pub(crate) store: Option<&'a Store>,
    pub(crate) settings_print: &'a str,
    pub(crate) again: Again,
}

/// Writes one line for each recording.
pub(crate) fn write(
    app: &mut App,
    plan: &Plan,
    failures: &[(PathBuf, String)],
    known: &Known<'_>,
) -> Result<Exit> {
    let mut n_failed = failures.len();
    for (path, cause) in failures {
        let path = printable(&path.display().to_string());
        writeln!(
            app.terminal,
            "fail       {path}: {}",
            printable_lines(cause)
        )?;
    }
    for job in &plan.jobs {
        let recording = &job.recording;
        let what = foresee(app, job, known).unwrap_or_else(|error| {
            say!("{}: {}", recording.file, message_of(&error));
            n_failed += 1;
            "fail"
        });
        let (call_id, file) = (printable(&recording.call_id.0), printable(&recording.file));
        let length = duration_text(job.probed_ms);
        let model = job.model.as_ref().map_or("-", |model| model.name());
        writeln!(
            app.terminal,
            "{what:<9}  {call_id}  {length}  {model}  {file}"
        )?;
    }
    for warning in &plan.warnings {
        say!("warning: {warning}");
    }
    Ok(if n_failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn foresee(app: &App, job: &Job, known: &Known<'_>) -> Result<&'static str> {
    let call = match (known.again, known.store) {
        (Again::WhenChanged, Some(store)) => {
            app.runtime.block_on(store.call(&job.recording.call_id))?
        }
        _ => None,
    };
    if call.as_ref().is_some_and(CallRecord::is_imported) {
        return Ok("imported");
    }
    let model = job.model.as_ref().map_err(|cause| anyhow!(cause.clone()))?;
    let prints = fingerprints(job, model, known.settings_print)?;
    match call.and_then(|call| Kept::of(&call, &prints, model)) {
        Some(Kept::Unchanged) => return Ok("unchanged"),
        Some(Kept::HeardBetter) => return Ok("kept"),
        None => {}
    }
    AudioReader::open(&job.file)?;
    Ok("hear")
}

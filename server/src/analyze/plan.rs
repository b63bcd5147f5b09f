//! What a run is going to do: each recording with its names, its metadata and its model.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use auricle_audio::AudioReader;
use auricle_contracts::CallMetadata;
use auricle_store::{Recording, Store};

use super::AnalyzeArgs;
use super::metadata::MetadataTable;
use super::names::Names;
use super::work::{Job, Shared, fingerprints, unchanged};
use crate::app::App;
use crate::engine::Speech;
use crate::exit::{Exit, message_of};
use crate::terminal::{duration_text, printable, say};

/// The jobs of a run.
pub(crate) struct Plan {
    pub(crate) jobs: Vec<Job>,
    pub(crate) warnings: Vec<String>,
}

/// What the options and the table say of the calls.
pub(crate) fn metadata(app: &App, args: &AnalyzeArgs) -> Result<MetadataTable> {
    let table = MetadataTable::new(CallMetadata {
        agent: args.agent.clone(),
        campaign: args.campaign.clone(),
        region: args.region.clone(),
        started_at: None,
    });
    match &args.metadata {
        Some(path) => table.read(path, app.config.utc_offset),
        None => Ok(table),
    }
}

impl Plan {
    /// Names every recording and loads the models they need.
    pub(crate) fn make(
        app: &App,
        store: &Store,
        out: Option<&Path>,
        files: &[PathBuf],
        known: &MetadataTable,
        speech: &mut Speech,
    ) -> Result<Self> {
        let (mut names, mut warnings, mut jobs) = (Names::default(), Vec::new(), Vec::new());
        for file in files {
            let named = app.runtime.block_on(names.call(Some(store), file))?;
            warnings.extend(
                named
                    .warning
                    .map(|warning| format!("`{}`: {warning}", file.display())),
            );
            let metadata = known.of(file);
            let model = speech.model_for(&metadata)?;
            let json_path = out.map(|folder| names.json_path(folder, file, &named.call_id));
            let recording = Recording {
                call_id: named.call_id,
                file: file.to_string_lossy().into_owned(),
                path: named.path,
                size_bytes: fs::metadata(file).map_or(0, |known| known.len()),
                metadata,
            };
            jobs.push(Job {
                recording,
                model,
                json_path,
                probed_ms: probe_ms(file),
            });
        }
        Ok(Self { jobs, warnings })
    }

    pub(crate) fn total_ms(&self) -> u64 {
        self.jobs.iter().map(|job| job.probed_ms).sum()
    }

    pub(crate) fn recordings(&self) -> Vec<Recording> {
        self.jobs.iter().map(|job| job.recording.clone()).collect()
    }

    /// `--dry-run`: one line for each recording.
    pub(crate) fn write(
        &self,
        app: &mut App,
        failures: &[(PathBuf, String)],
        shared: &Shared<'_>,
    ) -> Result<Exit> {
        let mut n_failed = failures.len();
        for (path, cause) in failures {
            writeln!(
                app.terminal,
                "fail       {}: {cause}",
                printable(&path.display().to_string())
            )?;
        }
        for job in &self.jobs {
            let what = foresee(job, shared).unwrap_or_else(|error| {
                say!("{}", message_of(&error));
                n_failed += 1;
                "fail"
            });
            let recording = &job.recording;
            let (call_id, file) = (printable(&recording.call_id.0), printable(&recording.file));
            let length = duration_text(job.probed_ms);
            writeln!(
                app.terminal,
                "{what:<9}  {call_id}  {length}  {}  {file}",
                job.model.name()
            )?;
        }
        for warning in &self.warnings {
            say!("warning: {warning}");
        }
        Ok(if n_failed == 0 {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

/// Length by the header; 0 for what cannot be read, which the run will report.
fn probe_ms(file: &Path) -> u64 {
    let Ok(reader) = AudioReader::open(file) else {
        return 0;
    };
    let info = reader.info();
    info.n_frames.map_or(0, |n_frames| {
        n_frames * 1000 / u64::from(info.sample_rate_hz.max(1))
    })
}

/// What a run would do with a recording.
fn foresee(job: &Job, shared: &Shared<'_>) -> Result<&'static str> {
    let prints = fingerprints(job, shared)?;
    if unchanged(job, &prints, shared)?.is_some() {
        return Ok("unchanged");
    }
    AudioReader::open(&job.recording.file)?;
    Ok("hear")
}

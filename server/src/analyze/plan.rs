//! What a run is going to do: each recording with its names, its metadata and its model.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use auricle_audio::AudioReader;
use auricle_contracts::CallMetadata;
use auricle_store::{Recording, Store};

use super::AnalyzeArgs;
use super::metadata::{MetadataTable, merged};
use super::names::{Named, name_calls, name_json_files};
use super::work::Job;
use crate::app::App;
use crate::engine::Recognition;
use crate::exit::message_of;
use crate::file_name::path_text;

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
    /// Names every recording and loads the models they need. A recording whose model cannot be had
    /// is a job that will fail; where that is so of every one, the first cause is the error.
    pub(crate) fn make(
        app: &App,
        store: Option<&Store>,
        out: Option<&Path>,
        files: &[PathBuf],
        said: &MetadataTable,
        speech: &mut dyn Recognition,
    ) -> Result<Self> {
        let mut calls = app.runtime.block_on(name_calls(store, files))?;
        if let Some(folder) = out {
            name_json_files(&mut calls, folder);
        }
        let mut plan = Self {
            jobs: Vec::new(),
            warnings: said.warnings(files, app.config.said_utc_offset),
        };
        let mut first_error = None;
        for call in calls {
            for warning in &call.warnings {
                let file = call.file.display();
                plan.warnings.push(format!("`{file}`: {warning}"));
            }
            plan.jobs.push(job(call, said, speech, &mut first_error));
        }
        match first_error {
            Some(error) if plan.jobs.iter().all(|job| job.model.is_err()) => Err(error),
            _ => Ok(plan),
        }
    }

    pub(crate) fn total_ms(&self) -> u64 {
        self.jobs.iter().map(|job| job.probed_ms).sum()
    }

    pub(crate) fn recordings(&self) -> Vec<Recording> {
        self.jobs.iter().map(|job| job.recording.clone()).collect()
    }
}

fn job(
    call: Named,
    said: &MetadataTable,
    speech: &mut dyn Recognition,
    first_error: &mut Option<Error>,
) -> Job {
    let before = call.known.as_ref().map(|known| &known.recording.metadata);
    let metadata = merged(said.of(&call.file), before);
    let model = speech.model_for(&metadata).map_err(|error| {
        let cause = message_of(&error);
        first_error.get_or_insert(error);
        cause
    });
    Job {
        model,
        probed_ms: probe_ms(&call.file),
        json_path: call.json_path,
        recording: Recording {
            call_id: call.call_id,
            file: path_text(call.file.as_os_str()),
            path: call.path,
            size_bytes: fs::metadata(&call.file).map_or(0, |known| known.len()),
            legs: Vec::new(),
            lines: Vec::new(),
            keys_pressed: Vec::new(),
            metadata,
        },
        file: call.file,
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

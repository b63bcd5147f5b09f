//! Rows of `calls` from and to what the other rooms see.

use auricle_bodies::told;
use auricle_contracts::{CallId, CallMetadata, ChannelLayout, Transcript};
use sea_orm::ActiveValue::{self, Set};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, Iterable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entity::call::{ActiveModel, Column, Model};
use crate::record::{CallRecord, CallState, Fingerprints, Recording, RunId, parse_time_ms};

/// SQLite's integers have a sign; larger numbers than it holds are not met.
pub(crate) fn to_column(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The count that [`to_column`] wrote.
pub(crate) fn from_column(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// What is known of a recording before it is heard.
pub(crate) fn of_recording(run: Option<RunId>, recording: &Recording) -> ActiveModel {
    let known = recording.metadata.clone();
    ActiveModel {
        call_id: Set(recording.call_id.0.clone()),
        file: Set(recording.file.clone()),
        path: Set(recording.path.clone()),
        size_bytes: Set(to_column(recording.size_bytes)),
        started_at_ms: Set(known.started_at.as_deref().and_then(parse_time_ms)),
        agent: Set(known.agent),
        campaign: Set(known.campaign),
        region: Set(known.region),
        started_at: Set(known.started_at),
        legs: Set(list_text(&recording.legs)),
        lines: Set(list_text(&recording.lines)),
        keys_pressed: Set(list_text(&recording.keys_pressed)),
        state: Set(CallState::Pending.as_str().to_owned()),
        run_id: Set(run.map(|run| run.0)),
        ..Default::default()
    }
}

/// Adds what hearing it gave.
pub(crate) fn with_transcript(
    row: ActiveModel,
    fingerprints: &Fingerprints,
    transcript: &Transcript,
) -> ActiveModel {
    ActiveModel {
        audio_sha256: Set(fingerprints.audio_sha256.clone()),
        model_fingerprint: Set(fingerprints.model.clone()),
        settings_fingerprint: Set(fingerprints.settings.clone()),
        duration_ms: Set(to_column(transcript.duration_ms)),
        layout: Set(Some(layout_word(transcript.layout).to_owned())),
        engine: Set(Some(transcript.engine.clone())),
        state: Set(CallState::Done.as_str().to_owned()),
        error: Set(None),
        warnings: Set(serde_json::json!(transcript.warnings).to_string()),
        ..row
    }
}

/// As JSON; `None` where nothing is known.
fn list_text<Item: Serialize>(items: &[Item]) -> Option<String> {
    (!items.is_empty()).then(|| serde_json::json!(items).to_string())
}

/// What [`list_text`] wrote into a column.
fn read_list<Item: DeserializeOwned>(
    column: Option<&str>,
    name: &str,
    call_id: &str,
) -> Result<Vec<Item>, String> {
    let items = column.map(serde_json::from_str).transpose();
    let items = items.map_err(|cause| format!("{name} of call `{call_id}`: {}", told(&cause)))?;
    Ok(items.unwrap_or_default())
}

/// On a call that is there already: write what the row sets, leave the rest.
pub(crate) fn replace_set_columns(row: &ActiveModel) -> OnConflict {
    let is_set = |column: &Column| !matches!(column, Column::CallId) && !row.is_not_set(*column);
    OnConflict::column(Column::CallId)
        .update_columns(Column::iter().filter(is_set))
        .to_owned()
}

/// The same, but what is known beside the sound stays where the row does not know it.
pub(crate) fn replace_known_columns(row: &ActiveModel) -> OnConflict {
    let is_known = |column: &Column| match column {
        Column::CallId => false,
        Column::Agent => is_some(&row.agent),
        Column::Campaign => is_some(&row.campaign),
        Column::Region => is_some(&row.region),
        Column::StartedAt | Column::StartedAtMs => is_some(&row.started_at),
        other => !row.is_not_set(*other),
    };
    OnConflict::column(Column::CallId)
        .update_columns(Column::iter().filter(is_known))
        .to_owned()
}

fn is_some(value: &ActiveValue<Option<String>>) -> bool {
    matches!(value, Set(Some(_)))
}

impl TryFrom<Model> for CallRecord {
    type Error = String;

    fn try_from(row: Model) -> Result<Self, String> {
        let warnings = serde_json::from_str(&row.warnings)
            .map_err(|cause| format!("warnings of call `{}`: {}", row.call_id, told(&cause)))?;
        let legs = read_list(row.legs.as_deref(), "legs", &row.call_id)?;
        let lines = read_list(row.lines.as_deref(), "lines", &row.call_id)?;
        let keys_pressed = row.keys_pressed.as_deref();
        let keys_pressed = read_list(keys_pressed, "keys_pressed", &row.call_id)?;
        Ok(Self {
            fingerprints: Fingerprints {
                audio_sha256: row.audio_sha256,
                model: row.model_fingerprint,
                settings: row.settings_fingerprint,
            },
            duration_ms: from_column(row.duration_ms),
            layout: row.layout.as_deref().map(parse_layout).transpose()?,
            engine: row.engine,
            state: row.state.parse()?,
            error: row.error,
            warnings,
            analysed_at: row.analysed_at,
            version: row.version,
            is_indexed: row.version > 0 && row.indexed_version == row.version,
            recording: Recording {
                call_id: CallId(row.call_id),
                file: row.file,
                path: row.path,
                size_bytes: from_column(row.size_bytes),
                legs,
                lines,
                keys_pressed,
                metadata: CallMetadata {
                    agent: row.agent,
                    campaign: row.campaign,
                    region: row.region,
                    started_at: row.started_at,
                },
            },
        })
    }
}

/// The word that JSON has for a layout too.
const fn layout_word(layout: ChannelLayout) -> &'static str {
    match layout {
        ChannelLayout::Mono => "mono",
        ChannelLayout::PerParty => "per_party",
        ChannelLayout::FakeStereo => "fake_stereo",
    }
}

fn parse_layout(word: &str) -> Result<ChannelLayout, String> {
    [
        ChannelLayout::Mono,
        ChannelLayout::PerParty,
        ChannelLayout::FakeStereo,
    ]
    .into_iter()
    .find(|layout| layout_word(*layout) == word)
    .ok_or_else(|| format!("unknown channel layout `{word}`"))
}

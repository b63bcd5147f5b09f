//! Table `calls`: one row for each recording.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "calls")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) call_id: String,
    pub(crate) file: String,
    pub(crate) path: String,
    pub(crate) audio_sha256: String,
    pub(crate) size_bytes: i64,
    pub(crate) duration_ms: i64,
    pub(crate) layout: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) campaign: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) started_at: Option<String>,
    pub(crate) started_at_ms: Option<i64>,
    pub(crate) engine: Option<String>,
    pub(crate) model_fingerprint: String,
    pub(crate) settings_fingerprint: String,
    pub(crate) state: String,
    pub(crate) error: Option<String>,
    pub(crate) warnings: String,
    pub(crate) analysed_at: Option<String>,
    pub(crate) version: i64,
    pub(crate) indexed_version: i64,
    pub(crate) run_id: Option<i64>,
    pub(crate) legs: Option<String>,
    pub(crate) lines: Option<String>,
    pub(crate) keys_pressed: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

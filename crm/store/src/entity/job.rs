//! Table `jobs`: work that goes on beside live calls.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) request: String,
    pub(crate) asked_by: String,
    pub(crate) queued_unix_ms: i64,
    pub(crate) began_unix_ms: Option<i64>,
    pub(crate) ended_unix_ms: Option<i64>,
    pub(crate) n_calls: i64,
    pub(crate) n_done: i64,
    pub(crate) n_changed: i64,
    pub(crate) n_failed: i64,
    pub(crate) error: Option<String>,
    pub(crate) report: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

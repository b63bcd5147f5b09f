//! Table `deliveries`: events that a webhook still has to get, or never got.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) webhook: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) event_id: i64,
    pub(crate) call_id: String,
    pub(crate) unix_ms: i64,
    pub(crate) kind: String,
    pub(crate) body: String,
    pub(crate) n_attempts: i64,
    pub(crate) failing_since_unix_ms: Option<i64>,
    pub(crate) next_unix_ms: i64,
    pub(crate) is_dead: bool,
    pub(crate) last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

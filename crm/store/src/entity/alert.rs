//! Table `alerts`: one row for each alert, as it was told last.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) alert_id: String,
    pub(crate) call_id: String,
    pub(crate) agent: Option<String>,
    pub(crate) campaign: Option<String>,
    pub(crate) rule: String,
    pub(crate) severity: String,
    pub(crate) state: String,
    pub(crate) hit: String,
    pub(crate) first_event: i64,
    pub(crate) told_unix_ms: i64,
    pub(crate) changed_unix_ms: i64,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) acknowledged_unix_ms: Option<i64>,
    pub(crate) note: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

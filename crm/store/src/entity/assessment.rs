//! Table `assessments`: every version of what was made of a call; one of each call is current.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "assessments")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i32,
    pub(crate) call_id: String,
    pub(crate) transcript_version: i64,
    pub(crate) rules_fingerprint: String,
    pub(crate) made_at: String,
    pub(crate) is_current: bool,
    #[sea_orm(column_type = "Float", nullable)]
    pub(crate) total: Option<f32>,
    pub(crate) passed: Option<bool>,
    pub(crate) auto_fail: Option<bool>,
    pub(crate) n_hits: i64,
    pub(crate) encoding: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(has_one = "super::confirmation::Entity")]
    Confirmation,
}

impl Related<super::confirmation::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Confirmation.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

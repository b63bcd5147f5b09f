//! Table `confirmations`: the last rules that found an assessment again.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "confirmations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) call_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) assessment_id: i32,
    pub(crate) rules_fingerprint: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::assessment::Entity",
        from = "(Column::CallId, Column::AssessmentId)",
        to = "(super::assessment::Column::CallId, super::assessment::Column::Id)"
    )]
    Assessment,
}

impl Related<super::assessment::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Assessment.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

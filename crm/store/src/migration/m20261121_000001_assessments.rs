//! What was made of calls: every version of every call's assessment.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary, boolean, boolean_null, float_null, pk_auto, string,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Assessments {
    Table,
    Id,
    CallId,
    TranscriptVersion,
    RulesFingerprint,
    MadeAt,
    IsCurrent,
    Total,
    Passed,
    AutoFail,
    NHits,
    Encoding,
    Body,
}

#[derive(DeriveIden)]
enum Calls {
    Table,
    CallId,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Assessments::Table)
            .col(pk_auto(Assessments::Id))
            .col(string(Assessments::CallId))
            .col(big_integer(Assessments::TranscriptVersion))
            .col(string(Assessments::RulesFingerprint))
            .col(string(Assessments::MadeAt))
            .col(boolean(Assessments::IsCurrent))
            .col(float_null(Assessments::Total))
            .col(boolean_null(Assessments::Passed))
            .col(boolean_null(Assessments::AutoFail))
            .col(big_integer(Assessments::NHits))
            .col(string(Assessments::Encoding))
            .col(binary(Assessments::Body))
            .foreign_key(
                ForeignKey::create()
                    .from(Assessments::Table, Assessments::CallId)
                    .to(Calls::Table, Calls::CallId)
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(table).await?;
        let by_call = Index::create()
            .name("assessments_call_id")
            .table(Assessments::Table)
            .col(Assessments::CallId)
            .col(Assessments::IsCurrent)
            .to_owned();
        manager.create_index(by_call).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::drop().table(Assessments::Table).to_owned();
        manager.drop_table(table).await
    }
}

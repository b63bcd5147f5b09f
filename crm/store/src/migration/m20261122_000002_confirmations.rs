//! With which rules a score was last found to be the same again, in a table of its own: beside the score every
//! confirmation wrote all of it once more.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, string, string_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Confirmations {
    Table,
    CallId,
    AssessmentId,
    RulesFingerprint,
}

#[derive(DeriveIden)]
enum Assessments {
    Table,
    ConfirmedWith,
}

/// What stood in the column.
const MOVE: &str = "INSERT INTO confirmations (call_id, assessment_id, rules_fingerprint) \
    SELECT call_id, id, confirmed_with FROM assessments WHERE confirmed_with IS NOT NULL";

const MOVE_BACK: &str = "UPDATE assessments SET confirmed_with = (SELECT rules_fingerprint FROM confirmations \
    WHERE confirmations.call_id = assessments.call_id AND assessment_id = id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // By the call, as runs go through them, and without a second tree for the key: a run writes few pages.
        let table = Table::create()
            .table(Confirmations::Table)
            .col(string(Confirmations::CallId))
            .col(integer(Confirmations::AssessmentId))
            .col(string(Confirmations::RulesFingerprint))
            .primary_key(
                Index::create()
                    .col(Confirmations::CallId)
                    .col(Confirmations::AssessmentId),
            )
            .extra("WITHOUT ROWID")
            .to_owned();
        manager.create_table(table).await?;
        manager.get_connection().execute_unprepared(MOVE).await?;
        let column = Table::alter()
            .table(Assessments::Table)
            .drop_column(Assessments::ConfirmedWith)
            .to_owned();
        manager.alter_table(column).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter()
            .table(Assessments::Table)
            .add_column(string_null(Assessments::ConfirmedWith))
            .to_owned();
        manager.alter_table(column).await?;
        let db = manager.get_connection();
        db.execute_unprepared(MOVE_BACK).await?;
        let table = Table::drop().table(Confirmations::Table).to_owned();
        manager.drop_table(table).await
    }
}

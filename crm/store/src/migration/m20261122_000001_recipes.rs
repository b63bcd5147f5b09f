//! What fingerprints of rules stand for, and with which rules a score was found to be the same again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{string, string_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Recipes {
    Table,
    Fingerprint,
    Body,
}

#[derive(DeriveIden)]
enum Assessments {
    Table,
    ConfirmedWith,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Recipes::Table)
            .col(string(Recipes::Fingerprint).primary_key())
            .col(string(Recipes::Body))
            .to_owned();
        manager.create_table(table).await?;
        let column = Table::alter()
            .table(Assessments::Table)
            .add_column(string_null(Assessments::ConfirmedWith))
            .to_owned();
        manager.alter_table(column).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter()
            .table(Assessments::Table)
            .drop_column(Assessments::ConfirmedWith)
            .to_owned();
        manager.alter_table(column).await?;
        let table = Table::drop().table(Recipes::Table).to_owned();
        manager.drop_table(table).await
    }
}

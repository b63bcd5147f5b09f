//! Work that goes on beside live calls, and what came of each call that it is done with.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, pk_auto, string, text, text_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Jobs {
    Table,
    Id,
    Kind,
    State,
    Request,
    AskedBy,
    QueuedUnixMs,
    BeganUnixMs,
    EndedUnixMs,
    NCalls,
    NDone,
    NChanged,
    NFailed,
    Error,
    Report,
}

#[derive(DeriveIden)]
enum JobCalls {
    Table,
    JobId,
    CallId,
    IsChanged,
    Body,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(jobs()).await?;
        manager.create_table(job_calls()).await?;
        let index = Index::create()
            .name("job_calls_call_id")
            .table(JobCalls::Table)
            .col(JobCalls::CallId)
            .take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [JobCalls::Table.into_iden(), Jobs::Table.into_iden()] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

/// Ids are never given again: whoever asks for a job must not get another one.
fn jobs() -> TableCreateStatement {
    Table::create()
        .table(Jobs::Table)
        .col(pk_auto(Jobs::Id))
        .col(string(Jobs::Kind))
        .col(string(Jobs::State))
        .col(text(Jobs::Request))
        .col(string(Jobs::AskedBy))
        .col(big_integer(Jobs::QueuedUnixMs))
        .col(big_integer_null(Jobs::BeganUnixMs))
        .col(big_integer_null(Jobs::EndedUnixMs))
        .col(big_integer(Jobs::NCalls).default(0))
        .col(big_integer(Jobs::NDone).default(0))
        .col(big_integer(Jobs::NChanged).default(0))
        .col(big_integer(Jobs::NFailed).default(0))
        .col(text_null(Jobs::Error))
        .col(text_null(Jobs::Report))
        .to_owned()
}

fn job_calls() -> TableCreateStatement {
    Table::create()
        .table(JobCalls::Table)
        .col(big_integer(JobCalls::JobId))
        .col(string(JobCalls::CallId))
        .col(boolean(JobCalls::IsChanged))
        .col(text(JobCalls::Body))
        .primary_key(Index::create().col(JobCalls::JobId).col(JobCalls::CallId))
        .to_owned()
}

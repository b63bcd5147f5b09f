//! Calls, their transcripts, and the runs that made them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, pk_auto, string, string_null, text, text_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Runs {
    Table,
    Id,
    StartedAt,
    FinishedAt,
    NFiles,
    NDone,
    NSkipped,
    NFailed,
}

#[derive(DeriveIden)]
enum Calls {
    Table,
    CallId,
    File,
    Path,
    #[sea_orm(iden = "audio_sha256")]
    AudioSha256,
    SizeBytes,
    DurationMs,
    Layout,
    Agent,
    Campaign,
    Region,
    StartedAt,
    StartedAtMs,
    Engine,
    ModelFingerprint,
    SettingsFingerprint,
    State,
    Error,
    Warnings,
    AnalysedAt,
    Version,
    IndexedVersion,
    RunId,
}

#[derive(DeriveIden)]
enum Transcripts {
    Table,
    CallId,
    Encoding,
    Body,
    NUtterances,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(runs_table()).await?;
        manager.create_table(calls_table()).await?;
        manager.create_table(transcripts_table()).await?;
        for (name, column) in [
            ("calls_path", Calls::Path.into_iden()),
            ("calls_started_at_ms", Calls::StartedAtMs.into_iden()),
            ("calls_campaign", Calls::Campaign.into_iden()),
            ("calls_agent", Calls::Agent.into_iden()),
            ("calls_state", Calls::State.into_iden()),
        ] {
            let index = Index::create()
                .name(name)
                .table(Calls::Table)
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            Transcripts::Table.into_iden(),
            Calls::Table.into_iden(),
            Runs::Table.into_iden(),
        ] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

fn runs_table() -> TableCreateStatement {
    Table::create()
        .table(Runs::Table)
        .col(pk_auto(Runs::Id))
        .col(string(Runs::StartedAt))
        .col(string_null(Runs::FinishedAt))
        .col(big_integer(Runs::NFiles))
        .col(big_integer(Runs::NDone).default(0))
        .col(big_integer(Runs::NSkipped).default(0))
        .col(big_integer(Runs::NFailed).default(0))
        .to_owned()
}

fn calls_table() -> TableCreateStatement {
    Table::create()
        .table(Calls::Table)
        .col(string(Calls::CallId).primary_key())
        .col(text(Calls::File))
        .col(text(Calls::Path))
        .col(string(Calls::AudioSha256).default(""))
        .col(big_integer(Calls::SizeBytes).default(0))
        .col(big_integer(Calls::DurationMs).default(0))
        .col(string_null(Calls::Layout))
        .col(string_null(Calls::Agent))
        .col(string_null(Calls::Campaign))
        .col(string_null(Calls::Region))
        .col(string_null(Calls::StartedAt))
        .col(big_integer_null(Calls::StartedAtMs))
        .col(string_null(Calls::Engine))
        .col(string(Calls::ModelFingerprint).default(""))
        .col(string(Calls::SettingsFingerprint).default(""))
        .col(string(Calls::State))
        .col(text_null(Calls::Error))
        .col(text(Calls::Warnings).default("[]"))
        .col(string_null(Calls::AnalysedAt))
        .col(big_integer(Calls::Version).default(0))
        .col(big_integer(Calls::IndexedVersion).default(0))
        .col(big_integer_null(Calls::RunId))
        .to_owned()
}

fn transcripts_table() -> TableCreateStatement {
    Table::create()
        .table(Transcripts::Table)
        .col(string(Transcripts::CallId).primary_key())
        .col(string(Transcripts::Encoding))
        .col(binary(Transcripts::Body))
        .col(big_integer(Transcripts::NUtterances))
        .foreign_key(
            ForeignKey::create()
                .from(Transcripts::Table, Transcripts::CallId)
                .to(Calls::Table, Calls::CallId)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

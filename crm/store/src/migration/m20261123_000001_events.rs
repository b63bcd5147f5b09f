//! What was told of live calls: alerts as they are kept, events for those who were away, and what webhooks still have to get.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, string, string_null, text, text_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum EventMarks {
    Table,
    Id,
    Reserved,
    Pruned,
}

#[derive(DeriveIden)]
enum Events {
    Table,
    Id,
    UnixMs,
    CallId,
    Agent,
    Kind,
    Body,
}

#[derive(DeriveIden)]
enum Alerts {
    Table,
    AlertId,
    CallId,
    Agent,
    Campaign,
    Rule,
    Severity,
    State,
    Hit,
    FirstEvent,
    ToldUnixMs,
    ChangedUnixMs,
    AcknowledgedBy,
    AcknowledgedUnixMs,
    Note,
}

#[derive(DeriveIden)]
enum Deliveries {
    Table,
    Webhook,
    EventId,
    CallId,
    UnixMs,
    Kind,
    Body,
    NAttempts,
    FailingSinceUnixMs,
    NextUnixMs,
    IsDead,
    LastError,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [marks(), events(), alerts(), deliveries()] {
            manager.create_table(table).await?;
        }
        let indexes = [
            index("events_call_id")
                .table(Events::Table)
                .col(Events::CallId)
                .take(),
            index("events_unix_ms")
                .table(Events::Table)
                .col(Events::UnixMs)
                .take(),
            index("alerts_call_id")
                .table(Alerts::Table)
                .col(Alerts::CallId)
                .take(),
            index("alerts_first_event")
                .table(Alerts::Table)
                .col(Alerts::FirstEvent)
                .take(),
            index("deliveries_waiting")
                .table(Deliveries::Table)
                .col(Deliveries::Webhook)
                .col(Deliveries::IsDead)
                .col(Deliveries::EventId)
                .take(),
            index("deliveries_call_id")
                .table(Deliveries::Table)
                .col(Deliveries::CallId)
                .take(),
        ];
        for index in indexes {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            Deliveries::Table.into_iden(),
            Alerts::Table.into_iden(),
            Events::Table.into_iden(),
            EventMarks::Table.into_iden(),
        ] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

fn index(name: &str) -> IndexCreateStatement {
    Index::create().name(name).to_owned()
}

/// One row.
fn marks() -> TableCreateStatement {
    Table::create()
        .table(EventMarks::Table)
        .col(integer(EventMarks::Id).primary_key())
        .col(big_integer(EventMarks::Reserved))
        .col(big_integer(EventMarks::Pruned))
        .to_owned()
}

fn events() -> TableCreateStatement {
    Table::create()
        .table(Events::Table)
        .col(big_integer(Events::Id).primary_key())
        .col(big_integer(Events::UnixMs))
        .col(string(Events::CallId))
        .col(string_null(Events::Agent))
        .col(string(Events::Kind))
        .col(text(Events::Body))
        .to_owned()
}

/// Without a foreign key to `calls`: alerts are there before their call is over and saved.
fn alerts() -> TableCreateStatement {
    Table::create()
        .table(Alerts::Table)
        .col(string(Alerts::AlertId).primary_key())
        .col(string(Alerts::CallId))
        .col(string_null(Alerts::Agent))
        .col(string_null(Alerts::Campaign))
        .col(string(Alerts::Rule))
        .col(string(Alerts::Severity))
        .col(string(Alerts::State))
        .col(text(Alerts::Hit))
        .col(big_integer(Alerts::FirstEvent))
        .col(big_integer(Alerts::ToldUnixMs))
        .col(big_integer(Alerts::ChangedUnixMs))
        .col(string_null(Alerts::AcknowledgedBy))
        .col(big_integer_null(Alerts::AcknowledgedUnixMs))
        .col(text_null(Alerts::Note))
        .to_owned()
}

/// By webhook and event: the order in which they go out.
fn deliveries() -> TableCreateStatement {
    Table::create()
        .table(Deliveries::Table)
        .col(string(Deliveries::Webhook))
        .col(big_integer(Deliveries::EventId))
        .col(string(Deliveries::CallId))
        .col(big_integer(Deliveries::UnixMs))
        .col(string(Deliveries::Kind))
        .col(text(Deliveries::Body))
        .col(big_integer(Deliveries::NAttempts).default(0))
        .col(big_integer_null(Deliveries::FailingSinceUnixMs))
        .col(big_integer(Deliveries::NextUnixMs).default(0))
        .col(boolean(Deliveries::IsDead).default(false))
        .col(text_null(Deliveries::LastError))
        .primary_key(
            Index::create()
                .col(Deliveries::Webhook)
                .col(Deliveries::EventId),
        )
        .to_owned()
}

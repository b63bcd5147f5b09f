//! The schema's history.
//!
//! Changes **expand**, then **contract**: a release first adds tables, columns with defaults and
//! indexes that the release before it can ignore, and writes both the old and the new; only a later
//! release drops what nobody reads any more. An applied change is never edited; its file name is its
//! name in the database. Each runs in one transaction: a stop in the middle leaves the old schema.

use sea_orm_migration::prelude::*;

mod m20261120_000001_calls;
mod m20261121_000001_assessments;
mod m20261121_000002_one_current;
mod m20261122_000001_recipes;
mod m20261122_000002_confirmations;
mod m20261123_000001_events;
mod m20261123_000002_jobs;
mod m20261123_000002_legs;
mod m20261124_000001_lines;
mod m20261124_000002_keys_pressed;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261120_000001_calls::Migration),
            Box::new(m20261121_000001_assessments::Migration),
            Box::new(m20261121_000002_one_current::Migration),
            Box::new(m20261122_000001_recipes::Migration),
            Box::new(m20261122_000002_confirmations::Migration),
            Box::new(m20261123_000001_events::Migration),
            Box::new(m20261123_000002_legs::Migration),
            Box::new(m20261123_000002_jobs::Migration),
            Box::new(m20261124_000001_lines::Migration),
            Box::new(m20261124_000002_keys_pressed::Migration),
        ]
    }
}

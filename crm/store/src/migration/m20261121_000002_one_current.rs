//! Of each call at most one assessment is current, and the database sees to it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Partial, so that all the versions that are no longer current do not count.
const UNIQUE: &str =
    "CREATE UNIQUE INDEX assessments_current ON assessments (call_id) WHERE is_current";

/// Where there were several the newest stays current.
const NEWEST: &str = "UPDATE assessments SET is_current = FALSE WHERE is_current AND id NOT IN \
    (SELECT MAX(id) FROM assessments WHERE is_current GROUP BY call_id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(NEWEST).await?;
        db.execute_unprepared(UNIQUE).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("assessments_current").to_owned();
        manager.drop_index(index).await
    }
}

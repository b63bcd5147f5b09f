//! Runs: what one `analyze` or `import` did.

use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, QuerySelect};

use crate::entity::run;
use crate::error::StoreError;
use crate::open::Store;
use crate::record::{RunCounts, RunId, RunRecord};
use crate::row::{from_column, to_column};

impl Store {
    /// Notes that a run over `n_files` recordings began at `started_at` (RFC 3339).
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn begin_run(&self, started_at: &str, n_files: u64) -> Result<RunId, StoreError> {
        let row = run::ActiveModel {
            started_at: Set(started_at.to_owned()),
            n_files: Set(to_column(n_files)),
            ..Default::default()
        };
        let row = row
            .insert(&self.db)
            .await
            .map_err(|error| self.error(error))?;
        Ok(RunId(row.id))
    }

    /// Notes that a run ended at `finished_at` (RFC 3339), and how.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn finish_run(
        &self,
        id: RunId,
        counts: RunCounts,
        finished_at: &str,
    ) -> Result<(), StoreError> {
        let row = run::ActiveModel {
            id: Unchanged(id.0),
            finished_at: Set(Some(finished_at.to_owned())),
            n_done: Set(to_column(counts.n_done)),
            n_skipped: Set(to_column(counts.n_skipped)),
            n_failed: Set(to_column(counts.n_failed)),
            ..Default::default()
        };
        row.update(&self.db)
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// The last runs, newest first.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn runs(&self, limit: u64) -> Result<Vec<RunRecord>, StoreError> {
        let query = run::Entity::find()
            .order_by_desc(run::Column::Id)
            .limit(limit);
        let rows = query
            .all(&self.db)
            .await
            .map_err(|error| self.error(error))?;
        let record = |row: run::Model| RunRecord {
            id: RunId(row.id),
            started_at: row.started_at,
            finished_at: row.finished_at,
            n_files: from_column(row.n_files),
            counts: RunCounts {
                n_done: from_column(row.n_done),
                n_skipped: from_column(row.n_skipped),
                n_failed: from_column(row.n_failed),
            },
        };
        Ok(rows.into_iter().map(record).collect())
    }
}

//! Work that goes on beside live calls, so that a restart goes on with it where it was.
//!
//! `queued => (running or cancelled)`, `running => (done, failed or cancelled)`

use std::collections::HashSet;

use auricle_contracts::{CallId, JobState};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use crate::entity::{job, job_call};
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{from_column, to_column};

/// Jobs that are over and kept; older ones are forgotten.
const MOST_OVER: u64 = 200;
/// Rows of one statement: each has four values, and SQLite takes 32,766.
const ROWS_A_STATEMENT: usize = 1_000;

/// A job to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// What kind it is.
    pub kind: String,
    /// What is asked for, JSON.
    pub request: String,
    /// Who asks.
    pub asked_by: String,
    /// When, milliseconds since 1970.
    pub unix_ms: u64,
}

/// A job as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// Counts jobs; never given again.
    pub id: u64,
    /// What kind it is.
    pub kind: String,
    /// What became of it.
    pub state: JobState,
    /// What is asked for, JSON.
    pub request: String,
    /// Who asked.
    pub asked_by: String,
    /// When it was asked for, milliseconds since 1970.
    pub queued_unix_ms: u64,
    /// When it began.
    pub began_unix_ms: Option<u64>,
    /// When it was over.
    pub ended_unix_ms: Option<u64>,
    /// Calls it is about; 0 before it began.
    pub n_calls: u64,
    /// Calls it is done with.
    pub n_done: u64,
    /// Those in which something changed.
    pub n_changed: u64,
    /// Calls that failed; known when it is over.
    pub n_failed: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// What came of it, JSON.
    pub report: Option<String>,
}

/// A call that a job is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobCall {
    /// The call.
    pub call_id: CallId,
    /// Whether something changed in it.
    pub is_changed: bool,
    /// What came of it, JSON.
    pub json: String,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnd {
    /// Done, failed or cancelled.
    pub state: JobState,
    /// When, milliseconds since 1970.
    pub unix_ms: u64,
    /// Calls that failed.
    pub n_failed: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// What came of it, JSON.
    pub report: Option<String>,
}

impl Store {
    /// Adds a job behind the others; `None` where `most_open` are not over. Forgets old ones that are.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn add_job(&self, new: &NewJob, most_open: u64) -> Result<Option<u64>, StoreError> {
        let transaction = self.begin().await?;
        let id = add(&transaction, new, most_open).await;
        let id = id.map_err(|error| self.error(error))?;
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))?;
        Ok(id)
    }

    /// A job by its id.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn job(&self, id: u64) -> Result<Option<JobRecord>, StoreError> {
        let row = job::Entity::find_by_id(to_column(id)).one(&self.db).await;
        let row = row.map_err(|error| self.error(error))?;
        row.map(|row| self.job_of(row)).transpose()
    }

    /// At most `limit` jobs that were asked for before the job `before`, the last one first.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn jobs(
        &self,
        state: Option<JobState>,
        before: Option<u64>,
        limit: u64,
    ) -> Result<Vec<JobRecord>, StoreError> {
        let mut query = job::Entity::find()
            .order_by_desc(job::Column::Id)
            .limit(limit);
        if let Some(state) = state {
            query = query.filter(job::Column::State.eq(state.as_str()));
        }
        if let Some(before) = before {
            query = query.filter(job::Column::Id.lt(to_column(before)));
        }
        let rows = query.all(&self.db).await;
        let rows = rows.map_err(|error| self.error(error))?;
        rows.into_iter().map(|row| self.job_of(row)).collect()
    }

    /// The job to go on with: one that was at work when the program ended, else the first that waits.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn next_job(&self) -> Result<Option<JobRecord>, StoreError> {
        let query = job::Entity::find()
            .filter(job::Column::State.is_in(OPEN.map(JobState::as_str)))
            .order_by_asc(job::Column::Id);
        let row = query.one(&self.db).await;
        let row = row.map_err(|error| self.error(error))?;
        row.map(|row| self.job_of(row)).transpose()
    }

    /// A job is at work from now on, or goes on; `false` where it is over.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn begin_job(&self, id: u64, unix_ms: u64) -> Result<bool, StoreError> {
        let began = Expr::col(job::Column::BeganUnixMs).if_null(to_column(unix_ms));
        let update = job::Entity::update_many()
            .col_expr(job::Column::State, JobState::Running.as_str().into())
            .col_expr(job::Column::BeganUnixMs, began)
            .filter(job::Column::Id.eq(to_column(id)))
            .filter(job::Column::State.is_in(OPEN.map(JobState::as_str)));
        let saved = update.exec(&self.db).await;
        let saved = saved.map_err(|error| self.error(error))?;
        Ok(saved.rows_affected > 0)
    }

    /// How many calls a job is about.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn set_job_calls(&self, id: u64, n_calls: u64) -> Result<(), StoreError> {
        let update = job::Entity::update_many()
            .col_expr(job::Column::NCalls, to_column(n_calls).into())
            .filter(job::Column::Id.eq(to_column(id)));
        let saved = update.exec(&self.db).await;
        saved.map(drop).map_err(|error| self.error(error))
    }

    /// Notes calls that a job is done with; those it was done with before count once.
    ///
    /// # Errors
    /// As the database gives them; then none is noted.
    pub async fn note_job_calls(&self, id: u64, calls: &[JobCall]) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        let noted = note(&transaction, id, calls).await;
        noted.map_err(|error| self.error(error))?;
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))
    }

    /// All calls that a job is done with, by id.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn job_calls(&self, id: u64) -> Result<Vec<JobCall>, StoreError> {
        let query = job_call::Entity::find()
            .filter(job_call::Column::JobId.eq(to_column(id)))
            .order_by_asc(job_call::Column::CallId);
        let rows = query.all(&self.db).await;
        let rows = rows.map_err(|error| self.error(error))?;
        Ok(rows.into_iter().map(JobCall::from).collect())
    }

    /// Their ids.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn job_call_ids(&self, id: u64) -> Result<HashSet<CallId>, StoreError> {
        let query = job_call::Entity::find()
            .select_only()
            .column(job_call::Column::CallId)
            .filter(job_call::Column::JobId.eq(to_column(id)))
            .into_tuple::<String>();
        let names = query.all(&self.db).await;
        let names = names.map_err(|error| self.error(error))?;
        Ok(names.into_iter().map(CallId).collect())
    }

    /// At most `limit` calls in which a job changed something, by id, behind `after`.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn changed_job_calls(
        &self,
        id: u64,
        after: Option<&CallId>,
        limit: u64,
    ) -> Result<Vec<JobCall>, StoreError> {
        let mut query = job_call::Entity::find()
            .filter(job_call::Column::JobId.eq(to_column(id)))
            .filter(job_call::Column::IsChanged.eq(true))
            .order_by_asc(job_call::Column::CallId)
            .limit(limit);
        if let Some(after) = after {
            query = query.filter(job_call::Column::CallId.gt(after.0.as_str()));
        }
        let rows = query.all(&self.db).await;
        let rows = rows.map_err(|error| self.error(error))?;
        Ok(rows.into_iter().map(JobCall::from).collect())
    }

    /// A job is over.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn end_job(&self, id: u64, end: &JobEnd) -> Result<(), StoreError> {
        let update = job::Entity::update_many()
            .col_expr(job::Column::State, end.state.as_str().into())
            .col_expr(job::Column::EndedUnixMs, to_column(end.unix_ms).into())
            .col_expr(job::Column::NFailed, to_column(end.n_failed).into())
            .col_expr(job::Column::Error, end.error.clone().into())
            .col_expr(job::Column::Report, end.report.clone().into())
            .filter(job::Column::Id.eq(to_column(id)));
        let saved = update.exec(&self.db).await;
        saved.map(drop).map_err(|error| self.error(error))
    }

    /// Cancels a job that waits; `false` where it does not.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn cancel_queued_job(&self, id: u64, unix_ms: u64) -> Result<bool, StoreError> {
        let update = job::Entity::update_many()
            .col_expr(job::Column::State, JobState::Cancelled.as_str().into())
            .col_expr(job::Column::EndedUnixMs, to_column(unix_ms).into())
            .filter(job::Column::Id.eq(to_column(id)))
            .filter(job::Column::State.eq(JobState::Queued.as_str()));
        let saved = update.exec(&self.db).await;
        let saved = saved.map_err(|error| self.error(error))?;
        Ok(saved.rows_affected > 0)
    }

    fn job_of(&self, row: job::Model) -> Result<JobRecord, StoreError> {
        let state = JobState::named(&row.state)
            .ok_or_else(|| self.damaged(format!("unknown state of a job `{}`", row.state)))?;
        Ok(JobRecord {
            id: from_column(row.id),
            kind: row.kind,
            state,
            request: row.request,
            asked_by: row.asked_by,
            queued_unix_ms: from_column(row.queued_unix_ms),
            began_unix_ms: row.began_unix_ms.map(from_column),
            ended_unix_ms: row.ended_unix_ms.map(from_column),
            n_calls: from_column(row.n_calls),
            n_done: from_column(row.n_done),
            n_changed: from_column(row.n_changed),
            n_failed: from_column(row.n_failed),
            error: row.error,
            report: row.report,
        })
    }
}

/// Not over.
const OPEN: [JobState; 2] = [JobState::Queued, JobState::Running];

async fn add(
    transaction: &DatabaseTransaction,
    new: &NewJob,
    most_open: u64,
) -> Result<Option<u64>, DbErr> {
    let open = OPEN.map(JobState::as_str);
    let n_open = job::Entity::find().filter(job::Column::State.is_in(open));
    if n_open.count(transaction).await? >= most_open {
        return Ok(None);
    }
    forget_old(transaction).await?;
    let row = job::ActiveModel {
        kind: Set(new.kind.clone()),
        state: Set(JobState::Queued.as_str().to_owned()),
        request: Set(new.request.clone()),
        asked_by: Set(new.asked_by.clone()),
        queued_unix_ms: Set(to_column(new.unix_ms)),
        ..Default::default()
    };
    let added = job::Entity::insert(row).exec(transaction).await?;
    Ok(Some(from_column(added.last_insert_id)))
}

async fn forget_old(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    let over = job::Column::State.is_not_in(OPEN.map(JobState::as_str));
    let first_to_go = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(over.clone())
        .order_by_desc(job::Column::Id)
        .offset(MOST_OVER)
        .limit(1)
        .into_tuple::<i64>();
    let Some(last) = first_to_go.one(transaction).await? else {
        return Ok(());
    };
    let old = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(over)
        .filter(job::Column::Id.lte(last))
        .into_tuple::<i64>();
    let old = old.all(transaction).await?;
    for some in old.chunks(ROWS_A_STATEMENT) {
        let ids = || some.iter().copied();
        let calls = job_call::Entity::delete_many().filter(job_call::Column::JobId.is_in(ids()));
        calls.exec(transaction).await?;
        let jobs = job::Entity::delete_many().filter(job::Column::Id.is_in(ids()));
        jobs.exec(transaction).await?;
    }
    Ok(())
}

/// Notes calls that a job is done with.
pub(crate) async fn note(
    transaction: &DatabaseTransaction,
    id: u64,
    calls: &[JobCall],
) -> Result<(), DbErr> {
    let (mut n_done, mut n_changed) = (0, 0);
    for call in calls {
        let row = job_call::ActiveModel {
            job_id: Set(to_column(id)),
            call_id: Set(call.call_id.0.clone()),
            is_changed: Set(call.is_changed),
            body: Set(call.json.clone()),
        };
        let known = OnConflict::columns([job_call::Column::JobId, job_call::Column::CallId])
            .do_nothing()
            .to_owned();
        let insert = job_call::Entity::insert(row).on_conflict(known);
        let n_added = insert.exec_without_returning(transaction).await? as i64;
        n_done += n_added;
        n_changed += n_added * i64::from(call.is_changed);
    }
    let update = job::Entity::update_many()
        .col_expr(
            job::Column::NDone,
            Expr::col(job::Column::NDone).add(n_done),
        )
        .col_expr(
            job::Column::NChanged,
            Expr::col(job::Column::NChanged).add(n_changed),
        )
        .filter(job::Column::Id.eq(to_column(id)));
    update.exec(transaction).await.map(drop)
}

/// Forgets what came of a call.
pub(crate) async fn forget_call(
    transaction: &DatabaseTransaction,
    call_id: &str,
) -> Result<(), DbErr> {
    let delete = job_call::Entity::delete_many().filter(job_call::Column::CallId.eq(call_id));
    delete.exec(transaction).await.map(drop)
}

impl From<job_call::Model> for JobCall {
    fn from(row: job_call::Model) -> Self {
        Self {
            call_id: CallId(row.call_id),
            is_changed: row.is_changed,
            json: row.body,
        }
    }
}

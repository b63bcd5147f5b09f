//! What webhooks still have to get, and what they never got: dead letters.
//!
//! `waiting => (gone, once it was taken) or dead`, `dead => waiting`, when somebody asks for it.

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::entity::delivery::{ActiveModel, Column, Entity, Model};
use crate::error::StoreError;
use crate::events::EventRecord;
use crate::open::Store;
use crate::row::{from_column, to_column};

/// Since when one fails whose order no longer counts: it was dead before.
const LONG_AGO: i64 = 0;

/// An event on its way to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event_id: u64,
    /// Its type.
    pub kind: String,
    /// What is sent.
    pub json: String,
    /// Since when it waits, milliseconds since 1970.
    pub since_unix_ms: u64,
    /// How often it was tried.
    pub n_attempts: u64,
    /// Since when it fails; `None` where it never did.
    pub failing_since_unix_ms: Option<u64>,
    /// When it is to be tried next.
    pub next_unix_ms: u64,
    /// Why it failed last.
    pub last_error: Option<String>,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When, milliseconds since 1970.
    pub unix_ms: u64,
    /// When it is to be tried again; `None`: never.
    pub next_unix_ms: Option<u64>,
    /// Why.
    pub error: String,
}

/// How many events a webhook did not get yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Waiting.
    pub n_waiting: u64,
    /// Dead.
    pub n_dead: u64,
}

impl Store {
    /// The delivery that is next: the oldest, but those that fail since before `long_unix_ms` stand aside until they are to
    /// be tried again. `now_unix_ms` is the time; the one that is given may have to wait for longer.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn next_delivery(
        &self,
        webhook: &str,
        now_unix_ms: u64,
        long_unix_ms: u64,
    ) -> Result<Option<Delivery>, StoreError> {
        let in_order = Condition::any()
            .add(Column::FailingSinceUnixMs.is_null())
            .add(Column::FailingSinceUnixMs.gt(to_column(long_unix_ms)))
            .add(Column::NextUnixMs.lte(to_column(now_unix_ms)));
        let query = Entity::find()
            .filter(is_of(webhook, false))
            .filter(in_order)
            .order_by_asc(Column::EventId);
        let row = query.one(&self.db).await;
        let row = row.map_err(|error| self.error(error))?;
        if row.is_some() {
            return Ok(row.map(Delivery::from));
        }
        // All stand aside: the one that is to be tried first.
        let query = Entity::find()
            .filter(is_of(webhook, false))
            .order_by_asc(Column::NextUnixMs);
        let row = query.one(&self.db).await;
        row.map(|row| row.map(Delivery::from))
            .map_err(|error| self.error(error))
    }

    /// A webhook took an event.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn delivered(&self, webhook: &str, event_id: u64) -> Result<(), StoreError> {
        let delete = Entity::delete_many().filter(is_one(webhook, event_id));
        let deleted = delete.exec(&self.db).await;
        deleted.map(drop).map_err(|error| self.error(error))
    }

    /// A webhook did not take an event.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn not_delivered(
        &self,
        webhook: &str,
        event_id: u64,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let since = Expr::col(Column::FailingSinceUnixMs).if_null(to_column(failure.unix_ms));
        let next = failure.next_unix_ms.unwrap_or(failure.unix_ms);
        let update = Entity::update_many()
            .col_expr(Column::NAttempts, Expr::col(Column::NAttempts).add(1))
            .col_expr(Column::FailingSinceUnixMs, since)
            .col_expr(Column::NextUnixMs, to_column(next).into())
            .col_expr(Column::IsDead, failure.next_unix_ms.is_none().into())
            .col_expr(Column::LastError, failure.error.clone().into())
            .filter(is_one(webhook, event_id));
        let saved = update.exec(&self.db).await;
        saved.map(drop).map_err(|error| self.error(error))
    }

    /// Dead letters of a webhook, oldest first: at most `limit` after the event `after`.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn dead_letters(
        &self,
        webhook: &str,
        after: u64,
        limit: u64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let query = Entity::find()
            .filter(is_of(webhook, true))
            .filter(Column::EventId.gt(to_column(after)))
            .order_by_asc(Column::EventId)
            .limit(limit);
        let rows = query.all(&self.db).await;
        let rows = rows.map_err(|error| self.error(error))?;
        Ok(rows.into_iter().map(Delivery::from).collect())
    }

    /// Lets a dead letter wait once more, from this time on; `false` where it is not dead. It holds back no others.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn revive(
        &self,
        webhook: &str,
        event_id: u64,
        now_unix_ms: u64,
    ) -> Result<bool, StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::IsDead, false.into())
            .col_expr(Column::UnixMs, to_column(now_unix_ms).into())
            .col_expr(Column::NAttempts, 0_i64.into())
            .col_expr(Column::FailingSinceUnixMs, LONG_AGO.into())
            .col_expr(Column::NextUnixMs, 0_i64.into())
            .filter(is_one(webhook, event_id))
            .filter(Column::IsDead.eq(true));
        let saved = update.exec(&self.db).await;
        let saved = saved.map_err(|error| self.error(error))?;
        Ok(saved.rows_affected > 0)
    }

    /// How many events wait for a webhook, and how many are dead.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn delivery_counts(&self, webhook: &str) -> Result<DeliveryCounts, StoreError> {
        let count = async |is_dead| {
            let count = Entity::find().filter(is_of(webhook, is_dead));
            let count = count.count(&self.db).await;
            count.map_err(|error| self.error(error))
        };
        Ok(DeliveryCounts {
            n_waiting: count(false).await?,
            n_dead: count(true).await?,
        })
    }

    /// Forgets dead letters from before this time, and what waits for webhooks that are none of `known`; gives how many.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn prune_deliveries(
        &self,
        before_unix_ms: u64,
        known: &[&str],
    ) -> Result<u64, StoreError> {
        let is_left = Condition::any()
            .add(Column::IsDead.eq(true))
            .add(Column::Webhook.is_not_in(known.iter().copied()));
        let delete = Entity::delete_many()
            .filter(Column::UnixMs.lt(to_column(before_unix_ms)))
            .filter(is_left);
        let deleted = delete.exec(&self.db).await;
        let deleted = deleted.map_err(|error| self.error(error))?;
        Ok(deleted.rows_affected)
    }
}

fn is_of(webhook: &str, is_dead: bool) -> Condition {
    Condition::all()
        .add(Column::Webhook.eq(webhook))
        .add(Column::IsDead.eq(is_dead))
}

fn is_one(webhook: &str, event_id: u64) -> Condition {
    Condition::all()
        .add(Column::Webhook.eq(webhook))
        .add(Column::EventId.eq(to_column(event_id)))
}

/// A webhook is to get this event. Where that is noted already it stays as it is.
pub(crate) async fn put(
    transaction: &DatabaseTransaction,
    webhook: &str,
    event: &EventRecord,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        webhook: Set(webhook.to_owned()),
        event_id: Set(to_column(event.id)),
        call_id: Set(event.call_id.0.clone()),
        unix_ms: Set(to_column(event.unix_ms)),
        kind: Set(event.kind.clone()),
        body: Set(event.json.clone()),
        ..Default::default()
    };
    let known = OnConflict::columns([Column::Webhook, Column::EventId])
        .do_nothing()
        .to_owned();
    let insert = Entity::insert(row).on_conflict(known);
    insert.exec_without_returning(transaction).await.map(drop)
}

impl From<Model> for Delivery {
    fn from(row: Model) -> Self {
        Self {
            event_id: from_column(row.event_id),
            kind: row.kind,
            json: row.body,
            since_unix_ms: from_column(row.unix_ms),
            n_attempts: from_column(row.n_attempts),
            failing_since_unix_ms: row.failing_since_unix_ms.map(from_column),
            next_unix_ms: from_column(row.next_unix_ms),
            last_error: row.last_error,
        }
    }
}

//! What was told of live calls: written in the order it was told, read by watchers who were away.

use auricle_contracts::{Acknowledgement, AlertRecord, CallId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::entity::{alert, delivery, event, event_marks};
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{from_column, to_column};
use crate::{alerts, deliveries};

/// The only row of its table.
const MARKS: i32 = 1;

/// An event as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Its id.
    pub id: u64,
    /// When it was told, milliseconds since 1970.
    pub unix_ms: u64,
    /// The call.
    pub call_id: CallId,
    /// Agent of the call, where one is known.
    pub agent: Option<String>,
    /// `alert`, `call_ended`: its type.
    pub kind: String,
    /// All of it as JSON.
    pub json: String,
}

/// What an event changes in the store.
#[derive(Clone, Debug, PartialEq)]
pub enum EventStep {
    /// A call begins. Alerts of an earlier one of the same name go, as its transcript will.
    Began(CallId),
    /// It is kept for watchers who are away.
    Kept(EventRecord),
    /// An alert is told: first, or in another state.
    Alert(AlertRecord),
    /// A call is over. An alert that is provisional still is of speech that nobody heard to its end, as the program broke
    /// off: it is withdrawn.
    Ended {
        /// The call.
        call_id: CallId,
        /// When that was told.
        unix_ms: u64,
    },
    /// Somebody saw to an alert; who saw to it first stays.
    Acknowledged(String, Acknowledgement),
    /// A webhook is to get it.
    Deliver(String, EventRecord),
}

impl Store {
    /// Gives the id before the first event of this run of the program: at least `at_least`, and not below any that was
    /// reserved before. Reserves `n` ids behind it.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn begin_event_ids(&self, at_least: u64, n: u64) -> Result<u64, StoreError> {
        let transaction = self.begin().await?;
        let marks = event_marks::Entity::find_by_id(MARKS)
            .one(&transaction)
            .await;
        let marks = marks.map_err(|error| self.error(error))?;
        let before_first = marks
            .as_ref()
            .map_or(at_least, |marks| at_least.max(from_column(marks.reserved)));
        let row = event_marks::ActiveModel {
            id: Set(MARKS),
            reserved: Set(to_column(before_first.saturating_add(n))),
            // What was told before there was a table is nowhere.
            pruned: Set(marks.map_or(to_column(before_first), |marks| marks.pruned)),
        };
        let replace = OnConflict::column(event_marks::Column::Id)
            .update_columns([event_marks::Column::Reserved, event_marks::Column::Pruned])
            .to_owned();
        let insert = event_marks::Entity::insert(row).on_conflict(replace);
        let saved = insert.exec_without_returning(&transaction).await;
        saved.map_err(|error| self.error(error))?;
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))?;
        Ok(before_first)
    }

    /// Notes that ids up to this one may be given; the next run of the program goes on behind it.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn reserve_event_ids(&self, up_to: u64) -> Result<(), StoreError> {
        let update = event_marks::Entity::update_many()
            .col_expr(event_marks::Column::Reserved, to_column(up_to).into())
            .filter(event_marks::Column::Id.eq(MARKS));
        let saved = update.exec(&self.db).await;
        saved.map(drop).map_err(|error| self.error(error))
    }

    /// Does what events change, in this order, all or nothing. Doing it twice is as doing it once.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn save_events(&self, steps: &[EventStep]) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        for step in steps {
            let done = take(&transaction, step).await;
            done.map_err(|error| self.error(error))?;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))
    }

    /// Kept events after `after` up to `up_to`, oldest first: at most `limit`.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn events_between(
        &self,
        after: u64,
        up_to: u64,
        limit: u64,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let query = event::Entity::find()
            .filter(event::Column::Id.gt(to_column(after)))
            .filter(event::Column::Id.lte(to_column(up_to)))
            .order_by_asc(event::Column::Id)
            .limit(limit);
        let rows = query.all(&self.db).await;
        let rows = rows.map_err(|error| self.error(error))?;
        Ok(rows.into_iter().map(EventRecord::from).collect())
    }

    /// Whether an event of this kind was told of a call since then, and kept.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn was_told(
        &self,
        call_id: &CallId,
        kind: &str,
        since_unix_ms: u64,
    ) -> Result<bool, StoreError> {
        let query = event::Entity::find()
            .filter(event::Column::CallId.eq(call_id.0.as_str()))
            .filter(event::Column::Kind.eq(kind))
            .filter(event::Column::UnixMs.gte(to_column(since_unix_ms)));
        let found = query.one(&self.db).await;
        Ok(found.map_err(|error| self.error(error))?.is_some())
    }

    /// The last event of those that are no longer kept.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn events_pruned(&self) -> Result<u64, StoreError> {
        let marks = event_marks::Entity::find_by_id(MARKS).one(&self.db).await;
        let marks = marks.map_err(|error| self.error(error))?;
        Ok(marks.map_or(0, |marks| from_column(marks.pruned)))
    }

    /// Forgets events that were told before this time, and gives how many.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn prune_events(&self, before_unix_ms: u64) -> Result<u64, StoreError> {
        let transaction = self.begin().await?;
        let pruned = prune(&transaction, to_column(before_unix_ms)).await;
        let n_pruned = pruned.map_err(|error| self.error(error))?;
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))?;
        Ok(n_pruned)
    }
}

async fn take(transaction: &DatabaseTransaction, step: &EventStep) -> Result<(), DbErr> {
    match step {
        EventStep::Began(call_id) => {
            let earlier = alert::Entity::delete_many()
                .filter(alert::Column::CallId.eq(call_id.0.as_str()))
                .exec(transaction);
            earlier.await.map(drop)
        }
        EventStep::Kept(event) => {
            let known = OnConflict::column(event::Column::Id)
                .do_nothing()
                .to_owned();
            let insert = event::Entity::insert(event::Model::from(event).into_active_model());
            let insert = insert.on_conflict(known);
            insert.exec_without_returning(transaction).await.map(drop)
        }
        EventStep::Alert(alert) => alerts::put(transaction, alert).await,
        EventStep::Ended { call_id, unix_ms } => {
            alerts::withdraw(transaction, call_id, *unix_ms).await
        }
        EventStep::Acknowledged(alert_id, by) => {
            alerts::acknowledge(transaction, alert_id, by).await
        }
        EventStep::Deliver(webhook, event) => deliveries::put(transaction, webhook, event).await,
    }
}

async fn prune(transaction: &DatabaseTransaction, before_unix_ms: i64) -> Result<u64, DbErr> {
    let is_old = event::Column::UnixMs.lt(before_unix_ms);
    let last = event::Entity::find()
        .filter(is_old.clone())
        .order_by_desc(event::Column::Id)
        .one(transaction)
        .await?;
    let Some(last) = last else {
        return Ok(0);
    };
    let pruned = event::Entity::delete_many()
        .filter(is_old)
        .exec(transaction)
        .await?;
    let mark = event_marks::Entity::update_many()
        .col_expr(event_marks::Column::Pruned, last.id.into())
        .filter(event_marks::Column::Pruned.lt(last.id));
    mark.exec(transaction).await?;
    Ok(pruned.rows_affected)
}

/// Leaves nothing of what was told of a call.
pub(crate) async fn forget_call(
    transaction: &DatabaseTransaction,
    call_id: &str,
) -> Result<(), DbErr> {
    let events = event::Entity::delete_many().filter(event::Column::CallId.eq(call_id));
    events.exec(transaction).await?;
    let alerts = alert::Entity::delete_many().filter(alert::Column::CallId.eq(call_id));
    alerts.exec(transaction).await?;
    let deliveries = delivery::Entity::delete_many().filter(delivery::Column::CallId.eq(call_id));
    deliveries.exec(transaction).await.map(drop)
}

impl From<&EventRecord> for event::Model {
    fn from(event: &EventRecord) -> Self {
        Self {
            id: to_column(event.id),
            unix_ms: to_column(event.unix_ms),
            call_id: event.call_id.0.clone(),
            agent: event.agent.clone(),
            kind: event.kind.clone(),
            body: event.json.clone(),
        }
    }
}

impl From<event::Model> for EventRecord {
    fn from(row: event::Model) -> Self {
        Self {
            id: from_column(row.id),
            unix_ms: from_column(row.unix_ms),
            call_id: CallId(row.call_id),
            agent: row.agent,
            kind: row.kind,
            json: row.body,
        }
    }
}

//! Alerts: one row each, as they were told last, and who saw to them.

use auricle_bodies::told;
use auricle_contracts::{Acknowledgement, Alert, AlertRecord, AlertState, CallId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::entity::alert::{ActiveModel, Column, Entity, Model};
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{from_column, to_column};

/// Which alerts to list. Fields that are `None` ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only in this state.
    pub state: Option<AlertState>,
    /// Only of this call.
    pub call: Option<CallId>,
    /// Only of this agent.
    pub agent: Option<String>,
    /// Only of this rule.
    pub rule: Option<String>,
    /// Only those that somebody saw to, or that nobody did.
    pub is_acknowledged: Option<bool>,
}

impl Store {
    /// The alert of this id.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn alert(&self, alert_id: &str) -> Result<Option<AlertRecord>, StoreError> {
        let row = Entity::find_by_id(alert_id).one(&self.db).await;
        let row = row.map_err(|error| self.error(error))?;
        let record = row.map(AlertRecord::try_from).transpose();
        record.map_err(|detail| self.damaged(detail))
    }

    /// Alerts, those told last first: at most `limit` that were first told before the event `before`.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        before: Option<u64>,
        limit: u64,
    ) -> Result<Vec<AlertRecord>, StoreError> {
        let query = Entity::find()
            .filter(condition(filter))
            .filter(
                Condition::all()
                    .add_option(before.map(|before| Column::FirstEvent.lt(to_column(before)))),
            )
            .order_by_desc(Column::FirstEvent)
            .limit(limit);
        let rows = query.all(&self.db).await;
        let rows = rows.map_err(|error| self.error(error))?;
        let records = rows.into_iter().map(AlertRecord::try_from);
        let records = records.collect::<Result<_, _>>();
        records.map_err(|detail| self.damaged(detail))
    }
}

fn condition(filter: &AlertFilter) -> Condition {
    let is_acknowledged = |wanted: bool| match wanted {
        true => Column::AcknowledgedBy.is_not_null(),
        false => Column::AcknowledgedBy.is_null(),
    };
    Condition::all()
        .add_option(filter.state.map(|state| Column::State.eq(state.as_str())))
        .add_option(
            filter
                .call
                .as_ref()
                .map(|call| Column::CallId.eq(call.0.as_str())),
        )
        .add_option(filter.agent.as_deref().map(|agent| Column::Agent.eq(agent)))
        .add_option(filter.rule.as_deref().map(|rule| Column::Rule.eq(rule)))
        .add_option(filter.is_acknowledged.map(is_acknowledged))
}

/// Writes an alert as it is told. When it was told first, and who saw to it, stays.
pub(crate) async fn put(
    transaction: &DatabaseTransaction,
    record: &AlertRecord,
) -> Result<(), DbErr> {
    let Alert {
        alert_id,
        state,
        hit,
    } = &record.alert;
    let hit_json = serde_json::to_string(hit).map_err(|cause| DbErr::Json(cause.to_string()))?;
    let row = ActiveModel {
        alert_id: Set(alert_id.clone()),
        call_id: Set(record.call_id.0.clone()),
        agent: Set(record.agent.clone()),
        campaign: Set(record.campaign.clone()),
        rule: Set(hit.rule.clone()),
        severity: Set(hit.severity.as_str().to_owned()),
        state: Set(state.as_str().to_owned()),
        hit: Set(hit_json),
        first_event: Set(to_column(record.first_event)),
        told_unix_ms: Set(to_column(record.told_unix_ms)),
        changed_unix_ms: Set(to_column(record.changed_unix_ms)),
        ..Default::default()
    };
    let replace = OnConflict::column(Column::AlertId)
        .update_columns([
            Column::CallId,
            Column::Agent,
            Column::Campaign,
            Column::Rule,
            Column::Severity,
            Column::State,
            Column::Hit,
            Column::ChangedUnixMs,
        ])
        .to_owned();
    let insert = Entity::insert(row).on_conflict(replace);
    insert.exec_without_returning(transaction).await.map(drop)
}

/// Withdraws what is provisional still of a call.
pub(crate) async fn withdraw(
    transaction: &DatabaseTransaction,
    call_id: &CallId,
    unix_ms: u64,
) -> Result<(), DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::ChangedUnixMs, to_column(unix_ms).into())
        .col_expr(Column::State, AlertState::Withdrawn.as_str().into())
        .filter(Column::CallId.eq(call_id.0.as_str()))
        .filter(Column::State.eq(AlertState::Provisional.as_str()));
    update.exec(transaction).await.map(drop)
}

/// Notes who saw to an alert, unless somebody did before.
pub(crate) async fn acknowledge(
    transaction: &DatabaseTransaction,
    alert_id: &str,
    by: &Acknowledgement,
) -> Result<(), DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::AcknowledgedBy, by.by.clone().into())
        .col_expr(Column::AcknowledgedUnixMs, to_column(by.unix_ms).into())
        .col_expr(Column::Note, by.note.clone().into())
        .filter(Column::AlertId.eq(alert_id))
        .filter(Column::AcknowledgedBy.is_null());
    update.exec(transaction).await.map(drop)
}

impl TryFrom<Model> for AlertRecord {
    type Error = String;

    fn try_from(row: Model) -> Result<Self, String> {
        let alert_id = row.alert_id;
        let state = AlertState::named(&row.state)
            .ok_or_else(|| format!("state of alert `{alert_id}`: `{}`", row.state))?;
        let hit = serde_json::from_str(&row.hit)
            .map_err(|cause| format!("hit of alert `{alert_id}`: {}", told(&cause)))?;
        let acknowledged = row.acknowledged_by.map(|by| Acknowledgement {
            by,
            unix_ms: from_column(row.acknowledged_unix_ms.unwrap_or(0)),
            note: row.note,
        });
        Ok(Self {
            alert: Alert {
                alert_id,
                state,
                hit,
            },
            call_id: CallId(row.call_id),
            agent: row.agent,
            campaign: row.campaign,
            first_event: from_column(row.first_event),
            told_unix_ms: from_column(row.told_unix_ms),
            changed_unix_ms: from_column(row.changed_unix_ms),
            acknowledged,
        })
    }
}

//! Finding calls and reading transcripts.

use std::collections::HashMap;

use auricle_contracts::{CallId, CallMetadata, Transcript};
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};

use crate::entity::{call, transcript};
use crate::error::StoreError;
use crate::open::Store;
use crate::record::{CallCounts, CallFilter, CallKind, CallRecord, CallState};

/// More answers than these to "which call is meant" help nobody.
const MAX_FOUND: u64 = 20;

/// SQLite takes 32,766 values in one statement; more than these gain nothing.
const IDS_A_STATEMENT: usize = 1000;

/// A transcript as its bytes: reading them is work for many threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTranscript {
    call_id: CallId,
    encoding: String,
    bytes: Vec<u8>,
}

impl StoredTranscript {
    /// Reads it. `metadata` is the call's: what is known of a call may change after it was heard.
    ///
    /// # Errors
    /// `Transcript` where its bytes cannot be read.
    pub fn decode(&self, metadata: &CallMetadata) -> Result<Transcript, StoreError> {
        let decoded = auricle_bodies::decode(&self.encoding, &self.bytes);
        let mut transcript: Transcript = decoded.map_err(|cause| StoreError::Transcript {
            call_id: self.call_id.clone(),
            cause,
        })?;
        transcript.metadata.clone_from(metadata);
        Ok(transcript)
    }
}

impl Store {
    /// The call of this id.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn call(&self, call_id: &CallId) -> Result<Option<CallRecord>, StoreError> {
        let rows = self
            .records(call::Entity::find_by_id(call_id.0.as_str()))
            .await?;
        Ok(rows.into_iter().next())
    }

    /// The call whose recording lay at this absolute path when it was last seen.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn call_at_path(&self, path: &str) -> Result<Option<CallRecord>, StoreError> {
        let query = call::Entity::find()
            .filter(call::Column::Path.eq(path))
            .order_by_asc(call::Column::CallId)
            .limit(1);
        Ok(self.records(query).await?.into_iter().next())
    }

    /// What a person may mean by `text`: the call of that id; else calls whose id begins with it;
    /// else calls whose file has that name or path. At most 20.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn find(&self, text: &str) -> Result<Vec<CallRecord>, StoreError> {
        if let Some(call) = self.call(&CallId(text.to_owned())).await? {
            return Ok(vec![call]);
        }
        let first = |condition: Condition| {
            let query = call::Entity::find().filter(condition);
            query.order_by_asc(call::Column::CallId).limit(MAX_FOUND)
        };
        let begins = Condition::all()
            .add(call::Column::CallId.gte(text))
            .add(call::Column::CallId.lt(format!("{text}{}", char::MAX)));
        let found = self.records(first(begins)).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        let at_end = |column: call::Column| {
            Expr::col(column).like(LikeExpr::new(format!("%/{}", escape_like(text))).escape('\\'))
        };
        let named = Condition::any()
            .add(call::Column::File.eq(text))
            .add(call::Column::Path.eq(text))
            .add(at_end(call::Column::Path));
        self.records(first(named)).await
    }

    /// Calls in the order of their ids: at most `limit` that come after `after`.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn calls(
        &self,
        filter: &CallFilter,
        after: Option<&CallId>,
        limit: u64,
    ) -> Result<Vec<CallRecord>, StoreError> {
        let mut query = call::Entity::find().filter(condition(filter));
        if let Some(after) = after {
            query = query.filter(call::Column::CallId.gt(after.0.as_str()));
        }
        self.records(query.order_by_asc(call::Column::CallId).limit(limit))
            .await
    }

    /// Ids of calls, in their order: what [`Self::calls_of`] reads page by page, however the filter's
    /// columns are spread over the table.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn call_ids(&self, filter: &CallFilter) -> Result<Vec<CallId>, StoreError> {
        let names = call::Entity::find()
            .select_only()
            .column(call::Column::CallId)
            .filter(condition(filter))
            .order_by_asc(call::Column::CallId)
            .into_tuple::<String>()
            .all(&self.db)
            .await;
        let names = names.map_err(|error| self.error(error))?;
        Ok(names.into_iter().map(CallId).collect())
    }

    /// The calls of these ids that fit the filter, in the order of ids; those that are not there are left out.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn calls_of(
        &self,
        filter: &CallFilter,
        ids: &[CallId],
    ) -> Result<Vec<CallRecord>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(IDS_A_STATEMENT) {
            let names = some.iter().map(|id| id.0.as_str());
            let query = call::Entity::find()
                .filter(call::Column::CallId.is_in(names))
                .filter(condition(filter));
            found.extend(self.records(query).await?);
        }
        found.sort_by(|one, other| one.recording.call_id.cmp(&other.recording.call_id));
        Ok(found)
    }

    /// The transcript of a call, if it was ever heard.
    ///
    /// # Errors
    /// `Transcript` where its bytes cannot be read; else as the database gives them.
    pub async fn transcript(&self, call_id: &CallId) -> Result<Option<Transcript>, StoreError> {
        let Some(call) = self.call(call_id).await? else {
            return Ok(None);
        };
        let found = self
            .stored_transcripts(std::slice::from_ref(call_id))
            .await?;
        let metadata = &call.recording.metadata;
        let stored = found.get(call_id);
        stored.map(|stored| stored.decode(metadata)).transpose()
    }

    /// Transcripts of calls, by their ids; nothing for those that were never heard.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn stored_transcripts(
        &self,
        ids: &[CallId],
    ) -> Result<HashMap<CallId, StoredTranscript>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(IDS_A_STATEMENT) {
            let names = some.iter().map(|id| id.0.as_str());
            let rows = transcript::Entity::find()
                .filter(transcript::Column::CallId.is_in(names))
                .all(&self.db)
                .await;
            for row in rows.map_err(|error| self.error(error))? {
                let call_id = CallId(row.call_id);
                let stored = StoredTranscript {
                    call_id: call_id.clone(),
                    encoding: row.encoding,
                    bytes: row.body,
                };
                found.insert(call_id, stored);
            }
        }
        Ok(found)
    }

    /// Calls, with their versions, that the search index lacks, by id: at most `limit`.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn unindexed(&self, limit: u64) -> Result<Vec<(CallId, i64)>, StoreError> {
        let query = call::Entity::find()
            .filter(is_unindexed())
            .order_by_asc(call::Column::CallId)
            .limit(limit);
        let rows = query
            .all(&self.db)
            .await
            .map_err(|error| self.error(error))?;
        Ok(rows
            .into_iter()
            .map(|row| (CallId(row.call_id), row.version))
            .collect())
    }

    /// How many calls there are of each kind.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn counts(&self) -> Result<CallCounts, StoreError> {
        let of = |state: CallState| call::Column::State.eq(state.as_str());
        Ok(CallCounts {
            n_pending: self.count(of(CallState::Pending)).await?,
            n_done: self.count(of(CallState::Done)).await?,
            n_failed: self.count(of(CallState::Failed)).await?,
            n_unindexed: self.count(is_unindexed()).await?,
        })
    }

    async fn count(&self, condition: Expr) -> Result<u64, StoreError> {
        let count = call::Entity::find().filter(condition).count(&self.db).await;
        count.map_err(|error| self.error(error))
    }

    async fn records(&self, query: Select<call::Entity>) -> Result<Vec<CallRecord>, StoreError> {
        let rows = query
            .all(&self.db)
            .await
            .map_err(|error| self.error(error))?;
        let records = rows
            .into_iter()
            .map(CallRecord::try_from)
            .collect::<Result<_, _>>();
        records.map_err(|detail| self.damaged(detail))
    }
}

fn is_unindexed() -> Expr {
    Expr::col(call::Column::IndexedVersion).lt(Expr::col(call::Column::Version))
}

fn condition(filter: &CallFilter) -> Condition {
    Condition::all()
        .add_option((filter.kind == CallKind::WithTranscript).then(|| call::Column::Version.gt(0)))
        .add_option(
            filter
                .agent
                .as_deref()
                .map(|name| is_named(call::Column::Agent, name)),
        )
        .add_option(
            filter
                .campaign
                .as_deref()
                .map(|name| is_named(call::Column::Campaign, name)),
        )
        .add_option(
            filter
                .region
                .as_deref()
                .map(|name| is_named(call::Column::Region, name)),
        )
        .add_option(
            filter
                .since_ms
                .map(|time| call::Column::StartedAtMs.gte(time)),
        )
        .add_option(
            filter
                .until_ms
                .map(|time| call::Column::StartedAtMs.lt(time)),
        )
}

/// Whether a column holds a name, in whatever case its Latin letters are.
fn is_named(column: call::Column, name: &str) -> Expr {
    Expr::expr(Func::lower(Expr::col(column))).eq(name.to_ascii_lowercase())
}

/// Takes the meaning off `%`, `_` and `\`.
fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

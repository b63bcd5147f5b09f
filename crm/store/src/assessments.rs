//! Assessments: saved beside the transcript they follow from, none ever overwritten.

use std::collections::{HashMap, HashSet};

use auricle_bodies::{Body, Packed};
use auricle_contracts::{Assessment, CallId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Select,
};

use crate::entity::{assessment, call};
use crate::error::StoreError;
use crate::open::Store;
use crate::row;

/// An assessment with what it follows from.
#[derive(Clone, Debug, PartialEq)]
pub struct AssessmentRecord {
    /// The call.
    pub call_id: CallId,
    /// The version of the transcript it was made from.
    pub transcript_version: i64,
    /// Fingerprint of rules, cards and models it was made with.
    pub rules_fingerprint: String,
    /// When, RFC 3339.
    pub made_at: String,
    /// What was found.
    pub assessment: Assessment,
}

/// A version of a call's score, without what it rests on.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
pub struct ScoreVersion {
    /// The version of the transcript it was made from.
    pub transcript_version: i64,
    /// Fingerprint of rules, cards and models it was made with.
    pub rules_fingerprint: String,
    /// When, RFC 3339.
    pub made_at: String,
    /// Points of 100; `None` without a score card.
    pub total: Option<f32>,
    /// Whether the pass mark was reached.
    pub passed: Option<bool>,
    /// Rules that fired.
    pub n_hits: i64,
    /// Whether it is the one in force.
    pub is_current: bool,
}

/// The assessment in force as its bytes: reading them is work for many threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAssessment {
    pub(crate) call_id: CallId,
    pub(crate) transcript_version: i64,
    pub(crate) rules_fingerprint: String,
    pub(crate) made_at: String,
    pub(crate) encoding: String,
    pub(crate) bytes: Vec<u8>,
}

/// What saving an assessment changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: the version in force is equal.
    Nothing,
    /// A new version says the same, and nothing in the call is hidden: the search index stays right.
    Version,
    /// A new version; what the search index has of the call is out of date.
    Findings,
}

/// An assessment ready to be saved.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedAssessment {
    /// `None` where nothing changes.
    row: Option<assessment::ActiveModel>,
    call_id: CallId,
    effect: Effect,
}

impl EncodedAssessment {
    /// The call.
    pub const fn call_id(&self) -> &CallId {
        &self.call_id
    }

    /// What saving it changes.
    pub const fn effect(&self) -> Effect {
        self.effect
    }
}

impl StoredAssessment {
    /// Reads it.
    ///
    /// # Errors
    /// `Assessment` where its bytes cannot be read.
    pub fn decode(&self) -> Result<AssessmentRecord, StoreError> {
        let decoded = auricle_bodies::decode(&self.encoding, &self.bytes);
        Ok(AssessmentRecord {
            call_id: self.call_id.clone(),
            transcript_version: self.transcript_version,
            rules_fingerprint: self.rules_fingerprint.clone(),
            made_at: self.made_at.clone(),
            assessment: decoded.map_err(|cause| StoreError::Assessment {
                call_id: self.call_id.clone(),
                cause,
            })?,
        })
    }
}

impl AssessmentRecord {
    /// Does the work of saving that needs no database. `current` is what is in force for the call now.
    ///
    /// # Errors
    /// `NotSaved` where it is too long.
    pub fn encode(
        &self,
        current: Option<&StoredAssessment>,
    ) -> Result<EncodedAssessment, StoreError> {
        let packed = Packed::new(&self.assessment).map_err(|cause| StoreError::NotSaved {
            call_id: self.call_id.clone(),
            cause,
        })?;
        let same = current
            .filter(|current| current.transcript_version == self.transcript_version)
            .filter(|current| packed.is_in(&current.encoding, &current.bytes));
        let effect = match same {
            Some(same) if same.rules_fingerprint == self.rules_fingerprint => Effect::Nothing,
            // What hides personal data may itself have changed.
            Some(_) if self.assessment.pii.is_empty() => Effect::Version,
            _ => Effect::Findings,
        };
        let row = match effect {
            Effect::Nothing => None,
            _ => Some(self.row(packed.into_body())),
        };
        Ok(EncodedAssessment {
            row,
            call_id: self.call_id.clone(),
            effect,
        })
    }

    fn row(&self, body: Body) -> assessment::ActiveModel {
        let card = self.assessment.scorecard.as_ref();
        assessment::ActiveModel {
            call_id: Set(self.call_id.0.clone()),
            transcript_version: Set(self.transcript_version),
            rules_fingerprint: Set(self.rules_fingerprint.clone()),
            made_at: Set(self.made_at.clone()),
            is_current: Set(true),
            total: Set(card.map(|card| card.total)),
            passed: Set(card.map(|card| card.passed)),
            auto_fail: Set(card.map(|card| card.auto_fail)),
            n_hits: Set(row::to_column(self.assessment.hits.len() as u64)),
            encoding: Set(body.encoding.to_owned()),
            body: Set(body.bytes),
            ..Default::default()
        }
    }
}

/// Rows of one statement: each has 11 values, and SQLite takes 32,766.
const ROWS_A_STATEMENT: usize = 500;

/// Calls asked for, or marked, by one statement: each is one value.
const IDS_A_STATEMENT: usize = 16_000;

impl Store {
    /// Saves what was made of calls, all or none unless a call comes twice. The version before stays and is no longer current; where
    /// it is equal in transcript, rules and content, it stays in force. The search index lacks the calls
    /// whose findings are new, until [`Self::mark_indexed`].
    ///
    /// # Errors
    /// As the database gives them: also where a call is not there. Then nothing is saved.
    pub async fn save_assessments(&self, records: &[AssessmentRecord]) -> Result<(), StoreError> {
        // One call may come twice: the second is compared with the first.
        let mut rest = records;
        while !rest.is_empty() {
            let mut names = HashSet::new();
            let different = rest.iter().map(|record| &record.call_id);
            let n_different = different
                .take_while(|call_id| names.insert(*call_id))
                .count();
            let some;
            (some, rest) = rest.split_at(n_different);
            let ids: Vec<CallId> = some.iter().map(|record| record.call_id.clone()).collect();
            let current = self.stored_assessments(&ids).await?;
            let encoded = some
                .iter()
                .map(|record| record.encode(current.get(&record.call_id)))
                .collect::<Result<Vec<_>, _>>()?;
            self.save_encoded(&encoded.iter().collect::<Vec<_>>())
                .await?;
        }
        Ok(())
    }

    /// The same for what was encoded before, of a call at most one.
    ///
    /// # Errors
    /// As [`Self::save_assessments`].
    pub async fn save_encoded(&self, encoded: &[&EncodedAssessment]) -> Result<(), StoreError> {
        let changes = |one: &&EncodedAssessment| one.row.is_some();
        let changed: Vec<_> = encoded.iter().copied().filter(changes).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let transaction = self.begin().await?;
        for some in changed.chunks(ROWS_A_STATEMENT) {
            let saved = replace_current(&transaction, some).await;
            saved.map_err(|error| self.error(error))?;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))
    }

    /// Marks what is in force for calls as made with these rules, all or none, and gives how many that were: for
    /// calls of which it is known that the rules of today say the same. No version is added, and what was found,
    /// when, and what the search index has stay as they are. Calls that were never assessed are left out.
    ///
    /// # Errors
    /// As the database gives them; then nothing is marked.
    pub async fn restamp(
        &self,
        ids: &[CallId],
        rules_fingerprint: &str,
    ) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let transaction = self.begin().await?;
        let mut n_marked = 0;
        for some in ids.chunks(IDS_A_STATEMENT) {
            let update = assessment::Entity::update_many()
                .col_expr(
                    assessment::Column::RulesFingerprint,
                    Expr::value(rules_fingerprint),
                )
                .filter(is_in_force(some.iter().map(|id| id.0.as_str())));
            let updated = update.exec(&transaction).await;
            n_marked += updated.map_err(|error| self.error(error))?.rows_affected;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))?;
        Ok(n_marked)
    }

    /// What is in force for calls, by their ids; nothing for those that were never assessed.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn stored_assessments(
        &self,
        ids: &[CallId],
    ) -> Result<HashMap<CallId, StoredAssessment>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(ROWS_A_STATEMENT) {
            let query = in_force(some)
                .columns([
                    assessment::Column::MadeAt,
                    assessment::Column::Encoding,
                    assessment::Column::Body,
                ])
                .into_tuple::<(String, i64, String, String, String, Vec<u8>)>();
            let rows = query.all(&self.db).await;
            for (name, transcript_version, rules_fingerprint, made_at, encoding, bytes) in
                rows.map_err(|error| self.error(error))?
            {
                let call_id = CallId(name);
                let stored = StoredAssessment {
                    call_id: call_id.clone(),
                    transcript_version,
                    rules_fingerprint,
                    made_at,
                    encoding,
                    bytes,
                };
                found.insert(call_id, stored);
            }
        }
        Ok(found)
    }

    /// What is in force for a call; `None` where it was never assessed.
    ///
    /// # Errors
    /// `Assessment` where its bytes cannot be read; else as the database gives them.
    pub async fn assessment(
        &self,
        call_id: &CallId,
    ) -> Result<Option<AssessmentRecord>, StoreError> {
        let stored = self
            .stored_assessments(std::slice::from_ref(call_id))
            .await?;
        let stored = stored.get(call_id);
        stored.map(StoredAssessment::decode).transpose()
    }

    /// Every version of a call's score, the oldest first.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn score_versions(&self, call_id: &CallId) -> Result<Vec<ScoreVersion>, StoreError> {
        let versions = assessment::Entity::find()
            .select_only()
            .columns([
                assessment::Column::TranscriptVersion,
                assessment::Column::RulesFingerprint,
                assessment::Column::MadeAt,
                assessment::Column::Total,
                assessment::Column::Passed,
                assessment::Column::NHits,
                assessment::Column::IsCurrent,
            ])
            .filter(assessment::Column::CallId.eq(call_id.0.as_str()))
            .order_by_asc(assessment::Column::Id)
            .into_model::<ScoreVersion>()
            .all(&self.db)
            .await;
        versions.map_err(|error| self.error(error))
    }

    /// Fingerprints of the assessment in force: transcript version and rules; `None` without one.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn assessed_with(
        &self,
        call_id: &CallId,
    ) -> Result<Option<(i64, String)>, StoreError> {
        let mut found = self
            .all_assessed_with(std::slice::from_ref(call_id))
            .await?;
        Ok(found.remove(call_id))
    }

    /// The same for many calls.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn all_assessed_with(
        &self,
        ids: &[CallId],
    ) -> Result<HashMap<CallId, (i64, String)>, StoreError> {
        let mut all = HashMap::with_capacity(ids.len());
        for some in ids.chunks(ROWS_A_STATEMENT) {
            let found = in_force(some).into_tuple::<(String, i64, String)>();
            let found = found.all(&self.db).await;
            let found = found.map_err(|error| self.error(error))?;
            all.extend(
                found
                    .into_iter()
                    .map(|(name, version, rules)| (CallId(name), (version, rules))),
            );
        }
        Ok(all)
    }
}

/// What is in force for these calls: each one's id, the version of its transcript and its rules.
fn in_force(ids: &[CallId]) -> Select<assessment::Entity> {
    assessment::Entity::find()
        .select_only()
        .columns([
            assessment::Column::CallId,
            assessment::Column::TranscriptVersion,
            assessment::Column::RulesFingerprint,
        ])
        .filter(is_in_force(ids.iter().map(|id| id.0.as_str())))
}

/// The rows in force of these calls.
fn is_in_force<'a>(names: impl Iterator<Item = &'a str>) -> Condition {
    Condition::all()
        .add(assessment::Column::CallId.is_in(names))
        .add(assessment::Column::IsCurrent.eq(true))
}

async fn replace_current(
    transaction: &impl ConnectionTrait,
    some: &[&EncodedAssessment],
) -> Result<(), DbErr> {
    let names = some.iter().map(|one| one.call_id.0.as_str());
    let others = assessment::Entity::update_many()
        .col_expr(assessment::Column::IsCurrent, Expr::value(false))
        .filter(is_in_force(names));
    others.exec(transaction).await?;
    assessment::Entity::insert_many(some.iter().filter_map(|one| one.row.clone()))
        .exec_without_returning(transaction)
        .await?;
    let out_of_date = some.iter().filter(|one| one.effect == Effect::Findings);
    let names: Vec<_> = out_of_date.map(|one| one.call_id.0.as_str()).collect();
    if !names.is_empty() {
        let calls = call::Entity::update_many()
            .col_expr(call::Column::IndexedVersion, Expr::value(0))
            .filter(call::Column::CallId.is_in(names));
        calls.exec(transaction).await?;
    }
    Ok(())
}

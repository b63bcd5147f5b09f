//! Assessments: saved beside the transcript they follow from, none ever overwritten.

use std::collections::{HashMap, HashSet};

use auricle_bodies::{Body, Packed};
use auricle_contracts::{Assessment, CallId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, Func, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType,
    QueryFilter, QueryOrder, QuerySelect, RelationTrait, Select,
};

use crate::entity::{assessment, call, confirmation};
use crate::error::StoreError;
use crate::jobs::{self, JobCall};
use crate::open::Store;
use crate::row;

/// An assessment with what it follows from.
#[derive(Clone, Debug, PartialEq)]
pub struct AssessmentRecord {
    /// The call.
    pub call_id: CallId,
    /// The version of the transcript it was made from.
    pub transcript_version: i64,
    /// Fingerprint of rules, cards and models it was made with; of the last that found the same again, in what the
    /// store gives.
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
    /// Fingerprint of the last others that found the same again.
    pub confirmed_with: Option<String>,
    /// When it was made, RFC 3339.
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
    pub(crate) id: i32,
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
    /// The version in force is found again by other rules; it stays, and so does what the search index has.
    Confirmed,
    /// What the search index has of the call is out of date.
    Findings,
}

/// An assessment ready to be saved.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedAssessment {
    write: Write,
    call_id: CallId,
    effect: Effect,
}

#[derive(Clone, Debug, PartialEq)]
enum Write {
    Nothing,
    Confirmed(confirmation::ActiveModel),
    New(Box<assessment::ActiveModel>),
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
    /// The version of the transcript it was made from.
    pub const fn transcript_version(&self) -> i64 {
        self.transcript_version
    }

    /// Fingerprint of rules, cards and models that it was last found with.
    pub fn rules_fingerprint(&self) -> &str {
        &self.rules_fingerprint
    }

    /// Ready to be saved as found again, with rules of this fingerprint.
    pub fn confirmed(&self, rules_fingerprint: &str) -> EncodedAssessment {
        let is_known = self.rules_fingerprint == rules_fingerprint;
        let (write, effect) = match is_known {
            true => (Write::Nothing, Effect::Nothing),
            false => (
                Write::Confirmed(confirmation::ActiveModel {
                    call_id: Set(self.call_id.0.clone()),
                    assessment_id: Set(self.id),
                    rules_fingerprint: Set(rules_fingerprint.to_owned()),
                }),
                Effect::Confirmed,
            ),
        };
        EncodedAssessment {
            write,
            call_id: self.call_id.clone(),
            effect,
        }
    }

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
    /// Does the work of saving that needs no database. `current` is what is in force for the call now; where it is
    /// equal in transcript and content it stays, confirmed.
    ///
    /// # Errors
    /// `NotSaved` where it is too long.
    pub fn encode(
        &self,
        current: Option<&StoredAssessment>,
    ) -> Result<EncodedAssessment, StoreError> {
        let packed = self.packed()?;
        let same = current
            .filter(|current| current.transcript_version == self.transcript_version)
            .filter(|current| packed.is_in(&current.encoding, &current.bytes));
        if let Some(same) = same {
            let mut confirmed = same.confirmed(&self.rules_fingerprint);
            // What hides personal data in the search index may itself have changed.
            if confirmed.effect == Effect::Confirmed && !self.assessment.pii.is_empty() {
                confirmed.effect = Effect::Findings;
            }
            return Ok(confirmed);
        }
        Ok(EncodedAssessment {
            write: Write::New(Box::new(self.row(packed.into_body()))),
            call_id: self.call_id.clone(),
            effect: Effect::Findings,
        })
    }

    /// The row of what is new for sure.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub(crate) fn new_row(&self) -> Result<assessment::ActiveModel, StoreError> {
        Ok(self.row(self.packed()?.into_body()))
    }

    fn packed(&self) -> Result<Packed<Assessment>, StoreError> {
        Packed::new(&self.assessment).map_err(|cause| StoreError::NotSaved {
            call_id: self.call_id.clone(),
            cause,
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

/// Rows of one statement: each has at most 11 values, and SQLite takes 32,766.
const ROWS_A_STATEMENT: usize = 500;

impl Store {
    /// Saves what was made of calls, all or none unless a call comes twice. The version before stays and is no longer current; where
    /// it is equal in transcript and content, it stays in force and is confirmed. The search index lacks the calls
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
        self.save_with(encoded, None).await
    }

    /// The same for a job, which is done with these calls then: both or none.
    ///
    /// # Errors
    /// As [`Self::save_assessments`].
    pub async fn save_encoded_for(
        &self,
        encoded: &[&EncodedAssessment],
        job_id: u64,
        calls: &[JobCall],
    ) -> Result<(), StoreError> {
        self.save_with(encoded, Some((job_id, calls))).await
    }

    async fn save_with(
        &self,
        encoded: &[&EncodedAssessment],
        job: Option<(u64, &[JobCall])>,
    ) -> Result<(), StoreError> {
        let mut confirmed = Vec::new();
        let mut new = Vec::new();
        for one in encoded {
            match &one.write {
                Write::Nothing => {}
                Write::Confirmed(row) => confirmed.push(row),
                Write::New(row) => new.push(&**row),
            }
        }
        if confirmed.is_empty() && new.is_empty() && job.is_none() {
            return Ok(());
        }
        let out_of_date = encoded
            .iter()
            .filter(|one| one.effect == Effect::Findings)
            .map(|one| one.call_id.0.as_str());
        let out_of_date: Vec<&str> = out_of_date.collect();
        let transaction = self.begin().await?;
        for some in confirmed.chunks(ROWS_A_STATEMENT) {
            let saved = confirm(&transaction, some).await;
            saved.map_err(|error| self.error(error))?;
        }
        for some in new.chunks(ROWS_A_STATEMENT) {
            let saved = replace_current(&transaction, some).await;
            saved.map_err(|error| self.error(error))?;
        }
        for some in out_of_date.chunks(ROWS_A_STATEMENT) {
            let marked = mark_out_of_date(&transaction, some).await;
            marked.map_err(|error| self.error(error))?;
        }
        if let Some((job_id, calls)) = job {
            let noted = jobs::note(&transaction, job_id, calls).await;
            noted.map_err(|error| self.error(error))?;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))
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
                    assessment::Column::Id,
                    assessment::Column::MadeAt,
                    assessment::Column::Encoding,
                    assessment::Column::Body,
                ])
                .into_tuple::<(String, i64, String, i32, String, String, Vec<u8>)>();
            let rows = query.all(&self.db).await;
            for (name, transcript_version, rules_fingerprint, id, made_at, encoding, bytes) in
                rows.map_err(|error| self.error(error))?
            {
                let call_id = CallId(name);
                let stored = StoredAssessment {
                    id,
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
            .column_as(confirmation::Column::RulesFingerprint, "confirmed_with")
            .join(JoinType::LeftJoin, assessment::Relation::Confirmation.def())
            .filter(assessment::Column::CallId.eq(call_id.0.as_str()))
            .order_by_asc(assessment::Column::Id)
            .into_model::<ScoreVersion>()
            .all(&self.db)
            .await;
        versions.map_err(|error| self.error(error))
    }

    /// Fingerprints of the assessment in force: transcript version and the last rules it was found with; `None`
    /// without one.
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
        ])
        .expr(Func::coalesce([
            confirmation::Column::RulesFingerprint.into_expr(),
            assessment::Column::RulesFingerprint.into_expr(),
        ]))
        .join(JoinType::LeftJoin, assessment::Relation::Confirmation.def())
        .filter(is_in_force(ids.iter().map(|id| id.0.as_str())))
}

/// The rows in force of these calls.
fn is_in_force<'a>(names: impl Iterator<Item = &'a str>) -> Condition {
    Condition::all()
        .add(assessment::Column::CallId.is_in(names))
        .add(assessment::Column::IsCurrent.eq(true))
}

async fn confirm(
    transaction: &impl ConnectionTrait,
    some: &[&confirmation::ActiveModel],
) -> Result<(), DbErr> {
    let key = [
        confirmation::Column::CallId,
        confirmation::Column::AssessmentId,
    ];
    let again = OnConflict::columns(key)
        .update_column(confirmation::Column::RulesFingerprint)
        .to_owned();
    let rows = some.iter().map(|row| (*row).clone());
    let insert = confirmation::Entity::insert_many(rows).on_conflict(again);
    insert.exec_without_returning(transaction).await.map(drop)
}

/// Writes what is in force from now on, of a call at most one.
pub(crate) async fn replace_current(
    transaction: &impl ConnectionTrait,
    some: &[&assessment::ActiveModel],
) -> Result<(), DbErr> {
    let names = some.iter().map(|row| row.call_id.as_ref().as_str());
    let others = assessment::Entity::update_many()
        .col_expr(assessment::Column::IsCurrent, Expr::value(false))
        .filter(is_in_force(names));
    others.exec(transaction).await?;
    let rows = some.iter().map(|row| (*row).clone());
    let insert = assessment::Entity::insert_many(rows);
    insert.exec_without_returning(transaction).await.map(drop)
}

async fn mark_out_of_date(transaction: &impl ConnectionTrait, names: &[&str]) -> Result<(), DbErr> {
    let calls = call::Entity::update_many()
        .col_expr(call::Column::IndexedVersion, Expr::value(0))
        .filter(call::Column::CallId.is_in(names.iter().copied()));
    calls.exec(transaction).await.map(drop)
}

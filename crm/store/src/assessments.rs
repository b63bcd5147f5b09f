//! Assessments: saved beside the transcript they follow from, none ever overwritten.

use auricle_contracts::{Assessment, CallId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::body;
use crate::entity::assessment;
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

impl Store {
    /// Saves what was made of calls, all or none. The version before stays and is no longer current; one
    /// that is equal in transcript and rules gives its place.
    ///
    /// # Errors
    /// As the database gives them: also where a call is not there. Then nothing is saved.
    pub async fn save_assessments(&self, records: &[AssessmentRecord]) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        for record in records {
            let row = row_of(record).map_err(|detail| self.damaged(detail))?;
            let saved = replace_current(&transaction, record, row).await;
            saved.map_err(|error| self.error(error))?;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))
    }

    /// What is in force for a call; `None` where it was never assessed.
    ///
    /// # Errors
    /// `Assessment` where its bytes cannot be read; else as the database gives them.
    pub async fn assessment(
        &self,
        call_id: &CallId,
    ) -> Result<Option<AssessmentRecord>, StoreError> {
        let row = assessment::Entity::find()
            .filter(assessment::Column::CallId.eq(call_id.0.as_str()))
            .filter(assessment::Column::IsCurrent.eq(true))
            .one(&self.db)
            .await;
        let Some(row) = row.map_err(|error| self.error(error))? else {
            return Ok(None);
        };
        let decoded = body::decode(&row.encoding, &row.body);
        let assessment = decoded.map_err(|cause| StoreError::Assessment {
            call_id: call_id.clone(),
            cause,
        })?;
        Ok(Some(AssessmentRecord {
            call_id: call_id.clone(),
            transcript_version: row.transcript_version,
            rules_fingerprint: row.rules_fingerprint,
            made_at: row.made_at,
            assessment,
        }))
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
        let found = assessment::Entity::find()
            .select_only()
            .columns([
                assessment::Column::TranscriptVersion,
                assessment::Column::RulesFingerprint,
            ])
            .filter(assessment::Column::CallId.eq(call_id.0.as_str()))
            .filter(assessment::Column::IsCurrent.eq(true))
            .into_tuple::<(i64, String)>()
            .one(&self.db)
            .await;
        found.map_err(|error| self.error(error))
    }
}

fn row_of(record: &AssessmentRecord) -> Result<assessment::ActiveModel, String> {
    let body = body::encode(&record.assessment)?;
    let card = record.assessment.scorecard.as_ref();
    Ok(assessment::ActiveModel {
        call_id: Set(record.call_id.0.clone()),
        transcript_version: Set(record.transcript_version),
        rules_fingerprint: Set(record.rules_fingerprint.clone()),
        made_at: Set(record.made_at.clone()),
        is_current: Set(true),
        total: Set(card.map(|card| card.total)),
        passed: Set(card.map(|card| card.passed)),
        auto_fail: Set(card.map(|card| card.auto_fail)),
        n_hits: Set(row::to_column(record.assessment.hits.len() as u64)),
        encoding: Set(body.encoding.to_owned()),
        body: Set(body.bytes),
        ..Default::default()
    })
}

async fn replace_current(
    transaction: &impl ConnectionTrait,
    record: &AssessmentRecord,
    row: assessment::ActiveModel,
) -> Result<(), DbErr> {
    let of_call = assessment::Column::CallId.eq(record.call_id.0.as_str());
    let same = assessment::Entity::delete_many()
        .filter(of_call.clone())
        .filter(assessment::Column::IsCurrent.eq(true))
        .filter(assessment::Column::TranscriptVersion.eq(record.transcript_version))
        .filter(assessment::Column::RulesFingerprint.eq(record.rules_fingerprint.as_str()));
    same.exec(transaction).await?;
    let others = assessment::Entity::update_many()
        .col_expr(assessment::Column::IsCurrent, Expr::value(false))
        .filter(of_call);
    others.exec(transaction).await?;
    assessment::Entity::insert(row)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

//! Saving calls and their transcripts.

use auricle_bodies::Body;
use auricle_contracts::{Assessment, CallId, Transcript};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use crate::assessments::{AssessmentRecord, replace_current};
use crate::entity::{assessment, call, confirmation, transcript};
use crate::error::StoreError;
use crate::events;
use crate::jobs;
use crate::open::Store;
use crate::record::{CallState, Fingerprints, Recording, RunId};
use crate::row;

/// SQLite takes 32,766 values in one statement; a row of `calls` has 25.
const ROWS_A_STATEMENT: usize = 500;

impl Store {
    /// Notes calls that are going to be heard. A call that is done stays done until its new
    /// transcript is there.
    ///
    /// # Errors
    /// As the database gives them; then none of them is noted.
    pub async fn save_pending(&self, run: RunId, calls: &[Recording]) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        for some in calls.chunks(ROWS_A_STATEMENT) {
            let rows = some
                .iter()
                .map(|recording| row::of_recording(Some(run), recording));
            let insert = call::Entity::insert_many(rows).on_conflict(unless_done());
            let saved = insert.exec_without_returning(&transaction).await;
            saved.map_err(|error| self.error(error))?;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))
    }

    /// Saves a finished call and its transcript in one transaction and gives the new version.
    /// The search index lacks it until [`Self::mark_indexed`]. `analysed_at` is RFC 3339.
    ///
    /// # Errors
    /// `NotKept` where the transcript is too long; else as the database gives them. Then the call is as it
    /// was before.
    pub async fn save_done(
        &self,
        run: Option<RunId>,
        recording: &Recording,
        fingerprints: &Fingerprints,
        transcript: &Transcript,
        analysed_at: &str,
    ) -> Result<i64, StoreError> {
        let row = row::of_recording(run, recording);
        let mut row = row::with_transcript(row, fingerprints, transcript);
        row.analysed_at = Set(Some(analysed_at.to_owned()));
        self.write_done(row, transcript, None).await
    }

    /// Saves a finished call as [`Self::save_done`] does, and in the same transaction what was made of it by rules of this
    /// fingerprint.
    ///
    /// # Errors
    /// As [`Self::save_done`]; `NotSaved` where what was made of it is too long.
    pub async fn save_assessed(
        &self,
        recording: &Recording,
        transcript: &Transcript,
        assessment: (&Assessment, &str),
        analysed_at: &str,
    ) -> Result<i64, StoreError> {
        let (assessment, rules_fingerprint) = assessment;
        let row = row::of_recording(None, recording);
        let mut row = row::with_transcript(row, &Fingerprints::default(), transcript);
        row.analysed_at = Set(Some(analysed_at.to_owned()));
        let made = AssessmentRecord {
            call_id: recording.call_id.clone(),
            // That of the transcript, which it gets when both are written.
            transcript_version: 0,
            rules_fingerprint: rules_fingerprint.to_owned(),
            made_at: analysed_at.to_owned(),
            assessment: assessment.clone(),
        };
        self.write_done(row, transcript, Some(made.new_row()?))
            .await
    }

    async fn write_done(
        &self,
        row: call::ActiveModel,
        transcript: &Transcript,
        made: Option<assessment::ActiveModel>,
    ) -> Result<i64, StoreError> {
        let body = auricle_bodies::encode(transcript).map_err(|cause| StoreError::NotKept {
            call_id: CallId(row.call_id.clone().unwrap()),
            cause,
        })?;
        let n_utterances = transcript.utterances.len();
        let transaction = self.begin().await?;
        let saved = write_done(&transaction, row, body, n_utterances).await;
        let version = saved.map_err(|error| self.error(error))?;
        if let Some(mut made) = made {
            made.transcript_version = Set(version);
            let saved = replace_current(&transaction, &[&made]).await;
            saved.map_err(|error| self.error(error))?;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))?;
        Ok(version)
    }

    /// Notes why a call could not be heard. A transcript from before stays, and so does metadata that
    /// this recording comes without.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn save_failed(
        &self,
        run: Option<RunId>,
        recording: &Recording,
        cause: &str,
        analysed_at: &str,
    ) -> Result<(), StoreError> {
        let row = call::ActiveModel {
            state: Set(CallState::Failed.as_str().to_owned()),
            error: Set(Some(cause.to_owned())),
            analysed_at: Set(Some(analysed_at.to_owned())),
            ..row::of_recording(run, recording)
        };
        let replace = row::replace_known_columns(&row);
        let insert = call::Entity::insert(row).on_conflict(replace);
        let saved = insert.exec_without_returning(&self.db).await;
        saved.map(drop).map_err(|error| self.error(error))
    }

    /// Notes which versions the search index holds now. A call that was saved again since stays
    /// marked as missing there.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn mark_indexed(&self, calls: &[(CallId, i64)]) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        for (call_id, version) in calls {
            let update = call::Entity::update_many()
                .col_expr(call::Column::IndexedVersion, Expr::value(*version))
                .filter(call::Column::CallId.eq(call_id.0.as_str()))
                .filter(call::Column::Version.eq(*version));
            update
                .exec(&transaction)
                .await
                .map_err(|error| self.error(error))?;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))
    }

    /// Takes calls out with their transcripts, assessments and what was told of them, all or none, and gives how many were there. Their bytes are
    /// overwritten in the file, and the log beside it is emptied unless somebody reads.
    ///
    /// # Errors
    /// As the database gives them; then all are still there.
    pub async fn delete(&self, calls: &[CallId]) -> Result<u64, StoreError> {
        let transaction = self.begin().await?;
        let mut n_deleted = 0;
        for call_id in calls {
            let name = call_id.0.as_str();
            let confirmations = confirmation::Entity::delete_many()
                .filter(confirmation::Column::CallId.eq(name))
                .exec(&transaction);
            confirmations.await.map_err(|error| self.error(error))?;
            let assessments = assessment::Entity::delete_many()
                .filter(assessment::Column::CallId.eq(name))
                .exec(&transaction);
            assessments.await.map_err(|error| self.error(error))?;
            let told = events::forget_call(&transaction, name).await;
            told.map_err(|error| self.error(error))?;
            let of_jobs = jobs::forget_call(&transaction, name).await;
            of_jobs.map_err(|error| self.error(error))?;
            let transcript = transcript::Entity::delete_by_id(name).exec(&transaction);
            transcript.await.map_err(|error| self.error(error))?;
            let call = call::Entity::delete_by_id(name).exec(&transaction).await;
            n_deleted += call.map_err(|error| self.error(error))?.rows_affected;
        }
        transaction
            .commit()
            .await
            .map_err(|error| self.error(error))?;
        let empty_log = self
            .db
            .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)");
        empty_log.await.map_err(|error| self.error(error))?;
        Ok(n_deleted)
    }

    /// Notes that the search index is gone: every call is missing in it.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn forget_index(&self) -> Result<(), StoreError> {
        let update =
            call::Entity::update_many().col_expr(call::Column::IndexedVersion, Expr::value(0));
        let saved = update.exec(&self.db).await;
        saved.map(drop).map_err(|error| self.error(error))
    }
}

/// On a call that is there already: note the new path, but only where there is nothing to lose.
fn unless_done() -> OnConflict {
    OnConflict::column(call::Column::CallId)
        .update_columns([
            call::Column::File,
            call::Column::Path,
            call::Column::SizeBytes,
            call::Column::State,
            call::Column::RunId,
        ])
        .action_and_where(
            Expr::col((call::Entity, call::Column::State)).ne(CallState::Done.as_str()),
        )
        .to_owned()
}

async fn write_done(
    transaction: &DatabaseTransaction,
    mut row: call::ActiveModel,
    body: Body,
    n_utterances: usize,
) -> Result<i64, DbErr> {
    let call_id = row.call_id.clone().unwrap();
    let before = call::Entity::find_by_id(call_id.as_str())
        .one(transaction)
        .await?;
    let version = before.map_or(0, |row| row.version) + 1;
    row.version = Set(version);
    let replace = row::replace_set_columns(&row);
    let insert = call::Entity::insert(row).on_conflict(replace);
    insert.exec_without_returning(transaction).await?;

    let row = transcript::ActiveModel {
        call_id: Set(call_id),
        encoding: Set(body.encoding.to_owned()),
        body: Set(body.bytes),
        n_utterances: Set(row::to_column(n_utterances as u64)),
    };
    let replace = OnConflict::column(transcript::Column::CallId)
        .update_columns([
            transcript::Column::Encoding,
            transcript::Column::Body,
            transcript::Column::NUtterances,
        ])
        .to_owned();
    let insert = transcript::Entity::insert(row).on_conflict(replace);
    insert.exec_without_returning(transaction).await?;
    Ok(version)
}

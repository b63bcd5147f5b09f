//! Calls as they leave the program: with what was made of them, personal data masked.

use anyhow::Result;
use auricle_contracts::{AssessedCall, Assessment, Transcript};
use auricle_insight::pii::{Mask, Masker};
use auricle_store::{CallRecord, Store};

use crate::app::App;
use crate::judge::Judges;

/// How personal data is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PersonalData {
    /// With `*` in place of every letter and digit of it.
    #[default]
    Masked,
    /// As it was said. Only where somebody asks for just this.
    AsSaid,
}

/// A call with what was made of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownCall {
    pub(crate) transcript: Transcript,
    pub(crate) assessment: Assessment,
}

impl KnownCall {
    /// Hides the personal data that the assessment found: in the transcript, and in what it quotes.
    pub(crate) fn masked(transcript: &Transcript, assessment: &Assessment) -> Self {
        let masker = Masker::new(transcript, &assessment.pii, Mask::All);
        Self {
            transcript: masker.transcript(),
            assessment: masker.assessment(assessment),
        }
    }

    /// The JSON of `analyze --out`.
    pub(crate) fn assessed(&self) -> AssessedCall<'_> {
        AssessedCall::new(&self.transcript, &self.assessment)
    }
}

/// Reads calls out of the store for those who show them.
pub(crate) struct CallReader {
    judges: Judges,
    personal_data: PersonalData,
}

impl CallReader {
    /// Loads what calls without an assessment are assessed with.
    pub(crate) fn open(app: &App, personal_data: PersonalData) -> Result<Self> {
        Ok(Self {
            judges: Judges::load(&app.config)?,
            personal_data,
        })
    }

    /// The call's transcript and the assessment in force; one that was never assessed, or whose transcript
    /// is newer, is assessed now, and nothing is saved.
    pub(crate) fn read(&self, app: &App, store: &Store, call: &CallRecord) -> Result<KnownCall> {
        let transcript = app.transcript(store, call)?;
        let stored = store.assessment(&call.recording.call_id);
        let stored = app.runtime.block_on(stored)?;
        let assessment = match stored.filter(|stored| stored.transcript_version == call.version) {
            Some(stored) => stored.assessment,
            None => self.judges.assess(&transcript),
        };
        Ok(match self.personal_data {
            PersonalData::Masked => KnownCall::masked(&transcript, &assessment),
            PersonalData::AsSaid => KnownCall {
                transcript,
                assessment,
            },
        })
    }
}

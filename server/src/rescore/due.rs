//! Which calls have to be assessed anew, and from what.

use std::path::Path;

use anyhow::Result;
use auricle_store::CallRecord;

use super::args::{AudioChoice, RescoreArgs};
use crate::analyze;
use crate::app::App;
use crate::engine::{Recognition, Speech};
use crate::exit::message_of;
use crate::judge::Judges;
use crate::selection::Selection;
use crate::terminal::say;

/// The calls a run is about.
#[derive(Default)]
pub(crate) struct Due {
    /// Their transcripts stay.
    pub(crate) text: Vec<CallRecord>,
    /// Their recordings are heard again: another model would hear them now.
    pub(crate) audio: Vec<CallRecord>,
    pub(crate) n_up_to_date: u64,
}

impl Due {
    pub(crate) fn find(
        app: &App,
        args: &RescoreArgs,
        selection: &Selection,
        judges: &Judges,
    ) -> Result<Self> {
        let mut speech = match args.audio {
            AudioChoice::Changed => speech(app),
            AudioChoice::Never => None,
        };
        let mut due = Self::default();
        selection.each_call(app, |call| {
            let is_audio = speech
                .as_mut()
                .is_some_and(|speech| is_heard_otherwise(speech, call));
            if is_audio {
                due.audio.push(call.clone());
                return Ok(());
            }
            let assessed = selection.store.assessed_with(&call.recording.call_id);
            let assessed = app.runtime.block_on(assessed)?;
            let is_same = |(version, print): &(i64, String)| {
                *version == call.version && print == judges.print()
            };
            match assessed.as_ref().is_some_and(is_same) && !args.force {
                true => due.n_up_to_date += 1,
                false => due.text.push(call.clone()),
            }
            Ok(())
        })?;
        Ok(due)
    }
}

/// The recogniser, where there is one; without it texts stay as they are.
fn speech(app: &App) -> Option<Speech> {
    let opened = Speech::open(&app.config, &analyze::default_speech_options(app));
    opened
        .inspect_err(|error| {
            let cause = message_of(error);
            say!("recordings are not heard again: {cause}");
        })
        .ok()
}

/// Whether the call's recording is there and another model would hear it now. What was imported was not
/// heard here, so nothing says that hearing it would be better.
fn is_heard_otherwise(speech: &mut Speech, call: &CallRecord) -> bool {
    if call.is_imported() || !Path::new(&call.recording.path).is_file() {
        return false;
    }
    let model = speech.model_for(&call.recording.metadata);
    model.is_ok_and(|model| model.fingerprint() != call.fingerprints.model)
}

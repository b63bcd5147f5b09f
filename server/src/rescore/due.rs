//! Which calls have to be assessed anew, and from what.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Result;
use auricle_contracts::CallId;
use auricle_speech::lm::Keeping;
use auricle_store::CallRecord;

use super::args::{AudioChoice, RescoreArgs};
use crate::analyze;
use crate::app::App;
use crate::engine::{Recognition, Speech, SpeechOptions};
use crate::exit::message_of;
use crate::judge::Judges;
use crate::selection::Selection;
use crate::terminal::{count, say};

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
        let mut ears = match args.audio {
            AudioChoice::Changed => Some(Ears::new(app, args)),
            AudioChoice::Never => None,
        };
        let mut due = Self::default();
        selection.each_page(app, |page| {
            let ids: Vec<_> = page
                .iter()
                .map(|call| call.recording.call_id.clone())
                .collect();
            let assessed = selection.store.all_assessed_with(&ids);
            let assessed = app.runtime.block_on(assessed)?;
            for call in page {
                if ears.as_mut().is_some_and(|ears| ears.hear_otherwise(call)) {
                    due.audio.push(call.clone());
                    continue;
                }
                // The row's metadata, by which calls are judged: that of a transcript may be older.
                let is_same = |(version, print): &(i64, String)| {
                    *version == call.version && judges.is_in_force(&call.recording.metadata, print)
                };
                let known = assessed.get(&call.recording.call_id);
                match known.is_some_and(is_same) && !args.force {
                    true => due.n_up_to_date += 1,
                    false => due.text.push(call.clone()),
                }
            }
            Ok(())
        })?;
        Ok(due)
    }

    /// Takes out calls that are done with.
    pub(crate) fn leave_out(&mut self, done: &HashSet<CallId>) {
        for calls in [&mut self.text, &mut self.audio] {
            calls.retain(|call| !done.contains(&call.recording.call_id));
        }
    }

    /// Calls to assess.
    pub(crate) const fn n_calls(&self) -> u64 {
        (self.text.len() + self.audio.len()) as u64
    }

    /// The line before the work.
    pub(crate) fn text(&self) -> String {
        if self.n_calls() + self.n_up_to_date == 0 {
            return "no call is of what the options ask for".to_owned();
        }
        let mut parts = vec![format!(
            "{} by their text",
            count(self.text.len() as u64, "call")
        )];
        if !self.audio.is_empty() {
            let n_audio = count(self.audio.len() as u64, "call");
            parts.push(format!("{n_audio} by their recording"));
        }
        if self.n_up_to_date > 0 {
            parts.push(format!("{} up to date", self.n_up_to_date));
        }
        format!("to assess: {}", parts.join(", "))
    }
}

/// The recogniser, opened for the first call that it may hear otherwise: its language model is large, and made
/// where it is not there.
struct Ears<'a> {
    app: &'a App,
    options: SpeechOptions,
    /// Within: `None` where there is no recogniser; texts stay as they are then.
    speech: Option<Option<Speech>>,
}

impl<'a> Ears<'a> {
    fn new(app: &'a App, args: &RescoreArgs) -> Self {
        Self {
            app,
            options: speech_options(app, args),
            speech: None,
        }
    }

    /// Whether the call's recording is there and another model would hear it now. What was imported was not
    /// heard here, so nothing says that hearing it would be better.
    fn hear_otherwise(&mut self, call: &CallRecord) -> bool {
        if call.is_imported() || !Path::new(&call.recording.path).is_file() {
            return false;
        }
        let speech = self.speech.get_or_insert_with(|| {
            let opened = Speech::open(&self.app.config, &self.options);
            let opened = opened.inspect_err(|error| {
                let cause = message_of(error);
                say!("recordings are not heard again: {cause}");
            });
            opened.ok()
        });
        speech.as_mut().is_some_and(|speech| {
            let heard_by = call.engine.as_deref();
            let model = speech.model_for(&call.recording.metadata);
            model.is_ok_and(|model| {
                model.fingerprint() != call.fingerprints.model
                    && !heard_by.is_some_and(|engine| model.must_not_replace(engine))
            })
        })
    }
}

/// Who saves nothing keeps no language model either.
fn speech_options(app: &App, args: &RescoreArgs) -> SpeechOptions {
    let default = analyze::default_speech_options(&app.config);
    SpeechOptions {
        keeping: match args.dry_run {
            true => Keeping::Nothing,
            false => default.keeping,
        },
        ..default
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{app, args};
    use super::*;

    #[test]
    fn who_only_tries_keeps_no_language_model() {
        let folder = tempfile::tempdir().unwrap();
        let app = app(folder.path());
        let keeping = |line: &[&str]| speech_options(&app, &args(line)).keeping;
        assert_eq!(keeping(&[]), Keeping::InFolder);
        assert_eq!(keeping(&["--dry-run"]), Keeping::Nothing);
    }
}

//! Calls under way: the one way into the pipeline, whatever brings their audio.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};
use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_insight::Judge;
use auricle_insight::intent::Language;
use auricle_live::{Live, NewCall, NewLeg};
use auricle_speech::SpeechModel;
use auricle_spool::RecordingName;
use auricle_store::Store;
use serde::Serialize;
use thiserror::Error;

use super::in_force::{Holder, InForce};
use super::ingest::CallLeg;
use super::recordings::Recordings;
use crate::clock;
use crate::exit::message_of;

/// A call to be opened.
#[derive(Clone, Debug)]
pub(crate) struct CallToOpen {
    /// Its name.
    pub(crate) id: CallId,
    pub(crate) metadata: CallMetadata,
    /// How its audio comes.
    pub(crate) source: &'static str,
    /// Who speaks on each leg, from channel 0.
    pub(crate) legs: Vec<NewLeg>,
    pub(crate) audio: WhereAudioLies,
}

/// A call that was opened.
pub(crate) struct Opened {
    /// Its name, which may be another than was asked for.
    pub(crate) id: CallId,
    /// In the order that was asked for.
    pub(crate) legs: Vec<CallLeg>,
    /// What hears it.
    pub(crate) model: Arc<SpeechModel>,
}

/// Where a call's audio lies when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WhereAudioLies {
    /// Nowhere, unless it is recorded.
    Nowhere,
    /// In a file that is played.
    File,
    /// In a recording that another run of the program began.
    Recovered {
        name: RecordingName,
        /// What was not told by the recording's end.
        warning: String,
    },
}

/// A call under way, as it is told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CallUnderWay {
    pub(crate) call_id: CallId,
    pub(crate) metadata: CallMetadata,
    pub(crate) source: &'static str,
    pub(crate) parties: Vec<Party>,
    /// RFC 3339.
    pub(crate) began_at: String,
    #[serde(skip)]
    pub(crate) recorded: Recorded,
    /// What it is heard and judged by, to its end.
    #[serde(skip)]
    pub(crate) by: Arc<InForce>,
}

/// What is known of a call that is over beside what was heard.
#[derive(Clone, Debug)]
pub(crate) struct CallOver {
    pub(crate) recorded: Recorded,
    /// What it was heard and judged by.
    pub(crate) by: Arc<InForce>,
}

/// Whether a call is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// No, and it need not be.
    #[default]
    No,
    /// By this run of the program.
    Here(RecordingName),
    /// By another, which broke off.
    Before {
        name: RecordingName,
        warning: String,
    },
    /// By another, and it was not heard to its end: the next start hears it again.
    HeardInPart,
    /// It should be, and this is why it is not.
    Failed(String),
}

/// A call of that name is under way.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("call `{id}` is under way already\nhint: every call needs a name of its own")]
pub(crate) struct UnderWayAlready {
    /// Its name.
    pub(crate) id: CallId,
}

/// Opens calls, and knows those under way.
pub(crate) struct Calls {
    live: Live,
    holder: Arc<Holder>,
    language: Language,
    recordings: Option<Arc<Recordings>>,
    store: Arc<Store>,
    under_way: Mutex<BTreeMap<CallId, CallUnderWay>>,
}

impl Calls {
    pub(crate) fn new(
        live: Live,
        holder: Arc<Holder>,
        language: Language,
        recordings: Option<Arc<Recordings>>,
        store: Arc<Store>,
    ) -> Self {
        Self {
            live,
            holder,
            language,
            recordings,
            store,
            under_way: Mutex::new(BTreeMap::new()),
        }
    }

    /// Takes a call in: one leg for each that was asked for, in that order. Writes the beginning of its recording. A name
    /// that a saved call has gets a number behind it: that call stays as it is.
    ///
    /// # Errors
    /// When a call of that name is under way, or the pipeline takes it not. A recording that cannot be begun is no reason:
    /// the call is heard without.
    pub(crate) fn open(&self, mut call: CallToOpen) -> Result<Opened> {
        if call.audio == WhereAudioLies::Nowhere {
            call.id = self.free_name(call.id)?;
        }
        let by = self.holder.now();
        self.enter(&call, &by)?;
        let judge: &Judge = by.judges.judge_for(&call.metadata, self.language);
        let model = Arc::clone(&by.model);
        let feeds = self.live.open(NewCall {
            id: call.id.clone(),
            metadata: call.metadata.clone(),
            source: call.source,
            legs: call.legs.clone(),
            model: Arc::clone(&model),
            judge: Arc::new(judge.clone()),
        });
        let feeds = feeds.inspect_err(|_| {
            self.under_way().remove(&call.id);
        })?;
        let (recorded, tapes) = self.record(&call);
        // It is still there: it ends when its legs are dropped.
        if let Some(told) = self.under_way().get_mut(&call.id) {
            told.recorded = recorded;
        }
        let mut tapes = tapes.into_iter();
        let legs = feeds
            .into_iter()
            .map(|feed| CallLeg::new(feed, tapes.next()));
        Ok(Opened {
            legs: legs.collect(),
            id: call.id,
            model,
        })
    }

    /// The name, with a number behind it where a saved call has it.
    fn free_name(&self, id: CallId) -> Result<CallId> {
        let is_saved = |id: &CallId| {
            let find = self.store.call(id);
            let handle = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| handle.block_on(find)).map(|found| found.is_some())
        };
        if !is_saved(&id)? {
            return Ok(id);
        }
        for number in 2_u32.. {
            let other = CallId(format!("{id}-{number}"));
            if !is_saved(&other)? {
                return Ok(other);
            }
        }
        bail!("call `{id}` has no free name left")
    }

    fn enter(&self, call: &CallToOpen, by: &Arc<InForce>) -> Result<()> {
        let mut under_way = self.under_way();
        let id = &call.id;
        if under_way.contains_key(id) {
            return Err(UnderWayAlready { id: id.clone() }.into());
        }
        let told = CallUnderWay {
            call_id: id.clone(),
            metadata: call.metadata.clone(),
            source: call.source,
            parties: call.legs.iter().map(|leg| leg.party).collect(),
            began_at: clock::now_text(),
            recorded: Recorded::No,
            by: Arc::clone(by),
        };
        under_way.insert(id.clone(), told);
        Ok(())
    }

    fn record(&self, call: &CallToOpen) -> (Recorded, Vec<auricle_record::Tape>) {
        let recordings = match (&self.recordings, &call.audio) {
            (Some(recordings), WhereAudioLies::Nowhere) => recordings,
            (_, WhereAudioLies::Recovered { name, warning }) => {
                let (name, warning) = (*name, warning.clone());
                return (Recorded::Before { name, warning }, Vec::new());
            }
            _ => return (Recorded::No, Vec::new()),
        };
        match recordings.begin(call) {
            Ok((name, tapes)) => (Recorded::Here(name), tapes),
            Err(error) => {
                let cause = message_of(&error);
                tracing::error!(call.id = %call.id, "a call is not recorded: {cause}");
                (Recorded::Failed(cause), Vec::new())
            }
        }
    }

    /// A call is over and is to be saved; tells whether it was recorded, and what it was judged by.
    pub(crate) fn over(&self, id: &CallId) -> CallOver {
        let call = self.under_way().get(id).cloned();
        let (recorded, by) = match call {
            Some(call) => (call.recorded, call.by),
            None => (Recorded::No, self.holder.now()),
        };
        let recorded = match recorded {
            // It may be over because the program ends, not because the recording does.
            Recorded::Before { .. } if self.live.is_hung_up() => Recorded::HeardInPart,
            recorded => recorded,
        };
        CallOver { recorded, by }
    }

    /// A call that is over is saved, as far as that could be done: its name is free.
    pub(crate) fn saved(&self, id: &CallId) {
        self.under_way().remove(id);
    }

    /// All calls under way, by name.
    pub(crate) fn all(&self) -> Vec<CallUnderWay> {
        self.under_way().values().cloned().collect()
    }

    /// What hears calls that open now. Calls that opened before have others, of the same settings and the same name.
    pub(crate) fn model(&self) -> Arc<SpeechModel> {
        Arc::clone(&self.holder.now().model)
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// `None` where calls are not recorded.
    pub(crate) fn recordings(&self) -> Option<&Recordings> {
        self.recordings.as_deref()
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<CallId, CallUnderWay>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

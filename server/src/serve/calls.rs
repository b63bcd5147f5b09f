//! Calls under way: the one way into the pipeline, whatever brings their audio.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};
use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_insight::Judge;
use auricle_insight::intent::Language;
use auricle_live::{LegFeed, Live, NewCall, NewLeg};
use auricle_speech::SpeechModel;
use serde::Serialize;

use crate::clock;
use crate::judge::Judges;

/// A call under way, as it is told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CallUnderWay {
    pub(crate) call_id: CallId,
    pub(crate) metadata: CallMetadata,
    pub(crate) source: &'static str,
    pub(crate) parties: Vec<Party>,
    /// RFC 3339.
    pub(crate) began_at: String,
}

/// Opens calls, and knows those under way.
pub(crate) struct Calls {
    live: Live,
    model: Arc<SpeechModel>,
    judges: Arc<Judges>,
    language: Language,
    under_way: Mutex<BTreeMap<CallId, CallUnderWay>>,
}

impl Calls {
    pub(crate) fn new(
        live: Live,
        model: Arc<SpeechModel>,
        judges: Arc<Judges>,
        language: Language,
    ) -> Self {
        Self {
            live,
            model,
            judges,
            language,
            under_way: Mutex::new(BTreeMap::new()),
        }
    }

    /// Takes a call in. Its name must be that of no other call under way.
    pub(crate) fn open(
        &self,
        id: CallId,
        metadata: CallMetadata,
        source: &'static str,
        legs: Vec<NewLeg>,
    ) -> Result<Vec<LegFeed>> {
        let judge: &Judge = self.judges.judge_for(&metadata, self.language);
        let call = CallUnderWay {
            call_id: id.clone(),
            metadata: metadata.clone(),
            source,
            parties: legs.iter().map(|leg| leg.party).collect(),
            began_at: clock::now_text(),
        };
        let mut under_way = self.under_way();
        if under_way.contains_key(&id) {
            bail!("call `{id}` is under way already\nhint: every call needs a name of its own");
        }
        let feeds = self.live.open(NewCall {
            id: id.clone(),
            metadata,
            source,
            legs,
            model: Arc::clone(&self.model),
            judge: Arc::new(judge.clone()),
        })?;
        under_way.insert(id, call);
        Ok(feeds)
    }

    /// A call is over.
    pub(crate) fn ended(&self, id: &CallId) {
        self.under_way().remove(id);
    }

    /// All calls under way, by name.
    pub(crate) fn all(&self) -> Vec<CallUnderWay> {
        self.under_way().values().cloned().collect()
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<CallId, CallUnderWay>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

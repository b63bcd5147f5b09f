//! Calls under way: the one way into the pipeline, whatever brings their audio.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use auricle_contracts::{CallId, CallMetadata, LineQuality, Party, PressedKey};
use auricle_insight::Judge;
use auricle_insight::intent::Language;
use auricle_live::{LegFeed, Live, NewCall, NewLeg};
use auricle_record::CallSettings;
use auricle_speech::segment::EndpointSettings;
use auricle_speech::{Hotwords, SpeechModel};
use auricle_spool::RecordingName;
use auricle_store::Store;
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

use super::announced::{AnnouncementCounts, Announcements, AnnouncementsConfig};
use super::digits::{DigitsConfig, NotedKeys};
use super::in_force::{Holder, InForce};
use super::ingest::CallLeg;
use super::ingest::leg::CutOff;
use super::line_figures::LineFigures;
use super::recordings::{RECOVERED, Recordings};
use crate::clock;
use crate::exit::message_of;
use crate::lines::merged;

/// Warnings of a call that its ingest may give; what comes after that is left out.
const MOST_WARNINGS: usize = 32;

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
    /// How it is heard.
    pub(crate) settings: CallSettings,
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
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CallUnderWay {
    /// The call.
    pub(crate) call_id: CallId,
    /// What is known of it.
    pub(crate) metadata: CallMetadata,
    /// How its audio comes: `replay`, `audiosocket`, `stream`, `listen`, `twilio`, `asterisk`, `audiohook`, `siprec`, `sip`,
    /// `recovered`.
    pub(crate) source: &'static str,
    /// Who speaks on each channel, from channel 0.
    pub(crate) parties: Vec<Party>,
    /// When it began, RFC 3339.
    pub(crate) began_at: String,
    /// The same, to count from.
    #[serde(skip)]
    pub(crate) began: Instant,
    /// How good each leg's line is, of calls that come in packets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lines: Vec<LineQuality>,
    /// When that was noted last, from the call's beginning.
    #[serde(skip)]
    pub(crate) lines_noted: Option<Duration>,
    /// What its ingest warns of so far.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
    /// Keys that were pressed, which its legs note: nobody is told of them before it is saved.
    #[serde(skip)]
    pub(crate) keys: Arc<NotedKeys>,
    #[serde(skip)]
    pub(crate) recorded: Recorded,
    /// What it is heard and judged by, to its end.
    #[serde(skip)]
    pub(crate) by: Arc<InForce>,
    /// Why it was ended, where nobody hung up.
    #[serde(skip)]
    pub(crate) cut_off: CutOff,
    /// It is over, and not saved yet: nothing that is said of it is heard any more.
    pub(crate) is_over: bool,
}

/// What is known of a call that is over beside what was heard.
#[derive(Clone, Debug)]
pub(crate) struct CallOver {
    pub(crate) recorded: Recorded,
    /// What it was heard and judged by.
    pub(crate) by: Arc<InForce>,
    /// Why it was ended, where nobody hung up.
    pub(crate) cut_off: Option<String>,
    /// How good its lines were, as they were noted last.
    pub(crate) lines: Vec<LineQuality>,
    /// Keys that were pressed, by time, not masked by what was said.
    pub(crate) keys_pressed: Vec<PressedKey>,
    /// What its ingest warned of.
    pub(crate) warnings: Vec<String>,
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
    HeardInPart(RecordingName),
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

/// What became of what is said of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Announced {
    /// It is under way, and this is known of it now.
    UnderWay(CallMetadata),
    /// It gets it when it begins, within this time.
    ToCome(Duration),
}

/// Ends of utterances after such a silence: sound that may be speech holds them open no longer.
fn endpoint(model: &SpeechModel, trailing_silence_ms: u64) -> EndpointSettings {
    let configured = model.settings().endpoint;
    EndpointSettings {
        trailing_silence_ms,
        hold_ms: configured.hold_ms.min(trailing_silence_ms),
        ..configured
    }
}

/// Names, and whose they are.
#[derive(Default)]
struct Known {
    under_way: BTreeMap<CallId, CallUnderWay>,
    /// Of calls that are being taken in.
    claimed: BTreeSet<CallId>,
    /// Of calls that an earlier run broke off.
    to_recover: BTreeSet<CallId>,
}

/// A name that is nobody else's until this is dropped.
struct Claim<'c> {
    calls: &'c Calls,
    id: CallId,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.calls.known().claimed.remove(&self.id);
    }
}

/// Opens calls, and knows those under way.
pub(crate) struct Calls {
    live: Live,
    holder: Arc<Holder>,
    language: Language,
    recordings: Option<Arc<Recordings>>,
    store: Arc<Store>,
    digits: DigitsConfig,
    known: Mutex<Known>,
    /// Held while a call enters the pipeline: what is said of it finds it before that or behind it.
    announced: Mutex<Announcements>,
    /// Of calls that are over.
    line_figures: LineFigures,
}

impl Calls {
    pub(crate) fn new(
        live: Live,
        holder: Arc<Holder>,
        language: Language,
        recordings: Option<Arc<Recordings>>,
        store: Arc<Store>,
        announcements: &AnnouncementsConfig,
        digits: &DigitsConfig,
    ) -> Self {
        Self {
            live,
            holder,
            language,
            recordings,
            store,
            digits: digits.clone(),
            known: Mutex::default(),
            announced: Mutex::new(Announcements::new(announcements)),
            line_figures: LineFigures::default(),
        }
    }

    /// Takes a call in: one leg for each that was asked for, in that order. Writes the beginning of its recording. A name
    /// that a saved call has gets a number behind it: that call stays as it is. What was announced of it goes before what
    /// came with its audio.
    ///
    /// # Errors
    /// When a call of that name is under way, or the pipeline takes it not. A recording that cannot be begun is no reason:
    /// the call is heard without.
    pub(crate) fn open(&self, mut call: CallToOpen) -> Result<Opened> {
        let asked_for = call.id.clone();
        // A file that is played again takes the place of what was heard of it before.
        let claim = match call.audio {
            WhereAudioLies::File => None,
            WhereAudioLies::Nowhere => Some(self.claim(&asked_for, false)?),
            WhereAudioLies::Recovered { .. } => Some(self.claim(&asked_for, true)?),
        };
        if let Some(claim) = &claim {
            call.id = claim.id.clone();
        }
        let by = self.holder.now();
        let keyterms = call.settings.keyterms.iter();
        let keyterms = keyterms.map(|word| (word.text.as_str(), word.boost));
        let (hotwords, _) = Hotwords::of_terms(keyterms);
        let model = match hotwords.is_empty() {
            true => Arc::clone(&by.model),
            false => Arc::new(by.model.leaning(&hotwords)),
        };
        let feeds = {
            let mut announced = self.announced();
            self.enter(&mut call, &asked_for, &by, &mut announced)?;
            self.start(&call, &by, &model).inspect_err(|_| {
                self.known().under_way.remove(&call.id);
            })?
        };
        // Not before: one that is not taken in keeps its name.
        if matches!(call.audio, WhereAudioLies::Recovered { .. }) {
            self.known().to_recover.remove(&asked_for);
        }
        drop(claim);
        let (recorded, tapes) = self.record(&call);
        let mut cut_off = CutOff::default();
        let mut keys = Arc::default();
        // It is still there: it ends when its legs are dropped.
        if let Some(told) = self.known().under_way.get_mut(&call.id) {
            told.recorded = recorded.clone();
            cut_off = Arc::clone(&told.cut_off);
            keys = Arc::clone(&told.keys);
            // What was said of it meanwhile.
            if told.metadata != call.metadata {
                self.note(&recorded, &told.metadata);
            }
        }
        let mut tapes = tapes.into_iter();
        let feeds = feeds.into_iter().zip(&call.legs);
        let legs = feeds.map(|(feed, leg)| {
            let (cut_off, keys) = (Arc::clone(&cut_off), Arc::clone(&keys));
            CallLeg::new(
                call.id.clone(),
                leg.party,
                feed,
                tapes.next(),
                cut_off,
                keys,
            )
        });
        Ok(Opened {
            legs: legs.collect(),
            id: call.id,
            model,
        })
    }

    fn start(
        &self,
        call: &CallToOpen,
        by: &InForce,
        model: &Arc<SpeechModel>,
    ) -> Result<Vec<LegFeed>> {
        let judge: &Judge = by.judges.judge_for(&call.metadata, self.language);
        let silence_ms = call.settings.trailing_silence_ms;
        let feeds = self.live.open(NewCall {
            id: call.id.clone(),
            metadata: call.metadata.clone(),
            source: call.source,
            legs: call.legs.clone(),
            model: Arc::clone(model),
            endpoint: silence_ms.map(|ms| endpoint(model, ms)),
            judge: Arc::new(judge.clone()),
        });
        Ok(feeds?)
    }

    /// Takes what is said of a call: one that is under way gets it at once, another one when it begins.
    ///
    /// # Errors
    /// When too many calls are announced, or too much is said in too short a time.
    pub(crate) fn announce(&self, id: &CallId, said: CallMetadata) -> Result<Announced> {
        let mut announced = self.announced();
        let mut known = self.known();
        // One that is heard again is over for who announces: another may come.
        let going_on = known.under_way.get_mut(id);
        let going_on = going_on.filter(|call| !call.is_over && call.source != RECOVERED);
        let Some(call) = going_on else {
            drop(known);
            let within = announced.put(id.clone(), said, Instant::now())?;
            return Ok(Announced::ToCome(within));
        };
        let mut metadata = call.metadata.clone();
        metadata.update(said);
        if metadata != call.metadata {
            self.live.describe(id, &metadata)?;
            call.metadata.clone_from(&metadata);
            self.note(&call.recorded, &metadata);
        }
        Ok(Announced::UnderWay(metadata))
    }

    /// Has the recording say it, too, for whoever hears it again.
    fn note(&self, recorded: &Recorded, metadata: &CallMetadata) {
        let (Some(recordings), Recorded::Here(name)) = (&self.recordings, recorded) else {
            return;
        };
        if let Err(error) = recordings.note(*name, metadata) {
            let cause = message_of(&error);
            tracing::error!("what became known of a call is not in its recording: {cause}");
        }
    }

    /// Notes how good the lines of a call are: those of the same parties take the place of what was noted before. The call is
    /// saved with what was noted last before its legs are dropped. Nothing is noted of one that is over, or heard again.
    pub(crate) fn note_lines(&self, id: &CallId, lines: Vec<LineQuality>) {
        let mut known = self.known();
        if let Some(call) = known.heard_now(id) {
            call.lines = merged(&call.lines, lines);
            call.lines_noted = Some(call.began.elapsed());
        }
    }

    /// Has a call be saved with this warning, in the same way; each is kept once.
    pub(crate) fn warn(&self, id: &CallId, warning: String) {
        let mut known = self.known();
        if let Some(call) = known.heard_now(id)
            && call.warnings.len() < MOST_WARNINGS
            && !call.warnings.contains(&warning)
        {
            call.warnings.push(warning);
        }
    }

    /// How good the lines were of calls that are over.
    pub(crate) fn line_figures(&self) -> &LineFigures {
        &self.line_figures
    }

    /// What is kept of keys that are pressed.
    pub(crate) fn digits(&self) -> &DigitsConfig {
        &self.digits
    }

    /// Calls that were announced and did not begin.
    pub(crate) fn announcements(&self) -> AnnouncementCounts {
        self.announced().counts(Instant::now())
    }

    /// The name, with a number behind it where a call has it that is over. `recovers`: it is that call's own.
    fn claim(&self, asked_for: &CallId, recovers: bool) -> Result<Claim<'_>> {
        for number in 1_u32.. {
            let id = match number {
                1 => asked_for.clone(),
                _ => CallId(format!("{asked_for}-{number}")),
            };
            let mut known = self.known();
            // One that is heard again is over for its sender.
            if number == 1 && known.is_going_on(&id) && !known.is_heard_again(&id) {
                return Err(UnderWayAlready { id }.into());
            }
            let is_own = recovers && number == 1;
            let is_taken = known.under_way.contains_key(&id)
                || (known.to_recover.contains(&id) && !is_own)
                || !known.claimed.insert(id.clone());
            drop(known);
            if is_taken {
                continue;
            }
            // Held before the store is asked: a call that is being saved is either under way still or found there.
            let claim = Claim { calls: self, id };
            if !self.is_saved(&claim.id)? {
                return Ok(claim);
            }
        }
        bail!("call `{asked_for}` has no free name left")
    }

    fn is_saved(&self, id: &CallId) -> Result<bool> {
        let find = self.store.call(id);
        let handle = tokio::runtime::Handle::current();
        let found = tokio::task::block_in_place(|| handle.block_on(find))?;
        Ok(found.is_some())
    }

    fn enter(
        &self,
        call: &mut CallToOpen,
        asked_for: &CallId,
        by: &Arc<InForce>,
        announced: &mut Announcements,
    ) -> Result<()> {
        let mut known = self.known();
        if known.under_way.contains_key(&call.id) {
            let id = call.id.clone();
            return Err(UnderWayAlready { id }.into());
        }
        if call.source != RECOVERED
            && let Some(said) = announced.take(asked_for, Instant::now())
        {
            call.metadata.update(said);
        }
        let id = &call.id;
        let told = CallUnderWay {
            call_id: id.clone(),
            metadata: call.metadata.clone(),
            source: call.source,
            parties: call.legs.iter().map(|leg| leg.party).collect(),
            began_at: clock::now_text(),
            began: Instant::now(),
            lines: Vec::new(),
            lines_noted: None,
            warnings: Vec::new(),
            keys: Arc::new(NotedKeys::new(self.digits.keep)),
            recorded: Recorded::No,
            by: Arc::clone(by),
            cut_off: CutOff::default(),
            is_over: false,
        };
        known.under_way.insert(id.clone(), told);
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

    /// A call is over and is to be saved; tells what is known of it beside what was heard. Its lines count from now on.
    pub(crate) fn over(&self, id: &CallId) -> CallOver {
        let over = self.known().under_way.get_mut(id).map(|call| {
            call.is_over = true;
            let (keys_pressed, left_out) = call.keys.take();
            CallOver {
                recorded: call.recorded.clone(),
                by: Arc::clone(&call.by),
                cut_off: call.cut_off.get().cloned(),
                lines: call.lines.clone(),
                keys_pressed,
                warnings: call.warnings.iter().cloned().chain(left_out).collect(),
            }
        });
        let mut over = over.unwrap_or_else(|| CallOver {
            recorded: Recorded::No,
            by: self.holder.now(),
            cut_off: None,
            lines: Vec::new(),
            keys_pressed: Vec::new(),
            warnings: Vec::new(),
        });
        // It may be over because the program ends, not because the recording does.
        if let Recorded::Before { name, .. } = over.recorded
            && self.live.is_hung_up()
        {
            over.recorded = Recorded::HeardInPart(name);
        }
        self.line_figures.count(&over.lines);
        over
    }

    /// These names are of calls that are to be heard again: no other call gets one.
    pub(crate) fn keep_names(&self, ids: impl IntoIterator<Item = CallId>) {
        self.known().to_recover.extend(ids);
    }

    /// A call that is heard again will not be heard to its end: the next start does that.
    pub(crate) fn break_off(&self, id: &CallId) {
        if let Some(call) = self.known().under_way.get_mut(id)
            && let Recorded::Before { name, .. } = call.recorded
        {
            call.recorded = Recorded::HeardInPart(name);
        }
    }

    /// A call that is over is saved, as far as that could be done: its name is free.
    pub(crate) fn saved(&self, id: &CallId) {
        self.known().under_way.remove(id);
    }

    /// Whether a call of that name goes on.
    pub(crate) fn is_under_way(&self, id: &CallId) -> bool {
        self.known().is_going_on(id)
    }

    /// All calls under way, by name.
    pub(crate) fn all(&self) -> Vec<CallUnderWay> {
        self.known().under_way.values().cloned().collect()
    }

    /// Calls that are over and not saved yet.
    pub(crate) fn n_unsaved(&self) -> usize {
        let known = self.known();
        let calls = known.under_way.values();
        calls.filter(|call| call.is_over).count()
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

    fn announced(&self) -> MutexGuard<'_, Announcements> {
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_going_on(&self, id: &CallId) -> bool {
        self.under_way.get(id).is_some_and(|call| !call.is_over)
    }

    /// The call of that name, unless it is over, or heard again from its recording.
    fn heard_now(&mut self, id: &CallId) -> Option<&mut CallUnderWay> {
        let call = self.under_way.get_mut(id);
        call.filter(|call| !call.is_over && call.source != RECOVERED)
    }

    fn is_heard_again(&self, id: &CallId) -> bool {
        let call = self.under_way.get(id);
        call.is_some_and(|call| call.source == RECOVERED)
    }
}

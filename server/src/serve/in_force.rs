//! What calls are heard and judged by: rules, cards, words. A call takes what is in force when it opens and keeps it to its
//! end; what was read anew is for calls that open after that. What no call has any more is freed.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use auricle_speech::SpeechModel;

use crate::config::{Config, beside};
use crate::judge::Judges;
use crate::words::Words;

/// Rules, cards and words that were read together.
pub(crate) struct InForce {
    pub(crate) judges: Arc<Judges>,
    pub(crate) model: Arc<SpeechModel>,
    /// What the model hears with.
    pub(crate) words: Words,
    /// What all of it was read from; names of what the program carries may stand among them.
    pub(crate) files: Vec<PathBuf>,
}

impl fmt::Debug for InForce {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rules, hearing) = (self.judges.print(), self.hearing_print());
        write!(out, "InForce({rules}, {hearing})")
    }
}

impl InForce {
    /// What was read as the configuration says.
    pub(crate) fn new(
        config: &Config,
        judges: Judges,
        model: Arc<SpeechModel>,
        words: Words,
    ) -> Self {
        let models = [&config.insight.intents, &config.insight.emotion];
        let models = models.into_iter().flatten();
        let models = models.map(|path| beside(config, path));
        let mut files: Vec<PathBuf> = config.file.iter().cloned().chain(models).collect();
        files.extend(judges.files());
        files.extend_from_slice(words.files());
        Self {
            judges: Arc::new(judges),
            model,
            words,
            files,
        }
    }

    /// Changes whenever a call may be heard otherwise.
    pub(crate) fn hearing_print(&self) -> String {
        let (model, language) = (self.model.fingerprint(), self.words.language_print());
        format!("{model}-{language}")
    }
}

/// Holds what is in force.
pub(crate) struct Holder {
    now: RwLock<Arc<InForce>>,
    /// All that were in force.
    all: Mutex<Vec<Weak<InForce>>>,
}

impl Holder {
    pub(crate) fn new(first: InForce) -> Self {
        let first = Arc::new(first);
        Self {
            all: Mutex::new(vec![Arc::downgrade(&first)]),
            now: RwLock::new(first),
        }
    }

    /// What is in force. For calls to take when they open: nothing on the way of their audio asks for it.
    pub(crate) fn now(&self) -> Arc<InForce> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&now)
    }

    /// Puts it into force.
    pub(crate) fn put(&self, next: InForce) {
        let next = Arc::new(next);
        let mut all = self.all();
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&next));
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *now, next);
        // It may be large: nobody waits while it is freed.
        drop(now);
        drop(all);
        drop(before);
    }

    /// How many are in memory: the one in force, and those that calls under way began with.
    pub(crate) fn n_kept(&self) -> usize {
        let all = self.all();
        all.iter().filter(|one| one.strong_count() > 0).count()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Weak<InForce>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

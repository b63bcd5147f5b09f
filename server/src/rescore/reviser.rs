//! Judges calls anew, from what is in force where only rules or cards have changed since.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Result;
use auricle_contracts::{Assessment, Transcript};
use auricle_insight::{CallRun, Recipe, Revised, Revision};
use auricle_report::Outline;
use auricle_store::{Store, StoredAssessment};
use tokio::runtime::Handle;

use crate::judge::{Judges, Seated};

/// Shared by all workers.
pub(crate) struct Reviser<'a> {
    judges: &'a Judges,
    /// What assessments in the store were made with, by their fingerprints.
    recipes: HashMap<String, Recipe>,
    /// From a fingerprint in the store to one of today's; `None` where everything is to be looked at again.
    ways: Mutex<Ways>,
}

type Way = Option<Arc<Revision>>;
type Ways = HashMap<(String, String), Arc<OnceLock<Way>>>;

/// What was made of a call, and by which rules.
pub(crate) struct Judged<'a> {
    pub(crate) print: &'a str,
    pub(crate) made: Made,
}

/// What was made of a call.
pub(crate) enum Made {
    /// What is in force stays.
    Same(Assessment),
    /// A new one; `before` where it was looked at.
    New {
        after: Assessment,
        before: Option<Outline>,
    },
}

impl<'a> Reviser<'a> {
    /// Reads what the store's assessments were made with. `from_nothing`: what is in force tells nothing.
    pub(crate) fn load(
        judges: &'a Judges,
        store: &Store,
        runtime: &Handle,
        from_nothing: bool,
    ) -> Result<Self> {
        let recipes = match from_nothing {
            true => HashMap::new(),
            false => runtime.block_on(store.recipes())?,
        };
        // Those of another release may not be readable; their calls are looked at from nothing.
        let recipes = recipes.into_iter().filter_map(|(print, text)| {
            let recipe = serde_json::from_str(&text).ok()?;
            Some((print, recipe))
        });
        Ok(Self {
            judges,
            recipes: recipes.collect(),
            ways: Mutex::default(),
        })
    }

    /// Judges one call. `current` is what is in force, where that was made from this transcript.
    pub(crate) fn judge(
        &self,
        transcript: &Transcript,
        current: Option<&StoredAssessment>,
    ) -> Judged<'a> {
        let seated = self.judges.of(transcript);
        let revised = current.and_then(|current| {
            let way = self.way(current.rules_fingerprint(), seated)?;
            // What cannot be read any more must not keep the new score out.
            let before = current.decode().ok()?.assessment;
            Some(match way.revise(&seated.judge, transcript, &before) {
                Revised::Same => Made::Same(before),
                Revised::New(after) => Made::New {
                    after: *after,
                    before: Some(Outline::of(&before)),
                },
            })
        });
        Judged {
            print: &seated.print,
            made: revised.unwrap_or_else(|| Made::New {
                after: CallRun::assess(&seated.judge, transcript),
                before: None,
            }),
        }
    }

    fn way(&self, old: &str, new: &Seated) -> Way {
        let recipe = self.recipes.get(old)?;
        let way = {
            let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
            let way = ways.entry((old.to_owned(), new.print.clone()));
            Arc::clone(way.or_default())
        };
        // Other calls do not wait for a program that is not theirs.
        let made = way.get_or_init(|| {
            // The packs compile: the judge's rules were made of them.
            let revision = Revision::new(recipe, &new.recipe, &new.packs)
                .ok()
                .flatten();
            revision.map(Arc::new)
        });
        made.clone()
    }
}

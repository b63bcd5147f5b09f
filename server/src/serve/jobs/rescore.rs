//! `auricle rescore` as a job: the same selection and options, as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;
use auricle_report::{AgentTally, Changes, Language, RuleTally};
use auricle_store::Store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Workplace;
use crate::app::{App, no_transcript, only_one};
use crate::config::Config;
use crate::exit::{message_of, usage};
use crate::judge::{BuiltIn, CARDS, PACKS};
use crate::rescore::ledger::Ledger;
use crate::rescore::{AudioChoice, Beside, Ended, RescoreArgs, run_beside};
use crate::selection::SelectionArgs;

/// Which calls are assessed anew, and how: as the options of `auricle rescore`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RescoreRequest {
    /// Which calls; all, where nothing is said.
    selection: SelectionArgs,
    /// Packs in place of the configured ones: names of `auricle rules list`, or names that the configuration has.
    #[schema(example = json!(["zh-finance"]))]
    rules: Vec<String>,
    /// Score card in place of the configured one, named in the same way.
    card: Option<String>,
    /// Whether recordings are heard again.
    audio: AudioChoice,
    /// Also calls that are up to date, and every rule anew.
    force: bool,
    /// Say what would change; save nothing.
    dry_run: bool,
}

/// What a job changed, in numbers: those that `auricle rescore` prints.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RescoreReport {
    /// Calls looked at.
    n_calls: u64,
    /// Calls in which anything changed; `/api/v1/jobs/{id}/calls` lists them.
    n_changed: u64,
    /// Calls that had no score before.
    n_new: u64,
    /// Calls that failed.
    n_failed: u64,
    /// Calls that nobody looked at: the job was cancelled, or broke off.
    n_left: u64,
    /// Points before, by how many calls: ten-point bins, 0–9 to 90–100.
    bins_before: [u64; 10],
    /// The same, now.
    bins_after: [u64; 10],
    /// By rule, as `PACK/ID`.
    rules: BTreeMap<String, RuleTally>,
    /// By agent; the empty name where none is known.
    agents: BTreeMap<String, AgentTally>,
}

/// A job's work, as far as it was done.
pub(super) struct Rescored {
    pub(super) ended: Ended,
    pub(super) report: RescoreReport,
}

pub(super) fn run(
    app: &App,
    workplace: &Workplace,
    job_id: u64,
    request: &RescoreRequest,
    stop: &Arc<AtomicBool>,
) -> Result<Rescored> {
    let beside = Beside {
        lock: Arc::clone(&workplace.lock),
        index: workplace.index.clone(),
        ledger: Ledger {
            store: &workplace.store,
            job_id,
        },
        pause: Duration::from_millis(app.config.live.jobs.pause_ms),
    };
    let ended = run_beside(app, &request.args(), stop, &beside)?;
    let changes = beside.ledger.changes(app.runtime.handle())?;
    Ok(Rescored {
        ended,
        report: RescoreReport::new(changes, ended),
    })
}

impl RescoreRequest {
    /// Looks for what can be known to be wrong before the job begins.
    ///
    /// # Errors
    /// Usage errors; the store's.
    pub(crate) async fn check(&self, config: &Config, store: &Store) -> Result<()> {
        let filter = self.selection.filter(config.utc_offset);
        filter.map_err(|(name, cause)| {
            usage(format!(
                "`selection.{name}`: {cause}\nhint: RFC 3339 says everything"
            ))
        })?;
        let insight = &config.insight;
        let campaigns = &insight.campaigns;
        let packs = campaigns.iter().flat_map(|campaign| &campaign.packs);
        let packs = known(PACKS, insight.packs.iter().chain(packs));
        for name in &self.rules {
            check_name("rules", name, &packs)?;
        }
        let cards = campaigns.iter().filter_map(|one| one.card.as_ref());
        let cards = known(CARDS, insight.card.iter().chain(cards));
        if let Some(name) = &self.card {
            check_name("card", name, &cards)?;
        }
        for name in self.selection.names() {
            let found = store.find(name).await?;
            let call = only_one(name, found).and_then(|call| match call.has_transcript() {
                true => Ok(call),
                false => Err(no_transcript(&call)),
            });
            call.map_err(|error| usage(format!("`selection.calls`: {}", message_of(&error))))?;
        }
        Ok(())
    }

    fn args(&self) -> RescoreArgs {
        RescoreArgs {
            selection: self.selection.clone(),
            rules: self.rules.iter().map(PathBuf::from).collect(),
            card: self.card.as_ref().map(PathBuf::from),
            audio: self.audio,
            force: self.force,
            dry_run: self.dry_run,
            out: None,
            bom: false,
            language: Language::default(),
            json: false,
            // Live calls need the other processors.
            jobs: 1,
        }
    }
}

/// Names of what the program carries, and of what is configured. Others would have the server read any file.
fn known<'a>(
    built_in: &'a [BuiltIn],
    configured: impl Iterator<Item = &'a PathBuf>,
) -> BTreeSet<String> {
    let built_in = built_in.iter().map(|one| one.name.to_owned());
    let configured = configured.map(|path| path.display().to_string());
    built_in.chain(configured).collect()
}

fn check_name(key: &str, name: &str, known: &BTreeSet<String>) -> Result<()> {
    if known.contains(name) {
        return Ok(());
    }
    let known = known.iter().map(String::as_str);
    let known = known.collect::<Vec<_>>().join(", ");
    Err(usage(format!(
        "`{key}` must be what the program carries or the configuration names, got `{name}`\nhint: one of {known}; `auricle rescore` takes any file"
    )))
}

impl RescoreReport {
    fn new(changes: Changes, ended: Ended) -> Self {
        Self {
            n_calls: changes.n_calls,
            n_changed: changes.calls.len() as u64,
            n_new: changes.n_new,
            n_failed: ended.n_failed,
            n_left: ended.n_left,
            bins_before: changes.bins_before,
            bins_after: changes.bins_after,
            rules: changes.rules,
            agents: changes.agents,
        }
    }
}

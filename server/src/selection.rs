//! Which calls a command is about: by name, and by what is known of them.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use auricle_contracts::CallId;
use auricle_store::{CallFilter, CallKind, CallRecord, Store, parse_time_ms};
use clap::Args;
use serde::{Deserialize, Serialize};
use time::UtcOffset;
use utoipa::ToSchema;

use crate::app::App;
use crate::clock;
use crate::exit::usage;

/// Calls read from the store at a time.
const PAGE_CALLS: usize = 200;

/// Options that choose calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CallSelection)]
pub(crate) struct SelectionArgs {
    /// Ids or file names; without any, all calls.
    #[arg(value_name = "CALL")]
    calls: Vec<String>,
    /// Only calls begun at this time or later.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only calls begun before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only of this agent.
    #[arg(long)]
    agent: Option<String>,
    /// Only of this campaign.
    #[arg(long)]
    campaign: Option<String>,
    /// Only of this region.
    #[arg(long)]
    region: Option<String>,
}

/// Calls with a transcript that a command is about.
pub(crate) struct Selection {
    pub(crate) store: Store,
    filter: CallFilter,
    /// `None` for all.
    pub(crate) wanted: Option<BTreeSet<CallId>>,
}

impl SelectionArgs {
    /// Whether calls are named one by one.
    pub(crate) const fn has_names(&self) -> bool {
        !self.calls.is_empty()
    }

    /// The names, each of which must mean one call.
    pub(crate) fn names(&self) -> &[String] {
        &self.calls
    }

    /// What is asked of calls, names aside. `utc_offset` is what a time without an offset means.
    ///
    /// # Errors
    /// The name of a time that is none, and why.
    pub(crate) fn filter(
        &self,
        utc_offset: UtcOffset,
    ) -> Result<CallFilter, (&'static str, String)> {
        let moment = |name: &'static str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let moment = clock::parse_moment(text, utc_offset).map_err(|cause| (name, cause))?;
            Ok(parse_time_ms(&moment))
        };
        Ok(CallFilter {
            kind: CallKind::WithTranscript,
            agent: self.agent.clone(),
            campaign: self.campaign.clone(),
            region: self.region.clone(),
            since_ms: moment("since", &self.since)?,
            until_ms: moment("until", &self.until)?,
        })
    }
}

impl Selection {
    /// Reads the options. Each call that is named must have a transcript to give.
    pub(crate) fn read(app: &App, args: &SelectionArgs) -> Result<Self> {
        let filter = args.filter(app.config.utc_offset);
        let filter = filter.map_err(|(name, cause)| usage(format!("--{name}: {cause}")))?;
        let store = app.existing_store()?;
        let wanted = match args.calls.as_slice() {
            [] => None,
            names => Some(named_calls(app, &store, names)?),
        };
        Ok(Self {
            store,
            filter,
            wanted,
        })
    }

    /// Whoever names calls must not get nothing without a word.
    pub(crate) fn check_not_empty(&self, app: &App) -> Result<()> {
        let mut n_selected = 0_u64;
        self.each_call(app, |_| {
            n_selected += 1;
            Ok(())
        })?;
        if n_selected == 0 {
            bail!("none of the calls that were named is of what the other options ask for");
        }
        Ok(())
    }

    /// Leaves only those calls that are in `found`, too.
    pub(crate) fn narrow(&mut self, found: BTreeSet<CallId>) {
        self.wanted = Some(match self.wanted.take() {
            Some(named) => named.intersection(&found).cloned().collect(),
            None => found,
        });
    }

    /// Calls `each` with every call asked for, in the order of ids.
    pub(crate) fn each_call(
        &self,
        app: &App,
        mut each: impl FnMut(&CallRecord) -> Result<()>,
    ) -> Result<()> {
        self.each_page(app, |page| page.iter().try_for_each(&mut each))
    }

    /// The same, some hundred calls at a time. Only calls that were asked for are read.
    pub(crate) fn each_page(
        &self,
        app: &App,
        mut each: impl FnMut(&[CallRecord]) -> Result<()>,
    ) -> Result<()> {
        let ids: Vec<CallId> = match &self.wanted {
            Some(wanted) => wanted.iter().cloned().collect(),
            None => app.runtime.block_on(self.store.call_ids(&self.filter))?,
        };
        for some in ids.chunks(PAGE_CALLS) {
            let page = self.store.calls_of(&self.filter, some);
            let page = app.runtime.block_on(page)?;
            each(&page)?;
        }
        Ok(())
    }
}

fn named_calls(app: &App, store: &Store, names: &[String]) -> Result<BTreeSet<CallId>> {
    let mut named = BTreeSet::new();
    for name in names {
        let call = app.one_call(store, name)?;
        if !call.has_transcript() {
            return Err(app.no_transcript(&call));
        }
        named.insert(call.recording.call_id);
    }
    Ok(named)
}

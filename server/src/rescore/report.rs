//! What a run changed, for people and programs.
//!
//! A run that was stopped leaves beside its report what went into it, so that the report of the run that goes on is about
//! both.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};
use auricle_report::{Change, Changes, RuleNames, rescore_page, shown_score};
use console::Style;
use serde::{Deserialize, Serialize};

use super::args::RescoreArgs;
use crate::app::App;
use crate::atomic::write_atomically;
use crate::selection::SelectionArgs;
use crate::spreadsheet::{BYTE_ORDER_MARK, text_cell};
use crate::terminal::{Terminal, count, pad_to, printable, say};

/// Calls shown one by one on the terminal; the others are in the report.
const MOST_CALLS_SHOWN: usize = 20;
const PAGE_FILE: &str = "rescore.html";
const CSV_FILE: &str = "rescore.csv";

/// Where a stopped run's report leaves what went into it.
const UNFINISHED_FILE: &str = "rescore.unfinished.json";

/// A run that was stopped, and what it looked at.
#[derive(Deserialize, Serialize)]
struct Unfinished {
    about: About,
    /// Every call, so that those which the run that goes on looks at again count once.
    looked_at: Vec<Change>,
}

/// What two runs have in common of which one goes on with the other.
#[derive(Deserialize, PartialEq, Serialize)]
struct About {
    /// What calls are judged by.
    rules: String,
    calls: SelectionArgs,
}

/// `rules` is the fingerprint of what calls were judged by.
pub(crate) fn write(
    app: &mut App,
    args: &RescoreArgs,
    rules: &str,
    changes: &Changes,
) -> Result<()> {
    if let Some(folder) = &args.out {
        to_folder(folder, args, rules, changes)?;
    }
    if args.json {
        serde_json::to_writer_pretty(&mut app.terminal, changes)?;
        return Ok(writeln!(app.terminal)?);
    }
    to_terminal(&mut app.terminal, args, changes)?;
    if args.dry_run {
        say!("nothing was saved: --dry-run");
    }
    Ok(())
}

fn to_folder(folder: &Path, args: &RescoreArgs, rules: &str, changes: &Changes) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    let about = About {
        rules: rules.to_owned(),
        calls: args.selection.clone(),
    };
    let unfinished_path = folder.join(UNFINISHED_FILE);
    let mut changes = changes.clone();
    // What is only tried goes on with nothing, and who wants all anew begins anew.
    let n_before = match args.dry_run || args.force {
        true => 0,
        false => go_on(&unfinished_path, &about, &mut changes)?,
    };
    let path = folder.join(PAGE_FILE);
    if changes.n_calls + changes.n_left == 0 && path.exists() {
        say!(
            "no call was assessed, so this report stays: {}",
            path.display()
        );
        return Ok(());
    }
    let mark = if args.bom { BYTE_ORDER_MARK } else { "" };
    let rows = format!("{mark}{}", csv(&changes)?);
    write_atomically(&folder.join(CSV_FILE), rows.as_bytes())?;
    write_atomically(&path, rescore_page(&changes, args.language).as_bytes())?;
    let more = match n_before {
        0 => String::new(),
        _ => format!(
            ", with {} of the run that was stopped",
            count(n_before, "call")
        ),
    };
    say!("report: {}{more}", path.display());
    if args.dry_run {
        return Ok(());
    }
    match changes.n_left {
        0 => removed(&unfinished_path),
        _ => {
            let looked_at = changes.into_looked_at();
            let unfinished = serde_json::to_vec(&Unfinished { about, looked_at })?;
            write_atomically(&unfinished_path, &unfinished)
        }
    }
}

/// Adds what the stopped run looked at whose report this one goes on with, and this run did not; how many calls that
/// were. A report about other calls or rules is replaced.
fn go_on(path: &Path, about: &About, changes: &mut Changes) -> Result<u64> {
    let shown = path.display();
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(0),
        Err(cause) => return Err(cause).with_context(|| format!("cannot read `{shown}`")),
    };
    match serde_json::from_slice::<Unfinished>(&text) {
        Ok(before) if before.about == *about => Ok(changes.absorb(before.looked_at)),
        Ok(_) => {
            say!("the report of a stopped run about other calls or rules is replaced");
            Ok(0)
        }
        Err(cause) => {
            say!(
                "warning: `{shown}` is damaged, so the report leaves out what was looked at before: {cause}"
            );
            Ok(0)
        }
    }
}

fn removed(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(cause).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

/// One row for each call that changed.
fn csv(changes: &Changes) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "call_id",
        "agent",
        "campaign",
        "total_before",
        "total_after",
        "passed_before",
        "passed_after",
        "rules_added",
        "rules_removed",
    ])?;
    let names = changes.rule_names();
    for call in &changes.calls {
        let before = call.before.as_ref();
        let text = |value: Option<String>| value.unwrap_or_default();
        let name = |name: &str| text_cell(name).into_owned();
        let known = |value: &Option<String>| name(value.as_deref().unwrap_or_default());
        writer.write_record([
            name(&call.call_id.0),
            known(&call.metadata.agent),
            known(&call.metadata.campaign),
            text(before.and_then(|before| before.total).map(shown_score)),
            text(call.after.total.map(shown_score)),
            text(
                before
                    .and_then(|before| before.passed)
                    .map(|passed| passed.to_string()),
            ),
            text(call.after.passed.map(|passed| passed.to_string())),
            name(&rules_added(call, &names).join(" ")),
            name(&rules_removed(call, &names).join(" ")),
        ])?;
    }
    let bytes = writer
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8(bytes)?)
}

/// Rules that fire now and did not before.
fn rules_added<'a>(call: &'a Change, names: &RuleNames<'_>) -> Vec<&'a str> {
    let was = |rule: &String| {
        let before = call.before.as_ref();
        before.is_some_and(|before| before.hits.contains_key(rule))
    };
    let now = call.after.hits.keys();
    let new = now.filter(|rule| !was(rule));
    new.map(|rule| names.shown(rule)).collect()
}

/// Rules that fired before and do not now.
fn rules_removed<'a>(call: &'a Change, names: &RuleNames<'_>) -> Vec<&'a str> {
    let Some(before) = &call.before else {
        return Vec::new();
    };
    let gone = before.hits.keys();
    let gone = gone.filter(|rule| !call.after.hits.contains_key(*rule));
    gone.map(|rule| names.shown(rule)).collect()
}

/// Whether the call passed and does not now, or the other way round.
fn passing(call: &Change) -> Option<&'static str> {
    match (call.before.as_ref()?.passed?, call.after.passed?) {
        (true, false) => Some("passed → FAILED"),
        (false, true) => Some("failed → passed"),
        _ => None,
    }
}

fn to_terminal(out: &mut Terminal, args: &RescoreArgs, changes: &Changes) -> Result<()> {
    let n_changed = changes.calls.len();
    writeln!(
        out,
        "{} assessed, {n_changed} changed, {} of them for the first time",
        count(changes.n_calls, "call"),
        changes.n_new
    )?;
    if n_changed == 0 {
        return Ok(());
    }
    write_rules(out, changes)?;
    write_agents(out, changes)?;
    write_calls(out, args, changes)
}

fn write_rules(out: &mut Terminal, changes: &Changes) -> Result<()> {
    let title = out.paint(&Style::new().bold(), "By rule (calls: before → after)");
    writeln!(out, "\n{title}")?;
    let names = changes.rule_names();
    for (rule, tally) in &changes.rules {
        if tally.n_added + tally.n_removed == 0 {
            continue;
        }
        writeln!(
            out,
            "  {}  {:>5} → {:<5}  +{} −{}",
            pad_to(&printable(names.shown(rule)), 24),
            tally.n_before,
            tally.n_after,
            tally.n_added,
            tally.n_removed
        )?;
    }
    Ok(())
}

fn write_agents(out: &mut Terminal, changes: &Changes) -> Result<()> {
    let title = out.paint(
        &Style::new().bold(),
        "By agent (mean score: before → after)",
    );
    writeln!(out, "\n{title}")?;
    let mean =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.1}"));
    for (agent, tally) in &changes.agents {
        let name = if agent.is_empty() {
            "(not known)"
        } else {
            agent
        };
        writeln!(
            out,
            "  {}  {:>5} → {:<5}  {} changed of {}, passed {} → {}",
            pad_to(&printable(name), 24),
            mean(tally.mean_before()),
            mean(tally.mean_after()),
            tally.n_changed,
            tally.n_calls,
            tally.n_passed_before,
            tally.n_passed_after
        )?;
    }
    Ok(())
}

fn write_calls(out: &mut Terminal, args: &RescoreArgs, changes: &Changes) -> Result<()> {
    let title = out.paint(&Style::new().bold(), "Calls");
    writeln!(out, "\n{title}")?;
    let names = changes.rule_names();
    let mut calls: Vec<&Change> = changes.calls.iter().collect();
    // What an agent must hear of first.
    calls.sort_by_key(|call| passing(call).is_none());
    for call in calls.into_iter().take(MOST_CALLS_SHOWN) {
        let total = |total: Option<f32>| total.map_or_else(|| "-".to_owned(), shown_score);
        let before = call.before.as_ref().and_then(|before| before.total);
        let added = rules_added(call, &names)
            .into_iter()
            .map(|rule| format!("+{rule}"));
        let removed = rules_removed(call, &names)
            .into_iter()
            .map(|rule| format!("−{rule}"));
        let passing = passing(call).map(str::to_owned).into_iter();
        let rules = passing.chain(added).chain(removed);
        let rules = rules.collect::<Vec<_>>().join(" ");
        writeln!(
            out,
            "  {}  {:>5} → {:<5}  {}",
            pad_to(&printable(&call.call_id.0), 24),
            total(before),
            total(call.after.total),
            printable(&rules)
        )?;
    }
    let n_more = changes.calls.len().saturating_sub(MOST_CALLS_SHOWN);
    if n_more > 0 {
        let place = match &args.out {
            Some(folder) => format!("all in {}", folder.join(PAGE_FILE).display()),
            None => "name a folder with --out for all".to_owned(),
        };
        writeln!(out, "  and {n_more} more: {}", printable(&place))?;
    }
    Ok(())
}

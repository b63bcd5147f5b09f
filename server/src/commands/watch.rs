//! `auricle watch`: calls under way in the terminal.

mod connection;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use auricle_contracts::{
    Acknowledged, Alert, AlertState, CallEnded, Happening, LiveEvent, Party, Severity,
};
use clap::Args;
use console::Style;
use tokio_tungstenite::tungstenite::http::HeaderValue;

pub(super) use self::connection::bearer_of;
use self::connection::{Connection, Told};
use super::show::party_style;
use crate::app::App;
use crate::exit::Exit;
use crate::terminal::{PlayTime, Terminal, count, duration_text, printable, say};

const EXAMPLES: &str = "\
Examples:
  auricle watch                                    all calls of 127.0.0.1:8020
  auricle watch --alerts                           alerts alone
  auricle watch --agent wang --server http://10.0.0.5:8020 --key-file key.txt

Each line: place in the call, call, who, what was said. `…` goes on; `!` is an alert: heard in an utterance that goes
on (?), there to stay, or withdrawn; `✓` says who saw to one.";

/// Options of `auricle watch`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct WatchArgs {
    /// Address of `auricle serve`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8020")]
    server: String,
    /// Only this call.
    #[arg(long, value_name = "CALL")]
    call: Option<String>,
    /// Only calls of this agent.
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Alerts alone, and who saw to them.
    #[arg(long)]
    alerts: bool,
    /// First what happened before, as far as the server keeps it.
    #[arg(long)]
    from_start: bool,
    /// File with a key for the server: what `auricle api-key` prints behind `key:`, in one line.
    #[arg(long, value_name = "FILE")]
    key_file: Option<std::path::PathBuf>,
    /// Each event as JSON, a line each.
    #[arg(long)]
    json: bool,
    /// Try again when the connection breaks off.
    #[arg(long)]
    stay: bool,
}

/// Between tries to connect again.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// A server that gives no sign of life for so long is gone: it gives one every 15 s.
const SILENT_WITHIN: Duration = Duration::from_secs(60);

pub(crate) fn run(app: &mut App, args: &WatchArgs) -> Result<Exit> {
    let key = args.key_file.as_deref().map(bearer_of).transpose()?;
    let mut view = View::new(args.json);
    view.after = args.from_start.then_some(0);
    let handle = app.runtime.handle().clone();
    loop {
        let out = &mut app.terminal;
        let watched = watch(out, args, key.as_ref(), &mut view, SILENT_WITHIN);
        match handle.block_on(watched) {
            Ok(()) if !args.stay => return Ok(Exit::Done),
            Err(error) if !args.stay => return Err(error),
            Ok(()) => {}
            Err(error) => say!("{error:#}; trying again"),
        }
        std::thread::sleep(TRY_AGAIN);
    }
}

/// Shows events until the server ends, or gives no sign of life for so long; those that were missed come first.
async fn watch(
    out: &mut Terminal,
    args: &WatchArgs,
    key: Option<&HeaderValue>,
    view: &mut View,
    silent_within: Duration,
) -> Result<()> {
    let mut connection = Connection::open(args, key, view.after).await?;
    // Where it breaks off before the first event, what happens until the next one is missed, too.
    view.after = connection.begins_after.or(view.after);
    loop {
        match connection.next(silent_within).await? {
            Told::Event(text) => {
                view.show(out, &text)?;
                out.flush()?;
            }
            Told::Gone(reason) => {
                // Next time from what is there.
                view.after = Some(0);
                bail!("the server ended: {reason}")
            }
            Told::Ending => break,
        }
    }
    view.end_partials(out)?;
    Ok(out.flush()?)
}

/// What stands on the screen.
struct View {
    is_json: bool,
    /// Partials take the place of one another where there is a screen.
    has_screen: bool,
    has_partial: bool,
    /// What comes after this event is yet to be shown.
    after: Option<u64>,
}

impl View {
    fn new(is_json: bool) -> Self {
        Self {
            is_json,
            has_screen: std::io::stdout().is_terminal(),
            has_partial: false,
            after: None,
        }
    }

    fn show(&mut self, out: &mut Terminal, text: &str) -> Result<()> {
        let event: LiveEvent = serde_json::from_str(text).context(
            "the server tells what this program does not know\nhint: let both be of one version",
        )?;
        self.after = Some(event.id);
        if self.is_json {
            writeln!(out, "{text}")?;
            return Ok(());
        }
        let call = printable(&event.call_id.0);
        match event.happening {
            Happening::CallStarted {
                metadata,
                source,
                engine,
                ..
            } => {
                let about = [Some(source), Some(engine), metadata.agent];
                let about = about.iter().flatten().map(|text| printable(text));
                let about = about.collect::<Vec<_>>().join(", ");
                self.line(
                    out,
                    &format!("{:>7}  {call}  begins ({about})", PlayTime(0)),
                )
            }
            Happening::CallDescribed { metadata } => {
                let known = [metadata.agent, metadata.campaign, metadata.region];
                let known = known.iter().flatten().map(|text| printable(text));
                let known = known.collect::<Vec<_>>().join(", ");
                self.line(out, &format!("         {call}  described ({known})"))
            }
            Happening::Partial {
                party,
                start_ms,
                text,
                ..
            } => self.partial(out, &said(out, start_ms, &call, party, &format!("{text}…"))),
            Happening::Final {
                utterance, insight, ..
            } => {
                let mood = insight.emotion.map(|emotion| emotion.label.as_str());
                let mood = mood.filter(|mood| *mood != "neutral");
                let mood = mood.map_or_else(String::new, |mood| format!("  ({mood})"));
                let text = format!("{}{mood}", utterance.text);
                let line = said(out, utterance.start_ms, &call, utterance.party, &text);
                self.line(out, &line)
            }
            Happening::Alert(alert) => {
                let line = alert_line(out, &call, &alert);
                self.line(out, &line)
            }
            Happening::Acknowledged(acknowledged) => {
                self.line(out, &acknowledged_line(&call, &acknowledged))
            }
            Happening::CallEnded(ended) => self.line(out, &ended_line(&call, &ended)),
        }
    }

    fn line(&mut self, out: &mut Terminal, line: &str) -> Result<()> {
        self.end_partials(out)?;
        writeln!(out, "{line}")?;
        Ok(())
    }

    /// Without a screen partials are left out: their finals follow.
    fn partial(&mut self, out: &mut Terminal, line: &str) -> Result<()> {
        if self.has_screen {
            let line = console::truncate_str(line, out.width.saturating_sub(1), "…");
            write!(out, "\r\x1b[2K{line}")?;
            self.has_partial = true;
        }
        Ok(())
    }

    fn end_partials(&mut self, out: &mut Terminal) -> Result<()> {
        if std::mem::take(&mut self.has_partial) {
            write!(out, "\r\x1b[2K")?;
        }
        Ok(())
    }
}

fn said(out: &Terminal, at_ms: u64, call: &str, party: Party, text: &str) -> String {
    let party_name = out.paint(&party_style(party), format!("{:<8}", party.as_str()));
    format!(
        "{:>7}  {call}  {party_name}  {}",
        PlayTime(at_ms),
        printable(text)
    )
}

fn alert_line(out: &Terminal, call: &str, alert: &Alert) -> String {
    let hit = &alert.hit;
    let style = match hit.severity {
        Severity::Info => Style::new().cyan(),
        Severity::Minor => Style::new().yellow(),
        Severity::Major => Style::new().red(),
        Severity::Critical => Style::new().red().bold(),
    };
    let state = match alert.state {
        AlertState::Provisional => "!?",
        AlertState::Raised | AlertState::Confirmed => "! ",
        AlertState::Withdrawn => "- ",
    };
    let title = match hit.title.is_empty() {
        true => &hit.rule,
        false => &hit.title,
    };
    let words = hit
        .evidence
        .iter()
        .map(|evidence| printable(&evidence.words));
    let words = words.collect::<Vec<_>>().join(" … ");
    let withdrawn = match alert.state {
        AlertState::Withdrawn => " (withdrawn)",
        _ => "",
    };
    let text = format!(
        "{state} {} {}: {words}{withdrawn}",
        hit.severity,
        printable(title)
    );
    format!(
        "{:>7}  {call}  {}",
        PlayTime(hit.start_ms),
        out.paint(&style, text)
    )
}

fn acknowledged_line(call: &str, acknowledged: &Acknowledged) -> String {
    let note = acknowledged.note.as_deref().map(printable);
    let note = note.map_or_else(String::new, |note| format!(": {note}"));
    format!(
        "{:>7}  {call}  ✓  {} seen by {}{note}",
        "",
        printable(&acknowledged.alert_id),
        printable(&acknowledged.by),
    )
}

fn ended_line(call: &str, ended: &CallEnded) -> String {
    let score = match (ended.score, ended.passed) {
        (Some(score), Some(false)) => format!(", score {score:.1}, not passed"),
        (Some(score), _) => format!(", score {score:.1}"),
        (None, _) => String::new(),
    };
    format!(
        "{:>7}  {call}  over: {}, {}, {}{score}",
        PlayTime(ended.duration_ms),
        duration_text(ended.duration_ms),
        count(ended.n_utterances as u64, "utterance"),
        count(ended.n_hits as u64, "hit"),
    )
}

#[cfg(test)]
mod tests;

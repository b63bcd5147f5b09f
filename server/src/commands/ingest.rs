//! `auricle ingest`: whether the audio of calls gets here as it should.

mod capture;
mod client;
mod judged;
mod looks;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use auricle_report::Language;
use clap::{Args, Subcommand};
use console::Style;
use serde::Serialize;

use self::capture::CaptureArgs;
use self::client::Client;
use self::judged::{JudgedCall, State};
use self::looks::Looks;
use super::lines::{aligned, cells, head, verdict};
use crate::app::App;
use crate::exit::Exit;
use crate::terminal::{Terminal, count, duration_text, printable};

const EXAMPLES: &str = "\
Examples:
  auricle ingest check                       calls of 127.0.0.1:8020, as they are
  auricle ingest check --secs 30             what comes in half a minute
  auricle ingest check --server http://10.0.0.5:8020 --key-file key.txt --json

Exit code 1 where something is wrong with any call.";

/// Between looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Audio of calls under way.
#[derive(Debug, Subcommand)]
pub(crate) enum IngestCommand {
    /// Look at the lines of a running server's calls, and say what is wrong with each leg.
    Check(CheckArgs),
    /// Write the packets of a call under way, with what was said to set it up, into a file for Wireshark.
    Capture(CaptureArgs),
}

/// Options of `auricle ingest check`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// Address of `auricle serve`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8020")]
    server: String,
    /// File with a key for the server: what `auricle api-key` prints behind `key:`, in one line.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Watch for so long, and judge by what comes meanwhile; 0 judges by what came since each call began.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    secs: u64,
    /// What was found as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(app: &mut App, command: &IngestCommand) -> Result<Exit> {
    match command {
        IngestCommand::Check(args) => check(app, args),
        IngestCommand::Capture(args) => capture::run(app, args),
    }
}

fn check(app: &mut App, args: &CheckArgs) -> Result<Exit> {
    let client = Client::new(&args.server, args.key_file.as_deref())?;
    let looking = look(&client, Duration::from_secs(args.secs), LOOK_EVERY);
    let looks = app.runtime.block_on(looking)?;
    let found = Found::of(&looks);
    match args.json {
        true => {
            serde_json::to_writer_pretty(&mut app.terminal, &found)?;
            writeln!(app.terminal)?;
        }
        false => found.write(&mut app.terminal)?,
    }
    Ok(match found.n_wrong {
        0 => Exit::Done,
        _ => Exit::Failed,
    })
}

/// Looks at all calls for so long, once at least.
async fn look(client: &Client, within: Duration, every: Duration) -> Result<Looks> {
    let began = Instant::now();
    let mut looks = Looks::default();
    loop {
        looks.add(client.calls().await?);
        let left = within.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Ok(looks);
        }
        tokio::time::sleep(left.min(every)).await;
    }
}

/// What was found.
#[derive(Debug, Serialize)]
struct Found {
    /// Calls with which something is wrong.
    n_wrong: usize,
    /// All of them, by id.
    calls: Vec<JudgedCall>,
}

impl Found {
    fn of(looks: &Looks) -> Self {
        let calls: Vec<JudgedCall> = looks.calls().map(JudgedCall::of).collect();
        let is_wrong = |call: &&JudgedCall| call.state == State::Wrong;
        Self {
            n_wrong: calls.iter().filter(is_wrong).count(),
            calls,
        }
    }

    fn write(&self, out: &mut Terminal) -> Result<()> {
        if self.calls.is_empty() {
            writeln!(out, "no calls are under way")?;
            writeln!(
                out,
                "hint: where there should be some, look whether the other side calls this machine, at `auricle_live_connections_refused_total` of /metrics, and at the firewall"
            )?;
            return Ok(());
        }
        let mut rows = vec![head(Language::English)];
        for call in &self.calls {
            let of_call = call.lines.iter();
            rows.extend(of_call.map(|line| cells(line, Language::English)));
        }
        let mut rows = aligned(&rows).into_iter();
        let names = rows.next().unwrap_or_default();
        writeln!(
            out,
            "  {}",
            out.paint(&Style::new().dim(), names.trim_end())
        )?;
        for call in &self.calls {
            write_call(out, call, &mut rows)?;
        }
        let n_calls = count(self.calls.len() as u64, "call");
        match self.n_wrong {
            0 => writeln!(out, "{n_calls}, nothing is wrong")?,
            n_wrong => writeln!(out, "{n_calls}, something is wrong with {n_wrong}")?,
        }
        Ok(())
    }
}

/// A call; its lines' cells are the next of `rows`.
fn write_call(
    out: &mut Terminal,
    call: &JudgedCall,
    rows: &mut impl Iterator<Item = String>,
) -> Result<()> {
    let name = out.paint(&Style::new().bold(), printable(&call.call_id.0));
    let (source, age) = (printable(&call.source), duration_text(call.age_ms));
    let ended = match call.has_ended {
        true => ", ended meanwhile",
        false => "",
    };
    writeln!(out, "{name}  {source}, {age}{ended}")?;
    for (line, row) in call.lines.iter().zip(rows) {
        let said = match call.state == State::TooEarly && line.received == 0 {
            true => "too early to tell".to_owned(),
            false => verdict(line, Language::English),
        };
        let style = match line.problems.is_empty() {
            true => Style::new().green(),
            false => Style::new().red(),
        };
        writeln!(out, "  {row}  {}", out.paint(&style, said))?;
    }
    for text in &call.wrong {
        let text = out.paint(&Style::new().red(), printable(text));
        writeln!(out, "  {text}")?;
    }
    for note in &call.notes {
        writeln!(out, "  note: {}", printable(note))?;
    }
    for hint in &call.hints {
        writeln!(out, "  hint: {hint}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

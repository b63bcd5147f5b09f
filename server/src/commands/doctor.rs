//! `auricle doctor`: what is installed, what is missing, and how to get it.

mod look;

use std::io::Write;

use anyhow::Result;
use clap::Args;
use console::Style;
use serde::Serialize;

use crate::app::App;
use crate::engine::{NOBODY, model_store};
use crate::exit::{Exit, message_of};
use crate::recogniser::{Chosen, Recognisers};
use crate::terminal::{Terminal, printable_lines};
use look::look;

const MEANING: &str = "\
Exit code 0: `auricle analyze` would work. 1: it would not; the lines marked `missing` or `broken` say why,
and what to do. Lines marked `optional` stop nothing.";

/// Options of `auricle doctor`.
#[derive(Debug, Args)]
#[command(after_long_help = MEANING)]
pub(crate) struct DoctorArgs {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    /// There, and it works.
    Good,
    /// Not there; nothing needs it.
    Optional,
    /// Works, but look at it.
    Warning,
    /// Not there, and analyze needs it.
    Missing,
    /// There, and it does not work.
    Broken,
}

impl Health {
    const fn stops_analyze(self) -> bool {
        matches!(self, Self::Missing | Self::Broken)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Optional => "optional",
            Self::Warning => "warning",
            Self::Missing => "missing",
            Self::Broken => "broken",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Good => Style::new().green(),
            Self::Optional => Style::new().dim(),
            Self::Warning => Style::new().yellow(),
            Self::Missing | Self::Broken => Style::new().red(),
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    what: &'static str,
    health: Health,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Finding {
    /// The detail's `hint:` lines become the hint.
    fn new(what: &'static str, health: Health, detail: impl Into<String>) -> Self {
        let text = detail.into();
        let (detail, hint) = match text.split_once("\nhint: ") {
            Some((detail, hint)) => (detail.to_owned(), Some(hint.to_owned())),
            None => (text, None),
        };
        Self {
            what,
            health,
            detail,
            hint,
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    analyze_would_work: bool,
    engine: Option<&'a str>,
    findings: &'a [Finding],
}

pub(crate) fn run(app: &mut App, args: &DoctorArgs) -> Result<Exit> {
    let recognisers = Recognisers::of(&app.config, model_store(&app.config)?);
    // Calls without region and campaign.
    let chosen = recognisers.choose(&NOBODY).ok();
    let mut findings = look(app, &recognisers, chosen.as_ref());
    let mut engine = None;
    match chosen.and_then(|chosen| recogniser(&recognisers, &chosen)) {
        Some(Ok((name, told))) => {
            engine = Some(name);
            findings.extend(told);
        }
        Some(Err(cause)) => {
            findings.push(Finding::new("engine", Health::Broken, message_of(&cause)));
        }
        // That it is not installed stands among the findings.
        None => {}
    }
    let works = !findings
        .iter()
        .any(|finding| finding.health.stops_analyze());
    if args.json {
        let report = Report {
            version: env!("CARGO_PKG_VERSION"),
            analyze_would_work: works,
            engine: engine.as_deref(),
            findings: &findings,
        };
        serde_json::to_writer_pretty(&mut app.terminal, &report)?;
        writeln!(app.terminal)?;
    } else {
        write_findings(&mut app.terminal, &findings)?;
        let verdict = match (works, engine) {
            (true, Some(engine)) => format!("analyze would work, with {engine}"),
            _ => "analyze would not work; see above".to_owned(),
        };
        writeln!(app.terminal, "\n{verdict}")?;
    }
    Ok(if works { Exit::Done } else { Exit::Failed })
}

/// What would hear calls, loaded as `analyze` loads it, and what is to be told if it is not what was chosen. `None` where
/// that is not installed.
fn recogniser(from: &Recognisers, chosen: &Chosen) -> Option<Result<(String, Option<Finding>)>> {
    from.registry.files(&chosen.card.name).ok()?;
    Some(from.load(chosen).and_then(|loaded| {
        let name = loaded.source.engine()?.info().name.clone();
        let because = &loaded.chosen.because;
        let told = loaded.refused.map(|cause| {
            let detail = format!("{cause}\n{name} hears instead: {because}");
            Finding::new("engine", Health::Warning, detail)
        });
        Ok((name, told))
    }))
}

fn write_findings(out: &mut Terminal, findings: &[Finding]) -> Result<()> {
    writeln!(out, "auricle {}\n", env!("CARGO_PKG_VERSION"))?;
    for finding in findings {
        let word = out.paint(
            &finding.health.style(),
            format!("{:<8}", finding.health.word()),
        );
        let detail = printable_lines(&finding.detail);
        let mut lines = detail.lines();
        writeln!(
            out,
            "{word}  {:<15}  {}",
            finding.what,
            lines.next().unwrap_or_default()
        )?;
        for line in lines {
            writeln!(out, "{:27}{line}", "")?;
        }
        if let Some(hint) = &finding.hint {
            let hint = printable_lines(hint).replace('\n', &format!("\n{:33}", ""));
            writeln!(out, "{:27}hint: {hint}", "")?;
        }
    }
    Ok(())
}

//! What was made of a call, for people: moods and intents, hits, score card, summary.

use std::io::Write;

use anyhow::Result;
use auricle_contracts::{
    Answer, Assessment, EmotionLabel, Hit, Mood, Scorecard, Severity, Summary, UtteranceInsight,
};
use auricle_store::ScoreVersion;
use console::Style;

use super::show::party_style;
use crate::terminal::{PlayTime, Terminal, count, pad_to, printable, wrap};

/// How an utterance was said and what is meant by it: `angry 0.82 · callback_request 0.91 at 2026-11-21T15:00`. Empty where
/// there is nothing to say: neutral is no news.
pub(super) fn tags(found: &UtteranceInsight) -> String {
    let emotion = found
        .emotion
        .filter(|found| found.label != EmotionLabel::Neutral);
    let emotion = emotion.map(|found| format!("{} {:.2}", found.label.as_str(), found.confidence));
    let intents = found.intents.iter().map(|intent| {
        let at = intent.at.as_ref().map(|at| format!(" at {at}"));
        let until = intent.until.as_ref().map(|until| format!(" to {until}"));
        let (at, until) = (at.unwrap_or_default(), until.unwrap_or_default());
        format!("{} {:.2}{at}{until}", intent.label, intent.confidence)
    });
    emotion
        .into_iter()
        .chain(intents)
        .collect::<Vec<_>>()
        .join(" · ")
}

/// Hits, then moods, the score card and the summary; nothing where there is none.
pub(super) fn write(out: &mut Terminal, assessment: &Assessment) -> Result<()> {
    if !assessment.hits.is_empty() {
        write_title(out, "Hits")?;
        for hit in &assessment.hits {
            writeln!(out, "{}", hit_line(out, hit))?;
            write_why(out, hit)?;
        }
    }
    write_mood(out, &assessment.mood)?;
    if let Some(card) = &assessment.scorecard {
        write_card(out, card)?;
    }
    write_summary(out, &assessment.summary)
}

/// `  1:02.3  critical  promise_return  agent  承诺收益: “…”`.
pub(crate) fn hit_line(out: &Terminal, hit: &Hit) -> String {
    let severity = pad_to(hit.severity.as_str(), "critical".len());
    let words = hit.evidence.iter().map(|evidence| evidence.words.as_str());
    let words = words.filter(|words| !words.is_empty()).collect::<Vec<_>>();
    let quoted = match words.as_slice() {
        [] => printable(&hit.why),
        words => format!("“{}”", printable(&words.join(" … "))),
    };
    format!(
        "{:>9}  {}  {}  {}  {quoted}",
        PlayTime(hit.start_ms).to_string(),
        out.paint(&severity_style(hit.severity), severity),
        printable(&hit.rule),
        out.paint(&party_style(hit.party), hit.party),
    )
}

/// Why a rule fired, under its line, unless the line says it.
fn write_why(out: &mut Terminal, hit: &Hit) -> Result<()> {
    let is_told = hit
        .evidence
        .iter()
        .all(|evidence| evidence.words.is_empty());
    if is_told || hit.why.is_empty() {
        return Ok(());
    }
    let indent = " ".repeat(11);
    let room = out.width.saturating_sub(indent.len() + 1);
    for line in wrap(&printable(&hit.why), room) {
        writeln!(out, "{indent}{}", out.paint(&Style::new().dim(), line))?;
    }
    Ok(())
}

/// How each party's mood went.
fn write_mood(out: &mut Terminal, mood: &Mood) -> Result<()> {
    if mood.parties.is_empty() {
        return Ok(());
    }
    write_title(out, "Mood")?;
    for party in &mood.parties {
        let name = out.paint(
            &party_style(party.party),
            pad_to(party.party.as_str(), "customer".len()),
        );
        let angry = match party.n_angry {
            0 => String::new(),
            n_angry => format!(", angry in {}", count(n_angry, "utterance")),
        };
        writeln!(
            out,
            "  {name}  valence {:+.2} (−1 to 1), from the first third to the last {:+.2}{angry}",
            party.valence, party.trend
        )?;
    }
    if let Some(satisfaction) = mood.satisfaction {
        writeln!(
            out,
            "  the customer is content to {satisfaction:.0} of 100, as far as words and voice tell"
        )?;
    }
    Ok(())
}

/// One colour for each severity, in every command.
pub(crate) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Info => Style::new().dim(),
        Severity::Minor => Style::new().yellow(),
        Severity::Major => Style::new().red(),
        Severity::Critical => Style::new().red().bold(),
    }
}

fn write_title(out: &mut Terminal, title: &str) -> Result<()> {
    let title = out.paint(&Style::new().bold(), title);
    Ok(writeln!(out, "\n{title}")?)
}

fn write_card(out: &mut Terminal, card: &Scorecard) -> Result<()> {
    let verdict = match (card.passed, card.auto_fail) {
        (true, _) => "passed",
        (false, true) => "failed, whatever its points",
        (false, false) => "failed",
    };
    let name = printable(&card.card);
    write_title(
        out,
        &format!("Score {:.0} of 100, {verdict} ({name})", card.total),
    )?;
    for item in &card.items {
        let answer = match item.answer {
            Answer::Yes => out.paint(&Style::new().green(), "yes"),
            Answer::No => out.paint(&Style::new().red(), "no "),
            Answer::NotApplicable => out.paint(&Style::new().dim(), "n/a"),
        };
        let points = match item.answer {
            Answer::NotApplicable => String::new(),
            _ => format!("{:.0}/{:.0}", item.points, item.out_of),
        };
        let question = printable(&item.question);
        writeln!(out, "  {answer}  {points:>7}  {question}")?;
    }
    Ok(())
}

fn write_summary(out: &mut Terminal, summary: &Summary) -> Result<()> {
    let parts = [
        ("reason", &summary.reason),
        ("outcome", &summary.outcome),
        ("promises", &summary.promises),
        ("numbers", &summary.numbers),
    ];
    if parts.iter().all(|(_, quotes)| quotes.is_empty()) {
        return Ok(());
    }
    write_title(out, "Summary")?;
    for (title, quotes) in parts {
        for (place, quote) in quotes.iter().enumerate() {
            let title = if place == 0 { title } else { "" };
            let party = out.paint(&party_style(quote.party), quote.party);
            writeln!(out, "  {title:<9} {party}: {}", printable(&quote.text))?;
        }
    }
    if let Some(disposition) = &summary.disposition {
        writeln!(out, "  {:<9} {}", "proposed", printable(disposition))?;
    }
    Ok(())
}

/// Every score the call ever had, the newest last.
pub(super) fn write_versions(out: &mut Terminal, versions: &[ScoreVersion]) -> Result<()> {
    write_title(out, "Scores")?;
    for version in versions {
        let total = version
            .total
            .map_or_else(|| "-".to_owned(), |total| format!("{total:.0}"));
        let passed = match version.passed {
            Some(true) => "passed",
            Some(false) => "failed",
            None => "",
        };
        let mark = if version.is_current { "now" } else { "" };
        let confirmed = version.confirmed_with.as_ref();
        let confirmed =
            confirmed.map_or_else(String::new, |rules| format!(", the same by {rules}"));
        writeln!(
            out,
            "  {}  {total:>4}  {passed}  {} hits  transcript {}, rules {}{confirmed}  {mark}",
            version.made_at, version.n_hits, version.transcript_version, version.rules_fingerprint,
        )?;
    }
    Ok(())
}

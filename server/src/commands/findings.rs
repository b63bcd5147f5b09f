//! What was made of a call, for people: moods and intents, hits, score card, summary.

use std::io::Write;

use anyhow::Result;
use auricle_contracts::{
    Answer, Assessment, EmotionLabel, Hit, Mood, Party, ScoreItem, Severity, Summary,
    UtteranceInsight,
};
use auricle_report::{Language, fails_call, shown_score};
use auricle_store::ScoreVersion;
use console::Style;

use super::show::party_style;
use crate::terminal::{PlayTime, Terminal, count, pad_to, printable, wrap};

/// How an utterance was said and what is meant by it: `angry 0.82 · call-back request 0.91 at 2026-11-21T15:00`. Empty
/// where there is nothing to say: neutral is no news.
pub(super) fn tags(found: &UtteranceInsight, language: Language) -> String {
    let emotion = found
        .emotion
        .filter(|found| found.label != EmotionLabel::Neutral);
    let emotion = emotion.map(|found| {
        let name = language.emotion_name(found.label);
        format!("{name} {:.2}", found.confidence)
    });
    let (at_word, to_word) = (language.pick("at", "→"), language.pick("to", "至"));
    let intents = found.intents.iter().map(|intent| {
        let at = intent.at.as_ref().map(|at| format!(" {at_word} {at}"));
        let until = intent
            .until
            .as_ref()
            .map(|until| format!(" {to_word} {until}"));
        let (at, until) = (at.unwrap_or_default(), until.unwrap_or_default());
        let name = language.intent_name(&intent.label);
        format!("{name} {:.2}{at}{until}", intent.confidence)
    });
    emotion
        .into_iter()
        .chain(intents)
        .collect::<Vec<_>>()
        .join(" · ")
}

/// `agent`, `坐席`.
pub(crate) fn party_name(party: Party, language: Language) -> String {
    language.party_name(party).to_lowercase()
}

/// Hits, then moods, the score card and the summary; nothing where there is none.
pub(super) fn write(out: &mut Terminal, assessment: &Assessment, language: Language) -> Result<()> {
    let mut findings = Findings {
        out,
        assessment,
        language,
    };
    findings.write_hits()?;
    findings.write_mood(&assessment.mood)?;
    findings.write_card()?;
    findings.write_summary(&assessment.summary)
}

/// What is written, and how.
struct Findings<'a, 't> {
    out: &'t mut Terminal,
    assessment: &'a Assessment,
    language: Language,
}

/// Where reasons begin under what they are for.
const REASON_INDENT: usize = 11;
/// Hits that a question was lost by are named up to this many.
const MOST_HITS_NAMED: usize = 3;

impl Findings<'_, '_> {
    fn write_hits(&mut self) -> Result<()> {
        if self.assessment.hits.is_empty() {
            return Ok(());
        }
        write_title(self.out, self.language.pick("Hits", "命中"))?;
        for (idx, hit) in self.assessment.hits.iter().enumerate() {
            let line = self.hit_line(idx, hit);
            writeln!(self.out, "{line}")?;
            // Unless the line says it.
            if hit
                .evidence
                .iter()
                .any(|evidence| !evidence.words.is_empty())
            {
                self.write_reason(&hit.why)?;
            }
        }
        Ok(())
    }

    /// `  1:02.3  critical  承诺收益 (promise_return)  agent  “…”`.
    fn hit_line(&self, idx: usize, hit: &Hit) -> String {
        let severity = pad_to(self.language.severity_name(hit.severity), "critical".len());
        let words = hit.evidence.iter().map(|evidence| evidence.words.as_str());
        let words = words.filter(|words| !words.is_empty()).collect::<Vec<_>>();
        let quoted = match words.as_slice() {
            [] => printable(&hit.why),
            words => format!("“{}”", printable(&words.join(" … "))),
        };
        let fatal = match fails_call(self.assessment, idx) {
            true => self
                .out
                .paint(&fatal_style(), format!("{}  ", self.auto_fail())),
            false => String::new(),
        };
        let party = party_name(hit.party, self.language);
        format!(
            "{:>9}  {}  {}  {}  {fatal}{quoted}",
            PlayTime(hit.start_ms).to_string(),
            self.out.paint(&severity_style(hit.severity), severity),
            rule_name(hit),
            self.out.paint(&party_style(hit.party), party),
        )
    }

    const fn auto_fail(&self) -> &'static str {
        self.language.pick("auto-fail", "一票否决")
    }

    /// A reason, under what it is for.
    fn write_reason(&mut self, why: &str) -> Result<()> {
        if why.is_empty() {
            return Ok(());
        }
        let indent = " ".repeat(REASON_INDENT);
        let room = self.out.width.saturating_sub(REASON_INDENT + 1);
        for line in wrap(&printable(why), room) {
            let line = self.out.paint(&Style::new().dim(), line);
            writeln!(self.out, "{indent}{line}")?;
        }
        Ok(())
    }

    /// How each party's mood went.
    fn write_mood(&mut self, mood: &Mood) -> Result<()> {
        if mood.parties.is_empty() {
            return Ok(());
        }
        let language = self.language;
        write_title(self.out, language.pick("Mood", "情绪"))?;
        for party in &mood.parties {
            let name = party_name(party.party, language);
            let name = pad_to(&name, "customer".len());
            let name = self.out.paint(&party_style(party.party), name);
            let (valence, trend) = (party.valence, party.trend);
            let angry = match (party.n_angry, language) {
                (0, _) => String::new(),
                (n, Language::English) => format!(", angry in {}", count(n, "utterance")),
                (n, Language::Chinese) => format!("，{n} 句愤怒"),
            };
            let went = match language {
                Language::English => format!(
                    "valence {valence:+.2} (−1 to 1), from the first third to the last {trend:+.2}"
                ),
                Language::Chinese => {
                    format!("效价 {valence:+.2}（−1 至 1），后三分之一比前三分之一 {trend:+.2}")
                }
            };
            writeln!(self.out, "  {name}  {went}{angry}")?;
        }
        let Some(satisfaction) = mood.satisfaction else {
            return Ok(());
        };
        let content = match language {
            Language::English => format!(
                "the customer is content to {satisfaction:.0} of 100, as far as words and voice tell"
            ),
            Language::Chinese => format!("客户满意度 {satisfaction:.0} / 100（由语言和声音估计）"),
        };
        Ok(writeln!(self.out, "  {content}")?)
    }

    fn write_card(&mut self) -> Result<()> {
        let Some(card) = &self.assessment.scorecard else {
            return Ok(());
        };
        let language = self.language;
        let verdict = match (card.passed, card.auto_fail) {
            (true, _) => language.pick("passed", "合格"),
            (false, true) => language.pick("failed, whatever its points", "不合格，一票否决"),
            (false, false) => language.pick("failed", "不合格"),
        };
        let (name, total) = (printable(&card.card), shown_score(card.total));
        let title = match language {
            Language::English => format!("Score {total} of 100, {verdict} ({name})"),
            Language::Chinese => format!("得分 {total} / 100，{verdict}（{name}）"),
        };
        write_title(self.out, &title)?;
        card.items.iter().try_for_each(|item| self.write_item(item))
    }

    /// A question; where it was lost, why, and by which hits.
    fn write_item(&mut self, item: &ScoreItem) -> Result<()> {
        let language = self.language;
        let style = match item.answer {
            Answer::Yes => Style::new().green(),
            Answer::No => Style::new().red(),
            Answer::NotApplicable => Style::new().dim(),
        };
        let answer = match item.answer {
            Answer::Yes => language.pick("yes", "是"),
            Answer::No => language.pick("no", "否"),
            Answer::NotApplicable => language.pick("n/a", "不适用"),
        };
        let columns = match language {
            Language::English => "n/a".len(),
            Language::Chinese => 2 * "不适用".chars().count(),
        };
        let answer = self.out.paint(&style, pad_to(answer, columns));
        let points = match item.answer {
            Answer::NotApplicable => String::new(),
            _ => format!("{:.1}/{:.1}", item.points, item.out_of),
        };
        let fatal = match item.auto_fail {
            true => self
                .out
                .paint(&fatal_style(), format!("  {}", self.auto_fail())),
            false => String::new(),
        };
        let question = printable(&item.question);
        writeln!(self.out, "  {answer}  {points:>9}  {question}{fatal}")?;
        if item.answer != Answer::No {
            return Ok(());
        }
        self.write_reason(&item.why)?;
        let hits = item
            .hits
            .iter()
            .filter_map(|idx| self.assessment.hits.get(*idx));
        let named = hits
            .take(MOST_HITS_NAMED)
            .map(|hit| format!("{} {}", PlayTime(hit.start_ms), rule_name(hit)));
        let named = named.collect::<Vec<_>>().join(" · ");
        self.write_reason(&named)
    }

    fn write_summary(&mut self, summary: &Summary) -> Result<()> {
        let language = self.language;
        let parts = [
            (language.pick("reason", "通话原因"), &summary.reason),
            (language.pick("outcome", "结果"), &summary.outcome),
            (language.pick("promises", "承诺"), &summary.promises),
            (language.pick("numbers", "数字信息"), &summary.numbers),
        ];
        if parts.iter().all(|(_, quotes)| quotes.is_empty()) {
            return Ok(());
        }
        write_title(self.out, language.pick("Summary", "摘要"))?;
        for (title, quotes) in parts {
            for (place, quote) in quotes.iter().enumerate() {
                let title = pad_to(if place == 0 { title } else { "" }, SUMMARY_WIDTH);
                let party = party_name(quote.party, language);
                let party = self.out.paint(&party_style(quote.party), party);
                writeln!(self.out, "  {title} {party}: {}", printable(&quote.text))?;
            }
        }
        if let Some(disposition) = &summary.disposition {
            let title = pad_to(language.pick("proposed", "建议结果"), SUMMARY_WIDTH);
            let name = printable(&language.intent_name(disposition));
            writeln!(self.out, "  {title} {name}")?;
        }
        Ok(())
    }
}

/// Columns of the summary's headings.
const SUMMARY_WIDTH: usize = 9;

/// A rule's title with its id beside it; the id alone where it has none.
fn rule_name(hit: &Hit) -> String {
    match hit.title.is_empty() || hit.title == hit.rule {
        true => printable(&hit.rule),
        false => format!("{} ({})", printable(&hit.title), printable(&hit.rule)),
    }
}

fn fatal_style() -> Style {
    severity_style(Severity::Critical)
}

/// One colour for each severity.
fn severity_style(severity: Severity) -> Style {
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

/// Every score the call ever had, the newest last.
pub(super) fn write_versions(
    out: &mut Terminal,
    versions: &[ScoreVersion],
    language: Language,
) -> Result<()> {
    write_title(out, language.pick("Scores", "历次评分"))?;
    for version in versions {
        let total = version.total.map_or_else(|| "-".to_owned(), shown_score);
        let passed = match version.passed {
            Some(true) => language.pick("passed", "合格"),
            Some(false) => language.pick("failed", "不合格"),
            None => "",
        };
        let mark = match version.is_current {
            true => language.pick("now", "当前"),
            false => "",
        };
        let (transcript, rules) = (version.transcript_version, &version.rules_fingerprint);
        let n_hits = version.n_hits;
        let made = match language {
            Language::English => {
                format!("{n_hits} hits  transcript {transcript}, rules {rules}")
            }
            Language::Chinese => format!("命中 {n_hits} 次  转写版本 {transcript}，规则 {rules}"),
        };
        let confirmed = version.confirmed_with.as_ref();
        let confirmed = confirmed.map_or_else(String::new, |rules| match language {
            Language::English => format!(", the same by {rules}"),
            Language::Chinese => format!("，{rules} 结果相同"),
        });
        let made_at = &version.made_at;
        writeln!(
            out,
            "  {made_at}  {total:>5}  {passed}  {made}{confirmed}  {mark}"
        )?;
    }
    Ok(())
}

//! The page of a batch.

mod figures;
mod findings;
mod over_time;

use maud::{Markup, html};

use crate::batch::{Batch, CallRow, Verdict, severity_place};
use crate::format::{clipped, count, decimal_or_dash, percent, tenths};
use crate::language::Language;
use crate::page::{Page, Scripts, Section, Tile, Tone, tiles};
use crate::table::{Cell, Column, Kind, Table};

/// A page that says what was found in a batch: what somebody must look at first, with the evidence to
/// listen to, then scores, emotion, talk, intents, personal data, and all calls. Needs nothing but itself.
/// About 60 kB, 0.6 kB for each hit shown, 0.1 kB for each call.
pub fn batch_page(batch: &Batch, language: Language) -> String {
    let title = batch
        .options
        .title
        .as_deref()
        .unwrap_or(language.batch_title());
    let page = Page {
        language,
        title,
        head: head(batch, language),
        sections: sections(batch, language),
        scripts: Scripts::PlayerAndTables,
    };
    page.render()
}

fn sections(batch: &Batch, language: Language) -> Vec<Section> {
    let all = [
        (
            "violations",
            language.violations(),
            findings::rules(batch, language),
        ),
        (
            "evidence",
            language.evidence(),
            findings::evidence(batch, language),
        ),
        (
            "agents",
            language.by_agent(),
            findings::groups(batch, &batch.agents, language.agent(), language),
        ),
        (
            "campaigns",
            language.by_campaign(),
            campaigns(batch, language),
        ),
        (
            "time",
            language.over_time(),
            over_time::section(batch, language),
        ),
        (
            "scores",
            language.scores(),
            figures::scores(batch, language),
        ),
        (
            "emotion",
            language.emotion(),
            figures::emotion(batch, language),
        ),
        ("talk", language.talk(), figures::talk(batch, language)),
        (
            "intents",
            language.intents(),
            figures::intents(batch, language),
        ),
        (
            "personal-data",
            language.personal_data(),
            figures::personal_data(batch, language),
        ),
        ("calls", language.all_calls(), calls(batch, language)),
    ];
    all.into_iter()
        .filter(|(.., body)| !body.0.is_empty())
        .map(|(id, title, body)| Section { id, title, body })
        .collect()
}

/// Left out where all calls belong to one campaign.
fn campaigns(batch: &Batch, language: Language) -> Markup {
    if batch.campaigns.len() < 2 {
        return html! {};
    }
    findings::groups(batch, &batch.campaigns, language.campaign(), language)
}

fn head(batch: &Batch, language: Language) -> Markup {
    html! {
        p.soft { (span(batch, language)) }
        p.lead { (sentence(batch, language)) }
        (tiles(&key_figures(batch, language)))
    }
}

/// From when to when, and how much was heard.
fn span(batch: &Batch, language: Language) -> String {
    let hours = decimal_or_dash(Some(batch.duration_ms as f64 / 3_600_000.0), 1);
    let n_calls = count(batch.n_calls());
    let heard = match language {
        Language::English => format!("{n_calls} calls, {hours} hours"),
        Language::Chinese => format!("{n_calls} 通通话，共 {hours} 小时"),
    };
    match (batch.days.first_key_value(), batch.days.last_key_value()) {
        (Some((first, _)), Some((last, _))) if first == last => format!("{first} · {heard}"),
        (Some((first, _)), Some((last, _))) => format!("{first} – {last} · {heard}"),
        _ => heard,
    }
}

fn sentence(batch: &Batch, language: Language) -> String {
    let faulty = count(batch.quality.n_faulty);
    let share = percent(batch.quality.n_faulty, batch.n_calls());
    let first = match language {
        Language::English => format!("{faulty} calls ({share}) have at least one violation."),
        Language::Chinese => format!("{faulty} 通通话（{share}）存在违规。"),
    };
    let worst = findings::ranked(batch)
        .into_iter()
        .find(|rule| rule.total.severity > auricle_contracts::Severity::Info);
    match (worst, language) {
        (None, _) => first,
        (Some(rule), Language::English) => format!(
            "{first} Look first at “{}” ({}): {} calls.",
            rule.name(),
            language.severity_name(rule.total.severity),
            count(rule.total.n_calls)
        ),
        (Some(rule), Language::Chinese) => format!(
            "{first}建议优先核查「{}」（{}）：{} 通。",
            rule.name(),
            language.severity_name(rule.total.severity),
            count(rule.total.n_calls)
        ),
    }
}

fn key_figures(batch: &Batch, language: Language) -> Vec<Tile> {
    let quality = &batch.quality;
    let n_calls = quality.n_calls;
    let tile = |label, value, note, tone| Tile {
        label,
        value,
        note,
        tone,
    };
    let n_critical = quality.n_hits[3];
    let mut tiles = Vec::new();
    if quality.n_scored > 0 {
        let scored = match language {
            Language::English => format!("of 100 · {} scored", count(quality.n_scored)),
            Language::Chinese => format!("满分 100 · 已评 {} 通", count(quality.n_scored)),
        };
        let passed = format!("{} / {}", count(quality.n_passed), count(quality.n_scored));
        tiles.push(tile(
            language.mean_score(),
            decimal_or_dash(quality.mean_score(), 1),
            scored,
            Tone::Plain,
        ));
        tiles.push(tile(
            language.pass_rate(),
            percent(quality.n_passed, quality.n_scored),
            passed,
            Tone::Plain,
        ));
        tiles.push(tile(
            language.auto_fails(),
            count(quality.n_auto_failed),
            percent(quality.n_auto_failed, quality.n_scored),
            Tone::bad_if_any(quality.n_auto_failed),
        ));
    }
    tiles.push(tile(
        language.pick("Critical hits", "致命命中"),
        count(n_critical),
        format!(
            "{} {}",
            language.severity_name(auricle_contracts::Severity::Major),
            count(quality.n_hits[2])
        ),
        Tone::bad_if_any(n_critical),
    ));
    tiles.push(tile(
        language.faulty_per_100(),
        decimal_or_dash(quality.violations_per_100(), 0),
        format!(
            "{} {}",
            language.n_violations(),
            count(quality.n_violations())
        ),
        Tone::Plain,
    ));
    tiles.push(tile(
        language.angry_customers(),
        count(quality.n_angry),
        percent(quality.n_angry, n_calls),
        Tone::Plain,
    ));
    if let Some(satisfaction) = &batch.satisfaction {
        tiles.push(tile(
            language.satisfaction(),
            decimal_or_dash(satisfaction.mean(), 0),
            language
                .pick("of 100, estimated", "满分 100，估计值")
                .to_owned(),
            Tone::Plain,
        ));
    }
    tiles
}

/// Words of the column of verdicts, by [`Verdict`].
fn verdicts(language: Language) -> Vec<(&'static str, &'static str)> {
    vec![
        (language.auto_fail(), "badge critical"),
        (language.fail(), "badge major"),
        (language.pass(), "badge good"),
    ]
}

fn calls(batch: &Batch, language: Language) -> Markup {
    let severities = auricle_contracts::Severity::ALL.map(|severity| {
        let class = match severity {
            auricle_contracts::Severity::Info => "badge info",
            auricle_contracts::Severity::Minor => "badge minor",
            auricle_contracts::Severity::Major => "badge major",
            auricle_contracts::Severity::Critical => "badge critical",
        };
        (language.severity_name(severity), class)
    });
    let mut rows: Vec<&CallRow> = batch.rows.iter().collect();
    rows.sort_by(|one, other| {
        urgency(other)
            .partial_cmp(&urgency(one))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let table = Table {
        id: "calls-table",
        caption: language
            .pick("All calls, the worst first", "全部通话，问题最严重的在前")
            .to_owned(),
        columns: vec![
            Column::new(language.call(), Kind::Call),
            Column::new(language.agent(), Kind::Name),
            Column::new(language.campaign(), Kind::Name).wide_only(),
            Column::new(language.started(), Kind::Text).wide_only(),
            Column::new(language.duration(), Kind::Clock),
            Column::new(language.score(), Kind::Number(1)),
            Column::new(language.result(), Kind::Choice(verdicts(language))),
            Column::new(language.n_violations(), Kind::Number(0)),
            Column::new(language.worst(), Kind::Choice(severities.to_vec())).wide_only(),
            Column::new(language.satisfaction(), Kind::Number(0)).wide_only(),
        ],
        names: batch.names.list().to_vec(),
        rows: rows.into_iter().map(row).collect(),
    };
    table.render(language)
}

/// What decides the first order of calls; the greatest come first.
fn urgency(row: &CallRow) -> (bool, Option<auricle_contracts::Severity>, f32, u32) {
    let score = row.score.filter(|score| score.is_finite()).unwrap_or(100.0);
    (
        row.verdict == Some(Verdict::AutoFail),
        row.worst,
        -score,
        row.n_violations,
    )
}

fn row(row: &CallRow) -> Vec<Cell> {
    let number = |value: Option<f32>| Cell::Number(value.map(f64::from));
    vec![
        Cell::Call {
            id: row.id.clone(),
            has_page: row.has_page,
        },
        Cell::Name(row.agent),
        Cell::Name(row.campaign),
        Cell::Text(clipped(&row.started, 32)),
        Cell::Number(Some(row.duration_ms as f64)),
        Cell::Number(row.score.map(tenths)),
        Cell::Choice(row.verdict.map(|verdict| match verdict {
            Verdict::AutoFail => 0,
            Verdict::Fail => 1,
            Verdict::Pass => 2,
        })),
        Cell::Number(Some(f64::from(row.n_violations))),
        Cell::Choice(row.worst.map(severity_place)),
        number(row.satisfaction),
    ]
}

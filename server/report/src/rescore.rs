//! The page of what a re-scoring changed.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::change::{AgentTally, Change, Changes, Outline, RuleNames, RuleTally};
use crate::format::{clipped, count, decimal_or_dash, minute, percent, signed, tenths};
use crate::language::Language;
use crate::page::{Page, Scripts, Section, Tile, Tone, tiles};
use crate::plot::{Arrangement, Columns, Domain, Open, Series, bin_labels, cell_bar, legend};
use crate::table::{Cell, Column, Kind, Names, Table};

/// Longest lists of rules and agents; the rest is summed up in a line.
pub(crate) const N_ROWS_MAX: usize = 300;

/// A page that says what a re-scoring changed: scores before and after, by rule, by agent, call by call.
/// Needs nothing but itself. About 20 kB and 0.15 kB for each changed call.
pub fn rescore_page(changes: &Changes, language: Language) -> String {
    let mut sections = vec![
        Section {
            id: "scores",
            title: language.score_before_after(),
            body: scores(changes, language),
        },
        Section {
            id: "rules",
            title: language.by_rule(),
            body: rules(changes, language),
        },
        Section {
            id: "agents",
            title: language.by_agent(),
            body: agents(&changes.agents, language),
        },
    ];
    sections.push(Section {
        id: "calls",
        title: language.changed_calls(),
        body: calls(changes, language),
    });
    let page = Page {
        language,
        title: language.rescore_title(),
        head: head(changes, language),
        sections,
        scripts: Scripts::PlayerAndTables,
    };
    page.render()
}

/// The totals that head the page.
#[derive(Default)]
struct Totals {
    n_changed: u64,
    n_up: u64,
    n_down: u64,
    n_passed_before: u64,
    n_passed_after: u64,
    sum_before: f64,
    n_before: u64,
    sum_after: f64,
    n_after: u64,
    n_now_failing: u64,
    n_now_passing: u64,
}

impl Totals {
    fn of(changes: &Changes) -> Self {
        let mut totals = Self {
            n_changed: changes.calls.len() as u64,
            ..Self::default()
        };
        for tally in changes.agents.values() {
            totals.n_passed_before += tally.n_passed_before;
            totals.n_passed_after += tally.n_passed_after;
            if let Some(mean) = tally.mean_before() {
                totals.sum_before += mean * tally.n_scored_before() as f64;
                totals.n_before += tally.n_scored_before();
            }
            if let Some(mean) = tally.mean_after() {
                totals.sum_after += mean * tally.n_scored_after() as f64;
                totals.n_after += tally.n_scored_after();
            }
        }
        for change in &changes.calls {
            totals.count_direction(change);
        }
        totals
    }

    fn count_direction(&mut self, change: &Change) {
        let Some(before) = &change.before else { return };
        if let (Some(was), Some(is)) = (before.total, change.after.total) {
            self.n_up += u64::from(is > was);
            self.n_down += u64::from(is < was);
        }
        let verdicts = (before.passed, change.after.passed);
        self.n_now_failing += u64::from(verdicts == (Some(true), Some(false)));
        self.n_now_passing += u64::from(verdicts == (Some(false), Some(true)));
    }

    fn mean_before(&self) -> Option<f64> {
        (self.n_before > 0).then(|| self.sum_before / self.n_before as f64)
    }

    fn mean_after(&self) -> Option<f64> {
        (self.n_after > 0).then(|| self.sum_after / self.n_after as f64)
    }
}

fn head(changes: &Changes, language: Language) -> Markup {
    let totals = Totals::of(changes);
    html! {
        p.lead { (sentence(changes, &totals, language)) }
        (tiles(&[
            Tile {
                label: language.changed(),
                value: count(totals.n_changed),
                note: percent(totals.n_changed, changes.n_calls),
                tone: Tone::Plain,
            },
            Tile {
                label: language.mean_score(),
                value: decimal_or_dash(totals.mean_after(), 1),
                note: format!("{} {}", language.before(), decimal_or_dash(totals.mean_before(), 1)),
                tone: Tone::Plain,
            },
            Tile {
                label: language.pass_rate(),
                value: percent(totals.n_passed_after, totals.n_after),
                note: format!("{} {}", language.before(), percent(totals.n_passed_before, totals.n_before)),
                tone: Tone::Plain,
            },
            Tile {
                label: language.pick("Now fail", "转为不合格"),
                value: count(totals.n_now_failing),
                note: language.pick("passed before", "之前合格").to_owned(),
                tone: Tone::bad_if_any(totals.n_now_failing),
            },
            Tile {
                label: language.pick("Now pass", "转为合格"),
                value: count(totals.n_now_passing),
                note: language.pick("failed before", "之前不合格").to_owned(),
                tone: Tone::Plain,
            },
        ]))
    }
}

fn sentence(changes: &Changes, totals: &Totals, language: Language) -> String {
    let [looked_at, changed, up, down, new] = [
        changes.n_calls,
        totals.n_changed,
        totals.n_up,
        totals.n_down,
        changes.n_new,
    ]
    .map(count);
    let sentence = match language {
        Language::English => format!(
            "{looked_at} calls looked at, {changed} changed: {up} score higher, {down} lower; {new} had no score before."
        ),
        Language::Chinese => format!(
            "共检查 {looked_at} 通通话，{changed} 通有变化：{up} 通得分上升，{down} 通下降；{new} 通此前没有评分。"
        ),
    };
    let left = count(changes.n_left);
    match (changes.n_left, language) {
        (0, _) => sentence,
        (_, Language::English) => {
            format!("{sentence} Not complete: {left} calls were not looked at.")
        }
        (_, Language::Chinese) => format!("{sentence}尚未完成：还有 {left} 通未检查。"),
    }
}

fn scores(changes: &Changes, language: Language) -> Markup {
    let (labels, edges) = bin_labels(0.0, 10.0, (Open::No, Open::No));
    let n_before: u64 = changes.bins_before.iter().sum();
    let n_after: u64 = changes.bins_after.iter().sum();
    let plot = Columns {
        title: language.score_distribution(),
        note: format!(
            "{} n = {}, {} n = {}",
            language.before(),
            count(n_before),
            language.after(),
            count(n_after)
        ),
        x_axis: language.score_points(),
        y_axis: language.n_calls_axis(),
        labels,
        edges,
        series: vec![
            Series {
                name: language.before(),
                class: "fill-was",
                counts: changes.bins_before.to_vec(),
            },
            Series {
                name: language.after(),
                class: "fill-accent",
                counts: changes.bins_after.to_vec(),
            },
        ],
        arrangement: Arrangement::SideBySide,
    };
    html! { div.narrow { (plot.render()) } }
}

fn rules(changes: &Changes, language: Language) -> Markup {
    let names = changes.rule_names();
    let mut rows: Vec<(&String, &RuleTally)> = changes.rules.iter().collect();
    rows.sort_by_key(|(_, tally)| {
        std::cmp::Reverse((
            tally.n_added + tally.n_removed,
            tally.n_before.max(tally.n_after),
        ))
    });
    let longest = rows
        .iter()
        .map(|(_, tally)| tally.n_before.max(tally.n_after))
        .max()
        .unwrap_or(0);
    html! {
        @if !rows.iter().any(|(_, tally)| tally.n_added + tally.n_removed > 0) {
            p { (language.no_rules_changed()) }
        }
        @if !rows.is_empty() {
            (legend([(language.before(), "fill-was"), (language.after(), "fill-accent")].into_iter()))
            div.scroll tabindex="0" role="region" aria-label=(language.by_rule()) {
                table {
                    caption { (language.pick("Calls in which the rule fired", "命中该规则的通话数")) }
                    thead { tr {
                        th scope="col" { (language.rule()) }
                        td.bar {}
                        th.n scope="col" { (language.before()) }
                        th.n scope="col" { (language.after()) }
                        th.n scope="col" { (language.added()) }
                        th.n scope="col" { (language.removed()) }
                    } }
                    tbody {
                        @for (rule, tally) in rows.iter().take(N_ROWS_MAX) {
                            tr {
                                th scope="row" { (names.shown(rule)) }
                                td.bar {
                                    (cell_bar("fill-was", tally.n_before, longest))
                                    (cell_bar("fill-accent", tally.n_after, longest))
                                }
                                td.n { (count(tally.n_before)) }
                                td.n { (count(tally.n_after)) }
                                td.n { @if tally.n_added > 0 { "+" } (count(tally.n_added)) }
                                td.n { @if tally.n_removed > 0 { "−" } (count(tally.n_removed)) }
                            }
                        }
                    }
                }
            }
            (more(rows.len(), language))
        }
    }
}

fn agents(agents: &BTreeMap<String, AgentTally>, language: Language) -> Markup {
    let mut rows: Vec<(&String, &AgentTally)> = agents.iter().collect();
    let moved = |tally: &AgentTally| match (tally.mean_before(), tally.mean_after()) {
        (Some(before), Some(after)) => after - before,
        _ => 0.0,
    };
    rows.sort_by(|(_, one), (_, other)| moved(other).abs().total_cmp(&moved(one).abs()));
    let means = agents
        .values()
        .flat_map(|tally| [tally.mean_before(), tally.mean_after()]);
    let domain = Domain::holding(means.flatten());
    html! {
        (legend([(language.before(), "fill-was"), (language.after(), "fill-accent")].into_iter()))
        div.scroll tabindex="0" role="region" aria-label=(language.by_agent()) {
            table {
                caption { (language.pick("Mean score (points of 100), largest change first", "平均分（满分 100），按变化幅度排列")) }
                thead { tr {
                    th scope="col" { (language.agent()) }
                    td.bar { (domain.scale()) }
                    th.n scope="col" { (language.before()) }
                    th.n scope="col" { (language.after()) }
                    th.n scope="col" { (language.difference()) }
                    th.n scope="col" { (language.passed()) }
                    th.n.wide scope="col" { (language.changed()) }
                } }
                tbody {
                    @for (agent, tally) in rows.iter().take(N_ROWS_MAX) {
                        @let difference = tally.mean_before().is_some().then(|| moved(tally));
                        tr {
                            th scope="row" { @if agent.is_empty() { (language.unnamed()) } @else { (agent) } }
                            td.bar { (domain.dumbbell(tally.mean_before(), tally.mean_after())) }
                            td.n { (decimal_or_dash(tally.mean_before(), 1)) }
                            td.n { (decimal_or_dash(tally.mean_after(), 1)) }
                            td.n { (difference.map_or_else(|| "–".to_owned(), |value| signed(value, 1))) }
                            td.n { (count(tally.n_passed_before)) " → " (count(tally.n_passed_after)) }
                            td.n.wide { (count(tally.n_changed)) " / " (count(tally.n_calls)) }
                        }
                    }
                }
            }
        }
        (more(rows.len(), language))
    }
}

/// A line for the rows that are left out.
pub(crate) fn more(n_rows: usize, language: Language) -> Markup {
    let n_left = n_rows.saturating_sub(N_ROWS_MAX) as u64;
    html! {
        @if n_left > 0 {
            p.note { @match language {
                Language::English => { (count(n_left)) " more are left out." }
                Language::Chinese => { "另有 " (count(n_left)) " 项未列出。" }
            } }
        }
    }
}

fn calls(changes: &Changes, language: Language) -> Markup {
    if changes.calls.is_empty() {
        return html! { p { (language.no_changed_calls()) } };
    }
    let verdicts = vec![
        (language.fail(), "badge critical"),
        (language.pass(), "badge good"),
    ];
    let mut names = Names::default();
    let rules = changes.rule_names();
    let mut sorted: Vec<&Change> = changes.calls.iter().collect();
    sorted.sort_by(|one, other| difference(other).abs().total_cmp(&difference(one).abs()));
    let rows = sorted
        .iter()
        .map(|change| row(change, &mut names, &rules))
        .collect();
    let table = Table {
        id: "changed-calls",
        caption: language.changed_calls().to_owned(),
        columns: vec![
            Column::new(language.call(), Kind::Text),
            Column::new(language.agent(), Kind::Name),
            Column::new(language.campaign(), Kind::Name).wide_only(),
            Column::new(language.started(), Kind::Text).wide_only(),
            Column::new(language.before(), Kind::Number(1)),
            Column::new(language.after(), Kind::Number(1)),
            Column::new(language.difference(), Kind::Signed(1)),
            Column::new(language.result(), Kind::Choice(verdicts)),
            Column::new(language.rules_gained(), Kind::Tags),
            Column::new(language.rules_lost(), Kind::Tags),
        ],
        names: Vec::new(),
        rows,
    };
    Table {
        names: names.list().to_vec(),
        ..table
    }
    .render(language)
}

/// Points won or lost; no score counts as a change of none.
fn difference(change: &Change) -> f64 {
    let before = change.before.as_ref().and_then(|outline| outline.total);
    match (before, change.after.total) {
        (Some(before), Some(after)) => f64::from(after) - f64::from(before),
        _ => 0.0,
    }
}

fn row(change: &Change, names: &mut Names, rules: &RuleNames<'_>) -> Vec<Cell> {
    let none = Outline::default();
    let before = change.before.as_ref().unwrap_or(&none);
    let metadata = &change.metadata;
    let started = metadata
        .started_at
        .as_deref()
        .map(minute)
        .unwrap_or_default();
    let (gained, lost) = gained_and_lost(before, &change.after, rules);
    let known = before.total.is_some() && change.after.total.is_some();
    vec![
        Cell::Text(clipped(&change.call_id.0, 200)),
        Cell::Name(metadata.agent.as_deref().map(|agent| names.place(agent))),
        Cell::Name(
            metadata
                .campaign
                .as_deref()
                .map(|campaign| names.place(campaign)),
        ),
        Cell::Text(started),
        Cell::Number(before.total.map(tenths)),
        Cell::Number(change.after.total.map(tenths)),
        Cell::Number(known.then(|| difference(change))),
        Cell::Choice(change.after.passed.map(usize::from)),
        Cell::Tags(gained),
        Cell::Tags(lost),
    ]
}

/// Rules that fire more often than before, and less often; with counts where they fired both times.
fn gained_and_lost(
    before: &Outline,
    after: &Outline,
    names: &RuleNames<'_>,
) -> (Vec<String>, Vec<String>) {
    let (mut gained, mut lost) = (Vec::new(), Vec::new());
    for (rule, n_after) in &after.hits {
        let name = names.shown(rule);
        match before.hits.get(rule) {
            None => gained.push(name.to_owned()),
            Some(n_before) if n_before < n_after => {
                gained.push(format!("{name} {n_before}→{n_after}"))
            }
            Some(_) => {}
        }
    }
    for (rule, n_before) in &before.hits {
        let name = names.shown(rule);
        match after.hits.get(rule) {
            None => lost.push(name.to_owned()),
            Some(n_after) if n_after < n_before => {
                lost.push(format!("{name} {n_before}→{n_after}"))
            }
            Some(_) => {}
        }
    }
    (gained, lost)
}

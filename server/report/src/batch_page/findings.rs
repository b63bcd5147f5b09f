//! What was found: by rule, by agent, and the evidence to listen to.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use auricle_contracts::Severity;
use maud::{Markup, html};

use crate::batch::{Batch, Group, KeptHit, KeptHits, RuleTotal};
use crate::format::{clock, count, decimal_or_dash, percent};
use crate::language::Language;
use crate::page::{play_link, severity_badge};
use crate::plot::{Domain, cell_bar};
use crate::rescore::{N_ROWS_MAX, more};
use crate::table::call_page_path;

/// One rule with its hits.
pub(super) struct Ranked<'a> {
    /// Its id; `PACK/ID` where rules of several packs have it.
    pub(super) id: &'a str,
    pub(super) total: &'a RuleTotal,
    kept: &'a KeptHits,
}

impl Ranked<'_> {
    /// Its title, or its id where it has none.
    pub(super) fn name(&self) -> &str {
        if self.total.title.is_empty() {
            self.id
        } else {
            &self.total.title
        }
    }
}

/// Rules, the worst first, then those that fired in most calls.
pub(super) fn ranked<'a>(batch: &'a Batch) -> Vec<Ranked<'a>> {
    let mut n_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (total, _) in batch.rules.values() {
        *n_of.entry(&total.id).or_default() += 1;
    }
    let ranked = |(name, (total, kept)): (&'a String, &'a (RuleTotal, KeptHits))| Ranked {
        id: match n_of[&*total.id] {
            1 => &total.id,
            _ => name,
        },
        total,
        kept,
    };
    let mut rules: Vec<Ranked<'a>> = batch.rules.iter().map(ranked).collect();
    rules.sort_by_key(|rule| Reverse((rule.total.severity, rule.total.n_calls)));
    rules
}

const fn fill(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "fill-info",
        Severity::Minor => "fill-minor",
        Severity::Major => "fill-major",
        Severity::Critical => "fill-critical",
    }
}

/// The table of rules.
pub(super) fn rules(batch: &Batch, language: Language) -> Markup {
    let rules = ranked(batch);
    let longest = rules
        .iter()
        .map(|rule| rule.total.n_calls)
        .max()
        .unwrap_or(0);
    html! {
        @if rules.is_empty() { p { (language.no_hits()) } }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(language.by_rule()) {
                table {
                    caption { (language.pick("Calls in which each rule fired, the worst rules first", "各规则命中的通话数，按严重程度排列")) }
                    thead { tr {
                        th scope="col" { (language.rule()) }
                        th scope="col" { (language.severity()) }
                        td.bar {}
                        th.n scope="col" { (language.calls()) }
                        th.n scope="col" { (language.share_of_calls()) }
                        th.n.wide scope="col" { (language.hits()) }
                    } }
                    tbody {
                        @for (idx, rule) in rules.iter().take(N_ROWS_MAX).enumerate() {
                            tr {
                                th scope="row" {
                                    a href=(format!("#rule-{idx}")) { (rule.name()) }
                                    @if rule.name() != rule.id { " " code { (rule.id) } }
                                }
                                td { (severity_badge(rule.total.severity, language))
                                    @if rule.total.auto_fail { br; small.critical { (language.auto_fail()) } } }
                                td.bar { (cell_bar(fill(rule.total.severity), rule.total.n_calls, longest)) }
                                td.n { (count(rule.total.n_calls)) }
                                td.n { (percent(rule.total.n_calls, batch.n_calls())) }
                                td.n.wide { (count(rule.total.n_hits)) }
                            }
                        }
                    }
                }
            }
            (more(rules.len(), language))
        }
    }
}

/// Hits in full, by rule. The worst rule stands open.
pub(super) fn evidence(batch: &Batch, language: Language) -> Markup {
    let rules = ranked(batch);
    if rules.is_empty() {
        return html! {};
    }
    let n_shown = rules.len().min(N_ROWS_MAX);
    let n_each = (batch.options.n_hits_shown / n_shown).max(3);
    html! {
        p.note { (language.evidence_note()) }
        @for (idx, rule) in rules.iter().take(N_ROWS_MAX).enumerate() {
            @let hits = rule.kept.sorted();
            details id=(format!("rule-{idx}")) open[idx == 0] {
                summary {
                    (severity_badge(rule.total.severity, language))
                    b { (rule.name()) }
                    small { (shown(hits.len().min(n_each), rule.total.n_hits, language)) }
                }
                ul.hits { @for hit in hits.iter().take(n_each) { (kept_hit(hit, language)) } }
            }
        }
    }
}

fn shown(n_shown: usize, n_hits: u64, language: Language) -> String {
    let (shown, all) = (count(n_shown as u64), count(n_hits));
    match language {
        Language::English => format!("{shown} of {all} hits"),
        Language::Chinese => format!("共 {all} 次命中，列出 {shown} 次"),
    }
}

fn kept_hit(hit: &KeptHit, language: Language) -> Markup {
    html! {
        li {
            div.head {
                @if hit.has_page { a href=(call_page_path(&hit.call_id.0)) { (hit.call_id) } }
                @else { span { (hit.call_id) } }
                @if let Some(agent) = &hit.agent { span { (agent) } }
                @if !hit.started.is_empty() { span.nowrap { (hit.started) } }
                @if hit.auto_fail { span.critical { (language.auto_fail()) } }
            }
            @for piece in &hit.evidence {
                blockquote {
                    (play_link(piece.url.as_deref(), &clock(piece.start_ms), language)) " "
                    @if !piece.words.is_empty() { small { (language.party_name(piece.party)) } " " (piece.words) }
                }
            }
            p.note { (hit.why) }
        }
    }
}

/// The table of agents or campaigns, the lowest scores first; without scores, the most violations first.
pub(super) fn groups(
    batch: &Batch,
    groups: &BTreeMap<String, Group>,
    heading: &'static str,
    language: Language,
) -> Markup {
    let mut rows: Vec<(&String, &Group)> = groups.iter().collect();
    rows.sort_by(|(_, one), (_, other)| {
        rank(one)
            .partial_cmp(&rank(other))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let domain = Domain::holding(
        groups
            .values()
            .filter_map(|group| group.quality.mean_score()),
    );
    html! {
        div.scroll tabindex="0" role="region" aria-label=(heading) {
            table {
                caption { (language.pick("Mean score of 100 points, lowest first. A few calls say little of a person.", "平均分（满分 100），由低到高。通话数较少时不宜据此评价个人。")) }
                thead { tr {
                    th scope="col" { (heading) }
                    th.n scope="col" { (language.calls()) }
                    td.bar { (domain.scale()) }
                    th.n scope="col" { (language.mean_score()) }
                    th.n scope="col" { (language.pass_rate()) }
                    th.n.wide scope="col" { (language.auto_fails()) }
                    th.n scope="col" { (language.faulty_per_100()) }
                    th.wide scope="col" { (language.most_often()) }
                } }
                tbody {
                    @for (name, group) in rows.iter().take(N_ROWS_MAX) {
                        @let quality = &group.quality;
                        tr {
                            th scope="row" { @if name.is_empty() { (language.unnamed()) } @else { (name) } }
                            td.n { (count(quality.n_calls)) }
                            td.bar { (domain.dumbbell(None, quality.mean_score())) }
                            td.n { (decimal_or_dash(quality.mean_score(), 1)) }
                            td.n { (percent(quality.n_passed, quality.n_scored)) }
                            td.n.wide { (count(quality.n_auto_failed)) }
                            td.n { (decimal_or_dash(quality.violations_per_100(), 0)) }
                            td.wide { @if let Some((rule, n)) = group.most_often() { (rule_name(batch, rule)) " (" (count(n)) ")" } }
                        }
                    }
                }
            }
        }
        (more(rows.len(), language))
    }
}

/// What decides the order of groups; the least come first.
fn rank(group: &Group) -> (f64, f64) {
    let quality = &group.quality;
    (
        quality.mean_score().unwrap_or(101.0),
        -quality.violations_per_100().unwrap_or(0.0),
    )
}

fn rule_name(batch: &Batch, place: usize) -> &str {
    let name = batch.rule_names.get(place);
    match batch.rules.get(name) {
        Some((total, _)) if !total.title.is_empty() => &total.title,
        Some((total, _)) => &total.id,
        None => name,
    }
}

//! Scores, emotion, talk, intents and personal data of a batch, as plots and small tables.

use std::cmp::{Ordering, Reverse};

use auricle_contracts::{EmotionLabel, Party};
use maud::{Markup, html};

use crate::batch::{Batch, Distribution, EmotionTotal, QuestionTotal, party_place};
use crate::format::{count, decimal_or_dash, percent};
use crate::language::Language;
use crate::plot::{
    Arrangement, Columns, Open, Series, bin_labels, cell_bar, legend, share_bar,
    whole_number_labels,
};
use crate::rescore::{N_ROWS_MAX, more};

/// What the bins of a histogram hold.
#[derive(Clone, Copy)]
enum Bins {
    /// Values between two edges.
    Ranges((Open, Open)),
    /// One number each.
    WholeNumbers,
}

/// A histogram of one distribution, or of two with the same bins.
struct Histogram<'a> {
    title: &'a str,
    axis: &'a str,
    unit: &'a str,
    bins: Bins,
}

impl Histogram<'_> {
    fn render(&self, series: &[(&str, &'static str, &Distribution)], language: Language) -> Markup {
        let Some((_, _, first)) = series.first() else {
            return html! {};
        };
        if series.iter().all(|(_, _, one)| one.n == 0) {
            return html! {};
        }
        let n_digits = if first.width < 0.5 { 2 } else { 1 };
        let means: Vec<String> = series
            .iter()
            .map(|(name, _, one)| {
                let name = if series.len() > 1 {
                    format!("{name} ")
                } else {
                    String::new()
                };
                format!(
                    "{name}{} {}{}, n = {}",
                    language.mean(),
                    decimal_or_dash(one.mean(), n_digits),
                    self.unit,
                    count(one.n)
                )
            })
            .collect();
        let (labels, edges) = match self.bins {
            Bins::Ranges(ends) => bin_labels(first.first, first.width, ends),
            Bins::WholeNumbers => whole_number_labels(),
        };
        let plot = Columns {
            title: self.title,
            note: means.join(" · "),
            x_axis: self.axis,
            y_axis: language.n_calls_axis(),
            labels,
            edges,
            series: series
                .iter()
                .map(|(name, class, one)| Series {
                    name,
                    class,
                    counts: one.bins.to_vec(),
                })
                .collect(),
            arrangement: Arrangement::SideBySide,
        };
        plot.render()
    }
}

/// The distribution of scores, and the questions that cost most.
pub(super) fn scores(batch: &Batch, language: Language) -> Markup {
    let Some(scores) = &batch.scores else {
        return html! {};
    };
    let plot = Histogram {
        title: language.score_distribution(),
        axis: language.score_points(),
        unit: "",
        bins: Bins::Ranges((Open::No, Open::No)),
    };
    html! {
        div.pair {
            (plot.render(&[(language.calls(), "fill-accent", scores)], language))
            div { (questions(batch, language)) }
        }
    }
}

fn questions(batch: &Batch, language: Language) -> Markup {
    let mut rows: Vec<&QuestionTotal> = batch.questions.values().collect();
    let cost = |question: &QuestionTotal| (question.n_auto_failed, question.points_lost);
    rows.sort_by(|one, other| {
        cost(other)
            .partial_cmp(&cost(one))
            .unwrap_or(Ordering::Equal)
    });
    html! {
        h3 { (language.points_lost()) }
        div.scroll tabindex="0" role="region" aria-label=(language.points_lost()) {
            table {
                thead { tr {
                    th scope="col" { (language.question()) }
                    th.n scope="col" { (language.answer_name(auricle_contracts::Answer::No)) }
                    th.n scope="col" { (language.share_of_calls()) }
                    th.n scope="col" { (language.mean_lost()) }
                    th.n scope="col" { (language.auto_fails()) }
                } }
                tbody {
                    @for question in rows.iter().take(N_ROWS_MAX) {
                        tr {
                            th scope="row" { (question.question) " " small { (question.section) } }
                            td.n { (count(question.n_no)) }
                            td.n { (percent(question.n_no, question.n_asked())) }
                            td.n { (mean_lost(question)) }
                            td.n { (count(question.n_auto_failed)) }
                        }
                    }
                }
            }
        }
        (more(rows.len(), language))
    }
}

/// Mean points lost where the question applied.
fn mean_lost(question: &QuestionTotal) -> String {
    let n_asked = question.n_asked();
    decimal_or_dash(
        (n_asked > 0).then(|| question.points_lost / n_asked as f64),
        1,
    )
}

/// How utterances were said, by party; how moods went; satisfaction.
pub(super) fn emotion(batch: &Batch, language: Language) -> Markup {
    let told = batch
        .emotions
        .iter()
        .any(|total| total.labels.iter().sum::<u64>() > 0);
    let satisfaction = Histogram {
        title: language.satisfaction_distribution(),
        axis: language.satisfaction_points(),
        unit: "",
        bins: Bins::Ranges((Open::No, Open::No)),
    };
    let trend = Histogram {
        title: language.mood_trend(),
        axis: language.valence_difference(),
        unit: "",
        bins: Bins::Ranges((Open::Yes, Open::Yes)),
    };
    if !told && batch.satisfaction.is_none() && batch.trend.is_none() {
        return html! {};
    }
    html! {
        @if told { (emotion_shares(&batch.emotions, language)) }
        div.pair {
            @if let Some(values) = &batch.satisfaction {
                (satisfaction.render(&[(language.calls(), "fill-accent", values)], language))
            }
            @if let Some(values) = &batch.trend {
                (trend.render(&[(language.calls(), "fill-customer", values)], language))
            }
        }
    }
}

/// Worst first, so that anger of all parties starts at one edge and can be compared.
const EMOTIONS: [(EmotionLabel, &str); 4] = [
    (EmotionLabel::Angry, "fill-angry"),
    (EmotionLabel::Sad, "fill-sad"),
    (EmotionLabel::Neutral, "fill-neutral"),
    (EmotionLabel::Happy, "fill-happy"),
];

fn emotion_shares(totals: &[EmotionTotal; 3], language: Language) -> Markup {
    html! {
        figure {
            figcaption { (language.emotion_by_party()) }
            (legend(EMOTIONS.iter().map(|(label, class)| (language.emotion_name(*label), *class))))
            @for party in [Party::Customer, Party::Agent, Party::Unknown] {
                @let total = &totals[party_place(party)];
                @let n: u64 = total.labels.iter().sum();
                @if n > 0 {
                    (share_bar(&emotion_heading(party, total, language), &emotion_parts(total, language)))
                }
            }
        }
    }
}

fn emotion_parts<'a>(
    total: &EmotionTotal,
    language: Language,
) -> Vec<(&'a str, &'static str, u64)> {
    EMOTIONS
        .iter()
        .map(|(label, class)| (language.emotion_name(*label), *class, total.of(*label)))
        .collect()
}

fn emotion_heading(party: Party, total: &EmotionTotal, language: Language) -> String {
    let n: u64 = total.labels.iter().sum();
    let shares: Vec<String> = EMOTIONS
        .iter()
        .map(|(label, _)| {
            format!(
                "{} {}",
                language.emotion_name(*label),
                percent(total.of(*label), n)
            )
        })
        .collect();
    let untold = match (total.n_untold, language) {
        (0, _) => String::new(),
        (untold, Language::English) => format!(", {} more not told", count(untold)),
        (untold, Language::Chinese) => format!("，另有 {} 句未判定", count(untold)),
    };
    let party = language.party_name(party);
    match language {
        Language::English => format!("{party}: {} (n = {}{untold})", shares.join(", "), count(n)),
        Language::Chinese => format!("{party}：{}（n = {}{untold}）", shares.join("，"), count(n)),
    }
}

/// Distributions of how people talked.
pub(super) fn talk(batch: &Batch, language: Language) -> Markup {
    let talk = &batch.talk;
    let plot = |title, axis, unit, bins, class, values: &Distribution| {
        Histogram {
            title,
            axis,
            unit,
            bins,
        }
        .render(&[(language.calls(), class, values)], language)
    };
    let closed = Bins::Ranges((Open::No, Open::No));
    let rates = Histogram {
        title: language.speech_rate(),
        axis: language.rate_axis(),
        unit: "",
        bins: Bins::Ranges((Open::Yes, Open::Yes)),
    };
    let plots = html! {
        (plot(language.agent_share(), language.share_axis(), "%", closed, "fill-agent", &talk.agent_share))
        (plot(language.silence_share(), language.silence_axis(), "%", closed, "fill-info", &talk.silence_share))
        (plot(language.longest_silence(), language.seconds_axis(), " s", Bins::Ranges((Open::No, Open::Yes)), "fill-info", &talk.longest_silence))
        (plot(language.interruptions(), language.interruptions_axis(), "", Bins::WholeNumbers, "fill-agent", &talk.interruptions))
        (rates.render(&[
            (language.party_name(Party::Agent), "fill-agent", &talk.agent_rate),
            (language.party_name(Party::Customer), "fill-customer", &talk.customer_rate),
        ], language))
        (plot(language.response_delay(), language.seconds_axis(), " s", Bins::Ranges((Open::Yes, Open::Yes)), "fill-agent", &talk.response))
    };
    if plots.0.is_empty() {
        return plots;
    }
    html! { div.pair { (plots) } }
}

/// Names with how often they came, and bars.
fn tally(
    heading: &str,
    columns: [&str; 2],
    rows: &[(String, u64, String)],
    language: Language,
) -> Markup {
    let longest = rows.iter().map(|(_, n, _)| *n).max().unwrap_or(0);
    html! {
        @if !rows.is_empty() {
            div.scroll tabindex="0" role="region" aria-label=(heading) {
                table {
                    thead { tr {
                        th scope="col" { (heading) }
                        td.bar {}
                        @for column in columns { th.n scope="col" { (column) } }
                    } }
                    tbody {
                        @for (name, n, other) in rows.iter().take(N_ROWS_MAX) {
                            tr {
                                th scope="row" { (name) }
                                td.bar { (cell_bar("fill-accent", *n, longest)) }
                                td.n { (count(*n)) }
                                td.n { (other) }
                            }
                        }
                    }
                }
            }
            (more(rows.len(), language))
        }
    }
}

/// What customers wanted, and how calls ended.
pub(super) fn intents(batch: &Batch, language: Language) -> Markup {
    let mut intents: Vec<_> = batch.intents.iter().collect();
    intents.sort_by_key(|(_, mentions)| Reverse(mentions.n_calls));
    let intents: Vec<_> = intents
        .into_iter()
        .map(|(label, mentions)| {
            (
                language.intent_name(label),
                mentions.n_calls,
                count(mentions.n),
            )
        })
        .collect();
    let mut outcomes: Vec<_> = batch.dispositions.iter().collect();
    outcomes.sort_by_key(|(_, n)| Reverse(**n));
    let outcomes: Vec<_> = outcomes
        .into_iter()
        .map(|(label, n)| {
            (
                language.intent_name(label),
                *n,
                percent(*n, batch.n_calls()),
            )
        })
        .collect();
    if intents.is_empty() && outcomes.is_empty() {
        return html! {};
    }
    html! {
        div.pair {
            div { (tally(language.intent(), [language.calls(), language.utterances()], &intents, language)) }
            div { (tally(language.disposition(), [language.calls(), language.share_of_calls()], &outcomes, language)) }
        }
    }
}

/// Personal data by kind; never what was said.
pub(super) fn personal_data(batch: &Batch, language: Language) -> Markup {
    let mut rows: Vec<_> = batch.pii.iter().collect();
    rows.sort_by_key(|(_, mentions)| Reverse(mentions.n));
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(kind, mentions)| {
            (
                language.pii_name(*kind).to_owned(),
                mentions.n,
                count(mentions.n_calls),
            )
        })
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    let note = html! { p.note { (language.personal_data_note()) } };
    html! { (note) (tally(language.kind(), [language.mentions(), language.calls()], &rows, language)) }
}

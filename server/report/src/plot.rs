//! Plots as inline SVG. Widths are percentages, so that they fit any screen while their letters keep their size.

use maud::{Markup, html};

use crate::format::{count, decimal};

/// Room on the left for the axis' numbers, percent of the width.
const LEFT: f64 = 9.0;
const RIGHT: f64 = 99.5;
/// Top of the plot area, pixels.
const TOP: f64 = 16.0;
const BOTTOM: f64 = 170.0;
/// Room beneath the plot area for its labels, and for the name of the axis.
const LABELS_HEIGHT: u32 = 22;
const AXIS_NAME_HEIGHT: u32 = 16;

/// One kind of bar in a plot.
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    /// Its colour: a class of the page's style.
    pub(crate) class: &'static str,
    pub(crate) counts: Vec<u64>,
}

/// How the series of a plot of columns stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrangement {
    SideBySide,
    Stacked,
}

/// Columns over labelled places.
pub(crate) struct Columns<'a> {
    pub(crate) title: &'a str,
    pub(crate) note: String,
    pub(crate) x_axis: &'a str,
    pub(crate) y_axis: &'a str,
    /// What each place is called.
    pub(crate) labels: Vec<String>,
    /// What stands between the places and at both ends; empty where the places' names stand under them.
    pub(crate) edges: Vec<String>,
    pub(crate) series: Vec<Series<'a>>,
    pub(crate) arrangement: Arrangement,
}

impl Columns<'_> {
    pub(crate) fn render(&self) -> Markup {
        let top = nice_ceiling(self.highest());
        html! {
            figure {
                figcaption { (self.title) @if !self.note.is_empty() { small { (self.note) } } }
                @if self.series.len() > 1 { (legend(self.series.iter().map(|one| (one.name, one.class)))) }
                svg role="img" aria-label=(self.spoken()) height=(height(self.x_axis)) {
                    (grid(top, |value| count(value.round() as u64)))
                    (self.bars(top))
                    (self.axis())
                    (axis_titles(self.x_axis, self.y_axis))
                }
            }
        }
    }

    fn axis(&self) -> Markup {
        if self.edges.is_empty() {
            return axis_labels(&self.labels);
        }
        let step = (RIGHT - LEFT) / self.labels.len().max(1) as f64;
        html! {
            @for (idx, edge) in self.edges.iter().enumerate().filter(|(_, edge)| !edge.is_empty()) {
                @let anchor = if idx == self.labels.len() { "end" } else { "middle" };
                text x=(share(LEFT + step * idx as f64)) y=(pixels(BOTTOM + 15.0)) text-anchor=(anchor) { (edge) }
            }
        }
    }

    fn highest(&self) -> u64 {
        (0..self.labels.len())
            .map(|idx| {
                let counts = self
                    .series
                    .iter()
                    .map(|one| one.counts.get(idx).copied().unwrap_or(0));
                match self.arrangement {
                    Arrangement::SideBySide => counts.max().unwrap_or(0),
                    Arrangement::Stacked => counts.sum(),
                }
            })
            .max()
            .unwrap_or(0)
    }

    fn bars(&self, top: f64) -> Markup {
        let step = (RIGHT - LEFT) / self.labels.len().max(1) as f64;
        let n_beside = match self.arrangement {
            Arrangement::SideBySide => self.series.len().max(1),
            Arrangement::Stacked => 1,
        };
        let width = step * 0.78 / n_beside as f64;
        html! {
            @for (idx, label) in self.labels.iter().enumerate() {
                @let left = LEFT + step * (idx as f64 + 0.11);
                @let beneath = self.beneath(idx);
                @for (place, series) in self.series.iter().enumerate() {
                    @let n = series.counts.get(idx).copied().unwrap_or(0);
                    @let beside = if n_beside > 1 { place as f64 * width } else { 0.0 };
                    @if n > 0 {
                        @let height = scaled(n as f64, top).max(1.0);
                        @let y = BOTTOM - scaled(beneath[place] as f64, top) - height;
                        rect.(series.class).stack[self.arrangement == Arrangement::Stacked] x=(share(left + beside)) width=(share(width)) y=(pixels(y)) height=(pixels(height)) {
                            title { (label) " · " (series.name) ": " (count(n)) }
                        }
                        @if self.series.len() == 1 && self.labels.len() <= 12 {
                            text x=(share(left + width / 2.0)) y=(pixels(y - 4.0)) text-anchor="middle" { (count(n)) }
                        }
                    }
                }
            }
        }
    }

    /// What each series of a stack stands on.
    fn beneath(&self, idx: usize) -> Vec<u64> {
        let mut sum = 0;
        self.series
            .iter()
            .map(|series| {
                let below = sum;
                if self.arrangement == Arrangement::Stacked {
                    sum += series.counts.get(idx).copied().unwrap_or(0);
                }
                below
            })
            .collect()
    }

    /// The plot in words.
    fn spoken(&self) -> String {
        let mut words = format!("{}. {} / {}.", self.title, self.x_axis, self.y_axis);
        for series in &self.series {
            words.push_str(&format!(" {}:", series.name));
            let counts = series
                .counts
                .iter()
                .zip(&self.labels)
                .filter(|(n, _)| **n > 0);
            for (n, label) in counts {
                words.push_str(&format!(" {label} {n};"));
            }
        }
        words
    }
}

/// One line of a plot over time; `None` where there is nothing to show.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) class: &'static str,
    pub(crate) fill: &'static str,
    pub(crate) values: Vec<Option<f64>>,
}

/// Lines of values from 0 to 100.
pub(crate) fn lines(title: &str, y_axis: &str, labels: &[String], lines: &[Line<'_>]) -> Markup {
    let step = (RIGHT - LEFT) / labels.len().max(1) as f64;
    let x = |idx: usize| share(LEFT + step * (idx as f64 + 0.5));
    let y = |value: f64| pixels(BOTTOM - scaled(value, 100.0));
    let mut spoken = format!("{title}. {y_axis}.");
    for line in lines {
        spoken.push_str(&format!(" {}:", line.name));
        for (label, value) in labels.iter().zip(&line.values) {
            if let Some(value) = value {
                spoken.push_str(&format!(" {label} {};", decimal(*value, 0)));
            }
        }
    }
    html! {
        figure {
            figcaption { (title) }
            (legend(lines.iter().map(|line| (line.name, line.fill))))
            svg role="img" aria-label=(spoken) height=(height("")) {
                (grid(100.0, |value| decimal(value, 0)))
                @for line in lines {
                    @for (idx, pair) in line.values.windows(2).enumerate() {
                        @if let [Some(from), Some(to)] = pair {
                            line.(line.class) x1=(x(idx)) y1=(y(*from)) x2=(x(idx + 1)) y2=(y(*to)) {}
                        }
                    }
                    @for (idx, value) in line.values.iter().enumerate() {
                        @if let Some(value) = value {
                            circle.(line.fill) cx=(x(idx)) cy=(y(*value)) r="3" {
                                title { (labels.get(idx).map_or("", String::as_str)) " · " (line.name) ": " (decimal(*value, 1)) }
                            }
                        }
                    }
                }
                (axis_labels(labels))
                (axis_titles("", y_axis))
            }
        }
    }
}

/// A bar of parts that make up a whole, with the parts' names and shares beneath a heading.
pub(crate) fn share_bar(heading: &str, parts: &[(&str, &'static str, u64)]) -> Markup {
    let whole: u64 = parts.iter().map(|(.., n)| n).sum();
    let mut from = 0;
    let placed: Vec<_> = parts
        .iter()
        .map(|(name, class, n)| {
            let start = from;
            from += n;
            (*name, *class, *n, start)
        })
        .collect();
    let of_whole = |n: u64| 100.0 * n as f64 / whole.max(1) as f64;
    let spoken: Vec<String> = parts
        .iter()
        .map(|(name, _, n)| format!("{name} {}", crate::format::percent(*n, whole)))
        .collect();
    html! {
        div.share {
            small { (heading) }
            svg role="img" aria-label=(format!("{heading}: {}", spoken.join(", "))) height="18" {
                @for (name, class, n, start) in placed {
                    @if n > 0 {
                        rect.(class) x=(share(of_whole(start))) width=(share(of_whole(n))) height="18" {
                            title { (name) ": " (count(n)) " (" (crate::format::percent(n, whole)) ")" }
                        }
                    }
                }
            }
        }
    }
}

/// A bar in a table's cell, whose number stands in another.
pub(crate) fn cell_bar(class: &'static str, n: u64, longest: u64) -> Markup {
    let width = 100.0 * n as f64 / longest.max(1) as f64;
    html! {
        svg aria-hidden="true" height="14" {
            @if n > 0 { rect.(class) width=(share(width)) y="2" height="10" {} }
        }
    }
}

/// The part of 0 to 100 points that a column of [`dumbbell`](Domain::dumbbell)s shows.
#[derive(Clone, Copy)]
pub(crate) struct Domain {
    low: f64,
}

impl Domain {
    /// From the ten beneath the lowest value to 100.
    pub(crate) fn holding(values: impl Iterator<Item = f64>) -> Self {
        let lowest = values.fold(90.0, f64::min);
        Self {
            low: ((lowest - 1.0) / 10.0).floor().clamp(0.0, 9.0) * 10.0,
        }
    }

    fn place(self, value: f64) -> String {
        let span = 100.0 - self.low;
        share(2.0 + 96.0 * ((value - self.low) / span).clamp(0.0, 1.0))
    }

    /// Two points in a table's cell, the later one filled; one where the other is not known.
    pub(crate) fn dumbbell(self, before: Option<f64>, after: Option<f64>) -> Markup {
        html! {
            svg aria-hidden="true" height="14" {
                line.grid x1="2%" x2="98%" y1="7" y2="7" {}
                @if let (Some(before), Some(after)) = (before, after) {
                    line.line-accent x1=(self.place(before)) x2=(self.place(after)) y1="7" y2="7" {}
                }
                @if let Some(before) = before { circle.fill-was cx=(self.place(before)) cy="7" r="5" {} }
                @if let Some(after) = after { circle.fill-accent cx=(self.place(after)) cy="7" r="5" {} }
            }
        }
    }

    /// The scale over the column.
    pub(crate) fn scale(self) -> Markup {
        html! {
            svg aria-hidden="true" height="14" width="100%" {
                text x="2%" y="11" { (decimal(self.low, 0)) }
                text.wide x="50%" y="11" text-anchor="middle" { (decimal((self.low + 100.0) / 2.0, 0)) }
                text x="98%" y="11" text-anchor="end" { "100" }
            }
        }
    }
}

/// Colours and their names.
pub(crate) fn legend<'a>(entries: impl Iterator<Item = (&'a str, &'static str)>) -> Markup {
    html! {
        ul.legend {
            @for (name, class) in entries {
                li { svg aria-hidden="true" { rect.(class) width="10" height="10" rx="2" {} } (name) }
            }
        }
    }
}

fn height(x_axis: &str) -> u32 {
    BOTTOM as u32
        + LABELS_HEIGHT
        + if x_axis.is_empty() {
            0
        } else {
            AXIS_NAME_HEIGHT
        }
}

fn grid(top: f64, label: impl Fn(f64) -> String) -> Markup {
    html! {
        @for tick in ticks(top) {
            @let y = BOTTOM - scaled(tick, top);
            line.grid.base[tick == 0.0] x1=(share(LEFT)) x2=(share(RIGHT)) y1=(pixels(y)) y2=(pixels(y)) {}
            text x=(share(LEFT - 1.2)) y=(pixels(y + 4.0)) text-anchor="end" { (label(tick)) }
        }
    }
}

/// As many labels as there is room for, evenly apart.
fn axis_labels(labels: &[String]) -> Markup {
    let step = (RIGHT - LEFT) / labels.len().max(1) as f64;
    let longest = labels
        .iter()
        .map(|label| label.chars().count())
        .max()
        .unwrap_or(0);
    let n_fitting = (42 / longest.max(1)).max(2);
    let every = labels.len().div_ceil(n_fitting).max(1);
    html! {
        @for (idx, label) in labels.iter().enumerate().step_by(every) {
            text x=(share(LEFT + step * (idx as f64 + 0.5))) y=(pixels(BOTTOM + 15.0)) text-anchor="middle" { (label) }
        }
    }
}

fn axis_titles(x_axis: &str, y_axis: &str) -> Markup {
    html! {
        text x="0" y="8" { (y_axis) }
        text x=(share(RIGHT)) y=(pixels(BOTTOM + 33.0)) text-anchor="end" { (x_axis) }
    }
}

/// Height of a value in the plot area, pixels.
fn scaled(value: f64, top: f64) -> f64 {
    (value / top.max(1.0)).clamp(0.0, 1.0) * (BOTTOM - TOP - 12.0)
}

/// The next number that four steps of whole numbers reach: 4, 8, 12, 16, 20, 32, 40, 60, 80, 100, 120, …
fn nice_ceiling(highest: u64) -> f64 {
    let highest = highest as f64;
    let mut unit = 1.0;
    loop {
        for multiple in [4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 32.0] {
            let top = multiple * unit;
            if highest <= top && top % 4.0 == 0.0 {
                return top;
            }
        }
        unit *= 10.0;
    }
}

fn ticks(top: f64) -> [f64; 5] {
    [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| share * top)
}

fn share(percent: f64) -> String {
    let text = format!("{percent:.2}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

fn pixels(value: f64) -> String {
    format!("{value:.1}")
}

/// Names of ten bins, and of the edges between them.
pub(crate) fn bin_labels(first: f64, width: f64, ends: (Open, Open)) -> (Vec<String>, Vec<String>) {
    let n_digits = usize::from(width.fract() != 0.0);
    let edge = |idx: u32| decimal(first + width * f64::from(idx), n_digits);
    let labels = (0..10).map(|idx| match (idx, ends) {
        (0, (Open::Yes, _)) => format!("<{}", edge(1)),
        (9, (_, Open::Yes)) => format!("≥{}", edge(9)),
        _ => format!("{}–{}", edge(idx), edge(idx + 1)),
    });
    let edges = (0..=10).map(|idx| match (idx, ends) {
        (0, (Open::Yes, _)) | (10, (_, Open::Yes)) => String::new(),
        _ => edge(idx),
    });
    (labels.collect(), edges.collect())
}

/// Names of ten bins that hold one whole number each; the last holds all beyond it.
pub(crate) fn whole_number_labels() -> (Vec<String>, Vec<String>) {
    let labels = (0..10).map(|n| {
        if n == 9 {
            "≥9".to_owned()
        } else {
            n.to_string()
        }
    });
    (labels.collect(), Vec::new())
}

/// Whether an end bin holds all beyond it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_that_hold_the_highest() {
        let check = |highest, expected: f64| assert_eq!(nice_ceiling(highest), expected);
        check(0, 4.0);
        check(4, 4.0);
        check(5, 8.0);
        check(9, 12.0);
        check(21, 32.0);
        check(85, 100.0);
        check(12_345, 16_000.0);
        check(u64::MAX, 2e19);
    }

    #[test]
    fn a_plot_says_its_counts_in_words() {
        let plot = Columns {
            title: "Scores",
            note: String::new(),
            x_axis: "points",
            y_axis: "calls",
            labels: vec!["0".into(), "10".into()],
            edges: Vec::new(),
            series: vec![Series {
                name: "now",
                class: "fill-accent",
                counts: vec![0, 3],
            }],
            arrangement: Arrangement::SideBySide,
        };
        let html = plot.render().into_string();
        assert!(
            html.contains("aria-label=\"Scores. points / calls. now: 10 3;\""),
            "{html}"
        );
        assert_eq!(html.matches("<rect").count(), 1);
    }
}

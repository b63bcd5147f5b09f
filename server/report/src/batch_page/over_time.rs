//! A batch over days, weeks or months, whichever makes a plot that can be read.

use std::collections::BTreeMap;

use auricle_contracts::Severity;
use maud::{Markup, html};
use time::{Date, Duration};

use crate::batch::{Batch, Quality, severity_place};
use crate::format::count;
use crate::language::Language;
use crate::plot::{Arrangement, Columns, Line, Series, lines};

/// Most places on the axis of time.
const N_PLACES_MAX: i64 = 62;

/// What one place on the axis stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Day,
    Week,
    Month,
    Year,
}

impl Step {
    /// The finest that leaves few enough places.
    fn fitting(first: Date, last: Date) -> Self {
        let n_days = (last - first).whole_days();
        match n_days {
            n if n < N_PLACES_MAX => Self::Day,
            n if n < N_PLACES_MAX * 7 => Self::Week,
            n if n < N_PLACES_MAX * 28 => Self::Month,
            _ => Self::Year,
        }
    }

    /// First day of the step a day belongs to. Weeks begin on Monday (ISO 8601).
    fn start(self, day: Date) -> Date {
        let back = match self {
            Self::Day => 0,
            Self::Week => day.weekday().number_days_from_monday(),
            Self::Month => day.day() - 1,
            Self::Year => return Date::from_ordinal_date(day.year(), 1).unwrap_or(day),
        };
        day.checked_sub(Duration::days(i64::from(back)))
            .unwrap_or(day)
    }

    fn next(self, start: Date) -> Option<Date> {
        let n_days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => i64::from(start.month().length(start.year())),
            Self::Year => i64::from(time::util::days_in_year(start.year())),
        };
        start.checked_add(Duration::days(n_days))
    }

    fn label(self, start: Date) -> String {
        let month = u8::from(start.month());
        match self {
            Self::Day | Self::Week => format!("{month:02}-{:02}", start.day()),
            Self::Month => format!("{}-{month:02}", start.year()),
            Self::Year => start.year().to_string(),
        }
    }

    fn note(self, language: Language) -> &'static str {
        match self {
            Self::Day => language.pick("by day", "按日"),
            Self::Week => language.pick("by week, named by its Monday", "按周（以周一日期标注）"),
            Self::Month => language.pick("by month", "按月"),
            Self::Year => language.pick("by year", "按年"),
        }
    }
}

/// Left out where fewer than two days are known.
pub(super) fn section(batch: &Batch, language: Language) -> Markup {
    let (Some((first, _)), Some((last, _))) =
        (batch.days.first_key_value(), batch.days.last_key_value())
    else {
        return html! {};
    };
    if first == last {
        return html! {};
    }
    let step = Step::fitting(*first, *last);
    let places = places(&batch.days, step);
    let labels: Vec<String> = places.iter().map(|(start, _)| step.label(*start)).collect();
    let n_dated: u64 = places.iter().map(|(_, quality)| quality.n_calls).sum();
    let note = match language {
        Language::English => format!(
            "{}; {} calls with a known date",
            step.note(language),
            count(n_dated)
        ),
        Language::Chinese => format!(
            "{}；日期已知的通话 {} 通",
            step.note(language),
            count(n_dated)
        ),
    };
    html! {
        div.pair {
            (violations(&places, &labels, note, language))
            @if batch.quality.n_scored > 0 { (quality(&places, &labels, language)) }
        }
    }
}

/// All places from first to last, those without calls too.
fn places(days: &BTreeMap<Date, Quality>, step: Step) -> Vec<(Date, Quality)> {
    let mut steps: BTreeMap<Date, Quality> = BTreeMap::new();
    for (day, quality) in days {
        steps.entry(step.start(*day)).or_default().merge(quality);
    }
    let (Some(first), Some(last)) = (
        steps.keys().next().copied(),
        steps.keys().next_back().copied(),
    ) else {
        return Vec::new();
    };
    let mut places = Vec::new();
    let mut at = Some(first);
    while let Some(start) = at.filter(|start| *start <= last) {
        // A date that is centuries off must not make the page as long.
        if places.len() as i64 > N_PLACES_MAX * 4 {
            break;
        }
        places.push((start, steps.remove(&start).unwrap_or_default()));
        at = step.next(start);
    }
    places
}

fn violations(
    places: &[(Date, Quality)],
    labels: &[String],
    note: String,
    language: Language,
) -> Markup {
    let series = [
        (Severity::Critical, "fill-critical"),
        (Severity::Major, "fill-major"),
        (Severity::Minor, "fill-minor"),
    ];
    let plot = Columns {
        title: language.hits_over_time(),
        note,
        x_axis: "",
        y_axis: language.n_hits_axis(),
        labels: labels.to_vec(),
        edges: Vec::new(),
        series: series
            .iter()
            .map(|(severity, class)| Series {
                name: language.severity_name(*severity),
                class,
                counts: places
                    .iter()
                    .map(|(_, quality)| quality.n_hits[severity_place(*severity)])
                    .collect(),
            })
            .collect(),
        arrangement: Arrangement::Stacked,
    };
    plot.render()
}

fn quality(places: &[(Date, Quality)], labels: &[String], language: Language) -> Markup {
    let line = |name, class, fill, of: fn(&Quality) -> Option<f64>| Line {
        name,
        class,
        fill,
        values: places.iter().map(|(_, quality)| of(quality)).collect(),
    };
    lines(
        language.quality_over_time(),
        language.percent_or_points(),
        labels,
        &[
            line(
                language.mean_score(),
                "line-was",
                "fill-was",
                Quality::mean_score,
            ),
            line(
                language.pass_rate(),
                "line-accent",
                "fill-accent",
                Quality::pass_percent,
            ),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        let parts: Vec<i32> = text.split('-').map(|part| part.parse().unwrap()).collect();
        Date::from_calendar_date(
            parts[0],
            u8::try_from(parts[1]).unwrap().try_into().unwrap(),
            u8::try_from(parts[2]).unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn long_spans_take_coarser_steps_and_leave_no_place_out() {
        let check = |first, last, step, n_places| {
            let days = [first, last].map(|day| {
                (
                    date(day),
                    Quality {
                        n_calls: 1,
                        ..Quality::default()
                    },
                )
            });
            let found = Step::fitting(date(first), date(last));
            assert_eq!(found, step);
            let places = places(&days.into(), found);
            assert_eq!(places.len(), n_places, "{first} {last}");
            assert_eq!(
                places
                    .iter()
                    .map(|(_, quality)| quality.n_calls)
                    .sum::<u64>(),
                2
            );
        };
        check("2026-11-01", "2026-11-03", Step::Day, 3);
        check("2026-02-27", "2026-03-02", Step::Day, 4);
        check("2026-01-01", "2026-04-01", Step::Week, 14);
        check("2024-01-31", "2026-01-01", Step::Month, 25);
        check("1996-06-01", "2026-01-01", Step::Year, 31);
    }
}

//! Any spoken number at a position: digit by digit, with place words, or with decimals.

use super::cells::Cells;
use super::dates::is_clock_hour;
use super::digits::{DigitRun, Run, read_run};
use super::number::{format_cardinal, is_counter, read_cardinal};
use super::rough::{read_rough, rough_tail};

/// What a number looks like when written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// Said roughly: stays in hanzi.
    Rough,
    /// One digit word alone: whether it is written in digits depends on what it counts.
    Single(u8),
    /// Digits one by one.
    Digits(DigitRun),
    /// A cardinal's value.
    Value(u64),
    /// A decimal, written.
    Decimal(String),
}

/// A number found in the cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    /// How it is written.
    pub(super) figure: Figure,
    /// First cell behind it.
    pub(super) end: usize,
}

impl Quantity {
    /// The number in digits without 万 and 亿; `None` when it stays in hanzi.
    pub(super) fn plain_digits(&self) -> Option<String> {
        match &self.figure {
            Figure::Rough => None,
            Figure::Single(digit) => Some(digit.to_string()),
            Figure::Digits(run) => Some(run.written.iter().collect()),
            Figure::Value(value) => Some(value.to_string()),
            Figure::Decimal(text) => Some(text.clone()),
        }
    }

    /// The number as it is written in running text; `None` when it stays in hanzi.
    pub(super) fn written(&self) -> Option<String> {
        match &self.figure {
            Figure::Value(value) => Some(format_cardinal(*value)),
            _ => self.plain_digits(),
        }
    }
}

/// Reads the number that begins at `start`.
pub(super) fn read_quantity(cells: &Cells<'_>, start: usize) -> Option<Quantity> {
    if let Some(end) = read_rough(cells, start) {
        return Some(Quantity {
            figure: Figure::Rough,
            end,
        });
    }
    let whole = read_whole(cells, start)?;
    if let Some(end) = rough_tail(cells, whole.end) {
        // 三多 is no number; 三十多, 三百来 and 十几 are.
        let has_places = !matches!(whole.figure, Figure::Single(_) | Figure::Digits(_));
        return Some(match has_places {
            true => Quantity {
                figure: Figure::Rough,
                end,
            },
            false => whole,
        });
    }
    Some(read_decimal(cells, start, &whole).unwrap_or(whole))
}

fn read_whole(cells: &Cells<'_>, start: usize) -> Option<Quantity> {
    if let Some(cardinal) = read_cardinal(cells, start) {
        let figure = cardinal.value.map_or(Figure::Rough, Figure::Value);
        return Some(Quantity {
            figure,
            end: cardinal.end,
        });
    }
    match read_run(cells, start) {
        Some(Run::Rough(end)) => Some(Quantity {
            figure: Figure::Rough,
            end,
        }),
        Some(Run::Digits(run)) => {
            let end = run.end;
            Some(Quantity {
                figure: Figure::Digits(run),
                end,
            })
        }
        None => {
            let digit = cells.digit(start)?;
            Some(Quantity {
                figure: Figure::Single(digit),
                end: start + 1,
            })
        }
    }
}

/// 点 and digits behind a whole number, unless they tell the time.
fn read_decimal(cells: &Cells<'_>, start: usize, whole: &Quantity) -> Option<Quantity> {
    if cells.ch(whole.end) != '点' || matches!(whole.figure, Figure::Rough) {
        return None;
    }
    let mut end = whole.end + 1;
    let mut decimals = String::new();
    while let Some(digit) = cells.digit(end).filter(|_| !matches!(cells.ch(end), '两')) {
        decimals.push(char::from_digit(u32::from(digit), 10)?);
        end += 1;
    }
    let counts_next = decimals == "1" && is_counter(cells, end);
    if decimals.is_empty() || counts_next || is_clock_hour(cells, start, whole.end, end) {
        return None;
    }
    let figure = Figure::Decimal(format!("{}.{decimals}", whole.plain_digits()?));
    Some(Quantity { figure, end })
}

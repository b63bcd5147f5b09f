//! Percent, per mille and fractions: 百分之五, 千分之三, 三分之一.

use super::cells::Cells;
use super::quantity::{Figure, Quantity, read_quantity};

/// A stretch of cells and what is written for it; `None` where it stays as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// Written form.
    pub(super) written: Option<String>,
    /// First cell behind it.
    pub(super) end: usize,
}

/// Reads 百分之…, 千分之… or 万分之… at a position.
///
/// 万分之五 becomes 万分之5: the per-myriad sign is unknown to most readers.
pub(super) fn read_rate(cells: &Cells<'_>, start: usize) -> Option<Rate> {
    let (before, after) = match cells.ch(start) {
        '百' => ("", "%"),
        '千' => ("", "‰"),
        '万' => ("万分之", ""),
        _ => return None,
    };
    if !cells.follows(start + 1, "分之") {
        return None;
    }
    let amount = read_amount(cells, start + 3)?;
    let is_idiom = before == "万分之" && amount.figure == Figure::Single(1);
    let digits = amount.plain_digits().filter(|_| !is_idiom);
    let written = digits.map(|digits| format!("{before}{digits}{after}"));
    Some(Rate {
        written,
        end: amount.end,
    })
}

/// 百分之百 has a bare 百 for its amount.
fn read_amount(cells: &Cells<'_>, at: usize) -> Option<Quantity> {
    match cells.place(at) {
        Some(100) if !cells.follows(at + 1, "分之") => Some(Quantity {
            figure: Figure::Value(100),
            end: at + 1,
        }),
        _ => read_quantity(cells, at),
    }
}

/// The second end of 百分之三到五: a bare number behind 到 or 至 that takes the sign too.
pub(super) fn read_range_end(cells: &Cells<'_>, to: usize, sign: &str) -> Option<Rate> {
    if !matches!(cells.ch(to), '到' | '至') {
        return None;
    }
    let amount = read_quantity(cells, to + 1)?;
    let counts_something = super::units::counts(cells, amount.end);
    if counts_something || cells.follows(amount.end, "分之") {
        return None;
    }
    let written = amount
        .plain_digits()
        .map(|digits| format!("{digits}{sign}"));
    written.map(|written| Rate {
        written: Some(written),
        end: amount.end,
    })
}

/// Reads 分之 and a numerator behind the denominator: 三分之一 is 1/3.
pub(super) fn read_fraction(cells: &Cells<'_>, denominator: &Quantity) -> Option<Rate> {
    if !cells.follows(denominator.end, "分之") {
        return None;
    }
    let numerator = read_quantity(cells, denominator.end + 2)?;
    let written = match (numerator.plain_digits(), denominator.plain_digits()) {
        (Some(above), Some(below)) => Some(format!("{above}/{below}")),
        _ => None,
    };
    Some(Rate {
        written,
        end: numerator.end,
    })
}

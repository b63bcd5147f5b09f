//! Clock times and dates: what tells 三点五十 from 三点五, and which parts belong together.

use super::cells::Cells;
use super::quantity::{Figure, Quantity};

/// Words before an hour.
const DAY_PARTS: [&str; 16] = [
    "上午", "下午", "早上", "早晨", "清晨", "晚上", "中午", "凌晨", "傍晚", "夜里", "半夜", "今晚",
    "明晚", "今早", "明早", "当晚",
];

/// Whether the number in `start..point` with 点 behind it tells the time although digits follow 点;
/// `end` is the cell behind those digits.
pub(super) fn is_clock_hour(cells: &Cells<'_>, start: usize, point: usize, end: usize) -> bool {
    let minutes_follow = match cells.ch(end) {
        '十' => end == point + 2,
        '点' | '刻' => true,
        '分' => !matches!(cells.ch(end + 1), '钟' | '之'),
        _ => false,
    };
    minutes_follow || after_day_part(cells, start)
}

/// Whether a word for a part of the day stands before a position.
pub(super) fn after_day_part(cells: &Cells<'_>, at: usize) -> bool {
    DAY_PARTS.iter().any(|part| cells.precedes(at, part))
}

/// Whether 一 before 点 (at `point`) is one o'clock and not 一点, a little.
pub(super) fn is_one_o_clock(cells: &Cells<'_>, at: usize, point: usize) -> bool {
    let next = point + 1;
    let says_so = matches!(cells.ch(next), '半' | '钟' | '整') || cells.ch(next + 1) == '刻';
    says_so || minutes_follow(cells, next) || after_day_part(cells, at)
}

/// Ten to fifty-nine, or a digit behind 零 or before 分, that count nothing else:
/// 便宜一点三十块 holds none.
fn minutes_follow(cells: &Cells<'_>, at: usize) -> bool {
    let tens_digit = usize::from(cells.digit(at).is_some_and(|tens| tens > 0));
    let mut end = at + tens_digit;
    if cells.place(end) == Some(10) {
        end += 1 + usize::from(cells.digit(end + 1).is_some());
        return cells.ch(end) == '分' || super::units::unit_cells(cells, end) == 0;
    }
    let ones = cells.digit(at).is_some() && cells.ch(at + 1) == '分';
    ones || cells.digit(at) == Some(0) && cells.digit(at + 1).is_some()
}

/// Whether the number at `start` continues a date, a time or an amount, so that no pause parts them:
/// 三月|五号, 三点|二十, 三块|五.
pub(super) fn continues(cells: &Cells<'_>, start: usize, quantity: &Quantity) -> bool {
    let next = cells.ch(quantity.end);
    let counted_before = start >= 2 && super::cells::is_numeral(cells.back(start, 2));
    counted_before
        && match cells.back(start, 1) {
            '年' => next == '月',
            '月' => matches!(next, '号' | '日'),
            '点' => next == '分' || !matches!(quantity.figure, Figure::Single(_)),
            '块' | '元' | '毛' | '角' => {
                matches!(quantity.figure, Figure::Single(_)) && !matches!(next, '个' | '天' | '年')
            }
            _ => false,
        }
}

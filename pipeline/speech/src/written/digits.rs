//! Digits said one by one: telephone, card, order and room numbers, years.

use super::cells::Cells;
use super::number::is_counter;
use super::rough::is_rough_pair;

/// A string of spoken digits, one written digit per cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DigitRun {
    /// One character per cell: `0` to `9`, and `X` at the end of an identity card number.
    pub(super) written: Vec<char>,
    /// First cell behind it.
    pub(super) end: usize,
}

/// What a row of digit words is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// To be written in digits.
    Digits(DigitRun),
    /// A guess or a list (三四, 一一): stays in hanzi up to this cell.
    Rough(usize),
}

/// Digits of an identity card before its check letter.
const ID_CARD_DIGITS: usize = 17;

/// Reads two or more digit words in a row; `None` when they are no number together.
pub(super) fn read_run(cells: &Cells<'_>, start: usize) -> Option<Run> {
    // 十块零五毛: 零 parts the coins and opens no row of digits.
    if cells.digit(start) == Some(0) && matches!(cells.back(start, 1), '块' | '元' | '毛') {
        return None;
    }
    let mut written = Vec::new();
    while let Some(digit) = spelled_digit(cells, start, start + written.len()) {
        written.push(digit);
    }
    trim_radio_words(cells, start, &mut written);
    trim_last(cells, start, &mut written);
    let end = start + written.len();
    if written.len() < 2 {
        return None;
    }
    if stays_hanzi(cells, start, end) {
        return Some(Run::Rough(end));
    }
    if written.len() == ID_CARD_DIGITS && cells.ch(end) == '叉' {
        written.push('X');
    }
    let end = start + written.len();
    Some(Run::Digits(DigitRun { written, end }))
}

fn spelled_digit(cells: &Cells<'_>, start: usize, at: usize) -> Option<char> {
    let digit = cells.digit(at).or_else(|| radio_digit(cells, start, at))?;
    char::from_digit(u32::from(digit), 10)
}

/// 洞 (0), 拐 (7) and 勾 (9) are digits only beside other spelled digits.
fn radio_digit(cells: &Cells<'_>, start: usize, at: usize) -> Option<u8> {
    let digit = match cells.ch(at) {
        '洞' => 0,
        '拐' => 7,
        '勾' => 9,
        _ => return None,
    };
    let beside = |ch: char| matches!(ch, '洞' | '拐' | '勾');
    let after = cells.digit(at + 1).is_some() || beside(cells.ch(at + 1));
    let before = at > start;
    (before || (after && cells.digit(at + 1).is_some())).then_some(digit)
}

/// Without 幺, a number neither begins nor ends in a word that may be an ordinary one.
fn trim_radio_words(cells: &Cells<'_>, start: usize, written: &mut Vec<char>) {
    let spelled = (start..start + written.len()).any(|at| cells.ch(at) == '幺');
    if spelled && written.len() >= 3 {
        return;
    }
    while written.last().is_some() && cells.digit(start + written.len() - 1).is_none() {
        written.pop();
    }
    let n_plain = (start..start + written.len())
        .filter(|&at| cells.digit(at).is_some())
        .count();
    if n_plain < written.len() && (n_plain < 3 || cells.digit(start).is_none()) {
        written.clear();
    }
}

/// The last digit may open what follows: 三百 after a room number, 一个.
fn trim_last(cells: &Cells<'_>, start: usize, written: &mut Vec<char>) {
    let end = start + written.len();
    let opens_number = cells.multiplier(end).is_some() && !cells.follows(end + 1, "分之");
    let opens_count = cells.back(end, 1) == '一' && is_counter(cells, end) && !is_year(cells, end);
    if opens_number || opens_count {
        written.pop();
        // 二五百 is nothing anyone says: leave it alone.
        if opens_number && written.len() < 3 {
            written.clear();
        }
    }
}

fn is_year(cells: &Cells<'_>, end: usize) -> bool {
    matches!(cells.ch(end), '年' | '月' | '期' | '单' | '户' | '分')
}

fn stays_hanzi(cells: &Cells<'_>, start: usize, end: usize) -> bool {
    let has = |wanted: &str| (start..end).any(|at| wanted.contains(cells.ch(at)));
    let spelled = has("零〇幺洞拐勾");
    match end - start {
        2 => !spelled && (is_rough_pair(cells, start) || has("两")),
        3 => {
            let climbing = is_rough_pair(cells, start) && is_rough_pair(cells, start + 1);
            !spelled && (has("两") || climbing && is_counter(cells, end))
        }
        _ => false,
    }
}

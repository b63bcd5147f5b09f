//! From spoken to written characters: one pass, the first reading that fits at each position.

use super::cells::{Cells, is_numeral};
use super::dates::continues;
use super::number::format_cardinal;
use super::quantity::{Figure, Quantity, read_quantity};
use super::rates::{Rate, read_fraction, read_range_end, read_rate};
use super::units::{single_is_figure, unit_cells};

/// A stretch of cells and what is written for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// First cell.
    pub(super) start: usize,
    /// First cell behind.
    pub(super) end: usize,
    /// Written form.
    pub(super) text: String,
}

/// What may stand between two cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Bond {
    /// A mark, if the rhythm asks for one.
    #[default]
    Free,
    /// Nothing: both belong to one number.
    Joined,
    /// A mark, or two numbers would run together.
    Split,
}

/// The rewritten utterance.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Pieces in order; together they cover every cell once.
    pub(super) pieces: Vec<Piece>,
    /// `bonds[i]` stands before cell `i`.
    pub(super) bonds: Vec<Bond>,
}

/// Rewrites all numbers of an utterance.
pub(super) fn rewrite(cells: &Cells<'_>) -> Draft {
    let mut draft = Draft {
        pieces: Vec::new(),
        bonds: vec![Bond::Free; cells.len() + 1],
    };
    let mut at = 0;
    while at < cells.len() {
        at = step(cells, at, &mut draft);
    }
    draft
}

/// Rewrites what begins at a position and returns where it ends.
fn step(cells: &Cells<'_>, at: usize, draft: &mut Draft) -> usize {
    if cells.get(at).is_some_and(|cell| cell.kept) {
        return draft.push_as_said(cells, at, at + 1);
    }
    if let Some(end) = step_negative(cells, at, draft) {
        return end;
    }
    if let Some(rate) = read_rate(cells, at) {
        return step_rate(cells, at, &rate, draft);
    }
    match read_quantity(cells, at) {
        Some(quantity) => step_quantity(cells, at, &quantity, draft),
        None => draft.push_as_said(cells, at, at + 1),
    }
}

/// 负 before a decimal, a percentage or degrees; elsewhere it is part of a word (负责, 自负).
fn step_negative(cells: &Cells<'_>, at: usize, draft: &mut Draft) -> Option<usize> {
    if cells.ch(at) != '负' {
        return None;
    }
    let is_rate = read_rate(cells, at + 1).is_some_and(|rate| rate.written.is_some());
    let is_number = read_quantity(cells, at + 1).is_some_and(|quantity| match quantity.figure {
        Figure::Decimal(_) => true,
        Figure::Value(_) | Figure::Single(_) => cells.ch(quantity.end) == '度',
        _ => false,
    });
    (is_rate || is_number).then(|| {
        draft.push_written(cells, at, at + 1, "-".to_owned());
        draft.bonds[at + 1] = Bond::Joined;
        at + 1
    })
}

/// A percentage, and the second end of its range.
fn step_rate(cells: &Cells<'_>, at: usize, rate: &Rate, draft: &mut Draft) -> usize {
    let end = draft.push_rate(cells, at, rate);
    let sign = match rate.written.as_deref().and_then(|text| text.chars().last()) {
        Some('%') => "%",
        Some('‰') => "‰",
        _ => return end,
    };
    match read_range_end(cells, end, sign) {
        Some(range_end) => {
            draft.push_as_said(cells, end, end + 1);
            draft.join(end, end + 2);
            draft.push_rate(cells, end + 1, &range_end)
        }
        None => end,
    }
}

fn step_quantity(cells: &Cells<'_>, at: usize, quantity: &Quantity, draft: &mut Draft) -> usize {
    if let Some(fraction) = read_fraction(cells, quantity) {
        return draft.push_rate(cells, at, &fraction);
    }
    if let Some(text) = with_shared_unit(cells, quantity) {
        return draft.push_written(cells, at, quantity.end, text);
    }
    let end = match &quantity.figure {
        Figure::Rough => draft.push_as_said(cells, at, rough_end(cells, quantity.end)),
        Figure::Single(_) if !single_is_figure(cells, at) => {
            return draft.push_as_said(cells, at, quantity.end);
        }
        Figure::Digits(run) => draft.push_digits(cells, at, &run.written),
        _ => draft.push_written(
            cells,
            at,
            quantity.end,
            quantity.written().unwrap_or_default(),
        ),
    };
    if continues(cells, at, quantity) && draft.bonds[at] == Bond::Free {
        draft.bonds[at] = Bond::Joined;
    }
    draft.join(
        end,
        end + unit_cells(cells, end).max(usize::from(cells.myriad(end).is_some())),
    );
    end
}

/// 三到五千 is 3000 to 5000: a single digit before 到 takes the hundreds or thousands of what stands behind it.
/// `None` where there is nothing to take; in 三到五万 the 万 stays in the text and counts both.
fn with_shared_unit(cells: &Cells<'_>, from: &Quantity) -> Option<String> {
    let Figure::Single(first) = from.figure else {
        return None;
    };
    if !matches!(cells.ch(from.end), '到' | '至') {
        return None;
    }
    let Figure::Value(last) = read_quantity(cells, from.end + 1)?.figure else {
        return None;
    };
    let zeros = last.checked_ilog10()?;
    let unit = 10_u64.pow(zeros);
    let is_round = last.is_multiple_of(unit) && matches!(zeros % 4, 2 | 3);
    let rises = first > 0 && u64::from(first) < last / unit;
    (is_round && rises).then(|| format_cardinal(u64::from(first) * unit))
}

/// Where a guess ends that a number rounds up: 十几二十块, 二十几三十岁.
fn rough_end(cells: &Cells<'_>, end: usize) -> usize {
    let paused = cells.get(end).is_some_and(|cell| cell.after_pause);
    if paused || cells.back(end, 1) != '几' {
        return end;
    }
    match read_quantity(cells, end) {
        Some(next) if matches!(next.figure, Figure::Value(_)) => next.end,
        _ => end,
    }
}

impl Draft {
    /// Cells as they were said, one piece each.
    fn push_as_said(&mut self, cells: &Cells<'_>, start: usize, end: usize) -> usize {
        for at in start..end {
            let text = cells.get(at).map_or("", |cell| cell.text).to_owned();
            self.pieces.push(Piece {
                start: at,
                end: at + 1,
                text,
            });
        }
        self.join(start + 1, end);
        end
    }

    /// A number as one piece, unless it would run into the number before it.
    fn push_written(&mut self, cells: &Cells<'_>, start: usize, end: usize, text: String) -> usize {
        if !self.may_begin_with(cells, start, text.chars().next()) {
            self.take_back_cardinal(cells, start);
            return self.push_as_said(cells, start, end);
        }
        self.pieces.push(Piece { start, end, text });
        self.join(start + 1, end);
        end
    }

    /// 一百两百的: of two amounts in one breath none is written in digits.
    fn take_back_cardinal(&mut self, cells: &Cells<'_>, end: usize) {
        let is_cardinal = |piece: &Piece| {
            let mut said = piece.start..piece.end;
            said.len() > 1 && said.all(|at| is_numeral(cells.ch(at)))
        };
        if let Some(piece) = self.pieces.pop_if(|piece| is_cardinal(piece)) {
            self.push_as_said(cells, piece.start, end);
        }
    }

    /// Digits as one piece per cell, so that every digit keeps its own time.
    fn push_digits(&mut self, cells: &Cells<'_>, start: usize, written: &[char]) -> usize {
        let end = start + written.len();
        if !self.may_begin_with(cells, start, written.first().copied()) {
            return self.push_as_said(cells, start, end);
        }
        for (offset, digit) in written.iter().enumerate() {
            let at = start + offset;
            self.pieces.push(Piece {
                start: at,
                end: at + 1,
                text: digit.to_string(),
            });
        }
        self.join(start + 1, end);
        end
    }

    fn push_rate(&mut self, cells: &Cells<'_>, start: usize, rate: &Rate) -> usize {
        match &rate.written {
            Some(text) => self.push_written(cells, start, rate.end, text.clone()),
            None => self.push_as_said(cells, start, rate.end),
        }
    }

    /// No mark before the cells from `start` to `end`.
    fn join(&mut self, start: usize, end: usize) {
        for bond in self.bonds.iter_mut().take(end).skip(start) {
            *bond = Bond::Joined;
        }
    }

    /// Two numbers side by side keep apart by a pause, or the second stays in hanzi.
    fn may_begin_with(&mut self, cells: &Cells<'_>, start: usize, first: Option<char>) -> bool {
        let ends_in_digit = |piece: &Piece| piece.text.ends_with(|ch: char| ch.is_ascii_digit());
        let after_digit = start > 0
            && self.pieces.last().is_some_and(ends_in_digit)
            && cells.latin(start - 1).is_none();
        if !after_digit || !first.is_some_and(|ch| ch.is_ascii_digit()) {
            return true;
        }
        let paused = cells.get(start).is_some_and(|cell| cell.after_pause);
        if paused {
            self.bonds[start] = Bond::Split;
        }
        paused
    }
}

//! Numbers said roughly, which stay in hanzi: 三四天, 两三百, 十几个, 二十多, 几百万.

use super::cells::Cells;

/// Two neighbouring digits said as a guess: 三四, 七八, 一两, 三五, 三两.
pub(super) fn is_rough_pair(cells: &Cells<'_>, at: usize) -> bool {
    let (Some(first), Some(second)) = (cells.digit(at), cells.digit(at + 1)) else {
        return false;
    };
    let spelled = cells.ch(at) == '幺' || cells.ch(at + 1) == '幺' || first == 0;
    let liang_first = cells.ch(at) == '两';
    let neighbours = second == first + 1 && !(liang_first && cells.ch(at + 1) == '二');
    let habit = matches!((cells.ch(at), cells.ch(at + 1)), ('三', '五' | '两'));
    !spelled && !is_year(cells, at) && (neighbours || habit)
}

/// 一二年, 二三年: who guesses says 一两年, 两三年.
fn is_year(cells: &Cells<'_>, at: usize) -> bool {
    matches!(
        (cells.ch(at), cells.ch(at + 1)),
        ('一', '二') | ('二', '三')
    ) && cells.ch(at + 2) == '年'
}

/// A guess that begins here: 几百, 几十万, 两三千, 三四十万, 百八十. Returns where it ends.
pub(super) fn read_rough(cells: &Cells<'_>, at: usize) -> Option<usize> {
    if let Some(unit) = cells.multiplier(at) {
        return read_about_one(cells, at, unit);
    }
    if cells.ch(at) == '几' && cells.multiplier(at + 1).is_some() {
        return Some(skip_multipliers(cells, at + 1));
    }
    if is_rough_pair(cells, at) && cells.multiplier(at + 2).is_some() {
        let end = skip_multipliers(cells, at + 2);
        return Some(rough_tail(cells, end).unwrap_or(end));
    }
    None
}

/// 百十块, 百八十, 千八百, 万八千: about one of the unit. Returns where it ends.
fn read_about_one(cells: &Cells<'_>, at: usize, unit: u64) -> Option<usize> {
    if unit == 100 && cells.ch(at + 1) == '十' {
        return Some(at + 2);
    }
    let is_about =
        unit >= 100 && cells.ch(at + 1) == '八' && cells.place(at + 2) == Some(unit / 10);
    is_about.then_some(at + 3)
}

/// What makes the number that ended here a rough one: 几, 零几, 多, 余, 来. Returns where the guess ends.
pub(super) fn rough_tail(cells: &Cells<'_>, end: usize) -> Option<usize> {
    let next = cells.ch(end + 1);
    let is_rough = match cells.ch(end) {
        '几' => true,
        '零' if next == '几' => return Some(end + 2),
        '多' => !matches!(next, '少' | '久' | '长' | '大' | '数'),
        '余' => !matches!(next, '额' | '款' | '下' | '地' | '生'),
        '来' => {
            matches!(
                next,
                '个' | '块' | '天' | '年' | '岁' | '次' | '人' | '万' | '分' | '斤'
            )
        }
        _ => false,
    };
    is_rough.then(|| skip_multipliers(cells, end + 1))
}

/// The first cell from `at` that is no multiplier.
pub(super) fn skip_multipliers(cells: &Cells<'_>, mut at: usize) -> usize {
    // 百分之 and 千分之 open a rate of their own.
    while cells.multiplier(at).is_some() && !cells.follows(at + 1, "分之") {
        at += 1;
    }
    at
}

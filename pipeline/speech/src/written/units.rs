//! When a single digit word is written as a digit: by what it counts.
//!
//! 一 to 九 alone stay hanzi (三个人, 打了三次, 一个), because that is how they are written in running text.
//! They become digits where an inspector looks for a figure: money, dates and times, durations, ages,
//! discounts, instalments, addresses, measures. 一 is more often an article than a number, so it stays before
//! durations and measures (一年, 一个月, 一天) and becomes a digit only before the units marked [`One::Digit`].

use super::cells::Cells;
use super::dates::{after_day_part, is_one_o_clock};
use super::quantity::{Figure, read_quantity};

/// What becomes of 一 before a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum One {
    /// 1号
    Digit,
    /// 一年
    Hanzi,
}

/// A unit, what becomes of 一 before it, and the characters that show it is part of another word.
struct Unit(&'static str, One, &'static str);

/// The longest that fits counts.
const UNITS: [Unit; 71] = [
    // Money.
    Unit("块钱", One::Digit, ""),
    Unit("块", One::Hanzi, "儿"),
    Unit("元", One::Digit, "旦素月宵老气件"),
    Unit("毛", One::Hanzi, "病衣巾笔"),
    Unit("角", One::Hanzi, "度落色形"),
    Unit("分钱", One::Hanzi, ""),
    Unit("美元", One::Digit, ""),
    Unit("美金", One::Digit, ""),
    Unit("港币", One::Digit, ""),
    Unit("港元", One::Digit, ""),
    Unit("欧元", One::Digit, ""),
    Unit("英镑", One::Digit, ""),
    Unit("日元", One::Digit, ""),
    // Dates and times.
    Unit("月", One::Digit, "亮饼子球供息租薪"),
    Unit("号", One::Digit, "码称召"),
    Unit("日", One::Hanzi, "本语常子前"),
    Unit("点", One::Hanzi, "击名评头心赞菜缀儿建原意"),
    Unit("秒", One::Hanzi, "杀懂"),
    Unit("分钟", One::Hanzi, ""),
    Unit("季度", One::Digit, ""),
    // Durations.
    Unit("个月", One::Hanzi, ""),
    Unit("个半月", One::Hanzi, ""),
    Unit("个多月", One::Hanzi, ""),
    Unit("个小时", One::Hanzi, ""),
    Unit("个半小时", One::Hanzi, ""),
    Unit("个多小时", One::Hanzi, ""),
    Unit("个钟头", One::Hanzi, ""),
    Unit("个星期", One::Hanzi, ""),
    Unit("个礼拜", One::Hanzi, ""),
    Unit("个季度", One::Hanzi, ""),
    Unit("个工作日", One::Digit, ""),
    Unit("个自然日", One::Digit, ""),
    Unit("工作日", One::Digit, ""),
    Unit("小时", One::Hanzi, "候"),
    Unit("年", One::Hanzi, "级轻纪龄货味"),
    Unit("天", One::Hanzi, "津气天下然使才空堂"),
    Unit("周", One::Hanzi, "末到边围转日一二三四五六"),
    // Rates and instalments.
    Unit("个百分点", One::Digit, ""),
    Unit("个点", One::Hanzi, ""),
    Unit("个亿", One::Hanzi, ""),
    Unit("倍", One::Hanzi, ""),
    Unit("折", One::Digit, "腾磨扣叠"),
    Unit("期", One::Hanzi, "待望间限货盼"),
    // People.
    Unit("岁", One::Digit, "月"),
    // Addresses.
    Unit("栋", One::Digit, ""),
    Unit("幢", One::Digit, ""),
    Unit("单元", One::Digit, ""),
    Unit("楼", One::Digit, "梯道盘市"),
    Unit("层", One::Hanzi, "次面"),
    Unit("室", One::Digit, "友一两二三"),
    // Measures.
    Unit("公里", One::Hanzi, ""),
    Unit("厘米", One::Hanzi, ""),
    Unit("毫米", One::Hanzi, ""),
    Unit("平方", One::Hanzi, ""),
    Unit("平米", One::Hanzi, ""),
    Unit("米", One::Hanzi, "饭粉线"),
    Unit("公斤", One::Hanzi, ""),
    Unit("斤", One::Hanzi, ""),
    Unit("克", One::Hanzi, "服制隆"),
    Unit("吨", One::Hanzi, ""),
    Unit("升", One::Hanzi, "级职学值"),
    Unit("毫升", One::Hanzi, ""),
    Unit("英寸", One::Hanzi, ""),
    Unit("寸", One::Hanzi, ""),
    Unit("度电", One::Hanzi, ""),
    Unit("兆", One::Hanzi, ""),
    Unit("流量", One::Hanzi, ""),
    Unit("级", One::Hanzi, ""),
    Unit("号线", One::Digit, ""),
    Unit("号楼", One::Digit, ""),
    Unit("月份", One::Digit, ""),
];

/// Links of a chain 一到两到三天 that are followed.
const MAX_RANGE_LINKS: usize = 4;

/// The unit that begins at a position: how many cells it takes.
pub(super) fn unit_cells(cells: &Cells<'_>, at: usize) -> usize {
    find_unit(cells, at).map_or(0, |unit| unit.0.chars().count())
}

/// Whether what begins at a position is counted by the number before it.
pub(super) fn counts(cells: &Cells<'_>, at: usize) -> bool {
    find_unit(cells, at).is_some() || super::number::is_counter(cells, at)
}

fn find_unit(cells: &Cells<'_>, at: usize) -> Option<&'static Unit> {
    UNITS
        .iter()
        .filter(|unit| {
            let next = cells.ch(at + unit.0.chars().count());
            cells.follows(at, unit.0) && (next == '\0' || !unit.2.contains(next))
        })
        .max_by_key(|unit| unit.0.len())
}

/// Whether the single digit word at a position is written as a digit.
pub(super) fn single_is_figure(cells: &Cells<'_>, at: usize) -> bool {
    let mut at = at;
    for _ in 0..MAX_RANGE_LINKS {
        if counts_a_figure(cells, at) {
            return true;
        }
        if !matches!(cells.ch(at + 1), '到' | '至') {
            return false;
        }
        at += 2;
        match read_quantity(cells, at).map(|quantity| quantity.figure) {
            Some(Figure::Single(_)) => {}
            Some(Figure::Rough) | None => return false,
            Some(_) => return true,
        }
    }
    false
}

fn counts_a_figure(cells: &Cells<'_>, at: usize) -> bool {
    let (this, next) = (cells.ch(at), at + 1);
    if is_pressed_or_ordinal(cells, at)
        || is_beside_latin(cells, at)
        || is_odd_money(cells, at)
        || is_below_zero(cells, at)
    {
        return true;
    }
    let Some(unit) = find_unit(cells, next) else {
        return cells.ch(next) == '分' && is_minute(cells, at);
    };
    match (this, unit.0) {
        ('一', "点") => is_one_o_clock(cells, at, next),
        ('零', "点") => after_day_part(cells, at),
        ('零', _) => false,
        ('一', "日") => cells.back(at, 1) == '月',
        ('一', "米") => cells.digit(next + 1).is_some_and(|digit| digit > 0),
        ('一', "块" | "毛" | "角") => goes_on_in_change(cells, next + 1),
        ('一', _) => unit.1 == One::Digit,
        ('两', "号" | "月" | "日" | "楼" | "角") => false,
        _ => true,
    }
}

/// 第三; 请按二 (but 按一下 is kept elsewhere).
fn is_pressed_or_ordinal(cells: &Cells<'_>, at: usize) -> bool {
    let asked_for = matches!(cells.back(at, 1), '按' | '摁') || cells.precedes(at, "回复");
    let counts = super::number::is_counter(cells, at + 1) && !cells.follows(at + 1, "人工");
    let pressed = asked_for && !counts && cells.ch(at) != '两';
    pressed || cells.back(at, 1) == '第' && cells.ch(at) != '两'
}

/// 负五度, 零下五度.
fn is_below_zero(cells: &Cells<'_>, at: usize) -> bool {
    cells.ch(at + 1) == '度' && (cells.back(at, 1) == '负' || cells.precedes(at, "零下"))
}

/// 五G, B二B, X五.
fn is_beside_latin(cells: &Cells<'_>, at: usize) -> bool {
    let is_code = |text: &str| text.chars().all(|ch| ch.is_ascii_uppercase());
    let before = at.checked_sub(1).and_then(|before| cells.latin(before));
    let opens = cells.latin(at + 1).is_some_and(is_code) && cells.ch(at) != '一';
    let letter_before = before.is_some_and(|text| text.chars().count() == 1 && is_code(text));
    opens || letter_before && !counts(cells, at + 1)
}

/// 三点五分: minutes behind an hour.
fn is_minute(cells: &Cells<'_>, at: usize) -> bool {
    cells.back(at, 1) == '点' && super::cells::is_numeral(cells.back(at, 2))
        || matches!(cells.back(at, 1), '毛' | '角') && super::cells::is_numeral(cells.back(at, 2))
}

/// The last digit of 三块五, 一米七, 两毛五.
fn is_odd_money(cells: &Cells<'_>, at: usize) -> bool {
    let unit = at - usize::from(cells.back(at, 1) == '零');
    matches!(cells.back(unit, 1), '块' | '元' | '毛' | '米' | '度')
        && super::cells::is_numeral(cells.back(unit, 2))
        && goes_on_in_change(cells, at)
}

/// Whether a lone digit stands here that counts nothing but the smaller coin.
fn goes_on_in_change(cells: &Cells<'_>, at: usize) -> bool {
    let is_digit = cells.digit(at).is_some_and(|digit| digit > 0) && cells.ch(at) != '两';
    let next = cells.ch(at + 1);
    let coin = matches!(next, '毛' | '角');
    let price_each = cells.ch(at + 1) == '一' && super::number::is_counter(cells, at + 2);
    let lone = cells.digit(at + 1).is_none() && cells.multiplier(at + 1).is_none();
    is_digit && (price_each || lone && (coin || !counts(cells, at + 1)))
}

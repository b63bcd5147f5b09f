//! Amounts, rates, dates, times and counts.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Ranked;
use super::text::{Text, is_digit};
use crate::week;

/// Kinds of numbers, and how much they are wanted. A day is one by its name: 今天 and 明天 alone tell nothing once the call
/// is over.
const KINDS: [(&str, u32); 6] = [
    ("rate", 5),
    ("amount", 5),
    ("date", 3),
    ("count", 2),
    ("day", 1),
    ("bare", 4),
];

/// Written numbers, of digits and of hanzi.
const NUMBER: &str = r"(?:[0-9][0-9,]*(?:\.[0-9]+)?|[零〇一二两三四五六七八九十半几][零〇一二两三四五六七八九十百千万]*)";

/// Letters of numbers in hanzi, and those that a number of hundreds and more may end in before 一年 and the like.
const NUMERALS: &str = "零一二两三四五六七八九十百千万亿";
const LAST_NUMERALS: &str = "一二两三四五六七八九百千万亿";
/// What something is paid for, behind 一.
const EACH: &str = "(?:个|年|月|天|周|星期|礼拜|季|次|期|晚|夜|小时|分钟|节|课|场|趟|遍|套|台|本|张|人|位|份|件|盒|瓶|家|户|间|桌|只|辆|门|支|针|颗|条|集|单|笔|亩|股|公斤|斤|吨|米|平)";

/// All kinds in one pattern. At one place a kind goes before those after it.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&pattern()).ok());

fn pattern() -> String {
    let n = NUMBER;
    // 五万一年, 三百五一个月, 3000一次: 一 is not the amount's, unless 十 or 零 stands before it.
    let paid_each = format!(
        "(?:(?:[一二两三四五六七八九十]+[百千万亿](?:[{NUMERALS}]*?[{LAST_NUMERALS}])??|[0-9][0-9,]*(?:\\.[0-9]+)?[百千万亿])[一1]|[0-9][0-9,]*(?:\\.[0-9]+)?一){EACH}"
    );
    let hundreds = r"[多几来]?[百千万亿]*[多几来]?";
    let each = r"(?:[每一]个?(?:年|月|天|期|次|周|季度))?";
    let week = r"(?:周|星期|礼拜)[一二三四五六日天末0-9]";
    let part_of_day = r"(?:凌晨|早上|上午|中午|下午|傍晚|晚上|今晚|明早|明晚)";
    let named_day = format!(
        r"(?:(?:这|本|下个?|上个?){week}|{week}|(?:下个?|这个?|上个?|本)(?:周|星期|礼拜|月)|今年|明年|去年|月底|年底|月初)"
    );
    let day = format!(r"(?:今天|明天|后天|大后天|{named_day})");
    let clock = format!(
        r"(?:{n}点(?:半|{n}分?|整|钟)?|[0-9]{{1,2}}[:：][0-9]{{2}})(?:以前|之前|前|以后|之后|左右)?"
    );
    let date = format!(
        r"(?:{n}年)?{n}月(?:份|底|初|{n}[日号]?)?|(?:今年|明年)?{n}号(?:以前|之前|前)?|{n}年{n}月"
    );
    let english_number = r"(?:[0-9][0-9,]*(?:\.[0-9]+)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|half)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine|hundred|thousand|million))*";
    let weekday = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)";
    let month =
        r"(?:january|february|march|april|june|july|august|september|october|november|december)";
    let kinds = [
        format!(
            r"(?P<rate>{each}百分之{n}(?:点{n})?|{n}(?:点{n})?个百分点|[0-9][0-9,.]*%|{n}[倍折]|(?-u:\b){english_number} ?(?:percent|per cent)(?-u:\b))"
        ),
        format!(
            r"(?P<amount>{each}(?P<each>{paid_each})|{each}[¥￥$€£][0-9][0-9,]*(?:\.[0-9]+)?[万亿]?|{each}{n}{hundreds}(?:元|块|美元|人民币|角|毛钱)+(?:钱|{n}|多|半)?|(?-u:\b){english_number} ?(?:dollars?|bucks|pounds?|euros?|yuan|cents|grand)(?-u:\b))"
        ),
        format!(
            r"(?P<date>{day}?(?:{part_of_day})?(?:{date}){part_of_day}?(?:{clock})?|{day}?{part_of_day}?{clock}|(?-u:\b)(?:{weekday},? )?(?:at )?{english_number}(?::[0-9][0-9])? ?(?:am|pm|o'clock)(?-u:\b)|(?-u:\b){month} {english_number}(?:st|nd|rd|th)?(?-u:\b)|(?-u:\b)[0-9]{{1,2}}:[0-9][0-9](?-u:\b))"
        ),
        format!(
            r"(?P<count>{n}[多几来]?(?:个?(?:小时|工作日|月|星期|礼拜|季度)|天|周|年|分钟|秒|期|次|本|件|张|台|位|名|人|公里|斤|公斤|套|份|家|辆|岁|遍|支|盒|瓶|节|门|平米|平方|兆|寸|个)(?:以内|之内|内|以后|之后|后|以上)?|(?-u:\b){english_number} ?(?:business days?|days?|weeks?|months?|years?|hours?|minutes?|times|people|items?|units?|installments?|gigabytes|miles)(?-u:\b))"
        ),
        format!(
            r"(?P<bare>{each}(?:[一二两三四五六七八九十]+(?:百|千|万|亿)[一二两三四五六七八九十百千万零]*|[0-9][0-9,]*(?:\.[0-9]+)?[万亿]|[1-9][0-9]{{0,3}}00|[1-9][0-9]0))"
        ),
        format!(
            r"(?P<day>{named_day}{part_of_day}?|(?-u:\b)(?:next week|next month|(?:next |this )?{weekday})(?: (?:morning|afternoon|evening))?(?-u:\b))"
        ),
    ];
    format!("(?i){}", kinds.join("|"))
}

/// Every number that is worth telling, by time, in each utterance.
pub(super) fn numbers(texts: &[Text<'_>]) -> Vec<Ranked> {
    texts.iter().flat_map(numbers_of).collect()
}

fn numbers_of(text: &Text<'_>) -> Vec<Ranked> {
    let written = text.as_written();
    let Some(pattern) = PATTERN.as_ref().filter(|_| may_have_numbers(written)) else {
        return Vec::new();
    };
    let (mut ranked, mut from) = (Vec::new(), 0);
    // Groups are told apart only where something was found: that takes far longer than to find it.
    while let Some(found) = pattern.find_at(written, from) {
        // What was found but does not belong to it may be a number of its own.
        let range = found.start()..end_of(pattern, written, found.range());
        from = range.end.max(found.start() + 1);
        while !written.is_char_boundary(from) {
            from += 1;
        }
        ranked.extend(number(pattern, text, range));
    }
    ranked
}

/// What stands at `range`, unless it is no number worth telling.
fn number(pattern: &Regex, text: &Text<'_>, range: Range<usize>) -> Option<Ranked> {
    let written = text.as_written();
    let captures = pattern.captures_at(written, range.start)?;
    let (kind, rank) = KINDS
        .iter()
        .find(|(kind, _)| captures.name(kind).is_some())?;
    // Beside personal data, digits that mean nothing of their own may be a piece of it.
    if *kind == "bare" && text.has_secret() {
        return None;
    }
    let is_ordinal = written[..range.start].ends_with('第');
    let is_cut = captures.name("each").is_none() && is_in_digits(written, &range);
    if range.is_empty() || is_ordinal || is_idle(&written[range.clone()]) || is_cut {
        return None;
    }
    let quote = text.quote_bytes(range)?;
    Some(Ranked { rank: *rank, quote })
}

/// Most utterances have none: nothing to look at closely.
fn may_have_numbers(written: &str) -> bool {
    let is_sign = |letter: char| {
        is_digit(letter)
            || matches!(
                letter,
                '两' | '十' | '百' | '千' | '万' | '半' | '几' | '周' | '星' | '礼' | '月' | '年'
            )
    };
    written.chars().any(is_sign) || written.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Where what was found ends, less what belongs to what comes next: 五万一年, 下个星期一定, 十万块一个月. A last numeral
/// may also end the amount, as in 六块四.
fn end_of(pattern: &Regex, written: &str, range: Range<usize>) -> usize {
    let (found, end) = (&written[range.clone()], range.end);
    let captures = found
        .contains(['一', '1'])
        .then(|| pattern.captures_at(written, range.start))
        .flatten();
    if let Some(each) = captures.and_then(|captures| captures.name("each")) {
        let one = each.as_str().rfind(['一', '1']).unwrap_or(0);
        return each.start() + one;
    }
    if let Some(start) = start_of_other_word(written, &range) {
        return start;
    }
    let last = found.chars().next_back().filter(|letter| is_digit(*letter));
    let next = written[end..].chars().next();
    let begins_next = next.is_some_and(|next| "个年月天次期周分份套张件台本".contains(next));
    match last {
        Some(last) if begins_next && found.contains(['块', '元']) => end - last.len_utf8(),
        _ => end,
    }
}

/// Where a week is named and its day would be the first letter of another word.
fn start_of_other_word(written: &str, range: &Range<usize>) -> Option<usize> {
    let found = &written[range.clone()];
    let day = found.chars().next_back()?;
    let start = range.end - day.len_utf8();
    let named = &written[range.start..start];
    let week = ["周", "星期", "礼拜"]
        .iter()
        .find_map(|week| named.strip_suffix(week))?;
    let before = written[..range.start + week.len()].chars().next_back();
    let before_week = written[..range.start].chars().next_back();
    let after: Vec<char> = written[range.end..].chars().take(4).collect();
    let is_named = before.is_some_and(week::names_week);
    (is_named && week::begins_another_word(before_week, day, &after)).then_some(start)
}

/// 一个, 一次, 两个, 几天, 万一, 一分钱: words rather than numbers.
fn is_idle(text: &str) -> bool {
    const UNITS: &str = "个次位家份件本张人天遍点路台套支名期门节周秒年";
    let letters: Vec<char> = text.chars().collect();
    match letters.as_slice() {
        [one, unit] if "一1几".contains(*one) && UNITS.contains(*unit) => true,
        [_, '个'] | ['一' | '1', '个', '月'] | ['一' | '1', '点', '钟'] => true,
        _ => ["万一", "一分钱", "一毛钱", "一块", "两天"].contains(&text),
    }
}

/// A piece of a longer row of digits is no number of its own.
fn is_in_digits(written: &str, range: &Range<usize>) -> bool {
    let (found, after) = written[range.start..].split_at(range.len());
    let before = written[..range.start].chars().next_back();
    let joins = |a: Option<char>, b: Option<char>| {
        a.zip(b).is_some_and(|(a, b)| is_digit(a) && is_digit(b))
    };
    joins(before, found.chars().next()) || joins(found.chars().next_back(), after.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_compiles() {
        Regex::new(&pattern()).expect("a good pattern");
    }
}

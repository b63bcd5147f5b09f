//! Amounts, rates, dates, times and counts.

use std::sync::LazyLock;

use regex::Regex;

use super::Ranked;
use super::text::{Text, is_digit};

/// Kinds of numbers, the most wanted first.
const KINDS: [(&str, u32); 5] = [
    ("rate", 5),
    ("amount", 5),
    ("date", 3),
    ("count", 2),
    ("day", 1),
];

/// Written numbers, of digits and of hanzi.
const NUMBER: &str = r"(?:\d[\d,]*(?:\.\d+)?|[零〇一二两三四五六七八九十百千万半几]+)";

/// All kinds in one pattern. At one place a kind goes before those after it.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&pattern()).ok());

fn pattern() -> String {
    let n = NUMBER;
    let hundreds = r"[多几来]?[百千万亿]*[多几来]?";
    let week = r"(?:周|星期|礼拜)[一二三四五六日天末\d]";
    let part_of_day = r"(?:凌晨|早上|上午|中午|下午|傍晚|晚上|今晚|明早|明晚)";
    let day = format!(
        r"(?:今天|明天|后天|大后天|(?:这|本|下个?|上个?){week}|{week}|(?:下个?|这个?|上个?|本)(?:周|星期|礼拜|月)|今年|明年|去年|月底|年底|月初)"
    );
    let clock = format!(
        r"(?:{n}点(?:半|{n}分?|整|钟)?|\d{{1,2}}[:：]\d{{2}})(?:以前|之前|前|以后|之后|左右)?"
    );
    let date = format!(
        r"(?:{n}年)?{n}月(?:份|底|初|{n}[日号]?)?|(?:今年|明年)?{n}号(?:以前|之前|前)?|{n}年{n}月"
    );
    let english_number = r"(?:\d[\d,]*(?:\.\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|half)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine|hundred|thousand|million))*";
    let weekday = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)";
    let month =
        r"(?:january|february|march|april|june|july|august|september|october|november|december)";
    let kinds = [
        format!(
            r"(?P<rate>百分之{n}(?:点{n})?|{n}(?:点{n})?个百分点|\d[\d,.]*%|{n}[倍折]|\b{english_number} ?(?:percent|per cent)\b)"
        ),
        format!(
            r"(?P<amount>[¥￥$€£]\d[\d,]*(?:\.\d+)?[万亿]?|{n}{hundreds}(?:万|亿|元|块|美元|人民币|角|毛钱|分钱)+(?:钱|{n}|多|半)?|\b{english_number} ?(?:dollars?|bucks|pounds?|euros?|yuan|cents|grand)\b|(?:[十百千万]|[一二两三四五六七八九](?:百|千|万))[一二两三四五六七八九十百千万零]*|[1-9]\d{{1,4}}00?)"
        ),
        format!(
            r"(?P<date>{day}?(?:{part_of_day})?(?:{date}){part_of_day}?(?:{clock})?|{day}?{part_of_day}?{clock}|\b(?:{weekday},? )?(?:at )?{english_number}(?::\d\d)? ?(?:am|pm|o'clock)\b|\b{month} {english_number}(?:st|nd|rd|th)?\b|\b\d{{1,2}}:\d\d\b)"
        ),
        format!(
            r"(?P<count>{n}[多几来]?(?:个?(?:小时|工作日|月|星期|礼拜|季度)|天|周|年|分钟|秒|期|次|本|件|张|台|位|名|人|公里|斤|公斤|套|份|家|辆|岁|遍|路|支|盒|瓶|节|门|平米|平方|兆|寸|个)(?:以内|之内|内|以后|之后|后|以上)?|\b{english_number} ?(?:business days?|days?|weeks?|months?|years?|hours?|minutes?|times|people|items?|units?|installments?|gigabytes|miles)\b)"
        ),
        format!(
            r"(?P<day>{day}{part_of_day}?|\b(?:tomorrow|tonight|today|next week|next month|(?:next |this )?{weekday})(?: (?:morning|afternoon|evening))?\b)"
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
    let found = pattern.captures_iter(written).filter_map(|captures| {
        let (rank, found) = KINDS
            .iter()
            .find_map(|(kind, rank)| Some((*rank, captures.name(kind)?)))?;
        if is_idle(found.as_str()) || is_in_digits(written, found.start(), found.end()) {
            return None;
        }
        let quote = text.quote_bytes(found.range())?;
        Some(Ranked { rank, quote })
    });
    found.collect()
}

/// Most utterances have none: nothing to look at closely.
fn may_have_numbers(written: &str) -> bool {
    let is_sign = |letter: char| {
        letter.is_ascii_digit()
            || "零〇一二两三四五六七八九十百千万半几今明后周月年".contains(letter)
    };
    written.chars().any(is_sign) || written.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// 一个, 一次, 一下, 几天: words rather than numbers.
fn is_idle(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let is_one = |letter: &char| "一1几半".contains(*letter);
    match letters.as_slice() {
        [first, rest @ ..] if is_one(first) => {
            let rest: String = rest.iter().collect();
            [
                "个", "次", "位", "家", "份", "件", "本", "张", "人", "天", "遍", "点", "路", "台",
                "套", "点钟", "支", "名", "期", "门", "节", "周", "秒",
            ]
            .contains(&rest.as_str())
        }
        _ => letters.iter().all(|letter| "十百千万".contains(*letter)),
    }
}

/// A piece of a longer row of digits is no number of its own.
fn is_in_digits(written: &str, start: usize, end: usize) -> bool {
    let first = written[start..].chars().next();
    let last = written[..end].chars().next_back();
    let before = written[..start].chars().next_back();
    let after = written[end..].chars().next();
    let joins = |a: Option<char>, b: Option<char>| {
        a.zip(b).is_some_and(|(a, b)| is_digit(a) && is_digit(b))
    };
    joins(before, first) || joins(last, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_compiles() {
        Regex::new(&pattern()).expect("a good pattern");
    }
}

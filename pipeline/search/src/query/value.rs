//! Numbers, times and sounds as they are written in queries.

use auricle_pinyin::Syllable;

use crate::date::LocalTime;
use crate::readings::{readings, split_pinyin};

use super::ast::NumberField;

/// A value names a span of numbers: `2026-01` is a whole month, `30s` one millisecond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ValueSpan {
    /// The first number.
    pub(crate) first: f64,
    /// The last number.
    pub(crate) last: f64,
}

/// What a field's values look like, for an error.
pub(crate) const fn expected(field: NumberField) -> &'static str {
    match field {
        NumberField::Date => "a date like 2026-01-31, 2026-01 or 2026-01-31T09:30",
        NumberField::Duration | NumberField::Start | NumberField::End | NumberField::Length => {
            "a time like 30s, 1m30s, 2h, 500ms or 1:30"
        }
        NumberField::Score => "a number like 60 or 59.5",
        NumberField::Turn | NumberField::Utterance => "a whole number",
    }
}

/// Reads a value of a field.
pub(crate) fn read(field: NumberField, text: &str) -> Option<ValueSpan> {
    let point = |number: f64| ValueSpan {
        first: number,
        last: number,
    };
    match field {
        NumberField::Date => {
            let (first, after) = LocalTime::parse_span(text)?;
            let (first, last) = (first.seconds() as f64, (after.seconds() - 1) as f64);
            Some(ValueSpan { first, last })
        }
        NumberField::Duration | NumberField::Start | NumberField::End | NumberField::Length => {
            milliseconds(text).map(point)
        }
        NumberField::Score => plain_number(text).map(point),
        NumberField::Turn | NumberField::Utterance => {
            let number = text.parse::<u32>().ok();
            number.map(|number| point(f64::from(number)))
        }
    }
}

/// The step from one value of a field to the next.
pub(crate) const fn step(field: NumberField) -> f64 {
    match field {
        // Scores have no next value; limits that are left out are told apart by a hair.
        NumberField::Score => 1e-9,
        _ => 1.0,
    }
}

fn plain_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    (plain && digits.len() <= 18).then(|| text.parse().ok())?
}

/// `30` and `30s` are seconds; `500ms`, `1m30s`, `2h`, `1:30` and `1:02:03` are understood.
fn milliseconds(text: &str) -> Option<f64> {
    if text.contains(':') {
        let mut total = 0.0;
        for (place, part) in text.split(':').enumerate() {
            total = total * 60.0 + plain_number(part).filter(|number| *number >= 0.0)?;
            if place > 2 {
                return None;
            }
        }
        return Some((total * 1000.0).round());
    }
    let mut rest = text;
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
        let unit_end = after
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let scale = match unit {
            "ms" | "毫秒" => 1.0,
            "" | "s" | "秒" => 1000.0,
            "m" | "min" | "分" | "分钟" => 60_000.0,
            "h" | "小时" => 3_600_000.0,
            _ => return None,
        };
        total += plain_number(number)? * scale;
        rest = next;
    }
    Some(total.round())
}

/// Reads hanzi and pinyin as rows of readings. The error is the part that has no sound.
pub(crate) fn syllables(text: &str) -> Result<Vec<Vec<Syllable>>, String> {
    let mut rows = Vec::new();
    let mut pinyin = String::new();
    for letter in text.chars().chain([' ']) {
        let of_hanzi = readings(letter);
        let ends = letter.is_whitespace() || !of_hanzi.is_empty() || ",，。、".contains(letter);
        if !ends {
            pinyin.push(letter);
            continue;
        }
        if !pinyin.is_empty() {
            rows.extend(
                split_pinyin(&pinyin)?
                    .into_iter()
                    .map(|syllable| vec![syllable]),
            );
            pinyin.clear();
        }
        if !of_hanzi.is_empty() {
            rows.push(of_hanzi);
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_in_many_spellings() {
        let check = |text: &str, expected: Option<f64>| {
            assert_eq!(milliseconds(text), expected, "{text}");
        };
        check("30", Some(30_000.0));
        check("30s", Some(30_000.0));
        check("1m30s", Some(90_000.0));
        check("1.5h", Some(5_400_000.0));
        check("500ms", Some(500.0));
        check("1:30", Some(90_000.0));
        check("1:00:01", Some(3_601_000.0));
        check("3分钟", Some(180_000.0));
        for wrong in ["", "s", "30x", "1:2:3:4", "-3", "1:-2", "..", "1e9"] {
            check(wrong, None);
        }
    }

    #[test]
    fn reads_hanzi_and_pinyin_together() {
        let rows = syllables("保 zheng4,shouyi").unwrap();
        let names: Vec<_> = rows.iter().map(|row| row[0].to_string()).collect();
        assert_eq!(names, ["bao3", "zheng4", "shou", "yi"]);
        assert!(syllables("保qqq").is_err());
    }
}

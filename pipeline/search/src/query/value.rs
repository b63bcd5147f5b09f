//! Numbers, times and sounds as they are written in queries.

use auricle_contracts::{EmotionLabel, PiiKind, Severity, label_in_chinese};
use auricle_pinyin::Syllable;

use crate::date::LocalTime;
use crate::readings::{readings, split_pinyin};

use super::ast::{NumberField, TextField};

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
        NumberField::Duration
        | NumberField::Start
        | NumberField::End
        | NumberField::Length
        | NumberField::Silence => "a time like 30s, 1m30s, 2h, 500ms or 1:30",
        NumberField::Score => "a number like 60 or 59.5",
        NumberField::Severity => "info, minor, major or critical",
        NumberField::Turn | NumberField::Utterance => "a whole number",
    }
}

/// A comparison and a range of a field, for a hint.
pub(crate) const fn examples(field: NumberField) -> (&'static str, &'static str) {
    match field {
        NumberField::Date => ("date:>=2026-01", "date:2026-01..2026-03"),
        NumberField::Duration => ("duration:>5m", "duration:1m..5m"),
        NumberField::Score => ("score:<60", "score:60..80"),
        NumberField::Silence => ("silence:>5s", "silence:5s..10s"),
        NumberField::Severity => ("severity:>=major", "severity:minor..major"),
        NumberField::Start => ("start:<30s", "start:30s..1m"),
        NumberField::End => ("end:<30s", "end:30s..1m"),
        NumberField::Length => ("length:>10s", "length:5s..10s"),
        NumberField::Turn => ("turn:<3", "turn:3..5"),
        NumberField::Utterance => ("utterance:<3", "utterance:3..5"),
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
        NumberField::Duration
        | NumberField::Start
        | NumberField::End
        | NumberField::Length
        | NumberField::Silence => milliseconds(text).map(point),
        NumberField::Score => plain_number(text).map(point),
        NumberField::Severity => severity(text).map(|severity| point(f64::from(severity as u32))),
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

/// What is written for a severity beside its own name.
const SEVERITIES: [(Severity, &str); 4] = [
    (Severity::Info, "提示"),
    (Severity::Minor, "轻微"),
    (Severity::Major, "严重"),
    (Severity::Critical, "致命"),
];

fn severity(text: &str) -> Option<Severity> {
    let text = text.to_lowercase();
    let mut known = SEVERITIES.into_iter();
    let found = known.find(|(severity, other)| severity.as_str() == text || *other == text);
    found.map(|(severity, _)| severity)
}

/// What a field with few values may hold: each value's name and what else may be written for it.
pub(crate) type Choices = &'static [(&'static str, &'static [&'static str])];

/// The values of a field that has only these.
pub(crate) const fn choices(field: TextField) -> Option<Choices> {
    match field {
        TextField::Emotion => Some(&EMOTIONS),
        TextField::Pii => Some(&PII_KINDS),
        TextField::Passed => Some(&[("yes", &["是", "合格"]), ("no", &["否", "不合格"])]),
        _ => None,
    }
}

const EMOTIONS: [(&str, &[&str]); EmotionLabel::ALL.len()] = [
    (EmotionLabel::Neutral.as_str(), &["平静", "中性"]),
    (EmotionLabel::Happy.as_str(), &["高兴", "愉快"]),
    (EmotionLabel::Angry.as_str(), &["愤怒", "生气"]),
    (EmotionLabel::Sad.as_str(), &["悲伤", "低落"]),
];

const PII_KINDS: [(&str, &[&str]); PiiKind::ALL.len()] = [
    (PiiKind::IdCard.as_str(), &["身份证", "身份证号"]),
    (PiiKind::BankCard.as_str(), &["银行卡", "银行卡号"]),
    (PiiKind::Phone.as_str(), &["手机", "手机号"]),
    (PiiKind::Landline.as_str(), &["座机", "固定电话"]),
    (PiiKind::Email.as_str(), &["邮箱", "电子邮箱"]),
    (PiiKind::Plate.as_str(), &["车牌", "车牌号"]),
    (PiiKind::Passport.as_str(), &["护照", "护照号"]),
    (PiiKind::Ssn.as_str(), &["社安号"]),
];

/// What intents are called for short, beside what pages in Chinese call them. A classifier of one's own may tell others.
const INTENTS: Choices = &[
    ("interested", &["感兴趣"]),
    ("opt_out", &["勿再来电"]),
    ("callback_request", &["回电"]),
    ("angry", &["愤怒"]),
];

/// The same of outcomes.
const DISPOSITIONS: Choices = &[
    ("refused", &["拒绝"]),
    ("opt_out", &["勿再来电", "已要求勿再来电"]),
    ("callback", &["回电"]),
    ("agreed", &["同意"]),
];

/// The name that a field has for what is called so in Chinese.
pub(crate) fn name_in_chinese(field: TextField, text: &str) -> Option<&'static str> {
    let names = match field {
        TextField::Intent => INTENTS,
        TextField::Disposition => DISPOSITIONS,
        _ => return None,
    };
    let mut names = names.iter();
    let found = names.find(|(_, others)| others.contains(&text));
    found
        .map(|(name, _)| *name)
        .or_else(|| label_in_chinese(text))
}

/// The name of the value that is meant, whatever the case.
pub(crate) fn choice(choices: Choices, text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let mut choices = choices.iter();
    let found = choices.find(|(name, others)| *name == text || others.contains(&text.as_str()));
    found.map(|(name, _)| *name)
}

/// `neutral, happy, angry or sad`
pub(crate) fn expected_choice(choices: Choices) -> String {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => names.concat(),
    }
}

/// What a field of text expects, for an error.
pub(crate) const fn expected_text(field: TextField) -> &'static str {
    match field {
        TextField::Hit => "the name of a rule, or * for any",
        TextField::Intent => "the name of an intent, or * for any",
        TextField::Disposition => "the name of an outcome, or * for any",
        _ => "a value, or a value in quotes",
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

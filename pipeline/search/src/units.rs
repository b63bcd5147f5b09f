//! Text as the index sees it.
//!
//! A text is folded to a *normal form*: full-width letters become ASCII, letters become lower
//! case, punctuation goes. What is left is a row of **units**: each hanzi is one unit, each digit
//! is one unit, each run of letters (a Latin word) is one unit. Phrases, `NEAR` and highlights
//! count units. Two words of letters side by side keep one space between them, so that they stay
//! two units; apostrophes inside a word vanish (`don't` is `dont`), a point or colon between two
//! digits stays (`3.5`, `12:30`).
//!
//! The normal form is held as UTF-16 codes: Chinese text takes one code a character.

/// The part a character plays in the normal form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A unit of its own.
    Single,
    /// Part of a word of letters.
    Letter,
    /// Vanishes inside a word.
    Joiner,
    /// Stays between two digits.
    DigitMark,
    /// Ends a word and vanishes.
    Separator,
}

/// Keeps words of letters apart.
pub(crate) const SPACE: u16 = 0x20;

/// The first code of the scripts whose characters are units of their own (CJK radicals on).
const FIRST_SINGLE_SCRIPT: u32 = 0x2E80;

fn role(letter: char) -> Role {
    match letter {
        '\u{4E00}'..='\u{9FFF}' | '0'..='9' => Role::Single,
        'a'..='z' => Role::Letter,
        '\'' | '’' => Role::Joiner,
        '.' | ':' => Role::DigitMark,
        '\0'..='\u{A9}' if !"%$¥@&+#".contains(letter) => Role::Separator,
        '\u{2010}'..='\u{206F}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' => match letter
        {
            '‰' => Role::Single,
            _ => Role::Separator,
        },
        '%' | '$' | '¥' | '@' | '&' | '+' | '#' => Role::Single,
        _ if letter.is_alphabetic() && u32::from(letter) < FIRST_SINGLE_SCRIPT => Role::Letter,
        _ if letter.is_alphanumeric() => Role::Single,
        _ => Role::Separator,
    }
}

/// Full-width forms to the ASCII they stand for.
const fn fold_width(letter: char) -> char {
    match letter {
        '\u{FF01}'..='\u{FF5E}' => match char::from_u32(letter as u32 - 0xFEE0) {
            Some(folded) => folded,
            None => letter,
        },
        '￥' => '¥',
        _ => letter,
    }
}

/// Whether a code of a normal form belongs to a word of letters.
pub(crate) fn is_letter(code: u16) -> bool {
    match code {
        0x61..=0x7A => true,
        0..=0xA9 => false,
        _ => {
            u32::from(code) < FIRST_SINGLE_SCRIPT
                && char::from_u32(u32::from(code)).is_some_and(char::is_alphabetic)
        }
    }
}

/// Whether a code is a hanzi, which is said as one syllable. A hanzi beyond the basic plane counts
/// by the first of its two codes.
pub(crate) const fn is_hanzi(code: u16) -> bool {
    matches!(code, 0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0xF900..=0xFAFF | 0x3007 | 0xD840..=0xD88D)
}

/// [`is_hanzi`] of a character.
pub(crate) fn is_hanzi_letter(letter: char) -> bool {
    let mut codes = [0; 2];
    letter
        .encode_utf16(&mut codes)
        .first()
        .is_some_and(|&code| is_hanzi(code))
}

/// Whether a code starts a unit, given the code before it.
pub(crate) fn starts_unit(before: Option<u16>, code: u16) -> bool {
    if code == SPACE || is_low_surrogate(code) {
        return false;
    }
    !(is_letter(code) && before.is_some_and(is_letter))
}

const fn is_low_surrogate(code: u16) -> bool {
    matches!(code, 0xDC00..=0xDFFF)
}

/// Calls `sink` with every character of the normal form and the bytes of `text` it stands for.
fn normalise(text: &str, mut sink: impl FnMut(char, usize, usize)) {
    let mut last_role = Role::Separator;
    let mut last_is_digit = false;
    let mut pending_mark: Option<(char, usize, usize)> = None;
    for (start, raw) in text.char_indices() {
        let end = start + raw.len_utf8();
        if ('\u{4E00}'..='\u{9FFF}').contains(&raw) {
            pending_mark = None;
            sink(raw, start, end);
            (last_role, last_is_digit) = (Role::Single, false);
            continue;
        }
        for letter in fold_width(raw).to_lowercase() {
            let now = role(letter);
            match now {
                Role::Joiner => continue,
                Role::DigitMark if last_is_digit => {
                    pending_mark = Some((letter, start, end));
                    (last_role, last_is_digit) = (Role::DigitMark, false);
                    continue;
                }
                Role::DigitMark | Role::Separator => {
                    // A mark a letter's lower case leaves behind must not split its word.
                    if letter == raw || !raw.is_alphabetic() {
                        pending_mark = None;
                        last_role = match last_role {
                            Role::Letter | Role::Joiner => Role::Joiner,
                            _ => Role::Separator,
                        };
                        last_is_digit = false;
                    }
                    continue;
                }
                Role::Single if letter.is_ascii_digit() => {
                    if let Some((mark, mark_start, mark_end)) = pending_mark.take() {
                        sink(mark, mark_start, mark_end);
                    }
                }
                // `Joiner` as the last role remembers a word that a separator ended.
                Role::Letter if last_role == Role::Joiner => sink(' ', start, start),
                Role::Single | Role::Letter => {}
            }
            pending_mark = None;
            sink(letter, start, end);
            last_role = now;
            last_is_digit = letter.is_ascii_digit();
        }
    }
}

/// The normal form as text.
pub(crate) fn normal_text(text: &str, out: &mut String) {
    normalise(text, |letter, _, _| out.push(letter));
}

/// The normal form's codes.
pub(crate) fn encode(text: &str) -> Vec<u16> {
    let mut codes = Vec::with_capacity(text.len() / 3 + 2);
    normalise(text, |letter, _, _| push_code(&mut codes, letter));
    codes
}

fn push_code(codes: &mut Vec<u16>, letter: char) {
    let mut buffer = [0; 2];
    codes.extend_from_slice(letter.encode_utf16(&mut buffer));
}

/// The normal form's codes, each with the bytes of the text it stands for.
#[derive(Debug, Default)]
pub(crate) struct Located {
    /// As [`encode`] gives them.
    pub(crate) codes: Vec<u16>,
    /// Start and end, in bytes of the text.
    pub(crate) bytes: Vec<(usize, usize)>,
}

/// [`encode`], keeping where each code came from.
pub(crate) fn locate(text: &str) -> Located {
    let mut located = Located::default();
    normalise(text, |letter, start, end| {
        push_code(&mut located.codes, letter);
        located.bytes.resize(located.codes.len(), (start, end));
    });
    located
}

/// How many units a text has.
pub(crate) fn count(text: &str) -> usize {
    let mut units = 0;
    let mut in_word = false;
    normalise(text, |letter, _, _| {
        let is_letter = role(letter) == Role::Letter;
        units += usize::from(letter != ' ' && !(is_letter && in_word));
        in_word = is_letter;
    });
    units
}

/// For every code, the number of the unit it belongs to.
pub(crate) fn unit_numbers(codes: &[u16]) -> Vec<u32> {
    let mut units = 0u32;
    let mut before = None;
    codes
        .iter()
        .map(|&code| {
            units += u32::from(starts_unit(before, code));
            before = Some(code);
            units.saturating_sub(1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::units_of;
    use proptest::prelude::*;

    fn check(text: &str, normal: &str, units: &[&str]) {
        let mut out = String::new();
        normal_text(text, &mut out);
        assert_eq!(out, normal);
        let codes: Vec<u16> = out.encode_utf16().collect();
        let split: Vec<String> = units_of(&codes).map(String::from_utf16_lossy).collect();
        assert_eq!(split, units);
        assert_eq!(count(text), units.len());
    }

    #[test]
    fn folds_case_width_and_punctuation() {
        check("您好，请问！", "您好请问", &["您", "好", "请", "问"]);
        check("ＷＩＦＩ密码", "wifi密码", &["wifi", "密", "码"]);
        check("Hello, World", "hello world", &["hello", "world"]);
        check("don't 走", "dont走", &["dont", "走"]);
        check("120块。", "120块", &["1", "2", "0", "块"]);
        check("3.5%", "3.5%", &["3", ".", "5", "%"]);
        check("12：30", "12:30", &["1", "2", ":", "3", "0"]);
        check("5. 好", "5好", &["5", "好"]);
        check("4G网", "4g网", &["4", "g", "网"]);
        check("a-b", "a b", &["a", "b"]);
        check("𠮷野家", "𠮷野家", &["𠮷", "野", "家"]);
        check("…！", "", &[]);
    }

    #[test]
    fn numbers_units_and_not_codes() {
        assert_eq!(
            unit_numbers(&encode("我用wifi a b")),
            [0, 1, 2, 2, 2, 2, 2, 3, 3, 4]
        );
    }

    proptest! {
        #[test]
        fn the_normal_form_of_a_normal_form_is_itself(text in ".{0,30}") {
            let mut once = String::new();
            normal_text(&text, &mut once);
            let mut twice = String::new();
            normal_text(&once, &mut twice);
            prop_assert_eq!(&once, &twice);
            let codes = encode(&text);
            let starts = (0..codes.len())
                .filter(|&i| starts_unit(i.checked_sub(1).map(|j| codes[j]), codes[i]))
                .count();
            prop_assert_eq!(starts, units_of(&codes).count());
            prop_assert_eq!(starts, count(&text));
            let located = locate(&text);
            prop_assert_eq!(located.codes.len(), located.bytes.len());
            for (start, end) in located.bytes {
                prop_assert!(text.get(start..end).is_some());
            }
        }
    }
}

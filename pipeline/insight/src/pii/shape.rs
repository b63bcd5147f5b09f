//! Telephone numbers of North America by the way they are written.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Area, exchange and line, parted: 415-555-2671, (415) 555-2671, +1 415.555.2671.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let country = r"(?:\+?1[-. ]?)?";
    let area = r"(?:\([2-9][0-9]{2}\)[-. ]?|[2-9][0-9]{2}[-. ])";
    Regex::new(&format!("{country}{area}[2-9][0-9]{{2}}[-. ][0-9]{{4}}")).ok()
});

/// Where such numbers stand in `text`, in characters. One without parentheses or country code needs a text
/// without hanzi around it.
pub(super) fn phones(text: &str) -> Vec<Range<usize>> {
    // Most texts have none.
    if text.bytes().filter(u8::is_ascii_digit).count() < 10 {
        return Vec::new();
    }
    let Some(phone) = &*PHONE else {
        return Vec::new();
    };
    let is_hanzi = |ch: char| matches!(ch, '\u{4e00}'..='\u{9fff}');
    let is_english = !text.chars().any(is_hanzi);
    phone
        .find_iter(text)
        .filter(|hit| is_english || hit.as_str().starts_with(['+', '(']))
        .filter(|hit| stands_alone(&text[..hit.start()], &text[hit.end()..]))
        .map(|hit| {
            let from = text[..hit.start()].chars().count();
            from..from + hit.as_str().chars().count()
        })
        .collect()
}

/// Whether no longer number, word or amount of money goes on at either side.
fn stands_alone(before: &str, after: &str) -> bool {
    let goes_before = |ch: char| ch.is_ascii_alphanumeric() || "-./$€£#_".contains(ch);
    let mut after = after.chars();
    let (next, second) = (after.next(), after.next());
    let goes_on = next.is_some_and(|ch| {
        ch.is_ascii_alphanumeric()
            || "-./_".contains(ch) && second.is_some_and(|ch| ch.is_ascii_digit())
    });
    !before.ends_with(goes_before) && !goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_phones() {
        for (text, expected) in [
            ("call 415-555-2671.", &["415-555-2671"][..]),
            (
                "(415) 555-2671 or 415.555.2671",
                &["(415) 555-2671", "415.555.2671"],
            ),
            ("it is +1 415 555 2671", &["+1 415 555 2671"]),
            ("请打+1 (415) 555-2671", &["+1 (415) 555-2671"]),
            ("请打415-555-2671", &[]),
            ("115-555-2671", &[]),
            ("415-155-2671", &[]),
            ("415-555-26711", &[]),
            ("9415-555-2671", &[]),
            ("$415.555.2671", &[]),
            ("415-555-2671-3", &[]),
            ("4155552671", &[]),
            ("2026-09-03 14:05:33", &[]),
        ] {
            let letters: Vec<char> = text.chars().collect();
            let found = phones(text).into_iter();
            let found: Vec<String> = found.map(|range| letters[range].iter().collect()).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}

//! Number plates (GA 36), and passports with their letters.

use std::ops::Range;

use auricle_contracts::{PiiKind, PiiSpan};

use super::classify::Labels;
use super::digits::written;
use super::email::letters_span;
use super::phrases::{Label, Phrase, Role};
use crate::Spoken;

/// Short names of provinces, which plates begin with.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
/// Letters and digits behind a plate's first letter; six on green plates.
const BEHIND_LETTER: std::ops::RangeInclusive<usize> = 5..=6;
/// Letters and digits from which on something said to be a plate is taken for one.
const LEAST_SAID: usize = 4;
/// Letters between 车牌 and the plate.
const NAMED_WITHIN: usize = 10;
/// Letters between the name of another number and that number.
const DENIED_WITHIN: usize = 6;
/// Digits of a passport.
const PASSPORT_DIGITS: usize = 8;

/// Plates and lettered passports in an utterance; `far` is what was spoken of before it.
pub(super) fn plates(spoken: &Spoken<'_>, phrases: &[Phrase], far: Labels) -> Vec<PiiSpan> {
    let has_latin = spoken
        .letters
        .iter()
        .any(|letter| letter.letter.is_ascii_alphabetic());
    let named = labelled(phrases, Label::Plate).next().is_some() || far.has(Label::Plate);
    if !has_latin && !named {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < spoken.letters.len() {
        let plate = plate_at(spoken, phrases, at, far).map(|range| (PiiKind::Plate, range));
        let hit = plate.or_else(|| {
            passport_at(spoken, phrases, at, far).map(|range| (PiiKind::Passport, range))
        });
        match hit {
            Some((kind, range)) => {
                at = range.end.max(at + 1);
                found.extend(letters_span(spoken, kind, range));
            }
            None => at += 1,
        }
    }
    found
}

fn labelled(phrases: &[Phrase], label: Label) -> impl Iterator<Item = &Phrase> {
    phrases
        .iter()
        .filter(move |phrase| phrase.role == Role::Label(label))
}

fn is_named(phrases: &[Phrase], label: Label, at: usize, far: Labels) -> bool {
    let here = |phrase: &Phrase| phrase.to <= at && at - phrase.to <= NAMED_WITHIN;
    labelled(phrases, label).any(here) || far.has(label)
}

fn is_denied(phrases: &[Phrase], at: usize) -> bool {
    labelled(phrases, Label::Other)
        .chain(labelled(phrases, Label::Tail))
        .chain(labelled(phrases, Label::Ending))
        .any(|phrase| phrase.to <= at && at - phrase.to <= DENIED_WITHIN)
}

/// A province, a letter, and five or six more; where it is said to be a plate, either may be missing.
fn plate_at(
    spoken: &Spoken<'_>,
    phrases: &[Phrase],
    at: usize,
    far: Labels,
) -> Option<Range<usize>> {
    let letters = &spoken.letters;
    let is_province = PROVINCES.contains(letters[at].letter);
    let is_latin = |at: usize| {
        letters
            .get(at)
            .is_some_and(|letter| letter.letter.is_ascii_alphabetic())
    };
    let named = is_named(phrases, Label::Plate, at, far);
    if is_denied(phrases, at) {
        return None;
    }
    if is_province && is_latin(at + 1) {
        let (to, n, n_digits) = stretch(spoken, phrases, at + 2);
        let fits = BEHIND_LETTER.contains(&n) && n_digits >= 2;
        return (fits || named && n >= LEAST_SAID).then_some(at..to);
    }
    if !named {
        return None;
    }
    // The letter's name, or the province, was heard as some other hanzi.
    let begin = if is_province { at + 2 } else { at };
    let (to, n, n_digits) = stretch(spoken, phrases, begin);
    let is_whole = LEAST_SAID..=BEHIND_LETTER.end() + 1;
    let starts = is_province
        || is_latin(at)
        || written(letters[at].letter).is_some() && !follows_same(spoken, at);
    (starts && is_whole.contains(&n) && n_digits >= 2).then_some(at..to)
}

fn follows_same(spoken: &Spoken<'_>, at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| {
        let letter = spoken.letters[before].letter;
        written(letter).is_some() || letter.is_ascii_alphanumeric()
    })
}

/// Letters and digits from `from` on with nothing but fillers between: end, how many, digits among them.
fn stretch(spoken: &Spoken<'_>, phrases: &[Phrase], from: usize) -> (usize, usize, usize) {
    let letters = &spoken.letters;
    let (mut at, mut to, mut n, mut n_digits) = (from, from, 0, 0);
    while let Some(letter) = letters.get(at) {
        let digit = written(letter.letter).is_some();
        if digit || letter.letter.is_ascii_alphabetic() {
            (at, to, n, n_digits) = (at + 1, at + 1, n + 1, n_digits + usize::from(digit));
            continue;
        }
        let filler = phrases
            .iter()
            .find(|phrase| phrase.from == at && matches!(phrase.role, Role::Filler | Role::Answer));
        match filler {
            Some(filler) if n > 0 => at = filler.to,
            _ => break,
        }
    }
    (to, n, n_digits)
}

/// E or G with eight digits, E with a letter and seven; any letter where it is said to be a passport.
fn passport_at(
    spoken: &Spoken<'_>,
    phrases: &[Phrase],
    at: usize,
    far: Labels,
) -> Option<Range<usize>> {
    let letter = spoken.letters[at].letter;
    if !letter.is_ascii_alphabetic() || is_denied(phrases, at) || follows_same(spoken, at) {
        return None;
    }
    let named = is_named(phrases, Label::Passport, at, far);
    let (to, n, n_digits) = stretch(spoken, phrases, at);
    let n_letters = n - n_digits;
    let usual = "eg".contains(letter);
    let fits = n == PASSPORT_DIGITS + 1 && n_letters <= 2 && usual;
    let said = named && (8..=10).contains(&n) && n_letters <= 2;
    (fits || said).then_some(at..to)
}

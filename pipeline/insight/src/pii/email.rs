//! E-mail addresses, written or said.

use std::ops::Range;
use std::sync::LazyLock;

use auricle_contracts::{PiiKind, PiiSpan, TextPlace};
use regex::Regex;

use super::align::Alignment;
use super::digits::written;
use super::phrases::{Label, Phrase, Role};
use super::runs::source;
use crate::Spoken;

/// An address as it is written (RFC 5321 with the characters in use).
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9][A-Za-z0-9._%+\-]*[@＠][A-Za-z0-9\-]+(?:[.．][A-Za-z0-9\-]+)+").ok()
});

/// Letters that the name before the @, and the domain, may take.
const MOST_LETTERS: usize = 40;
/// Digits of a QQ number, which is an address together with its domain.
const QQ_DIGITS: Range<usize> = 5..12;
/// Domains that everybody knows, as they are said.
const DOMAINS: &[&str] = &[
    "qq",
    "扣扣",
    "抠抠",
    "球球",
    "163",
    "126",
    "139",
    "189",
    "一六三",
    "幺六三",
    "一二六",
    "幺二六",
    "一三九",
    "幺三九",
    "一八九",
    "幺八九",
    "网易",
    "新浪",
    "搜狐",
    "sina",
    "sohu",
    "gmail",
    "hotmail",
    "outlook",
    "foxmail",
    "yahoo",
    "icloud",
    "aliyun",
    "yeah",
    "vip",
];

/// The addresses in an utterance.
pub(super) fn emails(spoken: &Spoken<'_>, phrases: &[Phrase]) -> Vec<PiiSpan> {
    let mut ranges = written_addresses(spoken);
    if ranges.is_empty() {
        ranges = said_addresses(spoken, phrases);
    }
    ranges
        .into_iter()
        .filter_map(|range| letters_span(spoken, PiiKind::Email, range))
        .collect()
}

/// The span over letters of one utterance.
pub(super) fn letters_span(
    spoken: &Spoken<'_>,
    kind: PiiKind,
    letters: Range<usize>,
) -> Option<PiiSpan> {
    let letters = spoken.letters.get(letters)?;
    let (first, last) = letters.first().zip(letters.last())?;
    Some(PiiSpan {
        kind,
        party: spoken.party(),
        start_ms: first.start_ms,
        end_ms: last.end_ms.max(first.start_ms),
        places: vec![TextPlace {
            utterance: spoken.idx,
            from: first.at,
            to: last.at + 1,
        }],
    })
}

/// Addresses with their @, in the spoken form or, where that has no marks, in the written one.
fn written_addresses(spoken: &Spoken<'_>) -> Vec<Range<usize>> {
    let here = source(spoken);
    let text = [here, &spoken.utterance.text]
        .into_iter()
        .find(|text| text.contains(['@', '＠']));
    let (Some(text), Some(address)) = (text, &*ADDRESS) else {
        return Vec::new();
    };
    let in_text: Vec<Range<usize>> = address
        .find_iter(text)
        .map(|hit| {
            let from = text[..hit.start()].chars().count();
            from..from + hit.as_str().chars().count()
        })
        .collect();
    let chars = |text: &str| text.chars().collect::<Vec<char>>();
    let alignment = Alignment::new(&chars(text), &chars(here));
    let of_letters = |range: Range<usize>| {
        let range = match std::ptr::eq(text, here) {
            true => range,
            false => alignment.right_of(range),
        };
        let place = |at: usize| spoken.letters.partition_point(|letter| letter.at < at);
        place(range.start)..place(range.end)
    };
    in_text.into_iter().map(of_letters).collect()
}

fn said_addresses(spoken: &Spoken<'_>, phrases: &[Phrase]) -> Vec<Range<usize>> {
    let is_role = |role: Role| move |phrase: &&Phrase| phrase.role == role;
    let named = phrases
        .iter()
        .find(is_role(Role::Label(Label::Email)))
        .map(|phrase| phrase.to);
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in phrases.iter().filter(is_role(Role::At)) {
        if let Some(to) = domain_end(spoken, phrases, at) {
            found.push(name_begin(spoken, phrases, at.from)..to);
        }
    }
    if let (true, Some(named)) = (found.is_empty(), named) {
        found.extend(without_at(spoken, phrases, named));
        if found.is_empty() {
            found.extend(qq_number(spoken, named));
        }
    }
    found.retain(|range| !range.is_empty());
    found
}

/// End of the domain behind an @; the English word needs a top-level domain behind it.
fn domain_end(spoken: &Spoken<'_>, phrases: &[Phrase], at: &Phrase) -> Option<usize> {
    let top = phrases.iter().find(|phrase| {
        phrase.role == Role::Domain
            && phrase.from > at.to
            && phrase.from <= at.to + MOST_LETTERS
            && is_domain(spoken, at.to..phrase.from)
    });
    let is_word = spoken.letters[at.from].letter == 'a';
    let known = || known_domain(spoken, at.to).filter(|_| !is_word);
    top.map(|phrase| ends_with_country(spoken, phrase.to))
        .or_else(known)
}

fn ends_with_country(spoken: &Spoken<'_>, to: usize) -> usize {
    let rest: String = spoken.letters[to..]
        .iter()
        .take(3)
        .map(|letter| letter.letter)
        .collect();
    if rest == "点cn" { to + 3 } else { to }
}

/// Nothing but what a domain is said with: Latin letters, digits, known names, dots and dashes.
fn is_domain(spoken: &Spoken<'_>, range: Range<usize>) -> bool {
    let mut at = range.start;
    while at < range.end {
        let letter = spoken.letters[at].letter;
        if letter.is_ascii_alphanumeric()
            || written(letter).is_some()
            || "点杠横线".contains(letter)
        {
            at += 1;
        } else if let Some(to) = known_domain(spoken, at) {
            at = to;
        } else {
            return range.len() <= 6;
        }
    }
    true
}

fn known_domain(spoken: &Spoken<'_>, from: usize) -> Option<usize> {
    let letters = &spoken.letters[from..];
    DOMAINS.iter().find_map(|name| {
        let n = name.chars().count();
        let is_same = letters.len() >= n
            && name
                .chars()
                .zip(letters)
                .all(|(ch, letter)| letter.letter == ch);
        is_same.then_some(from + n)
    })
}

/// Where the name before the @ begins: behind what names it, a copula, or the end of another clause.
fn name_begin(spoken: &Spoken<'_>, phrases: &[Phrase], to: usize) -> usize {
    let least = to.saturating_sub(MOST_LETTERS);
    let named = phrases
        .iter()
        .filter(|phrase| matches!(phrase.role, Role::Label(_)) && phrase.to <= to)
        .map(|phrase| phrase.to)
        .max();
    let least = least.max(named.unwrap_or(0));
    let mut from = to;
    while from > least && belongs_to_name(spoken, phrases, from - 1) {
        from -= 1;
    }
    from
}

fn belongs_to_name(spoken: &Spoken<'_>, phrases: &[Phrase], at: usize) -> bool {
    let letters = &spoken.letters;
    let parts = "是为叫到给写我你您的，。？！,?!";
    let text = source(spoken);
    let between = letters.get(at + 1).map_or(0, |next| next.at) - letters[at].at;
    let is_apart = between > 1 && text.contains(['。', '？', '！']) && {
        let marks = text.chars().skip(letters[at].at + 1).take(between - 1);
        marks.into_iter().any(|mark| "。？！".contains(mark))
    };
    let copula = phrases.iter().any(|phrase| {
        phrase.from <= at
            && at < phrase.to
            && matches!(phrase.role, Role::Filler)
            && letters[phrase.from].letter == 'i'
    });
    !parts.contains(letters[at].letter) && !is_apart && !copula
}

/// An address whose @ was not heard: a known domain with what follows a dot, behind a name.
fn without_at(spoken: &Spoken<'_>, phrases: &[Phrase], named: usize) -> Option<Range<usize>> {
    let top = phrases
        .iter()
        .find(|phrase| phrase.role == Role::Domain && phrase.from > named)?;
    let domain = (named..top.from).rev().find(|&at| {
        known_domain(spoken, at).is_some_and(|to| to <= top.from && top.from - to <= 1)
    })?;
    let from = name_begin(spoken, phrases, domain).max(named);
    (domain - from >= 3).then_some(from..ends_with_country(spoken, top.to))
}

/// QQ邮箱 with the number alone.
fn qq_number(spoken: &Spoken<'_>, named: usize) -> Option<Range<usize>> {
    let before: String = spoken.letters[..named]
        .iter()
        .map(|letter| letter.letter)
        .collect();
    let is_qq = ["qq", "扣扣", "抠抠", "球球"]
        .iter()
        .any(|name| before.contains(name));
    let letters = &spoken.letters;
    let is_digit = |at: usize| {
        letters
            .get(at)
            .is_some_and(|letter| written(letter.letter).is_some())
    };
    let from = (named..letters.len()).find(|&at| is_digit(at))?;
    let n = (from..letters.len()).take_while(|&at| is_digit(at)).count();
    (is_qq && QQ_DIGITS.contains(&n)).then_some(from..from + n)
}

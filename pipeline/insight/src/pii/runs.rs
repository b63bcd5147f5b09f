//! Rows of digits in one utterance.

use std::ops::Range;

use auricle_contracts::TextPlace;

use super::classify::Labels;
use super::digits::{is_unit, near, opens_split_six, sounding, takes_next, written};
use super::number::{Certainty, Digit, MOST_DIGITS};
use super::phrases::{Label, Phrase, Role};
use super::shape;
use crate::{Letter, Spoken};

/// Digits of one utterance with nothing but pauses, fillers and corrections between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub digits: Vec<Digit>,
    /// First letter.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// Nothing of weight is said before it.
    pub opens: bool,
    /// Nothing of weight is said after it.
    pub ends: bool,
    /// What the utterance says that it is.
    pub near: Option<Label>,
    /// What the utterance speaks of without saying that this is it.
    pub far: Labels,
}

/// What stands at a place of the utterance.
#[derive(Clone, Debug, PartialEq)]
enum What {
    Digit {
        value: u8,
        others: Vec<u8>,
        certainty: Certainty,
    },
    /// A hanzi that may be a digit misheard: as which ones.
    Near(Vec<u8>),
    /// A hanzi that is no digit, no filler and no unit.
    Hanzi,
    Filler,
    Correction,
    /// What follows are the last digits of the number before.
    Ending,
    Other,
}

#[derive(Clone, Debug, PartialEq)]
struct Element {
    what: What,
    from: usize,
    to: usize,
}

/// A pause from which on a number may end and another begin.
const PAUSE_MS: u64 = 300;
/// Letters that only sound like digits, or may be misheard ones, at either end of a row.
const MOST_AT_ENDS: usize = 3;
/// Letters in a row within a number that may be misheard digits.
const MOST_NEAR: usize = 2;
/// Letters that may stand between the name of a number that is nobody's secret and the number.
const DENIES_WITHIN: usize = 6;
/// Letters that may stand between the name of a number and the number.
const NAMES_WITHIN: usize = 20;
/// Letters that may stand between a number and its name behind it.
const NAMES_BEHIND: usize = 5;
/// Digits on both sides of a letter that must have been one.
const ROUND_UNKNOWN: usize = 3;
/// Digits from which on a part of a number is one: before `后四位`, behind `不`.
const LEAST_PART: usize = 3;

/// The rows of digits of an utterance.
pub(super) fn runs(spoken: &Spoken<'_>, phrases: &[Phrase]) -> Vec<Run> {
    let letters = &spoken.letters;
    let is_digit = |letter: &Letter| written(letter.letter).is_some();
    let is_digit_word = |phrase: &Phrase| matches!(phrase.role, Role::Digits(_));
    if !letters.iter().any(is_digit) && !phrases.iter().any(is_digit_word) {
        return Vec::new();
    }
    let source: Vec<char> = source(spoken).chars().collect();
    let heard = match spoken.utterance.syllables.is_empty() {
        true => Origin::Written,
        false => Origin::Heard,
    };
    let shapes = shape::phones(self::source(spoken));
    let elements = elements(letters, phrases, (&source, &shapes), heard);
    let mut rows = Rows {
        spoken,
        source: &source,
        shapes: &shapes,
        elements: &elements,
        found: Vec::new(),
        row: Vec::new(),
        n_sure: 0,
        corrects: false,
        joined: false,
    };
    for at in 0..elements.len() {
        rows.take(at);
    }
    rows.close();
    let mut found = rows.found;
    name_runs(&mut found, phrases, letters, &source);
    found
}

/// The text that letters' places count in.
pub(super) fn source<'a>(spoken: &Spoken<'a>) -> &'a str {
    match spoken.utterance.spoken.is_empty() {
        true => &spoken.utterance.text,
        false => &spoken.utterance.spoken,
    }
}

/// Where letters come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A text.
    Written,
    /// A recogniser, which mishears.
    Heard,
}

fn elements(
    letters: &[Letter],
    phrases: &[Phrase],
    (source, shapes): (&[char], &[Range<usize>]),
    origin: Origin,
) -> Vec<Element> {
    let mut found = Vec::new();
    let mut phrases = phrases.iter().peekable();
    let (mut at, mut times, mut times_from) = (0, 1, 0);
    while at < letters.len() {
        while phrases.next_if(|phrase| phrase.from < at).is_some() {}
        let phrase = phrases.next_if(|phrase| phrase.from == at);
        if let Some(Phrase {
            role: Role::Times(n),
            to,
            ..
        }) = phrase
        {
            (times, times_from, at) = (usize::from(*n), at, *to);
            continue;
        }
        let from = if times > 1 { times_from } else { at };
        let (whats, to) = match phrase {
            Some(phrase) if opens_tens(phrase, phrases.peek().copied(), letters) => {
                (of_phrase(phrase)[..1].to_vec(), phrase.to)
            }
            Some(phrase) => (of_phrase(phrase), phrase.to),
            None => of_letter(letters, at, origin),
        };
        for what in whats.iter().cycle().take(whats.len() * times) {
            found.push(Element {
                what: what.clone(),
                from,
                to,
            });
        }
        if breaks_behind(letters, to, source) && !is_within(shapes, letters, to) {
            found.push(Element {
                what: What::Other,
                from: to,
                to,
            });
        }
        (times, at) = (1, to);
    }
    found
}

/// `forty five`: tens of which the next word is the second digit.
fn opens_tens(phrase: &Phrase, next: Option<&Phrase>, letters: &[Letter]) -> bool {
    let Some(next) = next.filter(|next| next.from == phrase.to) else {
        return false;
    };
    let is_tens = matches!(phrase.role, Role::Digits(&[2..=9, 0]));
    let is_unit = matches!(next.role, Role::Digits(&[1..=9]));
    // Nothing but a space or a hyphen stands between.
    is_tens && is_unit && letters[next.from].at == letters[phrase.to - 1].at + 2
}

/// Whether the letters on both sides of a place stand in one telephone number as it is written.
fn is_within(shapes: &[Range<usize>], letters: &[Letter], to: usize) -> bool {
    let beside = letters.get(to.wrapping_sub(1)).zip(letters.get(to));
    beside.is_some_and(|(before, after)| {
        let holds = |shape: &Range<usize>| shape.contains(&before.at) && shape.contains(&after.at);
        shapes.iter().any(holds)
    })
}

/// Whether a mark that parts figures stands behind a letter: 3.14, 12:30, 1,000, 2026/9/3.
fn breaks_behind(letters: &[Letter], to: usize, source: &[char]) -> bool {
    let Some((before, after)) = letters.get(to.wrapping_sub(1)).zip(letters.get(to)) else {
        return false;
    };
    let is_figure = |letter: &Letter| letter.letter.is_ascii_digit();
    is_figure(before)
        && is_figure(after)
        && source[before.at + 1..after.at]
            .iter()
            .any(|mark| ".:/,\\：、".contains(*mark))
}

fn of_phrase(phrase: &Phrase) -> Vec<What> {
    let digit = |value, certainty| What::Digit {
        value,
        others: Vec::new(),
        certainty,
    };
    match phrase.role {
        Role::Filler | Role::Answer => vec![What::Filler],
        Role::Correction => vec![What::Correction],
        Role::Digits(digits) => digits
            .iter()
            .map(|&value| digit(value, Certainty::Sure))
            .collect(),
        Role::MaybeDigit(value) => vec![digit(value, Certainty::Maybe)],
        Role::Label(Label::Ending) => vec![What::Ending],
        Role::Label(_) | Role::Times(_) | Role::At | Role::Domain => vec![What::Other],
    }
}

fn of_letter(letters: &[Letter], at: usize, origin: Origin) -> (Vec<What>, usize) {
    let letter = &letters[at];
    let Some(value) = written(letter.letter) else {
        return (vec![of_other_letter(letters, at, origin)], at + 1);
    };
    if let Some((digit, n)) = so_many(letters, at) {
        let what = What::Digit {
            value: digit,
            others: Vec::new(),
            certainty: Certainty::Sure,
        };
        return (vec![what; n], at + 3);
    }
    if let Some((digits, to)) = in_hundreds(letters, at) {
        let digit = |value| What::Digit {
            value,
            others: Vec::new(),
            certainty: Certainty::Sure,
        };
        return (digits.map(digit).to_vec(), to);
    }
    let mut others = sounding(letter);
    others.retain(|&other| other != value);
    let what = What::Digit {
        value,
        others,
        certainty: Certainty::Sure,
    };
    (vec![what], at + 1)
}

fn of_other_letter(letters: &[Letter], at: usize, origin: Origin) -> What {
    let letter = &letters[at];
    if letter.letter == 'x' && !in_latin_word(letters, at) {
        return What::Digit {
            value: super::checks::X,
            others: Vec::new(),
            certainty: Certainty::Sure,
        };
    }
    let is_digit = |letter: &Letter| written(letter.letter).is_some();
    let behind = letters.get(at + 1..at + 1 + LEAST_PART);
    if letter.letter == '不' && behind.is_some_and(|behind| behind.iter().all(is_digit)) {
        return What::Correction;
    }
    if letter.sounds.is_empty() {
        return What::Other;
    }
    let mut sounds = sounding(letter).into_iter();
    if let Some(value) = sounds.next() {
        return What::Digit {
            value,
            others: sounds.collect(),
            certainty: Certainty::Maybe,
        };
    }
    let near = match origin {
        Origin::Heard if opens_split_six(letter, letters.get(at + 1)) => vec![6],
        Origin::Heard => near(letter),
        Origin::Written => Vec::new(),
    };
    match near.is_empty() {
        false => What::Near(near),
        true if is_unit(letter.letter) => What::Other,
        true => What::Hanzi,
    }
}

fn in_latin_word(letters: &[Letter], at: usize) -> bool {
    let here = letters[at].at;
    let goes_on = |other: Option<&Letter>| {
        other
            .is_some_and(|other| other.at.abs_diff(here) == 1 && other.letter.is_ascii_alphabetic())
    };
    goes_on(letters.get(at + 1)) || goes_on(at.checked_sub(1).and_then(|at| letters.get(at)))
}

/// 三个八: a digit, and how many of it.
fn so_many(letters: &[Letter], at: usize) -> Option<(u8, usize)> {
    let n = written(letters[at].letter).filter(|n| (2..=8).contains(n))?;
    let counter = letters.get(at + 1).filter(|letter| letter.letter == '个')?;
    let digit = letters.get(at + 2)?;
    let counts_more = letters
        .get(at + 3)
        .is_some_and(|letter| is_unit(letter.letter));
    let is_figure = counter.at.abs_diff(digit.at) == 1 && !counts_more;
    Some((written(digit.letter).filter(|_| is_figure)?, usize::from(n)))
}

/// 一百三十八 with more digits right behind it: the first three digits of a mobile number, and one past the last
/// letter.
fn in_hundreds(letters: &[Letter], at: usize) -> Option<([u8; 3], usize)> {
    let letter = |at: usize| letters.get(at).map(|letter| letter.letter);
    let digit = |at: usize| letter(at).and_then(written);
    let before = at.checked_sub(1).and_then(letter);
    let goes_on_left = before.is_some_and(|ch| written(ch).is_some() || "千万亿".contains(ch));
    let has_units = letter(at + 1) == Some('百') && letter(at + 3) == Some('十');
    if goes_on_left || !has_units || digit(at)? != 1 {
        return None;
    }
    let tens = digit(at + 2).filter(|tens| (3..=9).contains(tens))?;
    let (ones, to) = match digit(at + 4) {
        Some(ones @ 1..=9) => (ones, at + 5),
        _ => (0, at + 4),
    };
    let goes_on = letter(to).is_some_and(|ch| ch == '双' || written(ch).is_some());
    goes_on.then_some(([1, tens, ones], to))
}

/// Rows in the course of being gathered.
struct Rows<'a> {
    spoken: &'a Spoken<'a>,
    source: &'a [char],
    /// Telephone numbers by the way they are written, in characters of `source`.
    shapes: &'a [Range<usize>],
    elements: &'a [Element],
    found: Vec<Run>,
    /// Places in `elements` and digits of the row at hand.
    row: Vec<(usize, Digit)>,
    n_sure: usize,
    corrects: bool,
    joined: bool,
}

impl Rows<'_> {
    fn take(&mut self, at: usize) {
        match &self.elements[at].what {
            What::Digit {
                value,
                others,
                certainty,
            } => self.push(at, Some(*value), others, *certainty),
            What::Filler => self.joined = true,
            What::Correction => {
                self.joined = true;
                self.corrects = !self.row.is_empty() || self.found.is_empty();
            }
            What::Near(digits) => {
                self.make_room(at);
                self.push(at, None, digits, Certainty::Unknown);
            }
            What::Hanzi if self.is_among_digits(at) => {
                self.push(at, None, &[], Certainty::Unknown);
            }
            What::Ending if self.row.len() >= LEAST_PART || self.row.is_empty() => {
                (self.joined, self.corrects) = (true, true);
            }
            What::Ending | What::Hanzi | What::Other => self.close(),
        }
    }

    /// Makes room for a letter that may be a misheard digit: it begins a new row behind a pause, a filler,
    /// or too many like it.
    fn make_room(&mut self, at: usize) {
        let from = self.elements[at].from;
        let letters = &self.spoken.letters;
        let is_apart = self.joined
            || from.checked_sub(1).is_some_and(|before| {
                letters[from].start_ms >= letters[before].end_ms.saturating_add(PAUSE_MS)
            });
        let unsure = self.row.iter().rev();
        let n_unsure = unsure
            .take_while(|(_, digit)| digit.certainty != Certainty::Sure)
            .count();
        if is_apart || (self.n_sure > 0 && n_unsure >= MOST_NEAR) {
            self.close();
        }
    }

    /// Whether a letter of an utterance that was heard stands where a digit must have been.
    fn is_among_digits(&self, at: usize) -> bool {
        let is_sure = |element: &Element| {
            matches!(
                element.what,
                What::Digit {
                    certainty: Certainty::Sure,
                    ..
                }
            )
        };
        let after = &self.elements[at + 1..];
        !self.spoken.utterance.syllables.is_empty()
            && !self.joined
            && at >= ROUND_UNKNOWN
            && after.len() >= ROUND_UNKNOWN
            && self.elements[at - ROUND_UNKNOWN..at].iter().all(is_sure)
            && after[..ROUND_UNKNOWN].iter().all(is_sure)
    }

    fn push(&mut self, at: usize, value: Option<u8>, others: &[u8], certainty: Certainty) {
        if self.row.len() >= MOST_DIGITS {
            self.close();
        }
        let Element { from, to, .. } = self.elements[at];
        let letters = &self.spoken.letters;
        let (first, last) = (&letters[from], &letters[to - 1]);
        let is_edge = certainty == Certainty::Maybe || !others.is_empty() && value.is_none();
        let digit = Digit {
            value,
            others: others.to_vec(),
            certainty,
            may_begin: self.joined || self.is_apart(from) || self.follows_maybe() || is_edge,
            may_end: is_edge,
            corrects: std::mem::take(&mut self.corrects),
            heard: !self.spoken.utterance.syllables.is_empty(),
            shaped: self.shapes.iter().any(|shape| shape.contains(&first.at)),
            place: TextPlace {
                utterance: self.spoken.idx,
                from: first.at,
                to: last.at + 1,
            },
            start_ms: first.start_ms,
            end_ms: last.end_ms.max(first.start_ms),
            reach_ms: self.reach_ms(from, to),
        };
        self.joined = false;
        self.n_sure += usize::from(certainty == Certainty::Sure);
        self.row.push((at, digit));
    }

    /// How far the utterance goes on beside its first and its last letter.
    fn reach_ms(&self, from: usize, to: usize) -> (u64, u64) {
        let (letters, said) = (&self.spoken.letters, self.spoken.utterance);
        let start_ms = match from {
            0 => letters[0].start_ms.min(said.start_ms),
            _ => letters[from].start_ms,
        };
        let end_ms = match to == letters.len() {
            true => letters[to - 1].end_ms.max(said.end_ms),
            false => letters[to - 1].end_ms,
        };
        (start_ms, end_ms)
    }

    fn follows_maybe(&self) -> bool {
        self.row.last().is_some_and(|(_, digit)| digit.may_end)
    }

    /// Whether a pause or a mark stands before a letter.
    fn is_apart(&self, from: usize) -> bool {
        let letters = &self.spoken.letters;
        let Some(before) = from.checked_sub(1).and_then(|at| letters.get(at)) else {
            return true;
        };
        let here = &letters[from];
        here.at > before.at + 1 || here.start_ms >= before.end_ms.saturating_add(PAUSE_MS)
    }

    fn close(&mut self) {
        let mut row = std::mem::take(&mut self.row);
        let n_sure = std::mem::take(&mut self.n_sure);
        (self.joined, self.corrects) = (false, false);
        if n_sure == 0 {
            return;
        }
        trim_ends(&mut row);
        let (Some((first, _)), Some((last, _))) = (row.first(), row.last()) else {
            return;
        };
        let (first, last) = (*first, *last);
        let (from, to) = (self.elements[first].from, self.elements[last].to);
        let mut digits: Vec<Digit> = row.into_iter().map(|(_, digit)| digit).collect();
        loosen_ends(&mut digits, &self.spoken.letters, (from, to));
        self.found.push(Run {
            digits,
            from,
            to,
            opens: is_light(&self.elements[..first]),
            ends: is_light(&self.elements[last + 1..]),
            near: self.is_amount(from, to).then_some(Label::Other),
            far: Labels::default(),
        });
    }

    /// Whether a sign of money or a name of goods stands right at figures, or a unit behind them.
    fn is_amount(&self, from: usize, to: usize) -> bool {
        let letters = &self.spoken.letters;
        let (first, last) = (&letters[from], &letters[to - 1]);
        let before = first.at.checked_sub(1).map(|at| self.source[at]);
        let after = self.source.get(last.at + 1).copied();
        let is_money = |ch: char| "¥￥$€£".contains(ch);
        let is_glued = |ch: char| ch.is_ascii_alphabetic() && first.letter.is_ascii_digit();
        let is_measured = |ch: char| "元块万亿千百十%％".contains(ch);
        before.is_some_and(|ch| is_money(ch) || is_glued(ch)) || after.is_some_and(is_measured)
    }
}

/// Leaves as many letters that only sound like digits at either end as may belong to the number.
fn trim_ends(row: &mut Vec<(usize, Digit)>) {
    let is_sure = |(_, digit): &(usize, Digit)| digit.certainty == Certainty::Sure;
    if let Some(last) = row.iter().rposition(is_sure) {
        row.truncate(last + 1 + MOST_AT_ENDS);
    }
    if let Some(first) = row.iter().position(is_sure) {
        row.drain(..first.saturating_sub(MOST_AT_ENDS));
    }
}

/// The first and the last digit may belong to a word: 第一, 一个.
fn loosen_ends(digits: &mut [Digit], letters: &[Letter], (from, to): (usize, usize)) {
    let n = digits.len();
    if n < 2 {
        return;
    }
    let before = from.checked_sub(1).and_then(|at| letters.get(at));
    if before.is_some_and(|letter| takes_next(letter.letter)) {
        digits[1].may_begin = true;
    }
    if letters.get(to).is_some_and(|letter| is_unit(letter.letter)) {
        digits[n - 1].may_begin = true;
    }
}

/// Nothing but fillers, answers, and letters that only sound like digits.
fn is_light(elements: &[Element]) -> bool {
    elements.iter().all(|element| match &element.what {
        What::Filler | What::Correction | What::Ending => true,
        What::Digit { certainty, .. } => *certainty != Certainty::Sure,
        What::Near(_) => false,
        What::Hanzi | What::Other => false,
    })
}

/// Finds what the utterance says each of its rows is.
fn name_runs(runs: &mut [Run], phrases: &[Phrase], letters: &[Letter], source: &[char]) {
    let labels: Vec<(Label, &Phrase)> = phrases
        .iter()
        .filter_map(|phrase| match phrase.role {
            Role::Label(label) => Some((label, phrase)),
            _ => None,
        })
        .collect();
    let mut since = 0;
    for at in 0..runs.len() {
        let next_from = runs.get(at + 1).map_or(usize::MAX, |run| run.from);
        let run = &mut runs[at];
        let n_sure = run.digits.len();
        if run.near.is_none() {
            name_run(run, &labels, since);
            if run.near.is_none() && run.far.is_empty() {
                run.near = named_behind(run, &labels, next_from, letters, source);
            }
        }
        if n_sure >= 2 {
            since = run.to;
        }
    }
}

fn name_run(run: &mut Run, labels: &[(Label, &Phrase)], since: usize) {
    let before = labels
        .iter()
        .rev()
        .filter(|(_, phrase)| phrase.from >= since && phrase.to <= run.from);
    let mut last_number = None;
    for (label, phrase) in before {
        let n_between = run.from - phrase.to;
        if *label == Label::Number {
            last_number = Some(*label);
            run.far = run.far.with(*label);
            continue;
        }
        let within = match label {
            Label::Other | Label::Tail | Label::Ending => DENIES_WITHIN,
            _ => NAMES_WITHIN,
        };
        match n_between <= within {
            true => run.near = Some(*label),
            false => run.far = run.far.with(*label),
        }
        return;
    }
    run.near = last_number;
}

/// …是我的手机号: a name right behind the number, which is not the next number's.
fn named_behind(
    run: &Run,
    labels: &[(Label, &Phrase)],
    next_from: usize,
    letters: &[Letter],
    source: &[char],
) -> Option<Label> {
    let (label, phrase) = labels.iter().find(|(_, phrase)| phrase.from >= run.to)?;
    let is_close = phrase.from - run.to <= NAMES_BEHIND && next_from > phrase.to + NAMES_BEHIND;
    let said = letters[run.to..phrase.from]
        .iter()
        .map(|letter| letter.letter);
    let is_said = said.clone().any(|letter| letter == '是')
        && !source[letters[run.to - 1].at..letters[phrase.from].at]
            .iter()
            .any(|mark| "？?；;".contains(*mark));
    (is_close && is_said).then_some(*label)
}

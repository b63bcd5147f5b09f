//! What a row of digits is, by its digits and by what it was said to be.

use auricle_contracts::PiiKind;

use super::checks::{
    ID_CARD_DIGITS, Issuer, X, begins_mobile, is_day, is_english_phone, is_id_card,
    is_id_card_shape, is_landline, is_luhn, is_mobile, is_old_id_card, is_public_number, is_ssn,
    is_subscriber, issuer, without_country,
};
use super::number::{Certainty, Digit, values};
use super::phrases::Label;

/// What a number was said to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    /// In the same utterance.
    pub near: Option<Label>,
    /// In what was said shortly before, by either party.
    pub far: Labels,
}

/// A set of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels(u16);

impl Labels {
    pub(super) const fn with(self, label: Label) -> Self {
        Self(self.0 | 1 << label as u16)
    }

    pub(super) const fn has(self, label: Label) -> bool {
        self.0 & 1 << label as u16 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Context {
    /// Said to be `label`: by the utterance itself or, where it says nothing, by what came before.
    fn is(self, label: Label) -> bool {
        match self.near {
            Some(near) if near != Label::Number => near == label,
            _ => self.far.has(label),
        }
    }

    /// Said by the utterance itself to be nobody's secret.
    fn is_denied(self) -> bool {
        self.near == Some(Label::Other)
    }

    /// Something else was asked for.
    fn is_doubtful(self) -> bool {
        let is_personal = |label| self.is(label);
        self.is(Label::Other)
            && ![Label::Phone, Label::Card, Label::IdCard, Label::Ssn]
                .into_iter()
                .any(is_personal)
    }

    /// What the speaker said that the digits are, and the fewest of them that are hidden even where they make no
    /// number.
    pub(super) fn announced(self) -> Option<(PiiKind, usize)> {
        let kind = |label| match label {
            Label::Phone => Some(PiiKind::Phone),
            Label::IdCard => Some(PiiKind::IdCard),
            _ => None,
        };
        match self.near {
            None | Some(Label::Number) => [Label::IdCard, Label::Phone]
                .into_iter()
                .filter(|label| self.far.has(*label))
                .find_map(kind)
                .filter(|_| !self.far.has(Label::Other) && !self.far.has(Label::Company))
                .map(|kind| (kind, LEAST_ASKED)),
            Some(near) => kind(near).map(|kind| (kind, LEAST_ANNOUNCED)),
        }
    }

    pub(super) fn is_phone(self) -> bool {
        self.is(Label::Phone) || self.is(Label::Landline)
    }
}

/// What a row of digits was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub kind: PiiKind,
    /// The more the surer; 100 where form and check digits agree.
    pub score: i32,
}

/// Fewest digits that are hidden where the same utterance announces a number that they do not make.
const LEAST_ANNOUNCED: usize = 7;
/// The same where it was asked for before.
const LEAST_ASKED: usize = 9;
/// What digits score that were announced and make no number.
pub(super) const ANNOUNCED: i32 = 40;
/// From this score on nothing is missing: the number is complete as it stands.
pub(super) const COMPLETE: i32 = 85;

/// What `row` is as one number.
pub(super) fn classify(row: &[Digit], context: Context) -> Option<Found> {
    let kinds = [id_card, phone, bank_card, landline, passport, ssn];
    let found = kinds
        .into_iter()
        .filter_map(|kind| kind(row, context))
        .max_by_key(|found| found.score);
    found.filter(|_| row.iter().rev().skip(1).all(|digit| digit.value != Some(X)))
}

fn id_card(row: &[Digit], context: Context) -> Option<Found> {
    let asked = context.is(Label::IdCard);
    let score = match row.len() {
        ID_CARD_DIGITS => match fit(row, is_id_card) {
            Fit::AsHeard => 110,
            Fit::Otherwise => 105,
            Fit::No if asked && fit(row, is_id_card_shape) != Fit::No => 95,
            Fit::No if context.is_denied() => 0,
            Fit::No if fit(row, is_id_card_shape) == Fit::AsHeard => 86,
            Fit::No if asked => 75,
            Fit::No => 0,
        },
        15 if asked && fit(row, is_old_id_card) != Fit::No => 95,
        // A digit or some were lost, or heard twice.
        10..=20 if asked => 60,
        17 if heard(row) && !context.is_denied() && !is_scheme(row) && has_lost_one(row) => 50,
        _ => 0,
    };
    found(PiiKind::IdCard, score)
}

fn is_scheme(row: &[Digit]) -> bool {
    plain(row).is_some_and(|digits| issuer(&digits) == Issuer::Scheme)
}

/// Whether 17 digits are an identity card's of which one was not heard: one of the 18 places can be filled.
fn has_lost_one(row: &[Digit]) -> bool {
    let Some(digits) = plain(row) else {
        return false;
    };
    (0..ID_CARD_DIGITS).any(|at| {
        (0..=9).any(|digit| {
            let mut filled = digits.clone();
            filled.insert(at, digit);
            is_id_card(&filled)
        })
    }) && (1900..2050).contains(
        &digits[5..9]
            .iter()
            .fold(0, |sum, &d| sum * 10 + u32::from(d)),
    )
}

fn phone(row: &[Digit], context: Context) -> Option<Found> {
    let mobile = |digits: &[u8]| is_mobile(without_country(digits));
    if !(7..=15).contains(&row.len()) || context.is_denied() {
        return None;
    }
    let exact = match fit_first(row, mobile) {
        Fit::AsHeard => 100,
        Fit::Otherwise => 90,
        Fit::No => 0,
    };
    // With its country code a number of North America looks like a mobile one.
    let is_shaped = row.iter().all(|digit| digit.shaped);
    if exact > 0 && !is_shaped {
        return found(PiiKind::Phone, exact);
    }
    let digits = plain(row).unwrap_or_default();
    let digits = without_country(&digits);
    if is_public_number(digits) || is_landline(digits) {
        return None;
    }
    let asked = context.is(Label::Phone);
    let begins = begins_mobile(digits);
    let score = match row.len() {
        10 | 11 if is_written_phone(row, context) => 88,
        10 | 11 if asked && in_words(row) && is_english_phone(digits) => 72,
        // One digit too few or too many must not leave the others readable.
        9..=13 if asked => 60,
        7..=8 if asked && begins => 55,
        10..=12 if context.is(Label::Number) && begins => 55,
        10 | 12 if heard(row) && begins && !context.is_doubtful() => 50,
        _ if in_words(row) && is_english_phone(digits) && !context.is_doubtful() => 50,
        _ => 0,
    };
    found(PiiKind::Phone, score)
}

/// A number of North America in its written form that is not free of charge, which are companies' (8 and two equal
/// digits).
fn is_written_phone(row: &[Digit], context: Context) -> bool {
    let digits = values(row);
    let is_free = match digits.as_slice() {
        [1, 8, first, second, ..] | [8, first, second, ..] => first == second,
        _ => false,
    };
    row.iter().all(|digit| digit.shaped)
        && is_english_phone(&digits)
        && !is_free
        && !context.is(Label::Company)
        && !context.is_doubtful()
}

/// Whether digits were said as words of letters: `four one five`.
fn in_words(row: &[Digit]) -> bool {
    let are_long = |digit: &&Digit| digit.place.to > digit.place.from + 1;
    // `o` is a word, too.
    2 * row.iter().filter(are_long).count() > row.len()
}

fn bank_card(row: &[Digit], context: Context) -> Option<Found> {
    let n = row.len();
    if !(9..=21).contains(&n) || context.is_denied() {
        return None;
    }
    let asked = context.is(Label::Card);
    let account = context.is(Label::Account);
    let issuer = known_issuer(row);
    let luhn = match n {
        12..=19 => fit(row, is_luhn),
        _ => Fit::No,
    };
    // One digit that may be any makes every number pass.
    let is_known = row.iter().all(|digit| digit.value.is_some());
    let whole = luhn == Fit::AsHeard || luhn == Fit::Otherwise && is_known;
    let score = match issuer {
        Issuer::Scheme if luhn == Fit::AsHeard => 100,
        Issuer::Scheme if whole && heard(row) => 90,
        Issuer::Scheme if asked || account => 88,
        _ if whole && asked && matches!(n, 15 | 16 | 19) => 90,
        Issuer::Possible if whole && (asked || account) => 80,
        Issuer::Scheme if context.is_doubtful() => 0,
        Issuer::Scheme if starts_with(row, &[6, 2]) && matches!(n, 16 | 19) => 70,
        _ if asked && (n >= 12 || context.near == Some(Label::Card)) => 60,
        _ if account && (16..=19).contains(&n) => 55,
        _ => 0,
    };
    let doubtful = context.is_doubtful() && !(score == 100 && starts_with(row, &[6, 2]));
    found(PiiKind::BankCard, if doubtful { 0 } else { score })
}

/// The issuer, where its digits were heard.
fn known_issuer(row: &[Digit]) -> Issuer {
    let is_known = row.iter().take(4).all(|digit| digit.value.is_some());
    let digits: Vec<u8> = row.iter().map(|digit| digit.value.unwrap_or(0)).collect();
    match is_known {
        true => issuer(&digits),
        false => Issuer::None,
    }
}

fn starts_with(row: &[Digit], digits: &[u8]) -> bool {
    row.iter()
        .zip(digits)
        .all(|(said, digit)| said.value == Some(*digit))
}

fn landline(row: &[Digit], context: Context) -> Option<Found> {
    if !(7..=16).contains(&row.len()) || context.is_denied() || context.is(Label::Company) {
        return None;
    }
    let digits = plain(row)?;
    let is_public = is_public_number(&digits);
    let score = match digits.len() {
        11 | 12 if is_landline(&digits) && !context.is_doubtful() => 92,
        // Without its 0, behind a country code or before an extension.
        10..=16 if context.is_phone() && contains_landline(&digits) => 70,
        7 | 8 if context.is_phone() && is_subscriber(&digits) && !is_public && !is_day(&digits) => {
            65
        }
        _ => 0,
    };
    found(PiiKind::Landline, score)
}

fn contains_landline(digits: &[u8]) -> bool {
    let rest = without_country(digits);
    let with_zero: Vec<u8> = std::iter::once(0).chain(rest.iter().copied()).collect();
    let forms = [digits, rest, &with_zero];
    forms
        .into_iter()
        .any(|form| (11..=12).any(|n| form.get(..n).is_some_and(is_landline)))
}

fn passport(row: &[Digit], context: Context) -> Option<Found> {
    let score = match row.len() {
        7..=9 if context.is(Label::Passport) => 88,
        _ => 0,
    };
    found(PiiKind::Passport, score)
}

/// Nothing but its name tells nine digits from an order's.
fn ssn(row: &[Digit], context: Context) -> Option<Found> {
    let is_named = context.is(Label::Ssn);
    let score = match plain(row) {
        Some(digits) if is_named && is_ssn(&digits) => 92,
        _ => 0,
    };
    found(PiiKind::Ssn, score)
}

fn found(kind: PiiKind, score: i32) -> Option<Found> {
    (score > 0).then_some(Found { kind, score })
}

/// The digits as heard, if all are known.
fn plain(row: &[Digit]) -> Option<Vec<u8>> {
    row.iter().map(|digit| digit.value).collect()
}

fn heard(row: &[Digit]) -> bool {
    row.iter().any(|digit| digit.heard)
}

/// Whether digits pass a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    AsHeard,
    /// With another reading of one digit or two.
    Otherwise,
    No,
}

/// The same, where only the first two digits are in question.
fn fit_first(row: &[Digit], check: impl Fn(&[u8]) -> bool) -> Fit {
    let mut digits: Vec<u8> = row.iter().map(|digit| digit.value.unwrap_or(0)).collect();
    if digits.contains(&X) {
        return Fit::No;
    }
    let known = row.iter().take(2).all(|digit| digit.value.is_some());
    if known && check(&digits) {
        return Fit::AsHeard;
    }
    for at in 0..row.len().min(2) {
        let kept = digits[at];
        for other in readings(&row[at]) {
            digits[at] = other;
            if check(&digits) {
                return Fit::Otherwise;
            }
        }
        digits[at] = kept;
    }
    Fit::No
}

/// Pairs of other readings are tried up to this many other readings in all.
const MOST_READINGS: usize = 24;

/// Tries the digits as heard, then with one, then with two of them read otherwise.
fn fit(row: &[Digit], check: impl Fn(&[u8]) -> bool) -> Fit {
    let mut digits: Vec<u8> = row.iter().map(|digit| digit.value.unwrap_or(0)).collect();
    let unknown: Vec<usize> = (0..row.len())
        .filter(|&at| row[at].value.is_none())
        .collect();
    if unknown.is_empty() && check(&digits) {
        return Fit::AsHeard;
    }
    if unknown.len() > 2 {
        return Fit::No;
    }
    let choices: Vec<(usize, u8)> = row
        .iter()
        .enumerate()
        .flat_map(|(at, digit)| readings(digit).into_iter().map(move |other| (at, other)))
        .collect();
    for (place, &(at, other)) in choices.iter().enumerate() {
        let kept = std::mem::replace(&mut digits[at], other);
        if unknown.iter().all(|&place| place == at) && check(&digits) {
            return Fit::Otherwise;
        }
        let others = match choices.len() {
            0..=MOST_READINGS => &choices[place + 1..],
            _ => &[],
        };
        for &(second, value) in others.iter().filter(|(second, _)| *second != at) {
            let before = std::mem::replace(&mut digits[second], value);
            let filled = unknown.iter().all(|place| [at, second].contains(place));
            let fits = filled && check(&digits);
            digits[second] = before;
            if fits {
                return Fit::Otherwise;
            }
        }
        digits[at] = kept;
    }
    Fit::No
}

fn readings(digit: &Digit) -> Vec<u8> {
    match digit.certainty {
        Certainty::Unknown if digit.others.is_empty() => (0..=9).collect(),
        _ => digit.others.clone(),
    }
}

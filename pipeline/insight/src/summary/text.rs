//! Utterances as sentences of their written form, with the letters and phrases that belong to each.

use std::ops::Range;
use std::sync::OnceLock;

use auricle_contracts::{Party, PiiSpan, Quote};

use super::phrases::{Found, find};
use super::words::Role;
use crate::Spoken;
use crate::spoken::Letter;

/// Longer quotes are cut to the clauses around what they were chosen for: 40 hanzi, or 120 letters of an alphabet.
const MAX_QUOTE_LENGTH: usize = 40 * HANZI_LENGTH;
/// A hanzi says as much as this many letters of an alphabet.
const HANZI_LENGTH: usize = 3;
/// As many digits in a row could be personal data that was misheard.
const MIN_SECRET_DIGITS: usize = 6;
/// How far misaligned text is searched for where it goes on.
const MAX_SKIP: usize = 32;

/// One utterance.
pub(super) struct Text<'a> {
    pub(super) said: &'a Spoken<'a>,
    pub(super) found: Vec<Found>,
    pii: Vec<Range<usize>>,
    written: OnceLock<Written>,
}

/// Its written form. Made when it is asked for: most utterances have nothing to quote.
pub(super) struct Written {
    chars: Vec<WrittenChar>,
    /// Sentences, as places in `chars`.
    sentences: Vec<Range<usize>>,
}

struct WrittenChar {
    letter: char,
    /// Where it begins, in bytes.
    byte: usize,
    /// Letters of the spoken form that it stands for; empty for punctuation.
    letters: Range<usize>,
    is_secret: bool,
}

/// A sentence of an utterance.
#[derive(Clone, Copy)]
pub(super) struct Sentence<'a> {
    pub(super) text: &'a Text<'a>,
    written: &'a Written,
    /// First character and one past the last.
    from: usize,
    to: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(said: &'a Spoken<'a>, pii: &[PiiSpan]) -> Self {
        Self {
            said,
            found: find(&said.letters),
            pii: secret_letters(said, pii),
            written: OnceLock::new(),
        }
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.found.iter().any(|found| found.role == role)
    }

    /// Its written form; what was said where there is none.
    pub(super) fn as_written(&self) -> &'a str {
        let utterance = self.said.utterance;
        match utterance.text.is_empty() {
            true => &utterance.spoken,
            false => &utterance.text,
        }
    }

    pub(super) fn sentences(&'a self) -> impl DoubleEndedIterator<Item = Sentence<'a>> {
        let written = self.written();
        written.sentences.iter().map(move |sentence| Sentence {
            text: self,
            written,
            from: sentence.start,
            to: sentence.end,
        })
    }

    /// Whether there is personal data in it.
    pub(super) fn has_secret(&self) -> bool {
        self.written().chars.iter().any(|char| char.is_secret)
    }

    fn written(&self) -> &Written {
        self.written
            .get_or_init(|| Written::new(self.as_written(), &self.said.letters, &self.pii))
    }

    /// The piece of the written form between these bytes; `None` where it has personal data or no letters.
    pub(super) fn quote_bytes(&self, bytes: Range<usize>) -> Option<Quote> {
        let chars = &self.written().chars;
        let from = chars.partition_point(|char| char.byte < bytes.start);
        let to = chars.partition_point(|char| char.byte < bytes.end);
        self.quote(from, to)
    }

    /// As [`Text::quote_bytes`], between characters; commas and full stops at either end fall away.
    fn quote(&self, from: usize, to: usize) -> Option<Quote> {
        let chars = &self.written().chars;
        let is_trim = |char: &WrittenChar| {
            char.letter.is_whitespace() || "，,。.、；;：:…".contains(char.letter)
        };
        let mut range = chars.get(from..to)?;
        while let Some((_, rest)) = range.split_first().filter(|(first, _)| is_trim(first)) {
            range = rest;
        }
        while let Some((_, rest)) = range.split_last().filter(|(last, _)| is_trim(last)) {
            range = rest;
        }
        let (first, last) = (range.first()?, range.last()?);
        let letters = range.iter().find(|char| !char.letters.is_empty());
        if range.iter().any(|char| char.is_secret) {
            return None;
        }
        let end = last.byte + last.letter.len_utf8();
        let utterance = self.said.utterance;
        let start_ms = letters.and_then(|char| self.said.letters.get(char.letters.start));
        Some(Quote {
            utterance: self.said.idx,
            party: utterance.party,
            start_ms: start_ms.map_or(utterance.start_ms, |letter| letter.start_ms),
            text: self.as_written().get(first.byte..end)?.to_owned(),
        })
    }
}

impl<'a> Sentence<'a> {
    pub(super) const fn party(&self) -> Party {
        self.text.said.party()
    }

    /// Places of its letters.
    pub(super) fn letters(&self) -> Range<usize> {
        let chars = &self.written.chars[self.from..self.to];
        let spoken = chars.iter().filter(|char| !char.letters.is_empty());
        let mut spoken = spoken.map(|char| char.letters.clone());
        let Some(first) = spoken.next() else {
            return 0..0;
        };
        first.start..spoken.next_back().map_or(first.end, |last| last.end)
    }

    pub(super) fn found(&self) -> impl Iterator<Item = &'a Found> {
        let letters = self.letters();
        let found = self.text.found.iter();
        found.filter(move |found| letters.contains(&found.letters.start))
    }

    pub(super) fn first(&self, role: Role) -> Option<&'a Found> {
        self.found().find(|found| found.role == role)
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.first(role).is_some()
    }

    /// The first phrase of `role` in a clause that has none of `other`.
    pub(super) fn first_without(&self, role: Role, other: Role) -> Option<&'a Found> {
        let clauses = self.clauses();
        let clause_of = |found: &Found| {
            let mut clauses = clauses.iter().map(|clause| self.letters_in(clause));
            clauses.find(|letters| letters.contains(&found.letters.start))
        };
        let others: Vec<Range<usize>> = self
            .found()
            .filter(|found| found.role == other)
            .filter_map(clause_of)
            .collect();
        self.found().find(|found| {
            found.role == role && clause_of(found).is_none_or(|clause| !others.contains(&clause))
        })
    }

    /// Whether there is personal data in it.
    pub(super) fn has_secret(&self) -> bool {
        self.is_secret(&(self.from..self.to))
    }

    pub(super) fn is_question(&self) -> bool {
        let last = self.written.chars[self.from..self.to].iter().rev();
        let marks = last.take_while(|char| char.letters.is_empty());
        let is_marked = marks.into_iter().any(|char| "?？".contains(char.letter));
        let letters = &self.text.said.letters;
        let last = self.letters().last().and_then(|place| letters.get(place));
        is_marked || last.is_some_and(|last| "吗呢么".contains(last.letter))
    }

    /// Letters that are in no phrase of these roles.
    pub(super) fn n_letters_beside(&self, roles: &[Role]) -> usize {
        let found: Vec<&Found> = self
            .found()
            .filter(|found| roles.contains(&found.role))
            .collect();
        let letters = self.letters();
        letters
            .filter(|place| !found.iter().any(|found| found.letters.contains(place)))
            .count()
    }

    /// The sentence, or where it is long the clauses of it around the letters `near`.
    pub(super) fn quote(&self, near: &Range<usize>) -> Option<Quote> {
        self.quote_from(self.from, near)
    }

    /// As [`Sentence::quote`], without the clauses before `near` that have a phrase of `role`.
    pub(super) fn quote_after(&self, role: Role, near: &Range<usize>) -> Option<Quote> {
        let clauses = self.clauses();
        let skipped = clauses.iter().rev().find(|clause| {
            let letters = self.letters_in(clause);
            letters.end <= near.start
                && self
                    .found()
                    .any(|found| found.role == role && letters.contains(&found.letters.start))
        });
        self.quote_from(skipped.map_or(self.from, |clause| clause.end), near)
    }

    fn quote_from(&self, from: usize, near: &Range<usize>) -> Option<Quote> {
        let whole = from..self.to;
        if self.length(&whole) <= MAX_QUOTE_LENGTH && !self.is_secret(&whole) {
            return self.text.quote(whole.start, whole.end);
        }
        let clauses = self.clauses();
        let at = clauses
            .iter()
            .position(|clause| self.letters_in(clause).end > near.start)?;
        let mut range = clauses[at].clone();
        if self.length(&range) > MAX_QUOTE_LENGTH {
            range = self.around(near);
        }
        // What comes after says more than what came before.
        for clause in &clauses[at + 1..] {
            let wider = range.start..clause.end;
            if self.length(&wider) > MAX_QUOTE_LENGTH || self.is_secret(clause) {
                break;
            }
            range = wider;
        }
        for clause in clauses[..at]
            .iter()
            .rev()
            .filter(|clause| clause.start >= from)
        {
            let wider = clause.start..range.end;
            if self.length(&wider) > MAX_QUOTE_LENGTH || self.is_secret(clause) {
                break;
            }
            range = wider;
        }
        self.text.quote(range.start, range.end)
    }

    fn is_secret(&self, chars: &Range<usize>) -> bool {
        self.written.chars[chars.clone()]
            .iter()
            .any(|char| char.is_secret)
    }

    /// Characters about the letters `near`, where there is no punctuation to go by.
    fn around(&self, near: &Range<usize>) -> Range<usize> {
        let is_hanzi = near.clone().any(|place| self.hanzi(place));
        let most = MAX_QUOTE_LENGTH / if is_hanzi { HANZI_LENGTH } else { 1 };
        let spare = most.saturating_sub(near.len()) / 2;
        let wanted = near.start.saturating_sub(spare)..near.end + spare;
        let is_wanted = |place: &usize| {
            let letters = &self.written.chars[*place].letters;
            !letters.is_empty() && wanted.contains(&letters.start)
        };
        let mut places = (self.from..self.to).filter(is_wanted);
        let Some(first) = places.next() else {
            return self.from..self.from;
        };
        let last = places.next_back().unwrap_or(first);
        self.word_start(first)..self.word_end(last)
    }

    /// Words of alphabets are not cut.
    fn word_start(&self, place: usize) -> usize {
        let chars = &self.written.chars;
        let is_inside = |place: usize| {
            chars[place].letter.is_ascii_alphanumeric()
                && chars[place - 1].letter.is_ascii_alphanumeric()
        };
        (self.from + 1..=place)
            .rev()
            .find(|&place| !is_inside(place))
            .unwrap_or(self.from)
    }

    fn word_end(&self, place: usize) -> usize {
        let chars = &self.written.chars[..self.to];
        let rest = chars.iter().skip(place + 1);
        let is_word = chars[place].letter.is_ascii_alphanumeric();
        let more = rest.take_while(|char| is_word && char.letter.is_ascii_alphanumeric());
        place + 1 + more.count()
    }

    /// Pieces between commas, as places in the written form.
    fn clauses(&self) -> Vec<Range<usize>> {
        let mut clauses = Vec::new();
        let mut from = self.from;
        for place in self.from..self.to {
            if is_comma(&self.written.chars, place) {
                clauses.push(from..place + 1);
                from = place + 1;
            }
        }
        clauses.push(from..self.to);
        clauses
    }

    fn hanzi(&self, letter: usize) -> bool {
        let letter = self.text.said.letters.get(letter);
        letter.is_some_and(|letter| !letter.sounds.is_empty())
    }

    fn length(&self, chars: &Range<usize>) -> usize {
        let letters = self.letters_in(chars);
        letters
            .map(|letter| if self.hanzi(letter) { HANZI_LENGTH } else { 1 })
            .sum()
    }

    fn letters_in(&self, chars: &Range<usize>) -> Range<usize> {
        let part = Sentence {
            from: chars.start,
            to: chars.end,
            ..*self
        };
        part.letters()
    }
}

impl Written {
    fn new(text: &str, letters: &[Letter], pii: &[Range<usize>]) -> Self {
        let places = aligned(text, letters);
        let chars = text.char_indices().zip(places);
        let chars = chars.map(|((byte, letter), letters)| WrittenChar {
            is_secret: pii.iter().any(|pii| overlap(pii, &letters)),
            letter,
            byte,
            letters,
        });
        let mut chars: Vec<WrittenChar> = chars.collect();
        spread_secrets(&mut chars);
        let sentences = sentences(&chars);
        Self { chars, sentences }
    }
}

pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Letters of an utterance that are personal data.
fn secret_letters(said: &Spoken<'_>, pii: &[PiiSpan]) -> Vec<Range<usize>> {
    let mut secret = Vec::new();
    let mut add = |is_secret: &dyn Fn(&Letter) -> bool| {
        let first = said.letters.iter().position(is_secret);
        let last = said.letters.iter().rposition(is_secret);
        secret.extend(first.zip(last).map(|(first, last)| first..last + 1));
    };
    for span in pii {
        for place in span
            .places
            .iter()
            .filter(|place| place.utterance == said.idx)
        {
            add(&|letter: &Letter| (place.from..place.to).contains(&letter.at));
        }
        if span.places.is_empty() && span.party == said.party() {
            add(&|letter: &Letter| letter.start_ms < span.end_ms && span.start_ms < letter.end_ms);
        }
    }
    secret
}

/// Digits beside personal data belong to it, and so may long rows of them that nobody found any in.
fn spread_secrets(chars: &mut [WrittenChar]) {
    let is_digit = |char: &WrittenChar| is_digit(char.letter);
    let is_joint = |char: &WrittenChar| char.letter == '-' || char.letter == ' ';
    let mut from = 0;
    while from < chars.len() {
        let run = chars[from..]
            .iter()
            .take_while(|char| is_digit(char) || is_joint(char))
            .count();
        let row = &mut chars[from..from + run];
        let n_digits = row.iter().filter(|char| is_digit(char)).count();
        if n_digits >= MIN_SECRET_DIGITS || row.iter().any(|char| char.is_secret) {
            for char in row.iter_mut().filter(|char| is_digit(char)) {
                char.is_secret = true;
            }
        }
        from += run.max(1);
    }
}

/// Digits as they are read one by one: hanzi for tens and hundreds are none.
pub(super) fn is_digit(letter: char) -> bool {
    matches!(
        letter,
        '0'..='9'
            | '零'
            | '〇'
            | '一'
            | '二'
            | '三'
            | '四'
            | '五'
            | '六'
            | '七'
            | '八'
            | '九'
            | '幺'
    )
}

fn sentences(chars: &[WrittenChar]) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut from = 0;
    for place in 0..chars.len() {
        let ends_next = chars
            .get(place + 1)
            .is_none_or(|next| !ends_sentence(chars, place + 1, next));
        if ends_sentence(chars, place, &chars[place]) && ends_next {
            sentences.push(from..place + 1);
            from = place + 1;
        }
    }
    sentences.push(from..chars.len());
    sentences.retain(|sentence| {
        chars[sentence.clone()]
            .iter()
            .any(|char| !char.letters.is_empty())
    });
    sentences
}

fn ends_sentence(chars: &[WrittenChar], place: usize, char: &WrittenChar) -> bool {
    let next = chars.get(place + 1);
    match char.letter {
        '.' => next.is_none_or(|next| next.letter.is_whitespace()),
        letter => matches!(letter, '。' | '！' | '？' | '!' | '?' | '；' | ';' | '\n'),
    }
}

fn is_comma(chars: &[WrittenChar], place: usize) -> bool {
    match chars[place].letter {
        ',' => chars
            .get(place + 1)
            .is_none_or(|next| !next.letter.is_ascii_digit()),
        letter => matches!(letter, '，' | '、' | '：'),
    }
}

/// For each character of `text` the letters that it stands for: one to one where they are the same; where numbers
/// are written otherwise than said, all that were said for all that are written.
fn aligned(text: &str, letters: &[Letter]) -> Vec<Range<usize>> {
    let chars: Vec<char> = text.chars().collect();
    let lower = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    let places: Vec<usize> = (0..chars.len())
        .filter(|&place| chars[place].is_alphanumeric())
        .collect();
    let written: Vec<char> = places.iter().map(|&place| lower(chars[place])).collect();
    let mut out = vec![0..0; chars.len()];
    let (mut at, mut said) = (0, 0);
    while at < written.len() {
        let (n_written, n_said) = skip(&written[at..], &letters[said..]);
        for place in &places[at..at + n_written] {
            out[*place] = said..said + n_said;
        }
        (at, said) = (at + n_written, said + n_said);
        if at < written.len() && said < letters.len() {
            out[places[at]] = said..said + 1;
            (at, said) = (at + 1, said + 1);
        }
    }
    out
}

/// How much to pass over, of either, until both go on alike.
fn skip(written: &[char], letters: &[Letter]) -> (usize, usize) {
    let is_alike = |at: usize, said: usize| match (written.get(at), letters.get(said)) {
        (Some(written), Some(letter)) => *written == letter.letter,
        _ => false,
    };
    let goes_on = |at: usize, said: usize| {
        is_alike(at, said)
            && (at + 1 == written.len() || said + 1 == letters.len() || is_alike(at + 1, said + 1))
    };
    if is_alike(0, 0) {
        return (0, 0);
    }
    let ways =
        (1..=MAX_SKIP).flat_map(|n| (0..=n).map(move |n_written| (n_written, n - n_written)));
    let mut ways = ways.filter(|&(n_written, n_said)| goes_on(n_written, n_said));
    ways.next().unwrap_or((written.len(), letters.len()))
}

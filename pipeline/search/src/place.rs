//! Finding what a query asks for within one line.
//!
//! The same code decides whether a candidate matches and what is highlighted in a result, so the
//! two cannot disagree.

use crate::lines::{Line, LineParts, Wanted, code_of};
use crate::query::Order;
use crate::sound::SoundPattern;
use crate::units;

mod near;

use near::near;

/// Something that has a place in an utterance.
#[derive(Debug)]
pub(crate) enum Place {
    Phrase(PhrasePattern),
    Sound(SoundPattern),
    Or(Vec<Place>),
    Near {
        left: Box<Place>,
        right: Box<Place>,
        within: u32,
        order: Order,
    },
}

/// Which form of the utterance is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Spoken,
    Written,
}

/// Where something was found, in codes of the form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// How well it agrees, 0 to 1.
    pub(crate) quality: f32,
}

/// How a phrase must lie on words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edges {
    /// Anywhere, but not within a word of letters.
    Units,
    /// It is the beginning of one word.
    BeginsWord,
    /// It begins and ends with words of jieba's cut.
    WholeWords,
}

/// Units side by side.
#[derive(Debug)]
pub(crate) struct PhrasePattern {
    pub(crate) codes: Vec<u16>,
    pub(crate) edges: Edges,
}

/// How good a phrase is that cuts through words, beside one that lies on words.
const ACROSS_WORDS: f32 = 0.75;
/// What each further place in the same utterance adds.
const REPEATED: f32 = 0.1;

impl Place {
    /// How well a line matches; `None` where it does not.
    pub(crate) fn quality(&self, line: &Line) -> Option<f32> {
        if let Self::Sound(pattern) = self {
            return match line.syllables.is_empty() {
                true => None,
                false => pattern.quality(&line.syllables),
            };
        }
        let mut spans = self.find(line, Form::Spoken);
        if spans.is_empty() && !line.written.is_empty() {
            spans = self.find(line, Form::Written);
        }
        let best = spans.iter().map(|span| span.quality).reduce(f32::max)?;
        Some(best + REPEATED * (spans.len() - 1).min(5) as f32)
    }

    /// Whether a line may match: a quick look at it as it lies in memory, which turns away most lines
    /// that do not.
    pub(crate) fn may_match(&self, parts: &LineParts<'_>) -> bool {
        match self {
            Self::Phrase(pattern) => {
                pattern.is_within(parts.spoken) || pattern.is_within(parts.written)
            }
            Self::Sound(pattern) => pattern.may_match(parts.syllables),
            Self::Or(alternatives) => alternatives.iter().any(|place| place.may_match(parts)),
            Self::Near { left, right, .. } => left.may_match(parts) && right.may_match(parts),
        }
    }

    /// What of a line must be read to look for it.
    pub(crate) fn wanted(&self) -> Wanted {
        match self {
            Self::Phrase(_) => Wanted::Forms,
            Self::Sound(_) => Wanted::Sounds,
            Self::Or(parts) if parts.iter().all(|part| part.wanted() == Wanted::Forms) => {
                Wanted::Forms
            }
            Self::Near { left, right, .. }
                if left.wanted() == Wanted::Forms && right.wanted() == Wanted::Forms =>
            {
                Wanted::Forms
            }
            Self::Or(_) | Self::Near { .. } => Wanted::Everything,
        }
    }

    /// Every place in one form, in order.
    pub(crate) fn find(&self, line: &Line, form: Form) -> Vec<Span> {
        match self {
            Self::Phrase(pattern) => pattern.find(line, form),
            Self::Sound(_) if form == Form::Written => Vec::new(),
            Self::Sound(pattern) => find_sound(pattern, line),
            Self::Or(parts) => in_order(parts.iter().flat_map(|part| part.find(line, form))),
            Self::Near {
                left,
                right,
                within,
                order,
            } => {
                let lefts = left.find(line, form);
                if lefts.is_empty() {
                    return lefts;
                }
                let rights = right.find(line, form);
                near(&lefts, &rights, codes_of(line, form), *within, *order)
            }
        }
    }

    /// The places a reader should see: of a proximity its two sides, not what lies between.
    pub(crate) fn highlights(&self, line: &Line, form: Form) -> Vec<Span> {
        self.find_with_sides(line, form).1
    }

    /// [`Self::find`], and [`Self::highlights`] found on the way.
    fn find_with_sides(&self, line: &Line, form: Form) -> (Vec<Span>, Vec<Span>) {
        match self {
            Self::Phrase(_) | Self::Sound(_) => {
                let found = self.find(line, form);
                (found.clone(), found)
            }
            Self::Or(parts) => {
                let parts = parts.iter().map(|part| part.find_with_sides(line, form));
                let (found, sides): (Vec<_>, Vec<_>) = parts.unzip();
                (in_order(found.into_iter().flatten()), sides.concat())
            }
            Self::Near {
                left,
                right,
                within,
                order,
            } => {
                let (lefts, mut sides) = left.find_with_sides(line, form);
                let (rights, right_sides) = right.find_with_sides(line, form);
                let found = near(&lefts, &rights, codes_of(line, form), *within, *order);
                sides.extend(right_sides);
                keep_covered(&mut sides, &found);
                (found, sides)
            }
        }
    }
}

fn codes_of(line: &Line, form: Form) -> &[u16] {
    match form {
        Form::Spoken => &line.spoken,
        Form::Written => &line.written,
    }
}

/// Sorts by place, and drops repeats.
fn in_order(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut all: Vec<Span> = spans.collect();
    all.sort_by_key(|span| (span.start, span.end));
    all.dedup_by_key(|span| (span.start, span.end));
    all
}

/// Keeps what lies within one of `spans`, which are in order.
fn keep_covered(sides: &mut Vec<Span>, spans: &[Span]) {
    let furthest: Vec<usize> = spans
        .iter()
        .scan(0, |furthest, span| {
            *furthest = span.end.max(*furthest);
            Some(*furthest)
        })
        .collect();
    sides.retain(|side| {
        let before = spans.partition_point(|span| span.start <= side.start);
        let last = before.checked_sub(1).and_then(|last| furthest.get(last));
        last.is_some_and(|&end| side.end <= end)
    });
}

impl PhrasePattern {
    /// Whether the codes stand side by side, whatever is around them.
    fn is_within(&self, codes: &[u8]) -> bool {
        let Some((&first, rest)) = self.codes.split_first() else {
            return false;
        };
        let mut at = 0;
        while codes.len() >= at + self.codes.len() * 2 {
            let here = code_of(&codes[at..at + 2]) == first;
            let after = codes[at + 2..].chunks_exact(2).map(code_of);
            if here && after.zip(rest).all(|(code, &wanted)| code == wanted) {
                return true;
            }
            at += 2;
        }
        false
    }

    fn find(&self, line: &Line, form: Form) -> Vec<Span> {
        let codes = codes_of(line, form);
        let mut found = Vec::new();
        let (Some(&first), length) = (self.codes.first(), self.codes.len()) else {
            return found;
        };
        if codes.len() < length {
            return found;
        }
        for start in 0..=codes.len() - length {
            if codes[start] == first && codes[start..start + length] == self.codes[..] {
                let span = Span {
                    start,
                    end: start + length,
                    quality: 1.0,
                };
                found.extend(self.weigh(span, codes, line, form));
            }
        }
        found
    }

    /// Checks the edges of a place where the codes agree.
    fn weigh(&self, span: Span, codes: &[u16], line: &Line, form: Form) -> Option<Span> {
        let begins_unit = span.start.checked_sub(1).is_none_or(|before| {
            !(units::is_letter(codes[before]) && units::is_letter(codes[span.start]))
        });
        let ends_unit = codes.get(span.end).is_none_or(|&after| {
            !(units::is_letter(after) && units::is_letter(codes[span.end - 1]))
        });
        let spoken = form == Form::Spoken;
        let begins_word = spoken && line.word_starts_at(span.start);
        let ends_word = spoken && word_ends_at(line, span.end);
        let fits = match self.edges {
            Edges::Units => begins_unit && ends_unit,
            // Only hanzi need the dictionary to know where words begin.
            Edges::BeginsWord if units::is_hanzi(codes[span.start]) => {
                begins_word && (span.start + 1..span.end).all(|at| !line.word_starts_at(at))
            }
            Edges::BeginsWord => begins_unit,
            Edges::WholeWords => begins_word && ends_word && begins_unit && ends_unit,
        };
        let on_words = !spoken || begins_word && ends_word;
        let quality = if on_words { 1.0 } else { ACROSS_WORDS };
        fits.then_some(Span { quality, ..span })
    }
}

/// A space between two words of letters begins no word.
fn word_ends_at(line: &Line, code: usize) -> bool {
    line.word_starts_at(code) || line.spoken.get(code) == Some(&units::SPACE)
}

fn find_sound(pattern: &SoundPattern, line: &Line) -> Vec<Span> {
    let found = pattern.find(&line.syllables);
    if found.is_empty() || line.spoken.is_empty() {
        return Vec::new();
    }
    let hanzi: Vec<usize> = match line.syllable_codes.is_empty() {
        true => (0..line.spoken.len())
            .filter(|&at| units::is_hanzi(line.spoken[at]))
            .collect(),
        false => line
            .syllable_codes
            .iter()
            .map(|&code| usize::from(code))
            .collect(),
    };
    let last = line.spoken.len() - 1;
    let code_of = |syllable: usize| hanzi.get(syllable).copied().unwrap_or(last).min(last);
    in_order(found.into_iter().map(|sound| {
        let start = code_of(sound.start);
        let end = code_of(sound.end - 1).max(start) + 1;
        let quality = sound.agreement / (1.0 + f32::from(sound.cost) / 20.0);
        Span {
            start,
            end,
            quality,
        }
    }))
}

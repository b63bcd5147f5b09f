//! Finding what a query asks for within one line.
//!
//! The same code decides whether a candidate matches and what is highlighted in a result, so the
//! two cannot disagree.

use crate::lines::{Line, LineParts, Wanted, code_of};
use crate::query::Order;
use crate::sound::{SoundPattern, quality_of};
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
    /// How well a line matches; `None` where it does not. `line` is memory to read it into.
    pub(crate) fn quality(&self, parts: &LineParts<'_>, line: &mut Line) -> Option<f32> {
        match self {
            Self::Phrase(pattern) => pattern.quality(parts),
            Self::Sound(pattern) => pattern.quality(parts.syllables, &mut line.syllables),
            Self::Or(_) | Self::Near { .. } => {
                if let Some(quality) = self.quality_of_phrases(parts) {
                    return quality;
                }
                if !self.may_match(parts) {
                    return None;
                }
                parts.read(line, self.wanted());
                let mut spans = self.find(line, Form::Spoken);
                if spans.is_empty() && !line.written.is_empty() {
                    spans = self.find(line, Form::Written);
                }
                total_quality(spans.iter().map(|span| span.quality))
            }
        }
    }

    /// [`Self::quality`] of two phrases near each other, without allocation; `None` where it is something
    /// else, or the line is so long that [`near`] must bound the work.
    fn quality_of_phrases(&self, parts: &LineParts<'_>) -> Option<Option<f32>> {
        const LONGEST: usize = 128;
        let Self::Near {
            left,
            right,
            within,
            order,
        } = self
        else {
            return None;
        };
        let (Self::Phrase(left), Self::Phrase(right)) = (left.as_ref(), right.as_ref()) else {
            return None;
        };
        let forms = RawForm::both(parts);
        if forms.iter().any(|text| text.n_codes() > LONGEST) {
            return None;
        }
        let of_form = |text: &RawForm<'_>| {
            let lefts = left.spans(text);
            total_quality(lefts.flat_map(|left| {
                right.spans(text).filter_map(move |right| {
                    let pair = near_pair(&left, &right, text, *within);
                    pair.or_else(|| match order {
                        Order::Either => near_pair(&right, &left, text, *within),
                        Order::LeftFirst => None,
                    })
                })
            }))
        };
        let [spoken, written] = &forms;
        Some(of_form(spoken).or_else(|| of_form(written)))
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

    /// [`Place::quality`], on a line as it lies in memory.
    fn quality(&self, parts: &LineParts<'_>) -> Option<f32> {
        let [spoken, written] = &RawForm::both(parts);
        let of_form = |text: &RawForm<'_>| total_quality(self.spans(text).map(|span| span.quality));
        of_form(spoken).or_else(|| of_form(written))
    }

    fn find(&self, line: &Line, form: Form) -> Vec<Span> {
        let text = ReadForm {
            codes: codes_of(line, form),
            words: (form == Form::Spoken).then_some(line),
        };
        self.spans(&text).collect()
    }

    fn spans(&self, text: &impl Text) -> impl Iterator<Item = Span> {
        let length = self.codes.len();
        let first = self.codes.first().copied().unwrap_or(0);
        let last_start = match length {
            0 => None,
            _ => text.n_codes().checked_sub(length),
        };
        let starts = 0..last_start.map_or(0, |last| last + 1);
        let rest = self.codes.get(1..).unwrap_or(&[]);
        starts
            .filter(move |&start| text.code(start) == first)
            .filter(move |&start| {
                (start + 1..)
                    .zip(rest)
                    .all(|(at, &code)| text.code(at) == code)
            })
            .filter_map(move |start| self.weigh(start, start + length, text))
    }

    /// Checks the edges of a place where the codes agree.
    fn weigh(&self, start: usize, end: usize, text: &impl Text) -> Option<Span> {
        let is_letter = |at: usize| units::is_letter(text.code(at));
        let begins_unit = start == 0 || !(is_letter(start - 1) && is_letter(start));
        let ends_unit = end >= text.n_codes() || !(is_letter(end) && is_letter(end - 1));
        let on_words = text.lies_on_words(start, end);
        let is_one_word = || (start + 1..end).all(|at| !text.word_starts_at(at));
        let fits = match self.edges {
            Edges::Units => begins_unit && ends_unit,
            // Only hanzi need the dictionary to know where words begin.
            Edges::BeginsWord if units::is_hanzi(text.code(start)) => {
                text.word_starts_at(start) && is_one_word()
            }
            Edges::BeginsWord => begins_unit,
            Edges::WholeWords => text.has_words() && on_words && begins_unit && ends_unit,
        };
        let quality = if on_words { 1.0 } else { ACROSS_WORDS };
        fits.then_some(Span {
            start,
            end,
            quality,
        })
    }
}

/// The quality of two places of which the second does not overlap the first and is near enough.
fn near_pair(first: &Span, second: &Span, text: &impl Text, within: u32) -> Option<f32> {
    if second.start < first.end {
        return None;
    }
    let starts = |&at: &usize| {
        let before = at.checked_sub(1).map(|before| text.code(before));
        units::starts_unit(before, text.code(at))
    };
    let between = (first.end..second.start).filter(starts).count();
    let quality = first.quality.min(second.quality) * closeness(between as u32);
    (between <= within as usize).then_some(quality)
}

/// What the distance leaves of the quality of a pair.
fn closeness(units_between: u32) -> f32 {
    1.0 / (1.0 + units_between as f32 / 10.0)
}

/// The quality of a line with places of these qualities.
fn total_quality(qualities: impl Iterator<Item = f32>) -> Option<f32> {
    let mut n_places = 0;
    let mut best = 0.0f32;
    for quality in qualities {
        n_places += 1;
        best = best.max(quality);
    }
    (n_places > 0).then(|| best + REPEATED * (n_places - 1).min(5) as f32)
}

/// One form of an utterance, wherever it lies.
trait Text {
    fn n_codes(&self) -> usize;

    /// The code at a place; 0 beyond the end.
    fn code(&self, at: usize) -> u16;

    /// Whether it is known where words begin: of the spoken form only.
    fn has_words(&self) -> bool;

    /// Whether a word begins at a code, or the text ends there; nowhere where it is not known.
    fn word_starts_at(&self, at: usize) -> bool;

    /// Whether words begin at `start` and end at `end`, or it is not known. A space between two words of
    /// letters begins no word.
    fn lies_on_words(&self, start: usize, end: usize) -> bool {
        let ends = || self.word_starts_at(end) || self.code(end) == units::SPACE;
        !self.has_words() || self.word_starts_at(start) && ends()
    }
}

/// A form that was read.
struct ReadForm<'a> {
    codes: &'a [u16],
    words: Option<&'a Line>,
}

impl Text for ReadForm<'_> {
    fn n_codes(&self) -> usize {
        self.codes.len()
    }

    fn code(&self, at: usize) -> u16 {
        self.codes.get(at).copied().unwrap_or(0)
    }

    fn has_words(&self) -> bool {
        self.words.is_some()
    }

    fn word_starts_at(&self, at: usize) -> bool {
        self.words.is_some_and(|line| line.word_starts_at(at))
    }
}

/// A form as it lies in memory.
struct RawForm<'a> {
    codes: &'a [u8],
    words: Option<&'a LineParts<'a>>,
}

impl<'a> RawForm<'a> {
    /// The spoken and the written form.
    const fn both(parts: &'a LineParts<'a>) -> [Self; 2] {
        [
            Self {
                codes: parts.spoken,
                words: Some(parts),
            },
            Self {
                codes: parts.written,
                words: None,
            },
        ]
    }
}

impl Text for RawForm<'_> {
    #[inline]
    fn n_codes(&self) -> usize {
        self.codes.len() / 2
    }

    #[inline]
    fn code(&self, at: usize) -> u16 {
        self.codes.get(at * 2..at * 2 + 2).map_or(0, code_of)
    }

    fn has_words(&self) -> bool {
        self.words.is_some()
    }

    fn word_starts_at(&self, at: usize) -> bool {
        self.words.is_some_and(|parts| parts.word_starts_at(at))
    }
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
        let quality = quality_of(sound.agreement, sound.cost);
        Span {
            start,
            end,
            quality,
        }
    }))
}

//! Phrases, found by letters and by sounds in one pass over an utterance.

use std::ops::Range;
use std::sync::LazyLock;

use auricle_pinyin::{Syllable, word_readings};
use rustc_hash::FxHashMap;

use super::words::{self, Role};
use crate::spoken::Letter;

/// Letters that `..` in a phrase stands for, at most.
const MAX_GAP: usize = 6;
/// How far before a phrase a "no" turns it round.
const NEGATION_REACH: usize = 2;
/// "I cannot give you my word": there it stands further off.
const PLEDGE_NEGATION_REACH: usize = 5;
const NEGATIONS: &str = "不没别未甭";
/// How far before a phrase "this is no …" may stand.
const DENIAL_REACH: usize = 4;
const DENIAL: [char; 2] = ['不', '是'];
/// 给你打 is what the speaker does: no request.
const TOWARDS: &str = "给帮替为跟和与叫让";

/// A phrase of the utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) role: Role,
    /// Places in the utterance's letters.
    pub(super) letters: Range<usize>,
}

struct Phrase {
    role: Role,
    /// What stands between the gaps.
    parts: Vec<Vec<PhraseLetter>>,
}

struct PhraseLetter {
    letter: char,
    sound: Option<Syllable>,
}

/// All phrases, by the letter and by the sound that they begin with.
struct Lexicon {
    phrases: Vec<Phrase>,
    by_letter: FxHashMap<char, Vec<usize>>,
    /// By [`Syllable::index`]: phrases that begin with two letters by the sound with its tone, with more without.
    by_sound: Vec<Vec<usize>>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::new);

/// Phrases in `letters`, in order; those that a "no" turns round are left out where the role minds it.
pub(super) fn find(letters: &[Letter]) -> Vec<Found> {
    let lexicon = &*LEXICON;
    let mut found = Vec::new();
    let mut by_sound: Vec<usize> = Vec::new();
    for at in 0..letters.len() {
        let mut add = |place: usize| {
            let phrase = &lexicon.phrases[place];
            if let Some(end) = phrase.end(letters, at)
                && !is_turned(phrase.role, letters, at)
            {
                found.push(Found {
                    role: phrase.role,
                    letters: at..end,
                });
            }
        };
        lexicon.written(&letters[at]).for_each(&mut add);
        by_sound.extend(lexicon.sounding(&letters[at]));
        by_sound.sort_unstable();
        by_sound.drain(..).for_each(add);
    }
    found
}

/// What stands before the phrase at `at` makes it another.
fn is_turned(role: Role, letters: &[Letter], at: usize) -> bool {
    let before = |reach: usize| letters[at.saturating_sub(reach)..at].iter();
    let has_no = |reach: usize| before(reach).any(|letter| NEGATIONS.contains(letter.letter));
    let is_denied = || {
        let before: Vec<char> = before(DENIAL_REACH).map(|letter| letter.letter).collect();
        before.windows(2).any(|pair| pair == DENIAL)
    };
    match role {
        Role::Pledge => has_no(PLEDGE_NEGATION_REACH),
        Role::Problem => is_denied(),
        Role::Request => {
            let first = letters[at].letter;
            "你您".contains(first) && before(1).any(|letter| TOWARDS.contains(letter.letter))
        }
        _ => role.minds_negation() && has_no(NEGATION_REACH),
    }
}

impl Lexicon {
    fn new() -> Self {
        let phrases = words::phrases().map(|(role, text)| Phrase::new(role, text));
        let phrases: Vec<Phrase> = phrases.collect();
        let mut lexicon = Self {
            phrases: Vec::new(),
            by_letter: FxHashMap::default(),
            by_sound: vec![Vec::new(); Syllable::COUNT],
        };
        for (place, phrase) in phrases.iter().enumerate() {
            let Some((first, n_letters)) = phrase
                .parts
                .first()
                .and_then(|part| Some((part.first()?, part.len())))
            else {
                continue;
            };
            lexicon
                .by_letter
                .entry(first.letter)
                .or_default()
                .push(place);
            match (first.sound, n_letters) {
                (None, _) | (_, 1) => {}
                (Some(sound), 2) => lexicon.by_sound[sound.index()].push(place),
                (Some(sound), _) => lexicon.by_sound[sound.toneless().index()].push(place),
            }
        }
        lexicon.phrases = phrases;
        lexicon
    }

    /// Phrases whose first letter is this one.
    fn written(&self, letter: &Letter) -> impl Iterator<Item = usize> {
        let places = self.by_letter.get(&letter.letter);
        places.into_iter().flatten().copied()
    }

    /// Phrases whose first letter sounds as this one, and is another.
    fn sounding(&self, letter: &Letter) -> impl Iterator<Item = usize> {
        let sound = letter.sounds.first().map(|(sound, _)| *sound);
        let toned = sound.filter(|sound| sound.tone() != 0);
        let sounds = toned.into_iter().chain(sound.map(Syllable::toneless));
        let places = sounds.flat_map(|sound| &self.by_sound[sound.index()]);
        let written = letter.letter;
        let is_other = move |place: &usize| self.phrases[*place].parts[0][0].letter != written;
        places.copied().filter(is_other)
    }
}

impl Phrase {
    fn new(role: Role, text: &str) -> Self {
        Self {
            role,
            parts: text.split("..").map(part).collect(),
        }
    }

    /// One past the last letter of the phrase that begins at `at`.
    fn end(&self, letters: &[Letter], at: usize) -> Option<usize> {
        let (first, rest) = self.parts.split_first()?;
        let mut end = part_end(first, letters, at)?;
        for part in rest {
            let from = end..(end + MAX_GAP + 1).min(letters.len());
            end = from
                .into_iter()
                .find_map(|at| part_end(part, letters, at))?;
        }
        Some(end)
    }
}

fn part(text: &str) -> Vec<PhraseLetter> {
    let text: String = text
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let readings = word_readings(&text);
    let sounds = readings
        .first()
        .map(|(sounds, _)| sounds.to_vec())
        .unwrap_or_default();
    let letters = text.chars().enumerate();
    letters
        .map(|(place, letter)| PhraseLetter {
            letter,
            sound: sounds.get(place).copied(),
        })
        .collect()
}

/// One hanzi must be written so; two may also sound so, three and more also with other tones.
fn part_end(part: &[PhraseLetter], letters: &[Letter], at: usize) -> Option<usize> {
    let there = letters.get(at..at + part.len())?;
    let is_there = part.iter().zip(there).all(|(wanted, letter)| {
        wanted.letter == letter.letter || sounds_alike(wanted, letter, part.len())
    });
    (is_there && is_whole(part, letters, at)).then_some(at + part.len())
}

fn sounds_alike(wanted: &PhraseLetter, letter: &Letter, n_letters: usize) -> bool {
    let Some((wanted, (heard, _))) = wanted.sound.zip(letter.sounds.first().copied()) else {
        return false;
    };
    match n_letters {
        0 | 1 => false,
        2 => wanted == heard,
        _ => wanted.toneless() == heard.toneless(),
    }
}

/// Words of alphabets are not found inside other words.
fn is_whole(part: &[PhraseLetter], letters: &[Letter], at: usize) -> bool {
    let is_word = part.iter().all(|letter| letter.sound.is_none());
    let goes_on = |left: Option<&Letter>, right: Option<&Letter>| {
        left.zip(right).is_some_and(|(left, right)| {
            left.at + 1 == right.at && left.sounds.is_empty() && right.sounds.is_empty()
        })
    };
    let before = at.checked_sub(1).and_then(|place| letters.get(place));
    let end = at + part.len();
    let last = end.checked_sub(1).and_then(|place| letters.get(place));
    !is_word || (!goes_on(before, letters.get(at)) && !goes_on(last, letters.get(end)))
}

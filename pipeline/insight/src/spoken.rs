//! One utterance made ready for matching: its letters and its sounds side by side, with times.

use auricle_contracts::{Party, Syllable as Heard, Utterance};
use auricle_pinyin::{MAX_WORD_HANZI, Syllable, readings, word_readings};
use smallvec::SmallVec;

use crate::spelling::syllable;

/// What a letter may have sounded like, likeliest first, with probabilities. Recognisers give up to five, which
/// take no memory of their own.
pub type Sounds = SmallVec<[(Syllable, f32); 5]>;

/// One letter of what was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// A hanzi, a digit, or a lower-case letter; never space or punctuation.
    pub letter: char,
    /// Its place in the utterance's `spoken`, counted in characters.
    pub at: usize,
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End.
    pub end_ms: u64,
    /// How it sounded, likeliest first, with probabilities; as it would be read aloud where it was not
    /// heard as syllables, empty for what has no pinyin.
    pub sounds: Sounds,
}

/// One utterance, ready for matching.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken<'a> {
    /// The utterance.
    pub utterance: &'a Utterance,
    /// Its place in the transcript's list.
    pub idx: usize,
    /// Its letters, in order.
    pub letters: Vec<Letter>,
}

impl<'a> Spoken<'a> {
    /// Lays letters, sounds and times of `utterance` side by side. Works on transcripts without words,
    /// times or syllables, too: then times are spread evenly and letters sound as they are read.
    pub fn new(utterance: &'a Utterance, idx: usize) -> Self {
        let mut letters = letters_of(source_of(utterance));
        spread_times(&mut letters, utterance);
        if !hear(&mut letters, &utterance.syllables) {
            read_aloud(&mut letters);
            lay_sounds(&mut letters, &utterance.syllables);
        }
        Self {
            utterance,
            idx,
            letters,
        }
    }

    /// Who said it.
    pub const fn party(&self) -> Party {
        self.utterance.party
    }

    /// What its letters were taken from: spaces and punctuation are still there.
    pub(crate) fn source(&self) -> &'a str {
        source_of(self.utterance)
    }

    /// Its letters as text.
    pub fn text(&self) -> String {
        self.letters.iter().map(|letter| letter.letter).collect()
    }
}

/// What was said; the written form where nothing else is there.
fn source_of(utterance: &Utterance) -> &str {
    match utterance.spoken.is_empty() {
        true => &utterance.text,
        false => &utterance.spoken,
    }
}

fn letters_of(text: &str) -> Vec<Letter> {
    let said = text
        .chars()
        .enumerate()
        .filter(|(_, letter)| is_said(*letter));
    said.map(|(at, letter)| Letter {
        letter: lower(letter),
        at,
        start_ms: 0,
        end_ms: 0,
        sounds: Sounds::new(),
    })
    .collect()
}

/// Gives each word's time to its letters, in equal parts; without words, the utterance's.
fn spread_times(letters: &mut [Letter], utterance: &Utterance) {
    let n_in_words: usize = utterance.words.iter().map(|word| n_letters(&word.w)).sum();
    if n_in_words != letters.len() {
        share(letters, utterance.start_ms, utterance.end_ms);
        return;
    }
    let mut rest = letters;
    for word in &utterance.words {
        let (some, others) = rest.split_at_mut(n_letters(&word.w));
        share(some, word.start_ms, word.end_ms);
        rest = others;
    }
}

fn n_letters(word: &str) -> usize {
    word.chars().filter(|letter| is_said(*letter)).count()
}

/// Most letters are hanzi: the general way is a long search.
const fn is_hanzi_block(letter: char) -> bool {
    matches!(letter, '\u{4e00}'..='\u{9fff}')
}

fn is_said(letter: char) -> bool {
    is_hanzi_block(letter) || letter.is_alphanumeric()
}

fn lower(letter: char) -> char {
    match is_hanzi_block(letter) {
        true => letter,
        false => letter.to_lowercase().next().unwrap_or(letter),
    }
}

fn share(letters: &mut [Letter], start_ms: u64, end_ms: u64) {
    let n = letters.len() as u128;
    let length_ms = u128::from(end_ms.saturating_sub(start_ms));
    // No more than `length_ms` after the start.
    let at_ms = |place: usize| start_ms + (length_ms * place as u128 / n) as u64;
    for (place, letter) in letters.iter_mut().enumerate() {
        letter.start_ms = at_ms(place);
        letter.end_ms = at_ms(place + 1);
    }
}

/// Gives each hanzi the syllable heard for it, where there is one for each: then nothing need be read aloud.
/// Otherwise letters stay as they are.
fn hear(letters: &mut [Letter], heard: &[Heard]) -> bool {
    let is_hanzi = |letter: &Letter| !readings(letter.letter).is_empty();
    if letters.iter().filter(|letter| is_hanzi(letter)).count() != heard.len()
        || heard.iter().any(|heard| options(heard).next().is_none())
    {
        return false;
    }
    let hanzi = letters.iter_mut().filter(|letter| is_hanzi(letter));
    for (letter, heard) in hanzi.zip(heard) {
        letter.sounds.extend(options(heard));
        letter.start_ms = heard.start_ms;
        letter.end_ms = heard.end_ms.max(heard.start_ms);
    }
    true
}

/// The sounds letters have in writing, heteronyms settled by their neighbours.
fn read_aloud(letters: &mut [Letter]) {
    let is_hanzi = |letter: &Letter| !readings(letter.letter).is_empty();
    let mut from = 0;
    while from < letters.len() {
        let n = letters[from..]
            .iter()
            .take(MAX_WORD_HANZI)
            .take_while(|letter| is_hanzi(letter))
            .count();
        read_stretch(&mut letters[from..from + n]);
        from += n.max(1);
    }
}

fn read_stretch(letters: &mut [Letter]) {
    let text: String = letters.iter().map(|letter| letter.letter).collect();
    for (syllables, prob) in word_readings(&text) {
        for (letter, syllable) in letters.iter_mut().zip(syllables) {
            match letter
                .sounds
                .iter_mut()
                .find(|(known, _)| *known == syllable)
            {
                Some((_, known_prob)) => *known_prob += prob,
                None => letter.sounds.push((syllable, prob)),
            }
        }
    }
}

/// Puts what was heard in the place of what would be read, where letters and syllables go together.
fn lay_sounds(letters: &mut [Letter], heard: &[Heard]) {
    let hanzi: Vec<usize> = (0..letters.len())
        .filter(|&place| !letters[place].sounds.is_empty())
        .collect();
    let sounds: Vec<Sounds> = heard.iter().map(|heard| options(heard).collect()).collect();
    for (hanzi_idx, heard_idx) in pairs(letters, &hanzi, &sounds) {
        let letter = &mut letters[hanzi[hanzi_idx]];
        if !sounds[heard_idx].is_empty() {
            letter.sounds.clone_from(&sounds[heard_idx]);
            letter.start_ms = heard[heard_idx].start_ms;
            letter.end_ms = heard[heard_idx].end_ms.max(letter.start_ms);
        }
    }
}

/// What a syllable may have been; empty where its spelling is no pinyin.
fn options(heard: &Heard) -> impl Iterator<Item = (Syllable, f32)> {
    let others = heard
        .alternatives
        .iter()
        .map(|other| (&other.s, other.conf));
    let all = std::iter::once((&heard.s, heard.conf)).chain(others);
    all.filter_map(|(spelled, prob)| Some((syllable(spelled)?, prob)))
}

/// Longer utterances that do not have one syllable for each hanzi keep the sounds of their letters.
const MOST_CELLS: usize = 1 << 20;

/// Which hanzi goes with which syllable, in order: one to one where there are as many, else the way that
/// leaves the fewest without a sound of their own.
fn pairs(letters: &[Letter], hanzi: &[usize], sounds: &[Sounds]) -> Vec<(usize, usize)> {
    let (n, m) = (hanzi.len(), sounds.len());
    if n == m {
        return (0..n).map(|place| (place, place)).collect();
    }
    if n == 0 || m == 0 || (n + 1) * (m + 1) > MOST_CELLS {
        return Vec::new();
    }
    let alike = |i: usize, j: usize| sounds_like(&letters[hanzi[i]], &sounds[j]);
    // `best[i][j]`: most that can be had from `hanzi[i..]` and `sounds[j..]`.
    let width = m + 1;
    let mut best = vec![0u32; (n + 1) * width];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            best[i * width + j] = (best[(i + 1) * width + j + 1] + alike(i, j))
                .max(best[(i + 1) * width + j])
                .max(best[i * width + j + 1]);
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < n && j < m {
        let here = best[i * width + j];
        if here == best[(i + 1) * width + j + 1] + alike(i, j) {
            found.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if here == best[(i + 1) * width + j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}

/// Worth of laying a heard syllable under a letter: above all where it reads so.
fn sounds_like(letter: &Letter, sounds: &[(Syllable, f32)]) -> u32 {
    let is_read = sounds.iter().any(|(heard, _)| {
        let read = letter.sounds.iter();
        read.into_iter()
            .any(|(known, _)| known.toneless() == heard.toneless())
    });
    if is_read { 3 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::utterance;
    use auricle_contracts::Word;

    fn sounds(spoken: &Spoken<'_>) -> String {
        let best = spoken
            .letters
            .iter()
            .map(|letter| match letter.sounds.first() {
                Some((syllable, _)) => syllable.to_string(),
                None => "-".to_owned(),
            });
        best.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn letters_sound_as_heard_and_else_as_read() {
        let mut heard = utterance(Party::Agent, 0, "我保证，OK收益");
        assert_eq!(
            sounds(&Spoken::new(&heard, 0)),
            "wo3 bao3 zheng4 - - shou1 yi4"
        );
        let names = ["wo3", "bao1", "zheng4", "shou1", "yi4"];
        heard.syllables = names
            .iter()
            .zip(0u64..)
            .map(|(name, place)| Heard {
                s: (*name).into(),
                start_ms: place * 100,
                end_ms: place * 100 + 90,
                conf: 0.9,
                alternatives: Vec::new(),
            })
            .collect();
        let spoken = Spoken::new(&heard, 0);
        assert_eq!(sounds(&spoken), "wo3 bao1 zheng4 - - shou1 yi4");
        assert_eq!(spoken.letters[5].start_ms, 300);
        heard.syllables.remove(2);
        assert_eq!(
            sounds(&Spoken::new(&heard, 0)),
            "wo3 bao1 zheng4 - - shou1 yi4",
            "a letter without a syllable sounds as it is read"
        );
    }

    #[test]
    fn words_give_their_times_to_their_letters() {
        let mut said = utterance(Party::Agent, 0, "您好");
        said.words = vec![Word {
            w: "您好".into(),
            start_ms: 100,
            end_ms: 300,
        }];
        let spoken = Spoken::new(&said, 0);
        let times: Vec<_> = spoken
            .letters
            .iter()
            .map(|letter| (letter.start_ms, letter.end_ms))
            .collect();
        assert_eq!(times, [(100, 200), (200, 300)]);
    }
}

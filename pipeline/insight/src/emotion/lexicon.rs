//! Words that say how somebody feels.
//!
//! Found as they are written and, for words of two hanzi and more, as they sound: what a recogniser writes
//! wrong it mostly heard right. Two hanzi must agree in their tones, longer words need not. A word that is
//! denied ("不生气", "not angry") says nothing, or the opposite where it is a good word; a state that is another's
//! ("我理解您的愤怒", "I see that you are angry") says nothing of the speaker ([`whose`]).

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use auricle_contracts::Intent;
use auricle_pinyin::{Syllable, word_readings};
use smallvec::{SmallVec, smallvec};

use super::whose::{self, Names, Whose};
use crate::{Letter, Spoken};

/// What words may say at most; a word of the strongest kind says 3.
const MOST: f32 = 4.0;
/// A sound less likely than this was not heard.
const LEAST_HEARD: f32 = 0.3;
/// What a good word that is denied says of anger.
const DENIED_GOOD: f32 = 1.0;
/// Stands for a letter without sound among syllables.
const NO_SYLLABLE: u16 = u16::MAX;
/// How far before a word its denial may stand, in English words.
const DENIAL_WORDS: usize = 3;

/// What the text of one utterance says, each 0 to 4.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct TextScores {
    pub(super) angry: f32,
    pub(super) happy: f32,
    pub(super) sad: f32,
}

/// What intents say, by name; those that are not listed say nothing.
const INTENTS: [(&str, Feeling, f32); 9] = [
    ("angry", Feeling::Angry, 3.0),
    ("abuse", Feeling::Angry, 2.5),
    ("complaint", Feeling::Angry, 1.2),
    ("opt_out", Feeling::Angry, 0.8),
    ("refuses", Feeling::Angry, 0.3),
    ("price_objection", Feeling::Angry, 0.2),
    ("interested", Feeling::Happy, 0.8),
    ("thanks", Feeling::Happy, 1.5),
    ("satisfied", Feeling::Happy, 2.5),
];

impl TextScores {
    pub(super) fn of(spoken: &Spoken<'_>, intents: &[Intent]) -> Self {
        let mut scores = Self::default();
        LEXICON.look_up(spoken, &mut scores);
        for intent in intents {
            let said = INTENTS.iter().find(|(name, ..)| *name == intent.label);
            if let Some((_, feeling, strength)) = said {
                scores.add(*feeling, strength * intent.confidence.clamp(0.0, 1.0));
            }
        }
        scores
    }

    fn add(&mut self, feeling: Feeling, strength: f32) {
        let score = match feeling {
            Feeling::Angry => &mut self.angry,
            Feeling::Happy => &mut self.happy,
            Feeling::Sad => &mut self.sad,
            Feeling::None => return,
        };
        *score = (*score + strength).min(MOST);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feeling {
    Angry,
    Happy,
    Sad,
    /// A formula, or a word that holds another by chance.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    feeling: Feeling,
    strength: f32,
    names: Names,
}

/// Words of one kind, found together.
struct Words {
    finder: Option<AhoCorasick>,
    entries: Vec<Entry>,
}

impl Words {
    fn new(words: Vec<(Vec<u8>, Entry)>) -> Self {
        let (patterns, entries): (Vec<_>, Vec<_>) = words.into_iter().unzip();
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            // Some hundred words: small enough for the fastest kind.
            .kind(Some(AhoCorasickKind::DFA))
            .build(&patterns);
        Self {
            finder: built.ok(),
            entries,
        }
    }

    /// Start, end and entry of the words in `text`, from left to right.
    fn find<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, usize, Entry)> + 'a {
        let found = self
            .finder
            .iter()
            .flat_map(move |finder| finder.find_iter(text));
        found.map(|found| {
            (
                found.start(),
                found.end(),
                self.entries[found.pattern().as_usize()],
            )
        })
    }
}

struct Lexicon {
    hanzi: Words,
    /// Syllables with tones of two hanzi, as pairs of bytes.
    toned: Words,
    /// Syllables without tones of longer words.
    toneless: Words,
    english: Words,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(include_str!("lexicon.txt")));

impl Lexicon {
    fn new(text: &str) -> Self {
        let (mut hanzi, mut toned, mut toneless) = (Vec::new(), Vec::new(), Vec::new());
        let mut english = Vec::new();
        for (entry, word) in text.lines().filter_map(parse_line).flat_map(words_of) {
            if word.is_ascii() {
                english.push((word.as_bytes().to_vec(), entry));
                continue;
            }
            hanzi.push((word.as_bytes().to_vec(), entry));
            let n_hanzi = word.chars().count();
            let readings = word_readings(word);
            let Some((syllables, _)) = readings.first() else {
                continue;
            };
            match n_hanzi {
                0 | 1 => {}
                2 => toned.push((bytes(syllables.iter().copied()), entry)),
                _ => toneless.push((bytes(syllables.iter().map(|one| one.toneless())), entry)),
            }
        }
        Self {
            hanzi: Words::new(hanzi),
            toned: Words::new(toned),
            toneless: Words::new(toneless),
            english: Words::new(english),
        }
    }

    fn look_up(&self, spoken: &Spoken<'_>, scores: &mut TextScores) {
        let said = Said::new(spoken);
        let mut taken: SmallVec<[bool; 64]> = smallvec![false; spoken.letters.len()];
        for (start, end, entry) in self.hanzi.find(said.text.as_bytes()) {
            let word = said.place_of(start)..said.place_of(end);
            taken[word.clone()].fill(true);
            said.weigh(scores, entry, word);
        }
        let heard = |change: fn(Syllable) -> Syllable| {
            let mut sounds: SmallVec<[u8; 128]> = SmallVec::new();
            for letter in &spoken.letters {
                sounds.extend_from_slice(&sound(letter, change));
            }
            sounds
        };
        for (words, sounds) in [
            (&self.toned, heard(|syllable| syllable)),
            (&self.toneless, heard(Syllable::toneless)),
        ] {
            for (start, end, entry) in words.find(&sounds) {
                let (from, to) = (start / 2, end / 2);
                if start % 2 != 0 || taken[from..to].contains(&true) {
                    continue;
                }
                taken[from..to].fill(true);
                said.weigh(scores, entry, from..to);
            }
        }
        self.look_up_english(&spoken.utterance.text, scores);
    }

    fn look_up_english(&self, text: &str, scores: &mut TextScores) {
        if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            return;
        }
        let (plain, clauses) = plain_english(text);
        let is_edge = |at: Option<&u8>| at.is_none_or(|byte| *byte == b' ');
        for (start, end, entry) in self.english.find(plain.as_bytes()) {
            let before = start.checked_sub(1).and_then(|at| plain.as_bytes().get(at));
            if !is_edge(before) || !is_edge(plain.as_bytes().get(end)) {
                continue;
            }
            let Range {
                start: since,
                end: until,
            } = clause_around(&clauses, start..end, plain.len());
            let is_own = entry.names == Names::Opinion
                || whose::in_english(entry.names, &plain[since..start], &plain[end..until])
                    == Whose::Own;
            if is_own {
                weigh(scores, entry, is_denied_english(&plain[..start]));
            }
        }
    }
}

/// The letters of one utterance as text, and where its clauses end.
struct Said<'a> {
    spoken: &'a Spoken<'a>,
    text: String,
    /// Where each letter starts in `text`, in bytes, and the end.
    starts: SmallVec<[usize; 64]>,
    /// Places of the letters that begin a clause; found at the first word that asks whose it is.
    clauses: OnceCell<Vec<usize>>,
}

impl<'a> Said<'a> {
    fn new(spoken: &'a Spoken<'a>) -> Self {
        let text = spoken.text();
        let mut starts: SmallVec<[usize; 64]> =
            text.char_indices().map(|(start, _)| start).collect();
        starts.push(text.len());
        Self {
            spoken,
            text,
            starts,
            clauses: OnceCell::new(),
        }
    }

    /// The place of the letter that starts at the byte `start`.
    fn place_of(&self, start: usize) -> usize {
        self.starts.partition_point(|one| *one < start)
    }

    fn letters(&self, places: Range<usize>) -> &str {
        &self.text[self.starts[places.start]..self.starts[places.end]]
    }

    fn weigh(&self, scores: &mut TextScores, entry: Entry, word: Range<usize>) {
        if entry.names != Names::Opinion {
            let clauses = self
                .clauses
                .get_or_init(|| clauses_of(&self.spoken.utterance.text, &self.spoken.letters));
            let clause = clause_around(clauses, word.clone(), self.spoken.letters.len());
            let since = word.start.saturating_sub(whose::CLAUSE_HANZI);
            let until = word.end + whose::CLAUSE_HANZI;
            let before = self.letters(clause.start.max(since)..word.start);
            let after = self.letters(word.end..clause.end.min(until));
            if whose::in_hanzi(entry.names, before, after) == Whose::Others {
                return;
            }
        }
        let since = word.start.saturating_sub(DENIAL_HANZI);
        weigh(scores, entry, is_denied(self.letters(since..word.start)));
    }
}

/// Which of `letters` begin a clause by the punctuation of `text`, as far as the two agree from their start and
/// from their end: `text` may write numbers that `letters` spell.
fn clauses_of(text: &str, letters: &[Letter]) -> Vec<usize> {
    let mut written: Vec<char> = Vec::with_capacity(letters.len());
    // How many letters stand before each mark.
    let mut marks = Vec::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            written.extend(letter.to_lowercase().next());
        } else if ends_clause(letter) && marks.last() != Some(&written.len()) {
            marks.push(written.len());
        }
    }
    let is_same = |(one, other): &(&char, &Letter)| **one == other.letter;
    let from_start = written.iter().zip(letters).take_while(is_same).count();
    let pairs = written.iter().rev().zip(letters.iter().rev());
    let unmet = written.len().min(letters.len()) - from_start;
    let from_end = pairs.take(unmet).take_while(is_same).count();
    let place_of = |n_before: usize| {
        let n_behind = written.len() - n_before;
        match n_before <= from_start {
            true => Some(n_before),
            false => (n_behind <= from_end).then(|| letters.len() - n_behind),
        }
    };
    marks.into_iter().filter_map(place_of).collect()
}

const fn ends_clause(mark: char) -> bool {
    matches!(
        mark,
        '，' | '。' | '！' | '？' | '；' | '：' | '…' | '—' | ',' | '.' | '!' | '?' | ';' | ':'
    )
}

/// What of `0..len` around `word` holds none of `clauses`, where clauses begin, in order.
fn clause_around(clauses: &[usize], word: Range<usize>, len: usize) -> Range<usize> {
    let since = clauses.partition_point(|at| *at <= word.start);
    let until = clauses.partition_point(|at| *at < word.end);
    let start = since.checked_sub(1).map_or(0, |last| clauses[last]);
    start..clauses.get(until).copied().unwrap_or(len)
}

fn weigh(scores: &mut TextScores, entry: Entry, is_denied: Denied) {
    match (is_denied, entry.feeling) {
        (Denied::No, feeling) => scores.add(feeling, entry.strength),
        (Denied::Yes, Feeling::Happy) if entry.strength >= 2.0 => {
            scores.add(Feeling::Angry, DENIED_GOOD);
        }
        (Denied::Yes, _) => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denied {
    No,
    Yes,
}

/// Ends of what stands before a word that denies it, and of what only seems to.
const DENIALS: [&str; 14] = [
    "不",
    "没",
    "没有",
    "别",
    "未",
    "并非",
    "不是",
    "不会",
    "不用",
    "不要",
    "不必",
    "不太",
    "不怎么",
    "没什么",
];
const NO_DENIALS: [&str; 10] = [
    "是不是",
    "会不会",
    "有没有",
    "要不要",
    "能不能",
    "差别",
    "特别",
    "难道不是",
    "还不是",
    "可不是",
];

/// The longest of them, in hanzi.
const DENIAL_HANZI: usize = 4;

fn is_denied(before: &str) -> Denied {
    let ends = |words: &[&str]| words.iter().any(|word| before.ends_with(word));
    match ends(&DENIALS) && !ends(&NO_DENIALS) {
        true => Denied::Yes,
        false => Denied::No,
    }
}

fn is_denied_english(before: &str) -> Denied {
    let denies = |word: &str| {
        matches!(
            word,
            "not" | "no" | "never" | "hardly" | "without" | "cannot"
        ) || (word.len() > 3 && word.ends_with("nt") && is_contraction(word))
    };
    // No idea how angry, no wonder that angry.
    let is_idiom = |next: &str| matches!(next, "idea" | "wonder" | "doubt");
    let words = before.split(' ').rev().filter(|word| !word.is_empty());
    let mut next = "";
    let is_denied = words.take(DENIAL_WORDS).any(|word| {
        let next = std::mem::replace(&mut next, word);
        denies(word) && !(word == "no" && is_idiom(next))
    });
    match is_denied {
        true => Denied::Yes,
        false => Denied::No,
    }
}

/// `dont`, `isnt`, `couldnt`: apostrophes are dropped.
fn is_contraction(word: &str) -> bool {
    const VERBS: [&str; 16] = [
        "do", "does", "did", "is", "was", "are", "were", "have", "has", "had", "ca", "wo", "could",
        "would", "should", "ai",
    ];
    VERBS.contains(&word.trim_end_matches("nt"))
}

/// Lower-case words with a space between, apostrophes dropped; and where clauses begin, by their punctuation.
fn plain_english(text: &str) -> (String, Vec<usize>) {
    let mut plain = String::with_capacity(text.len());
    let mut clauses = Vec::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            plain.push(letter.to_ascii_lowercase());
            continue;
        }
        if matches!(letter, '\'' | '’') {
            continue;
        }
        if !plain.ends_with(' ') && !plain.is_empty() {
            plain.push(' ');
        }
        if matches!(letter, '.' | ',' | '?' | '!' | ';' | ':') {
            clauses.push(plain.len());
        }
    }
    (plain, clauses)
}

fn bytes(syllables: impl Iterator<Item = Syllable>) -> Vec<u8> {
    let indices = syllables.map(|syllable| syllable.index() as u16);
    indices.flat_map(u16::to_be_bytes).collect()
}

fn sound(letter: &Letter, change: fn(Syllable) -> Syllable) -> [u8; 2] {
    let heard = letter
        .sounds
        .first()
        .filter(|(_, prob)| *prob >= LEAST_HEARD);
    let index = heard.map_or(NO_SYLLABLE, |(syllable, _)| {
        change(*syllable).index() as u16
    });
    index.to_be_bytes()
}

/// `feeling strength: word, word, …`, with `state`, `trial` or `limit` behind the strength where [`Names`] are those;
/// blank lines and those that begin with `#` are for readers.
fn parse_line(line: &str) -> Option<(Entry, &str)> {
    let (head, words) = line.split_once(':')?;
    let (feeling, rest) = head.split_once(' ')?;
    let (strength, names) = match rest.split_once(' ') {
        None => (rest, Names::Opinion),
        Some((strength, "state")) => (strength, Names::State),
        Some((strength, "trial")) => (strength, Names::Trial),
        Some((strength, "limit")) => (strength, Names::Limit),
        Some(_) => return None,
    };
    let feeling = match feeling {
        "angry" => Feeling::Angry,
        "happy" => Feeling::Happy,
        "sad" => Feeling::Sad,
        "none" => Feeling::None,
        _ => return None,
    };
    let strength = strength.parse().ok()?;
    let entry = Entry {
        feeling,
        strength,
        names,
    };
    Some((entry, words))
}

fn words_of((entry, words): (Entry, &str)) -> impl Iterator<Item = (Entry, &str)> {
    words.split(',').map(move |word| (entry, word.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::utterance;
    use auricle_contracts::{Party, Syllable as Heard};

    fn scores(text: &str) -> TextScores {
        let said = utterance(Party::Customer, 0, text);
        TextScores::of(&Spoken::new(&said, 0), &[])
    }

    /// What is felt most, and nothing where nothing is.
    fn felt(scores: TextScores) -> &'static str {
        let all = [
            (scores.angry, "angry"),
            (scores.happy, "happy"),
            (scores.sad, "sad"),
        ];
        let best = all
            .into_iter()
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        best.filter(|(score, _)| *score > 0.0)
            .map_or("", |(_, name)| name)
    }

    #[test]
    fn every_line_of_the_lexicon_is_read() {
        for line in include_str!("lexicon.txt").lines() {
            let is_note = line.is_empty() || line.starts_with('#');
            assert_eq!(parse_line(line).is_none(), is_note, "{line}");
        }
        let mut words: Vec<&str> = include_str!("lexicon.txt")
            .lines()
            .filter_map(parse_line)
            .flat_map(words_of)
            .map(|(_, word)| word)
            .collect();
        assert!(words.iter().all(|word| !word.is_empty()));
        words.sort_unstable();
        let twice: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn words_say_how_somebody_feels() {
        for (text, expected) in [
            ("你们就是一帮骗子", "angry"),
            ("我很生气，你们太过分了", "angry"),
            ("我没有生气，您慢慢说", ""),
            ("你是不是骗子", "angry"),
            ("太好了，非常感谢你", "happy"),
            ("我对你们的服务不满意", "angry"),
            ("我很满意", "happy"),
            ("我特别生气", "angry"),
            ("我最近失业了，实在没办法，压力很大", "sad"),
            ("请问今天几点开门", ""),
            ("明天下午三点给我打电话", ""),
            ("You people are liars, this is ridiculous!", "angry"),
            ("I'm not angry, I just want to know", ""),
            ("I don't feel angry at all.", ""),
            ("That's wonderful, thank you so much.", "happy"),
            ("I'm so worried, I lost my job", "sad"),
            ("The rate is four percent", ""),
            ("很高兴为您服务，祝您生活愉快", ""),
            ("麻烦人家跑一趟", ""),
            ("我妈妈的手机号", ""),
            ("Thank you for calling, how are you?", ""),
            ("an unhappy ending is an ending", "angry"),
            ("", ""),
        ] {
            let scores = scores(text);
            assert_eq!(felt(scores), expected, "{text}: {scores:?}");
        }
    }

    #[test]
    fn what_others_feel_is_not_the_speakers_mood() {
        for (text, expected) in [
            ("我理解您的愤怒", ""),
            ("非常抱歉让您生气了", ""),
            ("非常抱歉，让您感到失望和不满了", ""),
            ("您先别着急，我理解您很生气", ""),
            ("您愤怒的心情我完全能够理解", ""),
            ("您对我们的服务满意吗", ""),
            ("不好意思打扰您了", ""),
            ("他当时非常生气", ""),
            ("我真的很生气，你们太过分了", "angry"),
            ("你别让我生气", "angry"),
            ("我对你们的服务很不满意", "angry"),
            ("你们的服务太让人失望了", "sad"),
            ("请你理解一下我的愤怒", "angry"),
            ("您态度很好，我很满意", "happy"),
            ("你们这些骗子气死我了", "angry"),
            ("I understand you are angry.", ""),
            ("I understand you are frustrated and upset", ""),
            (
                "I completely understand how frustrating this must be for you.",
                "",
            ),
            ("I'm so sorry that made you upset", ""),
            ("I apologize for the terrible experience", ""),
            ("She was furious", ""),
            ("I'm really angry", "angry"),
            ("I'm sorry, but I am very upset", "angry"),
            ("You are making me angry", "angry"),
            ("You have no idea how frustrated I am", "angry"),
            ("this is so frustrating", "angry"),
            ("Do you understand how frustrating this is?", "angry"),
            ("I'm worried", "sad"),
            ("are you worried?", ""),
            ("我能理解，但是真的很生气。", "angry"),
            ("我理解你们有规定但是这样处理真的忍无可忍", "angry"),
            ("对不起，受不了你们", "angry"),
            ("你这样真的受不了", "angry"),
            ("我理解您受不了了", ""),
            ("你真讨厌", "angry"),
            ("他真讨厌", "angry"),
            ("我非常生气可以理解吧", "angry"),
            ("我很着急能理解吗", "sad"),
            ("You cheated me", "angry"),
            ("they misled my mother", "angry"),
            ("this is terrible and you need to apologize", "angry"),
            ("this is frustrating and nobody even said sorry", "angry"),
            (
                "it is so frustrating for you to keep putting me on hold",
                "angry",
            ),
            ("you must be joking this is awful", "angry"),
            (
                "I demand that you apologize for this awful service",
                "angry",
            ),
            ("this is awful and I am not sorry", "angry"),
            ("that must be the most frustrating thing", ""),
            ("非常抱歉，由于我们的失误让您失望了", ""),
            ("对不起但是我很生气", "angry"),
            ("他们让我受不了", "angry"),
            ("this is annoying and I do apologise", ""),
        ] {
            let scores = scores(text);
            assert_eq!(felt(scores), expected, "{text}: {scores:?}");
        }
    }

    #[test]
    fn clauses_end_where_the_written_text_has_marks() {
        let clauses = |text: &str, spoken: &str| {
            let mut said = utterance(Party::Customer, 0, text);
            said.spoken = spoken.to_owned();
            clauses_of(text, &Spoken::new(&said, 0).letters)
        };
        assert_eq!(clauses("我理解，很生气。", "我理解很生气"), [3, 6]);
        assert_eq!(clauses("我理解，很生气", ""), [3]);
        assert_eq!(clauses("好，等了3天，很生气", "好等了三天很生气"), [1, 5]);
        assert_eq!(
            clauses("好，等3天，等25天，很急", "好等三天等二十五天很急"),
            [1, 9]
        );
        assert_eq!(clauses("好好好，好好，好", "好好好好"), [3]);
        assert_eq!(clauses("我“理解”、很急", "我理解很急"), [0; 0]);
        assert_eq!(clause_around(&[3, 6], 4..6, 9), 3..6);
        assert_eq!(clause_around(&[3, 6], 1..2, 9), 0..3);
        assert_eq!(clause_around(&[3, 6], 2..7, 9), 0..9);
        assert_eq!(clause_around(&[], 2..7, 9), 0..9);
    }

    #[test]
    fn no_denial_is_longer_than_is_looked_at() {
        let all = DENIALS.iter().chain(&NO_DENIALS);
        let longest = all.map(|denial| denial.chars().count()).max();
        assert_eq!(longest, Some(DENIAL_HANZI));
    }

    #[test]
    fn long_utterances_are_weighed_to_their_end() {
        let calm = "我理解您很生气，".repeat(3000);
        assert_eq!(scores(&calm), TextScores::default());
        assert_eq!(felt(scores(&(calm + "但是真的很生气"))), "angry");
    }

    #[test]
    fn misheard_words_are_found_by_sound() {
        let mut said = utterance(Party::Customer, 0, "你们太过粪乐");
        assert_eq!(felt(TextScores::of(&Spoken::new(&said, 0), &[])), "angry");
        said = utterance(Party::Customer, 0, "平子");
        let names = ["pian4", "zi5"];
        said.syllables = names
            .iter()
            .map(|name| Heard {
                s: (*name).into(),
                start_ms: 0,
                end_ms: 100,
                conf: 0.9,
                alternatives: Vec::new(),
            })
            .collect();
        assert_eq!(felt(TextScores::of(&Spoken::new(&said, 0), &[])), "angry");
    }

    #[test]
    fn intents_say_it_too() {
        let said = utterance(Party::Customer, 0, "我说完了");
        let intent = Intent {
            label: "angry".into(),
            confidence: 0.9,
            at: None,
            until: None,
        };
        let with = TextScores::of(&Spoken::new(&said, 0), std::slice::from_ref(&intent));
        assert!((with.angry - 2.7).abs() < 1e-6);
        let many = vec![intent; 9];
        let with = TextScores::of(&Spoken::new(&said, 0), &many);
        assert_eq!(with.angry, MOST);
    }
}

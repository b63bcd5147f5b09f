//! Classes of words that mean the same for a classifier: 保证, 担保 and 包 are one promise, so are guarantee and assure.

use std::sync::LazyLock;

use auricle_pinyin::{Syllable, word_readings};
use rustc_hash::FxHashMap;

use super::language::Language;
use super::random::scramble;
use super::tokens::{Token, letter_tokens};

/// The classes that the models of this crate are trained with; the files' heads describe their format.
const ZH: &str = include_str!("../../../../packs/intents/zh/synonyms.txt");
const EN: &str = include_str!("../../../../packs/intents/en/synonyms.txt");

static DEFAULT_ZH: LazyLock<WordClasses> =
    LazyLock::new(|| WordClasses::parse(ZH, Language::Mandarin));
static DEFAULT_EN: LazyLock<WordClasses> =
    LazyLock::new(|| WordClasses::parse(EN, Language::English));

/// More classes than these are passed over: they are looked up one after the other.
const MAX_CLASSES: usize = 4096;
/// Most tokens of a word.
const MAX_WORD_TOKENS: usize = 8;

/// Words of one language and the class each belongs to, found by their letters or by their sounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WordClasses {
    language: Language,
    text: String,
    names: Vec<String>,
    /// Words, and what longer ones begin with ([`BEGINNING`]).
    words: FxHashMap<u64, u16>,
    /// Class of the words that turn what follows into its opposite.
    not: Option<u16>,
    /// Class of the words that open a quotation or a condition.
    reported: Option<u16>,
    /// Class of the words that ask.
    question: Option<u16>,
}

/// Stands for what is no word, and begins one.
const BEGINNING: u16 = u16::MAX;

/// A word of a class, found in an utterance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) class: u16,
    /// First token.
    pub(super) from: usize,
    /// One past the last.
    pub(super) to: usize,
}

impl WordClasses {
    /// Reads lines of `class: word word …`. Anything else is passed over, and a word that stands twice
    /// keeps its first class: the file is data that goes with models, and no model may fail by it.
    pub fn parse(text: &str, language: Language) -> Self {
        let mut classes = Self {
            language,
            text: text.to_owned(),
            ..Self::default()
        };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, words)) = line.split_once(':') else {
                continue;
            };
            let Some(class) = classes.class_named(name.trim()) else {
                continue;
            };
            for word in words.split_whitespace() {
                classes.add(class, word);
            }
        }
        classes.not = classes.find_class("not");
        classes.reported = classes.find_class("reported");
        classes.question = classes.find_class("question");
        classes
    }

    /// Those of call-centre speech that Auricle brings with it.
    pub(super) fn default_of(language: Language) -> &'static Self {
        match language {
            Language::Mandarin => &DEFAULT_ZH,
            Language::English => &DEFAULT_EN,
        }
    }

    /// Whose words they are.
    pub const fn language(&self) -> Language {
        self.language
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) const fn negates(&self, class: u16) -> bool {
        matches!(self.not, Some(not) if not == class)
    }

    pub(super) const fn reports(&self, class: u16) -> bool {
        matches!(self.reported, Some(reported) if reported == class)
    }

    pub(super) const fn asks(&self, class: u16) -> bool {
        matches!(self.question, Some(question) if question == class)
    }

    /// The words of classes in `tokens`, from left to right, the longest first, none over another.
    pub(super) fn find(&self, tokens: &[Token]) -> Vec<Found> {
        let mut found = Vec::new();
        let mut from = 0;
        while from < tokens.len() {
            match self.longest_at(&tokens[from..]) {
                Some((class, len)) => {
                    found.push(Found {
                        class,
                        from,
                        to: from + len,
                    });
                    from += len;
                }
                None => from += 1,
            }
        }
        found
    }

    /// Looks on as long as a word goes on, by its letters or by its sounds.
    fn longest_at(&self, tokens: &[Token]) -> Option<(u16, usize)> {
        let mut keys = Keys::default();
        let mut goes_on = [true; 3];
        let mut best = None;
        for (token, len) in tokens.iter().zip(1..=MAX_WORD_TOKENS) {
            keys.push(token);
            let mut class = None;
            for ((goes_on, key), least_len) in goes_on.iter_mut().zip(keys.all()).zip(1..) {
                let found = match *goes_on {
                    true => self.words.get(&key).copied(),
                    false => None,
                };
                *goes_on = found.is_some();
                let word = found.filter(|&found| found != BEGINNING && len >= least_len);
                class = class.or(word);
            }
            best = class.map(|class| (class, len)).or(best);
            if goes_on == [false; 3] {
                break;
            }
        }
        best
    }

    fn class_named(&mut self, name: &str) -> Option<u16> {
        let known = self.find_class(name);
        if known.is_some() || self.names.len() == MAX_CLASSES {
            return known;
        }
        self.names.push(name.to_owned());
        u16::try_from(self.names.len() - 1).ok()
    }

    fn find_class(&self, name: &str) -> Option<u16> {
        let place = self.names.iter().position(|known| known == name)?;
        u16::try_from(place).ok()
    }

    fn add(&mut self, class: u16, word: &str) {
        let mut tokens = letter_tokens(&word.replace('_', " "), self.language);
        if tokens.is_empty() || tokens.len() > MAX_WORD_TOKENS {
            return;
        }
        if let Some((sounds, _)) = word_readings(word).first() {
            for (token, syllable) in tokens.iter_mut().zip(sounds) {
                token.hear(*syllable);
            }
        }
        let mut keys = Keys::default();
        for token in &tokens[..tokens.len() - 1] {
            keys.push(token);
            for key in keys.all() {
                self.words.entry(key).or_insert(BEGINNING);
            }
        }
        keys.push(&tokens[tokens.len() - 1]);
        self.put(keys.letters, class);
        if tokens.len() >= 2 && keys.has_sounds {
            self.put(keys.toned, class);
        }
        if tokens.len() >= 3 && keys.has_sounds {
            self.put(keys.toneless, class);
        }
    }

    fn put(&mut self, key: u64, class: u16) {
        let known = self.words.entry(key).or_insert(class);
        if *known == BEGINNING {
            *known = class;
        }
    }
}

/// What a word is looked up by.
struct Keys {
    letters: u64,
    toned: u64,
    toneless: u64,
    has_sounds: bool,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            letters: 1,
            toned: 2,
            toneless: 3,
            has_sounds: true,
        }
    }
}

impl Keys {
    /// By how many tokens a word must have to be found by them: 1, 2 and 3.
    const fn all(&self) -> [u64; 3] {
        [self.letters, self.toned, self.toneless]
    }

    fn push(&mut self, token: &Token) {
        self.letters = scramble(self.letters ^ token.letter);
        match token.sound {
            Some(sound) => {
                self.toned = scramble(self.toned ^ steady(sound));
                self.toneless = scramble(self.toneless ^ sound.toneless().index() as u64);
            }
            None => {
                self.has_sounds = false;
                self.toned = scramble(self.toned ^ token.letter);
                self.toneless = scramble(self.toneless ^ token.letter);
            }
        }
    }
}

/// 一 and 不 change their tone by what follows, so theirs does not count.
fn steady(sound: Syllable) -> u64 {
    static CHANGING: LazyLock<[Option<Syllable>; 2]> =
        LazyLock::new(|| ["yi", "bu"].map(|base| Syllable::new(base, 0)));
    let toneless = sound.toneless();
    match CHANGING.contains(&Some(toneless)) {
        true => toneless.index() as u64,
        false => sound.index() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spoken;
    use crate::intent::rows::utterance_of;
    use crate::intent::tokens::tokens_of;
    use auricle_contracts::Party;

    fn check(text: &str, expected: &[&str]) {
        let classes = WordClasses::parse(
            "# head\nguarantee: 保证 担保 百分之百\nnot: 不 不能\nfine: 不错\ncall: give_me_a_call call\nbad line\n",
            Language::Mandarin,
        );
        check_with(&classes, text, expected);
    }

    fn check_with(classes: &WordClasses, text: &str, expected: &[&str]) {
        let utterance = utterance_of(Party::Agent, text);
        let tokens = tokens_of(&Spoken::new(&utterance, 0), classes.language());
        let found = classes.find(&tokens);
        let names: Vec<&str> = found
            .iter()
            .map(|found| classes.names[usize::from(found.class)].as_str())
            .collect();
        assert_eq!(names, expected, "{text}");
    }

    #[test]
    fn there_are_no_more_classes_than_can_be_looked_up() {
        let lines = (0..2 * MAX_CLASSES).map(|n| format!("c{n}: w{n}\n"));
        let classes = WordClasses::parse(&lines.collect::<String>(), Language::Mandarin);
        assert_eq!(classes.names.len(), MAX_CLASSES);
    }

    #[test]
    fn words_are_found_by_letters_and_by_sound() {
        check("我保证不亏", &["guarantee", "not"]);
        check("不能担保", &["not", "guarantee"]);
        check("不错", &["fine"]);
        check("我饱证", &["guarantee"]);
        check("我包证", &[]);
        check("白分知百", &["guarantee"]);
        check("please Give me a call", &["call"]);
    }

    #[test]
    fn words_are_found_in_all_their_forms() {
        let classes = WordClasses::parse(
            "guarantee: guarantee\nnot: not never\ncall: call give_a_ring\nno_call: do_not_call stop_calling\n",
            Language::English,
        );
        let check = |text: &str, expected: &[&str]| check_with(&classes, text, expected);
        check("We GUARANTEED it", &["guarantee"]);
        check("it's never guaranteed", &["not", "guarantee"]);
        check("don't call me", &["no_call"]);
        check("dont call", &["no_call"]);
        check("i don t call", &["no_call"]);
        check("they stopped calling", &["no_call"]);
        check("giving a ring", &["call"]);
    }
}

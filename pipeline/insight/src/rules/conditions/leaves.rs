//! Conditions that look at one utterance.

use std::collections::BTreeSet;

use regex::RegexBuilder;

use super::super::format::{RegexCondition, SimilarCondition, TextForm};
use super::super::lexicon::ClassId;
use super::super::mistake::Place;
use super::super::program::{Kind, Phrase, RegexLeaf, SaysLeaf, View, moments};
use super::super::reader::At;
use super::super::says::{EvenIf, Says, Sound};
use super::{Builder, Made, Reach};
use crate::intent::{Language, Similarity};

/// Bytes a compiled regular expression may take: what bounds large repetitions.
const MOST_REGEX_BYTES: usize = 1 << 20;
const MOST_REGEX_NESTING: u32 = 64;

impl Builder<'_> {
    pub(super) fn probability(&mut self, written: Option<&At<f32>>, default: f32) -> f32 {
        let Some(at) = written else { return default };
        let least = at.value.unwrap_or(default);
        if !(0.0..=1.0).contains(&least) {
            let cause = format!("`at_least` must be 0 to 1, got `{least}`");
            self.notes.error(at.place, cause, "");
        }
        least
    }

    pub(super) fn says(&mut self, at: &At<Says>, view: View) -> Option<Made> {
        let written = &at.value.as_ref()?.0;
        let sound = written.sound.value.unwrap_or_default();
        let at_least = written.at_least.as_ref();
        let of = at_least.map_or(&[][..], |least| &least.of);
        if written.any.is_empty() && written.all.is_empty() && of.is_empty() {
            let hint = "give it `any`, `all` or `at_least`";
            self.notes.error(at.place, "`says` has no phrase", hint);
            return None;
        }
        let view = Self::sided(view, written.party.as_ref());
        let guarded = |kind: EvenIf| !written.even_if.iter().any(|at| at.value == Some(kind));
        let leaf = SaysLeaf {
            any: self.phrases(&written.any, at.place, sound),
            all: self.phrases(&written.all, at.place, sound),
            at_least: match at_least {
                Some(least) => Some((
                    self.count(&least.n, of.len())?,
                    self.phrases(of, at.place, sound),
                )),
                None => None,
            },
            unless: self.phrases(&written.unless, at.place, sound),
            negation: self.negation.filter(|_| guarded(EvenIf::Negated)),
            reported: self.reported.filter(|_| guarded(EvenIf::Reported)),
        };
        let reach = Reach {
            triggers: self.says_triggers(&leaf),
            ..Reach::tied(moments::UTTERANCE)
        };
        self.program.says.push(leaf);
        self.add(Kind::Says(self.program.says.len() - 1), view, reach)
    }

    fn phrases(&mut self, texts: &[At<String>], place: Place, sound: Sound) -> Vec<Phrase> {
        let mut phrases = Vec::with_capacity(texts.len());
        for text in texts {
            let made = self
                .words
                .phrase(text, place, sound, self.lexicon, self.notes);
            phrases.extend(made);
        }
        phrases
    }

    pub(super) fn count(&mut self, n: &At<u32>, n_of: usize) -> Option<usize> {
        let count = usize::try_from(n.value?).unwrap_or(usize::MAX);
        if count == 0 || count > n_of {
            let cause = format!("`n` must be 1 to `{n_of}`, the length of `of`, got `{count}`");
            self.notes.error(n.place, cause, "");
        }
        Some(count)
    }

    fn says_triggers(&self, leaf: &SaysLeaf) -> Option<Vec<ClassId>> {
        let union = |phrases: &[Phrase]| {
            let classes = phrases
                .iter()
                .flat_map(|phrase| phrase.triggers.iter().copied());
            classes
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        };
        let mut choices: Vec<Vec<ClassId>> = leaf
            .all
            .iter()
            .map(|phrase| phrase.triggers.clone())
            .collect();
        choices.push(union(&leaf.any));
        choices.extend(leaf.at_least.as_ref().map(|(_, of)| union(of)));
        choices.retain(|classes| !classes.is_empty());
        choices
            .into_iter()
            .max_by_key(|classes| self.lexicon.rarity(classes))
    }

    pub(super) fn regex(&mut self, written: &RegexCondition, view: View) -> Option<Made> {
        let pattern = self.expression(&written.pattern);
        let unless = written
            .unless
            .as_ref()
            .map(|unless| self.expression(unless));
        let leaf = RegexLeaf {
            pattern: pattern?,
            unless: match unless {
                Some(unless) => Some(unless?),
                None => None,
            },
            on: written.on.value.unwrap_or_default(),
        };
        if leaf.on == TextForm::Spoken && asks_for_digits(leaf.pattern.as_str()) {
            let shown: String = leaf.pattern.as_str().chars().take(60).collect();
            let (cause, hint) = match Language::of_tag(&self.pack.language) {
                Language::Mandarin => (
                    "in recognised speech numbers are words, so its digits are not found there",
                    "`on: written` looks at the form that has digits, as in 10% and 24小时",
                ),
                Language::English => (
                    "numbers are heard in words, so its digits are found only where a text has digits",
                    "write them in words, too: `(\\d+|ten) percent`",
                ),
            };
            let cause = format!("regular expression `{shown}`: {cause}");
            self.notes.warning(written.pattern.place, cause, hint);
        }
        let view = Self::sided(view, written.party.as_ref());
        self.leaf(Kind::Regex(Box::new(leaf)), view)
    }

    fn expression(&mut self, at: &At<String>) -> Option<regex::Regex> {
        let pattern = at.value.as_ref()?;
        let built = RegexBuilder::new(pattern)
            .size_limit(MOST_REGEX_BYTES)
            .dfa_size_limit(MOST_REGEX_BYTES)
            .nest_limit(MOST_REGEX_NESTING)
            .build();
        let (cause, hint) = match built {
            Ok(regex) if regex.is_match("") => (
                "it matches where nothing is said".to_owned(),
                "leave a part that is not optional",
            ),
            Ok(regex) => return Some(regex),
            Err(regex::Error::CompiledTooBig(limit)) => (
                format!("it takes more than `{limit}` bytes"),
                "use smaller counts in `{…}`; `\\p{Han}` and `.` are large under them",
            ),
            Err(error) => {
                let text = error.to_string();
                let last = text
                    .lines()
                    .last()
                    .unwrap_or("")
                    .trim_start_matches("error: ");
                (
                    last.to_owned(),
                    "no look-around, no back-references; \\ before ( ) [ ] { } . * + ? |",
                )
            }
        };
        let shown: String = pattern.chars().take(60).collect();
        self.notes.error(
            at.place,
            format!("regular expression `{shown}`: {cause}"),
            hint,
        );
        None
    }

    pub(super) fn similar(
        &mut self,
        written: &SimilarCondition,
        place: Place,
        view: View,
    ) -> Option<Made> {
        let texts = |list: &[At<String>]| -> Vec<String> {
            list.iter().filter_map(|text| text.value.clone()).collect()
        };
        let (to, not_to) = (texts(&written.to), texts(&written.not_to));
        let says_nothing = |text: &String| !text.chars().any(char::is_alphanumeric);
        if to.is_empty() || to.iter().any(says_nothing) {
            let hint = "give sentences that mean what the rule looks for";
            self.notes.error(
                place,
                "`similar` needs examples in `to`, none of them empty",
                hint,
            );
            return None;
        }
        let least = self.probability(written.at_least.as_ref(), 0.6);
        let language = Language::of_tag(&self.pack.language);
        let similarity = Similarity::new(&to, &not_to, language);
        let view = Self::sided(view, written.party.as_ref());
        self.leaf(Kind::Similar(Box::new(similarity), least), view)
    }
}

/// Whether an expression looks for digits, and for no numbers in words beside them.
fn asks_for_digits(pattern: &str) -> bool {
    let is_english_word = |word: &str| NUMBER_WORDS.contains(&word.to_ascii_lowercase().as_str());
    if pattern
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .any(is_english_word)
    {
        return false;
    }
    let mut letters = pattern.chars().peekable();
    let mut has_digits = false;
    // Where a class stands: what it leaves out is not looked for.
    let (mut in_class, mut is_left_out) = (false, false);
    let mut before = '(';
    while let Some(letter) = letters.next() {
        match letter {
            '[' => {
                in_class = true;
                is_left_out = letters.next_if_eq(&'^').is_some();
            }
            ']' => (in_class, is_left_out) = (false, false),
            letter if is_number_word(letter) && !is_left_out => return false,
            // 万 of `\d+万` is said behind the digits, that of `(\d+|万)` in their place.
            letter
                if is_number_unit(letter)
                    && !is_left_out
                    && (in_class || matches!(before, '(' | '|' | ':')) =>
            {
                return false;
            }
            '0'..='9' => has_digits |= !is_left_out,
            // Counts, and names of groups.
            '{' if !in_class => letters
                .by_ref()
                .take_while(|&inner| inner != '}')
                .for_each(drop),
            '<' if before == 'P' || before == '?' => letters
                .by_ref()
                .take_while(|&inner| inner != '>')
                .for_each(drop),
            '\\' => match letters.next() {
                Some('d') => has_digits |= !is_left_out,
                Some('x' | 'u' | 'U') => {
                    while letters.next_if(char::is_ascii_hexdigit).is_some() {}
                }
                _ => {}
            },
            _ => {}
        }
        before = letter;
    }
    has_digits
}

const NUMBER_WORDS: [&str; 15] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty",
    "fifty", "hundred", "thousand", "million",
];

const fn is_number_word(letter: char) -> bool {
    matches!(
        letter,
        '零' | '〇'
            | '一'
            | '幺'
            | '二'
            | '两'
            | '三'
            | '四'
            | '五'
            | '六'
            | '七'
            | '八'
            | '九'
            | '十'
            | '几'
            | '半'
    )
}

const fn is_number_unit(letter: char) -> bool {
    matches!(letter, '百' | '千' | '万' | '亿')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_asked_for_where_no_words_are() {
        for pattern in [
            r"\d+分钟",
            "[0-9]万",
            r"\d+万元",
            "1[35]",
            r"[^一]\d",
            r"\d+ percent",
        ] {
            assert!(asks_for_digits(pattern), "{pattern}");
        }
        for pattern in [
            r"(\d+|几)万元",
            r"(\d+|千)万",
            r"[\d十百千万亿]+元",
            r"(\d+|半)年",
            "[^0-9]保证",
            r"[^\d]元",
            "保证{1,3}",
            r"(?P<n1>保证)",
            r"(\d+|Ten) percent",
        ] {
            assert!(!asks_for_digits(pattern), "{pattern}");
        }
    }
}

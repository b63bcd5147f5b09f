//! Words that a customer expects to be said: product names, places, people.
//!
//! A list has one word a line, optionally its pinyin and a weight:
//! `安心贷`, `招联好期贷 zhao1 lian2 hao3 qi1 dai4`, `征信 2.5`. `#` begins a comment. Words of other scripts
//! (`insurance`) are for recognisers that write them.

use std::collections::HashMap;
use std::sync::Arc;

use auricle_models::{Hotword, StreamOptions, TokenKind, TokenTable};
use auricle_pinyin::{Syllable, is_hanzi_word, word_readings};
use thiserror::Error;

use crate::lm::{CustomerWord, LanguageData};

/// Weight of a word without one; natural log per word in the lattice.
const DEFAULT_WEIGHT: f32 = 2.0;
/// More than this makes anything sound like the word.
const MOST_WEIGHT: f32 = 20.0;
/// Boost per token in the beam, as a share of the word's weight spread over its syllables.
const BEAM_SHARE: f32 = 0.25;
const MAX_WORDS: usize = 20_000;
const MAX_WORD_CHARS: usize = 32;

/// A list of expected words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hotwords {
    words: Vec<Entry>,
    biases: Arc<[Hotword]>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    text: String,
    syllables: Vec<Syllable>,
    weight: f32,
    /// Whether the recogniser has the tokens for it.
    is_spelled: bool,
}

/// A hotword list cannot be used.
#[derive(Debug, Error)]
pub enum HotwordsError {
    /// A line is wrong.
    #[error(
        "hotwords line {line}: {cause}\nhint: write `WORD`, `WORD 2.5` or `WORD pin1 yin1 2.5`"
    )]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong.
        cause: String,
    },
}

impl Hotwords {
    /// Reads the text of a list.
    ///
    /// # Errors
    /// Names the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, HotwordsError> {
        let mut words = Vec::new();
        // Editors on Windows put a byte order mark before UTF-8.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (at, line) in text.lines().enumerate() {
            let content = line.split('#').next().unwrap_or_default().trim();
            if content.is_empty() {
                continue;
            }
            let error = |cause: String| HotwordsError::Line {
                line: at + 1,
                cause,
            };
            if words.len() == MAX_WORDS {
                return Err(error(format!("more than {MAX_WORDS} words")));
            }
            words.push(parse_line(content).map_err(error)?);
        }
        Ok(Self {
            words,
            biases: Arc::from([]),
        })
    }

    /// Words of one call's own, each with how much more than usual it is expected (1: as a word of a list without weight), and
    /// how many of them cannot be leant towards: nobody knows how they are read.
    pub fn of_terms<'a>(terms: impl IntoIterator<Item = (&'a str, f32)>) -> (Self, usize) {
        let (mut words, mut n_unread) = (Vec::new(), 0);
        for (term, boost) in terms {
            match parse_line(term) {
                Ok(entry) if boost > 0.0 => words.push(Entry {
                    weight: (DEFAULT_WEIGHT * boost).min(MOST_WEIGHT),
                    ..entry
                }),
                _ => n_unread += 1,
            }
        }
        let words = Self {
            words,
            biases: Arc::from([]),
        };
        (words, n_unread)
    }

    /// Whether there is nothing to expect.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Spells the words in a recogniser's tokens; those it cannot spell bias the lattice only.
    pub(crate) fn fit(mut self, tokens: Option<&TokenTable>) -> Self {
        let Some(tokens) = tokens else { return self };
        let spell = |entry: &Entry| {
            let tokens: Vec<String> = match tokens.kind() {
                TokenKind::Pinyin => entry
                    .syllables
                    .iter()
                    .flat_map(|syllable| spell_syllable(*syllable))
                    .collect(),
                TokenKind::Hanzi => entry.text.chars().map(String::from).collect(),
                TokenKind::Bpe => spell_pieces(&entry.text, tokens)?,
                TokenKind::Word => return None,
            };
            let boost = entry.weight * BEAM_SHARE;
            Some(Hotword { tokens, boost })
        };
        let mut biases = Vec::new();
        for entry in &mut self.words {
            let known = |hotword: &Hotword| {
                let mut own = hotword.tokens.iter();
                !hotword.tokens.is_empty() && own.all(|token| tokens.id(token).is_some())
            };
            let hotword = spell(entry).filter(known);
            entry.is_spelled = hotword.is_some();
            biases.extend(hotword);
        }
        self.biases = biases.into();
        self
    }

    /// Words that neither the beam nor the lattice can lean towards.
    pub(crate) fn without_effect(&self) -> impl Iterator<Item = &str> {
        let idle = |entry: &&Entry| entry.syllables.is_empty() && !entry.is_spelled;
        self.words.iter().filter(idle).map(|entry| &*entry.text)
    }

    /// How streams are opened that lean towards these words, as they were fitted to the recogniser.
    pub(crate) fn stream_options(&self) -> StreamOptions {
        StreamOptions {
            hotwords: Arc::clone(&self.biases),
            ..StreamOptions::default()
        }
    }

    /// The same for a call that these words are of, beside those that `others` lean towards: their list is shared, not
    /// copied. A word of both lists is worth the higher boost, as in one list.
    pub(crate) fn stream_options_beside(&self, others: &StreamOptions) -> StreamOptions {
        let own = others.own_hotwords.iter().cloned();
        StreamOptions {
            hotwords: Arc::clone(&others.hotwords),
            own_hotwords: own.chain(beyond(&self.biases, &others.hotwords)).collect(),
        }
    }

    /// Makes the words known to lexicon and model, and likelier by their weight.
    pub(crate) fn add_to(&self, language: &mut LanguageData) {
        let words: Vec<CustomerWord<'_>> = self
            .words
            .iter()
            .filter(|entry| !entry.syllables.is_empty())
            .map(|entry| CustomerWord {
                text: &entry.text,
                syllables: &entry.syllables,
                bonus: entry.weight,
            })
            .collect();
        language.add_words(&words);
    }
}

/// Phrases with what they are to be worth beyond what `shared` gives for them: streams earn both.
fn beyond(own: &[Hotword], shared: &[Hotword]) -> Vec<Hotword> {
    let phrases = own.iter().map(|hotword| (hotword.tokens.as_slice(), 0.0));
    let mut boosts: HashMap<&[String], f32> = phrases.collect();
    for hotword in shared {
        if let Some(boost) = boosts.get_mut(hotword.tokens.as_slice()) {
            *boost = hotword.boost.max(*boost);
        }
    }
    let more = own.iter().filter_map(|hotword| {
        let boost = hotword.boost - boosts.get(hotword.tokens.as_slice())?;
        let tokens = hotword.tokens.clone();
        (boost > 0.0).then_some(Hotword { tokens, boost })
    });
    more.collect()
}

fn parse_line(content: &str) -> Result<Entry, String> {
    let mut fields: Vec<&str> = content.split_whitespace().collect();
    let weight = match fields.last().and_then(|last| last.parse::<f32>().ok()) {
        Some(weight) if fields.len() > 1 => {
            fields.pop();
            weight
        }
        _ => DEFAULT_WEIGHT,
    };
    if !(0.0..=MOST_WEIGHT).contains(&weight) {
        return Err(format!(
            "the weight must be 0 to {MOST_WEIGHT}, got `{weight}`"
        ));
    }
    let (text, pinyin) = fields.split_first().ok_or("the word is missing")?;
    if text.chars().count() > MAX_WORD_CHARS {
        return Err(format!("a word has at most {MAX_WORD_CHARS} characters"));
    }
    let syllables = if pinyin.is_empty() && is_latin_word(text) {
        Vec::new()
    } else if pinyin.is_empty() {
        read_aloud(text)?
    } else {
        pinyin
            .iter()
            .map(|syllable| {
                syllable
                    .parse()
                    .map_err(|_| format!("`{syllable}` is no pinyin syllable"))
            })
            .collect::<Result<_, _>>()?
    };
    Ok(Entry {
        text: (*text).to_string(),
        syllables,
        weight,
        is_spelled: false,
    })
}

/// A word of a language that is written as its recogniser's tokens spell it.
fn is_latin_word(text: &str) -> bool {
    let is_hanzi = |letter: char| is_hanzi_word(letter.encode_utf8(&mut [0; 4]));
    text.chars()
        .all(|letter| letter.is_alphabetic() && !is_hanzi(letter) || matches!(letter, '\'' | '-'))
}

fn read_aloud(text: &str) -> Result<Vec<Syllable>, String> {
    if !is_hanzi_word(text) {
        return Err(format!(
            "`{text}` is not all hanzi: write its pinyin behind it"
        ));
    }
    let readings = word_readings(text);
    readings
        .first()
        .map(|(syllables, _)| syllables.to_vec())
        .ok_or_else(|| format!("nobody knows how `{text}` is read: write its pinyin behind it"))
}

/// Initial and marked final, as pinyin token tables spell them.
fn spell_syllable(syllable: Syllable) -> Vec<String> {
    let (initial, rhyme) = (syllable.initial(), syllable.marked_rhyme());
    if initial.is_empty() {
        vec![rhyme]
    } else {
        vec![initial.to_string(), rhyme]
    }
}

/// The longest pieces first, in the case that the table is written in. A recogniser may cut a word in another way:
/// then the word is not leant towards.
fn spell_pieces(word: &str, tokens: &TokenTable) -> Option<Vec<String>> {
    let cases = [word.to_owned(), word.to_uppercase(), word.to_lowercase()];
    cases.iter().find_map(|word| {
        let word = format!("▁{word}");
        let (mut pieces, mut rest) = (Vec::new(), word.as_str());
        while !rest.is_empty() {
            let ends = rest
                .char_indices()
                .map(|(at, letter)| at + letter.len_utf8());
            let piece = ends
                .rev()
                .map(|end| &rest[..end])
                .find(|piece| tokens.id(piece).is_some())?;
            pieces.push(piece.to_owned());
            rest = &rest[piece.len()..];
        }
        Some(pieces)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_words_pinyin_and_weights() {
        let list = Hotwords::parse(
            "\u{feff}# products\n安心贷\n\n征信 2.5\nVIP卡 wei1 ai5 pi1 ka3 3 # spoken\n",
        )
        .unwrap();
        let shown: Vec<String> = list
            .words
            .iter()
            .map(|entry| format!("{} {:?} {}", entry.text, entry.syllables, entry.weight))
            .collect();
        assert_eq!(
            shown,
            [
                "安心贷 [an1, xin1, dai4] 2",
                "征信 [zheng1, xin4] 2.5",
                "VIP卡 [wei1, ai5, pi1, ka3] 3"
            ]
        );
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        for (text, expected) in [
            ("好\nVIP卡", "line 2: `VIP卡` is not all hanzi"),
            ("好 hao9", "line 1: `hao9` is no pinyin"),
            ("好 99", "weight must be 0 to 20"),
        ] {
            let error = Hotwords::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn words_of_other_scripts_are_spelled_in_pieces() {
        let tokens = TokenTable::parse("<blk> 0\n▁IN 1\nSUR 2\nANCE 3\nS 4\nU 5\n▁ 6\n").unwrap();
        assert_eq!(tokens.kind(), TokenKind::Bpe);
        let list = Hotwords::parse("insurance 3\nbond\n安心贷\n")
            .unwrap()
            .fit(Some(&tokens));
        assert_eq!(list.biases.len(), 1, "the others cannot be spelled");
        assert_eq!(list.biases[0].tokens, ["▁IN", "SUR", "ANCE"]);
        // And the lattice of syllables has nothing to learn from a word without any.
        assert!(list.words[0].syllables.is_empty());
    }

    #[test]
    fn words_are_spelled_in_the_tokens_of_the_model() {
        let tokens = TokenTable::parse("<blk> 0\nzh 1\nēng 2\nx 3\nìn 4\nǎo 5\n").unwrap();
        let list = Hotwords::parse("征信\n保证\n").unwrap().fit(Some(&tokens));
        assert_eq!(list.biases.len(), 1);
        assert_eq!(list.biases[0].tokens, ["zh", "ēng", "x", "ìn"]);
    }

    /// Texts and boosts of phrases.
    fn shown(phrases: &[Hotword]) -> Vec<(String, f32)> {
        let shown = |hotword: &Hotword| (hotword.tokens.concat(), hotword.boost);
        phrases.iter().map(shown).collect()
    }

    #[test]
    fn a_calls_words_stand_beside_the_list_that_calls_share() {
        let tokens = TokenTable::parse("<blk> 0\n安 1\n心 2\n贷 3\n征 4\n信 5\n").unwrap();
        assert_eq!(tokens.kind(), TokenKind::Hanzi);
        let all = Hotwords::parse("安心贷 2\n征信 4\n").unwrap();
        let all = all.fit(Some(&tokens)).stream_options();
        let of_call = |terms: &[(&'static str, f32)], others: &StreamOptions| {
            let (words, n_unread) = Hotwords::of_terms(terms.iter().copied());
            assert_eq!(n_unread, 0);
            words.fit(Some(&tokens)).stream_options_beside(others)
        };
        // Boosts are a quarter of the weights, which are 4, 2 and 2: more than in the list, less, and not in it.
        let first = of_call(&[("安心贷", 2.0), ("征信", 1.0), ("安心", 1.0)], &all);
        assert!(Arc::ptr_eq(&first.hotwords, &all.hotwords));
        let own = [("安心贷".to_owned(), 0.5_f32), ("安心".to_owned(), 0.5)];
        assert_eq!(shown(&first.own_hotwords), own);
        // And a call that gets further words has all of them.
        let second = of_call(&[("征信", 4.0)], &first);
        assert!(Arc::ptr_eq(&second.hotwords, &all.hotwords));
        let more = [&own[..], &[("征信".to_owned(), 1.0)][..]].concat();
        assert_eq!(shown(&second.own_hotwords), more);
        assert!(all.own_hotwords.is_empty());
    }
}

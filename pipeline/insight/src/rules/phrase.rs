//! Phrases as they are written: letters, `<list>`, `(a|b)`, `[optional]`, `..`, `^`, `$`.

use thiserror::Error;

use super::numbers::{Bounds, has_number, ways_said};

/// A phrase, or one way of saying it: what stands one after the other.
pub(super) type Sequence = Vec<Piece>;

/// One piece of a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Letters that are said one after the other.
    Letters(Keyword),
    /// The same with digits among them, which may be said in words.
    Numbers(Numbers),
    /// Any entry of a named list.
    List(String),
    /// Any of these.
    Group(Vec<Sequence>),
    /// Any of these, or nothing.
    Optional(Vec<Sequence>),
    /// Up to so many other letters.
    Gap(u32),
    /// The utterance's start.
    Start,
    /// The utterance's end.
    End,
}

/// Letters as [`crate::Letter`] has them, and where words end among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Keyword {
    pub(super) letters: String,
    /// Letters before which a new word begins, in languages that set words apart.
    pub(super) breaks: Vec<u16>,
    /// Where it is a number in words that may not go on.
    pub(super) bounds: Bounds,
}

/// A keyword with digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Its letters and digits.
    pub(super) keyword: Keyword,
    /// As it is written, signs included.
    pub(super) written: String,
}

impl Numbers {
    /// Itself, and each way of saying it in words.
    pub(super) fn said(&self) -> Vec<Keyword> {
        let ways = ways_said(&self.written);
        let bounds = Bounds::of(&self.written);
        let said = ways.iter().filter_map(|way| keyword(way));
        let said = said.map(|keyword| Keyword { bounds, ..keyword });
        std::iter::once(self.keyword.clone()).chain(said).collect()
    }
}

/// The keyword that a plain text is; `None` where it is none, or too long.
fn keyword(text: &str) -> Option<Keyword> {
    let mut builder = KeywordBuilder::default();
    text.chars()
        .try_for_each(|letter| builder.push(letter))
        .ok()?;
    (builder.n_letters > 0).then_some(builder.keyword)
}

impl Keyword {
    /// Its letters, words apart.
    pub(super) fn written(&self) -> String {
        let mut text = String::with_capacity(self.letters.len() + self.breaks.len());
        for (place, letter) in (0u16..).zip(self.letters.chars()) {
            if self.breaks.contains(&place) {
                text.push(' ');
            }
            text.push(letter);
        }
        text
    }
}

/// Why a phrase cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum PhraseError {
    #[error("the phrase has no letters")]
    Empty,
    #[error("the phrase matches where nothing is said: all of it is optional")]
    AllOptional,
    #[error("`{0}` has no partner")]
    Unbalanced(char),
    #[error("an alternative is empty")]
    EmptyAlternative,
    #[error("`^` stands at the start of a phrase, `$` at its end")]
    Anchor,
    #[error("`..` stands between two pieces of a phrase, or beside `^` or `$`")]
    Gap,
    #[error("a gap of `{0}` letters is longer than `{MOST_GAP}`")]
    LongGap(u64),
    #[error("the phrase has `{0}` characters, more than `{MOST_PHRASE_LETTERS}`")]
    Long(usize),
    #[error("a keyword of `{0}` letters is longer than `{MOST_KEYWORD_LETTERS}`")]
    LongKeyword(usize),
    #[error("brackets are nested deeper than `{MOST_NESTING}`")]
    Deep,
    #[error("`<{0}>` is no name of a list")]
    ListName(String),
}

impl PhraseError {
    /// What to do about it.
    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "letters and digits count, punctuation and spaces do not",
            Self::AllOptional => "leave a piece that is no `[…]`",
            Self::Unbalanced(_) => "pairs are `(` `)`, `[` `]` and `<` `>`",
            Self::EmptyAlternative => "write `[a|b]` for what may be left out",
            Self::Anchor => "as in `^喂..您好` or `再见$`",
            Self::Gap => "as in `保证..收益` or `保证..4收益`",
            Self::LongGap(_) => {
                "digits after `..` are its length; leave a space before digits that are said"
            }
            Self::Long(_) | Self::Deep => "give a part of it a name in `words`",
            Self::LongKeyword(_) => "cut it in two with `..0`",
            Self::ListName(_) => "names are made of letters, digits, `_` and `-`",
        }
    }
}

/// What `..` stands for.
pub(super) const DEFAULT_GAP: u32 = 8;
const MOST_GAP: u32 = 64;
const MOST_PHRASE_LETTERS: usize = 1000;
pub(super) const MOST_KEYWORD_LETTERS: usize = 64;
const MOST_NESTING: usize = 8;

/// Reads a phrase. Full-width brackets and bars stand for their half-width forms, `…` for `..`.
pub(super) fn parse(text: &str) -> Result<Sequence, PhraseError> {
    let letters: Vec<char> = text.chars().map(half_width).collect();
    if letters.len() > MOST_PHRASE_LETTERS {
        return Err(PhraseError::Long(letters.len()));
    }
    let mut parser = Parser {
        letters: &letters,
        at: 0,
        nesting: 0,
    };
    let mut ways = parser.ways()?;
    if let Some(&left) = letters.get(parser.at) {
        return Err(PhraseError::Unbalanced(left));
    }
    let phrase = match ways.len() {
        1 => ways.remove(0),
        _ => vec![Piece::Group(ways)],
    };
    check(&phrase, Within::Phrase)?;
    match phrase.iter().any(is_needed) {
        true => Ok(phrase),
        false
            if phrase
                .iter()
                .any(|piece| matches!(piece, Piece::Optional(_))) =>
        {
            Err(PhraseError::AllOptional)
        }
        false => Err(PhraseError::Empty),
    }
}

const fn half_width(letter: char) -> char {
    match letter {
        '（' => '(',
        '）' => ')',
        '｜' => '|',
        '［' | '【' => '[',
        '］' | '】' => ']',
        '＜' | '〈' => '<',
        '＞' | '〉' => '>',
        other => other,
    }
}

struct Parser<'a> {
    letters: &'a [char],
    at: usize,
    nesting: usize,
}

impl Parser<'_> {
    /// Alternatives up to the bracket that closes them, or the end.
    fn ways(&mut self) -> Result<Vec<Sequence>, PhraseError> {
        self.nesting += 1;
        if self.nesting > MOST_NESTING {
            return Err(PhraseError::Deep);
        }
        let mut ways = vec![self.sequence()?];
        while self.take('|') {
            ways.push(self.sequence()?);
        }
        self.nesting -= 1;
        Ok(ways)
    }

    fn take(&mut self, letter: char) -> bool {
        let is_next = self.letters.get(self.at) == Some(&letter);
        self.at += usize::from(is_next);
        is_next
    }

    fn sequence(&mut self) -> Result<Sequence, PhraseError> {
        let mut pieces = Vec::new();
        let mut keyword = KeywordBuilder::default();
        while let Some(&letter) = self.letters.get(self.at) {
            if matches!(letter, '|' | ')' | ']' | '>') {
                break;
            }
            self.at += 1;
            let piece = match letter {
                '<' => Piece::List(self.name()?),
                '(' => Piece::Group(self.closed(')')?),
                '[' => Piece::Optional(self.closed(']')?),
                '^' => Piece::Start,
                '$' => Piece::End,
                '…' => self.gap()?,
                '.' if self.take('.') => self.gap()?,
                other => {
                    keyword.push(other)?;
                    continue;
                }
            };
            pieces.extend(keyword.take());
            pieces.push(piece);
        }
        pieces.extend(keyword.take());
        Ok(pieces)
    }

    fn closed(&mut self, close: char) -> Result<Vec<Sequence>, PhraseError> {
        let open = self.letters[self.at - 1];
        let ways = self.ways()?;
        if !self.take(close) {
            return Err(PhraseError::Unbalanced(open));
        }
        let is_empty = |way: &Sequence| !way.iter().any(is_needed);
        match ways.iter().any(is_empty) {
            true => Err(PhraseError::EmptyAlternative),
            false => Ok(ways),
        }
    }

    fn name(&mut self) -> Result<String, PhraseError> {
        let rest = &self.letters[self.at..];
        let end = rest.iter().position(|&letter| letter == '>');
        let Some(end) = end else {
            return Err(PhraseError::Unbalanced('<'));
        };
        self.at += end + 1;
        let name: String = rest[..end].iter().collect::<String>().trim().to_owned();
        match is_name(&name) {
            true => Ok(name),
            false => Err(PhraseError::ListName(name)),
        }
    }

    /// After the dots: digits are the gap's length.
    fn gap(&mut self) -> Result<Piece, PhraseError> {
        while matches!(self.letters.get(self.at), Some('.' | '…')) {
            self.at += 1;
        }
        let mut length = None;
        while let Some(digit) = self.letters.get(self.at).and_then(|c| c.to_digit(10)) {
            let before: u64 = length.unwrap_or(0);
            length = Some(before.saturating_mul(10).saturating_add(u64::from(digit)));
            self.at += 1;
        }
        match length {
            None => Ok(Piece::Gap(DEFAULT_GAP)),
            Some(length) => match u32::try_from(length) {
                Ok(short) if short <= MOST_GAP => Ok(Piece::Gap(short)),
                _ => Err(PhraseError::LongGap(length)),
            },
        }
    }
}

/// Whether `name` may name a list, a condition, a rule or a pack.
pub(super) fn is_name(name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    !name.is_empty() && name.chars().count() <= 100 && name.chars().all(is_part)
}

/// Whether something must be said for this piece.
fn is_needed(piece: &Piece) -> bool {
    match piece {
        Piece::Letters(_) | Piece::Numbers(_) | Piece::List(_) => true,
        Piece::Group(ways) => ways.iter().all(|way| way.iter().any(is_needed)),
        Piece::Optional(_) | Piece::Gap(_) | Piece::Start | Piece::End => false,
    }
}

/// Where a sequence stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Phrase,
    Brackets,
}

fn check(sequence: &Sequence, within: Within) -> Result<(), PhraseError> {
    let last = sequence.len().saturating_sub(1);
    for (place, piece) in sequence.iter().enumerate() {
        match piece {
            Piece::Start if place > 0 || within == Within::Brackets => {
                return Err(PhraseError::Anchor);
            }
            Piece::End if place < last || within == Within::Brackets => {
                return Err(PhraseError::Anchor);
            }
            Piece::Gap(_) if place == 0 || place == last => return Err(PhraseError::Gap),
            Piece::Group(ways) | Piece::Optional(ways) => {
                ways.iter()
                    .try_for_each(|way| check(way, Within::Brackets))?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[derive(Default)]
struct KeywordBuilder {
    keyword: Keyword,
    n_letters: usize,
    between: Between,
    written: String,
}

/// What stood between two letters.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Between {
    #[default]
    Nothing,
    Break,
}

impl KeywordBuilder {
    fn push(&mut self, letter: char) -> Result<(), PhraseError> {
        self.written.push(letter);
        if !letter.is_alphanumeric() {
            if !joins_words(letter) {
                self.between = Between::Break;
            }
            return Ok(());
        }
        if self.n_letters == MOST_KEYWORD_LETTERS {
            return Err(PhraseError::LongKeyword(self.n_letters + 1));
        }
        let before = self.keyword.letters.chars().next_back();
        let in_words = before.is_some_and(is_wordy) && is_wordy(letter);
        if self.between == Between::Break && in_words {
            // At most `MOST_KEYWORD_LETTERS`.
            self.keyword.breaks.push(self.n_letters as u16);
        }
        self.keyword.letters.push(lower(letter));
        self.n_letters += 1;
        self.between = Between::Nothing;
        Ok(())
    }

    fn take(&mut self) -> Option<Piece> {
        let Self {
            keyword,
            n_letters,
            written,
            ..
        } = std::mem::take(self);
        let piece = match has_number(&written) {
            true => Piece::Numbers(Numbers { keyword, written }),
            false => Piece::Letters(keyword),
        };
        (n_letters > 0).then_some(piece)
    }
}

/// The letter as [`crate::Spoken`] has it.
pub(super) fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// Letters and digits that make words which spaces set apart; hanzi and kana do not.
pub(super) const fn is_wordy(letter: char) -> bool {
    !matches!(letter,
        '\u{2E80}'..='\u{A4CF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Marks inside a word: an apostrophe does not end it.
pub(super) const fn joins_words(letter: char) -> bool {
    matches!(letter, '\'' | '’' | 'ʼ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As it was understood, in one way of writing.
    fn show(sequence: &Sequence) -> String {
        let ways = |ways: &[Sequence]| ways.iter().map(show).collect::<Vec<_>>().join("|");
        let piece = |piece: &Piece| match piece {
            Piece::Letters(keyword) => match keyword.breaks.is_empty() {
                true => format!("{{{}}}", keyword.letters),
                false => format!("{{{} {:?}}}", keyword.letters, keyword.breaks),
            },
            Piece::Numbers(numbers) => {
                let said = numbers.said();
                let said = said.iter().map(|keyword| keyword.letters.as_str());
                format!("#{}", said.collect::<Vec<_>>().join("="))
            }
            Piece::List(name) => format!("<{name}>"),
            Piece::Group(inner) => format!("({})", ways(inner)),
            Piece::Optional(inner) => format!("[{}]", ways(inner)),
            Piece::Gap(letters) => format!("..{letters}"),
            Piece::Start => "^".to_owned(),
            Piece::End => "$".to_owned(),
        };
        sequence.iter().map(piece).collect()
    }

    #[test]
    fn phrases_are_read() {
        let check = |text: &str, understood: &str| {
            assert_eq!(show(&parse(text).unwrap()), understood, "{text}");
        };
        check("保证，收益", "{保证收益}");
        check("保证..收益", "{保证}..8{收益}");
        check("保证…收益", "{保证}..8{收益}");
        check("保证 ..4收益", "{保证}..4{收益}");
        check("<buy>..<fund>", "<buy>..8<fund>");
        check("^(喂|您好)[请问]我是$", "^({喂}|{您好})[{请问}]{我是}$");
        check("（稳赚｜包赚）不赔", "({稳赚}|{包赚}){不赔}");
        check("a|b", "({a}|{b})");
        check("Risk Free", "{riskfree [4]}");
        check("don't risk-free", "{dontriskfree [4, 8]}");
        check("加 VX 号", "{加vx号}");
        check("^..4您好", "^..4{您好}");
        check("3.5%", "#35=百分之三点五");
        check("送.. 24小时", "{送}..8#24小时=二十四小时=二四小时");
        check(
            "拨 95500",
            "#拨95500=拨九五五零零=拨九万五千五百=拨九万五千五",
        );
    }

    #[test]
    fn mistakes_are_told() {
        let check = |text: &str, error: PhraseError| {
            assert!(!error.hint().is_empty());
            assert_eq!(parse(text), Err(error), "{text}");
        };
        check("", PhraseError::Empty);
        check("，。", PhraseError::Empty);
        check("^$", PhraseError::Empty);
        check("[保证]", PhraseError::AllOptional);
        check("(保证", PhraseError::Unbalanced('('));
        check("保证)", PhraseError::Unbalanced(')'));
        check("<buy", PhraseError::Unbalanced('<'));
        check("(保证|)", PhraseError::EmptyAlternative);
        check("保证^", PhraseError::Anchor);
        check("$保证", PhraseError::Anchor);
        check("..保证", PhraseError::Gap);
        check("保证..", PhraseError::Gap);
        check("保证..110", PhraseError::LongGap(110));
        check("<a b>", PhraseError::ListName("a b".into()));
        check(&"(".repeat(50), PhraseError::Deep);
        check(&"保".repeat(65), PhraseError::LongKeyword(65));
        check(&"保".repeat(2000), PhraseError::Long(2000));
    }

    proptest! {
        #[test]
        fn any_text_gives_a_phrase_or_a_mistake(text in "[\\(\\)\\[\\]<>|.^$保证a 0-9…]{0,40}") {
            if let Ok(phrase) = parse(&text) {
                prop_assert!(phrase.iter().any(is_needed));
            }
        }
    }
}

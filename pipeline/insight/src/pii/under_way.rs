//! Personal data in what is not yet over: too early to tell what it is, so all that it may be is hidden.

use super::digits::written;
use super::mask::MASK_CHARACTER;

/// The shortest number that is hidden: an extension, the end of a card.
const LEAST_DIGITS: usize = 4;
/// Digits as they are said in English.
const WORDS: [&str; 12] = [
    "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double",
];

/// The text of an utterance that goes on, or a piece of it, with all rows of four and more digits hidden, whether they
/// are written or said, and all that has an `@`. Marks and spaces between the digits do not end a row.
pub fn hide_digits(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut row = Row::default();
    for piece in pieces(text) {
        match kind(piece) {
            Kind::Digit => row.take(piece),
            Kind::Between if row.n_digits > 0 => row.wait(piece),
            Kind::Between => hidden.push_str(piece),
            Kind::Address => {
                row.end(&mut hidden);
                blot(piece, &mut hidden);
            }
            Kind::Other => {
                row.end(&mut hidden);
                hidden.push_str(piece);
            }
        }
    }
    row.end(&mut hidden);
    hidden
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Digit,
    Between,
    Address,
    Other,
}

/// Words of an alphabet whole, everything else letter by letter.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let is_in_word = |letter: char| letter.is_ascii_alphanumeric() || "@._-".contains(letter);
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_word = first.is_ascii_alphabetic();
        let end = match is_word {
            true => rest
                .find(|letter| !is_in_word(letter))
                .unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (piece, left) = rest.split_at(end);
        rest = left;
        Some(piece)
    })
}

fn kind(piece: &str) -> Kind {
    let mut letters = piece.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if written(letter).is_some() => Kind::Digit,
        (Some(letter), None) if !letter.is_alphanumeric() => Kind::Between,
        _ if piece.contains('@') => Kind::Address,
        _ if WORDS.contains(&piece.to_ascii_lowercase().as_str()) => Kind::Digit,
        _ => Kind::Other,
    }
}

/// Digits that may become a row, with what stands between them.
#[derive(Default)]
struct Row<'t> {
    n_digits: usize,
    pieces: Vec<&'t str>,
    /// What came after the last digit.
    waiting: Vec<&'t str>,
}

impl<'t> Row<'t> {
    fn take(&mut self, piece: &'t str) {
        self.pieces.append(&mut self.waiting);
        self.pieces.push(piece);
        self.n_digits += 1;
    }

    fn wait(&mut self, piece: &'t str) {
        self.waiting.push(piece);
    }

    fn end(&mut self, hidden: &mut String) {
        for piece in self.pieces.drain(..) {
            match self.n_digits >= LEAST_DIGITS && kind(piece) == Kind::Digit {
                true => blot(piece, hidden),
                false => hidden.push_str(piece),
            }
        }
        hidden.extend(self.waiting.drain(..));
        self.n_digits = 0;
    }
}

fn blot(piece: &str, hidden: &mut String) {
    hidden.extend(piece.chars().map(|_| MASK_CHARACTER));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_digits_are_hidden_as_they_grow() {
        let check = |text: &str, expected: &str| assert_eq!(hide_digits(text), expected);
        check("我的电话是一三八零零", "我的电话是*****");
        check("我的电话是一三八", "我的电话是一三八");
        check("卡号是6225 8801，好的", "卡号是**** ****，好的");
        check("一共三百块，二零二六年", "一共三百块，****年");
        check(
            "call me at one two three Four please",
            "call me at *** *** ***** **** please",
        );
        check(
            "write to wang.li@example.com now",
            "write to ******************* now",
        );
        check("", "");
    }
}

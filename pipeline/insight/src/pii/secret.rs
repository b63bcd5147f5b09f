//! Where a text repeats what is hidden elsewhere.

use std::ops::Range;

/// Characters, or words, from which on a text without a place is searched for what is hidden.
pub(super) const LEAST_SCRUBBED: usize = 4;

/// Something hidden, as it was said or written.
#[derive(Clone, Debug)]
pub(super) struct Secret {
    chars: Vec<char>,
    units: Vec<Unit>,
    search: Search,
}

/// What of a secret is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    /// Characters in a row: digits, hanzi, single letters.
    Characters,
    /// Whole words, each as long as its letters: addresses.
    Letters,
    /// Whole words, each counted once: numbers in words, whose words stand in every other sentence.
    Words,
}

/// A word of an alphabet, or another letter or digit.
#[derive(Clone, Debug)]
struct Unit {
    at: Range<usize>,
    /// In small letters.
    text: String,
    is_word: bool,
}

impl Secret {
    pub(super) fn new(chars: &[char]) -> Self {
        let units = units(chars);
        let is_address = chars
            .iter()
            .any(|&ch| "@＠".contains(ch) || ch.is_alphabetic() && !is_latin(ch));
        let has_words = units.iter().any(|unit| unit.is_word && unit.at.len() > 1);
        let search = match (has_words, is_address) {
            (false, _) => Search::Characters,
            (true, true) => Search::Letters,
            (true, false) => Search::Words,
        };
        Self {
            chars: chars.to_vec(),
            units,
            search,
        }
    }

    /// Marks the characters that stand in the secret, too.
    fn mark_characters(&self, text: &[char], least: usize, hidden: &mut [bool]) {
        let stands = |window: &[char]| self.chars.windows(least).any(|other| other == window);
        for (at, window) in text.windows(least).enumerate() {
            if stands(window) {
                hidden[at..at + least].fill(true);
            }
        }
    }

    /// Runs of `text` that stand in the secret, too, whatever is between the words.
    fn runs(&self, text: &[Unit], least: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for from in 0..text.len() {
            for begin in 0..self.units.len() {
                let pairs = self.units[begin..].iter().zip(&text[from..]);
                let n = pairs.take_while(|(a, b)| a.text == b.text).count();
                if self.is_enough(&self.units[begin..begin + n], least) {
                    found.push(from..from + n);
                }
            }
        }
        if self.is_enough(&self.units, least) {
            found.extend(self.wholes(text));
        }
        found
    }

    /// Where the whole secret stands, with its words parted in any way.
    fn wholes(&self, text: &[Unit]) -> Vec<Range<usize>> {
        let all: String = self.units.iter().map(|unit| unit.text.as_str()).collect();
        let mut found = Vec::new();
        for from in 0..text.len() {
            let mut rest = all.as_str();
            for (at, unit) in text.iter().enumerate().skip(from) {
                match rest.strip_prefix(unit.text.as_str()) {
                    Some("") => {
                        found.push(from..at + 1);
                        break;
                    }
                    Some(after) => rest = after,
                    None => break,
                }
            }
        }
        found
    }

    /// Whether so much of the secret is worth hiding. No text of ours has four number words of its own.
    fn is_enough(&self, run: &[Unit], least: usize) -> bool {
        let length = |unit: &Unit| match self.search {
            Search::Letters => unit.at.len(),
            Search::Words | Search::Characters => 1,
        };
        let n_words = run.iter().filter(|unit| unit.is_word).count();
        run.iter().map(length).sum::<usize>() >= least
            || self.search == Search::Words && n_words >= LEAST_SCRUBBED
    }
}

/// Which characters of `text` stand in one of the secrets, in stretches of at least `least`, at least 1.
pub(super) fn hidden_in<'a>(
    text: &[char],
    secrets: impl IntoIterator<Item = &'a Secret>,
    least: usize,
) -> Vec<bool> {
    let mut hidden = vec![false; text.len()];
    let in_text = units(text);
    for secret in secrets {
        if secret.search == Search::Characters {
            secret.mark_characters(text, least, &mut hidden);
            continue;
        }
        for run in secret.runs(&in_text, least) {
            let from = in_text[run.start].at.start;
            let to = in_text[run.end - 1].at.end;
            for at in (from..to).filter(|&at| !text[at].is_whitespace()) {
                hidden[at] = true;
            }
        }
    }
    hidden
}

fn units(chars: &[char]) -> Vec<Unit> {
    let mut found: Vec<Unit> = Vec::new();
    for (at, &ch) in chars.iter().enumerate() {
        if !ch.is_alphanumeric() {
            continue;
        }
        let is_word = is_latin(ch);
        match found.last_mut() {
            Some(last) if is_word && last.is_word && last.at.end == at => {
                last.at.end += 1;
                last.text.extend(ch.to_lowercase());
            }
            _ => found.push(Unit {
                at: at..at + 1,
                text: ch.to_lowercase().collect(),
                is_word,
            }),
        }
    }
    found
}

/// A letter of an alphabet that writes words: all below the scripts of East Asia.
fn is_latin(ch: char) -> bool {
    ch.is_alphabetic() && ch < '\u{2e80}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, least: usize, text: &str, expected: &str) {
        let secret: Vec<char> = secret.chars().collect();
        let chars: Vec<char> = text.chars().collect();
        let hidden = hidden_in(&chars, [&Secret::new(&secret)], least);
        let found: String = chars
            .iter()
            .zip(hidden)
            .map(|(&ch, hidden)| if hidden { '*' } else { ch })
            .collect();
        assert_eq!(found, expected, "{secret:?}");
    }

    #[test]
    fn numbers_in_words_are_found_word_by_word() {
        let number = "four one five five five five oh one three two";
        for kept in [
            "someone",
            "four pm",
            "the fifteenth",
            "has ever lost money",
            "one five five",
            "twenty-four one-fivers",
        ] {
            check(number, 4, kept, kept);
        }
        for (text, expected) in [
            ("so five five five oh then", "so **** **** **** ** then"),
            ("Five, five five oh.", "***** **** **** **."),
            (
                "fouronefivefivefivefiveohonethreetwo",
                "************************************",
            ),
            (
                "four  one fivefive five five oh-one three two, ok",
                "****  *** ******** **** **** ****** ***** ***, ok",
            ),
        ] {
            check(number, 4, text, expected);
            check(number, 7, text, expected);
        }
        check("four one", 4, "four one", "four one");
        check(
            "four one five 5550132",
            4,
            "0132 at one five",
            "**** at one five",
        );
        check("four one five 5550132", 7, "0132", "0132");
    }

    #[test]
    fn digits_and_hanzi_are_found_by_characters() {
        check("13800000012", 4, "x3800y 380", "x****y 380");
        check("13800000012", 7, "3800 1380000", "3800 *******");
        check("幺三八零零", 4, "三八零零吧", "****吧");
    }

    #[test]
    fn words_of_addresses_are_found_by_letters() {
        check("anna@gmail.com", 4, "anna's email", "****'s email");
        check("zhangsan艾特qq点com", 4, "zhangsan吧", "********吧");
    }
}

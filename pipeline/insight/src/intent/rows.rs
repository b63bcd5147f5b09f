//! Labelled text: what the classifier learns from.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use auricle_contracts::{Party, Utterance};
use thiserror::Error;

/// One utterance and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledText {
    /// Who said it.
    pub party: Party,
    /// What it wants or does; empty for none of the labels that are told apart.
    pub labels: Vec<String>,
    /// The words.
    pub text: String,
    /// What the other party said just before, where it decides the meaning.
    pub previous: Option<String>,
    /// The folder it was written for: it says nothing of labels that only stand elsewhere than in this folder and
    /// those below it.
    pub collection: Arc<str>,
}

/// Which labels each collection tells apart.
#[derive(Debug, Default)]
pub(super) struct Collections<'a>(HashMap<&'a str, HashSet<&'a str>>);

impl<'a> Collections<'a> {
    pub(super) fn of(rows: impl IntoIterator<Item = &'a LabelledText>) -> Self {
        let mut all = Self::default();
        for row in rows {
            let known = all.0.entry(&row.collection).or_default();
            known.extend(row.labels.iter().map(String::as_str));
        }
        all
    }

    /// Whether a label holds for a row; `None` where its writer did not ask.
    pub(super) fn holds(&self, row: &LabelledText, label: &str) -> Option<bool> {
        let mut all = self.0.iter();
        let was_asked =
            all.any(|(name, known)| known.contains(label) && is_in(name, &row.collection));
        was_asked.then(|| row.labels.iter().any(|held| held == label))
    }
}

/// Whether a folder is `outer` or lies below it.
fn is_in(folder: &str, outer: &str) -> bool {
    let below = folder.strip_prefix(outer);
    below.is_some_and(|rest| rest.is_empty() || outer.is_empty() || rest.starts_with('/'))
}

/// A line of labelled text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseRowsError {
    /// Too few or too many columns.
    #[error(
        "line {line}: {n_columns} columns\nhint: write `party<TAB>labels<TAB>text`, and as a fourth column what the other party said before, where it matters"
    )]
    Columns {
        /// From 1.
        line: usize,
        /// How many there are.
        n_columns: usize,
    },
    /// The first column names no party.
    #[error("line {line}: party `{party}`\nhint: write `agent` or `customer`")]
    Party {
        /// From 1.
        line: usize,
        /// What stands there.
        party: String,
    },
    /// The second column holds something that is no label.
    #[error(
        "line {line}: label `{label}`\nhint: labels are lower-case letters, digits and `_`, at most {MAX_LABEL_BYTES}, parted by commas; `-` for none"
    )]
    Label {
        /// From 1.
        line: usize,
        /// What stands there.
        label: String,
    },
    /// The third column holds no letters.
    #[error("line {line}: the text `{text}` has no letters\nhint: write the words that were said")]
    Text {
        /// From 1.
        line: usize,
        /// What stands there.
        text: String,
    },
}

/// Longest name of a label.
pub const MAX_LABEL_BYTES: usize = 64;

/// Reads lines of `party<TAB>labels<TAB>text[<TAB>previous]`: labels parted by commas, `-` for none; empty
/// lines and those that start with `#` do not count. All of them belong to `collection`.
///
/// # Errors
/// The first line that is written otherwise.
pub fn parse_rows(text: &str, collection: &str) -> Result<Vec<LabelledText>, ParseRowsError> {
    let collection: Arc<str> = collection.into();
    let lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    let rows = lines.filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
    rows.map(|(line, number)| parse_row(line, number, &collection))
        .collect()
}

fn parse_row(
    row: &str,
    line: usize,
    collection: &Arc<str>,
) -> Result<LabelledText, ParseRowsError> {
    let columns: Vec<&str> = row.split('\t').map(str::trim).collect();
    let (party, labels, text, previous) = match columns[..] {
        [party, labels, text] => (party, labels, text, None),
        [party, labels, text, previous] => (party, labels, text, Some(previous)),
        _ => {
            let n_columns = columns.len();
            return Err(ParseRowsError::Columns { line, n_columns });
        }
    };
    Ok(LabelledText {
        party: parse_party(party, line)?,
        labels: parse_labels(labels, line)?,
        text: parse_text(text, line)?,
        previous: previous.filter(|text| !text.is_empty()).map(str::to_owned),
        collection: Arc::clone(collection),
    })
}

fn parse_party(party: &str, line: usize) -> Result<Party, ParseRowsError> {
    match party.parse() {
        Ok(Party::Agent) => Ok(Party::Agent),
        Ok(Party::Customer) => Ok(Party::Customer),
        _ => {
            let party = party.chars().take(40).collect();
            Err(ParseRowsError::Party { line, party })
        }
    }
}

fn parse_labels(labels: &str, line: usize) -> Result<Vec<String>, ParseRowsError> {
    if labels == "-" {
        return Ok(Vec::new());
    }
    let mut parsed: Vec<String> = Vec::new();
    for label in labels.split(',').map(str::trim) {
        let is_letter = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if label.is_empty() || label.len() > MAX_LABEL_BYTES || !label.bytes().all(is_letter) {
            let label = label.chars().take(80).collect();
            return Err(ParseRowsError::Label { line, label });
        }
        if !parsed.iter().any(|known| known == label) {
            parsed.push(label.to_owned());
        }
    }
    Ok(parsed)
}

fn parse_text(text: &str, line: usize) -> Result<String, ParseRowsError> {
    match text.chars().any(char::is_alphanumeric) {
        true => Ok(text.to_owned()),
        false => {
            let text = text.chars().take(40).collect();
            Err(ParseRowsError::Text { line, text })
        }
    }
}

/// The utterance that text without sound is: no times, no syllables, letters alone in its spoken form.
pub(super) fn utterance_of(party: Party, text: &str) -> Utterance {
    Utterance {
        party,
        channel: u16::from(party == Party::Customer),
        start_ms: 0,
        end_ms: 0,
        text: text.to_owned(),
        spoken: spoken_form(text),
        confidence: 1.0,
        syllables: Vec::new(),
        words: Vec::new(),
        voice: None,
    }
}

/// Letters alone; a space stays where it parts foreign words, an apostrophe where it is inside one.
fn spoken_form(text: &str) -> String {
    let mut spoken = String::with_capacity(text.len());
    let (mut is_parted, mut is_joined) = (false, false);
    for letter in text.chars() {
        if !letter.is_alphanumeric() {
            is_joined = matches!(letter, '\'' | '’') && !is_parted;
            is_parted = !is_joined;
            continue;
        }
        let follows_foreign = spoken.ends_with(|last: char| last.is_ascii_alphanumeric());
        if follows_foreign && letter.is_ascii_alphanumeric() {
            match (is_parted, is_joined) {
                (true, _) => spoken.push(' '),
                (false, true) => spoken.push('\''),
                (false, false) => {}
            }
        }
        (is_parted, is_joined) = (false, false);
        spoken.push(letter);
    }
    spoken
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_read_with_and_without_context() {
        let text = "# head\n\ncustomer\topt_out, angry\t别再打了！\nagent\t-\t好的。\ncustomer\trefuses\t不用了\t需要吗\n";
        let rows = parse_rows(text, "").unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].labels, ["opt_out", "angry"]);
        assert_eq!(
            (rows[1].party, rows[1].labels.len()),
            (Party::Agent, 0),
            "a dash means none"
        );
        assert_eq!(rows[2].previous.as_deref(), Some("需要吗"));
    }

    #[test]
    fn faults_are_said_with_their_line() {
        for (text, expected) in [
            ("agent\t-", "line 1: 2 columns"),
            ("\nsomebody\t-\t好", "line 2: party `somebody`"),
            ("unknown\t-\t好", "line 1: party `unknown`"),
            ("agent\tOpt Out\t好", "line 1: label `Opt Out`"),
            ("agent\t\t好", "line 1: label ``"),
            ("agent\t-\t……", "line 1: the text `……` has no letters"),
        ] {
            let message = parse_rows(text, "").unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
            assert!(message.contains("hint:"), "{message}");
        }
    }

    #[test]
    fn foreign_words_stay_apart_and_whole() {
        assert_eq!(
            spoken_form("我说 OK，don't call me."),
            "我说OK don't call me"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_rows_or_an_error(text in "(agent|customer|x)?\t?(-|a)?\t?.{0,20}(\n.{0,20})?") {
            let _ = parse_rows(&text, "");
        }
    }
}

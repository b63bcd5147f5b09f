//! Words and their numbers, one numbering for all models that are mixed.

use std::collections::HashMap;
use std::sync::Arc;

/// Number of a word in a [`Vocabulary`].
pub type WordId = u32;

/// Any word that is not in the vocabulary; written `<unk>`.
pub const UNKNOWN: WordId = 0;
/// Before the first word of a sentence; written `<s>`.
pub const SENTENCE_START: WordId = 1;
/// After the last word of a sentence; written `</s>`.
pub const SENTENCE_END: WordId = 2;

/// How the three marks are written, by their number.
pub const MARKS: [&str; 3] = ["<unk>", "<s>", "</s>"];

/// Words ↔ numbers.
///
/// Most words lie sorted in one block of text and are found by binary search, so that loading is copying;
/// words added later (from another model, from a customer) follow with the next numbers.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Words after the marks, sorted, one after the other.
    text: Arc<str>,
    /// Where each sorted word begins; one more at the end.
    starts: Arc<[u32]>,
    added: Vec<Box<str>>,
    added_ids: HashMap<Box<str>, WordId>,
}

impl Vocabulary {
    /// The vocabulary of `words`; doubles and marks are taken once.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words: Vec<&str> = words
            .into_iter()
            .filter(|word| !MARKS.contains(word))
            .collect();
        words.sort_unstable();
        words.dedup();
        let (mut text, mut starts) = (String::new(), vec![0]);
        for word in words {
            text.push_str(word);
            starts.push(text.len() as u32);
        }
        Self {
            text: text.into(),
            starts: starts.into(),
            ..Self::default()
        }
    }

    /// How many numbers are taken, the three marks included.
    pub fn len(&self) -> usize {
        MARKS.len() + self.n_sorted() + self.added.len()
    }

    /// Whether it holds nothing beside the marks.
    pub fn is_empty(&self) -> bool {
        self.len() == MARKS.len()
    }

    /// The number of `word`.
    pub fn id(&self, word: &str) -> Option<WordId> {
        if let Some(mark) = MARKS.iter().position(|mark| *mark == word) {
            return Some(mark as WordId);
        }
        let (mut low, mut high) = (0, self.n_sorted());
        while low < high {
            let middle = low.midpoint(high);
            match self.sorted(middle).cmp(word) {
                std::cmp::Ordering::Equal => return Some((MARKS.len() + middle) as WordId),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        self.added_ids.get(word).copied()
    }

    /// The word with this number; `<unk>` for a number that is not taken.
    pub fn word(&self, id: WordId) -> &str {
        let id = id as usize;
        if let Some(mark) = MARKS.get(id) {
            return mark;
        }
        let row = id - MARKS.len();
        if row < self.n_sorted() {
            return self.sorted(row);
        }
        self.added
            .get(row - self.n_sorted())
            .map_or(MARKS[UNKNOWN as usize], |word| word)
    }

    /// The number of `word`, which is added where it was not known.
    pub fn add(&mut self, word: &str) -> WordId {
        if let Some(id) = self.id(word) {
            return id;
        }
        let id = self.len() as WordId;
        self.added.push(word.into());
        self.added_ids.insert(word.into(), id);
        id
    }

    /// All words with their numbers, without the marks.
    pub fn iter(&self) -> impl Iterator<Item = (WordId, &str)> {
        (MARKS.len()..self.len()).map(|id| (id as WordId, self.word(id as WordId)))
    }

    /// Heap memory it takes, about.
    pub fn memory_bytes(&self) -> usize {
        let added: usize = self.added.iter().map(|word| 2 * word.len() + 64).sum();
        self.text.len() + 4 * self.starts.len() + added
    }

    /// Text and positions of the sorted words, and the words added after them.
    pub(super) fn parts(&self) -> (&str, &[u32], &[Box<str>]) {
        (&self.text, &self.starts, &self.added)
    }

    /// Puts [`Self::parts`] together again; `starts` are character boundaries that rise to the end of `text`.
    pub(super) fn from_parts<'a>(
        text: String,
        starts: Vec<u32>,
        added: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut vocabulary = Self {
            text: text.into(),
            starts: starts.into(),
            added: Vec::new(),
            added_ids: HashMap::new(),
        };
        for word in added {
            let id = vocabulary.len() as WordId;
            vocabulary.added.push(word.into());
            vocabulary.added_ids.insert(word.into(), id);
        }
        vocabulary
    }

    fn n_sorted(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn sorted(&self, row: usize) -> &str {
        &self.text[self.starts[row] as usize..self.starts[row + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_round_trip() {
        let mut vocabulary = Vocabulary::from_words(["银行", "卡", "银行", "<s>", "a"]);
        assert_eq!(vocabulary.len(), 6);
        for (id, word) in vocabulary.iter() {
            assert_eq!(vocabulary.id(word), Some(id));
        }
        assert_eq!(vocabulary.id("</s>"), Some(SENTENCE_END));
        assert_eq!(vocabulary.id("没有"), None);
        let added = vocabulary.add("没有");
        assert_eq!(added, 6);
        assert_eq!(vocabulary.add("没有"), added);
        assert_eq!(vocabulary.add("卡"), vocabulary.id("卡").unwrap());
        assert_eq!(vocabulary.word(added), "没有");
        assert_eq!(vocabulary.word(99), "<unk>");
    }

    #[test]
    fn an_empty_vocabulary_knows_the_marks() {
        let vocabulary = Vocabulary::default();
        assert!(vocabulary.is_empty());
        assert_eq!(vocabulary.id("<unk>"), Some(UNKNOWN));
        assert_eq!(vocabulary.id("x"), None);
        assert_eq!(vocabulary.word(7), "<unk>");
    }
}

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
/// words added later (from another model, from a customer) follow with the next numbers. Clones share all words but those
/// that were added after it was settled.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Words after the marks, sorted, one after the other.
    text: Arc<str>,
    /// Where each sorted word begins; one more at the end.
    starts: Arc<[u32]>,
    /// The words after those, which clones share, too.
    settled: Arc<Added>,
    /// The words after these.
    added: Added,
}

/// Words in the order of their numbers, and their numbers.
#[derive(Clone, Debug, Default)]
struct Added {
    words: Vec<Box<str>>,
    ids: HashMap<Box<str>, WordId>,
}

impl Added {
    fn push(&mut self, word: &str, id: WordId) {
        self.words.push(word.into());
        self.ids.insert(word.into(), id);
    }
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
        MARKS.len() + self.n_sorted() + self.settled.words.len() + self.added.words.len()
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
        let settled = self.settled.ids.get(word);
        settled.or_else(|| self.added.ids.get(word)).copied()
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
        let mut added = self.settled.words.iter().chain(&self.added.words);
        added
            .nth(row - self.n_sorted())
            .map_or(MARKS[UNKNOWN as usize], |word| word)
    }

    /// The number of `word`, which is added where it was not known.
    pub fn add(&mut self, word: &str) -> WordId {
        if let Some(id) = self.id(word) {
            return id;
        }
        let id = self.len() as WordId;
        self.added.push(word, id);
        id
    }

    /// Has clones that are made from now on share the words that were added.
    pub(super) fn settle(&mut self) {
        let added = std::mem::take(&mut self.added);
        let settled = Arc::make_mut(&mut self.settled);
        settled.words.extend(added.words);
        settled.ids.extend(added.ids);
    }

    /// All words with their numbers, without the marks.
    pub fn iter(&self) -> impl Iterator<Item = (WordId, &str)> {
        (MARKS.len()..self.len()).map(|id| (id as WordId, self.word(id as WordId)))
    }

    /// Heap memory it takes, about.
    pub fn memory_bytes(&self) -> usize {
        let added: usize = self.added_words().map(|word| 2 * word.len() + 64).sum();
        self.text.len() + 4 * self.starts.len() + added
    }

    /// Text and positions of the sorted words, and the words added after them.
    pub(super) fn parts(&self) -> (&str, &[u32], Vec<&str>) {
        (&self.text, &self.starts, self.added_words().collect())
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
            ..Self::default()
        };
        for word in added {
            let id = vocabulary.len() as WordId;
            vocabulary.added.push(word, id);
        }
        vocabulary.settle();
        vocabulary
    }

    /// After the sorted ones, by their number.
    fn added_words(&self) -> impl Iterator<Item = &str> {
        let added = self.settled.words.iter().chain(&self.added.words);
        added.map(|word| &**word)
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
    fn clones_share_what_is_settled_and_have_their_own_beside_it() {
        let mut vocabulary = Vocabulary::from_words(["银行", "卡"]);
        assert_eq!((vocabulary.add("安心贷"), vocabulary.add("征信")), (5, 6));
        vocabulary.settle();
        let (mut one, mut other) = (vocabulary.clone(), vocabulary.clone());
        assert!(Arc::ptr_eq(&one.settled, &other.settled));
        assert_eq!((one.add("宝正"), one.add("征信")), (7, 6));
        assert_eq!((other.add("代宽"), other.add("宝正")), (7, 8));
        for (vocabulary, expected) in [
            (&vocabulary, &["银行", "安心贷", "征信"][..]),
            (&one, &["银行", "安心贷", "征信", "宝正"][..]),
            (&other, &["银行", "安心贷", "征信", "代宽", "宝正"][..]),
        ] {
            let words: Vec<&str> = vocabulary.iter().map(|(_, word)| word).skip(1).collect();
            assert_eq!(words, expected);
            assert_eq!(vocabulary.parts().2, expected[1..]);
            for (id, word) in vocabulary.iter() {
                assert_eq!(vocabulary.id(word), Some(id));
            }
        }
        assert!(Arc::ptr_eq(&one.settled, &vocabulary.settled));
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

//! Syllables → words: a trie that a decoder walks.

use auricle_pinyin::{Syllable, word_readings};

use super::vocabulary::{Vocabulary, WordId};

/// A place in a [`Lexicon`]: the syllables since the beginning of a word.
pub type Node = u32;

/// A word that ends at a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LexiconEntry {
    /// The word.
    pub word: WordId,
    /// Natural logarithm of the probability that the word is read so.
    pub log_prob: f32,
}

/// How words sound: a trie over toned syllables in sorted arrays, children of a node by syllable.
///
/// Syllables are kept with the tone of the dictionary.
#[derive(Clone, Debug, PartialEq)]
pub struct Lexicon {
    /// First child of each node; the next entry ends it. Nodes lie breadth first.
    pub(super) children: Vec<u32>,
    /// Syllable that leads to each node, as [`Syllable::index`].
    pub(super) syllables: Vec<u16>,
    /// First entry of each node; the next ends it.
    pub(super) entry_starts: Vec<u32>,
    pub(super) entries: Vec<LexiconEntry>,
}

impl Default for Lexicon {
    fn default() -> Self {
        Self::from_rows(Vec::new())
    }
}

impl Lexicon {
    /// The lexicon of all hanzi words of `words`, with their readings; others are passed over.
    pub fn build<'a>(words: impl IntoIterator<Item = (WordId, &'a str)>) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        for (word, text) in words {
            for (syllables, prob) in word_readings(text) {
                let syllables = syllables
                    .iter()
                    .map(|syllable| syllable.index() as u16)
                    .collect();
                rows.push(Row {
                    syllables,
                    entry: LexiconEntry {
                        word,
                        log_prob: prob.ln(),
                    },
                });
            }
        }
        Self::from_rows(rows)
    }

    /// The lexicon of the whole vocabulary.
    pub fn of_vocabulary(vocabulary: &Vocabulary) -> Self {
        Self::build(vocabulary.iter())
    }

    /// The same lexicon with further words, each read as given. Takes about as long as building it.
    #[must_use]
    pub fn extended<'a>(&self, extra: impl IntoIterator<Item = (WordId, &'a [Syllable])>) -> Self {
        let mut rows = Vec::with_capacity(self.entries.len());
        self.collect_rows(self.root(), &mut Vec::new(), &mut rows);
        rows.extend(extra.into_iter().map(|(word, syllables)| {
            Row {
                syllables: syllables
                    .iter()
                    .map(|syllable| syllable.index() as u16)
                    .collect(),
                entry: LexiconEntry {
                    word,
                    log_prob: 0.0,
                },
            }
        }));
        Self::from_rows(rows)
    }

    /// This one and another as one.
    #[must_use]
    pub(super) fn with(&self, other: &Self) -> Self {
        let mut rows = Vec::with_capacity(self.entries.len() + other.entries.len());
        for lexicon in [self, other] {
            lexicon.collect_rows(lexicon.root(), &mut Vec::new(), &mut rows);
        }
        Self::from_rows(rows)
    }

    fn collect_rows(&self, node: Node, path: &mut Vec<u16>, rows: &mut Vec<Row>) {
        let row = |entry: &LexiconEntry| Row {
            syllables: path.clone(),
            entry: *entry,
        };
        rows.extend(self.words(node).iter().map(row));
        for child in self.child_range(node) {
            path.push(self.syllables[child]);
            self.collect_rows(child as Node, path, rows);
            path.pop();
        }
    }

    /// Before the first syllable of a word.
    pub const fn root(&self) -> Node {
        0
    }

    /// The node after one more syllable with its tone.
    pub fn step(&self, node: Node, syllable: Syllable) -> Option<Node> {
        let children = self.child_range(node);
        let row = self.syllables[children.clone()]
            .binary_search(&(syllable.index() as u16))
            .ok()?;
        Some((children.start + row) as Node)
    }

    /// All syllables that lead on from `node`, by [`Syllable::index`], with the node after each.
    pub fn arcs(&self, node: Node) -> impl Iterator<Item = (Syllable, Node)> {
        let nodes = self.child_range(node);
        self.syllables[nodes.clone()]
            .iter()
            .zip(nodes)
            .filter_map(|(&index, node)| {
                Some((Syllable::from_index(usize::from(index))?, node as Node))
            })
    }

    /// The words that end at `node`, by their number.
    pub fn words(&self, node: Node) -> &[LexiconEntry] {
        let node = node as usize;
        match self.entry_starts.get(node..node + 2) {
            Some(&[from, to]) => &self.entries[from as usize..to as usize],
            _ => &[],
        }
    }

    /// Number of nodes.
    pub fn n_nodes(&self) -> usize {
        self.syllables.len()
    }

    /// Number of readings of all words.
    pub fn n_entries(&self) -> usize {
        self.entries.len()
    }

    /// Heap memory it takes.
    pub fn memory_bytes(&self) -> usize {
        4 * (self.children.len() + self.entry_starts.len())
            + 2 * self.syllables.len()
            + 8 * self.entries.len()
    }

    fn child_range(&self, node: Node) -> std::ops::Range<usize> {
        let node = node as usize;
        match self.children.get(node..node + 2) {
            Some(&[from, to]) => from as usize..to as usize,
            _ => 0..0,
        }
    }

    /// Lays the trie out breadth first: a node is a range of the sorted rows that share its syllables.
    fn from_rows(mut rows: Vec<Row>) -> Self {
        rows.sort_unstable_by(|a, b| {
            a.syllables
                .cmp(&b.syllables)
                .then(a.entry.word.cmp(&b.entry.word))
        });
        let mut lexicon = Self {
            children: Vec::new(),
            syllables: vec![0],
            entry_starts: Vec::new(),
            entries: Vec::with_capacity(rows.len()),
        };
        let mut level: Vec<std::ops::Range<usize>> = std::iter::once(0..rows.len()).collect();
        let mut depth = 0;
        while !level.is_empty() {
            let mut next_level = Vec::new();
            for range in level {
                lexicon.children.push(lexicon.syllables.len() as u32);
                lexicon.entry_starts.push(lexicon.entries.len() as u32);
                let mut at = range.start;
                while at < range.end && rows[at].syllables.len() == depth {
                    lexicon.entries.push(rows[at].entry);
                    at += 1;
                }
                while at < range.end {
                    let syllable = rows[at].syllables[depth];
                    let len =
                        rows[at..range.end].partition_point(|row| row.syllables[depth] == syllable);
                    lexicon.syllables.push(syllable);
                    next_level.push(at..at + len);
                    at += len;
                }
            }
            level = next_level;
            depth += 1;
        }
        lexicon.children.push(lexicon.syllables.len() as u32);
        lexicon.entry_starts.push(lexicon.entries.len() as u32);
        lexicon
    }
}

/// One reading of one word.
struct Row {
    syllables: Vec<u16>,
    entry: LexiconEntry,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(lexicon: &Lexicon, syllables: &str) -> Option<Node> {
        syllables
            .split(' ')
            .try_fold(lexicon.root(), |node, syllable| {
                lexicon.step(node, syllable.parse().unwrap())
            })
    }

    fn check(lexicon: &Lexicon, vocabulary: &Vocabulary, syllables: &str, expected: &[&str]) {
        let node = walk(lexicon, syllables).unwrap();
        let words: Vec<&str> = lexicon
            .words(node)
            .iter()
            .map(|entry| vocabulary.word(entry.word))
            .collect();
        assert_eq!(words, expected, "{syllables}");
    }

    #[test]
    fn words_are_found_by_their_syllables() {
        let vocabulary =
            Vocabulary::from_words(["银行", "银行卡", "引航", "行", "形", "A股", "知道", "支"]);
        let lexicon = Lexicon::of_vocabulary(&vocabulary);
        check(&lexicon, &vocabulary, "yin2 hang2", &["银行"]);
        check(&lexicon, &vocabulary, "yin2 hang2 ka3", &["银行卡"]);
        check(&lexicon, &vocabulary, "yin3 hang2", &["引航"]);
        check(&lexicon, &vocabulary, "xing2", &["形", "行"]);
        check(&lexicon, &vocabulary, "zhi1 dao5", &["知道"]);
        check(&lexicon, &vocabulary, "zhi1", &["支"]);
        assert_eq!(walk(&lexicon, "yin1 hang2"), None);
        assert!(lexicon.words(lexicon.root()).is_empty());
    }

    #[test]
    fn words_are_added_to_a_lexicon() {
        let vocabulary = Vocabulary::from_words(["银行", "引航", "安心贷"]);
        let lexicon = Lexicon::of_vocabulary(&vocabulary);
        let syllables: Vec<Syllable> = ["yin2", "hang2", "ka3"]
            .map(|text| text.parse().unwrap())
            .into();
        let word = vocabulary.id("安心贷").unwrap();
        let extended = lexicon.extended([(word, syllables.as_slice())]);
        check(&extended, &vocabulary, "yin2 hang2", &["银行"]);
        check(&extended, &vocabulary, "yin2 hang2 ka3", &["安心贷"]);
        assert_eq!(lexicon.extended([]), lexicon);
    }

    #[test]
    fn an_empty_lexicon_has_a_root() {
        let lexicon = Lexicon::build([]);
        assert_eq!(lexicon.step(lexicon.root(), "ni3".parse().unwrap()), None);
        assert!(lexicon.words(lexicon.root()).is_empty());
        assert_eq!(lexicon.arcs(9).count(), 0);
    }
}

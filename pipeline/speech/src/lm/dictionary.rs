//! jieba's words with their frequencies, and the texts the project carries with it.

use std::collections::HashSet;
use std::io::Read;

use flate2::read::GzDecoder;

/// jieba's dictionary as packed by the build script: `word frequency tag` lines.
const WORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/jieba-words.txt.gz"));
/// The project's own texts, one sentence a line.
const CORPUS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/corpus.txt.gz"));

/// One word of the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DictionaryWord<'a> {
    /// The word.
    pub word: &'a str,
    /// How often it was counted, at least 1.
    pub frequency: u64,
    /// Part of speech, jieba's letters (`n`, `v`, `nr`, …); empty where it has none.
    pub tag: &'a str,
}

/// The words of jieba's dictionary, read once and held as text.
#[derive(Debug)]
pub struct Dictionary {
    text: String,
    /// Hanzi that stand in words of several.
    in_compounds: HashSet<char>,
}

/// jieba's tag of single characters that were counted without being looked at.
const UNTENDED_TAG: &str = "zg";

impl Dictionary {
    /// Unpacks the dictionary; takes some 30 ms.
    pub fn load() -> Self {
        let text = unpack(WORDS);
        let words = text.lines().filter_map(|line| line.split(' ').next());
        let in_compounds = words
            .filter(|word| word.chars().nth(1).is_some())
            .flat_map(str::chars)
            .collect();
        Self { text, in_compounds }
    }

    /// Its words that are written in hanzi alone.
    pub fn hanzi_words(&self) -> impl Iterator<Item = DictionaryWord<'_>> {
        self.words()
            .filter(|entry| auricle_pinyin::is_hanzi_word(entry.word))
    }

    /// All its words.
    ///
    /// Some of its single characters are the debris of text read in a wrong encoding, with high counts: one
    /// that was never looked at and stands in no other word is given a frequency of 1.
    pub fn words(&self) -> impl Iterator<Item = DictionaryWord<'_>> {
        self.text.lines().filter_map(|line| {
            let mut fields = line.split(' ');
            let word = fields.next().filter(|word| !word.is_empty())?;
            let frequency = fields.next()?.parse::<u64>().ok()?.max(1);
            let tag = fields.next().unwrap_or("");
            let debris = tag == UNTENDED_TAG
                && !word
                    .chars()
                    .all(|letter| self.in_compounds.contains(&letter));
            Some(DictionaryWord {
                word,
                frequency: if debris { 1 } else { frequency },
                tag,
            })
        })
    }
}

/// The packed bytes of the words and of the texts: what a built model depends on beside its options.
pub(super) const fn packed() -> [&'static [u8]; 2] {
    [WORDS, CORPUS]
}

/// The project's own texts.
pub fn own_corpus() -> String {
    unpack(CORPUS)
}

/// The blobs are written by the build script: they unpack whole, or the build is broken and nothing comes.
fn unpack(packed: &[u8]) -> String {
    let mut text = String::new();
    match GzDecoder::new(packed).read_to_string(&mut text) {
        Ok(_) => text,
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_whole() {
        let dictionary = Dictionary::load();
        assert!(dictionary.words().count() > 300_000);
        let bank = dictionary
            .hanzi_words()
            .find(|entry| entry.word == "银行")
            .unwrap();
        assert_eq!(bank.tag, "n");
        assert!(bank.frequency > 1000);
        assert!(dictionary.hanzi_words().all(|entry| entry.word != "4S店"));
        let debris = dictionary.words().find(|entry| entry.word == "銆").unwrap();
        assert_eq!(debris.frequency, 1);
    }
}

//! jieba's words with their frequencies, and the texts the project carries with it.

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
}

impl Dictionary {
    /// Unpacks the dictionary; takes some 30 ms.
    pub fn load() -> Self {
        Self { text: unpack(WORDS) }
    }

    /// Its words that are written in hanzi alone.
    pub fn hanzi_words(&self) -> impl Iterator<Item = DictionaryWord<'_>> {
        self.words().filter(|entry| auricle_pinyin::is_hanzi_word(entry.word))
    }

    /// All its words.
    pub fn words(&self) -> impl Iterator<Item = DictionaryWord<'_>> {
        self.text.lines().filter_map(|line| {
            let mut fields = line.split(' ');
            let word = fields.next().filter(|word| !word.is_empty())?;
            let frequency = fields.next()?.parse::<u64>().ok()?.max(1);
            Some(DictionaryWord { word, frequency, tag: fields.next().unwrap_or("") })
        })
    }
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
        let bank = dictionary.hanzi_words().find(|entry| entry.word == "银行").unwrap();
        assert_eq!(bank.tag, "n");
        assert!(bank.frequency > 1000);
        assert!(dictionary.hanzi_words().all(|entry| !entry.word.contains('号') || entry.word != "4S店"));
    }
}

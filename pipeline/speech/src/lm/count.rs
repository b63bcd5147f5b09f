//! Texts → sentences of word numbers.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use auricle_pinyin::is_hanzi_word;
use flate2::bufread::MultiGzDecoder;
use jieba_rs::Jieba;

use super::vocabulary::{UNKNOWN, Vocabulary, WordId};

/// Longest line of a text that is read whole; the rest of a longer one is taken as the next line.
const MAX_LINE_BYTES: u64 = 1 << 16;

/// Cuts one line into sentences of words: at 。！？； and the like, and at anything that is not written in hanzi.
///
/// Commas do not end a sentence, since speakers seldom stop at them. Words are jieba's exact cut without its
/// model for new words. What is not in the vocabulary comes as [`UNKNOWN`].
pub fn sentences(line: &str, jieba: &Jieba, vocabulary: &Vocabulary) -> Vec<Vec<WordId>> {
    line.split(ends_sentence)
        .map(|sentence| sentence_words(sentence, jieba, vocabulary))
        .filter(|words| !words.is_empty())
        .collect()
}

fn sentence_words(sentence: &str, jieba: &Jieba, vocabulary: &Vocabulary) -> Vec<WordId> {
    let joined: String = sentence
        .chars()
        .filter(|letter| !is_pause(*letter))
        .collect();
    let mut words = Vec::new();
    for token in jieba.cut(&joined, false) {
        match vocabulary.id(token.word) {
            Some(id) => words.push(id),
            None if is_hanzi_word(token.word) => words.extend(token.word.chars().map(|letter| {
                vocabulary
                    .id(letter.encode_utf8(&mut [0; 4]))
                    .unwrap_or(UNKNOWN)
            })),
            None => words.push(UNKNOWN),
        }
    }
    words
}

fn ends_sentence(letter: char) -> bool {
    matches!(
        letter,
        '。' | '！' | '？' | '；' | '…' | '!' | '?' | ';' | '\n' | '\r'
    )
}

fn is_pause(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(
            letter,
            '，' | '、' | '：' | ',' | ':' | '“' | '”' | '"' | '‘' | '’' | '《' | '》'
        )
        || matches!(
            letter,
            '（' | '）' | '(' | ')' | '「' | '」' | '—' | '·' | '-' | '【' | '】' | '.'
        )
}

/// Gives every line of a text file, plain or gzip, to `take`; damaged UTF-8 is replaced.
pub fn read_lines(path: &Path, mut take: impl FnMut(&str)) -> io::Result<()> {
    let mut file = BufReader::with_capacity(1 << 16, std::fs::File::open(path)?);
    if file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return each_line(BufReader::new(MultiGzDecoder::new(file)), &mut take);
    }
    each_line(file, &mut take)
}

fn each_line(mut input: impl BufRead, take: &mut impl FnMut(&str)) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut input)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)?
            == 0
        {
            return Ok(());
        }
        take(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_into_sentences_of_known_words() {
        let vocabulary = Vocabulary::from_words(["我们", "银行", "的", "客服", "您", "好"]);
        let jieba = Jieba::new();
        let shown: Vec<Vec<&str>> = sentences("您好，我们银行的客服。ABC的！", &jieba, &vocabulary)
            .iter()
            .map(|words| words.iter().map(|&word| vocabulary.word(word)).collect())
            .collect();
        assert_eq!(shown[0], ["您", "好", "我们", "银行", "的", "客服"]);
        assert_eq!(shown[1], ["<unk>", "的"]);
        assert_eq!(shown.len(), 2);
    }
}

use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::lm::LanguageModel;

const GOOD: &str = "a comment\n\n\\data\\\nngram 1=4\nngram 2=2\nngram 3=1\n\n\\1-grams:\n-1.0\t<s>\t-0.3\n-0.7 </s>\n\
    -0.5\t我\t-0.2\n-0.9\t是\n\n\\2-grams:\n-0.2 <s> 我 -0.1\n-0.3\t我 是\n\n\\3-grams:\n-0.05 <s> 我 是\n\n\\end\\\n";

fn read_text(text: &[u8]) -> Result<(NgramModel, Vocabulary), ArpaError> {
    let mut vocabulary = Vocabulary::default();
    let limits = ArpaLimits {
        ngrams: 1000,
        line_bytes: 256,
    };
    read(text, &mut vocabulary, limits).map(|model| (model, vocabulary))
}

fn check_error(from: &str, to: &str, line: u64, expected: &str) {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD, "`{from}` is not in the text");
    let error = read_text(text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert!(error.starts_with(&format!("line {line}:")), "{error}");
    assert!(error.contains("\nhint: "), "{error}");
}

#[test]
fn reads_and_scores() {
    let (model, vocabulary) = read_text(GOOD.as_bytes()).unwrap();
    let id = |word| vocabulary.id(word).unwrap();
    let ln = |log10: f32| log10 * std::f32::consts::LN_10;
    let (first, state) = model.score(model.start(), id("我"));
    let (second, state) = model.score(state, id("是"));
    assert!((first - ln(-0.2)).abs() < 1e-5);
    assert!((second - ln(-0.05)).abs() < 1e-5);
    assert!((model.end(state) - ln(-0.7)).abs() < 1e-5);
    let (repeated, _) = model.score(model.score(model.start(), id("我")).1, id("我"));
    assert!((repeated - ln(-0.1 - 0.2 - 0.5)).abs() < 1e-5);
    assert_eq!(model.counts(), [4, 2, 1]);
}

#[test]
fn gzip_reads_the_same_and_a_cut_one_is_an_error() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(GOOD.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(
        read_text(&packed).unwrap().0,
        read_text(GOOD.as_bytes()).unwrap().0
    );
    for len in 2..packed.len() - 8 {
        assert!(read_text(&packed[..len]).is_err(), "{len}");
    }
}

#[test]
fn what_is_written_reads_back() {
    let (model, vocabulary) = read_text(GOOD.as_bytes()).unwrap();
    let mut text = Vec::new();
    write(&model, &vocabulary, &mut text).unwrap();
    let (again, words) = read_text(&text).unwrap();
    assert_eq!(again.counts(), model.counts());
    for word in ["我", "是", "</s>"] {
        let (a, _) = model.score(model.start(), vocabulary.id(word).unwrap());
        let (b, _) = again.score(again.start(), words.id(word).unwrap());
        assert!((a - b).abs() < 1e-4);
    }
}

#[test]
fn damage_names_the_line() {
    check_error(
        "ngram 2=2",
        "ngram 2=3",
        18,
        "`2` 2-grams found where `3` were announced",
    );
    check_error(
        "ngram 2=2",
        "ngram 2=1",
        16,
        "`2` 2-grams found where `1` were announced",
    );
    check_error("ngram 1=4", "ngram 1=5", 14, "`4` 1-grams found where `5`");
    check_error(
        "ngram 1=4",
        "ngram 1=999999999999",
        8,
        "at most `1000` are read",
    );
    check_error(
        "ngram 1=4",
        "ngram 1=99999999999999999999",
        4,
        "expected `ngram N=COUNT`",
    );
    check_error(
        "ngram 2=2",
        "ngram 4=2",
        5,
        "order `4` where `2` was expected",
    );
    check_error("\\end\\\n", "", 21, "ends before `\\end\\`");
    check_error("\\end\\", "\\4-grams:", 21, "expected `\\end\\`");
    check_error("-0.9\t是", "x.9\t是", 12, "`x.9` is no log probability");
    check_error("-0.9\t是", "NaN\t是", 12, "`NaN` is no log probability");
    check_error("-0.9\t是", "0.9\t是", 12, "`0.9` is no log probability");
    check_error(
        "-0.3\t我 是",
        "-0.3\t我 爱",
        16,
        "word `爱` of a 2-gram is no 1-gram",
    );
    check_error(
        "-0.05 <s> 我 是",
        "-0.05 我 我 是",
        19,
        "no n-gram of the order below",
    );
    check_error("-0.3\t我 是", "-0.3\t<s> 我", 18, "twice");
    check_error(
        "-0.3\t我 是",
        "-0.3\t我",
        16,
        "fewer words than a 2-gram has",
    );
    check_error(
        "-0.05 <s> 我 是",
        "-0.05 <s> 我 是 -0.4",
        19,
        "more fields than a 3-gram has",
    );
    check_error(
        "-0.2\n-0.9",
        "-0.2x\n-0.9",
        11,
        "`-0.2x` is no back-off weight",
    );
    check_error("\\2-grams:", "\\3-grams:", 14, "expected `\\2-grams:`");
    check_error("\\data\\", "\\dat\\", 22, "no `\\data\\` line");
    check_error(
        "a comment",
        &"long ".repeat(99),
        1,
        "longer than `256` bytes",
    );
}

#[test]
fn no_bytes_no_model() {
    for text in [
        &b""[..],
        b"\x1f\x8b",
        b"\x1f\x8b\x08\x00",
        b"\\data\\",
        b"\xff\xfe\n\\data\\\n",
    ] {
        assert!(read_text(text).is_err());
    }
}

proptest! {
    #[test]
    fn damaged_bytes_never_panic(at in 0..GOOD.len(), byte in any::<u8>(), cut in 0..GOOD.len()) {
        let mut text = GOOD.as_bytes().to_vec();
        text[at] = byte;
        let _ = read_text(&text);
        text.truncate(cut);
        let _ = read_text(&text);
    }
}

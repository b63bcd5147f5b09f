//! What holds for any words.

use proptest::prelude::*;

use crate::written::cells::is_hanzi;
use crate::written::{Ending, SpokenWord, WrittenForm, write_utterance};

/// Characters that a number may drop or move.
const NUMERIC: &str = "零〇一二三四五六七八九十百千万亿两幺洞拐勾点分之负叉";
const MARKS: &str = "，。？";

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[零一二三四五六七八九十百千万亿两幺半几多点分之第块元毛年月号日个天]{1,4}",
        3 => "[的我你您好是吗呢吧了什么怎但是所以因为在把一下定统万星期周按负叉到至]{1,3}",
        1 => "[a-zA-Z]{1,5}",
        1 => "\\PC{0,3}",
        1 => Just(String::new()),
    ]
}

fn timed_words() -> impl Strategy<Value = Vec<(String, u64, u64)>> {
    prop::collection::vec((word(), 0_u64..400, 0_u64..900), 0..24)
}

fn write(words: &[(String, u64, u64)], ending: Ending) -> WrittenForm {
    let mut now_ms = 0;
    let spoken: Vec<SpokenWord<'_>> = words
        .iter()
        .map(|(text, gap_ms, length_ms)| {
            let start_ms = now_ms + gap_ms;
            now_ms = start_ms + length_ms;
            SpokenWord {
                text,
                start_ms,
                end_ms: now_ms,
            }
        })
        .collect();
    write_utterance(&spoken, ending)
}

fn plain_hanzi(text: &str) -> String {
    text.chars()
        .filter(|&ch| is_hanzi(ch) && !NUMERIC.contains(ch))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn other_hanzi_stay_in_order(words in timed_words()) {
        let said: String = words.iter().map(|word| word.0.as_str()).collect();
        prop_assert_eq!(plain_hanzi(&write(&words, Ending::Final).text), plain_hanzi(&said));
    }

    #[test]
    fn spans_tile_text_and_words(words in timed_words()) {
        let form = write(&words, Ending::Final);
        let (mut text_end, mut word_end) = (0, 0);
        for span in &form.spans {
            prop_assert!(span.text_range.start >= text_end && span.text_range.end >= span.text_range.start);
            let between = form.text.get(text_end..span.text_range.start);
            prop_assert!(between.is_some_and(|text| text.chars().all(|ch| ch == ' ' || MARKS.contains(ch))));
            prop_assert!(form.text.get(span.text_range.clone()).is_some());
            prop_assert_eq!(span.word_range.start, word_end);
            prop_assert!(span.word_range.end > span.word_range.start);
            (text_end, word_end) = (span.text_range.end, span.word_range.end);
        }
        prop_assert_eq!(word_end, words.len());
    }

    #[test]
    fn marks_stand_alone_and_one_ends_it(words in timed_words()) {
        let mut words = words;
        for word in &mut words {
            word.0.retain(|ch| is_hanzi(ch) || ch.is_ascii_alphabetic());
        }
        prop_assume!(words.iter().any(|word| !word.0.is_empty()));
        let text = write(&words, Ending::Final).text;
        let chars: Vec<char> = text.chars().collect();
        prop_assert!(chars.windows(2).all(|w| !(MARKS.contains(w[0]) && MARKS.contains(w[1]))));
        prop_assert!(text.ends_with(['。', '？', '.']));
        prop_assert!(!text.starts_with(['，', '。', '？']));
    }

    #[test]
    fn times_out_of_order_are_no_matter(texts in prop::collection::vec(word(), 0..12),
                                        times in prop::collection::vec((any::<u64>(), any::<u64>()), 12)) {
        let spoken: Vec<SpokenWord<'_>> = texts.iter().zip(&times)
            .map(|(text, &(start_ms, end_ms))| SpokenWord { text, start_ms, end_ms }).collect();
        let form = write_utterance(&spoken, Ending::Partial);
        prop_assert_eq!(form.spans.last().map_or(0, |span| span.word_range.end), texts.len());
    }
}

fn words_behind(form: &WrittenForm, part: &str) -> Option<std::ops::Range<usize>> {
    let start = form.text.find(part)?;
    form.words_of(start..start + part.len())
}

#[test]
fn written_text_finds_its_words() {
    let form = super::write(
        "我 的 号码 是 幺三八 零零 零零 五六七八 | 欠 一百 二十 块",
        Ending::Final,
    );
    assert_eq!(form.text, "我的号码是13800005678，欠120块。");
    assert_eq!(words_behind(&form, "13800005678"), Some(4..8));
    assert_eq!(words_behind(&form, "5678"), Some(7..8));
    assert_eq!(words_behind(&form, "120块"), Some(9..12));
    assert_eq!(words_behind(&form, "20"), Some(9..11));
    assert_eq!(words_behind(&form, "，"), None);
    let amount = form.text_of(9..12).map(|range| &form.text[range]);
    assert_eq!(amount, Some("120块"));
}

#[test]
fn every_digit_has_its_own_word() {
    let form = super::write("幺 三 八 零 零 幺", Ending::Final);
    assert_eq!(form.text, "138001。");
    assert_eq!(form.words_of(2..3), Some(2..3));
    assert_eq!(form.spans.len(), 6);
}

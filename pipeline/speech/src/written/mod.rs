//! From what was said to what is written: numbers in digits, marks at clauses.
//!
//! [`write_utterance`] takes the words of one utterance with their times and returns its written form with a map
//! back to the words. It is pure, needs nothing of the utterances around it, and does not depend on how the
//! decoder cut numbers into words.
//!
//! # What is written in digits
//! Number words change, all other words stay where they were said.
//!
//! | said | written |
//! | --- | --- |
//! | 一百二十块, 三千零五, 两万三, 一万两千 | 120块, 3005, 23000, 12000 |
//! | 二十万, 三千五百万, 一亿两千万, 三点五万 | 20万, 3500万, 1.2亿, 3.5万 |
//! | 三块五, 两块八毛五, 五毛 | 3块5, 2块8毛5, 5毛 |
//! | 百分之零点五, 百分之三到五, 千分之三, 万分之五 | 0.5%, 3%到5%, 3‰, 万分之5 |
//! | 三点一四, 三分之一, 第三, 第一次 | 3.14, 1/3, 第3, 第1次 |
//! | 幺三八零零幺三八零零零, A B 幺二三 | 13800138000, AB123 |
//! | 二零二六年三月五号, 下午三点半, 八点一刻 | 2026年3月5号, 下午3点半, 8点一刻 |
//! | 三个月, 两年, 三到五天, 十二个, 三岁, 八折 | 3个月, 2年, 3到5天, 12个, 3岁, 8折 |
//! | 三个人, 三次, 一个月, 一年, 一点 | as said: a small count, or 一 that is an article |
//! | 三四天, 十几个, 二十多, 几百, 上百 | as said: rough |
//! | 一定, 万一, 十分, 星期三, 九牛一毛 | as said: words of the language |

mod cells;
mod dates;
mod digits;
mod keep;
mod number;
mod punctuate;
mod quantity;
mod questions;
mod rates;
mod render;
mod rewrite;
mod rhythm;
mod rough;
mod units;

#[cfg(test)]
mod tests;

use std::ops::Range;

/// A word as the decoder cut it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpokenWord<'a> {
    /// Hanzi, or a word in Latin letters.
    pub text: &'a str,
    /// Start, milliseconds.
    pub start_ms: u64,
    /// End, milliseconds.
    pub end_ms: u64,
}

/// Whether the utterance is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Endpointing closed it: it gets its final mark.
    Final,
    /// More may come: no final mark.
    Partial,
}

/// A stretch of written text and the words it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenSpan {
    /// Bytes of [`WrittenForm::text`], without the marks and spaces around them.
    pub text_range: Range<usize>,
    /// Indices of the spoken words.
    pub word_range: Range<usize>,
}

/// The written form of one utterance.
///
/// Spans are in order. Their words cover all spoken words, each once; their text covers everything but marks and
/// spaces. A span is as small as words and numbers allow: one word, one digit of a telephone number, one amount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenForm {
    /// Digits and marks included.
    pub text: String,
    /// From written text back to words.
    pub spans: Vec<WrittenSpan>,
}

impl WrittenForm {
    /// The spoken words behind a stretch of written text; `None` where it holds only marks, or nothing.
    pub fn words_of(&self, text_range: Range<usize>) -> Option<Range<usize>> {
        let touched = |span: &&WrittenSpan| {
            span.text_range.start < text_range.end && text_range.start < span.text_range.end
        };
        let first = self.spans.iter().find(touched)?;
        let last = self.spans.iter().rev().find(touched)?;
        Some(first.word_range.start..last.word_range.end)
    }

    /// The bytes of written text for some spoken words, marks around them left out; `None` for no words.
    pub fn text_of(&self, word_range: Range<usize>) -> Option<Range<usize>> {
        let touched = |span: &&WrittenSpan| {
            span.word_range.start < word_range.end && word_range.start < span.word_range.end
        };
        let first = self.spans.iter().find(touched)?;
        let last = self.spans.iter().rev().find(touched)?;
        Some(first.text_range.start..last.text_range.end)
    }
}

/// Writes down an utterance. Words must be in order of time; overlapping times count as no pause.
pub fn write_utterance(words: &[SpokenWord<'_>], ending: Ending) -> WrittenForm {
    let pauses = rhythm::relative_pauses(words);
    let mut cells = cells::Cells::new(words, &punctuate::clear_pauses(&pauses));
    keep::mark_kept_words(&mut cells);
    let draft = rewrite::rewrite(&cells);
    let marks = punctuate::punctuate(&cells, &draft, &pauses, ending);
    render::render(&cells, &draft, &marks, words.len())
}

//! Joins the written pieces, sets marks and spaces, and maps the text back to words.

use super::cells::Cells;
use super::rewrite::{Draft, Piece};
use super::{WrittenForm, WrittenSpan};

/// Writes the pieces out; `marks[i]` stands behind cell `i`.
pub(super) fn render(
    cells: &Cells<'_>,
    draft: &Draft,
    marks: &[Option<char>],
    n_words: usize,
) -> WrittenForm {
    let mut text = String::new();
    let mut spans: Vec<WrittenSpan> = Vec::new();
    for (index, piece) in draft.pieces.iter().enumerate() {
        let start = text.len();
        text.push_str(&piece.text);
        let word_range = word_of(cells, piece.start)..word_of(cells, piece.end - 1) + 1;
        add_span(
            &mut spans,
            WrittenSpan {
                text_range: start..text.len(),
                word_range,
            },
        );
        match marks.get(piece.end - 1).copied().flatten() {
            Some(mark) => text.push(mark),
            None if needs_space(cells, piece, draft.pieces.get(index + 1)) => text.push(' '),
            None => {}
        }
    }
    cover_all_words(&mut spans, n_words);
    WrittenForm { text, spans }
}

fn word_of(cells: &Cells<'_>, at: usize) -> usize {
    cells.get(at).map_or(0, |cell| cell.word)
}

/// A piece that begins in the word where the last span ends belongs to that span.
fn add_span(spans: &mut Vec<WrittenSpan>, span: WrittenSpan) {
    match spans.last_mut() {
        Some(last) if span.word_range.start < last.word_range.end => {
            last.word_range.end = last.word_range.end.max(span.word_range.end);
            last.text_range.end = span.text_range.end;
        }
        _ => spans.push(span),
    }
}

/// Words without characters go with the word before them.
fn cover_all_words(spans: &mut Vec<WrittenSpan>, n_words: usize) {
    if spans.is_empty() && n_words > 0 {
        spans.push(WrittenSpan {
            text_range: 0..0,
            word_range: 0..n_words,
        });
    }
    let mut next_start = n_words;
    for span in spans.iter_mut().rev() {
        span.word_range.end = next_start;
        next_start = span.word_range.start;
    }
    if let Some(first) = spans.first_mut() {
        first.word_range.start = 0;
    }
}

/// Between Latin words, and between a Latin word and a number; letters said one by one join.
fn needs_space(cells: &Cells<'_>, piece: &Piece, next: Option<&Piece>) -> bool {
    let Some(next) = next else { return false };
    let (left, right) = (cells.latin(piece.end - 1), cells.latin(next.start));
    let is_number = |piece: &Piece| piece.text.starts_with(|ch: char| ch.is_ascii_digit());
    match (left, right) {
        (Some(left), Some(right)) => !(is_letter(left) && is_letter(right)),
        (Some(word), None) => is_number(next) && !is_code(word),
        (None, Some(word)) => is_number(piece) && !is_code(word),
        (None, None) => false,
    }
}

fn is_letter(text: &str) -> bool {
    text.chars().count() == 1 && text.chars().all(|ch| ch.is_ascii_alphanumeric())
}

/// AB of AB123: letters of a number, not a word.
fn is_code(text: &str) -> bool {
    is_letter(text)
        || text
            .chars()
            .all(|ch| ch.is_ascii_uppercase() || ch.is_ascii_digit())
}

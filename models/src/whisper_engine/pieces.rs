//! Whisper's pieces as tokens: bytes joined until they are characters.

use std::sync::Arc;

use crate::engine::{Hypothesis, Token};

/// What one token of Whisper spells: bytes, for a hanzi often a third of it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    pub(super) start_ms: u32,
    pub(super) end_ms: u32,
    pub(super) probability: f32,
}

/// Joins pieces into tokens of whole characters, with times inside the utterance and in order; the
/// confidence of a token is that of its least certain piece.
pub(super) fn join_pieces(pieces: &[Piece], duration_ms: u32) -> Hypothesis {
    let mut tokens: Vec<Token> = Vec::new();
    let mut pending: Option<Piece> = None;
    for piece in pieces {
        let mut joined = match pending.take() {
            Some(mut begun) => {
                begun.bytes.extend_from_slice(&piece.bytes);
                begun.end_ms = piece.end_ms;
                begun.probability = begun.probability.min(piece.probability);
                begun
            }
            None => piece.clone(),
        };
        // A character has at most four bytes: what is still none then never will be.
        let is_begun = std::str::from_utf8(&joined.bytes)
            .is_err_and(|error| error.error_len().is_none() && joined.bytes.len() < 64);
        if is_begun {
            pending = Some(joined);
            continue;
        }
        let earliest_ms = tokens.last().map_or(0, |token| token.start_ms);
        joined.start_ms = joined
            .start_ms
            .clamp(earliest_ms, duration_ms.max(earliest_ms));
        push(&mut tokens, &joined, duration_ms);
    }
    let log_prob = tokens
        .iter()
        .map(|token| token.confidence.max(1e-6).ln())
        .sum();
    Hypothesis { tokens, log_prob }
}

fn push(tokens: &mut Vec<Token>, piece: &Piece, duration_ms: u32) {
    let text = String::from_utf8_lossy(&piece.bytes);
    let text = text.replace(char::REPLACEMENT_CHARACTER, "");
    if text.is_empty() {
        return;
    }
    let probability = if piece.probability.is_nan() {
        0.0
    } else {
        piece.probability
    };
    tokens.push(Token {
        text: Arc::from(text),
        start_ms: piece.start_ms,
        end_ms: piece
            .end_ms
            .clamp(piece.start_ms, duration_ms.max(piece.start_ms)),
        confidence: probability.clamp(0.0, 1.0),
        alternatives: Vec::new(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece(bytes: &[u8], start_ms: u32, end_ms: u32, probability: f32) -> Piece {
        Piece {
            bytes: bytes.to_vec(),
            start_ms,
            end_ms,
            probability,
        }
    }

    #[test]
    fn parts_of_a_character_become_one_token() {
        let hanzi = "贷".as_bytes();
        let heard = join_pieces(
            &[
                piece("您好".as_bytes(), 0, 400, 0.9),
                piece(&hanzi[..1], 400, 500, 0.8),
                piece(&hanzi[1..], 500, 700, 0.5),
                piece(b" loan", 650, 9_999, 0.7),
                piece(&hanzi[..2], 900, 950, 0.7),
            ],
            1_000,
        );
        let plain: Vec<_> = heard
            .tokens
            .iter()
            .map(|token| {
                (
                    token.text.as_ref(),
                    token.start_ms,
                    token.end_ms,
                    token.confidence,
                )
            })
            .collect();
        let expected = [
            ("您好", 0, 400, 0.9),
            ("贷", 400, 700, 0.5),
            (" loan", 650, 1_000, 0.7),
        ];
        assert_eq!(plain, expected);
    }

    proptest! {
        #[test]
        fn any_pieces_give_ordered_times_and_text(
            pieces in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..4), any::<u32>(), any::<u32>(), any::<f32>()),
                0..20,
            ),
            duration_ms in 0_u32..10_000,
        ) {
            let pieces: Vec<Piece> =
                pieces.iter().map(|(bytes, start, end, p)| piece(bytes, *start, *end, *p)).collect();
            let heard = join_pieces(&pieces, duration_ms);
            prop_assert!(heard.tokens.is_sorted_by_key(|token| token.start_ms));
            for token in &heard.tokens {
                prop_assert!(token.start_ms <= token.end_ms && token.end_ms <= duration_ms);
                prop_assert!((0.0..=1.0).contains(&token.confidence));
            }
        }
    }
}

//! Vosk's words as tokens.

use std::sync::Arc;

use vosk::Word;

use crate::engine::{Hypothesis, Token};

/// Words with times in seconds from the stream's start → tokens.
pub(super) fn tokens(words: &[Word<'_>]) -> Vec<Token> {
    words
        .iter()
        .filter(|word| !word.word.is_empty() && word.word != "[unk]")
        .map(|word| Token {
            text: Arc::from(word.word),
            start_ms: to_ms(word.start),
            end_ms: to_ms(word.end),
            confidence: probability(word.conf),
            alternatives: Vec::new(),
        })
        .collect()
}

/// The tokens with the log probability their confidences make.
pub(super) fn hypothesis(tokens: Vec<Token>) -> Hypothesis {
    // A confidence of zero would make the whole reading impossible.
    let log_prob = tokens
        .iter()
        .map(|token| token.confidence.max(1e-6).ln())
        .sum();
    Hypothesis { tokens, log_prob }
}

fn to_ms(secs: f32) -> u32 {
    (f64::from(secs) * 1000.0).round() as u32
}

/// Vosk's confidences may pass 1 by rounding; no number counts as none.
fn probability(confidence: f32) -> f32 {
    if confidence.is_nan() {
        0.0
    } else {
        confidence.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(word: &str, start: f32, end: f32, conf: f32) -> Word<'_> {
        Word {
            conf,
            start,
            end,
            word,
        }
    }

    #[test]
    fn words_become_tokens_with_times_and_probabilities() {
        let heard = tokens(&[
            word("您好", 0.12, 0.6, 1.000_001),
            word("[unk]", 0.6, 0.7, 0.3),
            word("贷款", 0.7, 1.29, f32::NAN),
        ]);
        let plain: Vec<_> = heard
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
        assert_eq!(plain, [("您好", 120, 600, 1.0), ("贷款", 700, 1290, 0.0)]);
        assert!(hypothesis(heard).log_prob.is_finite());
        assert_eq!(hypothesis(Vec::new()).log_prob, 0.0);
    }
}

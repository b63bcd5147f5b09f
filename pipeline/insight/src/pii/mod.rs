//! Personal data that is said: identity cards, bank cards, telephones, addresses, number plates, passports,
//! social security numbers.
//!
//! - [`PiiFinder`] finds it, one utterance after the other;
//! - [`settle`] leaves one span of those that cover one another;
//! - [`hide_digits`] hides what it may become in an utterance that goes on;
//! - [`Masker`] hides it in transcripts, quotes and assessments, and says where to silence the sound.

mod align;
mod checks;
mod classify;
mod digits;
mod email;
mod finder;
mod mask;
mod number;
mod phrases;
mod plate;
mod runs;
mod secret;
mod segment;
mod shape;
mod under_way;

use auricle_contracts::{PiiSpan, TextPlace};

pub use finder::PiiFinder;
pub use mask::{MASK_CHARACTER, Mask, Masker, SilentStretch, mask};
pub use under_way::hide_digits;

/// Spans by start time; one that lies within another of the same party is left out.
#[must_use]
pub fn settle(mut spans: Vec<PiiSpan>) -> Vec<PiiSpan> {
    spans.sort_by_key(|span| (span.start_ms, std::cmp::Reverse(span.end_ms)));
    let mut kept: Vec<PiiSpan> = Vec::new();
    for span in spans {
        kept.retain(|other| !lies_within(other, &span) || lies_within(&span, other));
        if !kept.iter().any(|other| lies_within(&span, other)) {
            kept.push(span);
        }
    }
    kept
}

fn lies_within(inner: &PiiSpan, outer: &PiiSpan) -> bool {
    let covers = |place: &TextPlace| {
        outer.places.iter().any(|other| {
            other.utterance == place.utterance && other.from <= place.from && place.to <= other.to
        })
    };
    inner.party == outer.party && inner.places.iter().all(covers)
}

#[cfg(test)]
mod dictated_tests;
#[cfg(test)]
mod mask_tests;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod tests;

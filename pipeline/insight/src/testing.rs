//! What the tests of this room share.

use auricle_contracts::{Party, Utterance};

/// An utterance of text alone, as imported ones are: four letters a second from `start_ms` on.
pub(crate) fn utterance(party: Party, start_ms: u64, text: &str) -> Utterance {
    let said = |letter: &char| letter.is_alphanumeric();
    let spoken: String = text.chars().filter(said).collect();
    Utterance {
        party,
        channel: u16::from(party == Party::Customer),
        start_ms,
        end_ms: start_ms + spoken.chars().count() as u64 * 250,
        text: text.to_owned(),
        spoken,
        confidence: 1.0,
        syllables: Vec::new(),
        words: Vec::new(),
        voice: None,
    }
}

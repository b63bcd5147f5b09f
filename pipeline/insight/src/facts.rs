//! What rules know of an utterance beside its words.

use auricle_contracts::{Emotion, Intent, Interruption, PiiSpan, Stretch};

/// What the other parts of insight found in one utterance, before rules look at it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// How it was said.
    pub emotion: Option<Emotion>,
    /// What it wants or does, by the text classifier: customers' intents and agents' acts alike.
    pub intents: &'a [Intent],
    /// Personal data of its party that ends in it; what turns out later is told by
    /// [`RuleRun::late`](crate::rules::RuleRun::late).
    pub pii: &'a [PiiSpan],
    /// Syllables (words, where there are no syllables) a minute.
    pub rate_per_minute: Option<f32>,
    /// How much louder than this party's median so far, dB.
    pub loudness_rise_db: Option<f32>,
}

/// Something in the talk itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TalkEvent {
    /// Nobody talked.
    Silence(Stretch),
    /// One party began while the other went on.
    Interruption(Interruption),
}

//! What files of others may not bring in: times that cannot be, confidences that are none.

use std::ops::RangeInclusive;

use anyhow::{Result, anyhow, bail, ensure};
use auricle_contracts::{Transcript, Utterance};
use serde::Deserialize;
use serde_json::Value;

use crate::terminal::printable;

/// No call is longer; times beyond it are in other units, or of another clock.
const MAX_CALL_MS: u64 = 24 * 3_600_000;
/// What ends so little after its recording was rounded.
const ROUNDED_MS: u64 = 1_000;
/// Written with some digits less, a probability of 1 may be a little more.
const PROBABILITIES: RangeInclusive<f32> = 0.0..=1.001;

const TIMES: &str = "hint: times are milliseconds from the start of the recording";

/// Says what is wrong first: of the call, then of its utterances, counted from 1.
pub(super) fn check(transcript: &Transcript) -> Result<()> {
    let name = transcript.call_id.0.as_str();
    if name.trim().is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        bail!(
            "`call_id` must be 1 to 255 bytes without control characters, got `{}`",
            printable(name)
        );
    }
    let duration_ms = transcript.duration_ms;
    ensure!(
        duration_ms <= MAX_CALL_MS,
        "call `{name}`: `duration_ms` is {duration_ms}, more than a day\n{TIMES}"
    );
    for (number, utterance) in (1_usize..).zip(&transcript.utterances) {
        let checked = check_utterance(utterance, duration_ms);
        checked.map_err(|cause| anyhow!("call `{name}`, utterance {number}: {cause}"))?;
    }
    Ok(())
}

fn check_utterance(utterance: &Utterance, duration_ms: u64) -> Result<()> {
    check_times("", (utterance.start_ms, utterance.end_ms), duration_ms)?;
    check_probability("`confidence`", utterance.confidence)?;
    for word in &utterance.words {
        let of = format!("the word `{}`: ", printable(&word.w));
        check_times(&of, (word.start_ms, word.end_ms), duration_ms)?;
    }
    for syllable in &utterance.syllables {
        let of = format!("the syllable `{}`: ", printable(&syllable.s));
        check_times(&of, (syllable.start_ms, syllable.end_ms), duration_ms)?;
        check_probability(&format!("{of}`conf`"), syllable.conf)?;
        for other in &syllable.alternatives {
            check_probability(&format!("{of}`conf` of an alternative"), other.conf)?;
        }
    }
    Ok(())
}

fn check_times(of: &str, (start_ms, end_ms): (u64, u64), duration_ms: u64) -> Result<()> {
    ensure!(
        start_ms <= end_ms,
        "{of}it ends before it starts: `start_ms` is {start_ms}, `end_ms` is {end_ms}"
    );
    ensure!(
        end_ms <= duration_ms + ROUNDED_MS,
        "{of}it ends after the recording: `end_ms` is {end_ms}, `duration_ms` is {duration_ms}\n{TIMES}"
    );
    Ok(())
}

fn check_probability(name: &str, value: f32) -> Result<()> {
    let is_probability = PROBABILITIES.contains(&value);
    ensure!(is_probability, "{name} must be 0 to 1, got {value}");
    Ok(())
}

/// The first utterance that keeps a text from being a transcript, with the cause; `None` where it is something else.
pub(super) fn unreadable_utterance(text: &[u8]) -> Option<String> {
    let whole: Value = serde_json::from_slice(text).ok()?;
    let utterances = whole.get("utterances")?.as_array()?;
    (1_usize..).zip(utterances).find_map(|(number, utterance)| {
        let cause = Utterance::deserialize(utterance).err()?;
        Some(format!("utterance {number}: {cause}"))
    })
}

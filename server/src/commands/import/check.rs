//! What files of others may not bring in: times that cannot be, confidences that are none.

use std::fmt;
use std::ops::RangeInclusive;

use anyhow::{Result, anyhow, bail, ensure};
use auricle_contracts::{Transcript, Utterance};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::terminal::printable;
use auricle_insight::plainly;

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
/// Utterances are read one at a time and let go: a large text of something else fills no memory.
pub(super) fn unreadable_utterance(text: &[u8]) -> Option<String> {
    let mut in_utterance = None;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let cause = Call(&mut in_utterance).deserialize(&mut reader).err()?;
    // What is no JSON is no matter of one utterance.
    let number = in_utterance.filter(|_| cause.is_data())?;
    let said = cause.to_string();
    let place = format!(" at line {} column {}", cause.line(), cause.column());
    let said = said.strip_suffix(&place).unwrap_or(&said);
    Some(format!("utterance {number}: {}", plainly(said)))
}

/// Reads a call for its utterances alone. Holds the number of the one being read, from 1.
struct Call<'a>(&'a mut Option<usize>);

/// The same of their list.
struct Utterances<'a>(&'a mut Option<usize>);

impl<'de> DeserializeSeed<'de> for Call<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, call: D) -> Result<(), D::Error> {
        call.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Call<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a call")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            if name == "utterances" {
                fields.next_value_seed(Utterances(&mut *self.0))?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Utterances<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, list: D) -> Result<(), D::Error> {
        list.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Utterances<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of utterances")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for number in 1.. {
            *self.0 = Some(number);
            if list.next_element::<Utterance>()?.is_none() {
                break;
            }
        }
        *self.0 = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use serde_json::{Value, json};

    fn call(spoil: impl Fn(&mut Value)) -> String {
        let mut said = testing::transcript("a").utterances;
        said.push(said[0].clone());
        let mut call = json!({"other": [[1], {"utterances": [1]}], "utterances": said});
        spoil(&mut call);
        call.to_string()
    }

    #[test]
    fn the_first_utterance_that_cannot_be_read_is_named() {
        let unreadable = |text: &str| unreadable_utterance(text.as_bytes());
        let spoilt = call(|call| call["utterances"][1]["start_ms"] = json!("soon"));
        let said = unreadable(&spoilt).unwrap();
        assert!(
            said.starts_with("utterance 2: expected a whole number, 0 or more, got"),
            "{said}"
        );
        assert!(!said.contains(" at line "), "{said}");
        // Whatever comes after it.
        let more = format!("{}, and more", &spoilt[..spoilt.len() - 1]);
        assert_eq!(unreadable(&more), Some(said));
    }

    #[test]
    fn what_is_no_matter_of_an_utterance_names_none() {
        let sound = call(|_| {});
        let cut = &sound[..sound.len() - 9];
        let no_list = call(|call| call["utterances"] = json!("none"));
        for text in [
            sound.as_str(),
            cut,
            no_list.as_str(),
            "[1]",
            "7",
            "{\"a\": [1, 2]}",
            "",
        ] {
            assert_eq!(unreadable_utterance(text.as_bytes()), None, "{text}");
        }
    }
}

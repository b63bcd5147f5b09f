//! What the index stores of an utterance to show it and to play from it.

use auricle_contracts::Utterance;

use crate::units;

/// An utterance as results need it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StoredUtterance {
    pub(crate) channel: u16,
    pub(crate) text: String,
    pub(crate) spoken: String,
    /// Start and end of every unit of the spoken form, milliseconds.
    pub(crate) times: Vec<(u64, u64)>,
}

impl StoredUtterance {
    /// Writes the bytes to store of an utterance and the times of its units.
    ///
    /// Numbers take seven bits a byte, times are differences, and a spoken form that is the
    /// written one without its punctuation is left out.
    pub(crate) fn write(utterance: &Utterance, times: &[(u64, u64)], out: &mut Vec<u8>) {
        let (text, spoken) = (&utterance.text, &utterance.spoken);
        let same = text
            .chars()
            .filter(|letter| !is_punctuation(*letter))
            .eq(spoken.chars());
        out.clear();
        push_number(out, u64::from(utterance.channel) << 1 | u64::from(same));
        push_text(out, text);
        if !same {
            push_text(out, spoken);
        }
        let mut last_end = 0u64;
        for &(start, end) in times {
            // Units may overlap by rounding: the sign goes to the lowest bit.
            let gap = start.abs_diff(last_end) << 1 | u64::from(start < last_end);
            push_number(out, gap);
            push_number(out, end.saturating_sub(start));
            last_end = end.max(start);
        }
    }

    /// Reads [`Self::write`]; what is damaged comes out empty.
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Self {
        let bytes = &mut bytes;
        let first = take_number(bytes).unwrap_or(0);
        let text = take_text(bytes);
        let spoken = if first & 1 == 1 {
            text.chars()
                .filter(|letter| !is_punctuation(*letter))
                .collect()
        } else {
            take_text(bytes)
        };
        let mut times = Vec::new();
        let mut last_end = 0u64;
        while let (Some(gap), Some(length)) = (take_number(bytes), take_number(bytes)) {
            let start = match gap & 1 {
                0 => last_end.saturating_add(gap >> 1),
                _ => last_end.saturating_sub(gap >> 1),
            };
            last_end = start.saturating_add(length);
            times.push((start, last_end));
        }
        Self {
            channel: (first >> 1) as u16,
            text,
            spoken,
            times,
        }
    }
}

const fn is_punctuation(letter: char) -> bool {
    matches!(letter, '，' | '。' | '？' | '！' | '、' | '；' | '：')
}

fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn take_text(bytes: &mut &[u8]) -> String {
    let length = take_number(bytes).unwrap_or(0) as usize;
    let (text, rest) = bytes.split_at(length.min(bytes.len()));
    *bytes = rest;
    String::from_utf8_lossy(text).into_owned()
}

/// Start and end of every unit of the spoken form, from the times of its words, made finer by
/// those of its syllables where there is one for every hanzi.
pub(crate) fn unit_times(utterance: &Utterance, spoken: &[u16]) -> Vec<(u64, u64)> {
    let n_syllables = utterance.syllables.len();
    let n_hanzi = spoken.iter().filter(|&&code| units::is_hanzi(code)).count();
    if n_hanzi == n_syllables && n_hanzi == spoken.len() {
        let times = utterance.syllables.iter();
        return times
            .map(|syllable| (syllable.start_ms, syllable.end_ms))
            .collect();
    }
    let n_units = units::unit_numbers(spoken)
        .last()
        .map_or(0, |&last| last as usize + 1);
    let mut times = Vec::with_capacity(n_units);
    for word in &utterance.words {
        spread(
            word.start_ms,
            word.end_ms,
            units::count(&word.w),
            &mut times,
        );
    }
    if times.len() != n_units {
        times.clear();
        spread(utterance.start_ms, utterance.end_ms, n_units, &mut times);
    }
    if n_hanzi == n_syllables {
        let numbers = units::unit_numbers(spoken);
        let hanzi = spoken
            .iter()
            .zip(numbers)
            .filter(|(code, _)| units::is_hanzi(**code));
        for ((_, unit), syllable) in hanzi.zip(&utterance.syllables) {
            times[unit as usize] = (syllable.start_ms, syllable.end_ms);
        }
    }
    times
}

/// Splits a span into `parts` of equal length.
fn spread(start_ms: u64, end_ms: u64, parts: usize, times: &mut Vec<(u64, u64)>) {
    let length = u128::from(end_ms.saturating_sub(start_ms));
    let at = |part: usize| start_ms + (length * part as u128 / parts.max(1) as u128) as u64;
    times.extend((0..parts).map(|part| (at(part), at(part + 1))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle_contracts::Party;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_stored_comes_back(
            text in ".{0,12}", spoken in ".{0,12}", channel in 0u16..4,
            times in prop::collection::vec((0u64..1_000_000, 0u64..5_000), 0..8),
        ) {
            let times: Vec<(u64, u64)> =
                times.into_iter().map(|(start, length)| (start, start + length)).collect();
            let utterance = Utterance {
                party: Party::Agent,
                channel,
                start_ms: 0,
                end_ms: 0,
                text,
                spoken,
                confidence: 1.0,
                syllables: Vec::new(),
                words: Vec::new(),
                voice: None,
            };
            let mut bytes = vec![1, 2, 3];
            StoredUtterance::write(&utterance, &times, &mut bytes);
            let stored = StoredUtterance::from_bytes(&bytes);
            prop_assert_eq!(stored.channel, channel);
            prop_assert_eq!(stored.text, utterance.text);
            prop_assert_eq!(stored.spoken, utterance.spoken);
            prop_assert_eq!(stored.times, times);
        }

        #[test]
        fn damaged_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = StoredUtterance::from_bytes(&bytes);
        }
    }
}

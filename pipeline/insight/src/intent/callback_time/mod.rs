//! The time a customer asks to be called back at.
//!
//! Text is cut into clauses ([`clause`]), each with the day, the part of the day and the time on the clock
//! that it names ([`mandarin`], [`english`]); the clause that asks for the call is chosen and takes what it
//! does not say from its neighbours ([`choose`]); the calendar makes dates of it ([`calendar`]).

mod calendar;
mod choose;
mod clause;
mod english;
mod mandarin;

use time::{Duration, OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339};

/// When to call, in the local time of the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallbackTime {
    /// From when on; `None` where a time was asked for and there is no reference to tell which.
    pub at: Option<PrimitiveDateTime>,
    /// Until when, where a span was asked for: `明天上午` is 09:00 to 12:00.
    pub until: Option<PrimitiveDateTime>,
}

impl CallbackTime {
    /// `at` and `until` as [`auricle_contracts::Intent`] holds them: `2026-11-21T15:00`.
    pub fn written(&self) -> (Option<String>, Option<String>) {
        (self.at.map(written), self.until.map(written))
    }
}

fn written(time: PrimitiveDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute()
    )
}

/// The local time at `start_ms` of a call that began at `started_at` (RFC 3339, as in
/// [`auricle_contracts::CallMetadata`]); `None` where that is no time.
pub fn local_time(started_at: &str, start_ms: u64) -> Option<PrimitiveDateTime> {
    let began = OffsetDateTime::parse(started_at, &Rfc3339).ok()?;
    let local = PrimitiveDateTime::new(began.date(), began.time());
    local.checked_add(Duration::milliseconds(i64::try_from(start_ms).ok()?))
}

/// Longest text that is looked at, in characters.
const MAX_LETTERS: usize = 1000;

/// The time at which `text` (Mandarin or English, with or without punctuation) asks for a call, seen from
/// `reference`; `None` where it names no time, or names one for something else than being called.
pub fn callback_time(text: &str, reference: Option<PrimitiveDateTime>) -> Option<CallbackTime> {
    let letters: Vec<char> = text
        .chars()
        .take(MAX_LETTERS)
        .flat_map(char::to_lowercase)
        .collect();
    let is_english = letters.iter().any(char::is_ascii_lowercase)
        && !letters.iter().any(|letter| ('一'..='龥').contains(letter));
    let clauses = match is_english {
        true => english::clauses(&letters),
        false => mandarin::clauses(&letters),
    };
    let asked = choose::choose(&clauses)?;
    let Some(reference) = reference else {
        return Some(CallbackTime::default());
    };
    calendar::resolve(&asked, reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, reference: &str, expected: &str) -> Result<(), String> {
        let reference = local_time(&format!("{reference}:00+08:00"), 0);
        let found = match callback_time(text, reference) {
            None => "-".to_owned(),
            Some(time) => match time.written() {
                (Some(at), Some(until)) => format!("{at}/{until}"),
                (Some(at), None) => at,
                _ => "?".to_owned(),
            },
        };
        match found == expected {
            true => Ok(()),
            false => Err(format!("{text}: {found}, expected {expected}")),
        }
    }

    fn check_table(table: &str) {
        let rows = table
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let wrong: Vec<String> = rows
            .filter_map(|line| {
                let columns: Vec<&str> = line.split('\t').collect();
                check(columns[0], columns[1], columns[2]).err()
            })
            .collect();
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }

    #[test]
    fn mandarin_requests() {
        check_table(include_str!("mandarin.tsv"));
    }

    #[test]
    fn english_requests() {
        check_table(include_str!("english.tsv"));
    }

    #[test]
    fn without_a_reference_a_time_is_known_to_be_asked_for() {
        assert_eq!(
            callback_time("明天下午三点打给我", None),
            Some(CallbackTime::default())
        );
        assert_eq!(callback_time("你打给我吧", None), None);
    }

    #[test]
    fn the_reference_is_the_time_of_the_utterance() {
        let time = local_time("2025-03-12T10:20:00+08:00", 90_000);
        assert_eq!(time.map(written).as_deref(), Some("2025-03-12T10:21"));
        assert_eq!(local_time("yesterday", 0), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(text in "[明后天下个周月一二三十五百千万号日点半分钟小时以后前到差刻底打年上午晚9:：，。]{0,40}") {
            for reference in ["2024-02-29T23:59:00+08:00", "9999-12-31T23:59:00+08:00"] {
                let _ = callback_time(&text, local_time(reference, 0));
            }
        }

        #[test]
        fn any_english_is_a_time_or_none(text in "(in|at|on|next|three|half|an|hour|99|12:75|monday|the|5th|end|of|month|until|call|me| ){0,20}") {
            let _ = callback_time(&text, local_time("2024-02-29T23:59:00+08:00", 0));
        }
    }
}

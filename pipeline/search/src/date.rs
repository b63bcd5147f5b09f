//! Dates and times of calls, by the clock on the wall where the call was made.
//!
//! A call that began at half past midnight in Shanghai belongs to that day for everyone who looks
//! for it, so offsets from UTC are read and left out.

/// Seconds since 1970-01-01T00:00:00 of the local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalTime(i64);

const DAY: i64 = 86_400;

impl LocalTime {
    /// Reads RFC 3339 (`2026-01-31T09:30:00+08:00`); the offset may be missing, and so may the
    /// seconds, the time, the day and the month. What is missing is the earliest there is.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::parse_span(text).map(|(first, _)| first)
    }

    /// As [`Self::parse`], with the first second after the span that was named: the next day for
    /// a date, the next month for `2026-01`.
    pub(crate) fn parse_span(text: &str) -> Option<(Self, Self)> {
        let (date, time) = match text.split_once(['T', 't', ' ']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut parts = date.splitn(3, ['-', '/']);
        let year = digits(parts.next()?, 4)?;
        let month = parts
            .next()
            .map(|part| digits(part, 2))
            .transpose_option()?;
        let day = parts
            .next()
            .map(|part| digits(part, 2))
            .transpose_option()?;
        let first_month = month.unwrap_or(1);
        if !(1..=12).contains(&first_month) {
            return None;
        }
        let first_day = day.unwrap_or(1);
        if first_day < 1 || first_day > days_in(year, first_month) {
            return None;
        }
        let start = days_since_1970(year, first_month, first_day) * DAY;
        if let Some(time) = time {
            day?;
            let (seconds, width) = time_of_day(time)?;
            return Some((Self(start + seconds), Self(start + seconds + width)));
        }
        let days = match (month, day) {
            (None, _) => days_since_1970(year + 1, 1, 1) - days_since_1970(year, 1, 1),
            (Some(month), None) => days_in(year, month),
            (Some(_), Some(_)) => 1,
        };
        Some((Self(start), Self(start + days * DAY)))
    }

    /// Seconds since 1970 of the local clock.
    pub(crate) const fn seconds(self) -> i64 {
        self.0
    }
}

trait TransposeOption<T> {
    /// `Some(None)`, a part that is there and cannot be read, becomes the error.
    fn transpose_option(self) -> Option<Option<T>>;
}

impl<T> TransposeOption<T> for Option<Option<T>> {
    fn transpose_option(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(None) => None,
            Some(Some(value)) => Some(Some(value)),
        }
    }
}

fn digits(text: &str, most: usize) -> Option<i64> {
    let fits = !text.is_empty() && text.len() <= most;
    (fits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Seconds after midnight and how long the span named is: a second, or a minute without seconds.
fn time_of_day(text: &str) -> Option<(i64, i64)> {
    let clock_end = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, offset) = text.split_at(clock_end);
    let offset_is_valid = matches!(offset, "" | "Z" | "z")
        || offset.len() == 6
            && offset.get(3..4) == Some(":")
            && digits(offset.get(1..3)?, 2)? < 24
            && digits(offset.get(4..)?, 2)? < 60;
    let mut parts = clock.splitn(3, ':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let seconds = match parts.next() {
        None => None,
        Some(part) => {
            let (whole, fraction) = part.split_once('.').unwrap_or((part, "0"));
            digits(fraction, 9)?;
            Some(digits(whole, 2)?)
        }
    };
    let second = seconds.unwrap_or(0);
    let in_range = hour < 24 && minute < 60 && second <= 60 && offset_is_valid;
    let width = if seconds.is_some() { 1 } else { 60 };
    in_range.then_some((hour * 3600 + minute * 60 + second, width))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar: years counted from March, so that the leap day
/// is the last of its year.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The day number of a local time.
pub(crate) const fn day_of(seconds: i64) -> i64 {
    seconds.div_euclid(DAY)
}

/// `2026-01-31` for a day number.
pub(crate) fn day_name(day: i64) -> String {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_dates_and_times_by_the_local_clock() {
        let check = |text: &str, first: i64, after: i64| {
            let (start, end) = LocalTime::parse_span(text).unwrap();
            assert_eq!((start.0, end.0), (first, after), "{text}");
        };
        check("1970-01-01", 0, DAY);
        check("1970", 0, 365 * DAY);
        check("1972-02", 761 * DAY, 790 * DAY);
        check("1970-01-02T01:02", DAY + 3720, DAY + 3780);
        check("1970-01-02T01:02:03+08:00", DAY + 3723, DAY + 3724);
        check("1970-01-01T00:00:00.5Z", 0, 1);
        assert_eq!(LocalTime::parse("2026-01-31").unwrap().0, 1_769_817_600);
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "x",
            "2026-13",
            "2026-02-29",
            "2026-1-",
            "2026-01-01T25:00",
            "2026T01:00",
        ] {
            assert_eq!(LocalTime::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn names_and_numbers_agree(day in -200_000i64..200_000) {
            let name = day_name(day);
            if name.len() == 10 {
                prop_assert_eq!(day_of(LocalTime::parse(&name).unwrap().0), day);
            }
        }

        #[test]
        fn any_text_is_a_time_or_none(text in ".{0,24}") {
            let _ = LocalTime::parse_span(&text);
        }

        #[test]
        fn near_dates_do_no_harm(text in "[0-9TtZz:+/. é-]{0,28}") {
            let _ = LocalTime::parse_span(&text);
        }
    }
}

//! Moments: read from people, written for the store.

use std::time::{SystemTime, UNIX_EPOCH};

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// Now, RFC 3339, UTC, whole seconds.
pub(crate) fn now_text() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0)
        .unwrap_or(now)
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Whether a time says its own offset, as RFC 3339 does.
pub(crate) fn has_offset(text: &str) -> bool {
    OffsetDateTime::parse(text.trim(), &Rfc3339).is_ok()
}

/// Reads `2026-11-20`, `2026-11-20 08:30`, `2026-11-20T08:30:00` and what spreadsheets make of them,
/// `2026/1/5 8:30` (in the given offset), or RFC 3339 with its own offset, and writes RFC 3339.
pub(crate) fn parse_moment(text: &str, offset: UtcOffset) -> Result<String, String> {
    let text = text.trim();
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return moment.format(&Rfc3339).map_err(|error| error.to_string());
    }
    let day = format_description!("[year]-[month padding:none]-[day padding:none]");
    let minute = format_description!(
        "[year]-[month padding:none]-[day padding:none] [hour padding:none]:[minute]"
    );
    let second = format_description!(
        "[year]-[month padding:none]-[day padding:none] [hour padding:none]:[minute]:[second]"
    );
    let spaced = text.replacen('T', " ", 1).replace('/', "-");
    let local = Date::parse(&spaced, &day)
        .map(Date::midnight)
        .or_else(|_| PrimitiveDateTime::parse(&spaced, &minute))
        .or_else(|_| PrimitiveDateTime::parse(&spaced, &second))
        .map_err(|_| {
            format!("time must look like 2026-11-20, 2026-11-20 08:30 or 2026-11-20T08:30:00+08:00, got `{text}`")
        })?;
    local
        .assume_offset(offset)
        .format(&Rfc3339)
        .map_err(|error| error.to_string())
}

/// Reads `+08:00`, `-05:30` or `Z`.
pub(crate) fn parse_offset(text: &str) -> Result<UtcOffset, String> {
    if matches!(text, "Z" | "z") {
        return Ok(UtcOffset::UTC);
    }
    let form = format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    UtcOffset::parse(text, &form)
        .map_err(|_| format!("`utc_offset` must look like \"+08:00\" or \"Z\", got `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let china = parse_offset("+08:00").unwrap();
        assert_eq!(parse_moment(text, china).unwrap(), expected);
    }

    #[test]
    fn reads_what_people_write() {
        check("2026-11-20", "2026-11-20T00:00:00+08:00");
        check("2026-11-20 08:30", "2026-11-20T08:30:00+08:00");
        check("2026-11-20T08:30:15", "2026-11-20T08:30:15+08:00");
        check("2026/11/20 10:00", "2026-11-20T10:00:00+08:00");
        check("2026/1/5 9:05:07", "2026-01-05T09:05:07+08:00");
        check("2026/1/5", "2026-01-05T00:00:00+08:00");
        check("2026-11-20T08:30:15Z", "2026-11-20T08:30:15Z");
        check("2026-11-20T08:30:15-05:00", "2026-11-20T08:30:15-05:00");
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "20/11/2026",
            "2026-11-20 25:00",
        ] {
            assert!(parse_moment(text, UtcOffset::UTC).is_err(), "{text}");
        }
        assert!(parse_offset("8").is_err());
        assert_eq!(parse_offset("Z").unwrap(), UtcOffset::UTC);
        assert_eq!(parse_offset("-05:30").unwrap().whole_minutes(), -330);
    }
}

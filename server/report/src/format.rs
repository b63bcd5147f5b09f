//! Numbers, times and file names as people read them.

/// `1234567` as `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with so many digits after the point, without a sign before zero; a dash where it is not one.
pub(crate) fn decimal(value: f64, n_digits: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{value:.n_digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// A call's points of 100 as they are shown everywhere, with one digit after the point: cut, not rounded, so that 59.96
/// is not shown as the 60 at which it would have passed.
pub fn shown_score(total: f32) -> String {
    decimal(tenths(total), 1)
}

/// Points of 100 in tenths, cut. Totals are hundredths, of which a float may lack a little.
pub(crate) fn tenths(total: f32) -> f64 {
    (f64::from(total) * 10.0 + 0.01).floor() / 10.0
}

/// The same where there may be none.
pub(crate) fn decimal_or_dash(value: Option<f64>, n_digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| decimal(value, n_digits))
}

/// A signed difference: `+3.0`, `−2.5`, `0.0`.
pub(crate) fn signed(value: f64, n_digits: usize) -> String {
    let text = decimal(value, n_digits);
    if value > 0.0 && text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        format!("+{text}")
    } else {
        text
    }
}

/// A share of a whole; a dash where there is no whole. Small shares keep a digit after the point.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let share = 100.0 * part as f64 / whole as f64;
    let n_digits = usize::from(part > 0 && share < 9.95);
    format!("{}%", decimal(share, n_digits))
}

/// A point in time as `m:ss`, or `h:mm:ss` from an hour on: the second that has begun.
pub(crate) fn clock(ms: u64) -> String {
    let secs = ms / 1000;
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

/// How long something is, in the same way, to the nearest second.
pub(crate) fn length(ms: u64) -> String {
    clock(ms.saturating_add(500))
}

/// Seconds with one digit after the point: `5.2 s`.
pub(crate) fn seconds(ms: u64) -> String {
    format!("{} s", decimal(ms as f64 / 1000.0, 1))
}

/// The first `n_max` characters, with an ellipsis where there are more.
pub(crate) fn clipped(text: &str, n_max: usize) -> String {
    match text.char_indices().nth(n_max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// `2026-11-02T09:31:07+08:00` as `2026-11-02 09:31`: the time as it was written, not moved to another zone.
pub(crate) fn minute(started_at: &str) -> String {
    match (started_at.get(..10), started_at.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time}"),
        _ => clipped(started_at, 32),
    }
}

/// Longest name of a call's page, in bytes; file systems take 255 with the ending.
const FILE_NAME_MAX_BYTES: usize = 180;

/// A name that any file system and any URL takes as it is; other ids give other names.
pub(crate) fn file_stem(id: &str) -> String {
    use std::fmt::Write as _;

    let mut stem = String::with_capacity(id.len());
    for (idx, letter) in id.chars().enumerate() {
        let plain = letter.is_alphanumeric()
            || letter == '-'
            || letter == '_'
            || (letter == '.' && idx > 0);
        if plain {
            stem.push(letter);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(stem, "~{:x}~", u32::from(letter));
        }
    }
    if stem.len() > FILE_NAME_MAX_BYTES || stem.is_empty() {
        let kept: String = stem.chars().take(FILE_NAME_MAX_BYTES / 4 - 5).collect();
        return format!("{kept}~{:016x}", fnv1a(id.as_bytes()));
    }
    stem
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(decimal(-0.04, 1), "0.0");
        assert_eq!(decimal(f64::NAN, 1), "–");
        assert_eq!(
            (signed(2.0, 1), signed(-2.5, 1)),
            ("+2.0".into(), "−2.5".into())
        );
        assert_eq!(signed(0.01, 1), "0.0");
        assert_eq!(
            [59.8, 59.96, 60.0, 0.0, 100.0, f32::NAN].map(shown_score),
            ["59.8", "59.9", "60.0", "0.0", "100.0", "–"]
        );
        assert_eq!(
            [(0, 0), (0, 9), (1, 300), (87, 100)].map(|(part, whole)| percent(part, whole)),
            ["–", "0%", "0.3%", "87%"]
        );
        assert_eq!([65_999, 3_600_000].map(clock), ["1:05", "1:00:00"]);
        assert_eq!(minute("2026-11-02T09:31:07+08:00"), "2026-11-02 09:31");
        assert_eq!(minute("昨天"), "昨天");
        assert_eq!(clipped("一二三", 2), "一二…");
    }

    #[test]
    fn every_id_has_a_name_of_its_own_that_stays_in_its_folder() {
        let long = "长".repeat(300);
        let ids = [
            "a/b",
            "a_b",
            "../x",
            "",
            ".",
            "a b",
            "A%20",
            "通话-1",
            &long,
            &long[3..],
        ];
        let stems: std::collections::BTreeSet<String> =
            ids.iter().map(|id| file_stem(id)).collect();
        assert_eq!(stems.len(), ids.len());
        for stem in stems {
            assert!(
                !stem.contains(['/', '\\', '%', '#', '?', ' ', ':']),
                "{stem}"
            );
            assert!(
                !stem.starts_with('.') && !stem.is_empty() && stem.len() <= 255 - 5,
                "{stem}"
            );
        }
        assert_eq!(file_stem("通话-1"), "通话-1");
    }
}

//! Lengths of time as messages write them.

/// Longest whole seconds, in digits: 31 years.
const SECONDS_DIGITS: usize = 9;
/// Digits behind the point that are read: microseconds.
const FRACTION_DIGITS: usize = 6;

/// A length of time, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    us: u64,
}

impl Span {
    /// What messages say that it must be.
    pub(super) const EXPECTED: &str = "seconds such as PT12.5S";

    /// Reads seconds in the one form of ISO 8601 that the protocol has, `PT12.5S`. Digits behind microseconds are left out.
    pub(super) fn read(text: &str) -> Option<Self> {
        let number = text.strip_prefix("PT")?.strip_suffix('S')?;
        let (seconds, fraction) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some(("", fraction)) => ("0", fraction),
            Some(both) => both,
            None => (number, ""),
        };
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (1..=SECONDS_DIGITS).contains(&seconds.len());
        if !fits || !are_digits(seconds) || !are_digits(fraction) {
            return None;
        }
        let digits = fraction.chars().chain(std::iter::repeat('0'));
        let micros: String = digits.take(FRACTION_DIGITS).collect();
        let seconds: u64 = seconds.parse().ok()?;
        let micros: u64 = micros.parse().ok()?;
        Some(Self {
            us: seconds.checked_mul(1_000_000)?.checked_add(micros)?,
        })
    }

    /// Both, one behind the other.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            us: self.us.saturating_add(other.us),
        }
    }

    /// Frames of this length, the nearest whole number: one is 125 µs.
    pub(super) fn frames(self) -> u64 {
        self.us.saturating_add(62) / 125
    }

    /// Whole milliseconds.
    pub(super) fn ms(self) -> u64 {
        self.us / 1000
    }
}

//! Names of Asterisk's formats.

use super::ChanWebsocketError;
use crate::encoding::Encoding;
use crate::limits::Limits;
use crate::query::Shown;

/// Formats whose bytes are samples (`main/codec_builtin.c`), with samples per second. Linear ones are in the order of
/// Asterisk's own machine, which is taken to be little-endian.
const FORMATS: [(&str, Encoding, u32); 11] = [
    ("ulaw", Encoding::Ulaw, 8000),
    ("alaw", Encoding::Alaw, 8000),
    ("slin", Encoding::L16Le, 8000),
    ("slin12", Encoding::L16Le, 12_000),
    ("slin16", Encoding::L16Le, 16_000),
    ("slin24", Encoding::L16Le, 24_000),
    ("slin32", Encoding::L16Le, 32_000),
    ("slin44", Encoding::L16Le, 44_100),
    ("slin48", Encoding::L16Le, 48_000),
    ("slin96", Encoding::L16Le, 96_000),
    ("slin192", Encoding::L16Le, 192_000),
];

/// How the audio of a format lies, and its samples per second.
///
/// # Errors
/// Formats that are no samples, G.722 and Opus among them, and rates that are not allowed.
pub(super) fn read(name: &str, limits: &Limits) -> Result<(Encoding, u32), ChanWebsocketError> {
    let found = FORMATS.iter().find(|(known, _, _)| *known == name);
    let Some((_, encoding, rate_hz)) = found.copied() else {
        let got = Shown::new(name);
        return Err(ChanWebsocketError::Format { got });
    };
    match limits.sample_rates_hz.contains(&rate_hz) {
        true => Ok((encoding, rate_hz)),
        false => Err(ChanWebsocketError::Rate {
            expected_hz: limits.sample_rates_hz.clone(),
            rate_hz,
        }),
    }
}

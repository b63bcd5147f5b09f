//! Keys of telephones that were pressed while a call went on.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Party;

/// All keys there are (ITU-T Q.23).
const ALL: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

/// A key of a telephone: `0` to `9`, `*`, `#`, `A` to `D` (ITU-T Q.23). Rows of them are card numbers and passwords, so
/// `Debug` does not show it; JSON does.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct PhoneKey(char);

impl PhoneKey {
    /// The key of this name, large or small letters; `None` for anything else.
    pub fn new(key: char) -> Option<Self> {
        let key = key.to_ascii_uppercase();
        ALL.contains(&key).then_some(Self(key))
    }

    /// The one key that a text is; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let key = chars.next().and_then(Self::new)?;
        chars.next().is_none().then_some(key)
    }

    /// The key, for those who must know it.
    pub const fn reveal(self) -> char {
        self.0
    }
}

impl fmt::Debug for PhoneKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PhoneKey(…)")
    }
}

impl TryFrom<char> for PhoneKey {
    type Error = &'static str;

    fn try_from(key: char) -> Result<Self, Self::Error> {
        Self::new(key).ok_or("a telephone has no such key")
    }
}

impl From<PhoneKey> for char {
    fn from(key: PhoneKey) -> Self {
        key.0
    }
}

/// A key that was pressed. `Debug` does not show which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PressedKey {
    /// On whose telephone.
    pub party: Party,
    /// When, milliseconds from the beginning of the call.
    pub at_ms: u64,
    /// How long it was held. Left out where that was not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// Which one: `0` to `9`, `*`, `#`, `A` to `D`. Left out where it is masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub key: Option<PhoneKey>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_telephones_and_nothing_else() {
        for (text, expected) in [
            ("0", Some('0')),
            ("*", Some('*')),
            ("#", Some('#')),
            ("D", Some('D')),
            ("d", Some('D')),
            ("E", None),
            ("", None),
            ("12", None),
            ("１", None),
            (" ", None),
        ] {
            let key = PhoneKey::read(text);
            assert_eq!(key.map(PhoneKey::reveal), expected, "{text}");
        }
    }

    #[test]
    fn json_has_the_key_unless_it_is_masked() {
        let mut pressed = PressedKey {
            party: Party::Customer,
            at_ms: 12_340,
            duration_ms: Some(120),
            key: PhoneKey::new('#'),
        };
        let written = serde_json::to_value(pressed).unwrap();
        let expected =
            json!({"party": "customer", "at_ms": 12_340, "duration_ms": 120, "key": "#"});
        assert_eq!(written, expected);
        assert_eq!(
            serde_json::from_value::<PressedKey>(written).unwrap(),
            pressed
        );
        (pressed.duration_ms, pressed.key) = (None, None);
        let written = serde_json::to_value(pressed).unwrap();
        assert_eq!(written, json!({"party": "customer", "at_ms": 12_340}));
        assert_eq!(
            serde_json::from_value::<PressedKey>(written).unwrap(),
            pressed
        );
    }

    #[test]
    fn nothing_shows_which_key_it_was() {
        let pressed = PressedKey {
            party: Party::Agent,
            at_ms: 1,
            duration_ms: None,
            key: PhoneKey::new('7'),
        };
        assert!(!format!("{pressed:?}").contains('7'));
        let wrong = json!({"party": "agent", "at_ms": 1, "key": "Q"});
        let error = serde_json::from_value::<PressedKey>(wrong).unwrap_err();
        assert!(!error.to_string().contains('Q'), "{error}");
    }
}

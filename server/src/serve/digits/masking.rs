//! Which keys of a call are masked by what was said around them. Pure: keys and hits in, keys out.

use auricle_contracts::{Hit, PressedKey};

/// A rule fires when it has heard enough; whoever is asked may press keys before that.
const BEFORE_MS: u64 = 10_000;
/// How long whoever was asked for a number may look for the card and press all of it, twice.
const BEHIND_MS: u64 = 120_000;

/// What was found in a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard<'h> {
    /// Hits of all rules.
    Hits(&'h [Hit]),
    /// The rules that mask could not fire: what was said is not known, or none of them looks at such calls.
    Nothing,
}

/// Masks keys that were pressed near hits of `rules` (`ID` or `PACK/ID`); all keys where nobody knows what was said.
/// Without rules nothing is masked.
pub(crate) fn masked(
    mut keys: Vec<PressedKey>,
    rules: &[String],
    heard: Heard<'_>,
) -> Vec<PressedKey> {
    if rules.is_empty() {
        return keys;
    }
    for pressed in &mut keys {
        let is_hidden = match heard {
            Heard::Nothing => true,
            Heard::Hits(hits) => hits.iter().any(|hit| masks(hit, rules, pressed)),
        };
        if is_hidden {
            pressed.key = None;
        }
    }
    keys
}

/// A key that is held counts from its beginning to its end.
fn masks(hit: &Hit, rules: &[String], pressed: &PressedKey) -> bool {
    let released_ms = pressed
        .at_ms
        .saturating_add(u64::from(pressed.duration_ms.unwrap_or(0)));
    rules.iter().any(|rule| hit.is_of(rule))
        && released_ms >= hit.start_ms.saturating_sub(BEFORE_MS)
        && pressed.at_ms <= hit.end_ms.max(hit.start_ms).saturating_add(BEHIND_MS)
}

#[cfg(test)]
mod tests {
    use auricle_contracts::{Party, PhoneKey, Severity};

    use super::*;

    fn hit(rule: &str, start_ms: u64, end_ms: u64) -> Hit {
        Hit {
            rule: rule.into(),
            pack: "ours".into(),
            title: String::new(),
            severity: Severity::Info,
            party: Party::Agent,
            start_ms,
            end_ms,
            deduct: 0.0,
            auto_fail: false,
            evidence: Vec::new(),
            why: String::new(),
        }
    }

    fn keys(held: &[(u64, Option<u32>)]) -> Vec<PressedKey> {
        let held = held.iter();
        held.map(|&(at_ms, duration_ms)| PressedKey {
            party: Party::Customer,
            at_ms,
            duration_ms,
            key: PhoneKey::new('7'),
        })
        .collect()
    }

    /// A letter for each key: `7` as it is, `•` masked.
    fn shown(keys: &[PressedKey]) -> String {
        let keys = keys.iter();
        keys.map(|pressed| pressed.key.map_or('•', PhoneKey::reveal))
            .collect()
    }

    fn check(rules: &[&str], heard: Heard<'_>, held: &[(u64, Option<u32>)], expected: &str) {
        let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        let before = keys(held);
        let after = masked(before.clone(), &rules, heard);
        assert_eq!(shown(&after), expected, "{rules:?} {heard:?} {held:?}");
        // Nothing else changes.
        let rest = |keys: &[PressedKey]| -> Vec<_> {
            let keys = keys.iter();
            keys.map(|pressed| (pressed.party, pressed.at_ms, pressed.duration_ms))
                .collect()
        };
        assert_eq!(rest(&after), rest(&before));
    }

    #[test]
    fn keys_near_a_hit_are_masked() {
        let hits = [hit("card", 60_000, 63_000)];
        for (at_ms, held_ms, expected) in [
            (0, None, "7"),
            (49_999, None, "7"),
            (49_900, Some(99), "7"),
            (49_900, Some(100), "•"),
            (50_000, None, "•"),
            (61_000, None, "•"),
            (183_000, None, "•"),
            (183_001, None, "7"),
            (u64::MAX, Some(u32::MAX), "7"),
        ] {
            let held = [(at_ms, held_ms)];
            check(&["card"], Heard::Hits(&hits), &held, expected);
        }
    }

    #[test]
    fn only_rules_that_are_named_mask() {
        let held = [(10_000, None), (400_000, Some(80)), (800_000, None)];
        let hits = [
            hit("card", 5_000, 6_000),
            hit("other", 395_000, 396_000),
            hit("pin", 790_000, u64::MAX),
        ];
        let cases: [(&[&str], &str); 6] = [
            (&[], "777"),
            (&["card"], "•77"),
            (&["ours/card"], "•77"),
            (&["theirs/card"], "777"),
            (&["pin", "card"], "•7•"),
            (&["nothing"], "777"),
        ];
        for (rules, expected) in cases {
            check(rules, Heard::Hits(&hits), &held, expected);
        }
        check(&["card"], Heard::Hits(&[]), &held, "777");
    }

    #[test]
    fn where_nobody_knows_what_was_said_all_are_masked() {
        let held = [(0, None), (400_000, Some(80))];
        check(&["card"], Heard::Nothing, &held, "••");
        // Nobody asked.
        check(&[], Heard::Nothing, &held, "77");
    }
}

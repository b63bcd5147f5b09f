//! Keys of telephones that were pressed in a call, for people: one line.

use std::io::Write;

use anyhow::Result;
use auricle_contracts::{Party, PhoneKey, PressedKey};
use auricle_report::Language;
use console::Style;

use super::findings::party_name;
use crate::terminal::Terminal;

/// Keys of a party that are shown; `--json` has all.
const MOST_SHOWN: usize = 40;
/// Stands for a key that is masked.
const MASKED: char = '•';

/// Shows the keys of a call; nothing where none was pressed.
pub(super) fn write(out: &mut Terminal, keys: &[PressedKey], language: Language) -> Result<()> {
    if !keys.is_empty() {
        let line = text(keys, language);
        writeln!(out, "{}", out.paint(&Style::new().dim(), line))?;
    }
    Ok(())
}

/// `keys: agent 1:02 7; customer 0:12 •, 0:13 •`.
fn text(keys: &[PressedKey], language: Language) -> String {
    let parties = [Party::Agent, Party::Customer, Party::Unknown];
    let parties = parties.into_iter().filter_map(|party| {
        let of_party = keys.iter().filter(|pressed| pressed.party == party);
        of_one(party, &of_party.collect::<Vec<_>>(), language)
    });
    let parties: Vec<String> = parties.collect();
    let title = language.pick("keys: ", "按键：");
    format!("{title}{}", parties.join(language.pick("; ", "；")))
}

fn of_one(party: Party, keys: &[&PressedKey], language: Language) -> Option<String> {
    if keys.is_empty() {
        return None;
    }
    let shown = keys.iter().take(MOST_SHOWN).map(|pressed| {
        let key = pressed.key.map_or(MASKED, PhoneKey::reveal);
        format!("{} {key}", clock(pressed.at_ms))
    });
    let shown: Vec<String> = shown.collect();
    let n_more = keys.len() - shown.len();
    let more = match (n_more, language) {
        (0, _) => String::new(),
        (_, Language::English) => format!(" and {n_more} more"),
        (_, Language::Chinese) => format!("，另有 {n_more} 次"),
    };
    let shown = shown.join(language.pick(", ", "，"));
    Some(format!("{} {shown}{more}", party_name(party, language)))
}

/// A place in a call, to the second: `0:12`, `1:00:05`.
fn clock(at_ms: u64) -> String {
    let secs = at_ms / 1_000;
    let (hours, minutes, secs) = (secs / 3_600, secs / 60 % 60, secs % 60);
    match hours {
        0 => format!("{minutes}:{secs:02}"),
        _ => format!("{hours}:{minutes:02}:{secs:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(party: Party, at_ms: u64, key: Option<char>) -> PressedKey {
        PressedKey {
            party,
            at_ms,
            duration_ms: Some(100),
            key: key.and_then(PhoneKey::new),
        }
    }

    #[test]
    fn keys_are_one_line_party_by_party() {
        let keys = [
            pressed(Party::Customer, 12_340, None),
            pressed(Party::Customer, 13_999, Some('#')),
            pressed(Party::Agent, 3_605_000, Some('7')),
        ];
        let told = |language| text(&keys, language);
        assert_eq!(
            told(Language::English),
            "keys: agent 1:00:05 7; customer 0:12 •, 0:13 #"
        );
        assert!(told(Language::Chinese).ends_with("0:12 •，0:13 #"));
        let many = vec![pressed(Party::Unknown, 0, None); MOST_SHOWN + 2];
        let many = text(&many, Language::English);
        assert!(many.ends_with("0:00 • and 2 more"), "{many}");
    }
}

//! What a configuration comes to: the value of every key, and who said it.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Config;
use super::ranges::place_of;
use super::reference::as_toml;
use super::schema::{Knob, Section, SectionKind, sections};
use crate::data::DATA_VARIABLE;

/// Stands for what is shown to nobody.
const HIDDEN: &str = "\"…\"";

/// A table, with all its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableInForce {
    /// `[live]`, `[[live.keys]]`; empty for what stands before the first.
    pub(crate) head: String,
    pub(crate) keys: Vec<KeyInForce>,
}

/// A key, its value and who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyInForce {
    pub(crate) name: String,
    /// As it is written in the file; `None` where there is none.
    pub(crate) value: Option<String>,
    /// `line 12`, `default`, or what goes before the file.
    pub(crate) from: String,
}

/// All tables but lists that are empty, in the order of the reference.
pub(crate) fn tables_in_force(config: &Config) -> Vec<TableInForce> {
    // What was read before can be read.
    let document = DeTable::parse(&config.text.0).ok();
    let root = document.as_ref().map(Spanned::get_ref);
    let mut tables = Vec::new();
    for section in &sections() {
        let said = root.and_then(|root| find(root, &section.name));
        let one = |said: Option<&DeTable<'_>>| TableInForce {
            head: match (&*section.name, &section.kind) {
                ("", _) => String::new(),
                (name, SectionKind::List) => format!("[[{name}]]"),
                (name, _) => format!("[{name}]"),
            },
            keys: keys(config, section, said),
        };
        match (&section.kind, said) {
            (SectionKind::List, Some(Found::List(all))) => {
                let all = all.iter().filter_map(|item| item.get_ref().as_table());
                tables.extend(all.map(|said| one(Some(said))));
            }
            (SectionKind::List, _) => {}
            (_, Some(Found::Table(said))) => tables.push(one(Some(said))),
            _ => tables.push(one(None)),
        }
    }
    tables
}

enum Found<'d, 'i> {
    Table(&'d DeTable<'i>),
    List(&'d [Spanned<DeValue<'i>>]),
}

fn find<'d, 'i>(root: &'d DeTable<'i>, name: &str) -> Option<Found<'d, 'i>> {
    let mut found = Found::Table(root);
    for part in name.split('.').filter(|part| !part.is_empty()) {
        let Found::Table(table) = found else {
            return None;
        };
        found = match get(table, part)?.get_ref() {
            DeValue::Table(table) => Found::Table(table),
            DeValue::Array(all) => Found::List(all),
            _ => return None,
        };
    }
    Some(found)
}

fn get<'d, 'i>(table: &'d DeTable<'i>, key: &str) -> Option<&'d Spanned<DeValue<'i>>> {
    let mut all = table.iter();
    let found = all.find(|(name, _)| &**name.get_ref() == key);
    found.map(|(_, value)| value)
}

fn keys(config: &Config, section: &Section, said: Option<&DeTable<'_>>) -> Vec<KeyInForce> {
    let of = |name: &str, knob: Option<&Knob>| {
        if let Some(over) = over(config, &section.name, name) {
            return over;
        }
        let (value, from) = match said.and_then(|said| get(said, name)) {
            Some(value) => {
                let text = &config.text.0;
                let (line, _) = place_of(value.span().start, text);
                let shown = match knob {
                    Some(knob) if knob.is_secret => HIDDEN.to_owned(),
                    _ => in_one_line(text.get(value.span()).unwrap_or_default()),
                };
                (Some(shown), format!("line {line}"))
            }
            None => {
                let default = knob.and_then(|knob| knob.default.clone());
                let default = default.or_else(|| found_out(config, &section.name, name));
                (default.as_ref().map(as_toml), "default".to_owned())
            }
        };
        KeyInForce {
            name: name.to_owned(),
            value,
            from,
        }
    };
    match section.kind {
        SectionKind::Names(_) => {
            let names = said.into_iter().flatten();
            names.map(|(name, _)| of(name.get_ref(), None)).collect()
        }
        _ => {
            let knobs = section.knobs.iter();
            knobs.map(|knob| of(&knob.name, Some(knob))).collect()
        }
    }
}

/// The default of a key that has another on every machine.
fn found_out(config: &Config, section: &str, name: &str) -> Option<serde_json::Value> {
    let is_data = (section, name) == ("", "data_dir");
    is_data.then(|| config.data.root().display().to_string().into())
}

/// As it was written, where that is one line.
fn in_one_line(value: &str) -> String {
    let parsed = value.contains('\n').then(|| value.parse::<toml::Value>());
    match parsed {
        Some(Ok(parsed)) => parsed.to_string(),
        _ => value.to_owned(),
    }
}

/// What the command line and the environment say of a key.
fn over(config: &Config, section: &str, name: &str) -> Option<KeyInForce> {
    let said = &config.overrides;
    let text = |text: &str| as_toml(&text.into());
    let (value, from) = match (section, name) {
        ("", "data_dir") if said.data_dir.is_some() => {
            let root = config.data.root().display().to_string();
            (text(&root), format!("--data or {DATA_VARIABLE}"))
        }
        ("log", "level") if said.log_filter.is_some() => {
            (text(&config.log_filter), "--log or AURICLE_LOG".to_owned())
        }
        _ => return None,
    };
    Some(KeyInForce {
        name: name.to_owned(),
        value: Some(value),
        from,
    })
}

/// Every key that a file says, whole (`live.idle_ms`), with its value; lists are one value.
pub(crate) fn keys_said(config: &Config) -> BTreeMap<String, toml::Value> {
    let mut said = BTreeMap::new();
    let table: toml::Table = config.text.0.parse().unwrap_or_default();
    for (key, value) in table {
        flatten(key, value, &mut said);
    }
    said
}

fn flatten(key: String, value: toml::Value, said: &mut BTreeMap<String, toml::Value>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                flatten(format!("{key}.{name}"), value, said);
            }
        }
        value => drop(said.insert(key, value)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::Overrides;

    fn config(text: &str, data: Option<&str>) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auricle.toml");
        std::fs::write(&path, text).unwrap();
        let overrides = Overrides {
            config: Some(path),
            data_dir: data.map(PathBuf::from),
            ..Overrides::default()
        };
        Config::load(&overrides).unwrap()
    }

    /// The lines of a table.
    fn shown(config: &Config, head: &str) -> Vec<Vec<(String, Option<String>, String)>> {
        let tables = tables_in_force(config).into_iter();
        let tables = tables.filter(|table| table.head == head);
        let keys = |table: TableInForce| {
            let keys = table.keys.into_iter();
            keys.map(|key| (key.name, key.value, key.from)).collect()
        };
        tables.map(keys).collect()
    }

    fn key(name: &str, value: &str, from: &str) -> (String, Option<String>, String) {
        (name.to_owned(), Some(value.to_owned()), from.to_owned())
    }

    #[test]
    fn every_value_is_told_with_who_said_it() {
        let text = "data_dir = 'x'\nlive.audiosocket.quiet_secs = 60\n\
            lm = {texts = [\n'a.txt', # ours\n'b.txt']}\n[models.language]\nen = 'a'\n";
        let config = config(text, Some("/data"));
        let top = &shown(&config, "")[0];
        assert_eq!(
            top[0],
            key("data_dir", "\"/data\"", "--data or AURICLE_DATA")
        );
        assert_eq!(
            top[1],
            ("utc_offset".to_owned(), None, "default".to_owned())
        );
        let audiosocket = &shown(&config, "[live.audiosocket]")[0];
        assert_eq!(audiosocket[1], key("most_connections", "2000", "default"));
        assert_eq!(audiosocket[3], key("quiet_secs", "60", "line 2"));
        let texts = "[\"a.txt\", \"b.txt\"]";
        assert_eq!(shown(&config, "[lm]")[0][1], key("texts", texts, "line 3"));
        let language = vec![key("en", "'a'", "line 7")];
        assert_eq!(shown(&config, "[models.language]"), [language]);
        assert!(shown(&config, "[[live.webhooks]]").is_empty());
    }

    #[test]
    fn secrets_are_shown_to_nobody() {
        let webhook =
            "[[live.webhooks]]\nname = 'a'\nurl = 'http://x/token'\nsecret = '0123456789abcdef'\n";
        let config = config(&webhook.repeat(2), None);
        let webhooks = shown(&config, "[[live.webhooks]]");
        assert_eq!(webhooks.len(), 2);
        assert_eq!(webhooks[1][1], key("url", HIDDEN, "line 7"));
        assert_eq!(webhooks[1][2], key("secret", HIDDEN, "line 8"));
        let debug = format!("{config:?}{webhooks:?}");
        assert!(
            !debug.contains("token") && !debug.contains("0123456789"),
            "{debug}"
        );
    }

    #[test]
    fn keys_of_a_file_are_whole() {
        let config = config("live.idle_ms = 7\n[lm]\ntexts = ['a']\n", None);
        let said = keys_said(&config);
        let names: Vec<&str> = said.keys().map(String::as_str).collect();
        assert_eq!(names, ["live.idle_ms", "lm.texts"]);
    }
}

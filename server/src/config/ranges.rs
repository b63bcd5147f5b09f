//! The ranges that stand at the keys' types, held over a file.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::schema::{Range, schema};

/// A number that is out of its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutOfRange {
    /// Bytes before it.
    at: usize,
    /// The key, its range, the number.
    pub(super) cause: String,
}

impl OutOfRange {
    /// `line 3, column 9`.
    pub(super) fn place(&self, text: &str) -> String {
        let (line, column) = place_of(self.at, text);
        format!("line {line}, column {column}")
    }
}

/// Line and column of what `at` bytes come before, from 1.
pub(crate) fn place_of(at: usize, text: &str) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Every number of a file that is out of its range, in the order of the file. A text that is no TOML has none.
pub(super) fn out_of_range(text: &str) -> Vec<OutOfRange> {
    let mut found = Vec::new();
    if let Ok(document) = DeTable::parse(text) {
        look_into(document.get_ref(), schema(), "", &mut found);
    }
    found.sort_by_key(|one| one.at);
    found
}

fn look_into(table: &DeTable<'_>, schema: &Value, name: &str, found: &mut Vec<OutOfRange>) {
    for (key, value) in table {
        let key = key.get_ref();
        let property = schema.get("properties").and_then(|all| all.get(&**key));
        let property = property.or_else(|| schema.get("additionalProperties"));
        let key = match name {
            "" => key.to_string(),
            name => format!("{name}.{key}"),
        };
        if let Some(property) = property {
            look_at(value, property, &key, found);
        }
    }
}

/// Tables of a list are named alike: the place says which of them it is.
fn look_at(value: &Spanned<DeValue<'_>>, schema: &Value, key: &str, found: &mut Vec<OutOfRange>) {
    let (shown, number) = match value.get_ref() {
        DeValue::Table(table) => return look_into(table, schema, key, found),
        DeValue::Array(values) => {
            let items = &schema["items"];
            return values
                .iter()
                .for_each(|value| look_at(value, items, key, found));
        }
        DeValue::Integer(whole) => {
            let number = i64::from_str_radix(whole.as_str(), whole.radix());
            (whole.to_string(), number.ok().map(|number| number as f64))
        }
        DeValue::Float(number) => (number.to_string(), number.as_str().parse().ok()),
        _ => return,
    };
    let range = Range::of(schema);
    if number.is_some_and(|number| !range.contains(number)) {
        found.push(OutOfRange {
            at: value.span().start,
            cause: format!("`{key}` must be {range}, got `{shown}`"),
        });
    }
}

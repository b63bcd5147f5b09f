//! Bytes of a YAML file as a tree whose nodes know their places.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Location, Options, Spanned};

use super::mistake::{Notes, Place};

/// Larger files are refused.
pub const MOST_PACK_BYTES: usize = 8 << 20;
/// Deeper nesting is refused.
const MOST_DEPTH: usize = 64;
/// More values in one file are refused; aliases count each time they are used.
const MOST_NODES: usize = 1_000_000;

/// One value of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    /// As it is spelled, and what YAML takes it for.
    Scalar(String, ScalarKind),
    List(Vec<Node>),
    /// In the file's order, no key twice.
    Map(Vec<(Key, Node)>),
}

/// A key and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) name: String,
}

/// What YAML takes a scalar for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarKind {
    Text,
    Bool,
    Number,
}

impl Value {
    /// What it is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(_, ScalarKind::Text) => "text",
            Self::Scalar(_, ScalarKind::Bool) => "true or false",
            Self::Scalar(_, ScalarKind::Number) => "a number",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Reads one YAML document; `None`, with the cause in `notes`, where that does not go.
pub(super) fn read_tree(bytes: &[u8], notes: &mut Notes) -> Option<Node> {
    let text = utf8(bytes, notes)?;
    if text.trim().is_empty() {
        notes.error(
            Place::default(),
            "the file is empty",
            "a pack starts with `pack: NAME`",
        );
        return None;
    }
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options()) {
        Ok(raw) => Some(node(raw, text)),
        Err(error) => {
            let place = error.location().map_or_else(Place::default, place_of);
            let (cause, hint) = told(&error);
            notes.error(place, cause, hint);
            None
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MOST_DEPTH,
            max_nodes: MOST_NODES,
            max_events: 2 * MOST_NODES,
            max_documents: 1,
            max_total_scalar_bytes: MOST_PACK_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MOST_NODES / 4,
        },
        with_snippet: false,
        strict_booleans: true,
    }
}

/// The bytes as text, a byte order mark taken off.
fn utf8<'a>(bytes: &'a [u8], notes: &mut Notes) -> Option<&'a str> {
    let whole = Place::default();
    let save = "save the file as UTF-8";
    if bytes.len() > MOST_PACK_BYTES {
        let cause = format!(
            "the file has `{}` bytes, more than `{MOST_PACK_BYTES}`",
            bytes.len()
        );
        notes.error(whole, cause, "split it into several packs");
        return None;
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        notes.error(whole, "the file is UTF-16 or UTF-32, not UTF-8", save);
        return None;
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => {
            notes.error(
                place_at(text, text.find('\0').unwrap_or(0)),
                "a zero byte",
                save,
            );
            None
        }
        Ok(text) => Some(text),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let place = place_at(&good, good.len());
            let hint = format!("{save}; files of Chinese text are often saved as GBK");
            notes.error(place, "the file is not UTF-8 from here on", hint);
            None
        }
    }
}

fn place_at(text: &str, byte: usize) -> Place {
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Place {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    }
}

fn place_of(location: Location) -> Place {
    Place {
        line: u32::try_from(location.line()).unwrap_or(u32::MAX),
        column: u32::try_from(location.column()).unwrap_or(u32::MAX),
    }
}

/// Cause and hint of what the YAML reader says.
fn told(error: &Error) -> (String, String) {
    let text = error.without_snippet().to_string();
    let cause = text.lines().next().unwrap_or("no YAML").trim().to_owned();
    let hint = match error.without_snippet() {
        Error::DuplicateMappingKey { .. } => "take one of the two away, or give it another name",
        Error::Budget { .. } | Error::AliasError { .. } => {
            "packs may be nested 64 deep and hold a million values"
        }
        Error::UnknownAnchor { .. } => "an alias `*name` needs an anchor `&name` before it",
        _ => "quote texts that hold any of : # [ ] { } , & * ! | > ' \" % @ or begin with - or ?",
    };
    (cause, hint.to_owned())
}

/// A value as the YAML reader gives it.
enum Raw {
    Null,
    Text(String),
    Typed(ScalarKind),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(ScalarKind::Bool))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(ScalarKind::Number))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(ScalarKind::Number))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Typed(ScalarKind::Number))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Typed(ScalarKind::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(ScalarKind::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = access.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

/// The tree, typed scalars as they are spelled.
fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Scalar(text, ScalarKind::Text),
        Raw::Typed(kind) => Value::Scalar(spelled(raw.defined, text), kind),
        Raw::List(list) => Value::List(list.into_iter().map(|item| node(item, text)).collect()),
        Raw::Map(map) => {
            let entries = map.into_iter().map(|(key, value)| {
                let place = place_of(key.referenced);
                let name = key.value;
                (Key { place, name }, node(value, text))
            });
            Value::Map(entries.collect())
        }
    };
    Node {
        place: place_of(raw.referenced),
        value,
    }
}

fn spelled(location: Location, text: &str) -> String {
    let span = location.span();
    let from = span.byte_offset().and_then(|at| usize::try_from(at).ok());
    let len = span.byte_len().and_then(|len| usize::try_from(len).ok());
    let piece = from
        .zip(len)
        .and_then(|(from, len)| text.get(from..from + len));
    piece.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(node: &Node, out: &mut Vec<String>) {
        match &node.value {
            Value::Null => out.push("null".into()),
            Value::Scalar(text, kind) => {
                let Place { line, column } = node.place;
                out.push(format!("{line}:{column} {text} {kind:?}"));
            }
            Value::List(list) => list.iter().for_each(|item| scalars(item, out)),
            Value::Map(map) => map.iter().for_each(|(_, item)| scalars(item, out)),
        }
    }

    #[test]
    fn scalars_keep_their_spelling_and_place() {
        let mut notes = Notes::new("a");
        let text = "a: 007\nb: [no, 1.50, 'x', true]\nc: &k 110\nd: *k\ne: ~\n保证: 收益\n";
        let tree = read_tree(text.as_bytes(), &mut notes).unwrap();
        let mut found = Vec::new();
        scalars(&tree, &mut found);
        assert_eq!(
            found,
            [
                "1:4 007 Number",
                "2:5 no Text",
                "2:9 1.50 Number",
                "2:15 x Text",
                "2:20 true Bool",
                "3:7 110 Number",
                "4:4 110 Number",
                "null",
                "6:5 收益 Text"
            ]
        );
    }

    #[test]
    fn what_is_no_yaml_in_utf8_is_told_with_its_place() {
        let check = |bytes: &[u8], begins: &str| {
            let mut notes = Notes::new("p.yaml");
            assert_eq!(read_tree(bytes, &mut notes), None);
            let list = notes.into_list();
            assert!(list[0].to_string().starts_with(begins), "{}", list[0]);
            assert!(!list[0].hint.is_empty());
        };
        check(b"", "p.yaml: error: the file is empty");
        check(b"\xEF\xBB\xBF \n", "p.yaml: error: the file is empty");
        check(b"\xFF\xFEp\0a\0", "p.yaml: error: the file is UTF-16");
        check(
            b"pack: a\nx: \xB1\xA3",
            "p.yaml:2:4: error: the file is not UTF-8",
        );
        check(b"pack: a\0", "p.yaml:1:8: error: a zero byte");
        check(b"a: 1\na: 2\n", "p.yaml:2:1: error: ");
        check(b"a: [1, 2\nb: 3", "p.yaml:2:");
        check(b"a: *b\n", "p.yaml:1:4: error: ");
        check("[".repeat(5000).as_bytes(), "p.yaml:1:");
        check("- ".repeat(5000).as_bytes(), "p.yaml:1:");
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
            c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
            e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
            g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
        check(laughs.as_bytes(), "p.yaml:");
    }
}

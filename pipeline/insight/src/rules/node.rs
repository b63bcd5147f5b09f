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
    /// What it is, for messages; `None` where nothing is written.
    pub(super) const fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Null => None,
            Self::Scalar(_, ScalarKind::Text) => Some("text"),
            Self::Scalar(_, ScalarKind::Bool) => Some("true or false"),
            Self::Scalar(_, ScalarKind::Number) => Some("a number"),
            Self::List(_) => Some("a list"),
            Self::Map(_) => Some("a map"),
        }
    }
}

/// Reads one YAML document; `None`, with the cause in `notes`, where that does not go.
pub(super) fn read_tree(bytes: &[u8], notes: &mut Notes) -> Option<Node> {
    let text = utf8(bytes, notes)?;
    if text.trim().is_empty() {
        let whole = notes.place(0, 0);
        notes.error(
            whole,
            "the file is empty",
            "a pack starts with `pack: NAME`",
        );
        return None;
    }
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options()) {
        Ok(raw) => Some(Tree { text, notes }.node(raw)),
        Err(error) => {
            let place = match error.location() {
                None => notes.place(0, 0),
                Some(location) => place_of(location, notes),
            };
            let (place, cause, hint) = told(&error, place, text);
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
    let whole = notes.place(0, 0);
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
            let place = place_at(text, text.find('\0').unwrap_or(0), notes);
            notes.error(place, "a zero byte", save);
            None
        }
        Ok(text) => Some(text),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let place = place_at(&good, good.len(), notes);
            let hint = format!("{save}; files of Chinese text are often saved as GBK");
            notes.error(place, "the file is not UTF-8 from here on", hint);
            None
        }
    }
}

fn place_at(text: &str, byte: usize, notes: &Notes) -> Place {
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    notes.place(number(line), number(column))
}

fn place_of(location: Location, notes: &Notes) -> Place {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    notes.place(number(location.line()), number(location.column()))
}

/// Place, cause and hint of what the YAML reader says, which tells the place once more in words.
fn told(error: &Error, place: Place, text: &str) -> (Place, String, String) {
    let error = error.without_snippet();
    let told = error.to_string();
    let cause = told.lines().next().unwrap_or("no YAML").trim();
    if cause.contains("tab")
        && let Some(place) = first_indenting_tab(text, place)
    {
        let hint = "indent with spaces; editors can be told to write them for the tab key";
        return (place, "a tab before the text of a line".into(), hint.into());
    }
    let words = format!(" at line {}, column {}", place.line, place.column);
    let cause = cause.strip_suffix(&words).unwrap_or(cause).to_owned();
    let hint = match error {
        Error::DuplicateMappingKey { .. } => "take one of the two away, or give it another name",
        Error::Budget { .. } | Error::AliasError { .. } => {
            "packs may be nested 64 deep and hold a million values"
        }
        Error::UnknownAnchor { .. } => "an alias `*name` needs an anchor `&name` before it",
        _ if cause.contains("non-finite") => {
            "write a number with digits; quote it where it is text"
        }
        _ => {
            "mind the indentation; quote texts that hold any of : # [ ] { } , & * ! | > ' \" % @ or begin with - or ?"
        }
    };
    (place, cause, hint.to_owned())
}

/// The first tab before the text of a line, from the line of `place` on: the reader tells where it began to read what
/// the tab ends.
fn first_indenting_tab(text: &str, place: Place) -> Option<Place> {
    let n_before = usize::try_from(place.line).ok()?.saturating_sub(1);
    (place.line..)
        .zip(text.lines().skip(n_before))
        .find_map(|(line, text)| {
            let indented = &text[..text.len() - text.trim_start().len()];
            let before = indented.chars().position(|letter| letter == '\t')?;
            let column = u32::try_from(before + 1).unwrap_or(u32::MAX);
            Some(Place {
                line,
                column,
                ..place
            })
        })
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

/// Makes the tree, typed scalars as they are spelled.
struct Tree<'a> {
    text: &'a str,
    notes: &'a Notes,
}

impl Tree<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Node {
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Text(text) => Value::Scalar(text, ScalarKind::Text),
            Raw::Typed(kind) => Value::Scalar(spelled(raw.defined, self.text), kind),
            Raw::List(list) => Value::List(list.into_iter().map(|item| self.node(item)).collect()),
            Raw::Map(map) => {
                let entries = map.into_iter().map(|(key, value)| {
                    let place = place_of(key.referenced, self.notes);
                    let name = key.value;
                    (Key { place, name }, self.node(value))
                });
                Value::Map(entries.collect())
            }
        };
        Node {
            place: place_of(raw.referenced, self.notes),
            value,
        }
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
                let Place { line, column, .. } = node.place;
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
        check(
            b"pack: a\nb:\n- c: d\n\te: f\n",
            "p.yaml:4:1: error: a tab before the text of a line\nhint: indent with spaces",
        );
        check(
            b"a: .nan\n",
            "p.yaml:1:4: error: non-finite float `.nan` rejected",
        );
        check("[".repeat(5000).as_bytes(), "p.yaml:1:");
        check("- ".repeat(5000).as_bytes(), "p.yaml:1:");
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
            c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
            e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
            g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
        check(laughs.as_bytes(), "p.yaml:");
    }
}

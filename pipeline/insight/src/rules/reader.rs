//! Reads a [`Node`] tree into serde types and goes on after a mistake, so that a pack's mistakes are told
//! all at once.
//!
//! Wherever a type holds an [`At`], a value that cannot be read leaves a hole there and a mistake in the
//! notes. Keys that a struct does not know are told and skipped.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::mistake::{Notes, Place, nearest_hint};
use super::node::{Key, Node, ScalarKind, Value};

/// A value with its place in the file; a hole where it could not be read.
#[derive(Clone, Default, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: Option<T>,
    /// Where it stands.
    pub place: Place,
}

/// The value alone: what is written alike is shown alike.
impl<T: fmt::Debug> fmt::Debug for At<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(out)
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The struct's name by which [`At`] asks the reader for a value's place.
const AT: &str = "$at";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct(AT, &[], AtVisitor(PhantomData))
    }
}

struct AtVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
    type Value = At<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    /// Key: the place; value: what stands there. An error in the value was noted by the reader.
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<At<T>, A::Error> {
        let (file, line, column) = access.next_key::<(u16, u32, u32)>()?.unwrap_or_default();
        Ok(At {
            value: access.next_value().ok(),
            place: Place { file, line, column },
        })
    }
}

/// Reads `node`; `None` where nothing could be had of it. Mistakes go to `notes`.
pub(super) fn read<T: for<'de> Deserialize<'de>>(node: &Node, notes: &mut Notes) -> Option<T> {
    let cell = RefCell::new(notes);
    let reader = Reader {
        node,
        key: "",
        notes: &cell,
    };
    match T::deserialize(reader) {
        Ok(value) => Some(value),
        Err(slip) => {
            slip.note(node.place, &cell);
            None
        }
    }
}

/// An error on its way up to the next [`At`].
#[derive(Debug)]
struct Slip {
    place: Option<Place>,
    cause: String,
    hint: String,
}

impl Slip {
    fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    fn note(self, place: Place, notes: &RefCell<&mut Notes>) {
        let place = self.place.unwrap_or(place);
        notes.borrow_mut().error(place, self.cause, self.hint);
    }

    fn new(cause: String, hint: String) -> Self {
        Self {
            place: None,
            cause,
            hint,
        }
    }
}

impl fmt::Display for Slip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.cause)
    }
}

impl std::error::Error for Slip {}

impl serde::de::Error for Slip {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string(), String::new())
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {expected}, got {got}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("`{field}` is missing"))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        unknown_key(field, known)
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let hint = nearest_hint(variant, known.iter().copied());
        Self::new(format!("unknown value `{variant}`"), hint)
    }
}

fn unknown_key(key: &str, known: &'static [&'static str]) -> Slip {
    let hint = nearest_hint(key, known.iter().copied());
    Slip::new(format!("unknown key `{key}`"), hint)
}

/// A serde deserializer over a tree.
#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    /// What the value stands behind; empty for an item of a list.
    key: &'a str,
    notes: &'a RefCell<&'a mut Notes>,
}

impl<'a> Reader<'a> {
    fn of(self, node: &'a Node, key: &'a str) -> Self {
        Self { node, key, ..self }
    }

    /// A cause with the key before it.
    fn slip(&self, cause: fmt::Arguments<'_>) -> Slip {
        let cause = match self.key {
            "" => cause.to_string(),
            key => format!("`{key}`: {cause}"),
        };
        Slip::new(cause, String::new()).at(self.node.place)
    }

    fn wrong(&self, expected: &dyn Expected) -> Slip {
        match self.node.value.kind() {
            None => Slip {
                hint: "write a value there, or take the entry out; `null` and `~` are no values"
                    .to_owned(),
                ..self.slip(format_args!("expected {expected}, got nothing"))
            },
            Some(got) => self.slip(format_args!("expected {expected}, got {got}")),
        }
    }

    fn number<N: std::str::FromStr>(&self, expected: &'static str) -> Result<N, Slip> {
        match &self.node.value {
            Value::Scalar(text, ScalarKind::Number) => text
                .replace('_', "")
                .parse()
                .map_err(|_| self.slip(format_args!("expected {expected}, got `{text}`"))),
            _ => Err(self.wrong(&expected)),
        }
    }

    fn visit_map<'de, V: Visitor<'de>>(
        self,
        entries: &'a [(Key, Node)],
        known: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Slip> {
        let access = Entries {
            reader: self,
            rest: entries.iter(),
            value: None,
            known,
        };
        visitor.visit_map(access)
    }
}

macro_rules! numbers {
    ($expected:literal: $($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
            let number = self.number($expected)?;
            visitor.$visit(number).map_err(|slip: Slip| slip.at(self.node.place))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Slip;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        match &self.node.value {
            Value::Null => Err(self.wrong(&visitor)),
            Value::Scalar(text, _) => visitor.visit_str(text),
            Value::List(list) => visitor.visit_seq(Items {
                reader: self,
                rest: list.iter(),
            }),
            Value::Map(entries) => self.visit_map(entries, None, visitor),
        }
        .map_err(|slip| slip.at(self.node.place))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        match &self.node.value {
            Value::Scalar(text, ScalarKind::Bool) => {
                visitor.visit_bool(text.eq_ignore_ascii_case("true"))
            }
            _ => Err(self.wrong(&"`true` or `false`")),
        }
    }

    numbers! { "a whole number":
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32
        deserialize_i64 visit_i64
    }

    numbers! { "a whole number, 0 or more":
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32
        deserialize_u64 visit_u64
    }

    numbers! { "a number": deserialize_f32 visit_f32 deserialize_f64 visit_f64 }

    /// Any scalar is text: `no` and `110` are keywords like others.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        match &self.node.value {
            Value::Scalar(text, _) => visitor
                .visit_str(text)
                .map_err(|slip: Slip| slip.at(self.node.place)),
            _ => {
                let mut slip = self.wrong(&"text");
                if matches!(self.node.value, Value::List(_)) {
                    slip.hint = "quote a phrase that begins with `[`".to_owned();
                }
                Err(slip)
            }
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        match &self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Slip> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        match &self.node.value {
            Value::List(_) => self.deserialize_any(visitor),
            _ => Err(self.wrong(&"a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        match &self.node.value {
            Value::Map(_) => self.deserialize_any(visitor),
            _ => Err(self.wrong(&"a map")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Slip> {
        if name == AT {
            return visitor.visit_map(Placed(self));
        }
        match &self.node.value {
            Value::Map(entries) => self
                .visit_map(entries, Some(fields), visitor)
                .map_err(|slip| slip.at(self.node.place)),
            Value::Null => Err(self.wrong(&"a map")),
            _ => Err(Slip {
                hint: format!("write `{{KEY: VALUE}}`; keys are `{}`", fields.join("`, `")),
                ..self.wrong(&"a map")
            }),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Slip> {
        let (name, place, value) = match &self.node.value {
            Value::Scalar(text, ScalarKind::Text) => (text.as_str(), self.node.place, None),
            Value::Map(entries) => match entries.as_slice() {
                [(key, value)] => (
                    key.name.as_str(),
                    key.place,
                    Some(self.of(value, &key.name)),
                ),
                _ => return Err(not_one_key(entries).at(self.node.place)),
            },
            _ => return Err(self.wrong(&"a name, or a map with one operator")),
        };
        if !variants.contains(&name) {
            return Err(unknown_name(name, value.is_some(), variants).at(place));
        }
        visitor
            .visit_enum(Chosen { name, value })
            .map_err(|slip| slip.at(place))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Slip> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

fn not_one_key(entries: &[(Key, Node)]) -> Slip {
    let names: Vec<&str> = entries.iter().map(|(key, _)| key.name.as_str()).collect();
    let cause = match names.is_empty() {
        true => "a condition is a map with one operator, got none".to_owned(),
        false => format!("a condition has one operator, got `{}`", names.join("`, `")),
    };
    let hint = "join several with `all: [ … ]` or `any: [ … ]`; mind the indentation";
    Slip::new(cause, hint.to_owned())
}

fn unknown_name(name: &str, is_key: bool, known: &'static [&'static str]) -> Slip {
    let hint = nearest_hint(name, known.iter().copied());
    match is_key {
        true => Slip::new(format!("unknown operator `{name}`"), hint),
        false => Slip::new(format!("unknown value `{name}`"), hint),
    }
}

/// A value's place as the key, the value as the value.
struct Placed<'a>(Reader<'a>);

impl<'de> MapAccess<'de> for Placed<'_> {
    type Error = Slip;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Slip> {
        let Place { file, line, column } = self.0.node.place;
        let numbers = [u32::from(file), line, column];
        let place = serde::de::value::SeqDeserializer::new(numbers.into_iter());
        seed.deserialize(place).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Slip> {
        seed.deserialize(self.0).map_err(|slip| {
            slip.note(self.0.node.place, self.0.notes);
            Slip::custom("told")
        })
    }
}

struct Items<'a> {
    reader: Reader<'a>,
    rest: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Slip;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Slip> {
        let Some(node) = self.rest.next() else {
            return Ok(None);
        };
        seed.deserialize(self.reader.of(node, "")).map(Some)
    }
}

struct Entries<'a> {
    reader: Reader<'a>,
    rest: std::slice::Iter<'a, (Key, Node)>,
    value: Option<(&'a Key, &'a Node)>,
    known: Option<&'static [&'static str]>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Slip;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Slip> {
        for (key, node) in self.rest.by_ref() {
            if let Some(known) = self.known
                && !known.contains(&key.name.as_str())
            {
                unknown_key(&key.name, known).note(key.place, self.reader.notes);
                continue;
            }
            self.value = Some((key, node));
            let name: StrDeserializer<'_, Slip> = key.name.as_str().into_deserializer();
            return seed
                .deserialize(name)
                .map(Some)
                .map_err(|slip| slip.at(key.place));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Slip> {
        let Some((key, node)) = self.value.take() else {
            return Err(Slip::custom("a value before its key"));
        };
        let reader = self.reader.of(node, &key.name);
        seed.deserialize(reader).map_err(|slip| slip.at(node.place))
    }
}

/// The variant of an enum, with what it holds.
struct Chosen<'a> {
    name: &'a str,
    value: Option<Reader<'a>>,
}

impl<'de> EnumAccess<'de> for Chosen<'_> {
    type Error = Slip;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Slip> {
        let name: StrDeserializer<'_, Slip> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Chosen<'_> {
    type Error = Slip;

    fn unit_variant(self) -> Result<(), Slip> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(Slip::custom(format_args!("`{}` takes no value", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Slip> {
        match self.value {
            Some(value) => seed.deserialize(value),
            None => Err(Slip::custom(format_args!("`{}` needs a value", self.name))),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Slip> {
        self.newtype_variant_seed(PhantomData::<()>)
            .and_then(|()| visitor.visit_unit())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Slip> {
        match self.value {
            Some(value) => value.deserialize_struct("", fields, visitor),
            None => Err(Slip::custom(format_args!("`{}` needs a value", self.name))),
        }
    }
}

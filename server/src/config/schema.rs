//! The keys of the configuration, out of the types that read them: words, ranges, defaults. What is published of it and what
//! is held where a file is read are one declaration.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::ConfigFile;

/// JSON schema of the file.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = generate(SchemaSettings::draft2020_12());
    tidy(&mut schema);
    schema
});

/// The same with all keys of every table among those that are `required`: the one place where their order is kept.
static ORDER: LazyLock<Value> =
    LazyLock::new(|| generate(SchemaSettings::draft2020_12().for_serialize()));

fn generate(settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    settings
        .into_generator()
        .into_root_schema_for::<ConfigFile>()
        .to_value()
}

/// JSON schema of the file, as docs/configuration.schema.json publishes it.
pub(crate) fn schema() -> &'static Value {
    &SCHEMA
}

/// A table of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    /// `live.audiosocket`; empty for what stands before the first table.
    pub(crate) name: String,
    pub(crate) words: String,
    pub(crate) kind: SectionKind,
    pub(crate) knobs: Vec<Knob>,
}

/// How often a table is there, and what it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SectionKind {
    /// `[name]`.
    Table,
    /// `[[name]]`, any number of times.
    List,
    /// `[name]` with keys that whoever writes it chooses, as in this example.
    Names(Map<String, Value>),
}

/// A key and what it takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Knob {
    pub(crate) name: String,
    pub(crate) words: String,
    pub(crate) takes: Takes,
    pub(crate) default: Option<Value>,
    pub(crate) example: Option<Value>,
    /// Whether there must be one.
    pub(crate) is_needed: bool,
    /// Whether its value is shown to nobody.
    pub(crate) is_secret: bool,
}

/// What a key takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Takes {
    /// A whole number.
    Whole(Range),
    Number(Range),
    Flag,
    /// So many characters, or more.
    Text(u64),
    /// One of these.
    Choice(Vec<String>),
    List(Box<Takes>),
}

/// From the least to the most, where there are such.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Range {
    pub(crate) least: Option<f64>,
    pub(crate) most: Option<f64>,
}

impl Range {
    /// Of a key's schema.
    pub(super) fn of(schema: &Value) -> Self {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        Self {
            least: bound("minimum"),
            most: bound("maximum"),
        }
    }

    /// No number is in no range.
    pub(super) fn contains(self, value: f64) -> bool {
        let fits = |bound: Option<f64>, is_so: fn(&f64, &f64) -> bool| {
            bound.is_none_or(|bound| is_so(&value, &bound))
        };
        fits(self.least, f64::ge) && fits(self.most, f64::le)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.most) {
            (Some(least), Some(most)) => write!(out, "{least} to {most}"),
            (Some(least), None) => write!(out, "at least {least}"),
            (None, Some(most)) => write!(out, "at most {most}"),
            (None, None) => Ok(()),
        }
    }
}

/// All tables, in the order of the types that read them; first what stands before the first table.
pub(crate) fn sections() -> Vec<Section> {
    let mut sections = Vec::new();
    add_section(&mut sections, "", schema(), &ORDER, SectionKind::Table);
    sections
}

fn add_section(
    sections: &mut Vec<Section>,
    name: &str,
    schema: &Value,
    order: &Value,
    kind: SectionKind,
) {
    let place = sections.len();
    sections.push(Section {
        name: name.to_owned(),
        words: text(schema, "description"),
        kind,
        knobs: Vec::new(),
    });
    let needed = texts(schema.get("required"));
    for key in texts(order.get("required")) {
        let Some(property) = schema.pointer(&format!("/properties/{key}")) else {
            continue;
        };
        let order = &order["properties"][&key];
        let below = match name {
            "" => key.clone(),
            name => format!("{name}.{key}"),
        };
        if property.get("properties").is_some() {
            add_section(sections, &below, property, order, SectionKind::Table);
        } else if property["items"].get("properties").is_some() {
            let (mut items, order) = (property["items"].clone(), &order["items"]);
            items["description"] = property["description"].clone();
            add_section(sections, &below, &items, order, SectionKind::List);
        } else if property.get("additionalProperties").is_some() {
            let example = property.pointer("/examples/0").and_then(Value::as_object);
            let kind = SectionKind::Names(example.cloned().unwrap_or_default());
            add_section(sections, &below, property, order, kind);
        } else {
            let is_needed = needed.contains(&key);
            sections[place]
                .knobs
                .push(Knob::new(key, property, is_needed));
        }
    }
}

impl Knob {
    fn new(name: String, schema: &Value, is_needed: bool) -> Self {
        Self {
            name,
            words: text(schema, "description"),
            takes: Takes::of(schema),
            default: schema.get("default").cloned(),
            example: schema.pointer("/examples/0").cloned(),
            is_needed,
            is_secret: schema.get("writeOnly") == Some(&Value::Bool(true)),
        }
    }

    /// The unit that the end of the name stands for; empty where it stands for none.
    pub(crate) fn unit(&self) -> &'static str {
        let units = [
            ("_ms", "milliseconds"),
            ("_secs", "seconds"),
            ("_days", "days"),
            ("_db", "decibels"),
        ];
        let unit = units.iter().find(|(end, _)| self.name.ends_with(end));
        unit.map_or("", |(_, unit)| unit)
    }
}

impl Takes {
    fn of(schema: &Value) -> Self {
        match schema["type"].as_str() {
            Some("integer") => Self::Whole(Range::of(schema)),
            Some("number") => Self::Number(Range::of(schema)),
            Some("boolean") => Self::Flag,
            Some("array") => Self::List(Box::new(Self::of(&schema["items"]))),
            _ => match texts(schema.get("enum")) {
                choices if choices.is_empty() => {
                    Self::Text(schema["minLength"].as_u64().unwrap_or(0))
                }
                choices => Self::Choice(choices),
            },
        }
    }
}

/// In one line.
fn text(schema: &Value, key: &str) -> String {
    let text = schema.get(key).and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}

/// TOML has no null, its numbers are as short as they are written, and the names of choices say enough.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(tidy),
        Value::Object(own) => {
            own.values_mut().for_each(tidy);
            if let Some(Value::Array(types)) = own.get_mut("type") {
                types.retain(|one| one != "null");
                if let [one] = types.as_mut_slice() {
                    let one = one.take();
                    own.insert("type".to_owned(), one);
                }
            }
            if own.get("default") == Some(&Value::Null) {
                own.remove("default");
            }
            if own.get("format").is_some_and(|format| format == "float")
                && let Some(default) = own.get_mut("default")
            {
                *default = shortest(default);
            }
            if let Some(words) = own.get("description").and_then(Value::as_str) {
                let words: Vec<&str> = words.split_whitespace().collect();
                own.insert("description".to_owned(), words.join(" ").into());
            }
            choose(own);
        }
        _ => {}
    }
}

/// The value with no more digits than tell it from its neighbours.
fn shortest(value: &Value) -> Value {
    let narrow = value.as_f64().map(|wide| (wide as f32).to_string());
    let short = narrow.and_then(|text| text.parse::<f64>().ok());
    short.map_or_else(|| value.clone(), Value::from)
}

/// Named choices with words of their own → their names.
fn choose(own: &mut Map<String, Value>) {
    let choices = own.get("oneOf").and_then(Value::as_array);
    let names = choices.map(|all| all.iter().map(|one| one.get("const").cloned()));
    let names: Option<Vec<Value>> = names.and_then(Iterator::collect);
    if let Some(names) = names {
        own.remove("oneOf");
        own.insert("type".to_owned(), "string".into());
        own.insert("enum".to_owned(), Value::Array(names));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(name: &str) -> Section {
        let found = sections().into_iter().find(|section| section.name == name);
        found.unwrap()
    }

    #[test]
    fn keys_are_in_the_order_of_their_types() {
        let names = |name: &str| {
            let knobs = section(name).knobs.into_iter();
            knobs.map(|knob| knob.name).collect::<Vec<_>>()
        };
        assert_eq!(names(""), ["data_dir", "utc_offset"]);
        assert_eq!(names("live.websocket"), ["most_connections", "quiet_secs"]);
        assert_eq!(names("live.webhooks")[..3], ["name", "url", "secret"]);
        let sections = sections();
        let order: Vec<&str> = sections.iter().map(|section| &*section.name).collect();
        assert_eq!(order[..4], ["", "log", "analyze", "speech"], "{order:?}");
    }

    #[test]
    fn a_key_has_all_that_is_said_of_it() {
        let find = |section: Section, name: &str| {
            let knob = section.knobs.into_iter().find(|knob| knob.name == name);
            knob.unwrap()
        };
        let probability = find(section("speech.endpoint"), "speech_prob");
        assert_eq!(probability.default, Some(0.3.into()));
        let Takes::Number(range) = probability.takes else {
            panic!("{:?}", probability.takes);
        };
        assert_eq!(range.to_string(), "0.01 to 0.99");
        let role = find(section("live.keys"), "role");
        let roles = ["supervisor", "inspector", "integrator", "support"].map(str::to_owned);
        assert_eq!(role.takes, Takes::Choice(roles.to_vec()));
        assert!(role.is_needed && role.default.is_none());
        let secret = find(section("live.webhooks"), "secret");
        assert!(secret.is_secret && !secret.is_needed);
        assert_eq!(secret.takes, Takes::Text(16));
        assert_eq!(find(section("live"), "idle_ms").unit(), "milliseconds");
    }

    #[test]
    fn every_key_has_words_and_a_default_or_an_example() {
        for section in sections() {
            for knob in &section.knobs {
                let place = format!("{}.{}", section.name, knob.name);
                assert!(!knob.words.is_empty(), "{place}");
                assert!(knob.default.is_some() || knob.example.is_some(), "{place}");
            }
        }
    }

    #[test]
    fn no_number_is_in_no_range() {
        let range = Range {
            least: Some(0.0),
            most: None,
        };
        assert!(range.contains(0.0) && range.contains(f64::INFINITY));
        assert!(!range.contains(-0.1) && !range.contains(f64::NAN));
        assert!(Range::default().contains(f64::NAN));
    }
}

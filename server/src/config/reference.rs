//! The keys of the configuration for people: as a page, and as a file to begin from.

use std::fmt::Write;

use serde_json::Value;

use super::schema::{Knob, SectionKind, Takes, sections};

const HEAD: &str = "\
# Configuration reference

Every key of `auricle.toml`, as the program reads it. `auricle config reference` writes this page: change the words at the keys' types, and not here.
[configuration.md](configuration.md) is the guide.
";
const TABLE_HEAD: &str = "| key | takes | default | what |\n| --- | --- | --- | --- |\n";
/// Letters of a line of comment.
const LINE: usize = 100;

/// The page docs/configuration-reference.md.
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    for section in sections() {
        let _ = match (&*section.name, &section.kind) {
            ("", _) => write!(page, "\n## Before the first table\n"),
            (name, SectionKind::List) => write!(page, "\n## `[[{name}]]`\n"),
            (name, _) => write!(page, "\n## `[{name}]`\n"),
        };
        let times = match section.kind {
            SectionKind::List => " Any number of times.",
            _ => "",
        };
        let words = match &*section.name {
            "" => "",
            _ => &*section.words,
        };
        if !words.is_empty() {
            let _ = write!(page, "\n{words}{times}\n");
        }
        if let SectionKind::Names(example) = &section.kind {
            for (name, value) in example {
                let _ = write!(page, "\nFor example `{name} = {}`.\n", as_toml(value));
            }
        }
        if !section.knobs.is_empty() {
            let _ = write!(page, "\n{TABLE_HEAD}");
        }
        for knob in &section.knobs {
            let default = match (&knob.default, knob.is_needed) {
                (Some(default), _) => format!("`{}`", as_toml(default)),
                (None, true) => "needed".to_owned(),
                (None, false) => String::new(),
            };
            let words = knob.words.replace('|', "\\|");
            let words = match (&knob.default, &knob.example) {
                (None, Some(example)) => format!("{words} Example: `{}`", as_toml(example)),
                _ => words,
            };
            let takes = takes(knob);
            let _ = writeln!(page, "| `{}` | {takes} | {default} | {words} |", knob.name);
        }
    }
    page
}

/// What a key takes, in words.
fn takes(knob: &Knob) -> String {
    let of = said(&knob.takes);
    match knob.unit() {
        "" => of,
        unit => format!("{of} {unit}"),
    }
}

fn said(takes: &Takes) -> String {
    let number = |kind: &str, range: String| match range.is_empty() {
        true => kind.to_owned(),
        false => format!("{kind}, {range}"),
    };
    match takes {
        Takes::Whole(range) => number("whole number", range.to_string()),
        Takes::Number(range) => number("number", range.to_string()),
        Takes::Flag => "`true` or `false`".to_owned(),
        Takes::Text(0 | 1) => "text".to_owned(),
        Takes::Text(least) => format!("text, {least} characters and more"),
        Takes::Choice(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("`\"{name}\"`")).collect();
            names.join(", ")
        }
        Takes::List(one) => match &**one {
            Takes::Choice(_) => format!("list of {}", said(one)),
            one => format!("list of {}s", said(one)),
        },
    }
}

/// A file that says what is so without it: keys with their defaults; those without one, and tables that may be there any number
/// of times, are comments that show an example.
pub(crate) fn template() -> String {
    let mut file = String::new();
    for section in sections() {
        // What is in a list is an example altogether.
        let off = match section.kind {
            SectionKind::List => "#",
            _ => "",
        };
        if !section.name.is_empty() {
            file.push('\n');
            comment(&mut file, &section.words);
        }
        let _ = match (&*section.name, &section.kind) {
            ("", _) => Ok(()),
            (name, SectionKind::List) => writeln!(file, "#[[{name}]]"),
            (name, _) => writeln!(file, "[{name}]"),
        };
        if let SectionKind::Names(example) = &section.kind {
            for (name, value) in example {
                let _ = writeln!(file, "#{name} = {}", as_toml(value));
            }
        }
        for knob in &section.knobs {
            file.push('\n');
            comment(&mut file, &format!("{} ({})", knob.words, takes(knob)));
            let _ = match (&knob.default, &knob.example) {
                (Some(default), _) => writeln!(file, "{off}{} = {}", knob.name, as_toml(default)),
                (None, Some(example)) => writeln!(file, "#{} = {}", knob.name, as_toml(example)),
                (None, None) => writeln!(file, "#{} =", knob.name),
            };
        }
    }
    file.trim_start().to_owned()
}

fn comment(file: &mut String, words: &str) {
    let mut line = String::new();
    for word in words.split(' ') {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= LINE {
            let _ = writeln!(file, "#{line}");
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    if !line.trim().is_empty() {
        let _ = writeln!(file, "#{line}");
    }
}

/// A value as it is written in the file.
pub(crate) fn as_toml(value: &Value) -> String {
    let inner = |all: &[Value]| all.iter().map(as_toml).collect::<Vec<_>>().join(", ");
    match value {
        Value::Array(all) => format!("[{}]", inner(all)),
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_with_what_it_takes() {
        let page = page();
        for row in [
            "| `idle_ms` | whole number, 1 to 100 milliseconds | `5` | How long a stage with nothing to do sleeps. |",
            "| `events` | list of `\"call_started\"`,",
            "| `url` | text | needed | Where events are sent. Example: `\"https://crm.example/auricle\"` |",
            "For example `zh = \"zh-zipformer-3.3m\"`.",
            "## `[[live.webhooks]]`",
        ] {
            assert!(page.contains(row), "{row} in {page}");
        }
    }

    #[test]
    fn comments_are_no_longer_than_a_line() {
        let template = template();
        let comments = template.lines().filter(|line| line.starts_with("# "));
        assert!(comments.clone().count() > 50);
        for line in comments {
            assert!(line.chars().count() <= LINE + 2, "{line}");
        }
    }
}

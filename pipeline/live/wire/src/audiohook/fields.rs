//! The structured fields that signatures are made of (RFC 8941, as far as RFC 9421 and the other side use them).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Longest integer (RFC 8941, section 3.3.1).
const NUMBER_DIGITS: usize = 15;

/// What `Signature-Input` says: a dictionary with one member, an inner list of strings that has parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) label: String,
    pub(super) components: Vec<String>,
    pub(super) parameters: Vec<(String, Parameter)>,
}

/// The value of a parameter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Text(String),
    Number(u64),
}

impl Input {
    /// Reads the header; `None` where it is anything else, or names something twice.
    pub(super) fn read(header: &str) -> Option<Self> {
        let mut scanner = Scanner { rest: header };
        let label = scanner.key()?.to_owned();
        scanner.eat('=')?;
        let components = scanner.components()?;
        let parameters = scanner.parameters()?;
        scanner.rest.is_empty().then_some(Self {
            label,
            components,
            parameters,
        })
    }

    /// A text among the parameters.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.parameter(key)? {
            Parameter::Text(text) => Some(text),
            Parameter::Number(_) => None,
        }
    }

    /// A number among the parameters.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        match self.parameter(key)? {
            Parameter::Number(number) => Some(*number),
            Parameter::Text(_) => None,
        }
    }

    fn parameter(&self, key: &str) -> Option<&Parameter> {
        let found = self.parameters.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value)
    }

    /// How all of it but the label is signed: as it must be written (RFC 9421, section 2.3), which need not be as it came.
    pub(super) fn signed(&self) -> String {
        let components: Vec<_> = self.components.iter().map(|name| quoted(name)).collect();
        let parameters = self.parameters.iter().map(|(key, value)| match value {
            Parameter::Text(text) => format!(";{key}={}", quoted(text)),
            Parameter::Number(number) => format!(";{key}={number}"),
        });
        let parameters: String = parameters.collect();
        format!("({}){parameters}", components.join(" "))
    }
}

/// Reads `Signature`, a dictionary with one member, a byte sequence: its label and the bytes.
pub(super) fn read_signature(header: &str) -> Option<(String, Vec<u8>)> {
    let mut scanner = Scanner { rest: header };
    let label = scanner.key()?.to_owned();
    scanner.eat('=')?;
    scanner.eat(':')?;
    let base64 = scanner.rest.strip_suffix(':')?;
    let bytes = BASE64_STANDARD.decode(base64).ok()?;
    Some((label, bytes))
}

/// A string as it is written (RFC 8941, section 4.1.6).
pub(super) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// What is left of a header.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn eat(&mut self, expected: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let kept = self.rest.trim_start_matches(fits);
        let taken = self.rest.strip_suffix(kept).unwrap_or_default();
        self.rest = kept;
        taken
    }

    /// RFC 8941, section 3.1.2.
    fn key(&mut self) -> Option<&'a str> {
        let begins = |ch: char| ch.is_ascii_lowercase() || ch == '*';
        let goes_on = |ch: char| begins(ch) || ch.is_ascii_digit() || "_-.".contains(ch);
        let key = self.take_while(goes_on);
        key.starts_with(begins).then_some(key)
    }

    /// RFC 8941, section 3.3.3.
    fn text(&mut self) -> Option<String> {
        self.eat('"')?;
        let mut text = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => text.push(chars.next().filter(|ch| "\"\\".contains(*ch))?),
                ch @ ' '..='~' => text.push(ch),
                _ => return None,
            }
        }
        self.rest = chars.as_str();
        Some(text)
    }

    /// RFC 8941, section 3.3.1; nothing here is below 0.
    fn number(&mut self) -> Option<u64> {
        let digits = self.take_while(|ch| ch.is_ascii_digit());
        let fits = (1..=NUMBER_DIGITS).contains(&digits.len());
        fits.then(|| digits.parse().ok()).flatten()
    }

    /// RFC 8941, section 3.1.1. Strings with parameters are not known here.
    fn components(&mut self) -> Option<Vec<String>> {
        let mut components = Vec::new();
        self.eat('(')?;
        self.skip_spaces();
        while self.eat(')').is_none() {
            let component = self.text()?;
            if components.contains(&component) || !self.rest.starts_with([' ', ')']) {
                return None;
            }
            components.push(component);
            self.skip_spaces();
        }
        Some(components)
    }

    /// RFC 8941, section 3.1.2.
    fn parameters(&mut self) -> Option<Vec<(String, Parameter)>> {
        let mut parameters: Vec<(String, Parameter)> = Vec::new();
        while self.eat(';').is_some() {
            self.skip_spaces();
            let key = self.key()?;
            self.eat('=')?;
            let value = match self.rest.starts_with('"') {
                true => Parameter::Text(self.text()?),
                false => Parameter::Number(self.number()?),
            };
            if parameters.iter().any(|(known, _)| known == key) {
                return None;
            }
            parameters.push((key.to_owned(), value));
        }
        Some(parameters)
    }
}

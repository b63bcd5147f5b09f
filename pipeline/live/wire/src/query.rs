//! Queries of addresses: `application/x-www-form-urlencoded`, as the URL standard has it.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use crate::limits::Limits;

/// Values of outsiders are shown up to this many characters.
const SHOWN_CHARS: usize = 40;
/// As many digits may be somebody's number.
const NUMBER_DIGITS: usize = 7;
/// Longest language tag that everybody must take (RFC 5646, section 4.4.1).
const LANGUAGE_TAG_BYTES: usize = 35;
/// Longest name of a parameter that is repeated in a message.
const NAME_BYTES: usize = 40;

/// Why a query is refused. No message holds more of it than names of parameters and short technical values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryError {
    /// The query as a whole.
    #[error("query has {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Bytes as they were sent.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Repeated parameters count each time.
    #[error("query has more than {limit} parameters")]
    TooManyParameters {
        /// What is allowed.
        limit: usize,
    },
    /// A value is not UTF-8, or has control characters.
    #[error(
        "`{name}` is not text\nhint: values are UTF-8, percent-encoded, without control characters"
    )]
    NotText {
        /// The parameter.
        name: &'static str,
    },
    /// A parameter that may stand once has two values.
    #[error("`{name}` is given twice, with different values")]
    Twice {
        /// The parameter.
        name: &'static str,
    },
    /// A parameter that must be there.
    #[error("`{name}` is missing\nhint: {hint}")]
    Missing {
        /// The parameter.
        name: &'static str,
        /// What to give.
        hint: &'static str,
    },
    /// A value that cannot be.
    #[error("`{name}` must be {expected}, got `{got}`")]
    Invalid {
        /// The parameter.
        name: &'static str,
        /// What it may be.
        expected: Cow<'static, str>,
        /// What it is.
        got: Shown,
    },
    /// An id that cannot be; it is not shown, for it may hold a number or a name.
    #[error("`{name}` must be {expected}")]
    InvalidId {
        /// The parameter.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// A value, or several together, that is too long.
    #[error("`{name}` has {n} {unit}, more than {limit}")]
    TooMuch {
        /// The parameter.
        name: &'static str,
        /// What there is.
        n: usize,
        /// Bytes, terms or tokens.
        unit: &'static str,
        /// What is allowed.
        limit: usize,
    },
    /// A parameter that asks for what is not done.
    #[error("`{name}` is not taken: {why}")]
    NotTaken {
        /// The parameter.
        name: &'static str,
        /// Why not, and what can be done instead.
        why: &'static str,
    },
}

/// A technical value as a message may show it: short, visible ASCII, and nothing that may be a telephone number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    pub(crate) fn new(value: &str) -> Self {
        let n_digits = value.chars().filter(char::is_ascii_digit).count();
        if n_digits >= NUMBER_DIGITS {
            return Self("…".to_owned());
        }
        let visible = |ch: char| if ch.is_ascii_graphic() { ch } else { '?' };
        let shown = value.chars().take(SHOWN_CHARS).map(visible);
        let more = value.chars().nth(SHOWN_CHARS).map(|_| '…');
        Self(shown.filter(|ch| *ch != '`').chain(more).collect())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A parameter that was accepted and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Its name; empty where the name itself was not fit to be shown.
    pub name: String,
    /// Why it has no effect.
    pub why: &'static str,
}

impl fmt::Display for Ignored {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => write!(out, "a parameter has no effect: {}", self.why),
            name => write!(out, "`{name}` has no effect: {}", self.why),
        }
    }
}

impl Ignored {
    /// A parameter of ours.
    pub(crate) fn known(name: &'static str, why: &'static str) -> Self {
        let name = name.to_owned();
        Self { name, why }
    }

    /// A name from outside, which may be anything: only one that looks like a parameter is kept.
    pub(crate) fn unknown(name: &str) -> Self {
        let fits = name.len() <= NAME_BYTES
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let name = if fits { name.to_owned() } else { String::new() };
        let why = "it is not known here";
        Self { name, why }
    }
}

/// Parameters in the order they stand, decoded.
pub(crate) fn pairs(query: &str, limits: &Limits) -> Result<Vec<(String, String)>, QueryError> {
    let query = query.strip_prefix('?').unwrap_or(query);
    if query.len() > limits.query_bytes {
        return Err(QueryError::TooLong {
            n_bytes: query.len(),
            limit_bytes: limits.query_bytes,
        });
    }
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    let pairs: Vec<_> = pairs.take(limits.query_parameters + 1).collect();
    match pairs.len() > limits.query_parameters {
        true => Err(QueryError::TooManyParameters {
            limit: limits.query_parameters,
        }),
        false => Ok(pairs),
    }
}

/// One value of a parameter that may stand once: what is said twice must be the same. Empty values say nothing.
#[derive(Debug, Default)]
pub(crate) struct Once(Option<String>);

impl Once {
    pub(crate) fn set(&mut self, name: &'static str, value: String) -> Result<(), QueryError> {
        if value.is_empty() {
            return Ok(());
        }
        if !is_text(&value) {
            return Err(QueryError::NotText { name });
        }
        match &self.0 {
            Some(known) if *known != value => Err(QueryError::Twice { name }),
            _ => {
                self.0 = Some(value);
                Ok(())
            }
        }
    }

    /// The value as it is.
    pub(crate) fn text(self) -> Option<String> {
        self.0
    }

    /// One of the names, with what it stands for.
    pub(crate) fn choice<Value: Copy>(
        self,
        name: &'static str,
        choices: &[(&str, Value)],
    ) -> Result<Option<Value>, QueryError> {
        let Some(value) = self.0 else { return Ok(None) };
        let found = choices
            .iter()
            .find(|(choice, _)| value.eq_ignore_ascii_case(choice));
        match found {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => Err(invalid(name, one_of(choices), &value)),
        }
    }

    /// `true` or `false`; what is not said is `false`.
    pub(crate) fn truth(self, name: &'static str) -> Result<bool, QueryError> {
        let choices = [("true", true), ("false", false)];
        Ok(self.choice(name, &choices)?.unwrap_or(false))
    }

    /// A language tag: letters, digits and hyphens (RFC 5646, section 2.1). Whether there is a model for it is for
    /// others to say.
    pub(crate) fn language_tag(self, name: &'static str) -> Result<Option<String>, QueryError> {
        let Some(tag) = self.0 else { return Ok(None) };
        let is_tag = tag.len() <= LANGUAGE_TAG_BYTES
            && tag.starts_with(|ch: char| ch.is_ascii_alphabetic())
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let expected = Cow::Borrowed("a language tag such as zh or en-US");
        match is_tag {
            true => Ok(Some(tag)),
            false => Err(invalid(name, expected, &tag)),
        }
    }

    /// A whole number of this range.
    pub(crate) fn number(
        self,
        name: &'static str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<Option<u32>, QueryError> {
        let Some(value) = self.0 else { return Ok(None) };
        let number = value.parse().ok().filter(|number| range.contains(number));
        let expected = || Cow::Owned(format!("{} to {}", range.start(), range.end()));
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(invalid(name, expected(), &value)),
        }
    }
}

/// The error for a technical value.
pub(crate) fn invalid(name: &'static str, expected: Cow<'static, str>, got: &str) -> QueryError {
    let got = Shown::new(got);
    QueryError::Invalid {
        name,
        expected,
        got,
    }
}

/// Whether there is nothing in it that terminals or files could stumble over, or that was not UTF-8.
pub(crate) fn is_text(value: &str) -> bool {
    !value
        .chars()
        .any(|ch| ch.is_control() || ch == char::REPLACEMENT_CHARACTER)
}

fn one_of<Value>(choices: &[(&str, Value)]) -> Cow<'static, str> {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    match names.split_last() {
        Some((last, [])) => Cow::Owned((*last).to_owned()),
        Some((last, rest)) => Cow::Owned(format!("{} or {last}", rest.join(", "))),
        None => Cow::Borrowed("left out"),
    }
}

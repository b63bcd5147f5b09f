//! Why a question was answered so, in the card's language.

use auricle_contracts::{Answer, Hit};

use super::format::MetricRange;
use super::{CallView, Card, PersonAnswer};

/// Language of reasons: Mandarin for `zh…`, English for all others.
#[derive(Clone, Copy)]
pub(super) enum Reasons {
    Mandarin,
    English,
}

impl Reasons {
    pub(super) fn of(card: &Card) -> Self {
        match card.language.starts_with("zh") {
            true => Self::Mandarin,
            false => Self::English,
        }
    }

    const fn pick(self, mandarin: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Mandarin => mandarin,
            Self::English => english,
        }
    }

    /// What did not hit, and what could not: no pack has it.
    pub(super) fn lacking(self, call: &CallView<'_>, known: &[&str], unknown: &[&str]) -> String {
        let (not_found, not_loaded) = match self {
            Self::Mandarin => ("未出现 ", "未加载含有以下规则的规则包："),
            Self::English => ("no ", "no pack is loaded with the rule "),
        };
        let parts = [(not_found, known), (not_loaded, unknown)];
        let parts = parts.into_iter().filter(|(_, rules)| !rules.is_empty());
        let parts = parts.map(|(text, rules)| {
            let name = |rule: &&str| self.named(call.title_of(rule), rule);
            let rules: Vec<String> = rules.iter().map(name).collect();
            format!("{text}{}", self.listed(&rules))
        });
        self.joined(&parts.collect::<Vec<_>>())
    }

    /// Several reasons as one.
    pub(super) fn joined(self, reasons: &[String]) -> String {
        reasons.join(self.pick("；", "; "))
    }

    fn listed(self, names: &[String]) -> String {
        names.join(self.pick("、", ", "))
    }

    /// The rules that hit, how often, and why the first of them did.
    pub(super) fn found(self, call: &CallView<'_>, hits: &[usize]) -> String {
        let mut rules: Vec<(&Hit, usize)> = Vec::new();
        for hit in hits.iter().map(|&place| &call.hits[place]) {
            match rules.iter_mut().find(|(first, _)| first.rule == hit.rule) {
                Some((_, n)) => *n += 1,
                None => rules.push((hit, 1)),
            }
        }
        let rules = rules.into_iter().map(|(hit, n)| match n {
            1 => self.named(hit.title.trim(), &hit.rule),
            _ => format!("{} × {n}", self.named(hit.title.trim(), &hit.rule)),
        });
        let rules = self.listed(&rules.collect::<Vec<_>>());
        match hits.first().map(|&place| call.hits[place].why.trim()) {
            Some(why) if !why.is_empty() => format!("{rules}{}{why}", self.pick("：", ": ")),
            _ => rules,
        }
    }

    /// A rule's title with its id behind it, or its id where it has no other name.
    fn named(self, title: &str, rule: &str) -> String {
        match (title.is_empty() || title == rule, self) {
            (true, _) => format!("`{rule}`"),
            (false, Self::Mandarin) => format!("{title}（`{rule}`）"),
            (false, Self::English) => format!("{title} (`{rule}`)"),
        }
    }

    pub(super) fn measured(self, range: &MetricRange, value: Option<f64>) -> String {
        let (english, mandarin) = range.name.names();
        let name = self.named(self.pick(mandarin, english), range.name.as_str());
        match (value, self) {
            (None, Self::Mandarin) => format!("{name}未测得"),
            (None, Self::English) => format!("{name} was not measured"),
            (Some(value), Self::Mandarin) => {
                format!("{name}为 {}，要求 {range}", rounded(value))
            }
            (Some(value), Self::English) => {
                format!("{name} is {}, asked for {range}", rounded(value))
            }
        }
    }

    pub(super) fn not_applicable(self, missing: String) -> String {
        let text = self.pick("不适用，本通不符合", "does not apply: the call has not");
        format!("{text} `{missing}`")
    }

    pub(super) fn left_to_person(self) -> String {
        self.pick("待人工评定", "left to a person").into()
    }

    /// `automatic` is what the card itself would have answered, and why.
    pub(super) fn person(self, person: &PersonAnswer, automatic: Answer, why: &str) -> String {
        let said = match person.note.trim() {
            "" => self.pick("人工评定", "answered by a person").to_owned(),
            note => format!("{}{note}", self.noted()),
        };
        if automatic == person.answer {
            return said;
        }
        let (before, after) = self.around_automatic();
        format!("{said}{before}{why}{after}")
    }

    /// What stands before a person's note.
    const fn noted(self) -> &'static str {
        self.pick("人工评定：", "answered by a person: ")
    }

    /// What stands before and after the card's own reason, where a person answered otherwise.
    const fn around_automatic(self) -> (&'static str, &'static str) {
        match self {
            Self::Mandarin => ("（自动评定：", "）"),
            Self::English => (" (the card itself: ", ")"),
        }
    }

    pub(super) const fn other_rules(self) -> &'static str {
        self.pick("其他规则", "Other rules")
    }
}

/// The start of an item's reason that a person wrote, with what introduces it; empty where no person noted
/// anything.
pub(crate) fn note_of(why: &str) -> &str {
    let languages = [Reasons::Mandarin, Reasons::English];
    let mut languages = languages.into_iter();
    let Some(language) = languages.find(|language| why.starts_with(language.noted())) else {
        return "";
    };
    let (before, after) = language.around_automatic();
    let end = match why.ends_with(after) {
        true => why.rfind(before),
        false => None,
    };
    &why[..end.unwrap_or(why.len())]
}

/// Two digits after the point at most.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

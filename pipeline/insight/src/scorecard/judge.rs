//! The answer to one question, by rules and measures.

use auricle_contracts::{Answer, Party};

use super::CallView;
use super::format::{AnsweredBy, AppliesWhen, MetadataIs, MetricRange, Question, Speaker};
use super::reason::Reasons;

/// How a question was answered.
pub(super) struct Judged {
    pub(super) answer: Answer,
    /// Share of its points that are kept, 0 to 1.
    pub(super) kept: f64,
    pub(super) auto_fail: bool,
    /// Places in the call's hits.
    pub(super) hits: Vec<usize>,
    pub(super) why: String,
}

impl Judged {
    fn open(why: String) -> Self {
        Self {
            answer: Answer::NotApplicable,
            kept: 0.0,
            auto_fail: false,
            hits: Vec::new(),
            why,
        }
    }
}

/// Answers `question` from the call alone.
pub(super) fn judge(question: &Question, call: &CallView<'_>, reasons: Reasons) -> Judged {
    if let Some(when) = &question.applies_when
        && let Some(missing) = missing(when, call)
    {
        return Judged::open(reasons.not_applicable(missing));
    }
    if question.answer == AnsweredBy::Manual {
        return Judged::open(reasons.left_to_person());
    }
    let parts = [
        unless(question, call, reasons),
        needs(question, call, reasons),
        question
            .metric
            .as_ref()
            .map(|range| metric(range, call, reasons)),
    ];
    let parts: Vec<Part> = parts.into_iter().flatten().collect();
    let measured = parts
        .iter()
        .filter(|part| part.answer != Answer::NotApplicable);
    let decides: Vec<&Part> = match measured.clone().any(|part| part.answer == Answer::No) {
        true => measured.filter(|part| part.answer == Answer::No).collect(),
        false => measured.collect(),
    };
    let Some(first) = decides.first() else {
        let why: Vec<String> = parts.into_iter().map(|part| part.why).collect();
        return Judged::open(reasons.joined(&why));
    };
    let answer = first.answer;
    let why: Vec<String> = decides.iter().map(|part| part.why.clone()).collect();
    let is_fatal = question.auto_fail || decides.iter().any(|part| part.auto_fail);
    Judged {
        answer,
        kept: decides.iter().map(|part| part.kept).fold(1.0, f64::min),
        auto_fail: answer == Answer::No && is_fatal,
        hits: decides.iter().flat_map(|part| part.hits.clone()).collect(),
        why: reasons.joined(&why),
    }
}

/// One thing that a question is answered by.
struct Part {
    answer: Answer,
    kept: f64,
    auto_fail: bool,
    hits: Vec<usize>,
    why: String,
}

/// Places of the hits of any of `rules`.
fn hits_of(rules: &[String], call: &CallView<'_>) -> Vec<usize> {
    let hits = call.hits.iter().enumerate();
    hits.filter(|(_, hit)| rules.iter().any(|rule| hit.is_of(rule)))
        .map(|(place, _)| place)
        .collect()
}

/// Those of `rules` that were looked for, and those that no pack has.
fn sorted<'r>(rules: &'r [String], call: &CallView<'_>) -> (Vec<&'r str>, Vec<&'r str>) {
    let rules = rules.iter().map(String::as_str);
    rules.partition(|rule| call.looks_for(rule))
}

fn unless(question: &Question, call: &CallView<'_>, reasons: Reasons) -> Option<Part> {
    let rules = &question.unless_rules;
    if rules.is_empty() {
        return None;
    }
    let hits = hits_of(rules, call);
    let (known, unknown) = sorted(rules, call);
    if hits.is_empty() {
        let answer = match known.is_empty() {
            true => Answer::NotApplicable,
            false => Answer::Yes,
        };
        return Some(Part {
            answer,
            kept: if answer == Answer::Yes { 1.0 } else { 0.0 },
            auto_fail: false,
            hits,
            why: reasons.lacking(call, &known, &unknown),
        });
    }
    let lost = question.deduct_per_hit.map_or(1.0, |deduct| {
        f64::from(deduct) * hits.len() as f64 / f64::from(question.weight.max(f32::MIN_POSITIVE))
    });
    Some(Part {
        answer: Answer::No,
        kept: (1.0 - lost).max(0.0),
        auto_fail: hits.iter().any(|&place| call.hits[place].auto_fail),
        why: reasons.found(call, &hits),
        hits,
    })
}

fn needs(question: &Question, call: &CallView<'_>, reasons: Reasons) -> Option<Part> {
    let rules = &question.needs_rules;
    if rules.is_empty() {
        return None;
    }
    let hits = hits_of(rules, call);
    let has_hit = |rule: &String| hits.iter().any(|&place| call.hits[place].is_of(rule));
    let missing: Vec<String> = rules
        .iter()
        .filter(|rule| !has_hit(rule))
        .cloned()
        .collect();
    let (known, unknown) = sorted(&missing, call);
    let answer = match (known.is_empty(), unknown.is_empty()) {
        (true, true) => Answer::Yes,
        (true, false) => Answer::NotApplicable,
        (false, _) => Answer::No,
    };
    Some(Part {
        answer,
        kept: if answer == Answer::Yes { 1.0 } else { 0.0 },
        auto_fail: false,
        why: match answer {
            Answer::Yes => reasons.found(call, &hits),
            _ => reasons.lacking(call, &known, &unknown),
        },
        // What is lacking decides, not what is there.
        hits: if answer == Answer::No {
            Vec::new()
        } else {
            hits
        },
    })
}

fn metric(range: &MetricRange, call: &CallView<'_>, reasons: Reasons) -> Part {
    let value = range.name.value(call);
    let is_inside = |value: f64| {
        range.min.is_none_or(|min| value >= f64::from(min))
            && range.max.is_none_or(|max| value <= f64::from(max))
    };
    let answer = match value {
        None => Answer::NotApplicable,
        Some(value) if is_inside(value) => Answer::Yes,
        Some(_) => Answer::No,
    };
    Part {
        answer,
        kept: if answer == Answer::Yes { 1.0 } else { 0.0 },
        auto_fail: false,
        hits: Vec::new(),
        why: reasons.measured(range, value),
    }
}

/// The first part of `when` that the call lacks, as it is spelled in the card.
pub(super) fn missing(when: &AppliesWhen, call: &CallView<'_>) -> Option<String> {
    let lacks = |key: &str, names: &[String]| format!("{key}: [{}]", names.join(", "));
    if !when.rules.is_empty() && hits_of(&when.rules, call).is_empty() {
        return Some(lacks("rules", &when.rules));
    }
    if !hits_of(&when.no_rules, call).is_empty() {
        return Some(lacks("no_rules", &when.no_rules));
    }
    if !when.intents.is_empty() && !has_intent(when, call) {
        return Some(lacks("intents", &when.intents));
    }
    if let Some(speaker) = when.party
        && !spoke(speaker, call)
    {
        return Some(format!("party: {}", speaker.party()));
    }
    when.metadata
        .as_ref()
        .and_then(|metadata| metadata.missing(call))
}

fn has_intent(when: &AppliesWhen, call: &CallView<'_>) -> bool {
    let mut intents = call
        .utterances
        .iter()
        .flat_map(|utterance| &utterance.intents);
    intents.any(|intent| intent.confidence >= when.at_least && when.intents.contains(&intent.label))
}

fn spoke(speaker: Speaker, call: &CallView<'_>) -> bool {
    let mut parties = call.metrics.parties.iter();
    parties.any(|talk| talk.party == speaker.party())
}

impl Speaker {
    const fn party(self) -> Party {
        match self {
            Self::Agent => Party::Agent,
            Self::Customer => Party::Customer,
        }
    }
}

impl MetadataIs {
    fn missing(&self, call: &CallView<'_>) -> Option<String> {
        let wanted = [
            ("agent", &self.agent, &call.metadata.agent),
            ("campaign", &self.campaign, &call.metadata.campaign),
            ("region", &self.region, &call.metadata.region),
        ];
        let mut lacking = wanted.into_iter().filter(|(_, wanted, known)| {
            !wanted.is_empty() && !known.as_ref().is_some_and(|known| wanted.contains(known))
        });
        lacking
            .next()
            .map(|(key, wanted, _)| format!("{key}: [{}]", wanted.join(", ")))
    }
}

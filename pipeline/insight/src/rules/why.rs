//! What a hit rests on, in words that a QA inspector understands.

use auricle_contracts::{Evidence, Party, PiiSpan, names_of_label};

use super::evaluate::{Evaluator, Moment, Proof, Shows, form, letters_of, regex_span, times};
use super::format::{Side, TextForm};
use super::lexicon::Lexicon;
use super::matches::{Found, Occurrence, Span};
use super::past::Other;
use super::phrase::lower;
use super::program::{About, Kind, Link, NodeId, Phrase, RegexLeaf, RuleSet, SaysLeaf, WatchId};
use crate::{Facts, Spoken, TalkEvent};

/// The language of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    Chinese,
    English,
}

/// More pieces of evidence are not listed for one hit.
const MOST_PROOFS: usize = 16;
/// More characters of one utterance are not quoted.
const MOST_QUOTED: usize = 80;

/// More phrases are not given for what was not said.
const MOST_SAMPLES: usize = 2;

impl Tongue {
    fn party(self, party: Party) -> &'static str {
        match (self, party) {
            (Self::Chinese, Party::Agent) => "客服",
            (Self::Chinese, Party::Customer) => "客户",
            (Self::Chinese, Party::Unknown) => "说话人",
            (Self::English, Party::Agent) => "the agent",
            (Self::English, Party::Customer) => "the customer",
            (Self::English, Party::Unknown) => "the speaker",
        }
    }

    fn side(self, side: Side) -> &'static str {
        match side {
            Side::Agent => self.party(Party::Agent),
            Side::Customer => self.party(Party::Customer),
            Side::Any => match self {
                Self::Chinese => "双方",
                Self::English => "anybody",
            },
        }
    }

    /// What an intent is called; one of a model of somebody's own keeps its name.
    fn label(self, label: &str) -> &str {
        match (names_of_label(label), self) {
            (Some((_, chinese)), Self::Chinese) => chinese,
            (Some((english, _)), Self::English) => english,
            (None, _) => label,
        }
    }

    fn quoted(self, text: &str) -> String {
        let short: String = text.chars().take(MOST_QUOTED).collect();
        let more = if short.len() < text.len() { "…" } else { "" };
        match self {
            Self::Chinese => format!("“{short}{more}”"),
            Self::English => format!("\"{short}{more}\""),
        }
    }

    /// Some clauses one after the other.
    pub(super) fn joined(self, clauses: &[String]) -> String {
        clauses.join(match self {
            Self::Chinese => "；",
            Self::English => "; ",
        })
    }

    /// One sentence of some clauses.
    pub(super) fn sentence(self, clauses: &[String]) -> String {
        let text = self.joined(clauses);
        match self {
            Self::Chinese => format!("{text}。"),
            Self::English => {
                let mut letters = text.chars();
                let first: String = letters
                    .next()
                    .into_iter()
                    .flat_map(char::to_uppercase)
                    .collect();
                format!("{first}{}.", letters.as_str())
            }
        }
    }
}

/// Gathers proofs of conditions that hold now.
pub(super) struct Witness<'e, 'a> {
    pub(super) evaluator: &'e mut Evaluator<'a>,
    pub(super) tongue: Tongue,
}

impl Witness<'_, '_> {
    /// What `id` rests on, the most telling first.
    pub(super) fn proofs(&mut self, id: NodeId) -> Vec<Proof> {
        let mut proofs = Vec::new();
        self.gather(id, &mut proofs);
        leave_out_lacks(&mut proofs);
        tell_one_absence(&mut proofs);
        proofs.truncate(MOST_PROOFS);
        show_once(&mut proofs);
        proofs
    }

    fn gather(&mut self, id: NodeId, proofs: &mut Vec<Proof>) {
        if proofs.len() >= MOST_PROOFS {
            return;
        }
        let set = self.evaluator.set;
        let node = &set.nodes[id];
        match &node.kind {
            Kind::All(nodes) => nodes.iter().for_each(|&inner| self.gather(inner, proofs)),
            Kind::Any(nodes) | Kind::AtLeast(_, nodes) => {
                let most = match &node.kind {
                    Kind::AtLeast(n, _) => *n,
                    _ => 1,
                };
                proofs.extend(self.most_telling(nodes, most).into_iter().flatten());
            }
            Kind::Not { .. } => proofs.extend(self.not()),
            Kind::InCall(watch) => self.recall(*watch, proofs),
            Kind::After { later, link, about } => match about {
                About::Later => {
                    self.gather(*later, proofs);
                    self.other(*later, link, proofs);
                }
                About::Earlier => {
                    self.other(*later, link, proofs);
                    self.gather(*later, proofs);
                }
            },
            Kind::Repeated {
                what,
                watch,
                times,
                within,
            } => {
                self.gather(*what, proofs);
                let held = self.evaluator.holds(*what);
                let others =
                    held.and_then(|held| self.evaluator.others(&held, *watch, *times, *within));
                let past = &self.evaluator.call.memories[*watch].past;
                for past in past.range(others.unwrap_or_default()).rev() {
                    proofs.extend(past.proofs.iter().cloned());
                }
            }
            Kind::NotSaid { what, by_ms, .. } => {
                let clause = self.missing(*what, *by_ms, node.view.side);
                proofs.push(Proof {
                    evidence: None,
                    clause,
                    shows: Shows::Absence,
                });
            }
            Kind::Metadata(_) => {}
            kind => self.leaf(kind, proofs),
        }
    }

    /// What those of `nodes` rest on that hold, each by itself: the `most` that tell most, the most telling first.
    fn most_telling(&mut self, nodes: &[NodeId], most: usize) -> Vec<Vec<Proof>> {
        let utterance = self.evaluator.moment.utterance();
        let mut found: Vec<(Tells, Vec<Proof>)> = Vec::new();
        let mut n_now = 0;
        for &inner in nodes {
            if n_now < most && self.evaluator.holds(inner).is_some() {
                let mut own = Vec::new();
                self.gather(inner, &mut own);
                let tells = Tells::of(&own, utterance);
                n_now += usize::from(tells == Tells::Now);
                found.push((tells, own));
            }
        }
        found.sort_by_key(|(tells, _)| *tells);
        found.truncate(most);
        found.into_iter().map(|(_, proofs)| proofs).collect()
    }

    /// What was watched, now or before.
    fn recall(&mut self, watch: WatchId, proofs: &mut Vec<Proof>) {
        let past = self.evaluator.call.memories[watch].past.back();
        match (self.evaluator.now.watch(watch), past) {
            (None, Some(past)) => proofs.extend(past.proofs.iter().cloned()),
            _ => self.gather(self.evaluator.set.watches[watch].node, proofs),
        }
    }

    /// The other of two things that go together.
    fn other(&mut self, later: NodeId, link: &Link, proofs: &mut Vec<Proof>) {
        let held = self.evaluator.holds(later);
        match held.and_then(|held| self.evaluator.other(&held, link)) {
            Some(Other::Before(place)) => {
                let past = self.evaluator.call.memories[link.watch].past.get(place);
                proofs.extend(past.iter().flat_map(|past| past.proofs.iter().cloned()));
            }
            Some(Other::Now) => self.gather(self.evaluator.set.watches[link.watch].node, proofs),
            None => {}
        }
    }

    fn not(&self) -> Option<Proof> {
        let Moment::Utterance(spoken, _) = self.evaluator.moment else {
            return None;
        };
        let who = self.tongue.party(spoken.party());
        let words = whole(spoken);
        let quoted = self.tongue.quoted(&words);
        Some(Proof {
            evidence: Some(utterance_evidence(spoken, words)),
            clause: match self.tongue {
                Tongue::Chinese => format!("{who}说了{quoted}，其中没有规则要求的内容"),
                Tongue::English => format!("{who} said {quoted} without what the rule asks for"),
            },
            shows: Shows::Lack,
        })
    }

    fn missing(&self, what: NodeId, by_ms: Option<u64>, side: Side) -> String {
        let side = match self.evaluator.set.nodes[what].view.side {
            Side::Any => side,
            own => own,
        };
        let who = self.tongue.side(side);
        let unsaid = self.unsaid(what);
        let secs = by_ms.map(|ms| ms as f64 / 1000.0);
        match self.tongue {
            Tongue::Chinese => {
                let when = match secs {
                    Some(secs) => format!("通话前{secs}秒内"),
                    None => "整通电话中".to_owned(),
                };
                format!("{when}{who}没有说{unsaid}")
            }
            Tongue::English => {
                let when = match secs {
                    Some(secs) => format!("in the first {secs} s"),
                    None => "in the whole call".to_owned(),
                };
                format!("{when} {who} did not say {unsaid}")
            }
        }
    }

    /// What would have done, by some of its words; the condition's name where it has none.
    fn unsaid(&self, id: NodeId) -> String {
        let mut samples = Vec::new();
        self.samples(id, &mut samples);
        let samples: Vec<String> = samples
            .iter()
            .map(|text| self.tongue.quoted(text))
            .collect();
        let name = self.evaluator.set.nodes[id].name.as_deref();
        match (self.tongue, samples.as_slice(), name) {
            (Tongue::Chinese, [], None) => "规则要求的内容".to_owned(),
            (Tongue::Chinese, [], Some(name)) => format!("规则要求的内容（{name}）"),
            (Tongue::Chinese, samples, _) => format!("{}之类的话", samples.join("、")),
            (Tongue::English, [], None) => "what the rule asks for".to_owned(),
            (Tongue::English, [], Some(name)) => format!("what the rule asks for ({name})"),
            (Tongue::English, samples, _) => format!("{} or the like", samples.join(", ")),
        }
    }

    /// Some phrases that would have done, one of each list before the second of any.
    fn samples(&self, id: NodeId, samples: &mut Vec<String>) {
        let mut lists = Vec::new();
        phrase_lists(self.evaluator.set, id, &mut lists);
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        let lists = &lists;
        let in_turn =
            (0..longest).flat_map(|place| lists.iter().filter_map(move |list| list.get(place)));
        for phrase in in_turn {
            if samples.len() == MOST_SAMPLES {
                return;
            }
            // One letter tells nothing.
            let n_letters = phrase
                .sample
                .chars()
                .filter(|letter| letter.is_alphanumeric());
            if n_letters.count() > 1 && !samples.contains(&phrase.sample) {
                samples.push(phrase.sample.clone());
            }
        }
    }

    fn leaf(&mut self, kind: &Kind, proofs: &mut Vec<Proof>) {
        match self.evaluator.moment {
            Moment::Utterance(spoken, facts) => match kind {
                Kind::Entity(kinds) => {
                    let span = facts.pii.iter().find(|span| kinds.contains(&span.kind));
                    proofs.extend(span.map(|span| self.entity(span)));
                }
                Kind::Says(says) => {
                    let leaf = &self.evaluator.set.says[*says];
                    self.says(leaf, spoken, proofs);
                }
                Kind::Regex(leaf) => proofs.extend(self.regex(leaf, spoken)),
                _ => proofs.push(self.measured(kind, spoken, &facts)),
            },
            Moment::Late(span, _) => {
                if matches!(kind, Kind::Entity(_)) {
                    proofs.push(self.entity(span));
                }
            }
            Moment::Talk(event) => proofs.push(self.talk(event)),
            Moment::Deadline(_) | Moment::Finish(_) => {}
        }
    }

    fn says(&mut self, leaf: &SaysLeaf, spoken: &Spoken<'_>, proofs: &mut Vec<Proof>) {
        // Of phrases that would do each, the one that begins first, and of those the longest.
        let mut best: Option<(Span, &Phrase)> = None;
        for phrase in &leaf.any {
            for span in self.evaluator.phrase(phrase, leaf) {
                let rank = |span: Span| (span.from, std::cmp::Reverse(span.to));
                if best.is_none_or(|(known, _)| rank(span) < rank(known)) {
                    best = Some((span, phrase));
                }
            }
        }
        let mut found: Vec<(Span, &Phrase)> = best.into_iter().collect();
        let of = leaf.at_least.iter().flat_map(|(_, of)| of);
        for phrase in leaf.all.iter().chain(of) {
            let first = self.evaluator.phrase(phrase, leaf).first().copied();
            found.extend(first.map(|span| (span, phrase)));
        }
        for (span, phrase) in found {
            proofs.push(self.phrase(phrase, span, spoken));
        }
    }

    fn phrase(&self, phrase: &Phrase, span: Span, spoken: &Spoken<'_>) -> Proof {
        let (start_ms, end_ms) = times(spoken, span);
        let words = quote(spoken, span);
        let mut clause = self.said(spoken, &words);
        let keywords = self.keywords(phrase, span);
        let lexicon = &self.evaluator.set.lexicon;
        let shown = in_a_row(lexicon, &keywords);
        let how = keywords
            .iter()
            .map(|found| found.found)
            .max()
            .unwrap_or(Found::Letters);
        clause.push_str(&self.how(how, &shown, &words));
        Proof {
            evidence: Some(Evidence {
                utterance: Some(spoken.idx),
                party: spoken.party(),
                start_ms,
                end_ms,
                words,
            }),
            clause,
            shows: Shows::What,
        }
    }

    fn said(&self, spoken: &Spoken<'_>, words: &str) -> String {
        let (who, quoted) = (self.tongue.party(spoken.party()), self.tongue.quoted(words));
        match self.tongue {
            Tongue::Chinese => format!("{who}说了{quoted}"),
            Tongue::English => format!("{who} said {quoted}"),
        }
    }

    /// The alternative that was found, where it is not what was said letter for letter.
    fn how(&self, how: Found, keywords: &str, words: &str) -> String {
        fn letters(text: &str) -> impl Iterator<Item = char> {
            let is_shown = |letter: &char| letter.is_alphanumeric() || *letter == '…';
            text.chars().filter(is_shown).map(lower)
        }
        match (self.tongue, how) {
            (_, Found::Letters) if letters(keywords).eq(letters(words)) => String::new(),
            (Tongue::Chinese, Found::Letters) => format!("（关键词“{keywords}”）"),
            (Tongue::Chinese, Found::Sound) => format!("（读音与关键词“{keywords}”相同）"),
            (Tongue::Chinese, Found::NearSound | Found::Slip) => {
                format!("（读音与关键词“{keywords}”相近）")
            }
            (Tongue::English, Found::Letters) => format!(" (keywords \"{keywords}\")"),
            (Tongue::English, Found::Sound) => format!(" (it sounds like \"{keywords}\")"),
            (Tongue::English, Found::NearSound | Found::Slip) => {
                format!(" (it sounds much like \"{keywords}\")")
            }
        }
    }

    /// The keywords of `phrase` in `span`, from left to right, the longest first where several begin.
    fn keywords(&self, phrase: &Phrase, span: Span) -> Vec<Occurrence> {
        let lexicon = &self.evaluator.set.lexicon;
        let is_of = |found: &Occurrence| {
            let own = lexicon.classes_of.get(found.term);
            own.iter()
                .any(|class| phrase.classes.binary_search(class).is_ok())
        };
        let inside = |found: &Occurrence| found.span.from >= span.from && found.span.to <= span.to;
        let occurrences = self.evaluator.matches.occurrences.iter();
        let mut candidates: Vec<Occurrence> = occurrences
            .filter(|found| inside(found) && is_of(found))
            .copied()
            .collect();
        // Keywords have no order of their own that would not depend on other rules but that of their letters.
        candidates.sort_by_key(|found| {
            (
                found.span.from,
                std::cmp::Reverse(found.span.to),
                found.found,
                &lexicon.terms[found.term as usize].keyword,
            )
        });
        let (mut chosen, mut at) = (Vec::new(), span.from);
        for found in candidates {
            if found.span.from >= at {
                at = found.span.to;
                chosen.push(found);
            }
        }
        chosen
    }

    fn regex(&self, leaf: &RegexLeaf, spoken: &Spoken<'_>) -> Option<Proof> {
        let text = form(leaf, spoken);
        let bytes = regex_span(leaf, spoken)?;
        let words = text.get(bytes.0..bytes.1)?.to_owned();
        let span = letters_of(spoken, text, bytes);
        let (start_ms, end_ms) = match leaf.on {
            TextForm::Spoken => times(spoken, span),
            TextForm::Written => (spoken.utterance.start_ms, spoken.utterance.end_ms),
        };
        let clause = self.said(spoken, &words);
        let clause = match self.tongue {
            Tongue::Chinese => format!("{clause}（由正则表达式找到）"),
            Tongue::English => format!("{clause} (found by a regular expression)"),
        };
        Some(Proof {
            evidence: Some(Evidence {
                utterance: Some(spoken.idx),
                party: spoken.party(),
                start_ms,
                end_ms,
                words,
            }),
            clause,
            shows: Shows::What,
        })
    }

    fn measured(&self, kind: &Kind, spoken: &Spoken<'_>, facts: &Facts<'_>) -> Proof {
        let zh = self.tongue == Tongue::Chinese;
        let who = self.tongue.party(spoken.party());
        let words = whole(spoken);
        let said = self.said(spoken, &words);
        let evidence = utterance_evidence(spoken, words);
        let clause = match kind {
            Kind::Similar(similarity, _) => {
                let percent = similarity.score(spoken) * 100.0;
                match zh {
                    true => format!("{said}，与规则的例句相似度{percent:.0}%"),
                    false => format!("{said}, {percent:.0} % like the rule's examples"),
                }
            }
            Kind::Intent(label, _) => {
                let label = &self.evaluator.set.labels[*label];
                let known = facts.intents.iter().find(|intent| intent.label == *label);
                let percent = known.map_or(0.0, |intent| intent.confidence * 100.0);
                let label = self.tongue.label(label);
                match zh {
                    true => format!("{said}，判定为“{label}”（把握{percent:.0}%）"),
                    false => format!("{said}, understood as {label} ({percent:.0} % sure)"),
                }
            }
            Kind::Emotion(label, _) => {
                let percent = facts
                    .emotion
                    .map_or(0.0, |emotion| emotion.confidence * 100.0);
                match zh {
                    true => format!("{said}，情绪为{}（把握{percent:.0}%）", label.in_chinese()),
                    false => format!(
                        "{said} in a mood that is {} ({percent:.0} % sure)",
                        label.as_str()
                    ),
                }
            }
            Kind::SpeechRate { .. } => {
                let rate = facts.rate_per_minute.unwrap_or_default();
                match zh {
                    true => format!("{who}语速每分钟{rate:.0}字"),
                    false => format!("{who} spoke {rate:.0} syllables a minute"),
                }
            }
            _ => {
                let rise = facts.loudness_rise_db.unwrap_or_default();
                match zh {
                    true => format!("{who}音量比此前高{rise:.1}分贝"),
                    false => format!("{who} spoke {rise:.1} dB louder than before"),
                }
            }
        };
        Proof {
            evidence: Some(evidence),
            clause,
            shows: Shows::What,
        }
    }

    /// The data itself is told nowhere.
    fn entity(&self, span: &PiiSpan) -> Proof {
        let (who, name) = (self.tongue.party(span.party), span.kind.as_str());
        Proof {
            evidence: Some(Evidence {
                utterance: span.places.last().map(|place| place.utterance),
                party: span.party,
                start_ms: span.start_ms,
                end_ms: span.end_ms,
                words: format!("[{name}]"),
            }),
            clause: match self.tongue {
                Tongue::Chinese => format!("{who}说出了个人信息（{name}）"),
                Tongue::English => format!("{who} said personal data ({name})"),
            },
            shows: Shows::What,
        }
    }

    fn talk(&self, event: TalkEvent) -> Proof {
        let zh = self.tongue == Tongue::Chinese;
        let (party, start_ms, end_ms, clause) = match event {
            TalkEvent::Silence(silence) => {
                let secs = silence.end_ms.saturating_sub(silence.start_ms) as f64 / 1000.0;
                let clause = match zh {
                    true => format!("{secs:.1}秒无人说话"),
                    false => format!("{secs:.1} s of silence"),
                };
                (Party::Unknown, silence.start_ms, silence.end_ms, clause)
            }
            TalkEvent::Interruption(talk) => {
                let who = self.tongue.party(talk.by);
                let ms = talk.overlap_ms;
                let clause = match zh {
                    true => format!("{who}打断对方，重叠{ms}毫秒"),
                    false => format!("{who} interrupted, both talked for {ms} ms"),
                };
                (talk.by, talk.at_ms, talk.at_ms.saturating_add(ms), clause)
            }
        };
        Proof {
            evidence: Some(Evidence {
                utterance: None,
                party,
                start_ms,
                end_ms,
                words: clause.clone(),
            }),
            clause,
            shows: Shows::What,
        }
    }
}

/// Phrases of which each list would have done, or been a part of it.
fn phrase_lists<'s>(set: &'s RuleSet, id: NodeId, lists: &mut Vec<Vec<&'s Phrase>>) {
    match &set.nodes[id].kind {
        Kind::Says(says) => {
            let leaf = &set.says[*says];
            let of = leaf.at_least.iter().flat_map(|(_, of)| of);
            lists.push(leaf.any.iter().chain(&leaf.all).chain(of).collect());
        }
        Kind::All(nodes) | Kind::Any(nodes) | Kind::AtLeast(_, nodes) => {
            for &inner in nodes {
                phrase_lists(set, inner, lists);
            }
        }
        Kind::After { later, .. } => phrase_lists(set, *later, lists),
        _ => {}
    }
}

/// What an inspector learns from one of several conditions, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tells {
    /// What was found in the utterance or event at hand.
    Now,
    /// What was found before.
    Before,
    /// What was never said.
    Unsaid,
    /// What is lacking.
    Lack,
    Nothing,
}

impl Tells {
    /// `utterance` is the one at hand.
    fn of(proofs: &[Proof], utterance: Option<usize>) -> Self {
        let of_one = |proof: &Proof| match (proof.shows, &proof.evidence) {
            (Shows::Lack, _) => Self::Lack,
            (Shows::What, Some(evidence)) if evidence.utterance == utterance => Self::Now,
            (Shows::What, Some(_)) => Self::Before,
            (Shows::Absence, _) | (Shows::What, None) => Self::Unsaid,
        };
        proofs.iter().map(of_one).min().unwrap_or(Self::Nothing)
    }
}

/// What is lacking in an utterance is not told where something in it is: that is what the hit is about.
fn leave_out_lacks(proofs: &mut Vec<Proof>) {
    let utterance = |proof: &Proof| proof.evidence.as_ref().and_then(|found| found.utterance);
    let found = proofs.iter().filter(|proof| proof.shows == Shows::What);
    let told: Vec<usize> = found.filter_map(utterance).collect();
    let is_told = |proof: &Proof| utterance(proof).is_some_and(|idx| told.contains(&idx));
    proofs.retain(|proof| proof.shows != Shows::Lack || !is_told(proof));
}

fn tell_one_absence(proofs: &mut Vec<Proof>) {
    let mut is_told = false;
    proofs.retain(|proof| {
        let is_one_more = proof.shows == Shows::Absence && is_told;
        is_told |= proof.shows == Shows::Absence;
        !is_one_more
    });
}

/// What several conditions rest on is shown once; what each of them says of it stays.
fn show_once(proofs: &mut [Proof]) {
    for place in 1..proofs.len() {
        let (before, rest) = proofs.split_at_mut(place);
        let own = &mut rest[0].evidence;
        if own.is_some() && before.iter().any(|proof| proof.evidence == *own) {
            *own = None;
        }
    }
}

/// Keywords as text, `…` where other letters stand between them.
fn in_a_row(lexicon: &Lexicon, keywords: &[Occurrence]) -> String {
    let mut text = String::new();
    let mut at = None;
    for found in keywords {
        if at.is_some_and(|at| at < found.span.from) {
            text.push('…');
        }
        text.push_str(&lexicon.terms[found.term as usize].keyword.written());
        at = Some(found.span.to);
    }
    text
}

fn utterance_evidence(spoken: &Spoken<'_>, words: String) -> Evidence {
    Evidence {
        utterance: Some(spoken.idx),
        party: spoken.party(),
        start_ms: spoken.utterance.start_ms,
        end_ms: spoken.utterance.end_ms,
        words,
    }
}

fn source_text<'s>(spoken: &'s Spoken<'_>) -> &'s str {
    match spoken.utterance.spoken.is_empty() {
        true => &spoken.utterance.text,
        false => &spoken.utterance.spoken,
    }
}

/// The whole utterance as it was heard.
fn whole(spoken: &Spoken<'_>) -> String {
    source_text(spoken).to_owned()
}

/// The words as they were heard.
pub(super) fn quote(spoken: &Spoken<'_>, span: Span) -> String {
    let at = |letter: u32| spoken.letters.get(letter as usize).map(|letter| letter.at);
    let from = at(span.from).unwrap_or(0);
    let to = span
        .to
        .checked_sub(1)
        .and_then(at)
        .map_or(from, |last| last + 1);
    source_text(spoken)
        .chars()
        .skip(from)
        .take(to.saturating_sub(from))
        .collect()
}

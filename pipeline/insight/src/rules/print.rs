//! Fingerprints of single rules: what re-scoring need not look at again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use sha2::{Digest, Sha256};

use super::format::{Condition, Guard, Pack, Rule};
use super::phrase::{Piece, Sequence, parse};
use super::reader::At;
use super::says::Says;

/// Bytes of a fingerprint: 64 bits tell all versions of a rule apart.
const PRINT_BYTES: usize = 8;

/// What a part of a pack stands for.
type Digested = [u8; 32];

/// A part of a pack, and the parts that it names.
struct Part {
    own: Digested,
    names: Names,
}

#[derive(Debug, Default)]
struct Names {
    conditions: BTreeSet<String>,
    lists: BTreeSet<String>,
}

/// Fingerprints of one pack's rules: of each rule as it was read, of all it names, however deep, and of what the pack
/// says for all rules. Titles of the pack, its version, its tests and the places of things in the file are in none.
pub(super) struct Prints {
    pack: Digested,
    guards: Names,
    lists: BTreeMap<String, Part>,
    conditions: BTreeMap<String, Part>,
}

impl Prints {
    pub(super) fn new(pack: &Pack) -> Self {
        let mut guards = Names::default();
        for guard in [&pack.negation, &pack.reported].into_iter().flatten() {
            guards.add_guard(guard);
        }
        let shared = (&pack.pack, &pack.language, &pack.negation, &pack.reported);
        let lists = pack.words.iter().map(|(name, list)| {
            let mut names = Names::default();
            names.add_phrases(list.value.iter().flatten());
            (name.clone(), Part::new(list, names))
        });
        let conditions = pack.conditions.iter().map(|(name, condition)| {
            let mut names = Names::default();
            names.add(condition);
            (name.clone(), Part::new(condition, names))
        });
        Self {
            pack: digest(&shared),
            guards,
            lists: lists.collect(),
            conditions: conditions.collect(),
        }
    }

    /// Names of the conditions and of the lists that any of the rules rests on, however deep.
    pub(super) fn needs<'a>(
        &self,
        rules: impl IntoIterator<Item = &'a Rule>,
    ) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut needed = Names::default();
        for rule in rules {
            let reached = self.reached(rule);
            needed.conditions.extend(reached.conditions);
            needed.lists.extend(reached.lists);
        }
        (needed.conditions, needed.lists)
    }

    /// Changes whenever the rule may fire otherwise, or its hits say something else: hexadecimal.
    pub(super) fn of(&self, rule: &Rule) -> String {
        let reached = self.reached(rule);
        let mut hasher = Sha256::new();
        hasher.update(self.pack);
        hasher.update(digest(rule));
        for (names, parts) in [
            (&reached.conditions, &self.conditions),
            (&reached.lists, &self.lists),
        ] {
            for name in names {
                hasher.update(digest(name));
                hasher.update(parts.get(name).map_or([0; 32], |part| part.own));
            }
        }
        let print = &hasher.finalize()[..PRINT_BYTES];
        print.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn reached(&self, rule: &Rule) -> Names {
        let mut reached = Names::default();
        reached.add(&rule.when);
        let mut waiting: Vec<String> = reached.conditions.iter().cloned().collect();
        while let Some(name) = waiting.pop() {
            let Some(part) = self.conditions.get(&name) else {
                continue;
            };
            reached.lists.extend(part.names.lists.iter().cloned());
            for below in &part.names.conditions {
                if reached.conditions.insert(below.clone()) {
                    waiting.push(below.clone());
                }
            }
        }
        reached.lists.extend(self.guards.lists.iter().cloned());
        let mut waiting: Vec<String> = reached.lists.iter().cloned().collect();
        while let Some(name) = waiting.pop() {
            let part = self.lists.get(&name);
            for below in part.iter().flat_map(|part| &part.names.lists) {
                if reached.lists.insert(below.clone()) {
                    waiting.push(below.clone());
                }
            }
        }
        reached
    }
}

impl Part {
    fn new(written: &impl Debug, names: Names) -> Self {
        Self {
            own: digest(written),
            names,
        }
    }
}

/// Of a value as [`Debug`] shows it: everything but places.
fn digest(written: &(impl Debug + ?Sized)) -> Digested {
    Sha256::digest(format!("{written:?}")).into()
}

impl Names {
    fn add(&mut self, at: &At<Condition>) {
        let Some(condition) = &at.value else { return };
        match condition {
            Condition::Says(at) => self.add_says(at),
            Condition::Is(at) => self.conditions.extend(at.value.clone()),
            Condition::All(all) | Condition::Any(all) => all.iter().for_each(|at| self.add(at)),
            Condition::AtLeast(at_least) => at_least.of.iter().for_each(|at| self.add(at)),
            Condition::Not(at) | Condition::InCall(at) => self.add(at),
            Condition::After(order) | Condition::Before(order) | Condition::Near(order) => {
                self.add(&order.what);
                self.add(&order.anchor);
            }
            Condition::Repeated(at) => at
                .value
                .iter()
                .for_each(|repeated| self.add(&repeated.what)),
            Condition::NotSaid(at) => at
                .value
                .iter()
                .for_each(|not_said| self.add(&not_said.what)),
            Condition::Scoped(scoped) => self.add(&scoped.what),
            Condition::Regex(_)
            | Condition::Similar(_)
            | Condition::Intent(_)
            | Condition::Entity(_)
            | Condition::Emotion(_)
            | Condition::SpeechRate(_)
            | Condition::LoudnessRise(_)
            | Condition::Silence(_)
            | Condition::Interruption(_)
            | Condition::Metadata(_) => {}
        }
    }

    fn add_says(&mut self, at: &At<Says>) {
        let Some(Says(says)) = &at.value else { return };
        self.add_phrases(&says.any);
        self.add_phrases(&says.all);
        self.add_phrases(says.at_least.iter().flat_map(|at_least| &at_least.of));
        self.add_phrases(&says.unless);
    }

    fn add_guard(&mut self, at: &At<Guard>) {
        let Some(guard) = &at.value else { return };
        self.add_phrases(&guard.words);
        self.add_phrases(&guard.except);
    }

    fn add_phrases<'a>(&mut self, phrases: impl IntoIterator<Item = &'a At<String>>) {
        for phrase in phrases.into_iter().filter_map(|at| at.value.as_ref()) {
            // Most name nothing, and lists may have ten thousand.
            if phrase.contains('<') {
                parse(phrase)
                    .iter()
                    .for_each(|sequence| self.add_sequence(sequence));
            }
        }
    }

    fn add_sequence(&mut self, sequence: &Sequence) {
        for piece in sequence {
            match piece {
                Piece::List(name) => {
                    self.lists.insert(name.clone());
                }
                Piece::Group(ways) | Piece::Optional(ways) => {
                    ways.iter().for_each(|way| self.add_sequence(way));
                }
                Piece::Letters(_)
                | Piece::Numbers(_)
                | Piece::Gap(_)
                | Piece::Start
                | Piece::End => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::PackFile;
    use super::super::program::RuleSet;

    const PACK: &str = "\
pack: p
title: a title
words:
  no: [不]
  item: [保险, <fund>]
  fund: [基金]
  other: [股票]
negation: {words: [<no>]}
conditions:
  sells: {says: '买<item>'}
  greets: {says: 您好}
  late: {after: {what: {is: sells}, anchor: {is: greets}}}
rules:
  - {id: deep, when: {is: late}}
  - {id: flat, when: {says: '<other>'}}
tests:
  - {text: 您好, fires: []}
";

    fn prints(yaml: &str) -> Vec<String> {
        let files = [PackFile::read("p.yaml", yaml.as_bytes())];
        let compiled = RuleSet::compile(&files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let rules = compiled.rules.rules().iter();
        rules.map(|rule| rule.print().to_owned()).collect()
    }

    /// Which of the two rules are others after a change.
    fn changes(from: &str, to: &str) -> [bool; 2] {
        assert!(PACK.contains(from), "{from}");
        let (before, after) = (prints(PACK), prints(&PACK.replace(from, to)));
        [before[0] != after[0], before[1] != after[1]]
    }

    #[test]
    fn a_rule_changes_with_all_it_names_and_with_nothing_else() {
        let (same, deep, flat, both) = ([false; 2], [true, false], [false, true], [true; 2]);
        for (from, to, expected) in [
            ("title: a title", "title: another\nversion: 7", same),
            ("text: 您好", "text: 你好", same),
            ("rules:\n", "rules:\n\n# lines move\n", same),
            ("基金", "信托", deep),
            ("says: 您好", "says: 你好", deep),
            ("is: late}", "is: late}, deduct: 3", deep),
            ("股票", "期货", flat),
            ("id: flat", "id: even", flat),
            ("pack: p", "pack: q", both),
            ("pack: p", "pack: p\nlanguage: en", both),
            ("negation: {", "negation: {within: 1, ", both),
            ("no: [不]", "no: [别]", both),
        ] {
            assert_eq!(changes(from, to), expected, "{from} → {to}");
        }
    }
}

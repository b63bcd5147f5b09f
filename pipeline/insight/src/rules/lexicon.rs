//! The keywords of all packs, each once, and the phrases made of them.

use std::collections::{BTreeSet, HashMap};

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use auricle_pinyin::{readings, word_readings};

use super::lists::Lists;
use super::phrase::{Keyword, is_wordy};
use super::says::Sound;
use super::sounds::{Hearing, SoundTrie, Sounding};

/// Places in [`Lexicon::terms`], [`Lexicon::classes`] and [`Lexicon::groups`].
pub(super) type TermId = u32;
pub(super) type ClassId = u32;
pub(super) type GroupId = u32;
/// A phrase of a condition: they are numbered one after the other.
pub(super) type PhraseId = u32;

/// A keyword with the way it is heard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Term {
    pub(super) keyword: Keyword,
    pub(super) hearing: Hearing,
    pub(super) n_letters: u32,
}

/// Keywords of which any will do.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) n_terms: u32,
    /// Letters of the shortest.
    pub(super) shortest: u32,
}

/// What a step of a phrase matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    Class(ClassId),
    Group(GroupId),
}

/// Whether a step may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Need {
    Needed,
    Optional,
}

/// One step of a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    One(Source, Need),
    Gap(u32),
    Start,
    End,
}

/// Steps one after the other.
pub(super) type Steps = Vec<Step>;

/// Any of some keywords and sequences.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) class: Option<ClassId>,
    pub(super) ways: Vec<Steps>,
    pub(super) includes: Vec<GroupId>,
    /// One of these classes occurs wherever the group matches.
    pub(super) triggers: Vec<ClassId>,
}

/// All keywords, ready to be looked for.
#[derive(Debug)]
pub(super) struct Lexicon {
    pub(super) terms: Vec<Term>,
    /// By term.
    pub(super) classes_of: Lists,
    pub(super) n_classes: usize,
    pub(super) groups: Vec<Group>,
    /// By class: groups and phrases of which it is a trigger.
    pub(super) groups_of: Lists,
    pub(super) phrases_of: Lists,
    /// Finds letters; its patterns are `spelled`'s.
    pub(super) automaton: AhoCorasick,
    /// Terms by pattern.
    pub(super) spelled: Lists,
    /// By term, whether its words must be words of the text, too.
    pub(super) has_words: Vec<bool>,
    pub(super) sounds: SoundTrie,
}

/// Readings of a keyword rarer than this share of the likeliest are not listened for.
const LEAST_READING: f32 = 0.2;

/// Takes keywords in.
#[derive(Debug, Default)]
pub(super) struct LexiconBuilder {
    terms: Vec<Term>,
    term_ids: HashMap<(Keyword, Hearing), TermId>,
    classes: Vec<Class>,
    class_ids: HashMap<Vec<TermId>, ClassId>,
    classes_of: Vec<Vec<ClassId>>,
    groups: Vec<Group>,
    n_memberships: usize,
}

impl LexiconBuilder {
    pub(super) fn term(&mut self, keyword: &Keyword, sound: Sound) -> TermId {
        let all_hanzi = keyword
            .letters
            .chars()
            .all(|letter| !readings(letter).is_empty());
        let n_letters = keyword.letters.chars().count();
        let hearing = Hearing::of(sound, if all_hanzi { n_letters } else { 0 });
        if let Some(&known) = self.term_ids.get(&(keyword.clone(), hearing)) {
            return known;
        }
        let term = self.terms.len() as TermId;
        self.terms.push(Term {
            keyword: keyword.clone(),
            hearing,
            n_letters: n_letters as u32,
        });
        self.classes_of.push(Vec::new());
        self.term_ids.insert((keyword.clone(), hearing), term);
        term
    }

    /// The class of these terms.
    pub(super) fn class(&mut self, mut terms: Vec<TermId>) -> ClassId {
        terms.sort_unstable();
        terms.dedup();
        if let Some(&known) = self.class_ids.get(&terms) {
            return known;
        }
        let class = self.classes.len() as ClassId;
        let lengths = terms
            .iter()
            .map(|&term| self.terms[term as usize].n_letters);
        self.classes.push(Class {
            n_terms: terms.len() as u32,
            shortest: lengths.min().unwrap_or(0),
        });
        for &term in &terms {
            self.classes_of[term as usize].push(class);
        }
        self.n_memberships += terms.len();
        self.class_ids.insert(terms, class);
        class
    }

    /// Places of keywords in lists, all together: what memory and time grow with.
    pub(super) const fn n_memberships(&self) -> usize {
        self.n_memberships
    }

    pub(super) fn n_terms(&self) -> usize {
        self.terms.len()
    }

    /// Takes a group in; its triggers are found here.
    pub(super) fn group(&mut self, mut group: Group) -> GroupId {
        let mut triggers: BTreeSet<ClassId> = group.class.into_iter().collect();
        for way in &group.ways {
            triggers.extend(self.triggers(way));
        }
        for &included in &group.includes {
            triggers.extend(&self.groups[included as usize].triggers);
        }
        group.triggers = triggers.into_iter().collect();
        self.groups.push(group);
        self.groups.len() as GroupId - 1
    }

    /// Classes of which one occurs wherever `steps` match: those of the step that is likely the rarest.
    pub(super) fn triggers(&self, steps: &[Step]) -> Vec<ClassId> {
        let needed = steps.iter().filter_map(|step| match step {
            Step::One(source, Need::Needed) => Some(self.triggers_of(*source)),
            _ => None,
        });
        needed
            .max_by_key(|classes| self.rarity(classes))
            .unwrap_or_default()
    }

    fn triggers_of(&self, source: Source) -> Vec<ClassId> {
        match source {
            Source::Class(class) => vec![class],
            Source::Group(group) => self.groups[group as usize].triggers.clone(),
        }
    }

    /// Long keywords are rare, few keywords rarer than many.
    pub(super) fn rarity(&self, classes: &[ClassId]) -> (u32, std::cmp::Reverse<u32>) {
        let infos = || classes.iter().map(|&class| &self.classes[class as usize]);
        let shortest = infos().map(|class| class.shortest).min().unwrap_or(0);
        let n_terms: u32 = infos().map(|class| class.n_terms).sum();
        (shortest.min(4), std::cmp::Reverse(n_terms))
    }

    pub(super) fn finish(self) -> Result<Lexicon, BuildError> {
        let mut patterns: Vec<&str> = Vec::new();
        let mut pattern_ids: HashMap<&str, usize> = HashMap::new();
        let mut spelled: Vec<Vec<TermId>> = Vec::new();
        for (id, term) in (0..).zip(&self.terms) {
            let letters = term.keyword.letters.as_str();
            let pattern = *pattern_ids.entry(letters).or_insert_with(|| {
                patterns.push(letters);
                spelled.push(Vec::new());
                patterns.len() - 1
            });
            spelled[pattern].push(id);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&patterns)?;
        let sounds = SoundTrie::new(soundings(&self.terms));
        let mut groups_of = vec![Vec::new(); self.classes.len()];
        for (id, group) in (0..).zip(&self.groups) {
            for &class in &group.triggers {
                groups_of[class as usize].push(id);
            }
        }
        Ok(Lexicon {
            groups_of: Lists::new(&groups_of),
            phrases_of: Lists::new(&[]),
            automaton,
            spelled: Lists::new(&spelled),
            has_words: self
                .terms
                .iter()
                .map(|term| term.keyword.letters.chars().any(is_wordy))
                .collect(),
            sounds,
            terms: self.terms,
            classes_of: Lists::new(&self.classes_of),
            n_classes: self.classes.len(),
            groups: self.groups,
        })
    }
}

/// All classes that `steps` are made of, rising.
pub(super) fn classes_in(lexicon: &Lexicon, steps: &[Step]) -> Vec<ClassId> {
    let sources = |steps: &[Step]| -> Vec<Source> {
        let sources = steps.iter().filter_map(|step| match step {
            Step::One(source, _) => Some(*source),
            _ => None,
        });
        sources.collect()
    };
    let mut open = sources(steps);
    let (mut classes, mut seen) = (Vec::new(), BTreeSet::new());
    while let Some(source) = open.pop() {
        match source {
            Source::Class(class) => classes.push(class),
            Source::Group(id) if seen.insert(id) => {
                let group = &lexicon.groups[id as usize];
                classes.extend(group.class);
                open.extend(group.includes.iter().map(|&id| Source::Group(id)));
                open.extend(group.ways.iter().flat_map(|way| sources(way)));
            }
            Source::Group(_) => {}
        }
    }
    classes.sort_unstable();
    classes.dedup();
    classes
}

fn soundings(terms: &[Term]) -> Vec<Sounding> {
    let mut soundings = Vec::new();
    for (id, term) in (0..).zip(terms) {
        if term.hearing == Hearing::Letters {
            continue;
        }
        let ways = word_readings(&term.keyword.letters);
        let best = ways.first().map_or(0.0, |(_, prob)| *prob);
        let mut seen = BTreeSet::new();
        for (syllables, prob) in ways {
            let key: Vec<_> = match term.hearing {
                Hearing::Toned => syllables.clone(),
                _ => syllables
                    .iter()
                    .map(|syllable| syllable.toneless())
                    .collect(),
            };
            if prob >= LEAST_READING * best && seen.insert(key) {
                soundings.push(Sounding {
                    term: id,
                    hearing: term.hearing,
                    syllables: syllables.into(),
                });
            }
        }
    }
    soundings
}

//! The likeliest words over a row of slots: beam search over lexicon and language model.
//!
//! Position `i` lies before slot `i`. From every position that a hypothesis has reached, all words
//! whose syllables stand in the following slots are walked out of the lexicon's trie, scored by
//! `sound + language model`, and put down at the position after them. Hypotheses in the same state
//! of the language model at the same position are one.

use std::sync::Arc;

use auricle_pinyin::Syllable;
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::slots::{Slot, SlotKind};
use crate::lm::{Histories, LanguageData, LanguageModel, Lexicon, MixedModel, Node, WordId};

/// Longest word, in slots with skipped ones counted.
const MAX_SPAN: usize = 12;
/// A syllable that stays without a word costs this much, natural log.
const UNREAD_LOG_PROB: f32 = -18.0;

/// A slot that may be skipped with less than this (one half, natural log) was heard by most paths. Words cost
/// and silence does not, so a single 对 or 五 would be read as nothing: where such a slot is, something is read.
const SURELY_SPOKEN: f32 = -std::f32::consts::LN_2;

/// How sounds and words are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LatticeSettings {
    /// Factor on the language model's log probabilities.
    #[schemars(range(min = 0, max = 10))]
    pub lm_weight_ratio: f32,
    /// Added for every word, natural log; above 0 favours more, shorter words.
    #[schemars(range(min = -20, max = 20))]
    pub word_bonus: f32,
    /// Added for every syllable heard, natural log; makes up for what the language model charges each.
    #[schemars(range(min = -20, max = 20))]
    pub syllable_bonus: f32,
    /// Hypotheses kept at each position.
    #[schemars(range(min = 1, max = 1_000))]
    pub n_hypotheses: usize,
    /// Words kept for each stretch of sound, best first by sound and frequency.
    #[schemars(range(min = 1, max = 10_000))]
    pub n_words: usize,
}

impl Default for LatticeSettings {
    fn default() -> Self {
        Self {
            lm_weight_ratio: 0.45,
            word_bonus: -0.2,
            syllable_bonus: 0.2,
            n_hypotheses: 16,
            n_words: 40,
        }
    }
}

/// The syllable that a word took from a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SyllableChoice {
    /// Index of the slot.
    pub slot: usize,
    /// The syllable, as the lexicon reads it.
    pub syllable: Syllable,
}

/// A word over some slots.
#[derive(Clone, Debug, PartialEq)]
pub struct LatticeWord {
    /// As it is written.
    pub text: Arc<str>,
    /// One per syllable heard; empty for foreign tokens.
    pub syllables: Vec<SyllableChoice>,
    /// First slot.
    pub from: usize,
    /// One past the last slot.
    pub to: usize,
}

/// The best words over `slots`.
pub fn search(slots: &[Slot], data: &LanguageData, settings: &LatticeSettings) -> Vec<LatticeWord> {
    let mut search = Search {
        slots,
        data,
        settings,
        links: Vec::new(),
        ends: Vec::new(),
    };
    search.run();
    search.trace()
}

type LmState = <MixedModel as LanguageModel>::State;

#[derive(Clone, Copy)]
struct Hypothesis {
    score: f32,
    state: LmState,
    link: u32,
}

/// A word on a path, and the path before it.
struct Link {
    before: u32,
    from: usize,
    to: usize,
    word: Found,
}

/// The start of every path has no link.
const START: u32 = u32::MAX;

#[derive(Clone)]
enum Found {
    Word(WordId, Chosen),
    /// The slot's best syllable (or foreign token) as it stands.
    AsHeard,
    /// Nothing was said in this slot.
    Skipped,
}

/// Which sound of each slot a word took; [`SKIP`] where it took none.
#[derive(Clone, Copy, Default)]
struct Chosen {
    sounds: [u8; MAX_SPAN],
    n_slots: u8,
}

const SKIP: u8 = u8::MAX;

impl Chosen {
    fn and(mut self, sound: u8) -> Self {
        self.sounds[usize::from(self.n_slots)] = sound;
        self.n_slots += 1;
        self
    }
}

/// Syllables taken in a lexicon, and what they cost.
#[derive(Clone, Copy)]
struct Way<'l> {
    lexicon: &'l Lexicon,
    node: Node,
    score: f32,
    chosen: Chosen,
}

struct Candidate {
    word: WordId,
    sound_score: f32,
    chosen: Chosen,
    /// Sound and frequency together, to choose the candidates worth a full look.
    promise: f32,
}

struct Search<'a> {
    slots: &'a [Slot],
    data: &'a LanguageData,
    settings: &'a LatticeSettings,
    links: Vec<Link>,
    ends: Vec<FxHashMap<LmState, Hypothesis>>,
}

impl Search<'_> {
    fn run(&mut self) {
        self.ends = vec![FxHashMap::default(); self.slots.len() + 1];
        let state = self.data.model.start();
        self.ends[0].insert(
            state,
            Hypothesis {
                score: 0.0,
                state,
                link: START,
            },
        );
        for from in 0..self.slots.len() {
            let hypotheses = self.best_at(from);
            if hypotheses.is_empty() {
                continue;
            }
            self.pass_single(from, &hypotheses);
            let mut histories =
                Histories::new(&self.data.model, hypotheses.iter().map(|one| one.state));
            for (to, candidates) in self.words_from(from) {
                self.extend(from, to, &candidates, &hypotheses, &mut histories);
            }
        }
    }

    /// The hypotheses worth going on with at a position; the others are forgotten.
    fn best_at(&mut self, position: usize) -> Vec<Hypothesis> {
        let mut all: Vec<Hypothesis> = std::mem::take(&mut self.ends[position])
            .into_values()
            .collect();
        // Equal scores are told apart by their links, so that runs agree.
        all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.link.cmp(&b.link)));
        all.truncate(self.settings.n_hypotheses.max(1));
        all
    }

    /// What may always happen to one slot: it is skipped, foreign, or read as nothing but itself.
    fn pass_single(&mut self, from: usize, hypotheses: &[Hypothesis]) {
        let slot = &self.slots[from];
        let (found, cost) = match &slot.kind {
            SlotKind::Foreign(_) => (Found::AsHeard, 0.0),
            SlotKind::Sounds(_) => (Found::AsHeard, UNREAD_LOG_PROB),
        };
        for hypothesis in hypotheses {
            self.put(
                from,
                from + 1,
                found.clone(),
                hypothesis.score + cost,
                hypothesis.state,
                hypothesis.link,
            );
            if slot.skip_log_prob.is_finite() {
                let score = hypothesis.score + slot.skip_log_prob;
                self.put(
                    from,
                    from + 1,
                    Found::Skipped,
                    score,
                    hypothesis.state,
                    hypothesis.link,
                );
            }
        }
    }

    /// All words that begin at a position, by the position they end at.
    fn words_from(&self, from: usize) -> Vec<(usize, Vec<Candidate>)> {
        let mut by_end: Vec<FxHashMap<WordId, Candidate>> = Vec::new();
        for lexicon in self.data.lexica() {
            let way = Way {
                lexicon,
                node: lexicon.root(),
                score: 0.0,
                chosen: Chosen::default(),
            };
            self.walk(from, from, way, &mut by_end);
        }
        by_end
            .into_iter()
            .enumerate()
            .map(|(span, found)| (from + span + 1, self.most_promising(found)))
            .collect()
    }

    fn most_promising(&self, found: FxHashMap<WordId, Candidate>) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = found.into_values().collect();
        for candidate in &mut candidates {
            let frequency = self.data.model.unigram_log_prob(candidate.word);
            candidate.promise = candidate.sound_score + self.settings.lm_weight_ratio * frequency;
        }
        candidates.sort_by(|a, b| b.promise.total_cmp(&a.promise).then(a.word.cmp(&b.word)));
        candidates.truncate(self.settings.n_words);
        candidates
    }

    fn walk(
        &self,
        from: usize,
        at: usize,
        way: Way<'_>,
        by_end: &mut Vec<FxHashMap<WordId, Candidate>>,
    ) {
        if at >= self.slots.len() || at - from >= MAX_SPAN {
            return;
        }
        let slot = &self.slots[at];
        if slot.skip_log_prob.is_finite() && at > from {
            let skipped = Way {
                score: way.score + slot.skip_log_prob,
                chosen: way.chosen.and(SKIP),
                ..way
            };
            self.walk(from, at + 1, skipped, by_end);
        }
        for (choice, sound) in slot.sounds().iter().enumerate() {
            let Some(node) = way.lexicon.step(way.node, sound.syllable) else {
                continue;
            };
            let next = Way {
                node,
                score: way.score + sound.log_prob + self.settings.syllable_bonus,
                chosen: way.chosen.and(choice as u8),
                ..way
            };
            Self::collect(from, at, next, by_end);
            self.walk(from, at + 1, next, by_end);
        }
    }

    fn collect(
        from: usize,
        at: usize,
        Way {
            lexicon,
            node,
            score,
            chosen,
        }: Way<'_>,
        by_end: &mut Vec<FxHashMap<WordId, Candidate>>,
    ) {
        let entries = lexicon.words(node);
        if entries.is_empty() {
            return;
        }
        if by_end.len() <= at - from {
            by_end.resize_with(at - from + 1, FxHashMap::default);
        }
        for entry in entries {
            let sound_score = score + entry.log_prob;
            let candidate = Candidate {
                word: entry.word,
                sound_score,
                chosen,
                promise: 0.0,
            };
            let best = by_end[at - from].entry(entry.word).or_insert(Candidate {
                sound_score: f32::NEG_INFINITY,
                ..candidate
            });
            if sound_score > best.sound_score {
                best.sound_score = sound_score;
                best.chosen = chosen;
            }
        }
    }

    /// Puts words behind hypotheses, which come best first.
    fn extend(
        &mut self,
        from: usize,
        to: usize,
        candidates: &[Candidate],
        hypotheses: &[Hypothesis],
        histories: &mut Histories<'_>,
    ) {
        let floor = self.floor(to);
        for candidate in candidates {
            // No word is likelier than certain.
            let most = candidate.sound_score + self.settings.word_bonus;
            let n_worth = hypotheses.partition_point(|one| one.score + most >= floor);
            if n_worth == 0 {
                continue;
            }
            histories.follow_by(candidate.word);
            for (place, hypothesis) in hypotheses[..n_worth].iter().enumerate() {
                let (log_prob, state) = histories.score(place);
                let gain = candidate.sound_score
                    + self.settings.lm_weight_ratio * log_prob
                    + self.settings.word_bonus;
                let found = Found::Word(candidate.word, candidate.chosen);
                let score = hypothesis.score + gain;
                self.put(from, to, found, score, state, hypothesis.link);
            }
        }
    }

    /// A path that reaches a position with less than this is not among those that are gone on with there. At the end all
    /// are looked at.
    fn floor(&self, to: usize) -> f32 {
        let there = &self.ends[to];
        let n_kept = self.settings.n_hypotheses.max(1);
        if to == self.slots.len() || there.len() < n_kept {
            return f32::NEG_INFINITY;
        }
        let mut scores: Vec<f32> = there.values().map(|one| one.score).collect();
        let (_, floor, _) = scores.select_nth_unstable_by(n_kept - 1, |a, b| b.total_cmp(a));
        *floor
    }

    fn put(
        &mut self,
        from: usize,
        to: usize,
        word: Found,
        score: f32,
        state: LmState,
        before: u32,
    ) {
        let link = self.links.len() as u32;
        let known = self.ends[to].get(&state);
        if known.is_some_and(|known| known.score >= score) {
            return;
        }
        self.links.push(Link {
            before,
            from,
            to,
            word,
        });
        self.ends[to].insert(state, Hypothesis { score, state, link });
    }

    fn trace(&self) -> Vec<LatticeWord> {
        let is_spoken = self
            .slots
            .iter()
            .any(|slot| slot.skip_log_prob < SURELY_SPOKEN);
        let best = match is_spoken {
            true => self.best_end(|hypothesis| self.reads_something(hypothesis)),
            false => None,
        };
        let best = best.or_else(|| self.best_end(|_| true));
        let mut words = Vec::new();
        let mut at = best.map_or(START, |hypothesis| hypothesis.link);
        while let Some(link) = self.links.get(at as usize) {
            words.extend(self.word(link));
            at = link.before;
        }
        words.reverse();
        words
    }

    fn best_end(&self, may_be: impl Fn(&Hypothesis) -> bool) -> Option<&Hypothesis> {
        let total = |hypothesis: &Hypothesis| {
            hypothesis.score + self.settings.lm_weight_ratio * self.data.model.end(hypothesis.state)
        };
        let ends = self.ends.last()?.values();
        ends.filter(|hypothesis| may_be(hypothesis))
            .max_by(|a, b| total(a).total_cmp(&total(b)).then(b.link.cmp(&a.link)))
    }

    fn reads_something(&self, hypothesis: &Hypothesis) -> bool {
        let mut at = hypothesis.link;
        while let Some(link) = self.links.get(at as usize) {
            if !matches!(link.word, Found::Skipped) {
                return true;
            }
            at = link.before;
        }
        false
    }

    fn word(&self, link: &Link) -> Option<LatticeWord> {
        let (text, syllables): (Arc<str>, Vec<SyllableChoice>) = match &link.word {
            Found::Skipped => return None,
            Found::AsHeard => match &self.slots[link.from].kind {
                SlotKind::Foreign(text) => (Arc::clone(text), Vec::new()),
                SlotKind::Sounds(sounds) => {
                    let syllable = sounds.first()?.syllable;
                    (
                        syllable.to_string().into(),
                        vec![SyllableChoice {
                            slot: link.from,
                            syllable,
                        }],
                    )
                }
            },
            Found::Word(word, chosen) => (
                self.data.vocabulary.word(*word).into(),
                self.choices(link.from, chosen),
            ),
        };
        Some(LatticeWord {
            text,
            syllables,
            from: link.from,
            to: link.to,
        })
    }

    fn choices(&self, from: usize, chosen: &Chosen) -> Vec<SyllableChoice> {
        let sounds = chosen.sounds[..usize::from(chosen.n_slots)]
            .iter()
            .enumerate();
        sounds
            .filter(|(_, sound)| **sound != SKIP)
            .filter_map(|(offset, sound)| {
                let slot = from + offset;
                let syllable = self.slots[slot].sounds().get(usize::from(*sound))?.syllable;
                Some(SyllableChoice { slot, syllable })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lattice::Sound;

    /// `wu3` was surely said, `ni3/0.3` only on paths that together have this probability, `OK` is foreign.
    fn slots(heard: &str) -> Vec<Slot> {
        let slot = |(at, text): (usize, &str)| {
            let (text, presence) = text.split_once('/').unwrap_or((text, "1"));
            let presence: f32 = presence.parse().unwrap();
            let kind = match text.parse() {
                Ok(syllable) => SlotKind::Sounds(vec![Sound {
                    syllable,
                    log_prob: presence.ln(),
                }]),
                Err(_) => SlotKind::Foreign(text.into()),
            };
            Slot {
                start_ms: 200 * at as u32,
                end_ms: 200 * at as u32 + 80,
                kind,
                skip_log_prob: (1.0 - presence).ln(),
            }
        };
        heard.split(' ').enumerate().map(slot).collect()
    }

    fn check(data: &LanguageData, heard: &str, expected: &str) {
        let words = search(&slots(heard), data, &LatticeSettings::default());
        let text: Vec<&str> = words.iter().map(|word| &*word.text).collect();
        assert_eq!(text.join(" "), expected, "{heard}");
    }

    #[test]
    fn what_most_paths_heard_is_not_read_as_nothing() {
        let data = LanguageData::default_model().unwrap();
        check(&data, "wu3", "五");
        check(&data, "ni3/0.22 wu3/0.86", "五");
        check(&data, "dui4/0.8", "对");
        check(&data, "ni3/0.22", "");
        check(&data, "OK ni3/0.1", "OK");
        check(&data, "bao3 zheng4 shou1 yi4/0.9", "保证 收益");
    }
}

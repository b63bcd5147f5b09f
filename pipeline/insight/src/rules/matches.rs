//! What of the lexicon occurs in one utterance, and the phrases it makes.

use std::ops::Range;

use auricle_pinyin::Syllable;
use smallvec::SmallVec;

use super::lexicon::{ClassId, GroupId, Lexicon, Need, PhraseId, Source, Step, TermId};
use super::phrase::{is_wordy, joins_words};
use super::sounds::{Base, Hearing, NEAR, Sounding, base, may_be_passed_over, tone_fits};
use crate::{Letter, Spoken};

/// Letters of an utterance, from one to before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) from: u32,
    pub(super) to: u32,
}

/// Places of one phrase; seldom more than a few.
pub(super) type Spans = SmallVec<[Span; 8]>;

/// How a keyword was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// By its letters.
    Letters,
    /// By the same syllables.
    Sound,
    /// By syllables one of which is near.
    NearSound,
    /// By syllables one of which is missing, or with one too many.
    Slip,
}

/// A keyword in the utterance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Occurrence {
    pub(super) span: Span,
    pub(super) found: Found,
    pub(super) term: TermId,
}

/// More occurrences in one utterance are not looked at.
const MOST_OCCURRENCES: usize = 1 << 16;
/// More partial matches of one phrase in one utterance are not followed.
const MOST_PARTIAL: usize = 1 << 12;
/// A sound counts from this share of the likeliest at its place on.
const LEAST_SHARE: f32 = 0.12;
/// A keyword is heard where the geometric mean of its syllables' shares is so large.
const LEAST_MEAN_SHARE: f32 = 0.45;

/// What is left of a share by a syllable that is missing or one too many.
const SLIP_SHARE: f32 = 0.5;

/// Occurrences in the utterance looked at last; kept from one to the next for its memory.
#[derive(Debug, Default)]
pub(super) struct Matches {
    text: String,
    /// Letter by byte of `text`.
    letter_at: Vec<u32>,
    /// Byte of `text` by letter, and its length.
    byte_at: Vec<u32>,
    n_letters: u32,
    /// Whether a word may begin at a letter, and end before it.
    edges: Vec<bool>,
    /// Toneless syllables at a letter: `bases[bases_from[letter]..bases_from[letter + 1]]`.
    bases: Vec<(Base, f32)>,
    bases_from: Vec<u32>,
    pub(super) occurrences: Vec<Occurrence>,
    /// Where a class's spans stand in `arena`; empty where it does not occur.
    ranges: Vec<(u32, u32)>,
    /// Classes that occur.
    pub(super) touched: Vec<ClassId>,
    /// Where a group's spans stand in `arena`, once they were asked for.
    group_ranges: Vec<Option<(u32, u32)>>,
    groups_touched: Vec<GroupId>,
    /// Spans of classes, then of groups, each by start.
    arena: Vec<Span>,
    /// Phrases and groups of which a trigger occurs.
    live_phrases: Bits,
    live_groups: Bits,
}

impl Matches {
    /// Looks for everything in `spoken`.
    pub(super) fn find(&mut self, lexicon: &Lexicon, spoken: &Spoken<'_>) {
        self.forget();
        self.ranges.resize(lexicon.n_classes, (0, 0));
        self.group_ranges.resize(lexicon.groups.len(), None);
        self.lay_letters(spoken);
        self.find_letters(lexicon);
        if !lexicon.sounds.is_empty() {
            self.lay_sounds(&spoken.letters);
            Listener {
                lexicon,
                near: &NEAR,
                letters: &spoken.letters,
                text: &self.text,
                byte_at: &self.byte_at,
                bases: &self.bases,
                bases_from: &self.bases_from,
                occurrences: &mut self.occurrences,
            }
            .listen();
        }
        self.occurrences.retain(|found| {
            let Span { from, to } = found.span;
            let bounds = lexicon.terms[found.term as usize].keyword.bounds;
            bounds.fit(&spoken.letters, from as usize, to as usize)
        });
        self.sort_by_class(lexicon);
        for &class in &self.touched {
            self.live_phrases.set_all(lexicon.phrases_of.get(class));
            self.live_groups.set_all(lexicon.groups_of.get(class));
        }
    }

    /// Nothing occurs any more.
    pub(super) fn forget(&mut self) {
        for class in self.touched.drain(..) {
            self.ranges[class as usize] = (0, 0);
        }
        for group in self.groups_touched.drain(..) {
            self.group_ranges[group as usize] = None;
        }
        self.occurrences.clear();
        self.arena.clear();
        self.live_phrases.clear();
        self.live_groups.clear();
        self.n_letters = 0;
    }

    fn lay_letters(&mut self, spoken: &Spoken<'_>) {
        self.text.clear();
        self.letter_at.clear();
        self.byte_at.clear();
        let mut has_words = false;
        for (place, letter) in (0u32..).zip(&spoken.letters) {
            self.byte_at.push(self.text.len() as u32);
            self.text.push(letter.letter);
            self.letter_at.resize(self.text.len(), place);
            has_words |= is_wordy(letter.letter);
        }
        self.n_letters = spoken.letters.len() as u32;
        self.letter_at.push(self.n_letters);
        self.byte_at.push(self.text.len() as u32);
        self.edges.clear();
        self.edges.resize(spoken.letters.len() + 1, true);
        if has_words {
            self.lay_edges(spoken);
        }
    }

    fn lay_edges(&mut self, spoken: &Spoken<'_>) {
        let utterance = spoken.utterance;
        let text = match utterance.spoken.is_empty() {
            true => &utterance.text,
            false => &utterance.spoken,
        };
        let text: Vec<char> = text.chars().collect();
        for (place, pair) in spoken.letters.windows(2).enumerate() {
            let [one, next] = pair else { continue };
            let between = text.get(one.at + 1..next.at).unwrap_or(&[]);
            let goes_on = is_wordy(one.letter) && is_wordy(next.letter);
            let is_joined = between.iter().all(|&mark| joins_words(mark));
            self.edges[place + 1] = !goes_on || !is_joined;
        }
        // The s of `agent's` is a word of its own.
        for (place, letter) in spoken.letters.iter().enumerate().skip(1) {
            let is_apart = letter.at > spoken.letters[place - 1].at + 1;
            if letter.letter == 's' && is_apart && self.edges[place + 1] {
                self.edges[place] = true;
            }
        }
    }

    fn find_letters(&mut self, lexicon: &Lexicon) {
        for found in lexicon.automaton.find_overlapping_iter(&self.text) {
            let span = Span {
                from: self.letter_at[found.start()],
                to: self.letter_at[found.end()],
            };
            for &term in lexicon.spelled.get(found.pattern().as_u32()) {
                if lexicon.has_words[term as usize] {
                    let known = &lexicon.terms[term as usize].keyword;
                    if !self.words_fit(&known.letters, &known.breaks, span) {
                        continue;
                    }
                }
                self.occurrences.push(Occurrence {
                    span,
                    found: Found::Letters,
                    term,
                });
            }
            if self.occurrences.len() > MOST_OCCURRENCES {
                break;
            }
        }
    }

    /// Whether words begin and end in the text where they do in the keyword.
    fn words_fit(&self, letters: &str, breaks: &[u16], span: Span) -> bool {
        let mut before = None;
        for (place, letter) in (0u16..).zip(letters.chars()) {
            let edge = self.edges[span.from as usize + usize::from(place)];
            let fits = match before {
                None => edge,
                Some(before) if is_wordy(before) && is_wordy(letter) => {
                    edge == breaks.contains(&place)
                }
                Some(_) => true,
            };
            if !fits {
                return false;
            }
            before = Some(letter);
        }
        self.edges[span.to as usize]
    }

    /// Each letter's syllables without tones, as shares of the likeliest.
    fn lay_sounds(&mut self, letters: &[Letter]) {
        self.bases.clear();
        self.bases_from.clear();
        for letter in letters {
            let from = self.bases.len();
            self.bases_from.push(from as u32);
            for &(syllable, prob) in &letter.sounds {
                let base = base(syllable);
                match self.bases[from..]
                    .iter_mut()
                    .find(|(known, _)| *known == base)
                {
                    Some((_, sum)) => *sum += prob,
                    None => self.bases.push((base, prob)),
                }
            }
            let here = &mut self.bases[from..];
            let best = here.iter().map(|(_, prob)| *prob).fold(0.0, f32::max);
            for (_, prob) in here {
                *prob = if best > 0.0 { *prob / best } else { 1.0 };
            }
        }
        self.bases_from.push(self.bases.len() as u32);
    }

    /// Lays out the spans of each class beside one another.
    fn sort_by_class(&mut self, lexicon: &Lexicon) {
        let (mut n_spans, mut n_looked_at) = (0, 0);
        for occurrence in &self.occurrences {
            let classes = lexicon.classes_of.get(occurrence.term);
            for &class in classes {
                let (_, n) = &mut self.ranges[class as usize];
                if *n == 0 {
                    self.touched.push(class);
                }
                *n += 1;
            }
            n_spans += classes.len();
            n_looked_at += 1;
            if n_spans > 4 * MOST_OCCURRENCES {
                break;
            }
        }
        let mut from = 0;
        for &class in &self.touched {
            let n = self.ranges[class as usize].1;
            self.ranges[class as usize] = (from, from);
            from += n;
        }
        self.arena.resize(n_spans, Span { from: 0, to: 0 });
        for occurrence in &self.occurrences[..n_looked_at] {
            for &class in lexicon.classes_of.get(occurrence.term) {
                let (_, to) = &mut self.ranges[class as usize];
                self.arena[*to as usize] = occurrence.span;
                *to += 1;
            }
        }
        for &class in &self.touched {
            let (from, to) = &mut self.ranges[class as usize];
            let spans = &mut self.arena[*from as usize..*to as usize];
            *to = *from + settled(spans) as u32;
        }
    }

    /// The first phrase from `from` to before `to` of which a trigger occurs.
    pub(super) fn next_live(&self, from: PhraseId, to: PhraseId) -> Option<PhraseId> {
        self.live_phrases.next(from, to)
    }

    /// Whether a keyword that `step` needs occurs.
    fn may_match(&self, step: &Step) -> bool {
        match step {
            Step::One(Source::Class(class), Need::Needed) => self.ranges[*class as usize].1 > 0,
            Step::One(Source::Group(group), Need::Needed) => self.live_groups.has(*group),
            _ => true,
        }
    }

    /// Where the spans of `source` stand in the arena.
    fn range(&mut self, lexicon: &Lexicon, source: Source) -> (u32, u32) {
        match source {
            Source::Class(class) => self.ranges[class as usize],
            Source::Group(group) => self.group_range(lexicon, group),
        }
    }

    fn at(&self, (from, to): (u32, u32)) -> &[Span] {
        &self.arena[from as usize..to as usize]
    }

    /// Spans of a group, by start; found once for each utterance.
    pub(super) fn group_spans(&mut self, lexicon: &Lexicon, id: GroupId) -> &[Span] {
        let range = self.group_range(lexicon, id);
        self.at(range)
    }

    fn group_range(&mut self, lexicon: &Lexicon, id: GroupId) -> (u32, u32) {
        if let Some(range) = self.group_ranges[id as usize] {
            return range;
        }
        let mut spans = Spans::new();
        if self.live_groups.has(id) {
            let group = &lexicon.groups[id as usize];
            if let Some(class) = group.class {
                spans.extend_from_slice(self.at(self.ranges[class as usize]));
            }
            for way in &group.ways {
                self.add_phrase(lexicon, way, &mut spans);
            }
            for &included in &group.includes {
                spans.extend_from_slice(self.group_spans(lexicon, included));
            }
            let n = settled(&mut spans);
            spans.truncate(n);
        }
        let from = self.arena.len() as u32;
        self.arena.extend_from_slice(&spans);
        let range = (from, self.arena.len() as u32);
        self.group_ranges[id as usize] = Some(range);
        self.groups_touched.push(id);
        range
    }

    /// Adds to `spans` where `steps` match, by start and end.
    pub(super) fn add_phrase(&mut self, lexicon: &Lexicon, steps: &[Step], spans: &mut Spans) {
        // The commonest phrase: one keyword.
        if let [Step::One(source, Need::Needed)] = steps {
            let range = self.range(lexicon, *source);
            spans.extend_from_slice(self.at(range));
            return;
        }
        if !steps.iter().all(|step| self.may_match(step)) {
            return;
        }
        let mut joined = Joined::default();
        for step in steps {
            match *step {
                Step::Start => joined.anchor(),
                Step::Gap(letters) => joined.widen(letters),
                Step::End => joined.end_at(self.n_letters),
                Step::One(source, need) => {
                    let next = self.range(lexicon, source);
                    joined.join(self.at(next), need);
                }
            }
            if joined.is_dead() {
                return;
            }
        }
        spans.extend(joined.open.iter().map(|open| open.span));
    }
}

/// A set of small numbers.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn clear(&mut self) {
        self.0.fill(0);
    }

    fn set_all(&mut self, numbers: &[u32]) {
        for &number in numbers {
            let word = number as usize / 64;
            if word >= self.0.len() {
                self.0.resize(word + 1, 0);
            }
            self.0[word] |= 1 << (number % 64);
        }
    }

    fn has(&self, number: u32) -> bool {
        let word = self.0.get(number as usize / 64);
        word.is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// The first from `from` to before `to`.
    fn next(&self, from: u32, to: u32) -> Option<u32> {
        let mut place = from as usize / 64;
        let mut word = *self.0.get(place)? & (u64::MAX << (from % 64));
        while word == 0 {
            place += 1;
            if place * 64 >= to as usize {
                return None;
            }
            word = *self.0.get(place)?;
        }
        Some(place as u32 * 64 + word.trailing_zeros()).filter(|&number| number < to)
    }
}

/// Sorts; the number of those that are left once each is told once, at the front.
fn settled(spans: &mut [Span]) -> usize {
    if spans.len() < 2 {
        return spans.len();
    }
    spans.sort_unstable();
    let mut n = 1;
    for place in 1..spans.len() {
        if spans[place] != spans[n - 1] {
            spans[n] = spans[place];
            n += 1;
        }
    }
    n
}

/// Matches of the first steps of a phrase.
#[derive(Debug)]
struct Joined {
    open: SmallVec<[Open; 8]>,
    /// Set while nothing had to be said yet.
    before_first: Option<BeforeFirst>,
}

impl Default for Joined {
    fn default() -> Self {
        Self {
            open: SmallVec::new(),
            before_first: Some(BeforeFirst::default()),
        }
    }
}

/// A match up to here; `slack` letters may follow before the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Open {
    span: Span,
    slack: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct BeforeFirst {
    /// From the utterance's start on, so many letters may come before.
    anchored: Option<u32>,
}

impl Joined {
    fn anchor(&mut self) {
        if let Some(before) = &mut self.before_first {
            before.anchored = Some(0);
        }
    }

    fn widen(&mut self, letters: u32) {
        for open in &mut self.open {
            open.slack += letters;
        }
        let anchored = self
            .before_first
            .as_mut()
            .and_then(|before| before.anchored.as_mut());
        if let Some(slack) = anchored {
            *slack += letters;
        }
    }

    fn end_at(&mut self, n_letters: u32) {
        self.open
            .retain(|open| n_letters - open.span.to <= open.slack);
    }

    /// `next` is by start.
    fn join(&mut self, next: &[Span], need: Need) {
        let mut open: SmallVec<[Open; 8]> = SmallVec::new();
        if let Some(before) = self.before_first {
            let most = before.anchored.unwrap_or(u32::MAX);
            let firsts = next.iter().take_while(|span| span.from <= most);
            open.extend(firsts.map(|&span| Open { span, slack: 0 }));
        }
        for before in &self.open {
            let Span { from, to } = before.span;
            let place = next.partition_point(|span| span.from < to);
            let near = next[place..]
                .iter()
                .take_while(|span| span.from <= to + before.slack);
            open.extend(near.map(|span| Open {
                span: Span { from, to: span.to },
                slack: 0,
            }));
            if open.len() > MOST_PARTIAL {
                break;
            }
        }
        match need {
            Need::Optional => open.append(&mut self.open),
            Need::Needed => self.before_first = None,
        }
        // Of two with one span, the one with more slack stays.
        open.sort_unstable_by_key(|open| (open.span, std::cmp::Reverse(open.slack)));
        open.dedup_by_key(|open| open.span);
        open.truncate(MOST_PARTIAL);
        self.open = open;
    }

    fn is_dead(&self) -> bool {
        self.open.is_empty() && self.before_first.is_none()
    }
}

/// Walks the trie of sounds from every letter on.
struct Listener<'a> {
    lexicon: &'a Lexicon,
    near: &'static [Vec<(Base, f32)>],
    letters: &'a [Letter],
    text: &'a str,
    byte_at: &'a [u32],
    bases: &'a [(Base, f32)],
    bases_from: &'a [u32],
    occurrences: &'a mut Vec<Occurrence>,
}

/// A place on a walk.
#[derive(Clone, Copy)]
struct Walk {
    node: u32,
    /// The syllable that led to `node`.
    before: Base,
    from: usize,
    at: usize,
    /// Product of the syllables' shares.
    share: f32,
    found: Found,
}

impl Listener<'_> {
    fn listen(&mut self) {
        for from in 0..self.letters.len() {
            self.step(Walk {
                node: 0,
                before: 0,
                from,
                at: from,
                share: 1.0,
                found: Found::Sound,
            });
            if self.occurrences.len() > MOST_OCCURRENCES {
                break;
            }
        }
    }

    fn step(&mut self, walk: Walk) {
        let trie = &self.lexicon.sounds;
        for &sounding in trie.ends(walk.node) {
            self.end(walk, sounding);
        }
        if walk.at == self.letters.len() || !trie.goes_on(walk.node) {
            return;
        }
        let may_be_near = walk.found == Found::Sound && trie.leads_to_near(walk.node);
        let may_slip =
            walk.found == Found::Sound && walk.node > 0 && trie.leads_to_loose(walk.node);
        if may_slip {
            self.pass_over(walk);
        }
        for place in self.heard_at(walk.at) {
            let (base, share) = self.bases[place];
            if share < LEAST_SHARE {
                continue;
            }
            self.follow(walk, base, share, walk.found);
            if may_slip {
                self.miss_one(walk, base, share);
            }
            if may_be_near {
                for &(near, likeness) in &self.near[usize::from(base)] {
                    if walk.node > 0 || self.may_begin_with(walk.at, near) {
                        self.follow(walk, near, share * likeness, Found::NearSound);
                    }
                }
            }
        }
    }

    /// Places in `bases` of what was heard at a letter.
    fn heard_at(&self, letter: usize) -> Range<usize> {
        let from = self.bases_from.get(letter).copied().unwrap_or_default();
        let to = self.bases_from.get(letter + 1).copied().unwrap_or(from);
        from as usize..to as usize
    }

    /// Goes on behind a syllable that the keyword does not have.
    fn pass_over(&mut self, walk: Walk) {
        let heard = &self.bases[self.heard_at(walk.at)];
        let denies =
            |&(base, share): &(Base, f32)| share >= LEAST_SHARE && !may_be_passed_over(base);
        if heard.is_empty() || heard.iter().any(denies) {
            return;
        }
        let behind = Walk {
            at: walk.at + 1,
            ..walk
        };
        for place in self.heard_at(behind.at) {
            let (base, share) = self.bases[place];
            if share >= LEAST_SHARE {
                self.follow(behind, base, share * SLIP_SHARE, Found::Slip);
            }
        }
    }

    /// Goes on with a syllable behind one of the keyword's that was not heard.
    fn miss_one(&mut self, walk: Walk, base: Base, share: f32) {
        let lexicon = self.lexicon;
        let trie = &lexicon.sounds;
        if !trie.skips(walk.before, base) {
            return;
        }
        for &(missing, node) in trie.children(walk.node) {
            if may_be_passed_over(missing) && trie.leads_to_loose(node) {
                let behind = Walk {
                    node,
                    before: missing,
                    ..walk
                };
                self.follow(behind, base, share * SLIP_SHARE, Found::Slip);
            }
        }
    }

    /// Whether a keyword may begin with `near` in the place of the letter `at`, to judge by what follows.
    fn may_begin_with(&self, at: usize, near: Base) -> bool {
        let trie = &self.lexicon.sounds;
        if trie.has_single_near() {
            return true;
        }
        let Some(&to) = self.bases_from.get(at + 2) else {
            return false;
        };
        let next = &self.bases[self.bases_from[at + 1] as usize..to as usize];
        next.iter().any(|&(base, _)| trie.follows(near, base))
    }

    fn follow(&mut self, walk: Walk, base: Base, share: f32, found: Found) {
        let trie = &self.lexicon.sounds;
        if walk.node > 0 && !trie.follows(walk.before, base) {
            return;
        }
        let Some(node) = trie.child(walk.node, base) else {
            return;
        };
        let leads_on = match found {
            Found::Letters | Found::Sound => true,
            Found::NearSound => trie.leads_to_near(node),
            Found::Slip => trie.leads_to_loose(node),
        };
        if !leads_on {
            return;
        }
        self.step(Walk {
            node,
            before: base,
            at: walk.at + 1,
            share: walk.share * share,
            found,
            ..walk
        });
    }

    /// A keyword's syllables were walked.
    fn end(&mut self, walk: Walk, sounding: u32) {
        let Sounding {
            term,
            hearing,
            ref syllables,
        } = self.lexicon.sounds.soundings[sounding as usize];
        let share = match hearing {
            Hearing::Letters => return,
            Hearing::Toned | Hearing::Toneless if walk.found != Found::Sound => return,
            Hearing::Near if walk.found == Found::Slip => return,
            Hearing::Toned => self.toned_share(walk.from, syllables),
            Hearing::Toneless | Hearing::Near | Hearing::Loose => walk.share,
        };
        let n_letters = (walk.at - walk.from) as i32;
        let is_heard = share >= 1.0 || share >= LEAST_MEAN_SHARE.powi(n_letters);
        if is_heard && !self.spells(term, walk) {
            self.occurrences.push(Occurrence {
                span: Span {
                    from: walk.from as u32,
                    to: walk.at as u32,
                },
                found: walk.found,
                term,
            });
        }
    }

    /// Whether the letters are the keyword's, so that it was found by them.
    fn spells(&self, term: TermId, walk: Walk) -> bool {
        let place = |letter: usize| self.byte_at[letter] as usize;
        let keyword = &self.lexicon.terms[term as usize].keyword.letters;
        self.text.get(place(walk.from)..place(walk.at)) == Some(keyword)
    }

    /// Product of the shares of the sounds that fit the keyword's tones.
    fn toned_share(&self, from: usize, syllables: &[Syllable]) -> f32 {
        let mut product = 1.0;
        for (place, &said) in syllables.iter().enumerate() {
            let next = syllables.get(place + 1).copied();
            let (mut fits, mut best) = (0.0, 0.0f32);
            for &(heard, prob) in &self.letters[from + place].sounds {
                best = best.max(prob);
                if heard.toneless() == said.toneless() && tone_fits(said, next, heard) {
                    fits += prob;
                }
            }
            let share = if best > 0.0 { fits / best } else { 1.0 };
            if share < LEAST_SHARE {
                return 0.0;
            }
            product *= share.min(1.0);
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_found_in_order(
            numbers in proptest::collection::btree_set(0..200u32, 0..20),
            from in 0..220u32,
            to in 0..220u32,
        ) {
            let mut bits = Bits::default();
            bits.set_all(&numbers.iter().copied().collect::<Vec<_>>());
            let expected = numbers.iter().copied().find(|number| (from..to).contains(number));
            prop_assert_eq!(bits.next(from, to), expected);
            prop_assert!((0..220).all(|number| bits.has(number) == numbers.contains(&number)));
            bits.clear();
            prop_assert_eq!(bits.next(0, 220), None);
        }
    }
}

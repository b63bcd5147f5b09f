//! Keywords by their sound: one trie over toneless syllables for all of them.

use std::collections::HashMap;
use std::sync::LazyLock;

use auricle_pinyin::{Syllable, TONELESS, distance};

use super::says::Sound;

/// How far the sound of one keyword counts, settled by its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Hearing {
    /// Its letters alone.
    Letters,
    /// The same syllables and tones.
    Toned,
    /// The same syllables.
    Toneless,
    /// The same syllables, one of which may be near.
    Near,
    /// The same syllables, one of which may be near or missing, or with one too many.
    Loose,
}

/// A keyword of fewer syllables with one of them missing could be anything.
const LEAST_LOOSE: usize = 4;
/// From as many syllables on, a slip is heard without being asked for.
const LEAST_LOOSE_UNASKED: usize = 6;

impl Hearing {
    pub(super) const fn of(sound: Sound, n_syllables: usize) -> Self {
        match (sound, n_syllables) {
            (Sound::Exact, _) | (_, 0) | (Sound::Auto, 1) => Self::Letters,
            (Sound::Toned, _) | (Sound::Auto, 2) => Self::Toned,
            (Sound::Toneless, _) | (Sound::Auto, 3) => Self::Toneless,
            (Sound::Loose, LEAST_LOOSE..) | (Sound::Auto, LEAST_LOOSE_UNASKED..) => Self::Loose,
            (Sound::Near | Sound::Loose | Sound::Auto, _) => Self::Near,
        }
    }
}

/// A toneless syllable, by its place in [`TONELESS`].
pub(super) type Base = u16;

pub(super) fn base(syllable: Syllable) -> Base {
    // 419 rows.
    (syllable.index() / (Syllable::COUNT / TONELESS.len())) as Base
}

/// Syllables farther apart are not near: n and l, f and h, in and ing, an and ang are.
const NEAR_DISTANCE: f32 = 0.3;

/// The other syllables near to each, with what their likeness is worth.
pub(super) static NEAR: LazyLock<Vec<Vec<(Base, f32)>>> = LazyLock::new(|| {
    let syllables: Vec<Syllable> = TONELESS
        .iter()
        .filter_map(|name| Syllable::new(name, 0))
        .collect();
    let near = |&one: &Syllable| {
        let others = syllables.iter().filter(|other| **other != one);
        others
            .map(|&other| (base(other), distance(one, other)))
            .filter(|(_, distance)| *distance <= NEAR_DISTANCE)
            .map(|(base, distance)| (base, 1.0 - distance))
            .collect()
    };
    syllables.iter().map(near).collect()
});

/// Syllables that turn what is said into its opposite: 不, 没, 未, 别, 非, 无.
static DENYING: LazyLock<Vec<Base>> = LazyLock::new(|| {
    let names = ["bu", "mei", "wei", "bie", "fei", "wu"];
    let syllables = names.iter().filter_map(|name| Syllable::new(name, 0));
    syllables.map(base).collect()
});

/// Whether a keyword is the same without this syllable, or with it.
pub(super) fn may_be_passed_over(base: Base) -> bool {
    !DENYING.contains(&base)
}

/// One way to read one keyword.
#[derive(Clone, Debug)]
pub(super) struct Sounding {
    pub(super) term: u32,
    pub(super) hearing: Hearing,
    /// Its syllables with their tones.
    pub(super) syllables: Box<[Syllable]>,
}

/// A node of the trie: its children and what ends in it, as ranges of the trie's lists.
#[derive(Clone, Copy, Debug, Default)]
struct SoundNode {
    edges: (u32, u32),
    ends: (u32, u32),
    /// What may be heard of something below.
    leads_to: LeadsTo,
}

/// How far the sounds of keywords below a node count.
#[derive(Clone, Copy, Debug, Default)]
struct LeadsTo {
    near: bool,
    loose: bool,
}

/// The trie; node 0 is its root.
#[derive(Debug)]
pub(super) struct SoundTrie {
    nodes: Vec<SoundNode>,
    /// Children, by node, then syllable.
    edges: Vec<(Base, u32)>,
    /// Places in `soundings`, by node.
    ends: Vec<u32>,
    pub(super) soundings: Vec<Sounding>,
    /// The root's children, by syllable; 0 where there is none.
    first: Vec<u32>,
    /// A bit for each pair of syllables, set where some keyword has one after the other: small enough to
    /// stay in the nearest cache, it spares most ways through the trie.
    pairs: Vec<u64>,
    /// The same for syllables of keywords heard loosely between which one may be passed over.
    skips: Vec<u64>,
    /// Whether a keyword of one syllable may be heard with a near one.
    has_single_near: bool,
}

const fn pair_bit(one: Base, other: Base) -> (usize, u64) {
    let place = one as usize * TONELESS.len() + other as usize;
    (place / 64, 1 << (place % 64))
}

/// The trie while it grows.
#[derive(Default)]
struct Growing {
    next: Vec<Vec<(Base, u32)>>,
    ends: Vec<Vec<u32>>,
    leads_to: Vec<LeadsTo>,
    children: HashMap<(u32, Base), u32>,
}

impl Growing {
    fn node(&mut self) -> u32 {
        self.next.push(Vec::new());
        self.ends.push(Vec::new());
        self.leads_to.push(LeadsTo::default());
        self.next.len() as u32 - 1
    }

    fn add(&mut self, place: u32, sounding: &Sounding) {
        let is_loose = sounding.hearing == Hearing::Loose;
        let is_near = is_loose || sounding.hearing == Hearing::Near;
        let mut node = 0;
        self.leads_to[0].near |= is_near;
        for syllable in &sounding.syllables {
            let base = base(*syllable);
            node = match self.children.get(&(node, base)) {
                Some(&child) => child,
                None => {
                    let child = self.node();
                    self.children.insert((node, base), child);
                    self.next[node as usize].push((base, child));
                    child
                }
            };
            let leads_to = &mut self.leads_to[node as usize];
            leads_to.near |= is_near;
            leads_to.loose |= is_loose;
        }
        self.ends[node as usize].push(place);
    }
}

impl SoundTrie {
    pub(super) fn new(soundings: Vec<Sounding>) -> Self {
        let mut growing = Growing::default();
        growing.node();
        for (place, sounding) in (0u32..).zip(&soundings) {
            growing.add(place, sounding);
        }
        let mut first = vec![0; TONELESS.len()];
        for &(base, child) in &growing.next[0] {
            first[usize::from(base)] = child;
        }
        let mut pairs = vec![0; (TONELESS.len() * TONELESS.len()).div_ceil(64)];
        let mut skips = pairs.clone();
        let add = |bits: &mut Vec<u64>, one: Syllable, other: Syllable| {
            let (word, bit) = pair_bit(base(one), base(other));
            bits[word] |= bit;
        };
        for sounding in &soundings {
            for pair in sounding.syllables.windows(2) {
                add(&mut pairs, pair[0], pair[1]);
            }
            let is_loose = sounding.hearing == Hearing::Loose;
            let triples = sounding.syllables.windows(3).filter(|_| is_loose);
            for triple in triples.filter(|triple| may_be_passed_over(base(triple[1]))) {
                add(&mut skips, triple[0], triple[2]);
            }
        }
        let is_single_near = |sounding: &Sounding| {
            sounding.hearing == Hearing::Near && sounding.syllables.len() == 1
        };
        let has_single_near = soundings.iter().any(is_single_near);
        let (mut nodes, mut edges, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let lists = growing
            .next
            .into_iter()
            .zip(growing.ends)
            .zip(growing.leads_to);
        for ((mut next, own_ends), leads_to) in lists {
            next.sort_unstable();
            let (edge, end) = (edges.len() as u32, ends.len() as u32);
            edges.extend(next);
            ends.extend(own_ends);
            nodes.push(SoundNode {
                edges: (edge, edges.len() as u32),
                ends: (end, ends.len() as u32),
                leads_to,
            });
        }
        Self {
            nodes,
            edges,
            ends,
            soundings,
            first,
            pairs,
            skips,
            has_single_near,
        }
    }

    /// Whether some keyword has `other` right after `one`.
    pub(super) fn follows(&self, one: Base, other: Base) -> bool {
        let (word, bit) = pair_bit(one, other);
        self.pairs[word] & bit != 0
    }

    /// Whether some keyword heard loosely has `other` behind `one` and a syllable that may be passed over.
    pub(super) fn skips(&self, one: Base, other: Base) -> bool {
        let (word, bit) = pair_bit(one, other);
        self.skips[word] & bit != 0
    }

    pub(super) fn has_single_near(&self) -> bool {
        self.has_single_near
    }

    pub(super) fn is_empty(&self) -> bool {
        self.soundings.is_empty()
    }

    /// The child of `node` by `base`.
    pub(super) fn child(&self, node: u32, base: Base) -> Option<u32> {
        if node == 0 {
            return Some(self.first[usize::from(base)]).filter(|&child| child != 0);
        }
        let edges = self.children(node);
        // Most nodes have one or two children.
        let place = match edges.len() {
            0..=8 => edges.iter().position(|(key, _)| *key == base)?,
            _ => edges.binary_search_by_key(&base, |(key, _)| *key).ok()?,
        };
        Some(edges[place].1)
    }

    /// The children of `node`, by syllable.
    pub(super) fn children(&self, node: u32) -> &[(Base, u32)] {
        let (from, to) = self.nodes[node as usize].edges;
        &self.edges[from as usize..to as usize]
    }

    /// Places in `soundings` of what ends in `node`.
    pub(super) fn ends(&self, node: u32) -> &[u32] {
        let (from, to) = self.nodes[node as usize].ends;
        &self.ends[from as usize..to as usize]
    }

    /// Whether something in or below `node` may be heard with a near syllable.
    pub(super) fn leads_to_near(&self, node: u32) -> bool {
        self.nodes[node as usize].leads_to.near
    }

    /// Whether something in or below `node`, which is not the root, may be heard with a slip.
    pub(super) fn leads_to_loose(&self, node: u32) -> bool {
        self.nodes[node as usize].leads_to.loose
    }

    /// Whether `node` has children.
    pub(super) fn goes_on(&self, node: u32) -> bool {
        let (from, to) = self.nodes[node as usize].edges;
        from < to
    }
}

/// Whether `heard` may be `said` before `next`, tones regarded: an unknown or neutral tone fits all; a
/// third tone before another is said as a second.
pub(super) fn tone_fits(said: Syllable, next: Option<Syllable>, heard: Syllable) -> bool {
    let is_open = |tone: u8| tone == 0 || tone == 5;
    let before_third = next.is_some_and(|next| next.tone() == 3);
    said.tone() == heard.tone()
        || is_open(said.tone())
        || is_open(heard.tone())
        || (said.tone() == 3 && before_third && heard.tone() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_syllables_are_those_that_a_line_confuses() {
        let near = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|name| Syllable::new(name, 0).unwrap());
            let list = &NEAR[usize::from(base(one))];
            list.iter().any(|(near, _)| *near == base(other))
        };
        assert!(near("zheng", "zhen") && near("zhuan", "zhuang") && near("lin", "nin"));
        assert!(!near("zheng", "zheng") && !near("bao", "pao") && !near("shou", "gou"));
        let most = NEAR.iter().map(Vec::len).max();
        assert!(most < Some(12), "a walk stays narrow: {most:?}");
    }

    #[test]
    fn the_length_of_a_keyword_settles_how_it_is_heard() {
        let auto = |n| Hearing::of(Sound::Auto, n);
        assert_eq!(
            [auto(0), auto(1), auto(2), auto(3), auto(4), auto(6)],
            [
                Hearing::Letters,
                Hearing::Letters,
                Hearing::Toned,
                Hearing::Toneless,
                Hearing::Near,
                Hearing::Loose
            ]
        );
        assert_eq!(Hearing::of(Sound::Loose, 3), Hearing::Near);
        assert_eq!(Hearing::of(Sound::Loose, 4), Hearing::Loose);
        assert_eq!(Hearing::of(Sound::Near, 2), Hearing::Near);
        assert_eq!(
            Hearing::of(Sound::Near, 0),
            Hearing::Letters,
            "no hanzi, no sound"
        );
    }
}

//! Biasing towards expected phrases: an Aho-Corasick automaton over token numbers.
//!
//! Every token that goes on in a phrase earns the phrase's boost; leaving it half way takes the
//! unfinished boosts back, so that only whole phrases gain, those that stand inside an unfinished
//! longer one included (after the context graph of icefall, and Aho and Corasick 1975).

mod biasing;

use std::collections::{HashMap, VecDeque};

use crate::engine::Hotword;

pub(crate) use biasing::{BiasState, Biasing, Leaning};

/// Root of the automaton: no phrase has begun.
const ROOT: u32 = 0;

#[derive(Debug, Default)]
struct Node {
    next: HashMap<u32, u32>,
    fail: u32,
    /// The largest boost of the phrases that go through here.
    boost: f32,
    is_end: bool,
    /// What a path has earned here since the last whole phrase on the way from the root.
    earned: f32,
    /// How much of it stays when the phrase is left: what a whole phrase inside it is worth.
    kept: f32,
    /// Worth of the longest whole phrase that ends here, 0 where none does.
    worth: f32,
    /// What the whole phrases on the way from the root have earned.
    banked: f32,
}

impl Node {
    /// What going on from here starts with: nothing once the phrase is whole.
    fn carried(&self) -> f32 {
        if self.is_end { 0.0 } else { self.earned }
    }

    /// The part of it that stays whatever comes.
    fn kept_on(&self) -> f32 {
        if self.is_end { 0.0 } else { self.kept }
    }

    /// What leaving the phrase here gives back.
    fn pending(&self) -> f32 {
        self.carried() - self.kept_on()
    }
}

/// All the phrases of one list.
#[derive(Debug)]
pub(crate) struct HotwordGraph {
    nodes: Vec<Node>,
}

impl HotwordGraph {
    /// Builds the automaton, or none where there are no phrases.
    ///
    /// # Errors
    /// The first token that `token_id` does not know.
    pub(crate) fn build(
        hotwords: &[Hotword],
        token_id: impl Fn(&str) -> Option<usize>,
    ) -> Result<Option<Self>, String> {
        if hotwords.is_empty() {
            return Ok(None);
        }
        let mut graph = Self {
            nodes: vec![Node::default()],
        };
        for hotword in hotwords {
            let ids = hotword
                .tokens
                .iter()
                .map(|token| {
                    token_id(token)
                        .map(|id| id as u32)
                        .ok_or_else(|| token.clone())
                })
                .collect::<Result<Vec<_>, _>>()?;
            graph.insert(&ids, hotword.boost);
        }
        graph.link();
        Ok(Some(graph))
    }

    fn insert(&mut self, ids: &[u32], boost: f32) {
        let mut at = ROOT;
        for &id in ids {
            let fresh = self.nodes.len() as u32;
            let next = *self.nodes[at as usize].next.entry(id).or_insert(fresh);
            if next == fresh {
                self.nodes.push(Node::default());
            }
            let node = &mut self.nodes[next as usize];
            node.boost = node.boost.max(boost);
            at = next;
        }
        self.nodes[at as usize].is_end |= !ids.is_empty();
    }

    /// Fail links and what follows from them, breadth first: of a node's parent and of every shorter
    /// phrase all is known by then. Only now are all the ends known, whatever the order of the phrases.
    fn link(&mut self) {
        let mut queue = VecDeque::from([ROOT]);
        while let Some(at) = queue.pop_front() {
            let children: Vec<(u32, u32)> = self.nodes[at as usize]
                .next
                .iter()
                .map(|(id, child)| (*id, *child))
                .collect();
            for (id, child) in children {
                let fail = match at {
                    ROOT => ROOT,
                    _ => self.follow(self.nodes[at as usize].fail, id).1,
                };
                self.settle_node(at, child, fail);
                queue.push_back(child);
            }
        }
    }

    fn settle_node(&mut self, parent: u32, child: u32, fail: u32) {
        let (parent, suffix) = (&self.nodes[parent as usize], &self.nodes[fail as usize]);
        let (carried, banked, kept) = (parent.carried(), parent.banked, parent.kept_on());
        let worth = suffix.worth;
        let inside = worth.max(suffix.banked + suffix.kept_on());
        let node = &mut self.nodes[child as usize];
        node.fail = fail;
        node.kept = kept.max(inside);
        node.earned = (carried + node.boost).max(node.kept);
        (node.banked, node.worth) = if node.is_end {
            (banked + node.earned, banked + node.earned)
        } else {
            (banked, worth)
        };
    }

    /// The longest phrase begun by what is left of `from` that goes on with `id`: what was left, and the
    /// node it goes on to; the root twice where there is none.
    fn follow(&self, from: u32, id: u32) -> (u32, u32) {
        let mut at = from;
        loop {
            let node = &self.nodes[at as usize];
            match node.next.get(&id) {
                Some(next) => return (at, *next),
                None if at == ROOT => return (ROOT, ROOT),
                None => at = node.fail,
            }
        }
    }

    /// The state after `id` and what the score gains (or gives back).
    fn advance(&self, state: u32, id: u32) -> (u32, f32) {
        let node = &self.nodes[state as usize];
        let (next, held) = match node.next.get(&id) {
            Some(next) => (*next, node.carried()),
            None => {
                let (left, next) = self.follow(node.fail, id);
                // What stands inside the rest is carried on, not paid here and there.
                (next, node.pending() + self.nodes[left as usize].kept_on())
            }
        };
        (next, self.nodes[next as usize].earned - held)
    }

    /// What an unfinished phrase gives back at the end of the stream.
    fn settle(&self, state: u32) -> f32 {
        -self.nodes[state as usize].pending()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(phrases: &[&str]) -> HotwordGraph {
        let hotwords: Vec<Hotword> = phrases
            .iter()
            .map(|phrase| Hotword {
                tokens: phrase.chars().map(String::from).collect(),
                boost: 1.0,
            })
            .collect();
        let id = |token: &str| token.bytes().next().map(usize::from);
        HotwordGraph::build(&hotwords, id).unwrap().unwrap()
    }

    fn score(graph: &HotwordGraph, text: &str) -> f32 {
        let (state, total) = text.bytes().fold((ROOT, 0.0), |(state, total), byte| {
            let (next, gain) = graph.advance(state, u32::from(byte));
            (next, total + gain)
        });
        total + graph.settle(state)
    }

    #[test]
    fn only_whole_phrases_gain() {
        let graph = graph(&["abc", "bx", "abcde"]);
        for (text, expected) in [
            ("abc", 3.0),
            ("ab", 0.0),
            ("abx", 2.0),
            ("zabcz", 3.0),
            ("abcd", 3.0),
            ("abcde", 5.0),
            ("bxabc", 5.0),
        ] {
            assert_eq!(score(&graph, text), expected, "{text}");
        }
    }

    #[test]
    fn the_order_of_the_phrases_does_not_matter() {
        for phrases in [["abcde", "abc", "c"], ["c", "abcde", "abc"]] {
            let graph = graph(&phrases);
            for (text, expected) in [("abcde", 5.0), ("abcd", 3.0), ("abx", 0.0), ("bc", 1.0)] {
                assert_eq!(score(&graph, text), expected, "{phrases:?} {text}");
            }
        }
    }

    #[test]
    fn a_whole_phrase_inside_an_unfinished_one_keeps_its_gain() {
        let graph = graph(&["abcd", "bc", "cx", "bcdef"]);
        for (text, expected) in [
            ("abcd", 4.0),
            ("abcz", 2.0),
            ("abc", 2.0),
            ("abcx", 4.0),
            ("abz", 0.0),
            ("abcdef", 7.0),
        ] {
            assert_eq!(score(&graph, text), expected, "{text}");
        }
        let graph = self::graph(&["abcz", "c", "bcdy"]);
        assert_eq!(score(&graph, "abcd"), 1.0, "counted once");
    }

    proptest::proptest! {
        /// At least the longest whole phrase counts, and nothing but whole phrases.
        #[test]
        fn gains_are_those_of_whole_phrases(
            phrases in proptest::collection::vec("[abc]{1,4}", 1..5),
            text in "[abc]{0,8}",
        ) {
            let phrases: std::collections::BTreeSet<&str> = phrases.iter().map(|p| &**p).collect();
            let said = |phrase: &&&str| (0..text.len()).filter(|at| text[*at..].starts_with(**phrase)).count();
            let longest = phrases.iter().filter(|p| said(p) > 0).map(|p| p.len()).max();
            let most: usize = phrases.iter().map(|p| said(&p) * p.len()).sum();
            let graph = graph(&phrases.iter().copied().collect::<Vec<_>>());
            let found = score(&graph, &text);
            proptest::prop_assert!(found >= longest.unwrap_or(0) as f32 && found <= most as f32, "{found}");
        }
    }

    #[test]
    fn an_unknown_token_is_named() {
        let hotword = Hotword {
            tokens: vec!["q".into()],
            boost: 1.0,
        };
        assert_eq!(HotwordGraph::build(&[hotword], |_| None).unwrap_err(), "q");
    }
}

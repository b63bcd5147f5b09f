//! Biasing towards expected phrases: an Aho-Corasick automaton over token numbers.
//!
//! Every token that goes on in a phrase earns the phrase's boost; leaving it half way takes the
//! unfinished boosts back, so that only whole phrases gain (the context graph of icefall, after
//! Aho and Corasick 1975).

use std::collections::{HashMap, VecDeque};

use crate::engine::Hotword;

/// Root of the automaton: no phrase has begun.
pub(crate) const ROOT: u32 = 0;

#[derive(Debug, Default)]
struct Node {
    next: HashMap<u32, u32>,
    fail: u32,
    /// Boost earned on the way here since the last whole phrase, this token's included.
    earned: f32,
    is_end: bool,
}

impl Node {
    /// What leaving the phrase here gives back: nothing once it is whole.
    fn pending(&self) -> f32 {
        if self.is_end { 0.0 } else { self.earned }
    }
}

/// All the phrases of one stream.
#[derive(Debug)]
pub(crate) struct HotwordGraph {
    nodes: Vec<Node>,
}

impl HotwordGraph {
    /// Builds the automaton; phrases with a token that `token_id` does not know are given back.
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
            let earned = self.nodes[at as usize].pending() + boost;
            let fresh = self.nodes.len() as u32;
            let next = *self.nodes[at as usize].next.entry(id).or_insert(fresh);
            if next == fresh {
                self.nodes.push(Node {
                    earned,
                    ..Node::default()
                });
            } else {
                let node = &mut self.nodes[next as usize];
                node.earned = node.earned.max(earned);
            }
            at = next;
        }
        self.nodes[at as usize].is_end = !ids.is_empty();
    }

    /// Fail links, breadth first, so that a shorter link is always ready.
    fn link(&mut self) {
        let mut queue: VecDeque<u32> = self.nodes[ROOT as usize].next.values().copied().collect();
        while let Some(at) = queue.pop_front() {
            let children: Vec<(u32, u32)> = self.nodes[at as usize]
                .next
                .iter()
                .map(|(id, child)| (*id, *child))
                .collect();
            for (id, child) in children {
                let fail = self.follow(self.nodes[at as usize].fail, id);
                self.nodes[child as usize].fail = if fail == child { ROOT } else { fail };
                queue.push_back(child);
            }
        }
    }

    fn follow(&self, from: u32, id: u32) -> u32 {
        let mut at = from;
        loop {
            let node = &self.nodes[at as usize];
            match node.next.get(&id) {
                Some(next) => return *next,
                None if at == ROOT => return ROOT,
                None => at = node.fail,
            }
        }
    }

    /// The state after `id` and what the score gains (or gives back).
    pub(crate) fn advance(&self, state: u32, id: u32) -> (u32, f32) {
        let next = self.follow(state, id);
        let gain = self.nodes[next as usize].earned - self.nodes[state as usize].pending();
        (next, gain)
    }

    /// What an unfinished phrase gives back at the end of the stream.
    pub(crate) fn settle(&self, state: u32) -> f32 {
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
    fn an_unknown_token_is_named() {
        let hotword = Hotword {
            tokens: vec!["q".into()],
            boost: 1.0,
        };
        assert_eq!(HotwordGraph::build(&[hotword], |_| None).unwrap_err(), "q");
    }
}

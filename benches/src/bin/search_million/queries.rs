//! Queries of every kind, drawn from the calls that were indexed.

use std::cmp::Reverse;
use std::collections::HashMap;

use auricle_contracts::Transcript;

use crate::corpus::{Random, UTTERANCES_A_CALL};

/// Queries of one kind.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) queries: Vec<String>,
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// The most frequent pairs of hanzi.
    Frequent,
    /// What was said in a call drawn at random.
    Said,
}

/// A sixth of each kind asks for what is frequent.
const FREQUENT_EVERY: usize = 6;
/// Pairs of hanzi that count as frequent.
const N_FREQUENT: usize = 60;

type Make = fn(&mut Draw<'_>, Asked) -> String;

const KINDS: [(&str, Make); 13] = [
    ("phrase", |draw, asked| draw.piece(asked, 2, 6)),
    ("quoted phrase", |draw, _| {
        format!("\"{}\"", draw.piece(Asked::Said, 4, 9))
    }),
    ("single hanzi", |draw, _| draw.piece(Asked::Said, 1, 1)),
    ("near", |draw, asked| {
        let (a, b) = draw.pair_of_utterance(asked);
        format!("{a} NEAR/8 {b}")
    }),
    ("then", |draw, asked| {
        let (a, b) = draw.pair_of_call(asked);
        format!("{a} THEN/5 {b}")
    }),
    ("then by party", |draw, asked| {
        let (a, b) = draw.pair_of_call(asked);
        format!("party:agent {a} THEN party:customer {b}")
    }),
    ("sound", |draw, asked| {
        format!("sound:{}", draw.piece(asked, 2, 6))
    }),
    ("sound near", |draw, asked| {
        format!("sound:{}~0.5", draw.piece(asked, 2, 6))
    }),
    ("sound edited", |draw, _| {
        format!("sound:{}~1", draw.piece(Asked::Said, 3, 7))
    }),
    ("sound 2 edits", |draw, _| {
        format!("sound:{}~2", draw.piece(Asked::Said, 6, 8))
    }),
    ("prefix", |draw, asked| {
        format!("{}*", draw.piece(asked, 1, 2))
    }),
    ("boolean", |draw, asked| {
        let (a, b) = draw.pair_of_call(asked);
        format!("({a} OR {b}) -{}", draw.piece(Asked::Said, 2, 2))
    }),
    ("fields", |draw, asked| {
        let agent = draw.random.below(draw.surnames.len());
        let piece = draw.piece(asked, 2, 3);
        format!("agent:{} date:2025 {piece}", draw.surnames[agent])
    }),
];

/// `n` queries of every kind, the same ones every time.
pub(crate) fn kinds(calls: &[Transcript], surnames: &[&str], n: usize) -> Vec<Kind> {
    let mut draw = Draw {
        calls,
        surnames,
        random: Random(77),
        frequent: frequent_pairs(calls),
    };
    let mut queries = |make: Make| {
        let asked = |number: usize| match number % FREQUENT_EVERY {
            0 => Asked::Frequent,
            _ => Asked::Said,
        };
        (0..n)
            .map(|number| make(&mut draw, asked(number)))
            .collect()
    };
    KINDS
        .iter()
        .map(|&(name, make)| Kind {
            name,
            queries: queries(make),
        })
        .collect()
}

struct Draw<'a> {
    calls: &'a [Transcript],
    surnames: &'a [&'a str],
    random: Random,
    frequent: Vec<String>,
}

impl Draw<'_> {
    fn place(&mut self, n_utterances: usize) -> (usize, usize) {
        let call = self.random.below(self.calls.len());
        (call, self.random.below(n_utterances))
    }

    fn piece_of(&mut self, (call, number): (usize, usize), least: usize, most: usize) -> String {
        let spoken = &self.calls[call].utterances[number].spoken;
        let letters: Vec<char> = spoken.chars().filter(|c| !c.is_whitespace()).collect();
        let length = (least + self.random.below(most - least + 1)).min(letters.len());
        let start = self.random.below(letters.len() - length + 1);
        letters[start..start + length].iter().collect()
    }

    fn frequent(&mut self) -> String {
        let rank = self.random.below(self.frequent.len());
        self.frequent.get(rank).cloned().unwrap_or_default()
    }

    fn piece(&mut self, asked: Asked, least: usize, most: usize) -> String {
        match asked {
            Asked::Frequent => self.frequent(),
            Asked::Said => {
                let place = self.place(UTTERANCES_A_CALL);
                self.piece_of(place, least, most)
            }
        }
    }

    fn pair_of_utterance(&mut self, asked: Asked) -> (String, String) {
        match asked {
            Asked::Frequent => (self.frequent(), self.frequent()),
            Asked::Said => {
                let place = self.place(UTTERANCES_A_CALL);
                (self.piece_of(place, 2, 3), self.piece_of(place, 2, 3))
            }
        }
    }

    fn pair_of_call(&mut self, asked: Asked) -> (String, String) {
        match asked {
            Asked::Frequent => (self.frequent(), self.frequent()),
            Asked::Said => {
                let (call, number) = self.place(UTTERANCES_A_CALL - 5);
                let later = number + 1 + self.random.below(5);
                (
                    self.piece_of((call, number), 2, 3),
                    self.piece_of((call, later), 2, 3),
                )
            }
        }
    }
}

fn frequent_pairs(calls: &[Transcript]) -> Vec<String> {
    let mut counts = HashMap::<(char, char), usize>::new();
    for utterance in calls.iter().take(2000).flat_map(|call| &call.utterances) {
        let letters: Vec<char> = utterance.spoken.chars().collect();
        for pair in letters.windows(2) {
            *counts.entry((pair[0], pair[1])).or_default() += 1;
        }
    }
    let mut pairs: Vec<_> = counts.into_iter().collect();
    pairs.sort_by_key(|&(pair, count)| (Reverse(count), pair));
    let frequent = pairs.into_iter().take(N_FREQUENT);
    frequent
        .map(|((a, b), _)| [a, b].into_iter().collect())
        .collect()
}

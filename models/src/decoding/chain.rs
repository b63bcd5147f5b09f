//! Emitted tokens of many readings of one stream, each reading a chain that shares its beginning with others.

use crate::decoding::TokenTable;
use crate::engine::Token;

/// Tokens remembered beside each emitted one.
const N_ALTERNATIVES: usize = 8;
/// The token that stands for nothing.
pub(crate) const BLANK: usize = 0;

/// Where frames lie in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameClock {
    /// Time that one frame of the network's output stands for.
    pub(crate) frame_ms: u32,
    /// How far the output lags behind the sound.
    pub(crate) delay_ms: u32,
}

/// An emitted token.
struct Node {
    parent: Head,
    token: u32,
    frame: u32,
    /// Likeliest tokens there, normalised over all but blank.
    alternatives: [(u32, f32); N_ALTERNATIVES],
    /// Log probability of the token itself, normalised alike.
    log_prob: f32,
    /// The same beside blank.
    beside_blank: f32,
}

/// The last token of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head(u32);

impl Head {
    /// No token yet.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

/// All chains of one stream.
#[derive(Default)]
pub(crate) struct Chains {
    nodes: Vec<Node>,
}

impl Chains {
    /// Goes on from `parent` by `token`, emitted at `frame`, where `row` has the log probability of every token.
    pub(crate) fn emit(&mut self, parent: Head, token: usize, frame: u32, row: &[f32]) -> Head {
        let not_blank = not_blank(row);
        self.nodes.push(Node {
            parent,
            token: token as u32,
            frame,
            alternatives: likeliest(row, not_blank),
            log_prob: row[token] - not_blank,
            beside_blank: row[token],
        });
        Head(self.nodes.len() as u32 - 1)
    }

    /// The token that `head` has emitted goes on at `frame`: it stands where it is likeliest. Chains that went on from
    /// `head` before keep it where it was.
    pub(crate) fn go_on(&mut self, head: Head, frame: u32, row: &[f32]) -> Head {
        match self.nodes.get(head.0 as usize) {
            Some(node) if row[node.token as usize] > node.beside_blank => {
                let (parent, token) = (node.parent, node.token as usize);
                self.emit(parent, token, frame, row)
            }
            _ => head,
        }
    }

    /// The tokens up to `head`.
    pub(crate) fn read(&self, head: Head, tokens: &TokenTable, clock: FrameClock) -> Vec<Token> {
        let mut chain = Vec::new();
        let mut at = head;
        while let Some(node) = self.nodes.get(at.0 as usize) {
            chain.push(node);
            at = node.parent;
        }
        let at_ms = |frame: u32| (frame * clock.frame_ms).saturating_sub(clock.delay_ms);
        let token = |node: &Node| Token {
            text: tokens.text(node.token as usize),
            start_ms: at_ms(node.frame),
            end_ms: at_ms(node.frame + 1),
            confidence: node.log_prob.exp().min(1.0),
            alternatives: node
                .alternatives
                .iter()
                .filter(|(_, log_prob)| log_prob.is_finite())
                .map(|(token, log_prob)| (tokens.text(*token as usize), *log_prob))
                .collect(),
        };
        chain.into_iter().rev().map(token).collect()
    }
}

/// Log probability that a frame emits any token at all.
fn not_blank(row: &[f32]) -> f32 {
    (-row[BLANK].exp()).ln_1p().max(-20.0)
}

fn likeliest(row: &[f32], not_blank: f32) -> [(u32, f32); N_ALTERNATIVES] {
    let mut best = [(0, f32::NEG_INFINITY); N_ALTERNATIVES];
    for (token, log_prob) in row.iter().enumerate().skip(1) {
        if *log_prob > best[N_ALTERNATIVES - 1].1 {
            let at = best.partition_point(|other| other.1 >= *log_prob);
            best[at..].rotate_right(1);
            best[at] = (token as u32, *log_prob);
        }
    }
    best.map(|(token, log_prob)| (token, log_prob - not_blank))
}

/// The sum of two probabilities, all by their natural logarithms.
pub(crate) fn log_add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    match low {
        f32::NEG_INFINITY => high,
        _ => high + (low - high).exp().ln_1p(),
    }
}

/// A hash of a sequence of tokens that has one token more.
pub(crate) fn hash_on(sequence_hash: u64, token: usize) -> u64 {
    let hash = (sequence_hash ^ (token as u64 + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_sorted_and_normalised_without_blank() {
        let row: Vec<f32> = [0.5_f32, 0.4, 0.1].iter().map(|prob| prob.ln()).collect();
        let best = likeliest(&row, 0.5_f32.ln());
        assert_eq!((best[0].0, best[1].0), (1, 2));
        assert!((best[0].1.exp() - 0.8).abs() < 1e-5 && (best[1].1.exp() - 0.2).abs() < 1e-5);
    }

    #[test]
    fn a_token_that_goes_on_stands_where_it_is_surest() {
        let table = TokenTable::parse("<blk> 0\na 1\nb 2\n").unwrap();
        let row = |probs: [f32; 3]| probs.map(f32::ln);
        let mut chains = Chains::default();
        let head = chains.emit(Head::NONE, 1, 2, &row([0.2, 0.4, 0.4]));
        let begun = chains.emit(head, 2, 3, &row([0.2, 0.4, 0.4]));
        let head = chains.go_on(head, 3, &row([0.2, 0.6, 0.2]));
        let head = chains.go_on(head, 4, &row([0.6, 0.2, 0.2]));
        let clock = FrameClock {
            frame_ms: 40,
            delay_ms: 100,
        };
        let tokens = chains.read(head, &table, clock);
        assert_eq!((tokens[0].start_ms, tokens[0].end_ms), (20, 60));
        assert!((tokens[0].confidence - 0.75).abs() < 1e-4);
        assert!((tokens[0].alternatives[1].1.exp() - 0.25).abs() < 1e-4);
        let begun = chains.read(begun, &table, clock);
        assert_eq!((begun[0].start_ms, begun[1].start_ms), (0, 20));
    }
}

//! Modified beam search over one stream: at most one token per frame, equal token sequences merged
//! (icefall's `modified_beam_search`). One path is greedy search.

use std::sync::Arc;

use crate::engine::{Hypothesis, Token};
use crate::transducer::hotwords::{HotwordGraph, ROOT};
use crate::transducer::tokens::TokenTable;

/// Tokens remembered beside each emitted one.
const N_ALTERNATIVES: usize = 8;
const BLANK: usize = 0;
const NO_NODE: u32 = u32::MAX;

/// An emitted token; paths are chains of these.
struct Node {
    parent: u32,
    token: u32,
    frame: u32,
    /// Likeliest tokens there, normalised over all but blank.
    alternatives: [(u32, f32); N_ALTERNATIVES],
    /// Log probability of the token itself, normalised alike.
    log_prob: f32,
}

#[derive(Clone)]
struct Path {
    head: u32,
    n_tokens: u32,
    /// Tells token sequences apart when paths meet.
    sequence_hash: u64,
    context: Vec<i64>,
    log_prob: f32,
    bias: f32,
    bias_state: u32,
}

impl Path {
    fn score(&self) -> f32 {
        self.log_prob + self.bias
    }
}

struct Candidate {
    score: f32,
    path: usize,
    token: usize,
}

/// What is fixed for all streams of a model.
pub(crate) struct BeamRules {
    pub(crate) n_paths: usize,
    pub(crate) n_tokens: usize,
    /// Counts as blank: a path is not extended by it.
    pub(crate) unknown: Option<usize>,
    /// Time that one frame of the encoder's output stands for.
    pub(crate) frame_ms: u32,
}

/// The living paths of one stream.
pub(crate) struct Beam {
    nodes: Vec<Node>,
    paths: Vec<Path>,
    frame: u32,
    hotwords: Option<Arc<HotwordGraph>>,
}

impl Beam {
    pub(crate) fn new(context_size: usize, hotwords: Option<Arc<HotwordGraph>>) -> Self {
        let mut context = vec![-1; context_size];
        if let Some(last) = context.last_mut() {
            *last = BLANK as i64;
        }
        let empty = Path {
            head: NO_NODE,
            n_tokens: 0,
            sequence_hash: 0,
            context,
            log_prob: 0.0,
            bias: 0.0,
            bias_state: ROOT,
        };
        Self {
            nodes: Vec::new(),
            paths: vec![empty],
            frame: 0,
            hotwords,
        }
    }

    /// The contexts that the decoder must see before the next [`Self::advance`], in order.
    pub(crate) fn contexts(&self) -> impl ExactSizeIterator<Item = &[i64]> {
        self.paths.iter().map(|path| path.context.as_slice())
    }

    /// Moves on by one frame. `log_probs` has one row of `n_tokens` per context.
    pub(crate) fn advance(&mut self, log_probs: &[f32], rules: &BeamRules) {
        let candidates = self.best_candidates(log_probs, rules);
        let mut next: Vec<Path> = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let row = &log_probs[candidate.path * rules.n_tokens..][..rules.n_tokens];
            let path = self.extend(&candidate, row, rules);
            match next
                .iter_mut()
                .find(|other| other.sequence_hash == path.sequence_hash)
            {
                Some(twin) => twin.log_prob = log_add(twin.log_prob, path.log_prob),
                None => next.push(path),
            }
        }
        self.paths = next;
        self.frame += 1;
    }

    fn best_candidates(&self, log_probs: &[f32], rules: &BeamRules) -> Vec<Candidate> {
        let mut best: Vec<Candidate> = Vec::with_capacity(rules.n_paths + 1);
        for (path, row) in log_probs.chunks_exact(rules.n_tokens).enumerate() {
            let so_far = self.paths[path].score();
            for (token, log_prob) in row.iter().enumerate() {
                let score = so_far + log_prob;
                if best.len() == rules.n_paths
                    && best.last().is_some_and(|worst| score <= worst.score)
                {
                    continue;
                }
                let at = best.partition_point(|other| other.score >= score);
                best.insert(at, Candidate { score, path, token });
                best.truncate(rules.n_paths);
            }
        }
        best
    }

    fn extend(&mut self, candidate: &Candidate, row: &[f32], rules: &BeamRules) -> Path {
        let mut path = self.paths[candidate.path].clone();
        path.log_prob += row[candidate.token];
        if candidate.token == BLANK || Some(candidate.token) == rules.unknown {
            return path;
        }
        let token = candidate.token as u32;
        if let Some(graph) = &self.hotwords {
            let (state, gain) = graph.advance(path.bias_state, token);
            path.bias_state = state;
            path.bias += gain;
        }
        path.context.rotate_left(1);
        if let Some(last) = path.context.last_mut() {
            *last = i64::from(token);
        }
        path.sequence_hash =
            (path.sequence_hash ^ u64::from(token + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        path.sequence_hash ^= path.sequence_hash >> 29;
        path.n_tokens += 1;
        let not_blank = (-row[BLANK].exp()).ln_1p().max(-20.0);
        self.nodes.push(Node {
            parent: path.head,
            token,
            frame: self.frame,
            alternatives: likeliest(row, not_blank),
            log_prob: row[candidate.token] - not_blank,
        });
        path.head = self.nodes.len() as u32 - 1;
        path
    }

    /// The best reading so far.
    pub(crate) fn best(&self, tokens: &TokenTable, rules: &BeamRules) -> Hypothesis {
        let best = self
            .paths
            .iter()
            .max_by(|a, b| self.rank(a).total_cmp(&self.rank(b)));
        best.map(|path| self.read(path, tokens, rules))
            .unwrap_or_default()
    }

    /// All readings, best first.
    pub(crate) fn n_best(&self, tokens: &TokenTable, rules: &BeamRules) -> Vec<Hypothesis> {
        let mut order: Vec<&Path> = self.paths.iter().collect();
        order.sort_by(|a, b| self.rank(b).total_cmp(&self.rank(a)));
        order
            .into_iter()
            .map(|path| self.read(path, tokens, rules))
            .collect()
    }

    /// Score per token, so that short readings do not win for being short.
    fn rank(&self, path: &Path) -> f32 {
        let settled = self
            .hotwords
            .as_ref()
            .map_or(0.0, |graph| graph.settle(path.bias_state));
        let length = path.n_tokens as usize + path.context.len();
        (path.score() + settled) / length as f32
    }

    fn read(&self, path: &Path, tokens: &TokenTable, rules: &BeamRules) -> Hypothesis {
        let mut chain = Vec::with_capacity(path.n_tokens as usize);
        let mut at = path.head;
        while let Some(node) = self.nodes.get(at as usize) {
            chain.push(node);
            at = node.parent;
        }
        chain.reverse();
        let tokens = chain
            .into_iter()
            .map(|node| Token {
                text: tokens.text(node.token as usize),
                start_ms: node.frame * rules.frame_ms,
                end_ms: (node.frame + 1) * rules.frame_ms,
                confidence: node.log_prob.exp().min(1.0),
                alternatives: node
                    .alternatives
                    .iter()
                    .map(|(token, log_prob)| (tokens.text(*token as usize), *log_prob))
                    .collect(),
            })
            .collect();
        Hypothesis {
            tokens,
            log_prob: path.log_prob,
        }
    }
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

fn log_add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    high + (low - high).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(frames: &[&[f32]]) -> Vec<Vec<f32>> {
        frames
            .iter()
            .map(|frame| frame.iter().map(|prob| prob.ln()).collect())
            .collect()
    }

    fn decode(
        frames: &[&[f32]],
        n_paths: usize,
        hotwords: Option<Arc<HotwordGraph>>,
    ) -> Vec<String> {
        read(frames, n_paths, hotwords, 40)
            .iter()
            .map(|reading| reading.tokens.iter().map(|token| &*token.text).collect())
            .collect()
    }

    fn read(
        frames: &[&[f32]],
        n_paths: usize,
        hotwords: Option<Arc<HotwordGraph>>,
        frame_ms: u32,
    ) -> Vec<Hypothesis> {
        let table = TokenTable::parse("<blk> 0\na 1\nb 2\n").unwrap();
        let rules = BeamRules {
            n_paths,
            n_tokens: 3,
            unknown: None,
            frame_ms,
        };
        let mut beam = Beam::new(2, hotwords);
        for row in rows(frames) {
            let all: Vec<f32> = beam.contexts().flat_map(|_| row.clone()).collect();
            beam.advance(&all, &rules);
        }
        beam.n_best(&table, &rules)
    }

    const FRAMES: [&[f32]; 3] = [&[0.1, 0.6, 0.3], &[0.8, 0.1, 0.1], &[0.1, 0.4, 0.5]];

    #[test]
    fn one_path_is_greedy() {
        assert_eq!(decode(&FRAMES, 1, None), ["ab"]);
    }

    #[test]
    fn times_follow_the_rate_of_the_network() {
        for (frame_ms, expected) in [(40, [(0, 40), (80, 120)]), (20, [(0, 20), (40, 60)])] {
            let tokens = &read(&FRAMES, 1, None, frame_ms)[0].tokens;
            let times = tokens.iter().map(|token| (token.start_ms, token.end_ms));
            assert_eq!(times.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn more_paths_give_more_readings_and_no_twins() {
        let readings = decode(&FRAMES, 8, None);
        assert_eq!(readings[0], "ab");
        assert!(readings.contains(&"aa".to_string()) && readings.contains(&"bb".to_string()));
        let mut unique = readings.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), readings.len());
    }

    #[test]
    fn a_hotword_turns_the_balance() {
        use crate::engine::Hotword;
        let hotword = Hotword {
            tokens: vec!["b".into(), "b".into()],
            boost: 1.0,
        };
        let id = |token: &str| "_ab".find(token);
        let graph = HotwordGraph::build(&[hotword], id).unwrap().map(Arc::new);
        assert_eq!(decode(&FRAMES, 8, graph)[0], "bb");
    }

    #[test]
    fn alternatives_are_sorted_and_normalised_without_blank() {
        let row: Vec<f32> = [0.5_f32, 0.4, 0.1].iter().map(|prob| prob.ln()).collect();
        let best = likeliest(&row, 0.5_f32.ln());
        assert_eq!((best[0].0, best[1].0), (1, 2));
        assert!((best[0].1.exp() - 0.8).abs() < 1e-5 && (best[1].1.exp() - 0.2).abs() < 1e-5);
    }
}

//! Modified beam search over one stream: at most one token per frame, equal token sequences merged
//! (icefall's `modified_beam_search`). One path is greedy search.

use crate::decoding::TokenTable;
use crate::decoding::chain::{BLANK, Chains, FrameClock, Head, hash_on, log_add};
use crate::decoding::hotwords::{BiasState, Leaning};
use crate::engine::Hypothesis;

#[derive(Clone)]
struct Path {
    head: Head,
    n_tokens: u32,
    /// Tells token sequences apart when paths meet.
    sequence_hash: u64,
    context: Vec<i64>,
    log_prob: f32,
    bias: f32,
    bias_state: BiasState,
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
    /// Where frames of the encoder's output lie.
    pub(crate) clock: FrameClock,
}

/// The living paths of one stream.
pub(crate) struct Beam {
    chains: Chains,
    paths: Vec<Path>,
    frame: u32,
    hotwords: Leaning,
}

impl Beam {
    pub(crate) fn new(context_size: usize, hotwords: Leaning) -> Self {
        let mut context = vec![-1; context_size];
        if let Some(last) = context.last_mut() {
            *last = BLANK as i64;
        }
        let empty = Path {
            head: Head::NONE,
            n_tokens: 0,
            sequence_hash: 0,
            context,
            log_prob: 0.0,
            bias: 0.0,
            bias_state: BiasState::ROOT,
        };
        Self {
            chains: Chains::default(),
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
        let (state, gain) = self.hotwords.advance(path.bias_state, token);
        path.bias_state = state;
        path.bias += gain;
        path.context.rotate_left(1);
        if let Some(last) = path.context.last_mut() {
            *last = i64::from(token);
        }
        path.sequence_hash = hash_on(path.sequence_hash, candidate.token);
        path.n_tokens += 1;
        path.head = self
            .chains
            .emit(path.head, candidate.token, self.frame, row);
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
        let settled = self.hotwords.settle(path.bias_state);
        let length = path.n_tokens as usize + path.context.len();
        (path.score() + settled) / length as f32
    }

    fn read(&self, path: &Path, tokens: &TokenTable, rules: &BeamRules) -> Hypothesis {
        Hypothesis {
            tokens: self.chains.read(path.head, tokens, rules.clock),
            log_prob: path.log_prob,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decoding::hotwords::HotwordGraph;

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
            clock: FrameClock {
                frame_ms,
                delay_ms: 0,
            },
        };
        let mut beam = Beam::new(2, Leaning::new([hotwords, None]));
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
}

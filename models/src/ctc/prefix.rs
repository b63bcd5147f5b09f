//! Prefix beam search over one stream of CTC outputs (Hannun et al. 2014; Graves and Jaitly 2014 for the recursion): readings
//! that differ only in where blanks and repetitions lie are one.

use std::sync::Arc;

use super::syllables::{Place, SyllableModel};
use crate::decoding::TokenTable;
use crate::decoding::chain::{BLANK, Chains, FrameClock, Head, hash_on, log_add};
use crate::decoding::hotwords::{BiasState, Leaning};
use crate::engine::Hypothesis;

/// Tokens less likely than this (natural log) open no reading.
const LEAST: f32 = -6.0;
/// More tokens of one frame open no reading.
const MOST_TOKENS: usize = 12;

/// What is fixed for all streams of a model.
#[derive(Clone, Debug)]
pub(crate) struct PrefixRules {
    pub(crate) n_paths: usize,
    pub(crate) clock: FrameClock,
    /// Where there is one, only tokens that make its syllables open readings.
    pub(crate) syllables: Option<Arc<SyllableModel>>,
}

impl PrefixRules {
    fn less_blank(&self) -> f32 {
        self.syllables
            .as_ref()
            .map_or(0.0, |model| model.less_blank())
    }

    fn advance(&self, place: Place, token: usize) -> Option<(Place, f32)> {
        match &self.syllables {
            Some(model) => model.advance(place, token),
            None => Some((place, 0.0)),
        }
    }
}

/// One reading so far.
#[derive(Clone)]
struct Path {
    head: Head,
    last: usize,
    /// Tells token sequences apart.
    sequence_hash: u64,
    /// Log probability of all ways that end in blank.
    blank: f32,
    /// Log probability of all ways that end in the last token.
    token: f32,
    /// What syllables add.
    paid: f32,
    /// What hotwords add.
    bias: f32,
    bias_state: BiasState,
    place: Place,
    /// The reading that it is likeliest to follow by a token of this very frame, though it was one before.
    follows: Option<usize>,
}

impl Path {
    fn log_prob(&self) -> f32 {
        log_add(self.blank, self.token)
    }

    fn score(&self) -> f32 {
        self.log_prob() + self.paid + self.bias
    }
}

/// A reading that one more token would make.
struct Longer {
    parent: usize,
    token: usize,
    log_prob: f32,
    sequence_hash: u64,
    paid: f32,
    bias: f32,
    bias_state: BiasState,
    place: Place,
}

impl Longer {
    fn score(&self) -> f32 {
        self.log_prob + self.paid + self.bias
    }
}

/// The living readings of one stream.
pub(crate) struct PrefixBeam {
    chains: Chains,
    /// Best first.
    paths: Vec<Path>,
    next: Vec<Path>,
    /// Of the frame in work: likely tokens, readings with one more, the scores of all.
    tokens: Vec<usize>,
    longer: Vec<Longer>,
    scores: Vec<f32>,
    frame: u32,
    hotwords: Leaning,
}

impl PrefixBeam {
    pub(crate) fn new(hotwords: Leaning) -> Self {
        Self {
            chains: Chains::default(),
            paths: vec![Path {
                head: Head::NONE,
                last: BLANK,
                sequence_hash: 0,
                blank: 0.0,
                token: f32::NEG_INFINITY,
                paid: 0.0,
                bias: 0.0,
                bias_state: BiasState::ROOT,
                place: Place::default(),
                follows: None,
            }],
            next: Vec::new(),
            tokens: Vec::new(),
            longer: Vec::new(),
            scores: Vec::new(),
            frame: 0,
            hotwords,
        }
    }

    /// Moves on by one frame with the log probability of every token.
    pub(crate) fn advance(&mut self, row: &[f32], rules: &PrefixRules) {
        self.find_tokens(row);
        self.next.clear();
        self.stay(row, rules);
        self.find_longer(row, rules);
        self.keep_best(row, rules.n_paths);
        std::mem::swap(&mut self.paths, &mut self.next);
        self.frame += 1;
    }

    /// The likely tokens of a frame but blank, the likeliest first.
    fn find_tokens(&mut self, row: &[f32]) {
        self.tokens.clear();
        let likely = row.iter().enumerate().skip(BLANK + 1);
        let likely = likely.filter(|(_, log_prob)| **log_prob > LEAST);
        self.tokens.extend(likely.map(|(token, _)| token));
        self.tokens
            .sort_by(|one, other| row[*other].total_cmp(&row[*one]));
        self.tokens.truncate(MOST_TOKENS);
    }

    /// Every reading as it is: by blank, or by its last token going on.
    fn stay(&mut self, row: &[f32], rules: &PrefixRules) {
        let blank = row[BLANK] - rules.less_blank();
        for path in &self.paths {
            let mut stayed = path.clone();
            stayed.follows = None;
            stayed.blank = path.log_prob() + blank;
            stayed.token = match path.last {
                BLANK => f32::NEG_INFINITY,
                last => path.token + row[last],
            };
            self.next.push(stayed);
        }
    }

    /// Every reading with one token more. What is a reading already is added to it.
    fn find_longer(&mut self, row: &[f32], rules: &PrefixRules) {
        self.longer.clear();
        for (parent, path) in self.paths.iter().enumerate() {
            for &token in &self.tokens {
                let from = match token == path.last {
                    // The same token anew: there was a blank between.
                    true => path.blank,
                    false => path.log_prob(),
                };
                if from == f32::NEG_INFINITY {
                    continue;
                }
                let log_prob = from + row[token];
                let sequence_hash = hash_on(path.sequence_hash, token);
                let mut stayed = self.next.iter_mut();
                if let Some(twin) = stayed.find(|other| other.sequence_hash == sequence_hash) {
                    if log_prob > twin.log_prob() {
                        twin.follows = Some(parent);
                    }
                    twin.token = log_add(twin.token, log_prob);
                    continue;
                }
                let Some((place, paid)) = rules.advance(path.place, token) else {
                    continue;
                };
                let (bias_state, gain) = self.hotwords.advance(path.bias_state, token as u32);
                self.longer.push(Longer {
                    parent,
                    token,
                    log_prob,
                    sequence_hash,
                    paid: path.paid + paid,
                    bias: path.bias + gain,
                    bias_state,
                    place,
                });
            }
        }
    }

    /// Leaves the best readings, best first.
    fn keep_best(&mut self, row: &[f32], n_paths: usize) {
        self.scores.clear();
        let stayed = self.next.iter().map(Path::score);
        self.scores
            .extend(stayed.chain(self.longer.iter().map(Longer::score)));
        let worst = match self.scores.len() > n_paths {
            true => {
                let best_first = |one: &f32, other: &f32| other.total_cmp(one);
                *self
                    .scores
                    .select_nth_unstable_by(n_paths - 1, best_first)
                    .1
            }
            false => f32::NEG_INFINITY,
        };
        for stayed in self.next.iter_mut().filter(|path| path.score() >= worst) {
            if let Some(parent) = stayed.follows {
                let parent = self.paths[parent].head;
                stayed.head = self.chains.emit(parent, stayed.last, self.frame, row);
            } else if stayed.token > stayed.blank {
                stayed.head = self.chains.go_on(stayed.head, self.frame, row);
            }
        }
        for longer in self.longer.iter().filter(|longer| longer.score() >= worst) {
            let parent = &self.paths[longer.parent];
            self.next.push(Path {
                head: self.chains.emit(parent.head, longer.token, self.frame, row),
                last: longer.token,
                sequence_hash: longer.sequence_hash,
                blank: f32::NEG_INFINITY,
                token: longer.log_prob,
                paid: longer.paid,
                bias: longer.bias,
                bias_state: longer.bias_state,
                place: longer.place,
                follows: None,
            });
        }
        self.next
            .sort_by(|one, other| other.score().total_cmp(&one.score()));
        self.next.truncate(n_paths);
    }

    /// The best reading so far.
    pub(crate) fn best(&self, tokens: &TokenTable, rules: &PrefixRules) -> Hypothesis {
        let best = self
            .paths
            .iter()
            .max_by(|one, other| self.settled(one).total_cmp(&self.settled(other)));
        best.map(|path| self.read(path, tokens, rules))
            .unwrap_or_default()
    }

    /// All readings, best first; never empty. What differs only in a syllable's beginning that never came is one.
    pub(crate) fn n_best(&self, tokens: &TokenTable, rules: &PrefixRules) -> Vec<Hypothesis> {
        let mut order: Vec<&Path> = self.paths.iter().collect();
        order.sort_by(|one, other| self.settled(other).total_cmp(&self.settled(one)));
        let mut readings: Vec<(f32, Hypothesis)> = Vec::with_capacity(order.len());
        for path in order {
            let settled = self.settled(path);
            let reading = self.read(path, tokens, rules);
            let is_twin = |known: &Hypothesis| {
                let said = reading.tokens.iter().map(|token| &token.text);
                known.tokens.iter().map(|token| &token.text).eq(said)
            };
            match readings.iter_mut().find(|(_, known)| is_twin(known)) {
                Some((score, known)) => {
                    *score = log_add(*score, settled);
                    known.log_prob = log_add(known.log_prob, reading.log_prob);
                }
                None => readings.push((settled, reading)),
            }
        }
        readings.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        readings.into_iter().map(|(_, reading)| reading).collect()
    }

    /// The score without what unfinished phrases earned.
    fn settled(&self, path: &Path) -> f32 {
        path.score() + self.hotwords.settle(path.bias_state)
    }

    /// Without the beginning of a syllable that never came.
    fn read(&self, path: &Path, tokens: &TokenTable, rules: &PrefixRules) -> Hypothesis {
        let mut read = self.chains.read(path.head, tokens, rules.clock);
        if path.place.is_within() {
            read.pop();
        }
        Hypothesis {
            tokens: read,
            log_prob: path.log_prob() + path.paid,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::decoding::hotwords::HotwordGraph;
    use crate::engine::Hotword;

    const RULES: PrefixRules = PrefixRules {
        n_paths: 64,
        clock: FrameClock {
            frame_ms: 60,
            delay_ms: 120,
        },
        syllables: None,
    };

    fn table() -> TokenTable {
        TokenTable::parse("<blk> 0\na 1\nb 2\n").unwrap()
    }

    fn heard(
        rows: &[[f32; 3]],
        rules: &PrefixRules,
        hotwords: Option<Arc<HotwordGraph>>,
    ) -> Vec<Hypothesis> {
        let mut beam = PrefixBeam::new(Leaning::new([hotwords, None]));
        for row in rows {
            beam.advance(&row.map(f32::ln), rules);
        }
        beam.n_best(&table(), rules)
    }

    fn text(reading: &Hypothesis) -> String {
        reading.tokens.iter().map(|token| &*token.text).collect()
    }

    /// Every way through the frames, each read by itself.
    fn by_hand(rows: &[[f32; 3]]) -> HashMap<String, f64> {
        let mut all = HashMap::new();
        for way in 0..3_usize.pow(rows.len() as u32) {
            let (mut left, mut last, mut prob, mut said) = (way, 0, 1.0, String::new());
            for row in rows {
                let token = left % 3;
                left /= 3;
                prob *= f64::from(row[token]);
                if token != 0 && token != last {
                    said.push(['_', 'a', 'b'][token]);
                }
                last = token;
            }
            *all.entry(said).or_insert(0.0) += prob;
        }
        all
    }

    proptest! {
        /// With paths enough nothing is pruned but what is a hundred times less likely than anything kept.
        #[test]
        fn readings_have_the_sum_of_all_their_ways(
            rows in prop::collection::vec([0.05_f32..1.0, 0.05_f32..1.0, 0.05_f32..1.0], 1..6),
        ) {
            let rows: Vec<[f32; 3]> = rows
                .into_iter()
                .map(|row| row.map(|value| value / row.iter().sum::<f32>()))
                .collect();
            let expected = by_hand(&rows);
            let found = heard(&rows, &RULES, None);
            prop_assert_eq!(found.len(), expected.len());
            for reading in found {
                let prob = f64::from(reading.log_prob).exp();
                prop_assert!((prob - expected[&text(&reading)]).abs() < 1e-4);
                prop_assert!(reading.tokens.is_sorted_by_key(|token| token.start_ms));
            }
        }
    }

    #[test]
    fn a_token_that_goes_on_is_one_and_a_blank_parts_two() {
        let a = [0.05, 0.9, 0.05];
        let none = [0.9, 0.05, 0.05];
        assert_eq!(text(&heard(&[a, a], &RULES, None)[0]), "a");
        let parted = &heard(&[none, none, none, a, none, a], &RULES, None)[0];
        assert_eq!(text(parted), "aa");
        let times: Vec<u32> = parted.tokens.iter().map(|token| token.start_ms).collect();
        assert_eq!(times, [60, 180], "output lags behind by two frames");
    }

    #[test]
    fn tokens_stand_in_the_order_of_their_times() {
        let few = PrefixRules {
            n_paths: 4,
            ..RULES
        };
        let rows = [
            [0.1, 0.6, 0.3],
            [0.05, 0.35, 0.6],
            [0.05, 0.65, 0.3],
            [0.9, 0.05, 0.05],
        ];
        for reading in heard(&rows, &few, None) {
            let tokens = &reading.tokens;
            assert!(
                tokens.is_sorted_by_key(|token| token.start_ms),
                "{reading:?}"
            );
        }
    }

    #[test]
    fn few_paths_keep_the_best() {
        let rows = [[0.2, 0.5, 0.3], [0.6, 0.1, 0.3], [0.2, 0.2, 0.6]];
        let all = heard(&rows, &RULES, None);
        let few = PrefixRules {
            n_paths: 3,
            ..RULES
        };
        let kept = heard(&rows, &few, None);
        assert_eq!((kept.len(), text(&kept[0])), (3, text(&all[0])));
    }

    #[test]
    fn a_hotword_turns_the_balance() {
        let rows = [[0.1, 0.5, 0.4], [0.9, 0.05, 0.05], [0.1, 0.5, 0.4]];
        assert_eq!(text(&heard(&rows, &RULES, None)[0]), "aa");
        let hotword = Hotword {
            tokens: vec!["b".into(), "b".into()],
            boost: 1.0,
        };
        let graph = HotwordGraph::build(&[hotword], |token| "_ab".find(token)).unwrap();
        assert_eq!(text(&heard(&rows, &RULES, graph.map(Arc::new))[0]), "bb");
    }
}

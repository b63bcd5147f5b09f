//! Syllables that are certain → the likeliest words.
//!
//! The lattice decoder does this for syllables that are not; here stands the plain case, to measure models by.

use rustc_hash::FxHashMap;

use auricle_pinyin::Syllable;

use super::mixed::MixedState;
use super::vocabulary::WordId;
use super::{LanguageData, LanguageModel};

/// Paths kept at each syllable.
const BEAM: usize = 64;
/// Longest word, in syllables.
const MAX_WORD_SYLLABLES: usize = 12;

/// One way to read the syllables so far.
struct Path {
    log_prob: f32,
    /// Where it comes from: the position and the row there.
    from: (usize, usize),
    word: WordId,
}

/// The words that `syllables` spell likeliest, `reading_scale` times the readings' log probabilities added to the model's.
///
/// `None` where no words fit. A beam search over word boundaries: exact but for the beam of 64 states.
pub(super) fn words_of(
    data: &LanguageData,
    syllables: &[Syllable],
    reading_scale: f32,
) -> Option<Vec<WordId>> {
    let mut paths: Vec<Vec<Path>> = (0..=syllables.len()).map(|_| Vec::new()).collect();
    let mut open: Vec<FxHashMap<MixedState, usize>> =
        vec![FxHashMap::default(); syllables.len() + 1];
    paths[0].push(Path {
        log_prob: 0.0,
        from: (0, 0),
        word: 0,
    });
    open[0].insert(data.model.start(), 0);
    for at in 0..syllables.len() {
        let mut states: Vec<(MixedState, usize)> =
            std::mem::take(&mut open[at]).into_iter().collect();
        states.sort_by(|a, b| paths[at][b.1].log_prob.total_cmp(&paths[at][a.1].log_prob));
        states.truncate(BEAM);
        for lexicon in data.lexica() {
            let mut node = lexicon.root();
            for (to, &syllable) in (at + 1..).zip(&syllables[at..]).take(MAX_WORD_SYLLABLES) {
                let Some(next) = lexicon.step(node, syllable) else {
                    break;
                };
                node = next;
                for entry in lexicon.words(node) {
                    for &(state, row) in &states {
                        let (log_prob, next) = data.model.score(state, entry.word);
                        let total =
                            paths[at][row].log_prob + log_prob + reading_scale * entry.log_prob;
                        let path = Path {
                            log_prob: total,
                            from: (at, row),
                            word: entry.word,
                        };
                        keep_better(&mut paths[to], &mut open[to], next, path);
                    }
                }
            }
        }
    }
    let last = syllables.len();
    let ends = open[last]
        .iter()
        .map(|(&state, &row)| (paths[last][row].log_prob + data.model.end(state), row));
    let (_, row) = ends.max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(trace(&paths, last, row))
}

fn keep_better(
    paths: &mut Vec<Path>,
    open: &mut FxHashMap<MixedState, usize>,
    state: MixedState,
    path: Path,
) {
    match open.get(&state) {
        Some(&row) if paths[row].log_prob >= path.log_prob => {}
        Some(&row) => paths[row] = path,
        None => {
            open.insert(state, paths.len());
            paths.push(path);
        }
    }
}

fn trace(paths: &[Vec<Path>], mut at: usize, mut row: usize) -> Vec<WordId> {
    let mut words = Vec::new();
    while at > 0 {
        words.push(paths[at][row].word);
        (at, row) = paths[at][row].from;
    }
    words.reverse();
    words
}

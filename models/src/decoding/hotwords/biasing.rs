//! The automata of the lists that streams bring: each is built once an engine, and a stream walks through those of all its
//! lists at the same time.

use std::sync::{Arc, Weak};

use super::{HotwordGraph, ROOT};
use crate::decoding::TokenTable;
use crate::engine::{EngineError, Hotword, StreamOptions};

/// Lists of one stream: the one that calls share, and its own call's.
const N_LISTS: usize = 2;

/// Where a path stands in the phrases of each list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BiasState([u32; N_LISTS]);

impl BiasState {
    /// No phrase has begun.
    pub(crate) const ROOT: Self = Self([ROOT; N_LISTS]);
}

/// What one stream leans towards: the automata of its lists, `None` for a list without phrases.
#[derive(Debug)]
pub(crate) struct Leaning {
    graphs: [Option<Arc<HotwordGraph>>; N_LISTS],
}

impl Leaning {
    pub(crate) fn new(graphs: [Option<Arc<HotwordGraph>>; N_LISTS]) -> Self {
        Self { graphs }
    }

    /// The state after `id` and what the score gains (or gives back): the sum of what it gains by each list.
    pub(crate) fn advance(&self, state: BiasState, id: u32) -> (BiasState, f32) {
        let (mut next, mut total) = (state, 0.0);
        for (graph, place) in self.graphs.iter().zip(&mut next.0) {
            if let Some(graph) = graph {
                let (after, gain) = graph.advance(*place, id);
                *place = after;
                total += gain;
            }
        }
        (next, total)
    }

    /// What unfinished phrases give back at the end of the stream.
    pub(crate) fn settle(&self, state: BiasState) -> f32 {
        let places = self.graphs.iter().zip(state.0);
        places
            .filter_map(|(graph, place)| Some(graph.as_ref()?.settle(place)))
            .sum()
    }
}

/// The automata of the lists that an engine's streams were opened with. One whose list nobody holds any more is let go when
/// the next is built.
#[derive(Default)]
pub(crate) struct Biasing {
    known: Vec<Known>,
}

struct Known {
    /// Keeps the list's place in memory taken, so that no later list can lie there, but not its phrases.
    list: Weak<[Hotword]>,
    graph: Arc<HotwordGraph>,
}

impl Biasing {
    /// What a stream leans towards. The automaton of a list is built when the first stream brings it, for all that bring the
    /// same one.
    ///
    /// # Errors
    /// When a phrase has a token that is not in `tokens`.
    pub(crate) fn leaning(
        &mut self,
        options: &StreamOptions,
        tokens: &TokenTable,
    ) -> Result<Leaning, EngineError> {
        Ok(Leaning::new([
            self.graph(&options.hotwords, tokens)?,
            self.graph(&options.own_hotwords, tokens)?,
        ]))
    }

    fn graph(
        &mut self,
        hotwords: &Arc<[Hotword]>,
        tokens: &TokenTable,
    ) -> Result<Option<Arc<HotwordGraph>>, EngineError> {
        let list = Arc::downgrade(hotwords);
        if let Some(known) = self.known.iter().find(|known| known.list.ptr_eq(&list)) {
            return Ok(Some(Arc::clone(&known.graph)));
        }
        let Some(graph) = build(hotwords, tokens)?.map(Arc::new) else {
            return Ok(None);
        };
        self.known.retain(|known| known.list.strong_count() > 0);
        self.known.push(Known {
            list,
            graph: Arc::clone(&graph),
        });
        Ok(Some(graph))
    }
}

fn build(hotwords: &[Hotword], tokens: &TokenTable) -> Result<Option<HotwordGraph>, EngineError> {
    HotwordGraph::build(hotwords, |token| tokens.id(token)).map_err(|token| {
        EngineError::Run(format!(
            "a hotword has the token `{token}`, which the model does not know"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of phrases of letters, each worth 1 a letter.
    fn list<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Arc<[Hotword]> {
        let hotword = |phrase: &str| Hotword {
            tokens: phrase.chars().map(String::from).collect(),
            boost: 1.0,
        };
        phrases.into_iter().map(hotword).collect()
    }

    fn tokens() -> TokenTable {
        TokenTable::parse("<blk> 0\na 1\nb 2\nc 3\nd 4\n").unwrap()
    }

    fn options(shared: &Arc<[Hotword]>, own: &Arc<[Hotword]>) -> StreamOptions {
        StreamOptions {
            hotwords: Arc::clone(shared),
            own_hotwords: Arc::clone(own),
        }
    }

    fn leaning(shared: &Arc<[Hotword]>, own: &Arc<[Hotword]>) -> Leaning {
        let options = options(shared, own);
        Biasing::default().leaning(&options, &tokens()).unwrap()
    }

    fn score(leaning: &Leaning, text: &str) -> f32 {
        let start = (BiasState::ROOT, 0.0);
        let (state, total) = text.bytes().fold(start, |(state, total), letter| {
            let (next, gain) = leaning.advance(state, u32::from(letter - b'a') + 1);
            (next, total + gain)
        });
        total + leaning.settle(state)
    }

    fn is_same(one: &Leaning, other: &Leaning) -> bool {
        let pairs = one.graphs.iter().zip(&other.graphs);
        pairs
            .map(|(one, other)| one.as_ref().map(Arc::as_ptr) == other.as_ref().map(Arc::as_ptr))
            .eq([true; N_LISTS])
    }

    #[test]
    fn lists_that_alternate_are_built_once_each() {
        let (mut biasing, tokens) = (Biasing::default(), tokens());
        let shared = [list(["ab"]), list(["cd"])];
        let own = [list(["c"]), list([]), list(["d", "a"])];
        let streams: Vec<StreamOptions> = shared
            .iter()
            .flat_map(|shared| own.iter().map(move |own| options(shared, own)))
            .collect();
        let mut open = || -> Vec<Leaning> {
            let opened = streams
                .iter()
                .map(|stream| biasing.leaning(stream, &tokens));
            opened.collect::<Result<_, _>>().unwrap()
        };
        let (first, again) = (open(), open());
        for (first, again) in first.iter().zip(&again) {
            assert!(is_same(first, again));
        }
        // Those with the same list have one automaton of it, whatever else they bring.
        assert!(Arc::ptr_eq(
            first[0].graphs[0].as_ref().unwrap(),
            first[2].graphs[0].as_ref().unwrap()
        ));
        assert_eq!(biasing.known.len(), 4, "all lists but the empty one");
    }

    #[test]
    fn a_list_that_comes_after_one_that_is_gone_is_not_taken_for_it() {
        let (mut biasing, tokens) = (Biasing::default(), tokens());
        let none = list([]);
        for phrase in ["ab", "cd", "ab"] {
            let options = options(&list([phrase]), &none);
            let leaning = biasing.leaning(&options, &tokens).unwrap();
            assert_eq!(score(&leaning, phrase), 2.0, "{phrase}");
            assert_eq!(biasing.known.len(), 1, "{phrase}");
        }
    }

    #[test]
    fn the_automaton_of_a_list_that_is_gone_is_let_go() {
        let (mut biasing, tokens) = (Biasing::default(), tokens());
        let (shared, own) = (list(["ab"]), list(["cd"]));
        let opened = biasing.leaning(&options(&shared, &own), &tokens).unwrap();
        let [kept, gone] = opened.graphs.each_ref().map(|graph| {
            let graph = graph.as_ref().unwrap();
            Arc::downgrade(graph)
        });
        drop((opened, own));
        biasing
            .leaning(&options(&shared, &list(["c"])), &tokens)
            .unwrap();
        assert_eq!((kept.strong_count(), gone.strong_count()), (1, 0));
    }

    #[test]
    fn a_list_with_an_unknown_token_is_refused() {
        let (shared, own) = (list(["ab"]), list(["x"]));
        let mut biasing = Biasing::default();
        let refused = biasing.leaning(&options(&shared, &own), &tokens());
        assert_eq!(
            refused.unwrap_err().to_string(),
            "recognition failed: a hotword has the token `x`, which the model does not know"
        );
    }

    #[test]
    fn whole_phrases_of_both_lists_gain() {
        let leaning = leaning(&list(["abc", "d"]), &list(["bd", "b"]));
        for (text, expected) in [
            ("", 0.0),
            ("abc", 4.0),
            ("ab", 1.0),
            ("a", 0.0),
            ("abd", 3.0),
            ("cd", 1.0),
        ] {
            assert_eq!(score(&leaning, text), expected, "{text}");
        }
    }

    proptest::proptest! {
        /// A stream with one list, whichever it is, walks through its automaton as if there were no other.
        #[test]
        fn one_list_gains_exactly_what_its_automaton_gives(
            phrases in proptest::collection::vec("[abc]{1,4}", 1..5),
            boost in 0.01_f32..5.0,
            text in "[abcd]{0,8}",
        ) {
            let list: Arc<[Hotword]> = list(phrases.iter().map(String::as_str))
                .iter()
                .map(|hotword| Hotword { boost, ..hotword.clone() })
                .collect();
            let graph = build(&list, &tokens()).unwrap().unwrap();
            let none = self::list([]);
            for leaning in [leaning(&list, &none), leaning(&none, &list)] {
                let (mut place, mut state) = (ROOT, BiasState::ROOT);
                for letter in text.bytes() {
                    let id = u32::from(letter - b'a') + 1;
                    let (next_place, expected) = graph.advance(place, id);
                    let (next_state, gain) = leaning.advance(state, id);
                    proptest::prop_assert_eq!(gain, expected);
                    (place, state) = (next_place, next_state);
                    proptest::prop_assert_eq!(leaning.settle(state), graph.settle(place));
                }
            }
        }

        /// Phrases of different lists that cannot overlap gain what they gain in one list.
        #[test]
        fn two_lists_gain_what_one_with_all_phrases_gains(
            shared in proptest::collection::vec("[ab]{1,4}", 0..5),
            own in proptest::collection::vec("[cd]{1,4}", 0..5),
            text in "[abcd]{0,12}",
        ) {
            let all = list(shared.iter().chain(&own).map(String::as_str));
            let [shared, own] = [&shared, &own].map(|phrases| list(phrases.iter().map(String::as_str)));
            let expected = score(&leaning(&all, &list([])), &text);
            proptest::prop_assert_eq!(score(&leaning(&shared, &own), &text), expected);
        }

        /// At least the longest whole phrase counts, and nothing but whole phrases, as in one list.
        #[test]
        fn gains_of_two_lists_are_those_of_whole_phrases(
            phrases in proptest::collection::btree_set("[abc]{1,4}", 1..6),
            n_shared in 0_usize..6,
            text in "[abc]{0,8}",
        ) {
            let phrases: Vec<&str> = phrases.iter().map(String::as_str).collect();
            let (shared, own) = phrases.split_at(n_shared.min(phrases.len()));
            let said = |phrase: &str| (0..text.len()).filter(|at| text[*at..].starts_with(phrase)).count();
            let longest = phrases.iter().filter(|phrase| said(phrase) > 0).map(|phrase| phrase.len()).max();
            let most: usize = phrases.iter().map(|phrase| said(phrase) * phrase.len()).sum();
            let [shared, own] = [shared, own].map(|phrases| list(phrases.iter().copied()));
            let found = score(&leaning(&shared, &own), &text);
            proptest::prop_assert!(found >= longest.unwrap_or(0) as f32 && found <= most as f32, "{found}");
        }
    }
}

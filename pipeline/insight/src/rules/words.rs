//! The named lists of a pack, and phrases made into steps over them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::format::Pack;
use super::include::is_included;
use super::lexicon::{Group, LexiconBuilder, Need, Source, Step, Steps, TermId};
use super::mistake::{Notes, Place, nearest_hint};
use super::phrase::{self, Keyword, Numbers, Piece, Sequence};
use super::program::Phrase;
use super::reader::At;
use super::says::Sound;
use crate::intent::Language;

/// Lists that name lists that name lists …: no deeper.
const MOST_DEPTH: usize = 32;

struct List {
    entries: Vec<Sequence>,
    place: Place,
}

/// A pack's lists.
pub(super) struct Words {
    lists: BTreeMap<String, List>,
    /// Of the calls, where the pack says it: how numbers are said in them.
    language: Option<Language>,
    /// Made once for each way of hearing.
    made: HashMap<(String, Sound), Option<Source>>,
    used: BTreeSet<String>,
}

impl Words {
    /// Reads all lists of `pack`; those that lead back to themselves are told and left empty.
    pub(super) fn new(pack: &Pack, notes: &mut Notes) -> Self {
        let language = (!pack.language.is_empty()).then(|| Language::of_tag(&pack.language));
        let mut lists = BTreeMap::new();
        for (name, written) in &pack.words {
            if !phrase::is_name(name) {
                let hint = "names are made of letters, digits, `_`, `-` and `.`";
                notes.error(
                    written.place,
                    format!("`{name}` is no name of a list"),
                    hint,
                );
            }
            let entries = read_entries(name, written, language, notes);
            let place = written.place;
            lists.insert(name.clone(), List { entries, place });
        }
        let mut words = Self {
            lists,
            language,
            made: HashMap::new(),
            used: BTreeSet::new(),
        };
        words.cut_cycles(notes);
        words
    }

    fn cut_cycles(&mut self, notes: &mut Notes) {
        let names: Vec<String> = self.lists.keys().cloned().collect();
        let links: Vec<(String, Vec<String>)> = names
            .into_iter()
            .map(|name| {
                let mut linked = Vec::new();
                for entry in &self.lists[&name].entries {
                    names_in(entry, &mut linked);
                }
                (name, linked)
            })
            .collect();
        for (name, found) in find_cycles(&links) {
            let Some(list) = self.lists.get_mut(&name) else {
                continue;
            };
            let (cause, hint) = match found {
                Tangle::Cycle(way) => (
                    format!("`words.{name}` leads back to itself: {way}"),
                    "take one of these names out of its list",
                ),
                Tangle::Deep => (
                    format!("`words.{name}` names lists more than {MOST_DEPTH} deep"),
                    "make one list of several",
                ),
            };
            notes.error(list.place, cause, hint);
            list.entries.clear();
        }
    }

    /// A phrase of a condition.
    pub(super) fn phrase(
        &mut self,
        text: &At<String>,
        place: Place,
        sound: Sound,
        lexicon: &mut LexiconBuilder,
        notes: &mut Notes,
    ) -> Option<Phrase> {
        let written = text.value.as_ref()?;
        let place = if text.place == Place::default() {
            place
        } else {
            text.place
        };
        let sequence = parsed(written, place, self.language, notes)?;
        let mut maker = Maker {
            words: self,
            lexicon,
            notes,
            place,
            sound,
        };
        let steps = maker.steps(&sequence)?;
        let triggers = lexicon.triggers(&steps);
        Some(Phrase {
            text: written.clone(),
            sample: self.sample(&sequence),
            id: 0,
            steps,
            triggers,
            classes: Vec::new(),
        })
    }

    /// One way of saying a phrase: of alternatives and lists the first, without what may be left out.
    fn sample(&self, sequence: &Sequence) -> String {
        let mut said = String::new();
        self.add_sample(sequence, MOST_DEPTH, &mut said);
        said.trim_matches(|letter| letter == '…' || letter == ' ')
            .to_owned()
    }

    fn add_sample(&self, sequence: &Sequence, depth: usize, said: &mut String) {
        for piece in sequence {
            match piece {
                Piece::Letters(keyword) => add_words(&keyword.written(), said),
                Piece::Numbers(numbers) => add_words(&numbers.written, said),
                Piece::List(name) => {
                    let list = self.lists.get(name).filter(|_| depth > 0);
                    if let Some(entry) = list.and_then(|list| list.entries.first()) {
                        self.add_sample(entry, depth - 1, said);
                    }
                }
                Piece::Group(ways) => {
                    if let Some(way) = ways.first() {
                        self.add_sample(way, depth, said);
                    }
                }
                Piece::Gap(_) if !said.ends_with('…') => said.push('…'),
                Piece::Gap(_) | Piece::Optional(_) | Piece::Start | Piece::End => {}
            }
        }
    }

    /// Phrases of which any will do, as one group.
    pub(super) fn group(
        &mut self,
        texts: &[At<String>],
        lexicon: &mut LexiconBuilder,
        notes: &mut Notes,
    ) -> Option<super::lexicon::GroupId> {
        let mut ways = Vec::new();
        for text in texts {
            ways.extend(parsed(
                text.value.as_ref()?,
                text.place,
                self.language,
                notes,
            ));
        }
        let mut maker = Maker {
            words: self,
            lexicon,
            notes,
            place: texts.first()?.place,
            sound: Sound::Auto,
        };
        match maker.any_of(&ways)? {
            Source::Group(group) => Some(group),
            Source::Class(class) => Some(lexicon.group(Group {
                class: Some(class),
                ..Group::default()
            })),
        }
    }

    /// Tells of lists that nothing uses.
    pub(super) fn tell_unused(&self, notes: &mut Notes) {
        for (name, list) in &self.lists {
            if !self.used.contains(name) && !is_included(list.place) {
                let cause = format!("`words.{name}` is not used");
                notes.warning(
                    list.place,
                    cause,
                    format!("use it as `<{name}>`, or take it out"),
                );
            }
        }
    }
}

/// Puts words behind others, apart where both are of Latin letters.
fn add_words(words: &str, said: &mut String) {
    let parts = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    if parts(said.chars().next_back()) && parts(words.chars().next()) {
        said.push(' ');
    }
    said.push_str(words);
}

fn read_entries(
    name: &str,
    written: &At<Vec<At<String>>>,
    language: Option<Language>,
    notes: &mut Notes,
) -> Vec<Sequence> {
    let Some(texts) = &written.value else {
        return Vec::new();
    };
    if texts.is_empty() {
        let cause = format!("`words.{name}` is empty");
        notes.error(written.place, cause, "give it at least one phrase");
    }
    let mut seen = BTreeSet::new();
    let mut entries = Vec::with_capacity(texts.len());
    for text in texts {
        let Some(spelled) = &text.value else { continue };
        if !seen.insert(spelled) {
            let cause = format!("`{spelled}` stands twice in `words.{name}`");
            notes.warning(text.place, cause, "take one out");
        }
        entries.extend(parsed(spelled, text.place, language, notes));
    }
    entries
}

fn parsed(
    text: &str,
    place: Place,
    language: Option<Language>,
    notes: &mut Notes,
) -> Option<Sequence> {
    match phrase::parse(text) {
        Ok(sequence) => {
            let language = language.unwrap_or_else(|| Language::of_texts([text]));
            if language != Language::Mandarin && needs_digits(&sequence) {
                let shown: String = text.chars().take(60).collect();
                let cause = format!(
                    "phrase `{shown}`: numbers are heard in words, so this is found only where a text has digits"
                );
                notes.warning(place, cause, "write it in words, too: `ten percent`");
            }
            Some(sequence)
        }
        Err(error) => {
            let shown: String = text.chars().take(60).collect();
            notes.error(place, format!("phrase `{shown}`: {error}"), error.hint());
            None
        }
    }
}

/// Whether there is no way of saying it without digits.
fn needs_digits(sequence: &Sequence) -> bool {
    sequence.iter().any(|piece| match piece {
        Piece::Numbers(_) => true,
        Piece::Group(ways) => ways.iter().all(needs_digits),
        _ => false,
    })
}

fn names_in(sequence: &Sequence, names: &mut Vec<String>) {
    for piece in sequence {
        match piece {
            Piece::List(name) => names.push(name.clone()),
            Piece::Group(ways) | Piece::Optional(ways) => {
                ways.iter().for_each(|way| names_in(way, names));
            }
            _ => {}
        }
    }
}

/// What is wrong with a chain of names.
pub(super) enum Tangle {
    /// The way round.
    Cycle(String),
    Deep,
}

/// Names that lead back to themselves, or too deep.
pub(super) fn find_cycles(links: &[(String, Vec<String>)]) -> Vec<(String, Tangle)> {
    let places: HashMap<&str, usize> = (0..links.len())
        .map(|place| (links[place].0.as_str(), place))
        .collect();
    let next: Vec<Vec<usize>> = links
        .iter()
        .map(|(_, names)| {
            let mut next: Vec<usize> = names
                .iter()
                .filter_map(|name| places.get(name.as_str()).copied())
                .collect();
            next.sort_unstable();
            next.dedup();
            next
        })
        .collect();
    let mut search = CycleSearch {
        links,
        next: &next,
        depth: vec![None; links.len()],
        way: Vec::new(),
        found: Vec::new(),
    };
    for place in 0..links.len() {
        search.visit(place);
    }
    search.found
}

struct CycleSearch<'a> {
    links: &'a [(String, Vec<String>)],
    next: &'a [Vec<usize>],
    /// How deep names go below, once it is known.
    depth: Vec<Option<usize>>,
    way: Vec<usize>,
    found: Vec<(String, Tangle)>,
}

impl CycleSearch<'_> {
    fn visit(&mut self, place: usize) -> usize {
        if let Some(depth) = self.depth[place] {
            return depth;
        }
        let name = |place: usize| self.links[place].0.clone();
        if let Some(start) = self.way.iter().position(|&before| before == place) {
            let mut names: Vec<String> = self.way[start..].iter().map(|&step| name(step)).collect();
            names.push(name(place));
            let way = format!("`{}`", names.join("` → `"));
            self.found.push((name(place), Tangle::Cycle(way)));
            return 0;
        }
        if self.way.len() > MOST_DEPTH {
            self.found.push((name(place), Tangle::Deep));
            self.depth[place] = Some(0);
            return 0;
        }
        self.way.push(place);
        let mut deepest = 0;
        for &below in &self.next[place] {
            deepest = deepest.max(self.visit(below) + 1);
        }
        self.way.pop();
        if deepest > MOST_DEPTH {
            self.found.push((self.links[place].0.clone(), Tangle::Deep));
            deepest = 0;
        }
        self.depth[place] = Some(deepest);
        deepest
    }
}

/// Makes steps of pieces.
struct Maker<'a> {
    words: &'a mut Words,
    lexicon: &'a mut LexiconBuilder,
    notes: &'a mut Notes,
    place: Place,
    sound: Sound,
}

impl Maker<'_> {
    fn steps(&mut self, sequence: &Sequence) -> Option<Steps> {
        let mut steps = Vec::with_capacity(sequence.len());
        for piece in sequence {
            steps.push(match piece {
                Piece::Letters(keyword) => {
                    let term = self.lexicon.term(keyword, self.sound);
                    Step::One(Source::Class(self.lexicon.class(vec![term])), Need::Needed)
                }
                Piece::Numbers(numbers) => {
                    let terms = self.numbers(numbers);
                    Step::One(Source::Class(self.lexicon.class(terms)), Need::Needed)
                }
                Piece::List(name) => Step::One(self.list(name)?, Need::Needed),
                Piece::Group(ways) => Step::One(self.any_of(ways)?, Need::Needed),
                Piece::Optional(ways) => Step::One(self.any_of(ways)?, Need::Optional),
                Piece::Gap(letters) => Step::Gap(*letters),
                Piece::Start => Step::Start,
                Piece::End => Step::End,
            });
        }
        Some(steps)
    }

    /// Numbers sound alike (十, 四): unless the pack asks for more, their tones must fit.
    fn numbers(&mut self, numbers: &Numbers) -> Vec<TermId> {
        let said = match self.words.language {
            Some(Language::English) => vec![numbers.keyword.clone()],
            Some(Language::Mandarin) | None => numbers.said(),
        };
        let sound = |keyword: &Keyword| match self.sound {
            // 10 is no 时: of one syllable the hanzi must be there, as everywhere.
            Sound::Auto if keyword.letters.chars().count() > 1 => Sound::Toned,
            sound => sound,
        };
        let said = said.iter();
        said.map(|keyword| self.lexicon.term(keyword, sound(keyword)))
            .collect()
    }

    fn list(&mut self, name: &str) -> Option<Source> {
        self.words.used.insert(name.to_owned());
        let key = (name.to_owned(), self.sound);
        if let Some(made) = self.words.made.get(&key) {
            return *made;
        }
        let Some(list) = self.words.lists.get(name) else {
            let known = self.words.lists.keys().map(String::as_str);
            let hint = match self.words.lists.is_empty() {
                true => "the pack has no `words`".to_owned(),
                false => nearest_hint(name, known),
            };
            self.notes
                .error(self.place, format!("unknown list `<{name}>`"), hint);
            return None;
        };
        let entries = list.entries.clone();
        let outer = std::mem::replace(&mut self.place, list.place);
        let made = self.any_of(&entries);
        self.place = outer;
        self.words.made.insert(key, made);
        made
    }

    /// Keywords go into one class, the rest beside it.
    fn any_of(&mut self, ways: &[Sequence]) -> Option<Source> {
        let mut terms = Vec::new();
        let mut group = Group::default();
        for way in ways {
            match way.as_slice() {
                [Piece::Letters(keyword)] => terms.push(self.lexicon.term(keyword, self.sound)),
                [Piece::Numbers(numbers)] => terms.extend(self.numbers(numbers)),
                [Piece::List(name)] => match self.list(name)? {
                    Source::Group(included) => group.includes.push(included),
                    class @ Source::Class(_) => {
                        group.ways.push(vec![Step::One(class, Need::Needed)]);
                    }
                },
                _ => group.ways.push(self.steps(way)?),
            }
        }
        if !terms.is_empty() {
            group.class = Some(self.lexicon.class(terms));
        }
        match (
            group.class,
            group.ways.is_empty() && group.includes.is_empty(),
        ) {
            (Some(class), true) => Some(Source::Class(class)),
            (None, true) => None,
            _ => Some(Source::Group(self.lexicon.group(group))),
        }
    }
}

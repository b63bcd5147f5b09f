//! Which documents can match a place: the inverted index narrows them down, the lines decide.
//!
//! **No match is lost**, whatever jieba makes of a phrase in its context:
//!
//! - a phrase of n ≥ 2 units occurs only where each of its n − 1 pairs of neighbouring units
//!   occurs, and every pair of neighbours of every utterance is indexed. A single unit begins some
//!   pair (the last pair of an utterance is the last unit and an end mark);
//! - a sound without a full edit occurs only where each of its pairs of classes does, because
//!   syllables that cost less than a full edit share a class;
//! - a sound with k full edits, cut into k + 1 pieces, has a piece that no edit touches (pigeonhole),
//!   and the pairs within that piece occur. Three syllables with one edit are fewer than two pieces
//!   of two; there every case is listed: the first pair stands, or the last, or the middle syllable
//!   is missing or another.

use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::query::{BitSetDocSet, ConstScorer, Scorer, intersect_scorers};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term};

use crate::schema::{Fields, gram_prefix, letters_prefix, push_gram};
use crate::sound::{self, SoundPattern};
use crate::units;

/// Documents that can match.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// For each group at least one of its terms.
    Groups {
        field: Field,
        groups: Vec<Vec<String>>,
    },
    /// A term that begins so.
    Prefixes { field: Field, prefixes: Vec<String> },
    /// Any of these.
    AnyOf(Vec<Plan>),
    /// All of these.
    AllOf(Vec<Plan>),
}

/// Groups that are intersected; checking the rest on the lines costs less than more lists.
const MOST_LISTS: usize = 3;

/// A set of documents; `None` where there are none.
pub(crate) type Documents = Option<Box<dyn Scorer>>;

impl Plan {
    /// Documents that can hold the units of a normal form side by side.
    pub(crate) fn phrase(fields: &Fields, normal: &str) -> Self {
        let all: Vec<&str> = units::split(normal).collect();
        match all.as_slice() {
            [single] => Self::Prefixes {
                field: fields.grams,
                prefixes: vec![gram_prefix(single)],
            },
            _ => Self::Groups {
                field: fields.grams,
                groups: gram_groups(&all),
            },
        }
    }

    /// Documents that can hold a word that begins with the units of a normal form.
    pub(crate) fn prefix(fields: &Fields, normal: &str) -> Self {
        let all: Vec<&str> = units::split(normal).collect();
        // The last unit may be the beginning of a word of letters: its pairs are not known.
        let (last, whole) = match all.split_last() {
            Some((last, before)) if units::is_word(last) => (Some(*last), before),
            _ => (None, all.as_slice()),
        };
        let letters = last.map(|last| Self::Prefixes {
            field: fields.grams,
            prefixes: vec![letters_prefix(last).to_owned()],
        });
        let before = match whole {
            [] => None,
            [single] if last.is_none() && is_hanzi(single) => Some(Self::Prefixes {
                field: fields.words,
                prefixes: vec![(*single).to_owned()],
            }),
            [single] => Some(Self::Prefixes {
                field: fields.grams,
                prefixes: vec![gram_prefix(single)],
            }),
            _ => Some(Self::Groups {
                field: fields.grams,
                groups: gram_groups(whole),
            }),
        };
        Self::AllOf(before.into_iter().chain(letters).collect())
    }

    /// Documents that can hold the units of a normal form as whole words.
    pub(crate) fn words(fields: &Fields, normal: &str) -> Self {
        let mut all = units::split(normal);
        match (all.next(), all.next()) {
            (Some(single), None) if is_hanzi(single) => Self::Groups {
                field: fields.words,
                groups: vec![vec![single.to_owned()]],
            },
            _ => Self::phrase(fields, normal),
        }
    }

    /// Documents that can hold a sound.
    pub(crate) fn sound(fields: &Fields, pattern: &SoundPattern) -> Self {
        let field = fields.sounds;
        let n = pattern.len();
        let pairs = |range: std::ops::Range<usize>| Self::Groups {
            field,
            groups: range
                .clone()
                .zip(range.skip(1))
                .map(|(first, second)| pair_terms(pattern.classes(first), pattern.classes(second)))
                .collect(),
        };
        let edits = pattern.full_edits();
        if n == 1 {
            let prefixes = pattern.classes(0).iter().map(ToString::to_string).collect();
            return Self::Prefixes { field, prefixes };
        }
        if edits == 0 {
            return pairs(0..n);
        }
        if n < 2 * (edits + 1) {
            return Self::AnyOf(vec![
                pairs(0..2),
                pairs(1..3),
                Self::skipping(field, pattern),
            ]);
        }
        let pieces = edits + 1;
        Self::AnyOf(
            (0..pieces)
                .map(|i| pairs(i * n / pieces..(i + 1) * n / pieces))
                .collect(),
        )
    }

    /// The first and the third syllable of three, side by side or with any one between them.
    fn skipping(field: Field, pattern: &SoundPattern) -> Self {
        let (first, last) = (pattern.classes(0), pattern.classes(2));
        let mut ways = vec![Self::Groups {
            field,
            groups: vec![pair_terms(first, last)],
        }];
        for middle in sound::every_class() {
            let groups = vec![pair_terms(first, &[middle]), pair_terms(&[middle], last)];
            ways.push(Self::Groups { field, groups });
        }
        Self::AnyOf(ways)
    }

    /// About how many documents can match, for weights.
    pub(crate) fn doc_freq(&self, searcher: &Searcher) -> tantivy::Result<u64> {
        Ok(match self {
            Self::Groups { field, groups } => {
                let mut least = u64::MAX;
                for group in groups {
                    let mut sum = 0;
                    for text in group {
                        sum += searcher.doc_freq(&Term::from_field_text(*field, text))?;
                    }
                    least = least.min(sum);
                }
                least
            }
            Self::Prefixes { .. } => searcher.num_docs() / 20,
            Self::AnyOf(parts) => {
                // One of many ways decides the weight about as well as all of them.
                let mut sum = 0;
                for part in parts.iter().take(4) {
                    sum += part.doc_freq(searcher)?;
                }
                sum
            }
            Self::AllOf(parts) => {
                let mut least = searcher.num_docs();
                for part in parts {
                    least = least.min(part.doc_freq(searcher)?);
                }
                least
            }
        })
    }

    /// Whether every document of [`Self::phrase`] matches: it asks for one unit or one pair.
    pub(crate) fn is_exact_for_phrase(&self) -> bool {
        match self {
            Self::Groups { groups, .. } => groups.len() == 1,
            Self::Prefixes { .. } => true,
            _ => false,
        }
    }

    /// The documents of one segment.
    pub(crate) fn documents(&self, reader: &SegmentReader) -> tantivy::Result<Documents> {
        match self {
            Self::Groups { field, groups } => group_documents(reader, *field, groups),
            Self::Prefixes { field, prefixes } => {
                let bits = prefix_bits(reader, *field, prefixes)?;
                Ok(bits.map(|bits| boxed(BitSetDocSet::from(bits))))
            }
            Self::AnyOf(parts) => {
                let mut sets = Vec::new();
                for part in parts {
                    sets.extend(part.documents(reader)?);
                }
                Ok(union(sets, reader.max_doc()))
            }
            Self::AllOf(parts) => {
                let mut sets = Vec::new();
                for part in parts {
                    match part.documents(reader)? {
                        Some(set) => sets.push(set),
                        None => return Ok(None),
                    }
                }
                Ok(intersection(sets, reader.max_doc()))
            }
        }
    }
}

fn is_hanzi(unit: &str) -> bool {
    unit.encode_utf16().next().is_some_and(units::is_hanzi)
}

fn gram_groups(all: &[&str]) -> Vec<Vec<String>> {
    all.windows(2)
        .map(|pair| {
            let mut term = String::new();
            push_gram(pair[0], Some(pair[1]), &mut term);
            vec![term]
        })
        .collect()
}

fn pair_terms(firsts: &[char], seconds: &[char]) -> Vec<String> {
    let mut terms = Vec::with_capacity(firsts.len() * seconds.len());
    for first in firsts {
        terms.extend(
            seconds
                .iter()
                .map(|second| [first, second].into_iter().collect::<String>()),
        );
    }
    terms
}

fn boxed(set: impl DocSet + 'static) -> Box<dyn Scorer> {
    Box::new(ConstScorer::new(set, 0.0))
}

fn union(mut sets: Vec<Box<dyn Scorer>>, n_docs: u32) -> Documents {
    if sets.len() < 2 {
        return sets.pop();
    }
    let mut bits = BitSet::with_max_value(n_docs);
    for mut set in sets {
        let mut doc = set.doc();
        while doc != TERMINATED {
            bits.insert(doc);
            doc = set.advance();
        }
    }
    Some(boxed(BitSetDocSet::from(bits)))
}

fn intersection(mut sets: Vec<Box<dyn Scorer>>, n_docs: u32) -> Documents {
    match sets.len() {
        0 => None,
        1 => sets.pop(),
        _ => Some(intersect_scorers(sets, n_docs)),
    }
}

fn group_documents(
    reader: &SegmentReader,
    field: Field,
    groups: &[Vec<String>],
) -> tantivy::Result<Documents> {
    let inverted = reader.inverted_index(field)?;
    let mut found: Vec<(u64, Vec<TermInfo>)> = Vec::with_capacity(groups.len());
    for group in groups {
        let mut infos = Vec::with_capacity(group.len());
        for text in group {
            infos.extend(inverted.get_term_info(&Term::from_field_text(field, text))?);
        }
        if infos.is_empty() {
            return Ok(None);
        }
        found.push((
            infos.iter().map(|info| u64::from(info.doc_freq)).sum(),
            infos,
        ));
    }
    found.sort_by_key(|(doc_freq, _)| *doc_freq);
    let mut sets = Vec::new();
    for (_, infos) in found.iter().take(MOST_LISTS) {
        sets.push(match infos.as_slice() {
            [single] => boxed(postings(&inverted, single)?),
            several => {
                let mut bits = BitSet::with_max_value(reader.max_doc());
                for info in several {
                    insert_documents(&inverted, info, &mut bits)?;
                }
                boxed(BitSetDocSet::from(bits))
            }
        });
    }
    Ok(intersection(sets, reader.max_doc()))
}

fn postings(inverted: &InvertedIndexReader, info: &TermInfo) -> tantivy::Result<SegmentPostings> {
    Ok(inverted.read_postings_from_terminfo(info, IndexRecordOption::Basic)?)
}

/// The documents with a term that begins with any of the prefixes.
pub(crate) fn prefix_bits(
    reader: &SegmentReader,
    field: Field,
    prefixes: &[String],
) -> tantivy::Result<Option<BitSet>> {
    let inverted = reader.inverted_index(field)?;
    let mut bits = BitSet::with_max_value(reader.max_doc());
    for prefix in prefixes {
        let mut terms = inverted.terms().range().ge(prefix.as_bytes());
        if let Some(after) = after_prefix(prefix.as_bytes()) {
            terms = terms.lt(after);
        }
        let mut terms = terms.into_stream()?;
        while terms.advance() {
            insert_documents(&inverted, terms.value(), &mut bits)?;
        }
    }
    Ok((bits.len() > 0).then_some(bits))
}

/// Adds every document of a term.
pub(crate) fn insert_documents(
    inverted: &InvertedIndexReader,
    info: &TermInfo,
    bits: &mut BitSet,
) -> tantivy::Result<()> {
    let mut blocks = inverted.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    loop {
        let docs = blocks.docs();
        if docs.is_empty() {
            return Ok(());
        }
        for &doc in docs {
            bits.insert(doc);
        }
        blocks.advance();
    }
}

/// The first key after all keys that begin with `prefix`; none where there is no such key.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut after = prefix.to_vec();
    while let Some(last) = after.pop() {
        if last < u8::MAX {
            after.push(last + 1);
            return Some(after);
        }
    }
    None
}

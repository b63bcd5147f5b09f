//! What a classifier sees of an utterance.
//!
//! Letters and sounds stand side by side, so that a homophone in the recognised text hides nothing, words of
//! English by their stems beside their forms; words that mean the same go by their class; negation, questions and
//! quotations mark what they bear on.

use auricle_pinyin::Syllable;

use super::classes::{Found, WordClasses};
use super::language::Language;
use super::random::scramble;
use super::tokens::{Token, tokens_of};
use crate::Spoken;

/// Features are numbers below this.
pub(super) const N_BUCKETS: usize = 1 << BUCKET_BITS;
const BUCKET_BITS: u32 = 19;

/// Tokens after a negator that it bears on.
const NEGATION_REACH: usize = 5;

/// Kinds of features; each is a space of its own.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Kind {
    Letters1 = 1,
    Letters2,
    Toned2,
    Toneless1,
    Toneless2,
    Class1,
    Class2,
    Class3,
    ClassPair,
    ClassThenLetter,
    LetterThenClass,
    Negated,
    NegatedClass,
    Reported,
    Asked,
    Question,
    Ending,
    Length,
    Before,
    BeforeAsked,
    BeforeAndWhole,
    BeforeAndClass,
    Word1,
    Letters3,
    LettersApart,
    Opening,
    NegatedLetter,
}

/// Where features go: the bucket and how much of it there is.
pub(super) trait Sink {
    fn take(&mut self, bucket: u32, amount: f32);
}

/// One utterance, seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    tokens: Vec<Token>,
    found: Vec<Found>,
    is_question: bool,
    /// First token after a word that reports; the number of tokens where there is none.
    reported_from: usize,
}

/// Gives `sink` the features of `spoken`, with `previous` of the other party as what it answers.
pub(super) fn extract(
    spoken: &Spoken<'_>,
    previous: Option<&Spoken<'_>>,
    classes: &WordClasses,
    sink: &mut impl Sink,
) {
    let previous = previous.map(|previous| Seen::new(previous, classes));
    extract_seen(
        &Seen::new(spoken, classes),
        previous.as_ref(),
        classes,
        sink,
    );
}

/// As [`extract`], of utterances that were seen.
pub(super) fn extract_seen(
    seen: &Seen,
    previous: Option<&Seen>,
    classes: &WordClasses,
    sink: &mut impl Sink,
) {
    let mut out = Out(sink);
    content(seen, classes, &mut out);
    whole(seen, &mut out);
    if let Some(previous) = previous {
        context(seen, previous, &mut out);
    }
}

/// Gives `sink` what is said in `spoken`, word classes above all, without the form it is said in.
pub(super) fn extract_content(spoken: &Spoken<'_>, classes: &WordClasses, sink: &mut impl Sink) {
    let seen = Seen::new(spoken, classes);
    let mut out = Out(sink);
    for token in &seen.tokens {
        out.some(Kind::Letters1, [token.letter, 0, 0], 0.6);
        if let Some(sound) = token.sound {
            out.some(Kind::Toneless1, [number(sound.toneless()), 0, 0], 0.6);
        }
    }
    for pair in seen.tokens.windows(2) {
        out.some(Kind::Letters2, [pair[0].letter, pair[1].letter, 0], 0.35);
        if let (Some(first), Some(second)) = (pair[0].sound, pair[1].sound) {
            let sounds = [first, second].map(|sound| number(sound.toneless()));
            out.some(Kind::Toneless2, [sounds[0], sounds[1], 0], 0.5);
        }
    }
    for (place, word) in seen.found.iter().enumerate() {
        let first = u64::from(word.class) + 1;
        out.some(Kind::Class1, [first, 0, 0], 1.5);
        for later in seen.found.iter().skip(place + 1).take(PAIR_REACH) {
            out.some(Kind::ClassPair, [first, u64::from(later.class) + 1, 0], 0.8);
        }
    }
    negations(&seen, classes, &mut out);
}

fn content<S: Sink>(seen: &Seen, classes: &WordClasses, out: &mut Out<'_, S>) {
    if seen.tokens.is_empty() {
        return;
    }
    letters(&seen.tokens, out);
    match classes.language() {
        Language::Mandarin => sounds(&seen.tokens, out),
        Language::English => words(&seen.tokens, out),
    }
    word_classes(seen, classes, out);
    negations(seen, classes, out);
}

impl Seen {
    pub(super) const fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(super) fn new(spoken: &Spoken<'_>, classes: &WordClasses) -> Self {
        let tokens = tokens_of(spoken, classes.language());
        let found = classes.find(&tokens);
        let reporter = found.iter().find(|found| classes.reports(found.class));
        let reported_from = reporter.map_or(tokens.len(), |found| found.to);
        let asks_there = |found: &&Found| match classes.language() {
            Language::Mandarin => found.to == tokens.len(),
            Language::English => found.from < OPENING_WORDS || found.to == tokens.len(),
        };
        let mut asking = found.iter().filter(|found| classes.asks(found.class));
        let is_question =
            asking.any(|found| asks_there(&found)) || spoken.utterance.text.contains(['?', '？']);
        Self {
            tokens,
            found,
            is_question,
            reported_from,
        }
    }
}

struct Out<'a, S>(&'a mut S);

impl<S: Sink> Out<'_, S> {
    fn put(&mut self, kind: Kind, parts: [u64; 3]) {
        self.some(kind, parts, 1.0);
    }

    fn some(&mut self, kind: Kind, [a, b, c]: [u64; 3], amount: f32) {
        let hash = scramble(kind as u64 ^ a.rotate_left(7));
        let hash = scramble(hash ^ b.rotate_left(23) ^ c.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.0.take((hash >> (64 - BUCKET_BITS)) as u32, amount);
    }
}

/// Stand for the edges of an utterance.
const START: u64 = 0x5354_4152_5400;
const END: u64 = 0x454e_4400;

fn letters<S: Sink>(tokens: &[Token], out: &mut Out<'_, S>) {
    let mut before = START;
    for token in tokens {
        out.put(Kind::Letters1, [token.letter, 0, 0]);
        out.put(Kind::Letters2, [before, token.letter, 0]);
        before = token.letter;
    }
    out.put(Kind::Letters2, [before, END, 0]);
}

/// English asks at the start, after a word or two like `so`.
const OPENING_WORDS: usize = 2;

/// What stems leave out: forms, and words further apart.
fn words<S: Sink>(tokens: &[Token], out: &mut Out<'_, S>) {
    for form in tokens.iter().filter_map(|token| token.form) {
        out.some(Kind::Word1, [form, 0, 0], 0.5);
    }
    for three in tokens.windows(3) {
        let [first, second, third] = [three[0].letter, three[1].letter, three[2].letter];
        out.some(Kind::Letters3, [first, second, third], 0.7);
        out.some(Kind::LettersApart, [first, third, 0], 0.5);
    }
    for four in tokens.windows(4) {
        out.some(Kind::LettersApart, [four[0].letter, four[3].letter, 0], 0.3);
    }
    if let [first, second, ..] = tokens {
        out.some(Kind::Opening, [first.letter, second.letter, 0], 0.5);
    }
}

fn sounds<S: Sink>(tokens: &[Token], out: &mut Out<'_, S>) {
    let sound = |place: usize| tokens.get(place).and_then(|token| token.sound);
    let base = |place: usize| sound(place).map(|sound| number(sound.toneless()));
    for (place, token) in tokens.iter().enumerate() {
        let (Some(first), Some(first_base)) = (token.sound, base(place)) else {
            continue;
        };
        out.put(Kind::Toneless1, [first_base, 0, 0]);
        if let (Some(second), Some(second_base)) = (sound(place + 1), base(place + 1)) {
            out.put(Kind::Toned2, [number(first), number(second), 0]);
            out.put(Kind::Toneless2, [first_base, second_base, 0]);
        }
        if let Some((other, prob)) = token.other {
            another_sound(number(other.toneless()), place, prob, &base, out);
        }
    }
}

/// The pairs that a second reading makes, by its probability.
fn another_sound<S: Sink>(
    other: u64,
    place: usize,
    prob: f32,
    base: &impl Fn(usize) -> Option<u64>,
    out: &mut Out<'_, S>,
) {
    out.some(Kind::Toneless1, [other, 0, 0], prob);
    if let Some(next) = base(place + 1) {
        out.some(Kind::Toneless2, [other, next, 0], prob);
    }
    if let Some(before) = place.checked_sub(1).and_then(base) {
        out.some(Kind::Toneless2, [before, other, 0], prob);
    }
}

const fn number(sound: Syllable) -> u64 {
    sound.index() as u64 + 1
}

/// Words after a word of a class that still make a pair with it.
const PAIR_REACH: usize = 4;

fn word_classes<S: Sink>(seen: &Seen, classes: &WordClasses, out: &mut Out<'_, S>) {
    let found = &seen.found;
    let amount = match classes.language() {
        Language::Mandarin => 1.0,
        // A sentence has fewer words than hanzi, and many more words are rare.
        Language::English => 3.0,
    };
    let class = |place: usize| found.get(place).map(|found| u64::from(found.class) + 1);
    let letter = |place: usize| seen.tokens.get(place).map_or(END, |token| token.letter);
    for (place, word) in found.iter().enumerate() {
        let first = u64::from(word.class) + 1;
        out.some(Kind::Class1, [first, 0, 0], amount);
        let second = class(place + 1).unwrap_or(END);
        out.put(Kind::Class2, [first, second, 0]);
        if place == 0 {
            out.put(Kind::Class2, [START, first, 0]);
        }
        if let Some(third) = class(place + 2) {
            out.put(Kind::Class3, [first, second, third]);
        }
        for later in found.iter().skip(place + 1).take(PAIR_REACH) {
            out.put(Kind::ClassPair, [first, u64::from(later.class) + 1, 0]);
        }
        out.put(Kind::ClassThenLetter, [first, letter(word.to), 0]);
        let before = word.from.checked_sub(1).map_or(START, letter);
        out.put(Kind::LetterThenClass, [before, first, 0]);
        if word.from >= seen.reported_from {
            out.put(Kind::Reported, [first, 0, 0]);
        }
        if seen.is_question && !classes.asks(word.class) {
            out.put(Kind::Asked, [first, 0, 0]);
        }
    }
}

/// Marks what stands after a negator.
fn negations<S: Sink>(seen: &Seen, classes: &WordClasses, out: &mut Out<'_, S>) {
    let negators = seen
        .found
        .iter()
        .filter(|found| classes.negates(found.class));
    let mut from = 0;
    for negator in negators {
        let reach = negator.to..(negator.to + NEGATION_REACH).min(seen.tokens.len());
        if classes.language() == Language::English {
            for token in &seen.tokens[reach.start.max(from)..reach.end.max(from)] {
                out.some(Kind::NegatedLetter, [token.letter, 0, 0], 0.5);
            }
        }
        for pair in seen.tokens[reach.start.max(from)..reach.end.max(from)].windows(2) {
            out.put(Kind::Negated, [pair[0].letter, pair[1].letter, 0]);
        }
        let words = seen.found.iter();
        for word in words.filter(|word| reach.contains(&word.from) && word.from >= from) {
            out.put(Kind::NegatedClass, [u64::from(word.class), 0, 0]);
        }
        from = reach.end;
    }
}

fn whole<S: Sink>(seen: &Seen, out: &mut Out<'_, S>) {
    if seen.is_question {
        out.put(Kind::Question, [0, 0, 0]);
    }
    let n = seen.tokens.len();
    if let [.., before, last] = &seen.tokens[..] {
        let asked = u64::from(seen.is_question);
        out.put(Kind::Ending, [before.letter, last.letter, asked]);
    }
    out.put(Kind::Length, [u64::from(n.max(1).ilog2()), 0, 0]);
}

/// Utterances up to this long mean what the words before them make them mean.
const MAX_ANSWER_TOKENS: usize = 6;

fn context<S: Sink>(seen: &Seen, before: &Seen, out: &mut Out<'_, S>) {
    if before.is_question {
        out.put(Kind::BeforeAsked, [0, 0, 0]);
    }
    let is_answer = seen.tokens.len() <= MAX_ANSWER_TOKENS;
    let words = seen
        .tokens
        .iter()
        .fold(0, |words, token| scramble(words ^ token.letter));
    for earlier in &before.found {
        let earlier = u64::from(earlier.class) + 1;
        out.put(Kind::Before, [earlier, 0, 0]);
        if is_answer {
            out.put(Kind::BeforeAndWhole, [earlier, words, 0]);
            for word in &seen.found {
                let class = u64::from(word.class) + 1;
                out.put(Kind::BeforeAndClass, [earlier, class, 0]);
            }
        }
    }
}

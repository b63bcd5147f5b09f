//! Personal data hidden in everything that quotes a call.

use std::collections::BTreeMap;
use std::ops::Range;

use auricle_contracts::{
    Assessment, ChannelLayout, Hit, PiiSpan, Stretch, TextPlace, Transcript, Utterance,
};

use super::align::Alignment;
use super::secret::{LEAST_SCRUBBED, Secret, hidden_in};
use crate::Spoken;
use crate::scorecard::note_of;

/// Stands for each character that is hidden.
pub const MASK_CHARACTER: char = '*';

/// How much is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mask {
    /// Everything.
    #[default]
    All,
    /// All but the last characters of each span: at most 4, and at most two fifths of it.
    KeepLast(usize),
}

/// What [`Mask::KeepLast`] leaves at most.
const MOST_KEPT: usize = 4;
/// Silence before and after what is hidden: times of letters are true to some hundredths of a second.
const MARGIN_MS: u64 = 120;
/// The least that is hidden of what a reason says in its own words: its limits and counts may well have four digits
/// of a number that was said, and none is as long as the shortest number that belongs to somebody, a landline.
const LEAST_SCRUBBED_UNQUOTED: usize = 7;

/// A stretch of the recording to silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SilentStretch {
    /// Channel of the recording, from 0; `None` for all, where they carry the same sound.
    pub channel: Option<u16>,
    /// From when to when.
    pub time: Stretch,
}

/// A copy of `transcript` with the personal data of `spans` hidden, see [`Masker::transcript`].
pub fn mask(transcript: &Transcript, spans: &[PiiSpan], how: Mask) -> Transcript {
    Masker::new(transcript, spans, how).transcript()
}

/// Hides the personal data of one call.
///
/// Each hidden character becomes one [`MASK_CHARACTER`], so that lengths, places and times stay as they are.
/// Places beyond the transcript are left out of account.
#[derive(Clone, Debug)]
pub struct Masker<'a> {
    transcript: &'a Transcript,
    spans: &'a [PiiSpan],
    masked: BTreeMap<usize, Masked>,
}

/// An utterance with something hidden.
#[derive(Clone, Debug)]
struct Masked {
    utterance: Utterance,
    /// Hidden stretches of the text that places count in.
    hidden: Vec<Range<usize>>,
    /// What is hidden, as it was said and as it was written.
    secrets: Vec<Secret>,
}

impl<'a> Masker<'a> {
    /// Prepares the utterances in which `spans` have places; `spans` are those of this very transcript.
    pub fn new(transcript: &'a Transcript, spans: &'a [PiiSpan], how: Mask) -> Self {
        let mut chars: BTreeMap<usize, Chars> = BTreeMap::new();
        for span in spans {
            for (place, kept) in kept_of_places(transcript, span, how) {
                if let Some(utterance) = transcript.utterances.get(place.utterance) {
                    let chars = chars
                        .entry(place.utterance)
                        .or_insert_with(|| Chars::new(utterance));
                    chars.hide(place.from..place.to, kept);
                }
            }
        }
        let masked = chars
            .into_iter()
            .map(|(idx, chars)| (idx, chars.masked(&transcript.utterances[idx], idx)))
            .collect();
        Self {
            transcript,
            spans,
            masked,
        }
    }

    /// The transcript with `text`, `spoken`, `words` and `syllables` (alternatives left out) hidden at all
    /// places; everything else as it is.
    pub fn transcript(&self) -> Transcript {
        let mut transcript = self.transcript.clone();
        for (&idx, masked) in &self.masked {
            transcript.utterances[idx] = masked.utterance.clone();
        }
        transcript
    }

    /// Text taken from an utterance, hidden as far as it quotes what is hidden there. Takes a piece of the
    /// written or of the spoken form, and text near to one of them.
    pub fn quote(&self, utterance: usize, quote: &str) -> String {
        match self.masked.get(&utterance) {
            Some(masked) => masked.quote(&self.transcript.utterances[utterance], quote),
            None => quote.to_owned(),
        }
    }

    /// Text from anywhere with what repeats four and more hidden characters in a row, of any utterance, hidden; of
    /// what was said in words of an alphabet, four and more whole words.
    pub fn scrub(&self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        let hidden = self.hidden_in(&chars, LEAST_SCRUBBED);
        blot(&mut chars, &hidden);
        chars.into_iter().collect()
    }

    /// A reason with what it quotes hidden as [`Self::scrub`] does. Its own numbers stay: outside of quotation marks
    /// only stretches of seven and more hidden characters, or four and more hidden words, are hidden.
    pub fn scrub_reason(&self, why: &str) -> String {
        let mut chars: Vec<char> = why.chars().collect();
        let mut hidden = self.hidden_in(&chars, LEAST_SCRUBBED_UNQUOTED);
        let quoted = quoted(&chars);
        let in_quotes = self.hidden_in(&chars[quoted.clone()], LEAST_SCRUBBED);
        for (hidden, in_quotes) in hidden[quoted].iter_mut().zip(in_quotes) {
            *hidden |= in_quotes;
        }
        blot(&mut chars, &hidden);
        chars.into_iter().collect()
    }

    fn hidden_in(&self, text: &[char], least: usize) -> Vec<bool> {
        let secrets = self.masked.values().flat_map(|masked| &masked.secrets);
        hidden_in(text, secrets, least)
    }

    /// The reason of an item of a score card: what a person noted is hidden as a quotation is.
    fn scrub_item(&self, why: &str) -> String {
        let (note, reason) = why.split_at(note_of(why).len());
        self.scrub(note) + &self.scrub_reason(reason)
    }

    /// Hides what a hit quotes: its evidence and its reason.
    pub fn hide_hit(&self, hit: &mut Hit) {
        hit.why = self.scrub_reason(&hit.why);
        for evidence in &mut hit.evidence {
            // What belongs to no utterance was measured.
            if let Some(utterance) = evidence.utterance {
                evidence.words = self.scrub(&self.quote(utterance, &evidence.words));
            }
        }
    }

    /// An utterance with what is hidden in it hidden; `None` where the transcript has none at this place.
    pub fn utterance(&self, place: usize) -> Option<Utterance> {
        match self.masked.get(&place) {
            Some(masked) => Some(masked.utterance.clone()),
            None => self.transcript.utterances.get(place).cloned(),
        }
    }

    /// The assessment with everything it quotes hidden: evidence, reasons, summary, score card.
    pub fn assessment(&self, assessment: &Assessment) -> Assessment {
        let mut assessment = assessment.clone();
        assessment
            .hits
            .iter_mut()
            .for_each(|hit| self.hide_hit(hit));
        let summary = &mut assessment.summary;
        let quotes = [
            &mut summary.reason,
            &mut summary.outcome,
            &mut summary.promises,
            &mut summary.numbers,
        ];
        for quote in quotes.into_iter().flatten() {
            quote.text = self.scrub(&self.quote(quote.utterance, &quote.text));
        }
        for item in assessment
            .scorecard
            .iter_mut()
            .flat_map(|card| &mut card.items)
        {
            item.why = self.scrub_item(&item.why);
        }
        assessment
    }

    /// Where the recording is to be silenced, by start: what was said at each place, with 120 ms before and
    /// after, whatever [`Mask`] leaves readable.
    pub fn silences(&self) -> Vec<SilentStretch> {
        let mut found: Vec<SilentStretch> = self
            .spans
            .iter()
            .flat_map(|span| silences_of(self.transcript, span))
            .collect();
        found.sort_by_key(|silent| (silent.time.start_ms, silent.time.end_ms, silent.channel));
        found.dedup();
        found
    }
}

/// The first and the last stretch reach as far as the span, which may begin before its first letter.
fn silences_of(transcript: &Transcript, span: &PiiSpan) -> Vec<SilentStretch> {
    let is_same = transcript.layout == ChannelLayout::FakeStereo;
    let silence = |place: &TextPlace| {
        let utterance = transcript.utterances.get(place.utterance)?;
        Some(SilentStretch {
            channel: (!is_same).then_some(utterance.channel),
            time: time_of(utterance, place)?,
        })
    };
    let mut found: Vec<SilentStretch> = span.places.iter().filter_map(silence).collect();
    if let Some(first) = found.first_mut() {
        first.time.start_ms = first.time.start_ms.min(span.start_ms);
    }
    if let Some(last) = found.last_mut() {
        last.time.end_ms = last.time.end_ms.max(span.end_ms);
    }
    found
}

fn time_of(utterance: &Utterance, place: &TextPlace) -> Option<Stretch> {
    let spoken = Spoken::new(utterance, place.utterance);
    let inside = |at: usize| (place.from..place.to).contains(&at);
    let times = spoken.letters.iter().filter(|letter| inside(letter.at));
    let start_ms = times.clone().map(|letter| letter.start_ms).min()?;
    let end_ms = times.map(|letter| letter.end_ms).max()?;
    Some(Stretch {
        start_ms: start_ms.saturating_sub(MARGIN_MS),
        end_ms: end_ms.saturating_add(MARGIN_MS),
    })
}

/// The places of a span, each with how many of its last letters stay readable.
fn kept_of_places(transcript: &Transcript, span: &PiiSpan, how: Mask) -> Vec<(TextPlace, usize)> {
    let n_letters = |place: &TextPlace| {
        transcript
            .utterances
            .get(place.utterance)
            .map_or(0, |utterance| {
                let inside = source(utterance).chars().skip(place.from);
                inside
                    .take(place.to.saturating_sub(place.from))
                    .filter(|ch| ch.is_alphanumeric())
                    .count()
            })
    };
    let n_all: usize = span.places.iter().map(n_letters).sum();
    let mut n_kept = match how {
        Mask::All => 0,
        Mask::KeepLast(n) => n.min(MOST_KEPT).min(n_all * 2 / 5),
    };
    let mut found = Vec::new();
    for place in span.places.iter().rev() {
        let kept = n_kept.min(n_letters(place));
        n_kept -= kept;
        found.push((*place, kept));
    }
    found
}

fn source(utterance: &Utterance) -> &str {
    match utterance.spoken.is_empty() {
        true => &utterance.text,
        false => &utterance.spoken,
    }
}

fn is_letter(ch: char) -> bool {
    ch.is_alphanumeric()
}

/// Marks between clauses, which stay where they are.
fn stays(ch: char) -> bool {
    ch.is_whitespace() || "，。？！、；".contains(ch)
}

fn hide(chars: &mut [char], hidden: &[bool]) {
    for (ch, _) in chars.iter_mut().zip(hidden).filter(|(_, hidden)| **hidden) {
        if !stays(*ch) {
            *ch = MASK_CHARACTER;
        }
    }
}

/// What is hidden of an utterance's source and of its written form.
struct Chars {
    source: Vec<char>,
    hidden: Vec<bool>,
    text: Vec<char>,
    text_hidden: Vec<bool>,
    alignment: Alignment,
}

impl Chars {
    fn new(utterance: &Utterance) -> Self {
        let source: Vec<char> = source(utterance).chars().collect();
        let text: Vec<char> = utterance.text.chars().collect();
        Self {
            alignment: Alignment::new(&source, &text),
            hidden: vec![false; source.len()],
            text_hidden: vec![false; text.len()],
            source,
            text,
        }
    }

    fn hide(&mut self, range: Range<usize>, n_kept: usize) {
        let to = range.end.min(self.source.len());
        let from = range.start.min(to);
        let in_text = self.alignment.right_of(from..to);
        let n_letters = |chars: &[char]| chars.iter().filter(|ch| is_letter(**ch)).count();
        let is_same = n_letters(&self.source[from..to]) == n_letters(&self.text[in_text.clone()]);
        // Where the written form has other letters, which of them are the last is not known.
        let n_in_text = if is_same { n_kept } else { 0 };
        hide_but_last(&self.source, &mut self.hidden, from..to, n_kept);
        let in_text = match n_in_text {
            0 => with_digits_beside(&self.text, in_text),
            _ => in_text,
        };
        hide_but_last(&self.text, &mut self.text_hidden, in_text, n_in_text);
    }

    fn masked(self, utterance: &Utterance, idx: usize) -> Masked {
        let mut masked = utterance.clone();
        let (mut source, mut text) = (self.source.clone(), self.text.clone());
        hide(&mut source, &self.hidden);
        hide(&mut text, &self.text_hidden);
        if !utterance.spoken.is_empty() {
            masked.spoken = source.iter().collect();
        }
        masked.text = text.iter().collect();
        let spoken = Spoken::new(utterance, idx);
        hide_words(&mut masked, &spoken, &self.hidden);
        hide_syllables(&mut masked, &spoken, &self.hidden);
        let mut secrets = secrets_of(&self.source, &self.hidden);
        secrets.extend(secrets_of(&self.text, &self.text_hidden));
        Masked {
            utterance: masked,
            hidden: stretches(&self.hidden),
            secrets,
        }
    }
}

fn secrets_of(chars: &[char], hidden: &[bool]) -> Vec<Secret> {
    stretches(hidden)
        .into_iter()
        .filter(|range| range.len() >= LEAST_SCRUBBED)
        .map(|range| Secret::new(&chars[range]))
        .collect()
}

fn stretches(hidden: &[bool]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in hidden.iter().enumerate().filter(|(_, hidden)| **hidden) {
        match found.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => found.push(at..at + 1),
        }
    }
    found
}

fn hide_but_last(chars: &[char], hidden: &mut [bool], range: Range<usize>, n_kept: usize) {
    let letters: Vec<usize> = range.clone().filter(|&at| is_letter(chars[at])).collect();
    let end = match n_kept {
        0 => range.end,
        _ => letters
            .len()
            .checked_sub(n_kept)
            .and_then(|place| letters.get(place))
            .map_or(range.end, |at| *at),
    };
    hidden[range.start..end].fill(true);
}

/// Figures that go on beyond a range belong to it.
fn with_digits_beside(text: &[char], range: Range<usize>) -> Range<usize> {
    let is_digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
    let (mut from, mut to) = (range.start, range.end);
    if is_digit(from) {
        while from > 0 && is_digit(from - 1) {
            from -= 1;
        }
    }
    if to > from && is_digit(to - 1) {
        while is_digit(to) {
            to += 1;
        }
    }
    from..to
}

/// Hides the letters of words: one by one where words and letters go together, else by time.
fn hide_words(masked: &mut Utterance, spoken: &Spoken<'_>, hidden: &[bool]) {
    let n_in_words: usize = masked
        .words
        .iter()
        .map(|word| word.w.chars().filter(|ch| is_letter(*ch)).count())
        .sum();
    if n_in_words == spoken.letters.len() {
        let mut letters = spoken.letters.iter();
        for word in &mut masked.words {
            let hide = |ch: char| match is_letter(ch) {
                true => match letters.next() {
                    Some(letter) if hidden[letter.at] => MASK_CHARACTER,
                    _ => ch,
                },
                false => ch,
            };
            word.w = word.w.chars().map(hide).collect();
        }
        return;
    }
    let times = hidden_times(spoken, hidden);
    for word in &mut masked.words {
        if overlaps(&times, word.start_ms, word.end_ms) {
            word.w = word.w.chars().map(|_| MASK_CHARACTER).collect();
        }
    }
}

fn hide_syllables(masked: &mut Utterance, spoken: &Spoken<'_>, hidden: &[bool]) {
    let hanzi: Vec<usize> = spoken
        .letters
        .iter()
        .filter(|letter| !letter.sounds.is_empty())
        .map(|letter| letter.at)
        .collect();
    let times = hidden_times(spoken, hidden);
    let one_by_one = hanzi.len() == masked.syllables.len();
    for (place, syllable) in masked.syllables.iter_mut().enumerate() {
        let is_hidden = match one_by_one {
            true => hidden[hanzi[place]],
            false => overlaps(&times, syllable.start_ms, syllable.end_ms),
        };
        if is_hidden {
            syllable.s = MASK_CHARACTER.into();
            syllable.alternatives.clear();
        }
    }
}

/// Times of hidden stretches, from the first letter to the last.
fn hidden_times(spoken: &Spoken<'_>, hidden: &[bool]) -> Vec<(u64, u64)> {
    let time = |range: Range<usize>| {
        let inside = spoken
            .letters
            .iter()
            .filter(|letter| range.contains(&letter.at));
        let start_ms = inside.clone().map(|letter| letter.start_ms).min()?;
        let end_ms = inside.map(|letter| letter.end_ms).max()?;
        Some((
            start_ms.saturating_sub(MARGIN_MS),
            end_ms.saturating_add(MARGIN_MS),
        ))
    };
    stretches(hidden).into_iter().filter_map(time).collect()
}

fn overlaps(times: &[(u64, u64)], start_ms: u64, end_ms: u64) -> bool {
    times.iter().any(|&(from_ms, to_ms)| {
        start_ms < to_ms && from_ms < end_ms.max(start_ms.saturating_add(1))
    })
}

impl Masked {
    fn quote(&self, utterance: &Utterance, quote: &str) -> String {
        let mut chars: Vec<char> = quote.chars().collect();
        let forms = [
            (&utterance.text, &self.utterance.text),
            (&utterance.spoken, &self.utterance.spoken),
        ];
        let mut is_piece = false;
        for (open, masked) in forms {
            is_piece |= hide_occurrences(&mut chars, quote, open, masked);
        }
        if !is_piece {
            self.hide_aligned(&mut chars, utterance);
        }
        chars.into_iter().collect()
    }

    /// Hides in a text that is no piece of the utterance what stands where hidden letters do.
    fn hide_aligned(&self, chars: &mut [char], utterance: &Utterance) {
        let source: Vec<char> = source(utterance).chars().collect();
        let alignment = Alignment::new(&source, chars);
        let repeated = hidden_in(chars, &self.secrets, LEAST_SCRUBBED);
        for range in &self.hidden {
            for ch in &mut chars[alignment.right_of(range.clone())] {
                if !stays(*ch) {
                    *ch = MASK_CHARACTER;
                }
            }
        }
        blot(chars, &repeated);
    }
}

/// Hides what is hidden in any of the places where `quote` stands in `open`; whether there is one.
fn hide_occurrences(chars: &mut [char], quote: &str, open: &str, masked: &str) -> bool {
    let masked: Vec<char> = masked.chars().collect();
    let (mut from, mut found) = (0, false);
    while let Some(at) = open
        .get(from..)
        .filter(|_| !quote.is_empty())
        .and_then(|rest| rest.find(quote))
    {
        found = true;
        let begin = open[..from + at].chars().count();
        for (ch, masked) in chars.iter_mut().zip(masked.iter().skip(begin)) {
            if *masked == MASK_CHARACTER {
                *ch = MASK_CHARACTER;
            }
        }
        from += at + open[from + at..].chars().next().map_or(1, char::len_utf8);
    }
    found
}

/// Hides characters, marks between clauses too.
fn blot(chars: &mut [char], hidden: &[bool]) {
    for (ch, _) in chars.iter_mut().zip(hidden).filter(|(_, hidden)| **hidden) {
        *ch = MASK_CHARACTER;
    }
}

/// What of a reason counts as quoted: all from the first quotation mark to the last, for what was said may have marks
/// of its own. Where the last closes nothing, a quotation was cut, and all from the first mark on is quoted.
fn quoted(why: &[char]) -> Range<usize> {
    let is_mark = |ch: &char| matches!(ch, '“' | '”' | '"');
    let Some((first, last)) = why
        .iter()
        .position(is_mark)
        .zip(why.iter().rposition(is_mark))
    else {
        return why.len()..why.len();
    };
    let n_straight = why.iter().filter(|ch| **ch == '"').count();
    let closes = match why[last] {
        '”' => why[first] != '”',
        '"' => n_straight.is_multiple_of(2),
        _ => false,
    };
    first..if closes { last } else { why.len() }
}

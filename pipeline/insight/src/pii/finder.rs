//! Personal data as a call goes on.

use std::collections::VecDeque;

use auricle_contracts::{Party, PiiKind, PiiSpan, TextPlace};

use super::classify::{COMPLETE, Context, Labels};
use super::number::{Certainty, Digit, MOST_DIGITS, span, values};
use super::phrases::{Label, Phrase, Role, find};
use super::runs::{Run, runs};
use super::segment::{Piece, numbers, with_announced};
use super::{email, plate};
use crate::Spoken;

/// Utterances for which a question holds.
const ASKED_UTTERANCES: usize = 8;
/// Time for which a question holds.
const ASKED_MS: u64 = 60_000;
/// Utterances of others that may come between two parts of one number.
const MOST_BETWEEN: usize = 4;
/// Time that may pass between two parts of one number.
const MOST_PAUSE_MS: u64 = 20_000;
/// Numbers that are kept to know them again when they are read back.
const MOST_KNOWN: usize = 8;
/// Digits from which on a part of a number is known again.
const LEAST_ECHO: usize = 4;
/// Rows of digits of others that are kept until the number they repeat is complete.
const MOST_WAITING: usize = 16;

/// Finds the personal data of one call, one utterance after the other.
///
/// Numbers may be said in parts: what a later utterance completes is given again as one span, which covers
/// the earlier one (see [`settle`](super::settle)). Memory does not grow with the length of the call.
///
/// ```
/// use auricle_insight::{Spoken, pii::PiiFinder};
/// # use auricle_contracts::{Party, PiiKind, Utterance};
/// # let utterance = Utterance { party: Party::Customer, channel: 1, start_ms: 0, end_ms: 4000,
/// #     text: "13800001234".into(), spoken: "幺三八零零零零幺二三四".into(), confidence: 1.0,
/// #     syllables: vec![], words: vec![], voice: None };
/// let mut finder = PiiFinder::new();
/// let spans = finder.utterance(&Spoken::new(&utterance, 0));
/// assert_eq!(spans[0].kind, PiiKind::Phone);
/// assert!(finder.finish().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct PiiFinder {
    open: Vec<Open>,
    asked: VecDeque<Asked>,
    known: VecDeque<Known>,
    waiting: VecDeque<Waiting>,
    n_utterances: usize,
}

/// Digits at the end of what a party said last: more may come.
#[derive(Clone, Debug)]
struct Open {
    party: Party,
    digits: Vec<Digit>,
    context: Context,
    /// What was given out of them.
    given: Vec<(PiiKind, Vec<TextPlace>)>,
    n_between: usize,
}

/// What was spoken of.
#[derive(Clone, Copy, Debug)]
struct Asked {
    labels: Labels,
    utterance: usize,
    end_ms: u64,
}

/// A number that was found.
#[derive(Clone, Debug)]
struct Known {
    kind: PiiKind,
    digits: Vec<u8>,
    start_ms: u64,
    end_ms: u64,
}

/// A short row of digits that may repeat a part of a number.
#[derive(Clone, Debug)]
struct Waiting {
    party: Party,
    digits: Vec<Digit>,
}

impl PiiFinder {
    /// A finder for one call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next utterance of the call, of either party. Returns the personal data that is complete
    /// with it; digits at its very end that may be the first part of a number wait for what follows.
    pub fn utterance(&mut self, spoken: &Spoken<'_>) -> Vec<PiiSpan> {
        let phrases = find(&spoken.letters);
        let mut runs = runs(spoken, &phrases);
        let mut found = email::emails(spoken, &phrases);
        let far = self.far(spoken);
        found.extend(plate::plates(spoken, &phrases, far));
        runs.retain(|run| !is_covered(run, &found));
        found.extend(self.close_stale(spoken, &runs, &phrases));
        let n_runs = runs.len();
        let used = runs.iter().any(|run| run.digits.len() >= 2);
        for (place, run) in runs.into_iter().enumerate() {
            self.take_run(spoken, run, far, place + 1 == n_runs, &mut found);
        }
        self.remember_labels(spoken, &phrases, used);
        self.n_utterances += 1;
        found.sort_by_key(|span| (span.start_ms, span.end_ms));
        found
    }

    /// Ends the call: what still waited is given as far as it is personal data without more.
    pub fn finish(&mut self) -> Vec<PiiSpan> {
        let mut found = Vec::new();
        for mut open in std::mem::take(&mut self.open) {
            self.give(&mut open, Wanted::All, &mut found);
        }
        found.sort_by_key(|span| (span.start_ms, span.end_ms));
        found
    }

    /// Places of digits that may be the first part of a number and wait for what follows: to be hidden
    /// where a call is shown while it goes on.
    pub fn pending(&self) -> Vec<TextPlace> {
        let spans = self.open.iter().filter(|open| open.digits.len() >= 3);
        spans
            .filter_map(|open| span(PiiKind::Phone, open.party, &open.digits))
            .flat_map(|span| span.places)
            .collect()
    }

    /// Closes the rows that this utterance cannot go on with.
    fn close_stale(
        &mut self,
        spoken: &Spoken<'_>,
        runs: &[Run],
        phrases: &[Phrase],
    ) -> Vec<PiiSpan> {
        let party = spoken.party();
        let goes_on = runs.first().is_some_and(|run| run.opens);
        let is_answer = is_light(spoken, phrases) && runs.is_empty();
        let (mut kept, mut found) = (Vec::new(), Vec::new());
        for mut open in std::mem::take(&mut self.open) {
            let end_ms = open.digits.last().map_or(0, |digit| digit.end_ms);
            let is_late = spoken.utterance.start_ms > end_ms.saturating_add(MOST_PAUSE_MS);
            if open.party != party {
                open.n_between += usize::from(!is_answer);
            }
            let ends = open.party == party && !goes_on && !is_answer;
            if ends || is_late || open.n_between > MOST_BETWEEN {
                self.give(&mut open, Wanted::All, &mut found);
            } else {
                kept.push(open);
            }
        }
        self.open = kept;
        found
    }

    /// What was spoken of lately.
    fn far(&self, spoken: &Spoken<'_>) -> Labels {
        let recent = self.asked.iter().rev().filter(|asked| {
            asked.utterance + ASKED_UTTERANCES > self.n_utterances
                && asked.end_ms.saturating_add(ASKED_MS) >= spoken.utterance.start_ms
        });
        let mut last = Labels::default();
        for asked in recent {
            if asked.labels != Labels::default().with(Label::Number) {
                return asked.labels;
            }
            last = asked.labels;
        }
        last
    }

    fn take_run(
        &mut self,
        spoken: &Spoken<'_>,
        run: Run,
        far: Labels,
        is_last: bool,
        found: &mut Vec<PiiSpan>,
    ) {
        let party = spoken.party();
        let before = self.open.iter().position(|open| open.party == party);
        let before = before.map(|place| self.open.remove(place));
        let named_far = if run.far.is_empty() { far } else { run.far };
        let context = Context {
            near: run.near,
            far: named_far,
        };
        let ends = run.ends && is_last;
        let mut open = match before {
            Some(open) if run.opens && matches!(run.near, None | Some(Label::Ending)) => {
                joined(open, run)
            }
            before => {
                if let Some(mut open) = before {
                    self.give(&mut open, Wanted::All, found);
                }
                Open {
                    party,
                    digits: run.digits,
                    context,
                    given: Vec::new(),
                    n_between: 0,
                }
            }
        };
        let wanted = if ends { Wanted::Complete } else { Wanted::All };
        let n_given = self.give(&mut open, wanted, found);
        if n_given == 0 {
            self.give_echo(&open, spoken.idx, found);
        }
        if ends {
            self.open.push(open);
        }
    }

    /// Gives the numbers in a row that were not given yet; returns how many are in it.
    fn give(&mut self, open: &mut Open, wanted: Wanted, found: &mut Vec<PiiSpan>) -> usize {
        if open.digits.len() < LEAST_ECHO {
            return 0;
        }
        let mut pieces = numbers(&open.digits, open.context);
        if wanted == Wanted::All {
            pieces = with_announced(&open.digits, open.context, pieces);
        }
        let n_pieces = pieces.len();
        for piece in pieces {
            if wanted == Wanted::Complete && piece.found.score < COMPLETE {
                continue;
            }
            self.give_piece(open, &piece, found);
        }
        n_pieces
    }

    fn give_piece(&mut self, open: &mut Open, piece: &Piece, found: &mut Vec<PiiSpan>) {
        let digits = &open.digits[piece.from..piece.to];
        let Some(mut span) = span(piece.found.kind, open.party, digits) else {
            return;
        };
        if piece.found.score < COMPLETE {
            reach_out(&mut span, digits);
        }
        let given = (span.kind, span.places.clone());
        if open.given.contains(&given) {
            return;
        }
        open.given.push(given);
        let known = Known {
            kind: span.kind,
            digits: values(digits),
            start_ms: span.start_ms,
            end_ms: span.end_ms,
        };
        self.give_waiting(&known, open.party, found);
        if self.known.len() >= MOST_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(known);
        found.push(span);
    }

    /// Digits that repeat a part of a number that was found, or may be a part of one to come.
    fn give_echo(&mut self, open: &Open, utterance: usize, found: &mut Vec<PiiSpan>) {
        let is_new = |digit: &&Digit| digit.place.utterance == utterance;
        let digits: Vec<Digit> = open.digits.iter().filter(is_new).cloned().collect();
        let said = sure_values(&digits);
        if said.len() < 3 || matches!(open.context.near, Some(Label::Tail | Label::Ending)) {
            return;
        }
        let is_other = open.context.near == Some(Label::Other);
        let start_ms = digits.first().map_or(0, |digit| digit.start_ms);
        let known = self.known.iter().rev().find(|known| {
            said.len() >= LEAST_ECHO
                && !is_other
                && contains(&known.digits, &said)
                && start_ms <= known.end_ms.saturating_add(2 * ASKED_MS)
        });
        if let Some(known) = known {
            found.extend(span(known.kind, open.party, &digits));
            return;
        }
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting {
            party: open.party,
            digits,
        });
    }

    /// Digits the other party repeated while the number was being said.
    fn give_waiting(&mut self, number: &Known, party: Party, found: &mut Vec<PiiSpan>) {
        self.waiting.retain(|waiting| {
            let start_ms = waiting.digits.first().map_or(0, |digit| digit.start_ms);
            let repeats = waiting.party != party
                && start_ms >= number.start_ms
                && contains(&number.digits, &sure_values(&waiting.digits));
            if repeats {
                found.extend(span(number.kind, waiting.party, &waiting.digits));
            }
            !repeats
        });
    }

    fn remember_labels(&mut self, spoken: &Spoken<'_>, phrases: &[Phrase], used: bool) {
        let labels = phrases.iter().filter_map(|phrase| match phrase.role {
            Role::Label(Label::Other | Label::Tail | Label::Ending | Label::Company) if used => {
                None
            }
            Role::Label(label) => Some(label),
            _ => None,
        });
        let labels = labels.fold(Labels::default(), Labels::with);
        if labels.is_empty() {
            return;
        }
        if self.asked.len() >= ASKED_UTTERANCES {
            self.asked.pop_front();
        }
        self.asked.push_back(Asked {
            labels,
            utterance: self.n_utterances,
            end_ms: spoken.utterance.end_ms,
        });
    }
}

/// Most that the time of a number that was heard in part is widened by on either side.
const MOST_REACH_MS: u64 = 2_000;

/// Widens the time of a number that was heard in part by the speech beside it in which nothing was
/// heard, and by the 1 with which every mobile number begins.
fn reach_out(span: &mut PiiSpan, digits: &[Digit]) {
    let Some((first, last)) = digits.first().zip(digits.last()) else {
        return;
    };
    if !first.heard {
        return;
    }
    let least_ms = span.start_ms.saturating_sub(MOST_REACH_MS);
    let most_ms = span.end_ms.saturating_add(MOST_REACH_MS);
    span.start_ms = span.start_ms.min(first.reach_ms.0).max(least_ms);
    span.end_ms = span.end_ms.max(last.reach_ms.1).min(most_ms);
    let lacks_first = span.kind == PiiKind::Phone
        && digits.len() == 10
        && first.value.is_some_and(|value| (3..=9).contains(&value));
    if lacks_first {
        let n_steps = digits.len() as u64 - 1;
        let step_ms = last.start_ms.saturating_sub(first.start_ms) / n_steps;
        span.start_ms = span.start_ms.min(
            first
                .start_ms
                .saturating_sub(step_ms.saturating_add(step_ms / 4)),
        );
    }
}

/// Which numbers are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Those that need no more digits.
    Complete,
    /// Those as well that were heard in part.
    All,
}

fn joined(mut open: Open, run: Run) -> Open {
    let mut more = run.digits;
    if let Some(first) = more.first_mut() {
        first.may_begin = true;
    }
    open.digits.extend(more);
    let n_over = open.digits.len().saturating_sub(MOST_DIGITS);
    open.digits.drain(..n_over);
    open.n_between = 0;
    open
}

fn sure_values(digits: &[Digit]) -> Vec<u8> {
    let sure = digits.iter();
    sure.filter(|digit| digit.certainty == Certainty::Sure)
        .filter_map(|digit| digit.value)
        .collect()
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && whole.windows(part.len()).any(|window| window == part)
}

fn is_covered(run: &Run, found: &[PiiSpan]) -> bool {
    let Some((first, last)) = run.digits.first().zip(run.digits.last()) else {
        return false;
    };
    let covers = |place: &TextPlace| {
        place.utterance == first.place.utterance
            && place.from < last.place.to
            && first.place.from < place.to
    };
    found.iter().any(|span| span.places.iter().any(covers))
}

/// Whether an utterance only says that one listens.
fn is_light(spoken: &Spoken<'_>, phrases: &[Phrase]) -> bool {
    let n_light: usize = phrases
        .iter()
        .filter(|phrase| matches!(phrase.role, Role::Filler | Role::Answer | Role::Correction))
        .map(|phrase| phrase.to - phrase.from)
        .sum();
    n_light == spoken.letters.len()
}

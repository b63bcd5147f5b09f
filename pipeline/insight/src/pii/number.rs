//! Digits as they were said: a row of them that may be one number or several.

use auricle_contracts::{Party, PiiKind, PiiSpan, TextPlace};

/// How sure it is that a digit was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// It is written as one.
    Sure,
    /// It sounds like one and stands among digits.
    Maybe,
    /// Something stands in a digit's place that sounds like none.
    Unknown,
}

/// One digit that was said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Digit {
    /// The likeliest; `None` where no sound tells.
    pub value: Option<u8>,
    /// What else it may be.
    pub others: Vec<u8>,
    pub certainty: Certainty,
    /// A number may begin here.
    pub may_begin: bool,
    /// A number may end here.
    pub may_end: bool,
    /// What came before was taken back.
    pub corrects: bool,
    /// It comes from a recogniser, which may have lost its neighbour.
    pub heard: bool,
    /// It stands in what is written as a telephone number of North America.
    pub shaped: bool,
    /// Where it stands.
    pub place: TextPlace,
    pub start_ms: u64,
    pub end_ms: u64,
    /// How far the speech around it reaches in which nothing else was heard.
    pub reach_ms: (u64, u64),
}

/// The most digits that are looked at together; longer rows are cut.
pub(super) const MOST_DIGITS: usize = 96;

/// The digits of `row` as they are, without those that are not known.
pub(super) fn values(row: &[Digit]) -> Vec<u8> {
    row.iter().filter_map(|digit| digit.value).collect()
}

/// The span over digits: one place for each utterance they stand in.
pub(super) fn span<'a>(
    kind: PiiKind,
    party: Party,
    digits: impl IntoIterator<Item = &'a Digit>,
) -> Option<PiiSpan> {
    let mut places: Vec<TextPlace> = Vec::new();
    let (mut start_ms, mut end_ms) = (u64::MAX, 0);
    for digit in digits {
        start_ms = start_ms.min(digit.start_ms);
        end_ms = end_ms.max(digit.end_ms);
        let known = places
            .iter_mut()
            .find(|place| place.utterance == digit.place.utterance);
        match known {
            Some(place) => {
                place.from = place.from.min(digit.place.from);
                place.to = place.to.max(digit.place.to);
            }
            None => places.push(digit.place),
        }
    }
    places.sort_unstable();
    (!places.is_empty()).then_some(PiiSpan {
        kind,
        party,
        start_ms,
        end_ms,
        places,
    })
}

//! Models that the program carries: they need no folder and are always there.

use std::borrow::Cow;
use std::path::PathBuf;

use super::card::ModelCard;
use crate::ctc::{CtcFiles, ModelBytes};

/// Where such models are, for people.
pub(super) const PLACE: &str = "the program itself";

/// A model that is compiled in.
struct Carried {
    name: &'static str,
    graph: &'static [u8],
    tokens: &'static [u8],
    syllables: &'static [u8],
}

static CARRIED: [Carried; 1] = [Carried {
    name: "telephony-8k",
    graph: include_bytes!("../../telephony-8k/model.onnx"),
    tokens: include_bytes!("../../telephony-8k/tokens.txt"),
    syllables: include_bytes!("../../telephony-8k/syllables.lm"),
}];

/// A card of a user's own that has the name of one means something else.
fn carried(card: &ModelCard) -> Option<&'static Carried> {
    let mut known = CARRIED.iter();
    known.find(|carried| card.is_built_in && carried.name == card.name)
}

/// Whether the program has the model's files in it.
pub(super) fn is_carried(card: &ModelCard) -> bool {
    carried(card).is_some()
}

/// The files of a recogniser that the program carries.
pub(super) fn files(card: &ModelCard) -> Option<CtcFiles> {
    let (name, carried) = (&card.name, carried(card)?);
    let file = |file: &str, bytes| ModelBytes {
        path: PathBuf::from(PLACE).join(name).join(file),
        bytes: Cow::Borrowed(bytes),
    };
    Some(CtcFiles {
        name: name.clone(),
        graph: file("model.onnx", carried.graph),
        tokens: file("tokens.txt", carried.tokens),
        syllables: Some(file("syllables.lm", carried.syllables)),
    })
}

//! Calls as they leave the program: with what was made of them, personal data masked.

use std::cmp::Reverse;

use anyhow::Result;
use auricle_contracts::{AssessedCall, Assessment, LineQuality, PressedKey, Transcript};
use auricle_insight::Hearing;
use auricle_insight::pii::{MASK_CHARACTER, Mask, Masker};
use auricle_store::{CallRecord, Store};

use crate::app::App;
use crate::judge::Judges;
use crate::terminal::count;

/// How personal data is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PersonalData {
    /// With `*` in place of every letter and digit of it.
    #[default]
    Masked,
    /// As it was said. Only where somebody asks for just this.
    AsSaid,
}

/// A call with what was made of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownCall {
    pub(crate) transcript: Transcript,
    pub(crate) assessment: Assessment,
    /// How good each leg's line was, where that is asked for.
    pub(crate) lines: Vec<LineQuality>,
    /// Keys that were pressed, as they are kept, where that is asked for.
    pub(crate) keys_pressed: Vec<PressedKey>,
}

impl KnownCall {
    /// A call as it was said, with what its readers must know.
    fn as_said(mut transcript: Transcript, assessment: Assessment) -> Self {
        add_warnings(&mut transcript);
        Self {
            transcript,
            assessment,
            lines: Vec::new(),
            keys_pressed: Vec::new(),
        }
    }

    /// The same, with the personal data that the assessment found hidden: in the transcript, and in what it quotes.
    pub(crate) fn masked(transcript: &Transcript, assessment: &Assessment) -> Self {
        let masker = Masker::new(transcript, &assessment.pii, Mask::All);
        let mut transcript = masker.transcript();
        add_warnings(&mut transcript);
        Self {
            transcript,
            assessment: masker.assessment(assessment),
            lines: Vec::new(),
            keys_pressed: Vec::new(),
        }
    }

    /// The same with what was noted beside its sound: how good its lines were, and keys that were pressed.
    pub(crate) fn with_noted(self, lines: Vec<LineQuality>, keys_pressed: Vec<PressedKey>) -> Self {
        Self {
            lines,
            keys_pressed,
            ..self
        }
    }

    /// The JSON of `analyze --out`.
    pub(crate) fn assessed(&self) -> AssessedCall<'_> {
        AssessedCall::new(&self.transcript, &self.assessment)
            .with_lines(&self.lines)
            .with_keys_pressed(&self.keys_pressed)
    }
}

/// Warns of a call that was heard in another language, or hardly at all, whenever it was heard.
fn add_warnings(transcript: &mut Transcript) {
    let hearing = Hearing::of(&transcript.engine, &transcript.utterances);
    if !hearing.is_poor() {
        return;
    }
    let warning = format!(
        "hardly understood: mean confidence {:.2} of {}; it may be in another language, or the sound is bad. It gets no score",
        hearing.confidence,
        count(hearing.n_syllables as u64, "syllable"),
    );
    if !transcript.warnings.contains(&warning) {
        transcript.warnings.push(warning);
    }
}

/// Hides personal data in texts that quote a call here and there, and do not say from where.
pub(crate) struct MaskedQuotes<'a> {
    masker: Masker<'a>,
    /// Utterances in which something is hidden: place, and each form with what it becomes.
    forms: Vec<(usize, [(&'a str, String); 2])>,
}

/// Around what was said, in reasons of both languages.
const QUOTATION_MARKS: [char; 4] = ['“', '”', '"', '…'];

impl<'a> MaskedQuotes<'a> {
    /// Prepares what `assessment` found in `transcript`.
    pub(crate) fn new(transcript: &'a Transcript, assessment: &'a Assessment) -> Self {
        let masker = Masker::new(transcript, &assessment.pii, Mask::All);
        let masked = masker.transcript().utterances;
        let utterances = transcript.utterances.iter().zip(masked).enumerate();
        let forms = utterances
            .filter(|(_, (open, masked))| {
                (&open.text, &open.spoken) != (&masked.text, &masked.spoken)
            })
            .map(|(place, (open, masked))| {
                let forms = [(&*open.text, masked.text), (&*open.spoken, masked.spoken)];
                (place, forms)
            });
        Self {
            forms: forms.collect(),
            masker,
        }
    }

    /// The text with every whole utterance, every quoted piece of one, and every longer stretch of what is
    /// hidden masked.
    pub(crate) fn hide(&self, text: &str) -> String {
        // What is hidden first must not keep what is looked for later from being found: a number that was said in
        // parts, too, stands inside the whole one.
        let pieces = text.split_inclusive(QUOTATION_MARKS);
        let mut hidden: String = pieces.map(|piece| self.hide_piece(piece)).collect();
        let forms = self.forms.iter().flat_map(|(_, forms)| forms);
        let mut forms: Vec<_> = forms.filter(|(open, _)| !open.is_empty()).collect();
        forms.sort_by_key(|(open, _)| Reverse(open.len()));
        for (open, masked) in forms {
            hidden = replace_words(&hidden, open, masked);
        }
        self.masker.scrub(&hidden)
    }

    fn hide_piece(&self, piece: &str) -> String {
        let said = piece.trim_end_matches(QUOTATION_MARKS);
        let mut hidden = said.to_owned();
        for (place, forms) in &self.forms {
            if forms.iter().any(|(open, _)| open.contains(said)) {
                // Each utterance hides places of its own; a place that one of them hides stays hidden.
                let other = self.masker.quote(*place, said);
                let both = hidden.chars().zip(other.chars());
                hidden = both
                    .map(|(one, other)| if other == MASK_CHARACTER { other } else { one })
                    .collect();
            }
        }
        hidden + &piece[said.len()..]
    }
}

/// `text` with `masked` for each `open` that is not cut out of a longer word.
fn replace_words(text: &str, open: &str, masked: &str) -> String {
    let is_letter = |ch: Option<char>| ch.is_some_and(|ch| ch.is_ascii_alphabetic());
    let (mut replaced, mut from) = (String::with_capacity(text.len()), 0);
    for (at, _) in text.match_indices(open) {
        let end = at + open.len();
        let goes_back = is_letter(text[..at].chars().next_back()) && is_letter(open.chars().next());
        let goes_on = is_letter(open.chars().next_back()) && is_letter(text[end..].chars().next());
        if !goes_back && !goes_on {
            replaced.push_str(&text[from..at]);
            replaced.push_str(masked);
            from = end;
        }
    }
    replaced + &text[from..]
}

/// Reads calls out of the store for those who show them.
pub(crate) struct CallReader {
    judges: Judges,
    personal_data: PersonalData,
}

impl CallReader {
    /// Loads what calls without an assessment are assessed with.
    pub(crate) fn open(app: &App, personal_data: PersonalData) -> Result<Self> {
        Ok(Self {
            judges: Judges::load(&app.config)?,
            personal_data,
        })
    }

    /// The call's transcript and the assessment in force; one that was never assessed, or whose transcript
    /// is newer, is assessed now, and nothing is saved.
    pub(crate) fn read(&self, app: &App, store: &Store, call: &CallRecord) -> Result<KnownCall> {
        let known = self.read_as_said(app, store, call)?;
        Ok(self.shown(known))
    }

    /// The same with personal data as it was said, for those who must know where it is.
    pub(crate) fn read_as_said(
        &self,
        app: &App,
        store: &Store,
        call: &CallRecord,
    ) -> Result<KnownCall> {
        let transcript = app.transcript(store, call)?;
        let stored = store.assessment(&call.recording.call_id);
        let stored = app.runtime.block_on(stored)?;
        let assessment = match stored.filter(|stored| stored.transcript_version == call.version) {
            Some(stored) => stored.assessment,
            None => self.judges.assess(&transcript),
        };
        let recording = call.recording.clone();
        let known = KnownCall::as_said(transcript, assessment);
        Ok(known.with_noted(recording.lines, recording.keys_pressed))
    }

    /// The call as this reader shows it.
    pub(crate) fn shown(&self, known: KnownCall) -> KnownCall {
        match self.personal_data {
            PersonalData::Masked => KnownCall::masked(&known.transcript, &known.assessment)
                .with_noted(known.lines, known.keys_pressed),
            PersonalData::AsSaid => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::transcript_of;
    use auricle_contracts::{Party, PiiKind, PiiSpan, TextPlace};
    use auricle_insight::rules::utterance_of_text;

    /// Each text with the letters of it that are personal data, from one to before another.
    fn call(texts: &[(&str, (usize, usize))]) -> (Transcript, Assessment) {
        let utterances = texts.iter().zip(0u64..);
        let utterances = utterances
            .map(|((text, _), n)| utterance_of_text(Party::Customer, n * 10_000, text))
            .collect();
        let transcript = transcript_of("c", 60_000, utterances);
        let spans = texts.iter().enumerate().map(|(utterance, (_, letters))| {
            let said = &transcript.utterances[utterance];
            PiiSpan {
                kind: PiiKind::Phone,
                party: Party::Customer,
                start_ms: said.start_ms,
                end_ms: said.end_ms,
                places: vec![TextPlace {
                    utterance,
                    from: letters.0,
                    to: letters.1,
                }],
            }
        });
        let assessment = Assessment {
            pii: spans.collect(),
            ..Assessment::default()
        };
        (transcript, assessment)
    }

    #[test]
    fn a_number_said_in_parts_and_whole_lets_no_digit_through() {
        let (transcript, assessment) = call(&[
            ("138", (0, 3)),
            ("00", (0, 2)),
            ("13800138000", (0, 11)),
            ("对是13800138000", (2, 13)),
        ]);
        let quotes = MaskedQuotes::new(&transcript, &assessment);
        for (text, expected) in [
            ("0.4  13800138000: close", "0.4  ***********: close"),
            (
                "客户说了“138”；客户说了“00138”。",
                "客户说了“***”；客户说了“*****”。",
            ),
            ("客户说了“对是13800138000”。", "客户说了“对是***********”。"),
            ("at 对是13800138000, but", "at 对是***********, but"),
        ] {
            assert_eq!(quotes.hide(text), expected);
        }
    }
    #[test]
    fn numbers_in_words_are_hidden_at_the_edges_of_words() {
        let (transcript, assessment) = call(&[
            ("one", (0, 3)),
            ("it is four one five five five five oh one", (6, 41)),
        ]);
        let quotes = MaskedQuotes::new(&transcript, &assessment);
        for (text, expected) in [
            (
                "someone comes on the fifteenth",
                "someone comes on the fifteenth",
            ),
            ("four pm", "four pm"),
            ("he said one", "he said ***"),
            ("so five five five oh", "so **** **** **** **"),
        ] {
            assert_eq!(quotes.hide(text), expected);
        }
    }
}

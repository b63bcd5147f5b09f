//! Copies of recordings with personal data silenced.
//!
//! A copy lies beside a small file that says what it was made from. Who changes rules, transcript or recording
//! makes it stale: then nothing plays it, and the next `analyze --redact-audio` makes it anew, from what the
//! store knows, without hearing anything again.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use auricle_audio::{AudioReader, RedactedSpan, redact};
use auricle_contracts::{Assessment, CallId, PiiSpan, Syllable, TextPlace, Transcript, Utterance};
use auricle_insight::pii::{MASK_CHARACTER, Mask, Masker};
use auricle_insight::{Letter, Spoken};
use serde::{Deserialize, Serialize};

use crate::atomic::write_atomically;
use crate::file_name::{digits, file_stem};

/// Counts up whenever copies made before are not silent enough.
const WAY: u32 = 2;
/// Silence before and after an utterance that is silenced as a whole.
const MARGIN_MS: u64 = 120;
/// Digits of the checksum of silences.
const PRINT_DIGITS: usize = 16;

/// What a copy was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Print {
    /// Of the recording.
    audio_sha256: String,
    /// Where it is silent, and how that was decided.
    silences: String,
    /// Length of the copy: one that was cut off is none.
    copy_bytes: u64,
}

/// Where the copy of a call lies in the folder of copies.
pub(crate) fn copy_path(folder: &Path, call_id: &CallId) -> PathBuf {
    folder.join(format!("{}.wav", file_stem(call_id)))
}

fn print_path(copy: &Path) -> PathBuf {
    copy.with_extension("wav.json")
}

/// The copy of a call, if it is there and silent where this assessment asks for it. `audio_sha256` is empty
/// where the recording is not known.
pub(crate) fn current_copy(
    folder: &Path,
    transcript: &Transcript,
    assessment: &Assessment,
    audio_sha256: &str,
) -> Option<PathBuf> {
    let copy = copy_path(folder, &transcript.call_id);
    let print: Print = serde_json::from_slice(&fs::read(print_path(&copy)).ok()?).ok()?;
    let silences = silences(transcript, assessment).ok()?;
    let is_current = print.silences == silences_print(&silences)
        && (audio_sha256.is_empty() || print.audio_sha256 == audio_sha256)
        && fs::metadata(&copy).is_ok_and(|file| file.len() == print.copy_bytes);
    is_current.then_some(copy)
}

/// Makes the copy of the recording in `path`, unless it is there and current. It appears when it is whole.
pub(crate) fn keep_copy(
    folder: &Path,
    path: &Path,
    audio_sha256: &str,
    transcript: &Transcript,
    assessment: &Assessment,
) -> Result<()> {
    if current_copy(folder, transcript, assessment, audio_sha256).is_some() {
        return Ok(());
    }
    let target = copy_path(folder, &transcript.call_id);
    let print_path = print_path(&target);
    let place = || format!("cannot write the silenced copy `{}`", target.display());
    // First: whatever stops us leaves no copy that is taken for what it is not, or sounds what it should not.
    remove(&print_path).with_context(place)?;
    remove(&target).with_context(place)?;
    let spans = silences(transcript, assessment)?;
    let unfinished = target.with_extension("wav.part");
    let mut reader = AudioReader::open(path)?;
    let file = File::create(&unfinished).with_context(place)?;
    let written = redact(&mut reader, &spans, BufWriter::new(file));
    let renamed = written
        .map_err(anyhow::Error::from)
        .and_then(|_| Ok(fs::rename(&unfinished, &target)?));
    renamed.with_context(place).inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    })?;
    let print = Print {
        audio_sha256: audio_sha256.to_owned(),
        silences: silences_print(&spans),
        copy_bytes: fs::metadata(&target).with_context(place)?.len(),
    };
    write_atomically(&print_path, &serde_json::to_vec(&print)?)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

fn silences_print(spans: &[RedactedSpan]) -> String {
    let mut text = format!("way {WAY}");
    for span in spans {
        text += &format!("|{:?} {} {}", span.channel, span.start_ms, span.end_ms);
    }
    digits(&text, PRINT_DIGITS)
}

/// What is silenced, on all channels: what one party says is often heard on the other's line, too.
///
/// # Errors
/// When there is personal data of which nobody knows when it was said.
pub(crate) fn silences(
    transcript: &Transcript,
    assessment: &Assessment,
) -> Result<Vec<RedactedSpan>> {
    let masker = Masker::new(transcript, &assessment.pii, Mask::All);
    let timed = masker.silences().into_iter();
    let mut times: Vec<(u64, u64)> = timed
        .map(|silence| (silence.time.start_ms, silence.time.end_ms))
        .collect();
    for span in &assessment.pii {
        times.extend(around_letters(transcript, span)?);
    }
    for masked in transcript.utterances.iter().filter(is_masked) {
        times.push(with_margin(transcript, masked.start_ms, masked.end_ms)?);
    }
    times.sort_unstable();
    times.dedup();
    let span = |(start_ms, end_ms)| RedactedSpan {
        channel: None,
        start_ms,
        end_ms,
    };
    Ok(times.into_iter().map(span).collect())
}

/// Whether personal data is heard in the recording of a call.
pub(crate) fn is_personal(transcript: &Transcript, assessment: &Assessment) -> bool {
    !assessment.pii.is_empty() || transcript.utterances.iter().any(|said| is_masked(&said))
}

/// Whether something was hidden before the transcript was imported: nobody finds in it any more what is still
/// in the sound.
fn is_masked(utterance: &&Utterance) -> bool {
    let forms = [&utterance.text, &utterance.spoken];
    forms.iter().any(|form| form.contains(MASK_CHARACTER))
}

/// What is silenced beside the letters of personal data, because nobody knows just when these were said: a guess
/// would leave some of them audible. So is personal data that has no place in the text.
fn around_letters(transcript: &Transcript, span: &PiiSpan) -> Result<Vec<(u64, u64)>> {
    if span.places.is_empty() {
        return Ok(vec![with_margin(transcript, span.start_ms, span.end_ms)?]);
    }
    let mut found = Vec::new();
    for place in &span.places {
        let Some(utterance) = transcript.utterances.get(place.utterance) else {
            continue;
        };
        let stretches = match unsure_words(utterance, place) {
            Some(words) => words,
            None => vec![(utterance.start_ms, utterance.end_ms)],
        };
        for (start_ms, end_ms) in stretches {
            found.push(with_margin(transcript, start_ms, end_ms)?);
        }
    }
    Ok(found)
}

fn with_margin(transcript: &Transcript, start_ms: u64, end_ms: u64) -> Result<(u64, u64)> {
    ensure!(
        start_ms < end_ms,
        "personal data of call `{}` cannot be silenced: the utterance it is said in has no times (`start_ms` is {start_ms}, `end_ms` is {end_ms})\nhint: import the call with times of its utterances, or hear its recording with `auricle analyze --force`",
        transcript.call_id
    );
    Ok((
        start_ms.saturating_sub(MARGIN_MS),
        end_ms.saturating_add(MARGIN_MS),
    ))
}

/// Words that are personal data in part only: when in them its letters were said is not known, unless each letter
/// was heard as a syllable. `None` where not even the times of words are known.
fn unsure_words(utterance: &Utterance, place: &TextPlace) -> Option<Vec<(u64, u64)>> {
    let letters = Spoken::new(utterance, place.utterance).letters;
    if !are_heard(utterance, &letters) {
        return None;
    }
    let syllables = &utterance.syllables;
    let is_heard = |(letter, heard): (&Letter, &Syllable)| letter.start_ms == heard.start_ms;
    if letters.len() == syllables.len() && letters.iter().zip(syllables).all(is_heard) {
        return Some(Vec::new());
    }
    let (mut rest, mut found) = (letters.as_slice(), Vec::new());
    for word in &utterance.words {
        let n_letters = word.w.chars().filter(|ch| ch.is_alphanumeric()).count();
        let some;
        (some, rest) = rest.split_at_checked(n_letters)?;
        let is_hidden = |letter: &Letter| (place.from..place.to).contains(&letter.at);
        if some.iter().any(is_hidden) && !some.iter().all(is_hidden) {
            found.push((word.start_ms, word.end_ms));
        }
    }
    rest.is_empty().then_some(found)
}

/// Whether times follow one another inside of the utterance. Programs that know none write zeros.
fn are_heard(utterance: &Utterance, letters: &[Letter]) -> bool {
    let (first, last) = (
        utterance.start_ms.saturating_sub(MARGIN_MS),
        utterance.end_ms.saturating_add(MARGIN_MS),
    );
    let mut from = first;
    for letter in letters {
        if letter.start_ms < from || letter.start_ms >= letter.end_ms || letter.end_ms > last {
            return false;
        }
        from = letter.start_ms;
    }
    true
}

#[cfg(test)]
mod tests;

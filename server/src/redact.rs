//! Copies of recordings with personal data silenced.
//!
//! A copy lies beside a small file that says what it was made from. Who changes rules, transcript or recording
//! makes it stale: then nothing plays it, and the next `analyze --redact-audio` makes it anew, from what the
//! store knows, without hearing anything again.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use auricle_audio::{AudioReader, RedactedSpan, redact};
use auricle_contracts::{Assessment, CallId, PiiSpan, Transcript, Utterance};
use auricle_insight::pii::{Mask, Masker};
use serde::{Deserialize, Serialize};

use crate::atomic::write_atomically;
use crate::file_name::{digits, file_stem};

/// Counts up whenever copies made before are not silent enough.
const WAY: u32 = 1;
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
    let is_current = print.silences == silences_print(&silences(transcript, assessment))
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
    let spans = silences(transcript, assessment);
    let target = copy_path(folder, &transcript.call_id);
    let print_path = print_path(&target);
    let place = || format!("cannot write the silenced copy `{}`", target.display());
    // First: a stop in the middle leaves no copy that is taken for what it is not.
    match fs::remove_file(&print_path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause).with_context(place),
        _ => {}
    }
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

fn silences_print(spans: &[RedactedSpan]) -> String {
    let mut text = format!("way {WAY}");
    for span in spans {
        text += &format!("|{:?} {} {}", span.channel, span.start_ms, span.end_ms);
    }
    digits(&text, PRINT_DIGITS)
}

/// What is silenced, on all channels: what one party says is often heard on the other's line, too.
fn silences(transcript: &Transcript, assessment: &Assessment) -> Vec<RedactedSpan> {
    let masker = Masker::new(transcript, &assessment.pii, Mask::All);
    let timed = masker.silences().into_iter();
    let mut times: Vec<(u64, u64)> = timed
        .map(|silence| (silence.time.start_ms, silence.time.end_ms))
        .collect();
    for span in &assessment.pii {
        times.extend(whole_utterances(transcript, span));
    }
    times.sort_unstable();
    times.dedup();
    let span = |(start_ms, end_ms)| RedactedSpan {
        channel: None,
        start_ms,
        end_ms,
    };
    times.into_iter().map(span).collect()
}

/// Utterances in which nobody knows when the letters were said: a guess would leave some of them audible. So
/// is personal data that has no place in the text.
fn whole_utterances(transcript: &Transcript, span: &PiiSpan) -> Vec<(u64, u64)> {
    let with_margin = |start_ms: u64, end_ms: u64| {
        (
            start_ms.saturating_sub(MARGIN_MS),
            end_ms.saturating_add(MARGIN_MS),
        )
    };
    if span.places.is_empty() {
        return vec![with_margin(span.start_ms, span.end_ms)];
    }
    let places = span.places.iter();
    places
        .filter_map(|place| transcript.utterances.get(place.utterance))
        .filter(|utterance| !has_times(utterance))
        .map(|utterance| with_margin(utterance.start_ms, utterance.end_ms))
        .collect()
}

/// Whether each letter's time follows from a word or a syllable that was heard.
fn has_times(utterance: &Utterance) -> bool {
    let text = match utterance.spoken.is_empty() {
        true => &utterance.text,
        false => &utterance.spoken,
    };
    let n_letters = |text: &str| text.chars().filter(|ch| ch.is_alphanumeric()).count();
    let words = utterance.words.iter();
    let by_word = words.clone().map(|word| n_letters(&word.w)).sum::<usize>() == n_letters(text)
        && are_heard(utterance, words.map(|word| (word.start_ms, word.end_ms)));
    let is_hanzi = |ch: char| ('\u{4e00}'..='\u{9fff}').contains(&ch);
    let syllables = utterance.syllables.iter();
    let by_syllable = utterance.syllables.len() == n_letters(text)
        && text.chars().all(|ch| is_hanzi(ch) || !ch.is_alphanumeric())
        && are_heard(
            utterance,
            syllables.map(|syllable| (syllable.start_ms, syllable.end_ms)),
        );
    by_word || by_syllable
}

/// Whether times follow one another inside of the utterance. Programs that know none write zeros.
fn are_heard(utterance: &Utterance, times: impl Iterator<Item = (u64, u64)>) -> bool {
    let (first, last) = (
        utterance.start_ms.saturating_sub(MARGIN_MS),
        utterance.end_ms.saturating_add(MARGIN_MS),
    );
    let mut from = first;
    for (start_ms, end_ms) in times {
        if start_ms < from || start_ms >= end_ms || end_ms > last {
            return false;
        }
        from = start_ms;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle_audio::{AudioBlock, WavEncoding, WavWriter};
    use auricle_contracts::{CallMetadata, ChannelLayout, Party, PiiKind, TextPlace, Word};

    /// A number at the end of an utterance from 1 s to 5 s, 200 ms a letter.
    fn call() -> (Transcript, Assessment) {
        let said = "我的号码是一三八零零一三八零零零";
        let words = said.chars().zip(0_u64..).map(|(letter, place)| Word {
            w: letter.into(),
            start_ms: 1_000 + place * 200,
            end_ms: 1_200 + place * 200,
        });
        let utterance = Utterance {
            party: Party::Customer,
            channel: 1,
            start_ms: 1_000,
            end_ms: 5_000,
            text: said.into(),
            spoken: said.into(),
            confidence: 0.9,
            syllables: Vec::new(),
            words: words.collect(),
            voice: None,
        };
        let transcript = Transcript {
            call_id: CallId("c".into()),
            file: "c.wav".into(),
            duration_ms: 6_000,
            engine: "e".into(),
            layout: ChannelLayout::PerParty,
            metadata: CallMetadata::default(),
            warnings: Vec::new(),
            utterances: vec![utterance],
        };
        let span = PiiSpan {
            kind: PiiKind::Phone,
            party: Party::Customer,
            start_ms: 2_000,
            end_ms: 4_200,
            places: vec![TextPlace {
                utterance: 0,
                from: 5,
                to: 16,
            }],
        };
        let assessment = Assessment {
            pii: vec![span],
            ..Assessment::default()
        };
        (transcript, assessment)
    }

    fn times(transcript: &Transcript, assessment: &Assessment) -> Vec<(u64, u64)> {
        let spans = silences(transcript, assessment);
        assert!(
            spans.iter().all(|span| span.channel.is_none()),
            "the number is heard on the other line, too"
        );
        let times = spans.iter().map(|span| (span.start_ms, span.end_ms));
        times.collect()
    }

    #[test]
    fn numbers_are_silenced_on_all_channels() {
        let (transcript, assessment) = call();
        assert_eq!(times(&transcript, &assessment), [(1_880, 4_320)]);
    }

    #[test]
    fn where_nobody_knows_when_letters_were_said_all_of_the_utterance_is_silenced() {
        let whole = (880, 5_120);
        let (mut transcript, assessment) = call();
        transcript.utterances[0].words.pop();
        assert!(
            times(&transcript, &assessment).contains(&whole),
            "a word lacks"
        );
        let (mut transcript, assessment) = call();
        for word in &mut transcript.utterances[0].words {
            (word.start_ms, word.end_ms) = (0, 0);
        }
        assert!(times(&transcript, &assessment).contains(&whole), "zeros");
        transcript.utterances[0].words.clear();
        assert!(times(&transcript, &assessment).contains(&whole), "no words");
        let (transcript, mut assessment) = call();
        assessment.pii[0].places.clear();
        assert_eq!(times(&transcript, &assessment), [(1_880, 4_320)]);
    }

    fn recording(folder: &Path) -> PathBuf {
        let plane = vec![0.5; 8_000 * 6];
        let block = AudioBlock::from_planes(vec![plane.clone(), plane]);
        let path = folder.join("c.wav");
        let file = File::create(&path).unwrap();
        let mut writer = WavWriter::new(file, WavEncoding::Pcm16, 8_000, 2).unwrap();
        writer.write_block(&block).unwrap();
        writer.finish().unwrap();
        path
    }

    #[test]
    fn a_copy_is_made_anew_exactly_when_it_is_stale() {
        let folder = tempfile::tempdir().unwrap();
        let copies = folder.path().join("copies");
        fs::create_dir(&copies).unwrap();
        let path = recording(folder.path());
        let (transcript, mut assessment) = call();
        let copy = copy_path(&copies, &transcript.call_id);
        // A file of unknown origin is no copy.
        fs::write(&copy, b"RIFF").unwrap();
        assert_eq!(current_copy(&copies, &transcript, &assessment, "a"), None);

        let keep = |audio: &str, assessment: &Assessment| {
            keep_copy(&copies, &path, audio, &transcript, assessment).unwrap();
            assert!(current_copy(&copies, &transcript, assessment, audio).is_some());
        };
        keep("a", &assessment);
        let mark = |copy: &Path| {
            // As long as before, so that only being written anew changes it.
            let mut bytes = fs::read(copy).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(copy, &bytes).unwrap();
            bytes
        };
        let marked = mark(&copy);
        keep("a", &assessment);
        assert_eq!(fs::read(&copy).unwrap(), marked, "current: left alone");
        keep("b", &assessment);
        assert_ne!(fs::read(&copy).unwrap(), marked, "another recording");
        let marked = mark(&copy);
        assessment.pii.clear();
        assert_eq!(current_copy(&copies, &transcript, &assessment, ""), None);
        keep("b", &assessment);
        assert_ne!(fs::read(&copy).unwrap(), marked, "other personal data");
        fs::write(&copy, b"RIFF").unwrap();
        assert_eq!(current_copy(&copies, &transcript, &assessment, "b"), None);
        keep("b", &assessment);
        fs::remove_file(&copy).unwrap();
        keep("b", &assessment);
    }
}

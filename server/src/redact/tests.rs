//! Which stretches are silent, heard in copies.

use super::*;
use crate::testing::{transcript, utterance};
use auricle_audio::{AudioBlock, FADE_MS, WavEncoding, WavWriter};
use auricle_contracts::{Party, PiiKind, Word};

/// A number at the end of an utterance from 1 s to 5 s, 200 ms a letter.
fn call() -> (Transcript, Assessment) {
    let said = "我的号码是一三八零零一三八零零零";
    let words = said.chars().zip(0_u64..).map(|(letter, place)| Word {
        w: letter.into(),
        start_ms: 1_000 + place * 200,
        end_ms: 1_200 + place * 200,
    });
    let utterance = Utterance {
        end_ms: 5_000,
        words: words.collect(),
        ..utterance(Party::Customer, 1_000, said)
    };
    let transcript = Transcript {
        duration_ms: 6_000,
        utterances: vec![utterance],
        ..transcript("c")
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
    let spans = silences(transcript, assessment).unwrap();
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

#[test]
fn of_words_that_are_hidden_in_part_all_is_silenced() {
    let (mut transcript, assessment) = call();
    let words = &mut transcript.utterances[0].words;
    // From the letter before the number to its second one.
    (words[4].w, words[4].end_ms) = ("是一三".into(), words[6].end_ms);
    words.drain(5..7);
    let with_margin = (1_800 - MARGIN_MS, 2_400 + MARGIN_MS);
    let found = times(&transcript, &assessment);
    assert!(found.contains(&with_margin), "{found:?}");
    assert!(found.iter().all(|(_, end_ms)| *end_ms <= 4_320), "no more");
}

#[test]
fn syllables_without_times_make_the_times_of_words_worthless() {
    let (mut transcript, assessment) = call();
    let syllable = |_| Syllable {
        s: "yi1".into(),
        start_ms: 0,
        end_ms: 0,
        conf: 0.9,
        alternatives: Vec::new(),
    };
    let utterance = &mut transcript.utterances[0];
    utterance.syllables = utterance.spoken.chars().map(syllable).collect();
    assert!(times(&transcript, &assessment).contains(&(880, 5_120)));
}

#[test]
fn what_was_masked_before_it_was_imported_is_silenced_too() {
    let (mut transcript, mut assessment) = call();
    assert!(is_personal(&transcript, &assessment));
    assessment.pii.clear();
    assert!(!is_personal(&transcript, &assessment));
    assert_eq!(times(&transcript, &assessment), []);
    let utterance = &mut transcript.utterances[0];
    utterance.text = "我的号码是***********".into();
    utterance.spoken.clone_from(&utterance.text);
    assert!(is_personal(&transcript, &assessment));
    assert_eq!(times(&transcript, &assessment), [(880, 5_120)]);
    transcript.utterances[0].end_ms = 1_000;
    silences(&transcript, &assessment).unwrap_err();
}

/// What nobody can silence: no time of the letters, none of the utterance.
fn without_times(start_ms: u64, end_ms: u64) -> (Transcript, Assessment) {
    let (mut transcript, mut assessment) = call();
    let utterance = &mut transcript.utterances[0];
    (utterance.start_ms, utterance.end_ms) = (start_ms, end_ms);
    for word in &mut utterance.words {
        (word.start_ms, word.end_ms) = (start_ms, end_ms);
    }
    let span = &mut assessment.pii[0];
    (span.start_ms, span.end_ms) = (start_ms, end_ms);
    (transcript, assessment)
}

const RATE_HZ: u32 = 8_000;

/// Six seconds in which no two samples of a channel that lie near are equal, and none is zero.
fn recording(folder: &Path) -> PathBuf {
    let plane = |step: usize| {
        let samples = (0..6 * RATE_HZ as usize).map(|frame| (frame * step % 997 + 1) as f32);
        samples.map(|sample| sample / 1024.0).collect()
    };
    let block = AudioBlock::from_planes(vec![plane(3), plane(5)]);
    let path = folder.join("c.wav");
    let file = File::create(&path).unwrap();
    let mut writer = WavWriter::new(file, WavEncoding::Pcm16, RATE_HZ, 2).unwrap();
    writer.write_block(&block).unwrap();
    writer.finish().unwrap();
    path
}

/// All samples, channel by channel.
fn samples(path: &Path) -> Vec<Vec<f32>> {
    let mut reader = AudioReader::open(path).unwrap();
    let mut planes = vec![Vec::new(); reader.info().n_channels];
    let mut block = AudioBlock::new();
    while reader.next_block(&mut block).unwrap() > 0 {
        for (plane, samples) in planes.iter_mut().zip(block.channels()) {
            plane.extend_from_slice(samples);
        }
    }
    planes
}

/// Whether the copy is silent over these stretches on all channels, and elsewhere, but for the fades beside
/// them, just what was recorded.
fn check_silent(copy: &Path, recording: &Path, silent_ms: &[(u64, u64)]) {
    let frame = |ms: u64| ms as usize * RATE_HZ as usize / 1000;
    let (copied, recorded) = (samples(copy), samples(recording));
    assert_eq!(copied.len(), recorded.len());
    for (copied, recorded) in copied.iter().zip(&recorded) {
        assert_eq!(copied.len(), recorded.len());
        let mut from = 0;
        for &(start_ms, end_ms) in silent_ms {
            let open = from..frame(start_ms - FADE_MS);
            assert_eq!(copied[open.clone()], recorded[open], "before {start_ms} ms");
            let silent = &copied[frame(start_ms)..frame(end_ms)];
            assert!(silent.iter().all(|sample| *sample == 0.0), "{start_ms} ms");
            from = frame(end_ms + FADE_MS);
        }
        assert_eq!(copied[from..], recorded[from..], "to the end");
        assert!(recorded.iter().all(|sample| *sample != 0.0));
    }
}

#[test]
fn a_copy_is_zero_where_personal_data_is_said_and_untouched_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(folder.path());
    let copy = copy_path(folder.path(), &CallId("copy".into()));
    let check = |transcript: &Transcript, assessment: &Assessment, silent_ms: &[(u64, u64)]| {
        let transcript = Transcript {
            call_id: CallId("copy".into()),
            ..transcript.clone()
        };
        keep_copy(folder.path(), &path, "a", &transcript, assessment).unwrap();
        check_silent(&copy, &path, silent_ms);
    };
    let (mut transcript, mut assessment) = call();
    check(&transcript, &assessment, &[(1_880, 4_320)]);
    transcript.utterances[0].words.clear();
    check(&transcript, &assessment, &[(880, 5_120)]);
    assessment.pii.clear();
    check(&transcript, &assessment, &[]);
}

#[test]
fn where_nobody_knows_when_it_was_said_there_is_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    let copies = folder.path().join("copies");
    fs::create_dir(&copies).unwrap();
    let path = recording(folder.path());
    let check = |(transcript, assessment): (Transcript, Assessment)| {
        let copy = copy_path(&copies, &transcript.call_id);
        fs::copy(&path, &copy).unwrap();
        let kept = keep_copy(&copies, &path, "a", &transcript, &assessment);
        let cause = kept.unwrap_err().to_string();
        assert!(cause.contains("call `c` cannot be silenced"), "{cause}");
        assert!(cause.contains("`start_ms` is"), "{cause}");
        assert_eq!(fs::read_dir(&copies).unwrap().count(), 0, "nothing stays");
        assert_eq!(current_copy(&copies, &transcript, &assessment, "a"), None);
    };
    check(without_times(0, 0));
    check(without_times(3_000, 3_000));
    let (transcript, mut assessment) = without_times(0, 0);
    assessment.pii[0].places.clear();
    check((transcript, assessment));
    // Nothing personal in it: nothing to silence.
    let (transcript, mut assessment) = without_times(0, 0);
    assessment.pii.clear();
    keep_copy(&copies, &path, "a", &transcript, &assessment).unwrap();
    check_silent(&copy_path(&copies, &transcript.call_id), &path, &[]);
}

#[test]
fn a_copy_that_became_stale_does_not_outlive_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let path = recording(folder.path());
    let copies = folder.path().join("copies");
    fs::create_dir(&copies).unwrap();
    let (transcript, mut assessment) = call();
    let number = std::mem::take(&mut assessment.pii);
    keep_copy(&copies, &path, "a", &transcript, &assessment).unwrap();
    assert_eq!(fs::read_dir(&copies).unwrap().count(), 2);
    assessment.pii = number;
    let gone = folder.path().join("gone.wav");
    keep_copy(&copies, &gone, "a", &transcript, &assessment).unwrap_err();
    assert_eq!(fs::read_dir(&copies).unwrap().count(), 0);
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

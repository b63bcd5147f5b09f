use std::path::Path;
use std::time::{Duration, Instant};

use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_spool::{
    Encoding, Ending, KeyRing, Record, RecordingName, Spool, SpoolOptions, WriterLimits,
};

use crate::*;

/// Longer than any step takes, so that a test that waits in vain ends.
const PATIENCE: Duration = Duration::from_secs(60);

fn keys() -> KeyRing {
    KeyRing::parse("test = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"").unwrap()
}

fn open(folder: &Path, limits: WriterLimits) -> Spool {
    let options = SpoolOptions {
        limits,
        ..SpoolOptions::default()
    };
    Spool::open(folder, keys(), options).unwrap()
}

fn facts() -> BeginFacts {
    let leg = |party| LegFacts {
        party,
        rate_hz: 8_000,
    };
    BeginFacts {
        call_id: CallId("c-1".into()),
        metadata: CallMetadata::default(),
        source: "test".into(),
        legs: vec![leg(Party::Agent), leg(Party::Customer)],
        settings: CallSettings::default(),
    }
}

#[test]
fn what_was_asked_for_is_read_again_and_older_recordings_ask_for_nothing() {
    let asked = BeginFacts {
        settings: CallSettings {
            keyterms: vec![Keyterm {
                text: "宝正".into(),
                boost: 8.0,
            }],
            trailing_silence_ms: Some(2_000),
        },
        ..facts()
    };
    let mut json = serde_json::to_value(&asked).unwrap();
    let read = |json: &serde_json::Value| serde_json::from_value::<BeginFacts>(json.clone());
    assert_eq!(read(&json).unwrap(), asked);
    json.as_object_mut().unwrap().remove("settings");
    assert_eq!(read(&json).unwrap(), facts());
    assert!(!format!("{asked:?}").contains("宝正"));
}

fn wait_until(mut is_done: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_done() {
        assert!(Instant::now() < until, "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What lies in a recording: its legs' audio, one after the other, its end, and how it ends.
fn read(spool: &Spool, name: &RecordingName) -> (Vec<Vec<u8>>, Option<EndFacts>, Ending) {
    let mut reader = spool.reader(name).unwrap();
    let (mut legs, mut end) = (vec![Vec::new(); 2], None);
    while let Some(record) = reader.next_record().unwrap() {
        match record {
            Record::Begin(begin) => {
                assert_eq!(
                    serde_json::from_slice::<BeginFacts>(begin).unwrap(),
                    facts()
                );
            }
            Record::Audio(audio) => legs[usize::from(audio.leg)].extend_from_slice(audio.payload),
            Record::End(json) => end = Some(serde_json::from_slice(json).unwrap()),
            Record::Note(_) => panic!("nobody writes notes"),
        }
    }
    (legs, end, reader.ending().unwrap())
}

/// Pushes a second of each leg, 20 ms at a time.
fn speak(tapes: &mut [Tape]) -> Vec<Vec<u8>> {
    let mut said = vec![Vec::new(); tapes.len()];
    for number in 0..50_u64 {
        for (leg, tape) in tapes.iter_mut().enumerate() {
            let packet = [(number as u8).wrapping_mul(3).wrapping_add(leg as u8); 160];
            wait_until(|| tape.has_room());
            tape.push(number * 160, Encoding::Alaw, &packet);
            said[leg].extend_from_slice(&packet);
        }
    }
    said
}

#[test]
fn what_was_said_is_recorded_and_finished_once_it_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(open(folder.path(), WriterLimits::default())).unwrap();
    let (name, mut tapes) = recorder.begin(1_000, &facts()).unwrap();
    let said = speak(&mut tapes);
    drop(tapes);
    // All is written, and nothing says that the call was saved.
    wait_until(|| read(recorder.spool(), &name).0 == said);
    assert!(!recorder.spool().done_path(&name).exists());
    recorder.settle(name);
    wait_until(|| recorder.spool().done_path(&name).exists());
    let (legs, end, ending) = read(recorder.spool(), &name);
    assert_eq!((legs, ending), (said, Ending::Finished));
    let taken = LegTaken {
        expected: 8_000,
        received: 8_000,
        filled: 0,
        unrecorded: 0,
    };
    assert_eq!(end.unwrap().legs, [taken, taken]);
    // Told when the barrier has returned.
    wait_until(|| recorder.stats().longest_to_disk_ms > 0);
    let stats = recorder.stats();
    assert_eq!((stats.n_open, stats.n_failures), (0, 0));
}

#[test]
fn silence_that_nobody_sent_is_not_counted_as_received() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(open(folder.path(), WriterLimits::default())).unwrap();
    let (name, mut tapes) = recorder.begin(1_000, &facts()).unwrap();
    speak(&mut tapes);
    tapes[1].filled(1_600);
    tapes[1].took_back(160);
    drop(tapes);
    recorder.settle(name);
    wait_until(|| recorder.spool().done_path(&name).exists());
    let (_, end, _) = read(recorder.spool(), &name);
    let sent = LegTaken {
        expected: 8_000,
        received: 8_000,
        filled: 0,
        unrecorded: 0,
    };
    let sent_in_part = LegTaken {
        received: 6_560,
        filled: 1_440,
        ..sent
    };
    assert_eq!(end.unwrap().legs, [sent, sent_in_part]);
}

#[test]
fn what_became_known_stands_in_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(open(folder.path(), WriterLimits::default())).unwrap();
    let (name, tapes) = recorder.begin(1_000, &facts()).unwrap();
    let known = |agent: &str| NoteFacts {
        metadata: CallMetadata {
            agent: Some(agent.into()),
            ..CallMetadata::default()
        },
    };
    for agent in ["li", "wang"] {
        recorder.note(name, &known(agent)).unwrap();
    }
    drop((tapes, recorder));
    let spool = open(folder.path(), WriterLimits::default());
    let mut reader = spool.reader(&name).unwrap();
    let mut noted = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        if let Record::Note(note) = record {
            noted.push(serde_json::from_slice::<NoteFacts>(note).unwrap());
        }
    }
    assert_eq!(noted, [known("li"), known("wang")]);
}

#[test]
fn what_is_not_saved_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(open(folder.path(), WriterLimits::default())).unwrap();
    let (name, mut tapes) = recorder.begin(1_000, &facts()).unwrap();
    let said = speak(&mut tapes);
    drop((tapes, recorder));
    let spool = open(folder.path(), WriterLimits::default());
    assert_eq!(spool.unfinished().unwrap(), [name]);
    let (legs, end, _) = read(&spool, &name);
    assert_eq!((legs, end), (said, None));
}

#[test]
fn tapes_whose_recorder_is_gone_hold_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(open(folder.path(), WriterLimits::default())).unwrap();
    let (_, mut tapes) = recorder.begin(1_000, &facts()).unwrap();
    drop(recorder);
    for _ in 0..1_000 {
        assert!(tapes[0].has_room());
        tapes[0].push(0, Encoding::Ulaw, &[0; 160]);
    }
}

#[test]
fn a_tape_holds_four_seconds() {
    let (mut tape, mut reader) = crate::tape::tape(8_000);
    let packet: Vec<u8> = (0..MAX_PACKET_BYTES).map(|byte| byte as u8).collect();
    let mut n = 0;
    while tape.has_room() {
        tape.push(n * 160, Encoding::L16, &packet);
        n += 1;
    }
    assert!((200..220).contains(&n), "{n}");
    let mut payload = [0; MAX_PACKET_BYTES];
    for number in 0..n {
        let audio = reader.next(1, 8_000, &mut payload).unwrap();
        assert_eq!(
            (audio.leg, audio.at, audio.rate_hz),
            (1, number * 160, 8_000)
        );
        assert_eq!((audio.encoding, audio.payload), (Encoding::L16, &*packet));
    }
    assert!(reader.next(1, 8_000, &mut payload).is_none());
    assert!(!reader.is_over());
    drop(tape);
    assert!(reader.is_over());
}

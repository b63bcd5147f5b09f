//! Any bytes as a recording of a live call, as edits of an authentic one, and as the records of a chunk. What was read
//! of an edited recording is how it began.
#![no_main]

use std::io::Cursor;
use std::sync::LazyLock;

use auricle_spool::{ChunkRecords, Ending, KeyRing, RecordingReader};
use libfuzzer_sys::fuzz_target;

const FIRST: &[u8] = include_bytes!("../../pipeline/live/spool/tests/first.arec");
const EDIT_BYTES: usize = 3;

static KEYS: LazyLock<KeyRing> = LazyLock::new(|| {
    let keys = "2026-11 = \"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\"";
    KeyRing::parse(keys).expect("it is a key")
});

static RECORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let (records, ending) = read(FIRST).expect("it is a recording");
    assert_eq!(ending, Ending::Finished);
    records
});

/// Every record in full.
fn read(bytes: &[u8]) -> Option<(Vec<String>, Ending)> {
    let mut reader = RecordingReader::new(Cursor::new(bytes), &KEYS).ok()?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().expect("memory can be read") {
        records.push(told(&record));
    }
    let ending = reader.ending().expect("it came to an end");
    // A look-up, and the same again.
    reader.records_from(200).expect("memory can be read");
    while reader.next_record().expect("memory can be read").is_some() {}
    reader.rewind();
    assert_eq!(reader.verify().expect("memory can be read"), ending);
    Some((records, ending))
}

fn told(record: &auricle_spool::Record<'_>) -> String {
    use auricle_spool::Record::{Audio, Begin, End, Note};
    let (Begin(bytes) | Note(bytes) | End(bytes)) = record else {
        let Audio(audio) = record else {
            unreachable!("there are four kinds")
        };
        return format!("{audio:?} {:?}", audio.payload);
    };
    format!("{record:?} {bytes:?}")
}

fuzz_target!(|bytes: &[u8]| {
    let _ = read(bytes);

    let mut edited = FIRST.to_vec();
    for edit in bytes.chunks_exact(EDIT_BYTES) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        match edited.get_mut(at) {
            Some(byte) => *byte ^= edit[2],
            // Beyond the end: cut off, or longer.
            None if edit[2] < 128 => edited.truncate(at / 8),
            None => edited.push(edit[2]),
        }
    }
    if let Some((records, ending)) = read(&edited) {
        assert!(RECORDS.starts_with(&records));
        assert!(ending != Ending::Finished || records.len() == RECORDS.len());
    }

    let n_payload_bytes = ChunkRecords::of(bytes).flatten().map(|record| {
        use auricle_spool::Record::{Audio, Begin, End, Note};
        match record {
            Begin(bytes) | Note(bytes) | End(bytes) => bytes.len(),
            Audio(audio) => audio.payload.len(),
        }
    });
    assert!(n_payload_bytes.sum::<usize>() <= bytes.len());
});

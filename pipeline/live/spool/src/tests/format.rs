//! The first recording of all: what a version of the format means never changes.

use super::*;
use crate::Durability;

const FIRST: &[u8] = include_bytes!("../../tests/first.arec");

#[test]
fn the_first_recording_reads_as_it_was_written() {
    let sample = sample(1);
    let (records, ending) = read(FIRST).unwrap();
    assert_eq!(records, sample.records);
    assert_eq!(ending, Ending::Finished);
    let reader = RecordingReader::new(Cursor::new(FIRST), &ring()).unwrap();
    let info = reader.info();
    assert_eq!(info.created_unix_ms, CREATED_UNIX_MS);
    assert_eq!(info.id, RecordingId([1; 16]));
    assert_eq!(info.key.to_string(), "2026-11");
}

/// With the same keys and salts the same bytes come out: the writer, too, has not changed.
#[test]
fn the_first_recording_is_written_again_byte_by_byte() {
    assert!(sample(1).bytes == FIRST, "what version 1 means has changed");
}

#[test]
fn a_default_is_what_costs_least() {
    assert_eq!(Durability::default(), Durability::for_this_system());
}

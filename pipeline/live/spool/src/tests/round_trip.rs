use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::{
    ChunkRecords, MAX_CHUNK_BYTES, MAX_LEGS, MAX_NOTE_BYTES, MAX_PAYLOAD_BYTES, SpoolError,
};

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        4 => Just(Encoding::Ulaw),
        1 => Just(Encoding::Alaw),
        1 => Just(Encoding::L16),
    ]
}

fn position() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_000_u64, any::<u64>(), Just(u64::MAX)]
}

fn record() -> impl Strategy<Value = Owned> {
    let payload = vec(any::<u8>(), 0..400);
    let rate_hz = prop_oneof![3 => Just(8000_u32), 1 => any::<u32>()];
    let audio = (0..MAX_LEGS, position(), encoding(), rate_hz, payload);
    prop_oneof![
        8 => audio.prop_map(|(leg, at, encoding, rate_hz, payload)| {
            Owned::Audio(leg, at, encoding, rate_hz, payload)
        }),
        1 => vec(any::<u8>(), 0..300).prop_map(Owned::Note),
    ]
}

/// Records, and after which of them it is flushed.
fn call() -> impl Strategy<Value = Vec<(Owned, bool)>> {
    vec((record(), any::<bool>()), 0..60)
}

fn written(call: &[(Owned, bool)], chunk_bytes: usize) -> Vec<u8> {
    let disk = Disk::default();
    let limits = WriterLimits {
        chunk_bytes,
        buffered_bytes: 1 << 20,
    };
    let mut writer = writer_on(&disk, 1, limits);
    for (record, is_flushed) in call {
        writer.append(record.record()).unwrap();
        if *is_flushed {
            writer.flush().unwrap();
        }
    }
    writer.finish(b"{}").unwrap();
    disk.bytes()
}

fn expected(call: &[(Owned, bool)]) -> Vec<Owned> {
    let middle = call.iter().map(|(record, _)| record.clone());
    let end = Owned::End(b"{}".to_vec());
    [begin()].into_iter().chain(middle).chain([end]).collect()
}

fn reaches(record: &Owned, at: u64) -> bool {
    matches!(record.record(), Record::Audio(audio) if audio.end() > at)
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(call in call(), chunk_bytes in 1024..4096_usize) {
        let bytes = written(&call, chunk_bytes);
        let (records, ending) = read(&bytes).unwrap();
        prop_assert_eq!(records, expected(&call));
        prop_assert_eq!(ending, Ending::Finished);
    }

    #[test]
    fn a_look_up_misses_nothing(call in call(), at in position()) {
        let bytes = written(&call, 1024);
        let all = expected(&call);
        let mut reader = RecordingReader::new(Cursor::new(&bytes), &ring()).unwrap();
        reader.next_record().unwrap();
        reader.records_from(at).unwrap();
        let found = rest_of(&mut reader);
        prop_assert!(all.ends_with(&found));
        let n_wanted = all.iter().filter(|record| reaches(record, at)).count();
        let n_found = found.iter().filter(|record| reaches(record, at)).count();
        prop_assert_eq!(n_found, n_wanted);
        prop_assert_eq!(reader.ending(), Some(Ending::Finished));
        reader.rewind();
        prop_assert_eq!(rest_of(&mut reader), all);
    }

    #[test]
    fn any_bytes_are_records_or_not(bytes in vec(any::<u8>(), 0..300)) {
        let records = ChunkRecords::of(&bytes);
        let n_bytes: usize = records.flatten().map(|record| record.max_bytes()).sum();
        // Each byte of a payload lies in the chunk, and a record has at least a tag.
        prop_assert!(n_bytes <= bytes.len() * 21);
    }
}

#[test]
fn a_packet_that_continues_costs_one_byte() {
    let disk = Disk::default();
    let limits = WriterLimits {
        chunk_bytes: MAX_CHUNK_BYTES,
        buffered_bytes: 1 << 20,
    };
    let mut writer = writer_on(&disk, 1, limits);
    writer.append(packet(0, 0).record()).unwrap();
    writer.append(packet(1, 0).record()).unwrap();
    let n_before = writer.n_buffered_bytes();
    for n in 1..=100 {
        writer.append(packet(0, n).record()).unwrap();
        writer.append(packet(1, n).record()).unwrap();
    }
    assert_eq!(writer.n_buffered_bytes() - n_before, 200 * 161);
}

#[test]
fn the_longest_records_fit() {
    let disk = Disk::default();
    let limits = WriterLimits {
        chunk_bytes: 1024,
        buffered_bytes: 1 << 20,
    };
    let mut writer = writer_on(&disk, 1, limits);
    let audio = Owned::Audio(15, 9, Encoding::L16, u32::MAX, vec![1; MAX_PAYLOAD_BYTES]);
    let note = Owned::Note(vec![2; MAX_NOTE_BYTES]);
    writer.append(audio.record()).unwrap();
    writer.append(note.record()).unwrap();
    let end = Owned::End(vec![3; MAX_NOTE_BYTES]);
    writer.finish(&[3; MAX_NOTE_BYTES]).unwrap();
    let (records, ending) = read(&disk.bytes()).unwrap();
    assert_eq!(records, [begin(), audio, note, end]);
    assert_eq!(ending, Ending::Finished);
}

#[test]
fn what_the_format_has_no_place_for_is_refused_and_leaves_no_trace() {
    let disk = Disk::default();
    let mut writer = writer_on(&disk, 1, WriterLimits::default());
    let n_bytes = writer.n_buffered_bytes();
    let long = vec![0; MAX_NOTE_BYTES + 1];
    let audio = |leg| Owned::Audio(leg, 0, Encoding::Ulaw, 8000, long.clone());
    for (record, expected) in [
        (audio(0), "a record of `65537` bytes is longer than `65535`"),
        (audio(16), "leg must be 0 to 15, got `16`"),
        (
            Owned::Note(long.clone()),
            "a record of `65537` bytes is longer than `65536`",
        ),
        (
            Owned::Begin(Vec::new()),
            "a recording begins once and ends once",
        ),
        (
            Owned::End(Vec::new()),
            "a recording begins once and ends once",
        ),
    ] {
        let error = writer.append(record.record()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert!(writer.finish(&long).is_err());
    assert_eq!(writer.n_buffered_bytes(), n_bytes);
    writer.finish(b"").unwrap();
    let refused = writer.append(packet(0, 0).record()).unwrap_err();
    assert!(matches!(refused, SpoolError::Finished));
    assert!(read(&disk.bytes()).is_ok());
}

#[test]
fn nothing_that_is_printed_quotes_a_call() {
    let audio = packet(0, 3);
    assert_eq!(
        format!("{:?}", audio.record()),
        "Audio { leg 0, at 480, Ulaw 8000 Hz, 160 bytes }"
    );
    assert_eq!(format!("{:?}", Record::Note(b"Zhang")), "Note { 5 bytes }");
}

#[test]
fn limits_are_checked() {
    for (chunk_bytes, buffered_bytes, expected) in [
        (
            1023,
            1 << 20,
            "`chunk_bytes` must be 1024 to 262144, got `1023`",
        ),
        (
            262_145,
            1 << 20,
            "`chunk_bytes` must be 1024 to 262144, got `262145`",
        ),
        (
            2048,
            2047,
            "`buffered_bytes` must be 2048 to 18446744073709551615, got `2047`",
        ),
    ] {
        let limits = WriterLimits {
            chunk_bytes,
            buffered_bytes,
        };
        assert_eq!(limits.check().unwrap_err().to_string(), expected);
    }
}

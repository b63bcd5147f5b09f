use super::*;
use crate::header::{HEADER_BYTES, SLOT_BYTES, SLOT_PITCH};

const FIRST_CHUNK: usize = HEADER_BYTES as usize;

/// What was read is what was written, as far as it goes; complete only where it says so.
fn assert_prefix(found: Result<(Vec<Owned>, Ending), ReadError>, sample: &Sample, what: &str) {
    let Ok((records, ending)) = found else {
        return;
    };
    assert!(
        sample.records.starts_with(&records),
        "{what}: other records"
    );
    if matches!(ending, Ending::Finished) {
        assert_eq!(records.len(), sample.records.len(), "{what}: not all");
    }
}

#[test]
fn a_file_cut_anywhere_gives_its_whole_chunks() {
    let sample = sample(1);
    for n_bytes in 0..sample.bytes.len() {
        let found = read(&sample.bytes[..n_bytes]);
        let Ok((records, ending)) = found else {
            assert!(n_bytes < SLOT_BYTES, "cut at {n_bytes}");
            continue;
        };
        let (end, n_records) = sample.whole(n_bytes);
        assert_eq!(records, sample.records[..n_records], "cut at {n_bytes}");
        let n_bytes_dropped = n_bytes.saturating_sub(end) as u64;
        assert_eq!(
            ending,
            Ending::CutOff { n_bytes_dropped },
            "cut at {n_bytes}"
        );
    }
    assert_eq!(read(&sample.bytes).unwrap().1, Ending::Finished);
}

#[test]
fn a_changed_byte_anywhere_gives_nothing_wrong() {
    let sample = sample(1);
    for at in 0..sample.bytes.len() {
        for flipped in [0x01, 0x80, 0xff] {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= flipped;
            let found = read(&bytes);
            if at >= FIRST_CHUNK {
                let (records, ending) = found.as_ref().unwrap();
                let n_records = sample.whole(at).1;
                assert_eq!(*records, sample.records[..n_records], "byte {at}");
                assert_ne!(*ending, Ending::Finished, "byte {at}");
            }
            assert_prefix(found, &sample, &format!("byte {at}"));
        }
    }
}

#[test]
fn one_damaged_header_is_no_harm_and_two_are_an_error() {
    let sample = sample(1);
    let slots = [0, SLOT_PITCH as usize];
    for at in 0..SLOT_BYTES {
        for slot in slots {
            let mut bytes = sample.bytes.clone();
            bytes[slot + at] ^= 1;
            assert_eq!(read(&bytes).unwrap().0, sample.records);
        }
        let mut bytes = sample.bytes.clone();
        for slot in slots {
            bytes[slot + at] ^= 1;
        }
        let error = read(&bytes).unwrap_err();
        let is_magic = at < 8;
        assert_eq!(matches!(error, ReadError::NotARecording), is_magic, "{at}");
        assert_eq!(matches!(error, ReadError::Header), !is_magic, "{at}");
    }
}

#[test]
fn a_key_that_is_missing_or_another_is_told() {
    let sample = sample(1);
    let open = |keys: &KeyRing| {
        let opened = RecordingReader::new(Cursor::new(&sample.bytes), keys);
        opened.map(|_| ()).unwrap_err().to_string()
    };
    let missing = open(&KeyRing::fixed(&[("2026-12", [7; 32])]));
    assert!(missing.starts_with("its key `2026-11` is not in the key ring\nhint: "));
    let wrong = open(&KeyRing::fixed(&[("2026-11", [8; 32])]));
    assert!(wrong.starts_with("its key `2026-11` is another than"));
}

#[test]
fn a_later_version_is_told() {
    let mut bytes = sample(1).bytes;
    for slot in [0, SLOT_PITCH as usize] {
        let slot = &mut bytes[slot..slot + SLOT_BYTES];
        slot[8] = 2;
        let crc = crc32fast::hash(&slot[..SLOT_BYTES - 4]);
        slot[SLOT_BYTES - 4..].copy_from_slice(&crc.to_le_bytes());
    }
    assert!(matches!(read(&bytes), Err(ReadError::Version(2))));
}

/// The bytes of a chunk.
fn chunk(sample: &Sample, idx: usize) -> &[u8] {
    let from = match idx {
        0 => FIRST_CHUNK,
        _ => sample.chunks[idx - 1].0,
    };
    &sample.bytes[from..sample.chunks[idx].0]
}

/// A file of these chunks, as (recording, chunk).
fn assembled(samples: &[&Sample], chunks: &[(usize, usize)]) -> Vec<u8> {
    let mut bytes = samples[0].bytes[..FIRST_CHUNK].to_vec();
    for (of, idx) in chunks {
        bytes.extend_from_slice(chunk(samples[*of], *idx));
    }
    bytes
}

#[test]
fn chunks_stay_where_they_were_written() {
    let (one, two) = (sample(1), sample(2));
    let samples = [&one, &two];
    // How many chunks can be read of a file put together so.
    for (chunks, n_good) in [
        (&[(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)][..], 5),
        // Two of one length swapped, one left out, one twice, the first ones gone, an end too early.
        (&[(0, 0), (0, 3), (0, 2), (0, 1), (0, 4)], 1),
        (&[(0, 0), (0, 1), (0, 3), (0, 4)], 2),
        (&[(0, 0), (0, 1), (0, 1), (0, 2)], 2),
        (&[(0, 1), (0, 2)], 0),
        (&[(0, 0), (0, 4)], 1),
        // From another recording under the same master key: one, the end, all.
        (&[(0, 0), (1, 1), (0, 2)], 1),
        (&[(0, 0), (0, 1), (0, 2), (0, 3), (1, 4)], 4),
        (&[(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)], 0),
        // Behind the end.
        (&[(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 4)], 5),
    ] {
        let (records, ending) = read(&assembled(&samples, chunks)).unwrap();
        let n_records = match n_good {
            0 => 0,
            _ => one.chunks[n_good - 1].1,
        };
        assert_eq!(records, one.records[..n_records], "{chunks:?}");
        let at = match n_good {
            0 => FIRST_CHUNK,
            _ => one.chunks[n_good - 1].0,
        };
        let expected = match chunks.len() == n_good {
            true => Ending::Finished,
            false => Ending::Damaged { at: at as u64 },
        };
        assert_eq!(ending, expected, "{chunks:?}");
    }
}

#[test]
fn a_chunk_does_not_change_its_number_or_its_kind() {
    let sample = sample(1);
    let last = sample.chunks[3].0;
    for (at, value) in [(4, 3), (8, 1), (8, 3)] {
        let mut bytes = sample.bytes.clone();
        let n_head_bytes = crate::chunk::head_bytes(2);
        let head = &mut bytes[last..last + n_head_bytes];
        head[at] = value;
        let crc = crc32fast::hash(&head[..n_head_bytes - 4]);
        head[n_head_bytes - 4..].copy_from_slice(&crc.to_le_bytes());
        let (records, ending) = read(&bytes).unwrap();
        assert_eq!(records, sample.records[..sample.chunks[3].1]);
        assert_eq!(ending, Ending::Damaged { at: last as u64 });
    }
}

#[test]
fn a_look_up_believes_no_head_that_was_changed() {
    let sample = sample(1);
    // The second chunk claims that nobody has come far yet: it would be passed over.
    let at = sample.chunks[1].0;
    let n_head_bytes = crate::chunk::head_bytes(2);
    let mut bytes = sample.bytes.clone();
    let head = &mut bytes[at..at + n_head_bytes];
    head[11..19].fill(0);
    head[20..28].fill(0);
    let crc = crc32fast::hash(&head[..n_head_bytes - 4]);
    head[n_head_bytes - 4..].copy_from_slice(&crc.to_le_bytes());
    let mut reader = RecordingReader::new(Cursor::new(&bytes), &ring()).unwrap();
    reader.records_from(200).unwrap();
    assert_eq!(rest_of(&mut reader), []);
    assert_eq!(reader.ending(), Some(Ending::Damaged { at: at as u64 }));
}

#[test]
fn zeros_that_were_never_written_count_as_cut_off() {
    let sample = sample(1);
    let end = sample.chunks[2].0;
    for n_zeros in [10, 50, 8192, 20_000] {
        let mut bytes = sample.bytes[..end].to_vec();
        bytes.resize(end + n_zeros, 0);
        let (records, ending) = read(&bytes).unwrap();
        assert_eq!(records, sample.records[..sample.chunks[2].1]);
        let n_bytes_dropped = n_zeros as u64;
        assert_eq!(ending, Ending::CutOff { n_bytes_dropped });
        bytes[end + n_zeros - 1] = 1;
        let ending = read(&bytes).unwrap().1;
        assert_eq!(ending, Ending::Damaged { at: end as u64 });
    }
}

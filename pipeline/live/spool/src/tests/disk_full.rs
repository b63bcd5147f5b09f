use super::*;
use crate::SpoolError;
use crate::header::HEADER_BYTES;

const LIMITS: WriterLimits = WriterLimits {
    chunk_bytes: 2048,
    buffered_bytes: 16 * 1024,
};

fn assert_full(outcome: Result<(), SpoolError>) {
    let error = outcome.unwrap_err();
    assert!(error.is_disk_full(), "{error}");
    assert!(error.to_string().starts_with("cannot write the recording"));
}

/// Records until a quota of every size is met, then space again: nothing that was taken is missing.
#[test]
fn a_disk_that_was_full_costs_nothing_that_was_taken() {
    for room in (0..3000).step_by(37) {
        let disk = Disk::default();
        let mut writer = writer_on(&disk, 1, LIMITS);
        let n_start = disk.bytes().len();
        disk.state().quota_bytes = Some(n_start + room);
        let mut taken = vec![begin()];
        let mut n_failures = 0;
        for n in 0..40 {
            let record = packet((n % 2) as u8, n / 2);
            writer.append(record.record()).unwrap();
            taken.push(record);
            if n % 3 == 0 {
                n_failures += usize::from(writer.flush().is_err());
                // Whole chunks only, at any time.
                let (records, ending) = read(&disk.bytes()).unwrap();
                assert!(taken.starts_with(&records));
                assert_eq!(ending, Ending::CutOff { n_bytes_dropped: 0 });
            }
        }
        assert!(n_failures > 0);
        assert_full(writer.flush());
        disk.state().quota_bytes = None;
        writer.finish(b"{}").unwrap();
        taken.push(Owned::End(b"{}".to_vec()));
        assert_eq!(read(&disk.bytes()).unwrap(), (taken, Ending::Finished));
        assert_eq!(writer.n_buffered_bytes(), 0);
    }
}

#[test]
fn memory_is_bounded_while_the_disk_is_full() {
    let disk = Disk::default();
    let mut writer = writer_on(&disk, 1, LIMITS);
    disk.state().quota_bytes = Some(disk.bytes().len() + 100);
    let mut taken = vec![begin()];
    let mut n_refused = 0;
    for n in 0..300 {
        let record = packet(0, n);
        match writer.append(record.record()) {
            Ok(()) => taken.push(record),
            Err(SpoolError::BufferFull { limit_bytes }) => {
                assert_eq!(limit_bytes, LIMITS.buffered_bytes);
                n_refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(writer.n_buffered_bytes() <= LIMITS.buffered_bytes);
        if n % 50 == 0 {
            assert_full(writer.flush());
        }
    }
    assert!(n_refused > 100, "{n_refused}");
    // The end is taken beyond the limit, or a call could not be closed.
    assert_full(writer.finish(b"{}"));
    disk.state().quota_bytes = None;
    writer.finish(b"another end is too late").unwrap();
    taken.push(Owned::End(b"{}".to_vec()));
    assert_eq!(read(&disk.bytes()).unwrap(), (taken, Ending::Finished));
}

#[test]
fn a_part_that_could_not_be_cut_away_is_cut_before_the_next_write() {
    let disk = Disk::default();
    let mut writer = writer_on(&disk, 1, LIMITS);
    let n_start = disk.bytes().len();
    writer.append(packet(0, 0).record()).unwrap();
    disk.state().quota_bytes = Some(n_start + 60);
    disk.state().is_stuck = true;
    assert_full(writer.flush());
    let (records, ending) = read(&disk.bytes()).unwrap();
    assert_eq!(records, [begin()]);
    let n_bytes_dropped = 60;
    assert_eq!(ending, Ending::CutOff { n_bytes_dropped });
    // Space, but the file cannot be cut: writing over the part would do, and is not dared.
    disk.state().quota_bytes = None;
    assert!(writer.flush().is_err());
    assert_eq!(disk.bytes().len(), n_start + 60);
    disk.state().is_stuck = false;
    writer.flush().unwrap();
    assert_eq!(disk.state().n_cuts, 1);
    let (records, ending) = read(&disk.bytes()).unwrap();
    assert_eq!(records, [begin(), packet(0, 0)]);
    assert_eq!(ending, Ending::CutOff { n_bytes_dropped: 0 });
}

/// A write that is repeated must repeat its bytes: another text under the same number would be the end of secrecy.
#[test]
fn a_chunk_is_sealed_once_whatever_becomes_of_its_write() {
    let disk = Disk::default();
    let mut writer = writer_on(&disk, 1, LIMITS);
    let n_start = disk.bytes().len();
    writer.append(packet(0, 0).record()).unwrap();
    // What of the chunk was on the disk for a moment, seen by somebody who copies it.
    disk.state().quota_bytes = Some(n_start + 150);
    disk.state().is_stuck = true;
    assert_full(writer.flush());
    let torn = disk.bytes();
    disk.state().is_stuck = false;
    writer.append(packet(0, 1).record()).unwrap();
    disk.state().quota_bytes = None;
    writer.flush().unwrap();
    assert!(disk.bytes().starts_with(&torn));
    let expected = [begin(), packet(0, 0), packet(0, 1)];
    assert_eq!(read(&disk.bytes()).unwrap().0, expected);
}

#[test]
fn a_recording_that_cannot_begin_is_an_error() {
    for room in [0, 100, HEADER_BYTES as usize + 10] {
        let disk = Disk::default();
        disk.state().quota_bytes = Some(room);
        let start = Start {
            created_unix_ms: CREATED_UNIX_MS,
            begin: b"{}",
            limits: LIMITS,
        };
        let begun = RecordingWriter::begin(Box::new(disk), fixed(1, &ring()), &start);
        assert_full(begun.map(|_| ()));
    }
}

#[test]
fn other_failures_are_no_full_disk() {
    let other = SpoolError::Io {
        doing: "write the recording",
        source: io::ErrorKind::PermissionDenied.into(),
    };
    let quota = SpoolError::Io {
        doing: "write the recording",
        source: io::ErrorKind::QuotaExceeded.into(),
    };
    assert!(!other.is_disk_full() && !SpoolError::Finished.is_disk_full());
    assert!(quota.is_disk_full());
}

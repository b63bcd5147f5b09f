//! Reading what is being written.

use super::*;

/// The same bytes for a writer and a reader.
struct View {
    disk: Disk,
    at: u64,
    /// What the reader sees of it.
    n_bytes: Option<usize>,
    /// Reads until one fails.
    n_reads: Option<usize>,
}

impl io::Read for View {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.n_reads = match self.n_reads {
            Some(0) => {
                self.n_reads = None;
                return Err(io::ErrorKind::Other.into());
            }
            n_reads => n_reads.map(|n_reads| n_reads - 1),
        };
        let state = self.disk.state();
        let n_bytes = self.n_bytes.unwrap_or(usize::MAX).min(state.bytes.len());
        let rest = state.bytes[..n_bytes].get(usize::try_from(self.at).unwrap()..);
        // Never much at once, so that whoever asks must ask again.
        let n_read = rest.unwrap_or_default().len().min(out.len()).min(50);
        out[..n_read].copy_from_slice(&rest.unwrap_or_default()[..n_read]);
        self.at += n_read as u64;
        Ok(n_read)
    }
}

impl io::Seek for View {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.at = match to {
            io::SeekFrom::Start(at) => at,
            _ => {
                let n_bytes = self.disk.state().bytes.len();
                self.n_bytes.unwrap_or(usize::MAX).min(n_bytes) as u64
            }
        };
        Ok(self.at)
    }
}

fn view(disk: &Disk) -> View {
    View {
        disk: disk.clone(),
        at: 0,
        n_bytes: None,
        n_reads: None,
    }
}

#[test]
fn a_reader_follows_a_writer() {
    let disk = Disk::default();
    let mut writer = writer_on(&disk, 1, WriterLimits::default());
    let mut reader = RecordingReader::new(view(&disk), &ring()).unwrap();
    assert_eq!(rest_of(&mut reader), [begin()]);
    for n in 0..5 {
        writer.append(packet(0, 2 * n).record()).unwrap();
        assert_eq!(rest_of(&mut reader), []);
        let n_bytes_dropped = 0;
        assert_eq!(reader.ending(), Some(Ending::CutOff { n_bytes_dropped }));
        writer.append(packet(0, 2 * n + 1).record()).unwrap();
        writer.flush().unwrap();
        let expected = [packet(0, 2 * n), packet(0, 2 * n + 1)];
        assert_eq!(rest_of(&mut reader), expected);
    }
    writer.finish(b"{}").unwrap();
    assert_eq!(rest_of(&mut reader), [Owned::End(b"{}".to_vec())]);
    assert_eq!(reader.ending(), Some(Ending::Finished));
    assert_eq!(rest_of(&mut reader), []);
}

/// Whatever part of a write can be seen at the moment.
#[test]
fn a_reader_that_sees_every_byte_come_reads_each_record_once() {
    let sample = sample(1);
    let disk = Disk::default();
    disk.state().bytes = sample.bytes.clone();
    let mut source = view(&disk);
    source.n_bytes = Some(8192);
    let mut reader = RecordingReader::new(source, &ring()).unwrap();
    let mut records = Vec::new();
    for n_bytes in 8192..=sample.bytes.len() {
        disk.state().bytes = sample.bytes[..n_bytes].to_vec();
        reader.source_mut().n_bytes = Some(n_bytes);
        records.extend(rest_of(&mut reader));
    }
    assert_eq!(records, sample.records);
    assert_eq!(reader.ending(), Some(Ending::Finished));
}

/// Whichever read fails, once, somewhere in a chunk: the records go on as if it had not.
#[test]
fn a_read_that_fails_is_made_again() {
    let sample = sample(1);
    let disk = Disk::default();
    disk.state().bytes = sample.bytes.clone();
    for n_reads in 0..60 {
        let mut reader = RecordingReader::new(view(&disk), &ring()).unwrap();
        reader.source_mut().n_reads = Some(n_reads);
        let mut records = Vec::new();
        let mut n_failures = 0;
        loop {
            match reader.next_record() {
                Ok(Some(record)) => records.push(Owned::of(record)),
                Ok(None) => break,
                Err(_) => n_failures += 1,
            }
        }
        assert_eq!(records, sample.records);
        assert!(n_failures <= 1);
        assert_eq!(reader.ending(), Some(Ending::Finished));
    }
}

#[test]
fn a_look_up_beyond_the_end_goes_on_with_what_comes() {
    let disk = Disk::default();
    let mut writer = writer_on(&disk, 1, WriterLimits::default());
    writer.append(packet(0, 0).record()).unwrap();
    writer.flush().unwrap();
    let mut reader = RecordingReader::new(view(&disk), &ring()).unwrap();
    reader.records_from(400).unwrap();
    assert_eq!(rest_of(&mut reader), []);
    for n in 1..4 {
        writer.append(packet(0, n).record()).unwrap();
        writer.append(packet(1, n).record()).unwrap();
        writer.flush().unwrap();
    }
    let expected = [
        packet(0, 1),
        packet(1, 1),
        packet(0, 2),
        packet(1, 2),
        packet(0, 3),
        packet(1, 3),
    ];
    assert_eq!(rest_of(&mut reader), expected);
}

#[test]
fn a_look_up_begins_in_the_chunk_that_has_the_position() {
    let disk = Disk::default();
    let mut writer = writer_on(&disk, 1, WriterLimits::default());
    for second in 0..20 {
        for n in second * 50..(second + 1) * 50 {
            writer.append(packet(0, n).record()).unwrap();
            writer.append(packet(1, n + 50).record()).unwrap();
        }
        writer.flush().unwrap();
    }
    let mut reader = RecordingReader::new(view(&disk), &ring()).unwrap();
    // The second leg is a second ahead: its positions are those that the chunks are found by.
    for (at, second) in [(8_000, 0), (15_999, 0), (16_000, 1), (80_161, 9)] {
        reader.records_from(at).unwrap();
        let records = rest_of(&mut reader);
        assert_eq!(records.len() as u64, 2 * (1_000 - second * 50));
        assert_eq!(records[0], packet(0, second * 50));
    }
    reader.records_from(1_050 * 160).unwrap();
    assert_eq!(rest_of(&mut reader), []);
}

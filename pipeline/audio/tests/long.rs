//! A recording of ten hours: times exact, blocks, reads and memory bounded. In a process of its own, since
//! memory is measured for the whole of it.
#![expect(
    clippy::unwrap_used,
    reason = "tests, their helpers included, stop at what they do not expect"
)]

use std::io::{self, Read, Seek, SeekFrom};

use auricle_audio::{AudioBlock, AudioReader, MAX_BLOCK_FRAMES, Resampler, Survey};

/// A µ-law recording of any length that exists nowhere: the header, then a repeated pattern.
struct LongCall {
    header: Vec<u8>,
    n_bytes: u64,
    position: u64,
    largest_read: usize,
}

impl LongCall {
    fn new(secs: u32) -> Self {
        let n_data = secs * 8_000;
        let mut header = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x07\0\x01\0".to_vec();
        header.extend(8_000_u32.to_le_bytes());
        header.extend(8_000_u32.to_le_bytes());
        header.extend(b"\x01\0\x08\0data");
        header.extend(n_data.to_le_bytes());
        Self {
            n_bytes: header.len() as u64 + u64::from(n_data),
            header,
            position: 0,
            largest_read: 0,
        }
    }
}

impl Read for LongCall {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let n_left = (self.n_bytes - self.position.min(self.n_bytes)) as usize;
        let n_read = bytes.len().min(n_left);
        for (idx, byte) in bytes[..n_read].iter_mut().enumerate() {
            let at = self.position as usize + idx;
            *byte = self.header.get(at).copied().unwrap_or((at * 7 % 251) as u8);
        }
        self.position += n_read as u64;
        self.largest_read = self.largest_read.max(n_read);
        assert!(
            self.largest_read <= 1 << 16,
            "asked for {n_read} bytes at once"
        );
        Ok(n_read)
    }
}

impl Seek for LongCall {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::End(offset) => self.n_bytes.checked_add_signed(offset).unwrap(),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset).unwrap(),
        };
        Ok(self.position)
    }
}

/// Most memory this process has used so far, KiB; 0 where the system does not tell.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn ten_hours_take_no_more_memory_than_one_minute() {
    const SECS: u32 = 10 * 3600;
    let mut reader = AudioReader::from_source(LongCall::new(SECS), "ten hours").unwrap();
    let mut resampler = Resampler::new(8_000, 16_000).unwrap();
    let mut survey = Survey::new(8_000, 1);
    let (mut block, mut out) = (AudioBlock::new(), Vec::new());
    let (mut n_in, mut n_out, mut n_blocks, mut memory_kib) = (0, 0, 0, 0);
    while reader.next_block(&mut block).unwrap() > 0 {
        assert!(block.n_frames() <= MAX_BLOCK_FRAMES);
        // The rest of the way on the first half hour; these do not know how long a recording is.
        if n_blocks < 2_000 {
            n_in += block.n_frames() as u64;
            survey.push(&block);
            out.clear();
            resampler.process(block.channel(0), &mut out).unwrap();
            n_out += out.len() as u64;
        }
        n_blocks += 1;
        if n_blocks == 60 {
            memory_kib = peak_memory_kib();
        }
    }
    out.clear();
    resampler.finish(&mut out).unwrap();
    assert_eq!(reader.n_frames_read(), u64::from(SECS) * 8_000);
    assert_eq!(n_out + out.len() as u64, 2 * n_in);
    assert!(
        peak_memory_kib() < memory_kib + 8 * 1024,
        "{} KiB",
        peak_memory_kib()
    );
}

//! A WAVE file written while its sound comes in.
//!
//! The header states the length "not known" (all ones) until [`WavWriter::finish`], so that what a
//! crash leaves behind can be read to its end.

use std::io::{self, Seek, SeekFrom, Write};

use thiserror::Error;

use crate::block::AudioBlock;
use crate::error::Container;
use crate::g711::Law;
use crate::reader::CHANNELS_LIMIT;
use crate::resample::RATES_HZ;

/// Bytes from the start of the file to the samples, and to the fields that are set at the end.
const HEADER_BYTES: u64 = 58;
const RIFF_SIZE_AT: u64 = 4;
const FACT_AT: u64 = 46;
const DATA_SIZE_AT: u64 = 54;
/// What is not known yet, or does not fit.
const UNKNOWN: u32 = u32::MAX;

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WavEncoding {
    /// 16-bit linear.
    Pcm16,
    /// A-law or µ-law, 8 bits.
    G711(Law),
}

/// A WAVE file cannot be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// A rate or number of channels no WAVE file of this program has.
    #[error("`{key}` must be {expected}, got `{value}`")]
    Format {
        /// Which of the two.
        key: &'static str,
        /// What was asked for.
        value: u64,
        /// What is possible.
        expected: &'static str,
    },
    /// A block has other channels than the file.
    #[error("block has `{found}` channels, the {container} file `{expected}`", container = Container::Wav)]
    Channels {
        /// Channels of the block.
        found: usize,
        /// Channels of the file.
        expected: usize,
    },
    /// The medium refuses.
    #[error("writing audio failed: {0}\nhint: check free space and permissions")]
    Write(#[from] io::Error),
}

/// Writes one file. Wrap files in a `BufWriter`.
pub struct WavWriter<W: Write + Seek> {
    sink: W,
    encoding: WavEncoding,
    n_channels: usize,
    n_frames: u64,
    bytes: Vec<u8>,
}

impl<W: Write + Seek> WavWriter<W> {
    /// Writes the header.
    pub fn new(
        sink: W,
        encoding: WavEncoding,
        sample_rate_hz: u32,
        n_channels: usize,
    ) -> Result<Self, WriteError> {
        let wrong = |key, value, expected| WriteError::Format {
            key,
            value,
            expected,
        };
        if !RATES_HZ.contains(&sample_rate_hz) {
            return Err(wrong(
                "sample rate",
                sample_rate_hz.into(),
                "1000 to 768000 Hz",
            ));
        }
        if !CHANNELS_LIMIT.contains(&n_channels) {
            return Err(wrong("channels", n_channels as u64, "1 to 32"));
        }
        let mut writer = Self {
            sink,
            encoding,
            n_channels,
            n_frames: 0,
            bytes: Vec::new(),
        };
        writer.write_header(sample_rate_hz)?;
        Ok(writer)
    }

    /// Appends the frames of a block; samples beyond [-1, 1] are clipped. 16-bit samples that were
    /// read come out bit for bit, as do G.711 samples in the law they were read from.
    pub fn write_block(&mut self, block: &AudioBlock) -> Result<(), WriteError> {
        if block.n_channels() != self.n_channels {
            return Err(WriteError::Channels {
                found: block.n_channels(),
                expected: self.n_channels,
            });
        }
        self.bytes.clear();
        for frame_idx in 0..block.n_frames() {
            for channel in block.channels() {
                let sample = linear(channel[frame_idx]);
                match self.encoding {
                    WavEncoding::Pcm16 => self.bytes.extend(sample.to_le_bytes()),
                    WavEncoding::G711(law) => self.bytes.push(law.encode(sample)),
                }
            }
        }
        self.sink.write_all(&self.bytes)?;
        self.n_frames += block.n_frames() as u64;
        Ok(())
    }

    /// Frames written so far.
    pub const fn n_frames(&self) -> u64 {
        self.n_frames
    }

    /// Sets the sizes in the header (4 GiB and beyond they stay "not known"), flushes, and gives
    /// back the sink.
    pub fn finish(mut self) -> Result<W, WriteError> {
        let n_data = self.n_frames * (self.n_channels * self.sample_bytes()) as u64;
        let padding = n_data % 2;
        if padding == 1 {
            self.sink.write_all(&[0])?;
        }
        let sizes = [
            (RIFF_SIZE_AT, HEADER_BYTES - 8 + n_data + padding),
            (FACT_AT, self.n_frames),
            (DATA_SIZE_AT, n_data),
        ];
        for (at, size) in sizes {
            self.sink.seek(SeekFrom::Start(at))?;
            let size = u32::try_from(size).unwrap_or(UNKNOWN);
            self.sink.write_all(&size.to_le_bytes())?;
        }
        self.sink.seek(SeekFrom::End(0))?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn sample_bytes(&self) -> usize {
        match self.encoding {
            WavEncoding::Pcm16 => 2,
            WavEncoding::G711(_) => 1,
        }
    }

    fn write_header(&mut self, sample_rate_hz: u32) -> io::Result<()> {
        let frame_bytes = (self.n_channels * self.sample_bytes()) as u32;
        let tag: u16 = match self.encoding {
            WavEncoding::Pcm16 => 1,
            WavEncoding::G711(Law::A) => 6,
            WavEncoding::G711(Law::Mu) => 7,
        };
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        header.extend(b"RIFF");
        header.extend(UNKNOWN.to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend(18_u32.to_le_bytes());
        header.extend(tag.to_le_bytes());
        header.extend((self.n_channels as u16).to_le_bytes());
        header.extend(sample_rate_hz.to_le_bytes());
        header.extend(sample_rate_hz.saturating_mul(frame_bytes).to_le_bytes());
        header.extend((frame_bytes as u16).to_le_bytes());
        header.extend((8 * self.sample_bytes() as u16).to_le_bytes());
        header.extend(0_u16.to_le_bytes());
        header.extend(b"fact");
        header.extend(4_u32.to_le_bytes());
        header.extend(UNKNOWN.to_le_bytes());
        header.extend(b"data");
        header.extend(UNKNOWN.to_le_bytes());
        self.sink.write_all(&header)
    }
}

fn linear(sample: f32) -> i16 {
    // The cast saturates, and makes 0 of what is no number.
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{AudioReader, Codec, ReadWarning};

    fn block() -> AudioBlock {
        let left = (-500..500).map(|idx| idx as f32 / 512.0).collect();
        let right = (0..1000).map(|idx| (idx as f32 / 7.0).sin()).collect();
        AudioBlock::from_planes(vec![left, right, vec![2.0; 1000]])
    }

    fn written(encoding: WavEncoding) -> Vec<u8> {
        let mut writer = WavWriter::new(Cursor::new(Vec::new()), encoding, 8_000, 3).unwrap();
        writer.write_block(&block()).unwrap();
        assert_eq!(writer.n_frames(), 1000);
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: Vec<u8>) -> (AudioReader, AudioBlock) {
        let mut reader = AudioReader::from_source(Cursor::new(bytes), "x").unwrap();
        let mut block = AudioBlock::new();
        reader.next_block(&mut block).unwrap();
        (reader, block)
    }

    #[test]
    fn what_is_written_is_read_and_written_again_the_same() {
        for (encoding, codec) in [
            (WavEncoding::Pcm16, Codec::PcmInteger { n_bits: 16 }),
            (WavEncoding::G711(Law::A), Codec::G711(Law::A)),
            (WavEncoding::G711(Law::Mu), Codec::G711(Law::Mu)),
        ] {
            let bytes = written(encoding);
            let (reader, found) = read(bytes.clone());
            assert_eq!(reader.info().codec, codec);
            assert_eq!(reader.info().n_frames, Some(1000));
            assert_eq!(reader.warnings(), []);
            let mut again = WavWriter::new(Cursor::new(Vec::new()), encoding, 8_000, 3).unwrap();
            again.write_block(&found).unwrap();
            assert_eq!(again.finish().unwrap().into_inner(), bytes);
        }
    }

    #[test]
    fn an_unfinished_file_can_be_read() {
        let mut sink = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut sink, WavEncoding::Pcm16, 8_000, 3).unwrap();
        writer.write_block(&block()).unwrap();
        drop(writer);
        let (reader, found) = read(sink.into_inner());
        assert_eq!(found.n_frames(), 1000);
        assert_eq!(reader.warnings(), [ReadWarning::LengthNotStated]);
    }

    #[test]
    fn impossible_formats_are_refused() {
        let refused = |rate_hz, n_channels| {
            let sink = Cursor::new(Vec::new());
            WavWriter::new(sink, WavEncoding::Pcm16, rate_hz, n_channels).is_err()
        };
        assert!(refused(0, 1) && refused(8_000, 0) && refused(8_000, 33));
    }
}

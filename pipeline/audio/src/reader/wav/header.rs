//! The chunks of a RIFF WAVE file up to its samples.
//!
//! Sources: IBM and Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"
//! (1991); Microsoft, "Multiple Channel Audio Data and WAVE Files" (2007) for the extensible
//! format; EBU Tech 3306 v1.1 for RF64. Recorders break the rules in a few known ways, all of which
//! are read: sizes of 0 or all ones where nothing was known yet, odd chunks without their padding
//! byte, chunks of any kind before `fmt `, samples before `fmt `.

use std::io::{self, Read, Seek, SeekFrom};

use crate::error::{AudioError, Container};
use crate::reader::source::{Source, header_error};
use crate::reader::wav::format::WavFormat;

/// Chunks looked at before a file is given up; real files have less than twenty.
const CHUNKS_LIMIT: usize = 1024;
/// Bytes of a `fmt ` chunk that are read; only ADPCM coefficients go beyond 40.
const FORMAT_BYTES_LIMIT: u64 = 1100;
/// Data sizes from here on that the file does not hold are place holders of programs that write to
/// a pipe (2^31 less a header, 2^32 - 1), not the length of a file cut short.
const PLACE_HOLDER_BYTES: u64 = 0x7fff_0000;

/// What is known of a WAVE file before its samples are read.
#[derive(Clone, Debug)]
pub(super) struct WavHeader {
    pub(super) format: WavFormat,
    /// Frames by the `fact` chunk.
    pub(super) n_frames_stated: Option<u64>,
    pub(super) data_start: u64,
    /// Bytes of samples that are there.
    pub(super) data_bytes: u64,
    /// Bytes of samples the header states, where it states them.
    pub(super) data_bytes_stated: Option<u64>,
}

/// One chunk header.
#[derive(Clone, Copy)]
struct Chunk {
    id: [u8; 4],
    n_bytes: u64,
    start: u64,
}

/// Reads the chunks; leaves the position anywhere.
pub(super) fn read_header(source: &mut Source) -> Result<WavHeader, AudioError> {
    let mut reader = ChunkReader {
        source,
        // After `RIFF`, a size that says no more than the file's, and `WAVE`.
        position: 12,
        n_chunks: 0,
        data_bytes_64: None,
    };
    let (mut format, mut data, mut fact) = (None, None, None);
    while let Some(chunk) = reader.next()? {
        match &chunk.id {
            b"fmt " if format.is_none() => format = Some(reader.read_format(chunk)?),
            b"fact" if chunk.n_bytes >= 4 => fact = Some(reader.read_u32_at(chunk.start)?),
            b"data" => data = Some(chunk),
            _ => {}
        }
        if format.is_some() && data.is_some() {
            break;
        }
    }
    let missing = |key| header_error(reader.source, Container::Wav, key, "missing", "one chunk");
    let format = format.ok_or_else(|| missing("fmt "))?;
    let data = data.ok_or_else(|| missing("data"))?;
    let (data_bytes, data_bytes_stated) = reader.measure_data(data)?;
    Ok(WavHeader {
        format,
        n_frames_stated: fact.map(u64::from).filter(|&n_frames| n_frames > 0),
        data_start: data.start,
        data_bytes,
        data_bytes_stated,
    })
}

struct ChunkReader<'a> {
    source: &'a mut Source,
    /// Where the next chunk header is expected.
    position: u64,
    n_chunks: usize,
    /// Size of the samples by the `ds64` chunk of RF64.
    data_bytes_64: Option<u64>,
}

impl ChunkReader<'_> {
    /// The next chunk header; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<Chunk>, AudioError> {
        self.n_chunks += 1;
        let Some(mut chunk) = self.chunk_at(self.position)? else {
            return Ok(None);
        };
        if self.n_chunks > CHUNKS_LIMIT {
            let found = format!("more than {CHUNKS_LIMIT}");
            return Err(header_error(
                self.source,
                Container::Wav,
                "chunks",
                found,
                "fmt and data among the first",
            ));
        }
        if &chunk.id == b"ds64" && chunk.n_bytes >= 16 {
            self.data_bytes_64 = Some(self.read_u64_at(chunk.start + 8)?);
        }
        if let (b"data", 0xffff_ffff, Some(n_bytes)) =
            (&chunk.id, chunk.n_bytes, self.data_bytes_64)
        {
            chunk.n_bytes = n_bytes;
        }
        self.position = self.after(chunk)?;
        Ok(Some(chunk))
    }

    /// Where the chunk after `chunk` begins: chunks are padded to even sizes, but not by everyone.
    fn after(&mut self, chunk: Chunk) -> Result<u64, AudioError> {
        let end = chunk.start.saturating_add(chunk.n_bytes);
        if chunk.n_bytes.is_multiple_of(2) {
            return Ok(end);
        }
        let is_chunk = |found: Option<Chunk>| found.is_some_and(|chunk| is_chunk_id(chunk.id));
        let padded = is_chunk(self.chunk_at(end.saturating_add(1))?);
        if !padded && is_chunk(self.chunk_at(end)?) {
            return Ok(end);
        }
        Ok(end.saturating_add(1))
    }

    fn chunk_at(&mut self, position: u64) -> Result<Option<Chunk>, AudioError> {
        let mut bytes = [0; 8];
        if !self.read_at(position, &mut bytes)? {
            return Ok(None);
        }
        let [a, b, c, d, size @ ..] = bytes;
        Ok(Some(Chunk {
            id: [a, b, c, d],
            n_bytes: u64::from(u32::from_le_bytes(size)),
            start: position + 8,
        }))
    }

    fn read_u32_at(&mut self, position: u64) -> Result<u32, AudioError> {
        let mut bytes = [0; 4];
        self.read_at(position, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn read_u64_at(&mut self, position: u64) -> Result<u64, AudioError> {
        let mut bytes = [0; 8];
        self.read_at(position, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// False where the file ends before `bytes` is full.
    fn read_at(&mut self, position: u64, bytes: &mut [u8]) -> Result<bool, AudioError> {
        let mut read = |source: &mut Source| {
            source.seek(SeekFrom::Start(position))?;
            source.read_exact(bytes)
        };
        match read(self.source) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(self.source.read_error(error)),
        }
    }

    fn read_format(&mut self, chunk: Chunk) -> Result<WavFormat, AudioError> {
        let n_left = self.source.n_bytes().saturating_sub(chunk.start);
        let n_bytes = chunk.n_bytes.min(n_left).min(FORMAT_BYTES_LIMIT);
        if n_bytes < 16 {
            return Err(header_error(
                self.source,
                Container::Wav,
                "fmt size",
                n_bytes,
                "16 bytes or more",
            ));
        }
        let mut bytes = vec![0; n_bytes as usize];
        self.read_at(chunk.start, &mut bytes)?;
        WavFormat::parse(self.source, &bytes)
    }

    /// Bytes of samples in the file, and by the header where it states them.
    fn measure_data(&mut self, data: Chunk) -> Result<(u64, Option<u64>), AudioError> {
        let n_there = self.source.n_bytes().saturating_sub(data.start);
        let is_place_holder = data.n_bytes >= PLACE_HOLDER_BYTES && data.n_bytes > n_there;
        if is_place_holder || (data.n_bytes == 0 && !self.only_chunks_from(data.start)?) {
            return Ok((n_there, None));
        }
        Ok((data.n_bytes.min(n_there), Some(data.n_bytes)))
    }

    /// Whether nothing but whole chunks lies between `position` and the end: a data chunk of size
    /// 0 before them is really empty, otherwise samples follow.
    fn only_chunks_from(&mut self, position: u64) -> Result<bool, AudioError> {
        let mut position = position;
        for _ in 0..CHUNKS_LIMIT {
            if position >= self.source.n_bytes() {
                return Ok(true);
            }
            match self.chunk_at(position)? {
                Some(chunk) if is_chunk_id(chunk.id) => position = self.after(chunk)?,
                _ => return Ok(false),
            }
            if position > self.source.n_bytes() + 1 {
                return Ok(false);
            }
        }
        Ok(false)
    }
}

fn is_chunk_id(id: [u8; 4]) -> bool {
    id.iter().all(|byte| (b' '..=b'~').contains(byte))
}

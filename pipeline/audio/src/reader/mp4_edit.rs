//! The edit list of an MP4 track: how many decoded frames precede the sound, and how many it has.
//!
//! An AAC encoder puts a frame or two of its own before the sound (128 ms at 8 kHz); the file's
//! edit list says where the sound begins. Source: ISO/IEC 14496-12, 8.6.5 and 8.6.6.

use std::io::{self, Read, Seek, SeekFrom};

use super::source::Source;

/// Boxes looked at in all; files have a few dozen around their edit lists.
const BOXES_LIMIT: usize = 4096;
/// Bytes a file may claim to have had: 1 TiB.
const CLAIM_LIMIT: u64 = 1 << 40;

/// Where the sound of a track lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// Frames before it, in units of the track's time scale.
    pub(super) n_skipped: u64,
    /// Its length; `None` where not stated.
    pub(super) n_frames: Option<u64>,
}

#[derive(Clone, Copy)]
struct Mp4Box {
    kind: [u8; 4],
    start: u64,
    end: u64,
}

#[derive(Default)]
struct Track {
    id: u32,
    timescale: u32,
    /// Length in movie units (0: not stated) and first frame in track units.
    edit: Option<(u64, u64)>,
}

/// Reads the edit lists, with the identifiers of their tracks; what cannot be read counts as none.
/// The position is left at the start. Of a file cut short, what is left of its last box is made
/// readable: the demultiplexer takes no box that reaches beyond the end.
pub(super) fn read_edits(source: &mut Source) -> io::Result<Vec<(u32, Edit)>> {
    let mut edits = Vec::new();
    let mut walker = Walker {
        source,
        n_boxes: 0,
        claimed_end: 0,
    };
    let walked = walker.walk(&mut edits);
    let claimed_end = walker.claimed_end.min(CLAIM_LIMIT);
    source.pretend_bytes(claimed_end);
    match walked {
        Err(error) if error.raw_os_error().is_some() => return Err(error),
        // A cut file: the demultiplexer says what is wrong with it.
        _ => source.rewind()?,
    }
    Ok(edits)
}

struct Walker<'a> {
    source: &'a mut Source,
    n_boxes: usize,
    /// Where the last box ends by its own word.
    claimed_end: u64,
}

impl Walker<'_> {
    fn walk(&mut self, edits: &mut Vec<(u32, Edit)>) -> io::Result<()> {
        let n_bytes = self.source.n_bytes();
        let top = self.children(0, n_bytes);
        let claimed_end = self.claimed_end;
        let movie = self.walk_movie(top?, edits);
        self.claimed_end = claimed_end;
        movie
    }

    fn walk_movie(&mut self, top: Vec<Mp4Box>, edits: &mut Vec<(u32, Edit)>) -> io::Result<()> {
        let Some(movie) = top.into_iter().find(|part| &part.kind == b"moov") else {
            return Ok(());
        };
        let mut movie_timescale = 0;
        for child in self.children(movie.start, movie.end)? {
            match &child.kind {
                b"mvhd" => movie_timescale = self.versioned_u32(child)?,
                b"trak" => {
                    let track = self.track(child)?;
                    edits.extend(track.edit(movie_timescale).map(|edit| (track.id, edit)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn track(&mut self, parent: Mp4Box) -> io::Result<Track> {
        let mut track = Track::default();
        for child in self.children(parent.start, parent.end)? {
            match &child.kind {
                b"tkhd" => track.id = self.versioned_u32(child)?,
                b"mdia" | b"edts" => {
                    for inner in self.children(child.start, child.end)? {
                        match &inner.kind {
                            b"mdhd" => track.timescale = self.versioned_u32(inner)?,
                            b"elst" => track.edit = self.edit_list(inner)?,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(track)
    }

    /// The boxes between two positions. A box that claims more than its parent ends with it.
    fn children(&mut self, start: u64, end: u64) -> io::Result<Vec<Mp4Box>> {
        let mut found = Vec::new();
        let mut position = start;
        while position + 8 <= end && self.n_boxes < BOXES_LIMIT {
            self.n_boxes += 1;
            let [a, b, c, d, kind @ ..] = self.bytes_at::<8>(position)?;
            let (n_header, n_bytes) = match u32::from_be_bytes([a, b, c, d]) {
                0 => (8, end - position),
                1 => (16, u64::from_be_bytes(self.bytes_at(position + 8)?)),
                n_bytes => (8, u64::from(n_bytes)),
            };
            if n_bytes < n_header {
                break;
            }
            self.claimed_end = position.saturating_add(n_bytes);
            let box_end = self.claimed_end.min(end);
            found.push(Mp4Box {
                kind,
                start: (position + n_header).min(box_end),
                end: box_end,
            });
            position = box_end;
        }
        Ok(found)
    }

    /// The field after the two times of `mvhd`, `mdhd` and `tkhd`, which are longer in version 1:
    /// time scale or track identifier.
    fn versioned_u32(&mut self, header: Mp4Box) -> io::Result<u32> {
        let [version] = self.bytes_at(header.start)?;
        let offset = if version == 1 { 20 } else { 12 };
        self.bytes_at(header.start + offset).map(u32::from_be_bytes)
    }

    /// The first entry that has sound. Of a recording put together of several stretches all is read that
    /// follows the earliest one's beginning: what an editor left out is heard rather than anything lost.
    fn edit_list(&mut self, list: Mp4Box) -> io::Result<Option<(u64, u64)>> {
        let [version, _, _, _, count @ ..] = self.bytes_at::<8>(list.start)?;
        let n_entries = u32::from_be_bytes(count).min(16);
        let mut position = list.start + 8;
        let mut found = None;
        for _ in 0..n_entries {
            let (length, first, n_bytes) = match version {
                1 => {
                    let length = u64::from_be_bytes(self.bytes_at(position)?);
                    (length, i64::from_be_bytes(self.bytes_at(position + 8)?), 20)
                }
                _ => {
                    let length = u32::from_be_bytes(self.bytes_at(position)?);
                    let first = i32::from_be_bytes(self.bytes_at(position + 4)?);
                    (length.into(), first.into(), 12)
                }
            };
            // An entry from -1 is a pause before the sound.
            if let Ok(first) = u64::try_from(first) {
                found = match found {
                    None => Some((length, first)),
                    Some((_, earlier)) => Some((0, first.min(earlier))),
                };
            }
            position += n_bytes;
        }
        Ok(found)
    }

    fn bytes_at<const N: usize>(&mut self, position: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.seek(SeekFrom::Start(position))?;
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Track {
    fn edit(&self, movie_timescale: u32) -> Option<Edit> {
        let (length, n_skipped) = self.edit?;
        let n_frames = u128::from(length) * u128::from(self.timescale);
        let n_frames = n_frames.checked_div(movie_timescale.into()).unwrap_or(0);
        Some(Edit {
            n_skipped,
            // Fragmented files and some writers state 0 for "all of it".
            n_frames: u64::try_from(n_frames)
                .ok()
                .filter(|&n_frames| n_frames > 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn part(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes(), &kind[..], body].concat()
    }

    /// A header of version 0, its field behind the two times.
    fn header(kind: &[u8; 4], field: u32) -> Vec<u8> {
        part(kind, &[&[0; 12][..], &field.to_be_bytes()].concat())
    }

    /// A movie of milliseconds with one track, number 7, of 8 kHz.
    fn movie(entries: &[(u32, i32)]) -> Vec<u8> {
        let mut list = [[0; 4], (entries.len() as u32).to_be_bytes()].concat();
        for (length, first) in entries {
            list.extend(length.to_be_bytes());
            list.extend(first.to_be_bytes());
            list.extend([0, 1, 0, 0]);
        }
        let track = [
            header(b"tkhd", 7),
            part(b"edts", &part(b"elst", &list)),
            part(b"mdia", &header(b"mdhd", 8_000)),
        ];
        let movie = [header(b"mvhd", 1_000), part(b"trak", &track.concat())];
        [part(b"ftyp", b"M4A "), part(b"moov", &movie.concat())].concat()
    }

    #[test]
    fn sound_begins_where_the_first_entry_with_sound_does() {
        for (entries, n_frames) in [
            (&[(1_000, 1_024)][..], Some(8_000)),
            (&[(500, -1), (1_000, 1_024)], Some(8_000)),
            (&[(0, 1_024)], None),
            (&[(1_000, 1_024), (2_000, 50_000)], None),
        ] {
            let bytes = Cursor::new(movie(entries));
            let mut source = Source::new(Box::new(bytes), "x".into()).unwrap();
            let edit = Edit {
                n_skipped: 1_024,
                n_frames,
            };
            assert_eq!(read_edits(&mut source).unwrap(), [(7, edit)], "{entries:?}");
        }
    }
}

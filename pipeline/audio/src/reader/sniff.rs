//! The container by the first bytes of a file. Names lie: recorders write `.wav` around anything.

use std::io::{Seek, SeekFrom};

use super::source::{Source, header_error};
use crate::error::{AudioError, Container};

/// Bytes looked at; MPEG frames may begin after this much of something else.
const HEAD_BYTES: usize = 64 * 1024;
/// ID3 tags skipped one after the other.
const TAGS_LIMIT: usize = 8;
/// Kilobits a second of MPEG layer III by index (ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-3).
const KBITS_MPEG1: [u32; 15] = [
    0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
];
const KBITS_MPEG2: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
/// First bytes of things that are no sound this program reads, and their names.
const OTHER_FILES: &[(&[u8], &str)] = &[
    (b"RIFX", "a big-endian WAV (RIFX)"),
    (b"RIFF", "a RIFF file of another kind than WAVE"),
    (b"#!AMR", "AMR speech"),
    (b".snd", "a Sun audio file"),
    (b"caff", "a Core Audio file"),
    (b"wvpk", "WavPack"),
    (b"MAC ", "Monkey's Audio"),
    (b"\x30\x26\xb2\x75", "Windows Media (ASF)"),
    (b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (b"MThd", "MIDI notes"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database"),
];

/// Finds the container; the source is narrowed to begin with it.
pub(super) fn sniff(source: &mut Source) -> Result<Container, AudioError> {
    for _ in 0..TAGS_LIMIT {
        let head = read_head(source)?;
        let Some(tag_bytes) = id3_bytes(&head) else {
            return recognise(source, &head);
        };
        if tag_bytes >= source.n_bytes() {
            let n_bytes = source.n_bytes();
            let value = format!("{tag_bytes} of {n_bytes} bytes");
            let expected = "less than the file";
            return Err(header_error(
                source,
                Container::Mp3,
                "ID3 tag",
                value,
                expected,
            ));
        }
        narrow(source, tag_bytes)?;
    }
    let expected = "one tag";
    Err(header_error(
        source,
        Container::Mp3,
        "ID3 tags",
        "more than 8",
        expected,
    ))
}

fn recognise(source: &mut Source, head: &[u8]) -> Result<Container, AudioError> {
    if let Some(container) = by_magic(head) {
        return Ok(container);
    }
    if is_adts(head) {
        return Ok(Container::Adts);
    }
    if other_file(head).is_none()
        && let Some(start) = find_mpeg_frames(head)
    {
        narrow(source, start as u64)?;
        return Ok(Container::Mp3);
    }
    Err(AudioError::NotAudio {
        name: source.name().to_owned(),
        looks_like: other_file(head).unwrap_or("binary data of no known kind"),
    })
}

fn by_magic(head: &[u8]) -> Option<Container> {
    let at = |start: usize| head.get(start..start + 4);
    match (at(0)?, at(8)) {
        (b"RIFF" | b"RF64" | b"BW64", Some(b"WAVE")) => return Some(Container::Wav),
        (b"FORM", Some(b"AIFF" | b"AIFC")) => return Some(Container::Aiff),
        (b"fLaC", _) => return Some(Container::Flac),
        (b"OggS", _) => return Some(Container::Ogg),
        _ => {}
    }
    match at(4)? {
        b"ftyp" | b"moov" | b"mdat" | b"wide" => Some(Container::Mp4),
        _ => None,
    }
}

fn other_file(head: &[u8]) -> Option<&'static str> {
    let known = OTHER_FILES
        .iter()
        .find(|(magic, _)| head.starts_with(magic));
    if let Some((_, name)) = known {
        return Some(name);
    }
    if head.iter().all(|&byte| byte == 0) {
        return Some("nothing but zero bytes");
    }
    let is_text = |text: &str| text.chars().all(|c| !c.is_control() || c.is_whitespace());
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character may be cut.
        Err(error) if head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("\0")
        }
        Err(_) => return None,
    };
    let begins_as_markup = text.trim_start().starts_with('<');
    if text.is_empty() || !is_text(text) {
        return None;
    }
    Some(match begins_as_markup {
        true => "a web page or XML",
        false => "text",
    })
}

/// Size of an ID3v2 tag at the start (id3v2.4.0-structure, 3.1): 7 bits a byte.
fn id3_bytes(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', _, _, flags, size @ ..] = head else {
        return None;
    };
    let size = size.first_chunk::<4>()?;
    let n_bytes = size
        .iter()
        .fold(0, |sum, &byte| sum << 7 | u64::from(byte & 0x7f));
    let footer_bytes = if flags & 0x10 != 0 { 10 } else { 0 };
    Some(10 + n_bytes + footer_bytes)
}

/// An ADTS header (ISO/IEC 13818-7, 6.2.1), and another one where it says.
fn is_adts(head: &[u8]) -> bool {
    let frame_bytes = |head: &[u8]| match head {
        [0xff, b1, b2, b3, b4, b5, ..] if b1 & 0xf6 == 0xf0 && (b2 >> 2) & 15 < 13 => {
            let n_bytes = usize::from(b3 & 3) << 11 | usize::from(*b4) << 3 | usize::from(b5 >> 5);
            (n_bytes > 7).then_some(n_bytes)
        }
        _ => None,
    };
    let Some(n_bytes) = frame_bytes(head) else {
        return false;
    };
    head.len() <= n_bytes || head.get(n_bytes..).and_then(frame_bytes).is_some()
}

/// The first of two layer III frames in a row that agree in version and rate.
fn find_mpeg_frames(head: &[u8]) -> Option<usize> {
    (0..head.len().saturating_sub(3)).find(|&start| {
        let Some(first) = MpegHeader::parse(&head[start..]) else {
            return false;
        };
        match head.get(start + first.frame_bytes..) {
            Some(next) if next.len() >= 4 => {
                MpegHeader::parse(next).is_some_and(|next| next.signature == first.signature)
            }
            // A file of a single frame, whole or cut.
            _ => start == 0,
        }
    })
}

struct MpegHeader {
    /// Version and rate index.
    signature: u8,
    frame_bytes: usize,
}

impl MpegHeader {
    fn parse(head: &[u8]) -> Option<Self> {
        let [0xff, b1, b2, _, ..] = head else {
            return None;
        };
        let (version, layer) = ((b1 >> 3) & 3, (b1 >> 1) & 3);
        let (kbits_idx, rate_idx) = (usize::from(b2 >> 4), usize::from((b2 >> 2) & 3));
        let is_layer3 = b1 >> 5 == 7 && version != 1 && layer == 1;
        if !is_layer3 || kbits_idx == 0 || kbits_idx == 15 || rate_idx == 3 {
            return None;
        }
        let rate_hz = [44_100, 48_000, 32_000][rate_idx];
        let (n_bytes, padding) = match version {
            3 => (144_000 * KBITS_MPEG1[kbits_idx] / rate_hz, b2 >> 1 & 1),
            2 => (72_000 * KBITS_MPEG2[kbits_idx] / (rate_hz / 2), b2 >> 1 & 1),
            _ => (72_000 * KBITS_MPEG2[kbits_idx] / (rate_hz / 4), b2 >> 1 & 1),
        };
        Some(Self {
            signature: version << 2 | rate_idx as u8,
            frame_bytes: n_bytes as usize + usize::from(padding),
        })
    }
}

fn read_head(source: &mut Source) -> Result<Vec<u8>, AudioError> {
    let mut head = vec![0; HEAD_BYTES];
    let n_read = source.read_full(&mut head).and_then(|n_read| {
        source.seek(SeekFrom::Start(0))?;
        Ok(n_read)
    });
    let n_read = n_read.map_err(|error| source.read_error(error))?;
    head.truncate(n_read);
    Ok(head)
}

fn narrow(source: &mut Source, start: u64) -> Result<(), AudioError> {
    let narrowed = source.narrow(start, u64::MAX);
    narrowed.map_err(|error| source.read_error(error))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn check(bytes: &[u8], expected: Result<Container, &str>) {
        let mut source = Source::new(Box::new(Cursor::new(bytes.to_vec())), "x".into()).unwrap();
        match (sniff(&mut source), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(AudioError::NotAudio { looks_like, .. }), Err(expected)) => {
                assert_eq!(looks_like, expected);
            }
            (found, expected) => panic!("{found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn containers_by_their_first_bytes() {
        check(b"RIFF\0\0\0\0WAVE", Ok(Container::Wav));
        check(b"RF64\xff\xff\xff\xffWAVE", Ok(Container::Wav));
        check(b"FORM\0\0\0\0AIFF", Ok(Container::Aiff));
        check(b"\0\0\0\x20ftypM4A ", Ok(Container::Mp4));
        check(b"OggS\0", Ok(Container::Ogg));
        check(b"ID3\x04\0\0\0\0\0\x02xxfLaC", Ok(Container::Flac));
    }

    #[test]
    fn mpeg_frames_after_rubbish() {
        // MPEG-2 layer III, 8 kbit/s, 16 kHz: 36 bytes a frame.
        let frame = [&[0xff, 0xf3, 0x18, 0xc4][..], &[0; 32]].concat();
        check(
            &[&[1, 2, 0xff, 0xf3, 3][..], &frame, &frame].concat(),
            Ok(Container::Mp3),
        );
        check(
            &[&[1, 2][..], &frame, &[0; 99]].concat(),
            Err("binary data of no known kind"),
        );
    }

    #[test]
    fn other_files_are_named() {
        check("客户：你好\n".as_bytes(), Err("text"));
        check(b" <html>", Err("a web page or XML"));
        check(b"%PDF-1.7\n\xff\xfe", Err("a PDF document"));
        check(&[0; 5000], Err("nothing but zero bytes"));
        check(
            b"RIFF\0\0\0\0AVI LIST",
            Err("a RIFF file of another kind than WAVE"),
        );
        check(&[0x80, 1, 2], Err("binary data of no known kind"));
    }
}

//! Bodies of several parts (RFC 2046, section 5.1).

use std::fmt;

use super::MultipartError;
use crate::limits::Limits;
use crate::query::Shown;

/// What a part is that does not say (RFC 2046, section 5.1).
const DEFAULT_TYPE: &str = "text/plain";
/// Metadata of recording sessions (RFC 9806), and what they were called before (RFC 7866, section 9).
const METADATA_TYPES: [&str; 2] = ["application/rs-metadata+xml", "application/rs-metadata"];
/// What metadata are for, as `Content-Disposition` says it (RFC 7866, section 9).
const METADATA_DISPOSITION: &str = "recording-session";

/// One part of a body. `Debug` shows how long it is, and no bytes of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its media type, in small letters and without parameters; `text/plain` where it does not say.
    pub content_type: String,
    /// What it is for, in small letters and without parameters.
    pub disposition: Option<String>,
    /// Its id, without the angle brackets.
    pub content_id: Option<String>,
    /// Its bytes, without the line break before the boundary.
    pub body: &'a [u8],
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Part")
            .field("content_type", &Shown::new(&self.content_type))
            .field("n_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Takes a body apart. One that is not multipart is one part; a multipart one within a multipart one gives its parts in its
/// place. Lines end with CR and LF or with LF alone, and the last boundary may be missing.
///
/// # Errors
/// What is wrong with the body as a whole; one bad part is enough.
pub fn parts<'a>(
    content_type: &str,
    body: &'a [u8],
    limits: &Limits,
) -> Result<Vec<Part<'a>>, MultipartError> {
    if content_type.len() > limits.part_header_bytes {
        return Err(headers_too_long(limits));
    }
    let whole = Headers {
        content_type: content_type.trim().to_owned(),
        ..Headers::default()
    };
    if !whole.is_multipart() {
        return Ok(vec![whole.part(body)]);
    }
    let mut found = Vec::new();
    for (headers, body) in entities(&whole, body, limits)? {
        if !headers.is_multipart() {
            found.push(headers.part(body));
            continue;
        }
        for (headers, body) in entities(&headers, body, limits)? {
            if headers.is_multipart() {
                return Err(MultipartError::Nested);
            }
            found.push(headers.part(body));
        }
    }
    match found.len() > limits.body_parts {
        true => Err(too_many_parts(limits)),
        false => Ok(found),
    }
}

/// The session description of a body.
pub fn find_sdp<'p, 'a>(parts: &'p [Part<'a>]) -> Option<&'p Part<'a>> {
    parts
        .iter()
        .find(|part| part.content_type == "application/sdp")
}

/// The metadata of a body: what is said to be that, else what is for a recording session, else XML of any kind that has
/// a recording in it.
pub fn find_metadata<'p, 'a>(parts: &'p [Part<'a>]) -> Option<&'p Part<'a>> {
    let ranked = parts
        .iter()
        .filter_map(|part| Some((metadata_rank(part)?, part)));
    let (_, part) = ranked.min_by_key(|(rank, _)| *rank)?;
    Some(part)
}

/// How sure it is that a part is metadata; 0 is surest.
fn metadata_rank(part: &Part<'_>) -> Option<u8> {
    let content_type = part.content_type.as_str();
    let is_xml = content_type.ends_with("/xml") || content_type.ends_with("+xml");
    let has_recording = || part.body.windows(9).any(|bytes| bytes == b"recording");
    match part.disposition.as_deref() {
        _ if METADATA_TYPES.contains(&content_type) => Some(0),
        _ if content_type == "application/sdp" => None,
        Some(METADATA_DISPOSITION) => Some(1),
        _ if is_xml && has_recording() => Some(2),
        _ => None,
    }
}

/// Headers of a part that matter.
#[derive(Default)]
struct Headers {
    content_type: String,
    disposition: Option<String>,
    content_id: Option<String>,
}

impl Headers {
    fn is_multipart(&self) -> bool {
        plain(&self.content_type).starts_with("multipart/")
    }

    fn part(self, body: &[u8]) -> Part<'_> {
        let content_type = plain(&self.content_type);
        Part {
            content_type: match content_type.is_empty() {
                true => DEFAULT_TYPE.to_owned(),
                false => content_type,
            },
            disposition: self.disposition,
            content_id: self.content_id,
            body,
        }
    }

    fn note(&mut self, line: &str) -> Result<(), MultipartError> {
        let Some((name, value)) = line.split_once(':') else {
            return Ok(());
        };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "content-type" => self.content_type = value.to_owned(),
            "content-disposition" => self.disposition = Some(plain(value)),
            "content-id" => {
                let id = value.trim_start_matches('<').trim_end_matches('>');
                self.content_id = Some(id.to_owned());
            }
            "content-transfer-encoding" if !is_as_it_is(value) => {
                let got = Shown::new(value);
                return Err(MultipartError::TransferEncoding { got });
            }
            _ => {}
        }
        Ok(())
    }
}

fn is_as_it_is(encoding: &str) -> bool {
    let known = ["", "7bit", "8bit", "binary"];
    known
        .iter()
        .any(|known| encoding.eq_ignore_ascii_case(known))
}

/// A value without its parameters, in small letters.
fn plain(value: &str) -> String {
    let value = value.split(';').next().unwrap_or_default();
    value.trim().to_ascii_lowercase()
}

/// Headers and bytes of each part.
fn entities<'a>(
    of: &Headers,
    body: &'a [u8],
    limits: &Limits,
) -> Result<Vec<(Headers, &'a [u8])>, MultipartError> {
    let boundary = parameter(&of.content_type, "boundary").unwrap_or_default();
    if boundary.is_empty() {
        return Err(MultipartError::NoBoundary);
    }
    let pieces = pieces(&boundary, body, limits)?;
    pieces
        .into_iter()
        .map(|piece| entity(piece, limits))
        .collect()
}

/// What a line is that begins with the boundary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Another part follows.
    Next,
    /// No part follows.
    Last,
}

impl Mark {
    fn of(line: &[u8], delimiter: &[u8]) -> Option<Self> {
        match line.strip_prefix(delimiter)?.trim_ascii_end() {
            b"" => Some(Self::Next),
            b"--" => Some(Self::Last),
            _ => None,
        }
    }
}

/// What lies between the boundaries.
fn pieces<'a>(
    boundary: &str,
    body: &'a [u8],
    limits: &Limits,
) -> Result<Vec<&'a [u8]>, MultipartError> {
    let delimiter = format!("--{boundary}");
    let mut found = Vec::new();
    let mut begins_at = None;
    let mut at = 0_usize;
    for line in lines(body) {
        let next = at.saturating_add(line.len());
        if let Some(mark) = Mark::of(line, delimiter.as_bytes()) {
            found.extend(begins_at.map(|from| without_line_break(between(body, from, at))));
            begins_at = (mark == Mark::Next).then_some(next);
            if mark == Mark::Last {
                break;
            }
        }
        if found.len() > limits.body_parts {
            return Err(too_many_parts(limits));
        }
        at = next;
    }
    // Some equipment leaves the last boundary out, or writes it like the others.
    let rest = begins_at.map(|from| between(body, from, body.len()));
    found.extend(rest.filter(|rest| !rest.trim_ascii().is_empty()));
    match found.is_empty() {
        true => Err(MultipartError::NoParts),
        false => Ok(found),
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

fn between(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from..to).unwrap_or_default()
}

fn without_line_break(bytes: &[u8]) -> &[u8] {
    let bare = bytes
        .strip_suffix(b"\r\n")
        .or_else(|| bytes.strip_suffix(b"\n"));
    bare.unwrap_or(bytes)
}

/// Takes the headers off a part. A line that begins with space goes on where the one before it ended.
fn entity<'a>(piece: &'a [u8], limits: &Limits) -> Result<(Headers, &'a [u8]), MultipartError> {
    let mut n_bytes = 0_usize;
    let mut unfolded: Vec<String> = Vec::new();
    for line in lines(piece) {
        n_bytes = n_bytes.saturating_add(line.len());
        if n_bytes > limits.part_header_bytes {
            return Err(headers_too_long(limits));
        }
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        if text.is_empty() {
            break;
        }
        match unfolded.last_mut() {
            Some(last) if text.starts_with([' ', '\t']) => last.push_str(&text),
            _ => unfolded.push(text.into_owned()),
        }
    }
    let mut headers = Headers::default();
    for line in &unfolded {
        headers.note(line)?;
    }
    Ok((headers, between(piece, n_bytes, piece.len())))
}

/// The value of a parameter, without its quotes (RFC 2045, section 5.1).
fn parameter(header: &str, name: &str) -> Option<String> {
    let (_, mut rest) = header.split_once(';')?;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(after) => quoted(after),
            None => {
                let value = after.split(';').next().unwrap_or_default();
                (value.trim_end().to_owned(), after)
            }
        };
        // Before the key may stand parameters without a value.
        let key = key.rsplit(';').next().unwrap_or_default();
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        (_, rest) = next.split_once(';')?;
    }
}

/// What stands up to the closing quote, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '"' => break,
            '\\' => value.extend(chars.next()),
            _ => value.push(ch),
        }
    }
    (value, chars.as_str())
}

fn headers_too_long(limits: &Limits) -> MultipartError {
    MultipartError::HeadersTooLong {
        limit_bytes: limits.part_header_bytes,
    }
}

fn too_many_parts(limits: &Limits) -> MultipartError {
    MultipartError::TooManyParts {
        limit: limits.body_parts,
    }
}

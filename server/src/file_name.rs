//! Names of files made from names of calls, and names of calls made from names of files: safe, short
//! enough for a file system, and text whatever bytes the file system has.

use std::ffi::OsStr;
use std::fmt::Write;

use auricle_contracts::CallId;
use auricle_models::registry::hex;
use sha2::{Digest, Sha256};

/// File systems take 255 bytes (NAME_MAX); five are left for the longest ending, `.json`.
const MAX_STEM_BYTES: usize = 250;
/// Longer ids are not imported; a name of a file is never longer, but as text it may be.
const MAX_ID_BYTES: usize = 255;
/// Digits of a checksum that tell two long names apart.
const HASH_DIGITS: usize = 8;

/// A file's name for a call, without ending: the id without what a file system or a path would take
/// amiss. Of an id too long for a file's name it is the beginning, with digits of its checksum.
pub(crate) fn file_stem(call_id: &CallId) -> String {
    let safe = |letter: char| match letter {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
        letter if letter.is_control() => '_',
        letter => letter,
    };
    let stem = call_id.0.chars().map(safe).collect::<String>();
    match stem.as_str() {
        "" | "." | ".." => "_".to_owned(),
        _ if stem.len() > MAX_STEM_BYTES => with_suffix(&stem, &digits(&stem, HASH_DIGITS)),
        _ => stem,
    }
}

/// `stem-suffix`; of a stem too long for that, the beginning.
pub(crate) fn with_suffix(stem: &str, suffix: &str) -> String {
    let room = MAX_STEM_BYTES.saturating_sub(suffix.len() + 1);
    format!("{}-{suffix}", &stem[..stem.floor_char_boundary(room)])
}

/// A path or a part of one as text. In a name that is no UTF-8, as archives from Windows leave them,
/// bytes beyond ASCII become `%B5`: two names stay two, and what happens to look like UTF-8 in them is
/// not taken for letters. To be shown and stored; what opens the file is the path itself.
pub(crate) fn path_text(path: &OsStr) -> String {
    let names = path.as_encoded_bytes().split(|byte| *byte == b'/');
    names.map(name_text).collect::<Vec<_>>().join("/")
}

fn name_text(name: &[u8]) -> String {
    if let Ok(text) = str::from_utf8(name) {
        return text.to_owned();
    }
    let mut text = String::new();
    for byte in name {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            // Writing to a text does not fail.
            _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// A call's name after a file's stem: without control characters, never blank, and not too long. Stems
/// that were different may meet here.
pub(crate) fn call_name(stem: &OsStr) -> String {
    let clean = |letter: char| if letter.is_control() { '_' } else { letter };
    let name = path_text(stem).chars().map(clean).collect::<String>();
    if name.trim().is_empty() {
        return "_".to_owned();
    }
    if name.len() > MAX_ID_BYTES {
        return with_suffix(&name, &digits(&name, HASH_DIGITS));
    }
    name
}

/// The first digits of a text's SHA-256.
pub(crate) fn digits(text: impl AsRef<[u8]>, n_digits: usize) -> String {
    let mut digits = hex(&Sha256::digest(text));
    digits.truncate(n_digits);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stem(id: &str) -> String {
        file_stem(&CallId(id.to_owned()))
    }

    #[test]
    fn stems_stay_in_their_folder() {
        let check = |id: &str, expected| assert_eq!(stem(id), expected);
        check("../../etc/passwd", ".._.._etc_passwd");
        check("..", "_");
        check("", "_");
        check("客户 投诉 01", "客户 投诉 01");
        check("a\0b", "a_b");
    }

    #[test]
    #[cfg(unix)]
    fn names_of_calls_are_text_that_import_takes() {
        use std::os::unix::ffi::OsStrExt;
        let check = |stem: &[u8], expected: &str| {
            assert_eq!(call_name(OsStr::from_bytes(stem)), expected);
        };
        check("客户 一".as_bytes(), "客户 一");
        check(b"a\nb\x1b[1m", "a_b_[1m");
        check(b" ", "_");
        assert_eq!(
            path_text(OsStr::from_bytes(b"/\xe5\xae\xa2/\xbf.wav")),
            "/客/%BF.wav"
        );
        // 客户 as GBK has it.
        check(b"\xbf\xcd\xbb\xa7 1", "%BF%CD%BB%A7 1");
        let (one, two) = (
            [&[0xbf; 200][..], b"1"].concat(),
            [&[0xbf; 200][..], b"2"].concat(),
        );
        let names = [one, two].map(|stem| call_name(OsStr::from_bytes(&stem)));
        assert!(
            names[0] != names[1] && names[0].len() <= MAX_ID_BYTES,
            "{names:?}"
        );
    }

    #[test]
    fn long_names_are_cut_between_characters_and_stay_different() {
        let fits = "字".repeat(82);
        assert_eq!(stem(&fits), fits);
        let long = "字".repeat(100);
        let (one, two) = (stem(&format!("{long}1")), stem(&format!("{long}2")));
        assert!(
            one.starts_with("字字") && one.len() <= MAX_STEM_BYTES,
            "{one}"
        );
        assert_ne!(one, two);
        assert_eq!(stem(&one), one);
        let suffixed = with_suffix(&fits, "12345678");
        assert!(suffixed.ends_with("字-12345678"), "{suffixed}");
        assert!(suffixed.len() <= MAX_STEM_BYTES, "{}", suffixed.len());
    }
}

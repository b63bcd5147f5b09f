//! Text that people write in editors and spreadsheets.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The first bytes of a file: all of them, or `most` of one that is longer, endless devices included.
pub(crate) fn read_at_most(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(most as u64)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a text. The mistake that is met most is a table or list that was saved in the encoding of
/// Windows.
pub(crate) fn read_text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|cause| format!("cannot be read: {cause}"))?;
    String::from_utf8(bytes).map_err(|cause| {
        let good = &cause.as_bytes()[..cause.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("not UTF-8 in line {line}\nhint: save it as UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_is_wanted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "12345").unwrap();
        assert_eq!(read_at_most(file.path(), 9).unwrap(), b"12345");
        assert_eq!(read_at_most(file.path(), 3).unwrap(), b"123");
        // It has no end.
        let zeros = Path::new("/dev/zero");
        assert!(!zeros.exists() || read_at_most(zeros, 7).unwrap() == [0; 7]);
    }

    #[test]
    fn other_encodings_are_named_with_their_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "file\n客户\n").unwrap();
        assert_eq!(read_text(file.path()).unwrap(), "file\n客户\n");
        // The same as GBK has it.
        fs::write(file.path(), b"file\n\xbf\xcd\xbb\xa7\n").unwrap();
        let error = read_text(file.path()).unwrap_err();
        assert_eq!(error, "not UTF-8 in line 2\nhint: save it as UTF-8");
        let error = read_text(Path::new("no such file")).unwrap_err();
        assert!(error.starts_with("cannot be read: "), "{error}");
    }
}

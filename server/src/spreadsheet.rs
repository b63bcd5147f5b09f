//! What spreadsheets make of comma separated values.

use std::borrow::Cow;

/// Excel takes a file without it for one of the system's old encoding, and shows Chinese as garbage.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A cell of text that no spreadsheet takes for a formula: what a caller said, or a file's name, must not run
/// where somebody opens an export. One that begins as formulas do gets an apostrophe before it. Numbers are no
/// text: `-1` stays what it is.
///
/// Source: OWASP, CSV Injection; with the full-width forms that spreadsheets take too.
pub(crate) fn text_cell(text: &str) -> Cow<'_, str> {
    const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    match text.starts_with(BEGINNINGS) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+8613800138000", "'+8613800138000"),
            ("-好", "'-好"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("＝1", "'＝1"),
            ("1=1", "1=1"),
            ("'=1", "'=1"),
            ("", ""),
        ] {
            assert_eq!(text_cell(text), expected);
        }
    }
}

//! Text for people: colour where it is seen, lines as wide as the window, times to play from.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use console::{Style, Term};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Lines are this wide where there is no window to ask.
const PLAIN_WIDTH: usize = 100;
/// Narrower windows are not worth wrapping for.
const MIN_WIDTH: usize = 40;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Standard output with what is known of it. Everything a command answers goes here; what it does
/// meanwhile goes to standard error.
pub(crate) struct Terminal {
    out: Box<dyn Write>,
    is_coloured: bool,
    /// Columns of a line.
    pub(crate) width: usize,
}

impl Terminal {
    /// The process's standard output.
    pub(crate) fn stdout(color: ColorChoice) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let width = match Term::stdout().size_checked() {
            Some((_, columns)) if is_terminal => usize::from(columns).max(MIN_WIDTH),
            _ => PLAIN_WIDTH,
        };
        let is_coloured = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none(),
        };
        Self {
            out: Box::new(io::BufWriter::new(io::stdout().lock())),
            is_coloured,
            width,
        }
    }

    /// What is written is not kept.
    pub(crate) fn nowhere() -> Self {
        Self {
            out: Box::new(io::sink()),
            is_coloured: false,
            width: PLAIN_WIDTH,
        }
    }

    /// Without colour, into what is given.
    #[cfg(test)]
    pub(crate) fn plain(out: Box<dyn Write>) -> Self {
        Self {
            out,
            ..Self::nowhere()
        }
    }

    /// Whether what is painted is seen.
    pub(crate) const fn is_coloured(&self) -> bool {
        self.is_coloured
    }

    /// The text in a style, where there is colour.
    pub(crate) fn paint<T: Display>(&self, style: &Style, text: T) -> String {
        if self.is_coloured {
            style.clone().force_styling(true).apply_to(text).to_string()
        } else {
            text.to_string()
        }
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a line to standard error: what a command does meanwhile, and what went wrong. A closed
/// standard error stops nothing.
macro_rules! say {
    ($($part:tt)*) => {
        $crate::terminal::say_line(format_args!($($part)*))
    };
}
pub(crate) use say;

/// See [`say`]. The one place that everything on standard error goes through: names of files and
/// causes may be anybody's, so nothing in them reaches the terminal but text and ends of lines.
pub(crate) fn say_line(line: fmt::Arguments<'_>) {
    let _ = writeln!(
        io::stderr().lock(),
        "{}",
        printable_lines(&line.to_string())
    );
}

/// A place in a recording: `1:02.3`, `1:00:05.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlayTime(pub(crate) u64);

impl Display for PlayTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0 / 100;
        let (hours, minutes) = (tenths / 36_000, tenths / 600 % 60);
        let (seconds, tenth) = (tenths / 10 % 60, tenths % 10);
        let text = match hours {
            0 => format!("{minutes}:{seconds:02}.{tenth}"),
            _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenth}"),
        };
        out.pad(&text)
    }
}

/// How long something is, for people, to the nearest second: `8 s`, `3 min 20 s`, `2 h 05 min`; `under 1 s` for what
/// is short and not nothing.
pub(crate) fn duration_text(ms: u64) -> String {
    let secs = ms.saturating_add(500) / 1000;
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, 0) if ms > 0 => "under 1 s".to_owned(),
        (0, 0, secs) => format!("{secs} s"),
        (0, minutes, secs) => format!("{minutes} min {secs:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// `1 call`, `2 calls`.
pub(crate) fn count(n_things: impl Into<u64>, thing: &str) -> String {
    match n_things.into() {
        1 => format!("1 {thing}"),
        n_things => format!("{n_things} {thing}s"),
    }
}

/// The text with spaces after it up to `width` columns; hanzi take two.
pub(crate) fn pad_to(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// Takes the control characters out of what others wrote: a file's name must not move the cursor, nor
/// turn the direction of the text around it.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// The same for a text of several lines: they stay lines.
pub(crate) fn printable_lines(text: &str) -> String {
    let shown = |letter| {
        if letter == '\n' {
            letter
        } else {
            shown(letter)
        }
    };
    text.chars().map(shown).collect()
}

fn shown(letter: char) -> char {
    // Bidirectional embeddings, overrides and isolates (Unicode Standard Annex 9) are no controls.
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if letter.is_control() || turns {
        '\u{fffd}'
    } else {
        letter
    }
}

/// What a highlight begins and ends with until it is painted: from Unicode's private use area, without
/// columns of its own.
pub(crate) const OPEN_MARK: char = '\u{e000}';
/// See [`OPEN_MARK`].
pub(crate) const CLOSE_MARK: char = '\u{e001}';

/// Columns that a letter takes.
fn columns_of(letter: char) -> usize {
    match letter {
        OPEN_MARK | CLOSE_MARK => 0,
        letter => letter.width().unwrap_or(0),
    }
}

/// Breaks a text into lines of at most `width` columns: at spaces where there are any near, else
/// between hanzi; never before closing punctuation.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(4);
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for letter in printable(text).chars() {
        let columns = columns_of(letter);
        let hangs = "，。？！、；：,.?!;:）)》”】".contains(letter);
        if used + columns > width && !hangs {
            let rest = split_last_word(&mut line, width);
            lines.push(std::mem::replace(&mut line, rest).trim_end().to_owned());
            used = line.chars().map(columns_of).sum();
            if letter == ' ' && line.is_empty() {
                continue;
            }
        }
        line.push(letter);
        used += columns;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Takes the word that was begun off a full line, unless it fills most of it.
fn split_last_word(line: &mut String, width: usize) -> String {
    let is_latin_end = line
        .chars()
        .next_back()
        .is_some_and(|last| last.is_ascii_alphanumeric());
    match line.rfind(' ') {
        Some(space) if is_latin_end && space > width / 2 => {
            let rest = line[space + 1..].to_owned();
            line.truncate(space);
            rest
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_to_play_from() {
        assert_eq!(PlayTime(0).to_string(), "0:00.0");
        assert_eq!(PlayTime(62_345).to_string(), "1:02.3");
        assert_eq!(PlayTime(3_605_000).to_string(), "1:00:05.0");
        assert_eq!(format!("{:>8}|", PlayTime(62_345)), "  1:02.3|");
    }

    #[test]
    fn durations() {
        assert_eq!(duration_text(0), "0 s");
        assert_eq!(duration_text(400), "under 1 s");
        assert_eq!(duration_text(500), "1 s");
        assert_eq!(duration_text(7_200), "7 s");
        assert_eq!(duration_text(7_500), "8 s");
        assert_eq!(duration_text(200_000), "3 min 20 s");
        assert_eq!(duration_text(7_500_000), "2 h 05 min");
    }

    #[test]
    fn wraps_hanzi_by_columns_and_latin_by_words() {
        assert_eq!(wrap("您好请问有什么", 8), ["您好请问", "有什么"]);
        assert_eq!(wrap("您好请问，有什么", 8), ["您好请问，", "有什么"]);
        assert_eq!(
            wrap("please hold the line", 12),
            ["please hold", "the line"]
        );
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn marks_of_highlights_take_no_columns() {
        let marked = format!("您{OPEN_MARK}好{CLOSE_MARK}{OPEN_MARK}请{CLOSE_MARK}问有");
        let lines = wrap(&marked, 8);
        assert_eq!(lines[0], marked.trim_end_matches('有'));
        assert_eq!(lines[1], "有");
    }

    #[test]
    fn file_names_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(printable("a\u{202e}vaw.b"), "a\u{fffd}vaw.b");
        assert_eq!(
            printable_lines("a\u{7}: no\nhint: b\r"),
            "a\u{fffd}: no\nhint: b\u{fffd}"
        );
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_letter(text in "[a-z 您好请问，。]{0,80}", width in 4_usize..40) {
            let joined = wrap(&text, width).concat();
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&joined), bare(&text));
        }
    }
}

//! What is wrong with a pack: where, why, and what to do.

use std::fmt;

/// A place in a file, line and column counted from 1; 0 stands for "the file as a whole".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which of the files a pack is made of: 0 for its own, then those it includes.
    pub file: u16,
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

/// Whether a pack can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The pack cannot be used.
    Error,
    /// The pack works; part of it has no effect.
    Warning,
}

/// One thing that is wrong with a pack. Shown as `FILE:LINE:COLUMN: error: CAUSE` and a line `hint: …`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The file's name as it was given.
    pub file: String,
    /// Where.
    pub place: Place,
    /// How bad.
    pub weight: Weight,
    /// What is wrong.
    pub cause: String,
    /// What to do; empty where the cause says it.
    pub hint: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        write!(out, "{}:", self.file)?;
        if self.place.line != 0 {
            write!(out, "{}:{}:", self.place.line, self.place.column)?;
        }
        write!(out, " {weight}: {}", self.cause)?;
        if !self.hint.is_empty() {
            write!(out, "\nhint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// Everything that is wrong with some packs, by file and place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, mistake) in self.0.iter().enumerate() {
            if place > 0 {
                out.write_str("\n")?;
            }
            mistake.fmt(out)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// More mistakes of one pack are not told.
const MOST_MISTAKES: usize = 200;

/// Takes down mistakes of one file, and of those it includes.
#[derive(Debug)]
pub(super) struct Notes {
    /// Never empty.
    files: Vec<String>,
    /// The file that is being read.
    current: u16,
    list: Vec<Mistake>,
}

impl Notes {
    pub(super) fn new(file: &str) -> Self {
        Self::of_files(file, &[])
    }

    /// Of a pack that was read, with what it includes.
    pub(super) fn of_files(own: &str, included: &[String]) -> Self {
        let own = std::iter::once(own.to_owned());
        Self {
            files: own.chain(included.iter().cloned()).collect(),
            current: 0,
            list: Vec::new(),
        }
    }

    /// Own file first.
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// What is read from now on stands in `file`; gives what to [`Self::leave`] to.
    pub(super) fn enter(&mut self, file: &str) -> u16 {
        let outer = self.current;
        self.current = u16::try_from(self.files.len()).unwrap_or(u16::MAX);
        self.files.push(file.to_owned());
        outer
    }

    pub(super) const fn leave(&mut self, outer: u16) {
        self.current = outer;
    }

    /// A place in the file that is being read.
    pub(super) const fn place(&self, line: u32, column: u32) -> Place {
        Place {
            file: self.current,
            line,
            column,
        }
    }

    fn file_of(&self, place: Place) -> &str {
        self.files
            .get(usize::from(place.file))
            .map_or("", |file| file)
    }

    /// `FILE:LINE:COLUMN`.
    pub(super) fn shown(&self, place: Place) -> String {
        format!("`{}:{}:{}`", self.file_of(place), place.line, place.column)
    }

    pub(super) fn error(
        &mut self,
        place: Place,
        cause: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Weight::Error, place, cause.into(), hint.into());
    }

    pub(super) fn warning(
        &mut self,
        place: Place,
        cause: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Weight::Warning, place, cause.into(), hint.into());
    }

    fn add(&mut self, weight: Weight, place: Place, cause: String, hint: String) {
        let mistake = Mistake {
            file: self.file_of(place).to_owned(),
            place,
            weight,
            cause,
            hint,
        };
        if self.list.len() < MOST_MISTAKES && !self.list.contains(&mistake) {
            self.list.push(mistake);
        }
    }

    /// Whether the file cannot be used.
    pub(super) fn has_errors(&self) -> bool {
        let mut list = self.list.iter();
        list.any(|mistake| mistake.weight == Weight::Error)
    }

    /// All of them, by place.
    pub(super) fn into_list(mut self) -> Vec<Mistake> {
        self.list.sort_by_key(|mistake| mistake.place);
        self.list
    }
}

/// The name that was likely meant by one that is not known.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter().map(|name| (edits(wrong, name), name));
    let (n_edits, name) = known.min_by_key(|(n_edits, _)| *n_edits)?;
    (n_edits <= 1 + wrong.chars().count().min(30) / 3).then_some(name)
}

/// A hint for a name that is not known: the nearest known one, or all of them where none is near.
pub(super) fn nearest_hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(wrong, known.iter().copied()) {
        _ if known.is_empty() => String::new(),
        Some(name) => format!("did you mean `{name}`?"),
        None if known.len() <= 24 => format!("known are `{}`", known.join("`, `")),
        None => format!("there are {} others, none of them near", known.len()),
    }
}

/// Letters that are looked at when two names are compared.
const MOST_NAME_LETTERS: usize = 64;

/// Letters to put in, take out or change to make one name of the other.
fn edits(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(MOST_NAME_LETTERS).collect();
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for (done, letter) in other.chars().take(MOST_NAME_LETTERS).enumerate() {
        let mut diagonal = row[0];
        row[0] = done + 1;
        for (place, &own) in one.iter().enumerate() {
            let changed = diagonal + usize::from(own != letter);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[one.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_name_is_proposed() {
        let known = ["says", "similar", "not_said", "silence"];
        let check = |wrong: &str, hint: &str| assert_eq!(nearest_hint(wrong, known), hint);
        check("say", "did you mean `says`?");
        check("not-said", "did you mean `not_said`?");
        check("silense", "did you mean `silence`?");
        check(
            "quantum",
            "known are `says`, `similar`, `not_said`, `silence`",
        );
        assert_eq!(nearest_hint("x", []), "");
    }

    #[test]
    fn mistakes_are_told_with_place_cause_and_hint() {
        let mut notes = Notes::new("a.yaml");
        notes.warning(Place::default(), "`words.a` is not used", "");
        let place = notes.place(3, 7);
        notes.error(place, "unknown key `wehn`", "did you mean `when`?");
        let place = notes.place(3, 7);
        notes.error(place, "unknown key `wehn`", "did you mean `when`?");
        assert!(notes.has_errors());
        assert_eq!(
            Mistakes(notes.into_list()).to_string(),
            "a.yaml: warning: `words.a` is not used\n\
             a.yaml:3:7: error: unknown key `wehn`\nhint: did you mean `when`?"
        );
    }
}

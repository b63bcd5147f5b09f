//! Globs that the shell did not read: which folders to enter, and which files are meant.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// A path with `*`, `?`, `[…]` or `{…}` in it.
pub(super) struct PathGlob {
    /// The folder to begin at: the parts before the first with a sign of a glob.
    pub(super) base: PathBuf,
    whole: GlobMatcher,
    /// The parts after the base, up to the first `**`.
    parts: Vec<Part>,
    /// Parts after the base; none where there may be any number.
    n_parts: Option<usize>,
    /// Whether names that begin with a dot are meant below `**`.
    deep_dots: Dots,
}

struct Part {
    glob: GlobMatcher,
    dots: Dots,
}

/// Whether a name that begins with a dot may be meant: only where the pattern has the dot itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dots {
    Meant,
    Hidden,
}

impl Dots {
    fn of(part: &str) -> Self {
        if part.starts_with('.') {
            Self::Meant
        } else {
            Self::Hidden
        }
    }

    fn allow(self, name: &str) -> bool {
        self == Self::Meant || !name.starts_with('.')
    }
}

impl PathGlob {
    /// `None` for a path without signs of a glob, or with signs that make no sense.
    pub(super) fn parse(path: &Path) -> Option<Self> {
        let given = path.iter().collect::<Vec<_>>();
        let n_base = given.iter().position(|part| is_pattern(part))?;
        let base = given[..n_base].iter().collect::<PathBuf>();
        let names = given[n_base..]
            .iter()
            .map(|part| part.to_str())
            .collect::<Option<Vec<_>>>()?;
        let is_here = base.as_os_str().is_empty();
        let base = if is_here { PathBuf::from(".") } else { base };
        // Alternatives may go over several parts: then the parts say nothing.
        let is_plain = !names
            .iter()
            .any(|name| name.contains(['{', '}']) && compile(name).is_none());
        let n_shallow = names.iter().position(|name| name.contains("**"));
        let n_shallow = if is_plain {
            n_shallow.unwrap_or(names.len())
        } else {
            0
        };
        let is_deep = n_shallow < names.len();
        let parts = names[..n_shallow].iter().map(|name| {
            Some(Part {
                glob: compile(name)?,
                dots: Dots::of(name),
            })
        });
        Some(Self {
            whole: compile(&base_and(&base, &names)?)?,
            parts: parts.collect::<Option<_>>()?,
            n_parts: (!is_deep).then_some(names.len()),
            deep_dots: match names[n_shallow..].iter().any(|name| name.starts_with('.')) {
                true => Dots::Meant,
                false => Dots::Hidden,
            },
            base,
        })
    }

    /// How far below the base there may be what is meant.
    pub(super) fn max_depth(&self) -> usize {
        self.n_parts.unwrap_or(usize::MAX)
    }

    /// Whether a path below the base is meant, or something below it may be.
    pub(super) fn may_match(&self, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(&self.base) else {
            return true;
        };
        if self
            .n_parts
            .is_some_and(|n_parts| below.iter().count() > n_parts)
        {
            return false;
        }
        below.iter().enumerate().all(|(part_idx, name)| {
            let name = name.to_string_lossy();
            match self.parts.get(part_idx) {
                Some(part) => part.dots.allow(&name) && part.glob.is_match(&*name),
                None => self.deep_dots.allow(&name),
            }
        })
    }

    /// Whether a path is meant.
    pub(super) fn is_match(&self, path: &Path) -> bool {
        self.whole.is_match(path) && self.may_match(path)
    }
}

fn is_pattern(part: &OsStr) -> bool {
    part.to_str()
        .is_some_and(|part| part.contains(['*', '?', '[', '{']))
}

/// The pattern as walking spells paths: the base, whose name may itself hold signs, taken literally.
fn base_and(base: &Path, names: &[&str]) -> Option<String> {
    let base = globset::escape(base.to_str()?);
    let slash = if base.ends_with('/') { "" } else { "/" };
    Some(format!("{base}{slash}{}", names.join("/")))
}

fn compile(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    Some(glob.ok()?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(glob: &str, path: &str, may_match: bool, is_match: bool) {
        let parsed = PathGlob::parse(Path::new(glob)).unwrap();
        let path = Path::new(path);
        let found = (parsed.may_match(path), parsed.is_match(path));
        assert_eq!(found, (may_match, is_match), "{glob} {}", path.display());
    }

    #[test]
    fn folders_are_entered_where_something_below_may_be_meant() {
        check("a/*/x*.wav", "a/b", true, false);
        check("a/*/x*.wav", "a/b/x1.wav", true, true);
        check("a/*/x*.wav", "a/b/y1.wav", false, false);
        check("a/*/x*.wav", "a/b/x1.wav/z", false, false);
        check("a/b*/x.wav", "a/c", false, false);
        check("a/**/x.wav", "a/c/d/e", true, false);
        check("a/**/x.wav", "a/c/d/x.wav", true, true);
        check("*.wav", "./x.wav", true, true);
        check("/*.wav", "/x.wav", true, true);
    }

    #[test]
    fn dots_are_meant_where_they_are_written() {
        check("a/*.wav", "a/.x.wav", false, false);
        check("a/.x*.wav", "a/.x1.wav", true, true);
        check("a/.*/x.wav", "a/.b/x.wav", true, true);
        check("a/**/*.wav", "a/.b/x.wav", false, false);
        check("a/**/.x.wav", "a/b/.x.wav", true, true);
    }

    #[test]
    fn alternatives_may_go_over_folders() {
        check("a/{b/x,c}.wav", "a/b/x.wav", true, true);
        check("a/{b/x,c}.wav", "a/c.wav", true, true);
        check("a/{x,y}.wav", "a/z.wav", false, false);
    }

    #[test]
    fn a_plain_path_is_no_glob() {
        assert!(PathGlob::parse(Path::new("a/b.wav")).is_none());
        assert!(PathGlob::parse(Path::new("a/[b.wav")).is_none());
    }
}

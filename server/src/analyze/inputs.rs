//! Which recordings are meant: files, folders and globs to a list of paths.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::glob::PathGlob;

/// Endings of files that a folder's recordings are picked by. A file that is named itself, or meets a
/// glob, is taken whatever its ending.
pub(crate) const ENDINGS: [&str; 14] = [
    "wav", "wave", "flac", "mp3", "m4a", "mp4", "aac", "ogg", "oga", "opus", "aif", "aiff", "aifc",
    "alac",
];

/// What was found, and what could not be looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// Each recording once, by path, as it was given.
    pub(crate) files: Vec<PathBuf>,
    /// Paths with the reason why nothing is known of them.
    pub(crate) failures: Vec<(PathBuf, String)>,
}

/// Looks at every path that was given. A path that exists is never read as a glob.
pub(crate) fn collect(given: &[PathBuf]) -> Inputs {
    let mut inputs = Inputs::default();
    for path in given {
        match fs::metadata(path) {
            Ok(known) if known.is_dir() => walk_folder(path, &mut inputs),
            Ok(_) => inputs.files.push(path.clone()),
            Err(cause) => match PathGlob::parse(path) {
                Some(glob) => walk_glob(path, &glob, &mut inputs),
                None => inputs.failures.push((path.clone(), cause.to_string())),
            },
        }
    }
    let mut seen = BTreeSet::new();
    inputs.files.retain(|path| seen.insert(absolute(path)));
    inputs.files.sort();
    inputs
}

/// The path without links and `..`; where that cannot be found out, the path itself.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

fn walk_folder(folder: &Path, inputs: &mut Inputs) {
    let is_shown = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !name.starts_with('.')
    };
    let walk = WalkDir::new(folder).follow_links(true);
    for entry in walk.into_iter().filter_entry(is_shown) {
        match entry {
            Ok(entry) if !entry.file_type().is_dir() && has_audio_ending(entry.path()) => {
                inputs.files.push(entry.into_path());
            }
            Ok(_) => {}
            Err(error) => inputs.failures.push(failure(&error, folder)),
        }
    }
}

/// Enters only folders below which the glob may match; what lies elsewhere may be unreadable.
fn walk_glob(given: &Path, glob: &PathGlob, inputs: &mut Inputs) {
    let n_before = inputs.files.len() + inputs.failures.len();
    let walk = WalkDir::new(&glob.base)
        .follow_links(true)
        .max_depth(glob.max_depth());
    let is_on_the_way = |entry: &DirEntry| glob.may_match(entry.path());
    for entry in walk.into_iter().filter_entry(is_on_the_way) {
        match entry {
            Ok(entry) if !entry.file_type().is_dir() && glob.is_match(entry.path()) => {
                inputs.files.push(entry.into_path());
            }
            Ok(_) => {}
            Err(error) if error.path().is_none_or(|path| glob.may_match(path)) => {
                inputs.failures.push(failure(&error, given));
            }
            Err(_) => {}
        }
    }
    if inputs.files.len() + inputs.failures.len() == n_before {
        let cause = "no file has a name like this".to_owned();
        inputs.failures.push((given.to_owned(), cause));
    }
}

fn failure(error: &walkdir::Error, given: &Path) -> (PathBuf, String) {
    let path = error.path().unwrap_or(given).to_owned();
    let cause = match error.io_error() {
        Some(cause) => cause.to_string(),
        None => "a link leads back to a folder above it".to_owned(),
    };
    (path, cause)
}

fn has_audio_ending(path: &Path) -> bool {
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        folder
    }

    fn check(folder: &tempfile::TempDir, given: &[&str], expected: &[&str]) -> Inputs {
        let given = given
            .iter()
            .map(|path| folder.path().join(path))
            .collect::<Vec<_>>();
        let inputs = collect(&given);
        let expected = expected
            .iter()
            .map(|path| folder.path().join(path))
            .collect::<Vec<_>>();
        assert_eq!(inputs.files, expected);
        inputs
    }

    #[test]
    fn folders_are_searched_for_audio_and_files_are_taken_as_they_are() {
        let names = [
            "a/客户 一.WAV",
            "a/b/c.mp3",
            "a/notes.txt",
            "a/.hidden.wav",
            "raw.bin",
        ];
        let folder = folder_with(&names);
        let inputs = check(
            &folder,
            &["a", "raw.bin"],
            &["a/b/c.mp3", "a/客户 一.WAV", "raw.bin"],
        );
        assert_eq!(inputs.failures, []);
    }

    #[test]
    fn each_recording_comes_once() {
        let folder = folder_with(&["a/x.wav", "a/y.wav"]);
        check(
            &folder,
            &["a", "a/../a/x.wav", "a/*.wav"],
            &["a/x.wav", "a/y.wav"],
        );
    }

    #[test]
    fn globs() {
        let folder = folder_with(&["a/x1.wav", "a/x2.wav", "a/b/x3.wav", "a/y.wav"]);
        check(&folder, &["a/x*.wav"], &["a/x1.wav", "a/x2.wav"]);
        check(
            &folder,
            &["a/**/x*.wav"],
            &["a/b/x3.wav", "a/x1.wav", "a/x2.wav"],
        );
        check(&folder, &["a/x[12].wav"], &["a/x1.wav", "a/x2.wav"]);
        let inputs = check(&folder, &["a/z*.wav"], &[]);
        assert_eq!(inputs.failures[0].1, "no file has a name like this");
    }

    #[test]
    fn a_glob_finds_dot_files_where_it_names_them() {
        let folder = folder_with(&["a/.x1.wav", "a/x2.wav"]);
        check(&folder, &["a/.x*.wav"], &["a/.x1.wav"]);
        check(&folder, &["a/*.wav"], &["a/x2.wav"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_glob_does_not_fail_on_what_it_does_not_match() {
        use std::os::unix::fs::symlink;
        let folder = folder_with(&["a/x1.wav", "a/sub/deep/y.wav"]);
        symlink("nowhere", folder.path().join("a/notes.txt")).unwrap();
        symlink("nowhere", folder.path().join("a/sub/x9.wav")).unwrap();
        symlink("..", folder.path().join("a/sub/up")).unwrap();
        let inputs = check(&folder, &["a/x*.wav"], &["a/x1.wav"]);
        assert_eq!(inputs.failures, []);
        symlink("nowhere", folder.path().join("a/x2.wav")).unwrap();
        let inputs = check(&folder, &["a/x*.wav"], &["a/x1.wav"]);
        assert_eq!(inputs.failures.len(), 1);
        assert!(inputs.failures[0].0.ends_with("a/x2.wav"));
    }

    #[test]
    fn a_name_with_brackets_is_a_name_where_it_exists() {
        let folder = folder_with(&["call [1].wav", "call 1.wav"]);
        check(&folder, &["call [1].wav"], &["call [1].wav"]);
    }

    #[test]
    fn what_is_not_there_is_said_and_the_rest_goes_on() {
        let folder = folder_with(&["x.wav"]);
        let inputs = check(&folder, &["no such.wav", "x.wav"], &["x.wav"]);
        assert_eq!(inputs.failures.len(), 1);
        assert!(
            inputs.failures[0].1.contains("No such file"),
            "{:?}",
            inputs.failures
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end() {
        let folder = folder_with(&["a/x.wav"]);
        std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("a/again")).unwrap();
        let inputs = check(&folder, &["a"], &["a/x.wav"]);
        assert!(
            inputs.failures[0].1.contains("leads back"),
            "{:?}",
            inputs.failures
        );
    }
}

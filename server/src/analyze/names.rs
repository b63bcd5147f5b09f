//! Names: the id of each call, and the name of its JSON file.
//!
//! A call is named after its recording's stem. Where that name is taken by another recording, `-` and
//! eight digits of its path's SHA-256 follow. A recording that the store knows by its path keeps its
//! id; one that lies elsewhere now but has the same bytes is the same call.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use auricle_contracts::CallId;
use auricle_store::{CallRecord, Store};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::hash::{hex, sha256_of_file};
use super::inputs::absolute;
use crate::export::file_stem;

/// Names given in this run.
#[derive(Debug, Default)]
pub(crate) struct Names {
    calls: HashSet<CallId>,
    files: HashSet<String>,
}

/// A recording with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) call_id: CallId,
    /// The absolute path.
    pub(crate) path: String,
    /// Set where the stem was taken by another recording.
    pub(crate) warning: Option<String>,
}

impl Names {
    /// Names the call of a recording.
    pub(crate) async fn call(&mut self, store: Option<&Store>, file: &Path) -> Result<Named> {
        let path = absolute(file).to_string_lossy().into_owned();
        let stem = stem(file);
        if let Some(store) = store {
            let known = store.call_at_path(&path).await?;
            if let Some(call_id) = known.map(|known| known.recording.call_id)
                && self.calls.insert(call_id.clone())
            {
                return Ok(Named {
                    call_id,
                    path,
                    warning: None,
                });
            }
        }
        let holder = match store {
            Some(store) => store.call(&CallId(stem.clone())).await?,
            None => None,
        };
        let is_free = holder.is_none_or(|holder| is_same_recording(&holder, file));
        if is_free && self.calls.insert(CallId(stem.clone())) {
            return Ok(Named {
                call_id: CallId(stem),
                path,
                warning: None,
            });
        }
        let call_id = CallId(format!(
            "{stem}-{}",
            &hex(&Sha256::digest(path.as_bytes()))[..8]
        ));
        self.calls.insert(call_id.clone());
        let warning = format!("another call is named `{stem}`: this one is `{call_id}`");
        Ok(Named {
            call_id,
            path,
            warning: Some(warning),
        })
    }

    /// The path of a call's JSON file: its recording's stem; the call's id where another call of this
    /// run, or of a run before into this folder, has that name.
    pub(crate) fn json_path(&mut self, folder: &Path, file: &Path, call_id: &CallId) -> PathBuf {
        let stem = file_stem(&CallId(stem(file)));
        let by_stem = folder.join(format!("{stem}.json"));
        let is_free =
            !self.files.contains(&stem) && holder_of(&by_stem).is_none_or(|id| id == *call_id);
        if is_free {
            self.files.insert(stem);
            return by_stem;
        }
        let name = file_stem(call_id);
        self.files.insert(name.clone());
        folder.join(format!("{name}.json"))
    }
}

fn stem(file: &Path) -> String {
    let stem = file
        .file_stem()
        .or(file.file_name())
        .unwrap_or(file.as_os_str());
    stem.to_string_lossy().into_owned()
}

/// Whether the call's recording was moved here. Reads the file only when the call has a checksum.
fn is_same_recording(holder: &CallRecord, file: &Path) -> bool {
    let known = &holder.fingerprints.audio_sha256;
    if known.is_empty() {
        // Imported, or never heard: the name is all there is.
        return holder.recording.size_bytes == 0 || !Path::new(&holder.recording.path).exists();
    }
    let same_size =
        fs::metadata(file).is_ok_and(|found| found.len() == holder.recording.size_bytes);
    same_size && sha256_of_file(file).is_ok_and(|found| found == *known)
}

/// The call that a JSON file holds, where it is one of ours.
fn holder_of(path: &Path) -> Option<CallId> {
    #[derive(Deserialize)]
    struct Head {
        call_id: CallId,
    }
    let text = fs::read(path).ok()?;
    serde_json::from_slice::<Head>(&text)
        .ok()
        .map(|head| head.call_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn name(names: &mut Names, file: &Path) -> Named {
        names.call(None, file).await.unwrap()
    }

    #[tokio::test]
    async fn stems_that_meet_get_different_names_that_stay_the_same() {
        let mut names = Names::default();
        let first = name(&mut names, Path::new("/a/客户 一.wav")).await;
        assert_eq!(
            (first.call_id.0.as_str(), &first.warning),
            ("客户 一", &None)
        );
        let second = name(&mut names, Path::new("/b/客户 一.wav")).await;
        assert!(second.call_id.0.starts_with("客户 一-"), "{second:?}");
        assert!(second.warning.is_some());
        let mut again = Names::default();
        name(&mut again, Path::new("/a/客户 一.wav")).await;
        assert_eq!(name(&mut again, Path::new("/b/客户 一.wav")).await, second);
    }

    #[test]
    fn json_files_do_not_overwrite_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut names = Names::default();
        let mut path = |file: &str, id: &str| {
            let path = names.json_path(folder.path(), Path::new(file), &CallId(id.into()));
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(path("a/x.wav", "x"), "x.json");
        assert_eq!(path("b/x.wav", "x-12345678"), "x-12345678.json");
        fs::write(
            folder.path().join("y.json"),
            r#"{"call_id": "y", "file": ""}"#,
        )
        .unwrap();
        assert_eq!(path("c/y.wav", "y-1"), "y-1.json", "a run before wrote `y`");
        assert_eq!(path("d/y.wav", "y"), "y.json", "the same call is replaced");
        fs::write(folder.path().join("z.json"), "notes").unwrap();
        assert_eq!(path("z.wav", "z"), "z.json");
    }
}

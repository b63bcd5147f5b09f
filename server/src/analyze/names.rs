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
use auricle_models::registry::sha256_of_file;
use auricle_store::{CallRecord, Store};
use serde::Deserialize;

use super::inputs::absolute;
use crate::file_name::{call_name, digits, file_stem, path_text, with_suffix};

/// Digits of a path's checksum in a name; more where fewer are taken.
const HASH_DIGITS: [usize; 3] = [8, 16, 64];

/// A recording with its names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// The path as it was given.
    pub(crate) file: PathBuf,
    pub(crate) call_id: CallId,
    /// The absolute path.
    pub(crate) path: String,
    /// What the store knows of the call.
    pub(crate) known: Option<CallRecord>,
    /// Where its JSON goes, if anywhere.
    pub(crate) json_path: Option<PathBuf>,
    /// Set where a name was taken by another recording.
    pub(crate) warnings: Vec<String>,
}

/// Names the calls of these recordings. First those that the store knows by their paths: no other
/// recording may take the name of one of them.
pub(crate) async fn name_calls(store: Option<&Store>, files: &[PathBuf]) -> Result<Vec<Named>> {
    let mut taken = HashSet::new();
    let mut known = Vec::new();
    for file in files {
        let path = path_text(absolute(file).as_os_str());
        let call = match store {
            Some(store) => store.call_at_path(&path).await?,
            None => None,
        };
        let call = call.filter(|call| taken.insert(call.recording.call_id.clone()));
        known.push((file, path, call));
    }
    let mut named = Vec::new();
    for (file, path, call) in known {
        named.push(match call {
            Some(call) => Named {
                file: file.clone(),
                call_id: call.recording.call_id.clone(),
                path,
                known: Some(call),
                json_path: None,
                warnings: Vec::new(),
            },
            None => name_new(store, &mut taken, file, path).await?,
        });
    }
    Ok(named)
}

/// Names a recording that the store does not know by its path: by its stem, else with a suffix.
async fn name_new(
    store: Option<&Store>,
    taken: &mut HashSet<CallId>,
    file: &Path,
    path: String,
) -> Result<Named> {
    let stem = stem(file);
    let suffixed = HASH_DIGITS.map(|n_digits| with_suffix(&stem, &digits(&path, n_digits)));
    let mut named = Named {
        file: file.to_owned(),
        call_id: CallId(String::new()),
        path,
        known: None,
        json_path: None,
        warnings: Vec::new(),
    };
    // The longest name is the path's own: where even that is somebody else's, the store is wrong.
    for name in std::iter::once(stem.clone()).chain(suffixed) {
        named.call_id = CallId(name);
        named.known = match store {
            Some(store) => store.call(&named.call_id).await?,
            None => None,
        };
        let holder = named.known.as_ref();
        let is_free = holder.is_none_or(|holder| is_same_recording(holder, file, &named.path));
        if is_free && taken.insert(named.call_id.clone()) {
            break;
        }
    }
    if named.call_id.0 != stem {
        let warning = format!(
            "another call is named `{stem}`: this one is `{}`",
            named.call_id
        );
        named.warnings.push(warning);
    }
    Ok(named)
}

/// What a call of this recording is named after.
fn stem(file: &Path) -> String {
    let stem = file
        .file_stem()
        .or(file.file_name())
        .unwrap_or(file.as_os_str());
    call_name(stem)
}

/// Whether the call's recording was moved to `file`. Reads the file only when the call has a checksum.
fn is_same_recording(holder: &CallRecord, file: &Path, path: &str) -> bool {
    if holder.recording.path == path {
        return true;
    }
    let known = &holder.fingerprints.audio_sha256;
    if known.is_empty() {
        // An imported transcript has nothing to compare with, and hearing would replace it. Of a call
        // that was never heard nothing is lost, where its recording is gone.
        return !holder.has_transcript() && !Path::new(&holder.recording.path).exists();
    }
    let same_size =
        fs::metadata(file).is_ok_and(|found| found.len() == holder.recording.size_bytes);
    same_size && sha256_of_file(file).is_ok_and(|found| found == *known)
}

/// Gives every call a JSON file in `folder`: its recording's stem; where another recording has that,
/// in this run or from a run before into this folder, the stem and digits of its path's checksum.
///
/// **Invariant**: no two calls get the same file, and no file that holds another recording's call is
/// given.
pub(crate) fn name_json_files(calls: &mut [Named], folder: &Path) {
    let mut taken = HashSet::new();
    // Those that are called by their stems had them first.
    let (first, others) = calls
        .iter_mut()
        .partition::<Vec<_>, _>(|call| is_called_by_stem(call));
    for call in first.into_iter().chain(others) {
        let by_stem = file_stem(&CallId(stem(&call.file)));
        let suffixed =
            HASH_DIGITS.map(|n_digits| with_suffix(&by_stem, &digits(&call.path, n_digits)));
        for name in std::iter::once(by_stem.clone()).chain(suffixed) {
            let path = folder.join(format!("{name}.json"));
            // Names that differ by case only are one file in some file systems.
            let is_ours = is_free(&path, call) && taken.insert(name.to_lowercase());
            call.json_path = Some(path);
            if is_ours {
                if name != by_stem && is_called_by_stem(call) {
                    call.warnings.push(format!(
                        "`{by_stem}.json` holds another recording's call: this one goes to `{name}.json`"
                    ));
                }
                break;
            }
        }
    }
}

fn is_called_by_stem(call: &Named) -> bool {
    call.call_id.0 == stem(&call.file)
}

/// Whether a file may become this call's: it is not there, is no transcript, or holds the same call of
/// the same recording. The id alone does not tell: another data folder gave ids of its own.
fn is_free(path: &Path, call: &Named) -> bool {
    let Some(holder) = holder_of(path) else {
        return true;
    };
    let known = call
        .known
        .as_ref()
        .map(|known| known.recording.file.as_str());
    let is_same_file = known == Some(holder.file.as_str())
        || path_text(call.file.as_os_str()) == holder.file
        || absolute(Path::new(&holder.file)).as_os_str() == call.path.as_str();
    holder.call_id == call.call_id && is_same_file
}

/// The beginning of a transcript.
#[derive(Deserialize)]
struct Head {
    call_id: CallId,
    #[serde(default)]
    file: String,
}

/// The call that a JSON file holds, where it is one of ours.
fn holder_of(path: &Path) -> Option<Head> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests;

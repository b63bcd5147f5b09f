//! The folder of an index: whose it is, and whether it is whole.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tantivy::index::SegmentComponent;
use tantivy::{Directory, Index};

use crate::error::IndexError;
use crate::lines;
use crate::schema::SCHEMA_VERSION;
use crate::sound::syllables_fingerprint;

/// What is written beside tantivy's files, to know an index of another version.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    schema: u32,
    syllables: u32,
}

pub(super) const VERSION_FILE: &str = "auricle-index.json";
/// The file tantivy writes last when an index is made.
pub(super) const TANTIVY_FILE: &str = "meta.json";

impl Version {
    pub(super) fn now() -> Self {
        Self {
            schema: SCHEMA_VERSION,
            syllables: syllables_fingerprint(),
        }
    }

    fn name(&self) -> String {
        format!("{}/{:08x}", self.schema, self.syllables)
    }
}

/// Looks whether the folder holds an index of this version.
pub(super) fn check_version(folder: &Path) -> Result<(), IndexError> {
    let path = folder.join(VERSION_FILE);
    let folder = folder.to_owned();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !folder.join(TANTIVY_FILE).exists() {
                return Err(IndexError::Missing { folder });
            }
            return Err(IndexError::Version {
                folder,
                found: "none".to_owned(),
                wanted: Version::now().name(),
            });
        }
        Err(source) => return Err(IndexError::Folder { folder, source }),
    };
    let wanted = Version::now();
    match serde_json::from_str::<Version>(&text) {
        Ok(found) if found == wanted => Ok(()),
        Ok(found) => Err(IndexError::Version {
            folder,
            found: found.name(),
            wanted: wanted.name(),
        }),
        Err(error) => Err(IndexError::Damaged {
            folder,
            cause: format!("`{VERSION_FILE}`: {error}"),
        }),
    }
}

/// Opens every file of every segment once: tantivy opens some only when a query needs them.
pub(super) fn check_files(folder: &Path, index: &Index) -> Result<(), IndexError> {
    let damaged = |path: &Path, cause: String| IndexError::Damaged {
        folder: folder.to_owned(),
        cause: format!("`{}`: {cause}", path.display()),
    };
    let segments = index
        .searchable_segment_metas()
        .map_err(|error| IndexError::from_tantivy(folder, &error))?;
    for meta in segments {
        let deletes = meta.has_deletes().then_some(SegmentComponent::Delete);
        let written = [
            SegmentComponent::Postings,
            SegmentComponent::Positions,
            SegmentComponent::Terms,
            SegmentComponent::Store,
            SegmentComponent::FastFields,
            SegmentComponent::FieldNorms,
            SegmentComponent::Custom(lines::EXTENSION.to_owned()),
            SegmentComponent::Custom(lines::PAIRS_EXTENSION.to_owned()),
        ];
        for component in written.into_iter().chain(deletes) {
            let path = meta.relative_path(component);
            index
                .directory()
                .open_read(&path)
                .map_err(|error| damaged(&path, error.to_string()))?;
        }
    }
    Ok(())
}

/// Tantivy asserts what it reads from disk; such a panic becomes an error here.
pub(super) fn guarded<T>(
    folder: &Path,
    read: impl FnOnce() -> Result<T, IndexError>,
) -> Result<T, IndexError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(IndexError::from_panic(folder, panic.as_ref())))
}

//! What packs include: files beside them, and those that the program carries.

use std::fs;
use std::path::Path;

use auricle_insight::rules::{Included, MOST_PACK_BYTES, PackFile};

use crate::judge::{BuiltIn, PACKS};
use crate::text_file::read_at_most;

/// Words and conditions that packs share.
pub(crate) const SHARED: &[BuiltIn] = &[BuiltIn {
    name: "shared/zh.yaml",
    language: "zh",
    text: include_str!("../../packs/shared/zh.yaml"),
    tests: "",
}];

/// Reads the pack `name`, a file or one that the program carries, with what it includes.
pub(crate) fn read_pack(name: &str, bytes: &[u8]) -> PackFile {
    PackFile::read_with(name, bytes, &mut find)
}

/// By its way from the file that includes it; where there is none, the one of this name that the program carries.
/// What the program carries includes nothing else.
fn find(from: &str, wanted: &str) -> Result<Included, String> {
    let is_built_in = PACKS.iter().chain(SHARED).any(|known| known.name == from);
    let path = Path::new(from).with_file_name(wanted);
    if !is_built_in && path.is_file() {
        let id = fs::canonicalize(&path).map_err(|cause| cause.to_string())?;
        return Ok(Included {
            id: id.display().to_string(),
            file: path.display().to_string(),
            // More than a pack may have, so that its reader refuses it.
            bytes: read_at_most(&path, MOST_PACK_BYTES + 1).map_err(|cause| cause.to_string())?,
        });
    }
    let carried = SHARED.iter().find(|shared| shared.name == wanted);
    let carried = carried.ok_or_else(|| {
        let names: Vec<&str> = SHARED.iter().map(|shared| shared.name).collect();
        let path = path.display();
        let names = names.join("`, `");
        format!("there is no file `{path}`; the program carries `{names}`")
    })?;
    Ok(Included {
        id: carried.name.to_owned(),
        file: carried.name.to_owned(),
        bytes: carried.text.as_bytes().to_vec(),
    })
}

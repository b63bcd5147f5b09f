//! Finding a transducer's files in its folder, in the layout of sherpa-onnx.

use std::path::{Path, PathBuf};

use crate::engine::EngineError;

/// The four files of a streaming transducer.
#[derive(Clone, Debug)]
pub(crate) struct ModelFiles {
    pub(crate) encoder: PathBuf,
    pub(crate) decoder: PathBuf,
    pub(crate) joiner: PathBuf,
    pub(crate) tokens: PathBuf,
}

impl ModelFiles {
    /// Looks into `folder`. Where an int8 file stands beside a float one, the int8 file of the
    /// encoder and joiner is taken and the float file of the (tiny) decoder.
    pub(crate) fn find(folder: &Path) -> Result<Self, EngineError> {
        let unreadable = |cause: String| EngineError::ModelFile {
            path: folder.into(),
            cause,
        };
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .map_err(|cause| unreadable(cause.to_string()))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        let pick = |part: &str, prefer_int8: Precision| {
            let mut found: Vec<&String> = names
                .iter()
                .filter(|name| name.starts_with(part) && name.ends_with(".onnx"))
                .collect();
            found.sort_by_key(|name| name.contains(".int8.") != (prefer_int8 == Precision::Int8));
            found
                .first()
                .map(|name| folder.join(name))
                .ok_or_else(|| EngineError::ModelFile {
                    path: folder.join(format!("{part}*.onnx")),
                    cause: "the folder has no such file".into(),
                })
        };
        let tokens = folder.join("tokens.txt");
        if !tokens.is_file() {
            return Err(EngineError::ModelFile {
                path: tokens,
                cause: "the folder has no such file".into(),
            });
        }
        Ok(Self {
            encoder: pick("encoder", Precision::Int8)?,
            decoder: pick("decoder", Precision::Float)?,
            joiner: pick("joiner", Precision::Int8)?,
            tokens,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Precision {
    Int8,
    Float,
}

//! Where the native libraries are: ONNX Runtime and Vosk are loaded at run time, never linked.
//!
//! Places, in order: the configured path, the environment (`AURICLE_ONNXRUNTIME`, `AURICLE_LIBVOSK`),
//! the folder of the executable and the `lib` folder beside it, `<data folder>/lib`, `.native/lib` of
//! the current folder and its parents up to the root of the checkout, and last the system's loader.
//! A configured path is final: when it is wrong the search does not go on behind the user's back.

mod image;
mod probe;

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A library that Auricle loads at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeLibrary {
    /// Runs ONNX models.
    OnnxRuntime,
    /// Runs Vosk (Kaldi) models.
    Vosk,
}

impl NativeLibrary {
    /// Name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::OnnxRuntime => "ONNX Runtime",
            Self::Vosk => "Vosk",
        }
    }

    /// Environment variable that holds its path.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::OnnxRuntime => "AURICLE_ONNXRUNTIME",
            Self::Vosk => "AURICLE_LIBVOSK",
        }
    }

    const fn stem(self) -> &'static str {
        match self {
            Self::OnnxRuntime => "onnxruntime",
            Self::Vosk => "vosk",
        }
    }

    /// File name on this system, for example `libonnxruntime.so`.
    pub fn file_name(self) -> String {
        let (prefix, suffix) = (env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
        format!("{prefix}{}{suffix}", self.stem())
    }
}

impl fmt::Display for NativeLibrary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.title())
    }
}

/// Whether the system's loader is asked once the folders are through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SystemLoader {
    /// Last resort.
    #[default]
    Ask,
    /// Only the folders count.
    Skip,
}

/// Where to look for libraries.
#[derive(Clone, Debug, Default)]
pub struct SearchPath {
    /// Configured ONNX Runtime: the file, or the folder it is in.
    pub onnxruntime: Option<PathBuf>,
    /// Configured Vosk library: the file, or the folder it is in.
    pub vosk: Option<PathBuf>,
    /// Folders, in order.
    pub folders: Vec<PathBuf>,
    /// What follows the folders.
    pub system_loader: SystemLoader,
}

impl SearchPath {
    /// The places of this process: environment, executable, data folder, checkout.
    pub fn detect(data_dir: Option<&Path>) -> Self {
        let configured = |library: NativeLibrary| {
            env::var_os(library.variable())
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            onnxruntime: configured(NativeLibrary::OnnxRuntime),
            vosk: configured(NativeLibrary::Vosk),
            folders: folders(
                env::current_exe().ok().as_deref(),
                data_dir,
                env::current_dir().ok().as_deref(),
            ),
            system_loader: SystemLoader::Ask,
        }
    }

    fn configured(&self, library: NativeLibrary) -> Option<&Path> {
        match library {
            NativeLibrary::OnnxRuntime => self.onnxruntime.as_deref(),
            NativeLibrary::Vosk => self.vosk.as_deref(),
        }
    }
}

/// One place and what was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// File, or the bare name given to the system's loader.
    pub place: PathBuf,
    /// What was there.
    pub outcome: Outcome,
}

/// What was at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Missing,
    /// A file that cannot serve, and why.
    Unusable(String),
    /// The library, with its version where it tells one.
    Usable(Option<String>),
}

impl fmt::Display for Look {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`: ", self.place.display())?;
        match &self.outcome {
            Outcome::Missing => out.write_str("not there"),
            Outcome::Unusable(cause) => out.write_str(cause),
            Outcome::Usable(None) => out.write_str("usable"),
            Outcome::Usable(Some(version)) => write!(out, "version {version}"),
        }
    }
}

/// A native library is missing or cannot serve.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NativeError {
    /// Nowhere, or nothing usable.
    #[error(
        "{library} was not found; looked at:{}\nhint: `scripts/setup.sh` fetches it, or set `{}` to its path",
        list(looks), library.variable()
    )]
    NotFound {
        /// What was looked for.
        library: NativeLibrary,
        /// Every place, in order.
        looks: Vec<Look>,
    },
    /// The configured path is wrong.
    #[error(
        "{library} at the configured path `{}` cannot be used: {cause}\nhint: correct `{}` or remove it to use the library found by itself",
        path.display(), library.variable()
    )]
    Configured {
        /// What was looked for.
        library: NativeLibrary,
        /// The configured path.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
}

impl NativeError {
    /// Whether there was nothing at all, not even a library that cannot be used.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::NotFound { looks, .. } => {
                let is_unusable = |look: &Look| matches!(look.outcome, Outcome::Unusable(_));
                !looks.iter().any(is_unusable)
            }
            Self::Configured { .. } => false,
        }
    }
}

fn list(looks: &[Look]) -> String {
    looks.iter().map(|look| format!("\n  {look}")).collect()
}

/// Finds ONNX Runtime and checks that it is one, whole, for this machine and new enough for the
/// `ort` crate: what is returned can be given to `ort::init_from`. The library stays loaded.
///
/// # Errors
/// When there is none, or the configured one cannot serve; the message lists the places.
pub fn onnxruntime(search: &SearchPath) -> Result<PathBuf, NativeError> {
    find(NativeLibrary::OnnxRuntime, search)
}

/// Finds the Vosk library and checks that it is one. The library stays loaded.
///
/// # Errors
/// As [`onnxruntime`].
pub fn libvosk(search: &SearchPath) -> Result<PathBuf, NativeError> {
    find(NativeLibrary::Vosk, search)
}

fn find(library: NativeLibrary, search: &SearchPath) -> Result<PathBuf, NativeError> {
    let looks = survey(library, search);
    if let Some(found) = looks
        .iter()
        .find(|look| matches!(look.outcome, Outcome::Usable(_)))
    {
        return Ok(found.place.clone());
    }
    match (search.configured(library), looks.first()) {
        (Some(_), Some(look)) => Err(NativeError::Configured {
            library,
            path: look.place.clone(),
            cause: match &look.outcome {
                Outcome::Unusable(cause) => cause.clone(),
                _ => "there is no such file".to_owned(),
            },
        }),
        _ => Err(NativeError::NotFound { library, looks }),
    }
}

/// Looks at every place in order, up to the first that has a usable library.
pub fn survey(library: NativeLibrary, search: &SearchPath) -> Vec<Look> {
    let mut looks = Vec::new();
    for place in places(library, search) {
        let outcome = probe::probe(library, &place);
        let done = matches!(outcome, Outcome::Usable(_));
        looks.push(Look { place, outcome });
        if done {
            break;
        }
    }
    looks
}

fn places(library: NativeLibrary, search: &SearchPath) -> Vec<PathBuf> {
    let name = library.file_name();
    if let Some(configured) = search.configured(library) {
        let is_folder = configured.is_dir();
        let file = if is_folder {
            configured.join(name)
        } else {
            configured.to_path_buf()
        };
        return vec![file];
    }
    let mut places: Vec<PathBuf> = search
        .folders
        .iter()
        .map(|folder| folder.join(&name))
        .collect();
    if search.system_loader == SystemLoader::Ask {
        places.push(PathBuf::from(name));
    }
    places
}

/// The folders that belong to an executable, a data folder and a current folder.
fn folders(exe: Option<&Path>, data_dir: Option<&Path>, current: Option<&Path>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(exe_dir) = exe.and_then(Path::parent) {
        folders.push(exe_dir.to_path_buf());
        folders.extend(exe_dir.parent().map(|above| above.join("lib")));
    }
    folders.extend(data_dir.map(|data_dir| data_dir.join("lib")));
    folders.extend(
        current
            .into_iter()
            .flat_map(native_folders)
            .map(|native| native.join("lib")),
    );
    folders
}

/// `.native` of a folder and of its parents, up to the root of the checkout it is in; only those there.
pub(crate) fn native_folders(from: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in from.ancestors() {
        let native = folder.join(".native");
        if native.is_dir() {
            found.push(native);
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests;

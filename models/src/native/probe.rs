//! Loads a library and asks it who it is.

use std::ffi::{CStr, c_char, c_void};
use std::path::Path;

use libloading::Library;

use super::{NativeLibrary, Outcome, image};

/// The lowest minor version `1.x` of ONNX Runtime that Auricle runs with: that of the interface the
/// `ort` crate was built for.
const fn oldest_onnxruntime() -> u32 {
    ort::MINOR_VERSION
}

/// What is at `place`: a file, or a bare name for the system's loader.
pub(super) fn probe(library: NativeLibrary, place: &Path) -> Outcome {
    let is_bare_name = place.components().count() == 1 && !place.exists();
    if !is_bare_name {
        if !place.exists() {
            return Outcome::Missing;
        }
        if let Err(cause) = image::check(place) {
            return Outcome::Unusable(cause);
        }
    }
    let loaded = match load(place) {
        Ok(loaded) => loaded,
        Err(_) if is_bare_name => return Outcome::Missing,
        Err(cause) => return Outcome::Unusable(format!("cannot be loaded: {cause}")),
    };
    let outcome = match library {
        NativeLibrary::OnnxRuntime => onnxruntime_version(&loaded).and_then(supported).map(Some),
        NativeLibrary::Vosk => {
            has_symbols(&loaded, &["vosk_model_new", "vosk_recognizer_new"]).map(|()| None)
        }
    };
    match outcome {
        Ok(version) => {
            // Whoever asked is about to use it; unloading would only load it again.
            std::mem::forget(loaded);
            Outcome::Usable(version)
        }
        Err(cause) => Outcome::Unusable(cause),
    }
}

#[expect(unsafe_code, reason = "loading a library runs its initialisers")]
fn load(place: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: the file passed the header check; its initialisers are trusted as far as the user
    // trusts the places of the search path.
    unsafe { Library::new(place) }
}

#[expect(unsafe_code, reason = "symbols of a C library")]
fn has_symbols(loaded: &Library, names: &[&str]) -> Result<(), String> {
    for name in names {
        // SAFETY: the symbol is only looked up, never called.
        if unsafe { loaded.get::<*const c_void>(name.as_bytes()) }.is_err() {
            return Err(format!("is another library: it has no `{name}`"));
        }
    }
    Ok(())
}

/// First two members of the C interface's `OrtApiBase`.
#[repr(C)]
struct ApiBase {
    get_api: unsafe extern "C" fn(u32) -> *const c_void,
    version_text: unsafe extern "C" fn() -> *const c_char,
}

#[expect(unsafe_code, reason = "calls the C interface of ONNX Runtime")]
fn onnxruntime_version(loaded: &Library) -> Result<String, String> {
    const FOREIGN: &str = "is another library: it has no working `OrtGetApiBase`";
    // SAFETY: signatures as in onnxruntime_c_api.h, unchanged since version 1.0; null is checked.
    unsafe {
        let base = loaded
            .get::<unsafe extern "C" fn() -> *const ApiBase>(b"OrtGetApiBase")
            .map_err(|_| FOREIGN.to_owned())?;
        let text = base()
            .as_ref()
            .map(|base| (base.version_text)())
            .filter(|text| !text.is_null())
            .ok_or_else(|| FOREIGN.to_owned())?;
        Ok(CStr::from_ptr(text).to_string_lossy().into_owned())
    }
}

fn supported(version: String) -> Result<String, String> {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(1)), Some(Ok(minor))) if minor >= oldest_onnxruntime() => Ok(version),
        _ => Err(format!(
            "is ONNX Runtime `{version}`, needed is 1.{} or newer",
            oldest_onnxruntime()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let oldest = oldest_onnxruntime();
        assert!(supported(format!("1.{oldest}.1")).is_ok());
        assert!(supported(format!("1.{}.0", oldest + 90)).is_ok());
        for version in [
            format!("1.{}.9", oldest - 1),
            "2.99.0".into(),
            "1".into(),
            "".into(),
        ] {
            let message = supported(version.clone()).unwrap_err();
            assert!(message.contains(&format!("`{version}`")), "{message}");
        }
    }
}

//! The Vosk library, opened at run time.

use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Mutex;

use libloading::Library;

use crate::engine::EngineError;
use crate::native::{self, SearchPath};

/// Path of the library in use; a process uses one, the first that opened.
static ATTACHED: Mutex<Option<PathBuf>> = Mutex::new(None);

#[expect(unsafe_code, reason = "defined in native/vosk_forward.c")]
unsafe extern "C" {
    fn auricle_vosk_attach(
        find: unsafe extern "C" fn(*const c_void, *const c_char) -> *mut c_void,
        library: *const c_void,
    ) -> *const c_char;
}

/// Proof that the Vosk library is open.
#[derive(Clone, Debug)]
pub struct VoskLibrary {
    path: PathBuf,
}

impl VoskLibrary {
    /// Finds and opens the library. The first that opens is used until the process ends; later calls
    /// return it whatever they search.
    ///
    /// # Errors
    /// When there is none, or it lacks a function; the message lists the places looked at.
    pub fn open(search: &SearchPath) -> Result<Self, EngineError> {
        let mut attached = ATTACHED
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(path) = attached.as_ref() {
            return Ok(Self { path: path.clone() });
        }
        let path =
            native::libvosk(search).map_err(|cause| EngineError::Library(cause.to_string()))?;
        attach(&path)?;
        vosk::set_log_level(vosk::LogLevel::Error);
        *attached = Some(path.clone());
        Ok(Self { path })
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[expect(unsafe_code, reason = "hands symbols of a C library to the stand-in")]
fn attach(path: &Path) -> Result<(), EngineError> {
    let refused = |cause: String| EngineError::Library(format!("`{}`: {cause}", path.display()));
    // SAFETY: the library passed the checks of `native`; its initialisers are trusted.
    let library = unsafe { Library::new(path) }.map_err(|cause| refused(cause.to_string()))?;
    // SAFETY: `find` reads the library only during the call; the signatures on both sides are those
    // of vosk_api.h.
    let lacking = unsafe { auricle_vosk_attach(find, ptr::from_ref(&library).cast()) };
    if lacking.is_null() {
        // The stand-in keeps pointers into it from now on.
        std::mem::forget(library);
        return Ok(());
    }
    // SAFETY: a string literal of the stand-in.
    let name = unsafe { CStr::from_ptr(lacking) }.to_string_lossy();
    Err(refused(format!(
        "it has no `{name}`; version 0.3.45 is needed"
    )))
}

#[expect(unsafe_code, reason = "called from C during `attach`")]
unsafe extern "C" fn find(library: *const c_void, name: *const c_char) -> *mut c_void {
    // SAFETY: `attach` passes a library that lives through the call, the stand-in a string literal.
    let (library, name) = unsafe { (&*library.cast::<Library>(), CStr::from_ptr(name)) };
    // SAFETY: only the address is taken, and the library outlives it: it is never closed.
    let address = unsafe {
        library
            .get::<*mut c_void>(name.to_bytes_with_nul())
            .ok()
            .and_then(|symbol| symbol.try_as_raw_ptr())
    };
    address.unwrap_or(ptr::null_mut())
}

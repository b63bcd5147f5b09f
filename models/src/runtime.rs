//! The one ONNX Runtime of the process.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::engine::{EngineError, read_file};

static RUNTIME: OnceLock<OnnxRuntime> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

/// ONNX Runtime, loaded. Cheap to copy around by reference: a process has one.
#[derive(Debug)]
pub struct OnnxRuntime {
    environment: Environment,
}

impl OnnxRuntime {
    /// Loads the library at `path`, or gives the one that is already loaded.
    ///
    /// # Errors
    /// When the file is missing, no shared library, not ONNX Runtime or too old.
    pub fn load(path: &Path) -> Result<&'static Self, EngineError> {
        let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = RUNTIME.get() {
            return Ok(runtime);
        }
        let environment = ort::init_from(path)
            .map_err(|cause| library_error(path, &cause.to_string()))?
            .with_name("auricle")
            .with_telemetry(false)
            .build()
            .map_err(|cause| library_error(path, &cause.to_string()))?;
        // A warning per unused initialiser of somebody else's export helps nobody.
        environment.set_log_level(ort::logging::LogLevel::Error);
        Ok(RUNTIME.get_or_init(|| Self { environment }))
    }

    /// Opens a model on one thread: streams are spread over workers, not over a model's operators.
    ///
    /// # Errors
    /// When the file cannot be read or is no model that this ONNX Runtime can run.
    pub(crate) fn open(&self, path: &Path) -> Result<Session, EngineError> {
        self.session(&read_file(path)?)
            .map_err(|cause| {
                EngineError::Misfit {
            path: path.into(),
            cause: format!("ONNX Runtime refuses it: {cause}"),
            hint:
                "the file is truncated or no ONNX model; `auricle models verify` compares checksums"
                    .into(),
        }
            })
    }

    /// A session for one thread over the graph in `bytes`.
    pub(crate) fn session(&self, bytes: &[u8]) -> Result<Session, ort::Error> {
        Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_flush_to_zero()?
            .commit_from_memory(bytes)
    }
}

fn library_error(path: &Path, cause: &str) -> EngineError {
    EngineError::Library(format!(
        "ONNX Runtime cannot be loaded from `{}`: {cause}\nhint: `pip install onnxruntime` carries it \
         (onnxruntime/capi/libonnxruntime.so.*); set AURICLE_ONNXRUNTIME to that file",
        path.display()
    ))
}

/// A failure while a loaded model runs.
pub(crate) fn run_error(cause: ort::Error) -> EngineError {
    EngineError::Run(cause.to_string())
}

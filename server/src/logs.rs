//! What is written to standard error for those who run Auricle.
//!
//! **Invariant**: no transcript, no phone number, no name of a person is logged; ids and paths are.

use std::io::{self, IsTerminal};

use anyhow::Result;
use tracing_subscriber::EnvFilter;

use crate::exit::usage;

/// Starts logging with a filter like `info` or `auricle=debug,warn`.
pub(crate) fn start(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|cause| usage(format!("the log level `{filter}` cannot be read: {cause}")))?;
    // Fails only where a test has started it before.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    Ok(())
}

//! Defects of the program itself: a panic fails what it met, and is told once, by whoever catches it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};

use anyhow::{Result, anyhow};

/// What is said of a panic that nobody below [`crate::main`] caught.
pub(crate) const DEFECT: &str =
    "this is a defect of Auricle; please report it\nhint: AURICLE_LOG=debug says where it is";

/// Keeps Rust's own message of a panic off standard error. For the process, not for libraries.
pub(crate) fn tell_quietly() {
    panic::set_hook(Box::new(log));
}

/// Where it was, for who asks. What the panic says may quote what people said: that enters no log.
fn log(panic: &PanicHookInfo<'_>) {
    if let Some(place) = panic.location() {
        tracing::debug!(%place, "panic");
    }
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        tracing::debug!("{trace}");
    }
}

/// Does `work`; a panic in it becomes the error that says `told`.
pub(crate) fn guarded<Value>(
    told: &'static str,
    work: impl FnOnce() -> Result<Value>,
) -> Result<Value> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(anyhow!(told)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs;
    use crate::terminal::say;
    use std::env;
    use std::process::Command;

    /// Set, to a log filter, in the process that panics.
    const FILTER: &str = "AURICLE_TEST_PANIC";

    #[test]
    fn a_panic_that_is_caught_is_one_line_and_its_place_is_for_who_asks() {
        if let Ok(filter) = env::var(FILTER) {
            logs::start(&filter).unwrap();
            tell_quietly();
            let told = guarded::<()>("this call fails", || panic!("words of a caller"));
            say!("failed: {}", told.unwrap_err());
            return;
        }
        let told = |filter: &str| {
            let name =
                "panics::tests::a_panic_that_is_caught_is_one_line_and_its_place_is_for_who_asks";
            let mut command = Command::new(env::current_exe().unwrap());
            command.args(["--exact", name, "--nocapture"]);
            command.env(FILTER, filter).env_remove("RUST_BACKTRACE");
            let output = command.output().unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stderr).unwrap()
        };
        assert_eq!(told("warn"), "failed: this call fails\n");
        let asked = told("debug");
        assert!(asked.contains("panics.rs:"), "{asked}");
        assert!(!asked.contains("words of a caller"), "{asked}");
    }
}

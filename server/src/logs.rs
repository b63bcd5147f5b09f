//! What is written to standard error for those who run Auricle.
//!
//! **Invariant**: no transcript, no phone number, no name of a person is logged; ids and paths are. What a library logs of
//! messages is logged at no level.

use std::io::{self, IsTerminal};

use anyhow::Result;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::exit::usage;

/// Libraries that log what passes through them: this one whole messages of SIP, with numbers, names and passwords' digests.
const SILENT: [&str; 1] = ["rsipstack"];

/// Under which is logged, whatever the filter says, who looks at what is not masked.
pub(crate) const AUDIT: &str = "audit";

/// Starts logging with a filter like `info` or `auricle=debug,warn`.
pub(crate) fn start(filter: &str) -> Result<()> {
    let filter = with_audit(filter)?;
    let told = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .finish()
        // Whatever the filter says.
        .with(filter_fn(|metadata| !is_silent(metadata.target())));
    // Fails only where a test has started it before.
    let _ = told.try_init();
    Ok(())
}

fn with_audit(filter: &str) -> Result<EnvFilter> {
    let read = EnvFilter::try_new(filter)
        .map_err(|cause| usage(format!("the log level `{filter}` cannot be read: {cause}")))?;
    let audit: Directive = format!("{AUDIT}=info").parse()?;
    Ok(read.add_directive(audit))
}

/// Whether nothing of a target is logged.
fn is_silent(target: &str) -> bool {
    SILENT.iter().any(|library| {
        let rest = target.strip_prefix(library);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_is_logged_whatever_the_filter_says() {
        for filter in ["warn", "off", "auricle=debug,audit=off"] {
            let told = with_audit(filter).unwrap().to_string();
            assert!(told.contains("audit=info"), "{told}");
            assert!(!told.contains("audit=off"), "{told}");
        }
        assert!(with_audit("auricle=loud").is_err());
    }

    #[test]
    fn libraries_that_log_messages_are_silent() {
        for (target, expected) in [
            ("rsipstack", true),
            ("rsipstack::transport::udp", true),
            ("rsipstacks", false),
            ("auricle::serve::ingest::sip", false),
        ] {
            assert_eq!(is_silent(target), expected, "{target}");
        }
    }
}

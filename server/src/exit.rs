//! How the process ends, and how mistakes are told.

use std::io;
use std::process::ExitCode;

use thiserror::Error;

/// What the process answers to whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done,
    /// Some recordings failed, or what was asked for could not be done.
    Failed,
    /// The command line, the configuration or a query is wrong.
    Usage,
    /// Stopped by Ctrl-C or SIGTERM; running the same command again goes on.
    Stopped,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Stopped => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Printed at the end of `auricle --help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    some recordings failed, or what was asked for could not be done
  2    the command line, the configuration or a query is wrong
  130  stopped by Ctrl-C or SIGTERM; run the same command again and it goes on";

/// A mistake of whoever typed the command or wrote the configuration: exit code 2.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// A usage error as `anyhow` carries it.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    UsageError(message.into()).into()
}

/// How a command that gave `error` ends. A reader that closed the pipe (`auricle export | head`) has
/// seen enough: that is no failure.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    let is_closed_pipe = error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    });
    if is_closed_pipe {
        Exit::Done
    } else if error.downcast_ref::<UsageError>().is_some() {
        Exit::Usage
    } else {
        Exit::Failed
    }
}

/// An error with its causes in one text. A cause that the text above it tells already is left out.
pub(crate) fn message_of(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if message.contains(&text) {
            continue;
        }
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(&text);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn causes_are_told_once() {
        let inner = anyhow::anyhow!("file is empty");
        assert_eq!(
            message_of(&inner.context("`a.wav`")),
            "`a.wav`: file is empty"
        );
        let doubled = anyhow::anyhow!("no space").context("save failed: no space");
        assert_eq!(message_of(&doubled), "save failed: no space");
    }

    #[test]
    fn the_kind_of_mistake_decides_the_code() {
        let wrapped = Err::<(), _>(usage("`x` is no number")).context("reading `a.toml`");
        assert_eq!(exit_of(&wrapped.unwrap_err()), Exit::Usage);
        let pipe = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(exit_of(&pipe), Exit::Done);
        assert_eq!(exit_of(&anyhow::anyhow!("x")), Exit::Failed);
    }
}

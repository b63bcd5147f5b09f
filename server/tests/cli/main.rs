//! The real binary, command by command.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod analyze;
mod desk;
mod settings;
mod store_commands;

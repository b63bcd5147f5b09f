//! The real binary, command by command.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on stops, one that cannot begin says so"
)]

mod analyze;
mod announce;
mod asterisk;
mod audiohook;
mod audiosocket;
mod bare;
mod config_commands;
mod desk;
mod ingest_check;
mod insight_commands;
mod jobs;
mod listen;
mod live;
mod live_alerts;
mod live_limits;
mod live_reload;
mod live_traces;
mod live_webhooks;
mod microphone;
mod openapi;
mod recordings;
mod server;
mod settings;
mod sip;
mod store_commands;
mod stream;
mod twilio;
mod watch;

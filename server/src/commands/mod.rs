//! One file for each command; `analyze` has a folder of its own.

pub(crate) mod api_key;
pub(crate) mod config;
pub(crate) mod delete;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod findings;
pub(crate) mod import;
pub(crate) mod index;
pub(crate) mod ingest;
pub(crate) mod intent;
pub(crate) mod keys;
mod keys_pressed;
mod lines;
pub(crate) mod lm;
pub(crate) mod models;
pub(crate) mod openapi;
pub(crate) mod recordings;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod watch;

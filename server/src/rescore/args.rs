//! Options of `auricle rescore`.

use std::path::PathBuf;

use auricle_report::Language;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::selection::SelectionArgs;

const EXAMPLES: &str = "\
Examples:
  auricle rescore                                   every call whose rules, card or model changed
  auricle rescore --dry-run --since 2026-10-01      what would change, saving nothing
  auricle rescore --rules my-pack.yaml --dry-run    try a pack on past calls before it is put to use
  auricle rescore --campaign loans --out report/    with report/rescore.html and report/rescore.csv
  auricle rescore --audio never                     text only, whatever model heard the calls

--rules and --card stand in for what is configured, for every campaign: packs for calls in their language, a
card for packs with rules that it asks about. What is not named stays as it is configured. With --dry-run, calls
that would be heard again are assessed by their texts of before.

Calls that are up to date are left alone, so a run that was stopped goes on where it was; with the same --out its
report is about both parts. Every earlier version of a call's score stays in the store; `auricle show CALL
--scores` lists them.";

/// Options of `auricle rescore`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RescoreArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// These packs in place of the configured ones; may be given several times.
    #[arg(long, value_name = "PACK")]
    pub(crate) rules: Vec<PathBuf>,
    /// This score card in place of the configured one.
    #[arg(long, value_name = "FILE")]
    pub(crate) card: Option<PathBuf>,
    /// Whether recordings are heard again.
    #[arg(long, value_name = "WHEN", default_value = "changed")]
    pub(crate) audio: AudioChoice,
    /// Also calls that are up to date, and every rule anew: otherwise only those run that changed.
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would change; save nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Folder for the report: rescore.html, rescore.csv.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Begin rescore.csv with a byte order mark: Excel misreads Chinese without it.
    #[arg(long, requires = "out")]
    pub(crate) bom: bool,
    /// Language of the report: en or zh.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    pub(crate) language: Language,
    /// What changed, as JSON on standard output.
    #[arg(long)]
    pub(crate) json: bool,
    /// Calls at a time; 0 for one for each processor.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) jobs: usize,
}

/// When recordings are heard again.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AudioChoice {
    /// Where another model would hear them now and the recording is still there.
    #[default]
    Changed,
    /// Never: texts stay as they are.
    Never,
}

//! Options of `auricle analyze`, and what the configuration says in their place.

use std::path::{Path, PathBuf};

use auricle_speech::MOST_PATHS;
use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Deserialize;

use super::channels::{ChannelMap, ChannelName};

const EXAMPLES: &str = "\
Examples:
  auricle analyze recordings/ --out out          every recording of a folder, and a JSON file for each
  auricle analyze 'calls/2026-11-*.wav'          a glob, read by Auricle where the shell did not
  auricle analyze a.wav --channels agent=right   the agent is on the right channel
  auricle analyze calls/ --metadata calls.csv    agent, campaign, region and time from a table
  auricle analyze calls/ --hotwords words.txt    names of products and people to lean towards
  auricle analyze calls/ --dry-run               only say what would be done

Run it again after it was stopped: what is finished stays, and nothing is heard twice unless the
audio, the model or the settings changed (or --force is given). Recordings that failed are tried
again each time.

Parties: one channel, or channels that carry the same sound, are one `unknown` party. Otherwise each
channel is a party; the left one is the agent unless --channels says otherwise.

The metadata table has a head: file,agent,campaign,region,started_at - only `file` must be there. It
is a file's name, its stem or its path. `started_at` is 2026-11-20, 2026-11-20 08:30,
2026/11/20 8:30 or 2026-11-20T08:30:00+08:00; without an offset it is taken at the `utc_offset` of the
configuration (like '+08:00'), else as UTC. What it, or an option, said of a call stays until one of
them says otherwise.

A call that was imported for a recording is left as it was imported, unless --force is given.

A call's id is its file's stem, without control characters; bytes that are no UTF-8 become `%B5`.
Where two recordings share it, the second gets eight more digits.";

/// `[analyze]` of the configuration: what the options of the same names say when they are not given.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AnalyzeConfig {
    /// Recordings heard at the same time; 0 for one on each processor.
    pub(super) jobs: usize,
    /// Which party is on which channel; the left one is the agent if it is not given.
    #[schemars(example = &"agent=right")]
    pub(super) channels: Option<String>,
    /// A list of words to lean towards, in live calls, too; relative to the configuration file's folder.
    #[schemars(example = &"hotwords.txt")]
    pub(super) hotwords: Option<PathBuf>,
}

impl AnalyzeConfig {
    /// The list of words to lean towards.
    pub(crate) fn hotwords(&self) -> Option<&Path> {
        self.hotwords.as_deref()
    }
}

/// What recognises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    /// Without any library: transducers and voice activity in Auricle's own forward pass, many utterances at a
    /// time; CTC networks by tract.
    Native,
    /// Everything by ONNX Runtime.
    Ort,
    /// Vosk (Kaldi) models.
    Vosk,
}

/// Options of `auricle analyze`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct AnalyzeArgs {
    /// Recordings, folders or globs.
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Folder for one JSON file for each recording.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Folder for copies of the recordings with personal data silenced.
    #[arg(long, value_name = "DIR")]
    pub(super) redact_audio: Option<PathBuf>,
    /// Recordings heard at the same time [default: one on each processor].
    #[arg(long, short, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// What recognises [default: what is quickest for the model and works here].
    #[arg(long, value_name = "ENGINE")]
    pub(super) engine: Option<EngineName>,
    /// Model, alias or profile [default: by campaign, region and configuration].
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// List of words to lean towards: `WORD`, `WORD 2.5` or `WORD pin1 yin1 2.5` on each line.
    #[arg(long, value_name = "FILE")]
    pub(super) hotwords: Option<PathBuf>,
    /// Which party is on which channel: left, right or a number from 0.
    #[arg(long, value_name = "agent=CHANNEL[,customer=CHANNEL]")]
    pub(super) channels: Option<ChannelMap>,
    /// The agent's channel; short for --channels agent=CHANNEL.
    #[arg(long, value_name = "CHANNEL", conflicts_with = "channels")]
    pub(super) agent_channel: Option<ChannelName>,
    /// Table of what is known of the calls.
    #[arg(long, value_name = "CSV")]
    pub(super) metadata: Option<PathBuf>,
    /// Agent of all these calls, where the table does not say.
    #[arg(long)]
    pub(super) agent: Option<String>,
    /// Campaign of all these calls, where the table does not say.
    #[arg(long)]
    pub(super) campaign: Option<String>,
    /// Region of all these calls, where the table does not say.
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Hear finished utterances once more with a Whisper model.
    #[arg(long)]
    pub(super) second_pass: bool,
    /// Paths of the beam search; 1 is greedy.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_PATHS)))]
    pub(super) beam: Option<u16>,
    /// Hear again what is unchanged or was imported.
    #[arg(long)]
    pub(super) force: bool,
    /// Only say what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// At the end a summary as JSON on standard output.
    #[arg(long)]
    pub(super) json: bool,
}

//! The command line: what is common to all commands, and the list of commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::analyze::AnalyzeArgs;
use crate::commands::api_key::ApiKeyArgs;
use crate::commands::config::ConfigCommand;
use crate::commands::delete::DeleteArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::export::ExportArgs;
use crate::commands::import::ImportArgs;
use crate::commands::index::IndexCommand;
use crate::commands::ingest::IngestCommand;
use crate::commands::intent::IntentCommand;
use crate::commands::keys::KeysCommand;
use crate::commands::lm::LmCommand;
use crate::commands::models::ModelsCommand;
use crate::commands::recordings::RecordingsCommand;
use crate::commands::report::ReportArgs;
use crate::commands::rules::RulesCommand;
use crate::commands::search::SearchArgs;
use crate::commands::show::ShowArgs;
use crate::commands::watch::WatchArgs;
use crate::config::Overrides;
use crate::data::DATA_VARIABLE;
use crate::exit::EXIT_CODES;
use crate::rescore::RescoreArgs;
use crate::serve::ServeArgs;
use crate::terminal::ColorChoice;

const LONG_ABOUT: &str = "\
Auricle hears recorded telephone calls: who said what and when, in hanzi and in toned syllables. \
It keeps the transcripts and finds any phrase in them, by its characters or by its sound; and it says what \
the calls mean: rules that were broken, personal data, moods, intents, scores.";

const EXAMPLES: &str = "\
Begin with:
  auricle doctor                          is everything here that analyze needs?
  auricle models pull zh                  fetch the recogniser
  auricle analyze recordings/ --out out   hear a folder of calls
  auricle show CALL                       read one of them
  auricle search 'sound:保证收益'         find what sounded like it
  auricle report --out report/            violations, scores and moods as pages

Configuration: --config FILE, else ./auricle.toml, else auricle.toml in the data folder.
";

/// Call-centre speech analytics.
#[derive(Debug, Parser)]
#[command(name = "auricle", version, about, long_about = LONG_ABOUT, max_term_width = 100)]
#[command(after_long_help = format!("{EXAMPLES}\n{EXIT_CODES}"), after_help = EXIT_CODES)]
#[command(
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct AuricleArgs {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct GlobalArgs {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder: store, search index, models.
    #[arg(long, global = true, value_name = "DIR", env = DATA_VARIABLE)]
    data: Option<PathBuf>,
    /// What to log to standard error: error, warn, info, debug, trace, or a filter.
    #[arg(long, global = true, value_name = "FILTER", env = "AURICLE_LOG")]
    log: Option<String>,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

impl GlobalArgs {
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            config: self.config.clone(),
            data_dir: self
                .data
                .clone()
                .filter(|path| !path.as_os_str().is_empty()),
            log_filter: self.log.clone(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Hear recordings: write who said what and when.
    Analyze(Box<AnalyzeArgs>),
    /// Read one call as a dialogue.
    Show(ShowArgs),
    /// Find phrases in all calls, by their characters or by their sound.
    Search(SearchArgs),
    /// Write transcripts for other programs: JSON lines, CSV, text, subtitles.
    Export(ExportArgs),
    /// Take in transcripts that another installation wrote.
    Import(ImportArgs),
    /// Forget calls: out of the store and the search index.
    Delete(DeleteArgs),
    /// Write pages over many calls: violations, scores, moods, talk.
    Report(ReportArgs),
    /// Rule packs: check, test, explain.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Assess past calls anew, by the rules and models of today.
    Rescore(RescoreArgs),
    /// Say what is installed, what is missing and how to get it.
    Doctor(DoctorArgs),
    /// The configuration: check it, show what is in force, what there is to configure.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Models: list, fetch, verify.
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Language models: build from text, measure.
    #[command(subcommand)]
    Lm(LmCommand),
    /// The text classifier: train it, measure it.
    #[command(subcommand)]
    Intent(IntentCommand),
    /// The search index: make it anew from the store.
    #[command(subcommand)]
    Index(IndexCommand),
    /// Hear and judge calls while people talk; tell alerts as the words are said.
    Serve(ServeArgs),
    /// Watch calls under way in the terminal: partials, finals, alerts.
    Watch(WatchArgs),
    /// Audio of calls under way: whether it gets to a running server as it should.
    #[command(subcommand)]
    Ingest(IngestCommand),
    /// Recordings of live calls: write their audio.
    #[command(subcommand)]
    Recordings(RecordingsCommand),
    /// Keys of the recordings of live calls: list, add, rotate.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Make a key for the HTTP interface of `serve`.
    ApiKey(ApiKeyArgs),
    /// Write the HTTP interface of `serve` as an OpenAPI document, to make clients of.
    Openapi,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        AuricleArgs::command().debug_assert();
    }
}

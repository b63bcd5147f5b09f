//! `auricle models`: what there is, what is installed, and how it is fetched.

use std::io::{IsTerminal, Write};
use std::iter;
use std::sync::Mutex;
use std::sync::PoisonError;

use anyhow::Result;
use auricle_models::registry::{
    Listed, Measured, ModelCard, ModelState, ModelStore, ModelsConfig, Need, PullError,
    PullOptions, PullProgress, Role,
};
use clap::Subcommand;
use console::Style;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::app::App;
use crate::config::Config;
use crate::engine::{NOBODY, model_store, wanted};
use crate::exit::{Exit, usage};
use crate::terminal::{pad_to, say};

const EXAMPLES: &str = "\
Examples:
  auricle models list                 what there is and what is installed
  auricle models pull zh              everything that calls in Mandarin are best heard with
  auricle models pull telephony_8k    everything the default profile needs
  auricle models pull zh-gigatdt-lm   one model
  auricle models verify               checksums of everything installed
  auricle models verify zh            is everything here that `pull zh` would fetch?
  auricle models path silero-vad      where a model lies

A pull that was interrupted goes on where it stopped. Where a site cannot be reached, it says which
files to fetch by hand and where to put them. A copy of the models on a server of one's own is named by
`models.mirror` or AURICLE_MODEL_MIRROR.";

/// `auricle models …`.
#[derive(Debug, Subcommand)]
#[command(after_long_help = EXAMPLES)]
pub(crate) enum ModelsCommand {
    /// List all models.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Fetch models.
    Pull {
        /// Models, aliases, languages or profiles.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Check the files of models against their checksums.
    Verify {
        /// Models, aliases, languages or profiles; without any, everything installed.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Print the folder of an installed model.
    Path {
        /// Model or alias.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

pub(crate) fn run(app: &mut App, command: &ModelsCommand) -> Result<Exit> {
    let store = model_store(&app.config)?;
    for warning in store.warnings() {
        say!("warning: {warning}");
    }
    match command {
        ModelsCommand::List { json } if *json => list_json(app, &store),
        ModelsCommand::List { .. } => list(app, &store),
        ModelsCommand::Pull { names } => pull(app, &store, names),
        ModelsCommand::Verify { names } => verify(app, &store, names),
        ModelsCommand::Path { name } => {
            writeln!(app.terminal, "{}", store.path(name)?.display())?;
            Ok(Exit::Done)
        }
    }
}

fn list(app: &mut App, store: &ModelStore) -> Result<Exit> {
    let listed = store.list();
    let width = listed
        .iter()
        .map(|model| model.card.name.len())
        .max()
        .unwrap_or(0);
    let out = &mut app.terminal;
    for model in &listed {
        let card = model.card;
        let style = match model.state {
            ModelState::Installed | ModelState::Carried => Style::new().green(),
            ModelState::Missing => Style::new().dim(),
            _ => Style::new().red(),
        };
        let state = out.paint(&style, format!("{:<9}", model.state));
        let size = match card.known_bytes() {
            0 => "?".to_owned(),
            n_bytes => megabytes(n_bytes),
        };
        let languages = card.languages.join(",");
        writeln!(
            out,
            "{}  {state}  {:<14}  {languages:<3}  {size:>9}  {}",
            pad_to(&card.name, width),
            card.kind,
            card.description
        )?;
        let mut notes = Vec::new();
        if !card.profiles.is_empty() {
            notes.push(format!("profile {}", card.profiles.join(", ")));
        }
        notes.push(card.licence.clone());
        let measured = card.measured.iter().map(|rate| {
            format!(
                "{} {} %: {} ({})",
                rate.measure, rate.value_percent, rate.data, rate.how
            )
        });
        for line in iter::once(notes.join(" · ")).chain(measured) {
            let line = out.paint(&Style::new().dim(), line);
            writeln!(out, "{}  {line}", " ".repeat(width))?;
        }
    }
    Ok(Exit::Done)
}

fn megabytes(n_bytes: u64) -> String {
    format!("{:.1} MB", n_bytes as f64 / 1e6)
}

#[derive(Serialize)]
struct ListedJson<'a> {
    name: &'a str,
    kind: &'static str,
    engine: &'static str,
    languages: &'a [String],
    profiles: &'a [String],
    licence: &'a str,
    size_bytes: u64,
    state: String,
    folder: String,
    measured: &'a [Measured],
}

fn list_json(app: &mut App, store: &ModelStore) -> Result<Exit> {
    let listed = store.list();
    let row = |model: &Listed<'_>| -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(ListedJson {
            name: &model.card.name,
            kind: model.card.kind.as_str(),
            engine: model.card.engine.as_str(),
            languages: &model.card.languages,
            profiles: &model.card.profiles,
            licence: &model.card.licence,
            size_bytes: model.card.known_bytes(),
            state: model.state.to_string(),
            folder: model.folder.display().to_string(),
            measured: &model.card.measured,
        })
    };
    let rows = listed
        .iter()
        .map(row)
        .collect::<serde_json::Result<Vec<_>>>()?;
    serde_json::to_writer_pretty(&mut app.terminal, &rows)?;
    writeln!(app.terminal)?;
    Ok(Exit::Done)
}

/// A model that is to be fetched.
struct Asked {
    name: String,
    need: Need,
}

impl Asked {
    fn required(card: &ModelCard) -> Self {
        Self {
            name: card.name.clone(),
            need: Need::Required,
        }
    }
}

/// The models that a name means: a profile means all it uses, a language all that its calls are best heard with by the
/// configuration. It works without the language model, which is optional where nobody says where to fetch it.
fn expand(store: &ModelStore, config: &Config, name: &str) -> Result<Vec<Asked>> {
    if let Ok(card) = store.card(name) {
        return Ok(vec![Asked::required(card)]);
    }
    let speaks = store.speaks(name);
    let (language, models) = match speaks {
        true => (name, config.models.clone()),
        false => (
            config.speech.language.as_str(),
            ModelsConfig {
                profile: name.to_owned(),
                ..ModelsConfig::default()
            },
        ),
    };
    let mut found = Vec::new();
    for role in [Role::Streaming, Role::Vad, Role::LanguageModel] {
        match store.choose_any(&models, &wanted(role, language, &NOBODY)) {
            Ok(card) if role == Role::LanguageModel && !card.has_address() => found.push(Asked {
                name: card.name.clone(),
                need: Need::Optional,
            }),
            Ok(card) => found.push(Asked::required(card)),
            Err(cause) if speaks && role == Role::Streaming => {
                return Err(usage(cause.to_string()));
            }
            // A profile need not have everything.
            Err(_) => {}
        }
    }
    match (found.is_empty(), store.card(name)) {
        (true, Err(unknown)) => Err(usage(unknown.to_string())),
        _ => Ok(found),
    }
}

fn pull(app: &mut App, store: &ModelStore, names: &[String]) -> Result<Exit> {
    let options = PullOptions::with_mirrors(app.config.models.mirror.clone());
    let mut exit = Exit::Done;
    for name in names {
        for model in expand(store, &app.config, name)? {
            let progress = PullBar::default();
            let pulled = store.pull(&model.name, &options, &progress);
            match app.runtime.block_on(pulled) {
                Ok(report) => writeln!(app.terminal, "{report}")?,
                Err(PullError::Unreachable { by_hand, .. }) if model.need == Need::Optional => {
                    progress.clear();
                    let name = &model.name;
                    say!(
                        "note: `{name}` is optional, and no address is known to fetch it from\n{by_hand}"
                    );
                }
                Err(error) => {
                    progress.clear();
                    say!("{error}");
                    exit = Exit::Failed;
                }
            }
        }
    }
    Ok(exit)
}

fn verify(app: &mut App, store: &ModelStore, names: &[String]) -> Result<Exit> {
    let mut asked = Vec::new();
    for name in names {
        asked.extend(expand(store, &app.config, name)?);
    }
    if names.is_empty() {
        let listed = store.list().into_iter();
        let present = listed.filter(|model| model.state != ModelState::Missing);
        asked.extend(present.map(|model| Asked::required(model.card)));
    }
    let mut exit = Exit::Done;
    for model in &asked {
        let card = store.card(&model.name)?;
        let report = store.verify(&model.name)?;
        let is_absent = store.state(&model.name)?.state == ModelState::Missing;
        writeln!(app.terminal, "{report}")?;
        if is_absent && model.need == Need::Optional {
            say!("note: `{}` is optional", model.name);
        } else if !report.is_good() {
            say!("hint: {}", card.pull_hint());
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

/// A bar for the file that is being fetched; lines where there is no terminal.
#[derive(Default)]
struct PullBar {
    bar: Mutex<Option<ProgressBar>>,
}

impl PullBar {
    fn with_bar(&self, act: impl FnOnce(&ProgressBar)) {
        if let Some(bar) = self
            .bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            act(bar);
        }
    }

    fn clear(&self) {
        self.with_bar(ProgressBar::finish_and_clear);
    }
}

impl PullProgress for PullBar {
    fn start(&self, label: &str, total_bytes: Option<u64>, have_bytes: u64) {
        if !std::io::stderr().is_terminal() {
            say!("fetching {label}");
            return;
        }
        let bar = match total_bytes {
            Some(n_bytes) => ProgressBar::new(n_bytes),
            None => ProgressBar::no_length(),
        };
        let template = "{msg}  {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        bar.set_position(have_bytes);
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    fn advance(&self, n_bytes: u64) {
        self.with_bar(|bar| bar.inc(n_bytes));
    }

    fn finish(&self, _label: &str) {
        self.clear();
    }

    fn note(&self, message: &str) {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match bar.as_ref() {
            Some(bar) => bar.suspend(|| say!("{message}")),
            None => say!("{message}"),
        }
    }
}

//! What `doctor` looks at.

use std::fs;
use std::path::Path;

use anyhow::Result;
use auricle_models::native::{self, NativeLibrary, Outcome};
use auricle_models::registry::{Engine, ModelState, ModelStore, Role};
use auricle_store::{RunRecord, Store, StoreError};

use super::{Finding, Health};
use crate::app::App;
use crate::data::DataFolder;
use crate::engine::{NOBODY, search_path, wanted};
use crate::exit::message_of;
use crate::index::{CallSearch, n_not_found};
use crate::judge::Judges;
use crate::recogniser::{Chosen, Recognisers};
use crate::sources::Networks;
use crate::terminal::count;
use crate::vad::VadChoice;

/// Less than this, and a night's run may fill the disk.
const LOW_SPACE_BYTES: u64 = 1 << 30;

/// Everything, in the order in which it is told.
pub(super) fn look(app: &App, from: &Recognisers, chosen: Option<&Chosen>) -> Vec<Finding> {
    let registry = &from.registry;
    let mut findings = vec![config_file(app)];
    findings.extend(libraries(app, chosen.map(|chosen| chosen.card.engine)));
    findings.push(recogniser(app, registry, chosen));
    findings.push(voice_activity(app, registry));
    let (absent, role) = (Health::Optional, Role::LanguageModel);
    findings.push(model(app, registry, "language model", role, absent));
    findings.push(compiled("vosk", cfg!(feature = "vosk")));
    findings.push(compiled("whisper", cfg!(feature = "whisper")));
    findings.push(compiled("tract", cfg!(feature = "tract")));
    findings.push(data_folder(&app.config.data));
    findings.push(disk_space(app.config.data.root()));
    findings.extend(rules(app));
    findings.push(store(app));
    findings.push(index(app));
    findings
}

/// Packs, score cards and the models beside them.
fn rules(app: &App) -> Vec<Finding> {
    let what = "rules";
    let judges = Judges::load(&app.config).and_then(|judges| {
        judges.check_models()?;
        Ok(judges)
    });
    let judges = match judges {
        Ok(judges) => judges,
        Err(cause) => return vec![Finding::new(what, Health::Broken, message_of(&cause))],
    };
    let doubts = judges.doubts().into_iter();
    let mut findings: Vec<Finding> = doubts
        .map(|doubt| Finding::new(what, Health::Warning, doubt))
        .collect();
    if findings.is_empty() {
        let detail = format!("packs {}", judges.packs().join(", "));
        findings.push(Finding::new(what, Health::Good, detail));
    }
    findings
}

fn config_file(app: &App) -> Finding {
    let detail = match &app.config.file {
        Some(path) => format!("`{}`", path.display()),
        None => "none; the defaults hold".to_owned(),
    };
    Finding::new("configuration", Health::Good, detail)
}

/// A library that is loaded at run time; `absent` is what its absence means.
fn library(app: &App, library: NativeLibrary, absent: Health) -> Finding {
    let what = library.title();
    let search = search_path(&app.config);
    let found = match library {
        NativeLibrary::OnnxRuntime => native::onnxruntime(&search),
        NativeLibrary::Vosk => native::libvosk(&search),
    };
    match found {
        Err(error) => Finding::new(what, absent, error.to_string()),
        Ok(path) => {
            let looks = native::survey(library, &search);
            let used = looks
                .iter()
                .find(|look| matches!(look.outcome, Outcome::Usable(_)));
            let detail = used.map_or_else(|| format!("`{}`", path.display()), ToString::to_string);
            Finding::new(what, Health::Good, detail)
        }
    }
}

/// ONNX Runtime runs networks wired in a way that Auricle does not know, which shows when one is loaded, and CTC networks,
/// which tract runs otherwise.
fn libraries(app: &App, engine: Option<Engine>) -> Vec<Finding> {
    let mut findings = vec![library(app, NativeLibrary::OnnxRuntime, Health::Optional)];
    if cfg!(feature = "vosk") {
        let absent = match engine {
            Some(Engine::Vosk) => Health::Missing,
            _ => Health::Optional,
        };
        findings.push(library(app, NativeLibrary::Vosk, absent));
    }
    findings
}

/// The recogniser of calls without region and campaign.
fn recogniser(app: &App, registry: &ModelStore, chosen: Option<&Chosen>) -> Finding {
    let what = "recogniser";
    match chosen.filter(|chosen| chosen.card.is_carried()) {
        Some(chosen) => Finding {
            hint: chosen.hint.clone(),
            ..Finding::new(
                what,
                Health::Good,
                format!("{}, {}", chosen.card.name, chosen.because),
            )
        },
        None => model(app, registry, what, Role::Streaming, Health::Missing),
    }
}

/// The model that calls without region and campaign get; `absent` is what its absence means.
fn model(
    app: &App,
    registry: &ModelStore,
    what: &'static str,
    role: Role,
    absent: Health,
) -> Finding {
    let wanted = wanted(role, &app.config.speech.language, &NOBODY);
    let choice = match registry.choose(&app.config.models, &wanted) {
        Ok(choice) => choice,
        Err(error) => return Finding::new(what, absent, error.to_string()),
    };
    let name = &choice.card.name;
    match registry.state(name) {
        Ok(listed) if listed.state == ModelState::Installed => {
            let place = listed.folder.display();
            Finding::new(
                what,
                Health::Good,
                format!("{name} in `{place}`, by {}", choice.because),
            )
        }
        _ => {
            let cause = match registry.path(name) {
                Err(error) => error.to_string(),
                Ok(_) => format!("`{name}` is not whole"),
            };
            Finding::new(what, absent, cause)
        }
    }
}

/// Voice activity: the model, and in it the file that what is here can run.
fn voice_activity(app: &App, registry: &ModelStore) -> Finding {
    let what = "voice activity";
    let finding = model(app, registry, what, Role::Vad, Health::Missing);
    if finding.health != Health::Good {
        return finding;
    }
    match VadChoice::open(registry, &app.config, Networks::Best) {
        Ok(choice) => {
            let file = choice
                .source
                .file()
                .file_name()
                .unwrap_or_default()
                .display();
            let runtime = choice.runtime.name();
            let detail = format!("{}; {runtime} runs `{file}`", finding.detail);
            Finding::new(what, Health::Good, detail)
        }
        Err(error) => Finding::new(what, Health::Missing, message_of(&error)),
    }
}

fn compiled(what: &'static str, is_compiled: bool) -> Finding {
    if is_compiled {
        Finding::new(what, Health::Good, "compiled in")
    } else {
        let detail = format!(
            "not compiled in\nhint: `cargo build --release -p auricle --features {what}` builds an auricle that has it"
        );
        Finding::new(what, Health::Optional, detail)
    }
}

fn data_folder(data: &DataFolder) -> Finding {
    let place = data.root().display().to_string();
    match data.lock() {
        Ok(_) => Finding::new("data folder", Health::Good, format!("`{place}`, writable")),
        Err(error) => Finding::new("data folder", Health::Broken, message_of(&error)),
    }
}

fn disk_space(root: &Path) -> Finding {
    let what = "disk space";
    match fs4::available_space(root) {
        Ok(n_bytes) => {
            let gigabytes = n_bytes as f64 / 1e9;
            let health = if n_bytes < LOW_SPACE_BYTES {
                Health::Warning
            } else {
                Health::Good
            };
            Finding::new(what, health, format!("{gigabytes:.1} GB free"))
        }
        Err(cause) => Finding::new(what, Health::Warning, format!("not known: {cause}")),
    }
}

fn store(app: &App) -> Finding {
    let path = app.config.data.database();
    if !fs::exists(&path).unwrap_or(false) {
        return Finding::new("store", Health::Good, "empty; the first analyze makes it");
    }
    let looked = app.runtime.block_on(async {
        let store = Store::open_existing(&path).await?;
        store.check().await?;
        Ok((store.counts().await?, store.runs(1).await?.pop()))
    });
    let looked: Result<_, StoreError> = looked;
    match looked {
        Ok((counts, last_run)) => {
            let text = format!(
                "{} calls done, {} failed, {} pending",
                counts.n_done, counts.n_failed, counts.n_pending
            );
            let run = last_run.map_or_else(String::new, |run| run_text(&run));
            Finding::new("store", Health::Good, text + &run)
        }
        Err(error) => Finding::new("store", Health::Broken, error.to_string()),
    }
}

fn run_text(run: &RunRecord) -> String {
    let counts = run.counts;
    let end = match &run.finished_at {
        Some(end) => format!(
            "ended {end}: {} done, {} unchanged, {} failed",
            counts.n_done, counts.n_skipped, counts.n_failed
        ),
        None => "did not come to its end".to_owned(),
    };
    format!("\nlast run began {} and {end}", run.started_at)
}

fn index(app: &App) -> Finding {
    let what = "search index";
    let folder = app.config.data.index();
    let n_lacking = app
        .runtime
        .block_on(n_not_found(&app.config.data))
        .unwrap_or_default();
    let lacking = count(n_lacking, "call");
    if !fs::exists(&folder).unwrap_or(false) {
        return if n_lacking == 0 {
            Finding::new(what, Health::Good, "empty; the first analyze makes it")
        } else {
            let text = format!(
                "not there; {lacking} not in it\nhint: `auricle index rebuild` makes it from the store"
            );
            Finding::new(what, Health::Warning, text)
        };
    }
    let looked = CallSearch::open(&folder).and_then(|search| {
        search.verify()?;
        search.n_utterances()
    });
    match looked {
        Err(error) => Finding::new(what, Health::Broken, message_of(&error)),
        Ok(n_utterances) if n_lacking > 0 => {
            let text = format!(
                "{}; {lacking} not in it\nhint: the next analyze adds what is missing, and so does `auricle index rebuild`",
                count(n_utterances, "utterance"),
            );
            Finding::new(what, Health::Warning, text)
        }
        Ok(n_utterances) => Finding::new(what, Health::Good, count(n_utterances, "utterance")),
    }
}

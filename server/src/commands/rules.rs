//! `auricle rules`: packs checked, tested and explained.

mod cards;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use auricle_insight::rules::format::Test;
use auricle_insight::rules::{
    At, Branch, MOST_PACK_BYTES, Mistake, PackFile, RuleSet, Weight, check_labels, check_test_file,
    read_tests, run_tests, schema,
};
use auricle_insight::scorecard::Card;
use auricle_insight::{CallRun, Judge, TrialObserver};
use clap::{Args, Subcommand};

use crate::app::App;
use crate::exit::{Exit, usage};
use crate::includes::{SHARED, read_pack};
use crate::judge::{Judges, PACKS, classifier, read};
use crate::known::MaskedQuotes;
use crate::terminal::{count, printable, say};
use crate::text_file::read_at_most;

const EXAMPLES: &str = "\
Examples:
  auricle rules list                              packs that the program carries
  auricle rules check my-pack.yaml                every mistake, with line and hint
  auricle rules check my-card.yaml                the same of a score card, and rules it names that there are not
  auricle rules check my-pack.yaml my-card.yaml   a card beside the packs it is for
  auricle rules test my-pack.yaml                 the pack's own tests, and those of my-pack.tests.yaml
  auricle rules explain promise_return dev-02     why a rule fired in a call, or why not
  auricle rules show zh-telemarketing > my.yaml   a pack to start from
  auricle rules schema > rules.schema.json        the format, for editors

docs/rules.md describes the format of packs, docs/scorecards.md that of score cards. Packs are put to use by `packs` under [insight] in auricle.toml, and
tried on past calls by `auricle rescore --rules PACK --dry-run`.";

/// `auricle rules …`.
#[derive(Debug, Subcommand)]
#[command(after_long_help = EXAMPLES)]
pub(crate) enum RulesCommand {
    /// List the packs that the program carries.
    List,
    /// Write a pack that the program carries to standard output.
    Show {
        /// Its name.
        pack: String,
    },
    /// Say everything that is wrong with packs and score cards.
    Check(CheckArgs),
    /// Run packs' tests.
    Test(PacksArgs),
    /// Show why a rule fired in a call, or why not.
    Explain(ExplainArgs),
    /// Write the JSON schema of packs to standard output.
    Schema,
}

/// Packs by name or file.
#[derive(Debug, Args)]
pub(crate) struct PacksArgs {
    /// Packs: files, or names of those that the program carries.
    #[arg(required = true, value_name = "PACK")]
    packs: Vec<PathBuf>,
}

/// Options of `auricle rules check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Packs and score cards: files, or names of packs that the program carries.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Packs that score cards are for. Without: the packs checked with them, else those that are configured, else
    /// those that the program carries.
    #[arg(long, value_name = "PACK")]
    rules: Vec<PathBuf>,
}

/// Options of `auricle rules explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The rule's id, or PACK/ID.
    #[arg(value_name = "RULE")]
    rule: String,
    /// Id, beginning of an id, or file name.
    #[arg(value_name = "CALL")]
    call: String,
    /// Packs in place of those that the call gets.
    #[arg(long, value_name = "PACK")]
    rules: Vec<PathBuf>,
    /// Personal data as it was said, not masked.
    #[arg(long)]
    unmasked: bool,
}

pub(crate) fn run(app: &mut App, command: &RulesCommand) -> Result<Exit> {
    match command {
        RulesCommand::List => list(app),
        RulesCommand::Show { pack } => show(app, pack),
        RulesCommand::Check(args) => check(app, args),
        RulesCommand::Test(args) => test(app, &args.packs),
        RulesCommand::Explain(args) => explain_rule(app, args),
        RulesCommand::Schema => {
            serde_json::to_writer_pretty(&mut app.terminal, &schema())?;
            writeln!(app.terminal)?;
            Ok(Exit::Done)
        }
    }
}

fn list(app: &mut App) -> Result<Exit> {
    for built_in in PACKS {
        let file = read_pack(built_in.name, built_in.text.as_bytes());
        let set = RuleSet::compile(std::slice::from_ref(&file));
        let rules = set.map_or(0, |compiled| compiled.rules.rules().len());
        let title = file.pack.map(|pack| pack.title);
        writeln!(
            app.terminal,
            "{:<22} {}  {:>3} rules  {}",
            built_in.name,
            built_in.language,
            rules,
            title.unwrap_or_default()
        )?;
    }
    for shared in SHARED {
        writeln!(
            app.terminal,
            "{:<22} {}  words and conditions, for `include`",
            shared.name, shared.language
        )?;
    }
    Ok(Exit::Done)
}

fn show(app: &mut App, name: &str) -> Result<Exit> {
    let Some(pack) = PACKS.iter().chain(SHARED).find(|pack| pack.name == name) else {
        bail!("there is no pack `{name}` in the program\nhint: `auricle rules list` names them");
    };
    app.terminal.write_all(pack.text.as_bytes())?;
    Ok(Exit::Done)
}

/// One pack with the tests that belong to it.
struct Loaded {
    file: PackFile,
    tests: Vec<At<Test>>,
    /// The file beside the pack, where there is one.
    tests_file: Option<String>,
    mistakes: Vec<Mistake>,
}

fn load(app: &App, path: &Path) -> Result<Loaded> {
    let (name, bytes) = read(&app.config, path, PACKS, "pack")?;
    load_read(path, &name, &bytes)
}

/// The pack that was read from `path`.
fn load_read(path: &Path, name: &str, bytes: &[u8]) -> Result<Loaded> {
    let file = read_pack(name, bytes);
    let mut loaded = Loaded {
        tests: file
            .pack
            .as_ref()
            .map_or_else(Vec::new, |pack| pack.tests.clone()),
        file,
        tests_file: None,
        mistakes: Vec::new(),
    };
    let built_in = PACKS.iter().find(|pack| Path::new(pack.name) == path);
    let beside = match built_in {
        Some(pack) => Some((
            format!("{}.tests", pack.name),
            pack.tests.as_bytes().to_vec(),
        )),
        None => tests_beside(Path::new(name))?,
    };
    if let Some((name, bytes)) = beside {
        let (more, mistakes) = read_tests(&name, &bytes);
        loaded.tests.extend(more);
        loaded.tests_file = Some(name);
        loaded.mistakes = mistakes;
    }
    Ok(loaded)
}

fn tests_beside(pack: &Path) -> Result<Option<(String, Vec<u8>)>> {
    let path = pack.with_extension("tests.yaml");
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_at_most(&path, MOST_PACK_BYTES + 1);
    let bytes = bytes.with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(Some((path.display().to_string(), bytes)))
}

/// The rules of a pack, with what is wrong or without effect said; `None` where it cannot be used.
fn compiled(loaded: &Loaded) -> Option<Arc<RuleSet>> {
    match RuleSet::compile(std::slice::from_ref(&loaded.file)) {
        Ok(compiled) => {
            let set = Arc::new(compiled.rules);
            let mut mistakes = compiled.warnings;
            mistakes.extend(loaded.mistakes.iter().cloned());
            if let Some(file) = &loaded.tests_file {
                mistakes.extend(check_test_file(&set, 0, file, &loaded.tests));
            }
            mistakes.iter().for_each(|mistake| say!("{mistake}"));
            let is_error = |mistake: &Mistake| mistake.weight == Weight::Error;
            (!mistakes.iter().any(is_error)).then_some(set)
        }
        Err(mistakes) => {
            say!("{mistakes}");
            None
        }
    }
}

fn check(app: &mut App, args: &CheckArgs) -> Result<Exit> {
    let mut exit = Exit::Done;
    let mut cards = Vec::new();
    let mut sets = Vec::new();
    for path in &args.files {
        let (name, bytes) = read(&app.config, path, PACKS, "pack or score card")?;
        if Card::is_meant(&bytes) {
            cards.push((name, bytes));
            continue;
        }
        let loaded = load_read(path, &name, &bytes)?;
        let Some(set) = compiled(&loaded) else {
            exit = Exit::Failed;
            continue;
        };
        // Reading it takes longer than all the rest.
        if !set.labels().is_empty() {
            let classifier = classifier(&app.config, loaded.file.language())?;
            for mistake in check_labels(&set, &classifier) {
                say!("{mistake}");
            }
        }
        let (rules, keywords) = (set.rules().len() as u64, set.n_keywords() as u64);
        writeln!(
            app.terminal,
            "{}: {}, {}",
            path.display(),
            count(rules, "rule"),
            count(keywords, "keyword")
        )?;
        sets.push(set);
    }
    if cards.is_empty() {
        return Ok(exit);
    }
    let sets = cards::packs_for(app, &args.rules, sets)?;
    for (name, bytes) in cards {
        if cards::check(app, &name, &bytes, &sets)? == Exit::Failed {
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

fn test(app: &mut App, packs: &[PathBuf]) -> Result<Exit> {
    let judges = Judges::load(&app.config)?;
    let mut exit = Exit::Done;
    for path in packs {
        let loaded = load(app, path)?;
        let Some(set) = compiled(&loaded) else {
            exit = Exit::Failed;
            continue;
        };
        let mut observer = TrialObserver::new(judges.intents(loaded.file.language()));
        let report = run_tests(&set, 0, &loaded.tests, &mut observer);
        writeln!(app.terminal, "{}: {report}", path.display())?;
        if !report.passed() {
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

fn explain_rule(app: &mut App, args: &ExplainArgs) -> Result<Exit> {
    let judges = Judges::load(&app.config)?;
    let store = app.existing_store()?;
    let call = app.one_call(&store, &args.call)?;
    let transcript = app.transcript(&store, &call)?;
    let set = match args.rules.as_slice() {
        [] => Arc::clone(&judges.of(&transcript).judge.rules),
        packs => Arc::new(rules_of(app, packs)?),
    };
    let found = set.find(&args.rule);
    if found.is_empty() {
        let names = set.rules().iter().map(|rule| rule.id.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        return Err(usage(format!(
            "no rule `{}` for this call\nhint: there are {names}",
            args.rule
        )));
    }
    let assessment = judges.assess(&transcript);
    let quotes = (!args.unmasked).then(|| MaskedQuotes::new(&transcript, &assessment));
    let judge = Judge {
        rules: set,
        ..judges.of(&transcript).judge.clone()
    };
    for rule in found {
        let explanation = CallRun::explain(&judge, rule, &transcript);
        let mut explanation = explanation.context("the rule is gone")?;
        let shown = |text: &str| match &quotes {
            Some(quotes) => printable(&quotes.hide(text)),
            None => printable(text),
        };
        explanation.title = printable(&explanation.title);
        for hit in &mut explanation.hits {
            hit.why = shown(&hit.why);
        }
        each_text(&mut explanation.condition, &shown);
        writeln!(app.terminal, "{explanation}")?;
    }
    Ok(Exit::Done)
}

/// Puts every text of a condition and of its parts through `shown`.
fn each_text(branch: &mut Branch, shown: &impl Fn(&str) -> String) {
    branch.condition = printable(&branch.condition);
    for text in branch.found.iter_mut().chain(&mut branch.missed) {
        *text = shown(text);
    }
    for part in &mut branch.parts {
        each_text(part, shown);
    }
}

fn rules_of(app: &App, packs: &[PathBuf]) -> Result<RuleSet> {
    let mut files = Vec::new();
    for path in packs {
        let (name, bytes) = read(&app.config, path, PACKS, "pack")?;
        files.push(read_pack(&name, &bytes));
    }
    let compiled = RuleSet::compile(&files).map_err(|mistakes| usage(mistakes.to_string()))?;
    Ok(compiled.rules)
}

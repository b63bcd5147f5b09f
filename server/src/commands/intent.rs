//! `auricle intent`: the text classifier, trained and measured on labelled text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use auricle_insight::intent::{
    IntentModel, LabelledText, Language, TrainOptions, TrainProgress, WordClasses, cross_validate,
    evaluate, parse_rows, parse_thresholds, rare_labels, train,
};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use walkdir::WalkDir;

use crate::app::App;
use crate::atomic::write_atomically;
use crate::exit::{Exit, usage};
use crate::terminal::{count, say};
use crate::text_file::read_text;

const FORMAT: &str = "\
Labelled text is lines of PARTY<TAB>LABELS<TAB>TEXT, in files that end with .tsv:
  customer<TAB>refuses,opt_out<TAB>不需要，以后别打了
  customer<TAB>-<TAB>我的订单号是多少？
  agent<TAB>pressure<TAB>今天不办就没有了
PARTY is agent or customer; LABELS are names parted by commas, or `-` for none. The files of one folder belong
together: a line says nothing of labels that stand neither in its folder nor below it. Texts are Mandarin or English,
and so is the model. Beside them may stand
  synonyms.txt      words that mean the same, `class: word word …` a line, `_` for a space [default: Auricle's own]
  thresholds.txt    `label probability` a line: below it the label is not given

Examples:
  auricle intent train my-texts/ --out my.intents    learn from all .tsv files of a folder
  auricle intent eval my-texts/                      cross-validation: train on four fifths, try the fifth
  auricle intent eval calls.tsv --model my.intents   try a model on text it was not trained on

A model is put to use by `intents = \"my.intents\"` under [insight] in auricle.toml.";

/// `auricle intent …`.
#[derive(Debug, Subcommand)]
#[command(after_long_help = FORMAT)]
pub(crate) enum IntentCommand {
    /// Learn a model from labelled text.
    #[command(after_long_help = FORMAT)]
    Train(TrainArgs),
    /// Say how well labels are given: precision, recall and F1 of each.
    #[command(after_long_help = FORMAT)]
    Eval(EvalArgs),
}

/// Options of `auricle intent train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// .tsv files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    texts: Vec<PathBuf>,
    /// The model to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where chance starts; the same texts and seed give the same model.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Options of `auricle intent eval`.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// .tsv files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    texts: Vec<PathBuf>,
    /// A model that was not trained on these texts [default: cross-validation on them].
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Parts of a cross-validation.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=20))]
    folds: u8,
}

pub(crate) fn run(app: &mut App, command: &IntentCommand) -> Result<Exit> {
    match command {
        IntentCommand::Train(args) => learn(args)?,
        IntentCommand::Eval(args) => measure(app, args)?,
    }
    Ok(Exit::Done)
}

fn learn(args: &TrainArgs) -> Result<()> {
    let rows = read_rows(&args.texts)?;
    let classes = read_classes(&args.texts, &rows)?;
    let options = TrainOptions {
        seed: args.seed,
        least_thresholds: read_thresholds(&args.texts)?,
        ..TrainOptions::default()
    };
    say_rare(&rows, &options);
    let bar = bar();
    let model = train(&rows, &classes, &options, |progress| show(&bar, progress));
    bar.finish_and_clear();
    let model = model.map_err(|cause| usage(cause.to_string()))?;
    let bytes = model.write();
    write_atomically(&args.out, &bytes)?;
    say!(
        "learnt from {}: `{}`, {} kB",
        count(rows.len() as u64, "row"),
        args.out.display(),
        bytes.len() / 1000
    );
    Ok(())
}

fn measure(app: &mut App, args: &EvalArgs) -> Result<()> {
    let rows = read_rows(&args.texts)?;
    let report = match &args.model {
        Some(path) => {
            let model = read_model(path)?;
            say_unknown(&rows, &model);
            evaluate(&model, &rows)
        }
        None => {
            let classes = read_classes(&args.texts, &rows)?;
            let options = TrainOptions {
                n_folds: usize::from(args.folds),
                least_thresholds: read_thresholds(&args.texts)?,
                ..TrainOptions::default()
            };
            say_rare(&rows, &options);
            let bar = bar();
            let report = cross_validate(&rows, &classes, &options, |progress| show(&bar, progress));
            bar.finish_and_clear();
            report.map_err(|cause| usage(cause.to_string()))?
        }
    };
    Ok(write!(app.terminal, "{report}")?)
}

/// Names the labels that have too few rows to be learnt.
fn say_rare(rows: &[LabelledText], options: &TrainOptions) {
    let rare = rare_labels(rows, options);
    let named = rare.iter().map(|rare| {
        let n_rows = count(rare.n_rows as u64, "row");
        format!("{} `{}` ({n_rows})", rare.party, rare.label)
    });
    let named = named.collect::<Vec<_>>().join(", ");
    if !named.is_empty() {
        say!(
            "warning: not learnt, for too few rows have them: {named}\nhint: a label takes {} rows of one party; look for misspelt ones",
            options.least_rows
        );
    }
}

/// Names the labels of the texts that the model does not tell: it is not measured by them.
fn say_unknown(rows: &[LabelledText], model: &IntentModel) {
    let labels = rows
        .iter()
        .flat_map(|row| row.labels.iter().map(|label| (row.party, label)));
    let unknown: BTreeSet<String> = labels
        .filter(|(party, label)| !model.labels(*party).any(|known| known == *label))
        .map(|(party, label)| format!("{party} `{label}`"))
        .collect();
    if !unknown.is_empty() {
        let named = unknown.into_iter().collect::<Vec<_>>().join(", ");
        say!("warning: not measured, for the model does not tell them: {named}");
    }
}

/// A model that `auricle intent train` wrote.
pub(crate) fn read_model(path: &Path) -> Result<IntentModel> {
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read the model `{shown}`"))?;
    let model = IntentModel::read(&bytes);
    model.with_context(|| format!("`{shown}` is no intent model"))
}

/// The rows of all files, in the order of their names, so that the same texts give the same model.
fn read_rows(paths: &[PathBuf]) -> Result<Vec<LabelledText>> {
    let mut rows = Vec::new();
    for path in files(paths)? {
        let shown = path.display();
        let text = read_text(&path).map_err(|cause| usage(format!("`{shown}`: {cause}")))?;
        let collection = path.parent().unwrap_or(Path::new("")).to_string_lossy();
        let read =
            parse_rows(&text, &collection).map_err(|cause| usage(format!("`{shown}`: {cause}")))?;
        rows.extend(read);
    }
    Ok(rows)
}

/// The word classes beside the texts, else those that Auricle brings with it, in the language of the texts.
fn read_classes(paths: &[PathBuf], rows: &[LabelledText]) -> Result<WordClasses> {
    let language = Language::of_texts(rows.iter().map(|row| row.text.as_str()));
    Ok(match read_beside(paths, "synonyms.txt")? {
        Some((_, text)) => WordClasses::parse(&text, language),
        None => language.word_classes().clone(),
    })
}

fn read_thresholds(paths: &[PathBuf]) -> Result<BTreeMap<String, f32>> {
    let Some((path, text)) = read_beside(paths, "thresholds.txt")? else {
        return Ok(BTreeMap::new());
    };
    let shown = path.display();
    parse_thresholds(&text).map_err(|cause| usage(format!("`{shown}`: {cause}")))
}

/// The first file of this name in one of the folders.
fn read_beside(paths: &[PathBuf], name: &str) -> Result<Option<(PathBuf, String)>> {
    let mut found = paths.iter().map(|folder| folder.join(name));
    let Some(path) = found.find(|path| path.is_file()) else {
        return Ok(None);
    };
    let shown = path.display();
    let text = read_text(&path).map_err(|cause| usage(format!("`{shown}`: {cause}")))?;
    Ok(Some((path, text)))
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry = entry.with_context(|| format!("cannot read `{}`", path.display()))?;
            let is_wanted = entry.depth() == 0 || entry.path().extension() == Some("tsv".as_ref());
            if entry.file_type().is_file() && is_wanted {
                found.push(entry.into_path());
            }
        }
    }
    match found.is_empty() {
        true => bail!("no .tsv files there"),
        false => Ok(found),
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3}%  learning, {eta} left")
    {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, progress: TrainProgress) {
    bar.set_length(progress.n_in_all as u64);
    bar.set_position(progress.n_done as u64);
}

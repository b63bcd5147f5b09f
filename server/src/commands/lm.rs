//! `auricle lm`: language models from texts, and how well one foresees a text.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use auricle_speech::lm::texts::model_of_texts;
use auricle_speech::lm::{Keeping, Vocabulary, WordId, arpa, count, eval, evaluate};
use clap::Subcommand;
use serde::Serialize;

use crate::app::App;
use crate::atomic::write_atomically;
use crate::engine::model_store;
use crate::exit::{Exit, usage};
use crate::language;
use crate::terminal::say;

const EXAMPLES: &str = "\
A language model says which words follow which; it decides between homophones.
  auricle lm build transcripts.txt --out own.arpa    count a text: one sentence a line, plain or gzip
  auricle lm eval held-out.txt                       how well the model in use foresees a text
  auricle lm eval held-out.txt --arpa own.arpa       the same with this model mixed in

Then, in auricle.toml:
  [lm]
  arpa = [\"own.arpa\"]

Perplexity is comparable between models over the same text only; the one for each hanzi also between
models with different words. Lower is better.";

/// Expectation maximisation has settled long before.
const WEIGHT_ROUNDS: usize = 30;

/// `auricle lm …`.
#[derive(Debug, Subcommand)]
#[command(after_long_help = EXAMPLES)]
pub(crate) enum LmCommand {
    /// Count texts and write an ARPA file.
    Build {
        /// Texts, one sentence a line, plain or gzip.
        #[arg(required = true, value_name = "TEXT")]
        texts: Vec<PathBuf>,
        /// File to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Words of context and the word itself.
        #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=3))]
        order: u8,
    },
    /// Measure how well a model foresees texts.
    Eval {
        /// Texts that the model was not made from.
        #[arg(required = true, value_name = "TEXT")]
        texts: Vec<PathBuf>,
        /// ARPA files to mix in, instead of the configuration's.
        #[arg(long, value_name = "FILE")]
        arpa: Vec<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(app: &mut App, command: &LmCommand) -> Result<Exit> {
    match command {
        LmCommand::Build { texts, out, order } => build(texts, out, usize::from(*order)),
        LmCommand::Eval { texts, arpa, json } => {
            if !arpa.is_empty() {
                app.config.lm.arpa = Some(arpa.iter().map(absolute).collect());
            }
            measure(app, texts, if *json { Form::Json } else { Form::Text })
        }
    }
}

/// Paths of the command line start at the current folder, those of the configuration at its file.
fn absolute(path: &PathBuf) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.clone())
}

fn build(texts: &[PathBuf], out: &Path, order: usize) -> Result<Exit> {
    let (model, vocabulary, report) = model_of_texts(texts, order)?;
    if report.n_known_words() == 0 {
        return Err(usage(
            "the texts have no words in hanzi\nhint: one sentence a line, UTF-8",
        ));
    }
    let mut bytes = BufWriter::new(Vec::new());
    arpa::write(&model, &vocabulary, &mut bytes)?;
    write_atomically(
        out,
        &bytes.into_inner().map_err(|error| error.into_error())?,
    )?;
    say!(
        "{} sentences, {} words; n-grams by order: {:?}",
        report.n_sentences,
        report.n_words,
        report.n_ngrams
    );
    Ok(Exit::Done)
}

fn read_sentences(texts: &[PathBuf], vocabulary: &Vocabulary) -> Result<Vec<Vec<WordId>>> {
    let jieba = jieba_rs::Jieba::new();
    let mut found = Vec::new();
    for path in texts {
        count::read_lines(path, |line| {
            found.extend(count::sentences(line, &jieba, vocabulary))
        })
        .with_context(|| format!("cannot read the text `{}`", path.display()))?;
    }
    Ok(found)
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

#[derive(Serialize)]
struct Measured {
    sentences: usize,
    words: usize,
    unknown_percent: f64,
    perplexity: f64,
    hanzi_perplexity: f64,
    /// The parts of the model: name, weight in use, and the weight that would suit this text best.
    parts: Vec<(String, f32, f32)>,
}

fn measure(app: &mut App, texts: &[PathBuf], form: Form) -> Result<Exit> {
    let options = language::options(&app.config, &model_store(&app.config)?);
    let (language, _) = language::load(&app.config, &options, Keeping::InFolder)?;
    let sentences = read_sentences(texts, &language.vocabulary)?;
    let found = evaluate(&language.model, &language.vocabulary, &sentences);
    let best = eval::best_weights(&language.model, &sentences, WEIGHT_ROUNDS);
    let weights = language.model.weights();
    let parts = language.model.names().zip(weights).zip(best);
    let measured = Measured {
        sentences: found.n_sentences,
        words: found.n_words,
        unknown_percent: found.unknown_ratio() * 100.0,
        perplexity: found.perplexity(),
        hanzi_perplexity: found.hanzi_perplexity(),
        parts: parts
            .map(|((name, weight), best)| (name.to_owned(), weight, best))
            .collect(),
    };
    let out = &mut app.terminal;
    if form == Form::Json {
        serde_json::to_writer_pretty(&mut *out, &measured)?;
        writeln!(out)?;
        return Ok(Exit::Done);
    }
    writeln!(out, "sentences         {}", measured.sentences)?;
    writeln!(
        out,
        "words             {} ({:.2} % unknown)",
        measured.words, measured.unknown_percent
    )?;
    writeln!(
        out,
        "perplexity        {:.1} a word, {:.1} a hanzi",
        measured.perplexity, measured.hanzi_perplexity
    )?;
    for (name, weight, best) in &measured.parts {
        writeln!(
            out,
            "part  {name:<12} weight {weight:.3}, best for this text {best:.3}"
        )?;
    }
    Ok(Exit::Done)
}

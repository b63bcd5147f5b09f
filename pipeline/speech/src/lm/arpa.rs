//! Reads and writes n-gram models in the ARPA format, plain or gzip.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

use super::ngram::{AddError, MAX_ORDER, NgramBuilder, NgramModel};
use super::vocabulary::{Vocabulary, WordId};

/// Why an ARPA file was not read.
#[derive(Debug, Error)]
pub enum ArpaError {
    /// The bytes end or fail: missing file, damaged gzip, no UTF-8.
    #[error(
        "line {line}: cannot read on: {source}\nhint: fetch or write the file again; it may be cut short"
    )]
    Io {
        /// Line reached, from 1.
        line: u64,
        /// Cause.
        source: io::Error,
    },
    /// A line is not what the format has at this place.
    #[error("line {line}: {problem}\nhint: {hint}")]
    Format {
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: &'static str,
    },
}

/// What a file may ask for; more is an error, not an allocation.
#[derive(Clone, Copy, Debug)]
pub struct ArpaLimits {
    /// Most n-grams of all orders together.
    pub ngrams: u64,
    /// Longest line.
    pub line_bytes: u64,
}

impl Default for ArpaLimits {
    /// 200 million n-grams (about 5 GB in memory), lines of 16 KiB.
    fn default() -> Self {
        Self {
            ngrams: 200_000_000,
            line_bytes: 16 * 1024,
        }
    }
}

/// Log probability of a word that a model without `<unk>` does not have.
pub const UNKNOWN_LOG_PROB: f32 = -20.0;

/// Reads the model in the file at `path`, gzip or plain. New words join `vocabulary`.
pub fn read_file(path: &Path, vocabulary: &mut Vocabulary) -> Result<NgramModel, ArpaError> {
    let file = std::fs::File::open(path).map_err(|source| ArpaError::Io { line: 0, source })?;
    read(
        BufReader::with_capacity(1 << 16, file),
        vocabulary,
        ArpaLimits::default(),
    )
}

/// Reads a model, gzip (known by its first bytes) or plain. New words join `vocabulary`.
///
/// Orders 1 to 5. Probabilities and back-offs are base-10 logarithms in the file; -99 stands for zero.
/// Lines before `\data\` are skipped. Counts must agree with the sections, every context and every word of
/// a higher order must be there, and the file must end in `\end\`: anything else is an error with its line.
pub fn read(
    mut input: impl BufRead,
    vocabulary: &mut Vocabulary,
    limits: ArpaLimits,
) -> Result<NgramModel, ArpaError> {
    let head = input
        .fill_buf()
        .map_err(|source| ArpaError::Io { line: 1, source })?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let unpacked = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(input));
        return Parser::new(unpacked, limits).model(vocabulary);
    }
    Parser::new(input, limits).model(vocabulary)
}

struct Parser<R> {
    input: R,
    limits: ArpaLimits,
    line: String,
    number: u64,
}

const HINT_FORMAT: &str =
    "is this an ARPA file? expected `\\data\\`, `ngram 1=…`, `\\1-grams:`, …, `\\end\\`";
const HINT_COUNT: &str = "the file is cut short or was edited by hand; write it again";
const HINT_ENTRY: &str = "an entry is a base-10 log probability, the words, and a back-off weight where a longer n-gram exists";
const HINT_CONTEXT: &str =
    "every word and every context must stand in a lower order; prune with a tool that keeps them";

impl<R: BufRead> Parser<R> {
    fn new(input: R, limits: ArpaLimits) -> Self {
        Self {
            input,
            limits,
            line: String::new(),
            number: 0,
        }
    }

    fn model(mut self, vocabulary: &mut Vocabulary) -> Result<NgramModel, ArpaError> {
        let counts = self.header()?;
        let entries = self.unigrams(counts[0])?;
        for (word, ..) in &entries {
            vocabulary.add(word);
        }
        let mut builder = NgramBuilder::new(vocabulary.len(), UNKNOWN_LOG_PROB);
        for (word, log_prob, backoff) in entries {
            let id = vocabulary.add(&word);
            builder
                .add(&[id], log_prob, backoff)
                .map_err(|error| self.misplaced(error))?;
        }
        builder.end_level().map_err(|error| self.misplaced(error))?;
        for (order, &count) in counts.iter().enumerate().skip(1) {
            self.section(order + 1, count, counts.len(), vocabulary, &mut builder)?;
        }
        if self.line.trim() != "\\end\\" {
            return Err(self.wrong(
                format!("expected `\\end\\`, got `{}`", shown(&self.line)),
                HINT_COUNT,
            ));
        }
        self.drain()?;
        Ok(builder.finish())
    }

    /// Reads to the end, so that a gzip file proves its checksum; what stands there is not looked at.
    fn drain(&mut self) -> Result<(), ArpaError> {
        io::copy(&mut self.input, &mut io::sink())
            .map(|_| ())
            .map_err(|source| ArpaError::Io {
                line: self.number,
                source,
            })
    }

    /// The counts; leaves the line `\1-grams:` read.
    fn header(&mut self) -> Result<Vec<u64>, ArpaError> {
        while self.next_line()? && self.line.trim() != "\\data\\" {}
        if self.line.trim() != "\\data\\" {
            return Err(self.wrong("no `\\data\\` line".to_owned(), HINT_FORMAT));
        }
        let mut counts: Vec<u64> = Vec::new();
        while self.next_full_line()? && !self.line.starts_with('\\') {
            let (order, count) = self
                .line
                .trim()
                .strip_prefix("ngram ")
                .and_then(|rest| rest.split_once('='))
                .and_then(|(order, count)| {
                    Some((
                        order.trim().parse::<usize>().ok()?,
                        count.trim().parse::<u64>().ok()?,
                    ))
                })
                .ok_or_else(|| {
                    self.wrong(
                        format!("expected `ngram N=COUNT`, got `{}`", shown(&self.line)),
                        HINT_FORMAT,
                    )
                })?;
            if order != counts.len() + 1 || order > MAX_ORDER {
                let problem = format!(
                    "order `{order}` where `{}` was expected (1 to {MAX_ORDER})",
                    counts.len() + 1
                );
                return Err(self.wrong(problem, HINT_FORMAT));
            }
            counts.push(count);
        }
        let total = counts
            .iter()
            .fold(0_u64, |sum, &count| sum.saturating_add(count));
        if counts.is_empty() || total > self.limits.ngrams {
            let problem = format!(
                "`{total}` n-grams announced, at most `{}` are read",
                self.limits.ngrams
            );
            return Err(self.wrong(problem, "prune the model, or correct the counts"));
        }
        Ok(counts)
    }

    /// The words of the first section with natural logarithms; leaves the next section's head read.
    fn unigrams(&mut self, count: u64) -> Result<Vec<(String, f32, f32)>, ArpaError> {
        self.expect_head(1)?;
        let mut entries = Vec::with_capacity(count.min(1 << 20) as usize);
        while self.next_full_line()? && !self.line.starts_with('\\') {
            let mut fields = self.line.split_ascii_whitespace();
            let log_prob = self.log(fields.next())?;
            let Some(word) = fields.next() else {
                return Err(self.wrong("an entry without a word".to_owned(), HINT_ENTRY));
            };
            let backoff = fields.next();
            let entry = (word.to_owned(), log_prob, self.backoff(backoff)?);
            if fields.next().is_some() {
                return Err(self.wrong("more fields than a 1-gram has".to_owned(), HINT_ENTRY));
            }
            entries.push(entry);
            self.check_count(1, entries.len() as u64, count, Section::Open)?;
        }
        self.check_count(1, entries.len() as u64, count, Section::Ended)?;
        Ok(entries)
    }

    fn section(
        &mut self,
        order: usize,
        count: u64,
        highest: usize,
        vocabulary: &Vocabulary,
        builder: &mut NgramBuilder,
    ) -> Result<(), ArpaError> {
        self.expect_head(order)?;
        let mut found = 0;
        while self.next_full_line()? && !self.line.starts_with('\\') {
            let mut fields = self.line.split_ascii_whitespace();
            let log_prob = self.log(fields.next())?;
            let mut words = [0 as WordId; MAX_ORDER];
            for slot in &mut words[..order] {
                let Some(word) = fields.next() else {
                    return Err(
                        self.wrong(format!("fewer words than a {order}-gram has"), HINT_ENTRY)
                    );
                };
                *slot = vocabulary.id(word).ok_or_else(|| {
                    self.wrong(
                        format!("word `{}` of a {order}-gram is no 1-gram", shown(word)),
                        HINT_CONTEXT,
                    )
                })?;
            }
            let backoff = fields.next();
            let backoff = self.backoff(backoff)?;
            if fields.next().is_some() || (order == highest && backoff != 0.0) {
                return Err(self.wrong(format!("more fields than a {order}-gram has"), HINT_ENTRY));
            }
            builder
                .add(&words[..order], log_prob, backoff)
                .map_err(|error| self.misplaced(error))?;
            found += 1;
            self.check_count(order, found, count, Section::Open)?;
        }
        self.check_count(order, found, count, Section::Ended)?;
        builder.end_level().map_err(|error| self.misplaced(error))
    }

    fn expect_head(&self, order: usize) -> Result<(), ArpaError> {
        if self.line.trim() == format!("\\{order}-grams:") {
            return Ok(());
        }
        let problem = format!("expected `\\{order}-grams:`, got `{}`", shown(&self.line));
        Err(self.wrong(problem, HINT_FORMAT))
    }

    fn check_count(
        &self,
        order: usize,
        found: u64,
        count: u64,
        section: Section,
    ) -> Result<(), ArpaError> {
        if found > count || (section == Section::Ended && found != count) {
            let problem = format!("`{found}` {order}-grams found where `{count}` were announced");
            return Err(self.wrong(problem, HINT_COUNT));
        }
        Ok(())
    }

    /// A base-10 log probability as a natural one.
    fn log(&self, field: Option<&str>) -> Result<f32, ArpaError> {
        let value = match field {
            Some("-inf") => Some(ZERO_LOG10),
            Some(text) => text.parse::<f32>().ok().filter(|value| value.is_finite()),
            None => None,
        };
        // Writers round: a certain word may come out a hair above zero.
        let value = value.filter(|&value| value <= 0.001).ok_or_else(|| {
            let problem = format!(
                "`{}` is no log probability",
                shown(field.unwrap_or_default())
            );
            self.wrong(problem, HINT_ENTRY)
        })?;
        Ok(value.clamp(ZERO_LOG10, 0.0) * std::f32::consts::LN_10)
    }

    fn backoff(&self, field: Option<&str>) -> Result<f32, ArpaError> {
        let Some(text) = field else { return Ok(0.0) };
        match text.parse::<f32>() {
            Ok(value) if value.is_finite() => {
                Ok(value.clamp(ZERO_LOG10, -ZERO_LOG10) * std::f32::consts::LN_10)
            }
            _ => Err(self.wrong(
                format!("`{}` is no back-off weight", shown(text)),
                HINT_ENTRY,
            )),
        }
    }

    fn misplaced(&self, error: AddError) -> ArpaError {
        match error {
            AddError::ContextMissing => self.wrong(
                "the words before the last are no n-gram of the order below".to_owned(),
                HINT_CONTEXT,
            ),
            AddError::Twice(_) => self.wrong(
                "the section before this line has an n-gram twice".to_owned(),
                HINT_COUNT,
            ),
            AddError::TooLarge => self.wrong("too many n-grams".to_owned(), "prune the model"),
        }
    }

    fn wrong(&self, problem: String, hint: &'static str) -> ArpaError {
        ArpaError::Format {
            line: self.number,
            problem,
            hint,
        }
    }

    /// The next line that is not blank. At the end of the input: an error.
    fn next_full_line(&mut self) -> Result<bool, ArpaError> {
        loop {
            if !self.next_line()? {
                return Err(self.wrong("the file ends before `\\end\\`".to_owned(), HINT_COUNT));
            }
            if !self.line.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    /// False at the end of the input.
    fn next_line(&mut self) -> Result<bool, ArpaError> {
        self.line.clear();
        self.number += 1;
        let read = (&mut self.input)
            .take(self.limits.line_bytes)
            .read_line(&mut self.line)
            .map_err(|source| ArpaError::Io {
                line: self.number,
                source,
            })?;
        if read as u64 == self.limits.line_bytes && !self.line.ends_with('\n') {
            let problem = format!("longer than `{}` bytes", self.limits.line_bytes);
            return Err(self.wrong(problem, HINT_FORMAT));
        }
        Ok(read > 0)
    }
}

/// Whether more entries may follow.
#[derive(Clone, Copy, PartialEq)]
enum Section {
    Open,
    Ended,
}

/// How the format writes a probability of zero.
const ZERO_LOG10: f32 = -99.0;

/// The beginning of a text from the file, fit for a message.
fn shown(text: &str) -> String {
    text.trim().chars().take(32).collect()
}

/// Writes a model in the ARPA format.
pub fn write(
    model: &NgramModel,
    vocabulary: &Vocabulary,
    output: &mut impl Write,
) -> io::Result<()> {
    writeln!(output, "\\data\\")?;
    for (level, count) in model.counts().iter().enumerate() {
        writeln!(output, "ngram {}={count}", level + 1)?;
    }
    let mut words = Vec::with_capacity(MAX_ORDER);
    for order in 1..=model.order() {
        writeln!(output, "\n\\{order}-grams:")?;
        write_level(model, vocabulary, order, &mut words, 0, output)?;
    }
    writeln!(output, "\n\\end\\")
}

/// Writes the n-grams of `order` that begin with the words of `node`.
fn write_level(
    model: &NgramModel,
    vocabulary: &Vocabulary,
    order: usize,
    words: &mut Vec<WordId>,
    node: usize,
    output: &mut impl Write,
) -> io::Result<()> {
    for child in model.children[node] as usize..model.children[node + 1] as usize {
        words.push(model.word[child]);
        if words.len() < order {
            write_level(model, vocabulary, order, words, child, output)?;
        } else {
            let log10 = model.log_prob[child] / std::f32::consts::LN_10;
            let spelled: Vec<&str> = words.iter().map(|&word| vocabulary.word(word)).collect();
            write!(output, "{log10:.5}\t{}", spelled.join(" "))?;
            match model.backoff.get(child) {
                Some(backoff) => writeln!(output, "\t{:.5}", backoff / std::f32::consts::LN_10)?,
                None => writeln!(output)?,
            }
        }
        words.pop();
    }
    Ok(())
}

#[cfg(test)]
#[path = "arpa_tests.rs"]
mod tests;

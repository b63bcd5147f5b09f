//! `--metadata calls.csv`: what is known of calls beside their sound.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use auricle_contracts::CallMetadata;
use serde::Deserialize;
use time::UtcOffset;

use crate::clock;
use crate::exit::usage;
use crate::file_name::path_text;
use crate::terminal::{count, printable};
use crate::text_file::read_text;
use auricle_insight::plainly;

/// One row. `file` is required; it is a file's name, its stem, or a path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    file: String,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    campaign: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    started_at: Option<String>,
}

/// What one row says.
#[derive(Debug)]
struct Known {
    line: u64,
    metadata: CallMetadata,
}

/// What a table and the command line say of calls.
#[derive(Debug, Default)]
pub(crate) struct MetadataTable {
    by_name: HashMap<String, Known>,
    /// Where the table was read from, for messages.
    path: PathBuf,
    /// Whether a time had no offset of its own.
    assumes_offset: bool,
    /// For every call that the table does not say otherwise of.
    everywhere: CallMetadata,
}

/// What is wrong with a table, with its line.
fn in_table(cause: &csv::Error) -> String {
    let line = cause.position().map_or(0, csv::Position::line);
    match cause.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!(
            "line {line} has {}, the first line has {expected_len}\nhint: quote values that have commas in them",
            count(*len, "column")
        ),
        csv::ErrorKind::Deserialize { err, .. } => {
            format!("line {line}: {}", plainly(&err.kind().to_string()))
        }
        _ => cause.to_string(),
    }
}

impl MetadataTable {
    /// The values of `--agent`, `--campaign` and `--region`, and no table.
    pub(crate) fn new(everywhere: CallMetadata) -> Self {
        Self {
            everywhere,
            ..Self::default()
        }
    }

    /// Reads a table with a head of column names out of `file`, `agent`, `campaign`, `region` and
    /// `started_at`. Times without an offset are taken at `offset`.
    pub(crate) fn read(mut self, path: &Path, offset: UtcOffset) -> Result<Self> {
        let place = || format!("metadata `{}`", path.display());
        let text = read_text(path).map_err(|cause| usage(format!("{}: {cause}", place())))?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let wrong = |cause: csv::Error| usage(format!("{}: {}", place(), in_table(&cause)));
        let head = reader.headers().map_err(wrong)?.clone();
        for record in reader.records() {
            let record = record.map_err(wrong)?;
            let row = record.deserialize::<Row>(Some(&head)).map_err(wrong)?;
            let line = record.position().map_or(0, csv::Position::line);
            let added = self.add(row, line, offset);
            added.map_err(usage).with_context(place)?;
        }
        path.clone_into(&mut self.path);
        Ok(self)
    }

    fn add(&mut self, row: Row, line: u64, offset: UtcOffset) -> Result<(), String> {
        let filled = |value: Option<String>| value.filter(|value| !value.is_empty());
        let started_at = match filled(row.started_at) {
            Some(text) => {
                self.assumes_offset |= !clock::has_offset(&text);
                let moment = clock::parse_moment(&text, offset);
                Some(moment.map_err(|cause| format!("`{}`: {cause}", row.file))?)
            }
            None => None,
        };
        let metadata = CallMetadata {
            agent: filled(row.agent),
            campaign: filled(row.campaign),
            region: filled(row.region),
            started_at,
        };
        let known = Known { line, metadata };
        match self.by_name.insert(row.file.clone(), known) {
            Some(_) => Err(format!("`{}` has two rows", row.file)),
            None => Ok(()),
        }
    }

    /// What is known of a recording: by its path, else its name, else its stem; what the row leaves
    /// open comes from the command line.
    pub(crate) fn of(&self, path: &Path) -> CallMetadata {
        let row = names_of(path).find_map(|name| self.by_name.get(&name));
        let row = row.map_or_else(CallMetadata::default, |row| row.metadata.clone());
        CallMetadata {
            agent: row.agent.or_else(|| self.everywhere.agent.clone()),
            campaign: row.campaign.or_else(|| self.everywhere.campaign.clone()),
            region: row.region.or_else(|| self.everywhere.region.clone()),
            started_at: row.started_at,
        }
    }
}

impl MetadataTable {
    /// What somebody who reads the table's answers should know: rows that fit none of these recordings,
    /// and times whose offset nobody said.
    pub(crate) fn warnings(
        &self,
        files: &[PathBuf],
        said_offset: Option<UtcOffset>,
    ) -> Vec<String> {
        let table = printable(&self.path.display().to_string());
        let unused = self.unused(files, &table);
        let assumed = (self.assumes_offset && said_offset.is_none()).then(|| {
            format!(
                "times without an offset in `{table}` are taken as UTC\n\
                 hint: `utc_offset = \"+08:00\"` in auricle.toml says otherwise"
            )
        });
        unused.into_iter().chain(assumed).collect()
    }

    fn unused(&self, files: &[PathBuf], table: &str) -> Option<String> {
        let names = files.iter().flat_map(|path| names_of(path));
        let names = names.collect::<HashSet<_>>();
        let unused = self
            .by_name
            .iter()
            .filter(|(name, _)| !names.contains(*name));
        let unused = unused.collect::<Vec<_>>();
        let (name, first) = unused.iter().min_by_key(|(_, known)| known.line)?;
        Some(format!(
            "{} of {} of `{table}` {} no recording, the first in line {}: `{}`",
            unused.len(),
            count(self.by_name.len() as u64, "row"),
            if unused.len() == 1 { "fits" } else { "fit" },
            first.line,
            printable(name)
        ))
    }
}

/// What a row may call a recording, the surest first.
fn names_of(path: &Path) -> impl Iterator<Item = String> {
    let names = [Some(path.as_os_str()), path.file_name(), path.file_stem()];
    names.into_iter().flatten().map(path_text)
}

/// What is known of a call: what a row or an option says now, else what was known before.
pub(crate) fn merged(now: CallMetadata, before: Option<&CallMetadata>) -> CallMetadata {
    let before = before.cloned().unwrap_or_default();
    CallMetadata {
        agent: now.agent.or(before.agent),
        campaign: now.campaign.or(before.campaign),
        region: now.region.or(before.region),
        started_at: now.started_at.or(before.started_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<MetadataTable> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        let everywhere = CallMetadata {
            campaign: Some("all".into()),
            ..CallMetadata::default()
        };
        MetadataTable::new(everywhere).read(file.path(), UtcOffset::UTC)
    }

    #[test]
    fn a_row_is_found_by_path_name_and_stem() {
        let text = "file,agent,campaign,started_at\n\
                    a/x.wav,A1,loans,2026-11-20 08:00\n客户 一.wav,A2,,\ny,A3,cards,\n";
        let table = table(text).unwrap();
        let x = table.of(Path::new("a/x.wav"));
        assert_eq!(x.started_at.as_deref(), Some("2026-11-20T08:00:00Z"));
        assert_eq!(x.campaign.as_deref(), Some("loans"));
        let named = table.of(Path::new("b/客户 一.wav"));
        assert_eq!(
            (named.agent.as_deref(), named.campaign.as_deref()),
            (Some("A2"), Some("all"))
        );
        assert_eq!(table.of(Path::new("c/y.mp3")).agent.as_deref(), Some("A3"));
        assert_eq!(table.of(Path::new("c/z.mp3")).agent, None);
    }

    #[test]
    fn rows_that_fit_nothing_and_times_without_offset_are_said() {
        let files = ["a/x.wav", "a/y.wav"].map(PathBuf::from);
        let one = table("file,started_at\nx,2026-11-20T08:00:00Z\ny.wav,\n").unwrap();
        assert_eq!(one.warnings(&files, None), [""; 0]);
        let text = "file,started_at\nx,2026/11/20 8:00\nb/y.wav,\nz,\n";
        let other = table(text).unwrap();
        let warnings = other.warnings(&files, None);
        let (first, second) = (&warnings[0], &warnings[1]);
        assert!(first.starts_with("2 of 3 rows of `"), "{first}");
        let end = "` fit no recording, the first in line 3: `b/y.wav`";
        assert!(first.ends_with(end), "{first}");
        assert!(
            second.contains("taken as UTC\nhint: `utc_offset"),
            "{second}"
        );
        let x = other.of(&files[0]);
        assert_eq!(x.started_at.as_deref(), Some("2026-11-20T08:00:00Z"));
        assert_eq!(other.warnings(&files[..1], Some(UtcOffset::UTC)).len(), 1);
    }

    #[test]
    fn what_is_not_said_again_stays_known() {
        let known = CallMetadata {
            agent: Some("A7".into()),
            campaign: Some("loans".into()),
            ..CallMetadata::default()
        };
        let now = CallMetadata {
            campaign: Some("cards".into()),
            ..CallMetadata::default()
        };
        let both = merged(now.clone(), Some(&known));
        assert_eq!(both.agent.as_deref(), Some("A7"));
        assert_eq!(both.campaign.as_deref(), Some("cards"));
        assert_eq!(merged(CallMetadata::default(), Some(&known)), known);
        assert_eq!(merged(now.clone(), None), now);
    }

    #[test]
    fn mistakes_are_told_with_file_and_row() {
        let check = |text: &str, expected: &str| {
            let error = crate::exit::message_of(&table(text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        };
        check("file,agnet\nx,A\n", "agnet");
        check("agent\nA\n", "file");
        check("file,started_at\nx,gestern\n", "`x`: time must look like");
        check("file\nx\nx\n", "`x` has two rows");
        check("file,agent\nx\n", "line");
    }
}

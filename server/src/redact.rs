//! Copies of recordings with personal data silenced.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use auricle_audio::{AudioReader, RedactedSpan, redact};
use auricle_contracts::{Assessment, CallId, Transcript};
use auricle_insight::pii::{Mask, Masker};

use crate::file_name::file_stem;

/// Where the copy of a call lies in the folder of copies.
pub(crate) fn copy_path(folder: &Path, call_id: &CallId) -> PathBuf {
    folder.join(format!("{}.wav", file_stem(call_id)))
}

/// Writes the silenced copy of the recording in `path` beside its place and puts it there when it is whole.
pub(crate) fn write_copy(
    folder: &Path,
    path: &Path,
    transcript: &Transcript,
    assessment: &Assessment,
) -> Result<()> {
    let masker = Masker::new(transcript, &assessment.pii, Mask::All);
    let spans = masker.silences().into_iter().map(|silence| RedactedSpan {
        channel: silence.channel.map(usize::from),
        start_ms: silence.time.start_ms,
        end_ms: silence.time.end_ms,
    });
    let spans: Vec<_> = spans.collect();
    let target = copy_path(folder, &transcript.call_id);
    let unfinished = target.with_extension("wav.part");
    let place = || format!("cannot write the silenced copy `{}`", target.display());
    let mut reader = AudioReader::open(path)?;
    let file = File::create(&unfinished).with_context(place)?;
    let written = redact(&mut reader, &spans, BufWriter::new(file));
    let renamed = written
        .map_err(anyhow::Error::from)
        .and_then(|_| Ok(std::fs::rename(&unfinished, &target)?));
    renamed.with_context(place).inspect_err(|_| {
        let _ = std::fs::remove_file(&unfinished);
    })
}

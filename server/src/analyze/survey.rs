//! The first pass over a recording: how long it is, which channels say something, what is wrong with it.

use std::path::Path;

use anyhow::Result;
use auricle_audio::{AudioBlock, AudioReader, ChannelRole, Layout, Survey};
use auricle_contracts::ChannelLayout;

use super::channels::ChannelsFound;

/// What the pass found.
pub(crate) struct Surveyed {
    pub(crate) duration_ms: u64,
    pub(crate) channels: ChannelsFound,
    /// What a reader of the transcript must know.
    pub(crate) warnings: Vec<String>,
}

/// Reads a recording to its end. Memory does not grow with its length.
pub(crate) fn survey(path: &Path) -> Result<Surveyed> {
    let mut reader = AudioReader::open(path)?;
    let rate_hz = reader.info().sample_rate_hz;
    let mut survey = Survey::new(rate_hz, reader.info().n_channels);
    let mut block = AudioBlock::new();
    while reader.next_block(&mut block)? > 0 {
        survey.push(&block);
    }
    let report = survey.finish();
    let said = report.warnings.iter().map(ToString::to_string);
    let warnings = reader
        .warnings()
        .iter()
        .map(ToString::to_string)
        .chain(said)
        .collect();
    Ok(Surveyed {
        duration_ms: report.n_frames * 1000 / u64::from(rate_hz.max(1)),
        channels: ChannelsFound {
            layout: match report.layout {
                Layout::Mono => ChannelLayout::Mono,
                Layout::PerParty => ChannelLayout::PerParty,
                Layout::FakeStereo => ChannelLayout::FakeStereo,
            },
            is_own: report
                .channels
                .iter()
                .map(|channel| channel.role == ChannelRole::Own)
                .collect(),
        },
        warnings,
    })
}

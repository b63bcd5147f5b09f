//! One recording: from its file to its transcript.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use auricle_audio::{AudioBlock, AudioReader};
use auricle_contracts::{ChannelLayout, Party, Transcript, Utterance};
use auricle_speech::SpeechModel;
use auricle_store::Recording;

use super::channels::{ChannelMap, plan};
use super::survey::survey;
use crate::engine::Listener;

/// Told how far a recording is heard.
pub(crate) trait HearProgress: Sync {
    /// So much more sound, milliseconds.
    fn heard(&self, ms: u64);
}

/// Hears the recording in `path`. Memory does not grow with its length, but for the utterances.
pub(crate) fn hear(
    path: &Path,
    recording: &Recording,
    model: &Arc<SpeechModel>,
    map: ChannelMap,
    progress: &dyn HearProgress,
) -> Result<Transcript> {
    let surveyed = survey(path)?;
    let channels = plan(map, &surveyed.channels).map_err(|cause| anyhow!(cause))?;
    let mut warnings = surveyed.warnings;
    if surveyed.channels.layout == ChannelLayout::Mono {
        warnings.push("one channel: both parties are heard as one unknown party".to_owned());
    }
    let utterances = if channels.is_empty() {
        progress.heard(surveyed.duration_ms);
        Vec::new()
    } else {
        transcribe(path, model, &channels, progress)?
    };
    Ok(Transcript {
        call_id: recording.call_id.clone(),
        file: recording.file.clone(),
        duration_ms: surveyed.duration_ms,
        engine: model.name().to_owned(),
        layout: surveyed.channels.layout,
        metadata: recording.metadata.clone(),
        warnings,
        utterances,
    })
}

fn transcribe(
    path: &Path,
    model: &Arc<SpeechModel>,
    channels: &[(u16, Party)],
    progress: &dyn HearProgress,
) -> Result<Vec<Utterance>> {
    let mut reader = AudioReader::open(path)?;
    let rate_hz = reader.info().sample_rate_hz;
    let mut listener = Listener::new(Arc::clone(model), channels, rate_hz)?;
    let mut block = AudioBlock::new();
    let mut ms_told = 0;
    loop {
        let n_frames = reader.next_block(&mut block)?;
        if n_frames == 0 {
            break;
        }
        for (channel_idx, (channel, _)) in channels.iter().enumerate() {
            let samples = block.channel(usize::from(*channel));
            listener
                .push(channel_idx, samples)
                .context("recognition failed")?;
        }
        let ms_now = reader.n_frames_read() * 1000 / u64::from(rate_hz);
        progress.heard(ms_now - ms_told);
        ms_told = ms_now;
    }
    listener.finish().context("recognition failed")
}

//! What the pipeline of this process hears and judges with, and what is spoken.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use auricle_audio::{AudioBlock, AudioReader};
use auricle_insight::Judge;
use auricle_insight::intent::Language;
use auricle_insight::rules::{Included, PackFile, RuleSet};
use auricle_models::{
    CtcFiles, CtcModel, CtcRunBy, EngineSource, PlainSileroSource, RunBy, TransducerModel,
};
use auricle_speech::lm::LanguageData;
use auricle_speech::{Hotwords, SpeechModel, SpeechParts, SpeechSettings};

use crate::Args;
use crate::slots::Recording;

pub(crate) fn model(args: &Args) -> Result<SpeechModel> {
    let settings = SpeechSettings {
        beam: args.beam,
        ..SpeechSettings::default()
    };
    let recogniser: Box<dyn EngineSource> = match args.model.join("model.onnx").is_file() {
        true => Box::new(CtcModel::open(
            CtcFiles::read(&args.model)?,
            CtcRunBy::Tract,
            settings.decode(),
        )?),
        false => Box::new(TransducerModel::open(
            &args.model,
            RunBy::Auricle,
            settings.decode(),
        )?),
    };
    let parts = SpeechParts {
        recogniser,
        vad: Arc::new(PlainSileroSource::open(&args.vad)?),
        second_pass: None,
        language: Arc::new(LanguageData::default_model()?),
        hotwords: Hotwords::default(),
        stands_in: false,
    };
    Ok(SpeechModel::new(parts, settings)?)
}

pub(crate) fn judge(pack: &Path) -> Result<Judge> {
    let mut find = |from: &str, wanted: &str| {
        let path = Path::new(from).with_file_name(wanted);
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        let file = path.display().to_string();
        Ok(Included {
            id: file.clone(),
            file,
            bytes,
        })
    };
    let bytes = std::fs::read(pack).with_context(|| pack.display().to_string())?;
    let file = PackFile::read_with(&pack.display().to_string(), &bytes, &mut find);
    let compiled = RuleSet::compile(&[file]).map_err(|mistakes| anyhow!(mistakes.to_string()))?;
    Ok(Judge {
        rules: Arc::new(compiled.rules),
        card: None,
        intents: Arc::new(Language::Mandarin.model().clone()),
        emotions: None,
    })
}

/// Both channels of every stereo recording of a folder, at 8 kHz.
pub(crate) fn recordings(folder: &Path) -> Result<Vec<Recording>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "wav"))
        .collect();
    files.sort();
    let mut recordings = Vec::new();
    for file in files {
        let mut reader = AudioReader::open(&file)?;
        let mut channels = [Vec::new(), Vec::new()];
        let mut block = AudioBlock::new();
        while reader.next_block(&mut block)? > 0 {
            for (channel, samples) in channels.iter_mut().zip(block.channels()) {
                let samples = samples.iter().map(|sample| (sample * 32768.0) as i16);
                channel.extend(samples.flat_map(i16::to_le_bytes));
            }
        }
        recordings.push(channels);
    }
    if recordings.is_empty() {
        return Err(anyhow!("`{}` has no *.wav", folder.display()));
    }
    Ok(recordings)
}

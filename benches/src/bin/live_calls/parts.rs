//! What the pipeline of this process hears and judges with, and what is spoken.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use auricle_insight::Judge;
use auricle_insight::intent::Language;
use auricle_insight::rules::{Included, PackFile, RuleSet};
use auricle_models::{
    CtcFiles, CtcModel, CtcRunBy, EngineSource, PlainSileroSource, RunBy, TransducerModel,
};
use auricle_speech::lm::LanguageData;
use auricle_speech::{Hotwords, SpeechModel, SpeechParts, SpeechSettings};

use crate::Args;

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

//! A model card: one TOML file that says what a model is and where its files come from.

use std::fmt;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::carried;

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Name: the folder of its files; small letters, digits, `.`, `-` and `_`.
    pub name: String,
    /// What it does.
    pub kind: ModelKind,
    /// What runs it.
    pub engine: Engine,
    /// ISO 639 codes (`zh`, `en`); empty where language does not matter.
    pub languages: Vec<String>,
    /// Regions whose speech it was made for, in small letters (`cn`, `guangdong`); empty: any.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Name of the dialect, for people.
    #[serde(default)]
    pub dialect: Option<String>,
    /// Rate of the audio it wants, hertz; none for models that hear nothing.
    #[serde(default)]
    pub sample_rate_hz: Option<u32>,
    /// Profiles that may use it without being told to.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// A sentence for the list.
    pub description: String,
    /// SPDX name where there is one.
    pub licence: String,
    /// Page where the model is published.
    pub source: String,
    /// How to get the files where no download reaches them.
    #[serde(default)]
    pub by_hand: Option<String>,
    /// The files, in the order they are fetched.
    #[serde(default, rename = "file")]
    pub files: Vec<ModelFile>,
    /// Archives that hold files.
    #[serde(default, rename = "archive")]
    pub archives: Vec<ModelArchive>,
    /// Error rates.
    #[serde(default)]
    pub measured: Vec<Measured>,
    /// Whether it comes with the program.
    #[serde(skip)]
    pub(super) is_built_in: bool,
}

/// What a model does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Recognises speech as it comes: a transducer.
    AsrTransducer,
    /// Recognises speech as it comes: a CTC network as models/train makes them.
    AsrCtc,
    /// Recognises speech as it comes: a Vosk model.
    AsrVosk,
    /// Recognises finished utterances: a Whisper model.
    AsrWhisper,
    /// Tells speech from the rest.
    Vad,
    /// A language model: how likely words follow each other.
    Lm,
    /// Tells how an utterance was said: the network that `models/emotion/README.md` describes.
    Emotion,
}

impl ModelKind {
    /// The name used in cards.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AsrTransducer => "asr-transducer",
            Self::AsrCtc => "asr-ctc",
            Self::AsrVosk => "asr-vosk",
            Self::AsrWhisper => "asr-whisper",
            Self::Vad => "vad",
            Self::Lm => "lm",
            Self::Emotion => "emotion",
        }
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// What runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// ONNX Runtime.
    Ort,
    /// libvosk.
    Vosk,
    /// whisper.cpp.
    Whisper,
    /// The word lattice, from an ARPA file.
    Arpa,
}

impl Engine {
    /// The name used in cards and by `--engine`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ort => "ort",
            Self::Vosk => "vosk",
            Self::Whisper => "whisper",
            Self::Arpa => "arpa",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// One file of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Where it lies in the model's folder, with `/`.
    pub path: String,
    /// Whether the model runs without it.
    #[serde(default)]
    pub need: Need,
    /// SHA-256, 64 small hexadecimal digits; none where it is not known.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Length in bytes; none where it is not known.
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// Addresses, tried in order; empty for files that come in an archive.
    #[serde(default)]
    pub urls: Vec<String>,
}

/// Whether a model runs without a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// It does not.
    #[default]
    Required,
    /// It does; the file is fetched all the same.
    Optional,
}

/// An archive that holds files of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelArchive {
    /// Addresses, tried in order.
    pub urls: Vec<String>,
    /// How it is packed.
    pub format: ArchiveFormat,
    /// SHA-256 of the archive; none where it is not known.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Folder in the archive that becomes the model's folder.
    #[serde(default)]
    pub folder: String,
    /// Which members are taken out.
    #[serde(default)]
    pub unpack: Unpack,
}

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArchiveFormat {
    /// tar, bzip2.
    #[serde(rename = "tar.bz2")]
    TarBz2,
    /// tar, gzip.
    #[serde(rename = "tar.gz")]
    TarGz,
    /// zip, stored or deflated.
    #[serde(rename = "zip")]
    Zip,
}

/// Which members of an archive are taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unpack {
    /// The files the card lists.
    #[default]
    Listed,
    /// Every file below the folder; the card lists those that must be there.
    All,
}

/// An error rate somebody measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// On what.
    pub data: String,
    /// What was counted.
    pub measure: String,
    /// The rate, percent.
    pub value_percent: f64,
    /// By which command or program.
    pub how: String,
}

/// A card cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("model card `{card}`: {cause}")]
pub struct CardError {
    /// File or built-in name.
    pub card: String,
    /// What is wrong.
    pub cause: String,
}

/// The cards built in.
const BUILT_IN: [(&str, &str); 7] = [
    (
        "zh-zipformer-3.3m",
        include_str!("../../cards/zh-zipformer-3.3m.toml"),
    ),
    (
        "telephony-8k",
        include_str!("../../cards/telephony-8k.toml"),
    ),
    ("silero-vad", include_str!("../../cards/silero-vad.toml")),
    (
        "zh-gigatdt-lm",
        include_str!("../../cards/zh-gigatdt-lm.toml"),
    ),
    (
        "vosk-small-cn-0.22",
        include_str!("../../cards/vosk-small-cn-0.22.toml"),
    ),
    (
        "whisper-base",
        include_str!("../../cards/whisper-base.toml"),
    ),
    (
        "whisper-small",
        include_str!("../../cards/whisper-small.toml"),
    ),
];

impl ModelCard {
    /// Whether the program has the model's files in it.
    pub fn is_carried(&self) -> bool {
        carried::is_carried(self)
    }

    /// The cards that come with Auricle.
    ///
    /// # Errors
    /// None in a tested build: the cards are compiled in.
    pub fn built_in() -> Result<Vec<Self>, CardError> {
        let cards = BUILT_IN.iter().map(|(name, text)| {
            Ok(Self {
                is_built_in: true,
                ..Self::parse(name, text)?
            })
        });
        cards.collect()
    }

    /// Reads a card; `origin` names it in messages.
    ///
    /// # Errors
    /// Wrong TOML, unknown or missing fields, a name, path, checksum or address that is none.
    pub fn parse(origin: &str, text: &str) -> Result<Self, CardError> {
        let error = |cause: String| CardError {
            card: origin.to_owned(),
            cause,
        };
        let card: Self = toml::from_str(text).map_err(|cause| error(cause.to_string()))?;
        card.check().map_err(error)?;
        Ok(card)
    }

    /// Whether `name` is its name or an alias.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// Whether the card says where to fetch any of it.
    pub fn has_address(&self) -> bool {
        let files = self.files.iter().map(|file| &file.urls);
        let mut urls = files.chain(self.archives.iter().map(|archive| &archive.urls));
        urls.any(|urls| !urls.is_empty())
    }

    /// Whether it is for calls in a language, with or without region.
    pub fn speaks(&self, language: &str) -> bool {
        self.languages.contains(&primary_language(language))
    }

    /// The command that gets it, for people.
    pub fn pull_hint(&self) -> String {
        let does = match self.has_address() {
            true => "fetches it",
            false => "says how to come by it: no address is known",
        };
        format!("`auricle models pull {}` {does}", self.name)
    }

    /// Bytes of the files whose size is known.
    pub fn known_bytes(&self) -> u64 {
        self.files.iter().filter_map(|file| file.size_bytes).sum()
    }

    fn check(&self) -> Result<(), String> {
        for name in self.aliases.iter().chain([&self.name]) {
            check_name(name)?;
        }
        if self.files.is_empty() {
            return Err("`file` lists no files".to_owned());
        }
        if self.sample_rate_hz == Some(0) {
            return Err("`sample_rate_hz` must be above 0".to_owned());
        }
        for file in &self.files {
            check_path(&file.path)?;
            file.sha256.as_deref().map_or(Ok(()), check_sha256)?;
            file.urls.iter().try_for_each(|url| check_url(url))?;
        }
        for archive in &self.archives {
            if !archive.folder.is_empty() {
                check_path(&archive.folder)?;
            }
            archive.sha256.as_deref().map_or(Ok(()), check_sha256)?;
            archive.urls.iter().try_for_each(|url| check_url(url))?;
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter)
    };
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) || name == "cards" {
        return Err(format!(
            "`name` must be small letters, digits, `-`, `_` and `.`, got `{name}`"
        ));
    }
    Ok(())
}

/// A path that stays inside the folder it is joined to.
pub(super) fn is_inside(path: &Path) -> bool {
    path.components().next().is_some()
        && path
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

fn check_path(path: &str) -> Result<(), String> {
    if is_inside(Path::new(path)) && !path.contains('\\') && !path.contains(':') {
        return Ok(());
    }
    Err(format!(
        "`path` must stay inside the model's folder, got `{path}`"
    ))
}

fn check_sha256(sum: &str) -> Result<(), String> {
    let is_digit = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
    if sum.len() == 64 && sum.bytes().all(is_digit) {
        return Ok(());
    }
    Err(format!(
        "`sha256` must be 64 small hexadecimal digits, got `{sum}`"
    ))
}

fn check_url(url: &str) -> Result<(), String> {
    match reqwest::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(()),
        _ => Err(format!(
            "`urls` must be http or https addresses, got `{url}`"
        )),
    }
}

/// The language without its region, as cards name it: `zh-CN`, `cmn`, `ZH` → `zh`.
pub fn primary_language(language: &str) -> String {
    let primary = language
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    match primary.as_str() {
        "cmn" | "zho" | "chi" => "zh".to_owned(),
        "eng" => "en".to_owned(),
        _ => primary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        name = "tiny"
        kind = "vad"
        engine = "ort"
        languages = []
        description = "A test."
        licence = "MIT"
        source = "https://example.org"
        [[file]]
        path = "sub/tiny.onnx"
    "#;

    fn refuse(from: &str, to: &str, expected: &str) {
        let text = SMALL.replace(from, to);
        assert_ne!(text, SMALL);
        let message = ModelCard::parse("test", &text).unwrap_err().to_string();
        assert!(message.starts_with("model card `test`: "), "{message}");
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn built_in_cards_are_sound() {
        let cards = ModelCard::built_in().unwrap();
        for (card, (name, _)) in cards.iter().zip(BUILT_IN) {
            assert_eq!(card.name, name);
        }
        let mut names: Vec<&str> = cards
            .iter()
            .flat_map(|card| card.aliases.iter().chain([&card.name]))
            .map(String::as_str)
            .collect();
        let n_names = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n_names, "two models share a name");
    }

    #[test]
    fn only_what_is_carried_and_the_language_model_have_no_address() {
        let cards = ModelCard::built_in().unwrap();
        let without = cards.iter().filter(|card| !card.has_address());
        let names = without.map(|card| card.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names, ["telephony-8k", "zh-gigatdt-lm"]);
    }

    #[test]
    fn every_card_of_the_folder_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cards");
        for entry in std::fs::read_dir(folder).unwrap() {
            let stem = entry.unwrap().path().with_extension("");
            let name = stem.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(BUILT_IN.iter().any(|(known, _)| *known == name), "{name}");
        }
    }

    #[test]
    fn wrong_cards_say_what_is_wrong() {
        assert!(ModelCard::parse("test", SMALL).is_ok());
        refuse("licence", "license", "license");
        refuse("\"tiny\"", "\"../tiny\"", "`../tiny`");
        refuse("\"tiny\"", "\"cards\"", "`cards`");
        refuse("sub/tiny.onnx", "../tiny.onnx", "inside the model's folder");
        refuse("sub/tiny.onnx", "/tiny.onnx", "inside the model's folder");
        refuse("sub/tiny.onnx", "", "inside the model's folder");
        refuse(
            "path =",
            "sha256 = \"ab\"\npath =",
            "64 small hexadecimal digits",
        );
        refuse("path =", "urls = [\"file:///x\"]\npath =", "http or https");
        refuse("path =", "sise = 3\npath =", "sise");
        refuse("\"vad\"", "\"vda\"", "vda");
        refuse("[[file]]", "[[archive]]", "unknown field `path`");
    }
}

//! The transducer engine on the real model beside the repository, and on damaged ones.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use auricle_models::native::{self, SearchPath};
use auricle_models::{
    DecodeSettings, EngineError, Hotword, Hypothesis, OnnxRuntime, RunBy, StreamOptions,
    StreamingEngine, TokenKind, TransducerEngine, TransducerModel,
};

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("AURICLE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = root.join(path);
    if !path.exists() {
        eprintln!("skipped: `{}` is not there", path.display());
        return None;
    }
    Some(path)
}

fn runtime() -> Option<&'static OnnxRuntime> {
    match native::onnxruntime(&SearchPath::detect(None)) {
        Ok(library) => Some(OnnxRuntime::load(&library).unwrap()),
        Err(cause) => {
            eprintln!("skipped: {cause}");
            None
        }
    }
}

fn model(n_paths: usize) -> Option<TransducerModel> {
    let folder = shared("models/zh-zipformer-3.3m")?;
    Some(TransducerModel::open(&folder, RunBy::Auricle, DecodeSettings { n_paths }).unwrap())
}

/// Samples of a 16-bit mono WAV with a plain header.
fn samples(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    let data = bytes.windows(4).position(|tag| tag == b"data").unwrap() + 8;
    bytes[data..]
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0)
        .collect()
}

fn text(hypothesis: &Hypothesis) -> String {
    hypothesis.tokens.iter().map(|token| &*token.text).collect()
}

fn hear(
    engine: &mut TransducerEngine,
    samples: &[f32],
    piece: usize,
    options: &StreamOptions,
) -> Vec<Hypothesis> {
    let stream = engine.open_stream(options).unwrap();
    for part in samples.chunks(piece) {
        engine.accept(stream, part).unwrap();
        while engine.step().unwrap().n_advanced > 0 {}
    }
    engine.finish(stream).unwrap()
}

#[test]
fn what_is_heard_does_not_depend_on_pieces_or_on_other_streams() {
    let (Some(model), Some(folder)) = (model(4), shared("models/zh-zipformer-3.3m/test_wavs"))
    else {
        return;
    };
    let mut engine = model.engine().unwrap();
    assert_eq!(engine.info().token_kind, TokenKind::Pinyin);
    let clips: Vec<Vec<f32>> = (0..3)
        .map(|at| samples(&folder.join(format!("{at}.wav"))))
        .collect();
    let options = StreamOptions::default();
    let alone: Vec<Vec<Hypothesis>> = clips
        .iter()
        .map(|clip| hear(&mut engine, clip, 1 << 20, &options))
        .collect();
    assert!(
        alone
            .iter()
            .all(|n_best| n_best.len() > 1 && n_best[0].tokens.len() > 8),
        "speech gives tokens"
    );
    assert_eq!(alone[0], hear(&mut engine, &clips[0], 777, &options));
    let streams: Vec<_> = clips
        .iter()
        .map(|_| engine.open_stream(&options).unwrap())
        .collect();
    for (stream, clip) in streams.iter().zip(&clips) {
        engine.accept(*stream, clip).unwrap();
    }
    assert!(
        engine.step().unwrap().n_advanced == 3,
        "streams step together"
    );
    while engine.step().unwrap().n_advanced > 0 {}
    for (stream, alone) in streams.iter().zip(&alone) {
        assert_eq!(text(&engine.finish(*stream).unwrap()[0]), text(&alone[0]));
        assert!(matches!(
            engine.partial(*stream),
            Err(EngineError::NoSuchStream)
        ));
    }
}

#[test]
fn partials_grow_into_the_final() {
    let (Some(model), Some(folder)) = (model(1), shared("models/zh-zipformer-3.3m/test_wavs"))
    else {
        return;
    };
    let mut engine = model.engine().unwrap();
    let clip = samples(&folder.join("3.wav"));
    let stream = engine.open_stream(&StreamOptions::default()).unwrap();
    let mut partials = Vec::new();
    for part in clip.chunks(8000) {
        engine.accept(stream, part).unwrap();
        while engine.step().unwrap().n_advanced > 0 {}
        partials.push(text(&engine.partial(stream).unwrap()));
    }
    let last = text(&engine.finish(stream).unwrap()[0]);
    assert!(
        partials
            .iter()
            .all(|partial| last.starts_with(partial.as_str())),
        "greedy search never takes back"
    );
    assert!(
        partials[partials.len() / 2].len() > 4,
        "something is told before the end"
    );
}

#[test]
fn hotwords_are_not_invented_in_silence() {
    let Some(model) = model(8) else { return };
    let mut engine = model.engine().unwrap();
    let tokens = ["zh", "ēng", "x", "ìn"].map(String::from).to_vec();
    let options = StreamOptions {
        hotwords: vec![Hotword { tokens, boost: 3.0 }].into(),
        ..StreamOptions::default()
    };
    let silence = vec![0.0; 16_000 * 6];
    // This model says something to digital silence; voice activity keeps silence from it.
    let plain = hear(&mut engine, &silence, 1600, &StreamOptions::default());
    assert_eq!(
        text(&hear(&mut engine, &silence, 1600, &options)[0]),
        text(&plain[0])
    );
    assert_eq!(
        hear(&mut engine, &[], 1, &options).len(),
        1,
        "an empty stream has an empty reading"
    );
}

fn copy_model(target: &Path) -> Option<()> {
    let folder = shared("models/zh-zipformer-3.3m")?;
    for entry in fs::read_dir(folder)
        .unwrap()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_file())
    {
        let copy = target.join(entry.file_name());
        fs::write(copy, fs::read(entry.path()).unwrap()).unwrap();
    }
    Some(())
}

/// Damages a copy of the model and opens it as both backends do.
fn check_damaged(damage: impl Fn(&Path), natively: &str, on_ort: &str) {
    let Some(runtime) = runtime() else { return };
    let dir = tempfile::tempdir().unwrap();
    let Some(()) = copy_model(dir.path()) else {
        return;
    };
    damage(dir.path());
    for (run_by, expected) in [
        (RunBy::Auricle, natively),
        (RunBy::OnnxRuntime(runtime), on_ort),
    ] {
        let opened = TransducerModel::open(dir.path(), run_by, DecodeSettings::default());
        let error = opened
            .and_then(|model| model.engine().map(|_| ()))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("hint:"), "{error}");
    }
}

const ENCODER: &str = "encoder-epoch-12-avg-2-chunk-16-left-64.int8.onnx";
const DECODER: &str = "decoder-epoch-12-avg-2-chunk-16-left-64.onnx";
const JOINER: &str = "joiner-epoch-12-avg-2-chunk-16-left-64.int8.onnx";

#[test]
fn damaged_models_are_named() {
    let removed = |name: &'static str| move |dir: &Path| fs::remove_file(dir.join(name)).unwrap();
    check_damaged(removed(ENCODER), "encoder*.onnx", "encoder*.onnx");
    check_damaged(removed("tokens.txt"), "tokens.txt", "tokens.txt");
    check_damaged(
        |dir| fs::write(dir.join(JOINER), b"junk").unwrap(),
        JOINER,
        JOINER,
    );
    check_damaged(
        |dir| fs::write(dir.join("tokens.txt"), "a 0\nb 1\n").unwrap(),
        "names 2 tokens",
        "names 2 tokens",
    );
    let truncate = |dir: &Path| {
        let bytes = fs::read(dir.join(ENCODER)).unwrap();
        fs::write(dir.join(ENCODER), &bytes[..bytes.len() / 2]).unwrap();
    };
    check_damaged(
        truncate,
        "it is not an ONNX file",
        "ONNX Runtime refuses it",
    );
    let copied = |from: &'static str, to: &'static str| {
        move |dir: &Path| fs::copy(dir.join(from), dir.join(to)).map(|_| ()).unwrap()
    };
    check_damaged(copied(DECODER, ENCODER), "model_type", "model_type");
    check_damaged(copied(JOINER, DECODER), "context_size", "context_size");
    check_damaged(
        copied(DECODER, JOINER),
        "output_linear",
        "the joiner scores",
    );
}

#[test]
fn a_library_that_is_not_onnx_runtime_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("libonnxruntime.so");
    fs::write(&path, b"not a library").unwrap();
    // A process has one ONNX Runtime: once it is loaded, the path no longer matters.
    if let Err(error) = OnnxRuntime::load(&path) {
        assert!(
            error.to_string().contains("pip install onnxruntime"),
            "{error}"
        );
    }
}

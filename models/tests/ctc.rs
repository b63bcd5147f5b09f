//! The recogniser that the program carries: what runs it, batches, damaged files.

#![cfg(feature = "tract")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::borrow::Cow;
use std::path::PathBuf;

use prost::Message as _;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{ModelProto, ValueInfoProto, type_proto};

use auricle_models::native::{SearchPath, onnxruntime};
use auricle_models::registry::{ModelFiles, ModelState, ModelStore};
use auricle_models::{
    CtcEngine, CtcFiles, CtcModel, CtcRunBy, DecodeSettings, EngineError, Hypothesis, OnnxRuntime,
    StreamOptions, StreamingEngine, TokenKind,
};

fn carried() -> CtcFiles {
    let store = ModelStore::open(Vec::new()).unwrap();
    assert_eq!(
        store.state("telephony-8k").unwrap().state,
        ModelState::Carried
    );
    match store.files("telephony-8k").unwrap() {
        ModelFiles::Carried(files) => files,
        ModelFiles::Folder(folder) => panic!("{}", folder.display()),
    }
}

fn open(run_by: CtcRunBy) -> CtcEngine {
    let settings = DecodeSettings { n_paths: 4 };
    let model = CtcModel::open(carried(), run_by, settings).unwrap();
    model.engine().unwrap()
}

fn ort() -> Option<CtcRunBy> {
    let library = onnxruntime(&SearchPath::detect(None)).ok()?;
    Some(CtcRunBy::OnnxRuntime(OnnxRuntime::load(&library).unwrap()))
}

/// Two seconds like a voice: harmonics of a gliding pitch with two resonances that move, and pauses.
fn voice(pitch_hz: f32) -> Vec<f32> {
    let mut phase = 0.0_f32;
    (0..16_000)
        .map(|at| {
            let time = at as f32 / 8000.0;
            phase += std::f32::consts::TAU * pitch_hz * (1.0 + 0.2 * (3.0 * time).sin()) / 8000.0;
            let syllable = (time * 5.0).fract();
            let loud = if syllable < 0.7 {
                (syllable * 4.5).sin().abs()
            } else {
                0.0
            };
            let resonance = 600.0 + 400.0 * (time * 7.0).sin();
            let harmonics = (1..20).map(|n| {
                let away = (n as f32 * pitch_hz - resonance) / 300.0;
                (phase * n as f32).sin() / (1.0 + away * away)
            });
            0.1 * loud * harmonics.sum::<f32>()
        })
        .collect()
}

/// What is heard of some voices at once, which come in pieces of this many samples.
fn hear(engine: &mut CtcEngine, voices: &[Vec<f32>], piece: usize) -> Vec<Vec<Hypothesis>> {
    let options = StreamOptions::default();
    let keys: Vec<_> = voices
        .iter()
        .map(|_| engine.open_stream(&options).unwrap())
        .collect();
    let longest = voices.iter().map(Vec::len).max().unwrap();
    for from in (0..longest).step_by(piece) {
        for (key, voice) in keys.iter().zip(voices) {
            let piece = voice.get(from..(from + piece).min(voice.len()));
            engine.accept(*key, piece.unwrap_or_default()).unwrap();
        }
        while engine.step().unwrap().n_advanced > 0 {}
    }
    keys.into_iter()
        .map(|key| engine.finish(key).unwrap())
        .collect()
}

fn texts(readings: &[Vec<Hypothesis>]) -> Vec<Vec<String>> {
    let text = |reading: &Vec<Hypothesis>| {
        let tokens = reading[0].tokens.iter();
        tokens.map(|token| token.text.to_string()).collect()
    };
    readings.iter().map(text).collect()
}

fn assert_alike(one: &[Vec<Hypothesis>], other: &[Vec<Hypothesis>]) {
    assert_eq!(texts(one), texts(other));
    for (one, other) in one.iter().zip(other) {
        let away = (one[0].log_prob - other[0].log_prob).abs();
        assert!(away < 0.02 * (1.0 + one[0].log_prob.abs()), "{away}");
    }
}

#[test]
fn streams_of_a_batch_do_not_touch_each_other() {
    let voices: Vec<Vec<f32>> = [110.0, 180.0, 240.0, 90.0, 200.0]
        .into_iter()
        .map(voice)
        .collect();
    let mut engine = open(CtcRunBy::Tract);
    assert_eq!(engine.info().token_kind, TokenKind::Pinyin);
    assert_eq!(engine.info().sample_rate_hz, 8000);
    let together = hear(&mut engine, &voices, 1000);
    let one_by_one: Vec<_> = voices
        .iter()
        .flat_map(|voice| hear(&mut engine, std::slice::from_ref(voice), 7777))
        .collect();
    assert_alike(&together, &one_by_one);
}

#[test]
fn both_engines_hear_the_same() {
    let Some(ort) = ort() else {
        eprintln!("skipped: there is no ONNX Runtime");
        return;
    };
    let voices = [voice(120.0), voice(210.0)];
    let by_tract = hear(&mut open(CtcRunBy::Tract), &voices, 800);
    let by_ort = hear(&mut open(ort), &voices, 800);
    assert_alike(&by_tract, &by_ort);
}

#[test]
fn silence_and_nothing_are_heard_as_nothing() {
    let mut engine = open(CtcRunBy::Tract);
    let heard = hear(
        &mut engine,
        &[vec![0.0; 24_000], Vec::new(), vec![0.0; 3]],
        4000,
    );
    assert!(texts(&heard).iter().all(Vec::is_empty), "{heard:?}");
    let key = engine.open_stream(&StreamOptions::default()).unwrap();
    engine.finish(key).unwrap();
    assert!(matches!(
        engine.accept(key, &[0.0]),
        Err(EngineError::NoSuchStream)
    ));
}

fn sizes_of(place: &mut ValueInfoProto) -> &mut Vec<Dimension> {
    let kind = place.r#type.as_mut().unwrap().value.as_mut().unwrap();
    let type_proto::Value::TensorType(tensor) = kind;
    &mut tensor.shape.as_mut().unwrap().dim
}

#[test]
fn damaged_files_are_refused_by_name() {
    let good = carried();
    let refuse = |change: &dyn Fn(&mut CtcFiles), word: &str| {
        let mut files = good.clone();
        change(&mut files);
        let mut ways = vec![CtcRunBy::Tract];
        ways.extend(ort());
        for run_by in ways {
            let refused = CtcModel::open(files.clone(), run_by, DecodeSettings::default());
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(word), "{run_by:?}: {refused}");
        }
    };
    let cut = |n_bytes: usize| {
        move |files: &mut CtcFiles| {
            files.graph.bytes = Cow::Owned(files.graph.bytes[..n_bytes].to_vec())
        }
    };
    refuse(&cut(0), "model.onnx");
    refuse(&cut(1000), "model.onnx");
    refuse(&cut(good.graph.bytes.len() / 2), "model.onnx");
    refuse(
        &|files| files.graph.bytes = Cow::Owned(b"RIFF no graph at all".repeat(50)),
        "model.onnx",
    );
    let change = |edit: &dyn Fn(&mut ModelProto)| {
        let mut model = ModelProto::decode(&*good.graph.bytes).unwrap();
        edit(&mut model);
        let bytes: Cow<'static, [u8]> = Cow::Owned(model.encode_to_vec());
        move |files: &mut CtcFiles| files.graph.bytes = bytes.clone()
    };
    let without_output = change(&|model| {
        let graph = model.graph.as_mut().unwrap();
        let scores = graph
            .node
            .iter_mut()
            .find(|node| node.output == ["log_probs"]);
        scores.unwrap().output[0] = "scores".into();
        graph.output[0].name = "scores".into();
    });
    refuse(&without_output, "no `log_probs`");
    let for_one = change(&|model| {
        let sizes = sizes_of(&mut model.graph.as_mut().unwrap().input[0]);
        sizes[0].value = Some(dimension::Value::DimValue(1));
    });
    refuse(&for_one, "`features`");
    let of_text = change(&|model| {
        let constants = &mut model.graph.as_mut().unwrap().initializer;
        constants
            .iter_mut()
            .for_each(|constant| constant.data_type = 8);
    });
    refuse(&of_text, "model.onnx");
    let few = |files: &mut CtcFiles| files.tokens.bytes = Cow::Borrowed(b"<blk> 0\na 1\n");
    refuse(&few, "syllables.lm");
    refuse(
        &|files| {
            few(files);
            files.syllables = None;
        },
        "tokens.txt names 2",
    );
    refuse(
        &|files| {
            files.syllables.as_mut().unwrap().bytes = Cow::Borrowed(b"weight 0.5\nno syllable\n");
        },
        "line 2: expected",
    );
    refuse(
        &|files| files.tokens.bytes = Cow::Borrowed(b"\xff\xfe"),
        "tokens.txt",
    );
    let refused = CtcFiles::read(&PathBuf::from("/nowhere")).unwrap_err();
    assert!(refused.to_string().contains("/nowhere/model.onnx"));
}

//! Silero VAD on real models: every way of running it agrees, and they tell speech from noise.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::PathBuf;

use auricle_models::native::{self, SearchPath};
use auricle_models::{
    EngineError, OnnxRuntime, OrtSilero, PlainSileroSource, VAD_FRAME_SAMPLES, VadSource, VadState,
    VoiceActivity,
};
use auricle_networks::onnx::{Dim, Graph, Kind, Model, Node, Shape, TensorKind, ValueInfo};
use prost::Message;

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path)
}

fn runtime() -> Option<&'static OnnxRuntime> {
    let library = native::onnxruntime(&SearchPath::detect(None)).ok()?;
    Some(OnnxRuntime::load(&library).unwrap())
}

/// Voice-like: a buzz at 140 Hz with harmonics, its loudness going up and down four times a second.
fn buzz(n_frames: usize) -> Vec<f32> {
    (0..n_frames * VAD_FRAME_SAMPLES)
        .map(|at| {
            let t = at as f32 / 8000.0;
            let loudness = 0.5 - 0.5 * (t * 8.0 * std::f32::consts::PI).cos();
            let harmonic = |n: f32| (t * 140.0 * n * std::f32::consts::TAU).sin() / n;
            0.2 * loudness * (1..12).map(|n| harmonic(n as f32)).sum::<f32>()
        })
        .collect()
}

fn probs(vad: &mut dyn VoiceActivity, channels: &[&[f32]]) -> Vec<f32> {
    let mut states = vec![VadState::default(); channels.len()];
    let mut probs = Vec::new();
    for frame in 0..channels[0].len() / VAD_FRAME_SAMPLES {
        let from = frame * VAD_FRAME_SAMPLES;
        let frames: Vec<&[f32]> = channels
            .iter()
            .map(|samples| &samples[from..from + VAD_FRAME_SAMPLES])
            .collect();
        let mut states: Vec<&mut VadState> = states.iter_mut().collect();
        vad.judge(&frames, &mut states, &mut probs).unwrap();
    }
    probs
}

#[test]
fn channels_do_not_disturb_each_other() {
    let model = repository(".native/models/silero-vad/silero_vad.onnx");
    let Some(runtime) = runtime().filter(|_| model.is_file()) else {
        eprintln!("skipped: ONNX Runtime and Silero VAD are not set up; run scripts/setup.sh");
        return;
    };
    let mut vad = OrtSilero::open(runtime, &model).unwrap();
    let (speech, silence) = (buzz(40), vec![0.0; 40 * VAD_FRAME_SAMPLES]);
    let together = probs(&mut vad, &[&speech, &silence]);
    for (channel, samples) in [&speech, &silence].into_iter().enumerate() {
        let alone = probs(&mut vad, &[samples]);
        for (frame, prob) in alone.iter().enumerate() {
            assert!(
                (prob - together[2 * frame + channel]).abs() < 1e-3,
                "channel {channel} frame {frame}"
            );
        }
    }
    assert!(
        together.chunks(2).all(|pair| pair[1] < 0.3),
        "silence is no speech"
    );
}

#[test]
fn the_forward_pass_agrees_with_onnx_runtime_on_every_variant() {
    let folder = repository(".native/models/silero-vad");
    let Some(runtime) = runtime().filter(|_| folder.is_dir()) else {
        eprintln!("skipped: ONNX Runtime and Silero VAD are not set up; run scripts/setup.sh");
        return;
    };
    let (speech, louder) = (
        buzz(60),
        buzz(60).iter().map(|x| 3.0 * x).collect::<Vec<_>>(),
    );
    for name in ["silero_vad.onnx", "silero_vad_op18_ifless.onnx"] {
        let path = folder.join(name);
        let mut with_ort = OrtSilero::open(runtime, &path).unwrap();
        let mut plain = PlainSileroSource::open(&path).unwrap().vad().unwrap();
        let channels: [&[f32]; 2] = [&speech, &louder];
        let wanted = probs(&mut with_ort, &channels);
        let got = probs(plain.as_mut(), &channels);
        assert!(wanted.iter().any(|prob| *prob > 0.3), "it hears something");
        for (at, (one, other)) in wanted.iter().zip(&got).enumerate() {
            assert!(
                (one - other).abs() < 1e-4,
                "{name} {at}: {one} beside {other}"
            );
        }
        let alone = probs(plain.as_mut(), &[&speech]);
        let beside = got.iter().step_by(2);
        assert!(alone.iter().eq(beside), "{name}: the batch shows");
    }
}

#[test]
fn the_forward_pass_refuses_what_is_no_silero() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("silero_vad.onnx");
    let refused = |path: &std::path::Path| PlainSileroSource::open(path).err().unwrap();
    assert!(matches!(refused(&path), EngineError::ModelFile { .. }));
    for bytes in [b"".as_slice(), b"no model at all"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(refused(&path), EngineError::Misfit { .. }));
    }
    let whole = repository(".native/models/silero-vad/silero_vad.onnx");
    let Ok(bytes) = std::fs::read(whole) else {
        eprintln!("skipped in part: Silero VAD is not set up; run scripts/setup.sh");
        return;
    };
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(refused(&path), EngineError::Misfit { .. }));
}

#[test]
fn another_model_is_refused() {
    let Some(runtime) = runtime() else {
        eprintln!("skipped: ONNX Runtime is not set up; run scripts/setup.sh");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("silero_vad.onnx");
    std::fs::write(&path, b"no model at all").unwrap();
    let error = OrtSilero::open(runtime, &path).err().unwrap().to_string();
    assert!(error.contains("ONNX Runtime refuses it"), "{error}");
    let error = OrtSilero::open(runtime, &dir.path().join("absent.onnx"))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("cannot be read"), "{error}");
}

/// A graph with Silero's inputs that gives the first of them back.
fn echo(outputs: &[&str]) -> Vec<u8> {
    let value = |name: &str, elem_type: i32, dims: &[i64]| ValueInfo {
        name: name.to_owned(),
        kind: Some(Kind {
            tensor: Some(TensorKind {
                elem_type,
                shape: Some(Shape {
                    dim: dims
                        .iter()
                        .map(|value| Dim {
                            value: *value,
                            name: String::new(),
                        })
                        .collect(),
                }),
            }),
        }),
    };
    let node = |output: &&str| Node {
        op_type: "Identity".to_owned(),
        input: vec!["input".to_owned()],
        output: vec![(*output).to_owned()],
        ..Node::default()
    };
    let graph = Graph {
        name: "echo".to_owned(),
        node: outputs.iter().map(node).collect(),
        input: vec![
            value("input", 1, &[1, 288]),
            value("state", 1, &[2, 1, 128]),
            value("sr", 7, &[]),
        ],
        output: outputs
            .iter()
            .map(|name| value(name, 1, &[1, 288]))
            .collect(),
        ..Graph::default()
    };
    Model {
        ir_version: 8,
        // The default operator set, version 13.
        opset_import: vec![vec![0x10, 13]],
        graph: Some(graph),
        ..Model::default()
    }
    .encode_to_vec()
}

#[test]
fn a_graph_that_only_looks_like_silero_is_an_error() {
    let Some(runtime) = runtime() else {
        eprintln!("skipped: ONNX Runtime is not set up; run scripts/setup.sh");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("silero_vad.onnx");
    std::fs::write(&path, echo(&["speech"])).unwrap();
    let error = OrtSilero::open(runtime, &path).err().unwrap().to_string();
    assert!(error.contains("its outputs are speech"), "{error}");
    std::fs::write(&path, echo(&["output", "stateN"])).unwrap();
    let mut vad = OrtSilero::open(runtime, &path).unwrap();
    let mut state = VadState::default();
    let judged = vad.judge(
        &[&[0.0; VAD_FRAME_SAMPLES]],
        &mut [&mut state],
        &mut Vec::new(),
    );
    let error = judged.unwrap_err().to_string();
    assert!(error.contains("288 probabilities"), "{error}");
}

#[cfg(feature = "tract")]
#[test]
fn both_ways_of_running_it_agree() {
    use auricle_models::TractSilero;
    let folder = repository(".native/models/silero-vad");
    let branchless = folder.join("silero_vad_op18_ifless.onnx");
    let Some(runtime) = runtime().filter(|_| branchless.is_file()) else {
        eprintln!("skipped: ONNX Runtime and Silero VAD are not set up; run scripts/setup.sh");
        return;
    };
    let mut with_ort = OrtSilero::open(runtime, &branchless).unwrap();
    let mut with_tract = TractSilero::open(&branchless).unwrap();
    let speech = buzz(30);
    let (ort, tract) = (
        probs(&mut with_ort, &[&speech]),
        probs(&mut with_tract, &[&speech]),
    );
    for (frame, (one, other)) in ort.iter().zip(&tract).enumerate() {
        assert!(
            (one - other).abs() < 1e-3,
            "frame {frame}: {one} beside {other}"
        );
    }
}

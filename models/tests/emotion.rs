//! Emotion networks through ONNX Runtime, on graphs made here.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use auricle_models::native::{self, SearchPath};
use auricle_models::{EngineError, OnnxRuntime, OrtEmotion};
use auricle_networks::onnx::{
    Dim, Graph, KeyValue, Kind, Model, Node, Shape, Tensor, TensorKind, ValueInfo,
};
use prost::Message;

fn runtime() -> Option<&'static OnnxRuntime> {
    let Ok(library) = native::onnxruntime(&SearchPath::detect(None)) else {
        eprintln!("skipped: ONNX Runtime is not set up; run scripts/setup.sh");
        return None;
    };
    Some(OnnxRuntime::load(&library).unwrap())
}

fn value(name: &str, n_columns: i64) -> ValueInfo {
    let size = |value: i64| Dim {
        value,
        name: String::new(),
    };
    ValueInfo {
        name: name.to_owned(),
        kind: Some(Kind {
            tensor: Some(TensorKind {
                elem_type: 1,
                shape: Some(Shape {
                    dim: vec![size(1), size(n_columns)],
                }),
            }),
        }),
    }
}

/// `softmax(features · weights)`: the first feature speaks for anger, the second for sadness.
fn network(input: &str, n_labels: i64, names: Option<&str>) -> Vec<u8> {
    network_ending_in("Softmax", input, n_labels, names)
}

/// The same with another last step.
fn network_ending_in(last: &str, input: &str, n_labels: i64, names: Option<&str>) -> Vec<u8> {
    let mut weights = vec![0.0_f32; 2 * n_labels as usize];
    weights[2] = 1.0;
    weights[n_labels as usize + n_labels as usize - 1] = 1.0;
    let node = |op_type: &str, input: &[&str], output: &str| Node {
        op_type: op_type.to_owned(),
        input: input.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.to_owned()],
        ..Node::default()
    };
    let graph = Graph {
        name: "emotion".to_owned(),
        node: vec![
            node("MatMul", &[input, "weights"], "sums"),
            node(last, &["sums"], "probabilities"),
        ],
        initializer: vec![Tensor {
            dims: vec![2, n_labels],
            data_type: 1,
            float_data: weights,
            name: "weights".to_owned(),
            ..Tensor::default()
        }],
        input: vec![value(input, 2)],
        output: vec![value("probabilities", n_labels)],
    };
    Model {
        ir_version: 8,
        opset_import: vec![vec![0x10, 13]],
        graph: Some(graph),
        metadata: names
            .map(|names| KeyValue {
                key: "features".to_owned(),
                value: names.to_owned(),
            })
            .into_iter()
            .collect(),
    }
    .encode_to_vec()
}

fn written(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("emotion.onnx");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_network_tells_emotions() {
    let Some(runtime) = runtime() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let bytes = network("features", 4, Some("loudness_db, text_sad"));
    let mut network = OrtEmotion::open(runtime, &written(folder.path(), &bytes)).unwrap();
    assert_eq!(network.features(), ["loudness_db", "text_sad"]);
    for (values, expected) in [([5.0, 0.0], 2), ([0.0, 5.0], 3)] {
        let found = network.probabilities(&values).unwrap();
        assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(found[expected] > 0.9, "{found:?}");
    }
    // Of another width, and what no distribution comes out of.
    for values in [&[1.0][..], &[f32::NAN, 0.0], &[f32::INFINITY, 0.0]] {
        let told = network.probabilities(values);
        assert!(matches!(told, Err(EngineError::Run(_))), "{told:?}");
    }
}

#[test]
fn other_networks_are_refused() {
    let Some(runtime) = runtime() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (bytes, expected) in [
        (
            network("x", 4, Some("a,b")),
            "must have an input `features`",
        ),
        (network("features", 4, None), "must name its columns"),
        (
            network("features", 4, Some("a,,b")),
            "must name its columns",
        ),
        (network("features", 4, Some("a,b,c")), "does not run"),
        (network("features", 5, Some("a,b")), "gave 5 probabilities"),
        (
            network_ending_in("Identity", "features", 4, Some("a,b")),
            "on features of 0, `probabilities` must be 0 or more each and 1 together",
        ),
        (
            network_ending_in("Sigmoid", "features", 4, Some("a,b")),
            "a softmax over the four labels must be its last step",
        ),
        (b"no model".to_vec(), "ONNX Runtime refuses it"),
    ] {
        let path = written(folder.path(), &bytes);
        let cause = OrtEmotion::open(runtime, &path).err().unwrap().to_string();
        assert!(cause.contains(expected), "{cause}");
    }
}

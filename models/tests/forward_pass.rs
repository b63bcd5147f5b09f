//! Auricle's own forward pass beside ONNX Runtime on the same weights.
//!
//! The shipped graph quantises what flows through it, chunk by chunk; for a comparison to the last digits its
//! 8-bit products are rewritten here as products of f32.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auricle_models::native::{self, SearchPath};
use auricle_models::{
    DecodeSettings, Hypothesis, OnnxRuntime, RunBy, StreamOptions, StreamingEngine, Token,
    TransducerEngine, TransducerModel,
};
use auricle_networks::onnx::{Model, Node, Tensor};
use prost::Message;

fn shared_model() -> Option<PathBuf> {
    let root = std::env::var_os("AURICLE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = root.join("models/zh-zipformer-3.3m");
    if !path.exists() {
        eprintln!("skipped: `{}` is not there", path.display());
        return None;
    }
    Some(path)
}

/// A graph whose dynamically quantised products are products of f32 with the same, widened weights:
/// `Mul(Cast(MatMulInteger(quantised x, w, …)), Mul(x scale, w scale))` becomes `MatMul(x, w)`.
fn widened(bytes: &[u8]) -> Vec<u8> {
    let mut model = Model::decode(bytes).unwrap();
    let graph = model.graph.as_mut().unwrap();
    let nodes = std::mem::take(&mut graph.node);
    let values = |name: &String| {
        let tensor = graph.initializer.iter().find(|tensor| tensor.name == *name);
        tensor.unwrap().to_f32().unwrap()
    };
    let made_by: HashMap<&String, &Node> = nodes
        .iter()
        .flat_map(|node| node.output.iter().map(move |name| (name, node)))
        .collect();
    let mut added = Vec::new();
    let mut kept = Vec::new();
    for node in &nodes {
        let maker = |op_type: &str| {
            let makers = node.input.iter().filter_map(|name| made_by.get(name));
            makers.copied().find(|maker| maker.op_type == op_type)
        };
        let is_scaling = node.op_type == "Mul" && maker("DynamicQuantizeLinear").is_some();
        let is_part = ["DynamicQuantizeLinear", "MatMulInteger", "Cast"].contains(&&*node.op_type);
        let (Some(cast), Some(scales)) = (maker("Cast"), maker("Mul")) else {
            if !is_scaling
                && (!is_part || maker("MatMulInteger").is_none() && node.op_type == "Cast")
            {
                kept.push(node.clone());
            }
            continue;
        };
        let product = made_by[&cast.input[0]];
        let (zero, scale) = (values(&product.input[3])[0], values(&scales.input[1])[0]);
        let weights = values(&product.input[1]);
        let name = format!("{} widened", product.input[1]);
        let shaped = |tensor: &&Tensor| tensor.name == product.input[1];
        added.push(Tensor {
            name: name.clone(),
            dims: graph.initializer.iter().find(shaped).unwrap().dims.clone(),
            data_type: 1,
            float_data: weights.iter().map(|value| (value - zero) * scale).collect(),
            ..Tensor::default()
        });
        kept.push(Node {
            op_type: "MatMul".into(),
            input: vec![made_by[&product.input[0]].input[0].clone(), name],
            output: node.output.clone(),
            ..product.clone()
        });
    }
    assert!(!added.is_empty());
    graph.node = kept;
    graph.initializer.extend(added);
    model.encode_to_vec()
}

/// A copy of the model in f32.
fn widened_model(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().filter_map(Result::ok) {
        let name = entry.file_name().into_string().unwrap();
        if !entry.path().is_file() {
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        let is_quantised = name.ends_with(".int8.onnx");
        fs::write(
            to.join(name),
            if is_quantised { widened(&bytes) } else { bytes },
        )
        .unwrap();
    }
}

fn clips(model: &Path) -> Vec<Vec<f32>> {
    (0..4)
        .map(|at| {
            let bytes = fs::read(model.join(format!("test_wavs/{at}.wav"))).unwrap();
            let data = bytes.windows(4).position(|tag| tag == b"data").unwrap() + 8;
            bytes[data..]
                .chunks_exact(2)
                .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0)
                .collect()
        })
        .collect()
}

fn engine(folder: &Path, run_by: RunBy) -> TransducerEngine {
    let model = TransducerModel::open(folder, run_by, DecodeSettings { n_paths: 4 }).unwrap();
    model.engine().unwrap()
}

/// All clips side by side.
fn hear(engine: &mut TransducerEngine, clips: &[Vec<f32>]) -> Vec<Vec<Hypothesis>> {
    let streams: Vec<_> = clips
        .iter()
        .map(|clip| {
            let stream = engine.open_stream(&StreamOptions::default()).unwrap();
            engine.accept(stream, clip).unwrap();
            engine.end(stream).unwrap();
            stream
        })
        .collect();
    while engine.step().unwrap().n_advanced > 0 {}
    streams
        .into_iter()
        .map(|stream| engine.finish(stream).unwrap())
        .collect()
}

fn assert_same(left: &[Vec<Hypothesis>], right: &[Vec<Hypothesis>]) {
    for (left, right) in left.iter().zip(right) {
        assert_eq!(left.len(), right.len());
        for (left, right) in left.iter().zip(right) {
            assert!((left.log_prob - right.log_prob).abs() < 1e-2);
            assert_eq!(left.tokens.len(), right.tokens.len());
            for (left, right) in left.tokens.iter().zip(&right.tokens) {
                assert_eq!((&left.text, left.start_ms), (&right.text, right.start_ms));
                assert!((left.confidence - right.confidence).abs() < 1e-3);
            }
        }
    }
}

#[test]
fn the_forward_pass_is_the_graph() {
    let Some(folder) = shared_model() else { return };
    let library = match native::onnxruntime(&SearchPath::detect(None)) {
        Ok(library) => library,
        Err(cause) => return eprintln!("skipped: {cause}"),
    };
    let runtime = OnnxRuntime::load(&library).unwrap();
    let dir = tempfile::tempdir().unwrap();
    widened_model(&folder, dir.path());
    let clips = clips(&folder);
    let graph = hear(&mut engine(dir.path(), RunBy::OnnxRuntime(runtime)), &clips);
    assert!(
        graph
            .iter()
            .all(|n_best| n_best[0].tokens.len() > 8 && n_best.len() > 1)
    );
    assert_same(
        &hear(&mut engine(dir.path(), RunBy::Auricle), &clips),
        &graph,
    );
    // The weights as they are shipped: bytes, by which rows are multiplied that became bytes, too, where the machine can.
    let shipped = hear(&mut engine(&folder, RunBy::Auricle), &clips);
    let pairs = shipped.iter().zip(&graph);
    let (mut n_edits, mut n_tokens) = (0, 0);
    for (shipped, graph) in pairs.map(|(shipped, graph)| (&shipped[0].tokens, &graph[0].tokens)) {
        let text = |token: &Token| Arc::clone(&token.text);
        let texts = |tokens: &[Token]| tokens.iter().map(text).collect::<Vec<_>>();
        n_edits += edits(&texts(shipped), &texts(graph));
        n_tokens += graph.len();
    }
    assert!(
        n_tokens > 80 && n_edits * 25 <= n_tokens,
        "{n_edits} of {n_tokens}"
    );
}

/// Least number of tokens that are put in, left out or exchanged.
fn edits(left: &[Arc<str>], right: &[Arc<str>]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, left) in left.iter().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (place, right) in right.iter().enumerate() {
            let exchanged = before + usize::from(left != right);
            before = row[place + 1];
            row[place + 1] = exchanged.min(before + 1).min(row[place] + 1);
        }
    }
    row[right.len()]
}

#[test]
fn a_batch_changes_nothing() {
    let Some(folder) = shared_model() else { return };
    let clips = clips(&folder);
    let mut engine = engine(&folder, RunBy::Auricle);
    let together = hear(&mut engine, &clips);
    for (clip, together) in clips.iter().zip(&together) {
        let alone = hear(&mut engine, std::slice::from_ref(clip));
        assert_eq!(&alone[0], together, "to the last bit");
    }
}

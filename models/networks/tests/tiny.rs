//! A small encoder made here: read, stepped, and damaged in every place.

#[path = "common/tiny.rs"]
mod tiny;

use auricle_networks::onnx::{Model, Node};
use auricle_networks::{Scratch, StreamState, Zipformer, ZipformerShape};
use prost::Message;
use tiny::{STACKS, Stack};

fn read(model: &Model) -> Result<Zipformer, String> {
    Zipformer::read(&model.encode_to_vec()).map_err(|error| error.to_string())
}

/// Features of one window, another for each seed.
fn window(encoder: &Zipformer, seed: usize) -> Vec<f32> {
    let n_values = encoder.shape().window * 80;
    let values = (0..n_values).map(|at| ((at + seed) * 61 % 97) as f32 / 40.0 - 1.2);
    values.collect()
}

fn step(encoder: &Zipformer, windows: &[&[f32]], states: &mut [StreamState]) -> Vec<f32> {
    let mut out = Vec::new();
    let mut states: Vec<&mut StreamState> = states.iter_mut().collect();
    encoder.step(windows, &mut states, &mut Scratch::default(), &mut out);
    out
}

/// What must not happen to any file: a panic, here or when it is run.
fn read_and_step(model: &Model) -> Result<(), String> {
    let encoder = read(model)?;
    let features = window(&encoder, 0);
    step(&encoder, &[&features], &mut [encoder.fresh_state()]);
    Ok(())
}

#[test]
fn it_is_read_and_gives_vectors() {
    let encoder = read(&tiny::encoder(&STACKS)).unwrap();
    let shape = ZipformerShape {
        window: 21,
        step: 8,
        n_outputs: 2,
        dim: 5,
    };
    assert_eq!(encoder.shape(), shape);
    let features = window(&encoder, 0);
    let out = step(&encoder, &[&features], &mut [encoder.fresh_state()]);
    assert_eq!(out.len(), 2 * 5);
    assert!(out.iter().all(|value| value.is_finite()), "{out:?}");
    assert!(out.iter().any(|value| *value != out[0]), "{out:?}");
}

#[test]
fn a_stream_does_not_know_who_else_is_in_its_batch() {
    let encoder = read(&tiny::encoder(&STACKS)).unwrap();
    let fresh = || encoder.fresh_state();
    let (mut together, mut alone) = ([fresh(), fresh(), fresh()], [fresh(), fresh(), fresh()]);
    for chunk in 0..4 {
        let features: Vec<Vec<f32>> = (0..3)
            .map(|stream| window(&encoder, 1000 * stream + chunk))
            .collect();
        let windows: Vec<&[f32]> = features.iter().map(Vec::as_slice).collect();
        let batch = step(&encoder, &windows, &mut together);
        let one_by_one = windows
            .iter()
            .zip(&mut alone)
            .flat_map(|(window, state)| step(&encoder, &[window], std::slice::from_mut(state)));
        assert_eq!(batch, one_by_one.collect::<Vec<_>>(), "chunk {chunk}");
    }
}

#[test]
fn what_came_before_counts() {
    let encoder = read(&tiny::encoder(&STACKS)).unwrap();
    let (first, second) = (window(&encoder, 1), window(&encoder, 2));
    let mut states = [encoder.fresh_state()];
    step(&encoder, &[&first], &mut states);
    let later = step(&encoder, &[&second], &mut states);
    assert_ne!(
        later,
        step(&encoder, &[&second], &mut [encoder.fresh_state()])
    );
}

#[test]
fn every_number_of_the_metadata_may_be_wrong() {
    let whole = tiny::encoder(&STACKS);
    let mut n_refused = 0;
    for at in 0..whole.metadata.len() {
        for value in [
            "",
            "0",
            "1",
            "2",
            "3",
            "4096",
            "4097",
            "1,1",
            "4096,4096",
            "2,9",
            "x",
        ] {
            let mut model = whole.clone();
            model.metadata[at].value = value.to_owned();
            n_refused += usize::from(read_and_step(&model).is_err());
        }
    }
    assert!(n_refused > 90, "{n_refused}");
}

#[test]
fn every_tensor_and_node_may_be_wrong_or_gone() {
    let whole = tiny::encoder(&STACKS);
    let graph = whole.graph.as_ref().unwrap();
    for at in 0..graph.initializer.len() {
        for damage in 0..5 {
            let mut model = whole.clone();
            let tensor = &mut model.graph.as_mut().unwrap().initializer[at];
            match damage {
                0 => tensor.name.clear(),
                1 => tensor.dims.reverse(),
                2 => tensor.dims = vec![tensor.float_data.len() as i64],
                3 => {
                    tensor.dims.push(2);
                    tensor.float_data = tensor.float_data.repeat(2);
                }
                _ => {
                    tensor.dims[0] += 1;
                    let n_values = tensor.dims.iter().product::<i64>() as usize;
                    tensor.float_data.resize(n_values, 0.5);
                }
            }
            let _ = read_and_step(&model);
        }
    }
    for at in 0..graph.node.len() {
        let mut model = whole.clone();
        model.graph.as_mut().unwrap().node.remove(at);
        let _ = read_and_step(&model);
    }
}

#[test]
fn a_small_file_cannot_ask_for_all_the_memory() {
    let mut stacks = STACKS;
    stacks[0] = Stack {
        left: 4000,
        n_heads: 8,
        query_dim: 4096,
        ..stacks[0]
    };
    let error = read(&tiny::encoder(&stacks)).err().unwrap();
    assert!(error.contains("a stream would take"), "{error}");
}

/// Values that are read and given many times each: followed one by one they would be as many as the
/// product of all.
#[test]
fn a_tangled_graph_is_followed_once() {
    let mut model = tiny::encoder(&STACKS);
    let graph = model.graph.as_mut().unwrap();
    let bias = "encoder.encoders.0.layers.0.self_attn_weights.in_proj.bias";
    let add = graph.node.iter().find(|node| node.input[0] == bias);
    let mut from = add.unwrap().output[0].clone();
    for level in 0..4 {
        let to = format!("tangle {level}");
        graph.node.push(Node {
            op_type: "Slice".to_owned(),
            input: vec![from; 1000],
            output: vec![to.clone(); 1000],
            ..Node::default()
        });
        from = to;
    }
    graph
        .initializer
        .retain(|tensor| !tensor.name.contains("layers.0.positions"));
    let error = read(&model).err().unwrap();
    assert!(error.contains("table of positions"), "{error}");
}

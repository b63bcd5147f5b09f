//! An encoder of two small stacks, wired as icefall's exports are.

use auricle_networks::onnx::{Graph, KeyValue, Model, Node, Tensor};

const N_BINS: usize = 80;
/// Frames of a window, after the front's convolutions, and of a step.
const WINDOW: usize = 21;
const N_FRAMES: usize = 4;
const EMBED_CHANNELS: usize = 2;
const KERNEL: usize = 3;
const DIM: usize = 5;

/// Sizes of one stack.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    pub(crate) n_channels: usize,
    /// Frames averaged into one.
    pub(crate) slower: usize,
    pub(crate) left: usize,
    pub(crate) n_heads: usize,
    pub(crate) query_dim: usize,
    pub(crate) value_dim: usize,
}

/// A stack at the full rate and a wider one at half of it.
pub(crate) const STACKS: [Stack; 2] = [
    Stack {
        n_channels: 4,
        slower: 1,
        left: 4,
        n_heads: 1,
        query_dim: 2,
        value_dim: 2,
    },
    Stack {
        n_channels: 6,
        slower: 2,
        left: 2,
        n_heads: 2,
        query_dim: 2,
        value_dim: 3,
    },
];

#[derive(Default)]
struct Builder {
    graph: Graph,
    n_values: usize,
}

/// The encoder's ONNX file, decoded.
pub(crate) fn encoder(stacks: &[Stack]) -> Model {
    let mut builder = Builder::default();
    builder.embed(stacks[0].n_channels);
    for (index, stack) in stacks.iter().enumerate() {
        builder.stack(index, *stack);
    }
    builder.average(2);
    let widest = stacks.iter().map(|stack| stack.n_channels).max();
    builder.affine("encoder_proj", widest.unwrap_or(0), DIM);
    Model {
        ir_version: 7,
        graph: Some(builder.graph),
        metadata: metadata(stacks),
        ..Model::default()
    }
}

fn metadata(stacks: &[Stack]) -> Vec<KeyValue> {
    let list = |value: fn(&Stack) -> usize| {
        let values = stacks.iter().map(|stack| value(stack).to_string());
        values.collect::<Vec<_>>().join(",")
    };
    let pairs = [
        ("model_type", "zipformer2".to_owned()),
        ("T", WINDOW.to_string()),
        ("decode_chunk_len", (2 * N_FRAMES).to_string()),
        ("num_encoder_layers", list(|_| 1)),
        ("encoder_dims", list(|stack| stack.n_channels)),
        ("cnn_module_kernels", list(|_| KERNEL)),
        ("left_context_len", list(|stack| stack.left)),
        ("query_head_dims", list(|stack| stack.query_dim)),
        ("value_head_dims", list(|stack| stack.value_dim)),
        ("num_heads", list(|stack| stack.n_heads)),
    ];
    let pairs = pairs.into_iter().map(|(key, value)| KeyValue {
        key: key.to_owned(),
        value,
    });
    pairs.collect()
}

impl Builder {
    fn tensor(&mut self, name: &str, dims: &[usize]) -> String {
        let n = dims.iter().product::<usize>();
        let values = (self.n_values..self.n_values + n).map(|at| (at * 37 % 101) as f32 / 250.0);
        self.graph.initializer.push(Tensor {
            name: name.to_owned(),
            dims: dims.iter().map(|dim| *dim as i64).collect(),
            data_type: 1,
            float_data: values.map(|value| value - 0.2).collect(),
            ..Tensor::default()
        });
        self.n_values += n;
        name.to_owned()
    }

    /// Gives the name of what the node gives.
    fn node(&mut self, op_type: &str, input: &[&str]) -> String {
        let output = format!("value {}", self.graph.node.len());
        self.graph.node.push(Node {
            op_type: op_type.to_owned(),
            input: input.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.clone()],
            ..Node::default()
        });
        output
    }

    fn affine(&mut self, name: &str, n_in: usize, n_out: usize) -> String {
        let weights = self.tensor(&format!("{name}.weight"), &[n_in, n_out]);
        let bias = self.tensor(&format!("{name}.bias"), &[n_out]);
        let product = self.node("MatMul", &["x", &weights]);
        self.node("Add", &[&bias, &product])
    }

    fn convolution(&mut self, name: &str, dims: &[usize]) -> String {
        let weights = self.tensor(&format!("{name}.weight"), dims);
        let bias = self.tensor(&format!("{name}.bias"), &dims[..1]);
        self.node("Conv", &["x", &weights, &bias])
    }

    fn bias_norm(&mut self, name: &str, n_channels: usize) {
        let bias = self.tensor(&format!("{name}.bias"), &[n_channels]);
        let scale = self.tensor(&format!("{name}.scale"), &[1]);
        let difference = self.node("Sub", &["x", &bias]);
        let square = self.node("Pow", &[&difference, "two"]);
        let mean = self.node("ReduceMean", &[&square]);
        let root = self.node("Pow", &[&mean, "minus a half"]);
        self.node("Mul", &[&root, &scale]);
    }

    fn average(&mut self, n_frames: usize) {
        let name = format!("average {}", self.graph.node.len());
        self.tensor(&name, &[n_frames, 1, 1]);
        let product = self.node("Mul", &["x", &name]);
        self.node("ReduceSum", &[&product]);
    }

    fn embed(&mut self, n_out: usize) {
        let n = EMBED_CHANNELS;
        let root = "encoder_embed";
        for (at, n_in) in [(0, 1), (4, n), (7, n)] {
            self.convolution(&format!("{root}.conv.{at}"), &[n, n_in, 3, 3]);
        }
        let block = format!("{root}.convnext");
        self.convolution(&format!("{block}.depthwise_conv"), &[n, 1, 7, 7]);
        self.convolution(&format!("{block}.pointwise_conv1"), &[3 * n, n, 1, 1]);
        self.convolution(&format!("{block}.pointwise_conv2"), &[n, 3 * n, 1, 1]);
        let n_bins = ((N_BINS - 3) / 2 + 1 - 3) / 2 + 1;
        self.affine(&format!("{root}.out"), n * n_bins, n_out);
        self.bias_norm(&format!("{root}.out_norm"), n_out);
    }

    fn stack(&mut self, index: usize, stack: Stack) {
        let root = format!("encoder.encoders.{index}");
        if stack.slower == 1 {
            return self.layer(&format!("{root}.layers.0"), stack);
        }
        self.average(stack.slower);
        self.layer(&format!("{root}.encoder.layers.0"), stack);
        let combiner = format!("{root}.out_combiner.bypass_scale");
        self.tensor(&combiner, &[stack.n_channels]);
    }

    fn layer(&mut self, root: &str, stack: Stack) {
        let (n, n_values) = (stack.n_channels, stack.n_heads * stack.value_dim);
        let name = |part: &str| format!("{root}.{part}");
        let n_attention = stack.n_heads * (2 * stack.query_dim + 1);
        let projected = self.affine(&name("self_attn_weights.in_proj"), n, n_attention);
        let places = self.node("Slice", &[&projected]);
        let n_places = stack.left + 2 * (N_FRAMES / stack.slower) - 1;
        let table = self.tensor(&name("positions"), &[stack.n_heads, 1, 1, n_places]);
        self.node("MatMul", &[&places, &table]);
        for (part, n_hidden, n_back) in [
            ("feed_forward1", 3, 3),
            ("feed_forward2", 4, 4),
            ("feed_forward3", 5, 5),
            ("nonlin_attention", 9, 3),
            ("self_attn1", n_values, n_values),
            ("self_attn2", n_values, n_values),
            ("conv_module1", 2 * n, n),
            ("conv_module2", 2 * n, n),
        ] {
            self.affine(&name(&format!("{part}.in_proj")), n, n_hidden);
            self.affine(&name(&format!("{part}.out_proj")), n_back, n);
        }
        for part in ["conv_module1", "conv_module2"] {
            let depthwise = name(&format!("{part}.depthwise_conv"));
            let causal = format!("{depthwise}.causal_conv");
            self.convolution(&causal, &[n, 1, KERNEL / 2 + 1]);
            let within = self.convolution(&format!("{depthwise}.chunkwise_conv"), &[n, 1, KERNEL]);
            let edges = format!("{depthwise}.edges");
            let edges = self.tensor(&edges, &[n, N_FRAMES / stack.slower]);
            self.node("Mul", &[&within, &edges]);
        }
        self.bias_norm(&name("norm"), n);
        self.tensor(&name("bypass_mid.bypass_scale"), &[n]);
        self.tensor(&name("bypass.bypass_scale"), &[n]);
    }
}

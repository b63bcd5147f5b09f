//! As much of the ONNX file format as it takes to find a model's weights and how they are wired.
//!
//! Field numbers are those of `onnx.proto3`.

use std::collections::HashMap;

use prost::Message;

use crate::NetworkError;

/// `ModelProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Model {
    /// Version of the format.
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    /// The graph.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    /// Versions of the operator sets, undecoded.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub opset_import: Vec<Vec<u8>>,
    /// Free key and value pairs.
    #[prost(message, repeated, tag = "14")]
    pub metadata: Vec<KeyValue>,
}

/// `StringStringEntryProto`.
#[derive(Clone, PartialEq, Message)]
pub struct KeyValue {
    /// Key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `GraphProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    /// Operations, every one after those it depends on.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// Name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Constants: the weights.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    /// What goes in.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    /// What comes out.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

/// `NodeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// Names of the values it reads.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of the values it gives.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Operation.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// Settings of the operation.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
    /// Operator set.
    #[prost(string, tag = "7")]
    pub domain: String,
}

/// `AttributeProto`, the kinds of values that the networks here use.
#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    /// Name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// A number.
    #[prost(float, tag = "2")]
    pub f: f32,
    /// A whole number.
    #[prost(int64, tag = "3")]
    pub i: i64,
    /// A text.
    #[prost(bytes = "vec", tag = "4")]
    pub s: Vec<u8>,
    /// A tensor.
    #[prost(message, optional, tag = "5")]
    pub t: Option<Tensor>,
    /// A branch.
    #[prost(message, optional, tag = "6")]
    pub g: Option<Graph>,
    /// Numbers.
    #[prost(float, repeated, tag = "7")]
    pub floats: Vec<f32>,
    /// Whole numbers.
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
    /// Which of these it is.
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

/// `TensorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Shape.
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    /// 1 = f32, 2 = u8, 3 = i8; others are not read here.
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// Values of an f32 tensor without `raw_data`.
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    /// Values of an 8-bit tensor without `raw_data`.
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    /// Values of an i64 tensor without `raw_data`.
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    /// Name.
    #[prost(string, tag = "8")]
    pub name: String,
    /// Values, little endian.
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

/// `ValueInfoProto`.
#[derive(Clone, PartialEq, Message)]
pub struct ValueInfo {
    /// Name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Type.
    #[prost(message, optional, tag = "2")]
    pub kind: Option<Kind>,
}

/// `TypeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Kind {
    /// Set for tensors.
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorKind>,
}

/// `TypeProto.Tensor`.
#[derive(Clone, PartialEq, Message)]
pub struct TensorKind {
    /// As [`Tensor::data_type`].
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    /// Shape.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

/// `TensorShapeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    /// Outermost first.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dim>,
}

/// `TensorShapeProto.Dimension`.
#[derive(Clone, PartialEq, Message)]
pub struct Dim {
    /// Its size; 0 where it is free.
    #[prost(int64, tag = "1")]
    pub value: i64,
    /// Its name where it is free.
    #[prost(string, tag = "2")]
    pub name: String,
}

impl Model {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NetworkError> {
        Self::decode(bytes)
            .map_err(|cause| NetworkError::new(format!("it is not an ONNX file: {cause}")))
    }
}

impl Graph {
    /// Every constant by name, those in its branches too.
    pub(crate) fn constants(&self) -> HashMap<&str, &Tensor> {
        let mut found = HashMap::new();
        self.collect_constants(&mut found);
        found
    }

    fn collect_constants<'a>(&'a self, found: &mut HashMap<&'a str, &'a Tensor>) {
        found.extend(
            self.initializer
                .iter()
                .map(|tensor| (tensor.name.as_str(), tensor)),
        );
        for node in &self.node {
            let name = node.output.first().filter(|_| node.op_type == "Constant");
            for setting in &node.attribute {
                if let (Some(name), Some(tensor)) = (name, &setting.t) {
                    found.insert(name, tensor);
                }
                if let Some(branch) = &setting.g {
                    branch.collect_constants(found);
                }
            }
        }
    }
}

const FLOAT: i32 = 1;
const UINT8: i32 = 2;
const INT8: i32 = 3;

impl Tensor {
    /// Number of values, when the shape makes sense.
    fn len(&self) -> Option<usize> {
        self.dims.iter().try_fold(1usize, |product, dim| {
            product.checked_mul(usize::try_from(*dim).ok()?)
        })
    }

    /// Its values as f32, whatever they are stored as; `None` when they are of another type or not all there.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        let raw = self.raw_data.as_slice();
        let values: Vec<f32> = match (self.data_type, raw.is_empty()) {
            (FLOAT, false) => raw
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
                .collect(),
            (FLOAT, true) => self.float_data.clone(),
            (UINT8, false) => raw.iter().map(|value| f32::from(*value)).collect(),
            (INT8, false) => raw
                .iter()
                .map(|value| f32::from(value.cast_signed()))
                .collect(),
            (UINT8 | INT8, true) => self.int32_data.iter().map(|value| *value as f32).collect(),
            _ => return None,
        };
        (Some(values.len()) == self.len()).then_some(values)
    }
}

/// A graph with indices over its names.
pub(crate) struct Wiring {
    graph: Graph,
    metadata: HashMap<String, String>,
    constants: HashMap<String, usize>,
    producers: HashMap<String, usize>,
    consumers: HashMap<String, Vec<usize>>,
}

impl Wiring {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NetworkError> {
        let model = Model::read(bytes)?;
        let metadata = model
            .metadata
            .into_iter()
            .map(|pair| (pair.key, pair.value))
            .collect();
        let graph = model
            .graph
            .ok_or_else(|| NetworkError::new("it has no graph"))?;
        let index = |names: Vec<(String, usize)>| names.into_iter().collect::<HashMap<_, _>>();
        let constants = index(
            (0..graph.initializer.len())
                .map(|at| (graph.initializer[at].name.clone(), at))
                .collect(),
        );
        let mut producers = HashMap::new();
        let mut consumers: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, node) in graph.node.iter().enumerate() {
            for name in &node.output {
                producers.insert(name.clone(), at);
            }
            for name in &node.input {
                consumers.entry(name.clone()).or_default().push(at);
            }
        }
        Ok(Self {
            graph,
            metadata,
            constants,
            producers,
            consumers,
        })
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.graph.node
    }

    pub(crate) fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    pub(crate) fn constant(&self, name: &str) -> Option<&Tensor> {
        self.constants
            .get(name)
            .map(|at| &self.graph.initializer[*at])
    }

    /// The first of a node's inputs that is a constant.
    pub(crate) fn constant_input(&self, node: &Node) -> Option<&Tensor> {
        node.input.iter().find_map(|name| self.constant(name))
    }

    pub(crate) fn producer(&self, name: &str) -> Option<&Node> {
        self.producers.get(name).map(|at| &self.graph.node[*at])
    }

    /// Nodes that read a value, in order.
    pub(crate) fn consumers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Node> + use<'a> {
        self.consumers
            .get(name)
            .into_iter()
            .flatten()
            .map(|at| &self.graph.node[*at])
    }

    /// The one node of a kind that reads a value.
    pub(crate) fn consumer(&self, name: &str, op_type: &str) -> Option<&Node> {
        self.consumers(name).find(|node| node.op_type == op_type)
    }
}

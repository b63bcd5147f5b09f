//! Finds weights in a graph: by their names in the network where they kept them, by the wiring where not.

use crate::NetworkError;
use crate::kernel::{Linear, vectorized};
use crate::onnx::{Node, Tensor, Wiring};

type Found<T> = Result<T, NetworkError>;

/// A constant side of a product.
pub(crate) struct Matrix {
    pub(crate) values: Vec<f32>,
    pub(crate) dims: Vec<usize>,
    /// What the values are whole multiples of, where the graph keeps bytes: one for all, or one for each column.
    pub(crate) steps: Option<Vec<f32>>,
}

impl Matrix {
    fn of(tensor: &Tensor) -> Option<Self> {
        Some(Self {
            values: tensor.to_f32()?,
            dims: dims_of(tensor)?,
            steps: None,
        })
    }

    /// As `[n_in][n_out]`, with a bias.
    pub(crate) fn linear(&self, n_out: usize, bias: &[f32]) -> Linear {
        match &self.steps {
            Some(steps) => Linear::quantised(&self.values, steps, n_out, bias),
            None => Linear::new(&self.values, n_out, Some(bias)),
        }
    }

    fn n_columns(&self) -> Option<usize> {
        self.dims.last().copied()
    }
}

fn lost(what: &str) -> NetworkError {
    NetworkError::new(format!(
        "its graph has no {what} in the place where icefall's export puts it"
    ))
}

impl Wiring {
    /// A list of counts in the metadata, separated by commas.
    pub(crate) fn counts(&self, key: &str) -> Found<Vec<usize>> {
        let text = self.metadata(key).unwrap_or_default();
        let counts = text
            .split(',')
            .map(|part| part.trim().parse().ok().filter(|n| (1..=4096).contains(n)));
        counts.collect::<Option<Vec<usize>>>().ok_or_else(|| {
            NetworkError::new(format!(
                "`{key}` in its metadata must be counts, got `{text}`"
            ))
        })
    }

    /// The constant of a name, with the number of values it must have.
    pub(crate) fn vector(&self, name: &str, length: usize) -> Found<Vec<f32>> {
        self.constant(name)
            .and_then(Tensor::to_f32)
            .filter(|values| values.len() == length)
            .ok_or_else(|| lost(&format!("`{name}` of {length} values")))
    }

    /// The affine map whose bias has a name; its weights lie before the addition.
    pub(crate) fn affine(&self, bias: &str) -> Found<Linear> {
        let (weights, bias, n_out) = self.matrix(bias)?;
        Ok(weights.linear(n_out, &bias))
    }

    /// Weights `[n_in][n_out]`, bias and `n_out` of [`Wiring::affine`].
    pub(crate) fn matrix(&self, bias: &str) -> Found<(Matrix, Vec<f32>, usize)> {
        let found = || {
            let values = self.constant(bias)?.to_f32()?;
            let weights = match self.consumer(bias, "Add") {
                Some(add) => self.product_weights(add.input.iter().find(|name| *name != bias)?)?,
                None => self.gemm_weights(self.consumer(bias, "Gemm")?)?,
            };
            let n_out = weights.n_columns()?;
            (weights.dims.len() == 2 && n_out == values.len() && n_out > 0)
                .then_some((weights, values, n_out))
        };
        found().ok_or_else(|| lost(&format!("product of `{bias}`")))
    }

    /// The weights of a Gemm node in the order of a product, turned around where the file has them as `[out][in]`:
    /// PyTorch's linear layers are exported so, with `transB` set.
    fn gemm_weights(&self, node: &Node) -> Option<Matrix> {
        let matrix = Matrix::of(self.constant(node.input.get(1)?)?)?;
        let [n_out, n_in] = *matrix.dims.as_slice() else {
            return None;
        };
        let is_turned = node
            .attribute
            .iter()
            .any(|setting| setting.name == "transB" && setting.i == 1);
        if !is_turned {
            return Some(matrix);
        }
        Some(Matrix {
            values: transposed(&matrix.values, n_in),
            dims: vec![n_in, n_out],
            ..matrix
        })
    }

    /// The constant side of the product that gives a value, quantised or not, and its shape.
    pub(crate) fn product_weights(&self, value: &str) -> Option<Matrix> {
        let node = self.producer(value)?;
        match node.op_type.as_str() {
            "MatMul" => Matrix::of(self.constant_input(node)?),
            "Mul" => self.quantised_weights(node),
            _ => None,
        }
    }

    /// Undoes dynamic quantisation: `Mul(Cast(MatMulInteger(x, w, …, zero)), Mul(x scale, w scale))`.
    fn quantised_weights(&self, rescale: &Node) -> Option<Matrix> {
        let sides = || rescale.input.iter().filter_map(|name| self.producer(name));
        let cast = sides().find(|node| node.op_type == "Cast")?;
        let scales = sides().find(|node| node.op_type == "Mul")?;
        let product = self.producer(cast.input.first()?)?;
        if product.op_type != "MatMulInteger" {
            return None;
        }
        let weights = self.constant(product.input.get(1)?)?;
        let zero = match product.input.get(3) {
            Some(name) => self.constant(name)?.to_f32()?,
            None => vec![0.0],
        };
        let scale = self.constant_input(scales)?.to_f32()?;
        let mut matrix = Matrix::of(weights)?;
        let n_columns = matrix.n_columns()?;
        let per_column = |values: &[f32], column: usize| match values {
            [one] => Some(*one),
            all if all.len() == n_columns => Some(all[column]),
            _ => None,
        };
        for (at, value) in matrix.values.iter_mut().enumerate() {
            let column = at % n_columns;
            *value = (*value - per_column(&zero, column)?) * per_column(&scale, column)?;
        }
        matrix.steps = Some(scale);
        Some(matrix)
    }

    /// A convolution by the name of its weights: weights, their shape, bias.
    pub(crate) fn convolution(&self, weights: &str) -> Found<(Vec<f32>, Vec<usize>, Vec<f32>)> {
        let found = self.consumer(weights, "Conv").and_then(|node| {
            let tensor = self.constant(weights)?;
            let dims = dims_of(tensor)?;
            let bias = self.constant(node.input.get(2)?)?.to_f32()?;
            (dims.len() >= 3 && bias.len() == dims[0]).then_some((tensor.to_f32()?, dims, bias))
        });
        found.ok_or_else(|| lost(&format!("convolution `{weights}`")))
    }

    /// The weights of every downsampling by averages, in the order they are run.
    pub(crate) fn averages(&self) -> Vec<Vec<f32>> {
        let sums = self
            .nodes()
            .iter()
            .filter(|node| node.op_type == "ReduceSum");
        sums.filter_map(|sum| {
            let product = self.producer(sum.input.first()?)?;
            let tensor = self.constant_input(product)?;
            let dims = dims_of(tensor)?;
            (product.op_type == "Mul" && dims.len() == 3 && dims[1..] == [1, 1])
                .then(|| tensor.to_f32())?
        })
        .collect()
    }
}

/// A tensor's shape; `None` when a dimension is empty, so that nothing behind it divides by zero.
pub(crate) fn dims_of(tensor: &Tensor) -> Option<Vec<usize>> {
    let dims = tensor.dims.iter();
    dims.map(|dim| usize::try_from(*dim).ok().filter(|dim| *dim > 0))
        .collect()
}

/// Turns `[rows][columns]` around.
pub(crate) fn transposed(values: &[f32], n_columns: usize) -> Vec<f32> {
    let n_rows = values.len() / n_columns;
    (0..values.len())
        .map(|at| values[at % n_rows * n_columns + at / n_rows])
        .collect()
}

/// Weights `[out][in][row][column]` as a matrix `[row · column · in][out]`: the order of a patch's values.
pub(crate) fn patch_order(
    weights: &[f32],
    [n_out, n_in, n_rows, n_columns]: [usize; 4],
) -> Vec<f32> {
    let mut matrix = Vec::with_capacity(weights.len());
    for row in 0..n_rows {
        for column in 0..n_columns {
            for channel in 0..n_in {
                for out in 0..n_out {
                    matrix.push(
                        weights[((out * n_in + channel) * n_rows + row) * n_columns + column],
                    );
                }
            }
        }
    }
    matrix
}

/// Divides a row by the root of its mean square distance from a learned bias, times a learned scale.
#[derive(Debug)]
pub(crate) struct BiasNorm {
    bias: Vec<f32>,
    scale: f32,
}

impl BiasNorm {
    pub(crate) fn read(wiring: &Wiring, bias: &str, n_channels: usize) -> Found<Self> {
        let values = wiring.vector(bias, n_channels)?;
        let scale = || {
            let difference = wiring.consumer(bias, "Sub")?;
            let square = wiring.consumers(difference.output.first()?).next()?;
            let mean = wiring.consumer(square.output.first()?, "ReduceMean")?;
            let root = wiring.consumers(mean.output.first()?).next()?;
            let scaled = wiring.consumer(root.output.first()?, "Mul")?;
            match wiring.constant_input(scaled)?.to_f32()?.as_slice() {
                [scale] => Some(*scale),
                _ => None,
            }
        };
        let scale = scale().ok_or_else(|| lost(&format!("scale of `{bias}`")))?;
        Ok(Self {
            bias: values,
            scale,
        })
    }

    /// In place, on rows of as many values as the bias has.
    pub(crate) fn apply(&self, rows: &mut [f32]) {
        let n_channels = self.bias.len();
        vectorized(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(n_channels) {
                    // Sixteen sums side by side, so that the loop can use vectors.
                    let mut sums = [0.0f32; 16];
                    for (values, biases) in row.chunks(16).zip(self.bias.chunks(16)) {
                        for ((sum, value), bias) in sums.iter_mut().zip(values).zip(biases) {
                            let distance = value - bias;
                            *sum = distance.mul_add(distance, *sum);
                        }
                    }
                    let mean = sums.iter().sum::<f32>() / n_channels as f32;
                    let factor = self.scale / mean.sqrt();
                    for value in row {
                        *value *= factor;
                    }
                }
            },
        );
    }
}

/// Leaves a part of the input in place: `x = origin + (x − origin) · scale`, channel by channel.
pub(crate) fn bypass(x: &mut [f32], origin: &[f32], scale: &[f32]) {
    vectorized(
        #[inline(always)]
        || {
            for (x, origin) in x
                .chunks_exact_mut(scale.len())
                .zip(origin.chunks_exact(scale.len()))
            {
                for ((x, origin), scale) in x.iter_mut().zip(origin).zip(scale) {
                    *x = (*x - origin).mul_add(*scale, *origin);
                }
            }
        },
    );
}

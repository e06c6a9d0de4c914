//! What a [`Graph`] computes, written as plainly as it can be: the reference for the exported file.
//!
//! Every sum is taken in f64, so that the only error left is the rounding of each tensor to f32.

use super::graph::{Graph, Op, SLOPE};

/// Why a [`Graph`] does not describe a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A node reads a value that does not stand before it, or reads too few or too many.
    #[error("node {node} ({op}) reads values {inputs:?}: it needs {needed} that stand before it")]
    Inputs {
        /// Index of the node.
        node: usize,
        /// Its operator.
        op: &'static str,
        /// What it reads.
        inputs: Vec<usize>,
        /// How many it needs.
        needed: usize,
    },
    /// The shapes or the number of weights do not fit together.
    #[error("node {node} ({op}): {reason}")]
    Shape {
        /// Index of the node.
        node: usize,
        /// Its operator.
        op: &'static str,
        /// What does not fit, with the numbers.
        reason: String,
    },
    /// The number of values given is no whole number of pictures.
    #[error("{got} values are not a whole number of pictures of {picture} values")]
    Pictures {
        /// Values given.
        got: usize,
        /// Values of one picture.
        picture: usize,
    },
    /// There is no node, so there is no embedding.
    #[error("the network has no nodes")]
    Empty,
}

/// The operator's name as ONNX writes it.
pub fn op_name(op: &Op) -> &'static str {
    match op {
        Op::Conv { .. } => "Conv",
        Op::Relu => "Relu",
        Op::Relu6 => "Clip",
        Op::LeakyRelu => "LeakyRelu",
        Op::MaxPool { .. } => "MaxPool",
        Op::GlobalAveragePool => "GlobalAveragePool",
        Op::GlobalMaxPool => "GlobalMaxPool",
        Op::Add => "Add",
        Op::Flatten => "Flatten",
        Op::Linear { .. } => "Gemm",
    }
}

/// Shapes `[channels, height, width]` of the picture and of every node's output, in that order.
///
/// Vectors are `[length, 1, 1]`.
///
/// # Errors
/// [`GraphError`] if the nodes can not be computed in order or do not fit together.
pub fn shapes(graph: &Graph) -> Result<Vec<[usize; 3]>, GraphError> {
    if graph.nodes.is_empty() {
        return Err(GraphError::Empty);
    }
    let mut shapes = vec![graph.input];
    for (index, node) in graph.nodes.iter().enumerate() {
        let op = op_name(&node.op);
        let needed = if node.op == Op::Add { 2 } else { 1 };
        if node.inputs.len() != needed || node.inputs.iter().any(|&input| input > index) {
            let inputs = node.inputs.clone();
            return Err(GraphError::Inputs {
                node: index,
                op,
                inputs,
                needed,
            });
        }
        let fail = |reason: String| {
            Err(GraphError::Shape {
                node: index,
                op,
                reason,
            })
        };
        let [channels, height, width] = shapes[node.inputs[0]];
        shapes.push(match &node.op {
            Op::Conv { weight, bias, out, kernel, stride, padding, groups } => {
                let [top, left, bottom, right] = *padding;
                let (padded_height, padded_width) = (height + top + bottom, width + left + right);
                if *groups == 0 || !channels.is_multiple_of(*groups) || !out.is_multiple_of(*groups) {
                    return fail(format!("{groups} groups do not divide {channels} and {out} channels"));
                }
                if *kernel == 0 || *stride == 0 || *kernel > padded_height.min(padded_width) {
                    return fail(format!(
                        "kernel {kernel}, stride {stride} on {padded_height}x{padded_width} padded pixels"
                    ));
                }
                let weights = out * (channels / groups) * kernel * kernel;
                if weight.len() != weights || bias.len() != *out {
                    return fail(format!(
                        "{} weights and {} biases, not {weights} and {out}",
                        weight.len(),
                        bias.len()
                    ));
                }
                [*out, (padded_height - kernel) / stride + 1, (padded_width - kernel) / stride + 1]
            }
            Op::Relu | Op::Relu6 | Op::LeakyRelu => [channels, height, width],
            Op::MaxPool { size } => {
                if *size == 0 || *size > height.min(width) {
                    return fail(format!("window {size} on {height}x{width} pixels"));
                }
                [channels, height / size, width / size]
            }
            Op::GlobalAveragePool | Op::GlobalMaxPool => [channels, 1, 1],
            Op::Add => {
                let second = shapes[node.inputs[1]];
                if second != shapes[node.inputs[0]] {
                    return fail(format!("shapes {:?} and {second:?}", shapes[node.inputs[0]]));
                }
                second
            }
            Op::Flatten => [channels * height * width, 1, 1],
            Op::Linear { weight, bias, out } => {
                if [height, width] != [1, 1] {
                    return fail(format!("a vector is needed, not {channels}x{height}x{width}"));
                }
                if weight.len() != channels * out || bias.len() != *out {
                    return fail(format!(
                        "{} weights and {} biases, not {} and {out}",
                        weight.len(),
                        bias.len(),
                        channels * out
                    ));
                }
                [*out, 1, 1]
            }
        });
    }
    Ok(shapes)
}

/// Embeds normalised pictures, `[n, channels, height, width]` row-major, into `[n, length]`.
///
/// # Errors
/// [`GraphError`] if the graph is inconsistent or `pictures` is no whole number of pictures.
pub fn embed(graph: &Graph, pictures: &[f32]) -> Result<Vec<f32>, GraphError> {
    let shapes = shapes(graph)?;
    let picture: usize = graph.input.iter().product();
    if picture == 0 || !pictures.len().is_multiple_of(picture) {
        return Err(GraphError::Pictures {
            got: pictures.len(),
            picture,
        });
    }
    Ok(pictures
        .chunks_exact(picture)
        .flat_map(|one| embed_one(graph, &shapes, one))
        .collect())
}

/// Embeds one picture; `shapes` are those of the graph.
fn embed_one(graph: &Graph, shapes: &[[usize; 3]], picture: &[f32]) -> Vec<f32> {
    let mut values = vec![picture.to_vec()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let input = &values[node.inputs[0]];
        let [channels, height, width] = shapes[node.inputs[0]];
        let shape = shapes[index + 1];
        let output = match &node.op {
            Op::Conv {
                weight,
                bias,
                kernel,
                stride,
                padding,
                groups,
                ..
            } => {
                let window = Window {
                    kernel: *kernel,
                    stride: *stride,
                    padding: *padding,
                };
                conv(
                    input,
                    shapes[node.inputs[0]],
                    weight,
                    bias,
                    window,
                    *groups,
                    shape,
                )
            }
            Op::Relu => input.iter().map(|&value| value.max(0.0)).collect(),
            Op::Relu6 => input.iter().map(|&value| value.clamp(0.0, 6.0)).collect(),
            Op::LeakyRelu => input
                .iter()
                .map(|&value| value.max(SLOPE * value))
                .collect(),
            Op::MaxPool { size } => {
                let [_, out_height, out_width] = shape;
                let mut output = Vec::with_capacity(channels * out_height * out_width);
                for channel in 0..channels {
                    for (y, x) in pixels(out_height, out_width) {
                        let greatest = pixels(*size, *size)
                            .map(|(dy, dx)| {
                                input[(channel * height + y * size + dy) * width + x * size + dx]
                            })
                            .fold(f32::NEG_INFINITY, f32::max);
                        output.push(greatest);
                    }
                }
                output
            }
            Op::GlobalAveragePool => input
                .chunks_exact(height * width)
                .map(|plane| {
                    (plane.iter().map(|&v| f64::from(v)).sum::<f64>() / plane.len() as f64) as f32
                })
                .collect(),
            Op::GlobalMaxPool => input
                .chunks_exact(height * width)
                .map(|plane| plane.iter().copied().fold(f32::NEG_INFINITY, f32::max))
                .collect(),
            Op::Add => input
                .iter()
                .zip(&values[node.inputs[1]])
                .map(|(a, b)| a + b)
                .collect(),
            Op::Flatten => input.clone(),
            Op::Linear { weight, bias, .. } => weight
                .chunks_exact(channels)
                .zip(bias)
                .map(|(row, &bias)| {
                    let products = row
                        .iter()
                        .zip(input)
                        .map(|(&w, &v)| f64::from(w) * f64::from(v));
                    (f64::from(bias) + products.sum::<f64>()) as f32
                })
                .collect(),
        };
        values.push(output);
    }
    values.pop().unwrap_or_default()
}

/// Where a convolution looks.
#[derive(Clone, Copy)]
struct Window {
    kernel: usize,
    stride: usize,
    padding: [usize; 4],
}

/// Convolution of one picture by its definition.
fn conv(
    input: &[f32],
    [channels, height, width]: [usize; 3],
    weight: &[f32],
    bias: &[f32],
    Window {
        kernel,
        stride,
        padding: [top, left, _, _],
    }: Window,
    groups: usize,
    [out, out_height, out_width]: [usize; 3],
) -> Vec<f32> {
    let per_group = channels / groups;
    let mut output = Vec::with_capacity(out * out_height * out_width);
    for channel in 0..out {
        let first = channel / (out / groups) * per_group;
        let weight =
            &weight[channel * per_group * kernel * kernel..][..per_group * kernel * kernel];
        for (y, x) in pixels(out_height, out_width) {
            let mut sum = f64::from(bias[channel]);
            for from in 0..per_group {
                for (ky, kx) in pixels(kernel, kernel) {
                    let (row, column) = (y * stride + ky, x * stride + kx);
                    let inside = (top..top + height).contains(&row)
                        && (left..left + width).contains(&column);
                    if inside {
                        let value =
                            input[((first + from) * height + row - top) * width + column - left];
                        sum += f64::from(value)
                            * f64::from(weight[(from * kernel + ky) * kernel + kx]);
                    }
                }
            }
            output.push(sum as f32);
        }
    }
    output
}

/// Every `(y, x)` of a grid, row by row.
fn pixels(height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::graph::{Node, Normalization};

    fn graph(input: [usize; 3], ops: Vec<Op>) -> Graph {
        let nodes = ops
            .into_iter()
            .enumerate()
            .map(|(i, op)| Node {
                op,
                inputs: vec![i],
            })
            .collect();
        Graph {
            input,
            normalization: Normalization::new(0.0, 1.0),
            nodes,
            taps: Vec::new(),
        }
    }

    #[test]
    fn convolution_pads_with_zeros_and_strides() {
        let conv = Op::Conv {
            weight: vec![1.0; 9],
            bias: vec![0.5],
            out: 1,
            kernel: 3,
            stride: 2,
            padding: [1, 1, 1, 1],
            groups: 1,
        };
        let picture: Vec<f32> = (1..=9).map(|v| v as f32).collect();
        let output = embed(&graph([1, 3, 3], vec![conv]), &picture).unwrap();
        assert_eq!(output, [12.5, 16.5, 24.5, 28.5]);
    }

    #[test]
    fn depthwise_convolution_keeps_channels_apart() {
        let conv = Op::Conv {
            weight: vec![2.0, -1.0],
            bias: vec![0.0, 1.0],
            out: 2,
            kernel: 1,
            stride: 1,
            padding: [0; 4],
            groups: 2,
        };
        let output = embed(
            &graph([2, 1, 2], vec![conv, Op::Relu]),
            &[1.0, 2.0, 3.0, -4.0],
        )
        .unwrap();
        assert_eq!(output, [2.0, 4.0, 0.0, 5.0]);
    }

    #[test]
    fn pools_drop_the_remainder() {
        let net = graph([1, 3, 3], vec![Op::MaxPool { size: 2 }, Op::Flatten]);
        let picture: Vec<f32> = (1..=9).map(|v| v as f32).collect();
        assert_eq!(embed(&net, &picture).unwrap(), [5.0]);
        let net = graph([1, 3, 3], vec![Op::GlobalAveragePool]);
        assert_eq!(embed(&net, &picture).unwrap(), [5.0]);
    }

    #[test]
    fn residual_sum_and_linear() {
        let mut net = graph([1, 1, 2], vec![Op::Relu, Op::Add, Op::Flatten]);
        net.nodes[1].inputs = vec![0, 1];
        net.nodes.push(Node {
            op: Op::Linear {
                weight: vec![1.0, 10.0],
                bias: vec![0.25],
                out: 1,
            },
            inputs: vec![3],
        });
        assert_eq!(
            embed(&net, &[3.0, -2.0, 1.0, 1.0]).unwrap(),
            [-13.75, 22.25]
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let net = graph([1, 2, 2], vec![Op::MaxPool { size: 3 }]);
        assert!(matches!(
            shapes(&net),
            Err(GraphError::Shape { node: 0, .. })
        ));
        let mut net = graph([1, 2, 2], vec![Op::Relu]);
        net.nodes[0].inputs = vec![1];
        assert!(matches!(
            shapes(&net),
            Err(GraphError::Inputs { node: 0, .. })
        ));
        let net = graph([1, 2, 2], vec![Op::Relu]);
        assert_eq!(
            embed(&net, &[0.0; 5]),
            Err(GraphError::Pictures { got: 5, picture: 4 })
        );
        assert_eq!(shapes(&graph([1, 2, 2], vec![])), Err(GraphError::Empty));
    }
}

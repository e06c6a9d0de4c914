//! Fully connected layers.

use super::super::error::ConvertError;
use super::super::layers::Layers;
use super::super::network::{Conv, Op, Shape, Window};
use super::super::node::{Activation, Axes, Node};

/// An optional bias of one value for each output channel, or one for all.
pub(super) fn bias(node: &Node<'_>, index: usize, out: usize) -> Result<Vec<f32>, ConvertError> {
    if node.optional_constant(index)?.is_none() {
        return Ok(vec![0.0; out]);
    }
    let (dims, values) = node.weights(index)?;
    match values.len() {
        1 => Ok(vec![values[0]; out]),
        length if length == out && dims.last() == Some(&out) => Ok(values.to_vec()),
        _ => node.fail(format!(
            "its bias has the shape {dims:?}, {out} values are needed"
        )),
    }
}

/// A fully connected layer; `weight` is `[out, in]`.
fn linear(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    weight: Vec<f32>,
    bias: Vec<f32>,
    scales: Option<Vec<f32>>,
) -> Activation {
    let shape = Shape::vector(bias.len());
    let window = Window {
        kernel: [1, 1],
        stride: [1, 1],
        pads: [0; 4],
    };
    let op = Op::Conv(Conv {
        weight,
        bias,
        window,
        groups: 1,
        scales,
        pool: false,
    });
    Activation {
        value: layers.push(&node.name, op, vec![input.value], shape),
        shape,
        axes: Axes::Vector,
    }
}

/// The matrix of a fully connected layer as `[out, in]`.
fn matrix(
    node: &Node<'_>,
    transposed: bool,
    length: usize,
    factor: f32,
) -> Result<(Vec<f32>, usize), ConvertError> {
    let (dims, values) = node.weights(1)?;
    let &[rows, columns] = dims else {
        return node.fail(format!(
            "its matrix has the shape {dims:?}: rank 2 is needed"
        ));
    };
    let (out, inputs) = if transposed {
        (rows, columns)
    } else {
        (columns, rows)
    };
    if inputs != length || out == 0 {
        return node.fail(format!(
            "its matrix {dims:?} does not fit an input of {length} values"
        ));
    }
    let at = |to: usize, from: usize| {
        if transposed {
            to * columns + from
        } else {
            from * columns + to
        }
    };
    let weight: Vec<f32> = (0..out)
        .flat_map(|to| (0..inputs).map(move |from| (to, from)))
        .map(|(to, from)| factor * values[at(to, from)])
        .collect();
    node.check_finite(&weight)?;
    Ok((weight, out))
}

pub(super) fn gemm(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.vector(0)?;
    if node.int("transA", 0) != 0 {
        return node.fail("transA is set: the batch must come first");
    }
    let transposed = node.int("transB", 0) != 0;
    let (weight, out) = matrix(
        node,
        transposed,
        input.shape.channels,
        node.float("alpha", 1.0),
    )?;
    let beta = node.float("beta", 1.0);
    let bias: Vec<f32> = bias(node, 2, out)?
        .iter()
        .map(|value| beta * value)
        .collect();
    node.check_finite(&bias)?;
    let scales = node
        .scales(1, usize::from(!transposed), out)
        .filter(|_| node.float("alpha", 1.0) == 1.0);
    Ok(linear(node, layers, input, weight, bias, scales))
}

pub(super) fn matmul(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.vector(0)?;
    let (weight, out) = matrix(node, false, input.shape.channels, 1.0)?;
    let scales = node.scales(1, 1, out);
    Ok(linear(node, layers, input, weight, vec![0.0; out], scales))
}

//! What is done to each value: sums, products, limits, normalizations.

use super::super::clip::limits;
use super::super::curve::{self, Curve, Unary};
use super::super::error::ConvertError;
use super::super::layers::Layers;
use super::super::lengths::normalize;
use super::super::network::{Op, Shape};
use super::super::node::{Activation, Axes, Node, Value};
use super::super::unary;

pub(super) fn batch_normalization(
    node: &Node<'_>,
    layers: &mut Layers,
) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    if input.axes == Axes::ChannelsLast {
        node.channels_first(0)?;
    }
    if node.int("training_mode", 0) != 0 {
        return node.fail("it is in training mode: export the model for inference");
    }
    let channels = input.shape.channels;
    let mut parameters = [&[][..]; 4];
    for (index, parameter) in parameters.iter_mut().enumerate() {
        let (dims, values) = node.weights(index + 1)?;
        if values.len() != channels {
            return node.fail(format!(
                "input {} has the shape {dims:?}, {channels} values are needed",
                index + 1
            ));
        }
        *parameter = values;
    }
    let [gamma, beta, mean, variance] = parameters;
    let epsilon = f64::from(node.float("epsilon", 1e-5));
    let scale: Vec<f32> = gamma
        .iter()
        .zip(variance)
        .map(|(&gamma, &variance)| {
            (f64::from(gamma) / (f64::from(variance) + epsilon).sqrt()) as f32
        })
        .collect();
    let offset: Vec<f32> = beta
        .iter()
        .zip(mean)
        .zip(&scale)
        .map(|((beta, mean), scale)| beta - mean * scale)
        .collect();
    affine(node, layers, input, scale, offset)
}

/// Adds `scale * x + offset` per channel.
fn affine(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    scale: Vec<f32>,
    offset: Vec<f32>,
) -> Result<Activation, ConvertError> {
    node.check_finite(&scale)?;
    node.check_finite(&offset)?;
    let op = Op::Affine { scale, offset };
    Ok(Activation {
        value: layers.push(&node.name, op, vec![input.value], input.shape),
        ..input
    })
}

/// Below zero a factor for each channel: by a table where all are the same, else both halves by themselves.
pub(super) fn leaky(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let (dims, slopes) = node.weights(1)?;
    let slopes = per_channel(node, &input, dims, slopes)?;
    node.check_finite(&slopes)?;
    if let Some(slope) = curve::same(&slopes) {
        let unary = Unary::plain(Curve::Leaky(slope));
        return Ok(unary::push(node, layers, input, unary));
    }
    let mut half = |limits| {
        let inputs = vec![input.value];
        layers.push_limited(&node.name, Op::Clamp, inputs, input.shape, limits)
    };
    let above = half([0.0, f32::INFINITY]);
    let value = half([f32::NEG_INFINITY, 0.0]);
    let offset = vec![0.0; slopes.len()];
    let below = affine(node, layers, Activation { value, ..input }, slopes, offset)?;
    let inputs = vec![above, below.value];
    let value = layers.push(&node.name, Op::Add, inputs, input.shape);
    Ok(Activation { value, ..input })
}

/// Holds a tensor between two limits.
pub(super) fn clamp(
    node: &Node<'_>,
    layers: &mut Layers,
    limits: [f32; 2],
) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let value = layers.push_limited(
        &node.name,
        Op::Clamp,
        vec![input.value],
        input.shape,
        limits,
    );
    Ok(Activation { value, ..input })
}

pub(super) fn clip(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let limits = limits(node)?;
    clamp(node, layers, limits)
}

pub(super) fn lp_normalization(
    node: &Node<'_>,
    layers: &mut Layers,
) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let (axis, p) = (node.int("axis", -1), node.int("p", 2));
    let channels = input.channel_axis();
    if p != 2 || (axis != channels && axis != channels - input.rank()) {
        return node.fail(format!(
            "p is {p} and axis {axis}: only the Euclidean length, 2, of the channels, {channels}, is supported"
        ));
    }
    Ok(normalize(node, layers, input))
}

/// The product of two tensors of one shape, or of one with a value for each of its channels.
fn product(
    node: &Node<'_>,
    layers: &mut Layers,
    a: Activation,
    b: Activation,
) -> Result<Activation, ConvertError> {
    let scales = |of: &Activation, by: &Activation| {
        by.shape == of.shape || by.shape == Shape::vector(of.shape.channels)
    };
    let pair = [[a, b], [b, a]]
        .into_iter()
        .find(|[of, by]| of.axes == by.axes && scales(of, by));
    let Some([of, by]) = pair else {
        return node.fail(format!(
            "it multiplies {} and {}: both must have one shape, or one of them a single value for each channel of the \
             other",
            a.text(),
            b.text()
        ));
    };
    let value = layers.push(&node.name, Op::Multiply, vec![of.value, by.value], of.shape);
    Ok(Activation { value, ..of })
}

/// Add, Sub, Mul and Div: of two tensors all but Div, of a tensor and constants all of them.
pub(super) fn arithmetic(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let operator = node.proto.op_type.as_str();
    let (input, constant, reversed) = match &node.inputs[..] {
        [Some(Value::Activation(a)), Some(Value::Activation(b))] => {
            if operator == "Mul"
                && let Some((of, unary)) = unary::product(layers, *a, *b)
            {
                return Ok(unary::push(node, layers, of, unary));
            }
            if operator == "Mul" {
                return product(node, layers, *a, *b);
            }
            if operator == "Div" {
                return node.fail(
                    "dividing by a computed tensor is not supported: multiply by a function of it, or remove it",
                );
            }
            if (a.shape, a.axes) != (b.shape, b.axes) {
                return node.fail(format!(
                    "it reads {} and {}: both must have one shape",
                    a.text(),
                    b.text()
                ));
            }
            let mut second = b.value;
            if operator == "Sub" {
                let channels = b.shape.channels;
                let minus = vec![-1.0; channels];
                second = affine(node, layers, *b, minus, vec![0.0; channels])?.value;
            }
            let value = layers.push(&node.name, Op::Add, vec![a.value, second], a.shape);
            return Ok(Activation { value, ..*a });
        }
        [Some(Value::Activation(a)), Some(Value::Constant(_))] => (*a, 1, false),
        [Some(Value::Constant(_)), Some(Value::Activation(b))] => (*b, 0, true),
        _ => return node.fail("two inputs are needed, one at least computed from the picture"),
    };
    let (dims, values) = node.weights(constant)?;
    let values = per_channel(node, &input, dims, values)?;
    let channels = values.len();
    let (scale, offset) = match (operator, reversed) {
        ("Add", _) => (vec![1.0; channels], values),
        ("Sub", false) => (
            vec![1.0; channels],
            values.iter().map(|value| -value).collect(),
        ),
        ("Sub", true) => (vec![-1.0; channels], values),
        ("Mul", _) => (values, vec![0.0; channels]),
        ("Div", false) => (
            values.iter().map(|value| 1.0 / value).collect(),
            vec![0.0; channels],
        ),
        _ => return node.fail("dividing by a computed tensor is not supported: remove it"),
    };
    affine(node, layers, input, scale, offset)
}

/// Constants that stand for one value per channel, by the rules of broadcasting.
fn per_channel(
    node: &Node<'_>,
    input: &Activation,
    dims: &[usize],
    values: &[f32],
) -> Result<Vec<f32>, ConvertError> {
    let channels = input.shape.channels;
    // The axis of the channels, counted from the back.
    let axis = (input.rank() - input.channel_axis()) as usize;
    let others = dims
        .iter()
        .rev()
        .enumerate()
        .filter(|(index, _)| index + 1 != axis);
    if others.into_iter().all(|(_, &dim)| dim == 1) && dims.len() <= input.rank() as usize {
        if values.len() == 1 {
            return Ok(vec![values[0]; channels]);
        }
        if values.len() == channels {
            return Ok(values.to_vec());
        }
    }
    node.fail(format!(
        "constants of the shape {dims:?} do not fit {}: only one value, or one for each channel, works",
        input.text()
    ))
}

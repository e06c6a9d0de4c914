//! What changes a shape or nothing: constants, casts, padding.

use super::super::constant::{Constant, Values};
use super::super::error::ConvertError;
use super::super::layers::Layers;
use super::super::network::{Op, Shape};
use super::super::node::{Activation, Node};

/// A constant written as a node.
pub(super) fn constant(node: &Node<'_>) -> Result<Constant, ConvertError> {
    let Some(attribute) = node.proto.attribute.first() else {
        return node.fail("it has no value: the file is damaged");
    };
    Ok(match attribute.name.as_str() {
        "value" => match &attribute.t {
            Some(tensor) => Constant::read(tensor)?,
            None => return node.fail("it has no value: the file is damaged"),
        },
        "value_float" => Constant::scalar(Values::Floats(vec![attribute.f])),
        "value_floats" => Constant::list(Values::Floats(attribute.floats.clone())),
        "value_int" => Constant::scalar(Values::Ints(vec![attribute.i])),
        "value_ints" => Constant::list(Values::Ints(attribute.ints.clone())),
        other => {
            return node.fail(format!(
                "its attribute {other} is not supported: use a tensor"
            ));
        }
    })
}

/// Dropout is nothing in a trained network.
pub(super) fn dropout(node: &Node<'_>) -> Result<Activation, ConvertError> {
    let training = node.optional_constant(2)?.and_then(Constant::ints);
    if training.is_some_and(|values| values.contains(&1)) {
        return node.fail("it is in training mode: export the model for inference");
    }
    node.activation(0)
}

/// Activations are float32 already.
pub(super) fn cast(node: &Node<'_>) -> Result<Activation, ConvertError> {
    const FLOAT: i64 = 1;
    let to = node.int("to", 0);
    if to != FLOAT {
        return node.fail(format!(
            "it casts to type {to}: only float32, {FLOAT}, works"
        ));
    }
    node.activation(0)
}

pub(super) fn pad(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.picture(0)?;
    let mode = node.text("mode");
    let fill = node
        .optional_constant(2)?
        .and_then(Constant::floats)
        .and_then(<[f32]>::first);
    let fill = fill.copied().unwrap_or_else(|| node.float("value", 0.0));
    if !["", "constant"].contains(&mode) || fill != 0.0 {
        return node.fail("only padding with zeros is supported");
    }
    let axes = match node.optional_constant(3)? {
        None => (0..4).collect(),
        Some(constant) => constant.ints().unwrap_or_default().to_vec(),
    };
    let attribute = node.attribute("pads").map(|pads| &pads.ints[..]);
    let ends = match node.optional_constant(1)? {
        Some(constant) => constant.ints(),
        None => attribute,
    };
    let ends = ends.unwrap_or_default();
    if ends.len() != 2 * axes.len() {
        return node.fail(format!(
            "its pads {ends:?} do not fit the axes {axes:?}: the file is damaged"
        ));
    }
    let [before, behind] = [&ends[..axes.len()], &ends[axes.len()..]];
    let mut pads = [0; 4];
    for ((axis, &before), &behind) in axes.into_iter().zip(before).zip(behind) {
        let axis = if axis < 0 {
            axis.saturating_add(4)
        } else {
            axis
        };
        match input.spatial_axes().iter().position(|&side| side == axis) {
            Some(side) => [pads[side], pads[side + 2]] = [before, behind],
            None if before == 0 && behind == 0 => {}
            None => {
                return node.fail(format!(
                    "pads {ends:?} pad the batch or the channels: pad the picture only"
                ));
            }
        }
    }
    let pads: [usize; 4] = node.as_sizes("pads", 0, &pads)?;
    let [top, left, bottom, right] = pads;
    let shape = Shape {
        height: input.shape.height + top + bottom,
        width: input.shape.width + left + right,
        ..input.shape
    };
    Ok(Activation {
        value: layers.push(&node.name, Op::Pad(pads), vec![input.value], shape),
        shape,
        ..input
    })
}

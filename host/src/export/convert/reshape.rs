//! Operators that only change how the values of a tensor are seen.
//!
//! A layer's values always lie height by width by channels. A file that has the channels first sees
//! the same tensor through other axes, [`Axes`]; only where it makes a vector of a picture does the
//! order of the values matter.

use super::{
    error::ConvertError,
    layers::Layers,
    network::{Op, Shape},
    node::{Activation, Axes, Node, Value},
};

pub(super) fn transpose(node: &Node<'_>) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let default: Vec<i64> = (0..input.rank()).rev().collect();
    let perm = node
        .attribute("perm")
        .map_or(&default[..], |attribute| &attribute.ints);
    let axes = match (input.axes, perm) {
        (axes, [0, 1]) if axes == Axes::Vector => axes,
        (axes, [0, 1, 2, 3]) => axes,
        (Axes::ChannelsLast, [0, 3, 1, 2]) => Axes::ChannelsFirst,
        (Axes::ChannelsFirst, [0, 2, 3, 1]) => Axes::ChannelsLast,
        _ => {
            return node.fail(format!(
                "it puts the axes of {} in the order {perm:?}: only the change between channels last and \
                 channels first, [0, 3, 1, 2] and [0, 2, 3, 1], is supported",
                input.text()
            ));
        }
    };
    Ok(Activation { axes, ..input })
}

pub(super) fn flatten(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let axis = node.int("axis", 1);
    if axis != 1 && axis != 1 - input.rank() {
        return node.fail(format!(
            "axis is {axis}: only 1, which keeps the batch, is supported"
        ));
    }
    Ok(to_vector(&node.name, layers, input))
}

/// A picture as a vector in the order in which the file sees it.
pub(super) fn to_vector(name: &str, layers: &mut Layers, input: Activation) -> Activation {
    let shape = Shape::vector(input.shape.len());
    if input.shape.pixels() == 1 {
        return Activation {
            axes: Axes::Vector,
            ..input
        };
    }
    let op = if input.axes == Axes::ChannelsLast {
        Op::View
    } else {
        Op::Flatten
    };
    Activation {
        value: layers.push(name, op, vec![input.value], shape),
        shape,
        axes: Axes::Vector,
    }
}

pub(super) fn reshape(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.activation(0)?;
    let Some(Some(Value::Constant(target))) = node.inputs.get(1) else {
        return node.fail(
            "its shape is computed while the network runs: use Flatten, or fix the shapes with onnxsim",
        );
    };
    let target = target.ints().unwrap_or_default();
    let from = &input.dims()[1..];
    let refuse = || {
        node.fail(format!(
            "it turns {} into {target:?}: only [N, length] and a shape that changes nothing are supported",
            input.text()
        ))
    };
    let [batch, rest @ ..] = target else {
        return refuse();
    };
    // 0 copies the dimension; one -1 stands for what is left.
    let mut dims: Vec<i64> = rest.to_vec();
    for (index, dim) in dims.iter_mut().enumerate() {
        if *dim == 0 && node.int("allowzero", 0) == 0 {
            *dim = from.get(index).copied().unwrap_or(0);
        }
    }
    let known = dims
        .iter()
        .filter(|&&dim| dim != -1)
        .try_fold(1_i64, |product, &dim| product.checked_mul(dim));
    let length = input.shape.len() as i64;
    match (known, dims.iter().filter(|&&dim| dim == -1).count()) {
        // A batch of -1 is whatever is left, which is the batch if the rest fits.
        (Some(known), 0) if known == length && [-1, 0, 1].contains(batch) => {}
        (Some(known), 1) if known > 0 && length % known == 0 && [0, 1].contains(batch) => {
            for dim in dims.iter_mut().filter(|dim| **dim == -1) {
                *dim = length / known;
            }
        }
        _ => return refuse(),
    }
    if dims.len() == 1 {
        return Ok(to_vector(&node.name, layers, input));
    }
    // Of one pixel or one channel the values stand in the same order however they are seen.
    let shape = input.shape;
    let alike = shape.pixels() == 1 || shape.channels == 1;
    let seen = [Axes::ChannelsFirst, Axes::ChannelsLast].map(|axes| Activation { axes, ..input });
    match seen.into_iter().find(|seen| seen.dims()[1..] == dims) {
        Some(seen) if alike || seen.axes == input.axes => Ok(seen),
        _ => refuse(),
    }
}

pub(super) fn squeeze(node: &Node<'_>) -> Result<Activation, ConvertError> {
    let input = node.picture(0)?;
    let axes = node.axes(input.rank())?;
    let [vertical, horizontal] = input.spatial_axes();
    let named = axes
        .as_deref()
        .is_none_or(|axes| axes == [vertical, horizontal]);
    if !named || input.shape.pixels() != 1 {
        return node.fail(format!(
            "it squeezes the axes {axes:?} of {}: only height and width of one pixel, \
             [{vertical}, {horizontal}], work",
            input.text()
        ));
    }
    if axes.is_none() && input.shape.channels == 1 {
        return node.fail(format!(
            "without axes it would drop the batch and the channel: give axes [{vertical}, {horizontal}]"
        ));
    }
    Ok(Activation {
        axes: Axes::Vector,
        ..input
    })
}

pub(super) fn unsqueeze(node: &Node<'_>) -> Result<Activation, ConvertError> {
    let input = node.vector(0)?;
    let added = node.axes(4)?;
    let axes = match added.as_deref() {
        Some([2, 3]) => Axes::ChannelsFirst,
        Some([1, 2]) => Axes::ChannelsLast,
        _ => {
            return node.fail(format!(
                "it adds the axes {added:?}: only height and width, [2, 3], work"
            ));
        }
    };
    Ok(Activation { axes, ..input })
}

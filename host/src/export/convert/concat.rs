//! Concat: the channels of several tensors behind one another.

use super::{
    error::ConvertError,
    layers::Layers,
    network::{Op, Shape},
    node::{Activation, Node, Value},
};

/// Reads a Concat along the channels; the board joins two tensors at a time.
pub(super) fn concat(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let parts: Option<Vec<Activation>> = node
        .inputs
        .iter()
        .map(|input| match input {
            Some(Value::Activation(part)) => Some(*part),
            _ => None,
        })
        .collect();
    let Some((&first, rest)) = parts.as_deref().and_then(<[_]>::split_first) else {
        return node.fail("all that it joins must be computed from the picture");
    };
    let axis = match node.int("axis", 1) {
        axis @ ..0 => axis.saturating_add(first.rank()),
        axis => axis,
    };
    if axis != first.channel_axis() {
        return node.fail(format!(
            "its axis is {axis}: only {}, that of the channels, is supported",
            first.channel_axis()
        ));
    }
    let mut joined = first;
    for part in rest {
        let size = |of: &Activation| (of.axes, of.shape.height, of.shape.width);
        if size(part) != size(&first) {
            return node.fail(format!(
                "it joins {} and {}: all but the channels must be the same",
                first.text(),
                part.text()
            ));
        }
        let shape = Shape {
            channels: joined.shape.channels + part.shape.channels,
            ..first.shape
        };
        let inputs = vec![joined.value, part.value];
        joined = Activation {
            value: layers.push(&node.name, Op::Concat, inputs, shape),
            shape,
            ..first
        };
    }
    Ok(joined)
}

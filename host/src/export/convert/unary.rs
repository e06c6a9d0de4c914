//! The nodes that compute a function of each value, which a board looks up in a table.

use super::{
    curve::{Curve, Unary, same},
    error::ConvertError,
    layers::Layers,
    network::{Layer, NO_LIMITS, Op},
    node::{Activation, Node},
};

/// Reads a node that computes a function of one value; `None` for another operator.
pub(super) fn read(
    node: &Node<'_>,
    layers: &mut Layers,
) -> Result<Option<Activation>, ConvertError> {
    let hard_sigmoid = |slope, offset| Curve::Ramp {
        slope,
        offset,
        limits: [0.0, 1.0],
    };
    let unary = match node.proto.op_type.as_str() {
        "Sigmoid" => Unary::plain(Curve::Sigmoid),
        "Tanh" => Unary::plain(Curve::Tanh),
        "Softplus" => Unary::plain(Curve::Softplus),
        "HardSigmoid" => Unary::plain(hard_sigmoid(
            node.float("alpha", 0.2),
            node.float("beta", 0.5),
        )),
        "HardSwish" => Unary::times(hard_sigmoid(1.0 / 6.0, 0.5)),
        "LeakyRelu" => Unary::plain(Curve::Leaky(node.float("alpha", 0.01))),
        "Elu" => Unary::plain(Curve::Elu(node.float("alpha", 1.0))),
        _ => return Ok(None),
    };
    let input = node.activation(0)?;
    if let Curve::Ramp { slope, offset, .. } = unary.curve {
        node.check_finite(&[slope, offset])?;
    }
    if let Curve::Leaky(slope) | Curve::Elu(slope) = unary.curve {
        node.check_finite(&[slope])?;
    }
    Ok(Some(push(node, layers, input, unary)))
}

/// Adds a layer that computes a function of one value.
pub(super) fn push(
    node: &Node<'_>,
    layers: &mut Layers,
    input: Activation,
    unary: Unary,
) -> Activation {
    let value = layers.push(&node.name, Op::Unary(unary), vec![input.value], input.shape);
    Activation { value, ..input }
}

/// What `a * b` is a function of, where one of both is a function of the other: SiLU and hard swish in
/// the forms that exporters write.
pub(super) fn product(
    layers: &Layers,
    a: Activation,
    b: Activation,
) -> Option<(Activation, Unary)> {
    let of = |x: Activation, y: Activation| {
        let curve = curve_of(layers, x.value, y.value)?;
        Some((x, Unary::times(curve)))
    };
    of(a, b).or_else(|| of(b, a))
}

/// The curve by which value `y` follows from value `x`.
fn curve_of(layers: &Layers, x: usize, y: usize) -> Option<Curve> {
    let layer = |value: usize| Some(&layers.0[value.checked_sub(1)?]);
    match layer(y)? {
        Layer {
            op: Op::Unary(unary),
            inputs,
            limits: NO_LIMITS,
            ..
        } if inputs == &[x] && *unary == Unary::plain(unary.curve) => Some(unary.curve),
        Layer {
            op: Op::Clamp,
            inputs,
            limits,
            ..
        } => match layer(inputs[0])? {
            Layer {
                op: Op::Affine { scale, offset },
                inputs,
                limits: NO_LIMITS,
                ..
            } if inputs == &[x] => Some(Curve::Ramp {
                slope: same(scale)?,
                offset: same(offset)?,
                limits: *limits,
            }),
            _ => None,
        },
        _ => None,
    }
}

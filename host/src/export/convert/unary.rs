//! Functions of one value: sigmoid and the like, which a board looks up in a table.

use super::{
    calibrate::Quantization,
    error::ConvertError,
    layers::Layers,
    network::{Layer, NO_LIMITS, Op},
    node::{Activation, Node},
};

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Curve {
    Sigmoid,
    Tanh,
    /// `slope * x + offset`, held between two limits: hard sigmoid.
    Ramp {
        slope: f32,
        offset: f32,
        limits: [f32; 2],
    },
    /// `x` above zero, below it so many times `x`.
    Leaky(f32),
    /// `x` above zero, below it so many times `exp(x) - 1`.
    Elu(f32),
    Softplus,
}

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unary {
    pub(super) curve: Curve,
    /// Whether it is multiplied by the value itself: SiLU is so made of sigmoid.
    pub(super) times: bool,
    /// A factor and a summand behind that.
    pub(super) behind: [f32; 2],
}

impl Unary {
    /// The curve alone.
    pub(super) fn plain(curve: Curve) -> Self {
        Self {
            curve,
            times: false,
            behind: [1.0, 0.0],
        }
    }

    /// The curve times the value.
    pub(super) fn times(curve: Curve) -> Self {
        Self {
            times: true,
            ..Self::plain(curve)
        }
    }

    /// The function at `x`.
    pub(super) fn at(self, x: f32) -> f32 {
        let y = match self.curve {
            Curve::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Curve::Tanh => x.tanh(),
            Curve::Ramp {
                slope,
                offset,
                limits: [least, greatest],
            } => (slope * x + offset).max(least).min(greatest),
            Curve::Leaky(slope) => x.max(0.0) + slope * x.min(0.0),
            Curve::Elu(scale) => x.max(0.0) + scale * x.min(0.0).exp_m1(),
            Curve::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        };
        let [scale, offset] = self.behind;
        scale * if self.times { x * y } else { y } + offset
    }

    /// What the board looks up: the output for each input from -128 on.
    pub(super) fn table(self, input: Quantization, output: Quantization) -> Vec<i8> {
        let entry = |level: i32| {
            let x = f64::from(level - input.zero_point) * input.scale;
            output.quantize(f64::from(self.at(x as f32)))
        };
        (-128..=127).map(entry).collect()
    }
}

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

/// The value that all are.
pub(super) fn same(values: &[f32]) -> Option<f32> {
    let (&first, rest) = values.split_first()?;
    rest.iter().all(|&value| value == first).then_some(first)
}

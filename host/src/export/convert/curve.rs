//! A function of one value: sigmoid and the like.

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

/// What leaves a value as it is, to bring it to another scale.
pub(super) const SAME: Unary = Unary {
    curve: Curve::Ramp {
        slope: 1.0,
        offset: 0.0,
        limits: [f32::NEG_INFINITY, f32::INFINITY],
    },
    times: false,
    behind: [1.0, 0.0],
};

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
}

/// The value that all are.
pub(super) fn same(values: &[f32]) -> Option<f32> {
    let (&first, rest) = values.split_first()?;
    rest.iter().all(|&value| value == first).then_some(first)
}

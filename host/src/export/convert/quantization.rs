//! The levels of a tensor.

/// How a tensor is quantised: `real = scale * (q - zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quantization {
    pub(super) scale: f64,
    pub(super) zero_point: i32,
}

impl Quantization {
    /// The 256 levels over a range, widened to hold zero, which is exact.
    pub(super) fn over(least: f64, greatest: f64) -> Self {
        let (least, greatest) = (least.min(0.0), greatest.max(0.0));
        let scale = if greatest > least {
            (greatest - least) / 255.0
        } else {
            1.0 / 255.0
        };
        // A range that is almost nothing still needs a scale that can be divided by.
        let scale = scale.max(1e-20);
        let zero_point = (-128.0 - least / scale).round().clamp(-128.0, 127.0) as i32;
        Self { scale, zero_point }
    }

    /// The least and the greatest value that it can hold.
    pub(super) fn ends(self) -> [f64; 2] {
        [-128, 127].map(|level| f64::from(level - self.zero_point) * self.scale)
    }

    /// The nearest level.
    pub(super) fn quantize(self, value: f64) -> i8 {
        ((value / self.scale).round() + f64::from(self.zero_point)).clamp(-128.0, 127.0) as i8
    }
}

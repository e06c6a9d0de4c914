//! The exponential function, without a floating-point library.

/// `e` to the power of `x`, for `x` of at most 0; below -87 it is 0, as it is for no number.
///
/// The same bits on every processor: additions and multiplications alone. The error is below
/// 2 units in the last place.
pub(crate) fn exp(x: f32) -> f32 {
    /// The natural logarithm of 2 in two parts, of which the first times a small integer is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Reciprocals of 6! down to 1!, and 1.
    const SERIES: [f32; 7] = [
        1.388_888_9e-3,
        8.333_334e-3,
        4.166_666_8e-2,
        0.166_666_67,
        0.5,
        1.0,
        1.0,
    ];
    if x.is_nan() || x <= -87.0 {
        return 0.0;
    }
    let x = if x > 0.0 { 0.0 } else { x };
    // To the nearest integer: the conversion cuts towards 0.
    let power = (x * core::f32::consts::LOG2_E - 0.5) as i32;
    let rest = (x - power as f32 * LN_2[0]) - power as f32 * LN_2[1];
    let value = SERIES.iter().fold(0.0, |sum, term| sum * rest + term);
    // -126 at least, so that the exponent is that of a normal number.
    value * f32::from_bits(((127 + power) as u32) << 23)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn is_the_exponential_function() {
        for step in 0..87_000_u32 {
            let x = step as f32 * -1e-3;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2.4e-7, "{x}: {error}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(3.0), 1.0);
        for zero in [-87.0, -1e9, f32::NEG_INFINITY, f32::NAN] {
            assert_eq!(exp(zero), 0.0);
        }
    }
}

//! The square root, without a floating-point library.

/// The square root of a number of at least 0, by Newton's method; 0 for anything else.
///
/// The same bits on every processor: additions, multiplications and divisions alone.
#[inline(never)]
pub(crate) fn root(x: f32) -> f32 {
    if x.is_nan() || x < f32::MIN_POSITIVE {
        return 0.0;
    }
    // Half the exponent is within a factor of 1.5.
    let mut guess = f32::from_bits((x.to_bits() >> 1) + 0x1fc0_0000);
    for _ in 0..4 {
        guess = 0.5 * (guess + x / guess);
    }
    guess
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_square_root() {
        assert_eq!([-1.0, 0.0, f32::NAN].map(root), [0.0; 3]);
        for step in 1..2000_u16 {
            let x = f32::from(step) * f32::from(step) * 0.37;
            assert!((root(x) * root(x) / x - 1.0).abs() < 1e-6, "{x}");
        }
        for x in [f32::MIN_POSITIVE, 1e-30, 1e30, 1e38] {
            assert!((root(x) * root(x) / x - 1.0).abs() < 1e-6, "{x}");
        }
    }
}

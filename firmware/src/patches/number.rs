//! Logarithms and powers, the same bits on every processor: additions, multiplications and
//! divisions alone.

/// The natural logarithm of a number above 0; that of the least normal number for anything else.
#[inline(never)]
pub(super) fn ln(x: f32) -> f32 {
    let x = if x >= f32::MIN_POSITIVE {
        x
    } else {
        f32::MIN_POSITIVE
    };
    // `m * 2^e` with `m` from about 0.7 to 1.4.
    let bits = x.to_bits();
    let exponent = (bits.wrapping_sub(0x3f33_0000) as i32) >> 23;
    let mantissa = f32::from_bits(bits.wrapping_sub((exponent << 23) as u32));
    // 2 artanh(z), whose series goes fast for |z| below 0.18.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let series = [1.0 / 9.0, 1.0 / 7.0, 0.2, 1.0 / 3.0, 1.0];
    let sum = series.iter().fold(0.0, |sum, term| sum * square + term);
    exponent as f32 * core::f32::consts::LN_2 + 2.0 * z * sum
}

/// `e` to the power of a number; at most the greatest finite one.
pub(super) fn exp(x: f32) -> f32 {
    if x > 0.0 {
        (1.0 / crate::heads::exp(-x)).min(f32::MAX)
    } else {
        crate::heads::exp(x)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn logarithms_are_those_of_the_library() {
        for step in 1..100_000_u32 {
            for x in [step as f32 * 1e-3, step as f32 * 1e6, 1e-9 * step as f32] {
                let error = (f64::from(ln(x)) - f64::from(x).ln()).abs();
                assert!(
                    error < 3e-6 * f64::from(x).ln().abs().max(1.0),
                    "{x}: {error}"
                );
            }
        }
        for none in [0.0, -1.0, f32::NAN] {
            assert!((-88.0..-87.0).contains(&ln(none)));
        }
    }
}

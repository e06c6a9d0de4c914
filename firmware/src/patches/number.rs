//! Logarithms and quantiles, the same bits on every processor: additions, multiplications and
//! divisions alone.

use crate::decision::Rate;

/// The natural logarithm of a number above 0; that of the least normal number for anything else.
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

/// What a part of a standard normal distribution exceeds, by the rate of it (Abramowitz & Stegun
/// 1964, 26.2.23, error below 0.0005).
pub(super) fn normal(rate: Rate) -> f32 {
    let part = f32::from(rate.parts()) / 10_000.0;
    let t = crate::decision::root(-2.0 * ln(part));
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    t - above / below
}

/// The same of Student's distribution with so many degrees of freedom, from 3 on (Cornish & Fisher's
/// expansion to the third term).
pub(super) fn student(rate: Rate, freedom: f32) -> f32 {
    let z = normal(rate);
    let square = z * z;
    let first = (square + 1.0) * z / 4.0;
    let second = ((5.0 * square + 16.0) * square + 3.0) * z / 96.0;
    let third = (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) * z / 384.0;
    z + (first + (second + third / freedom) / freedom) / freedom
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

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let at = |parts| Rate::new(parts).unwrap();
        for (parts, z) in [(10, 3.0902), (100, 2.3263), (500, 1.6449), (2000, 0.8416)] {
            assert!((normal(at(parts)) - z).abs() < 1e-3, "{parts}");
        }
        for (freedom, parts, t) in [
            (5.0, 100, 3.365),
            (10.0, 100, 2.764),
            (10.0, 500, 1.812),
            (30.0, 10, 3.385),
        ] {
            let found = student(at(parts), freedom);
            assert!((found / t - 1.0).abs() < 0.01, "{freedom} {parts}: {found}");
        }
    }
}

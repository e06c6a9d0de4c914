//! Products of two tensors.

use super::requantize::Requantize;
use crate::image::OpRecord;

/// A factor's zero point.
pub(crate) type Zero = i8;

/// `values` hold factor `a` and become their products with `factors`, which are factor `b`: one for each
/// value, or one for each channel.
pub(crate) fn multiply(op: &OpRecord, [a, b]: [Zero; 2], values: &mut [i8], factors: &[i8]) {
    let requantize = Requantize::of(op);
    for pixel in values.chunks_mut(factors.len().max(1)) {
        for (value, &factor) in pixel.iter_mut().zip(factors) {
            *value = product(&requantize, op.multiplier, [(*value, a), (factor, b)]);
        }
    }
}

/// `values` hold both factors and become their products.
pub(crate) fn square(op: &OpRecord, [a, b]: [Zero; 2], values: &mut [i8]) {
    let requantize = Requantize::of(op);
    for value in values {
        *value = product(&requantize, op.multiplier, [(*value, a), (*value, b)]);
    }
}

#[inline(always)]
fn product(requantize: &Requantize, multiplier: i32, factors: [(i8, Zero); 2]) -> i8 {
    // At most 255 in size each.
    let [a, b] = factors.map(|(value, zero)| i32::from(value) - i32::from(zero));
    requantize.apply(a * b, multiplier)
}

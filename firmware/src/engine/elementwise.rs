//! Sums, limits, unit length and the change of order before a vector.

pub(crate) use super::kernels::copy;
use super::kernels::{self, Addition};
use super::requantize::Requantize;
use crate::image::{LUT_LEN, OpRecord};

/// An addend's zero point and weight.
#[derive(Clone, Copy)]
pub(crate) struct Addend {
    zero_point: i32,
    coefficient: i32,
}

impl Addend {
    #[inline(always)]
    fn weigh(self, value: i8) -> i32 {
        // At most 255 * 32767 in size, so two of them fit.
        (i32::from(value) - self.zero_point) * self.coefficient
    }
}

/// The two addends of a record.
pub(crate) fn addends(op: &OpRecord) -> [Addend; 2] {
    let addend = |zero_point: i8, coefficient| Addend {
        zero_point: zero_point.into(),
        coefficient,
    };
    [
        addend(op.input.zero_point, op.coefficients[0]),
        addend(op.second.zero_point, op.coefficients[1]),
    ]
}

/// `sum` holds addend `a` and gets the sum with `other`, which is addend `b`.
pub(crate) fn add(op: &OpRecord, a: Addend, b: Addend, sum: &mut [i8], other: &[i8]) {
    let addition = Addition {
        coefficients: [a.coefficient, b.coefficient],
        start: a.weigh(0) + b.weigh(0),
        multiplier: op.multiplier,
        requantize: Requantize::of(op),
    };
    kernels::add(&addition, sum, other);
}

/// `sum` holds both addends and gets their sum.
pub(crate) fn double(op: &OpRecord, a: Addend, b: Addend, sum: &mut [i8]) {
    let requantize = Requantize::of(op);
    for sum in sum {
        *sum = requantize.apply(a.weigh(*sum) + b.weigh(*sum), op.multiplier);
    }
}

/// `values` become what the table holds for each, held between the limits.
pub(crate) fn look_up(op: &OpRecord, table: &[i8; LUT_LEN], values: &mut [i8]) {
    for value in &mut *values {
        *value = table[usize::from((*value as u8) ^ 0x80)];
    }
    clamp(op, values);
}

/// Holds the values between the record's limits.
pub(crate) fn clamp(op: &OpRecord, values: &mut [i8]) {
    if (op.act_min, op.act_max) == (i8::MIN, i8::MAX) {
        return;
    }
    for value in values {
        *value = (*value).max(op.act_min).min(op.act_max);
    }
}

/// Scales the channels of each pixel to unit length.
pub(crate) fn normalize(op: &OpRecord, values: &mut [i8]) -> Option<()> {
    let channels = usize::from(op.input.channels);
    if channels == 0 {
        return None;
    }
    let zero_point = i32::from(op.input.zero_point);
    let output = i32::from(op.output.zero_point);
    for pixel in values.chunks_exact_mut(channels) {
        let length = length(pixel, zero_point);
        for value in pixel {
            // At most 255 * MAX_UNIT in size, and half of a length is below 2^23.
            let product = (i32::from(*value) - zero_point).wrapping_mul(op.multiplier);
            let scaled = product.wrapping_add(length / 2).div_euclid(length);
            let value_out = scaled.saturating_add(output);
            *value = value_out.max(op.act_min.into()).min(op.act_max.into()) as i8;
        }
    }
    Some(())
}

/// The Euclidean length of a vector in 256ths of a step, rounded down, at least 1.
fn length(vector: &[i8], zero_point: i32) -> i32 {
    // At most 65,535 squares of 255, which is below 2^32.
    let squares = vector
        .iter()
        .map(|&value| (i32::from(value) - zero_point).unsigned_abs().pow(2))
        .fold(0, u32::wrapping_add);
    ((u64::from(squares) << 16).isqrt() as i32).max(1)
}

/// Height x width x channel to channel x height x width, held between the limits.
pub(crate) fn flatten(op: &OpRecord, input: &[i8], output: &mut [i8]) -> Option<()> {
    let channels = usize::from(op.input.channels);
    let area = input.len().checked_div(channels)?;
    if area == 0 || channels == 0 {
        return None;
    }
    for (channel, plane) in output.chunks_exact_mut(area).enumerate() {
        let values = input.get(channel..)?.iter().step_by(channels);
        for (out, &value) in plane.iter_mut().zip(values) {
            *out = value.max(op.act_min).min(op.act_max);
        }
    }
    Some(())
}

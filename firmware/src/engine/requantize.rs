//! From the int32 sum of an output to its int8 value.

use crate::image::OpRecord;

/// `acc` times `2^pre_shift * multiplier / 2^32`, rounded to nearest, halves upwards.
///
/// `pre_shift` is below 32 and `multiplier` not negative, which makes the result grow with `acc`.
/// A sum that overflows in the shift wraps around.
#[inline(always)]
#[must_use]
pub const fn requantize(acc: i32, pre_shift: u32, multiplier: i32) -> i32 {
    let value = acc.wrapping_shl(pre_shift);
    if cfg!(armv6m) {
        return rounded_high(value, multiplier);
    }
    let product = value as i64 * multiplier as i64;
    ((product + (1 << 31)) >> 32) as i32
}

/// The upper half of a product, rounded, by four products of halves: for a core that has no product of
/// 64 bits. The second factor is not negative.
const fn rounded_high(value: i32, multiplier: i32) -> i32 {
    let (low, high) = (value as u32 & 0xffff, value >> 16);
    let (other_low, other_high) = (multiplier & 0xffff, multiplier >> 16);
    let middle = (low.wrapping_mul(other_low as u32) >> 16) + low.wrapping_mul(other_high as u32);
    let across = high.wrapping_mul(other_low);
    let carried = (middle & 0xffff) + (across as u32 & 0xffff) + (1 << 15);
    high.wrapping_mul(other_high) + (middle >> 16) as i32 + (across >> 16) + (carried >> 16) as i32
}

/// What all outputs of an operation share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requantize {
    pub(crate) pre_shift: u32,
    pub(crate) zero_point: i32,
    pub(crate) min: i8,
    pub(crate) max: i8,
}

impl Requantize {
    pub(crate) fn of(op: &OpRecord) -> Self {
        Self {
            pre_shift: u32::from(op.pre_shift),
            zero_point: i32::from(op.output.zero_point),
            min: op.act_min,
            max: op.act_max,
        }
    }

    #[inline(always)]
    pub(crate) fn apply(&self, acc: i32, multiplier: i32) -> i8 {
        let value = requantize(acc, self.pre_shift, multiplier) + self.zero_point;
        value.max(i32::from(self.min)).min(i32::from(self.max)) as i8
    }

    /// Whether the limits are narrower than those of int8, which saturation sees to.
    #[cfg(dsp)]
    #[inline(always)]
    pub(crate) fn narrow(&self) -> bool {
        (self.min, self.max) != (i8::MIN, i8::MAX)
    }

    /// Applies the limits to values that have been saturated.
    #[cfg(dsp)]
    pub(crate) fn clamp<'a>(&self, values: impl IntoIterator<Item = &'a mut i8>) {
        for value in values {
            *value = (*value).max(self.min).min(self.max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_halves_are_the_product() {
        let mut state = 1_u32;
        let edges = [i32::MIN, i32::MIN + 1, -65_536, -1, 0, 1, 65_535, i32::MAX];
        for round in 0..200_000 {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state ^ state >> 13) as i32 >> (round % 29)
            };
            let (value, multiplier) = (next(), next());
            for value in edges.into_iter().chain([value]) {
                for multiplier in edges.into_iter().chain([multiplier]) {
                    let multiplier = multiplier & i32::MAX;
                    let product = i64::from(value) * i64::from(multiplier);
                    let rounded = ((product + (1 << 31)) >> 32) as i32;
                    assert_eq!(
                        rounded_high(value, multiplier),
                        rounded,
                        "{value} {multiplier}"
                    );
                }
            }
        }
    }
}

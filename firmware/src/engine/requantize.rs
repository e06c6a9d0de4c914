//! From the int32 sum of an output to its int8 value.

use crate::image::OpRecord;

/// `acc` times `2^pre_shift * multiplier / 2^32`, rounded to nearest, halves upwards.
///
/// `pre_shift` is below 32 and `multiplier` not negative, which makes the result grow with `acc`.
/// A sum that overflows in the shift wraps around.
#[inline(always)]
#[must_use]
pub const fn requantize(acc: i32, pre_shift: u32, multiplier: i32) -> i32 {
    let product = acc.wrapping_shl(pre_shift) as i64 * multiplier as i64;
    ((product + (1 << 31)) >> 32) as i32
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

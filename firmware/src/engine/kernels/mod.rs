//! The inner loops, once for every target, once for Cortex-M with DSP and once for those of ARMv6-M.
//!
//! All have the same functions with the same results. They differ in how they arrange the
//! columns of `widen` and `deal`, which nothing else looks into:
//!
//! - `widen(runs, first, taps, scratch)` writes `N` runs of equally many int8 inputs, `N` being 1 or
//!   4, as int16 taps `first..` of as many columns, the middle two of each whole four exchanged as
//!   in [`crate::image::packing`];
//! - `deal(values, column, scratch)` writes all the taps of one of `N` columns;
//! - `four(block, output, stride)` multiplies four columns with all rows; pixel `p`, channel `c`
//!   goes to `output[p * stride + c]`;
//! - `pooled(block, output)` does the same and keeps the greatest of the four pixels;
//! - `one(block, output)` multiplies a single column;
//! - `spread(input, step, planes, plane, start, width)` widens a row of `width` pixels that stand
//!   `step` apart, one channel a plane, to `start` in each of the planes, which are `plane` long;
//! - `Packed::of(filters)` arranges weights for `filter`;
//! - `filter(filters, packed, rows, output, outputs)` computes a row of each of the filters, output
//!   `x` of filter `i` going to `output[x * filters.step + i]`;
//! - `accumulate(acc, pixels, step)` adds the values of pixels that start `step` apart, channel by
//!   channel; channels that the last pixel has not are garbage in `acc`, which nobody reads;
//! - `maximum(best, values)` keeps the greater of two values, place by place;
//! - `Wide::of(vectors)` arranges `N` int8 vectors for `products`;
//! - `products(wide, row)` gives the inner product of each of them with a row of as many values, which
//!   are a multiple of four and at most [`WIDE`].

use super::requantize::Requantize;
use crate::image::Channel;

#[cfg(any(armv6m, test))]
mod armv6m;
#[cfg(dsp)]
mod dsp;
#[cfg(not(dsp))]
#[cfg_attr(armv6m, expect(dead_code, reason = "half of it is in `armv6m`"))]
mod portable;

#[cfg(armv6m)]
pub(crate) use armv6m::{
    Packed, Wide, accumulate, deal, filter, four, maximum, one, pooled, products, spread, widen,
};

#[cfg(dsp)]
pub(crate) use dsp::{
    Packed, Wide, accumulate, deal, filter, four, maximum, one, pooled, products, spread, widen,
};
#[cfg(not(any(dsp, armv6m)))]
pub(crate) use portable::{
    Packed, Wide, accumulate, deal, filter, four, maximum, one, pooled, products, spread, widen,
};

/// Values that each vector of a [`Wide`] has at most.
pub(crate) const WIDE: usize = 128;

/// Channels that `accumulate` sums together.
pub(crate) const LANES: usize = 8;

/// Rows of packed weights and the columns to multiply them with.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    /// Packed pairs of rows, `2 * row_len` bytes a pair.
    pub(crate) rows: &'a [i8],
    /// Two for each pair of rows.
    pub(crate) channels: &'a [Channel],
    /// The columns, `row_len` int16 each.
    pub(crate) columns: &'a [i16],
    /// Taps of a row, an even number.
    pub(crate) row_len: usize,
    /// Output channels: as many as rows, or one less.
    pub(crate) outputs: usize,
    /// How sums become outputs.
    pub(crate) requantize: Requantize,
}

/// Filters of a depthwise convolution, at most [`PLANES`](crate::image) together.
#[derive(Clone, Copy)]
pub(crate) struct Filters<'a> {
    /// The weights of all channels from the first of these on: tap `t` is at `t * step`.
    pub(crate) weights: &'a [i8],
    /// Number of channels of the whole tensor.
    pub(crate) step: usize,
    /// Height and width of the window.
    pub(crate) kernel: [usize; 2],
    /// Step to the right.
    pub(crate) stride: usize,
    /// Bias and multiplier of each filter.
    pub(crate) channels: &'a [Channel],
    /// How sums become outputs.
    pub(crate) requantize: Requantize,
}

/// The widened rows under the filters: for each channel a plane that is a ring of `kernel[0]` rows.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// All planes.
    pub(crate) planes: &'a [i16],
    /// Values in a plane.
    pub(crate) plane: usize,
    /// Values in a row, padding included, an even number.
    pub(crate) pitch: usize,
    /// Which row of the ring is the window's first.
    pub(crate) first: usize,
}

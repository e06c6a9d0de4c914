//! The inner loops, once for every target, once each for Cortex-M with DSP, with Helium and of ARMv6-M.
//!
//! All have the same functions with the same results. They differ in how they arrange the
//! columns of `widen` and `deal` and the planes of `spread`, which nothing else looks into:
//!
//! - `widen(runs, first, taps, scratch)` writes `N` runs of equally many int8 inputs, `N` being 1 or
//!   4, as int16 taps `first..` of as many columns, the middle two of each whole four exchanged as
//!   in [`crate::image::packing`];
//! - `deal(values, column, scratch)` writes all the taps of one of `N` columns;
//! - `deal_nine(input, pitch, starts, scratch)` does so for four windows of 3 x 3 at once, which start
//!   there in an input of one channel, or gives `None` and leaves that to `deal`;
//! - `Windows::of(shape, taps, table)` prepares `gather(corners, scratch)`, which writes whole windows as
//!   columns, or gives `None` and leaves that to the others;
//! - `gemm_x4(block, output, stride)` multiplies four columns with all rows; pixel `p`, channel `c`
//!   goes to `output[p * stride + c]`;
//! - `pooled(block, output)` does the same and keeps the greatest of the four pixels;
//! - `one(block, output)` multiplies a single column;
//! - `pointwise(block, pixels, output, stride, scratch)` does what `widen` and `gemm_x4` do for pixels that
//!   are the columns, four by four, and gives the number of those that it did;
//! - `spread(input, step, planes, ring)` widens the next rows of pixels that stand `step` apart, one
//!   channel a plane, to where [`Ring`] says;
//! - `fill(planes, ring, range, value)` writes one value to a range of each plane;
//! - `Filter::of(filters, packed)` is a loop for such filters, with room for their weights, in words as
//!   many as `packed_len` says for a square window;
//! - `Filter::load(weights, channels)` arranges the weights of the next of them;
//! - `Filter::row(planes, first, output)` computes a row of each of them, output `x` of filter `i` going
//!   to `output[x * step + i]`; row `first` of the ring is the window's first;
//! - `rows(filter, rows, place, first, planes, ring)` may compute all rows of the channels from `first` on,
//!   and says whether it did;
//! - `many(filters, rows, place, scratch, ring, packed)` may compute all rows of the first channels by
//!   itself, and gives the number of those that it did;
//! - `accumulate(acc, pixels, step)` adds the values of at most 255 pixels that start `step` apart, channel by
//!   channel; channels that the last pixel has not are garbage in `acc`, which nobody reads;
//! - `average(pool, window, output)` may compute the means of a window, and says whether it did;
//! - `add(addition, sum, other)` adds the values of a tensor to those of another;
//! - `maximum(best, values)` keeps the greater of two values, place by place;
//! - `Wide::of(vectors)` arranges `N` int8 vectors for `products`;
//! - `products(wide, row)` gives the inner product of each of them with a row of as many values, which
//!   are a multiple of four and at most [`WIDE`].

use super::requantize::Requantize;
use crate::image::Channel;

#[cfg(any(armv6m, test))]
mod armv6m;
#[cfg(dsp)]
#[cfg_attr(helium, expect(unused_imports, reason = "`helium` serves"))]
mod dsp;
#[cfg(helium)]
mod helium;
#[cfg(not(helium))]
mod others;
#[cfg(not(dsp))]
#[cfg_attr(armv6m, expect(dead_code, reason = "half of it is in `armv6m`"))]
mod portable;

#[cfg(armv6m)]
pub(crate) use armv6m::{
    Filter, Wide, accumulate, deal, deal_nine, fill, gemm_x4, maximum, one, packed_len, pooled,
    products, spread, widen,
};

#[cfg(helium)]
pub(crate) use helium::{
    Filter, Taps, Wide, Windows, accumulate, add, average, copy, deal, deal_nine, fill, gemm_x4,
    look_up, many, maximum, one, packed_len, pointwise, pooled, products, rows, spread, widen,
};

#[cfg(all(dsp, not(helium)))]
pub(crate) use dsp::{
    Filter, Wide, accumulate, copy, deal, deal_nine, fill, gemm_x4, many, maximum, one, packed_len,
    pointwise, pooled, products, spread, widen,
};
#[cfg(not(helium))]
pub(crate) use others::{Taps, Windows, add, average, look_up, rows};
#[cfg(not(dsp))]
pub(crate) use others::{copy, many, pointwise};
#[cfg(not(any(dsp, armv6m)))]
pub(crate) use portable::{
    Filter, Wide, accumulate, deal, deal_nine, fill, gemm_x4, maximum, one, packed_len, pooled,
    products, spread, widen,
};

/// Values that each vector of a [`Wide`] has at most.
pub(crate) const WIDE: usize = 128;

/// Channels that `accumulate` sums together.
pub(crate) const LANES: usize = 8;

/// An input and the windows in it.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    /// The input from the first channel of the group on.
    pub(crate) input: &'a [i8],
    /// Rows of the input.
    pub(crate) height: usize,
    /// Pixels of a row.
    pub(crate) width: usize,
    /// Channels of the whole input.
    pub(crate) channels: usize,
    /// Channels of the group.
    pub(crate) inputs: usize,
    /// Height and width of a window.
    pub(crate) kernel: [usize; 2],
    /// Padding at the top and left.
    pub(crate) pads: [usize; 2],
    /// What the padding is filled with.
    pub(crate) zero_point: i8,
}

/// Pixels that are the columns of a convolution of 1 x 1.
#[derive(Clone, Copy)]
pub(crate) struct Pixels<'a> {
    /// The first of them and what follows.
    pub(crate) input: &'a [i8],
    /// Values of each, the taps of a row.
    pub(crate) taps: usize,
    /// From one to the next.
    pub(crate) step: usize,
    /// How many they are.
    pub(crate) count: usize,
}

/// How the values of two tensors become those of their sum.
#[derive(Clone, Copy)]
pub(crate) struct Addition {
    /// What each is multiplied with.
    pub(crate) coefficients: [i32; 2],
    /// What the sum of the products starts from.
    pub(crate) start: i32,
    pub(crate) multiplier: i32,
    /// How sums become outputs.
    pub(crate) requantize: Requantize,
}

/// A window of a pool and how its sums become outputs.
#[derive(Clone, Copy)]
#[cfg_attr(not(helium), expect(dead_code, reason = "there is no `average`"))]
pub(crate) struct Pool {
    /// Rows of the window, and pixels of each.
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Values from pixel to pixel, which are all channels, and from row to row.
    pub(crate) step: usize,
    pub(crate) pitch: usize,
    /// What sums start from.
    pub(crate) start: i32,
    pub(crate) multiplier: i32,
    pub(crate) requantize: Requantize,
}

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

/// Filters of a depthwise convolution, at most [`PLANES`](crate::image) together, and the widened rows
/// under them: for each channel a plane that is a ring of `kernel[0]` rows.
#[derive(Clone, Copy)]
pub(crate) struct Filters<'a> {
    /// The weights of all channels from the first of these on: tap `t` is at `t * step`.
    pub(crate) weights: &'a [i8],
    /// Number of channels of the whole tensor.
    pub(crate) step: usize,
    /// Height and width of the window.
    pub(crate) kernel: [usize; 2],
    /// Step to the right, 1 where a row has a single output.
    pub(crate) stride: usize,
    /// Outputs of a row.
    pub(crate) outputs: usize,
    /// Values in a row, padding included, an even number.
    pub(crate) pitch: usize,
    /// Bias and multiplier of each filter; for `many` of all.
    pub(crate) channels: &'a [Channel],
    /// How sums become outputs.
    pub(crate) requantize: Requantize,
}

impl Filters<'_> {
    /// Values in a plane.
    #[inline(always)]
    pub(crate) fn plane(&self) -> usize {
        self.pitch * self.kernel[0]
    }
}

/// The rows of a depthwise convolution.
#[cfg_attr(not(dsp), expect(dead_code, reason = "there is no `rows`"))]
pub(crate) struct Rows {
    /// Rows of padding at the top.
    pub(crate) top: usize,
    /// Rows of the input.
    pub(crate) height: usize,
    /// Rows of the output.
    pub(crate) count: usize,
    /// Step down.
    pub(crate) down: usize,
    /// What the padding is filled with.
    pub(crate) zero_point: i8,
}

/// Where rows go in each of the planes.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Ring {
    /// Values of a row, padding included.
    pub(crate) pitch: usize,
    /// Values in a plane, a whole number of rows; the first row follows the last.
    pub(crate) plane: usize,
    /// Values of a row without its padding.
    pub(crate) width: usize,
    /// Where the next row starts in its plane.
    pub(crate) row: usize,
    /// Values before it, which are padding.
    pub(crate) left: usize,
    /// Rows to write.
    pub(crate) rows: usize,
}

impl Ring {
    /// Continues by the rows that were written, at most as many as there are.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        self.row += self.rows * self.pitch;
        if self.row >= self.plane {
            self.row -= self.plane;
        }
    }
}

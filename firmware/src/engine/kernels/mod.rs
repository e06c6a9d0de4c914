//! The inner loops, once for every target and once for Cortex-M with DSP.
//!
//! Both paths have the same functions with the same results. They differ in how they arrange the
//! columns of [`widen`], which nothing else looks into:
//!
//! - `widen(values, first, column, columns, taps, scratch)` writes a run of int8 inputs as int16
//!   taps `first..` of column `column` out of `columns` (1 or 4), the middle two of each whole four
//!   exchanged as in [`crate::image::packing`];
//! - `four(block, output, stride)` multiplies four columns with all rows; pixel `p`, channel `c`
//!   goes to `output[p * stride + c]`;
//! - `pooled(block, output)` does the same and keeps the greatest of the four pixels;
//! - `one(block, output)` multiplies a single column;
//! - `filter(filter, rows, output, stride)` computes a row of one channel of a depthwise
//!   convolution, output `x` going to `output[x * stride]`;
//! - `maximum(best, values)` keeps the greater of two values, place by place.

use super::requantize::Requantize;
use crate::image::Channel;

#[cfg(dsp)]
mod dsp;
#[cfg(not(dsp))]
mod portable;

#[cfg(dsp)]
pub(crate) use dsp::{filter, four, maximum, one, pooled, widen};
#[cfg(not(dsp))]
pub(crate) use portable::{filter, four, maximum, one, pooled, widen};

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

/// One channel's filter of a depthwise convolution.
#[derive(Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// The weights of all channels from this one on: tap `t` is at `t * step`.
    pub(crate) weights: &'a [i8],
    /// Number of channels.
    pub(crate) step: usize,
    /// Height and width of the window.
    pub(crate) kernel: [usize; 2],
    /// Step to the right.
    pub(crate) stride: usize,
    /// Bias and multiplier.
    pub(crate) channel: Channel,
    /// How sums become outputs.
    pub(crate) requantize: Requantize,
}

/// The widened rows of one channel under a filter: a ring of `kernel[0]` rows.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The ring from this channel's first row on.
    pub(crate) ring: &'a [i16],
    /// Values from one row of the ring to the next.
    pub(crate) pitch: usize,
    /// Columns in a row, padding included.
    pub(crate) width: usize,
    /// Which row of the ring is the window's first.
    pub(crate) first: usize,
}

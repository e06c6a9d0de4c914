//! The inner loops for Cortex-M with Helium: sixteen products of int8 an instruction.
//!
//! Columns are int8 here. They take turns by sixteen values: those of the first sixteen slots of each
//! column, then those of the next; the last sixteen are filled up with whatever was there. Rows of
//! fewer than [`SHORTEST`] taps, and what is not here, are as for cores with DSP instructions.

mod average;
mod block;
mod bytes;
mod columns;
mod lanes;
mod plane;
mod sums;
mod windows;

use super::{Block, Pixels, dsp};
use crate::image::packing::{row_len, tap_slot};
use lanes::{SHORTEST, position};

pub(crate) use average::average;
pub(crate) use bytes::{copy, look_up, maximum};
pub(crate) use plane::{Filter, fill, many, packed_len, rows, spread};
pub(crate) use sums::{Wide, accumulate, add, products};
pub(crate) use windows::{Taps, Windows};

pub(crate) fn widen<const N: usize>(
    runs: [&[i8]; N],
    first: usize,
    taps: usize,
    scratch: &mut [i16],
) -> Option<()> {
    if row_len(taps) < SHORTEST {
        return dsp::widen(runs, first, taps, scratch);
    }
    let to: &mut [i8] = bytemuck::cast_slice_mut(scratch);
    let mut done = 0;
    if first.is_multiple_of(4) {
        done = runs.first()?.len() / 4 * 4;
        columns::arrange(runs, first, done, to)?;
    }
    for (column, values) in runs.iter().enumerate() {
        for (tap, &value) in (first + done..).zip(values.get(done..)?) {
            *to.get_mut(position::<N>(tap_slot(taps, tap), column))? = value;
        }
    }
    Some(())
}

pub(crate) fn deal<const N: usize>(
    values: &[i16],
    column: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let taps = values.len();
    if row_len(taps) < SHORTEST {
        return dsp::deal::<N>(values, column, scratch);
    }
    let to: &mut [i8] = bytemuck::cast_slice_mut(scratch);
    for (tap, &value) in values.iter().enumerate() {
        *to.get_mut(position::<N>(tap_slot(taps, tap), column))? = value as i8;
    }
    Some(())
}

/// That of Helium is in its `Windows`.
pub(crate) const fn deal_nine<const N: usize>(
    _input: &[i8],
    _pitch: usize,
    _starts: [usize; N],
    _scratch: &mut [i16],
) -> Option<()> {
    None
}

pub(crate) fn gemm_x4(block: &Block<'_>, output: &mut [i8], stride: usize) -> Option<()> {
    if block.row_len < SHORTEST {
        return dsp::gemm_x4(block, output, stride);
    }
    let output = output.get_mut(..3 * stride + block.outputs)?;
    block::gemm_x4(block, output, stride)?;
    for channel in block.outputs / 4 * 4..block.outputs {
        let sums = block::sums::<4>(block, channel)?;
        let multiplier = block.channels.get(channel)?.multiplier;
        for (p, sum) in sums.into_iter().enumerate() {
            *output.get_mut(p * stride + channel)? = block.requantize.apply(sum, multiplier);
        }
    }
    Some(())
}

pub(crate) fn pointwise(
    block: &Block<'_>,
    pixels: &Pixels<'_>,
    output: &mut [i8],
    stride: usize,
    scratch: &mut [i16],
) -> Option<usize> {
    if block.row_len < SHORTEST {
        return dsp::pointwise(block, pixels, output, stride, scratch);
    }
    let whole = pixels.taps == block.row_len && pixels.taps.is_multiple_of(4);
    if !whole || !block.outputs.is_multiple_of(4) {
        return Some(0);
    }
    let count = pixels.count / 4 * 4;
    let pixels = Pixels { count, ..*pixels };
    block::pointwise(block, &pixels, output, stride, scratch)?;
    Some(count)
}

pub(crate) fn pooled(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    if block.row_len < SHORTEST {
        return dsp::pooled(block, output);
    }
    let output = output.get_mut(..block.outputs)?;
    block::pooled(block, output)?;
    for channel in block.outputs / 4 * 4..block.outputs {
        let [a, b, c, d] = block::sums::<4>(block, channel)?;
        let multiplier = block.channels.get(channel)?.multiplier;
        *output.get_mut(channel)? = block.requantize.apply(a.max(b).max(c.max(d)), multiplier);
    }
    Some(())
}

pub(crate) fn one(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    if block.row_len < SHORTEST {
        return dsp::one(block, output);
    }
    let output = output.get_mut(..block.outputs)?;
    block::one(block, output)?;
    for channel in block.outputs / 4 * 4..block.outputs {
        let [sum] = block::sums::<1>(block, channel)?;
        let multiplier = block.channels.get(channel)?.multiplier;
        *output.get_mut(channel)? = block.requantize.apply(sum, multiplier);
    }
    Some(())
}

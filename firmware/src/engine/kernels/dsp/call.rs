//! A block as the loops read it: what is checked before they run, and the last row where rows are odd.

use core::ops::Range;

use super::super::Block;
use super::block::{Kernel, store_max, store_x4};
use super::single::store_one;
use crate::image::Channel;

/// What the kernels read of a block, its columns apart.
pub(super) struct Call {
    rows: *const i8,
    /// What stands before the first channel, and before that behind the last.
    channels: *const u32,
    channels_end: *const u32,
    steps: usize,
    pre_shift: u32,
    zero_point: i32,
}

impl Call {
    /// Of these pairs of rows, one at least.
    #[inline(always)]
    fn of(block: &Block<'_>, pairs: Range<usize>) -> Option<Self> {
        let steps = block.row_len / 2;
        // The kernels read words.
        let rows: &[u32] = bytemuck::try_cast_slice(block.rows).ok()?;
        let rows = rows.get(pairs.start * steps..pairs.end * steps)?;
        let channels = block.channels.get(2 * pairs.start..2 * pairs.end)?;
        let channels = channels.as_ptr_range();
        let before = |channel: *const Channel| channel.cast::<u32>().wrapping_sub(1);
        (!rows.is_empty()).then_some(Self {
            rows: rows.as_ptr().cast(),
            channels: before(channels.start),
            channels_end: before(channels.end),
            steps,
            pre_shift: block.requantize.pre_shift,
            zero_point: block.requantize.zero_point,
        })
    }

    /// All whole pairs of a block's rows, and the pair of the last row where there is another.
    #[inline(always)]
    pub(super) fn both(block: &Block<'_>) -> Option<[Option<Self>; 2]> {
        let pairs = block.outputs / 2;
        let of = |range: Range<usize>| match range.is_empty() {
            true => Some(None),
            false => Self::of(block, range).map(Some),
        };
        Some([of(0..pairs)?, of(pairs..block.outputs.div_ceil(2))?])
    }

    /// Stores what the four columns give.
    ///
    /// # Safety
    /// There are the words of the columns, and at each of four pixels that are `stride` apart two outputs
    /// for each pair of rows.
    #[inline(always)]
    pub(super) unsafe fn x4(&self, columns: *const u32, output: *mut i8, stride: usize) {
        // SAFETY: as the caller says.
        unsafe { self.with(store_x4, columns, output, stride) }
    }

    /// What the four columns give for the first row of a single pair.
    ///
    /// # Safety
    /// There are the words of the columns.
    #[inline(always)]
    pub(super) unsafe fn last_x4(&self, columns: *const u32) -> [i8; 4] {
        let mut pairs = [[0; 2]; 4];
        // SAFETY: there are two outputs for each column.
        unsafe { self.x4(columns, pairs.as_mut_ptr().cast(), 2) };
        pairs.map(|[first, _]| first)
    }

    /// # Safety
    /// There are the words of the columns, and the outputs that the kernel writes.
    #[inline(always)]
    unsafe fn with(&self, kernel: Kernel, columns: *const u32, output: *mut i8, stride: usize) {
        // SAFETY: as the caller says; `of` has checked the rest.
        unsafe {
            kernel(
                self.rows,
                output,
                stride,
                self.channels_end,
                columns,
                self.channels,
                self.steps,
                self.pre_shift,
                self.zero_point,
                columns.wrapping_add(4 * self.steps),
            );
        }
    }

    /// # Safety
    /// There are the words of one column, and two outputs for each pair of rows.
    #[inline(always)]
    unsafe fn one(&self, column: *const u32, output: *mut i8) {
        // SAFETY: as the caller says; `of` has checked the rest.
        unsafe {
            store_one(
                self.rows,
                output,
                self.channels,
                self.channels_end,
                column,
                self.steps / 4,
                self.steps % 4,
                self.pre_shift,
                self.zero_point,
            );
        }
    }
}

/// The words of so many columns.
#[inline(always)]
fn words(block: &Block<'_>, columns: usize) -> Option<*const u32> {
    let words: &[u32] = bytemuck::try_cast_slice(block.columns).ok()?;
    Some(words.get(..columns * block.row_len / 2)?.as_ptr())
}

pub(crate) fn gemm_x4(block: &Block<'_>, output: &mut [i8], stride: usize) -> Option<()> {
    let output = output.get_mut(..3 * stride + block.outputs)?;
    let (columns, [pairs, last]) = (words(block, 4)?, Call::both(block)?);
    if let Some(pairs) = pairs {
        // SAFETY: there are the words, and all outputs of the pixels.
        unsafe { pairs.x4(columns, output.as_mut_ptr(), stride) };
    }
    if let Some(last) = last {
        // SAFETY: there are the words.
        let values = unsafe { last.last_x4(columns) };
        for (pixel, value) in values.into_iter().enumerate() {
            *output.get_mut(pixel * stride + block.outputs - 1)? = value;
        }
    }
    if block.requantize.narrow() {
        for pixel in 0..4 {
            let values = output.get_mut(pixel * stride..)?;
            block.requantize.clamp(values.get_mut(..block.outputs)?);
        }
    }
    Some(())
}

pub(crate) fn pooled(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let output = output.get_mut(..block.outputs)?;
    let (columns, [pairs, last]) = (words(block, 4)?, Call::both(block)?);
    if let Some(pairs) = pairs {
        // SAFETY: there are the words, and two outputs for each pair.
        unsafe { pairs.with(store_max, columns, output.as_mut_ptr(), 0) };
    }
    if let Some(last) = last {
        let mut pair = [0; 2];
        // SAFETY: there are the words, and two outputs.
        unsafe { last.with(store_max, columns, pair.as_mut_ptr(), 0) };
        *output.last_mut()? = pair[0];
    }
    if block.requantize.narrow() {
        block.requantize.clamp(output);
    }
    Some(())
}

pub(crate) fn one(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let output = output.get_mut(..block.outputs)?;
    let (column, [pairs, last]) = (words(block, 1)?, Call::both(block)?);
    if let Some(pairs) = pairs {
        // SAFETY: there are the words, and two outputs for each pair.
        unsafe { pairs.one(column, output.as_mut_ptr()) };
    }
    if let Some(last) = last {
        let mut pair = [0; 2];
        // SAFETY: there are the words, and two outputs.
        unsafe { last.one(column, pair.as_mut_ptr()) };
        *output.last_mut()? = pair[0];
    }
    if block.requantize.narrow() {
        block.requantize.clamp(output);
    }
    Some(())
}

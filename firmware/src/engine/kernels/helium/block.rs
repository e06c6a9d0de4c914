//! Pairs of rows times four columns, the loop that takes most of the time.
//!
//! One step multiplies sixteen taps of two rows with four columns, 128 products in 14 instructions:
//!
//! | registers | content |
//! |---|---|
//! | r1, r3 | next taps of the columns, next weights |
//! | q0, q1 | sixteen taps of the first and of the second row |
//! | q2, q3 | sixteen taps of a column |
//! | r0, r2, r4, r6, then r8, r10, r12, lr | sums of the first row and of the second, by column |
//!
//! Four channels, those of two pairs, are requantised together. Rows of at most sixteen taps have a
//! loop of their own, which keeps three of the columns.

mod call;
mod loops;
mod one;
mod row;

use super::super::{Block, Pixels};
use super::columns as arrange;
use super::lanes::LANES;
use call::Call;
use loops::{long, short};

pub(super) use one::one;
pub(super) use row::sums;

/// Steps that stand in a row.
const UNROLLED: usize = 8;
/// Bytes of a step.
const STEP: usize = 56;

/// Stores the outputs of all whole fours of channels.
pub(super) fn gemm_x4(block: &Block<'_>, output: &mut [i8], stride: usize) -> Option<()> {
    let kernel = match (block.row_len <= LANES, block.row_len % LANES) {
        (true, _) => short::<0>,
        (_, 0) => long::<0, 0>,
        _ => long::<1, 0>,
    };
    let columns = columns_of(block)?.as_ptr();
    call(block, columns, output, stride, 3 * stride, |call| {
        // SAFETY: as `call` says.
        unsafe { kernel(call) }
    })
}

/// Like [`gemm_x4`] for a multiple of four pixels, which are the columns.
pub(super) fn pointwise(
    block: &Block<'_>,
    pixels: &Pixels<'_>,
    output: &mut [i8],
    stride: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let Some(last) = pixels.count.checked_sub(1) else {
        return Some(());
    };
    let step = pixels.step;
    let input = pixels.input.get(..last * step + block.row_len)?;
    let columns = bytemuck::cast_slice_mut::<_, i8>(scratch);
    let columns = columns.get_mut(..columns_len(block.row_len))?.as_mut_ptr();
    let kernel = match (block.row_len <= LANES, block.row_len % LANES) {
        (true, _) => short::<0>,
        (_, 0) => long::<0, 0>,
        _ => long::<1, 0>,
    };
    call(block, columns, output, stride, last * stride, |call| {
        for first in (0..pixels.count).step_by(4) {
            let pixel = input.as_ptr().wrapping_add(first * step);
            // SAFETY: four more pixels are there, and the places of four columns; for the loop as
            // `call` says.
            unsafe {
                arrange::pixels(pixel, columns, block.row_len, step);
                kernel(call);
            }
            call.output = call.output.wrapping_add(4 * stride);
        }
    })
}

/// Like [`gemm_x4`], the greatest of the four columns alone.
pub(super) fn pooled(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let kernel = match (block.row_len <= LANES, block.row_len % LANES) {
        (true, _) => short::<1>,
        (_, 0) => long::<0, 1>,
        _ => long::<1, 1>,
    };
    let columns = columns_of(block)?.as_ptr();
    call(block, columns, output, 0, 0, |call| {
        // SAFETY: as `call` says.
        unsafe { kernel(call) }
    })
}

/// Bytes of four columns.
const fn columns_len(row_len: usize) -> usize {
    4 * LANES * row_len.div_ceil(LANES)
}

fn columns_of<'a>(block: &Block<'a>) -> Option<&'a [i8]> {
    bytemuck::cast_slice(block.columns).get(..columns_len(block.row_len))
}

/// Prepares the work on the columns of a block. A loop may be called with it, whose slices have the
/// lengths and alignments that are read and written: the whole steps of each pair of rows, what is
/// beyond them only where another pair follows; all steps of four columns; the channels; four outputs
/// a quad at each of four pixels, the last of which starts at most at `last_pixel`.
#[inline(always)]
fn call(
    block: &Block<'_>,
    columns: *const i8,
    output: &mut [i8],
    stride: usize,
    last_pixel: usize,
    run: impl FnOnce(&mut Call),
) -> Option<()> {
    let quads = block.outputs / 4;
    if quads == 0 || block.row_len == 0 {
        return Some(());
    }
    let (pair, rest) = (2 * block.row_len, block.row_len % LANES);
    let (whole, steps) = (block.row_len / LANES, block.row_len.div_ceil(LANES));
    // The kernel reads words.
    let rows: &[u32] = bytemuck::try_cast_slice(block.rows).ok()?;
    let rows = rows.get(..quads * block.row_len)?;
    let channels = block.channels.get(..4 * quads)?;
    let output = output.get_mut(..last_pixel + 4 * quads)?;
    // Words of the last taps of two rows.
    let mut copied = [0; LANES / 2];
    let mut last = rows.as_ptr_range().end.wrapping_sub(copied.len());
    if rest > 0 {
        let taps = rows.get(rows.len().checked_sub(rest / 2)?..)?;
        for (to, &from) in copied.iter_mut().zip(taps) {
            *to = from;
        }
        last = copied.as_ptr();
    }
    // One whole step stands by itself.
    let entry = match whole.saturating_sub(1) {
        0 => UNROLLED * STEP,
        more => more.wrapping_neg() % UNROLLED * STEP,
    };
    let mut call = Call {
        channels: channels.as_ptr(),
        output: output.as_mut_ptr(),
        stride,
        quads,
        pre_shift: block.requantize.pre_shift,
        zero_point: block.requantize.zero_point,
        min: block.requantize.min.into(),
        max: block.requantize.max.into(),
        last: last.cast(),
        columns,
        rows: rows.as_ptr().cast(),
        start: columns,
        beyond: match block.row_len {
            ..=LANES => pair,
            _ => 2 * (LANES * steps - block.row_len),
        },
        entry,
        end: columns.wrapping_add(4 * LANES * whole),
    };
    run(&mut call);
    Some(())
}

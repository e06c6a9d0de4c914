//! Pixels that are the columns of a convolution as they lie, four by four.

use super::call::Call;
use super::columns::widen_words_x4;
use crate::engine::kernels::{Block, Pixels};
use crate::image::COLUMNS;

pub(crate) fn pointwise(
    block: &Block<'_>,
    pixels: &Pixels<'_>,
    output: &mut [i8],
    stride: usize,
    scratch: &mut [i16],
) -> Option<usize> {
    let (taps, step, outputs) = (pixels.taps, pixels.step, block.outputs);
    let whole = pixels.count / COLUMNS * COLUMNS;
    if whole == 0 || outputs == 0 || taps.next_multiple_of(2) != block.row_len {
        return Some(0);
    }
    let [pairs, last] = Call::both(block)?;
    let columns: &mut [u32] = bytemuck::try_cast_slice_mut(scratch).ok()?;
    let columns = columns.get_mut(..COLUMNS * block.row_len / 2)?.as_mut_ptr();
    let input = pixels.input.get(..(whole - 1) * step + taps)?;
    let to = output.get_mut(..(whole - 1) * stride + outputs)?;
    let (mut from, mut to) = (input.as_ptr(), to.as_mut_ptr());
    let by_words = taps / 4 * 4;
    for _ in 0..whole / COLUMNS {
        let four = [0, 1, 2, 3].map(|pixel| from.wrapping_add(pixel * step));
        // SAFETY: there are the values of the four pixels and words for them, and their outputs.
        unsafe {
            if by_words > 0 {
                let [a, b, c, d] = four;
                widen_words_x4(a, b, c, d, columns, by_words);
            }
            if by_words < taps {
                widen_rest(four, by_words, taps, columns);
            }
            if let Some(pairs) = &pairs {
                pairs.x4(columns, to, stride);
            }
            if let Some(last) = &last {
                let values = last.last_x4(columns);
                for (pixel, value) in values.into_iter().enumerate() {
                    *to.wrapping_add(pixel * stride + outputs - 1) = value;
                }
            }
        }
        from = from.wrapping_add(COLUMNS * step);
        to = to.wrapping_add(COLUMNS * stride);
    }
    if block.requantize.narrow() {
        for pixel in output.chunks_mut(stride.max(1)).take(whole) {
            block.requantize.clamp(pixel.iter_mut().take(outputs));
        }
    }
    Some(whole)
}

/// Widens the values from `first` on, a multiple of four, up to `taps`, two a word.
///
/// # Safety
/// There are the values, and the words of the columns.
#[inline(always)]
unsafe fn widen_rest(runs: [*const i8; COLUMNS], first: usize, taps: usize, columns: *mut u32) {
    for tap in (first..taps).step_by(2) {
        for (column, run) in runs.iter().enumerate() {
            // SAFETY: as the caller says; what is behind an odd last value has no weight.
            unsafe {
                let low = i16::from(*run.wrapping_add(tap)) as u16;
                let high = match tap + 1 < taps {
                    true => i16::from(*run.wrapping_add(tap + 1)) as u16,
                    false => 0,
                };
                *columns.wrapping_add(tap / 2 * COLUMNS + column) =
                    u32::from(low) | u32::from(high) << 16;
            }
        }
    }
}

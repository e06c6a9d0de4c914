//! Pixels that are the columns of a convolution as they lie, four by four.

use super::block::Call;
use super::columns::widen_words_x4;
use crate::engine::kernels::{Block, Pixels, others};
use crate::image::COLUMNS;

pub(crate) fn pointwise(
    block: &Block<'_>,
    pixels: &Pixels<'_>,
    output: &mut [i8],
    stride: usize,
    scratch: &mut [i16],
) -> Option<usize> {
    let (taps, step) = (pixels.taps, pixels.step);
    let whole = pixels.count / COLUMNS * COLUMNS;
    let by_words = taps == block.row_len && taps.is_multiple_of(4);
    let call = match Call::of(block)? {
        Some(call) if whole > 0 && by_words && block.outputs.is_multiple_of(2) => call,
        _ => return others::pointwise(block, pixels, output, stride, scratch),
    };
    let columns: &mut [u32] = bytemuck::try_cast_slice_mut(scratch).ok()?;
    let columns = columns.get_mut(..COLUMNS * taps / 2)?.as_mut_ptr();
    let input = pixels.input.get(..(whole - 1) * step + taps)?;
    let to = output.get_mut(..(whole - 1) * stride + block.outputs)?;
    let (mut from, mut to) = (input.as_ptr(), to.as_mut_ptr());
    for _ in 0..whole / COLUMNS {
        let [a, b, c, d] = [0, 1, 2, 3].map(|pixel| from.wrapping_add(pixel * step));
        // SAFETY: there are the values of the four pixels and words for them, and their outputs.
        unsafe {
            widen_words_x4(a, b, c, d, columns, taps);
            call.x4(columns, to, stride);
        }
        from = from.wrapping_add(COLUMNS * step);
        to = to.wrapping_add(COLUMNS * stride);
    }
    if block.requantize.narrow() {
        for pixel in output.chunks_mut(stride.max(1)).take(whole) {
            block.requantize.clamp(pixel.iter_mut().take(block.outputs));
        }
    }
    Some(whole)
}

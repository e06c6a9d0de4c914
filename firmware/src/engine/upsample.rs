//! The nearest neighbour in a larger picture: rows and columns repeated.

use super::elementwise;
use crate::image::OpRecord;

/// Repeats each column to the right and the row that comes of it downwards, held between the limits.
pub(crate) fn upsample(op: &OpRecord, input: &[i8], output: &mut [i8]) -> Option<()> {
    let channels = usize::from(op.input.channels);
    let [down, right] = op.stride.map(usize::from);
    let read = usize::from(op.input.width) * channels;
    let written = read * right;
    if written * down == 0 {
        return None;
    }
    let rows = output.chunks_exact_mut(written * down);
    for (from, to) in input.chunks_exact(read).zip(rows) {
        let (first, others) = to.split_at_mut_checked(written)?;
        let pixels = first.chunks_exact_mut(channels * right);
        for (pixel, copies) in from.chunks_exact(channels).zip(pixels) {
            for copy in copies.chunks_exact_mut(channels) {
                copy.copy_from_slice(pixel);
            }
        }
        if (op.act_min, op.act_max) != (i8::MIN, i8::MAX) {
            elementwise::clamp(op, first);
        }
        for other in others.chunks_exact_mut(written) {
            other.copy_from_slice(first);
        }
    }
    Some(())
}

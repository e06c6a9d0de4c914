//! The nearest neighbour in a larger picture: rows and columns repeated.

use super::elementwise;
use crate::image::OpRecord;

/// Repeats each column to the right and the row that comes of it downwards, held between the limits.
pub(crate) fn upsample(op: &OpRecord, input: &[i8], output: &mut [i8]) -> Option<()> {
    let channels = usize::from(op.input.channels);
    let [down, right] = op.stride.map(usize::from);
    let read = usize::from(op.input.width) * channels;
    let written = read * right;
    if channels == 0 {
        return None;
    }
    for y in 0..usize::from(op.input.height) {
        let row = input.get(y * read..)?.get(..read)?;
        let rest = output.get_mut(y * down * written..)?;
        let (first, mut rest) = rest.split_at_mut_checked(written)?;
        let mut copies = first.chunks_exact_mut(channels);
        for pixel in row.chunks_exact(channels) {
            for copy in copies.by_ref().take(right) {
                elementwise::copy(copy, pixel);
            }
        }
        elementwise::clamp(op, first);
        for _ in 1..down {
            let (other, behind) = rest.split_at_mut_checked(written)?;
            elementwise::copy(other, first);
            rest = behind;
        }
    }
    Some(())
}

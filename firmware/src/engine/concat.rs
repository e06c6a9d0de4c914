//! Channels of two tensors beside each other.

use super::elementwise;
use crate::image::OpRecord;

/// Writes the channels of each pixel of `part` into the output from channel `first` on, held between the
/// limits.
pub(crate) fn put(op: &OpRecord, part: &[i8], first: usize, output: &mut [i8]) -> Option<()> {
    let written = usize::from(op.output.channels);
    let pixels = usize::from(op.output.height) * usize::from(op.output.width);
    if written == 0 || pixels == 0 {
        return None;
    }
    let read = part.len() / pixels;
    if read == 0 {
        return None;
    }
    for (from, to) in part
        .chunks_exact(read)
        .zip(output.chunks_exact_mut(written))
    {
        let to = to.get_mut(first..)?.get_mut(..read)?;
        to.copy_from_slice(from);
        elementwise::clamp(op, to);
    }
    Some(())
}

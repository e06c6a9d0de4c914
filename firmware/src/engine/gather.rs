//! Channels of a tensor in another order, some of them or some twice.

use super::elementwise;
use crate::image::OpRecord;

/// Copies for each channel of the output the one of the input that `numbers` names, 16 bits each, held
/// between the limits.
pub(crate) fn gather(op: &OpRecord, numbers: &[i8], input: &[i8], output: &mut [i8]) -> Option<()> {
    let (read, written) = (
        usize::from(op.input.channels),
        usize::from(op.output.channels),
    );
    if read == 0 || written == 0 {
        return None;
    }
    let (numbers, _) = numbers.as_chunks::<2>();
    let pixels = input.chunks_exact(read);
    for (from, to) in pixels.zip(output.chunks_exact_mut(written)) {
        for (to, number) in to.iter_mut().zip(numbers) {
            let number = u16::from_le_bytes(number.map(|byte| byte as u8));
            *to = *from.get(usize::from(number))?;
        }
    }
    elementwise::clamp(op, output);
    Some(())
}

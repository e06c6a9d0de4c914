//! Rows of int8 pixels to int16 planes.

use core::mem::replace;
use core::ops::Range;

use super::super::super::Ring;

/// Two values a word.
#[inline(never)]
pub(crate) fn fill(planes: &mut [i16], ring: &Ring, range: Range<usize>, value: i8) -> Option<()> {
    let value = i16::from(value);
    let word = u32::from(value as u16) * 0x1_0001;
    if ring.plane == 0 {
        return None;
    }
    for plane in planes.chunks_exact_mut(ring.plane) {
        let values = plane.get_mut(range.clone())?;
        match bytemuck::try_cast_slice_mut::<_, u32>(values) {
            Ok(words) => words.fill(word),
            Err(_) => values.fill(value),
        }
    }
    Some(())
}

#[inline(never)]
pub(crate) fn spread(input: &[i8], step: usize, planes: &mut [i16], ring: &Ring) -> Option<()> {
    for (channel, plane) in planes.chunks_exact_mut(ring.plane.max(1)).enumerate() {
        let mut input = input.get(channel..)?.iter().step_by(step.max(1));
        let mut ring = *ring;
        let rows = replace(&mut ring.rows, 1);
        for _ in 0..rows {
            let values = plane.get_mut(ring.row + ring.left..)?;
            for (value, &input) in values.get_mut(..ring.width)?.iter_mut().zip(&mut input) {
                *value = input.into();
            }
            ring.advance();
        }
    }
    Some(())
}

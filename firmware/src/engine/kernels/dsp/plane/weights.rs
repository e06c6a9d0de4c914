//! The weights of 3 x 3, 5 x 5 and 7 x 7 filters in pairs, for two products an instruction.
//!
//! Each filter has bias and multiplier, then for each row `a b c ...` of its window the pairs
//! `a b`, `b c` and so on. In steps of two every other pair is left out, the last one never.

use super::super::super::Filters;
use super::super::instructions::{sxtb16, sxtb16_ror8};
use crate::image::PLANES;

/// Words before the pairs of weights.
pub(super) const HEAD: usize = 2;

/// Words of pairs of a filter, 0 for one that has no kernel.
pub(super) const fn pairs(side: usize, stride: usize) -> usize {
    match (side, stride) {
        (3 | 5 | 7, 1) => side * (side - 1),
        (3 | 5 | 7, 2) => side * side.div_ceil(2),
        _ => 0,
    }
}

/// Words that [`pack`] needs.
pub(crate) const fn packed_len(side: usize) -> usize {
    match pairs(side, 1) {
        0 => 0,
        pairs => PLANES * (HEAD + pairs),
    }
}

/// Arranges the weights of `filters` for their kernel, where they have one.
pub(crate) fn pack(filters: &Filters<'_>, packed: &mut [u32]) -> Option<()> {
    let ([side, width], stride, step) = (filters.kernel, filters.stride, filters.step);
    let pairs = pairs(side, stride);
    if side != width || pairs == 0 {
        return Some(());
    }
    let count = filters.channels.len();
    let packed = packed.get_mut(..(HEAD + pairs) * count)?;
    let mut records = packed.chunks_exact_mut(HEAD + pairs);
    let mut next = |i: usize| {
        let channel = filters.channels.get(i)?;
        let (head, pairs) = records.next()?.split_first_chunk_mut::<HEAD>()?;
        *head = [channel.bias as u32, channel.multiplier as u32];
        Some(pairs)
    };
    // The last weight of each filter lies in the slice.
    let weights = filters
        .weights
        .get(..(side * side - 1) * step + count)?
        .as_ptr();
    if count == PLANES {
        let [a, b, c, d] = [next(0)?, next(1)?, next(2)?, next(3)?];
        let mut places = a.iter_mut().zip(b).zip(c).zip(d);
        // SAFETY: the word of a tap ends at most where the slice does.
        let read = |tap: usize| unsafe {
            let word = weights.add(tap * step).cast::<u32>().read_unaligned();
            // Channels 0 and 2, then 1 and 3.
            (sxtb16(word), sxtb16_ror8(word))
        };
        each_pair(side, stride, read, |(even, odd), (next_even, next_odd)| {
            let (((a, b), c), d) = places.next()?;
            *a = even & 0xffff | next_even << 16;
            *b = odd & 0xffff | next_odd << 16;
            *c = even >> 16 | next_even & !0xffff;
            *d = odd >> 16 | next_odd & !0xffff;
            Some(())
        })?;
        return Some(());
    }
    for i in 0..count {
        let mut places = next(i)?.iter_mut();
        // SAFETY: each tap of each filter lies in the slice.
        let read = |tap: usize| unsafe { i16::from(*weights.add(tap * step + i)) as u16 };
        each_pair(side, stride, read, |weight, next| {
            *places.next()? = u32::from(weight) | u32::from(next) << 16;
            Some(())
        })?;
    }
    Some(())
}

/// Calls `write` with the taps of each pair.
#[inline(always)]
fn each_pair<T: Copy>(
    side: usize,
    stride: usize,
    read: impl Fn(usize) -> T,
    mut write: impl FnMut(T, T) -> Option<()>,
) -> Option<()> {
    for row in 0..side {
        let first = row * side;
        let mut last = read(first);
        for column in 1..side {
            let next = read(first + column);
            if stride == 1 || column % 2 == 1 || column + 1 == side {
                write(last, next)?;
            }
            last = next;
        }
    }
    Some(())
}

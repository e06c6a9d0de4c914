//! The weights of 3 x 3, 5 x 5 and 7 x 7 filters in pairs, for two products an instruction.
//!
//! What the sums would be shifted by, the weights are. Each filter has bias and multiplier, then for each row `a b c ...` of its window the pairs
//! `a b`, `b c` and so on. In steps of two every other pair is left out, the last one never.

use super::super::super::Filters;
use super::super::instructions::{sxtb16, sxtb16_ror8};
use crate::image::{Channel, PLANES};

/// Most that sums are shifted by where weights and biases are shifted instead, which gives the same:
/// weights stay in range.
pub(super) const MAX_SHIFT: u32 = 8;

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

/// Words of a filter.
pub(super) const fn words(side: usize, stride: usize) -> usize {
    HEAD + pairs(side, stride)
}

/// Words that [`pack`] needs at most.
pub(crate) const fn packed_len(side: usize) -> usize {
    match pairs(side, 1) {
        0 => 0,
        _ => PLANES * words(side, 1),
    }
}

/// Arranges the weights of `filters`, which are square and have a kernel.
#[inline(never)]
pub(super) fn pack<'a>(filters: &Filters<'_>, packed: &'a mut [u32]) -> Option<&'a [u32]> {
    let side = filters.kernel[0];
    let words = words(side, filters.stride);
    let packed = packed.get_mut(..words * filters.channels.len())?;
    for (i, packed) in packed.chunks_exact_mut(words).enumerate() {
        let mut places = packed.iter_mut().skip(HEAD);
        for row in 0..side {
            for column in columns(side, filters.stride) {
                let tap = filters
                    .weights
                    .get((row * side + column) * filters.step + i..)?;
                let pair = [*tap.first()?, *tap.get(filters.step)?];
                let [a, b] = pair.map(|weight| u32::from(i16::from(weight) as u16));
                *places.next()? = a | b << 16;
            }
        }
    }
    finish(
        packed,
        words,
        filters.channels,
        filters.requantize.pre_shift,
    )?;
    Some(packed)
}

/// Writes bias and multiplier before the weights of each channel, and shifts what is to be shifted.
#[inline(always)]
pub(super) fn finish(
    packed: &mut [u32],
    words: usize,
    channels: &[Channel],
    shift: u32,
) -> Option<()> {
    let shift = shift.min(MAX_SHIFT);
    for (packed, channel) in packed.chunks_exact_mut(words.max(1)).zip(channels) {
        let (head, pairs) = packed.split_first_chunk_mut::<HEAD>()?;
        *head = [(channel.bias as u32) << shift, channel.multiplier as u32];
        if shift > 0 {
            for pair in pairs {
                *pair = (*pair & !0xffff) << shift | (*pair << shift) & 0xffff;
            }
        }
    }
    Some(())
}

/// The first column of each pair of weights.
fn columns(side: usize, stride: usize) -> impl Iterator<Item = usize> {
    (0..side - 1).filter(move |&column| stride == 1 || column % 2 == 0 || column + 2 == side)
}

/// What writes the pairs of four filters, whose weights are read together: from the first of them,
/// `step` from tap to tap.
pub(super) fn pack_fours(side: usize, stride: usize) -> unsafe fn(*const i8, usize, *mut u32) {
    match (side, stride) {
        (3, _) => pack_x4::<3, 1>,
        (5, 1) => pack_x4::<5, 1>,
        (5, _) => pack_x4::<5, 2>,
        (7, 1) => pack_x4::<7, 1>,
        (_, _) => pack_x4::<7, 2>,
    }
}

unsafe fn pack_x4<const SIDE: usize, const STRIDE: usize>(
    weights: *const i8,
    step: usize,
    packed: *mut u32,
) {
    let words = const { words(SIDE, STRIDE) };
    let (mut from, mut to) = (weights, packed.wrapping_add(HEAD));
    for _ in 0..SIDE {
        // SAFETY: as the caller says.
        let read = |column: usize| unsafe {
            let word = from
                .wrapping_add(column * step)
                .cast::<u32>()
                .read_unaligned();
            // Channels 0 and 2, then 1 and 3.
            (sxtb16(word), sxtb16_ror8(word))
        };
        let (mut even, mut odd) = read(0);
        for column in 1..SIDE {
            let (next_even, next_odd) = read(column);
            if STRIDE == 1 || column % 2 == 1 || column + 1 == SIDE {
                // SAFETY: as the caller says.
                unsafe {
                    *to = even & 0xffff | next_even << 16;
                    *to.wrapping_add(words) = odd & 0xffff | next_odd << 16;
                    *to.wrapping_add(2 * words) = even >> 16 | next_even & !0xffff;
                    *to.wrapping_add(3 * words) = odd >> 16 | next_odd & !0xffff;
                }
                to = to.wrapping_add(1);
            }
            (even, odd) = (next_even, next_odd);
        }
        from = from.wrapping_add(SIDE * step);
    }
}

//! The inner loops for Cortex-M with DSP: two products of int16 an instruction.
//!
//! Four columns take turns by words: the words of two taps each of columns 0 to 3, then the next
//! two taps. One column simply lies there.

mod block;
mod call;
mod columns;
mod instructions;
mod plane;
mod pointwise;
mod single;

use super::LANES;
#[cfg(not(helium))]
use super::{Filters, Ring, Rows, WIDE};
#[cfg(not(helium))]
use crate::engine::place::Place;
use crate::image::packing::tap_slot;
#[cfg(not(helium))]
use instructions::{greater_bytes, smlad, sxtb16, sxtb16_ror8};
use instructions::{sxtab16, sxtab16_ror8};

pub(crate) use call::{gemm_x4, one, pooled};
#[cfg(not(helium))]
pub(crate) use columns::copy;
pub(crate) use columns::deal_nine;
pub(crate) use plane::{Filter, fill, fours, packed_len, spread};
pub(crate) use pointwise::pointwise;

/// Position of a slot of a column among `N`.
#[inline(always)]
fn position<const N: usize>(slot: usize, column: usize) -> usize {
    (slot / 2 * N + column) * 2 + slot % 2
}

pub(crate) fn widen<const N: usize>(
    runs: [&[i8]; N],
    first: usize,
    taps: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let mut done = 0;
    if first.is_multiple_of(4) {
        let to = scratch.get_mut(first * N..)?;
        done = match <[&[i8]; 4]>::try_from(&runs[..]) {
            Ok(four) => columns::widen_x4(four, to)?,
            Err(_) => columns::widen_one(runs[0], to)?,
        };
    }
    for (column, values) in runs.iter().enumerate() {
        for (tap, &value) in (first + done..).zip(values.get(done..)?) {
            *scratch.get_mut(position::<N>(tap_slot(taps, tap), column))? = value.into();
        }
    }
    Some(())
}

pub(crate) fn deal<const N: usize>(
    values: &[i16],
    column: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let (fours, rest) = values.as_chunks::<4>();
    let (to, last) = scratch.split_at_mut_checked(fours.len() * 4 * N)?;
    for (to, &[a, b, c, d]) in to.chunks_exact_mut(4 * N).zip(fours) {
        // One check for both pairs.
        let to = to.get_mut(column * 2..column * 2 + 2 * N + 2)?;
        [to[0], to[1]] = [a, c];
        [to[2 * N], to[2 * N + 1]] = [b, d];
    }
    for (slot, &value) in rest.iter().enumerate() {
        *last.get_mut(position::<N>(slot, column))? = value;
    }
    Some(())
}

/// All whole fours of channels.
#[cfg(not(helium))]
pub(crate) fn many(
    filters: &Filters<'_>,
    rows: &Rows,
    place: &mut Place<'_>,
    scratch: &mut [i16],
    ring: &Ring,
    packed: &mut [u32],
) -> Option<usize> {
    fours(filters, rows, place, 0, scratch, ring, packed)
}

pub(crate) fn accumulate(acc: &mut [i32; LANES], pixels: &[i8], step: usize) {
    let last = match pixels.len().checked_rem(step) {
        None => return,
        Some(0) => step,
        Some(len) => len,
    };
    if last < LANES {
        for pixel in pixels.chunks(step) {
            for (acc, &value) in acc.iter_mut().zip(pixel) {
                *acc += i32::from(value);
            }
        }
        return;
    }
    // The sums of at most 255 pixels fit halves.
    let mut halves = [0; 4];
    for pixel in pixels.chunks(step) {
        if let Some(&[a, b, c, d, e, f, g, h]) = pixel.first_chunk::<LANES>() {
            let low = u32::from_le_bytes([a, b, c, d].map(|value| value as u8));
            let high = u32::from_le_bytes([e, f, g, h].map(|value| value as u8));
            halves[0] = sxtab16(halves[0], low);
            halves[1] = sxtab16_ror8(halves[1], low);
            halves[2] = sxtab16(halves[2], high);
            halves[3] = sxtab16_ror8(halves[3], high);
        }
    }
    for (acc, halves) in acc.chunks_exact_mut(4).zip(halves.chunks_exact(2)) {
        for (i, acc) in acc.iter_mut().enumerate() {
            *acc += i32::from((halves[i % 2] >> (i / 2 * 16)) as i16);
        }
    }
}

#[cfg(not(helium))]
pub(crate) fn maximum(best: &mut [i8], values: &[i8]) {
    let (best_words, best_rest) = best.as_chunks_mut::<4>();
    let (words, rest) = values.as_chunks::<4>();
    for (best, &word) in best_words.iter_mut().zip(words) {
        let word = u32::from_le_bytes(word.map(|value| value as u8));
        let old = u32::from_le_bytes(best.map(|value| value as u8));
        *best = greater_bytes(old, word)
            .to_le_bytes()
            .map(|byte| byte as i8);
    }
    for (best, &value) in best_rest.iter_mut().zip(rest) {
        *best = (*best).max(value);
    }
}

/// Of every four values the first and third of each vector, then the second and fourth.
#[cfg(not(helium))]
pub(crate) struct Wide<const N: usize>([[[u32; N]; 2]; WIDE / 4]);

#[cfg(not(helium))]
impl<const N: usize> Wide<N> {
    pub(crate) fn of(vectors: [&[i8]; N]) -> Self {
        let mut wide = [[[0; N]; 2]; WIDE / 4];
        for (column, vector) in vectors.iter().enumerate() {
            let (fours, _) = vector.as_chunks::<4>();
            for ([even, odd], &four) in wide.iter_mut().zip(fours) {
                let four = u32::from_le_bytes(four.map(|value| value as u8));
                even[column] = sxtb16(four);
                odd[column] = sxtb16_ror8(four);
            }
        }
        Self(wide)
    }
}

#[cfg(not(helium))]
pub(crate) fn products<const N: usize>(wide: &Wide<N>, row: &[i8]) -> [i32; N] {
    let mut sums = [0; N];
    let (fours, _) = row.as_chunks::<4>();
    for ([even, odd], &four) in wide.0.iter().zip(fours) {
        let four = u32::from_le_bytes(four.map(|value| value as u8));
        let (first, second) = (sxtb16(four), sxtb16_ror8(four));
        for ((sum, &even), &odd) in sums.iter_mut().zip(even).zip(odd) {
            *sum = smlad(odd, second, smlad(even, first, *sum));
        }
    }
    sums
}

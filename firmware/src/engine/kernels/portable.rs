//! The inner loops in plain Rust, shaped so that the compiler turns them into vector instructions.
//!
//! Columns lie one after the other.

mod plane;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::{Block, LANES, WIDE};
use crate::image::packing::tap_slot;

pub(crate) use plane::packed_len;
#[cfg_attr(armv6m, expect(unused_imports, reason = "those of `armv6m` serve"))]
pub(crate) use plane::{Filter, fill, spread};

pub(crate) fn widen<const N: usize>(
    runs: [&[i8]; N],
    first: usize,
    taps: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let columns = scratch.chunks_exact_mut(scratch.len() / N);
    for (column, values) in columns.zip(runs) {
        let (fours, mut rest) = values.as_chunks::<4>();
        let mut start = first;
        if first.is_multiple_of(4) {
            let (to, _) = column.get_mut(first..)?.as_chunks_mut::<4>();
            for (to, &[a, b, c, d]) in to.iter_mut().zip(fours) {
                *to = [a, c, b, d].map(i16::from);
            }
            start += fours.len() * 4;
        } else {
            rest = values;
        }
        for (tap, &value) in (start..).zip(rest) {
            *column.get_mut(tap_slot(taps, tap))? = value.into();
        }
    }
    Some(())
}

pub(crate) fn deal<const N: usize>(
    values: &[i16],
    column: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let column = scratch.chunks_exact_mut(scratch.len() / N).nth(column)?;
    for (tap, &value) in values.iter().enumerate() {
        *column.get_mut(tap_slot(values.len(), tap))? = value;
    }
    Some(())
}

pub(crate) fn deal_nine<const N: usize>(
    _input: &[i8],
    _pitch: usize,
    _starts: [usize; N],
    _scratch: &mut [i16],
) -> Option<()> {
    None
}

/// Products of a pair of rows with `N` columns.
#[inline(always)]
fn dot<const N: usize>(row: &[i8], columns: &[i16], row_len: usize) -> [[i32; N]; 2] {
    #[cfg(target_arch = "x86_64")]
    if let Some(products) = x86::dot(row, columns, row_len) {
        return products;
    }
    plain(row, columns, row_len)
}

/// The same on any processor.
#[inline(always)]
fn plain<const N: usize>(row: &[i8], columns: &[i16], row_len: usize) -> [[i32; N]; 2] {
    let mut acc = [[0i32; N]; 2];
    let (row, _) = row.as_chunks::<2>();
    let row = &row[..row_len];
    let columns: [&[i16]; N] = core::array::from_fn(|p| &columns[p * row_len..][..row_len]);
    for k in 0..row_len {
        let [a, b] = row[k].map(i32::from);
        for p in 0..N {
            let value = i32::from(columns[p][k]);
            acc[0][p] = acc[0][p].wrapping_add(a * value);
            acc[1][p] = acc[1][p].wrapping_add(b * value);
        }
    }
    acc
}

/// Calls `store` with the channel and the `N` sums, bias included, of every output channel.
#[inline(always)]
fn each<const N: usize>(block: &Block<'_>, mut store: impl FnMut(usize, [i32; N])) {
    let rows = block.rows.chunks_exact(block.row_len * 2);
    let (channels, _) = block.channels.as_chunks::<2>();
    for (pair, (row, channels)) in rows.zip(channels).enumerate() {
        let acc = dot::<N>(row, block.columns, block.row_len);
        for (i, acc) in acc.into_iter().enumerate() {
            if pair * 2 + i < block.outputs {
                store(
                    pair * 2 + i,
                    acc.map(|sum| sum.wrapping_add(channels[i].bias)),
                );
            }
        }
    }
}

pub(crate) fn gemm_x4(block: &Block<'_>, output: &mut [i8], stride: usize) -> Option<()> {
    let output = &mut output[..3 * stride + block.outputs];
    each::<4>(block, |channel, sums| {
        for (p, sum) in sums.into_iter().enumerate() {
            let multiplier = block.channels[channel].multiplier;
            output[p * stride + channel] = block.requantize.apply(sum, multiplier);
        }
    });
    Some(())
}

pub(crate) fn pooled(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let output = &mut output[..block.outputs];
    each::<4>(block, |channel, [a, b, c, d]| {
        let multiplier = block.channels[channel].multiplier;
        output[channel] = block.requantize.apply(a.max(b).max(c.max(d)), multiplier);
    });
    Some(())
}

pub(crate) fn one(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let output = &mut output[..block.outputs];
    each::<1>(block, |channel, [sum]| {
        let multiplier = block.channels[channel].multiplier;
        output[channel] = block.requantize.apply(sum, multiplier);
    });
    Some(())
}

pub(crate) fn accumulate(acc: &mut [i32; LANES], pixels: &[i8], step: usize) {
    for pixel in pixels.chunks(step) {
        for (acc, &value) in acc.iter_mut().zip(pixel) {
            *acc += i32::from(value);
        }
    }
}

pub(crate) fn maximum(best: &mut [i8], values: &[i8]) {
    for (best, &value) in best.iter_mut().zip(values) {
        *best = (*best).max(value);
    }
}

/// Vectors, widened.
pub(crate) struct Wide<const N: usize>([[i16; WIDE]; N]);

impl<const N: usize> Wide<N> {
    pub(crate) fn of(vectors: [&[i8]; N]) -> Self {
        Self(vectors.map(|vector| {
            let mut wide = [0; WIDE];
            let (fours, _) = vector.as_chunks::<4>();
            for (wide, &value) in wide.iter_mut().zip(fours.as_flattened()) {
                *wide = value.into();
            }
            wide
        }))
    }
}

pub(crate) fn products<const N: usize>(wide: &Wide<N>, row: &[i8]) -> [i32; N] {
    let mut sums = [0; N];
    for (sum, vector) in sums.iter_mut().zip(&wide.0) {
        let pairs = row.iter().zip(vector);
        *sum = pairs
            .map(|(&a, &b)| i32::from(i16::from(a)) * i32::from(b))
            .sum();
    }
    sums
}

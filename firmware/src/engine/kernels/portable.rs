//! The inner loops in plain Rust, shaped so that the compiler turns them into vector instructions.
//!
//! Columns lie one after the other.

use super::{Block, Filters, LANES, Spot, WIDE};
use crate::image::{Channel, packing::tap_slot};

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

/// Products of a pair of rows with `N` columns.
#[inline(always)]
fn dot<const N: usize>(row: &[i8], columns: &[i16], row_len: usize) -> [[i32; N]; 2] {
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

pub(crate) fn four(block: &Block<'_>, output: &mut [i8], stride: usize) -> Option<()> {
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

pub(crate) fn spread(input: &[i8], step: usize, planes: &mut [i16], to: &Spot) -> Option<()> {
    for (channel, plane) in planes.chunks_exact_mut(to.plane).enumerate() {
        let mut input = input.get(channel..)?.iter().step_by(step);
        for row in 0..to.rows {
            let values = plane.get_mut(to.start + row * to.pitch..)?;
            for (value, &input) in values.get_mut(..to.width)?.iter_mut().zip(&mut input) {
                *value = input.into();
            }
        }
    }
    Some(())
}

pub(crate) fn fill(planes: &mut [i16], value: i8) {
    planes.fill(value.into());
}

/// This path reads the weights as they are.
pub(crate) const fn packed_len(_side: usize) -> usize {
    0
}

pub(crate) struct Filter<'a>(Filters<'a>);

impl<'a> Filter<'a> {
    pub(crate) fn of(filters: Filters<'a>, _packed: &'a mut [u32]) -> Option<Self> {
        Some(Self(filters))
    }

    pub(crate) fn load(&mut self, weights: &'a [i8], channels: &'a [Channel]) -> Option<()> {
        (self.0.weights, self.0.channels) = (weights, channels);
        Some(())
    }

    pub(crate) fn row(&mut self, planes: &[i16], first: usize, output: &mut [i8]) -> Option<()> {
        let filters = &self.0;
        let planes = planes.chunks_exact(filters.plane());
        for (i, (channel, plane)) in filters.channels.iter().zip(planes).enumerate() {
            let weights = filters.weights.get(i..)?;
            for start in (0..filters.outputs).step_by(LANES) {
                let lanes = LANES.min(filters.outputs - start);
                let acc = lanes_of(filters, weights, plane, first, channel.bias, start, lanes)?;
                let output = output.get_mut(start * filters.step + i..)?;
                let output = output.iter_mut().step_by(filters.step);
                for (out, acc) in output.zip(acc).take(lanes) {
                    *out = filters.requantize.apply(acc, channel.multiplier);
                }
            }
        }
        Some(())
    }
}

/// Sums of outputs `start..start + lanes` of one channel.
#[inline(always)]
fn lanes_of(
    filters: &Filters<'_>,
    weights: &[i8],
    plane: &[i16],
    first: usize,
    bias: i32,
    start: usize,
    lanes: usize,
) -> Option<[i32; LANES]> {
    let [height, width] = filters.kernel;
    let mut acc = [bias; LANES];
    for ky in 0..height {
        let slot = (first + ky) % height;
        let row = plane.get(slot * filters.pitch..)?.get(..filters.pitch)?;
        for kx in 0..width {
            let weight = i32::from(*weights.get((ky * width + kx) * filters.step)?);
            let values = row.get(start * filters.stride + kx..)?;
            let values = values.iter().step_by(filters.stride);
            for (acc, &value) in acc.iter_mut().take(lanes).zip(values) {
                *acc = acc.wrapping_add(weight * i32::from(value));
            }
        }
    }
    Some(acc)
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

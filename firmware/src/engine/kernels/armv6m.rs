//! The inner loops for cores with a multiplier of 32 bits and no DSP instructions: Cortex-M0, M0+ and M1.
//!
//! They have eight registers that arithmetic takes, so that a row of weights passes over four columns with
//! four sums, a weight, a value and two pointers. The four columns take turns in scratch, tap by tap, so
//! that one pointer goes through them. What is not here is as in the portable path.

use core::ops::Range;

#[cfg(armv6m)]
pub(crate) use super::portable::{Wide, accumulate, deal_nine, maximum, packed_len, products};
use super::{Block, Filters, Ring};
use crate::image::Channel;
use crate::image::packing::tap_slot;

#[cfg(target_arch = "arm")]
mod assembly;

/// Outputs that a filter computes together.
const TOGETHER: usize = 4;

pub(crate) fn widen<const N: usize>(
    runs: [&[i8]; N],
    first: usize,
    taps: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let (scratch, _) = scratch.as_chunks_mut::<N>();
    for (column, values) in runs.into_iter().enumerate() {
        let (fours, mut rest) = values.as_chunks::<4>();
        let mut start = first;
        if first.is_multiple_of(4) {
            let (to, _) = scratch.get_mut(first..)?.as_chunks_mut::<4>();
            for (to, &[a, b, c, d]) in to.iter_mut().zip(fours) {
                for (to, value) in to.iter_mut().zip([a, c, b, d]) {
                    to[column] = value.into();
                }
            }
            start += fours.len() * 4;
        } else {
            rest = values;
        }
        for (tap, &value) in (start..).zip(rest) {
            scratch.get_mut(tap_slot(taps, tap))?[column] = value.into();
        }
    }
    Some(())
}

pub(crate) fn deal<const N: usize>(
    values: &[i16],
    column: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let (scratch, _) = scratch.as_chunks_mut::<N>();
    for (tap, &value) in values.iter().enumerate() {
        *scratch
            .get_mut(tap_slot(values.len(), tap))?
            .get_mut(column)? = value;
    }
    Some(())
}

/// Products of one row of each pair, the first or the second, with `N` columns.
#[inline(never)]
fn dot<const N: usize, const ROW: usize>(pair: &[[i8; 2]], columns: &[[i16; N]]) -> [i32; N] {
    #[cfg(target_arch = "arm")]
    if let Some(sums) = assembly::dot::<N, ROW>(pair, columns) {
        return sums;
    }
    let mut acc = [0_i32; N];
    for (weights, values) in pair.iter().zip(columns) {
        let weight = i32::from(weights[ROW]);
        for (acc, &value) in acc.iter_mut().zip(values) {
            *acc = acc.wrapping_add(weight * i32::from(value));
        }
    }
    acc
}

/// Calls `store` with the channel and the `N` sums, bias included, of every output channel.
#[inline(always)]
fn each<const N: usize>(block: &Block<'_>, mut store: impl FnMut(usize, [i32; N])) -> Option<()> {
    let (columns, _) = block.columns.as_chunks::<N>();
    let columns = columns.get(..block.row_len)?;
    let rows = block.rows.chunks_exact(block.row_len * 2);
    let (channels, _) = block.channels.as_chunks::<2>();
    for (pair, (rows, channels)) in rows.zip(channels).enumerate() {
        let (rows, _) = rows.as_chunks::<2>();
        let sums = dot::<N, 0>(rows, columns);
        store(pair * 2, sums.map(|sum| sum.wrapping_add(channels[0].bias)));
        if pair * 2 + 1 < block.outputs {
            let sums = dot::<N, 1>(rows, columns);
            store(
                pair * 2 + 1,
                sums.map(|sum| sum.wrapping_add(channels[1].bias)),
            );
        }
    }
    Some(())
}

pub(crate) fn gemm_x4(block: &Block<'_>, output: &mut [i8], stride: usize) -> Option<()> {
    let output = output.get_mut(..3 * stride + block.outputs)?;
    each::<4>(block, |channel, sums| {
        let multiplier = block.channels[channel].multiplier;
        let mut at = channel;
        for sum in sums {
            output[at] = block.requantize.apply(sum, multiplier);
            at += stride;
        }
    })
}

pub(crate) fn pooled(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let output = output.get_mut(..block.outputs)?;
    each::<4>(block, |channel, [a, b, c, d]| {
        let multiplier = block.channels[channel].multiplier;
        output[channel] = block.requantize.apply(a.max(b).max(c.max(d)), multiplier);
    })
}

pub(crate) fn one(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let output = output.get_mut(..block.outputs)?;
    each::<1>(block, |channel, [sum]| {
        let multiplier = block.channels[channel].multiplier;
        output[channel] = block.requantize.apply(sum, multiplier);
    })
}

pub(crate) fn fill(planes: &mut [i16], ring: &Ring, range: Range<usize>, value: i8) -> Option<()> {
    for plane in planes.chunks_exact_mut(ring.plane.max(1)) {
        plane.get_mut(range.clone())?.fill(value.into());
    }
    Some(())
}

pub(crate) fn spread(input: &[i8], step: usize, planes: &mut [i16], ring: &Ring) -> Option<()> {
    for (channel, plane) in planes.chunks_exact_mut(ring.plane.max(1)).enumerate() {
        let mut input = input.get(channel..)?.iter().step_by(step.max(1));
        let mut ring = *ring;
        let rows = core::mem::replace(&mut ring.rows, 1);
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
        match self.0.stride {
            1 => row_by::<1>(&self.0, planes, first, output),
            2 => row_by::<2>(&self.0, planes, first, output),
            _ => row_by::<ANY>(&self.0, planes, first, output),
        }
    }
}

/// A step to the right that is not known before.
const ANY: usize = 0;

/// [`Filter::row`] with a step to the right of `STRIDE`.
fn row_by<const STRIDE: usize>(
    filters: &Filters<'_>,
    planes: &[i16],
    first: usize,
    output: &mut [i8],
) -> Option<()> {
    let [height, width] = filters.kernel;
    let outputs = filters.outputs;
    let stride = if STRIDE == ANY {
        filters.stride.max(1)
    } else {
        STRIDE
    };
    let planes = planes.chunks_exact(filters.plane().max(1));
    for (i, (channel, plane)) in filters.channels.iter().zip(planes).enumerate() {
        let (mut start, mut at) = (0, i);
        while start < outputs {
            let mut acc = [channel.bias; TOGETHER];
            let mut tap = i;
            let mut slot = first;
            for _ in 0..height {
                let row = plane.get(slot * filters.pitch..)?.get(..filters.pitch)?;
                let row = row.get(start * stride..)?;
                let mut values = row;
                for _ in 0..width {
                    let weight = i32::from(*filters.weights.get(tap)?);
                    add::<STRIDE>(&mut acc, weight, values, stride);
                    values = values.get(1..)?;
                    tap += filters.step;
                }
                slot = if slot + 1 == height { 0 } else { slot + 1 };
            }
            for sum in acc.into_iter().take(outputs - start) {
                *output.get_mut(at)? = filters.requantize.apply(sum, channel.multiplier);
                at += filters.step;
            }
            start += TOGETHER;
        }
    }
    Some(())
}

/// Adds a weight times values that stand `stride` apart, which is `STRIDE` where that is known; what is past the end of a row is no output.
#[inline(always)]
fn add<const STRIDE: usize>(acc: &mut [i32; TOGETHER], weight: i32, values: &[i16], stride: usize) {
    let [a, b, c, d] = acc;
    let product = |value: i16| weight * i32::from(value);
    if STRIDE == 1
        && let Some(&[e, f, g, h]) = values.first_chunk()
    {
        *a = a.wrapping_add(product(e));
        *b = b.wrapping_add(product(f));
        *c = c.wrapping_add(product(g));
        *d = d.wrapping_add(product(h));
    } else if STRIDE == 2
        && let Some(&[e, _, f, _, g, _, h]) = values.first_chunk()
    {
        *a = a.wrapping_add(product(e));
        *b = b.wrapping_add(product(f));
        *c = c.wrapping_add(product(g));
        *d = d.wrapping_add(product(h));
    } else {
        for (acc, &value) in acc.iter_mut().zip(values.iter().step_by(stride)) {
            *acc = acc.wrapping_add(product(value));
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::super::portable;
    use super::*;
    use crate::engine::requantize::Requantize;
    use crate::image::Channel;

    const REQUANTIZE: Requantize = Requantize {
        pre_shift: 3,
        zero_point: -7,
        min: -90,
        max: 127,
    };

    /// Numbers that repeat late.
    fn numbers() -> impl FnMut() -> i8 {
        let mut state = 7_u32;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as i8
        }
    }

    fn channels(count: usize, number: &mut impl FnMut() -> i8) -> Vec<Channel> {
        let channel = |_| Channel {
            bias: i32::from(number()) * 37,
            multiplier: (i32::from(number()) + 129) << 18,
        };
        (0..count).map(channel).collect()
    }

    #[test]
    fn rows_and_columns_multiply_as_in_the_portable_path() {
        let mut number = numbers();
        for (taps, outputs) in [(2, 1), (9, 3), (27, 4), (36, 7), (64, 16)] {
            let row_len = crate::image::packing::row_len(taps);
            let rows: Vec<i8> = (0..crate::image::packing::rows_len(taps, outputs))
                .map(|_| number())
                .collect();
            let channels = channels(outputs.next_multiple_of(2), &mut number);
            let runs: [Vec<i8>; 4] = [(); 4].map(|()| (0..taps).map(|_| number()).collect());
            let runs = runs.each_ref().map(Vec::as_slice);
            let mut here = std::vec![0; 4 * row_len];
            let mut there = here.clone();
            widen(runs, 0, taps, &mut here).unwrap();
            portable::widen(runs, 0, taps, &mut there).unwrap();
            let block = |columns| Block {
                rows: &rows,
                channels: &channels,
                columns,
                row_len,
                outputs,
                requantize: REQUANTIZE,
            };
            let stride = outputs + 2;
            let mut outs = [(); 2].map(|()| std::vec![0; 4 * stride]);
            gemm_x4(&block(&here), &mut outs[0], stride).unwrap();
            portable::gemm_x4(&block(&there), &mut outs[1], stride).unwrap();
            assert_eq!(outs[0], outs[1], "{taps} taps");
            pooled(&block(&here), &mut outs[0]).unwrap();
            portable::pooled(&block(&there), &mut outs[1]).unwrap();
            assert_eq!(outs[0], outs[1], "{taps} taps, pooled");

            let values: Vec<i16> = runs[3].iter().map(|&value| value.into()).collect();
            let (mut here, mut there) = (std::vec![0; row_len], std::vec![0; row_len]);
            deal::<1>(&values, 0, &mut here).unwrap();
            portable::deal::<1>(&values, 0, &mut there).unwrap();
            one(&block(&here), &mut outs[0]).unwrap();
            portable::one(&block(&there), &mut outs[1]).unwrap();
            assert_eq!(outs[0], outs[1], "{taps} taps, one column");
        }
    }

    #[test]
    fn filters_give_what_they_do_in_the_portable_path() {
        let mut number = numbers();
        for (kernel, stride, outputs) in [
            ([3_usize, 3], 1_usize, 16_usize),
            ([3, 3], 2, 9),
            ([1, 1], 1, 3),
            ([5, 3], 1, 6),
            ([2, 4], 3, 5),
        ] {
            let [height, width] = kernel;
            let pitch = ((outputs - 1) * stride + width).next_multiple_of(2);
            let plane = pitch * height;
            let channels = channels(3, &mut number);
            let step = 5;
            let weights: Vec<i8> = (0..height * width * step).map(|_| number()).collect();
            let input: Vec<i8> = (0..3 * plane).map(|_| number()).collect();
            let ring = Ring {
                pitch,
                plane,
                width: pitch,
                row: 0,
                left: 0,
                rows: height,
            };
            let mut planes = [(); 2].map(|()| std::vec![0; 3 * plane]);
            fill(&mut planes[0], &ring, 0..plane, -3).unwrap();
            portable::fill(&mut planes[1], &ring, 0..plane, -3).unwrap();
            spread(&input, 3, &mut planes[0], &ring).unwrap();
            portable::spread(&input, 3, &mut planes[1], &ring).unwrap();
            let filters = Filters {
                weights: &weights,
                step,
                kernel,
                stride,
                outputs,
                pitch,
                channels: &channels,
                requantize: REQUANTIZE,
            };
            let mut outs = [(); 2].map(|()| std::vec![0; outputs * step]);
            let (first, [here, there]) = (height - 1, &mut outs);
            let none = Filters {
                weights: &[],
                ..filters
            };
            let mut filter = Filter::of(none, &mut []).unwrap();
            filter.load(&weights, &channels).unwrap();
            let twin = portable::Filter::of(filters, &mut []).unwrap();
            filter.row(&planes[0], first, here).unwrap();
            { twin }.row(&planes[1], first, there).unwrap();
            assert_eq!(outs[0], outs[1], "{kernel:?} by {stride}");
        }
    }
}

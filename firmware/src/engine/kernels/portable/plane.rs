//! Rows of up to four channels under their filters; the channels of a pixel lie side by side.

use core::ops::Range;

use super::super::{Filters, Ring};
use crate::image::{Channel, PLANES};

/// Outputs that are computed together.
const TOGETHER: usize = 4;

pub(crate) fn fill(planes: &mut [i16], ring: &Ring, range: Range<usize>, value: i8) -> Option<()> {
    let count = planes.len().checked_div(ring.plane)?;
    let values = planes.get_mut(range.start * count..range.end * count)?;
    values.fill(value.into());
    Some(())
}

pub(crate) fn spread(input: &[i8], step: usize, planes: &mut [i16], ring: &Ring) -> Option<()> {
    let count = planes.len().checked_div(ring.plane)?;
    let mut pixels = input.chunks(step.max(1));
    let mut ring = *ring;
    let rows = core::mem::replace(&mut ring.rows, 1);
    for _ in 0..rows {
        let start = (ring.row + ring.left) * count;
        let values = planes.get_mut(start..)?.get_mut(..ring.width * count)?;
        let pixels = pixels.by_ref().take(ring.width);
        if let (values, []) = values.as_chunks_mut::<PLANES>()
            && count == PLANES
        {
            for (values, pixel) in values.iter_mut().zip(pixels) {
                *values = pixel.first_chunk::<PLANES>()?.map(i16::from);
            }
        } else {
            for (values, pixel) in values.chunks_mut(count.max(1)).zip(pixels) {
                for (value, &input) in values.iter_mut().zip(pixel) {
                    *value = input.into();
                }
            }
        }
        ring.advance();
    }
    Some(())
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
        match self.0.channels.len() {
            1 => row::<1>(&self.0, planes, first, output),
            2 => row::<2>(&self.0, planes, first, output),
            3 => row::<3>(&self.0, planes, first, output),
            _ => row::<PLANES>(&self.0, planes, first, output),
        }
    }
}

/// A row of `N` channels.
fn row<const N: usize>(
    filters: &Filters<'_>,
    planes: &[i16],
    first: usize,
    output: &mut [i8],
) -> Option<()> {
    let (pixels, _) = planes.as_chunks::<N>();
    let mut x = 0;
    while x + TOGETHER <= filters.outputs {
        let sums = sums::<N, TOGETHER>(filters, pixels, first, x)?;
        store(filters, sums, x, output)?;
        x += TOGETHER;
    }
    for x in x..filters.outputs {
        let sums = sums::<N, 1>(filters, pixels, first, x)?;
        store(filters, sums, x, output)?;
    }
    Some(())
}

/// Sums of outputs `x..x + M`, of each those of the channels.
#[inline(always)]
fn sums<const N: usize, const M: usize>(
    filters: &Filters<'_>,
    pixels: &[[i16; N]],
    first: usize,
    x: usize,
) -> Option<[[i32; N]; M]> {
    let [height, width] = filters.kernel;
    let channels = filters.channels.first_chunk::<N>()?;
    let mut acc = [channels.map(|channel| channel.bias); M];
    let mut slot = first;
    let mut tap = 0;
    for _ in 0..height {
        let start = slot * filters.pitch + x * filters.stride;
        let row = pixels.get(start..)?;
        let row = row.get(..(M - 1) * filters.stride + width)?;
        for kx in 0..width {
            let weights = filters.weights.get(tap..)?.first_chunk::<N>()?;
            let weights = weights.map(i16::from);
            for (i, acc) in acc.iter_mut().enumerate() {
                let values = row.get(i * filters.stride + kx)?;
                for ((acc, &weight), &value) in acc.iter_mut().zip(&weights).zip(values) {
                    *acc = acc.wrapping_add(i32::from(weight) * i32::from(value));
                }
            }
            tap += filters.step;
        }
        slot = if slot + 1 == height { 0 } else { slot + 1 };
    }
    Some(acc)
}

#[inline(always)]
fn store<const N: usize, const M: usize>(
    filters: &Filters<'_>,
    sums: [[i32; N]; M],
    x: usize,
    output: &mut [i8],
) -> Option<()> {
    let channels = filters.channels.first_chunk::<N>()?;
    for (i, sums) in sums.into_iter().enumerate() {
        let pixel = output.get_mut((x + i) * filters.step..)?;
        let pixel = pixel.first_chunk_mut::<N>()?;
        for ((out, sum), channel) in pixel.iter_mut().zip(sums).zip(channels) {
            *out = filters.requantize.apply(sum, channel.multiplier);
        }
    }
    Some(())
}

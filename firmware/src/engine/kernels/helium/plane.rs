//! Rows of four channels under their filters.
//!
//! A ring of three rows lies by columns here: four bytes for the rows of each column, the last of them
//! of no use, so that sixteen bytes hold a window of 3 x 3 and the column behind it. The other windows
//! are as for cores with DSP instructions.

mod columns;
mod eight;
mod eight_loops;
mod pack;
mod spread;
mod three;

use core::ops::Range;

use super::super::{Filters, Ring, Rows, dsp};
use crate::engine::place::Place;
use crate::image::Channel;

use columns::{COLUMN, by_columns};
use eight::eights;
use pack::PACKED;
pub(crate) use spread::spread;

pub(crate) const fn packed_len(side: usize) -> usize {
    let others = dsp::packed_len(side);
    match side {
        3 if others < PACKED => PACKED,
        _ => others,
    }
}

#[inline(never)]
pub(crate) fn fill(planes: &mut [i16], ring: &Ring, range: Range<usize>, value: i8) -> Option<()> {
    if !by_columns(ring) {
        return dsp::fill(planes, ring, range, value);
    }
    let count = planes.len().checked_div(ring.plane)?;
    let bytes: &mut [i8] = bytemuck::cast_slice_mut(planes);
    let (columns, _) = bytes.as_chunks_mut::<COLUMN>();
    if range.len() == ring.plane {
        // Pixels are written in any case.
        for plane in columns
            .get_mut(..count * ring.pitch)?
            .chunks_exact_mut(ring.pitch.max(1))
        {
            plane.get_mut(..ring.left)?.fill([value; COLUMN]);
            plane
                .get_mut(ring.left + ring.width..)?
                .fill([value; COLUMN]);
        }
        return Some(());
    }
    let row = range.start.checked_div(ring.pitch)?;
    for column in columns.get_mut(..count * ring.pitch)? {
        column[row % COLUMN] = value;
    }
    Some(())
}

/// Filters and what computes a row of them.
pub(crate) enum Filter<'a> {
    /// Of three rows.
    Three {
        filters: Filters<'a>,
        packed: &'a mut [u32],
    },
    /// Of any other window.
    Other(dsp::Filter<'a>),
}

impl<'a> Filter<'a> {
    #[inline(always)]
    pub(crate) fn of(filters: Filters<'a>, packed: &'a mut [u32]) -> Option<Self> {
        Some(match filters.kernel {
            [3, _] => Self::Three { filters, packed },
            _ => Self::Other(dsp::Filter::of(filters, packed)?),
        })
    }

    #[inline(always)]
    pub(crate) fn load(&mut self, weights: &'a [i8], channels: &'a [Channel]) -> Option<()> {
        match self {
            Self::Three { filters, packed } => {
                (filters.weights, filters.channels) = (weights, channels);
                match filters.kernel {
                    [3, 3] => pack::pack(filters, packed),
                    _ => Some(()),
                }
            }
            Self::Other(filter) => filter.load(weights, channels),
        }
    }

    #[inline(always)]
    pub(crate) fn row(&mut self, planes: &[i16], first: usize, output: &mut [i8]) -> Option<()> {
        match self {
            Self::Three { filters, .. } => {
                any(filters, bytemuck::cast_slice(planes), first, output)
            }
            Self::Other(filter) => filter.row(planes, first, output),
        }
    }
}

/// Whole eights of channels; of windows that the cores with DSP instructions have the loops for the fours behind
/// them too.
pub(crate) fn many(
    filters: &Filters<'_>,
    rows: &Rows,
    place: &mut Place<'_>,
    scratch: &mut [i16],
    ring: &Ring,
    packed: &mut [u32],
) -> Option<usize> {
    let done = eights(filters, rows, place, scratch, ring, packed)?;
    match filters.kernel {
        [3, _] => Some(done),
        _ => Some(done + dsp::fours(filters, rows, place, done, scratch, ring, packed)?),
    }
}

/// All rows of filters of 3 x 3 in steps of one or two.
#[inline(never)]
pub(crate) fn rows(
    filter: &Filter<'_>,
    rows: &Rows,
    place: &mut Place<'_>,
    first: usize,
    planes: &mut [i16],
    ring: &Ring,
) -> Option<bool> {
    let (filters, packed) = match filter {
        Filter::Three { filters, packed } => (filters, packed),
        Filter::Other(_) => return Some(false),
    };
    let (step, count) = (filters.step, filters.channels.len());
    let fits = filters.kernel == [3, 3]
        && step <= spread::MOST
        && three::fits(filters, bytemuck::cast_slice(planes))
        && ring.left + ring.width <= ring.pitch;
    let (row_in, row_out) = (ring.width * step, filters.outputs * step);
    let ((input, input_len), (output, output_len)) = place.parts();
    let read = (rows.height * row_in).checked_sub(step)? + first + count;
    let written = (rows.count * row_out).checked_sub(step)? + first + count;
    if !fits || read > input_len || written > output_len {
        return Some(false);
    }
    let mut input = input.wrapping_add(first);
    let mut output = output.wrapping_add(first);
    let mut ring = *ring;
    let spread = spread::kernel(step);
    let mut filter = three::Loop::of(filters, packed, bytemuck::cast_slice(planes))?;
    // As in the loop by rows for all kernels.
    let (mut loaded, mut missing, mut begin, mut slot) = (0, 3, 0, 0);
    let end = rows.top + rows.height;
    for _ in 0..rows.count {
        while missing > 0 {
            ring.rows = 1;
            if loaded >= rows.top && loaded < end {
                ring.rows = missing.min(end - loaded).min(3);
                let to = planes.as_mut_ptr().cast();
                // SAFETY: of the input's rows each is loaded once, which are there; in each plane
                // there is a column for each pixel of a row.
                unsafe { spread(input, step, to, &ring, count, slot) };
                input = input.wrapping_add(ring.rows * row_in);
            } else {
                let start = slot * ring.pitch;
                fill(planes, &ring, start..start + ring.pitch, rows.zero_point)?;
            }
            loaded += ring.rows;
            missing -= ring.rows;
            slot += ring.rows;
            if slot >= 3 {
                slot -= 3;
            }
        }
        // SAFETY: the filters fit; all outputs of as many rows are there.
        unsafe { filter.row(packed, begin, output) };
        output = output.wrapping_add(row_out);
        missing = rows.down;
        begin += rows.down;
        while begin >= 3 {
            begin -= 3;
        }
    }
    Some(true)
}

/// Any window of three rows, and any step.
#[inline(never)]
fn any(filters: &Filters<'_>, planes: &[i8], first: usize, output: &mut [i8]) -> Option<()> {
    let [height, width] = filters.kernel;
    let step = filters.step.max(1);
    let (columns, _) = planes.as_chunks::<COLUMN>();
    let planes = columns.chunks_exact(filters.pitch.max(1));
    for (i, (channel, plane)) in filters.channels.iter().zip(planes).enumerate() {
        for x in 0..filters.outputs {
            let mut acc = channel.bias;
            let mut slot = first;
            let mut weights = filters.weights.get(i..)?.iter().step_by(step);
            let columns = plane.get(x * filters.stride..)?.get(..width)?;
            for _ in 0..height {
                for column in columns {
                    let weight = i32::from(*weights.next()?);
                    acc = acc.wrapping_add(weight * i32::from(*column.get(slot)?));
                }
                slot = if slot + 1 == height { 0 } else { slot + 1 };
            }
            *output.get_mut(x * step + i)? = filters.requantize.apply(acc, channel.multiplier);
        }
    }
    Some(())
}

//! Rows of four channels under their filters.
//!
//! Square windows of 3, 5 and 7 in steps of one or two have loops of their own, which compute two
//! outputs at a time; the others are computed output by output.

mod call;
mod rows;
mod spread;
mod three;
mod weights;
mod wide;

use core::ptr;

use super::super::Filters;
use crate::image::Channel;
use call::{Call, HIGHEST};

pub(crate) use rows::fours;
pub(crate) use spread::{fill, spread};
pub(crate) use weights::packed_len;

/// Filters and what computes a row of them.
pub(crate) struct Filter<'a> {
    filters: Filters<'a>,
    packed: &'a mut [u32],
    by_pairs: Option<ByPairs>,
}

impl<'a> Filter<'a> {
    #[inline(always)]
    pub(crate) fn of(filters: Filters<'a>, packed: &'a mut [u32]) -> Option<Self> {
        Some(Self {
            by_pairs: ByPairs::of(&filters)?,
            filters,
            packed,
        })
    }

    #[inline(always)]
    pub(crate) fn load(&mut self, weights: &'a [i8], channels: &'a [Channel]) -> Option<()> {
        (self.filters.weights, self.filters.channels) = (weights, channels);
        if let Some(by_pairs) = &mut self.by_pairs {
            by_pairs.load(&self.filters, weights::pack(&self.filters, self.packed)?)?;
        }
        Some(())
    }

    #[inline(always)]
    pub(crate) fn row(&mut self, planes: &[i16], first: usize, output: &mut [i8]) -> Option<()> {
        let filters = &self.filters;
        match &mut self.by_pairs {
            Some(by_pairs) => by_pairs.row(planes, first, output)?,
            None => any(filters, planes, first, output)?,
        }
        if filters.requantize.narrow() {
            narrow(filters, output);
        }
        Some(())
    }
}

#[inline(never)]
fn narrow(filters: &Filters<'_>, output: &mut [i8]) {
    for pixel in output.chunks_mut(filters.step.max(1)).take(filters.outputs) {
        let values = pixel.iter_mut().take(filters.channels.len());
        filters.requantize.clamp(values);
    }
}

/// A loop for a window; the limits are those of int8, and weights and biases are shifted already.
struct ByPairs {
    kernel: unsafe extern "C" fn(call: *const Call),
    call: Call,
    side: usize,
    pitch: usize,
    /// Values of the planes.
    values: usize,
    /// Outputs from the first of a row to its last.
    outputs: usize,
    /// Outputs from the first of a row to the end of the pairs.
    pairs: usize,
}

impl ByPairs {
    /// Nothing in it for filters that have no such loop.
    #[inline(always)]
    fn of(filters: &Filters<'_>) -> Option<Option<Self>> {
        let ([side, width], pitch, outputs) = (filters.kernel, filters.pitch, filters.outputs);
        let none = weights::pairs(side, filters.stride) == 0;
        if none || side != width || filters.requantize.pre_shift > weights::MAX_SHIFT {
            return Some(None);
        }
        let kernel = match (side, filters.stride) {
            (3, 1) => three::steps_of_one,
            (3, _) => three::steps_of_two,
            (5, 1) => wide::wide::<5, 1>,
            (5, _) => wide::wide::<5, 2>,
            (_, 1) => wide::wide::<7, 1>,
            (_, _) => wide::wide::<7, 2>,
        };
        // A single output moves by nothing. The second of a pair that is dropped reads no value
        // beyond the row in steps of one.
        let step = filters.step * usize::from(outputs > 1);
        let read = (outputs.checked_sub(1)? * filters.stride + side).next_multiple_of(2);
        let fits = filters.stride == 1 || outputs > 1;
        if read > pitch || !pitch.is_multiple_of(2) || !fits {
            return None;
        }
        Some(Some(Self {
            kernel,
            call: Call {
                rows: [ptr::null(); HIGHEST],
                filters: ptr::null(),
                step,
                end: ptr::null(),
                output: ptr::null_mut(),
                plane: filters.plane() * 2,
                filters_end: ptr::null(),
                odd: outputs % 2 * step,
                own: [0; 2],
                zero_point: filters.requantize.zero_point,
            },
            side,
            pitch,
            // Nothing is long enough before `load`.
            values: usize::MAX,
            outputs: usize::MAX,
            pairs: outputs / 2 * 2 * step,
        }))
    }

    #[inline(always)]
    fn load(&mut self, filters: &Filters<'_>, packed: &[u32]) -> Option<()> {
        let packed = packed.as_ptr_range();
        (self.call.filters, self.call.filters_end) = (packed.start, packed.end);
        let last = filters.channels.len().checked_sub(1)?;
        self.values = filters.plane() * (last + 1);
        self.outputs = filters.outputs.checked_sub(1)? * filters.step + last + 1;
        Some(())
    }

    #[inline(never)]
    fn row(&mut self, planes: &[i16], first: usize, output: &mut [i8]) -> Option<()> {
        let fits = planes.len() >= self.values && planes.as_ptr().cast::<u32>().is_aligned();
        if !fits || output.len() < self.outputs || first >= self.side {
            return None;
        }
        let start = planes.as_ptr();
        let mut row = start.wrapping_add(first * self.pitch);
        let end = start.wrapping_add(self.side * self.pitch);
        for place in self.call.rows.get_mut(HIGHEST - self.side..)? {
            *place = row;
            row = row.wrapping_add(self.pitch);
            if row == end {
                row = start;
            }
        }
        self.call.output = output.as_mut_ptr();
        self.call.end = output.as_ptr().wrapping_add(self.pairs);
        // SAFETY: each row of each plane has the values that the kernel reads, in words at addresses
        // that are multiples of four; there are the words of each filter; the output has all places
        // that are written.
        unsafe { (self.kernel)(&self.call) };
        Some(())
    }
}

/// Any window and step.
#[inline(never)]
fn any(filters: &Filters<'_>, planes: &[i16], first: usize, output: &mut [i8]) -> Option<()> {
    let [height, width] = filters.kernel;
    let step = filters.step.max(1);
    let planes = planes.chunks_exact(filters.plane().max(1));
    for (i, (channel, plane)) in filters.channels.iter().zip(planes).enumerate() {
        for x in 0..filters.outputs {
            let mut acc = channel.bias;
            let mut slot = first;
            let mut weights = filters.weights.get(i..)?.iter().step_by(step);
            for _ in 0..height {
                let start = slot * filters.pitch + x * filters.stride;
                for &value in plane.get(start..)?.get(..width)? {
                    let weight = i32::from(*weights.next()?);
                    acc = acc.wrapping_add(weight * i32::from(value));
                }
                slot = if slot + 1 == height { 0 } else { slot + 1 };
            }
            let out = output.get_mut(x * step + i)?;
            *out = filters.requantize.apply(acc, channel.multiplier);
        }
    }
    Some(())
}

//! Eight channels at a time, side by side as they lie in the input: for windows of 3, 5 and 7 columns.
//!
//! A ring of as many rows as the window is high has eight bytes a column here. Each row of the output
//! is computed two pixels at a time, so that a weight is loaded once for both.

use core::ptr;

use super::super::super::{Filters, Ring, Rows};
use super::super::bytes::fill_bytes;
use super::eight_loops::{Call, SIDE, pack, pixels, row};
use super::spread::FEW;
use crate::engine::place::Place;

/// Rows of the highest window.
const HIGHEST: usize = 7;
/// Words of biases and multipliers, before the weights of each tap.
const HEAD: usize = 2 * SIDE;
/// Outputs of a row, and rows, from which on single filters take fewer instructions.
const WIDE: usize = 12;
const HIGH: usize = 4;

/// Computes all rows of the first channels, as many as the number that is given.
#[inline(never)]
pub(super) fn eights(
    filters: &Filters<'_>,
    rows: &Rows,
    place: &mut Place<'_>,
    scratch: &mut [i16],
    ring: &Ring,
    packed: &mut [u32],
) -> Option<usize> {
    let ([height, width], step) = (filters.kernel, filters.step);
    // Few channels are spread sixteen pixels at a time.
    let apart = step > FEW && (filters.stride > 1 || rows.count < HIGH);
    let kernel = match width {
        3 if filters.outputs < WIDE || apart => row::<3>,
        5 => row::<5>,
        7 => row::<7>,
        _ => return Some(0),
    };
    let count = filters.channels.len().min(step) / SIDE * SIDE;
    let (pitch, taps) = (filters.pitch * SIDE, height * width);
    let bytes: &mut [i8] = bytemuck::cast_slice_mut(scratch);
    let last = filters.outputs.checked_sub(1)?;
    let fits = (1..=HIGHEST).contains(&height)
        && last * filters.stride + width <= filters.pitch
        && ring.left + ring.width <= filters.pitch
        && bytes.len() >= height * pitch
        && packed.len() >= HEAD + taps * SIDE / 4;
    let (row_in, row_out) = (ring.width * step, filters.outputs * step);
    let ((input, input_len), (output, output_len)) = place.parts();
    let read = (rows.height * row_in).checked_sub(step)? + count;
    let written = (rows.count * row_out).checked_sub(step)? + count;
    let weighs = taps.checked_sub(1)? * step + count;
    let there = read <= input_len && written <= output_len && weighs <= filters.weights.len();
    if count == 0 || !fits || !there {
        return Some(0);
    }
    let start = bytes.as_mut_ptr();
    let slot = |row: usize| start.wrapping_add(row * pitch);
    let mut call = Call::of(filters, packed.as_ptr());
    let mut table = [ptr::null(); 2 * HIGHEST];
    let slots = (0..height).chain(0..height);
    for (place, row) in table.iter_mut().zip(slots) {
        *place = slot(row).cast_const();
    }
    // SAFETY: the ring is there.
    unsafe { fill_bytes(start, height * pitch, rows.zero_point) };
    for first in (0..count).step_by(SIDE) {
        let eight = filters.channels.get(first..first + SIDE)?;
        let weights = filters.weights.as_ptr().wrapping_add(first);
        // SAFETY: there are the channels, eight weights of each tap, and words for them.
        unsafe { pack(weights, step, packed.as_mut_ptr(), eight.as_ptr(), taps) };
        let mut input = input.wrapping_add(first);
        call.output = output.wrapping_add(first);
        // As in the loop by rows for all kernels.
        let (mut loaded, mut missing, mut begin, mut next) = (0, height, 0, 0);
        for _ in 0..rows.count {
            while missing > 0 {
                let to = slot(next);
                // SAFETY: of the input's rows each is loaded once, which are there; a row of the ring
                // has a column for each of its pixels.
                unsafe {
                    if loaded >= rows.top && loaded < rows.top + rows.height {
                        let to = to.wrapping_add(ring.left * SIDE);
                        pixels(input, step, to, ring.width);
                        input = input.wrapping_add(row_in);
                    } else {
                        fill_bytes(to, pitch, rows.zero_point);
                    }
                }
                loaded += 1;
                missing -= 1;
                next = if next + 1 == height { 0 } else { next + 1 };
            }
            call.rows = table.get(begin..begin + height)?.as_ptr();
            // SAFETY: each of the rows has all columns under the windows; the output has the places of
            // all rows.
            unsafe { kernel(&call) };
            call.output = call.output.wrapping_add(row_out);
            missing = rows.down;
            begin += rows.down;
            while begin >= height {
                begin -= height;
            }
        }
    }
    Some(count)
}

//! Rows of four channels under their filters.
//!
//! Square windows of 3, 5 and 7 in steps of one or two have loops of their own, which compute two
//! outputs at a time; the others are computed output by output.

mod three;
mod weights;
mod wide;

use core::arch::asm;

use super::super::{Filters, Rows};

pub(crate) use weights::{pack, packed_len};

pub(crate) fn spread(
    input: &[i8],
    step: usize,
    planes: &mut [i16],
    plane: usize,
    start: usize,
    width: usize,
) -> Option<()> {
    let pairs = width / 2;
    let mut done = 0;
    if planes.len() == 4 * plane && pairs > 0 {
        let pixels = input.get(..(2 * pairs - 1) * step + 4)?;
        let to = planes.get_mut(start..)?.get_mut(..3 * plane + 2 * pairs)?;
        // SAFETY: reads four bytes at each of `2 * pairs` pixels, writes `2 * pairs` values in each
        // of four planes; the slices are that long. Words need not be aligned for `ldr` and `str`.
        unsafe {
            asm!("
                2:
                ldr {a}, [{from}]
                ldr {b}, [{from}, {step}]
                add {from}, {from}, {step}, lsl #1
                sxtb16 {c}, {a}
                sxtb16 {d}, {b}
                sxtb16 {a}, {a}, ror #8
                sxtb16 {b}, {b}, ror #8
                pkhbt {e}, {c}, {d}, lsl #16
                pkhtb {d}, {d}, {c}, asr #16
                str {d}, [{to}, {plane}, lsl #2]
                str {e}, [{to}], #4
                pkhbt {e}, {a}, {b}, lsl #16
                pkhtb {b}, {b}, {a}, asr #16
                str {b}, [{odd}, {plane}, lsl #2]
                str {e}, [{odd}], #4
                cmp {to}, {end}
                bne 2b
                ",
                from = inout(reg) pixels.as_ptr() => _,
                step = in(reg) step,
                to = inout(reg) to.as_mut_ptr() => _,
                odd = inout(reg) to.as_mut_ptr().add(plane) => _,
                plane = in(reg) plane,
                end = in(reg) to.as_ptr().add(2 * pairs),
                a = out(reg) _, b = out(reg) _, c = out(reg) _, d = out(reg) _, e = out(reg) _,
                options(nostack),
            );
        }
        done = 2 * pairs;
    }
    for x in done..width {
        let pixel = input.get(x * step..)?;
        for (plane, &value) in planes.chunks_exact_mut(plane).zip(pixel) {
            *plane.get_mut(start + x)? = value.into();
        }
    }
    Some(())
}

/// Rows of the highest window that has a loop of its own.
const HIGHEST: usize = 7;

/// What such a loop works on; it copies the record and changes the copy.
#[repr(C)]
struct Call {
    /// The rows of the first channel under the window, which come last.
    rows: [*const i16; HIGHEST],
    /// As [`pack`] writes them.
    filters: *const u32,
    /// From one output to the next; 0 if there is just one.
    step: usize,
    /// Behind the last pair of outputs.
    end: *const i8,
    output: *mut i8,
    /// Bytes of a channel's plane.
    plane: usize,
    filters_end: *const u32,
    /// `step` if the number of outputs is odd, 0 if it is even.
    odd: usize,
    /// Two words for the loop, of which the second is 0 at first.
    own: [usize; 2],
    zero_point: i32,
    pre_shift: u32,
}

pub(crate) fn filter(
    filters: &Filters<'_>,
    packed: &[u32],
    rows: &Rows<'_>,
    output: &mut [i8],
    outputs: usize,
) -> Option<()> {
    let [side, width] = filters.kernel;
    let pairs = weights::pairs(side, filters.stride);
    if side == width && pairs > 0 && outputs > 0 {
        let packed = packed.get(..(weights::HEAD + pairs) * filters.channels.len())?;
        by_pairs(filters, packed, rows, output, outputs)?;
    } else {
        any(filters, rows, output, outputs)?;
    }
    if filters.requantize.narrow() {
        for pixel in output.chunks_mut(filters.step).take(outputs) {
            let values = pixel.iter_mut().take(filters.channels.len());
            filters.requantize.clamp(values);
        }
    }
    Some(())
}

/// The windows that have a loop of their own; the limits are those of int8.
fn by_pairs(
    filters: &Filters<'_>,
    packed: &[u32],
    rows: &Rows<'_>,
    output: &mut [i8],
    outputs: usize,
) -> Option<()> {
    let side = filters.kernel[0];
    let last = filters.channels.len().checked_sub(1)?;
    // A single output moves by nothing. The second of its pair, which is dropped, must not read
    // beyond the row, as it would not in steps of one.
    let (step, stride) = match outputs {
        1 => (0, 1),
        _ => (filters.step, filters.stride),
    };
    // Values of a row that are read, a whole number of pairs.
    let reach = ((outputs - 1) * stride + side).next_multiple_of(2);
    let fits = reach <= rows.pitch
        && rows.pitch.is_multiple_of(2)
        && rows.plane.is_multiple_of(2)
        && side * rows.pitch + last * rows.plane <= rows.planes.len()
        && rows.first < side
        && rows.planes.as_ptr().cast::<u32>().is_aligned();
    if !fits {
        return None;
    }
    let output = output.get_mut(..(outputs - 1) * filters.step + last + 1)?;
    let start = rows.planes.as_ptr();
    let mut call = Call {
        rows: [start; HIGHEST],
        filters: packed.as_ptr(),
        step,
        end: output.as_ptr().wrapping_add(outputs / 2 * 2 * step),
        output: output.as_mut_ptr(),
        plane: rows.plane * 2,
        filters_end: packed.as_ptr_range().end,
        odd: outputs % 2 * step,
        own: [0; 2],
        zero_point: filters.requantize.zero_point,
        pre_shift: filters.requantize.pre_shift,
    };
    let mut slot = rows.first;
    for row in call.rows.iter_mut().skip(HIGHEST - side) {
        *row = start.wrapping_add(slot * rows.pitch);
        slot = if slot + 1 == side { 0 } else { slot + 1 };
    }
    let kernel = match (side, stride) {
        (3, 1) => three::steps_of_one,
        (3, _) => three::steps_of_two,
        (5, 1) => wide::wide::<5, 1>,
        (5, _) => wide::wide::<5, 2>,
        (_, 1) => wide::wide::<7, 1>,
        (_, _) => wide::wide::<7, 2>,
    };
    // SAFETY: each row of each plane has the values that the kernel reads, in words at addresses
    // that are multiples of four; there are the words of each filter; and the output has all places
    // that are written. The weights are packed for the stride that the kernel has: with a
    // single output the caller asks for steps of one.
    unsafe { kernel(&call) };
    Some(())
}

/// Any window and step.
fn any(
    filters: &Filters<'_>,
    rows: &Rows<'_>,
    output: &mut [i8],
    outputs: usize,
) -> Option<()> {
    let [height, width] = filters.kernel;
    let planes = rows.planes.chunks_exact(rows.plane);
    for (i, (channel, plane)) in filters.channels.iter().zip(planes).enumerate() {
        for x in 0..outputs {
            let mut acc = channel.bias;
            let mut slot = rows.first;
            let mut weights = filters.weights.get(i..)?.iter().step_by(filters.step);
            for _ in 0..height {
                let start = slot * rows.pitch + x * filters.stride;
                for &value in plane.get(start..)?.get(..width)? {
                    let weight = i32::from(*weights.next()?);
                    acc = acc.wrapping_add(weight * i32::from(value));
                }
                slot = if slot + 1 == height { 0 } else { slot + 1 };
            }
            let out = output.get_mut(x * filters.step + i)?;
            *out = filters.requantize.apply(acc, channel.multiplier);
        }
    }
    Some(())
}

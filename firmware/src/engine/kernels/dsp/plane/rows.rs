//! All rows of four filters: what is checked row by row elsewhere is checked once.

use core::arch::naked_asm;
use core::mem::offset_of;
use core::ptr;

use super::super::super::super::place::Place;
use super::super::super::{Filters, Ring, Rows};
use super::call::{Call, HIGHEST};
use super::{ByPairs, weights};
use crate::image::PLANES;

/// What the loop over the rows works on, and what it changes.
#[repr(C)]
struct Job {
    /// Its rows are those under the window, in their order; the first is the next to be written over.
    call: Call,
    kernel: unsafe extern "C" fn(call: *const Call),
    /// The next pixel to read, and from one to the next.
    input: *const i8,
    step: usize,
    /// Bytes before the pixels of a row in its plane, and how many pixels there are.
    left: usize,
    width: usize,
    /// Two values of the padding, and bytes of a row in its plane.
    zeros: u32,
    pitch: usize,
    /// From a row of outputs to the next, and rows that the window moves down for it.
    row_out: usize,
    down: usize,
    /// Rows of a window.
    side: usize,
    /// The next row of the input, below 0 in the padding, and rows of the input.
    row: isize,
    height: usize,
    /// Rows of outputs to come.
    count: usize,
}

/// Computes all rows of whole fours of channels from `first` on, and gives the number of these channels: none
/// where the window has no kernel.
#[inline(never)]
pub(crate) fn fours(
    filters: &Filters<'_>,
    rows: &Rows,
    place: &mut Place<'_>,
    first: usize,
    planes: &mut [i16],
    ring: &Ring,
    packed: &mut [u32],
) -> Option<usize> {
    let count = filters.channels.len().checked_sub(first)? / PLANES * PLANES;
    let by_pairs = match ByPairs::of(filters)? {
        Some(by_pairs) if count > 0 => by_pairs,
        _ => return Some(0),
    };
    let (step, pitch, side) = (filters.step, filters.pitch, by_pairs.side);
    let (row_in, row_out) = (ring.width * step, filters.outputs * step);
    let planes = planes.get_mut(..PLANES * side * pitch)?;
    let ((input, input_len), (output, output_len)) = place.parts();
    let read = (rows.height * row_in).checked_sub(step)? + first + count;
    let written = (rows.count * row_out).checked_sub(step)? + first + count;
    let weighs = (side * side - 1) * step + first + count;
    let words = weights::words(side, filters.stride);
    let packed = packed.get_mut(..PLANES * words)?;
    let there = read <= input_len && written <= output_len && weighs <= filters.weights.len();
    let fits = planes.as_ptr().cast::<u32>().is_aligned()
        && ring.left + ring.width <= pitch
        && rows.down > 0
        && rows.count > 0;
    if !fits || !there {
        return Some(0);
    }
    for row in planes.chunks_exact_mut(pitch.max(1)) {
        let (left, rest) = row.split_at_mut_checked(ring.left)?;
        left.fill(rows.zero_point.into());
        rest.get_mut(ring.width..)?.fill(rows.zero_point.into());
    }
    let mut job = Job {
        call: by_pairs.call,
        kernel: by_pairs.kernel,
        input: ptr::null(),
        step,
        left: ring.left * 2,
        width: ring.width,
        zeros: u32::from(i16::from(rows.zero_point) as u16) * 0x1_0001,
        pitch: pitch * 2,
        row_out,
        down: rows.down,
        side,
        row: 0,
        height: rows.height,
        count: 0,
    };
    (job.call.filters, job.call.filters_end) = (packed.as_ptr(), packed.as_ptr_range().end);
    let mut slot = planes.as_ptr();
    for row in job.call.rows.iter_mut().skip(HIGHEST - side) {
        *row = slot;
        slot = slot.wrapping_add(pitch);
    }
    let pack = weights::pack_fours(side, filters.stride);
    let shift = filters.requantize.pre_shift;
    let (fours, _) = filters
        .channels
        .get(first..first + count)?
        .as_chunks::<PLANES>();
    for (four, channels) in fours.iter().enumerate() {
        let first = first + four * PLANES;
        let weights = filters.weights.as_ptr().wrapping_add(first);
        job.input = input.wrapping_add(first);
        job.call.output = output.wrapping_add(first);
        job.call.end = job.call.output.cast_const().wrapping_add(by_pairs.pairs);
        (job.row, job.count) = (-(rows.top as isize), rows.count);
        // SAFETY: there are four weights of each tap, and words for them. Of the input's rows each is read
        // once, all of which are there; each row of each of the four planes has the places of its pixels and
        // the values that the kernel reads, in words at addresses that are multiples of four; the output has
        // all places that are written.
        unsafe {
            pack(weights, step, packed.as_mut_ptr());
            weights::finish(packed, words, channels, shift)?;
            all(&mut job);
        }
    }
    if filters.requantize.narrow() {
        let pixels = place.output().get_mut(first..)?.chunks_mut(step.max(1));
        for pixel in pixels.take(rows.count * filters.outputs) {
            filters.requantize.clamp(pixel.iter_mut().take(count));
        }
    }
    Some(count)
}

/// Puts the next rows into the window as [`super::spread`] does, one at a time, and has the kernel compute
/// a row.
///
/// | registers | content |
/// |---|---|
/// | r0, r1 | next pixel, from pixel to pixel |
/// | r2, r12, lr | next place in the first and in the second plane, pixels to come |
/// | r3 | bytes of a plane |
/// | r4, r5, r6 | the job, rows to put into the window, the next row |
#[unsafe(naked)]
unsafe extern "C" fn all(job: *mut Job) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        mov r4, r0
        ldrd r5, r6, [r4, #{SIDE}]      // and row
        .p2align 2
    1:  ldr r0, [r4, #{SIDE}]
        cmp r0, #3
        bne 8f
        add r3, r4, #({ROWS} - 12)
        ldm r3, {{r0-r2}}
        mov r12, r0
        stm r3, {{r1, r2, r12}}
    9:  ldr r3, [r4, #{PLANE}]
        ldr lr, [r4, #{HEIGHT}]
        cmp r6, lr
        bhs 5f
        ldrd r7, r8, [r4, #{LEFT}]      // and width
        ldrd r0, r1, [r4, #{INPUT}]     // and step
        add r2, r12, r7
        add r12, r2, r3
        subs lr, r8, #4
        blo 3f
        .p2align 2
    2:
        .rept 2
        ldr r7, [r0]
        ldr r8, [r0, r1]
        add r0, r0, r1, lsl #1
        sxtb16 r9, r7
        sxtb16 r10, r8
        sxtb16 r7, r7, ror #8
        sxtb16 r8, r8, ror #8
        pkhbt r11, r9, r10, lsl #16
        pkhtb r10, r10, r9, asr #16
        str r10, [r2, r3, lsl #1]
        str r11, [r2], #4
        pkhbt r11, r7, r8, lsl #16
        pkhtb r8, r8, r7, asr #16
        str r8, [r12, r3, lsl #1]
        str r11, [r12], #4
        .endr
        subs lr, lr, #4
        bhs 2b
    3:  adds lr, lr, #4             // what is left of the pixels
        beq 4f
    10: ldr r7, [r0]
        add r0, r0, r1
        sxtb16 r9, r7
        sxtb16 r7, r7, ror #8
        lsr r10, r9, #16
        lsr r8, r7, #16
        strh r10, [r2, r3, lsl #1]
        strh r9, [r2], #2
        strh r8, [r12, r3, lsl #1]
        strh r7, [r12], #2
        subs lr, lr, #1
        bne 10b
    4:  str r0, [r4, #{INPUT}]
        b 7f
    5:  ldrd r7, r8, [r4, #{ZEROS}]     // and pitch
        add lr, r12, r8
        mov r2, r12
        add r12, r2, r3
        .p2align 2
    6:  str r7, [r2, r3, lsl #1]
        str r7, [r2], #4
        str r7, [r12, r3, lsl #1]
        str r7, [r12], #4
        cmp r2, lr
        bne 6b
    7:  add r6, r6, #1
        subs r5, r5, #1
        bne 1b
        mov r0, r4
        ldr r12, [r4, #{KERNEL}]
        blx r12
        ldrd r0, r1, [r4, #{END}]       // and output
        ldrd r2, r5, [r4, #{ROW_OUT}]   // and down
        add r0, r0, r2
        add r1, r1, r2
        strd r0, r1, [r4, #{END}]
        ldr r2, [r4, #{COUNT}]
        subs r2, r2, #1
        str r2, [r4, #{COUNT}]
        bne 1b
        pop {{r4-r11, pc}}
    8:  add r2, r4, #{ROWS}             // behind the rows under the window
        sub r3, r2, r0, lsl #2
        ldr r12, [r3], #4
    20: ldr r0, [r3], #4
        str r0, [r3, #-8]
        cmp r3, r2
        bne 20b
        str r12, [r3, #-4]
        b 9b
        ",
        ROWS = const offset_of!(Call, filters),
        SIDE = const offset_of!(Job, side),
        PLANE = const offset_of!(Call, plane),
        END = const offset_of!(Call, end),
        KERNEL = const offset_of!(Job, kernel),
        INPUT = const offset_of!(Job, input),
        LEFT = const offset_of!(Job, left),
        ZEROS = const offset_of!(Job, zeros),
        ROW_OUT = const offset_of!(Job, row_out),
        HEIGHT = const offset_of!(Job, height),
        COUNT = const offset_of!(Job, count),
    )
}

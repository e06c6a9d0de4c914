//! Rows of pixels to rings by columns.

use core::arch::naked_asm;
use core::mem::{offset_of, replace};

use super::super::super::{Ring, dsp};
use super::columns::{COLUMN, by_columns};

/// Most channels of a tensor of which eight pixels lie within the reach of a gather load.
pub(super) const MOST: usize = u16::MAX as usize / 8;
/// The same for sixteen pixels by bytes.
pub(super) const FEW: usize = u8::MAX as usize / 15;

#[inline(always)]
pub(crate) fn spread(input: &[i8], step: usize, planes: &mut [i16], ring: &Ring) -> Option<()> {
    if !by_columns(ring) {
        return dsp::spread(input, step, planes, ring);
    }
    let count = planes.len().checked_div(ring.plane)?;
    let pixels = ring.rows * ring.width;
    let read = pixels.checked_sub(1)? * step + count;
    let fits = ring.left + ring.width <= ring.pitch && ring.row + ring.pitch <= ring.plane;
    if input.len() < read || !fits || count == 0 {
        return None;
    }
    if step > MOST {
        return each(input, step, planes, ring);
    }
    let kernel = kernel(step);
    let to = planes.as_mut_ptr().cast();
    let row = ring.row.checked_div(ring.pitch)?;
    // SAFETY: there are as many values of each pixel as there are planes, and in each plane a column
    // for each pixel of a row.
    unsafe { kernel(input.as_ptr(), step, to, ring, count, row) };
    Some(())
}

pub(super) type Kernel = unsafe extern "C" fn(*const i8, usize, *mut i8, *const Ring, usize, usize);

/// The loop for pixels so far apart, at most [`MOST`]. It takes the first pixel, how far apart they
/// are, the planes, where rows go in them, their number, and that of the ring's row.
pub(super) fn kernel(step: usize) -> Kernel {
    match step {
        ..=FEW => rows::<1>,
        _ => rows::<0>,
    }
}

/// Pixels further apart.
#[inline(never)]
fn each(input: &[i8], step: usize, planes: &mut [i16], ring: &Ring) -> Option<()> {
    let (columns, _) = bytemuck::cast_slice_mut::<_, i8>(planes).as_chunks_mut::<COLUMN>();
    for (channel, plane) in columns.chunks_exact_mut(ring.pitch.max(1)).enumerate() {
        let mut input = input.get(channel..)?.iter().step_by(step.max(1));
        let mut ring = *ring;
        let rows = replace(&mut ring.rows, 1);
        for _ in 0..rows {
            let row = ring.row.checked_div(ring.pitch)?;
            let columns = plane.get_mut(ring.left..)?.get_mut(..ring.width)?;
            for (column, &input) in columns.iter_mut().zip(&mut input) {
                *column.get_mut(row)? = input;
            }
            ring.advance();
        }
    }
    Some(())
}

/// Eight pixels of a channel at a time, with `BYTES` sixteen.
///
/// | registers | content |
/// |---|---|
/// | r0, r1 | next row, from pixel to pixel |
/// | r2, r12 | the planes' first row behind the padding, bytes of a plane |
/// | r4, r5 | next pixel, next column |
/// | r6 | from one vector of pixels to the next |
/// | r7, r8, r9 | number of the row in its ring, rows to come, planes to come |
#[unsafe(naked)]
unsafe extern "C" fn rows<const BYTES: u32>(
    input: *const i8,
    step: usize,
    planes: *mut i8,
    ring: *const Ring,
    count: usize,
    row: usize,
) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        ldr r12, [r3, #{PITCH}]
        lsl r12, r12, #2
        ldr r4, [r3, #{LEFT}]
        add r2, r2, r4, lsl #2
        ldr r7, [sp, #40]
        ldr r8, [r3, #{ROWS}]
        ldr r10, [r3, #{WIDTH}]
        movs r4, #0
        .if {BYTES}
        vidup.u8 q1, r4, #1
        vmul.i8 q1, q1, r1
        lsl r6, r1, #4
        movs r4, #0
        vidup.u8 q2, r4, #4
        .else
        vidup.u16 q1, r4, #1
        vmul.i16 q1, q1, r1
        lsl r6, r1, #3
        movs r4, #0
        vidup.u16 q2, r4, #4
        .endif
    1:  ldr r9, [sp, #36]
        mov r11, r0
        add r3, r2, r7
    2:  mov r4, r11
        mov r5, r3
        .if {BYTES}
        dlstp.8 lr, r10
    3:  vldrb.u8 q0, [r4, q1]
        add r4, r4, r6
        vstrb.8 q0, [r5, q2]
        adds r5, r5, #64
        letp lr, 3b
        .else
        dlstp.16 lr, r10
    3:  vldrb.u16 q0, [r4, q1]
        add r4, r4, r6
        vstrb.16 q0, [r5, q2]
        adds r5, r5, #32
        letp lr, 3b
        .endif
        add r11, r11, #1
        add r3, r3, r12
        subs r9, r9, #1
        bne 2b
        mla r0, r10, r1, r0
        adds r7, r7, #1
        cmp r7, #3
        it eq
        moveq r7, #0
        subs r8, r8, #1
        bne 1b
        pop {{r4-r11, pc}}
        ",
        PITCH = const offset_of!(Ring, pitch),
        WIDTH = const offset_of!(Ring, width),
        LEFT = const offset_of!(Ring, left),
        ROWS = const offset_of!(Ring, rows),
        BYTES = const BYTES,
    )
}

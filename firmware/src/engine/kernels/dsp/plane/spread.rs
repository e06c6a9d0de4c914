//! Rows of int8 pixels to int16 planes.

use core::arch::naked_asm;
use core::mem::{offset_of, replace};
use core::ops::Range;

use super::super::super::Ring;
use crate::image::PLANES;

/// Two values a word.
#[inline(never)]
pub(crate) fn fill(planes: &mut [i16], ring: &Ring, range: Range<usize>, value: i8) -> Option<()> {
    let value = i16::from(value);
    let word = u32::from(value as u16) * 0x1_0001;
    if ring.plane == 0 {
        return None;
    }
    for plane in planes.chunks_exact_mut(ring.plane) {
        let values = plane.get_mut(range.clone())?;
        match bytemuck::try_cast_slice_mut::<_, u32>(values) {
            Ok(words) => words.fill(word),
            Err(_) => values.fill(value),
        }
    }
    Some(())
}

#[inline(always)]
pub(crate) fn spread(input: &[i8], step: usize, planes: &mut [i16], ring: &Ring) -> Option<()> {
    let pixels = ring.rows * ring.width;
    if planes.len() != PLANES * ring.plane {
        return each(input, step, planes, ring);
    }
    let read = pixels.checked_sub(1)? * step + PLANES;
    let fits = ring.left + ring.width <= ring.pitch && ring.row + ring.pitch <= ring.plane;
    if input.len() < read || !fits {
        return None;
    }
    // SAFETY: there are the four bytes of each pixel, and each row of each plane, a row starting where
    // the ring says and after it each at the next, has the places for as many pixels.
    unsafe { spread_x4(input.as_ptr(), step, planes.as_mut_ptr(), ring) };
    Some(())
}

/// Any number of planes.
#[inline(never)]
fn each(input: &[i8], step: usize, planes: &mut [i16], ring: &Ring) -> Option<()> {
    for (channel, plane) in planes.chunks_exact_mut(ring.plane.max(1)).enumerate() {
        let mut input = input.get(channel..)?.iter().step_by(step.max(1));
        let mut ring = *ring;
        let rows = replace(&mut ring.rows, 1);
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

/// Two pixels at a time and an odd one at the end of each row; words need not be aligned for `ldr` and
/// `str`.
///
/// | registers | content |
/// |---|---|
/// | r0, r1 | next pixel, from pixel to pixel |
/// | r2, r3 | next row in the first plane, values of a plane |
/// | r4, r5, r6 | next place in the first and in the second plane, where the pairs of the row end |
/// | r12, lr | rows to come, values in a row |
#[unsafe(naked)]
unsafe extern "C" fn spread_x4(input: *const i8, step: usize, planes: *mut i16, ring: *const Ring) {
    naked_asm!(
        processor!(),
        "
        push {{r2-r11, lr}}
        ldrd r4, r5, [r3, #{PITCH}]     // and plane
        ldrd lr, r6, [r3, #{WIDTH}]     // and row
        ldrd r7, r12, [r3, #{LEFT}]     // and rows
        mov r3, r5
        add r2, r2, r7, lsl #1          // where a plane's first row starts
        add r5, r2, r5, lsl #1          // and where the one behind the last would
        strd r4, r5, [sp]
        add r2, r2, r6, lsl #1
        .p2align 2
    1:  mov r4, r2
        add r5, r2, r3, lsl #1
        bic r6, lr, #1
        add r6, r2, r6, lsl #1
        ldrd r7, r8, [sp]
        add r2, r2, r7, lsl #1
        cmp r2, r8
        it eq
        subeq r2, r2, r3, lsl #1
        cmp r4, r6
        beq 3f
        .p2align 2
    2:  ldr r7, [r0]
        ldr r8, [r0, r1]
        add r0, r0, r1, lsl #1
        sxtb16 r9, r7
        sxtb16 r10, r8
        sxtb16 r7, r7, ror #8
        sxtb16 r8, r8, ror #8
        pkhbt r11, r9, r10, lsl #16
        pkhtb r10, r10, r9, asr #16
        str r10, [r4, r3, lsl #2]
        str r11, [r4], #4
        pkhbt r11, r7, r8, lsl #16
        pkhtb r8, r8, r7, asr #16
        str r8, [r5, r3, lsl #2]
        str r11, [r5], #4
        cmp r4, r6
        bne 2b
    3:  tst lr, #1
        beq 4f
        ldr r7, [r0]
        add r0, r0, r1
        sxtb16 r9, r7
        sxtb16 r7, r7, ror #8
        strh r9, [r4]
        strh r7, [r5]
        lsr r9, r9, #16
        lsr r7, r7, #16
        strh r9, [r4, r3, lsl #2]
        strh r7, [r5, r3, lsl #2]
    4:  subs r12, r12, #1
        bne 1b
        add sp, sp, #8
        pop {{r4-r11, pc}}
        ",
        PITCH = const offset_of!(Ring, pitch),
        WIDTH = const offset_of!(Ring, width),
        LEFT = const offset_of!(Ring, left),
    )
}

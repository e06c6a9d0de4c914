//! Rows of int8 pixels to int16 planes.

use core::arch::naked_asm;

use super::super::super::Spot;
use crate::image::PLANES;

/// Two values a word.
pub(crate) fn fill(planes: &mut [i16], value: i8) {
    let value = i16::from(value);
    let word = u32::from(value as u16) * 0x1_0001;
    match bytemuck::try_cast_slice_mut::<_, u32>(planes) {
        Ok(words) => words.fill(word),
        Err(_) => planes.fill(value),
    }
}

#[inline(never)]
pub(crate) fn spread(input: &[i8], step: usize, planes: &mut [i16], to: &Spot) -> Option<()> {
    let pixels = to.rows * to.width;
    if pixels == 0 || to.plane == 0 {
        return None;
    }
    if planes.len() == PLANES * to.plane {
        let input = input.get(..(pixels - 1) * step + PLANES)?;
        let end = to.start + (to.rows - 1) * to.pitch + to.width;
        let first = planes.get_mut(to.start..).filter(|_| end <= to.plane)?;
        // SAFETY: there are the four bytes of each pixel, and each plane has a place for every pixel.
        unsafe { four(input.as_ptr(), step, first.as_mut_ptr(), to) };
        return Some(());
    }
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

/// Two pixels at a time and an odd one at the end of each row; words need not be aligned for `ldr` and
/// `str`.
///
/// | registers | content |
/// |---|---|
/// | r0, r1 | next pixel, from pixel to pixel |
/// | r2, r3 | the row in the first plane, values of a plane |
/// | r4, r5 | next place in the first and in the second plane |
/// | r6 | end of the row's pairs |
/// | r12, lr | rows to come, values in a row |
#[unsafe(naked)]
unsafe extern "C" fn four(input: *const i8, step: usize, to: *mut i16, spot: *const Spot) {
    naked_asm!(
        processor!(),
        "
        push {{r3-r11, lr}}
        ldr lr, [r3, #{WIDTH}]
        ldr r12, [r3, #{ROWS}]
        ldr r11, [r3, #{PITCH}]
        str r11, [sp]
        ldr r3, [r3, #{PLANE}]
        .p2align 2
    1:  ldr r11, [sp]
        mov r4, r2
        add r5, r2, r3, lsl #1
        bic r6, lr, #1
        add r6, r2, r6, lsl #1
        add r2, r2, r11, lsl #1
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
        pop {{r3-r11, pc}}
        ",
        WIDTH = const core::mem::offset_of!(Spot, width),
        ROWS = const core::mem::offset_of!(Spot, rows),
        PITCH = const core::mem::offset_of!(Spot, pitch),
        PLANE = const core::mem::offset_of!(Spot, plane),
    )
}

//! Int8 inputs to int16 columns.

use core::arch::naked_asm;

use super::instructions::{sxtb16, sxtb16_ror8};
use crate::image::COLUMNS;

/// Widens the whole fours of four runs of one length into four columns; the number of values of a
/// run that were read.
pub(super) fn widen_x4(runs: [&[i8]; 4], to: &mut [i16]) -> Option<usize> {
    let [a, b, c, d] = runs;
    let len = a.len() / 4 * 4;
    if len == 0 {
        return Some(0);
    }
    let to: &mut [u32] = bytemuck::try_cast_slice_mut(to).ok()?;
    let to = to.get_mut(..len * 2)?;
    let (a, b, c, d) = (a.get(..len)?, b.get(..len)?, c.get(..len)?, d.get(..len)?);
    // SAFETY: the runs have `len` bytes, a multiple of four and not zero, and `to` twice as many
    // words.
    unsafe {
        widen_words_x4(
            a.as_ptr(),
            b.as_ptr(),
            c.as_ptr(),
            d.as_ptr(),
            to.as_mut_ptr(),
            len,
        )
    };
    Some(len)
}

/// Four values of each run at a time; words need not be aligned for `ldr`, those of `stm` are.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn widen_words_x4(
    a: *const i8,
    b: *const i8,
    c: *const i8,
    d: *const i8,
    to: *mut u32,
    len: usize,
) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        ldrd r12, lr, [sp, #36]
        .p2align 2
    2:  ldr r4, [r0], #4
        ldr r5, [r1], #4
        ldr r6, [r2], #4
        ldr r7, [r3], #4
        sxtb16 r8, r4
        sxtb16 r9, r5
        sxtb16 r10, r6
        sxtb16 r11, r7
        stm r12!, {{r8-r11}}
        sxtb16 r8, r4, ror #8
        sxtb16 r9, r5, ror #8
        sxtb16 r10, r6, ror #8
        sxtb16 r11, r7, ror #8
        stm r12!, {{r8-r11}}
        subs lr, lr, #4
        bne 2b
        pop {{r4-r11, pc}}
        "
    )
}

/// The same for one run and one column.
pub(super) fn widen_one(run: &[i8], to: &mut [i16]) -> Option<usize> {
    let (fours, _) = run.as_chunks::<4>();
    let to: &mut [u32] = bytemuck::try_cast_slice_mut(to).ok()?;
    let (to, _) = to.as_chunks_mut::<2>();
    for (to, &four) in to.get_mut(..fours.len())?.iter_mut().zip(fours) {
        let four = u32::from_le_bytes(four.map(|value| value as u8));
        *to = [sxtb16(four), sxtb16_ror8(four)];
    }
    Some(fours.len() * 4)
}

/// Writes windows of 3 x 3 as four columns.
#[cfg_attr(helium, expect(dead_code, reason = "that of `helium` serves"))]
pub(crate) fn deal_nine<const N: usize>(
    input: &[i8],
    pitch: usize,
    starts: [usize; N],
    scratch: &mut [i16],
) -> Option<()> {
    let to: &mut [u32] = bytemuck::try_cast_slice_mut(scratch).ok()?;
    // With the last row the value behind it, which is not used.
    let there = |start: usize| start + 2 * pitch + 4 <= input.len();
    if N != COLUMNS || to.len() < 5 * COLUMNS || !starts.iter().all(|&start| there(start)) {
        return None;
    }
    // SAFETY: each of the windows is there, and five words for each.
    unsafe { nine_x4(input.as_ptr(), pitch, starts.as_ptr(), to.as_mut_ptr()) };
    Some(())
}

/// Of each row of a window the value behind it is read with it.
///
/// | registers | content |
/// |---|---|
/// | r0, r1 | the input, from row to row |
/// | r2, r3 | where the next window starts, its first word |
/// | r4 to r9 | of each row the first and third value, the second and what is behind |
/// | r12, lr | windows to come, the window |
#[unsafe(naked)]
unsafe extern "C" fn nine_x4(input: *const i8, pitch: usize, starts: *const usize, to: *mut u32) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r9, lr}}
        mov r12, #4
        .p2align 2
    2:  ldr lr, [r2], #4
        add lr, lr, r0
        ldr r5, [lr]
        ldr r7, [lr, r1]
        ldr r9, [lr, r1, lsl #1]
        sxtb16 r4, r5
        sxtb16 r5, r5, ror #8
        sxtb16 r6, r7
        sxtb16 r7, r7, ror #8
        sxtb16 r8, r9
        sxtb16 r9, r9, ror #8
        pkhbt r5, r5, r6, lsl #16
        pkhbt r7, r7, r8, lsl #16
        lsr r6, r6, #16
        pkhbt r6, r6, r9, lsl #16
        lsr r8, r8, #16
        str r5, [r3, #16]
        str r7, [r3, #32]
        str r6, [r3, #48]
        str r8, [r3, #64]
        str r4, [r3], #4
        subs r12, r12, #1
        bne 2b
        pop {{r4-r9, pc}}
        "
    )
}

/// Copies values, as many as both have.
#[cfg(not(helium))]
pub(crate) fn copy(to: &mut [i8], from: &[i8]) {
    let aligned = |address: *const i8| address.cast::<[u32; 8]>().is_aligned();
    let mut len = to.len().min(from.len()) / 32 * 32;
    if len > 0 && aligned(to.as_ptr()) && aligned(from.as_ptr()) {
        // SAFETY: both have as many values, and start at multiples of four.
        unsafe { copy_words(to.as_mut_ptr(), from.as_ptr(), len) };
    } else {
        len = 0;
    }
    for (to, &from) in to.iter_mut().zip(from).skip(len) {
        *to = from;
    }
}

/// `len` bytes, a multiple of 32 and not zero.
#[cfg(not(helium))]
#[unsafe(naked)]
unsafe extern "C" fn copy_words(to: *mut i8, from: *const i8, len: usize) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r10, lr}}
        .p2align 2
    2:  ldm r1!, {{r3-r10}}
        stm r0!, {{r3-r10}}
        subs r2, r2, #32
        bne 2b
        pop {{r4-r10, pc}}
        "
    )
}

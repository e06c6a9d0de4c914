//! Int8 inputs to int16 columns.

use core::arch::naked_asm;

use super::instructions::{sxtb16, sxtb16_ror8};

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
unsafe extern "C" fn widen_words_x4(
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
    let (words, _) = to.as_chunks_mut::<4>();
    let [p, q, r, s, t] = words.first_chunk_mut::<5>()?;
    let places = p.iter_mut().zip(q).zip(r).zip(s).zip(t);
    for (start, ((((p, q), r), s), t)) in starts.into_iter().zip(places) {
        // With each row the value behind it, which is not used.
        let window = input.get(start..start + 2 * pitch + 4)?;
        let row = |row: usize| {
            let &[a, b, c, d] = window.get(row * pitch..)?.first_chunk::<4>()?;
            Some(u32::from_le_bytes([a, b, c, d].map(|value| value as u8)))
        };
        let (a, b, c) = (row(0)?, row(1)?, row(2)?);
        let (a, a1) = (sxtb16(a), sxtb16_ror8(a));
        let (b, b1) = (sxtb16(b), sxtb16_ror8(b));
        let (c, c1) = (sxtb16(c), sxtb16_ror8(c));
        *p = a;
        *q = a1 & 0xffff | b << 16;
        *r = b1 & 0xffff | c << 16;
        *s = b >> 16 | c1 << 16;
        *t = c >> 16;
    }
    Some(())
}

//! Sums of pixels, of two tensors and of products.

use core::arch::naked_asm;

use super::super::{Addition, LANES, WIDE, dsp};

pub(crate) fn accumulate(acc: &mut [i32; LANES], pixels: &[i8], step: usize) {
    let last = match pixels.len().checked_rem(step) {
        None => return,
        Some(0) => step,
        Some(len) => len,
    };
    if last < LANES {
        return dsp::accumulate(acc, pixels, step);
    }
    // SAFETY: each of the pixels has as many values as there are sums.
    unsafe {
        accumulate_pixels(
            acc.as_mut_ptr(),
            pixels.as_ptr(),
            step,
            pixels.len().div_ceil(step),
        )
    };
}

#[unsafe(naked)]
unsafe extern "C" fn accumulate_pixels(acc: *mut i32, pixel: *const i8, step: usize, count: usize) {
    naked_asm!(
        processor!(),
        "
        push {{r7, lr}}
        vldrw.u32 q0, [r0]
        vldrw.u32 q1, [r0, #16]
        wls lr, r3, 3f
    2:  vldrb.s32 q2, [r1]
        vldrb.s32 q3, [r1, #4]
        vadd.i32 q0, q0, q2
        vadd.i32 q1, q1, q3
        add r1, r1, r2
        le lr, 2b
    3:  vstrw.32 q0, [r0]
        vstrw.32 q1, [r0, #16]
        pop {{r7, pc}}
        "
    )
}

pub(crate) fn add(addition: &Addition, sum: &mut [i8], other: &[i8]) {
    let requantize = addition.requantize;
    let call = [
        addition.coefficients[0],
        addition.coefficients[1],
        addition.start,
        requantize.pre_shift as i32,
        requantize.zero_point,
        addition.multiplier,
        requantize.min.into(),
        requantize.max.into(),
    ];
    let len = sum.len().min(other.len());
    // SAFETY: both have as many values, and a slice that can be written overlaps no other.
    unsafe { add_values(sum.as_mut_ptr(), other.as_ptr(), len, &call) };
}

#[unsafe(naked)]
unsafe extern "C" fn add_values(sum: *mut i8, other: *const i8, len: usize, call: *const [i32; 8]) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r10, lr}}
        vpush {{d8-d9}}
        ldm r3, {{r3-r10}}
        vdup.32 q2, r8
        vdup.32 q3, r9
        vdup.32 q4, r10
        wlstp.32 lr, r2, 3f
    2:  vldrb.s32 q0, [r0]
        vldrb.s32 q1, [r1], #4
        vmul.i32 q0, q0, r3
        vmla.i32 q0, q1, r4
        vadd.i32 q0, q0, r5
        vshl.s32 q0, r6
        vrmulh.s32 q0, q0, q2
        vadd.i32 q0, q0, r7
        vmax.s32 q0, q0, q3
        vmin.s32 q0, q0, q4
        vstrb.32 q0, [r0], #4
        letp lr, 2b
    3:  vpop {{d8-d9}}
        pop {{r4-r10, pc}}
        "
    )
}

/// Vectors as they are.
pub(crate) struct Wide<const N: usize>([[i8; WIDE]; N]);

impl<const N: usize> Wide<N> {
    pub(crate) fn of(vectors: [&[i8]; N]) -> Self {
        let mut wide = [[0; WIDE]; N];
        for (wide, vector) in wide.iter_mut().zip(vectors) {
            super::copy(wide, vector);
        }
        Self(wide)
    }
}

pub(crate) fn products<const N: usize>(wide: &Wide<N>, row: &[i8]) -> [i32; N] {
    let len = row.len().min(WIDE);
    // SAFETY: the vectors and the row have as many values.
    wide.0
        .each_ref()
        .map(|vector| unsafe { product(vector.as_ptr(), row.as_ptr(), len) })
}

#[unsafe(naked)]
unsafe extern "C" fn product(vector: *const i8, row: *const i8, len: usize) -> i32 {
    naked_asm!(
        processor!(),
        "
        push {{r7, lr}}
        mov r12, #0
        wlstp.8 lr, r2, 3f
    2:  vldrb.u8 q0, [r0], #16
        vldrb.u8 q1, [r1], #16
        vmladava.s8 r12, q0, q1
        letp lr, 2b
    3:  mov r0, r12
        pop {{r7, pc}}
        "
    )
}

//! Int8 inputs to columns.

use core::arch::naked_asm;

use super::lanes::{LANES, position};

/// Writes the first `len` values of `N` runs as slots `first..` of as many columns; both numbers are
/// multiples of four.
pub(super) fn arrange<const N: usize>(
    runs: [&[i8]; N],
    first: usize,
    len: usize,
    to: &mut [i8],
) -> Option<()> {
    if len == 0 {
        return Some(());
    }
    let end = position::<N>(first + len - 1, N - 1) + 1;
    let to = to.get_mut(position::<N>(first, 0)..end)?;
    let mut from = [core::ptr::null(); N];
    for (from, run) in from.iter_mut().zip(runs) {
        *from = run.get(..len)?.as_ptr();
    }
    let head = match first % LANES {
        0 => 0,
        before => len.min(LANES - before),
    };
    // SAFETY: each of the `N` runs has `len` values, and there are the places from that of the first
    // value in the first column to that of the last value in the last.
    unsafe { runs_of(from.as_ptr(), to.as_mut_ptr(), len, head, N * LANES, N) };
    Some(())
}

/// `count` runs of `len` values, of which the first `head` fill up a vector that others began.
///
/// A gather load puts the second and third of each four values in the other's place.
#[unsafe(naked)]
unsafe extern "C" fn runs_of(
    runs: *const *const i8,
    to: *mut i8,
    len: usize,
    head: usize,
    step: usize,
    count: usize,
) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r8, lr}}
        ldrd r4, r5, [sp, #24]
        adr r6, 9f
        vldrw.u32 q1, [r6]
    1:  ldr r6, [r0], #4
        mov r7, r1
        mov r8, r2
        cbz r3, 2f
        vctp.8 r3
        vpstt
        vldrbt.u8 q0, [r6, q1]
        vstrbt.8 q0, [r7]
        add r6, r6, r3
        add r7, r7, r3
        add r7, r7, r4
        sub r7, r7, #16
        subs r8, r8, r3
        beq 3f
    2:  dlstp.8 lr, r8
    4:  vldrb.u8 q0, [r6, q1]
        vstrb.8 q0, [r7]
        add r6, r6, #16
        add r7, r7, r4
        letp lr, 4b
    3:  add r1, r1, #16
        subs r5, r5, #1
        bne 1b
        pop {{r4-r8, pc}}
        .p2align 2
    9:  .byte 0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15
        "
    )
}

/// Four pixels that stand `step` apart as columns of `len` values, a multiple of four.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pixels(from: *const i8, to: *mut i8, len: usize, step: usize) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r6, lr}}
        adr r4, 9f
        vldrw.u32 q1, [r4]
        movs r4, #4
    1:  mov r5, r0
        mov r6, r1
        dlstp.8 lr, r2
    2:  vldrb.u8 q0, [r5, q1]
        adds r5, r5, #16
        vstrb.8 q0, [r6]
        adds r6, r6, #64
        letp lr, 2b
        add r0, r0, r3
        adds r1, r1, #16
        subs r4, r4, #1
        bne 1b
        pop {{r4-r6, pc}}
        .p2align 2
    9:  .byte 0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15
        "
    )
}

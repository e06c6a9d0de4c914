//! Pairs of rows times one column: fully connected layers, and the pixels that four columns leave.

use core::arch::naked_asm;

/// Computes pairs of rows, one at least; the limits are those of int8. Taps stand in fours of two, and the
/// rest.
///
/// | registers | content |
/// |---|---|
/// | r0, r1 | next weights, next taps |
/// | r2, r3 | sums |
/// | r4 to r7, r8 to r11 | weights, taps |
/// | r12, lr | fours to come, two taps of a row |
#[unsafe(naked)]
pub(super) unsafe extern "C" fn store_one(
    rows: *const i8,
    output: *mut i8,
    channels: *const u32,
    channels_end: *const u32,
    column: *const u32,
    fours: usize,
    rest: usize,
    pre_shift: u32,
    zero_point: i32,
) {
    naked_asm!(
        processor!(),
        "
        push {{r1-r11, lr}}
        .equ output, 0          // and channels, channels_end behind it
        .equ channels, 4
        .equ column, 48
        .equ fours, 52
        .equ rest, 56
        .equ pre_shift, 60      // and zero point behind it
        .p2align 2
    1:  ldr r12, [sp, #channels]
        ldr r1, [sp, #column]
        ldr r2, [r12, #4]
        ldr r3, [r12, #12]
        ldr r12, [sp, #fours]
        cmp r12, #0
        beq 3f
        .p2align 2
    2:  ldm r0!, {{r4-r7}}
        ldm r1!, {{r8-r11}}
        sxtb16 lr, r4
        sxtb16 r4, r4, ror #8
        smlad r2, lr, r8, r2
        smlad r3, r4, r8, r3
        sxtb16 lr, r5
        sxtb16 r5, r5, ror #8
        smlad r2, lr, r9, r2
        smlad r3, r5, r9, r3
        sxtb16 lr, r6
        sxtb16 r6, r6, ror #8
        smlad r2, lr, r10, r2
        smlad r3, r6, r10, r3
        sxtb16 lr, r7
        sxtb16 r7, r7, ror #8
        smlad r2, lr, r11, r2
        smlad r3, r7, r11, r3
        subs r12, r12, #1
        bne 2b
    3:  ldr r12, [sp, #rest]
        cmp r12, #0
        beq 5f
    4:  ldr r4, [r0], #4
        ldr r8, [r1], #4
        sxtb16 lr, r4
        sxtb16 r4, r4, ror #8
        smlad r2, lr, r8, r2
        smlad r3, r4, r8, r3
        subs r12, r12, #1
        bne 4b
    5:  ldrd r6, r7, [sp, #pre_shift]
        ldm sp, {{r8-r10}}
        ldr r4, [r9, #8]
        ldr r5, [r9, #16]!
        lsl r2, r2, r6
        lsl r3, r3, r6
        smmlar r2, r2, r4, r7
        smmlar r3, r3, r5, r7
        ssat r2, #8, r2
        ssat r3, #8, r3
        bfi r2, r3, #8, #8
        strh r2, [r8], #2
        strd r8, r9, [sp]
        cmp r9, r10
        bne 1b
        pop {{r1-r11, pc}}
        "
    )
}

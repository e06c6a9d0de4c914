//! Pairs of rows times four columns, the loop that takes most of the time.
//!
//! One step multiplies two taps of two rows with four columns, 16 products in 13 instructions:
//!
//! | registers | content |
//! |---|---|
//! | r0, r1 | next weights, next taps of the columns |
//! | r2, r3 | two taps of the first and of the second row |
//! | r12, lr | two taps of two columns |
//! | r4 to r7, r8 to r11 | sums of the first row and of the second, by column |
//!
//! Steps stand in a row of sixteen; a count that is no multiple of sixteen enters in their middle.

use core::arch::naked_asm;

/// Computes pairs of rows, one at least; the limits are those of int8.
pub(super) type Kernel = unsafe extern "C" fn(
    rows: *const i8,
    output: *mut i8,
    stride: usize,
    channels_end: *const u32,
    columns: *const u32,
    channels: *const u32,
    steps: usize,
    pre_shift: u32,
    zero_point: i32,
    columns_end: *const u32,
);

/// Where the arguments lie once the registers are saved, and what is kept in their place.
macro_rules! enter {
    () => {
        "
        push {{r1-r11, lr}}
        .equ output, 0          // and stride, channels_end behind it
        .equ columns, 48
        .equ channels, 52
        .equ entry, 56          // at first: steps
        .equ pre_shift, 60      // and zero point behind it
        .equ columns_end, 68
        ldr r2, [sp, #entry]
        subs r2, r2, #1
        adr r3, 4f              // no step beyond the first
        beq 1f
        rsb r2, r2, #0
        and r2, r2, #7
        mov r12, #52            // bytes of a step
        adr r3, 3f
        mla r3, r2, r12, r3
    1:  orr r3, r3, #1          // Thumb
        str r3, [sp, #entry]
        "
    };
}

/// All sums of a pair of rows, starting from the biases.
macro_rules! products {
    () => {
        "
        .p2align 2
    2:  ldrd r1, r12, [sp, #columns]
        ldr r7, [r12, #4]
        ldr r11, [r12, #12]
        ldr r2, [r0], #4
        sxtb16 r3, r2, ror #8
        sxtb16 r2, r2
        ldrd r12, lr, [r1], #8
        smlad r4, r2, r12, r7
        smlad r8, r3, r12, r11
        smlad r5, r2, lr, r7
        smlad r9, r3, lr, r11
        ldrd r12, lr, [r1], #8
        smlad r6, r2, r12, r7
        smlad r10, r3, r12, r11
        smlad r7, r2, lr, r7
        smlad r11, r3, lr, r11
        ldr pc, [sp, #entry]
        .p2align 2
    3:
        .rept 8
        ldr r2, [r0], #4
        sxtb16 r3, r2, ror #8
        sxtb16 r2, r2
        ldrd r12, lr, [r1], #8
        smlad r4, r2, r12, r4
        smlad r8, r3, r12, r8
        smlad r5, r2, lr, r5
        smlad r9, r3, lr, r9
        ldrd r12, lr, [r1], #8
        smlad r6, r2, r12, r6
        smlad r10, r3, r12, r10
        smlad r7, r2, lr, r7
        smlad r11, r3, lr, r11
        .endr
        ldr r12, [sp, #columns_end]
        cmp r1, r12
        bne 3b
        .p2align 2
    4:  ldrd r1, lr, [sp, #pre_shift]
        "
    };
}

/// The next pair of rows, or the end.
macro_rules! leave {
    () => {
        "
        str r1, [sp, #channels]
        cmp r1, r8
        bne 2b
        pop {{r1-r11, pc}}
        "
    };
}

/// Stores two outputs a pair of rows, at four pixels that are `stride` apart.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn store_x4(
    rows: *const i8,
    output: *mut i8,
    stride: usize,
    channels_end: *const u32,
    columns: *const u32,
    channels: *const u32,
    steps: usize,
    pre_shift: u32,
    zero_point: i32,
    columns_end: *const u32,
) {
    naked_asm!(
        processor!(),
        enter!(),
        products!(),
        "
        cbz r1, 5f
        lsl r4, r4, r1
        lsl r5, r5, r1
        lsl r6, r6, r1
        lsl r7, r7, r1
        lsl r8, r8, r1
        lsl r9, r9, r1
        lsl r10, r10, r1
        lsl r11, r11, r1
    5:  ldr r1, [sp, #channels]
        ldr r2, [r1, #8]
        ldr r3, [r1, #16]!
        smmlar r4, r4, r2, lr
        smmlar r5, r5, r2, lr
        smmlar r6, r6, r2, lr
        smmlar r7, r7, r2, lr
        smmlar r8, r8, r3, lr
        smmlar r9, r9, r3, lr
        smmlar r10, r10, r3, lr
        smmlar r11, r11, r3, lr
        ssat r4, #8, r4
        ssat r5, #8, r5
        ssat r6, #8, r6
        ssat r7, #8, r7
        ssat r8, #8, r8
        ssat r9, #8, r9
        ssat r10, #8, r10
        ssat r11, #8, r11
        bfi r4, r8, #8, #8
        bfi r5, r9, #8, #8
        bfi r6, r10, #8, #8
        bfi r7, r11, #8, #8
        ldm sp, {{r2, r3, r8}}
        strh r5, [r2, r3]
        strh r6, [r2, r3, lsl #1]
        add r12, r2, r3
        strh r7, [r12, r3, lsl #1]
        strh r4, [r2], #2
        str r2, [sp, #output]
        ",
        leave!(),
    )
}

/// Stores the greatest of the four columns alone.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn store_max(
    rows: *const i8,
    output: *mut i8,
    stride: usize,
    channels_end: *const u32,
    columns: *const u32,
    channels: *const u32,
    steps: usize,
    pre_shift: u32,
    zero_point: i32,
    columns_end: *const u32,
) {
    naked_asm!(
        processor!(),
        enter!(),
        products!(),
        "
        cmp r4, r5
        it lt
        movlt r4, r5
        cmp r6, r7
        it lt
        movlt r6, r7
        cmp r4, r6
        it lt
        movlt r4, r6
        cmp r8, r9
        it lt
        movlt r8, r9
        cmp r10, r11
        it lt
        movlt r10, r11
        cmp r8, r10
        it lt
        movlt r8, r10
        lsl r4, r4, r1
        lsl r8, r8, r1
        ldr r1, [sp, #channels]
        ldr r2, [r1, #8]
        ldr r3, [r1, #16]!
        smmlar r4, r4, r2, lr
        smmlar r8, r8, r3, lr
        ssat r4, #8, r4
        ssat r8, #8, r8
        bfi r4, r8, #8, #8
        ldm sp, {{r2, r3, r8}}
        strh r4, [r2], #2
        str r2, [sp, #output]
        ",
        leave!(),
    )
}

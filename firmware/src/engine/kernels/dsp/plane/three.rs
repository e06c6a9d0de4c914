//! 3 x 3 filters, two outputs at a time.
//!
//! With four values `0 1 2 3` of a row in pairs and its weights as `a b` and `b c`, the first output
//! is `01 * ab + 2 * c`, the second in steps of one `1 * a + 23 * bc`.
//!
//! | registers | content |
//! |---|---|
//! | r0 to r2 | next values of the three rows |
//! | r3 to r8 | weights |
//! | r9, r10 | values, and whatever the end needs |
//! | r11, r12 | sums |
//! | lr | next output |

use core::arch::naked_asm;

use super::call::Call;

/// The call's last three rows and what follows them are copied to the stack; then the next channel:
/// its rows, weights, bias and multiplier.
macro_rules! enter {
    () => {
        "
        push {{r4-r11, lr}}
        sub sp, sp, #52
        .equ rows, 0            // and filters behind them
        .equ step, 16
        .equ end, 20
        .equ output, 24
        .equ plane, 28
        .equ filters_end, 32
        .equ odd, 36
        .equ bias, 40
        .equ multiplier, 44     // and zero point behind it
        add r0, r0, #16
        ldm r0!, {{r1-r12}}
        stm sp, {{r1-r12}}
        ldr r1, [r0]
        str r1, [sp, #48]
    1:  ldm sp, {{r0-r3}}
        ldr r12, [sp, #plane]
        add r9, r0, r12
        add r10, r1, r12
        add r11, r2, r12
        add r12, r3, #32
        stm sp, {{r9-r12}}
        ldrd r9, r10, [r3], #8
        strd r9, r10, [sp, #bias]
        ldm r3, {{r3-r8}}
        ldr lr, [sp, #output]
        .p2align 2
    2:  ldr r12, [sp, #bias]
        "
    };
}

/// Sums to outputs.
macro_rules! store {
    () => {
        "
        ldrd r9, r10, [sp, #multiplier]
        smmlar r11, r11, r9, r10
        smmlar r12, r12, r9, r10
        ssat r11, #8, r11
        ssat r12, #8, r12
        ldrd r9, r10, [sp, #step]
        strb r12, [lr, r9]
        strb r11, [lr]
        add lr, lr, r9, lsl #1
        cmp lr, r10
        "
    };
}

/// The next channel, or the end.
macro_rules! leave {
    () => {
        "
    4:  ldrd r9, r10, [sp, #end]
        add r9, r9, #1
        add r10, r10, #1
        strd r9, r10, [sp, #end]
        ldr r9, [sp, #12]
        ldr r10, [sp, #filters_end]
        cmp r9, r10
        bne 1b
        add sp, sp, #52
        pop {{r4-r11, pc}}
        "
    };
}

/// In steps of one; an odd output comes last, the second of its pair falls on it and is overwritten.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn steps_of_one(call: *const Call) {
    naked_asm!(
        processor!(),
        enter!(),
        "
        ldrd r9, r10, [r0], #4
        smlad r11, r9, r3, r12
        smlatb r12, r9, r3, r12
        smlabt r11, r10, r4, r11
        smlad r12, r10, r4, r12
        ldrd r9, r10, [r1], #4
        smlad r11, r9, r5, r11
        smlatb r12, r9, r5, r12
        smlabt r11, r10, r6, r11
        smlad r12, r10, r6, r12
        ldrd r9, r10, [r2], #4
        smlad r11, r9, r7, r11
        smlatb r12, r9, r7, r12
        smlabt r11, r10, r8, r11
        smlad r12, r10, r8, r12
        ",
        store!(),
        "
        bne 2b
        ldr r10, [sp, #odd]
        cmp r10, #0
        beq 4f
        str r10, [sp, #step]
        subs r9, r9, #0
        beq 4f
        mov r9, #0
        str r9, [sp, #step]
        b 2b
        ",
        leave!(),
    )
}

/// In steps of two; an odd output comes last, together with the one before it once more.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn steps_of_two(call: *const Call) {
    naked_asm!(
        processor!(),
        enter!(),
        "
        ldrd r9, r10, [r0], #8
        smlad r11, r9, r3, r12
        smlabt r11, r10, r4, r11
        smlad r12, r10, r3, r12
        ldr r9, [r0]
        smlabt r12, r9, r4, r12
        ldrd r9, r10, [r1], #8
        smlad r11, r9, r5, r11
        smlabt r11, r10, r6, r11
        smlad r12, r10, r5, r12
        ldr r9, [r1]
        smlabt r12, r9, r6, r12
        ldrd r9, r10, [r2], #8
        smlad r11, r9, r7, r11
        smlabt r11, r10, r8, r11
        smlad r12, r10, r7, r12
        ldr r9, [r2]
        smlabt r12, r9, r8, r12
        ",
        store!(),
        "
        blo 2b
        bhi 4f
        ldr r10, [sp, #odd]
        cmp r10, #0
        beq 4f
        sub r0, r0, #4
        sub r1, r1, #4
        sub r2, r2, #4
        sub lr, lr, r9
        b 2b
        ",
        leave!(),
    )
}

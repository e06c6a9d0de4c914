//! 5 x 5 and 7 x 7 filters, two outputs at a time.
//!
//! With values `0 1 2 3 4 5` of a row in pairs and its weights as `a b`, `b c`, `c d` and `d e`, the
//! first output is `01 * ab + 23 * cd + 4 * e`, the second in steps of one `1 * a + 23 * bc + 45 * de`.
//!
//! | registers | content |
//! |---|---|
//! | r0 | offset of the next values in the first plane |
//! | r1 | next weights |
//! | r2 to r5, r6 | values of a row |
//! | r6, r7 and on | weights of a row |
//! | r12, lr | sums |

use core::arch::naked_asm;

use super::call::Call;
use super::weights::{HEAD, pairs};

/// `SIDE` is 5 or 7, `STRIDE` one or two. An odd output comes last: in steps of one the second of its
/// pair falls on it and is overwritten, in steps of two it comes together with the one before it once
/// more.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn wide<const SIDE: usize, const STRIDE: usize>(call: *const Call) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        sub sp, sp, #({SIDE} * 4 + 40)
        .equ filters, {SIDE} * 4
        .equ step, filters + 4
        .equ end, filters + 8
        .equ output, filters + 12
        .equ plane, filters + 16
        .equ filters_end, filters + 20
        .equ odd, filters + 24
        .equ now, filters + 28      // the next output
        .equ start, filters + 32    // where the channel's plane starts
        .equ zero_point, filters + 36
        add r0, r0, #(28 - {SIDE} * 4)
        mov r12, sp
        ldm r0!, {{r1-r9}}
        stm r12!, {{r1-r9}}
        .if {SIDE} == 5
        ldm r0!, {{r1-r6}}
        stm r12!, {{r1-r6}}
        .else
        ldm r0!, {{r1-r8}}
        stm r12!, {{r1-r8}}
        .endif
    1:  ldr r2, [sp, #output]
        str r2, [sp, #now]
        ldr r0, [sp, #start]
        ldr r2, [sp, #plane]
        add r2, r2, r0
        str r2, [sp, #start]
        .p2align 2
    2:  ldr r1, [sp, #filters]
        ldr r12, [r1], #8
        mov lr, r12
        .equ row, 0
        .rept {SIDE}
        ldr r5, [sp, #row]
        .equ row, row + 4
        add r5, r5, r0
        .if {SIDE} == 5 && {STRIDE} == 1
        ldm r5, {{r2-r4}}
        ldm r1!, {{r6-r9}}
        smlad r12, r2, r6, r12
        smlatb lr, r2, r6, lr
        smlad r12, r3, r8, r12
        smlad lr, r3, r7, lr
        smlabt r12, r4, r9, r12
        smlad lr, r4, r9, lr
        .elseif {SIDE} == 5
        ldm r5, {{r2-r5}}
        ldm r1!, {{r6-r8}}
        smlad r12, r2, r6, r12
        smlad lr, r3, r6, lr
        smlad r12, r3, r7, r12
        smlad lr, r4, r7, lr
        smlabt r12, r4, r8, r12
        smlabt lr, r5, r8, lr
        .elseif {STRIDE} == 1
        ldm r5, {{r2-r5}}
        ldm r1!, {{r6-r11}}
        smlad r12, r2, r6, r12
        smlatb lr, r2, r6, lr
        smlad r12, r3, r8, r12
        smlad lr, r3, r7, lr
        smlad r12, r4, r10, r12
        smlad lr, r4, r9, lr
        smlabt r12, r5, r11, r12
        smlad lr, r5, r11, lr
        .else
        ldm r5, {{r2-r6}}
        ldm r1!, {{r7-r10}}
        smlad r12, r2, r7, r12
        smlad lr, r3, r7, lr
        smlad r12, r3, r8, r12
        smlad lr, r4, r8, lr
        smlad r12, r4, r9, r12
        smlad lr, r5, r9, lr
        smlabt r12, r5, r10, r12
        smlabt lr, r6, r10, lr
        .endif
        .endr
        ldr r4, [r1, #-({PAIRS} * 4 + 4)]
        ldr r5, [sp, #zero_point]
        smmlar r12, r12, r4, r5
        smmlar lr, lr, r4, r5
        ssat r12, #8, r12
        ssat lr, #8, lr
        ldr r2, [sp, #now]
        ldrd r3, r4, [sp, #step]
        strb lr, [r2, r3]
        strb r12, [r2]
        add r0, r0, #({STRIDE} * 4)
        add r2, r2, r3, lsl #1
        str r2, [sp, #now]
        cmp r2, r4
        .if {STRIDE} == 1
        bne 2b
        ldr r4, [sp, #odd]
        cmp r4, #0
        beq 4f
        str r4, [sp, #step]
        subs r3, r3, #0
        beq 4f
        mov r3, #0
        str r3, [sp, #step]
        b 2b
        .else
        blo 2b
        bhi 4f
        ldr r4, [sp, #odd]
        cmp r4, #0
        beq 4f
        sub r0, r0, #4
        sub r2, r2, r3
        str r2, [sp, #now]
        b 2b
        .endif
    4:  ldrd r2, r3, [sp, #end]
        add r2, r2, #1
        add r3, r3, #1
        strd r2, r3, [sp, #end]
        ldr r1, [sp, #filters]
        ldr r2, [sp, #filters_end]
        add r1, r1, #(({HEAD} + {PAIRS}) * 4)
        str r1, [sp, #filters]
        cmp r1, r2
        bne 1b
        add sp, sp, #({SIDE} * 4 + 40)
        pop {{r4-r11, pc}}
        ",
        SIDE = const SIDE,
        STRIDE = const STRIDE,
        HEAD = const HEAD,
        PAIRS = const pairs(SIDE, STRIDE),
    )
}

//! The loops of [`super`] in assembly.

use core::arch::naked_asm;

use super::call::Call;

/// Where the arguments lie once the registers are saved: the first nine on the stack.
macro_rules! enter {
    () => {
        "
        push {{r4-r11, lr}}
        vpush {{d8-d15}}
        sub sp, sp, #108
        .equ channels, 64       // below it the sums, by pixel and channel
        .equ output, 68         // and stride
        .equ quads, 76
        .equ pre_shift, 80      // and zero point
        .equ min, 88
        .equ last, 96
        .equ entry, 100         // of the first pair and of the second
        ldm r0!, {{r4-r12}}
        add lr, sp, #64
        stm lr, {{r4-r12}}
        vdup.32 q4, r11
        ldm r0, {{r1, r3, r5, r7, r9, r11}}
        "
    };
}

/// Requantises the sums, stores four outputs of each pixel, or those of the greatest sums.
macro_rules! store {
    () => {
        "
        ldr r0, [sp, #channels]
        ldrd r4, r6, [sp, #output]
        vld20.32 {{q1, q2}}, [r0]
        vld21.32 {{q1, q2}}, [r0]!
        str r0, [sp, #channels]
        .if {POOL}
        vldrw.u32 q0, [sp]
        vadd.i32 q0, q0, q1
        .set pixel, 1
        .rept 3
        vldrw.u32 q3, [sp, #pixel * 16]
        vadd.i32 q3, q3, q1
        vmax.s32 q0, q0, q3
        .set pixel, pixel + 1
        .endr
        .else
        add r0, r4, r6
        add r2, r4, r6, lsl #1
        add r6, r0, r6, lsl #1
        .endif
        ldrd r8, r10, [sp, #pre_shift]
        ldr r12, [sp, #min]
        vdup.32 q3, r12
        .set pixel, 0
        .rept 4
        .if {POOL} == 0
        vldrw.u32 q0, [sp, #pixel * 16]
        vadd.i32 q0, q0, q1
        .endif
        .if {POOL} == 0 || pixel == 0
        vshl.s32 q0, r8
        vrmulh.s32 q0, q0, q2
        vadd.i32 q0, q0, r10
        vmax.s32 q0, q0, q3
        vmin.s32 q0, q0, q4
        .if pixel == 0
        vstrb.32 q0, [r4], #4
        .elseif pixel == 1
        vstrb.32 q0, [r0]
        .elseif pixel == 2
        vstrb.32 q0, [r2]
        .else
        vstrb.32 q0, [r6]
        .endif
        .endif
        .set pixel, pixel + 1
        .endr
        str r4, [sp, #output]
        "
    };
}

macro_rules! leave {
    () => {
        "
        add sp, sp, #108
        vpop {{d8-d15}}
        pop {{r4-r11, pc}}
        "
    };
}

/// A step that continues.
macro_rules! step {
    () => {
        "
        vld20.8 {{q0, q1}}, [r3]
        vld21.8 {{q0, q1}}, [r3]!
        vldrb.u8 q2, [r1], #16
        vmladava.s8 r0, q0, q2
        vmladava.s8 r8, q1, q2
        vldrb.u8 q3, [r1], #16
        vmladava.s8 r2, q0, q3
        vmladava.s8 r10, q1, q3
        vldrb.u8 q2, [r1], #16
        vmladava.s8 r4, q0, q2
        vmladava.s8 r12, q1, q2
        vldrb.u8 q3, [r1], #16
        vmladava.s8 r6, q0, q3
        vmladava.s8 lr, q1, q3
        "
    };
}

/// A whole step that begins, and the steps that stand in a row, entered at r9.
macro_rules! products {
    ($label:literal) => {
        concat!(
            "
        vld20.8 {{q0, q1}}, [r3]
        vld21.8 {{q0, q1}}, [r3]!
        vldrb.u8 q2, [r1], #16
        vmladav.s8 r0, q0, q2
        vmladav.s8 r8, q1, q2
        vldrb.u8 q3, [r1], #16
        vmladav.s8 r2, q0, q3
        vmladav.s8 r10, q1, q3
        vldrb.u8 q2, [r1], #16
        vmladav.s8 r4, q0, q2
        vmladav.s8 r12, q1, q2
        vldrb.u8 q3, [r1], #16
        vmladav.s8 r6, q0, q3
        vmladav.s8 lr, q1, q3
        bx r9
        .p2align 2
        ",
            $label,
            ":
        .rept 8
        ",
            step!(),
            "
        .endr
        cmp r1, r11
        bne ",
            $label,
            "b
        "
        )
    };
}

/// More than sixteen taps. With `TAIL` the last step is no whole one, and what columns have behind
/// their end is set to zero at first.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn long<const TAIL: u32, const POOL: u32>(call: *const Call) {
    naked_asm!(
        processor!(),
        enter!(),
        "
        .if {TAIL}
        vmov.i32 q0, #0
        rsb r2, r7, #32
        lsr r2, r2, #1
        vctp.8 r2
        vpnot
        vpstttt
        vstrbt.8 q0, [r11]
        vstrbt.8 q0, [r11, #16]
        vstrbt.8 q0, [r11, #32]
        vstrbt.8 q0, [r11, #48]
        .endif
        adr r0, 13f
        adr r2, 23f
        add r0, r0, r9
        add r2, r2, r9
        orr r0, r0, #1          // Thumb
        orr r2, r2, #1
        strd r0, r2, [sp, #entry]
        .p2align 2
    1:  ldr r9, [sp, #entry]
        ",
        products!("13"),
        "
        .if {TAIL}
        ",
        step!(),
        "
        sub r3, r3, r7
        .endif
        strd r0, r8, [sp]
        strd r2, r10, [sp, #16]
        strd r4, r12, [sp, #32]
        strd r6, lr, [sp, #48]
        ldr r9, [sp, #entry + 4]
        mov r1, r5
        ",
        products!("23"),
        "
        .if {TAIL}
        ldr r9, [sp, #quads]
        cmp r9, #1
        it eq
        ldreq r3, [sp, #last]
        ",
        step!(),
        "
        sub r3, r3, r7
        .endif
        strd r0, r8, [sp, #8]
        strd r2, r10, [sp, #24]
        strd r4, r12, [sp, #40]
        strd r6, lr, [sp, #56]
        mov r1, r5
        ",
        store!(),
        "
        ldr r0, [sp, #quads]
        subs r0, r0, #1
        str r0, [sp, #quads]
        bne 1b
        ",
        leave!(),
        TAIL = const TAIL,
        POOL = const POOL,
    )
}

/// At most sixteen taps; what the columns have behind their end is set to zero at first.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn short<const POOL: u32>(call: *const Call) {
    naked_asm!(
        processor!(),
        enter!(),
        "
        lsr r2, r7, #1
        vctp.8 r2
        vpstttt
        vldrbt.u8 q5, [r1]
        vldrbt.u8 q6, [r1, #16]
        vldrbt.u8 q7, [r1, #32]
        vldrbt.u8 q2, [r1, #48]
        vstrb.8 q2, [r1, #48]
        ldr r9, [sp, #last]
        ldr r11, [sp, #quads]
        .p2align 2
    1:
        .set pair, 0
        .rept 2
        .if pair == 1
        cmp r11, #1
        it eq
        moveq r3, r9
        .endif
        vld20.8 {{q0, q1}}, [r3]
        vld21.8 {{q0, q1}}, [r3]
        vldrb.u8 q2, [r1, #48]
        vmladav.s8 r0, q0, q5
        vmladav.s8 r8, q1, q5
        vmladav.s8 r2, q0, q6
        vmladav.s8 r10, q1, q6
        vmladav.s8 r4, q0, q7
        vmladav.s8 r12, q1, q7
        vmladav.s8 r6, q0, q2
        vmladav.s8 lr, q1, q2
        add r3, r3, r7
        strd r0, r8, [sp, #pair * 8]
        strd r2, r10, [sp, #pair * 8 + 16]
        strd r4, r12, [sp, #pair * 8 + 32]
        strd r6, lr, [sp, #pair * 8 + 48]
        .set pair, pair + 1
        .endr
        ",
        store!(),
        "
        subs r11, r11, #1
        bne 1b
        ",
        leave!(),
        POOL = const POOL,
    )
}

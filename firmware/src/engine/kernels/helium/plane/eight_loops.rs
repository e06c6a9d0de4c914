//! The loops of [`super::eight`] in assembly.

use core::arch::naked_asm;
use core::mem::offset_of;
use core::ptr;

use super::super::super::Filters;
use crate::image::Channel;

/// Channels that lie side by side.
pub(super) const SIDE: usize = 8;

/// What computes a row is given.
#[repr(C)]
pub(super) struct Call {
    /// The rows under the window.
    pub(super) rows: *const *const i8,
    pub(super) output: *mut i8,
    packed: *const u32,
    height: usize,
    /// Pairs of outputs, and whether there is one more.
    pairs: usize,
    odd: usize,
    /// From output to output, in a row and where they go.
    step: [usize; 2],
    zero_point: i32,
    min: i32,
    max: i32,
    pre_shift: u32,
}

impl Call {
    pub(super) fn of(filters: &Filters<'_>, packed: *const u32) -> Self {
        Self {
            rows: ptr::null(),
            output: ptr::null_mut(),
            packed,
            height: filters.kernel[0],
            pairs: filters.outputs / 2,
            odd: filters.outputs % 2,
            step: [filters.stride * SIDE, filters.step],
            zero_point: filters.requantize.zero_point,
            min: filters.requantize.min.into(),
            max: filters.requantize.max.into(),
            pre_shift: filters.requantize.pre_shift,
        }
    }
}

/// Biases and multipliers of the even and of the odd ones of eight channels, and their weights, tap by tap.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pack(
    weights: *const i8,
    step: usize,
    packed: *mut u32,
    channels: *const Channel,
    taps: usize,
) {
    naked_asm!(
        processor!(),
        "
        push {{r7, lr}}
        ldr r12, [sp, #8]
        vld40.32 {{q0, q1, q2, q3}}, [r3]
        vld41.32 {{q0, q1, q2, q3}}, [r3]
        vld42.32 {{q0, q1, q2, q3}}, [r3]
        vld43.32 {{q0, q1, q2, q3}}, [r3]
        vstrw.32 q0, [r2], #16
        vstrw.32 q1, [r2], #16
        vstrw.32 q2, [r2], #16
        vstrw.32 q3, [r2], #16
        dls lr, r12
    2:  vldrb.u16 q0, [r0]
        add r0, r0, r1
        vstrb.16 q0, [r2], #8
        le lr, 2b
        pop {{r7, pc}}
        "
    )
}

/// Eight values of each of `count` pixels, which is not 0.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pixels(from: *const i8, step: usize, to: *mut i8, count: usize) {
    naked_asm!(
        processor!(),
        "
        push {{r7, lr}}
        lsrs r12, r3, #1
        wls lr, r12, 3f
    2:  vldrb.u16 q0, [r0]
        add r0, r0, r1
        vldrb.u16 q1, [r0]
        add r0, r0, r1
        vstrb.16 q0, [r2], #8
        vstrb.16 q1, [r2], #8
        le lr, 2b
    3:  lsls r3, r3, #31
        beq 4f
        vldrb.u16 q0, [r0]
        vstrb.16 q0, [r2]
    4:  pop {{r7, pc}}
        "
    )
}

/// The sums of one pixel or of two under all rows of the window.
macro_rules! sums {
    ($two:literal) => {
        concat!(
            "
        vldrw.u32 q0, [r7]
        vldrw.u32 q1, [r7, #32]
        add r3, r7, #64
        mov r4, r8
        .if ",
            $two,
            "
        vmov q2, q0
        vmov q3, q1
        .endif
        dls lr, r12
    2:  ldr r5, [r4], #4
        add r5, r5, r1
        .if ",
            $two,
            "
        add r6, r5, r2
        .endif
        .set column, 0
        .rept {WIDTH}
        vldrb.s16 q4, [r3], #8
        vldrb.s16 q5, [r5, #column * 8]
        vmullb.s16 q6, q5, q4
        vadd.i32 q0, q0, q6
        vmullt.s16 q6, q5, q4
        vadd.i32 q1, q1, q6
        .if ",
            $two,
            "
        vldrb.s16 q5, [r6, #column * 8]
        vmullb.s16 q6, q5, q4
        vadd.i32 q2, q2, q6
        vmullt.s16 q6, q5, q4
        vadd.i32 q3, q3, q6
        .endif
        .set column, column + 1
        .endr
        le lr, 2b
        ldr r5, [sp, #call]
        ldrd r3, r4, [r5, #{ZERO_POINT}]
        ldrd r5, r6, [r5, #{MAX}]
        vldrw.u32 q4, [r7, #16]
        vldrw.u32 q5, [r7, #48]
        vdup.16 q6, r4
        vdup.16 q7, r5
        "
        )
    };
}

/// Requantises a pixel's sums and stores its outputs.
macro_rules! store {
    ($even:literal, $odd:literal) => {
        concat!(
            "vshl.s32 ",
            $even,
            ", r6
        vshl.s32 ",
            $odd,
            ", r6
        vrmulh.s32 ",
            $even,
            ", ",
            $even,
            ", q4
        vrmulh.s32 ",
            $odd,
            ", ",
            $odd,
            ", q5
        vqmovnb.s32 ",
            $even,
            ", ",
            $even,
            "
        vqmovnt.s32 ",
            $even,
            ", ",
            $odd,
            "
        vqadd.s16 ",
            $even,
            ", ",
            $even,
            ", r3
        vmax.s16 ",
            $even,
            ", ",
            $even,
            ", q6
        vmin.s16 ",
            $even,
            ", ",
            $even,
            ", q7
        vstrb.16 ",
            $even,
            ", [r0]
        "
        )
    };
}

/// A row of the output, for a window of `WIDTH` columns.
///
/// | registers | content |
/// |---|---|
/// | r0, r11 | next output, from one to the next |
/// | r1, r2 | where the window begins in its rows, and how far from there the next |
/// | r3 | next weights |
/// | r4, r5, r6 | next row, the windows of both in it |
/// | r7, r8, r12 | packed weights, rows, their number |
/// | r9, r10 | pairs to come, whether one more output comes |
/// | q0, q1, q2, q3 | sums of both pixels, of the even and of the odd channels |
/// | q4, q5, q6 | weights, inputs, products |
#[unsafe(naked)]
pub(super) unsafe extern "C" fn row<const WIDTH: u32>(call: *const Call) {
    naked_asm!(
        processor!(),
        "
        push {{r0, r4-r11, lr}}
        vpush {{d8-d15}}
        .equ call, 64
        ldrd r7, r12, [r0, #{PACKED}]
        ldrd r9, r10, [r0, #{PAIRS}]
        ldrd r2, r11, [r0, #{STEP}]
        ldrd r8, r0, [r0]
        movs r1, #0
        cmp r9, #0
        beq 5f
        .p2align 2
    1:
        ",
        sums!("1"),
        store!("q0", "q1"),
        "
        add r0, r0, r11
        ",
        store!("q2", "q3"),
        "
        add r0, r0, r11
        add r1, r1, r2, lsl #1
        subs r9, r9, #1
        bne 1b
    5:  cmp r10, #0
        beq 6f
        ",
        sums!("0"),
        store!("q0", "q1"),
        "
    6:  vpop {{d8-d15}}
        pop {{r0, r4-r11, pc}}
        ",
        PACKED = const offset_of!(Call, packed),
        PAIRS = const offset_of!(Call, pairs),
        STEP = const offset_of!(Call, step),
        ZERO_POINT = const offset_of!(Call, zero_point),
        MAX = const offset_of!(Call, max),
        WIDTH = const WIDTH,
    )
}

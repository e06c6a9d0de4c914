//! Means of windows, eight channels at a time.

use core::arch::naked_asm;

use super::super::Pool;

/// Channels that are summed together.
const LANES: usize = 8;
/// Most pixels whose sums fit 16 bits.
const MOST: usize = 255;

/// What the loop is given.
#[repr(C)]
struct Call {
    columns: usize,
    step: usize,
    pitch: usize,
    start: i32,
    pre_shift: u32,
    zero_point: i32,
    rows: usize,
    multiplier: i32,
    min: i32,
    max: i32,
}

pub(crate) fn average(pool: &Pool, window: &[i8], output: &mut [i8]) -> bool {
    let Pool { rows, columns, .. } = *pool;
    let read = rows.saturating_sub(1) * pool.pitch + columns * pool.step;
    let fits = (1..=MOST).contains(&(rows * columns)) && read <= window.len();
    if !fits || pool.step < LANES || output.len() != pool.step {
        return false;
    }
    let call = Call {
        columns,
        step: pool.step,
        pitch: pool.pitch,
        start: pool.start,
        pre_shift: pool.requantize.pre_shift,
        zero_point: pool.requantize.zero_point,
        rows,
        multiplier: pool.multiplier,
        min: pool.requantize.min.into(),
        max: pool.requantize.max.into(),
    };
    // SAFETY: there are at least eight channels, as many outputs, and all pixels of the window.
    unsafe { averages(window.as_ptr(), output.as_mut_ptr(), pool.step, &call) };
    true
}

/// The last eight channels, if they are no eight of their own, begin before the end of those before.
///
/// | registers | content |
/// |---|---|
/// | r0, r1, r2 | next channels and outputs, channels to come |
/// | r3, r4, r5, r6 | next row, pixels of a row, from pixel to pixel and from row to row |
/// | r12, r8, r9 | start, shift, zero point |
/// | r10, r11, r7 | rows to come, rows, next pixel |
/// | q0, q1, q2 | sums, the even ones, the odd ones |
/// | q3, q4, q5 | multiplier, least and greatest outputs |
#[unsafe(naked)]
unsafe extern "C" fn averages(
    window: *const i8,
    output: *mut i8,
    channels: usize,
    call: *const Call,
) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        vpush {{d8-d11}}
        ldm r3!, {{r4-r9, r11}}
        ldm r3, {{r3, r10, r12}}
        vdup.32 q3, r3
        vdup.16 q4, r10
        vdup.16 q5, r12
        mov r12, r7
    1:  vmov.i32 q0, #0
        mov r3, r0
        mov r10, r11
    2:  mov r7, r3
        dls lr, r4
    3:  vldrb.s16 q1, [r7]
        add r7, r7, r5
        vadd.i16 q0, q0, q1
        le lr, 3b
        add r3, r3, r6
        subs r10, r10, #1
        bne 2b
        vmovlb.s16 q1, q0
        vmovlt.s16 q2, q0
        vadd.i32 q1, q1, r12
        vadd.i32 q2, q2, r12
        vshl.s32 q1, r8
        vshl.s32 q2, r8
        vrmulh.s32 q1, q1, q3
        vrmulh.s32 q2, q2, q3
        vqmovnb.s32 q1, q1
        vqmovnt.s32 q1, q2
        vqadd.s16 q1, q1, r9
        vmax.s16 q1, q1, q4
        vmin.s16 q1, q1, q5
        vstrb.16 q1, [r1], #8
        adds r0, r0, #8
        subs r2, r2, #8
        beq 4f
        cmp r2, #8
        bhs 1b
        rsb r3, r2, #8
        subs r0, r0, r3
        subs r1, r1, r3
        movs r2, #8
        b 1b
    4:  vpop {{d8-d11}}
        pop {{r4-r11, pc}}
        "
    )
}

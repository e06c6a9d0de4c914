//! 3 x 3 filters, four outputs at a time.
//!
//! | registers | content |
//! |---|---|
//! | r0, r1 | next column, next output |
//! | r2, r4, r6, r8 | sums |
//! | r3 | from one four of outputs to the next |
//! | r5, r10, r12 | zero point, bias, shift |
//! | r7, r9, r11 | the filter's bias and multiplier, its weights, its plane |
//! | q1, q2, q3, q4 | least and greatest outputs, their offsets, multiplier |
//! | q5, q6 | weights, and one column to the right |

use core::arch::naked_asm;
use core::ptr;

use super::super::super::Filters;
use super::columns::COLUMN;
use super::pack::{FILTER, ORDER};
use crate::image::Channel;

/// Outputs that are computed together.
const TOGETHER: usize = 4;

/// What a loop works on.
#[repr(C)]
struct Call {
    plane: *const i8,
    output: *mut i8,
    /// Bytes of a plane.
    planes: usize,
    /// From output to output.
    step: usize,
    /// Fours of outputs.
    fours: usize,
    /// Where in its plane the last four starts, if not at a whole four, else 0.
    last_plane: usize,
    /// Where in the row.
    last_output: usize,
    /// Filters.
    count: usize,
    min: i32,
    max: i32,
    zero_point: i32,
    channels: *const Channel,
    packed: *const u32,
    pre_shift: u32,
    outputs: usize,
}

/// Whether there is a loop for the filters: nothing is read beyond the planes.
pub(super) fn fits(filters: &Filters<'_>, planes: &[i8]) -> bool {
    let (outputs, stride) = (filters.outputs, filters.stride);
    let Some(last) = filters.channels.len().checked_sub(1) else {
        return false;
    };
    // Two outputs in steps of one share their sixteen bytes.
    let reach = match stride {
        1 => outputs.max(TOGETHER) - 2,
        _ => (outputs.max(TOGETHER) - 1) * stride,
    };
    let columns = last * filters.pitch + reach + 4;
    stride <= 2 && outputs > 0 && planes.len() >= columns * COLUMN
}

type Kernel = unsafe extern "C" fn(call: *const Call);

/// Filters that fit, and the loop for them.
pub(super) struct Loop {
    call: Call,
    kernel: Kernel,
}

impl Loop {
    /// None if there are no weights of all of them.
    pub(super) fn of(filters: &Filters<'_>, packed: &[u32], planes: &[i8]) -> Option<Self> {
        let (outputs, stride, count) = (filters.outputs, filters.stride, filters.channels.len());
        if packed.len() <= count * FILTER {
            return None;
        }
        let last = match outputs % TOGETHER {
            0 => 0,
            _ => outputs.saturating_sub(TOGETHER),
        };
        let call = Call {
            plane: planes.as_ptr(),
            output: ptr::null_mut(),
            planes: filters.pitch * COLUMN,
            step: filters.step,
            fours: (outputs / TOGETHER).max(1),
            last_plane: last * stride * COLUMN,
            last_output: last * filters.step,
            count,
            min: filters.requantize.min.into(),
            max: filters.requantize.max.into(),
            zero_point: filters.requantize.zero_point,
            channels: filters.channels.as_ptr(),
            packed: packed.as_ptr(),
            pre_shift: filters.requantize.pre_shift,
            outputs,
        };
        let kernel = match (stride, outputs < TOGETHER) {
            (1, false) => loops::<1, 0>,
            (1, true) => loops::<1, 1>,
            (_, false) => loops::<2, 0>,
            (_, true) => loops::<2, 1>,
        };
        Some(Self { call, kernel })
    }

    /// A row, `first` below three being the window's first in the ring.
    ///
    /// # Safety
    /// The filters fit the planes, they and their channels and weights are still there, and the output
    /// has all places that are written.
    #[inline(always)]
    pub(super) unsafe fn row(&mut self, packed: &[u32], first: usize, output: *mut i8) {
        self.call.output = output;
        self.call.packed = packed.as_ptr().wrapping_add(first * ORDER);
        // SAFETY: as the caller says.
        unsafe { (self.kernel)(&self.call) };
    }
}

/// Four outputs, not stored yet.
macro_rules! sums {
    () => {
        "
        .if {STRIDE} == 1
        vldrb.u8 q0, [r0], #8
        vmladav.s8 r2, q0, q5
        vmladav.s8 r4, q0, q6
        vldrb.u8 q0, [r0], #8
        vmladav.s8 r6, q0, q5
        vmladav.s8 r8, q0, q6
        .else
        vldrb.u8 q0, [r0], #8
        vmladav.s8 r2, q0, q5
        vldrb.u8 q0, [r0], #8
        vmladav.s8 r4, q0, q5
        vldrb.u8 q0, [r0], #8
        vmladav.s8 r6, q0, q5
        vldrb.u8 q0, [r0], #8
        vmladav.s8 r8, q0, q5
        .endif
        vmov q0[2], q0[0], r2, r6
        vmov q0[3], q0[1], r4, r8
        vadd.i32 q0, q0, r10
        vshl.s32 q0, r12
        vrmulh.s32 q0, q0, q4
        vadd.i32 q0, q0, r5
        vmax.s32 q0, q0, q1
        vmin.s32 q0, q0, q2
        "
    };
}

/// In steps of `STRIDE`. What is left of a row comes together with outputs before it once more; with
/// `FEW` there are fewer than four, and those only are stored.
#[unsafe(naked)]
unsafe extern "C" fn loops<const STRIDE: u32, const FEW: u32>(call: *const Call) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        vpush {{d8-d13}}
        sub sp, sp, #36
        .equ plane, 0           // and output
        .equ planes, 8          // and step
        .equ fours, 16          // and the last four
        .equ last_plane, 20     // and output
        .equ count, 28
        ldm r0!, {{r1-r8}}
        stm sp, {{r1-r8}}
        lsl r3, r4, #2
        movs r2, #0
        vidup.u32 q3, r2, #1
        vmul.i32 q3, q3, r4
        ldm r0, {{r1, r2, r5, r7, r9, r12}}
        vdup.32 q1, r1
        vdup.32 q2, r2
        ldr r11, [sp, #plane]
        .if {FEW}
        ldr r1, [r0, #24]
        vctp.32 r1
        .endif
        .p2align 2
    1:  vldrw.u32 q6, [r9]
        vldrw.u32 q5, [r9, #4]
        add r9, r9, #({FILTER} * 4)
        ldrd r10, r2, [r7], #8
        vdup.32 q4, r2
        ldrd r1, r2, [sp, #4]
        mov r0, r11
        add r11, r11, r2
        add r2, r1, #1
        str r2, [sp, #4]
        ldr lr, [sp, #fours]
        dls lr, lr
    2:
        ",
        sums!(),
        "
        .if {FEW}
        vpst
        vstrbt.32 q0, [r1, q3]
        .else
        vstrb.32 q0, [r1, q3]
        add r1, r1, r3
        le lr, 2b
        ldr r0, [sp, #last_plane]
        cbz r0, 3f
        // r11 is at the next plane, the output's start too.
        ldr r2, [sp, #planes]
        sub r4, r11, r2
        add r0, r0, r4
        ldr r1, [sp, #4]
        ldr r2, [sp, #last_plane + 4]
        add r1, r1, r2
        subs r1, r1, #1
        ",
        sums!(),
        "
        vstrb.32 q0, [r1, q3]
        .endif
    3:  ldr r2, [sp, #count]
        subs r2, r2, #1
        str r2, [sp, #count]
        bne 1b
        add sp, sp, #36
        vpop {{d8-d13}}
        pop {{r4-r11, pc}}
        ",
        FILTER = const FILTER,
        STRIDE = const STRIDE,
        FEW = const FEW,
    )
}

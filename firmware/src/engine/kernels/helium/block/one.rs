//! Pairs of rows times one column.

use core::arch::naked_asm;
use core::mem::offset_of;

use super::super::super::Block;
use super::super::lanes::LANES;
use crate::image::Channel;

/// What the loop works on, and where it keeps how far it is.
#[repr(C)]
struct Call {
    channels: *const Channel,
    output: *mut i8,
    column: *const i8,
    rows: *const i8,
    /// Fours of channels.
    quads: usize,
    /// Whole steps of a pair, and taps that are left.
    whole: usize,
    rest: usize,
    pre_shift: u32,
    zero_point: i32,
    min: i32,
    max: i32,
}

/// Stores the outputs of all whole fours of channels.
pub(in super::super) fn one(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let quads = block.outputs / 4;
    if quads == 0 || block.row_len == 0 {
        return Some(());
    }
    // The loop reads words.
    let rows: &[u32] = bytemuck::try_cast_slice(block.rows).ok()?;
    let rows = rows.get(..quads * block.row_len)?;
    let column: &[i8] = bytemuck::cast_slice(block.columns);
    let column = column.get(..block.row_len)?;
    let channels = block.channels.get(..4 * quads)?;
    let output = output.get_mut(..4 * quads)?;
    let mut call = Call {
        channels: channels.as_ptr(),
        output: output.as_mut_ptr(),
        column: column.as_ptr(),
        rows: rows.as_ptr().cast(),
        quads,
        whole: block.row_len / LANES,
        rest: block.row_len % LANES,
        pre_shift: block.requantize.pre_shift,
        zero_point: block.requantize.zero_point,
        min: block.requantize.min.into(),
        max: block.requantize.max.into(),
    };
    // SAFETY: there are the taps of each pair of rows and of the column, four channels and four outputs
    // a quad.
    unsafe { quads_of(&mut call) };
    Some(())
}

/// | registers | content |
/// |---|---|
/// | r1, r5, r3 | the column, its next taps, next weights |
/// | r7, r2, r9 | whole steps, taps that are left, quads to come |
/// | r4, r6, r8, r10 | sums of four rows |
/// | q3, q4, q5 | every other byte, least and greatest outputs |
#[unsafe(naked)]
unsafe extern "C" fn quads_of(call: *mut Call) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        vpush {{d8-d11}}
        ldrd r4, r5, [r0, #{MIN}]
        vdup.32 q4, r4
        vdup.32 q5, r5
        movs r4, #0
        vidup.u8 q3, r4, #2
        ldrd r1, r3, [r0, #{COLUMN}]
        ldrd r9, r7, [r0, #{QUADS}]
        ldr r2, [r0, #{REST}]
        .p2align 2
    1:
        .set pair, 0
        .rept 2
        mov r5, r1
        .if pair == 0
        movs r4, #0
        movs r6, #0
        .else
        mov r8, #0
        mov r10, #0
        .endif
        wls lr, r7, 3f
    2:  vld20.8 {{q0, q1}}, [r3]
        vld21.8 {{q0, q1}}, [r3]!
        vldrb.u8 q2, [r5], #16
        .if pair == 0
        vmladava.s8 r4, q0, q2
        vmladava.s8 r6, q1, q2
        .else
        vmladava.s8 r8, q0, q2
        vmladava.s8 r10, q1, q2
        .endif
        le lr, 2b
    3:  cbz r2, 4f
        vctp.8 r2
        add r12, r3, #1
        vpsttt
        vldrbt.u8 q0, [r3, q3]
        vldrbt.u8 q1, [r12, q3]
        vldrbt.u8 q2, [r5]
        .if pair == 0
        vmladava.s8 r4, q0, q2
        vmladava.s8 r6, q1, q2
        .else
        vmladava.s8 r8, q0, q2
        vmladava.s8 r10, q1, q2
        .endif
        add r3, r3, r2, lsl #1
    4:
        .set pair, pair + 1
        .endr
        vmov q0[2], q0[0], r4, r8
        vmov q0[3], q0[1], r6, r10
        ldrd r4, r6, [r0]
        vld20.32 {{q1, q2}}, [r4]
        vld21.32 {{q1, q2}}, [r4]!
        ldrd r8, r10, [r0, #{PRE_SHIFT}]
        vadd.i32 q0, q0, q1
        vshl.s32 q0, r8
        vrmulh.s32 q0, q0, q2
        vadd.i32 q0, q0, r10
        vmax.s32 q0, q0, q4
        vmin.s32 q0, q0, q5
        vstrb.32 q0, [r6], #4
        strd r4, r6, [r0]
        subs r9, r9, #1
        bne 1b
        vpop {{d8-d11}}
        pop {{r4-r11, pc}}
        ",
        MIN = const offset_of!(Call, min),
        COLUMN = const offset_of!(Call, column),
        QUADS = const offset_of!(Call, quads),
        REST = const offset_of!(Call, rest),
        PRE_SHIFT = const offset_of!(Call, pre_shift),
    )
}

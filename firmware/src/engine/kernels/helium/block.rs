//! Pairs of rows times four columns, the loop that takes most of the time.
//!
//! One step multiplies sixteen taps of two rows with four columns, 128 products in 14 instructions:
//!
//! | registers | content |
//! |---|---|
//! | r1, r3 | next taps of the columns, next weights |
//! | q0, q1 | sixteen taps of the first and of the second row |
//! | q2, q3 | sixteen taps of a column |
//! | r0, r2, r4, r6, then r8, r10, r12, lr | sums of the first row and of the second, by column |
//!
//! Four channels, those of two pairs, are requantised together. Rows of at most sixteen taps have a
//! loop of their own, which keeps three of the columns.

use core::arch::naked_asm;

use super::super::{Block, Pixels};
use super::{LANES, columns as arrange};
use crate::image::Channel;

/// Steps that stand in a row.
const UNROLLED: usize = 8;
/// Bytes of a step.
const STEP: usize = 56;

/// What the loops work on.
#[repr(C)]
struct Call {
    channels: *const Channel,
    output: *mut i8,
    /// From pixel to pixel.
    stride: usize,
    /// Fours of channels to come.
    quads: usize,
    pre_shift: u32,
    zero_point: i32,
    min: i32,
    max: i32,
    /// The last taps of the last pair, and something behind them where they are fewer than sixteen.
    last: *const i8,
    columns: *const i8,
    rows: *const i8,
    /// The same as `columns`.
    start: *const i8,
    /// Bytes that are read beyond the end of a pair; of a short row the bytes of a pair.
    beyond: usize,
    /// Bytes of the steps that are left out at first.
    entry: usize,
    /// Where the whole steps of the columns end.
    end: *const i8,
}

/// Stores the outputs of all whole fours of channels.
pub(super) fn gemm_x4(block: &Block<'_>, output: &mut [i8], stride: usize) -> Option<()> {
    let kernel = match (block.row_len <= LANES, block.row_len % LANES) {
        (true, _) => short::<0>,
        (_, 0) => long::<0, 0>,
        _ => long::<1, 0>,
    };
    let columns = columns_of(block)?.as_ptr();
    call(block, columns, output, stride, 3 * stride, |call| {
        // SAFETY: as `call` says.
        unsafe { kernel(call) }
    })
}

/// Like [`four`] for a multiple of four pixels, which are the columns.
pub(super) fn pointwise(
    block: &Block<'_>,
    pixels: &Pixels<'_>,
    output: &mut [i8],
    stride: usize,
    scratch: &mut [i16],
) -> Option<()> {
    let Some(last) = pixels.count.checked_sub(1) else {
        return Some(());
    };
    let step = pixels.step;
    let input = pixels.input.get(..last * step + block.row_len)?;
    let columns = bytemuck::cast_slice_mut::<_, i8>(scratch);
    let columns = columns.get_mut(..columns_len(block.row_len))?.as_mut_ptr();
    let kernel = match (block.row_len <= LANES, block.row_len % LANES) {
        (true, _) => short::<0>,
        (_, 0) => long::<0, 0>,
        _ => long::<1, 0>,
    };
    call(block, columns, output, stride, last * stride, |call| {
        for first in (0..pixels.count).step_by(4) {
            let pixel = input.as_ptr().wrapping_add(first * step);
            // SAFETY: four more pixels are there, and the places of four columns; for the loop as
            // `call` says.
            unsafe {
                arrange::pixels(pixel, columns, block.row_len, step);
                kernel(call);
            }
            call.output = call.output.wrapping_add(4 * stride);
        }
    })
}

/// Like [`four`], the greatest of the four columns alone.
pub(super) fn pooled(block: &Block<'_>, output: &mut [i8]) -> Option<()> {
    let kernel = match (block.row_len <= LANES, block.row_len % LANES) {
        (true, _) => short::<1>,
        (_, 0) => long::<0, 1>,
        _ => long::<1, 1>,
    };
    let columns = columns_of(block)?.as_ptr();
    call(block, columns, output, 0, 0, |call| {
        // SAFETY: as `call` says.
        unsafe { kernel(call) }
    })
}

/// Bytes of four columns.
const fn columns_len(row_len: usize) -> usize {
    4 * LANES * row_len.div_ceil(LANES)
}

fn columns_of<'a>(block: &Block<'a>) -> Option<&'a [i8]> {
    bytemuck::cast_slice(block.columns).get(..columns_len(block.row_len))
}

/// Prepares the work on the columns of a block. A loop may be called with it, whose slices have the
/// lengths and alignments that are read and written: the whole steps of each pair of rows, what is
/// beyond them only where another pair follows; all steps of four columns; the channels; four outputs
/// a quad at each of four pixels, the last of which starts at most at `last_pixel`.
#[inline(always)]
fn call(
    block: &Block<'_>,
    columns: *const i8,
    output: &mut [i8],
    stride: usize,
    last_pixel: usize,
    run: impl FnOnce(&mut Call),
) -> Option<()> {
    let quads = block.outputs / 4;
    if quads == 0 || block.row_len == 0 {
        return Some(());
    }
    let (pair, rest) = (2 * block.row_len, block.row_len % LANES);
    let (whole, steps) = (block.row_len / LANES, block.row_len.div_ceil(LANES));
    // The kernel reads words.
    let rows: &[u32] = bytemuck::try_cast_slice(block.rows).ok()?;
    let rows = rows.get(..quads * block.row_len)?;
    let channels = block.channels.get(..4 * quads)?;
    let output = output.get_mut(..last_pixel + 4 * quads)?;
    // Words of the last taps of two rows.
    let mut copied = [0; LANES / 2];
    let mut last = rows.as_ptr_range().end.wrapping_sub(copied.len());
    if rest > 0 {
        let taps = rows.get(rows.len().checked_sub(rest / 2)?..)?;
        for (to, &from) in copied.iter_mut().zip(taps) {
            *to = from;
        }
        last = copied.as_ptr();
    }
    // One whole step stands by itself.
    let entry = match whole.saturating_sub(1) {
        0 => UNROLLED * STEP,
        more => more.wrapping_neg() % UNROLLED * STEP,
    };
    let mut call = Call {
        channels: channels.as_ptr(),
        output: output.as_mut_ptr(),
        stride,
        quads,
        pre_shift: block.requantize.pre_shift,
        zero_point: block.requantize.zero_point,
        min: block.requantize.min.into(),
        max: block.requantize.max.into(),
        last: last.cast(),
        columns,
        rows: rows.as_ptr().cast(),
        start: columns,
        beyond: match block.row_len {
            ..=LANES => pair,
            _ => 2 * (LANES * steps - block.row_len),
        },
        entry,
        end: columns.wrapping_add(4 * LANES * whole),
    };
    run(&mut call);
    Some(())
}

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
unsafe extern "C" fn long<const TAIL: u32, const POOL: u32>(call: *const Call) {
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
unsafe extern "C" fn short<const POOL: u32>(call: *const Call) {
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

/// Sums, bias included, of a channel and each of `N` columns.
pub(super) fn sums<const N: usize>(block: &Block<'_>, channel: usize) -> Option<[i32; N]> {
    let (pair, row_len) = (2 * block.row_len, block.row_len);
    let rows = block.rows.get(channel / 2 * pair..)?.get(..pair)?;
    let columns: &[i8] = bytemuck::cast_slice(block.columns);
    let columns = columns.get(..N * LANES * row_len.div_ceil(LANES))?;
    let bias = block.channels.get(channel)?.bias;
    let mut sums = [0; N];
    for (column, sum) in sums.iter_mut().enumerate() {
        let column = columns.get(column * LANES..)?;
        let weights = rows.get(channel % 2..)?;
        // SAFETY: the row has `row_len` weights, of which each but the last is followed by another's;
        // from each column's start on there are the slots of its row, by sixteen.
        let product = unsafe { row(weights.as_ptr(), column.as_ptr(), row_len, N * LANES) };
        *sum = bias.wrapping_add(product);
    }
    Some(sums)
}

/// Every other value from `weights` on times a column whose vectors stand `step` apart.
#[unsafe(naked)]
unsafe extern "C" fn row(
    weights: *const i8,
    column: *const i8,
    row_len: usize,
    step: usize,
) -> i32 {
    naked_asm!(
        processor!(),
        "
        push {{r4, lr}}
        movs r4, #0
        mov r12, #0
        vidup.u8 q2, r4, #2
        dlstp.8 lr, r2
    2:  vldrb.u8 q0, [r0, q2]
        vldrb.u8 q1, [r1]
        vmladava.s8 r12, q0, q1
        add r0, r0, #32
        add r1, r1, r3
        letp lr, 2b
        mov r0, r12
        pop {{r4, pc}}
        "
    )
}

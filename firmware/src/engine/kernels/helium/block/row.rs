//! One row times columns, for the channels that are left when fours are done.

use core::arch::naked_asm;

use super::super::super::Block;
use super::super::lanes::LANES;

/// Sums, bias included, of a channel and each of `N` columns.
pub(in super::super) fn sums<const N: usize>(
    block: &Block<'_>,
    channel: usize,
) -> Option<[i32; N]> {
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

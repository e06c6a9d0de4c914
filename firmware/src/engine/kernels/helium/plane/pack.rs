//! The weights of 3 x 3 filters by columns, as the rows of a ring lie.
//!
//! For each of the three rows that may be the window's first, a filter has four words: its three
//! columns and a zero, so that with the word before them, a zero too, the same filter stands one column
//! to the right.

use core::arch::naked_asm;

use super::super::super::Filters;
use super::columns::COLUMN;
use crate::image::PLANES;

/// Words of one order of the rows.
pub(super) const ORDER: usize = 4;
/// Words of a filter.
pub(super) const FILTER: usize = 3 * ORDER;
/// Words of all filters and the zero before them.
pub(super) const PACKED: usize = 1 + PLANES * FILTER;

/// Arranges the weights of `filters`, which are of 3 x 3.
#[inline(never)]
pub(super) fn pack(filters: &Filters<'_>, packed: &mut [u32]) -> Option<()> {
    let count = filters.channels.len();
    let packed = packed.get_mut(..1 + count * FILTER)?;
    let weights = filters.weights.get(..8 * filters.step + count)?;
    if count == PLANES {
        // SAFETY: there are four weights at each of nine places that are `step` apart, and the words.
        unsafe { four(weights.as_ptr(), filters.step, packed.as_mut_ptr(), &ORDERS) };
        return Some(());
    }
    let (zero, packed) = packed.split_first_mut()?;
    *zero = 0;
    for (i, packed) in packed.chunks_exact_mut(FILTER).enumerate() {
        let places = packed
            .iter_mut()
            .zip(ORDERS.as_flattened().as_chunks::<COLUMN>().0);
        for (word, places) in places {
            let mut bytes = [0; COLUMN];
            for (byte, &place) in bytes.iter_mut().zip(places) {
                if place < ZERO {
                    let tap = usize::from(place) / PLANES;
                    *byte = *weights.get(tap * filters.step + i)? as u8;
                }
            }
            *word = u32::from_le_bytes(bytes);
        }
    }
    Some(())
}

/// Behind the ninth word.
const ZERO: u8 = 9 * PLANES as u8;

/// Where the weights of a filter stand among words of four filters each, in each order of the rows.
static ORDERS: [[u8; ORDER * COLUMN]; 3] = orders();

const fn orders() -> [[u8; ORDER * COLUMN]; 3] {
    let mut orders = [[ZERO; ORDER * COLUMN]; 3];
    let mut place = 0;
    while place < 27 {
        let (first, column, row) = (place / 9, place % 9 / 3, place % 3);
        let slot = (first + row) % 3;
        orders[first][column * COLUMN + slot] = ((row * 3 + column) * PLANES) as u8;
        place += 1;
    }
    orders
}

/// Four filters.
#[unsafe(naked)]
unsafe extern "C" fn four(
    weights: *const i8,
    step: usize,
    packed: *mut u32,
    orders: *const [[u8; ORDER * COLUMN]; 3],
) {
    naked_asm!(
        processor!(),
        "
        push {{r4, lr}}
        sub sp, sp, #40
        vldrb.u8 q1, [r3]
        vldrb.u8 q2, [r3, #16]
        vldrb.u8 q3, [r3, #32]
        mov r4, sp
        movs r3, #9
        dls lr, r3
    2:  ldr r3, [r0]
        add r0, r0, r1
        str r3, [r4], #4
        le lr, 2b
        movs r3, #0
        str r3, [r4]
        str r3, [r2], #4
        mov r4, sp
        movs r3, #4
        dls lr, r3
    2:  vldrb.u8 q0, [r4, q1]
        vstrw.32 q0, [r2], #16
        vldrb.u8 q0, [r4, q2]
        vstrw.32 q0, [r2], #16
        vldrb.u8 q0, [r4, q3]
        vstrw.32 q0, [r2], #16
        adds r4, r4, #1
        le lr, 2b
        add sp, sp, #40
        pop {{r4, pc}}
        "
    )
}

//! Windows of few taps as columns, by gather loads.

use core::arch::naked_asm;
use core::ptr;

use super::super::Shape;
use super::lanes::{LANES, SHORTEST};
use crate::image::packing::{row_len, tap_slot};

/// Most taps of a window.
const MOST: usize = 32;

/// Where the taps of any window are, in the order of their slots.
pub(crate) struct Windows<'a> {
    shape: Shape<'a>,
    taps: &'a Taps,
    /// Vectors of a column; of half as many values where offsets take two bytes.
    vectors: usize,
    far: bool,
}

/// Of each tap its offset in the input from the first, and its row and column in the window.
#[repr(C)]
pub(crate) struct Taps {
    far: [u16; MOST],
    near: [u8; MOST],
    rows: [u8; MOST],
    columns: [u8; MOST],
}

impl Taps {
    pub(crate) const NONE: Self = Self {
        far: [0; MOST],
        near: [0; MOST],
        rows: [0; MOST],
        columns: [0; MOST],
    };
}

/// A window.
#[repr(C)]
struct Place {
    /// The first tap's, outside the input where that is.
    start: *const i8,
    /// The rows and columns that lie in the input, from and to.
    rows: [usize; 2],
    columns: [usize; 2],
}

impl<'a> Windows<'a> {
    /// None if there are too many taps, too few, or such that they lie in runs. `table` has been empty.
    pub(crate) fn of(shape: Shape<'a>, taps: usize, table: &'a mut Taps) -> Option<Self> {
        let [height, width] = shape.kernel;
        let pitch = shape.width * shape.channels;
        let last = height.checked_sub(1)? * pitch + width * shape.channels;
        let whole = shape.height * pitch + shape.inputs <= shape.input.len() + shape.channels;
        if shape.inputs.is_multiple_of(4)
            || !(1..=MOST).contains(&taps)
            || row_len(taps) < SHORTEST
            || last > u16::MAX.into()
            || !whole
        {
            return None;
        }
        let mut tap = 0;
        for row in 0..height {
            for column in 0..width {
                let start = row * pitch + column * shape.channels;
                for offset in start..start + shape.inputs {
                    let slot = tap_slot(taps, tap);
                    *table.far.get_mut(slot)? = offset as u16;
                    *table.near.get_mut(slot)? = offset as u8;
                    *table.rows.get_mut(slot)? = row as u8;
                    *table.columns.get_mut(slot)? = column as u8;
                    tap += 1;
                }
            }
        }
        let far = last > u8::MAX.into();
        let vector = if far { LANES / 2 } else { LANES };
        Some(Self {
            shape,
            taps: table,
            vectors: taps.div_ceil(vector),
            far,
        })
    }

    /// Writes the windows at these corners, which count from the padding's, as columns.
    #[inline(never)]
    pub(crate) fn gather<const N: usize>(
        &self,
        corners: [[usize; 2]; N],
        scratch: &mut [i16],
    ) -> Option<()> {
        let shape = &self.shape;
        let to: &mut [i8] = bytemuck::cast_slice_mut(scratch);
        let lanes = if self.far { LANES / 2 } else { LANES };
        let to = to.get_mut(..(self.vectors * lanes).next_multiple_of(LANES) * N)?;
        let mut places = [const {
            Place {
                start: ptr::null(),
                rows: [0; 2],
                columns: [0; 2],
            }
        }; N];
        for (place, [top, left]) in places.iter_mut().zip(corners) {
            let [above, before] = shape.pads;
            place.rows = inside(top, above, shape.height, shape.kernel[0]);
            place.columns = inside(left, before, shape.width, shape.kernel[1]);
            let row = top.wrapping_sub(above).wrapping_mul(shape.width);
            let pixel = row.wrapping_add(left).wrapping_sub(before);
            let start = pixel.wrapping_mul(shape.channels);
            place.start = shape.input.as_ptr().wrapping_add(start);
        }
        let kernel = if self.far { columns::<1> } else { columns::<0> };
        let zero_point = shape.zero_point.into();
        // SAFETY: of each window only the taps that lie in the input are read; there are the places of
        // all vectors of all columns.
        unsafe {
            kernel(
                places.as_ptr(),
                self.taps,
                to.as_mut_ptr(),
                N,
                self.vectors,
                zero_point,
            );
        }
        Some(())
    }
}

/// Which of the `taps` from `start` on lie inside `len` after so much padding.
#[inline(always)]
fn inside(start: usize, padding: usize, len: usize, taps: usize) -> [usize; 2] {
    let end = (padding + len).saturating_sub(start);
    [padding.saturating_sub(start).min(taps), end.min(taps)]
}

/// Taps outside the input become its zero point.
///
/// | registers | content |
/// |---|---|
/// | r0, r1, r2 | windows, table, first place of the vector |
/// | r4, r5 | next place, next window |
/// | r6, r7 to r10 | its start, its rows and columns |
/// | r11, r12 | number of the vector, vectors to come |
/// | q1, q2, q3, q4 | offsets, rows, columns, zero point |
#[unsafe(naked)]
unsafe extern "C" fn columns<const FAR: u32>(
    windows: *const Place,
    taps: *const Taps,
    to: *mut i8,
    count: usize,
    vectors: usize,
    zero_point: i32,
) {
    naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        vpush {{d8-d9}}
        ldrd r12, r4, [sp, #52]
        movs r11, #0
        .if {FAR}
        vdup.16 q4, r4
        .else
        vdup.8 q4, r4
        add r1, r1, #{MOST} * 2
        .endif
    1:  mov r5, r0
        mov r4, r2
        .if {FAR}
        add r6, r1, r11, lsl #4
        vldrh.u16 q1, [r6]
        add r6, r1, r11, lsl #3
        adds r6, r6, #{MOST} * 3
        vldrb.u16 q2, [r6]
        vldrb.u16 q3, [r6, #{MOST}]
        .else
        vldrb.u8 q1, [r1]
        vldrb.u8 q2, [r1, #{MOST}]
        add r6, r1, #{MOST} * 2
        vldrb.u8 q3, [r6]
        adds r1, r1, #16
        .endif
        dls lr, r3
    2:  ldm r5!, {{r6-r10}}
        .if {FAR}
        vptttt.s16 ge, q2, r7
        vcmpt.s16 lt, q2, r8
        vcmpt.s16 ge, q3, r9
        vcmpt.s16 lt, q3, r10
        vldrbt.u16 q0, [r6, q1]
        vpsel q0, q0, q4
        vstrb.16 q0, [r4]
        .else
        vptttt.s8 ge, q2, r7
        vcmpt.s8 lt, q2, r8
        vcmpt.s8 ge, q3, r9
        vcmpt.s8 lt, q3, r10
        vldrbt.u8 q0, [r6, q1]
        vpsel q0, q0, q4
        vstrb.8 q0, [r4]
        .endif
        adds r4, r4, #16
        le lr, 2b
        .if {FAR}
        // The second half of a vector stands beside the first.
        add r11, r11, #1
        tst r11, #1
        ite ne
        addne r2, r2, #8
        subeq r2, r4, #8
        .else
        mov r2, r4
        .endif
        subs r12, r12, #1
        bne 1b
        vpop {{d8-d9}}
        pop {{r4-r11, pc}}
        ",
        MOST = const MOST,
        FAR = const FAR,
    )
}

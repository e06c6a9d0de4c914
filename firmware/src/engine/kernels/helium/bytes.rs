//! Bytes, sixteen at a time.

use core::arch::naked_asm;

/// Copies values, as many as both have.
pub(crate) fn copy(to: &mut [i8], from: &[i8]) {
    let len = to.len().min(from.len());
    // SAFETY: both have as many values, and a slice that can be written overlaps no other.
    unsafe { copy_bytes(to.as_mut_ptr(), from.as_ptr(), len) };
}

/// Replaces levels by what a table has for them, as many as there is room for.
pub(crate) fn look_up(table: &[i8; 256], levels: &[u8], to: &mut [i8]) {
    let len = to.len().min(levels.len());
    // SAFETY: both have as many values, and the table one for each level.
    unsafe { look_up_bytes(to.as_mut_ptr(), levels.as_ptr(), len, table.as_ptr()) };
}

/// Keeps the greater of two values, place by place.
pub(crate) fn maximum(best: &mut [i8], values: &[i8]) {
    let len = best.len().min(values.len());
    // SAFETY: both have as many values, and a slice that can be written overlaps no other.
    unsafe { greater_bytes(best.as_mut_ptr(), values.as_ptr(), len) };
}

#[unsafe(naked)]
unsafe extern "C" fn copy_bytes(to: *mut i8, from: *const i8, len: usize) {
    naked_asm!(
        processor!(),
        "
        push {{r7, lr}}
        wlstp.8 lr, r2, 3f
    2:  vldrb.u8 q0, [r1], #16
        vstrb.8 q0, [r0], #16
        letp lr, 2b
    3:  pop {{r7, pc}}
        "
    )
}

/// Fills `len` bytes with one value.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn fill_bytes(to: *mut i8, len: usize, value: i8) {
    naked_asm!(
        processor!(),
        "
        push {{r7, lr}}
        vdup.8 q0, r2
        wlstp.8 lr, r1, 3f
    2:  vstrb.8 q0, [r0], #16
        letp lr, 2b
    3:  pop {{r7, pc}}
        "
    )
}

#[unsafe(naked)]
unsafe extern "C" fn look_up_bytes(to: *mut i8, levels: *const u8, len: usize, table: *const i8) {
    naked_asm!(
        processor!(),
        "
        push {{r7, lr}}
        wlstp.8 lr, r2, 3f
    2:  vldrb.u8 q0, [r1], #16
        vldrb.u8 q1, [r3, q0]
        vstrb.8 q1, [r0], #16
        letp lr, 2b
    3:  pop {{r7, pc}}
        "
    )
}

#[unsafe(naked)]
unsafe extern "C" fn greater_bytes(best: *mut i8, values: *const i8, len: usize) {
    naked_asm!(
        processor!(),
        "
        push {{r7, lr}}
        wlstp.8 lr, r2, 3f
    2:  vldrb.u8 q0, [r0]
        vldrb.u8 q1, [r1], #16
        vmax.s8 q0, q0, q1
        vstrb.8 q0, [r0], #16
        letp lr, 2b
    3:  pop {{r7, pc}}
        "
    )
}

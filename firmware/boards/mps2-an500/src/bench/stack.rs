//! How deep the stack grew, found by painting what lies below it.

use core::arch::asm;
use core::hint::black_box;

/// Bytes painted; what grows deeper than this is not seen.
const PAINTED: usize = 64 << 10;
const COLOR: u32 = 0x5ac0_11e5;

/// The stack pointer.
#[inline(always)]
fn pointer() -> usize {
    let pointer;
    // SAFETY: copies a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack)) };
    pointer
}

/// Runs `action` and gives the bytes of stack that it used, a multiple of 4.
///
/// The call goes through a pointer that the compiler can't see through: inlined, the action would
/// have its variables in this function's frame, above what is painted.
#[inline(never)]
pub(crate) fn measure(action: &mut dyn FnMut()) -> usize {
    let top = pointer() & !3;
    let bottom = top - PAINTED;
    for address in (bottom..top).step_by(4) {
        // SAFETY: this is RAM between the stack's end and the program's variables, which leave much
        // more room than `PAINTED`; no function called from here on has put anything there yet.
        unsafe { (address as *mut u32).write_volatile(COLOR) };
    }
    black_box(action)();
    // SAFETY: as above.
    let touched = |address: &usize| unsafe { (*address as *const u32).read_volatile() } != COLOR;
    let deepest = (bottom..top).step_by(4).find(touched).unwrap_or(top);
    top - deepest
}

//! A counter of instructions: timer 0 of the board, which the emulator lets run with the
//! instructions. What a tick stands for is the emulator's to say (`-icount`).

use core::arch::asm;

/// CMSDK APB timer 0, counting down.
const CONTROL: *mut u32 = 0x4000_0000 as *mut u32;
const VALUE: *mut u32 = 0x4000_0004 as *mut u32;
const RELOAD: *mut u32 = 0x4000_0008 as *mut u32;
const ENABLE: u32 = 1;

/// Starts the counter.
pub(crate) fn start() {
    // SAFETY: registers of this board's timer, which reach into no memory.
    unsafe {
        RELOAD.write_volatile(u32::MAX);
        VALUE.write_volatile(u32::MAX);
        CONTROL.write_volatile(ENABLE);
    }
}

/// The counter's reading.
#[inline(always)]
pub(crate) fn read() -> u32 {
    // SAFETY: as in `start`.
    unsafe { VALUE.read_volatile() }
}

/// Ticks from one reading to the next.
pub(crate) fn between(first: u32, second: u32) -> u32 {
    first.wrapping_sub(second)
}

/// Ticks for a loop of `3 * rounds` instructions, to check what a tick stands for.
pub(crate) fn calibrate(rounds: u32) -> u32 {
    let first = read();
    // SAFETY: counts a register down to zero.
    unsafe {
        asm!("2:", "subs {n}, {n}, #1", "nop", "bne 2b", n = inout(reg) rounds => _);
    }
    between(first, read())
}

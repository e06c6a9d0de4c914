//! A counter of instructions: timer 0 of the board, which the emulator lets run with the
//! instructions. What a tick stands for is the emulator's to say (`-icount`).

use core::arch::asm;

use crate::machine;

/// Registers of CMSDK APB timer 0, which counts down, by their number of words from its start.
const CONTROL: usize = 0;
const VALUE: usize = 1;
const RELOAD: usize = 2;
const ENABLE: u32 = 1;

/// A running counter.
#[derive(Clone, Copy)]
pub(crate) struct Counter(*mut u32);

impl Counter {
    /// Starts the counter.
    pub(crate) fn start() -> Self {
        let timer = machine::timer();
        // SAFETY: registers of this board's timer, which reach into no memory.
        unsafe {
            timer.add(RELOAD).write_volatile(u32::MAX);
            timer.add(VALUE).write_volatile(u32::MAX);
            timer.add(CONTROL).write_volatile(ENABLE);
        }
        Self(timer)
    }

    /// Its reading.
    #[inline(always)]
    pub(crate) fn read(self) -> u32 {
        // SAFETY: as in `start`.
        unsafe { self.0.add(VALUE).read_volatile() }
    }

    /// Ticks for a loop of `3 * rounds` instructions, to check what a tick stands for.
    pub(crate) fn calibrate(self, rounds: u32) -> u32 {
        let first = self.read();
        // SAFETY: counts a register down to zero.
        unsafe {
            asm!("2:", "subs {n}, {n}, #1", "nop", "bne 2b", n = inout(reg) rounds => _);
        }
        between(first, self.read())
    }
}

/// Ticks from one reading to the next.
pub(crate) fn between(first: u32, second: u32) -> u32 {
    first.wrapping_sub(second)
}

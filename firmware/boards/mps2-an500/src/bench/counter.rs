//! A counter of instructions: a timer of the board, which the emulator lets run with the
//! instructions. What a tick stands for is the emulator's to say (`-icount`).

use core::arch::asm;

use crate::part::{M33, M55, part};

/// A timer that runs with the instructions.
enum Timer {
    /// CMSDK APB timer at this address, which counts down.
    Down(*mut u32),
    /// Control frame of the system counter of an SSE-300, which counts up.
    Up(*mut u32),
}

/// The timer to count with.
fn timer() -> Timer {
    match part() {
        M55 => Timer::Up(0x5810_0000_u32 as *mut u32),
        M33 => Timer::Down(0x5000_0000_u32 as *mut u32),
        _ => Timer::Down(0x4000_0000_u32 as *mut u32),
    }
}

/// Registers of CMSDK APB timer 0 by their number of words from its start.
mod down {
    pub(super) const CONTROL: usize = 0;
    pub(super) const VALUE: usize = 1;
    pub(super) const RELOAD: usize = 2;
}

/// Registers of the system counter's control frame, the low half of its value.
mod up {
    pub(super) const CONTROL: usize = 0;
    pub(super) const VALUE: usize = 2;
}

const ENABLE: u32 = 1;

/// A running counter.
#[derive(Clone, Copy)]
pub(crate) struct Counter {
    value: *const u32,
    up: bool,
}

impl Counter {
    /// Starts the counter.
    pub(crate) fn start() -> Self {
        // SAFETY: registers of this board's timer, which reach into no memory.
        unsafe {
            match timer() {
                Timer::Down(timer) => {
                    timer.add(down::RELOAD).write_volatile(u32::MAX);
                    timer.add(down::VALUE).write_volatile(u32::MAX);
                    timer.add(down::CONTROL).write_volatile(ENABLE);
                    Self {
                        value: timer.add(down::VALUE),
                        up: false,
                    }
                }
                Timer::Up(timer) => {
                    timer.add(up::CONTROL).write_volatile(ENABLE);
                    Self {
                        value: timer.add(up::VALUE),
                        up: true,
                    }
                }
            }
        }
    }

    /// Its reading.
    #[inline(always)]
    pub(crate) fn read(self) -> u32 {
        // SAFETY: as in `start`.
        unsafe { self.value.read_volatile() }
    }

    /// Ticks for a loop of `3 * rounds` instructions, to check what a tick stands for.
    pub(crate) fn calibrate(self, rounds: u32) -> u32 {
        let first = self.read();
        // SAFETY: counts a register down to zero.
        unsafe {
            asm!("2:", "subs {n}, {n}, #1", "nop", "bne 2b", n = inout(reg) rounds => _);
        }
        self.between(first, self.read())
    }

    /// Ticks from one reading to the next.
    pub(crate) fn between(self, first: u32, second: u32) -> u32 {
        match self.up {
            true => second.wrapping_sub(first),
            false => first.wrapping_sub(second),
        }
    }
}

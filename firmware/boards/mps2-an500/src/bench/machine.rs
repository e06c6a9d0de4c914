//! What the measuring programs need of the machine: QEMU's `mps2-an500`, `mps2-an386`,
//! `mps2-an505` or `mps3-an547`, which differ in the processor (Cortex-M7, M4, M33, M55), some
//! addresses and the last in its timer.

use core::panic::PanicInfo;

use cortex_m::peripheral::CPUID;
use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;

/// Bytes of PSRAM.
#[allow(dead_code, reason = "not every program reads a model image")]
const PSRAM: usize = 16 << 20;

/// Part numbers in `CPUID`.
const M4: u32 = 0xc24;
const M33: u32 = 0xd21;
const M55: u32 = 0xd22;

/// The processor's part number.
fn part() -> u32 {
    // SAFETY: a register of every Cortex-M that can be read at any time.
    unsafe { (*CPUID::PTR).base.read() >> 4 & 0xfff }
}

/// The PSRAM, which holds what the emulator put there.
#[allow(dead_code, reason = "not every program reads a model image")]
pub(crate) fn psram() -> &'static [u8] {
    let address = match part() {
        M4 => 0x2100_0000,
        M33 => 0x8000_0000_u32,
        M55 => 0x7000_0000,
        _ => 0x6000_0000,
    };
    // SAFETY: PSRAM is there from reset on, aligned and initialised by the emulator, and nothing
    // in these programs writes to it.
    unsafe { core::slice::from_raw_parts(address as *const u8, PSRAM) }
}

/// A timer that runs with the instructions.
#[allow(dead_code, reason = "not every program counts")]
pub(crate) enum Timer {
    /// CMSDK APB timer at this address, which counts down.
    Down(*mut u32),
    /// Control frame of the system counter of an SSE-300, which counts up.
    Up(*mut u32),
}

/// The timer to count with.
#[allow(dead_code, reason = "not every program counts")]
pub(crate) fn timer() -> Timer {
    match part() {
        M55 => Timer::Up(0x5810_0000_u32 as *mut u32),
        M33 => Timer::Down(0x5000_0000_u32 as *mut u32),
        _ => Timer::Down(0x4000_0000_u32 as *mut u32),
    }
}

/// Ends the emulator.
pub(crate) fn exit(good: bool) -> ! {
    loop {
        debug::exit(if good { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    exit(false)
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    hprintln!("hard fault at {:#x}", frame.pc());
    exit(false)
}

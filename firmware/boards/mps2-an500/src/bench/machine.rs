//! What the measuring programs need of the machine: QEMU's `mps2-an500`, `mps2-an386` or
//! `mps2-an505`, the same but for the processor (Cortex-M7, M4, M33) and some addresses.

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
        _ => 0x6000_0000,
    };
    // SAFETY: PSRAM is there from reset on, aligned and initialised by the emulator, and nothing
    // in these programs writes to it.
    unsafe { core::slice::from_raw_parts(address as *const u8, PSRAM) }
}

/// Base address of CMSDK APB timer 0.
#[allow(dead_code, reason = "not every program counts")]
pub(crate) fn timer() -> *mut u32 {
    let address = match part() {
        M33 => 0x5000_0000,
        _ => 0x4000_0000,
    };
    address as *mut u32
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

//! What the measuring programs need of the machine: QEMU's `mps2-an500` or `mps2-an386`, the same
//! but for the processor (Cortex-M7, Cortex-M4) and the address of the PSRAM.

use core::panic::PanicInfo;

use cortex_m::peripheral::CPUID;
use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;

/// Bytes of PSRAM.
#[allow(dead_code, reason = "not every program reads a model image")]
const PSRAM: usize = 16 << 20;

/// The PSRAM, which holds what the emulator put there.
#[allow(dead_code, reason = "not every program reads a model image")]
pub(crate) fn psram() -> &'static [u8] {
    /// Part number of a Cortex-M4 in `CPUID`.
    const M4: u32 = 0xc24;
    // SAFETY: a register of every Cortex-M that can be read at any time.
    let part = unsafe { (*CPUID::PTR).base.read() } >> 4 & 0xfff;
    let address = if part == M4 { 0x2100_0000 } else { 0x6000_0000 };
    // SAFETY: PSRAM is there from reset on, aligned and initialised by the emulator, and nothing
    // in these programs writes to it.
    unsafe { core::slice::from_raw_parts(address as *const u8, PSRAM) }
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

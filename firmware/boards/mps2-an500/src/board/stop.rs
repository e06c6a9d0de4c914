//! The ends that a program can come to: each is logged and ends the emulator.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE};

/// Says why and ends.
pub(super) fn stop(reason: &str) -> ! {
    defmt::error!("stopped: {=str}", reason);
    end()
}

fn end() -> ! {
    loop {
        debug::exit(EXIT_FAILURE);
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    match info.location() {
        Some(place) => defmt::error!("panicked at {=str}:{=u32}", place.file(), place.line()),
        None => defmt::error!("panicked"),
    }
    end()
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#x}", frame.pc());
    end()
}

//! The ends that a program can come to. A failure is logged, kept for the next start and ends in a
//! reset; what keeps the board from starting at all ends the emulator.

use core::panic::PanicInfo;

use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE};
use sudal_firmware::device::{Cause, Failure};

use super::retained;

/// Says why and ends.
pub(super) fn stop(reason: &str) -> ! {
    defmt::error!("stopped: {=str}", reason);
    end()
}

/// Restarts the board, unless that led nowhere several times.
pub(super) fn restart() -> ! {
    if retained::with(|retained| retained.is_hopeless()) {
        end();
    }
    SCB::sys_reset()
}

fn end() -> ! {
    loop {
        debug::exit(EXIT_FAILURE);
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let place = info.location().map(|place| (place.file(), place.line()));
    retained::with(|retained| {
        retained.keep(|| Failure::new(Cause::Panic, place, format_args!("{}", info.message())));
    });
    match place {
        Some((file, line)) => defmt::error!("panicked at {=str}:{=u32}", file, line),
        None => defmt::error!("panicked"),
    }
    restart()
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    let pc = frame.pc();
    retained::with(|retained| {
        retained.keep(|| Failure::new(Cause::Fault, None, format_args!("at address {pc:#x}")));
    });
    defmt::error!("hard fault at {=u32:#x}", pc);
    restart()
}

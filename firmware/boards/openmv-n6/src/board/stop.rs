//! The ends that a program can come to. A failure is logged, kept for the next start and ends in a
//! reset; a board that fails at every start stays off, for a probe or a power cycle.

use core::panic::PanicInfo;

use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};
use sudal_firmware::device::{Cause, Failure};

use super::{retained, watchdog};

/// Says why and ends.
pub(super) fn stop(reason: &'static str) -> ! {
    panic!("{reason}")
}

/// Does nothing, until the power is cut: then nothing is retained.
pub(super) fn stay_off() -> ! {
    loop {
        // It runs still.
        watchdog::pet();
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
    SCB::sys_reset()
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    let pc = frame.pc();
    retained::with(|retained| {
        retained.keep(|| Failure::new(Cause::Fault, None, format_args!("at address {pc:#x}")));
    });
    defmt::error!("hard fault at {=u32:#x}", pc);
    SCB::sys_reset()
}

//! What becomes of a failure: it is logged, kept for the next start, and the board restarts.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use sudal_firmware::device::{Cause, Failure};

use super::{retained, stop};

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
    stop::restart()
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    let pc = frame.pc();
    retained::with(|retained| {
        retained.keep(|| Failure::new(Cause::Fault, None, format_args!("at address {pc:#x}")));
    });
    defmt::error!("hard fault at {=u32:#x}", pc);
    stop::restart()
}

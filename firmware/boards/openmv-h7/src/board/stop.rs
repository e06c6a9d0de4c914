//! The ends that a program can come to. A failure is logged, kept for the next start and ends in a
//! reset; a board that fails at every start stays off, for a probe or a power cycle.

use core::panic::PanicInfo;

use cortex_m::asm;
use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};
use embassy_stm32::pac;
use sudal_firmware::device::{Cause, Failure};

use super::{retained, watchdog};

/// The red lamp is lit by a low level at pin C0.
const LAMP: usize = 0;

/// Says why and ends.
pub(super) fn stop(reason: &'static str) -> ! {
    panic!("{reason}")
}

/// Restarts the board.
fn restart() -> ! {
    // The memory holds back what was written last until there is another access.
    asm::dsb();
    retained::with(|retained| core::hint::black_box(retained.is_hopeless()));
    SCB::sys_reset()
}

/// Lights the red lamp and does nothing, until the power is cut: then nothing is retained.
pub(super) fn stay_off() -> ! {
    pac::RCC.ahb4enr().modify(|enable| enable.set_gpiocen(true));
    pac::GPIOC.bsrr().write(|level| level.set_br(LAMP, true));
    pac::GPIOC
        .moder()
        .modify(|mode| mode.set_moder(LAMP, pac::gpio::vals::Moder::OUTPUT));
    loop {
        // It may run still.
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

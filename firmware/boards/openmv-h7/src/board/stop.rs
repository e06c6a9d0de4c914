//! The ends that a program can come to: a restart after a failure; a board that fails at every start
//! stays off, for a probe or a power cycle.

use cortex_m::asm;
use cortex_m::peripheral::SCB;
use embassy_stm32::pac;

use super::{retained, watchdog};

/// The red lamp is lit by a low level at pin C0.
const LAMP: usize = 0;

/// Says why and ends.
pub(super) fn stop(reason: &'static str) -> ! {
    panic!("{reason}")
}

/// Restarts the board.
pub(super) fn restart() -> ! {
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

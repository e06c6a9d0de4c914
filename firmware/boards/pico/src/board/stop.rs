//! The ends that a program can come to: a restart after a failure; a board that fails at every start
//! stays off, for a probe or a power cycle.

use embassy_rp::gpio::{Level, Output};
use embassy_rp::peripherals::PIN_25;

use super::watchdog;

/// Says why and ends.
pub(super) fn stop(reason: &'static str) -> ! {
    panic!("{reason}")
}

/// Restarts the board.
pub(super) fn restart() -> ! {
    watchdog::reset()
}

/// Lights the lamp and does nothing, until the power is cut: then nothing is retained.
pub(super) fn stay_off() -> ! {
    // SAFETY: nothing else uses the pin.
    let pin = unsafe { PIN_25::steal() };
    let _lamp = Output::new(pin, Level::High);
    loop {
        // It runs still.
        watchdog::pet();
    }
}

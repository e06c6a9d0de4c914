//! The ends that a program can come to: a restart after a failure; a board that fails at every start
//! stays off, for a probe or a power cycle.

use cortex_m::peripheral::SCB;

use super::watchdog;

/// Says why and ends.
pub(super) fn stop(reason: &'static str) -> ! {
    panic!("{reason}")
}

/// Restarts the board.
pub(super) fn restart() -> ! {
    SCB::sys_reset()
}

/// Does nothing, until the power is cut: then nothing is retained.
pub(super) fn stay_off() -> ! {
    loop {
        // It runs still.
        watchdog::pet();
    }
}

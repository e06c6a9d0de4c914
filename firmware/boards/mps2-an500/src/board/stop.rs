//! The ends that a program can come to: a restart after a failure; what keeps the board from starting at
//! all ends the emulator.

use cortex_m::peripheral::SCB;
use cortex_m_semihosting::debug::{self, EXIT_FAILURE};

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

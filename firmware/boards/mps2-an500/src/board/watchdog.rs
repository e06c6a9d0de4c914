//! The CMSDK APB watchdog. It counts down from [`PERIOD`]; at zero it raises the non-maskable
//! interrupt, and a whole period later it resets the board.
//!
//! While the board waits for the line the interrupt just feeds it. Otherwise a request takes too
//! long: that is kept for the next start, and the board is reset at once.

use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m_rt::exception;
use sudal_firmware::device::Retained;

use super::registers::Registers;
use super::{retained, stop};

const WATCHDOG: Registers<0x4000_8000> = Registers;
const LOAD: usize = 0x0;
const CONTROL: usize = 0x8;
const ENABLE: u32 = 1;
const RESET: u32 = 2;
/// Clears the interrupt and starts the count again.
const CLEAR: usize = 0xc;
const LOCK: usize = 0xc00;
const KEY: u32 = 0x1acc_e551;

/// Five seconds of the peripherals' clock, far more than any request takes; a quarter where a test
/// waits for it, since the emulator takes many seconds for one.
const PERIOD: u32 = if cfg!(feature = "bench") {
    6_250_000
} else {
    125_000_000
};

/// Whether the board waits for the line.
static IDLE: AtomicBool = AtomicBool::new(false);

/// Starts the watchdog.
pub(super) fn start() {
    WATCHDOG.write(LOCK, KEY);
    WATCHDOG.write(LOAD, PERIOD);
    WATCHDOG.write(CONTROL, ENABLE | RESET);
}

/// Waits for something without end.
pub(super) fn wait<T>(action: impl FnOnce() -> T) -> T {
    IDLE.store(true, Ordering::Relaxed);
    let value = action();
    feed();
    IDLE.store(false, Ordering::Relaxed);
    value
}

/// Starts the count again.
pub(super) fn feed() {
    WATCHDOG.write(CLEAR, 1);
}

// Logs nothing: what it interrupts may be logging.
#[exception]
unsafe fn NonMaskableInt() {
    if IDLE.load(Ordering::Relaxed) {
        feed();
        return;
    }
    retained::with(Retained::keep_timeout);
    stop::restart();
}

//! The watchdog: it resets the chip when the main loop has not come round for [`PERIOD`].

use core::convert::Infallible;
use core::future::poll_fn;
use core::task::Poll;

use embassy_rp::pac;

use super::chip;

/// Counts of the watchdog: 8 seconds, nearly the longest that it has. The
/// longest that a request takes is an update's erased sectors, for each of which it is fed.
const PERIOD: u32 = chip::WATCHDOG_COUNTS * 8_000_000;

/// Whether it reset the chip because it was not fed.
pub(super) fn was_cause() -> bool {
    pac::WATCHDOG.reason().read().timer()
}

/// Starts it; nothing but a reset stops it. Its ticks are those of the timer, which run since
/// `embassy_rp::init`.
pub(super) fn start() {
    reset_all();
    pet();
    pac::WATCHDOG.ctrl().modify(|control| {
        control.set_pause_dbg0(true);
        control.set_pause_dbg1(true);
        control.set_pause_jtag(true);
        control.set_enable(true);
    });
}

pub(super) fn pet() {
    pac::WATCHDOG
        .load()
        .write_value(pac::watchdog::regs::Load(PERIOD));
}

/// Resets the chip at once.
pub(super) fn reset() -> ! {
    reset_all();
    loop {
        pac::WATCHDOG
            .ctrl()
            .modify(|control| control.set_trigger(true));
    }
}

fn reset_all() {
    pac::PSM
        .wdsel()
        .write_value(pac::psm::regs::Wdsel(chip::ALL_BUT_OSCILLATORS));
}

/// Feeds it whenever it is polled, without end.
pub(super) async fn feed() -> Infallible {
    poll_fn(|_| {
        pet();
        Poll::Pending
    })
    .await
}

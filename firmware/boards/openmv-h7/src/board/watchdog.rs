//! The independent watchdog: it resets the chip when the main loop has not come round for [`PERIOD`],
//! and has a clock of its own.

use core::convert::Infallible;
use core::future::poll_fn;
use core::task::Poll;

use embassy_stm32::pac::{self, iwdg::vals::Key, iwdg::vals::Pr};

/// Counts of 256 of its 32 kHz: 20 seconds. The longest that a request takes is an erased sector, up to
/// four seconds, for each of which it is fed.
const PERIOD: u16 = 2500;

/// Whether it reset the chip. To be called once, at the start.
pub(super) fn was_cause() -> bool {
    let cause = pac::RCC.rsr().read().iwdg1rstf();
    pac::RCC.rsr().modify(|flags| flags.set_rmvf(true));
    cause
}

/// Starts it; nothing but a reset stops it.
pub(super) fn start() {
    let watchdog = pac::IWDG1;
    watchdog.kr().write(|key| key.set_key(Key::START));
    watchdog.kr().write(|key| key.set_key(Key::ENABLE));
    watchdog
        .pr()
        .write(|prescaler| prescaler.set_pr(Pr::DIVIDE_BY256));
    watchdog.rlr().write(|reload| reload.set_rl(PERIOD));
    // Takes a few cycles of its clock to get there.
    while watchdog.sr().read().0 != 0 {}
    pet();
}

pub(super) fn pet() {
    pac::IWDG1.kr().write(|key| key.set_key(Key::RESET));
}

/// Feeds it whenever it is polled, without end.
pub(super) async fn feed() -> Infallible {
    poll_fn(|_| {
        pet();
        Poll::Pending
    })
    .await
}

//! The independent watchdog: it resets the chip when the main loop has not come round for [`PERIOD`],
//! and has a clock of its own.

use embassy_stm32::pac::rcc::vals::{RsrIwdgrstf, RsrRmvf};
use embassy_stm32::pac::{self, iwdg::vals::Key, iwdg::vals::Pr};

/// Counts of 256 of its 32 kHz: 8 seconds.
const PERIOD: u16 = 1000;

/// Whether it reset the chip. To be called once, at the start.
pub(super) fn was_cause() -> bool {
    let cause = pac::RCC.rsr().read().iwdgrstf() == RsrIwdgrstf::OCCURRED;
    pac::RCC
        .rsr()
        .modify(|flags| flags.set_rmvf(RsrRmvf::CLEAR));
    cause
}

/// Starts it; nothing but a reset stops it.
pub(super) fn start() {
    let watchdog = pac::IWDG;
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
    pac::IWDG.kr().write(|key| key.set_key(Key::RESET));
}

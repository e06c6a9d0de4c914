//! What differs between the chips: the RP2040 of the Pico, and the RP2350 of the Pico 2.

#[cfg(all(feature = "rp2040", feature = "rp2350"))]
compile_error!("one chip: rp2350 takes --no-default-features");

use embassy_rp::flash::{Blocking, Flash};
use embassy_rp::peripherals::FLASH;

/// What the board says that it is.
pub(super) const BOARD: &str = if cfg!(feature = "rp2350") {
    "pico2"
} else {
    "pico"
};

/// What it says to USB.
pub(super) const PRODUCT: &str = if cfg!(feature = "rp2350") {
    "sudal pico2"
} else {
    "sudal pico"
};

/// The fastest that the chip is rated for.
pub(super) const CLOCK: u32 = if cfg!(feature = "rp2350") {
    150_000_000
} else {
    133_000_000
};

/// Counts of the watchdog in a microsecond.
pub(super) const WATCHDOG_COUNTS: u32 = if cfg!(feature = "rp2350") { 1 } else { 2 };

/// What the watchdog resets: all but the oscillators.
pub(super) const ALL_BUT_OSCILLATORS: u32 = if cfg!(feature = "rp2350") {
    0x01ff_fff3
} else {
    0x1_fffc
};

/// A number that no other board has: on the RP2040 its flash's, on the RP2350 its own; `None` if it is not
/// told.
#[cfg(feature = "rp2040")]
pub(super) fn number<const N: usize>(flash: &mut Flash<'_, FLASH, Blocking, N>) -> Option<[u8; 8]> {
    let mut number = [0; 8];
    flash.blocking_unique_id(&mut number).ok()?;
    Some(number)
}

/// As on the RP2040.
#[cfg(feature = "rp2350")]
pub(super) fn number<const N: usize>(_: &mut Flash<'_, FLASH, Blocking, N>) -> Option<[u8; 8]> {
    Some(embassy_rp::otp::get_chipid().ok()?.to_be_bytes())
}

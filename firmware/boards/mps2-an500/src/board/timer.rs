//! Time: a fast counter for latency, a slow one for time stamps. Both count down from 2^32 - 1.

use super::registers::Registers;

/// CMSDK APB timer 0.
const FAST: Registers<0x4000_0000> = Registers;
const FAST_CONTROL: usize = 0x0;
const FAST_VALUE: usize = 0x4;
const FAST_RELOAD: usize = 0x8;
const FAST_ENABLE: u32 = 1;

/// CMSDK APB dual timer.
const SLOW: Registers<0x4000_2000> = Registers;
const SLOW_VALUE: usize = 0x4;
const SLOW_CONTROL: usize = 0x8;
/// Enabled, 32 bits, one count for 256 of the clock.
const SLOW_ENABLE: u32 = 1 << 7 | 1 << 1 | 2 << 2;

/// Frequency of the fast counter: the clock of the board's peripherals. Under the emulator's
/// `-icount shift=0` an instruction takes a nanosecond, so a tick is 40 instructions.
pub(super) const TICKS_PER_SECOND: u32 = 25_000_000;

/// The fast counter. Starts it on the first call.
pub(super) fn ticks() -> u32 {
    if FAST.read(FAST_CONTROL) & FAST_ENABLE == 0 {
        FAST.write(FAST_RELOAD, u32::MAX);
        FAST.write(FAST_VALUE, u32::MAX);
        FAST.write(FAST_CONTROL, FAST_ENABLE);
    }
    !FAST.read(FAST_VALUE)
}

/// Microseconds since the first call, for up to 12 hours.
fn microseconds() -> u64 {
    if SLOW.read(SLOW_CONTROL) != SLOW_ENABLE {
        SLOW.write(SLOW_CONTROL, SLOW_ENABLE);
    }
    u64::from(!SLOW.read(SLOW_VALUE)) * 256 / 25
}

defmt::timestamp!("{=u64:us}", microseconds());

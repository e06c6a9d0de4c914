//! Which machine of the emulator a program runs on: `mps2-an500`, `mps2-an386`, `mps2-an505` or
//! `mps3-an547`, which differ in the processor (Cortex-M7, M4, M33, M55), some addresses and the last in
//! its timer.

use cortex_m::peripheral::CPUID;

/// Part numbers in `CPUID`.
pub(crate) const M33: u32 = 0xd21;
pub(crate) const M55: u32 = 0xd22;

/// The processor's part number.
pub(crate) fn part() -> u32 {
    // SAFETY: a register of every Cortex-M that can be read at any time.
    unsafe { (*CPUID::PTR).base.read() >> 4 & 0xfff }
}

//! The PSRAM of the machine, which holds what the emulator put there.

use crate::part::{M33, M55, part};

/// The part number of one more processor, whose PSRAM lies elsewhere.
const M4: u32 = 0xc24;

/// Its bytes.
const PSRAM: usize = 16 << 20;

/// The PSRAM, which holds what the emulator put there.
pub(crate) fn psram() -> &'static [u8] {
    let address = match part() {
        M4 => 0x2100_0000,
        M33 => 0x8000_0000_u32,
        M55 => 0x7000_0000,
        _ => 0x6000_0000,
    };
    // SAFETY: PSRAM is there from reset on, aligned and initialised by the emulator, and nothing
    // in these programs writes to it.
    unsafe { core::slice::from_raw_parts(address as *const u8, PSRAM) }
}

//! A block of 32-bit device registers.

/// The block at `BASE`.
pub(super) struct Registers<const BASE: usize>;

impl<const BASE: usize> Registers<BASE> {
    /// Reads the register at `offset` bytes.
    pub(super) fn read(&self, offset: usize) -> u32 {
        // SAFETY: `BASE` is a device of this board (the constants stand in `uart` and `timer`),
        // whose registers are words that may be read at any time.
        unsafe { ((BASE + offset) as *const u32).read_volatile() }
    }

    /// Writes the register at `offset` bytes.
    pub(super) fn write(&self, offset: usize, value: u32) {
        // SAFETY: as in `read`; no register of these devices reaches into memory.
        unsafe { ((BASE + offset) as *mut u32).write_volatile(value) }
    }
}

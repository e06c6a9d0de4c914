//! The names of the boards.

/// The firmware in this process.
pub(super) const HOST: &str = "host";
/// The emulated board.
pub(super) const MPS2_AN500: &str = "mps2-an500";
/// The camera board.
pub(super) const OPENMV_H7: &str = "openmv-h7";
/// The board of Raspberry Pi.
pub(super) const PICO: &str = "pico";

/// Its successor.
pub(super) const PICO_2: &str = "pico2";

/// A camera board whose program is built, and flashed by no command.
pub const OPENMV_N6: &str = "openmv-n6";

/// Names that [`open`](super::open) knows.
pub const BOARDS: [&str; 5] = [HOST, MPS2_AN500, OPENMV_H7, PICO, PICO_2];
/// What the emulated board is called, too.
pub const EMULATOR: &str = "emulator";

/// The name in [`BOARDS`] of what may be called otherwise, too.
#[must_use]
pub fn canonical(name: &str) -> &str {
    if name == EMULATOR { MPS2_AN500 } else { name }
}

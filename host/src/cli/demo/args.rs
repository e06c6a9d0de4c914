//! What `sudal demo` is asked.

use std::path::PathBuf;

use super::super::scratch::ScratchArgs;

/// See the whole way at once, with parts that are drawn.
///
/// First on the host's board, the firmware in this process; then, where an emulator and what compiles
/// firmware are installed, the same frames on an emulated Cortex-M7, whose answers have to be the same to
/// the bit. The boards are the demo's own, in the user's state folder; what other boards were taught
/// stays. They learn parts that no training saw, from a few frames each, are switched off and on, and
/// classify new frames. A contact sheet shows all of it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal demo
  sudal demo --siblings                     harder: parts that differ in a detail
  sudal demo --board emulator               install what is missing for the emulated board
  sudal demo --board host --classes 10 --shots 1 --out /tmp")]
pub(crate) struct Args {
    /// The model: one that comes with sudal, or a model image.
    #[arg(long, default_value = "parts", value_name = "MODEL")]
    pub(super) model: PathBuf,
    /// Classes to teach.
    #[arg(long, default_value_t = 5)]
    pub(super) classes: usize,
    /// Frames of each to teach it from.
    #[arg(long, default_value_t = 5)]
    pub(super) shots: usize,
    /// New frames of each to ask about.
    #[arg(long, default_value_t = 8)]
    pub(super) queries: usize,
    /// Teach variants of the same part, which differ in a detail, instead of different parts.
    #[arg(long)]
    pub(super) siblings: bool,
    /// Seed of the classes and frames.
    #[arg(long, default_value_t = 3)]
    pub(super) seed: u64,
    /// Folder for contact-sheet.png and confusion.png.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) board: ScratchArgs,
}

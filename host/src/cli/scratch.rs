//! A board that a command may have forget everything: its own, or one that is plugged in, when told.

use std::path::PathBuf;

use anyhow::bail;
use sudal::device::{self, Emulator, OpenMv};

use super::device::{BoardArgs, serial_port};

/// Which board.
#[derive(clap::Args, Clone)]
pub(crate) struct ScratchArgs {
    /// The board, one of this command's own: mps2-an500 is a Cortex-M7 in QEMU, host the same firmware
    /// in this process. Or openmv-h7, an OpenMV Cam H7 at a USB port, with --erase.
    #[arg(long, default_value = Emulator::NAME, env = "SUDAL_BOARD")]
    board: String,
    /// Serial port of an openmv-h7, which needs no --board then.
    #[arg(long, value_name = "PORT", value_parser = serial_port)]
    port: Option<PathBuf>,
    /// Key of the board that is plugged in, if it is locked.
    #[arg(long, value_name = "FILE", env = "SUDAL_KEY")]
    key: Option<PathBuf>,
    /// Have the board that is plugged in forget every class that it was taught.
    #[arg(long)]
    erase: bool,
}

impl ScratchArgs {
    /// Name of the board.
    pub(crate) fn name(&self) -> &str {
        self.port.as_ref().map_or(&self.board, |_| OpenMv::NAME)
    }

    /// The board of a command; what other boards were taught is not touched.
    pub(crate) fn board(&self, command: &str) -> anyhow::Result<BoardArgs> {
        let args = BoardArgs {
            board: self.board.clone(),
            board_dir: Some(device::state_dir(command).join(&self.board)),
            port: self.port.clone(),
            key: self.key.clone(),
        };
        if args.openmv().is_some() && !self.erase {
            bail!(
                "this replaces the model of the board that is plugged in and makes it forget all that it was taught: \
                 give --erase to do that (`sudal backup` keeps what it was taught), or leave --board and --port out \
                 for a board of this command's own"
            );
        }
        Ok(args)
    }
}

//! A board that a command may have forget everything: its own, or one that is plugged in, when told.

use std::path::PathBuf;

use anyhow::bail;
use sudal::device::{self, Kind};

use super::device::{BoardArgs, serial_port};

/// Which board.
#[derive(clap::Args, Clone)]
pub(crate) struct ScratchArgs {
    /// The board, one of this command's own: host is the firmware in this process, emulator a Cortex-M7
    /// in QEMU. Or openmv-h7, pico or pico2, which is plugged in, with --erase [default: emulator; of the demo host,
    /// then emulator].
    #[arg(help_heading = "Board", long, env = "SUDAL_BOARD", value_name = "NAME")]
    board: Option<String>,
    /// Serial port of a board; it is an openmv-h7 unless --board says otherwise.
    #[arg(help_heading = "Board", long, value_name = "PORT", value_parser = serial_port)]
    port: Option<PathBuf>,
    /// Key of the board that is plugged in, if it is locked.
    #[arg(help_heading = "Board", long, value_name = "FILE", env = "SUDAL_KEY")]
    key: Option<PathBuf>,
    /// Have the board that is plugged in forget every class that it was taught.
    #[arg(help_heading = "Board", long)]
    erase: bool,
}

impl ScratchArgs {
    /// Whether a board is named.
    pub(crate) fn is_named(&self) -> bool {
        self.board.is_some() || self.port.is_some()
    }

    /// Name of the board; `or` if none is named.
    pub(crate) fn name<'a>(&'a self, or: &'a str) -> &'a str {
        let named = device::canonical(self.board.as_deref().unwrap_or(or));
        match self.port {
            Some(_) => Kind::named(named).unwrap_or(Kind::OpenMv).name(),
            None => named,
        }
    }

    /// The board of a command, `or` if none is named; what other boards were taught is not touched.
    pub(crate) fn board(&self, command: &str, or: &str) -> anyhow::Result<BoardArgs> {
        self.board_called(command, self.name(or))
    }

    /// The board of this name, or the one at the port that is given.
    pub(crate) fn board_called(&self, command: &str, name: &str) -> anyhow::Result<BoardArgs> {
        let args = BoardArgs {
            board: Some(name.to_owned()),
            board_dir: Some(device::state_dir(command).join(name.replace('/', "-"))),
            port: self.port.clone(),
            key: self.key.clone(),
        };
        if args.usb()?.is_some() && !self.erase {
            bail!(
                "this replaces the model of the board that is plugged in and makes it forget all that it was taught: \
                 give --erase to do that (`sudal backup` keeps what it was taught), or leave --board and --port out \
                 for a board of this command's own"
            );
        }
        Ok(args)
    }
}

//! From the name of a board to the board.

use std::env;
use std::path::{Path, PathBuf};

use super::board::Board;
use super::boards::canonical;
use super::emulator::Emulator;
use super::error::BoardError;
use super::host_board::HostBoard;
use super::openmv::OpenMv;

/// Opens a board by name, with its state (flash contents, model image, logs) in a folder.
///
/// # Errors
/// [`BoardError::Unknown`], or when the folder can't be made.
pub fn open(name: &str, dir: &Path) -> Result<Box<dyn Board>, BoardError> {
    open_at(name, dir, None)
}

/// As [`open`]; one that is plugged in, at this port if it is said.
///
/// # Errors
/// As [`open`].
pub fn open_at(name: &str, dir: &Path, port: Option<&Path>) -> Result<Box<dyn Board>, BoardError> {
    match canonical(name) {
        Emulator::NAME => Ok(Box::new(Emulator::open(dir)?)),
        HostBoard::NAME => Ok(Box::new(HostBoard::open(dir)?)),
        OpenMv::NAME => Ok(Box::new(OpenMv::at(port))),
        name => Err(BoardError::Unknown(name.to_owned())),
    }
}

/// Where a board's state is kept unless told otherwise: `$SUDAL_STATE/<board>`, else
/// `$XDG_STATE_HOME/sudal/<board>`, else `~/.local/state/sudal/<board>`.
#[must_use]
pub fn state_dir(board: &str) -> PathBuf {
    let folder = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    let base = if let Some(state) = folder("SUDAL_STATE") {
        PathBuf::from(state)
    } else if let Some(state) = folder("XDG_STATE_HOME") {
        Path::new(&state).join("sudal")
    } else if let Some(home) = folder("HOME") {
        Path::new(&home).join(".local/state/sudal")
    } else {
        env::temp_dir().join("sudal")
    };
    base.join(canonical(board))
}

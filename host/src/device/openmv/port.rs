//! The serial port of a board.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serial2::SerialPort;

use super::super::error::BoardError;

/// Where Linux has the ports by the names of what is plugged in.
const BY_NAME: &str = "/dev/serial/by-id";
/// Maker and product, as in `firmware/boards/openmv-h7/src/board/usb.rs`, the way they stand there.
const PRODUCT: &str = "sudal_openmv-h7";
/// Has no meaning over USB.
const RATE: u32 = 115_200;
/// How long a read waits, see [`Link`](super::super::Link).
const WAIT: Duration = Duration::from_millis(100);

/// Opens a port.
pub(super) fn open(path: &Path) -> Result<SerialPort, BoardError> {
    let opened = SerialPort::open(path, RATE).and_then(|mut port| {
        port.set_read_timeout(WAIT)?;
        Ok(port)
    });
    opened.map_err(|source| BoardError::port(path, source))
}

/// The port that is named, or the only one at which a board is.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, BoardError> {
    named.map_or_else(|| search(Path::new(BY_NAME)), |path| Ok(path.to_owned()))
}

fn search(folder: &Path) -> Result<PathBuf, BoardError> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut ours: Vec<_> = entries
        .filter(|entry| entry.file_name().to_string_lossy().contains(PRODUCT))
        .map(|entry| entry.path())
        .collect();
    ours.sort();
    match ours.as_slice() {
        [] => Err(BoardError::NoPort),
        [port] => Ok(port.clone()),
        [first, second, ..] => Err(BoardError::ManyPorts(first.clone(), second.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_says_what_to_look_for() {
        let Err(error) = open(Path::new("/dev/tty-of-no-board")) else {
            panic!("opened");
        };
        let text = error.to_string();
        assert!(text.contains("/dev/tty-of-no-board"), "{text}");
        assert!(text.contains("plugged in"), "{text}");
    }

    #[test]
    fn the_only_board_is_found_and_several_have_to_be_named() {
        let folder = tempfile::tempdir().unwrap();
        let add = |name: &str| fs::write(folder.path().join(name), []).unwrap();
        assert!(matches!(search(folder.path()), Err(BoardError::NoPort)));
        assert!(matches!(
            search(Path::new("/no/folder")),
            Err(BoardError::NoPort)
        ));
        add("usb-other_maker-if00");
        add("usb-sudal_sudal_openmv-h7_1234-if00");
        let found = search(folder.path()).unwrap();
        assert!(found.ends_with("usb-sudal_sudal_openmv-h7_1234-if00"));
        add("usb-sudal_sudal_openmv-h7_5678-if00");
        let error = search(folder.path()).unwrap_err().to_string();
        assert!(error.contains("1234") && error.contains("5678"), "{error}");
    }
}

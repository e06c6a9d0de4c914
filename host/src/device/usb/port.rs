//! The serial port of a board, or the socket of an emulated one.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serial2::SerialPort;

use super::super::error::BoardError;
use super::super::held::is_socket;
use super::super::link::Link;
use super::Kind;

/// Where Linux has the ports by the names of what is plugged in.
const BY_NAME: &str = "/dev/serial/by-id";
/// Maker and, before the board's name, product, as the boards say them and the way they stand there.
const MAKER: &str = "sudal_sudal_";
/// Has no meaning over USB.
const RATE: u32 = 115_200;
/// How long a read waits, see [`Link`](super::super::Link).
const WAIT: Duration = Duration::from_millis(100);

/// Opens a port.
pub(super) fn open(path: &Path) -> Result<Box<dyn Link>, BoardError> {
    let opened = if is_socket(path) {
        socket(path)
    } else {
        serial(path)
    };
    opened.map_err(|source| BoardError::port(path, source))
}

fn serial(path: &Path) -> io::Result<Box<dyn Link>> {
    let mut port = SerialPort::open(path, RATE)?;
    port.set_read_timeout(WAIT)?;
    Ok(Box::new(port))
}

fn socket(path: &Path) -> io::Result<Box<dyn Link>> {
    let line = UnixStream::connect(path)?;
    line.set_read_timeout(Some(WAIT))?;
    Ok(Box::new(line))
}

/// The only port at which a board of one of these kinds is.
pub(super) fn find(kinds: &[Kind]) -> Result<(Kind, PathBuf), BoardError> {
    search(Path::new(BY_NAME), kinds)
}

fn search(folder: &Path, kinds: &[Kind]) -> Result<(Kind, PathBuf), BoardError> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut ours: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let (_, product) = name.to_str()?.split_once(MAKER)?;
            let mut kinds = kinds.iter();
            let is = |kind: &&Kind| {
                let rest = product.strip_prefix(kind.name());
                rest.is_some_and(|rest| rest.starts_with('_'))
            };
            let kind = kinds.find(is)?;
            Some((entry.path(), *kind))
        })
        .collect();
    ours.sort_by(|(one, _), (other, _)| one.cmp(other));
    match ours.as_slice() {
        [] => Err(BoardError::NoPort),
        [(port, kind)] => Ok((*kind, port.clone())),
        [(first, _), (second, _), ..] => Err(BoardError::ManyPorts(first.clone(), second.clone())),
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
        let search = |kinds: &[Kind]| search(folder.path(), kinds);
        assert!(matches!(search(&Kind::ALL), Err(BoardError::NoPort)));
        add("usb-other_maker-if00");
        add("usb-sudal_sudal_openmv-h7_1234-if00");
        let (kind, found) = search(&Kind::ALL).unwrap();
        assert_eq!(kind, Kind::OpenMv);
        assert!(found.ends_with("usb-sudal_sudal_openmv-h7_1234-if00"));
        add("usb-sudal_sudal_pico_5678-if00");
        let error = search(&Kind::ALL).unwrap_err().to_string();
        assert!(error.contains("1234") && error.contains("5678"), "{error}");
        let (kind, found) = search(&[Kind::Pico]).unwrap();
        assert_eq!(kind, Kind::Pico);
        assert!(found.ends_with("usb-sudal_sudal_pico_5678-if00"));
        add("usb-sudal_sudal_pico2_9-if00");
        assert_eq!(search(&[Kind::Pico]).unwrap().0, Kind::Pico);
        let (kind, found) = search(&[Kind::Pico2]).unwrap();
        assert_eq!(kind, Kind::Pico2);
        assert!(found.ends_with("usb-sudal_sudal_pico2_9-if00"));
    }
}

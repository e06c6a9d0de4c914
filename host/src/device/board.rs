use std::env;
use std::io;
use std::path::{Path, PathBuf};

use super::client::{Client, ClientError};
use super::held::{self, Hold, Holder, Purpose};
use super::{Emulator, HostBoard, Kind, Link, Logs, UsbBoard};
use crate::near::did_you_mean;

/// Names that [`open`] knows.
pub const BOARDS: [&str; 4] = [
    HostBoard::NAME,
    Emulator::NAME,
    Kind::OpenMv.name(),
    Kind::Pico.name(),
];
/// What [`Emulator::NAME`] is called, too.
pub const EMULATOR: &str = "emulator";

/// The name in [`BOARDS`] of what may be called otherwise, too.
#[must_use]
pub fn canonical(name: &str) -> &str {
    if name == EMULATOR {
        Emulator::NAME
    } else {
        name
    }
}

/// What a board has room for at most, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Working memory of the engine.
    pub arena: usize,
    /// Model image.
    pub image: usize,
    /// Largest picture that a model takes in.
    pub input: usize,
    /// Largest frame of the camera.
    pub frame: usize,
}

/// Something that runs the firmware.
pub trait Board {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What it has room for.
    fn memory(&self) -> Memory;

    /// How many instructions a tick of its clock stands for, where it counts instructions instead
    /// of time.
    fn instructions_per_tick(&self) -> Option<u32>;

    /// Keeps other programs from the board until the hold is dropped. Each call below does so by
    /// itself while it uses the board, and an open line does; this is for several in a row, and for
    /// whoever is told for whom it waits.
    ///
    /// # Errors
    /// [`BoardError::Held`].
    fn hold(&mut self, purpose: Purpose, waiting: &mut dyn FnMut(&str))
    -> Result<Hold, BoardError>;

    /// Puts the firmware and a model image on the board and switches it on. What was enrolled
    /// stays, images of updates go. `step` is told what is being done.
    ///
    /// # Errors
    /// What is missing or went wrong, and what to do about it.
    fn flash(&mut self, image: &[u8], step: &mut dyn FnMut(&str)) -> Result<(), BoardError>;

    /// Switches the board on, if it is off.
    ///
    /// # Errors
    /// That nothing was flashed, or why it does not run.
    fn start(&mut self) -> Result<(), BoardError>;

    /// Cuts the power, if it is on.
    ///
    /// # Errors
    /// When it can't be stopped.
    fn stop(&mut self) -> Result<(), BoardError>;

    /// A client to the board, which is switched on if it is off.
    ///
    /// # Errors
    /// As [`start`](Self::start), and when the board does not answer.
    fn connect(&mut self) -> Result<Client<Box<dyn Link>>, BoardError>;

    /// Switches the board off and, with its recovery pin held, on again: it forgets all classes, its
    /// key and its settings.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    fn recover(&mut self) -> Result<(), BoardError>;

    /// The log since the board was flashed, or none if the board writes none.
    ///
    /// # Errors
    /// When the log or the firmware that it belongs to can't be read.
    fn logs(&self) -> Result<Option<Logs>, BoardError>;
}

/// Why a board did not do it.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The name is not in [`BOARDS`].
    #[error(
        "there is no board {0:?}: known are {known}, {EMULATOR} for {emulator}, and serial ports such as /dev/ttyACM0{near}",
        emulator = Emulator::NAME, known = BOARDS.join(", "), near = did_you_mean(.0, BOARDS.into_iter().chain([EMULATOR]))
    )]
    Unknown(String),
    /// Another program uses the board, or another part of this one.
    #[error(
        "the board in {} is in use by {}: {}", place.display(), held::named(holder.as_deref()),
        held::advice(holder.as_deref())
    )]
    Held {
        /// Its folder or port.
        place: PathBuf,
        /// Who, if that is known.
        holder: Option<Box<Holder>>,
    },
    /// The emulator runs in the folder of a board that is to run in this process.
    #[error(
        "an emulated board is on in {dir}: switch it off (`sudal stop --board {board} --board-dir {dir}`) or take another folder (--board-dir)",
        board = Emulator::NAME, dir = .0.display()
    )]
    Emulated(PathBuf),
    /// No model image was put on the board.
    #[error("no model is on this board yet: `sudal flash --board {board} MODEL` puts one there, `sudal models` lists those that come with sudal (looked in {})", dir.display())]
    NotFlashed {
        /// Name of the board.
        board: &'static str,
        /// Where its state would be.
        dir: PathBuf,
    },
    /// The bytes are no model image.
    #[error("this is no model image")]
    Image(#[source] sudal_firmware::image::ImageError),
    /// The image has more bytes than the board's flash.
    #[error("the model image has {len} bytes, the board has room for {room}")]
    ImageSize {
        /// Bytes of the image.
        len: usize,
        /// Bytes that there are.
        room: usize,
    },
    /// The model needs more memory than the board, or the firmware that was given for it, has.
    #[error(
        "the model needs {needed} bytes of {what}, there is room for {room}: take a smaller picture or fewer channels (`sudal profile` tells what each layer needs), or firmware that was built for it"
    )]
    Memory {
        /// What there is too little of.
        what: &'static str,
        /// Bytes that the model needs.
        needed: usize,
        /// Bytes that there are.
        room: usize,
    },
    /// A program that is needed can't be found or installed.
    #[error("{program} is missing: {advice}")]
    Missing {
        /// What is needed.
        program: &'static str,
        /// How to get it.
        advice: String,
    },
    /// A program failed.
    #[error("{what} failed:\n{output}")]
    Failed {
        /// What was tried.
        what: String,
        /// The end of what it printed.
        output: String,
    },
    /// No serial port belongs to a board.
    #[error(
        "no board is plugged in: look at the cable, flash the board (`sudal flash --board openmv-h7` or pico), or name its port (--port /dev/ttyACM0)"
    )]
    NoPort,
    /// Several do.
    #[error("there are boards at {first} and {second}: say which (--port {first})", first = .0.display(), second = .1.display())]
    ManyPorts(PathBuf, PathBuf),
    /// A serial port can't be opened.
    #[error("the port {} can't be opened: {advice}", path.display())]
    Port {
        /// Which.
        path: PathBuf,
        /// What to do.
        advice: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// No debug probe is plugged in.
    #[error(
        "no debug probe is plugged in (or you may not use it): connect one, or flash over USB (--dfu)"
    )]
    NoProbe,
    /// Several are.
    #[error("there are two probes, {0} and {1}: unplug one")]
    ManyProbes(String, String),
    /// No boot loader shows its drive.
    #[error(
        "no Raspberry Pi Pico waits to be flashed: hold its button BOOTSEL while you plug it in, and mount the drive RPI-RP2 that appears (or --out sudal.uf2, to copy it by hand)"
    )]
    NoDrive,
    /// No chip waits for DFU.
    #[error("no board is in its loader: connect its pins BOOT and RST, plug it in, then try again")]
    NoLoader,
    /// Only a person can do that.
    #[error("{what} can't be done from here: {how}")]
    ByHand {
        /// What was asked for.
        what: &'static str,
        /// How to do it.
        how: &'static str,
    },
    /// The board is on and does not answer.
    #[error("the board does not answer")]
    Client(#[from] ClientError),
    /// The log can't be decoded.
    #[error("the log can't be read: {0}")]
    Logs(String),
    /// A file or process failed.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl BoardError {
    /// For `map_err`: names what was tried, a path or a program.
    pub(super) fn io(what: impl ToString) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            what: what.to_string(),
            source,
        }
    }

    /// A port that can't be opened.
    pub(super) fn port(path: &Path, source: io::Error) -> Self {
        let advice = match source.kind() {
            io::ErrorKind::PermissionDenied => {
                "you may not use it: on Linux, add yourself to the group dialout and log in again"
            }
            io::ErrorKind::NotFound => {
                "is the board plugged in, with a cable that carries data, and flashed?"
            }
            _ => "is it a serial port, and does no other program use it?",
        };
        Self::Port {
            path: path.to_owned(),
            advice,
            source,
        }
    }
}

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
        name => match Kind::named(name) {
            Some(kind) => Ok(Box::new(UsbBoard::at(kind, port))),
            None => Err(BoardError::Unknown(name.to_owned())),
        },
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

//! Why a board did not do what it should.

use std::io;
use std::path::{Path, PathBuf};

use super::boards::{BOARDS, EMULATOR, MPS2_AN500};
use super::client::ClientError;
use super::holder::{self, Holder};
use crate::similar::did_you_mean;

/// Why a board did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// The name is not in [`BOARDS`].
    #[error(
        "there is no board {0:?}: known are {known}, {EMULATOR} for {emulator}, and serial ports such as /dev/ttyACM0{near}",
        emulator = MPS2_AN500, known = BOARDS.join(", "), near = did_you_mean(.0, BOARDS.into_iter().chain([EMULATOR]))
    )]
    Unknown(String),
    /// Another program uses the board, or another part of this one.
    #[error(
        "the board in {} is in use by {}: {}", place.display(), holder::named(holder.as_deref()),
        holder::advice(holder.as_deref())
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
        board = MPS2_AN500, dir = .0.display()
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
        "no such board waits to be flashed: hold its button BOOTSEL while you plug it in, and mount the drive {0} that appears (or --out sudal.uf2, to copy it by hand)"
    )]
    NoDrive(&'static str),
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

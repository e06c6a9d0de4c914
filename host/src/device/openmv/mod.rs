//! The OpenMV Cam H7 at a USB port.

mod chip;
#[cfg(feature = "flash")]
mod dfu;
mod port;
#[cfg(feature = "flash")]
mod probe;

use std::fs;
use std::path::{Path, PathBuf};

use super::board::{Board, Memory};
use super::boards::OPENMV_H7;
use super::client::Client;
use super::error::BoardError;
use super::held::{Hold, Kept, Place};
use super::holder::Purpose;
use super::host_board::check_image;
use super::machine::TARGET;
use super::{Link, Logs, firmware};
use crate::files;

/// As in the board's own sources; the arena and the input share the memory that the program leaves.
const MEMORY: Memory = Memory {
    arena: 64 << 10,
    image: chip::MODEL_LEN,
    input: 24 << 10,
    frame: 320 * 240,
};

/// How firmware and model image get into the chip's flash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Way {
    /// By a debug probe at the SWD pins.
    #[default]
    Probe,
    /// Over USB, by the loader in the chip's ROM.
    Dfu,
    /// Not at all: the bytes go to a file.
    File(PathBuf),
}

/// An OpenMV Cam H7: a Cortex-M7 with a camera that people can buy.
#[derive(Debug)]
pub struct OpenMv {
    port: Option<PathBuf>,
    way: Way,
    /// The port where it was last.
    place: Option<Place>,
}

impl OpenMv {
    /// Its name on the command line.
    pub const NAME: &'static str = OPENMV_H7;

    /// A board at a serial port, or at the only port where one is.
    #[must_use]
    pub fn at(port: Option<&Path>) -> Self {
        Self {
            port: port.map(Path::to_owned),
            way: Way::default(),
            place: None,
        }
    }

    /// The port at which one is plugged in, if one is.
    ///
    /// # Errors
    /// [`BoardError::ManyPorts`] where several are.
    pub fn plugged_in() -> Result<Option<PathBuf>, BoardError> {
        match port::find(None) {
            Ok(port) => Ok(Some(port)),
            Err(BoardError::NoPort) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The port where it is now.
    fn place(&mut self) -> Result<&mut Place, BoardError> {
        let path = port::find(self.port.as_deref())?;
        let same = self.place.take().filter(|place| place.path() == path);
        Ok(self.place.insert(same.unwrap_or_else(|| Place::port(path))))
    }

    /// How it is to be flashed.
    #[must_use]
    pub fn flashed_by(self, way: Way) -> Self {
        Self { way, ..self }
    }

    fn without_flashing() -> BoardError {
        BoardError::Missing {
            program: "the part of sudal that flashes camera boards",
            advice: "install it with `cargo install --path host --features flash`, or write a file (--out FILE) and flash that by dfu-util".to_owned(),
        }
    }

    fn by_hand(what: &'static str, how: &'static str) -> BoardError {
        BoardError::ByHand { what, how }
    }
}

impl Board for OpenMv {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn memory(&self) -> Memory {
        MEMORY
    }

    fn instructions_per_tick(&self) -> Option<u32> {
        None
    }

    fn hold(
        &mut self,
        purpose: Purpose,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<Hold, BoardError> {
        self.place()?.hold(purpose, waiting)
    }

    fn flash(&mut self, image: &[u8], step: &mut dyn FnMut(&str)) -> Result<(), BoardError> {
        let model = check_image(image, MEMORY)?;
        let model = model.model().map_err(BoardError::Image)?;
        // Before anything is installed or built.
        match &self.way {
            Way::File(path) => files::check(path).map_err(BoardError::io(path.display()))?,
            Way::Dfu | Way::Probe if cfg!(feature = "flash") => {}
            Way::Dfu | Way::Probe => return Err(Self::without_flashing()),
        }
        let elf = firmware::build(Self::NAME, TARGET, Some(&model), step)?;
        let elf = fs::read(&elf).map_err(BoardError::io(elf.display()))?;
        let contents = chip::contents(&elf, image)?;
        match &self.way {
            Way::File(path) => {
                files::replace(path, &contents).map_err(BoardError::io(path.display()))?;
                step(&format!(
                    "to write it: dfu-util -a 0 -s {:#x}:leave -D {}",
                    chip::START,
                    path.display()
                ));
                Ok(())
            }
            #[cfg(feature = "flash")]
            Way::Dfu => dfu::write(contents, step),
            #[cfg(feature = "flash")]
            Way::Probe => probe::write(&contents, step),
            #[cfg(not(feature = "flash"))]
            Way::Dfu | Way::Probe => Err(Self::without_flashing()),
        }
    }

    fn start(&mut self) -> Result<(), BoardError> {
        // It runs whenever it has power.
        Ok(())
    }

    fn stop(&mut self) -> Result<(), BoardError> {
        Err(Self::by_hand("switching the board off", "unplug it"))
    }

    fn connect(&mut self) -> Result<Client<Box<dyn Link>>, BoardError> {
        let place = self.place()?;
        let hold = place.hold(Purpose::Command, &mut |_| ())?;
        let line = port::open(place.path())?;
        Ok(Client::at_port(Box::new(Kept { line, hold })))
    }

    fn recover(&mut self) -> Result<(), BoardError> {
        Err(Self::by_hand(
            "recovering the board",
            "unplug it, connect P6 to ground, and plug it in again",
        ))
    }

    fn logs(&self) -> Result<Option<Logs>, BoardError> {
        // They go to the probe, which `probe-rs attach` reads.
        Ok(None)
    }
}

//! Boards at a USB port: the OpenMV Cam H7, the Raspberry Pi Pico and Pico 2.

mod chip;
#[cfg(feature = "flash")]
mod dfu;
mod kind;
mod memories;
mod port;
#[cfg(feature = "flash")]
mod probe;
mod uf2;

use std::fs;
use std::path::{Path, PathBuf};

pub use kind::Kind;
pub use memories::{Program, Room, programs, rooms};

use super::board::{Board, Memory};
use super::client::Client;
use super::error::BoardError;
use super::held::{Hold, Kept, Place};
use super::holder::Purpose;
use super::host_board::check_image;
use super::{Link, Logs, firmware};
use crate::atomic_file;

/// How firmware and model image get into the chip's flash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Way {
    /// As is usual for the board: an OpenMV Cam H7 by a debug probe at the SWD pins, a Raspberry Pi Pico
    /// by the drive that its boot loader shows.
    #[default]
    Usual,
    /// By a debug probe at the SWD pins.
    Probe,
    /// Over USB, by the loader in the ROM of an OpenMV Cam H7.
    Dfu,
    /// Not at all: the bytes go to a file.
    File(PathBuf),
}

/// A board that people can buy, at a USB port.
#[derive(Debug)]
pub struct UsbBoard {
    kind: Kind,
    port: Option<PathBuf>,
    way: Way,
    /// The port where it was last.
    place: Option<Place>,
}

impl UsbBoard {
    /// A board at a serial port, or at the only port where one of its kind is.
    #[must_use]
    pub fn at(kind: Kind, port: Option<&Path>) -> Self {
        Self {
            kind,
            port: port.map(Path::to_owned),
            way: Way::default(),
            place: None,
        }
    }

    /// The only one that is plugged in, if one is, and its port.
    ///
    /// # Errors
    /// [`BoardError::ManyPorts`] where several are.
    pub fn plugged_in() -> Result<Option<(Kind, PathBuf)>, BoardError> {
        match port::find(&Kind::ALL) {
            Ok(found) => Ok(Some(found)),
            Err(BoardError::NoPort) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The port where it is now.
    fn place(&mut self) -> Result<&mut Place, BoardError> {
        let path = match &self.port {
            Some(port) => port.clone(),
            None => port::find(&[self.kind])?.1,
        };
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

impl Board for UsbBoard {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn memory(&self) -> Memory {
        self.kind.memory()
    }

    fn hold(
        &mut self,
        purpose: Purpose,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<Hold, BoardError> {
        self.place()?.hold(purpose, waiting)
    }

    fn flash(&mut self, image: &[u8], step: &mut dyn FnMut(&str)) -> Result<(), BoardError> {
        let (kind, layout) = (self.kind, self.kind.layout());
        let model = check_image(image, kind.memory())?;
        let model = model.model().map_err(BoardError::Image)?;
        let way = match (&self.way, kind.loader()) {
            (Way::Usual, None) => &Way::Probe,
            (way, _) => way,
        };
        // Before anything is installed or built.
        match way {
            Way::File(path) => atomic_file::check(path).map_err(BoardError::io(path.display()))?,
            Way::Dfu if kind != Kind::OpenMv => {
                return Err(Self::by_hand(
                    "flashing this board by DFU",
                    "leave --dfu out",
                ));
            }
            Way::Usual => {}
            Way::Dfu | Way::Probe if cfg!(feature = "flash") => {}
            Way::Dfu | Way::Probe => return Err(Self::without_flashing()),
        }
        let elf = firmware::build(kind.name(), kind.target(), Some(&model), step)?;
        let elf = fs::read(&elf).map_err(BoardError::io(elf.display()))?;
        let contents = chip::contents(layout, &elf, image)?;
        let contents = match (way, kind.loader()) {
            (Way::Probe, _) | (_, None) => contents,
            (_, Some(loader)) => uf2::file(loader, layout, &contents),
        };
        match (way, kind.loader()) {
            (Way::File(path), loader) => {
                atomic_file::replace(path, &contents).map_err(BoardError::io(path.display()))?;
                let path = path.display();
                step(&match loader {
                    None => format!(
                        "to write it: dfu-util -a 0 -s {:#x}:leave -D {path}",
                        layout.start
                    ),
                    Some(_) => format!(
                        "to write it: hold BOOTSEL while you plug the board in, and copy {path} to its drive"
                    ),
                });
                Ok(())
            }
            (Way::Usual, Some(loader)) => uf2::write(loader, &contents, step),
            #[cfg(feature = "flash")]
            (Way::Dfu, _) => dfu::write(contents, step),
            #[cfg(feature = "flash")]
            (Way::Probe | Way::Usual, _) => probe::write(kind, &contents, step),
            #[cfg(not(feature = "flash"))]
            (Way::Dfu | Way::Probe | Way::Usual, _) => Err(Self::without_flashing()),
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
        let hold = place.keep()?;
        let line = port::open(place.path())?;
        Ok(Client::at_port(Box::new(Kept { line, hold })))
    }

    fn recover(&mut self) -> Result<(), BoardError> {
        Err(Self::by_hand("recovering the board", self.kind.recovery()))
    }

    fn logs(&self) -> Result<Option<Logs>, BoardError> {
        // They go to the probe, which `probe-rs attach` reads.
        Ok(None)
    }
}

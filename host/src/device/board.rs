//! What every board does.

use sudal_firmware::image::Model;

use super::client::Client;
use super::error::BoardError;
use super::held::Hold;
use super::holder::Purpose;
use super::link::Link;
use super::logs::Logs;

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

impl Memory {
    /// Whether there is room for this model.
    #[must_use]
    pub fn fits(&self, model: &Model<'_>) -> bool {
        model.bytes().len() <= self.image
            && model.arena_len() <= self.arena
            && model.input_len() <= self.input
    }
}

/// Something that runs the firmware.
pub trait Board {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What it has room for.
    fn memory(&self) -> Memory;

    /// How many instructions a tick of its clock stands for, where it counts instructions instead
    /// of time.
    fn instructions_per_tick(&self) -> Option<u32> {
        None
    }

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

    /// Lets frames come to an emulated board beside its line, which takes them a hundred times as long.
    /// Lines that are open stay what they are.
    fn hasten(&mut self) {}

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

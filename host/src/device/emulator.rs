//! The emulated board.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use sudal_firmware::protocol::ModelFault;

use super::block::{self, Line};
use super::board::{Board, Memory};
use super::boards::MPS2_AN500;
use super::client::Client;
use super::error::BoardError;
use super::file::Flashes;
use super::held::{Hold, Kept, Place};
use super::holder::Purpose;
use super::host_board::{check_image, forget_updates, hold_recovery_pin, remove};
use super::machine::TARGET;
use super::{Link, Logs, firmware, qemu};
use crate::atomic_file;

/// Bytes of a slot for updates, as in the board's own source.
const SLOT: usize = 512 << 10;
const FIRMWARE: &str = "firmware.elf";
const IMAGE: &str = "model.sudal";
const LOGS: &str = "logs.bin";

/// The frame as in the board's own source. Arena and input are the most that firmware is built for;
/// it sets aside what the models need.
const MEMORY: Memory = Memory {
    arena: 512 << 10,
    image: 15 << 20,
    input: 128 << 10,
    frame: 32 << 10,
};

/// A Cortex-M7 board, `mps2-an500`, in QEMU.
///
/// All of it lives in a folder: firmware, model image, flash contents and logs. It runs on when
/// this process ends, so that one command can enrol and the next classify; [`Board::stop`] cuts its
/// power. The emulator counts instructions: each takes a nanosecond of the board's clock.
#[derive(Debug)]
pub struct Emulator {
    place: Place,
    process: Option<Child>,
    /// Whether many bytes go beside the line.
    hastened: bool,
}

impl Emulator {
    /// Its name on the command line.
    pub const NAME: &'static str = MPS2_AN500;

    /// A board that keeps its state in this folder, which is made if there is none.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn open(dir: &Path) -> Result<Self, BoardError> {
        Ok(Self {
            place: Place::folder(dir)?,
            process: None,
            hastened: false,
        })
    }

    /// Kills the emulator if this process started it, as a power cut would the board.
    ///
    /// # Errors
    /// When it can't be killed.
    pub fn kill(&mut self) -> Result<(), BoardError> {
        if let Some(mut process) = self.process.take() {
            process
                .kill()
                .map_err(BoardError::io("killing the emulator"))?;
            process
                .wait()
                .map_err(BoardError::io("killing the emulator"))?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Replaces files, all of which are on the disk before the first is.
    fn replace(&self, all: &[(&str, &[u8])]) -> Result<(), BoardError> {
        let stage = |&(name, contents): &(&str, &[u8])| {
            let path = self.path(name);
            atomic_file::stage(&path, contents).map_err(BoardError::io(path.display()))
        };
        let staged: Vec<_> = all.iter().map(stage).collect::<Result<_, _>>()?;
        for file in staged {
            file.put()
                .map_err(BoardError::io(self.place.path().display()))?;
        }
        Ok(())
    }
}

impl Board for Emulator {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn memory(&self) -> Memory {
        MEMORY
    }

    fn instructions_per_tick(&self) -> Option<u32> {
        // The clock has 25 MHz, and `-icount shift=0` makes an instruction a nanosecond.
        Some(40)
    }

    fn hold(
        &mut self,
        purpose: Purpose,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<Hold, BoardError> {
        self.place.hold(purpose, waiting)
    }

    fn flash(&mut self, image: &[u8], step: &mut dyn FnMut(&str)) -> Result<(), BoardError> {
        let model = check_image(image, MEMORY)?;
        let _hold = self.place.keep()?;
        let model = model.model().map_err(BoardError::Image)?;
        qemu::find(step)?;
        let elf = firmware::build(Self::NAME, TARGET, Some(&model), step)?;
        let elf = fs::read(&elf).map_err(BoardError::io(elf.display()))?;
        self.stop()?;
        step("writing firmware and model image");
        // The log belongs to the firmware that wrote it.
        self.replace(&[(FIRMWARE, &elf), (IMAGE, image), (LOGS, &[])])?;
        forget_updates(self.place.path())?;
        // Whether this firmware reads it, it says by making it.
        remove(&self.path(block::FILE))?;
        step("switching the board on");
        self.start()?;
        // Firmware that was given may have been built for smaller models.
        let (what, needed, room) = match self.connect()?.info()?.model {
            Err(ModelFault::Arena { needed, given }) => ("working memory", needed, given),
            Err(ModelFault::Input { needed, given }) => ("input", needed, given),
            _ => return Ok(()),
        };
        let (needed, room) = (needed as usize, room as usize);
        Err(BoardError::Memory { what, needed, room })
    }

    fn start(&mut self) -> Result<(), BoardError> {
        let _hold = self.place.keep()?;
        let dir = self.place.path().to_owned();
        if qemu::is_running(&dir) {
            return Ok(());
        }
        if !self.path(IMAGE).exists() || !self.path(FIRMWARE).exists() {
            return Err(BoardError::NotFlashed {
                board: Self::NAME,
                dir,
            });
        }
        // The firmware makes the files, too, but not whole on a full disk, and for everybody to read.
        Flashes::open(&dir, SLOT)?;
        self.kill()?;
        let mut process = qemu::spawn(&qemu::find(&mut |_| ())?, &dir, LOGS)?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while !qemu::is_ready(&dir) {
            let ended = process.try_wait().map_err(BoardError::io("the emulator"))?;
            if ended.is_some() || Instant::now() > deadline {
                return Err(BoardError::Failed {
                    what: "starting the emulator".to_owned(),
                    output: fs::read_to_string(self.path("emulator.log")).unwrap_or_default(),
                });
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.process = Some(process);
        Ok(())
    }

    fn stop(&mut self) -> Result<(), BoardError> {
        let _hold = self.place.keep()?;
        self.kill()?;
        qemu::quit(self.place.path()).map_err(BoardError::io("stopping the emulator"))
    }

    fn connect(&mut self) -> Result<Client<Box<dyn Link>>, BoardError> {
        let hold = self.place.keep()?;
        self.start()?;
        let line = qemu::connect(self.place.path())
            .and_then(|line| {
                line.set_read_timeout(Some(Duration::from_millis(100)))?;
                Ok(line)
            })
            .map_err(BoardError::io("connecting to the emulator"))?;
        let block = self.path(block::FILE);
        let opened = self
            .hastened
            .then(|| File::options().write(true).open(block));
        let block = opened.and_then(Result::ok);
        let line = Line { line, block };
        Ok(Client::new(Box::new(Kept { line, hold })))
    }

    fn hasten(&mut self) {
        self.hastened = true;
    }

    fn recover(&mut self) -> Result<(), BoardError> {
        let _hold = self.place.keep()?;
        let dir = self.place.path().to_owned();
        self.stop()?;
        // It has looked at the pin when it answers.
        hold_recovery_pin(&dir, || self.connect()?.info().map_err(BoardError::from))?;
        Ok(())
    }

    fn logs(&self) -> Result<Option<Logs>, BoardError> {
        Logs::open(&self.path(FIRMWARE), &self.path(LOGS)).map(Some)
    }
}

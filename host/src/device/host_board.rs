//! The firmware in this process.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sudal_firmware::camera::VirtualCamera;
use sudal_firmware::device::{Cause, Clock, Device, History, Inspection, Resources, Session};
use sudal_firmware::patches;
use sudal_firmware::store::Known;
use sudal_firmware::store::nor::{Nor, SECTOR};

use super::board::{Board, Memory};
use super::boards::HOST;
use super::client::Client;
use super::error::BoardError;
use super::file::{FLASH, Flashes, HISTORY, INSPECTION, SETTINGS, SLOTS};
use super::held::{Hold, Place};
use super::holder::Purpose;
use super::{Link, Logs, qemu};
use crate::atomic_file;
use crate::engine::QuantizedModel;

const MEMORY: Memory = Memory {
    arena: 8 << 20,
    image: 64 << 20,
    input: 1 << 20,
    frame: FRAME,
};
const FRAME: usize = 256 << 10;
const SLOT: usize = 256 * SECTOR;
/// Unoptimised builds move the camera, with its frame, about on the stack.
const STACK: usize = 16 << 20;

/// The firmware library in a thread of this process, with its NOR flash in a file.
///
/// It computes what a board computes, bit for bit, and is switched off with the process.
#[derive(Debug)]
pub struct HostBoard {
    place: Place,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    requests: Sender<Message>,
    thread: JoinHandle<()>,
    _hold: Hold,
}

enum Message {
    Bytes(Vec<u8>, Sender<Vec<u8>>),
    PowerOff,
}

impl HostBoard {
    /// Its name on the command line.
    pub const NAME: &'static str = HOST;

    /// A board that keeps its state in this folder, which is made if there is none.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn open(dir: &Path) -> Result<Self, BoardError> {
        Ok(Self {
            place: Place::folder(dir)?,
            running: None,
        })
    }

    fn image_path(&self) -> PathBuf {
        self.place.path().join("model.sudal")
    }
}

impl Board for HostBoard {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn memory(&self) -> Memory {
        MEMORY
    }

    fn hold(
        &mut self,
        purpose: Purpose,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<Hold, BoardError> {
        self.place.hold(purpose, waiting)
    }

    fn flash(&mut self, image: &[u8], step: &mut dyn FnMut(&str)) -> Result<(), BoardError> {
        check_image(image, MEMORY)?;
        let _hold = self.place.keep()?;
        self.stop()?;
        step("writing the model image");
        let path = self.image_path();
        atomic_file::replace(&path, image).map_err(BoardError::io(path.display()))?;
        forget_updates(self.place.path())?;
        self.start()
    }

    fn start(&mut self) -> Result<(), BoardError> {
        if self
            .running
            .as_ref()
            .is_some_and(|board| !board.thread.is_finished())
        {
            return Ok(());
        }
        self.running = None;
        let hold = self.place.keep()?;
        let dir = self.place.path();
        if qemu::is_running(dir) {
            return Err(BoardError::Emulated(dir.to_owned()));
        }
        let path = self.image_path();
        let image = match fs::read(&path) {
            Ok(image) => aligned(&image),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BoardError::NotFlashed {
                    board: Self::NAME,
                    dir: dir.to_owned(),
                });
            }
            Err(error) => return Err(BoardError::io(path.display())(error)),
        };
        let flashes = Flashes::open(dir, SLOT)?;
        let recover = dir.join(RECOVERY).exists();
        let (requests, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("host board".to_owned())
            .stack_size(STACK)
            .spawn(move || power_on(&image, flashes, recover, &receiver))
            .map_err(BoardError::io("a thread for the board"))?;
        self.running = Some(Running {
            requests,
            thread,
            _hold: hold,
        });
        Ok(())
    }

    fn stop(&mut self) -> Result<(), BoardError> {
        if let Some(board) = self.running.take() {
            // Either fails only when the thread has ended already.
            let _ = board.requests.send(Message::PowerOff);
            let _ = board.thread.join();
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<Client<Box<dyn Link>>, BoardError> {
        self.start()?;
        let requests = match &self.running {
            Some(board) => board.requests.clone(),
            None => {
                return Err(BoardError::io("the board")(
                    io::ErrorKind::NotConnected.into(),
                ));
            }
        };
        let (answers, receiver) = mpsc::channel();
        Ok(Client::new(Box::new(Line {
            requests,
            answers,
            receiver,
            pending: VecDeque::new(),
        })))
    }

    fn recover(&mut self) -> Result<(), BoardError> {
        let _hold = self.place.keep()?;
        let dir = self.place.path().to_owned();
        self.stop()?;
        hold_recovery_pin(&dir, || self.connect()?.info().map_err(BoardError::from))?;
        Ok(())
    }

    fn logs(&self) -> Result<Option<Logs>, BoardError> {
        Ok(None)
    }
}

impl Drop for HostBoard {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// While there is a file of this name, a board's recovery pin is held.
const RECOVERY: &str = "recovery";

/// Erases the slots of a board that is off, as whoever writes another image with the firmware does.
pub(super) fn forget_updates(dir: &Path) -> Result<(), BoardError> {
    for name in SLOTS {
        remove(&dir.join(name))?;
    }
    Ok(())
}

/// Holds a board's recovery pin while it is switched on.
pub(super) fn hold_recovery_pin<T>(
    dir: &Path,
    switch_on: impl FnOnce() -> Result<T, BoardError>,
) -> Result<T, BoardError> {
    let pin = dir.join(RECOVERY);
    fs::write(&pin, []).map_err(BoardError::io(pin.display()))?;
    let started = switch_on();
    remove(&pin)?;
    started
}

pub(super) fn remove(path: &Path) -> Result<(), BoardError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(BoardError::io(path.display())(error))
        }
        _ => Ok(()),
    }
}

/// Reads an image, and refuses one that a board with this memory could not run.
pub(super) fn check_image(image: &[u8], memory: Memory) -> Result<QuantizedModel, BoardError> {
    if image.len() > memory.image {
        return Err(BoardError::ImageSize {
            len: image.len(),
            room: memory.image,
        });
    }
    let image = QuantizedModel::new(image).map_err(BoardError::Image)?;
    let model = image.model().map_err(BoardError::Image)?;
    for (what, needed, room) in [
        ("working memory", model.arena_len(), memory.arena),
        ("input", model.input_len(), memory.input),
    ] {
        if needed > room {
            return Err(BoardError::Memory { what, needed, room });
        }
    }
    Ok(image)
}

/// A copy that starts at a multiple of 16 bytes, as an image has to.
fn aligned(image: &[u8]) -> Vec<u128> {
    let mut words = vec![0; image.len().div_ceil(size_of::<u128>())];
    bytemuck::cast_slice_mut(&mut words)[..image.len()].copy_from_slice(image);
    words
}

/// Runs the firmware until it is switched off; `recover` holds its pin.
fn power_on(image: &[u128], flashes: Flashes, recover: bool, requests: &Receiver<Message>) {
    let mut arena = vec![0; MEMORY.arena / size_of::<u64>()];
    let mut input = vec![0; MEMORY.input];
    let (mut mirror, mut settings) = (vec![0; FLASH], vec![0; SETTINGS]);
    let mut history = vec![0; HISTORY];
    let (mut inspection, mut memory) = (vec![0; INSPECTION], Box::new(patches::Memory::new()));
    // Aligned as an image has to be.
    let mut slots = vec![0_u128; 2 * SLOT / size_of::<u128>()];
    let [medium_a, medium_b] = flashes.slots;
    let (slot_a, slot_b) = bytemuck::cast_slice_mut(&mut slots).split_at_mut(SLOT);
    // A flash that can't be read is a board that does not start; its line then is closed.
    let (Ok(flash), Ok(settings), Ok(slot_a), Ok(slot_b), Ok(history), Ok(inspection)) = (
        Nor::new(&mut mirror, flashes.classes),
        Nor::new(&mut settings, flashes.settings),
        Nor::new(slot_a, medium_a),
        Nor::new(slot_b, medium_b),
        Nor::new(&mut history, flashes.history),
        Nor::new(&mut inspection, flashes.inspection),
    ) else {
        return;
    };
    let mut known = Box::new(Known::new());
    let mut device = Device::new(Resources {
        board: HostBoard::NAME,
        clock: Clock {
            read: microseconds,
            ticks_per_second: 1_000_000,
        },
        alive: || (),
        image: bytemuck::cast_slice(image),
        arena: &mut arena,
        input: &mut input,
        camera: VirtualCamera::<FRAME>::new(),
        flash,
        known: &mut known,
        settings,
        slots: [slot_a, slot_b],
        inspection: Some(Inspection {
            memory: &mut memory,
            flash: inspection,
        }),
        recover,
    });
    device.set_history(History::open(history, Cause::PowerOn, None));
    let mut session = Box::new(Session::new(device));
    while let Ok(Message::Bytes(bytes, answers)) = requests.recv() {
        for byte in bytes {
            if let Some(reply) = session.push(byte) {
                // Whoever asked may be gone.
                let _ = answers.send(reply.to_vec());
            }
        }
    }
}

fn microseconds() -> u32 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_micros() as u32
}

/// The line to a board in this process.
struct Line {
    requests: Sender<Message>,
    answers: Sender<Vec<u8>>,
    receiver: Receiver<Vec<u8>>,
    pending: VecDeque<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.requests
            .send(Message::Bytes(bytes.to_vec(), self.answers.clone()))
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Line {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.pending.is_empty() {
            match self.receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(answer) => self.pending.extend(answer),
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
            }
        }
        self.pending.read(bytes)
    }
}

//! `--board`: opening a board, showing it pictures, and episodes over its line.

use std::fmt;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use anyhow::bail;
use serde::Serialize;
use sudal::data::{Colors, Loaded, Raster, Size};
use sudal::device::{
    self, Board, BoardError, Client, ClientError, DeviceError, Emulator, Head, Hold, HostBoard,
    Kind, Link, LockError, LockKey, LockState, Purpose, UsbBoard,
};
use sudal::episodes::Sampler;
use sudal::measure::{Accuracy, FewShot, Picture};

use super::output::{Output, detail, say, say_once};

/// Which board.
#[derive(clap::Args, Clone)]
pub(crate) struct BoardArgs {
    /// The board: host is the firmware in this process, emulator a Cortex-M7 in QEMU (mps2-an500),
    /// openmv-h7 an OpenMV Cam H7 and pico a Raspberry Pi Pico at a USB port, /dev/ttyACM0 the one at this
    /// port [default: the board that is plugged in, else host].
    #[arg(help_heading = "Board", long, env = "SUDAL_BOARD", value_name = "NAME")]
    pub(crate) board: Option<String>,
    /// Folder with the board's flash, model and logs [default: in the user's state folder].
    #[arg(
        help_heading = "Board",
        long,
        value_name = "DIR",
        env = "SUDAL_BOARD_DIR"
    )]
    pub(crate) board_dir: Option<PathBuf>,
    /// Serial port of a board, or socket of an emulated one; it is an openmv-h7 unless --board says otherwise
    /// [default: the one where it is].
    #[arg(help_heading = "Board", long, value_name = "PORT", env = "SUDAL_PORT", value_parser = serial_port)]
    pub(crate) port: Option<PathBuf>,
    /// Key of the board, for commands that change one that is locked; see `sudal key`.
    #[arg(help_heading = "Board", long, value_name = "FILE", env = "SUDAL_KEY")]
    pub(crate) key: Option<PathBuf>,
}

/// Whether something was flashed to the board of this name, in its usual folder.
fn has_model(board: &str) -> bool {
    device::state_dir(board).join("model.sudal").exists()
}

/// A serial port, not that of a server.
pub(crate) fn serial_port(text: &str) -> Result<PathBuf, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "{text} is no serial port such as /dev/ttyACM0; where browsers connect is `sudal serve --listen 127.0.0.1:{text}`"
        ));
    }
    Ok(PathBuf::from(text))
}

/// A connected board. One that this program unlocked is locked again when it lets go.
pub(crate) struct Connection {
    pub(crate) board: Box<dyn Board>,
    pub(crate) client: Client<Box<dyn Link>>,
    unlocked: bool,
    /// What the model sees of pictures, once that was asked.
    colors: Option<Colors>,
    /// From the first request to the last, with what is switched off and on in between.
    _hold: Hold,
}

/// Where a board is.
pub(crate) enum Where {
    /// In a folder: its name.
    Folder(String),
    /// At a serial port, if that is known already.
    Port(Kind, Option<PathBuf>),
}

impl BoardArgs {
    /// Which board is meant; where none is named that is said.
    ///
    /// # Errors
    /// That several are plugged in.
    pub(crate) fn place(&self) -> anyhow::Result<Where> {
        let kind = self.board.as_deref().and_then(Kind::named);
        if let Some(port) = &self.port {
            let kind = kind.unwrap_or(Kind::OpenMv);
            return Ok(Where::Port(kind, Some(port.clone())));
        }
        let named = match self.board.as_deref() {
            Some(name) => name,
            None => match UsbBoard::plugged_in()? {
                Some((kind, port)) => {
                    say_once(format_args!("board: {} at {}", kind.name(), port.display()));
                    return Ok(Where::Port(kind, Some(port)));
                }
                None => {
                    let elsewhere = if has_model(HostBoard::NAME) || !has_model(Emulator::NAME) {
                        "--board emulator, or --port of a camera board, for another"
                    } else {
                        "it has no model yet; the emulated board has one: --board emulator"
                    };
                    say_once(format_args!(
                        "board: host, the firmware in this process ({elsewhere})"
                    ));
                    HostBoard::NAME
                }
            },
        };
        Ok(match device::canonical(named) {
            port if port.starts_with("/dev/") => Where::Port(Kind::OpenMv, Some(port.into())),
            name => match kind {
                Some(kind) => Where::Port(kind, None),
                None => Where::Folder(name.to_owned()),
            },
        })
    }

    /// The name of the board.
    pub(crate) fn name(&self) -> anyhow::Result<String> {
        Ok(match self.place()? {
            Where::Folder(name) => name,
            Where::Port(kind, _) => kind.name().to_owned(),
        })
    }

    /// The board, as it is.
    pub(crate) fn open(&self) -> anyhow::Result<Box<dyn Board>> {
        Ok(match self.place()? {
            Where::Port(kind, port) => Box::new(UsbBoard::at(kind, port.as_deref())),
            Where::Folder(name) => {
                let dir = self.dir(&name);
                detail(format_args!("board {name} in {}", dir.display()));
                device::open(&name, &dir)?
            }
        })
    }

    /// The folder of the board of this name.
    fn dir(&self, name: &str) -> PathBuf {
        let dir = self.board_dir.clone();
        dir.unwrap_or_else(|| device::state_dir(name))
    }

    /// The board, kept from other programs, if it is there.
    pub(crate) fn open_alone(&self) -> anyhow::Result<(Box<dyn Board>, Option<Hold>)> {
        let mut board = self.open()?;
        let hold = match hold(board.as_mut()) {
            Err(BoardError::NoPort | BoardError::ManyPorts(..) | BoardError::Port { .. }) => None,
            held => Some(held?),
        };
        Ok((board, hold))
    }

    /// The board at a port, if it is one.
    pub(crate) fn usb(&self) -> anyhow::Result<Option<UsbBoard>> {
        Ok(match self.place()? {
            Where::Port(kind, port) => Some(UsbBoard::at(kind, port.as_deref())),
            Where::Folder(_) => None,
        })
    }

    /// The board, on and connected.
    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        Connection::new(self.open()?)
    }

    /// The board, on and connected, and unlocked if it is locked.
    pub(crate) fn connect_to_change(&self) -> anyhow::Result<Connection> {
        let mut connection = self.connect()?;
        connection.unlock(self)?;
        Ok(connection)
    }

    /// The board's key, if one was given.
    pub(crate) fn lock_key(&self) -> anyhow::Result<Option<LockKey>> {
        Ok(self.key.as_deref().map(LockKey::open).transpose()?)
    }
}

/// What a frame cost the board: milliseconds of its clock, or instructions where the board is
/// emulated and counts those.
#[derive(Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cost {
    /// By the board's clock.
    Milliseconds(f64),
    /// By the emulator, to within a tick of the board's clock.
    Instructions(u64),
}

impl Cost {
    /// From ticks of the board's clock.
    pub(crate) fn new(board: &dyn Board, ticks: u32, ticks_per_second: u32) -> Self {
        match board.instructions_per_tick() {
            Some(each) => Self::Instructions(u64::from(ticks) * u64::from(each)),
            None => Self::Milliseconds(f64::from(ticks) / f64::from(ticks_per_second) * 1e3),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Milliseconds(ms) => write!(f, "{ms:.1} ms"),
            Self::Instructions(n) => write!(f, "{:.2} M instructions", *n as f64 / 1e6),
        }
    }
}

/// Keeps other programs from a board; says for whom it waits.
pub(crate) fn hold(board: &mut dyn Board) -> Result<Hold, BoardError> {
    board.hold(Purpose::Command, &mut |text| say(text))
}

impl Connection {
    /// The board, on and connected.
    pub(crate) fn new(mut board: Box<dyn Board>) -> anyhow::Result<Self> {
        let hold = hold(board.as_mut())?;
        let client = board.connect()?;
        Ok(Self {
            board,
            client,
            unlocked: false,
            colors: None,
            _hold: hold,
        })
    }

    /// Unlocks the board, if it is locked.
    pub(crate) fn unlock(&mut self, args: &BoardArgs) -> anyhow::Result<()> {
        if self.client.info()?.protection.lock == LockState::Locked {
            let key = args.lock_key()?;
            let key = key.ok_or(DeviceError::from(LockError::Locked))?;
            // Who has the key waits for those who did not.
            while let Err(error) = self.client.unlock(&key) {
                match error {
                    ClientError::Device(DeviceError::Lock(LockError::Wait { seconds })) => {
                        say(format_args!(
                            "there were wrong answers: waiting {seconds} s"
                        ));
                        sleep(Duration::from_secs(seconds.into()));
                    }
                    error => return Err(error.into()),
                }
            }
            self.unlocked = true;
        }
        Ok(())
    }

    /// Cuts the power, switches on again and connects.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        (self.unlocked, self.colors) = (false, None);
        self.board.stop()?;
        self.client = self.board.connect()?;
        Ok(())
    }

    /// What the model that runs sees of pictures.
    pub(crate) fn colors(&mut self) -> anyhow::Result<Colors> {
        if self.colors.is_none() {
            self.colors = Some(self.client.info()?.colors());
        }
        Ok(self.colors.unwrap_or_default())
    }

    /// Shows the virtual camera what the model sees of a picture. One that has more pixels than the camera holds is
    /// made smaller first, its sides in proportion.
    pub(crate) fn show(&mut self, picture: &Raster) -> anyhow::Result<()> {
        let capacity = self.board.memory().frame;
        let picture = picture.to(self.colors()?);
        Ok(self.client.show(&picture, capacity)?)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.unlocked {
            // A board that is gone is locked.
            let _ = self.client.lock();
        }
    }
}

/// Few-shot episodes run by enrolling and classifying over a board's line, beside the host board
/// doing the same.
pub(crate) struct Episodes<'a> {
    board: Connection,
    twin: Connection,
    data: &'a Loaded,
    output: &'a Output,
    /// The twin's state, gone with it.
    _folder: tempfile::TempDir,
}

impl Drop for Episodes<'_> {
    fn drop(&mut self) {
        // One that is plugged in stays on.
        let _ = self.board.board.stop();
    }
}

impl<'a> Episodes<'a> {
    /// Flashes `image` to the board and to its twin in this process.
    pub(crate) fn start(
        args: &BoardArgs,
        image: &[u8],
        data: &'a Loaded,
        output: &'a Output,
    ) -> anyhow::Result<Self> {
        let (mut board, _hold) = args.open_alone()?;
        board.flash(image, &mut |step| output.step(step))?;
        let mut board = Connection::new(board)?;
        board.unlock(args)?;
        let folder = tempfile::tempdir()?;
        let mut twin = device::open("host", folder.path())?;
        twin.flash(image, &mut |_| ())?;
        Ok(Self {
            board,
            twin: Connection::new(twin)?,
            data,
            output,
            _folder: folder,
        })
    }

    /// Runs episodes with a head; every enrolled class is removed again afterwards, and the board
    /// gets the head back that it had.
    pub(crate) fn accuracy(
        &mut self,
        head: Head,
        sampler: &Sampler,
        episodes: u64,
    ) -> anyhow::Result<Accuracy> {
        let shape = sampler.shape();
        let info = self.board.client.info()?;
        if shape.way > usize::from(info.max_classes) || shape.shot > usize::from(info.max_shots) {
            bail!(
                "the board stores {} classes of {} shots: {}-way {}-shot does not fit",
                info.max_classes,
                info.max_shots,
                shape.way,
                shape.shot
            );
        }
        for connection in [&mut self.board, &mut self.twin] {
            // What was read from the memory is forgotten with what it held.
            connection.client.reset()?;
            connection.client.set_head(head)?;
        }
        let what = format!("{}-way {}-shot", shape.way, shape.shot);
        let accuracy =
            (self.output).episodes(sampler, episodes, what, |run| run.accuracy_of(self))?;
        self.board.client.reset()?;
        self.board.client.set_head(info.head)?;
        Ok(accuracy)
    }

    /// Does the same with pictures on both boards.
    fn both<T: Send>(
        &mut self,
        each: impl Fn(
            &mut Client<Box<dyn Link>>,
            &dyn Fn(Picture) -> anyhow::Result<Raster>,
        ) -> anyhow::Result<T>
        + Sync,
    ) -> anyhow::Result<(T, T)> {
        let data = self.data;
        let Size {
            width,
            height,
            colors,
        } = data.picture_size();
        let picture = |(class, index): Picture| {
            let pixels = data.pixels(class, index).to_vec();
            Ok(Raster::with_colors(width, height, colors, pixels)?)
        };
        let (board, host) = rayon::join(
            || each(&mut self.board.client, &picture),
            || each(&mut self.twin.client, &picture),
        );
        Ok((board?, host?))
    }
}

impl FewShot for Episodes<'_> {
    type Answer = Option<usize>;
    type Error = anyhow::Error;

    fn learn(&mut self, support: &[Vec<Picture>]) -> anyhow::Result<()> {
        let capacity = self.board.board.memory().frame;
        self.both(|client, picture| {
            client.reset()?;
            for (place, pictures) in support.iter().enumerate() {
                for &shot in pictures {
                    client.show(&picture(shot)?, capacity)?;
                    client.enroll_forced(&place.to_string())?;
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    fn answer(&mut self, queries: &[Picture]) -> anyhow::Result<Vec<Option<usize>>> {
        let capacity = self.board.board.memory().frame;
        let (board, host) = self.both(|client, picture| {
            let verdict = |&query: &Picture| {
                client.show(&picture(query)?, capacity)?;
                let mut verdict = client.classify()?;
                // The boards' clocks differ, their answers must not.
                verdict.ticks = 0;
                Ok((verdict, client.embed()?.values))
            };
            queries
                .iter()
                .map(verdict)
                .collect::<anyhow::Result<Vec<_>>>()
        })?;
        if board != host {
            bail!("the board's answers differ from the host's: this is a fault of the firmware");
        }
        Ok(board
            .iter()
            .map(|(verdict, _)| verdict.name.parse().ok())
            .collect())
    }

    /// Classes are named by their places.
    fn place(answer: &Option<usize>) -> Option<usize> {
        *answer
    }
}

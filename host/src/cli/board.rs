//! The commands that talk to a board.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sudal::device::{
    self, Board, BoardError, Boots, Client, Hold, Info as DeviceInfo, Kind, Link, Role, Stats, Way,
};

use super::decide;
use super::device::BoardArgs;
use super::interrupt::Interrupt;
use super::lock;
use super::model;
use super::output::Output;
use super::output_file;

/// Put a model on a board and start it.
///
/// Builds the firmware if need be (with an installed Rust target, else rustup's, else Debian's
/// packages) and says what it does. The firmware's working memory is what the models that come with
/// sudal need, and what this one needs where that is more. Enrolled classes stay in the board's flash; those of another
/// model are kept apart.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal flash surfaces
  sudal flash --board emulator mine.sudal
  sudal flash --board openmv-h7 --dfu parts
  sudal flash --board pico parts")]
pub(crate) struct Flash {
    /// The model image: one that comes with sudal, by name (parts, surfaces; `sudal models` lists them),
    /// or a file of `sudal convert`.
    #[arg(value_name = "MODEL")]
    image: PathBuf,
    /// Of an openmv-h7: write it over USB, by the loader in the chip, instead of by a debug probe.
    #[arg(long)]
    dfu: bool,
    /// Of a pico or pico2: write it by a debug probe, instead of to the drive of its boot loader.
    #[arg(long, conflicts_with = "dfu")]
    probe: bool,
    /// Of an openmv-h7, pico or pico2: write what would be flashed to a file instead, of a Pico as UF2.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dfu", "probe"])]
    out: Option<PathBuf>,
    #[command(flatten)]
    board: BoardArgs,
}

impl Flash {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let image = model::read(&self.image)?;
        if let Some(file) = &self.out {
            output_file::ready(file)?;
        }
        let (mut board, _hold) = self.open()?;
        board
            .flash(&image, &mut |step| output.step(step))
            .with_context(|| format!("flashing {}", self.image.display()))?;
        if let Some(file) = &self.out {
            return output.result(&serde_json::json!({ "file": file }), file.display());
        }
        let info = arrived(board.as_mut())?.info()?;
        output.result(&info, describe(&info))
    }

    /// The board, and how it is to be flashed.
    fn open(&self) -> anyhow::Result<(Box<dyn Board>, Option<Hold>)> {
        let way = match &self.out {
            Some(file) => Way::File(file.clone()),
            None if self.dfu => Way::Dfu,
            None if self.probe => Way::Probe,
            None => Way::Usual,
        };
        match self.board.usb()? {
            // It is written past its port.
            Some(board) => Ok((Box::new(board.flashed_by(way)), None)),
            None if way == Way::Usual => self.board.open_alone(),
            None => bail!(
                "--dfu is for --board {0}, --probe and --out are for {0}, {1} and {2}, not {3}",
                Kind::OpenMv.name(),
                Kind::Pico.name(),
                Kind::Pico2.name(),
                self.board.name()?
            ),
        }
    }
}

/// A client to a board that was just flashed: its port may take some seconds to come.
fn arrived(board: &mut dyn Board) -> Result<Client<Box<dyn Link>>, BoardError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match board.connect() {
            Err(BoardError::NoPort | BoardError::Port { .. }) if Instant::now() < deadline => {
                sleep(Duration::from_millis(200));
            }
            result => return result,
        }
    }
}

/// Start the board, or switch it off and on.
///
/// What its flash holds stays: a power cycle. The host's board is on while a command uses it.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal run")]
pub(crate) struct Run {
    #[command(flatten)]
    board: BoardArgs,
}

impl Run {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let (mut board, _hold) = self.board.open_alone()?;
        board.stop()?;
        board.start()?;
        let info = board.connect()?.info()?;
        output.result(&info, describe(&info))
    }
}

/// Switch the board off.
///
/// The emulated board runs on between commands; the host's is off already.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal stop --board emulator")]
pub(crate) struct Stop {
    #[command(flatten)]
    board: BoardArgs,
}

impl Stop {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let (mut board, _hold) = self.board.open_alone()?;
        board.stop()?;
        output.result(&serde_json::json!({ "stopped": board.name() }), "stopped")
    }
}

/// Say what the board is, its model, and what it has counted.
///
/// Its firmware and memory, too, how it decides, and why it was started last.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal info
  sudal info --clear        forgets the last failure when it was read")]
pub(crate) struct Info {
    /// Forget the last failure after it was told.
    #[arg(long)]
    clear: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl Info {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect()?;
        let info = c.client.info()?;
        let stats = c.client.stats()?;
        let boots = c.client.boots(self.clear)?;
        let text = format!(
            "{}\n{}\nsince it was started: {}",
            describe(&info),
            starts(&boots),
            counted(&stats, info.ticks_per_second)
        );
        output.result(
            &serde_json::json!({ "info": info, "boots": boots, "stats": stats }),
            text,
        )
    }
}

/// What a device counted, in a sentence.
fn counted(stats: &Stats, ticks_per_second: u32) -> String {
    let Stats {
        frames,
        classified,
        enrolled,
        malformed,
        repeated,
        refused,
        last_ticks,
        most_ticks,
    } = *stats;
    let mut text = format!(
        "{frames} frames, of which {classified} were classified and {enrolled} enrolled; {refused} requests refused, {repeated} answers repeated, {malformed} packets damaged"
    );
    if frames > 0 {
        let ms = |ticks: u32| f64::from(ticks) * 1e3 / f64::from(ticks_per_second.max(1));
        text.push_str(&format!(
            "; the last frame took {:.1} ms of its clock, the slowest {:.1} ms",
            ms(last_ticks),
            ms(most_ticks)
        ));
    }
    text
}

fn starts(boots: &Boots) -> String {
    let now = format!(
        "started {} times, this time by {}",
        boots.count, boots.cause
    );
    let Some(failure) = &boots.failure else {
        return format!("{now}; no failure is known");
    };
    let place = if failure.file.is_empty() {
        String::new()
    } else {
        format!(" at {}:{}", failure.file, failure.line)
    };
    format!(
        "{now}; last failure, before start {}: {}{place}: {}",
        failure.boot, failure.cause, failure.message
    )
}

pub(crate) fn describe(info: &DeviceInfo) -> String {
    let model = match &info.model {
        Ok(m) => format!(
            "model {} ({:016x}): {}x{}x{} pixels to {} values, {} bytes of flash, {} bytes of RAM",
            m.name, m.id, m.width, m.height, m.channels, m.dim, m.image, m.arena
        ),
        Err(fault) => format!("no model: {fault}"),
    };
    let classes = match &info.classes {
        Ok(n) => format!(
            "{n} of {} classes enrolled, up to {} shots each; {} of {} slots of the memory in use; head: {}",
            info.max_classes,
            info.max_shots,
            info.slots,
            info.max_slots,
            info.head.name()
        ),
        Err(fault) => format!("store: {fault}"),
    };
    let mut text = format!(
        "{}, firmware {}, protocol {}\n{model}\n{classes}\n{}\n{}",
        info.board,
        info.firmware,
        info.protocol,
        decide::describe(&info.decision_config),
        lock::describe(&info.protection)
    );
    if info.other_models > 0 {
        text.push_str(&format!(
            "\n{} of them are of other models, kept until their model is flashed again; `sudal re-enroll` \
             teaches this model from pictures that were kept",
            info.other_models
        ));
    }
    if !info.damage.classes.is_empty() {
        text.push_str(&format!(
            "\nthe flash lost the newest state of class {}: see `sudal list`",
            ids(&info.damage.classes)
        ));
    }
    if info.damage.head {
        text.push_str("\nthe flash lost the choice of the head: choose it again");
    }
    text
}

fn ids(ids: &[u8]) -> String {
    let ids: Vec<_> = ids.iter().map(u8::to_string).collect();
    ids.join(", ")
}

/// List the classes that the board was taught.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal list")]
pub(crate) struct List {
    #[command(flatten)]
    board: BoardArgs,
}

impl List {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect()?;
        let info = c.client.info()?;
        let model = info.model.ok().map(|m| m.id);
        let classes = c.client.list()?;
        let mut lost = info.damage.classes;
        let mut text = String::new();
        for class in &classes {
            text.push_str(&format!(
                "{:>3}  {:>2} shots  {:>2} slots  {}",
                class.id, class.shots, class.slots, class.name
            ));
            if class.role != Role::Plain {
                text.push_str(&format!("  [{}]", class.role.name()));
            }
            if Some(class.model) != model {
                text.push_str("  (of another model: enrol it again, or flash its model)");
            }
            if lost.contains(&class.id) {
                lost.retain(|&id| id != class.id);
                text.push_str("  (damaged: this is an older state; remove it and enrol it again)");
            }
            text.push('\n');
        }
        for id in lost {
            text.push_str(&format!(
                "{id:>3}  lost by the flash; `sudal remove --id {id}` forgets that\n"
            ));
        }
        if classes.is_empty() {
            text.push_str("nothing is enrolled");
        }
        output.result(&classes, text)
    }
}

/// Give a class another name.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal rename gear \"gear, small\"")]
pub(crate) struct Rename {
    /// Name of the class.
    name: String,
    /// Its new name.
    to: String,
    #[command(flatten)]
    board: BoardArgs,
}

impl Rename {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect_to_change()?;
        let id = c.client.find(&self.name)?;
        let to = device::name(&self.to)?;
        c.client.rename(id, &to)?;
        output.result(
            &serde_json::json!({ "id": id, "name": to }),
            format!("{} is now {to}", self.name),
        )
    }
}

/// Remove a class.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal remove gear")]
pub(crate) struct Remove {
    /// Name of the class.
    #[arg(required_unless_present = "id")]
    name: Option<String>,
    /// Its id, instead of its name; also of one that the flash lost.
    #[arg(long, conflicts_with = "name")]
    id: Option<u8>,
    #[command(flatten)]
    board: BoardArgs,
}

impl Remove {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect_to_change()?;
        let (id, what) = match (&self.name, self.id) {
            (Some(name), _) => (c.client.find(name)?, name.clone()),
            (None, Some(id)) => (id, format!("class {id}")),
            (None, None) => bail!("give the name or the id of a class"),
        };
        c.client.remove(id)?;
        output.result(
            &serde_json::json!({ "removed": what }),
            format!("removed {what}"),
        )
    }
}

/// Remove every class.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal backup before.sudalbak
  sudal reset --yes")]
pub(crate) struct Reset {
    /// Do it: there is no way back.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl Reset {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        if !self.yes {
            bail!("this forgets every enrolled class: give --yes to do it");
        }
        self.board.connect_to_change()?.client.reset()?;
        output.result(&serde_json::json!({ "reset": true }), "nothing is enrolled")
    }
}

/// Save what the camera sees.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal capture --out frame.png")]
pub(crate) struct Capture {
    /// The PNG file.
    #[arg(long, default_value = "frame.png", value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    board: BoardArgs,
}

impl Capture {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        output_file::ready(&self.out)?;
        let mut c = self.board.connect()?;
        let picture = c.client.capture()?;
        let picture = picture.decoded().context("the board gave no whole frame")?;
        let (width, height) = (picture.width, picture.height);
        picture.save(&self.out)?;
        output.result(
            &serde_json::json!({ "picture": self.out, "width": width, "height": height }),
            format!("{}: {width}x{height}", self.out.display()),
        )
    }
}

/// Print the board's log.
///
/// The emulated board writes one; the host's keeps none, and a camera board's goes to its debug probe.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal logs --board emulator --follow")]
pub(crate) struct Logs {
    /// Keep printing until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl Logs {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let board = self.board.open()?;
        let Some(mut logs) = board.logs()? else {
            bail!("{} keeps no log", board.name());
        };
        let interrupt = Interrupt::catch()?;
        loop {
            for line in logs.read()? {
                output.result(&line, &line)?;
            }
            if !self.follow || interrupt.is_set() {
                return Ok(());
            }
            sleep(Duration::from_millis(200));
        }
    }
}

//! `sudal demo`.

mod args;
mod episode;

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;
use sudal::device::doctor::{State, emulated};
use sudal::device::{Emulator, HostBoard};

use super::device::Cost;
use super::interrupt::Interrupt;
use super::model::{self, ModelFile};
use super::output::Output;
use super::output_file;
pub(crate) use args::Args;
use episode::{Counts, DemoEpisode, Shown, show};

/// The clock for which the time of a frame is estimated from its instructions, one a cycle: that of an
/// STM32H743.
const MHZ: f64 = 480.0;

#[derive(Serialize)]
struct Report {
    board: String,
    /// Frames that are nearest to their class, of how many.
    right: u64,
    queries: u64,
    /// What the device decided.
    decided: Counts,
    /// Whether the emulated board's answers were the host's, to the bit; none where it did not run.
    same_as_host: Option<bool>,
    /// What the emulated board lacks, where it did not run for that.
    missing: Option<String>,
    cost_median: Cost,
    cost_most: Cost,
    confusion: Vec<Vec<u64>>,
    names: Vec<String>,
    contact_sheet: PathBuf,
    confusion_picture: PathBuf,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let counts = [args.classes, args.shots, args.queries];
    if counts.iter().any(|count| !(1..=1000).contains(count)) {
        bail!("--classes, --shots and --queries must be 1 to 1000");
    }
    // Refused before anything is shown.
    args.board.board("demo", HostBoard::NAME)?;
    let pictures = ["contact-sheet.png", "confusion.png"].map(|name| args.out.join(name));
    for path in &pictures {
        output_file::ready(path)?;
    }
    let size = ModelFile::open(&args.model)?.size()?.sides();
    let image = model::read(&args.model)?;
    let parts = DemoEpisode::of(args, size)?;
    let interrupt = Interrupt::catch()?;
    let on = |name: &str| {
        let board = args.board.board_called("demo", name)?;
        show(&board, &image, &parts, &interrupt, output)
    };

    let named = args.board.name(Emulator::NAME);
    let mut missing = None;
    let (last, same) = if named == Emulator::NAME {
        let host = on(HostBoard::NAME)?;
        output.step(format!("host: {}", host.words()));
        let lacks = emulated().into_iter().find(|f| f.state != State::Ready);
        match lacks.filter(|_| !args.board.is_named()) {
            None => {
                let emulated = on(Emulator::NAME)?;
                if !emulated.is_same(&host) {
                    bail!(
                        "the emulated board's answers differ from the host's: this is a fault of the firmware"
                    );
                }
                (emulated, Some(true))
            }
            Some(lacks) => {
                missing = Some(format!(
                    "{}: {}",
                    lacks.found,
                    lacks.advice.unwrap_or_default()
                ));
                (host, None)
            }
        }
    } else {
        (on(named)?, None)
    };

    let confusion = last.confusion(&parts)?;
    let title = format!(
        "{} classes, {} shots: {}",
        args.classes,
        args.shots,
        last.words().split(" (").next().unwrap_or_default()
    );
    let [contact_sheet, confusion_picture] = pictures;
    last.sheet(&parts, title).figure()?.save(&contact_sheet)?;
    confusion.figure().save(&confusion_picture)?;
    let report = Report {
        right: confusion.right(),
        queries: confusion.total(),
        decided: last.counts(),
        same_as_host: same,
        missing,
        cost_median: last.median,
        cost_most: last.most,
        confusion: (0..args.classes)
            .map(|t| (0..args.classes).map(|a| confusion.count(t, a)).collect())
            .collect(),
        contact_sheet,
        confusion_picture,
        board: last.board.clone(),
        names: parts.names.clone(),
    };
    let text = format!("{confusion}\n\n{}", words(&report, &last));
    output.result(&report, text)
}

impl Shown {
    /// How often it was right, and how long it took.
    fn words(&self) -> String {
        let Counts {
            right,
            not_sure,
            wrong,
        } = self.counts();
        let time = match self.median {
            Cost::Milliseconds(ms) if self.board == HostBoard::NAME => {
                format!("{ms:.1} ms a frame in this process")
            }
            Cost::Milliseconds(ms) => format!("{ms:.1} ms a frame"),
            Cost::Instructions(n) => format!(
                "{:.0} ms a frame at {MHZ:.0} MHz, estimated ({:.2} M instructions, one a cycle)",
                n as f64 / MHZ / 1e3,
                n as f64 / 1e6
            ),
        };
        format!("{right} right, {not_sure} not sure, {wrong} wrong; {time}")
    }
}

/// What was seen, and what to do next.
fn words(report: &Report, last: &Shown) -> String {
    let mut text = last.words();
    if report.same_as_host == Some(true) {
        text.push_str(&format!(
            "\nall {} answers of the emulated Cortex-M7 are the host's, to the bit",
            report.queries
        ));
    }
    if let Some(missing) = &report.missing {
        text.push_str(&format!(
            "\nthe same on an emulated Cortex-M7 (sudal demo --board emulator, which installs what it can): {missing}"
        ));
    }
    text.push_str(&format!(
        "\nwhat it saw: {}, {}\n\nnext, pictures of your own, a folder for each class:\n",
        report.contact_sheet.display(),
        report.confusion_picture.display()
    ));
    if std::env::var_os("CARGO").is_some() {
        text.push_str("  cargo install --path host    the command sudal, for all that follows\n");
    }
    text.push_str(
        "  sudal check FOLDER           which model suits them, and is it good enough?
  sudal teach FOLDER           teach them
  sudal classify PICTURE       ask
  sudal serve                  watch and teach it in a browser",
    );
    text
}

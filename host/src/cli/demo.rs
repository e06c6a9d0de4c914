//! `sudal demo`.

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;
use sudal::data::{Gray, parts};
use sudal::device::{Emulator, Head};
use sudal::report::{Confusion, ContactSheet, Query, Row};

use super::device::{Connection, Cost};
use super::model::{self, ModelFile};
use super::output::Output;
use super::place;
use super::scratch::ScratchArgs;

/// Show the whole way on a board: flash, enrol, power cycle, classify.
///
/// The board is the demo's own, in the user's state folder; what other boards were taught stays. It
/// enrols classes of synthetic parts that no training saw, from a few frames each, switches the
/// board off and on, classifies new frames, and prints the confusion matrix and the latency. The
/// support frames and queries with their distances are drawn as a contact sheet.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal demo
  sudal demo --board host --classes 10 --shots 1 --out /tmp")]
pub(crate) struct Args {
    /// The model image.
    #[arg(long, default_value = "parts", value_name = "MODEL")]
    model: PathBuf,
    /// Classes to enrol.
    #[arg(long, default_value_t = 5)]
    classes: usize,
    /// Support frames of each.
    #[arg(long, default_value_t = 5)]
    shots: usize,
    /// Queries of each.
    #[arg(long, default_value_t = 8)]
    queries: usize,
    /// Enrol variants of the same part, which differ in a detail, instead of different parts.
    #[arg(long)]
    siblings: bool,
    /// Seed of the classes and frames.
    #[arg(long, default_value_t = 3)]
    seed: u64,
    /// Folder for contact-sheet.png and confusion.png.
    #[arg(long, default_value = "out", value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    board: ScratchArgs,
}

#[derive(Serialize)]
struct Report {
    board: String,
    right: u64,
    queries: u64,
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
    let board_args = args.board.board("demo", Emulator::NAME)?;
    let pictures = ["contact-sheet.png", "confusion.png"].map(|name| args.out.join(name));
    for path in &pictures {
        place::ready(path)?;
    }
    let size = ModelFile::open(&args.model)?.size()?;
    let image = model::read(&args.model)?;
    let stride = if args.siblings {
        1
    } else {
        parts::FAMILY as usize
    };
    let classes: Vec<usize> = (0..args.classes).map(|c| c * stride).collect();
    let frames = args.shots + args.queries;
    let dataset = parts::dataset(args.seed, args.classes * stride, frames, size).subset(&classes);
    let frame =
        |class: usize, index: usize| -> anyhow::Result<Gray> { Ok(dataset.get(class, index)?) };
    let names: Vec<String> = (0..args.classes)
        .map(|c| dataset.class_name(c).to_owned())
        .collect();

    let (mut board, _hold) = board_args.open_alone()?;
    board.flash(&image, &mut |step| output.step(step))?;
    let mut connection = Connection::new(board)?;
    connection.unlock(&board_args)?;
    let info = connection.client.info()?;
    if args.classes > usize::from(info.max_classes) || args.shots > usize::from(info.max_shots) {
        bail!(
            "the board stores {} classes of {} shots",
            info.max_classes,
            info.max_shots
        );
    }
    connection.client.reset()?;
    // The contact sheet shows distances.
    connection.client.set_head(Head::Prototype)?;
    output.step(format!(
        "enrolling {} classes from {} frames each on {}",
        args.classes, args.shots, info.board
    ));
    let mut support = Vec::new();
    for (class, name) in names.iter().enumerate() {
        let mut frames = Vec::new();
        for shot in 0..args.shots {
            let frame = frame(class, shot)?;
            connection.show(&frame)?;
            connection.client.enroll(&short(name))?;
            frames.push(frame);
        }
        support.push(frames);
    }

    output.step("switching the board off and on");
    connection.restart()?;
    let enrolled = connection.client.list()?;
    if enrolled.len() != args.classes || enrolled.iter().any(|c| usize::from(c.shots) != args.shots)
    {
        let names: Vec<_> = enrolled.iter().map(|c| c.name.as_str()).collect();
        bail!(
            "the power cycle lost classes: left are {}",
            names.join(", ")
        );
    }
    output.step(format!(
        "{} classes are still there; classifying {} new frames",
        enrolled.len(),
        args.classes * args.queries
    ));
    let place = |id: u8| {
        let class = enrolled.iter().find(|c| c.id == id)?;
        names.iter().position(|n| short(n) == class.name)
    };

    let mut confusion = Confusion::new(&names);
    let mut times = Vec::new();
    let mut rows = Vec::new();
    for (class, (name, support)) in names.iter().zip(support).enumerate() {
        let mut queries = Vec::new();
        for query in 0..args.queries {
            let frame = frame(class, args.shots + query)?;
            connection.show(&frame)?;
            let verdict = connection.client.classify()?;
            let Some(answer) = place(verdict.nearest.class) else {
                bail!(
                    "the board named a class that was not enrolled: {}",
                    verdict.name
                );
            };
            confusion.add(class, answer)?;
            times.push(verdict.ticks);
            let mut distances = vec![f32::NAN; args.classes];
            for d in &verdict.distances {
                if let Some(place) = place(d.class) {
                    distances[place] = d.value.sqrt();
                }
            }
            queries.push(Query { frame, distances });
        }
        rows.push(Row {
            name: name.clone(),
            support,
            queries,
        });
    }
    if board_args.openmv()?.is_none() {
        connection.board.stop()?;
    }
    times.sort_unstable();
    let cost = |ticks| Cost::new(connection.board.as_ref(), ticks, info.ticks_per_second);

    let sheet = ContactSheet {
        title: format!(
            "{} classes, {} shots, {} of {} queries right on {}",
            args.classes,
            args.shots,
            confusion.right(),
            confusion.total(),
            info.board
        ),
        rows,
    };
    let [contact_sheet, confusion_picture] = pictures;
    let report = Report {
        board: info.board,
        right: confusion.right(),
        queries: confusion.total(),
        cost_median: cost(times[times.len() / 2]),
        cost_most: cost(times[times.len() - 1]),
        confusion: (0..args.classes)
            .map(|t| (0..args.classes).map(|a| confusion.count(t, a)).collect())
            .collect(),
        names,
        contact_sheet,
        confusion_picture,
    };
    sheet.figure()?.save(&report.contact_sheet)?;
    confusion.figure().save(&report.confusion_picture)?;
    let text = format!(
        "{confusion}\n{} of {} right; {} a frame (median; most {})\n{}\n{}",
        report.right,
        report.queries,
        report.cost_median,
        report.cost_most,
        report.contact_sheet.display(),
        report.confusion_picture.display()
    );
    output.result(&report, text)
}

/// A name that fits the board's store; its number at the front keeps it unique.
fn short(name: &str) -> String {
    let mut end = name.len().min(32);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].trim_end().to_owned()
}

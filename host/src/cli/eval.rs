//! `sudal eval`.

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;
use sudal::device::Emulator;
use sudal::device::Head;
use sudal::episodes::EpisodeShape;
use sudal::measure::{Accuracy, Embeddings};
use sudal::table::Table;

use super::bounds;
use super::data::DataArgs;
use super::device;
use super::episodes::Options;
use super::head;
use super::model::{self, ModelFile, Prepared, file_name};
use super::output::{Output, TableArgs};
use super::scratch::ScratchArgs;

/// Measure accuracy on few-shot tasks of classes never trained on.
///
/// Takes a checkpoint (float, measured by its own method), an ONNX file (float) or a model image (int8, run by the firmware's
/// engine, or with --on-board by a board itself, one of this command's own: every support picture is enrolled and every
/// query classified over its line, and each answer is compared with the host's to the bit).
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal eval parts --data synthetic:parts
  sudal eval models/omniglot.onnx --data ~/omniglot --way 5,20 --shot 1,5
  sudal eval omniglot --data ~/omniglot --head memory --shot 1,5,10
  sudal eval omniglot --data ~/omniglot --on-board --way 5 --shot 1 --query 3 --episodes 100")]
pub(crate) struct Args {
    /// A model that comes with sudal, by name, or a file: checkpoint, ONNX or model image.
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Classes of an episode; several are all measured.
    #[arg(long, value_delimiter = ',', default_value = "5,20")]
    way: Vec<usize>,
    /// Support pictures of a class; several are all measured.
    #[arg(long, value_delimiter = ',', default_value = "1,5")]
    shot: Vec<usize>,
    /// Query pictures of a class.
    #[arg(long, default_value_t = 15)]
    query: usize,
    /// Episodes of each way and shot.
    #[arg(long, default_value_t = 1000, value_parser = bounds::episodes())]
    episodes: u64,
    /// Seed of the episodes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw whole families of this many classes, which follow each other in the data and are similar
    /// (parts: 4, the variants of one part), instead of single classes.
    #[arg(long, default_value_t = 1)]
    family: usize,
    /// How queries are classified, by the firmware's code (model images only) [default: by the
    /// model's own method; prototype for model images].
    #[arg(long, value_parser = head::parser())]
    head: Option<Head>,
    /// Run the episodes through the board's line instead of in this process (model images only).
    #[arg(long)]
    on_board: bool,
    #[command(flatten)]
    tables: TableArgs,
    #[command(flatten)]
    board: ScratchArgs,
}

#[derive(Serialize)]
struct Report {
    model: PathBuf,
    kind: &'static str,
    data: String,
    split: String,
    seed: u64,
    query: usize,
    family: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Head>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    way: usize,
    shot: usize,
    #[serde(flatten)]
    accuracy: Accuracy,
}

/// Where the episodes run.
enum Runner<'a> {
    Board(Box<device::Episodes<'a>>),
    Host(Prepared<'a>),
    Heads(Head, Embeddings),
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let board = args
        .on_board
        .then(|| args.board.board("eval", Emulator::NAME))
        .transpose()?;
    let model = ModelFile::open(&args.model)?;
    if let Some((max_way, method)) = model.max_way()
        && let Some(way) = args.way.iter().find(|way| **way > max_way)
    {
        bail!(
            "{method} tells at most {max_way} classes apart, {way} were asked for: give --way {max_way}"
        );
    }
    let split = args.data.split_or("test")?;
    let data = args.data.load(&split, model.size()?, output)?;
    let shapes = args.way.iter().flat_map(|&way| {
        args.shot.iter().map(move |&shot| EpisodeShape {
            way,
            shot,
            query: args.query,
        })
    });
    let mut runner = if let Some(board) = board {
        model.image("--on-board")?;
        let bytes = model::read(&args.model)?;
        Runner::Board(Box::new(device::Episodes::start(
            &board, &bytes, &data, output,
        )?))
    } else if let Some(head) = args.head {
        model.image("--head")?;
        Runner::Heads(head, model.embeddings(&data, output)?)
    } else {
        Runner::Host(model.prepare(&data, output)?)
    };
    let mut rows = Vec::new();
    for shape in shapes {
        let sampler = Options::USUAL.sampler(&data, shape, args.family, args.seed)?;
        rows.push(Row {
            way: shape.way,
            shot: shape.shot,
            accuracy: match &mut runner {
                Runner::Board(board) => {
                    board.accuracy(args.head.unwrap_or_default(), &sampler, args.episodes)?
                }
                Runner::Heads(head, embeddings) => {
                    model.head_accuracy(*head, embeddings, &sampler, args.episodes, output)?
                }
                Runner::Host(prepared) => {
                    output.episodes(&sampler, args.episodes, "", |run| prepared.accuracy(run))
                }
            },
        });
    }
    let report = Report {
        model: args.model.clone(),
        kind: model.kind(),
        data: args.data.name()?,
        split,
        seed: args.seed,
        query: args.query,
        family: args.family,
        head: args.head,
        rows,
    };
    let mut text = format!(
        "{} ({}) on {}, split {}: {} episodes each, {} queries a class, seed {}{}{}{}\n",
        report.model.display(),
        report.kind,
        report.data,
        report.split,
        args.episodes,
        args.query,
        args.seed,
        match args.family {
            0 | 1 => String::new(),
            family => format!(", families of {family}"),
        },
        args.head
            .map_or_else(String::new, |head| format!(", head {}", head.name())),
        if args.on_board {
            format!(
                ", on {} over its line, every answer bit-identical to the host's",
                args.board.name(Emulator::NAME)
            )
        } else {
            String::new()
        }
    );
    let mut tasks = Table::new(["way", "shot", "accuracy"]).left([]);
    for row in &report.rows {
        tasks.row([
            row.way.to_string(),
            row.shot.to_string(),
            row.accuracy.to_string(),
        ]);
    }
    text.push_str(&tasks.to_string());
    output.measured(&report, text, &[table(&report)], args.tables)
}

/// One row, so that those of several models make one table.
fn table(report: &Report) -> Table {
    let task = |row: &Row| format!("{}-way {}-shot", row.way, row.shot);
    let mut table = Table::new(
        ["model".to_owned()]
            .into_iter()
            .chain(report.rows.iter().map(task)),
    );
    let name = match report.head {
        Some(head) => format!("`{}`, {}", file_name(&report.model), head.name()),
        None => format!("`{}`", file_name(&report.model)),
    };
    let accuracies = report.rows.iter().map(|row| row.accuracy.to_string());
    table.row([name].into_iter().chain(accuracies));
    table
}

//! `sudal bench align`: what it helps to find the part first.

use std::path::PathBuf;

use anyhow::bail;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use sudal::data::{Colors, Loaded};
use sudal::device::{Align, Alignment, Geometry, PixelFormat};
use sudal::meta::augment::Augment;
use sudal::table::Table;
use sudal_firmware::camera::Frame;
use sudal_firmware::preprocess::Region;
use sudal_firmware::preprocess::align;

use super::shots::{Measured, Shots, ShotsArgs, cells};
use crate::cli::data::{DataArgs, EACH, Kind, parts_split};
use crate::cli::model::ModelFile;
use crate::cli::output::{Output, TableArgs};

/// Measure what it helps that the device finds the part, moves it to the middle and turns it.
///
/// The camera sees more than the part: frames are longer than the model's input by twice --shift in
/// each direction, and the part lies anywhere in them, turned by up to --turn to either side. The
/// generator of parts draws such frames, with parts turned in any way whatever --turn is; pictures of
/// other data are moved and turned, and their borders continue outwards. The frames go through the
/// firmware's code.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal bench align parts
  sudal bench align omniglot --data ~/omniglot --shift 8 --turn 180")]
pub(super) struct Args {
    /// A model that comes with sudal, by name, or a file: checkpoint, ONNX or model image.
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Greatest shift to any side, in pixels of the model's input.
    #[arg(long, default_value_t = 16, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..=256))]
    shift: u32,
    /// Greatest turn to either side, in degrees.
    #[arg(long, default_value_t = 180.0, value_name = "DEGREES")]
    turn: f32,
    #[command(flatten)]
    shots: ShotsArgs,
    #[command(flatten)]
    tables: TableArgs,
}

#[derive(Serialize)]
struct Report {
    data: String,
    shift: u32,
    turn: f32,
    #[serde(flatten)]
    measured: Measured,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    frames: &'static str,
    alignment: Alignment,
    /// Part of the frames in which a part was found, and that were turned.
    found: f64,
    turned: f64,
    shots: Vec<Shots>,
}

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let model = ModelFile::open(&args.model)?;
    let size = model.size()?;
    if size.colors != Colors::Grey {
        bail!(
            "this is measured with grey pictures, and {} sees colours",
            args.model.display()
        );
    }
    let size = size.sides();
    let split = args.data.split_or("test")?;
    let plain = args.data.load(&split, size, output)?;
    let (width, height) = (size.0 + 2 * args.shift, size.1 + 2 * args.shift);
    let moved = match args.data.kind()? {
        Kind::Parts => {
            let all = parts_split(&split, size, args.shift, EACH)?;
            all.load((width, height), |_| ())?
        }
        _ => plain.map((width, height), |number, from, to| {
            scatter(number, from, size.0, args, to);
        }),
    };
    // As large as the model saw parts.
    let window = (100 * size.0.min(size.1)).div_ceil(width.min(height)) as u8;
    let aligned = |align| Alignment { align, window };
    let mut rows = Vec::new();
    for (frames, pictures, alignment) in [
        ("not moved", &plain, Alignment::default()),
        ("moved", &moved, Alignment::default()),
        ("moved", &moved, aligned(Align::Position)),
        ("moved", &moved, aligned(Align::Rotation)),
    ] {
        let (inputs, found, turned) = see(pictures, size, alignment);
        let embeddings = model.embeddings(&inputs, output)?;
        let shots = args.shots.measure(&embeddings)?;
        rows.push(Row {
            frames,
            alignment,
            found,
            turned,
            shots,
        });
    }
    let report = Report {
        data: args.data.name()?,
        shift: args.shift,
        turn: args.turn,
        measured: args.shots.measured(),
        rows,
    };
    let table = table(&report, args);
    let caption = args.shots.caption();
    let text = format!(
        "{}, shift {}, {caption}\n{table}",
        report.data, report.shift
    );
    output.measured(&report, text, &[table], args.tables)
}

/// The picture in a larger frame, its border gone on outwards, moved and turned at random.
fn scatter(number: usize, from: &[u8], width: u32, args: &Args, to: &mut [u8]) {
    let (width, margin) = (width as usize, args.shift as usize);
    let (height, wide) = (from.len() / width, width + 2 * margin);
    let high = height + 2 * margin;
    let within = |place: usize, side: usize| place.saturating_sub(margin).min(side - 1);
    let frame: Vec<u8> = (0..wide * high)
        .map(|i| from[within(i / wide, height) * width + within(i % wide, width)])
        .collect();
    let mut rng = ChaCha8Rng::seed_from_u64(number as u64);
    let mut turned = vec![0.0; frame.len()];
    let move_and_turn = Augment {
        rotate: args.turn,
        shift: margin as f32 / wide.max(high) as f32,
        ..Augment::default()
    };
    move_and_turn.apply(&frame, (wide, 1), &mut rng, &mut turned);
    for (to, level) in to.iter_mut().zip(turned) {
        *to = level.round() as u8;
    }
}

/// The pictures as the device hands them to the model; in how many a part was found, in how many
/// turned.
fn see(pictures: &Loaded, size: (u32, u32), alignment: Alignment) -> (Loaded, f64, f64) {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    let (found, turned) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (width, height) = pictures.size();
    let geometry = Geometry {
        width: width as u16,
        height: height as u16,
        format: PixelFormat::Grey8,
    };
    let shape = [size.1 as usize, size.0 as usize, 1];
    let seen = pictures.map(size, |_, pixels, input| {
        let frame = Frame { geometry, pixels };
        // The frame is whole, and the shape is that of the input.
        if let Ok(Some(pose)) = align::run(&frame, Region::whole(&frame), alignment, shape, input) {
            found.fetch_add(1, Relaxed);
            turned.fetch_add(usize::from(pose.axis.1 != 0), Relaxed);
        }
    });
    let all = pictures.class_sizes().iter().sum::<usize>().max(1) as f64;
    let part = |count: AtomicUsize| count.into_inner() as f64 / all;
    (seen, part(found), part(turned))
}

fn table(report: &Report, args: &Args) -> Table {
    let heads = ["frames", "found", "turned"].map(str::to_owned);
    let mut table = Table::new(heads.into_iter().chain(args.shots.heads()));
    for row in &report.rows {
        let Alignment { align, window } = row.alignment;
        let name = match align {
            Align::Off => format!("{}, as they are", row.frames),
            _ => format!("{}, {}, window {window} %", row.frames, align.name()),
        };
        let [found, turned] = [row.found, row.turned].map(|part| format!("{:.1} %", 100.0 * part));
        table.row([name, found, turned].into_iter().chain(cells(&row.shots)));
    }
    table
}

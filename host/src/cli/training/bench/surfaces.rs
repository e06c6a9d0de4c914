//! `sudal bench surfaces`: what was learned beside features that nobody trained.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::data::Size;
use sudal::measure::Embeddings;
use sudal::meta::hand_crafted::Feature;
use sudal::table::Table;

use super::shots::{Measured, Shots, ShotsArgs, cells};
use crate::cli::data::{DataArgs, read};
use crate::cli::model::ModelFile;
use crate::cli::output::{Output, TableArgs};

/// Side of the pictures that hand-made features describe.
const SIDE: u32 = 96;

/// Measure models on photographs of surfaces, beside hand-made features.
///
/// Episodes over the classes of a folder or zip with a folder per class, by the nearest class mean.
/// No model saw these pictures before, unless its card says so. The hand-made features are pixels,
/// histograms of oriented gradients, local binary patterns and Gabor energies; the last two are
/// standardised over the whole set, which favours them.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal bench surfaces --data x-sdd.zip
  sudal bench surfaces --data x-sdd.zip --way 4 --classes red_iron,slag_inclusion,iron_sheet_ash,surface_scratch")]
pub(super) struct Args {
    /// Folder or zip with a folder of pictures per class, or `surfaces` for the generator's test classes.
    #[arg(long, value_name = "surfaces|PATH")]
    data: String,
    /// Only these classes.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    classes: Vec<String>,
    /// Models to measure, in this order [default: of the folder models parts.sudal, surfaces.onnx,
    /// surfaces.sudal, world.onnx and world.sudal].
    #[arg(long, value_delimiter = ',', value_name = "FILES")]
    models: Vec<PathBuf>,
    #[command(flatten)]
    shots: ShotsArgs,
    #[command(flatten)]
    tables: TableArgs,
}

#[derive(Serialize)]
struct Report {
    data: String,
    classes: Vec<String>,
    #[serde(flatten)]
    measured: Measured,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    shots: Vec<Shots>,
}

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let data = DataArgs::of(args.data.clone());
    let split = data.split_or("test")?;
    let load = |size: Size| {
        let mut all = data.open(&split, size.sides(), output)?;
        if !args.classes.is_empty() {
            all = all.named(&args.classes).context("--classes")?;
        }
        read(&all, &args.data, size, output)
    };
    let pictures = load((SIDE, SIDE).into())?;
    let mut rows = Vec::new();
    for feature in Feature::ALL {
        output.step(format!("describing by {}", feature.name()));
        rows.push(row(
            feature.name().to_owned(),
            &feature.describe(&pictures),
            args,
            output,
        )?);
    }
    let models = match &args.models[..] {
        [] => [
            "parts.sudal",
            "surfaces.onnx",
            "surfaces.sudal",
            "world.onnx",
            "world.sudal",
        ]
        .map(|file| PathBuf::from("models").join(file))
        .to_vec(),
        given => given.to_vec(),
    };
    for path in models {
        let model = ModelFile::open(&path)?;
        let size = model.size()?;
        let own;
        let pictures = if size == pictures.picture_size() {
            &pictures
        } else {
            own = load(size)?;
            &own
        };
        let name = path.file_name().context("a model is a file")?;
        let embeddings = model.embeddings(pictures, output)?;
        rows.push(row(
            name.to_string_lossy().into_owned(),
            &embeddings,
            args,
            output,
        )?);
    }
    let report = Report {
        data: data.name()?,
        classes: (0..pictures.classes())
            .map(|class| pictures.class_name(class).to_owned())
            .collect(),
        measured: args.shots.measured(),
        rows,
    };
    let table = table(&report, args);
    let (classes, caption) = (report.classes.len(), args.shots.caption());
    let text = format!("{}, {classes} classes, {caption}\n{table}", report.data);
    output.measured(&report, text, &[table], args.tables)
}

fn row(name: String, embeddings: &Embeddings, args: &Args, output: &Output) -> anyhow::Result<Row> {
    let shots = args.shots.measure(embeddings)?;
    let said: Vec<_> = cells(&shots).collect();
    output.step(format!("{name}: {}", said.join(", ")));
    Ok(Row { name, shots })
}

fn table(report: &Report, args: &Args) -> Table {
    let mut table = Table::new(["by".to_owned()].into_iter().chain(args.shots.heads()));
    for row in &report.rows {
        table.row([row.name.clone()].into_iter().chain(cells(&row.shots)));
    }
    table
}

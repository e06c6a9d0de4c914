//! `sudal bench surfaces`: what was learned beside features that nobody trained.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde::Serialize;
use sudal::episodes::{EpisodeShape, Sampler};
use sudal::meta::handmade::Feature;
use sudal::meta::{Accuracy, Embeddings};

use crate::cli::data::{DataArgs, read};
use crate::cli::model::ModelFile;
use crate::cli::output::Output;

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
    /// Models to measure, in this order [default: models/parts.sudal, models/surfaces.onnx and
    /// models/surfaces.sudal].
    #[arg(long, value_delimiter = ',', value_name = "FILES")]
    models: Vec<PathBuf>,
    /// Classes of an episode.
    #[arg(long, default_value_t = 5)]
    way: usize,
    /// Support pictures of a class; several are all measured.
    #[arg(long, value_delimiter = ',', default_value = "1,5")]
    shot: Vec<usize>,
    /// Query pictures of a class.
    #[arg(long, default_value_t = 15)]
    query: usize,
    /// Episodes of each shot.
    #[arg(long, default_value_t = 600)]
    episodes: u64,
    /// Seed of the episodes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Serialize)]
struct Report {
    data: String,
    classes: Vec<String>,
    way: usize,
    query: usize,
    seed: u64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    shots: Vec<Shots>,
}

#[derive(Serialize)]
struct Shots {
    shot: usize,
    #[serde(flatten)]
    accuracy: Accuracy,
}

pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    if args.episodes == 0 {
        bail!("--episodes 0 measures nothing: give at least 1");
    }
    let data = DataArgs {
        data: args.data.clone(),
        split: None,
    };
    let split = data.split_or("test")?;
    let load = |size: (u32, u32)| {
        let mut all = data.open(&split, size)?;
        if !args.classes.is_empty() {
            all = all.named(&args.classes).context("--classes")?;
        }
        read(&all, &args.data, size, output)
    };
    let pictures = load((SIDE, SIDE))?;
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
        [] => ["parts.sudal", "surfaces.onnx", "surfaces.sudal"]
            .map(|file| PathBuf::from("models").join(file))
            .to_vec(),
        given => given.to_vec(),
    };
    for path in models {
        let model = ModelFile::open(&path)?;
        let size = model.size()?;
        let own;
        let pictures = if size == pictures.size() {
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
        way: args.way,
        query: args.query,
        seed: args.seed,
        rows,
    };
    output.result(&report, text(&report, args))
}

fn row(name: String, embeddings: &Embeddings, args: &Args, output: &Output) -> anyhow::Result<Row> {
    let mut shots = Vec::new();
    for &shot in &args.shot {
        let shape = EpisodeShape {
            way: args.way,
            shot,
            query: args.query,
        };
        let sampler = Sampler::new(&embeddings.class_sizes(), shape, args.seed)?;
        let accuracy = embeddings.accuracy_on(&sampler, args.episodes);
        output.step(format!("{name}, {}-way {shot}-shot: {accuracy}", args.way));
        shots.push(Shots { shot, accuracy });
    }
    Ok(Row { name, shots })
}

fn text(report: &Report, args: &Args) -> String {
    let mut text = format!(
        "{}, {} classes, {} episodes, {} queries a class, seed {}; accuracy in %, mean and 95 % interval\n{:<20}",
        report.data,
        report.classes.len(),
        args.episodes,
        report.query,
        report.seed,
        ""
    );
    for shot in &args.shot {
        text.push_str(&format!(
            "{:>16}",
            format!("{}-way {shot}-shot", report.way)
        ));
    }
    for row in &report.rows {
        text.push_str(&format!("\n{:<20}", row.name));
        for Shots { accuracy, .. } in &row.shots {
            let Accuracy { mean, interval, .. } = accuracy;
            let cell = format!("{:.2} ± {:.2}", mean * 100.0, interval * 100.0);
            text.push_str(&format!("{cell:>16}"));
        }
    }
    text
}

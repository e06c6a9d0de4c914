//! `sudal sweep`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde::Serialize;
use sudal::data::Loaded;
use sudal::episodes::EpisodeShape;
use sudal::measure::{Accuracy, Run};
use sudal::meta::scratch::Scratch;
use sudal::meta::{Learner, Trained};
use sudal::nets::network::{Architecture, Plan};
use sudal::report::{Axis, Chart, Point, Series};
use sudal::table::Table;

use super::bounds;
use super::data::DataArgs;
use super::episodes::Options;
use super::model::{ModelFile, file_name};
use super::output::{Output, TableArgs};
use super::output_file;

/// Measure accuracy over numbers of classes and of shots.
///
/// Every --way with every --shot, for one model or several, drawn as two charts: OUT-way.png and
/// OUT-shot.png (and .svg), with 95 % intervals. A checkpoint is measured by its own method, other
/// files by the nearest prototype. Where a class has too few pictures for a shot and its queries,
/// there are fewer queries.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal sweep omniglot --data ~/omniglot --out sweep
  sudal sweep omniglot --data ~/omniglot --way 5 --shot 1,2,5,10,15 --from-scratch --episodes 50 --out scratch")]
pub(crate) struct Args {
    /// Models that come with sudal, by name, or files: checkpoints, ONNX or model images.
    #[arg(required = true)]
    models: Vec<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    /// Numbers of classes.
    #[arg(long, value_delimiter = ',', default_value = "2,5,10,20,50,100")]
    way: Vec<usize>,
    /// Numbers of support pictures of a class.
    #[arg(long, value_delimiter = ',', default_value = "1,2,5,10,19")]
    shot: Vec<usize>,
    /// Query pictures of a class, at most.
    #[arg(long, default_value_t = 10)]
    query: usize,
    /// Episodes of each way and shot.
    #[arg(long, default_value_t = 200, value_parser = bounds::episodes())]
    episodes: u64,
    /// Seed of the episodes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also train a network from scratch on every support set (slow).
    #[arg(long)]
    from_scratch: bool,
    /// Start of the charts' names.
    #[arg(long, default_value = "sweep", value_name = "PREFIX")]
    out: PathBuf,
    #[command(flatten)]
    tables: TableArgs,
}

#[derive(Serialize)]
struct Report {
    data: String,
    split: String,
    seed: u64,
    charts: Vec<PathBuf>,
    rows: Vec<Row>,
}

#[derive(Clone, Serialize)]
struct Row {
    model: String,
    way: usize,
    shot: usize,
    query: usize,
    #[serde(flatten)]
    accuracy: Accuracy,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let file = |what: &str| output_file::named(&args.out, &format!("-{what}.png"));
    for what in ["way", "shot"] {
        output_file::ready_chart(&file(what))?;
    }
    let mut models = Vec::new();
    for path in &args.models {
        models.push((file_name(path), ModelFile::open(path)?));
    }
    let size = models[0].1.size()?;
    if args.from_scratch {
        let sides = (size.height as usize, size.width as usize);
        let architecture = Architecture::Conv4 { channels: 64 };
        let plan = Plan::with_channels(architecture, sides, size.colors.channels())?;
        let learner = Learner::Scratch(Scratch::default());
        let name = learner.name().to_owned();
        let trained = Trained::untrained(plan, learner);
        models.push((name, ModelFile::Checkpoint(Box::new(trained))));
    }
    let split = args.data.split_or("test")?;
    let mut rows = Vec::new();
    for (name, model) in &models {
        let data = args.data.load(&split, model.size()?, output)?;
        rows.extend(measure(args, name, model, &data, output)?);
    }
    let source = format!("{}, split {split}", args.data.name()?);
    let chart = |label: &str, title: String, series: Vec<Series>| Chart {
        title,
        x: Axis::logarithmic(label),
        y: Axis::linear("accuracy, %"),
        series,
    };
    let by_way = series(&rows, |r| r.way, |r| (r.model.clone(), r.shot), "shot");
    let by_shot = series(&rows, |r| r.shot, |r| (r.model.clone(), r.way), "way");
    let title = |what| format!("Accuracy over {what}: {source}, {} episodes", args.episodes);
    let mut charts = Vec::new();
    for (what, chart) in [
        (
            "way",
            chart("classes of a task (way)", title("ways"), by_way),
        ),
        (
            "shot",
            chart(
                "support pictures of a class (shot)",
                title("shots"),
                by_shot,
            ),
        ),
    ] {
        if chart.series.iter().all(|s| s.points.len() < 2) {
            continue;
        }
        let path = file(what);
        chart.save(&path).context("drawing the sweep")?;
        charts.push(path.with_extension("svg"));
        charts.push(path);
    }
    let report = Report {
        data: args.data.name()?,
        split,
        seed: args.seed,
        charts,
        rows,
    };
    let mut table = Table::new(["model", "way", "shots", "accuracy", "queries a class"]);
    for row in &report.rows {
        let (way, shot, query) = (row.way, row.shot, row.query);
        let (model, accuracy) = (row.model.clone(), row.accuracy.to_string());
        table.row([
            model,
            way.to_string(),
            shot.to_string(),
            accuracy,
            query.to_string(),
        ]);
    }
    let mut text = format!(
        "{source}, {} episodes each, seed {}\n{table}",
        args.episodes, args.seed
    );
    for path in &report.charts {
        text.push_str(&format!("drawn: {}\n", path.display()));
    }
    output.measured(&report, text, &[table], args.tables)
}

fn measure(
    args: &Args,
    name: &str,
    model: &ModelFile,
    data: &Loaded,
    output: &Output,
) -> anyhow::Result<Vec<Row>> {
    let least = data.class_sizes().into_iter().min().unwrap_or(0);
    let prepared = model.prepare(data, output)?;
    let bar = output.bar(
        args.episodes
            .saturating_mul((args.way.len() * args.shot.len()) as u64),
        "episodes",
    );
    bar.set_message(name.to_owned());
    let mut rows = Vec::new();
    for &way in &args.way {
        for &shot in &args.shot {
            let query = args.query.min(least.saturating_sub(shot));
            if query == 0 {
                bail!(
                    "--shot {shot} leaves no query: the smallest class has {least} pictures, give at most {}",
                    least.saturating_sub(1)
                );
            }
            let shape = EpisodeShape { way, shot, query };
            let sampler = Options::USUAL.sampler(data, shape, 1, args.seed)?;
            let done = || bar.inc(1);
            let accuracy = prepared.accuracy(&Run::new(&sampler, args.episodes).done(&done));
            rows.push(Row {
                model: name.to_owned(),
                way,
                shot,
                query,
                accuracy,
            });
        }
    }
    bar.finish_and_clear();
    Ok(rows)
}

/// A line for each model and `group`, over `x`.
fn series(
    rows: &[Row],
    x: impl Fn(&Row) -> usize,
    group: impl Fn(&Row) -> (String, usize),
    unit: &str,
) -> Vec<Series> {
    let mut groups: Vec<(String, usize)> = Vec::new();
    for row in rows {
        if !groups.contains(&group(row)) {
            groups.push(group(row));
        }
    }
    let several = groups.iter().any(|(model, _)| *model != groups[0].0);
    let line = |(model, value): &(String, usize)| Series {
        name: if several {
            format!("{model}, {value}-{unit}")
        } else {
            format!("{value}-{unit}")
        },
        points: rows
            .iter()
            .filter(|r| group(r) == (model.clone(), *value))
            .map(|r| Point::measured(x(r) as f64, r.accuracy))
            .collect(),
        ..Series::default()
    };
    groups.iter().map(line).collect()
}

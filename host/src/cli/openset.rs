//! `sudal openset`.

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;
use sudal::device::{Head, Rate};
use sudal::episodes::{EpisodeShape, Sampler};
use sudal::measure::{OpenSet, OpenSetReport, Run};
use sudal::report::{Axis, Chart, Point, Series, Style};
use sudal::table::Table;

use super::bounds;
use super::data::{DataArgs, Half};
use super::episodes::Options;
use super::head;
use super::model::{ModelFile, file_name};
use super::output::{Output, TableArgs};
use super::output_file;

/// Measure how well what was never taught is rejected as unknown.
///
/// Measure open-set decisions: some classes are enrolled, and asked for are pictures of these and of
/// others.
///
/// Prints how well novelty tells known from unknown (AUROC), what each chosen false-reject rate leads
/// to, and the accuracy of what is accepted against the part that is rejected. By the firmware's code
/// on int8 embeddings; each figure with its 95 % interval over episodes.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal openset parts --data synthetic:parts
  sudal openset omniglot-32 --data ~/omniglot --known 20 --unknown 20 --shot 1,5
  sudal openset surfaces --data x-sdd.zip --known 3 --unknown 4 --plot openset")]
pub(crate) struct Args {
    /// A model that comes with sudal, by name, or a model image.
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Only this half of the classes, where the other one served for `sudal calibrate`.
    #[arg(long, value_enum)]
    half: Option<Half>,
    /// Classes that are enrolled.
    #[arg(long, default_value_t = 5)]
    known: usize,
    /// Classes that are not.
    #[arg(long, default_value_t = 5)]
    unknown: usize,
    /// Support pictures of a class; several are all measured.
    #[arg(long, value_delimiter = ',', default_value = "1,5")]
    shot: Vec<usize>,
    /// Query pictures of a class.
    #[arg(long, default_value_t = 10)]
    query: usize,
    /// Of 100 pictures of known classes, how many may be called unknown; several are all measured.
    #[arg(long, value_delimiter = ',', default_value = "1,5,10")]
    rate: Vec<f64>,
    /// Episodes of each number of shots.
    #[arg(long, default_value_t = 600, value_parser = bounds::episodes())]
    episodes: u64,
    /// Seed of the episodes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw whole families of this many classes, which are similar.
    #[arg(long, default_value_t = 1)]
    family: usize,
    /// How queries are classified.
    #[arg(long, value_parser = head::parser(), default_value = "prototype")]
    head: Head,
    /// Draw accuracy against rejection to FILE.png and FILE.svg.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    tables: TableArgs,
}

#[derive(Serialize)]
struct Report {
    model: PathBuf,
    data: String,
    split: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    half: Option<Half>,
    known: usize,
    unknown: usize,
    query: usize,
    seed: u64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    shot: usize,
    #[serde(flatten)]
    openness: OpenSetReport,
}

/// A rate in % as the device takes it.
pub(super) fn rate(percent: f64) -> anyhow::Result<Rate> {
    let parts = (percent * 100.0).round();
    let rate = (0.0..=f64::from(u16::MAX))
        .contains(&parts)
        .then(|| Rate::new(parts as u16))
        .flatten();
    match rate {
        Some(rate) => Ok(rate),
        None => bail!("a false-reject rate of {percent} % is none: give 0.1 to 20"),
    }
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    if args.known == 0 || args.unknown == 0 {
        bail!("--known and --unknown have to be at least 1");
    }
    if let Some(path) = &args.plot {
        output_file::ready_chart(path)?;
    }
    let rates: Vec<Rate> = args
        .rate
        .iter()
        .map(|&percent| rate(percent))
        .collect::<Result<_, _>>()?;
    let file = ModelFile::open(&args.model)?;
    let image = file.image("measuring decisions")?;
    let split = args.data.split_or("test")?;
    let data = args.data.load(&split, file.size()?, output)?;
    let embeddings = Half::of(args.half, file.embeddings(&data, output)?);
    let model = image.model()?;
    let open_set = OpenSet::new(&model, &embeddings, args.head, args.known);
    let mut rows = Vec::new();
    for &shot in &args.shot {
        let shape = EpisodeShape {
            way: args.known.saturating_add(args.unknown),
            shot,
            query: args.query,
        };
        let sampler = Sampler::new(&embeddings.class_sizes(), shape, args.seed)
            .and_then(|sampler| sampler.of_families(args.family))
            .map_err(|error| Options::KNOWN.explain(&error, |_| None))?;
        let measure = |run: &Run<'_>| open_set.measure(run, &rates);
        let openness = output.episodes(&sampler, args.episodes, "", measure)?;
        rows.push(Row { shot, openness });
    }
    if let Some(path) = &args.plot {
        chart(&rows, args).save(path)?;
    }
    let report = Report {
        model: args.model.clone(),
        data: args.data.name()?,
        split,
        half: args.half,
        known: args.known,
        unknown: args.unknown,
        query: args.query,
        seed: args.seed,
        rows,
    };
    let text = describe(&report, args);
    output.measured(&report, text, &[table(&report, args)], args.tables)
}

/// A row for each number of shots.
fn table(report: &Report, args: &Args) -> Table {
    let mut heads = ["model", "shots", "AUROC"].map(str::to_owned).to_vec();
    for rate in &args.rate {
        heads.push(format!("{rate} % chosen: known rejected"));
        heads.push("unknown accepted".to_owned());
    }
    let mut table = Table::new(heads);
    for Row { shot, openness } in &report.rows {
        let rates = openness.rates.iter();
        let rates = rates.flat_map(|at| [at.false_reject.to_string(), at.false_accept.to_string()]);
        let model = format!("`{}`", file_name(&report.model));
        table.row(
            [model, shot.to_string(), openness.auroc.to_string()]
                .into_iter()
                .chain(rates),
        );
    }
    table
}

fn describe(report: &Report, args: &Args) -> String {
    let mut text = format!(
        "{} on {}, split {}: {} known and {} unknown classes, {} queries a class, {} episodes, seed {}\n",
        report.model.display(),
        report.data,
        report.split,
        report.known,
        report.unknown,
        report.query,
        args.episodes,
        report.seed
    );
    for Row { shot, openness } in &report.rows {
        text.push_str(&format!(
            "{shot:>2}-shot  AUROC {} by novelty ({} by distance, {} by ratio); {} of known pictures right\n",
            openness.auroc, openness.auroc_distance, openness.auroc_ratio, openness.accuracy
        ));
        for at in &openness.rates {
            text.push_str(&format!(
                "  {:>4} % chosen: {} of known rejected, {} of unknown accepted, {} of known accepted and right; \
                 too close to call: {} of the right answers, {} of the wrong ones\n",
                at.chosen * 100.0,
                at.false_reject,
                at.false_accept,
                at.correct,
                at.correct_unclear,
                at.wrong_unclear
            ));
        }
        let kept: Vec<String> = openness
            .rejection
            .iter()
            .step_by(4)
            .map(|r| format!("{:.0} %: {}", r.rejected * 100.0, r.accuracy))
            .collect();
        text.push_str(&format!("  accuracy when rejecting {}\n", kept.join(", ")));
        text.push_str(&format!(
            "  thresholds from {}\n",
            match openness.basis {
                sudal::device::Basis::Calibration => "the image's calibration",
                sudal::device::Basis::Shots =>
                    "the enrolled shots alone: `sudal calibrate` the image",
                sudal::device::Basis::Nothing => "nothing: too few shots, and no calibration",
            }
        ));
    }
    text
}

fn chart(rows: &[Row], args: &Args) -> Chart {
    let series = rows.iter().map(|row| Series {
        name: format!("{}-shot", row.shot),
        points: row
            .openness
            .rejection
            .iter()
            .map(|r| Point::measured(r.rejected * 100.0, r.accuracy))
            .collect(),
        style: Style::default(),
        color: None,
    });
    Chart {
        title: format!(
            "Accuracy of what is accepted, {} known and {} unknown classes",
            args.known, args.unknown
        ),
        x: Axis::linear("rejected, the most novel first (%)"),
        y: Axis::linear("of a known class and right (%)"),
        series: series.collect(),
    }
}

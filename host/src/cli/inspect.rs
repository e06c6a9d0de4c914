//! `sudal inspect`.

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;
use sudal::data::mvtec::Products;
use sudal::episodes::{Episode, EpisodeShape};
use sudal::measure::{Accuracy, Inspected, Inspection, Run};
use sudal::table::Table;

use super::data::Kind;
use super::episodes::Options;
use super::model::ModelFile;
use super::openset::rate;
use super::output::Output;
pub(crate) use args::Args;

mod args;
mod products;

#[derive(Serialize)]
struct Report {
    model: PathBuf,
    data: String,
    split: String,
    good: Option<String>,
    known: usize,
    unknown: usize,
    shot: usize,
    rate: f64,
    rows: Vec<Inspected>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let file = ModelFile::open(&args.model)?;
    let image = file.image("measuring decisions")?;
    if let Kind::Folder(path) = args.data.kind()?
        && image.model()?.patches().is_some()
        && Products::are_in(&path)?
    {
        return products::run(args, image, &path, output);
    }
    if args.plot.is_some() || args.sheet.is_some() || args.commission > 0 || args.bad > 0 {
        bail!(
            "--plot, --sheet, --commission and --bad are for products in MVTec's layout and a model that gives patches"
        );
    }
    let shot = *one(&args.shot, &5, "--shot")?;
    let percent = *one(&args.rate, &1.0, "--rate")?;
    let chosen = rate(percent)?;
    let split = args.data.split_or("test")?;
    let data = args.data.load(&split, file.size()?, output)?;
    let embeddings = file.embeddings(&data, output)?;
    let shape = EpisodeShape {
        way: args.known.saturating_add(args.unknown).saturating_add(1),
        shot,
        query: args.query,
    };
    let sampler = Options::KNOWN.sampler(&data, shape, args.family, args.seed)?;
    let good = match &args.good {
        None => None,
        Some(name) => match (0..data.classes()).find(|&class| data.class_name(class) == name) {
            Some(class) => Some(class),
            None => bail!("no class of {} is called {name:?}", args.data.data),
        },
    };
    let episodes: Vec<Episode> = sampler
        .filter_map(|episode| match good {
            None => Some(episode),
            Some(good) => with_good(episode, good),
        })
        .take(args.episodes as usize)
        .collect();
    let model = image.model()?;
    let inspection = Inspection::new(&model, &embeddings, args.known);
    let run = Run::of(&episodes);
    let mut rows = vec![inspection.measure(&run, chosen, false)?];
    if args.known > 0 {
        rows.push(inspection.measure(&run, chosen, true)?);
    }
    let report = Report {
        model: args.model.clone(),
        data: args.data.name()?,
        split,
        good: args.good.clone(),
        known: args.known,
        unknown: args.unknown,
        shot,
        rate: percent,
        rows,
    };
    let table = table(&report);
    output.measured(
        &report,
        describe(&report, &table, args),
        &[table],
        args.tables,
    )
}

/// What was given, once at most.
fn one<'a, T>(given: &'a [T], or: &'a T, name: &str) -> anyhow::Result<&'a T> {
    match given {
        [] => Ok(or),
        [one] => Ok(one),
        _ => bail!(
            "several {name} are for products in MVTec's layout and a model that gives patches"
        ),
    }
}

/// The episode with this class first, if it is in it.
fn with_good(mut episode: Episode, good: usize) -> Option<Episode> {
    let place = episode.classes.iter().position(|&class| class == good)?;
    episode.classes.swap(0, place);
    episode.support.swap(0, place);
    episode.query.swap(0, place);
    Some(episode)
}

fn describe(report: &Report, table: &Table, args: &Args) -> String {
    format!(
        "{} on {}, split {}: good {}, {} known and {} unknown defects, {} shots each, {} episodes, seed {}\n{table}",
        report.model.display(),
        report.data,
        report.split,
        report.good.as_deref().unwrap_or("is any class"),
        report.known,
        report.unknown,
        report.shot,
        args.episodes,
        args.seed
    )
}

/// A row for each threshold, with only good parts enrolled and with known defects too.
fn table(report: &Report) -> Table {
    let heads = [
        "enrolled",
        "threshold",
        "false alarms",
        "known defects missed",
        "unknown defects missed",
    ];
    let mut table = Table::new(heads);
    let exact = format!("exactly {} % false alarms", report.rate);
    let chosen = format!("the device's for {} %", report.rate);
    let missed =
        |missed: &Option<Accuracy>| missed.map_or("-".to_owned(), |missed| missed.to_string());
    for row in &report.rows {
        let enrolled = if row.enrolled_defects {
            "good and defects"
        } else {
            "good only"
        };
        for (at, alarms) in [(&exact, &row.exact), (&chosen, &row.chosen)] {
            table.row([
                enrolled.to_owned(),
                at.clone(),
                alarms.false_alarms.to_string(),
                missed(&alarms.missed_known),
                missed(&alarms.missed_unknown),
            ]);
        }
    }
    table
}

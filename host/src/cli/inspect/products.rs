//! `sudal inspect` on products in MVTec's layout, with a model that gives patches.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use sudal::data::mvtec::{Products, Sample};
use sudal::data::{Colors, Fit, Raster};
use sudal::device::{Found, Line, Looked, Rate, over_products};
use sudal::engine::QuantizedModel;
use sudal::measure::Accuracy;
use sudal::report::{Axis, Chart, FlawRow, FlawSheet, InspectedFrame, Point, Series, Style};
use sudal::table::Table;
use sudal_firmware::image::Model;

use super::args::Args;
use crate::cli::openset::rate;
use crate::cli::output::Output;
use crate::cli::output_file;

/// Shots that are measured when none are given.
const SHOTS: [usize; 5] = [1, 2, 4, 8, 16];
/// Shots of the sheet at least, and how many good and flawed pictures it shows of a product.
const FEW: usize = 4;
const SHOWN: [usize; 2] = [2, 6];
/// Rates of false alarms, in %, likewise.
const RATES: [f64; 2] = [1.0, 5.0];

#[derive(Serialize)]
struct Report {
    model: PathBuf,
    data: PathBuf,
    draws: u64,
    seed: u64,
    /// Other good pictures that were watched after the shots.
    commissioned: usize,
    /// Flawed pictures of `test` that were taught as bad, and not shown again.
    bad: usize,
    bad_first: bool,
    fit: Fit,
    products: Vec<Measured>,
    /// Means over the products; none of a number of shots that a product has not.
    all: Vec<All>,
}

#[derive(Serialize)]
struct Measured {
    product: String,
    good: usize,
    flawed: usize,
    rows: Vec<Found>,
}

/// The same as of a product, over all of them.
#[derive(Serialize)]
struct All {
    shot: usize,
    products: usize,
    auroc: Accuracy,
    auroc_patches: Accuracy,
    auroc_pixels: Option<Accuracy>,
    pro: Option<Accuracy>,
    rates: Vec<AllMissed>,
    plain: Accuracy,
}

#[derive(Serialize)]
struct AllMissed {
    rate: f64,
    exact: Accuracy,
    device: Accuracy,
    false_alarms: Accuracy,
    plain: Accuracy,
}

pub(super) fn run(
    args: &Args,
    image: &QuantizedModel,
    path: &Path,
    output: &Output,
) -> anyhow::Result<()> {
    if args.draws == 0 {
        bail!("--draws 0 measures nothing: give at least 1, better 5");
    }
    if args.good.is_some() {
        bail!("--good is for folders of classes: here `train/good` is good");
    }
    if let Some(path) = &args.plot {
        output_file::ready_chart(path)?;
    }
    if let Some(path) = &args.sheet {
        output_file::ready(path)?;
    }
    let or = |given: &[f64]| {
        if given.is_empty() {
            RATES.to_vec()
        } else {
            given.to_vec()
        }
    };
    let rates: Vec<Rate> = or(&args.rate)
        .into_iter()
        .map(rate)
        .collect::<Result<_, _>>()?;
    let shots = if args.shot.is_empty() {
        SHOTS.to_vec()
    } else {
        args.shot.clone()
    };
    if shots.contains(&0) {
        bail!("--shot 0 teaches nothing: give at least 1");
    }
    let model = image.model()?;
    let products = Products::open(path)?;
    let fit = args.data.fit();
    let pictures = products.products().iter();
    let pictures: usize = pictures.map(|p| p.train.len() + p.test.len()).sum();
    let bar = output.bar(pictures as u64, "pictures");
    let looked: Vec<Looked> = products
        .products()
        .iter()
        .map(|product| {
            Looked::new(&model, &products, product, fit, &|| bar.inc(1))
                .with_context(|| format!("looking at {} of {}", product.name, path.display()))
        })
        .collect::<Result<_, _>>()?;
    bar.finish_and_clear();
    let bar = output.bar((looked.len() * shots.len()) as u64, "measurements");
    let mut measured = Vec::new();
    for looked in &looked {
        let mut rows = Vec::new();
        for &shot in shots
            .iter()
            .filter(|&&shot| shot + args.commission <= looked.shots())
        {
            let line = Line {
                shot,
                watched: args.commission,
                bad: args.bad,
                bad_first: args.bad_first,
            };
            rows.push(looked.measure(line, args.draws, args.seed, &rates)?);
            bar.inc(1);
        }
        if rows.is_empty() {
            bail!(
                "{} has {} good pictures to learn from: give fewer --shot{}",
                looked.name(),
                looked.shots(),
                if args.commission > 0 {
                    " or --commission"
                } else {
                    ""
                }
            );
        }
        let (good, flawed) = looked.tested();
        measured.push(Measured {
            product: looked.name().to_owned(),
            good,
            flawed,
            rows,
        });
    }
    bar.finish_and_clear();
    let report = Report {
        model: args.model.clone(),
        data: path.to_owned(),
        draws: args.draws,
        seed: args.seed,
        commissioned: args.commission,
        bad: args.bad,
        bad_first: args.bad_first,
        fit,
        all: shots
            .iter()
            .filter_map(|&shot| all(&measured, shot))
            .collect(),
        products: measured,
    };
    if let Some(path) = &args.plot {
        chart(&report).save(path)?;
    }
    if let Some(path) = &args.sheet {
        let few = shots.iter().copied().filter(|&shot| shot >= FEW).min();
        let shot = few.or(shots.iter().copied().max()).unwrap_or(FEW);
        sheet(args, &model, &products, &looked, shot)?
            .figure()
            .save(path)?;
    }
    let table = table(&report);
    let text = describe(&report, &table);
    output.measured(&report, text, &[table], args.tables)
}

/// Some pictures of each product with what is found in them after this many shots.
fn sheet(
    args: &Args,
    model: &Model<'_>,
    products: &Products,
    looked: &[Looked],
    shot: usize,
) -> anyhow::Result<FlawSheet> {
    let [height, width, channels] = model.input_shape();
    let colors = Colors::of(channels).unwrap_or_default();
    let seen = |sample: &Sample| -> anyhow::Result<Raster> {
        let picture = products.picture(sample, colors)?;
        Ok(picture.fit((width as u32, height as u32), args.data.fit()))
    };
    let mut rows = Vec::new();
    for (product, looked) in products.products().iter().zip(looked) {
        let examples = looked.examples(shot, args.seed, SHOWN)?;
        let good = examples
            .shots
            .iter()
            .map(|&shot| seen(&product.train[shot]));
        let inspected = examples.shown.into_iter().map(|example| {
            Ok(InspectedFrame {
                frame: seen(&product.test[example.test])?,
                is_flawed: example.flawed,
                score: example.score,
                size: examples.size,
                heat: example.heat,
            })
        });
        rows.push(FlawRow {
            name: looked.name().to_owned(),
            good: good.collect::<anyhow::Result<_>>()?,
            inspected: inspected.collect::<anyhow::Result<_>>()?,
        });
    }
    let model = args.model.display();
    Ok(FlawSheet {
        title: format!("{model}: {shot} good pictures taught"),
        rows,
    })
}

/// The means over the products at this many shots, if there are several and all have them.
fn all(measured: &[Measured], shot: usize) -> Option<All> {
    let rows: Vec<&Found> = measured
        .iter()
        .map(|measured| measured.rows.iter().find(|row| row.shot == shot))
        .collect::<Option<_>>()?;
    let over = |of: &dyn Fn(&Found) -> Accuracy| {
        over_products(&rows.iter().map(|row| of(row)).collect::<Vec<_>>())
    };
    // Those with masks alone.
    let some = |of: &dyn Fn(&Found) -> Option<Accuracy>| {
        over_products(&rows.iter().filter_map(|row| of(row)).collect::<Vec<_>>())
    };
    let first = rows.first().filter(|_| rows.len() > 1)?;
    let rates = (0..first.rates.len()).map(|place| {
        Some(AllMissed {
            rate: first.rates[place].rate,
            exact: over(&|row| row.rates[place].exact)?,
            device: over(&|row| row.rates[place].device)?,
            false_alarms: over(&|row| row.rates[place].false_alarms)?,
            plain: over(&|row| row.rates[place].plain)?,
        })
    });
    Some(All {
        shot,
        products: rows.len(),
        auroc: over(&|row| row.auroc)?,
        auroc_patches: over(&|row| row.auroc_patches)?,
        auroc_pixels: some(&|row| row.auroc_pixels),
        pro: some(&|row| row.pro),
        rates: rates.collect::<Option<_>>()?,
        plain: over(&|row| row.plain.auroc)?,
    })
}

fn describe(report: &Report, table: &Table) -> String {
    let or_none = |count: usize, what: &str| match count {
        0 => String::new(),
        count => format!(", {count} {what}"),
    };
    let watched = or_none(report.commissioned, "more watched");
    let bad = or_none(report.bad, "flawed ones of `test` taught as bad");
    let mut text = format!(
        "{} on {}: good pictures of `train` taught{watched}{bad}, the others of `test` shown; {} draws, seed {}; in %, mean ± 95 % interval over draws\n",
        report.model.display(),
        report.data.display(),
        report.draws,
        report.seed
    );
    for measured in &report.products {
        let Measured {
            product,
            good,
            flawed,
            ..
        } = measured;
        text.push_str(&format!("  {product}: {good} good, {flawed} flawed\n"));
    }
    text.push_str(&format!(
        "{table}missed: at exactly this rate of false alarms on the good pictures of `test`; own: at the threshold \
         that the device chooses from good pictures of `train`, with the false alarms that it then has; plain: the statistic of the \
         picture that does best in hindsight\n",
    ));
    text
}

/// A row for each product and number of shots, and for all products together.
fn table(report: &Report) -> Table {
    let rates = report.products.iter().flat_map(|measured| &measured.rows);
    let rates = rates.map(|row| &row.rates).next();
    let heads = [
        "product",
        "shots",
        "AUROC",
        "patches alone",
        "of pixels",
        "AUPRO",
        "plain",
    ];
    let rates = rates.into_iter().flatten().flat_map(|at| {
        let missed = format!("missed at {} %", 100.0 * at.rate);
        [
            missed,
            "own".to_owned(),
            "its false alarms".to_owned(),
            "plain".to_owned(),
        ]
    });
    let mut table = Table::new(heads.map(str::to_owned).into_iter().chain(rates));
    for Measured { product, rows, .. } in &report.products {
        for row in rows {
            let rates = row.rates.iter();
            let rates = rates.flat_map(|at| [at.exact, at.device, at.false_alarms, at.plain]);
            let (pixels, plain) = (row.auroc_pixels, row.plain.auroc);
            let areas = [
                Some(row.auroc),
                Some(row.auroc_patches),
                pixels,
                row.pro,
                Some(plain),
            ];
            table.row(line(product, row.shot, &areas, rates, row.plain.name));
        }
    }
    for row in &report.all {
        let rates = row.rates.iter();
        let rates = rates.flat_map(|at| [at.exact, at.device, at.false_alarms, at.plain]);
        let (pixels, plain) = (row.auroc_pixels, row.plain);
        let areas = [
            Some(row.auroc),
            Some(row.auroc_patches),
            pixels,
            row.pro,
            Some(plain),
        ];
        let name = format!("all {}", row.products);
        table.row(line(&name, row.shot, &areas, rates, "each its best"));
    }
    table
}

fn line(
    product: &str,
    shot: usize,
    areas: &[Option<Accuracy>; 5],
    rates: impl Iterator<Item = Accuracy>,
    plain: &str,
) -> Vec<String> {
    let percent = |Accuracy { mean, interval, .. }: Accuracy| {
        format!("{:.1} ± {:.1}", 100.0 * mean, 100.0 * interval)
    };
    let areas = areas
        .iter()
        .map(|area| area.map_or("-".to_owned(), percent));
    let mut line = vec![product.to_owned(), shot.to_string()];
    line.extend(areas);
    if let Some(last) = line.last_mut() {
        last.push_str(&format!(" ({plain})"));
    }
    line.extend(rates.map(percent));
    line
}

/// Areas over the number of shots.
fn chart(report: &Report) -> Chart {
    let point = |shot: usize, accuracy: Accuracy| Point {
        x: shot as f64,
        y: 100.0 * accuracy.mean,
        interval: 100.0 * accuracy.interval,
    };
    let mut series: Vec<Series> = report
        .products
        .iter()
        .map(|measured| Series {
            name: measured.product.clone(),
            points: measured
                .rows
                .iter()
                .map(|row| point(row.shot, row.auroc))
                .collect(),
            ..Series::default()
        })
        .collect();
    if !report.all.is_empty() {
        let all = |name: &str, of: &dyn Fn(&All) -> Accuracy, style| Series {
            name: name.to_owned(),
            points: report
                .all
                .iter()
                .map(|row| point(row.shot, of(row)))
                .collect(),
            style,
            color: None,
        };
        series.push(all("all", &|row| row.auroc, Style::Line));
        series.push(all("plain statistics, all", &|row| row.plain, Style::Line));
    }
    let axis = |label: &str, log| Axis {
        label: label.to_owned(),
        log,
    };
    Chart {
        title: "Flawed pictures told from good ones".to_owned(),
        x: axis("good pictures taught", true),
        y: axis("AUROC (%)", false),
        series,
    }
}

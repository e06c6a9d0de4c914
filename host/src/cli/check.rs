//! `sudal check`.

mod lead;
mod measure;
mod report;
mod words;

use std::path::PathBuf;

use anyhow::bail;
use clap::value_parser;
use sudal::data::{Dataset, Fit};
use sudal::device::{MAX_SHOTS, Trial};
use sudal::models::{self, Shipped};
use sudal::report::Confusion;

use super::model;
use super::output::Output;
use super::own;
use super::place;
use measure::Candidate;
use report::Report;

/// Most pictures that are left out one after the other; of more, shots are drawn.
const MOST_LEFT_OUT: usize = 150;
/// Shots that are drawn where nothing else is said.
const SHOTS: usize = 5;
/// Pictures of a class that are asked about after a draw.
const QUERIES: usize = 10;

/// Check own pictures: which model, and is it good enough?
///
/// FOLDER is a folder or zip with a folder of pictures per class. Every model that comes with sudal is
/// tried with every way to classify (`sudal head`), by the firmware's own code in this process; no board
/// is needed and nothing is taught. Of few pictures each is left out in turn; of many, shots are drawn at
/// random. It ends in plain words: what to take, which classes are not told apart, and what helps.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal check parts/                          a folder per class
  sudal check x-sdd.zip --shots 10 --out check.png
  sudal check parts/ --model surfaces --model mine.sudal")]
pub(crate) struct Args {
    /// The folder or zip.
    folder: PathBuf,
    /// Try only this model, one that comes with sudal or a model image; may be given several times
    /// [default: all that come with sudal].
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Draw so many shots of each class at random [default: each picture left out in turn; of more than
    /// 150 pictures, 5].
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(1..=MAX_SHOTS as i64))]
    shots: Option<u8>,
    /// How often they are drawn.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = value_parser!(u64).range(2..=10_000))]
    draws: u64,
    /// Most pictures of a class that are looked at, spread evenly over all.
    #[arg(long, default_value_t = 40, value_name = "N", value_parser = value_parser!(u32).range(2..=10_000))]
    pictures: u32,
    /// Look at the whole of pictures of other proportions, squeezed (for a board: `sudal region whole
    /// --squeeze`).
    #[arg(long)]
    squeeze: bool,
    /// Seed of the draws.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw which classes are taken for which to this PNG file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    if let Some(path) = &args.out {
        place::ready(path)?;
    }
    let candidates = args.candidates()?;
    if let Some(products) = own::products(&args.folder)? {
        return lead::to_inspection(&args.folder, products.products(), output);
    }
    let data = own::open(&args.folder, output)?;
    if data.classes() == 1 {
        return lead::one_class(&args.folder, data.class_name(0), output);
    }
    let fit = if args.squeeze {
        Fit::Squeeze
    } else {
        Fit::Crop
    };
    let read = measure::read(&data, args.pictures as usize, &candidates, fit, output)?;
    let trial = args.trial(&read.counts)?;
    let measured = measure::measure(&read, &candidates, trial, output)?;
    if let Some(path) = &args.out {
        let best = &measured.best;
        let mut confusion = Confusion::new(&read.names);
        for (truth, row) in best.tally.counts.iter().enumerate() {
            for (answer, &count) in row.iter().enumerate() {
                (0..count).try_for_each(|_| confusion.add(truth, answer))?;
            }
        }
        confusion.figure().save(path)?;
    }
    let report = Report::new(args, &read, &measured, trial);
    let text = words::text(&report);
    output.result(&report, text)
}

/// The model that comes with sudal and tells these classes apart best; the first where there is nothing
/// to tell apart.
pub(crate) fn choose(data: &Dataset, output: &Output) -> anyhow::Result<&'static Shipped> {
    let first = &models::SHIPPED[0];
    let fewest = (0..data.classes())
        .map(|class| data.len(class))
        .min()
        .unwrap_or(0);
    if data.classes() < 2 || fewest < 2 {
        output.step(format!("the board has no model: {} is taken", first.name));
        return Ok(first);
    }
    output.step("the board has no model: looking for the one that tells these classes apart best");
    let candidates = shipped()?;
    let read = measure::read(data, 2 * SHOTS, &candidates, Fit::Crop, output)?;
    let trial = Trial::Drawn {
        shots: SHOTS.min(fewest - 1),
        draws: 10,
        queries: QUERIES,
        seed: 1,
    };
    let best = measure::measure(&read, &candidates, trial, output)?.best;
    output.step(format!(
        "{} finds {:.0} % of them (`sudal check` tells more)",
        best.model,
        100.0 * best.tally.accuracy
    ));
    Ok(models::named(&best.model).unwrap_or(first))
}

fn shipped() -> anyhow::Result<Vec<Candidate>> {
    let all = models::SHIPPED.iter();
    all.map(|m| Candidate::new(m.name.to_owned(), m.image))
        .collect()
}

impl Args {
    fn candidates(&self) -> anyhow::Result<Vec<Candidate>> {
        if self.models.is_empty() {
            return shipped();
        }
        let named = self.models.iter();
        named
            .map(|path| Candidate::new(path.display().to_string(), &model::read(path)?))
            .collect()
    }

    /// How it is tried, by how many pictures there are of each class.
    fn trial(&self, counts: &[usize]) -> anyhow::Result<Trial> {
        let fewest = counts.iter().copied().min().unwrap_or(0);
        let most = counts.iter().copied().max().unwrap_or(0);
        if most < 2 {
            bail!(
                "{}: each class has one picture, so there is none left to ask about: take two or more of each, \
                 moved or turned in between",
                self.folder.display()
            );
        }
        let few = counts.iter().sum::<usize>() <= MOST_LEFT_OUT && most <= MAX_SHOTS + 1;
        let shots = match self.shots.map(usize::from) {
            None if few => return Ok(Trial::LeaveOneOut),
            None => SHOTS.min(fewest.saturating_sub(1)).max(1),
            Some(shots) if shots >= fewest => bail!(
                "--shots {shots}: the smallest class has {fewest} pictures, of which one has to be left to ask about"
            ),
            Some(shots) => shots,
        };
        Ok(Trial::Drawn {
            shots,
            draws: self.draws,
            queries: QUERIES,
            seed: self.seed,
        })
    }
}

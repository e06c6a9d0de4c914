//! `sudal check`.

mod args;
mod measure;
mod next_steps;
mod report;
mod words;

use sudal::data::{Dataset, Fit};
use sudal::device::Memory;
use sudal::measure::Trial;
use sudal::models::{self, Shipped};
use sudal::report::Confusion;

use super::output::Output;
use super::output_file;
use super::own_pictures;
pub(crate) use args::Args;
use args::SHOTS;
use measure::{QUERIES, shipped};
use report::Report;

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    if let Some(path) = &args.out {
        output_file::ready(path)?;
    }
    let candidates = args.candidates()?;
    if let Some(products) = own_pictures::products(&args.folder)? {
        return next_steps::to_inspection(&args.folder, products.products(), output);
    }
    let data = own_pictures::open(&args.folder, output)?;
    if data.classes() == 1 {
        return next_steps::one_class(&args.folder, data.class_name(0), output);
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
    let mut report = Report::new(args, &read, &measured, trial);
    report.advice = words::advice(&report);
    let text = words::text(&report);
    output.result(&report, text)
}

/// The model that comes with sudal, has room on a board and tells these classes apart best; the first where there is
/// nothing to tell apart.
pub(crate) fn choose(
    data: &Dataset,
    room: &Memory,
    output: &Output,
) -> anyhow::Result<&'static Shipped> {
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
    let mut candidates = shipped()?;
    candidates.retain(|candidate| candidate.fits(room));
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

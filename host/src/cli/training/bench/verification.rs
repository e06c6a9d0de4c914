//! The table of Siamese networks as verifiers: are two pictures of one class?

use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use sudal::data::Loaded;
use sudal::measure::verification::{Roc, scores};
use sudal::meta::{Learner, Trained};
use sudal::table::Table;

/// Pairs of one class, and as many of two.
const PAIRS: usize = 20_000;

/// One line of the table.
#[derive(Serialize)]
pub(super) struct Verified {
    method: &'static str,
    /// Pairs of each kind.
    pairs: usize,
    /// Where false accepts and false rejects are equally frequent, 0..=1.
    equal_error_rate: f64,
    /// Area below the receiver operating characteristic, 0..=1.
    area: f64,
    #[serde(skip)]
    roc: Roc,
}

/// The line of a model; none where it compares no pairs.
pub(super) fn measure(
    name: &'static str,
    trained: &Trained,
    pictures: &Loaded,
    seed: u64,
) -> anyhow::Result<Option<Verified>> {
    let Learner::Siamese(siamese) = trained.learner() else {
        return Ok(None);
    };
    let pair = siamese.pair(trained.params());
    let (same, different) = scores(&trained.embeddings(pictures), PAIRS, seed, |a, b| {
        pair.similarity(a, b)
    })?;
    let roc = Roc::of(&same, &different)?;
    Ok(Some(Verified {
        method: name,
        pairs: PAIRS,
        equal_error_rate: roc.equal_error_rate(),
        area: roc.area(),
        roc,
    }))
}

/// Draws all of them.
pub(super) fn draw(lines: &[Verified], path: &Path) -> anyhow::Result<()> {
    let curves: Vec<_> = lines
        .iter()
        .map(|v| (v.method.to_owned(), v.roc.clone()))
        .collect();
    sudal::report::roc("Verification of pairs, Omniglot's test classes", &curves)
        .save(path)
        .context("drawing the receiver operating characteristics")
}

/// The table, and what it tells; nothing without a line.
pub(super) fn section(lines: &[Verified]) -> Option<(String, Table)> {
    let caption = format!(
        "Are two pictures of one class? {} pairs of each kind, test classes",
        lines.first()?.pairs
    );
    let mut table = Table::new(["method", "equal error rate", "area below ROC"]);
    for line in lines {
        table.row([
            line.method.to_owned(),
            format!("{:.2} %", line.equal_error_rate * 100.0),
            format!("{:.5}", line.area),
        ]);
    }
    Some((caption, table))
}

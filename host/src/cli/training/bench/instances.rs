//! The table of memory-augmented networks: accuracy at the n-th picture of a class.

use serde::Serialize;
use sudal::data::Loaded;
use sudal::measure::Accuracy;
use sudal::meta::mann::{self, Ablation};
use sudal::meta::{Learner, Trained};
use sudal::table::Table;

/// The instances that the paper reports, and what it published for them, in percent.
const PUBLISHED: [(usize, f64); 4] = [(1, 36.4), (2, 82.8), (5, 94.9), (10, 98.1)];
/// What is taken away in each line.
const ABLATIONS: [(Ablation, &str); 3] = [
    (Ablation::Nothing, "whole"),
    (Ablation::Memory, "memory wiped before every read"),
    (Ablation::MemoryAndState, "memory and controller wiped"),
];

/// One line of the table.
#[derive(Serialize)]
pub(super) struct Instances {
    method: &'static str,
    wiped: &'static str,
    /// At the first, second, ... picture of a class.
    accuracy: Vec<Accuracy>,
}

/// The lines of a model; none where it has no memory.
pub(super) fn measure(
    name: &'static str,
    trained: &Trained,
    pictures: &Loaded,
    episodes: u64,
    seed: u64,
) -> anyhow::Result<Vec<Instances>> {
    let Learner::Mann(mann) = trained.learner() else {
        return Ok(Vec::new());
    };
    let rows = trained.prepare(pictures);
    let line = |(ablation, wiped)| {
        let accuracy =
            mann::instance_accuracy(mann, trained.params(), &rows, episodes, seed, ablation)?;
        Ok(Instances {
            method: name,
            wiped,
            accuracy: accuracy.to_vec(),
        })
    };
    ABLATIONS.into_iter().map(line).collect()
}

/// The table, and what it tells; nothing where it has no lines.
pub(super) fn section(lines: &[Instances]) -> Option<(String, Table)> {
    let caption = format!(
        "Sequences of 5 classes x 10 pictures, accuracy in % at the n-th picture of a class, {} sequences; Santoro et al. 2016 in brackets",
        lines.first()?.accuracy[0].episodes
    );
    let heads = PUBLISHED.map(|(instance, _)| instance.to_string());
    let mut table = Table::new(["method".to_owned()].into_iter().chain(heads));
    for line in lines {
        let cells = PUBLISHED.map(|(instance, published)| {
            format!(
                "{} ({published:.1})",
                line.accuracy[instance - 1].percent(1)
            )
        });
        let name = format!("{}, {}", line.method, line.wiped);
        table.row([name].into_iter().chain(cells));
    }
    Some((caption, table))
}

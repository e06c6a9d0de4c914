//! The table of memory-augmented networks: accuracy at the n-th picture of a class.

use serde::Serialize;
use sudal::data::Loaded;
use sudal::measure::Accuracy;
use sudal::meta::mann::{self, Wipe};
use sudal::meta::{Learner, Trained};

/// The instances that the paper reports, and what it published for them, in percent.
const PUBLISHED: [(usize, f64); 4] = [(1, 36.4), (2, 82.8), (5, 94.9), (10, 98.1)];
/// What is taken away in each line.
const WIPES: [(Wipe, &str); 3] = [
    (Wipe::Nothing, "whole"),
    (Wipe::Memory, "memory wiped before every read"),
    (Wipe::MemoryAndState, "memory and controller wiped"),
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
    let line = |(wipe, wiped)| {
        let accuracy =
            mann::instance_accuracy(mann, trained.params(), &rows, episodes, seed, wipe)?;
        Ok(Instances {
            method: name,
            wiped,
            accuracy: accuracy.to_vec(),
        })
    };
    WIPES.into_iter().map(line).collect()
}

/// The table; nothing where it has no lines.
pub(super) fn text(lines: &[Instances]) -> String {
    let Some(first) = lines.first() else {
        return String::new();
    };
    let mut text = format!(
        "\nSequences of 5 classes x 10 pictures, accuracy in % at the n-th picture of a class, {} sequences; Santoro et al. 2016 in brackets\n{:<56}",
        first.accuracy[0].episodes, ""
    );
    for (instance, _) in PUBLISHED {
        text.push_str(&format!("{instance:>21}"));
    }
    text.push('\n');
    for line in lines {
        let name = format!("{}, {}", line.method, line.wiped);
        text.push_str(&format!("{name:<56}"));
        for (instance, published) in PUBLISHED {
            let Accuracy { mean, interval, .. } = line.accuracy[instance - 1];
            let cell = format!(
                "{:.1} ± {:.1} ({published:.1})",
                mean * 100.0,
                interval * 100.0
            );
            text.push_str(&format!("{cell:>21}"));
        }
        text.push('\n');
    }
    text
}

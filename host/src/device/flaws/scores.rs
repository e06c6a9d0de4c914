//! Scores of good and of flawed pictures, and what a threshold makes of them.

use sudal_firmware::decision::Rate;

use crate::measure::anomaly::{auroc, missed};

/// The scores of good and of flawed pictures.
#[derive(Default)]
pub(super) struct Scores {
    pub(super) good: Vec<f32>,
    pub(super) flawed: Vec<f32>,
}

impl Scores {
    pub(super) fn push(&mut self, flawed: bool, score: f32) {
        let scores = if flawed {
            &mut self.flawed
        } else {
            &mut self.good
        };
        scores.push(score);
    }

    pub(super) fn auroc(&self) -> f64 {
        auroc(&self.good, &self.flawed).unwrap_or(0.5)
    }

    pub(super) fn missed(&self, rate: Rate) -> f64 {
        missed(&self.good, &self.flawed, part(rate)).unwrap_or(1.0)
    }
}

pub(super) fn part(rate: Rate) -> f64 {
    f64::from(rate.parts()) / 10_000.0
}

pub(super) fn part_of(scores: &[f32], is: impl Fn(f32) -> bool) -> f64 {
    scores.iter().filter(|&&score| is(score)).count() as f64 / scores.len().max(1) as f64
}

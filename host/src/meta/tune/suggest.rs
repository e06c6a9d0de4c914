//! The settings of the next trial.

use std::cmp::Reverse;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tpe::{TpeOptimizerBuilder, histogram_estimator, parzen_estimator};

use super::setup::Setup;
use super::space::{Params, Range, Value};
use super::trial::{Trial, TrialStatus};

/// Part of the trials that count as good ones.
const GAMMA: f64 = 0.15;
/// Values of which the likeliest to be good is taken, a dimension.
const CANDIDATES: usize = 24;

/// The settings of the `number`-th trial after `trials`: first those that the setup names, then the rest of
/// [`Setup::startup`] as a Latin hypercube (McKay et al. 1979), then those of TPE.
pub(super) fn suggest(setup: &Setup, number: usize, trials: &[Trial]) -> Params {
    let named = usize::from(setup.first.is_some());
    match &setup.first {
        Some(first) if number == 0 => first.clone(),
        _ if number < setup.startup => hypercube(setup, number - named, setup.startup - named),
        _ => estimated(setup, number, trials),
    }
}

/// The stream of random numbers of a trial; that of 0 belongs to the study.
fn stream(setup: &Setup, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(setup.seed);
    rng.set_stream(number);
    rng
}

/// The `row`-th of `rows` points of which no two share the same `1/rows` part of a dimension.
fn hypercube(setup: &Setup, row: usize, rows: usize) -> Params {
    let mut order = stream(setup, 0);
    let mut within = stream(setup, 1 + row as u64);
    let positions = setup.space.dimensions().iter().map(|_| {
        let mut parts: Vec<usize> = (0..rows).collect();
        parts.shuffle(&mut order);
        (parts[row] as f64 + within.random::<f64>()) / rows as f64
    });
    setup.space.at(positions)
}

/// Each dimension for itself: of some values that are drawn as the good trials' are spread, the one
/// that is the most likely of a good trial and the least of a bad one.
fn estimated(setup: &Setup, number: usize, trials: &[Trial]) -> Params {
    let mut rng = stream(setup, 1 + number as u64);
    let ranked = ranked(trials);
    let settings = setup.space.dimensions().iter().map(|dimension| {
        let range = &dimension.range;
        // Choices have no order and so no place between each other: they are counted.
        let (estimator, width) = match range {
            Range::Choice { of } => (histogram_estimator(), of.len() as f64),
            _ => (parzen_estimator(), 1.0),
        };
        let whole = tpe::range(0.0, width).expect("at least one value");
        let mut builder = TpeOptimizerBuilder::new();
        builder.gamma(GAMMA).candidates(CANDIDATES);
        let mut optimizer = builder
            .build(estimator, whole)
            .expect("a part and a number");
        for (rank, trial) in ranked.iter().enumerate() {
            let value = trial.params.get(&dimension.name);
            let position = value.and_then(|v| range.position(v)).unwrap_or(f64::NAN);
            let accepted = optimizer.tell(position * width, rank as f64);
            accepted.expect("a position lies in the range, or is NaN where there is none");
        }
        let Ok(position) = optimizer.ask(&mut rng);
        (dimension.name.clone(), nearest(range, position / width))
    });
    settings.collect()
}

/// A choice is drawn as the lower edge of its part: its middle is safe from rounding.
fn nearest(range: &Range, position: f64) -> Value {
    match range {
        Range::Choice { of } => range.at(position + 0.5 / of.len() as f64),
        _ => range.at(position),
    }
}

/// From the best to the worst: a stopped trial behind every finished one and one that came further
/// before one that did not; failed ones last.
fn ranked(trials: &[Trial]) -> Vec<&Trial> {
    let told = |t: &&Trial| t.outcome != TrialStatus::Lost;
    let mut ranked: Vec<&Trial> = trials.iter().filter(told).collect();
    ranked.sort_by(|a, b| {
        let place = |t: &Trial| match t.outcome {
            TrialStatus::Finished => (0, Reverse(0)),
            TrialStatus::Pruned => (1, Reverse(t.reports.len())),
            TrialStatus::Failed | TrialStatus::Lost => (2, Reverse(0)),
        };
        let value = |t: &Trial| t.value.unwrap_or(f64::NEG_INFINITY);
        place(a).cmp(&place(b)).then(value(b).total_cmp(&value(a)))
    });
    ranked
}

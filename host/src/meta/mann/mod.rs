//! Memory-augmented neural networks (Santoro et al. 2016, "One-shot learning with memory-augmented
//! neural networks"): a controller that reads the pictures of a task one after another, each with
//! the label of the one *before*, and names each before its label comes. What it has to remember for
//! that lies in an external memory, and the slow weights learn only how to use it.
//!
//! Where this differs from the paper:
//!
//! - A picture enters as the embedding of a frozen network that was trained on the same base
//!   classes, brought to mean 0 and variance 1, and not as pixels. The sequences then are learned in
//!   minutes on two cores. All else is learned: controller, keys, gates and the output.
//! - A head has a write vector of its own beside its key, and its reads have a learned strength
//!   (after Graves et al. 2014): the softmax of bare cosines is nearly flat over 128 slots.
//! - The feed-forward controller sees the picture before beside its label, since it has no state to
//!   keep it in.

mod cell;
mod config;
mod measure;
mod memory;
mod sequence;

use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

pub use config::{Controller, Mann};
pub use measure::{INSTANCES, Instances, instance_accuracy};
pub use memory::{Access, Memory};
pub use sequence::Ablation;

use self::cell::{Cell, State};
use super::error::TrainError;
use super::limits::within;
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe, argmax};
use super::params::Params;
use crate::episodes::EpisodeShape;
use crate::nets::backend;
use crate::nets::network::Plan;

/// Added to the variance of an embedding.
const EPSILON: f32 = 1e-5;

impl Mann {
    /// The sequences of an episode whose rows stand class by class, `each` of a class.
    fn sequences(&self, way: usize, each: usize, number: u64) -> Vec<Vec<sequence::Item>> {
        let mut rng = ChaCha8Rng::seed_from_u64(number ^ 0x3a99_0000_0000);
        let rows = |class: usize| (class * each..(class + 1) * each).collect::<Vec<usize>>();
        let mut sequences = Vec::new();
        for _ in 0..self.groupings.max(1) {
            let mut classes: Vec<usize> = (0..way).collect();
            classes.shuffle(&mut rng);
            for group in classes.chunks_exact(self.classes) {
                let group: Vec<Vec<usize>> = group.iter().map(|&class| rows(class)).collect();
                sequences.push(sequence::shuffled(&group, &mut rng));
            }
        }
        sequences
    }
}

/// Most rows, columns, units and heads.
const MOST: usize = 4096;

impl Method for Mann {
    fn name(&self) -> &'static str {
        match self.controller {
            Controller::Lstm => "memory-augmented, LSTM",
            Controller::FeedForward => "memory-augmented, feed-forward",
        }
    }

    fn recipe(&self) -> Recipe {
        // Ten pictures of a class as in the paper; sixteen sequences in all.
        Recipe {
            way: 8 * self.classes,
            support: 1,
            query: 9,
            ..Recipe::default()
        }
    }

    fn check(&self, shape: EpisodeShape) -> Result<(), TrainError> {
        for (what, count) in [
            ("the number of units", self.units),
            ("the number of slots", self.slots),
            ("the width of a slot", self.width),
            ("the number of heads", self.heads),
            ("the number of classes of a sequence", self.classes),
            ("the number of groupings", self.groupings),
            ("the number of passes", self.passes),
        ] {
            within(what, count, 1, MOST)?;
        }
        within("the number of written slots", self.written, 1, self.slots)?;
        within("the decay of a slot's usage", self.decay, 0.0, 1.0)?;
        if shape.way < self.classes {
            return Err(TrainError::Narrow {
                method: self.name(),
                needed: self.classes,
                way: shape.way,
            });
        }
        Ok(())
    }

    fn extras(&self, plan: &Plan, _classes: usize, seed: u64) -> Vec<Tensor<2>> {
        cell::start(self, plan.embedding(), seed, &backend::device())
    }

    /// The episode is cut into sequences of [`Mann::classes`] classes with all their pictures,
    /// support and query alike.
    ///
    /// # Panics
    /// When the episode has fewer classes than a sequence.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let (way, each) = (batch.way(), batch.support + batch.query);
        assert!(
            way >= self.classes,
            "{way} classes for sequences of {}",
            self.classes
        );
        let rows = self.prepare(plan, params, batch.pictures.clone());
        let [_, dim] = rows.dims();
        let rows = numbers(rows);
        let sequences = self.sequences(way, each, batch.number);
        let cell = Cell::new(self, &params.extras);
        let device = batch.pictures.device();
        let (features, _) = sequence::run(
            self,
            &cell,
            &rows,
            dim,
            &sequences,
            Ablation::Nothing,
            &device,
        );
        let scores = cell.scores(features);
        let found = argmax(scores.clone().detach());
        EpisodeLoss {
            accuracy: later_accuracy(&found, &sequences),
            loss: sequence::loss(scores, &sequences),
        }
    }

    fn frozen(&self) -> bool {
        true
    }

    fn max_way(&self) -> Option<usize> {
        Some(self.classes)
    }

    fn prepare(&self, plan: &Plan, params: &Params, pictures: Tensor<4>) -> Tensor<2> {
        let frozen = Params {
            network: params.network.clone().map(Tensor::detach),
            statistics: params.statistics.clone(),
            extras: Vec::new(),
        };
        normalized(frozen.embed(plan, pictures).detach())
    }

    /// The support set is presented in an order that is the same for all tasks of its size, so that
    /// the order of the classes does not matter; each query then is one step from there.
    ///
    /// # Panics
    /// When the task has more classes than a sequence.
    fn adapt(
        &self,
        _plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        assert!(way <= self.classes, "{way} of {} classes", self.classes);
        let [count, dim] = support.dims();
        let device = support.device();
        let rows = numbers(support);
        let mut rng = ChaCha8Rng::seed_from_u64(0x3a99);
        let classes: Vec<Vec<usize>> = (0..way)
            .map(|class| (class * count / way..(class + 1) * count / way).collect())
            .collect();
        let labels: Vec<usize> = (0..way).collect();
        let items: Vec<sequence::Item> = (0..self.passes.max(1))
            .flat_map(|_| sequence::ordered(&classes, &labels, &mut rng))
            .collect();
        let last = items[items.len() - 1];
        let cell = Cell::new(self, &params.extras);
        let (_, state) = sequence::run(
            self,
            &cell,
            &rows,
            dim,
            &[items],
            Ablation::Nothing,
            &device,
        );
        Box::new(Remembered {
            mann: self.clone(),
            extras: params.extras.clone(),
            state,
            last: rows[last.row * dim..][..dim].to_vec(),
            label: last.label,
            way,
        })
    }
}

/// A task in memory.
struct Remembered {
    mann: Mann,
    extras: Vec<Tensor<2>>,
    state: State,
    /// The last support row and its label.
    last: Vec<f32>,
    label: usize,
    way: usize,
}

impl Classifier for Remembered {
    fn predict(&self, queries: Tensor<2>) -> Vec<usize> {
        let [count, dim] = queries.dims();
        let device = queries.device();
        let rows = numbers(queries);
        let before = Some((&self.last[..], self.label));
        let inputs: Vec<f32> = rows
            .chunks_exact(dim)
            .flat_map(|row| sequence::input(&self.mann, row, before))
            .collect();
        let shape = [count, self.mann.inputs(dim)];
        let inputs = Tensor::from_data(TensorData::new(inputs, shape), &device);
        let cell = Cell::new(&self.mann, &self.extras);
        let state = cell.step(self.state.repeat(count), inputs, false);
        argmax(cell.scores(state.features).slice([0..count, 0..self.way]))
    }
}

/// Rows of mean 0 and variance 1.
fn normalized(rows: Tensor<2>) -> Tensor<2> {
    let centred = rows.clone() - rows.mean_dim(1);
    let variance = centred.clone().powi_scalar(2).mean_dim(1);
    centred / (variance + EPSILON).sqrt()
}

fn numbers(rows: Tensor<2>) -> Vec<f32> {
    rows.into_data().try_to_vec().expect("rows are float32")
}

/// Part found right of the pictures whose class came before.
fn later_accuracy(found: &[usize], sequences: &[Vec<sequence::Item>]) -> f32 {
    let (mut correct, mut all) = (0, 0);
    for (i, &found) in found.iter().enumerate() {
        let item = sequences[i % sequences.len()][i / sequences.len()];
        if item.instance > 1 {
            correct += usize::from(found == item.label);
            all += 1;
        }
    }
    correct as f32 / all.max(1) as f32
}

#[cfg(test)]
mod tests;

//! What every method is to the trainer and to a measurement.

use burn::tensor::Tensor;

use super::error::TrainError;
use super::params::Params;
use crate::episodes::EpisodeShape;
use crate::nets::graph::Head;
use crate::nets::network::{Plan, Weights};

/// The pictures of one training episode.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Normalised pixels `[way * (support + query), height, width, channels]`, class by class, support
    /// before query.
    pub pictures: Tensor<4>,
    /// Number in the data of each of the episode's classes.
    pub classes: Vec<usize>,
    /// Support pictures of a class.
    pub support: usize,
    /// Query pictures of a class.
    pub query: usize,
    /// Number of the episode in the run: the seed of choices that a method makes inside it.
    pub number: u64,
    /// What a teacher makes of the pictures, `[pictures, its embedding]`, where there is one.
    pub teacher: Option<Tensor<2>>,
    /// 1 for each pixel that lies on a drawn flaw, else 0, `[pictures, height, width]`, where the method
    /// has flaws drawn: into every query, into no support picture.
    pub flaws: Option<Tensor<3>>,
}

impl Batch {
    /// Number of classes.
    pub fn way(&self) -> usize {
        self.classes.len()
    }

    /// The first `shot` support pictures of each class, and the query pictures of each class, both
    /// class by class.
    ///
    /// # Panics
    /// When there are fewer than `shot` support pictures.
    pub fn split(&self, shot: usize) -> (Tensor<4>, Tensor<4>) {
        let [_, height, width, channels] = self.pictures.dims();
        let (way, each) = (self.way(), self.support + self.query);
        assert!(
            shot <= self.support,
            "{shot} of {} support pictures",
            self.support
        );
        let by_class = self
            .pictures
            .clone()
            .reshape([way, each, height, width * channels]);
        let part = |from: usize, to: usize| {
            by_class
                .clone()
                .slice([0..way, from..to, 0..height, 0..width * channels])
                .reshape([way * (to - from), height, width, channels])
        };
        (part(0, shot), part(self.support, each))
    }
}

/// What one episode gave.
#[derive(Debug)]
pub struct EpisodeLoss {
    /// The number to be made small; its gradient is the meta-gradient.
    pub loss: Tensor<1>,
    /// Part of the queries that were classified right, 0..=1.
    pub accuracy: f32,
}

/// Settings of a run that suit a method on Omniglot with the Conv-4-64 network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Classes of a training episode.
    pub way: usize,
    /// Support pictures of a class.
    pub support: usize,
    /// Query pictures of a class.
    pub query: usize,
    /// Episodes of an optimiser step.
    pub tasks: usize,
    /// Optimiser steps.
    pub episodes: u64,
    /// Greatest learning rate of Adam.
    pub learning_rate: f64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            way: 60,
            support: 2,
            query: 2,
            tasks: 1,
            episodes: 6000,
            learning_rate: 3e-3,
        }
    }
}

/// A way of learning from few pictures: what it learns from many tasks, and how it then learns one.
pub trait Method: Send + Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// What suits it.
    fn recipe(&self) -> Recipe;

    /// Whether its settings are usable, in episodes of this shape.
    ///
    /// # Errors
    /// [`TrainError`], which of them is out of bounds and what they are.
    fn check(&self, shape: EpisodeShape) -> Result<(), TrainError>;

    /// Start of the tensors that it learns beside the network's, for data of `classes` classes.
    fn extras(&self, _plan: &Plan, _classes: usize, _seed: u64) -> Vec<Tensor<2>> {
        Vec::new()
    }

    /// The loss of one training episode. Parameters come tracked by autodiff; those that the loss
    /// does not reach stay as they are.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss;

    /// Whether the network is a trained one that stays as it is.
    fn frozen(&self) -> bool {
        false
    }

    /// Whether it learns from a teacher, so that each [`Batch`] needs one.
    fn has_teacher(&self) -> bool {
        false
    }

    /// Whether it learns the classes of the data themselves, or what a teacher saw of their pictures, so that no other
    /// classes can be made of them.
    fn has_own_classes(&self) -> bool {
        self.has_teacher()
    }

    /// Whether a teacher that gives n values of a picture can be learned from.
    fn understands(&self, _plan: &Plan, _values: usize) -> bool {
        true
    }

    /// Whether flaws are drawn into the queries of each [`Batch`].
    fn draws_flaws(&self) -> bool {
        false
    }

    /// Whether the network must have a map of [`Plan::taps`].
    fn needs_map(&self) -> bool {
        false
    }

    /// How patches are made of the network's map, where the method learned it.
    fn head(&self, _params: &Params) -> Option<Head> {
        None
    }

    /// Whether a task changes the network, so that [`Method::prepare`] gives pixels and a task takes
    /// both cores.
    fn adapts_network(&self) -> bool {
        false
    }

    /// The greatest number of classes of a task, where there is one.
    fn max_way(&self) -> Option<usize> {
        None
    }

    /// The network that embeds pictures for a task, with what the method learned for it.
    fn network(&self, _plan: &Plan, params: &Params) -> Weights {
        params.network.clone()
    }

    /// What can be computed of pictures before any task, `[n, k]`: their embeddings, or their
    /// pixels.
    fn prepare(&self, plan: &Plan, params: &Params, pictures: Tensor<4>) -> Tensor<2> {
        match self.adapts_network() {
            true => pixels(pictures),
            false => params.embed(plan, pictures),
        }
    }

    /// Learns a task of `way` classes from the prepared rows of its support set, class by class. May
    /// panic when there are more than [`Method::max_way`].
    fn adapt(
        &self,
        plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier>;
}

/// A task that was learned from its support set.
pub trait Classifier {
    /// The class, `0..way`, of each prepared row.
    fn predict(&self, queries: Tensor<2>) -> Vec<usize>;
}

/// The pixels of prepared rows as pictures again.
pub(crate) fn pictures(plan: &Plan, rows: Tensor<2>) -> Tensor<4> {
    let n = rows.dims()[0];
    rows.reshape([n, plan.size.0, plan.size.1, plan.channels])
}

/// Pictures as rows of pixels.
fn pixels(pictures: Tensor<4>) -> Tensor<2> {
    let [n, height, width, channels] = pictures.dims();
    pictures.reshape([n, height * width * channels])
}

/// The place of the greatest entry of each row; the first of equals.
pub(crate) fn argmax(scores: Tensor<2>) -> Vec<usize> {
    let [_, columns] = scores.dims();
    let values: Vec<f32> = scores.into_data().try_to_vec().expect("scores are float32");
    let first = |row: &[f32]| {
        let mut best = 0;
        for (i, value) in row.iter().enumerate() {
            if *value > row[best] {
                best = i;
            }
        }
        best
    };
    values.chunks_exact(columns).map(first).collect()
}

/// Part of `found` that is the own class, where each of the classes has `each` entries in order.
pub(crate) fn accuracy(found: &[usize], each: usize) -> f32 {
    let correct = found.iter().enumerate().filter(|(i, f)| i / each == **f);
    correct.count() as f32 / found.len() as f32
}

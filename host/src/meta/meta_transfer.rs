//! Meta-transfer learning (Sun et al. 2019): a trained network stays as it is but for a learned
//! scale of each of its kernels and a learned shift of each of its channels; a task learns a head.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::inner::{Head, Labelled, Rates};
use super::limits::{check_task, within};
use super::linear::cross_entropy;
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe, argmax};
use super::params::Params;
use crate::episodes::EpisodeShape;
use crate::nets::backend;
use crate::nets::block::BlockWeights;
use crate::nets::network::{Plan, Weights};

/// Learning scales and shifts. An episode of many classes is cut into tasks of `way`; the classes
/// that did worst then make one task more (hard tasks).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetaTransfer {
    /// Classes of a task in training.
    pub way: usize,
    /// Steps of the head in training.
    pub steps: usize,
    /// Steps of the head on a new task.
    pub test_steps: usize,
    /// Size of the head's first step; each step's is learned from there.
    pub head_rate: f32,
    /// Whether the worst classes of an episode make one task more.
    pub hard: bool,
}

impl Default for MetaTransfer {
    fn default() -> Self {
        Self {
            way: 20,
            steps: 5,
            test_steps: 5,
            head_rate: 2.0,
            hard: true,
        }
    }
}

/// Learned tensors of a block: a scale and a shift.
const OF_BLOCK: usize = 2;

/// What one task gave: the queries' loss, and how many of each class's were correct.
struct TaskLoss {
    loss: Tensor<1>,
    correct: Vec<usize>,
}

impl MetaTransfer {
    fn rates(&self, params: &Params) -> Rates {
        Rates::new(0, (0.0, self.head_rate), params.extras.last())
    }

    fn embedded(&self, plan: &Plan, params: &Params, pictures: Tensor<4>) -> Tensor<2> {
        let network = self.network(plan, params);
        plan.embed_fixed(&network, &params.statistics, pictures)
    }

    /// One task on the `classes` of an episode, from its embeddings `[way, support + query, dim]`.
    fn task(
        &self,
        params: &Params,
        rows: &Tensor<3>,
        classes: &[usize],
        support: usize,
    ) -> TaskLoss {
        let [_, each, dim] = rows.dims();
        let way = classes.len();
        let chosen = classes.iter().map(|&c| {
            let of_class = [c..c + 1, 0..each, 0..dim];
            rows.clone().slice(of_class)
        });
        let rows = Tensor::cat(chosen.collect(), 0);
        let part = |from: usize, to: usize| {
            let part = rows.clone().slice([0..way, from..to, 0..dim]);
            part.reshape([way * (to - from), dim])
        };
        let shown = Labelled::by_class(part(0, support), way);
        let head = Head::learn(&self.rates(params), self.steps, &shown);
        let scores = head.scores(part(support, each));
        let query = each - support;
        let own: Vec<usize> = (0..way * query).map(|i| i / query).collect();
        let found = argmax(scores.clone().detach());
        let is_correct = found.iter().zip(&own).map(|(f, o)| usize::from(f == o));
        let is_correct: Vec<usize> = is_correct.collect();
        TaskLoss {
            loss: cross_entropy(scores, &own),
            correct: is_correct.chunks(query).map(|c| c.iter().sum()).collect(),
        }
    }
}

impl Method for MetaTransfer {
    fn name(&self) -> &'static str {
        "meta-transfer"
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            way: 5 * self.way,
            support: 1,
            query: 3,
            learning_rate: 1e-3,
            ..Recipe::default()
        }
    }

    fn has_own_classes(&self) -> bool {
        true
    }

    fn check(&self, _shape: EpisodeShape) -> Result<(), TrainError> {
        within("the number of classes of a task", self.way, 1, 1 << 20)?;
        check_task((self.steps, self.test_steps), (0.0, self.head_rate))
    }

    /// For each block a scale for every kernel, `[inputs, outputs]` (depthwise `[1, outputs]`), and
    /// a shift of every channel, `[1, outputs]`, in standard deviations of the base classes; then the
    /// logarithms of what the head's steps are multiplied by, `[steps, 1]`.
    fn extras(&self, plan: &Plan, _classes: usize, _seed: u64) -> Vec<Tensor<2>> {
        let device = backend::device();
        let mut all: Vec<Tensor<2>> = Vec::new();
        for block in &plan.blocks {
            let [rows, outputs] = block.weight_shape();
            all.push(Tensor::ones([rows / block.taps(), outputs], &device));
            all.push(Tensor::zeros([1, outputs], &device));
        }
        all.push(Tensor::zeros([self.steps, 1], &device));
        all
    }

    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let embedded = self.embedded(plan, params, batch.pictures.clone());
        let (all, dim) = (batch.way(), plan.embedding());
        let each = batch.support + batch.query;
        let rows: Tensor<3> = embedded.reshape([all, each, dim]);
        let way = self.way.clamp(1, all);
        let mut losses = Vec::new();
        let mut correct = Vec::new();
        for first in 0..all / way {
            let classes: Vec<usize> = (first * way..(first + 1) * way).collect();
            let task = self.task(params, &rows, &classes, batch.support);
            losses.push(task.loss);
            correct.extend(task.correct);
        }
        let queries = correct.len() * batch.query;
        let accuracy = correct.iter().sum::<usize>() as f32 / queries as f32;
        if self.hard && correct.len() > way {
            let mut worst: Vec<usize> = (0..correct.len()).collect();
            worst.sort_by_key(|&class| correct[class]);
            let task = self.task(params, &rows, &worst[..way], batch.support);
            losses.push(task.loss);
        }
        let count = losses.len() as f32;
        let total = losses.into_iter().reduce(|a, b| a + b);
        EpisodeLoss {
            loss: total.expect("an episode holds a task") / count,
            accuracy,
        }
    }

    fn frozen(&self) -> bool {
        true
    }

    /// The trained network, scaled and shifted.
    fn network(&self, plan: &Plan, params: &Params) -> Weights {
        let scales = params.extras.chunks_exact(OF_BLOCK);
        let blocks = plan.blocks.iter().zip(&params.network.0).zip(scales);
        let each = blocks.map(|((shape, weights), learned)| {
            let (scale, shift) = (&learned[0], &learned[1]);
            BlockWeights {
                weight: weights.weight.clone().detach() * scale.clone().repeat(&[shape.taps(), 1]),
                gamma: weights.gamma.clone().detach(),
                beta: weights.beta.clone().detach()
                    + shift.clone() * weights.gamma.clone().detach(),
            }
        });
        Weights(each.collect())
    }

    fn prepare(&self, plan: &Plan, params: &Params, pictures: Tensor<4>) -> Tensor<2> {
        self.embedded(plan, params, pictures)
    }

    fn adapt(
        &self,
        _plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        let support = Labelled::by_class(support, way);
        Box::new(Head::learn(&self.rates(params), self.test_steps, &support))
    }
}

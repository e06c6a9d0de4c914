//! Reptile (Nichol et al. 2018): learn a task, then move the start a little to where that ended.

use burn::tensor::{Int, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::inner::{Labelled, Rates, Task};
use super::limits::check_task;
use super::linear::cross_entropy;
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe, accuracy, argmax, pictures};
use super::params::Params;
use crate::episodes::EpisodeShape;
use crate::nets::network::Plan;

/// Learning a start. Tasks have any number of classes, and batch norm is over what is given
/// together, as in [`super::maml::Inner::All`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reptile {
    /// Steps of gradient descent in training; it takes several to learn more than the joint task.
    pub steps: usize,
    /// Support pictures of one step, drawn over all classes.
    pub batch: usize,
    /// Steps on a new task, each on all support pictures.
    pub test_steps: usize,
    /// Size of the network's steps.
    pub rate: f32,
    /// Size of the head's steps.
    pub head_rate: f32,
}

impl Default for Reptile {
    fn default() -> Self {
        Self {
            steps: 8,
            batch: 20,
            test_steps: 10,
            rate: 0.5,
            head_rate: 2.0,
        }
    }
}

impl Reptile {
    fn rates(&self, plan: &Plan) -> Rates {
        Rates::new(plan.blocks.len(), (self.rate, self.head_rate), None)
    }

    /// The start after training on the support set, in random order.
    fn learned(&self, plan: &Plan, start: Task, support: &Labelled<4>, seed: u64) -> Task {
        let rates = self.rates(plan);
        let n = support.targets.dims()[0];
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x4e97_11e0);
        let mut order: Vec<i64> = Vec::new();
        let size = self.batch.clamp(1, n);
        let mut task = start;
        for step in 0..self.steps {
            if order.len() < size {
                order = (0..n as i64).collect();
                order.shuffle(&mut rng);
            }
            let chosen = order.split_off(order.len() - size);
            let data = TensorData::new(chosen, [size]);
            let chosen = Tensor::<1, Int>::from_data(data, &support.x.device());
            let some = Labelled {
                x: support.x.clone().select(0, chosen.clone()),
                targets: support.targets.clone().select(0, chosen),
            };
            task = task.stepped(plan, &rates, step, &some);
        }
        task
    }
}

impl Method for Reptile {
    fn name(&self) -> &'static str {
        "reptile"
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            way: 20,
            support: 10,
            query: 2,
            tasks: 2,
            learning_rate: 3e-4,
            ..Recipe::default()
        }
    }

    fn check(&self, _shape: EpisodeShape) -> Result<(), TrainError> {
        let steps = (self.steps, self.test_steps);
        check_task(steps, (self.rate, self.head_rate))
    }

    /// Its value is the loss of the queries after the steps, its gradient that of the paper: the
    /// start less where the steps ended.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let way = batch.way();
        let (support, query) = batch.split(batch.support);
        let support = Labelled::by_class(support.inner(), way);
        let plain = params.network.clone().map(Tensor::inner);
        let start = Task::start(plan, plain.clone(), way);
        let task = self.learned(plan, start, &support, batch.number);
        let scores = task.scores(plan, query.inner());
        let classes: Vec<usize> = (0..way * batch.query).map(|i| i / batch.query).collect();
        let accuracy = accuracy(&argmax(scores.clone()), batch.query);
        let value = cross_entropy(scores, &classes).autodiff();
        let ends = plain.tensors().zip(task.network.tensors());
        let slopes = params.network.tensors().zip(ends);
        let linear = slopes.map(|(weight, (before, after))| {
            (weight.clone() * (before.clone() - after.clone()).autodiff()).sum()
        });
        let linear = linear.reduce(|a, b| a + b).expect("a network has weights");
        EpisodeLoss {
            loss: value + linear.clone() - linear.detach(),
            accuracy,
        }
    }

    fn adapts_network(&self) -> bool {
        true
    }

    fn adapt(
        &self,
        plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        let rates = self.rates(plan);
        let support = Labelled::by_class(pictures(plan, support), way);
        let mut task = Task::start(plan, params.network.clone(), way);
        for step in 0..self.test_steps {
            task = task.stepped(plan, &rates, step, &support);
        }
        task.classifier(plan)
    }
}

//! Model-agnostic meta-learning (Finn et al. 2017): a start from which a few steps of gradient
//! descent learn a task; with the head alone moving (ANIL, Raghu et al. 2020) and with learned step
//! sizes and losses of every step (MAML++, Antoniou et al. 2019).
//!
//! One start serves tasks of any number of classes: every class's head begins the same (Ye and Chao
//! 2022), see `inner`.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::inner::{Head, Labelled, Rates, Task};
use super::limits::{check_shots, check_task};
use super::linear::cross_entropy;
use super::method::{self, Batch, Classifier, EpisodeLoss, Method, Recipe, argmax, pictures};
use super::params::Params;
use crate::episodes::EpisodeShape;
use crate::nets::backend;
use crate::nets::network::Plan;

/// What a task's steps change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inner {
    /// The network and the head. Batch norm is over the support pictures together, and over the
    /// queries together, in training and afterwards: predictions are transductive, as in the paper.
    All,
    /// The head alone. The network embeds the whole episode in training; afterwards it has fixed
    /// statistics, and each picture stands for itself.
    Head,
}

/// How the loss after the steps is differentiated by their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Through every step, second derivatives and all.
    Exact,
    /// As if the steps' gradients were constants.
    First,
}

/// Learning a start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maml {
    /// What moves in a task.
    pub inner: Inner,
    /// Derivative of the steps.
    pub order: Order,
    /// Steps in training, 1 or more.
    pub steps: usize,
    /// Steps on a new task, 1 or more.
    pub test_steps: usize,
    /// Size of the network's steps.
    pub rate: f32,
    /// Size of the head's steps.
    pub head_rate: f32,
    /// Whether the sizes are learned, for each block and step.
    pub learn_rates: bool,
    /// Episodes until the loss after the last step alone counts; at the first those of all steps
    /// count the same.
    pub multi_step: u64,
    /// Support pictures of a class, by turns; each 1 or more and at most those of an episode.
    pub shots: Vec<usize>,
}

impl Maml {
    /// The original, exact.
    pub fn exact() -> Self {
        Self {
            inner: Inner::All,
            order: Order::Exact,
            steps: 3,
            test_steps: 3,
            rate: 0.5,
            head_rate: 2.0,
            learn_rates: false,
            multi_step: 0,
            shots: vec![1],
        }
    }

    /// The same without second derivatives.
    pub fn first_order() -> Self {
        Self {
            order: Order::First,
            ..Self::exact()
        }
    }

    /// MAML++.
    pub fn plus_plus() -> Self {
        Self {
            learn_rates: true,
            multi_step: 2000,
            ..Self::exact()
        }
    }

    /// ANIL.
    pub fn anil() -> Self {
        Self {
            inner: Inner::Head,
            ..Self::exact()
        }
    }

    fn moving_blocks(&self, plan: &Plan) -> usize {
        match self.inner {
            Inner::All => plan.blocks.len(),
            Inner::Head => 0,
        }
    }

    fn rates(&self, plan: &Plan, params: &Params) -> Rates {
        let blocks = self.moving_blocks(plan);
        Rates::new(blocks, (self.rate, self.head_rate), params.extras.first())
    }

    /// Weight of the loss after each step; none where it does not count.
    fn importance(&self, episode: u64) -> Vec<Option<f32>> {
        let left = match self.multi_step {
            0 => 0.0,
            all => 1.0 - (episode as f32 / all as f32).min(1.0),
        };
        let each = left / self.steps as f32;
        let mut weights = vec![(each > 0.0).then_some(each); self.steps];
        weights[self.steps - 1] = Some(each + 1.0 - left);
        weights
    }

    fn stepped(
        &self,
        task: &Task,
        plan: &Plan,
        rates: &Rates,
        step: usize,
        support: &Labelled<4>,
    ) -> Task {
        match self.order {
            Order::Exact => task.stepped(plan, rates, step, support),
            Order::First => task.stepped_first_order(plan, rates, step, support),
        }
    }

    /// Scores of the queries after each step whose loss counts, with its weight.
    fn scores(
        &self,
        plan: &Plan,
        params: &Params,
        batch: &Batch,
        shot: usize,
    ) -> Vec<(f32, Tensor<2>)> {
        let rates = self.rates(plan, params);
        let importance = self.importance(batch.number);
        let way = batch.way();
        let mut all = Vec::new();
        match self.inner {
            Inner::All => {
                let (support, query) = batch.split(shot);
                let support = Labelled::by_class(support, way);
                let mut task = Task::start(plan, params.network.clone(), way);
                for (step, weight) in importance.into_iter().enumerate() {
                    task = self.stepped(&task, plan, &rates, step, &support);
                    if let Some(weight) = weight {
                        all.push((weight, task.scores(plan, query.clone())));
                    }
                }
            }
            Inner::Head => {
                let rows = params.embed(plan, batch.pictures.clone());
                let each = batch.support + batch.query;
                let dim = rows.dims()[1];
                let by_class = rows.reshape([way, each, dim]);
                let part = |from: usize, to: usize| {
                    let part = by_class.clone().slice([0..way, from..to, 0..dim]);
                    part.reshape([way * (to - from), dim])
                };
                let mut support = Labelled::by_class(part(0, shot), way);
                if self.order == Order::First {
                    support.x = support.x.detach();
                }
                let query = part(batch.support, each);
                for (step, weight) in importance.into_iter().enumerate() {
                    if let Some(weight) = weight {
                        let head = Head::learn(&rates, step + 1, &support);
                        all.push((weight, head.scores(query.clone())));
                    }
                }
            }
        }
        all
    }
}

impl Method for Maml {
    fn name(&self) -> &'static str {
        match (self.inner, self.order) {
            (Inner::Head, _) => "anil",
            (Inner::All, Order::First) => "first-order maml",
            (Inner::All, Order::Exact) if self.learn_rates => "maml++",
            (Inner::All, Order::Exact) => "maml",
        }
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            way: 20,
            support: self.shots.iter().copied().max().unwrap_or(0),
            query: 5,
            tasks: 2,
            learning_rate: 1e-3,
            ..Recipe::default()
        }
    }

    fn check(&self, shape: EpisodeShape) -> Result<(), TrainError> {
        let steps = (self.steps, self.test_steps);
        check_task(steps, (self.rate, self.head_rate))?;
        check_shots(&self.shots, shape.shot)
    }

    /// The logarithms of what the steps' sizes are multiplied by, `[steps, blocks + 1]`.
    fn extras(&self, plan: &Plan, _classes: usize, _seed: u64) -> Vec<Tensor<2>> {
        let parts = self.moving_blocks(plan) + 1;
        match self.learn_rates {
            true => vec![Tensor::zeros([self.steps, parts], &backend::device())],
            false => Vec::new(),
        }
    }

    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let shot = self.shots[(batch.number % self.shots.len() as u64) as usize];
        let classes: Vec<usize> = (0..batch.way() * batch.query)
            .map(|i| i / batch.query)
            .collect();
        let mut accuracy = 0.0;
        let mut total: Option<Tensor<1>> = None;
        for (weight, scores) in self.scores(plan, params, batch, shot) {
            accuracy = method::accuracy(&argmax(scores.clone().detach()), batch.query);
            let loss = cross_entropy(scores, &classes) * weight;
            total = Some(match total {
                Some(total) => total + loss,
                None => loss,
            });
        }
        EpisodeLoss {
            loss: total.expect("the last step counts"),
            accuracy,
        }
    }

    fn adapts_network(&self) -> bool {
        self.inner == Inner::All
    }

    fn adapt(
        &self,
        plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        let rates = self.rates(plan, params);
        match self.inner {
            Inner::All => {
                let support = Labelled::by_class(pictures(plan, support), way);
                let mut task = Task::start(plan, params.network.clone(), way);
                for step in 0..self.test_steps {
                    task = task.stepped(plan, &rates, step, &support);
                }
                task.classifier(plan)
            }
            Inner::Head => {
                let support = Labelled::by_class(support, way);
                Box::new(Head::learn(&rates, self.test_steps, &support))
            }
        }
    }
}

//! Supervised training from scratch: a fresh network sees nothing but the task's own pictures. What
//! every other method is measured against.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::fine_tune::{FineTuned, Fit};
use super::linear::{Linear, cross_entropy, unit};
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe, accuracy, argmax, pictures};
use super::params::Params;
use crate::episodes::EpisodeShape;
use crate::nets::backend;
use crate::nets::network::Plan;

/// Training on one task.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scratch {
    /// Steps of Adam over the whole support set.
    pub steps: usize,
    /// Their learning rate.
    pub rate: f64,
    /// Seed of the fresh network.
    pub seed: u64,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            steps: 60,
            rate: 3e-3,
            seed: 0,
        }
    }
}

impl Scratch {
    fn head(&self, plan: &Plan, way: usize) -> Linear {
        let device = backend::device();
        let dim = plan.embedding();
        let weight = super::random::gaussian([dim, way], 1.0, self.seed ^ 1, &device);
        Linear {
            bias: Tensor::zeros([1, way], &device),
            weight,
        }
    }
}

impl Method for Scratch {
    fn name(&self) -> &'static str {
        "from scratch"
    }

    fn recipe(&self) -> Recipe {
        // The classes are a batch of labelled pictures.
        Recipe {
            way: 120,
            support: 1,
            query: 1,
            ..Recipe::default()
        }
    }

    fn check(&self, _shape: EpisodeShape) -> Result<(), TrainError> {
        Err(TrainError::NothingToTrain(self.name()))
    }

    /// Nothing is learned from other tasks: the loss of a fresh network on the episode's queries,
    /// which says where learning starts.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let (_, queries) = batch.split(batch.support);
        let way = batch.way();
        let classes: Vec<usize> = (0..way * batch.query).map(|i| i / batch.query).collect();
        let x = unit(params.embed(plan, queries));
        let head = self.head(plan, way);
        let scores = x.matmul(head.weight.autodiff());
        let found = argmax(scores.clone().detach());
        EpisodeLoss {
            loss: cross_entropy(scores, &classes),
            accuracy: accuracy(&found, batch.query),
        }
    }

    fn adapts_network(&self) -> bool {
        true
    }

    fn adapt(
        &self,
        plan: &Plan,
        _params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        let fresh = Params {
            network: plan.init(self.seed, &backend::device()),
            statistics: Vec::new(),
            extras: Vec::new(),
        };
        let fit = Fit {
            steps: self.steps,
            rate: self.rate,
        };
        let shown = pictures(plan, support);
        let head = self.head(plan, way);
        Box::new(FineTuned::fit(plan, &fresh, head, shown, way, fit))
    }
}

//! Transfer learning: a network that learned to tell the base classes apart gets a new linear head
//! for a new task (the "baseline" of Chen et al. 2019).

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::fine_tune::{FineTuned, Fit};
use super::limits::{STEPS, within};
use super::linear::{Linear, cross_entropy, unit};
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe, argmax, pictures};
use super::params::Params;
use crate::episodes::EpisodeShape;
use crate::nets::backend;
use crate::nets::network::Plan;

/// Steps of the head's fit, their size, and its L2 penalty, on embeddings of length one.
const HEAD: (usize, f32, f32) = (100, 10.0, 1e-3);
/// Deviation of the class weights at the start: their length does not matter to a cosine, but small
/// ones turn quickly.
const START: f32 = 0.05;
/// Learned scores are cosines times this.
const SCALE: f32 = 20.0;

/// What a new task changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// The head alone.
    Frozen,
    /// The head, then the whole network by a few steps of Adam.
    FineTuned {
        /// Number of steps.
        steps: usize,
        /// Their learning rate.
        rate: f64,
    },
}

impl Transfer {}

impl Method for Transfer {
    fn name(&self) -> &'static str {
        match self {
            Self::Frozen => "transfer, frozen",
            Self::FineTuned { .. } => "transfer, fine-tuned",
        }
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

    fn has_own_classes(&self) -> bool {
        true
    }

    fn check(&self, _shape: EpisodeShape) -> Result<(), TrainError> {
        match *self {
            Self::Frozen => Ok(()),
            Self::FineTuned { steps, rate } => {
                within("the number of steps on a new task", steps, 0, STEPS)?;
                within("the learning rate on a new task", rate, 0.0, 10.0)
            }
        }
    }

    /// One column of weights for each base class.
    fn extras(&self, plan: &Plan, classes: usize, seed: u64) -> Vec<Tensor<2>> {
        vec![super::random::gaussian(
            [plan.embedding(), classes],
            START,
            seed,
            &backend::device(),
        )]
    }

    /// Cross-entropy over all base classes, on cosines between embedding and class weights.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let x = unit(params.embed(plan, batch.pictures.clone()));
        let weight = unit(params.extras[0].clone().transpose()).transpose();
        let scores = x.matmul(weight) * SCALE;
        let each = batch.support + batch.query;
        let classes: Vec<usize> = batch
            .classes
            .iter()
            .flat_map(|&c| std::iter::repeat_n(c, each))
            .collect();
        let found = argmax(scores.clone().detach());
        let correct = found.iter().zip(&classes).filter(|(f, c)| f == c).count();
        EpisodeLoss {
            loss: cross_entropy(scores, &classes),
            accuracy: correct as f32 / classes.len() as f32,
        }
    }

    fn adapts_network(&self) -> bool {
        matches!(self, Self::FineTuned { .. })
    }

    fn adapt(
        &self,
        plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        let (head_steps, head_rate, decay) = HEAD;
        match *self {
            Self::Frozen => Box::new(OfUnit(Linear::fit(
                &unit(support),
                way,
                head_steps,
                head_rate,
                decay,
            ))),
            Self::FineTuned { steps, rate } => {
                let shown = pictures(plan, support);
                let embedded = unit(params.embed(plan, shown.clone()));
                let head = Linear::fit(&embedded, way, head_steps, head_rate, decay);
                let fit = Fit { steps, rate };
                Box::new(FineTuned::fit(plan, params, head, shown, way, fit))
            }
        }
    }
}

/// A head on embeddings of length one.
struct OfUnit(Linear);

impl Classifier for OfUnit {
    fn predict(&self, queries: Tensor<2>) -> Vec<usize> {
        self.0.predict(unit(queries))
    }
}

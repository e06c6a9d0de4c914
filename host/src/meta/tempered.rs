//! Prototypical networks whose distances are scaled by a learned factor (Oreshkin et al. 2018): how sure a loss
//! expects a network to be does not then depend on how far apart it puts its classes.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe};
use super::params::Params;
use super::prototypical::{self, Prototypical};
use crate::episodes::EpisodeShape;
use crate::nets::backend;
use crate::nets::network::Plan;

/// [`Prototypical`] with a learned scale of distances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tempered(pub Prototypical);

impl Method for Tempered {
    fn name(&self) -> &'static str {
        "tempered"
    }

    fn recipe(&self) -> Recipe {
        self.0.recipe()
    }

    fn check(&self, shape: EpisodeShape) -> Result<(), TrainError> {
        self.0.check(shape)
    }

    /// The logarithm of the factor, which starts at 1.
    fn extras(&self, _plan: &Plan, _classes: usize, _seed: u64) -> Vec<Tensor<2>> {
        vec![Tensor::zeros([1, 1], &backend::device())]
    }

    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let embeddings = params.embed(plan, batch.pictures.clone());
        let factor = params.extras.first().map(|log| log.clone().exp());
        prototypical::scaled_loss(
            embeddings,
            factor,
            batch.way(),
            batch.support,
            &self.0.shots,
        )
    }

    /// No factor changes which prototype is the nearest.
    fn adapt(
        &self,
        plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        self.0.adapt(plan, params, support, way)
    }
}

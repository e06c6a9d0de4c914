//! Learning what a teacher knows of a picture: its numbers themselves besides the neighbours that it finds.
//!
//! A linear map that is learned as well, and is not kept, leads from the embedding to the teacher's values (hints:
//! Romero et al. 2015). A single picture then teaches as many numbers as the teacher has, where its neighbours alone
//! ([`Distilled`]) only say what is near.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::distilled::Distilled;
use super::error::TrainError;
use super::limits::within;
use super::method::{Batch, Classifier, EpisodeLoss, Method, Recipe};
use super::params::Params;
use super::patches::unexplained;
use crate::episodes::EpisodeShape;
use crate::nets::backend;
use crate::nets::network::Plan;

/// Learning a teacher's values of each picture, which should be about zero and not large: the map begins at zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// Its neighbours, as they are learned beside.
    pub distilled: Distilled,
    /// How many values the teacher has of a picture.
    pub values: usize,
    /// How much the neighbours count beside the values, 0 or more.
    pub neighbours: f32,
}

impl Features {
    /// As much for the neighbours as for the values.
    pub fn new(distilled: Distilled) -> Self {
        Self {
            distilled,
            values: 0,
            neighbours: 1.0,
        }
    }
}

impl Method for Features {
    fn name(&self) -> &'static str {
        "features"
    }

    fn recipe(&self) -> Recipe {
        self.distilled.recipe()
    }

    fn check(&self, shape: EpisodeShape) -> Result<(), TrainError> {
        within("the weight of the neighbours", self.neighbours, 0.0, 1e3)?;
        within(
            "the number of the teacher's values",
            self.values,
            1,
            1 << 20,
        )?;
        self.distilled.check(shape)
    }

    /// The map from `[1, embedding]` to `[1, values]`, and what is added to it.
    fn extras(&self, plan: &Plan, _classes: usize, seed: u64) -> Vec<Tensor<2>> {
        let device = backend::device();
        let shape = [plan.embedding(), self.values];
        vec![
            super::random::gaussian(shape, 1e-3, seed, &device),
            Tensor::zeros([1, self.values], &device),
        ]
    }

    fn has_teacher(&self) -> bool {
        true
    }

    fn understands(&self, _plan: &Plan, values: usize) -> bool {
        values == self.values
    }

    /// # Panics
    /// When the batch has no teacher.
    fn loss(&self, plan: &Plan, params: &Params, batch: &Batch) -> EpisodeLoss {
        let teacher = batch.teacher.clone().expect("a teacher's embeddings");
        let embeddings = params.embed(plan, batch.pictures.clone());
        let values = embeddings.clone().matmul(params.extras[0].clone()) + params.extras[1].clone();
        let own = self.distilled.loss_of(embeddings, batch, self.neighbours);
        EpisodeLoss {
            loss: unexplained(values, teacher, None) + own.loss,
            accuracy: own.accuracy,
        }
    }

    fn adapt(
        &self,
        plan: &Plan,
        params: &Params,
        support: Tensor<2>,
        way: usize,
    ) -> Box<dyn Classifier> {
        self.distilled.adapt(plan, params, support, way)
    }
}

//! What a training run is asked to do.

use serde::{Deserialize, Serialize};

use super::augment::Augment;
use super::learner::Learner;
use super::schedule::Schedule;
use crate::nets::graph::Normalization;
use crate::nets::network::Architecture;

/// Pixels are only scaled to 0..=1: a background of zero meets the zero padding without an edge.
pub(crate) const NORMALIZATION: Normalization = Normalization::new(0.0, 1.0);

/// What a run is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    /// How to learn.
    pub learner: Learner,
    /// The network.
    pub architecture: Architecture,
    /// Classes of a training episode.
    pub way: usize,
    /// Support pictures of each class.
    pub support: usize,
    /// Query pictures of each class.
    pub query: usize,
    /// Classes of a family, which follow each other in the data and are similar; every second episode
    /// is of whole families. 1 where there are none.
    pub family: usize,
    /// Episodes of one optimiser step: their losses are averaged.
    pub tasks: usize,
    /// Optimiser steps, `tasks` episodes each.
    pub episodes: u64,
    /// The learning rate.
    pub schedule: Schedule,
    /// Random changes of the training pictures.
    pub augment: Augment,
    /// Decay of the running average of the weights that becomes the network; 0 keeps the last.
    pub averaging: f64,
    /// Episodes between validations.
    pub validate_every: u64,
    /// Validations without a new best after which the run stops.
    pub patience: u32,
    /// Seed of weights, episodes and augmentation.
    pub seed: u64,
    /// Standard deviation to which each picture is brought, in levels; 0 leaves pictures as they are.
    /// A checkpoint has it at its end.
    #[serde(skip)]
    pub contrast: u32,
}

impl TrainConfig {
    /// How pixels become the network's input.
    pub(crate) fn normalization(&self) -> Normalization {
        Normalization {
            contrast: self.contrast,
            ..NORMALIZATION
        }
    }
}

//! What a training run is asked to do.

use serde::{Deserialize, Serialize};

use super::augment::Augment;
use super::error::TrainError;
use super::learner::Learner;
use super::limits::within;
use super::schedule::Schedule;
use crate::episodes::EpisodeShape;
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
    /// Whether every class of an episode is made another one: all of its pictures mirrored (or not), turned and
    /// slanted alike (task augmentation, Liu et al. 2020). A checkpoint has it at its end.
    #[serde(skip)]
    pub new_classes: bool,
    /// Whether the colours of each picture are brought to one mean before that. A checkpoint has it at its
    /// end, too.
    #[serde(skip)]
    pub balance: bool,
    /// In which last part of the run, 0..=1, weights and maps are rounded to eight bits as a board has them. A
    /// checkpoint has it at its end.
    #[serde(skip)]
    pub fake_quantize: f32,
}

impl TrainConfig {
    /// How pixels become the network's input.
    pub(crate) fn normalization(&self) -> Normalization {
        Normalization {
            contrast: self.contrast,
            balance: self.balance,
            ..NORMALIZATION
        }
    }

    /// Whether weights and maps are rounded to eight bits in this episode, from 0.
    pub(crate) fn is_fake_quantized(&self, episode: u64) -> bool {
        let last = (f64::from(self.fake_quantize) * self.episodes as f64).round() as u64;
        episode >= self.episodes.saturating_sub(last)
    }

    /// Whether a run can have these settings, whatever its data.
    ///
    /// # Errors
    /// [`TrainError`], which of them is out of bounds and what they are.
    pub fn check(&self) -> Result<(), TrainError> {
        // Adam moves each weight by about so much in a step.
        within("the learning rate", self.schedule.peak, 1e-12, 10.0)?;
        within("the decay of the average", self.averaging, 0.0, 1.0 - 1e-9)?;
        for (what, count) in [
            ("the number of classes of an episode", self.way),
            ("the number of support pictures", self.support),
            ("the number of query pictures", self.query),
        ] {
            within(what, count, 1, 1 << 20)?;
        }
        within("the number of episodes of a step", self.tasks, 1, 1000)?;
        within("the number of episodes", self.episodes, 0, 1 << 40)?;
        within("the contrast", self.contrast, 0, 255)?;
        within("the part with eight bits", self.fake_quantize, 0.0, 1.0)?;
        let changes = self.augment;
        for change in [
            changes.rotate,
            changes.scale,
            changes.shear,
            changes.shift,
            changes.light,
        ] {
            within("a change of the training pictures", change, 0.0, 360.0)?;
        }
        let shape = EpisodeShape {
            way: self.way,
            shot: self.support,
            query: self.query,
        };
        self.learner.method().check(shape)
    }
}

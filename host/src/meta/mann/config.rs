//! Kinds and sizes of memory-augmented networks.

use serde::{Deserialize, Serialize};

/// What sees the pictures and drives the heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Controller {
    /// A long short-term memory (Hochreiter and Schmidhuber 1997), which carries a state of its own.
    Lstm,
    /// One layer of tanh units, which carries nothing: only the memory does.
    FeedForward,
}

/// A memory-augmented network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mann {
    /// The kind of controller.
    pub controller: Controller,
    /// Its units.
    pub units: usize,
    /// Rows of the memory.
    pub slots: usize,
    /// Numbers of a row.
    pub width: usize,
    /// Heads, each of which reads and writes once a step.
    pub heads: usize,
    /// Least used slots that a step writes, 1 or more; the paper takes as many as heads.
    pub written: usize,
    /// What remains of a slot's usage after a step, 0..=1.
    pub decay: f32,
    /// Classes of a sequence: the greatest way of a task.
    pub classes: usize,
    /// Sets of sequences that are cut out of one training episode: its classes are put into new
    /// groups, orders and labels so often.
    pub groupings: usize,
    /// Times that a task's support set is presented.
    pub passes: usize,
}

impl Default for Mann {
    /// The paper's sizes, and the controller that carries nothing itself.
    fn default() -> Self {
        Self {
            controller: Controller::FeedForward,
            units: 200,
            slots: 128,
            width: 40,
            heads: 4,
            written: 4,
            decay: 0.99,
            classes: 5,
            groupings: 2,
            passes: 2,
        }
    }
}

impl Mann {
    /// The paper's controller.
    pub fn lstm() -> Self {
        Self {
            controller: Controller::Lstm,
            ..Self::default()
        }
    }

    /// Whether the picture before comes beside its label.
    pub(super) fn sees_previous(&self) -> bool {
        self.controller == Controller::FeedForward
    }

    /// Numbers of a step's input for embeddings of `dim` numbers.
    pub(super) fn inputs(&self, dim: usize) -> usize {
        dim + self.classes + if self.sees_previous() { dim } else { 0 }
    }
}

//! Meta-learners: how a network is trained on many small tasks, and how well it then does on new
//! ones.

pub mod augment;
mod batch;
pub mod checkpoint;
pub mod evaluate;
pub mod prototypical;
pub mod schedule;
#[cfg(test)]
mod tests;
pub mod train;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use evaluate::{Accuracy, Embeddings};
pub use train::{TrainConfig, TrainError, Trained, Trainer};

//! Meta-learners: how a network is trained on many small tasks, and how well it then does on new
//! ones.
//!
//! A method is one file and implements [`method::Method`]: its name, what suits it, which settings it takes,
//! its loss and its answers. [`learner::Learner`] is the list of all, which checkpoints keep. The trainer and
//! the measurements know only these two.

mod adam;
pub mod augment;
mod batch;
pub mod checkpoint;
mod checksummed;
mod config;
mod consistency;
pub mod distilled;
mod error;
pub mod features;
mod fine_tune;
pub mod hand_crafted;
mod inner;
pub mod learner;
mod limits;
mod linear;
pub mod maml;
pub mod mann;
mod matrix;
pub mod meta_transfer;
pub mod method;
pub mod params;
pub mod patches;
pub mod prototypical;
mod random;
pub mod reptile;
pub mod schedule;
pub mod scratch;
pub mod siamese;
pub mod teacher_cache;
pub mod tempered;
#[cfg(test)]
mod tests;
pub mod train;
pub mod trained;
pub mod transfer;
pub mod tune;

pub use checkpoint::Checkpoint;
pub use config::TrainConfig;
pub use error::{CheckpointError, TrainError};
pub use learner::Learner;
pub use train::Trainer;
pub use trained::Trained;

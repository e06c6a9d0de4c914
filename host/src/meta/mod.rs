//! Meta-learners: how a network is trained on many small tasks, and how well it then does on new
//! ones.
//!
//! A method is one file and implements [`method::Method`]; [`learner::Learner`] names them all. The
//! trainer, its checkpoints and the measurements know only these two.

mod adam;
pub mod augment;
mod batch;
pub mod checkpoint;
mod config;
pub mod distilled;
mod error;
pub mod handmade;
mod inner;
pub mod learner;
pub mod lesson;
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
mod sealed;
pub mod siamese;
mod sound;
#[cfg(test)]
mod tests;
pub mod train;
pub mod trained;
pub mod transfer;
pub mod tune;
mod tuned;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use config::TrainConfig;
pub use error::TrainError;
pub use learner::Learner;
pub use train::Trainer;
pub use trained::Trained;

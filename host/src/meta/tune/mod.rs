//! The search for good settings of a training run.
//!
//! A [`Study`] proposes settings ([`Study::ask`]), is shown how well they do while they are tried
//! ([`Running::report`]), says when a trial is not worth its end ([`Study::should_stop`]) and learns
//! from what came out ([`Study::tell`]). It knows nothing of networks: a trial is whatever the
//! caller makes of the settings, its values are greater the better.
//!
//! Settings come from a tree-structured Parzen estimator (TPE, Bergstra et al. 2011; the crate
//! `tpe`), bad trials are stopped by successive halving (Li et al. 2020), and every trial is a line
//! of a file to which only is appended. A proposal depends on nothing but the setup and the trials
//! before it, so a study that resumes from its file proposes what an unbroken one would have.
//!
//! Several workers share a study by Optuna's journal ([`Study::join`]).

mod error;
mod halving;
mod journal;
mod setup;
mod shared;
mod space;
mod study;
mod suggest;
#[cfg(test)]
mod tests;
mod trial;

pub use error::{SpaceError, TuneError};
pub use halving::Halving;
pub use setup::Setup;
pub use space::{Dimension, Params, Range, Space, Value};
pub use study::Study;
pub use trial::{Running, Trial, TrialStatus};

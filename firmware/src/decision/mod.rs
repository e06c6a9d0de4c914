//! Open-set decisions (Scheirer et al. 2013, "Toward Open Set Recognition"): whether a picture is of
//! the class that a head names, or of none that was enrolled.
//!
//! | item | question |
//! |---|---|
//! | [`Rate`] | how many known pictures may be rejected, false alarms where parts are inspected |
//! | [`Spread`] | how far the pictures of a class lie from each other |
//! | [`novelty`] | how far a picture lies from a class, in units of that |
//! | [`Calibration`] | which novelty pictures of known classes have, as measured on base classes |
//! | [`Tail`] | the same as far as the enrolled shots tell, where there is no calibration |
//! | [`NoveltyModel`] | all of that for the classes of a device, and the threshold that follows from the rate |
//! | [`Outcome`] | what is said of a picture |
//! | [`Vote`] | what is said of several |
//! | [`Drift`] | whether light or camera have changed |
//! | [`Quality`] | whether a shot fits its class |
//! | [`LeaveOneOut`] | whether the enrolled classes are told apart |
//!
//! Distances are between int8 embeddings, in steps squared. All is exact integers or `f32` with
//! additions, multiplications and divisions in a fixed order, which every processor rounds the same way.

mod calibration;
mod drift;
mod leave_one_out;
mod novelty;
mod novelty_model;
mod outcome;
mod rate;
mod root;
mod shot_quality;
mod spread;
mod tail;
#[cfg(test)]
mod tests;
mod vote;

pub use calibration::{Calibration, RATES, ROWS};
pub use drift::{Drift, MIN_FRAMES};
pub use leave_one_out::{Confused, LeaveOneOut};
pub use novelty::novelty;
pub use novelty_model::{Basis, NoveltyModel};
pub use outcome::Outcome;
pub use rate::Rate;
pub(crate) use root::root;
pub use shot_quality::{Outlier, Quality, Same, check};
pub use spread::{Prior, Spread};
pub use tail::Tail;
pub use vote::{Filter, Stable, Vote};

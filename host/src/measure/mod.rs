//! How well a model serves: accuracy on episodes, errors over pairs, flaws found.
//!
//! What is measured implements [`FewShot`]: it learns from a support and answers queries; what takes several
//! episodes at a time implements [`Episodic`](few_shot::Episodic). [`Run`] is the one loop over episodes.
//! Nothing here asks how a network was trained, or whether by this program.

mod accuracy;
pub mod anomaly;
mod embeddings;
pub mod few_shot;
mod heads;
mod inspection;
mod open_set;
mod suitability;
pub mod verification;

pub use accuracy::Accuracy;
pub use embeddings::{Embeddings, NearestPrototype, nearest};
pub use few_shot::{FewShot, Picture, Run};
pub use heads::{FirmwareHead, HeadEpisodes, HeadError};
pub use inspection::{Alarms, Inspected, Inspection};
pub use open_set::{OpenSet, OpenSetReport, OperatingPoint, Rejection};
pub use suitability::{Embedded, SuitabilityError, Tally, Trial};

//! Inspection by patches: a few good frames are kept as descriptors of their patches, and a patch of a
//! new frame is the more suspicious the farther it is from the nearest of them (Roth et al. 2022,
//! "Towards Total Recall in Industrial Anomaly Detection", PatchCore).
//!
//! | file | question |
//! |---|---|
//! | [`Map`], [`Shape`] | what the network says of each place of a picture |
//! | [`Light`] | how bright the picture is, which the network does not see |
//! | `entries` | the stored patches, the most different ones where there are too many |
//! | `distance` | how far patches are from each other, and which of a frame are worst |
//! | [`Memory`] | teaching, inspecting, flaws |
//! | [`Sight`], [`Finding`] | what is shown to it, and what it finds |
//! | `witness` | how unusual one number of a frame is among those of the good frames |
//! | [`Commission`] | which score n of the good parts of a line exceed |
//! | `bytes` | all of it for flash |
//!
//! A frame's score is 0 where it is like the average good frame and 1 at the threshold, whatever the
//! product. The threshold comes from the good frames alone: each is compared with the others.
//! Distances are squared, between int8 descriptors, in steps.

mod bytes;
mod commission;
mod distance;
mod entries;
mod finding;
mod length;
mod light;
mod map;
mod memory;
mod number;
#[cfg(test)]
mod tests;
mod whole;
mod witness;

pub use bytes::{BytesError, HEAD, MAX_BYTES};
pub use commission::Commission;
pub use entries::{BUDGET, MAX_PATCHES};
pub use finding::{Finding, MemoryError, Search, Sight};
pub use light::Light;
pub use map::{MAX_CHANNELS, MAX_PLACES, Map, Shape};
pub use memory::Memory;

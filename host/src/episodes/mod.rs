//! Few-shot episodes: which classes and which of their pictures are support and query.

mod alike;
mod sampler;

pub use alike::by_likeness;
pub use sampler::{Episode, EpisodeError, EpisodeShape, Sampler};

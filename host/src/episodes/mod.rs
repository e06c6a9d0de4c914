//! Few-shot episodes: which classes and which of their pictures are support and query.

mod sampler;

pub use sampler::{Episode, EpisodeError, EpisodeShape, Sampler};

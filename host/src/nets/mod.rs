//! Embedding networks: pictures in, a vector for each out.

pub mod graph;

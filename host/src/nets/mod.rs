//! Embedding networks: pictures in, a vector for each out.

pub mod backend;
pub mod block;
mod cpu;
mod fused;
pub mod gradient;
pub mod graph;
pub mod network;
pub mod reference;
mod second;
pub mod unfold;

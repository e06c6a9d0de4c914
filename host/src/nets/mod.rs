//! Embedding networks: pictures in, a vector for each out.

#[cfg(feature = "train")]
mod after;
#[cfg(feature = "train")]
mod architecture;
#[cfg(feature = "train")]
pub mod backend;
#[cfg(feature = "train")]
pub mod block;
#[cfg(feature = "train")]
mod cpu;
#[cfg(feature = "train")]
mod fake_quantized;
#[cfg(feature = "train")]
mod fused;
#[cfg(feature = "train")]
pub mod gradient;
pub mod graph;
#[cfg(feature = "train")]
pub mod network;
pub mod reference;
#[cfg(feature = "train")]
mod second;
#[cfg(feature = "train")]
mod shape;
#[cfg(feature = "train")]
pub mod unfuse_batch_norm;

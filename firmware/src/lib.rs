#![no_std]
//! Few-shot vision for microcontroller cameras, the device half: no heap, integers only.
//!
//! The host links this same library, so whatever a board computes can be checked bit for bit.

pub mod engine;
pub mod image;

//! Few-shot vision for microcontroller cameras, the host half.
//!
//! The folders stand in the order in which a model comes to be, and each imports only what stands
//! before it: [`nets`] are trained by meta-learners on episodes of data, exported, put on a device
//! and reported on.

pub mod data;
pub mod device;
pub mod episodes;
pub mod export;
pub mod meta;
pub mod nets;
pub mod report;
